/*
 * Mounts of type cgroup: what the container sees of its cgroups. On version 2 that is one mount; on version 1 a tmpfs
 * with one mount for each hierarchy. With a cgroup namespace these are new mounts, whose root is the container's own
 * cgroup; without, the host's are bound from the container's cgroup down.
 */
#include "runtime/rootfs.h"

#include "base/fd.h"
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const uint64_t safe_attrs = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;

static bool has_cgroupns(const struct plan *p)
{
        return oci_namespace_find(p->config, CLONE_NEWCGROUP) != NULL;
}

static int attach(int mount, int target, uint64_t attrs, struct cor_err *err)
{
        struct mount_attrs a = { .set = attrs };

        if (mount_attach(mount, target, err) < 0)
                return -1;
        return mount_change(mount, &a, true, err);
}

static int bind_cgroup(const struct cgroup_mount *c, int target, uint64_t attrs, struct cor_err *err)
{
        auto_str path = cor_printf("%s%s", c->source, c->path);
        auto_fd tree = mount_clone(AT_FDCWD, path, false, false, err);

        return tree < 0 ? -1 : attach(tree, target, attrs, err);
}

static int mount_hierarchy(const struct plan *p, const struct cgroup_mount *c, int target, uint64_t attrs,
                           struct cor_err *err)
{
        auto_fd mount = -1;

        if (!has_cgroupns(p))
                return bind_cgroup(c, target, attrs, err);
        if (c->option)
                mount = mount_new("cgroup", "cgroup", c->option, 0, attrs, err);
        else
                mount = mount_new("cgroup2", "cgroup2", NULL, 0, attrs, err);
        if (mount < 0) /* a user namespace may not, or the kernel cannot make it detached */
                return err && err->sys == ENOENT ? -1 : bind_cgroup(c, target, attrs, err);
        return mount_attach(mount, target, err);
}

/* "cpu,cpuacct": links named after each controller, as a host has them */
static int link_controllers(int dir, const char *name, struct cor_err *err)
{
        auto_str copy = cor_strdup(name);
        char *cursor = copy, *word;

        if (!strchr(name, ','))
                return 0;
        while ((word = cor_split_next(&cursor, ',')) != NULL)
                if (symlinkat(name, dir, word) < 0 && errno != EEXIST)
                        return cor_fail_errno(err, "make link %s", word);
        return 0;
}

static int mount_v1(const struct plan *p, struct rootfs *r, const struct mount_options *o, int target,
                    const struct cgroup_mount *list, size_t n, struct cor_err *err)
{
        auto_fd tmpfs = mount_new("tmpfs", "tmpfs", "mode=755", 0, safe_attrs, err);

        if (tmpfs < 0 || mount_attach(tmpfs, target, err) < 0)
                return -1;
        for (size_t i = 0; i < n; i++) {
                auto_fd dir = -1;

                if (mkdirat(tmpfs, list[i].name, 0755) < 0)
                        return cor_fail_errno(err, "make directory %s", list[i].name);
                dir = openat(tmpfs, list[i].name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
                if (dir < 0)
                        return cor_fail_errno(err, "open directory %s", list[i].name);
                if (mount_hierarchy(p, &list[i], dir, safe_attrs | o->attrs.set, err) < 0 ||
                    link_controllers(tmpfs, list[i].name, err) < 0)
                        return cor_wrap(err, "%s", list[i].name);
        }
        if (o->attrs.set & MOUNT_ATTR_RDONLY) {
                static const struct mount_attrs readonly = { .set = MOUNT_ATTR_RDONLY };

                return mount_change(tmpfs, &readonly, false, err);
        }
        return 0;
}

/* A rootless container without a cgroup of its own sees what its creator sees, and cannot change it. */
static int bind_host(int target, struct cor_err *err)
{
        auto_fd tree = mount_clone(AT_FDCWD, "/sys/fs/cgroup", true, false, err);

        return tree < 0 ? -1 : attach(tree, target, safe_attrs | MOUNT_ATTR_RDONLY, err);
}

int rootfs_mount_cgroup(const struct plan *p, struct rootfs *r, const struct oci_mount *m,
                        const struct mount_options *o, int target, struct cor_err *err)
{
        const struct cgroup_mount *list = NULL;
        size_t n = p->cgroup ? cgroup_mounts(p->cgroup, &list) : 0;

        if (n == 0)
                return bind_host(target, err);
        if (n == 1 && !list[0].option && list[0].name[0] == '\0')
                return mount_hierarchy(p, &list[0], target, safe_attrs | o->attrs.set, err);
        return mount_v1(p, r, o, target, list, n, err);
}

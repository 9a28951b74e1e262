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
        return mount_change(mount, &a, false, err);
}

static int clone_cgroup(const struct cgroup_mount *c, struct cor_err *err)
{
        auto_str path = cor_printf("%s%s", c->source, c->path);

        return mount_clone(AT_FDCWD, path, false, false, err);
}

/* One hierarchy as the container shall see it, detached. */
static int open_hierarchy(const struct plan *p, const struct cgroup_mount *c, struct cor_err *err)
{
        int mount;

        if (!has_cgroupns(p))
                return clone_cgroup(c, err);
        if (c->option)
                mount = mount_new("cgroup", "cgroup", c->option, 0, safe_attrs, err);
        else
                mount = mount_new("cgroup2", "cgroup2", NULL, 0, safe_attrs, err);
        if (mount >= 0 || (err && err->sys == ENOENT))
                return mount;
        return clone_cgroup(c, err); /* a user namespace may not, or the kernel cannot make it detached */
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

/* All flags at once, or one by one where the kernel is too old for that. */
static int change_all(int tmpfs, const struct mount_attrs *attrs, const struct cgroup_mount *list, size_t n,
                      struct cor_err *err)
{
        if (mount_change(tmpfs, attrs, true, err) == 0)
                return 0;
        if (err->kind != COR_UNSUPPORTED)
                return -1;
        cor_err_clear(err);
        for (size_t i = 0; i < n; i++) {
                auto_fd mount = openat(tmpfs, list[i].name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

                if (mount < 0)
                        return cor_fail_errno(err, "open %s", list[i].name);
                if (mount_change(mount, attrs, false, err) < 0)
                        return cor_wrap(err, "%s", list[i].name);
        }
        return mount_change(tmpfs, attrs, false, err);
}

/*
 * The tmpfs is new and nobody else is in this mount namespace, so names in it can be trusted; the flags are set on all
 * mounts in the end, with one call.
 */
static int mount_v1(const struct plan *p, const struct mount_options *o, int target, const struct cgroup_mount *list,
                    size_t n, struct cor_err *err)
{
        const struct mount_attrs attrs = { .set = safe_attrs | o->attrs.set };
        auto_fd tmpfs = mount_new_on(target, "tmpfs", "tmpfs", "mode=755", 0, safe_attrs, err);

        if (tmpfs < 0)
                return -1;
        for (size_t i = 0; i < n; i++) {
                auto_fd mount = -1;

                if (mkdirat(tmpfs, list[i].name, 0755) < 0)
                        return cor_fail_errno(err, "make directory %s", list[i].name);
                mount = open_hierarchy(p, &list[i], err);
                if (mount < 0 || mount_attach_at(mount, tmpfs, list[i].name, err) < 0 ||
                    link_controllers(tmpfs, list[i].name, err) < 0)
                        return cor_wrap(err, "%s", list[i].name);
        }
        return change_all(tmpfs, &attrs, list, n, err);
}

static int mount_v2(const struct plan *p, const struct mount_options *o, int target, const struct cgroup_mount *c,
                    struct cor_err *err)
{
        auto_fd mount = open_hierarchy(p, c, err);

        return mount < 0 ? -1 : attach(mount, target, safe_attrs | o->attrs.set, err);
}

/* A rootless container without a cgroup of its own sees what its creator sees, and cannot change it. */
static int bind_host(int target, struct cor_err *err)
{
        const struct mount_attrs attrs = { .set = safe_attrs | MOUNT_ATTR_RDONLY };
        auto_fd tree = mount_clone(AT_FDCWD, "/sys/fs/cgroup", true, false, err);

        if (tree < 0)
                return -1;
        if (mount_change(tree, &attrs, true, err) == 0)
                return mount_attach(tree, target, err);
        if (err->kind != COR_UNSUPPORTED)
                return -1;
        /* before Linux 5.12: without what is mounted below (version 1), as that would stay writable */
        cor_err_clear(err);
        cor_fd_close(&tree);
        tree = mount_clone(AT_FDCWD, "/sys/fs/cgroup", false, false, err);
        return tree < 0 ? -1 : attach(tree, target, attrs.set, err);
}

int rootfs_mount_cgroup(const struct plan *p, struct rootfs *r, const struct oci_mount *m,
                        const struct mount_options *o, int target, struct cor_err *err)
{
        const struct cgroup_mount *list = NULL;
        size_t n = p->cgroup ? cgroup_mounts(p->cgroup, &list) : 0;

        if (n == 0)
                return bind_host(target, err);
        if (n == 1 && !list[0].option && list[0].name[0] == '\0')
                return mount_v2(p, o, target, &list[0], err);
        return mount_v1(p, o, target, list, n, err);
}

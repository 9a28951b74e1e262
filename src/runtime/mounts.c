/*
 * One entry of config.mounts. Runs in init, in its mount namespace, before pivot_root: sources are the host's, targets
 * are below the root. A target is opened once and mounted on by descriptor (CVE-2021-30465: a link put in its place
 * between two walks leads nowhere).
 */
#include "runtime/rootfs.h"

#include "base/fd.h"
#include "base/file.h"
#include "linux/lsm.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

struct mount_work {
        const struct plan *plan;
        struct rootfs *rootfs;
        const struct oci_mount *m;
        const struct mount_options *o;
        const struct plan_mount *pm;
        char *path; /* cleaned destination */
};

static bool is_bind(const struct mount_work *w)
{
        return w->o->bind || w->o->rbind || cor_streq(w->m->type, "bind");
}

static bool on_procfs(int fd)
{
        struct statfs fs;

        return fstatfs(fd, &fs) == 0 && fs.f_type == PROC_SUPER_MAGIC;
}

/*
 * What /proc says decides about labels, maps and limits, so nothing may be put over it but what is known to be harmless
 * (CVE-2019-16884, CVE-2019-19921). The target itself is asked whether it lies in a procfs, not only its name: a link
 * in the image could lead there.
 */
static int check_proc_target(const struct mount_work *w, int target, struct cor_err *err)
{
        static const char *const harmless[] = {
                "/proc/cpuinfo",
                "/proc/diskstats",
                "/proc/meminfo",
                "/proc/stat",
                "/proc/swaps",
                "/proc/uptime",
                "/proc/loadavg",
                "/proc/slabinfo",
                "/proc/net/dev",
                "/proc/sys/kernel/ns_last_pid",
                "/proc/sys/crypto/fips_enabled",
                "/proc/sys/fs/binfmt_misc",
        };
        bool named = cor_starts_with(w->path, "/proc/");

        if (!named && !on_procfs(target))
                return 0;
        for (size_t i = 0; i < COR_COUNT(harmless); i++)
                if (strcmp(w->path, harmless[i]) == 0)
                        return 0;
        return cor_fail(err, COR_DENIED, "\"%s\" cannot be mounted because it is inside /proc", w->path);
}

/* /proc itself may only be a procfs: a new one, or the host's. */
static int check_proc_source(const struct mount_work *w, int mount, struct cor_err *err)
{
        struct stat st;

        if (strcmp(w->path, "/proc") != 0)
                return 0;
        if (on_procfs(mount) && fstat(mount, &st) == 0 && st.st_ino == 1)
                return 0;
        return cor_fail(err, COR_DENIED, "\"/proc\" must be the root of a proc filesystem");
}

/* Is the last component, or any on the way, a link? For file systems whose place others rely on. */
static int open_plain_target(const struct mount_work *w, struct cor_err *err)
{
        auto_fd fd = cor_root_open_nofollow(w->rootfs->root, w->path, O_PATH, NULL);
        struct stat st;

        if (fd < 0)
                return cor_root_mkdirs(w->rootfs->root, w->path, 0755, err);
        if (fstat(fd, &st) < 0 || !S_ISDIR(st.st_mode))
                return cor_fail(err, COR_DENIED, "filesystem \"%s\" must be mounted on an ordinary directory",
                                w->m->type);
        return cor_fd_take(&fd);
}

static int open_target(const struct mount_work *w, bool file, struct cor_err *err)
{
        int fd;

        if (w->o->dest_nofollow) {
                fd = cor_root_open_nofollow(w->rootfs->root, w->path, O_PATH, NULL);
                if (fd >= 0)
                        return fd;
        }
        if (file)
                return cor_root_mkfile(w->rootfs->root, w->path, err);
        return cor_root_mkdirs(w->rootfs->root, w->path, 0755, err);
}

static void note(const struct mount_work *w, int mount)
{
        if (w->rootfs->mounted)
                w->rootfs->mounted[w->pm - w->plan->mounts] = mount_id(mount);
}

/* tmpfs at /dev and the like: contents are put in later, so read-only has to wait for the end. */
static int keep_for_later(struct rootfs *r, int mount, struct cor_err *err)
{
        int copy = fcntl(mount, F_DUPFD_CLOEXEC, 3);

        if (copy < 0)
                return cor_fail_errno(err, "duplicate a descriptor");
        *COR_GROW(r->late, r->n_late) = copy;
        return 0;
}

/*
 * In a user namespace the flags of mounts that came from outside are locked: none may be taken away, and the way times
 * are kept is theirs. Flags that nobody named stay as they are; for others, the word that cannot be had.
 */
static int explain_locked(const struct mount_attrs *a, int mount, struct cor_err *err)
{
        static const struct {
                uint64_t attr;
                const char *word, *is;
        } words[] = {
                { MOUNT_ATTR_RDONLY, "rw", "ro" },
                { MOUNT_ATTR_NOSUID, "suid", "nosuid" },
                { MOUNT_ATTR_NODEV, "dev", "nodev" },
                { MOUNT_ATTR_NOEXEC, "exec", "noexec" },
        };
        struct cor_err ignored;
        uint64_t has;

        if (err->sys != EPERM || mount_attrs_get(mount, &has, &ignored) < 0)
                return -1;
        for (size_t i = 0; i < COR_COUNT(words); i++)
                if (a->clear & has & words[i].attr)
                        return cor_fail(err, COR_DENIED,
                                        "options: \"%s\" cannot be had: the source is mounted %s, which is locked in "
                                        "this user namespace",
                                        words[i].word, words[i].is);
        if (((a->clear & MOUNT_ATTR__ATIME) && (a->set & MOUNT_ATTR__ATIME) != (has & MOUNT_ATTR__ATIME)) ||
            ((a->set ^ has) & (a->set | a->clear) & MOUNT_ATTR_NODIRATIME))
                return cor_fail(err, COR_DENIED,
                                "options: access times are kept as the source's mount has them, which is locked in "
                                "this user namespace");
        return -1;
}

static int change_attrs(const struct mount_work *w, int mount, struct cor_err *err)
{
        if (mount_change(mount, &w->o->attrs, false, err) < 0)
                return explain_locked(&w->o->attrs, mount, err);
        if (mount_change(mount, &w->o->recursive, true, err) < 0)
                return explain_locked(&w->o->recursive, mount, err);
        return 0;
}

/* The source of a bind is a link, and it is the link that is wanted: make the same one. */
static int copy_link(const struct mount_work *w, struct cor_err *err)
{
        char want[4096], have[4096];
        auto_str dir = cor_strdup(w->path);
        char *name = strrchr(dir, '/');
        auto_fd parent = -1;
        ssize_t n = readlink(w->m->source, want, sizeof want - 1), n_have;

        if (n < 0)
                return cor_fail_errno(err, "read link %s", w->m->source);
        want[n] = '\0';
        *name++ = '\0';
        parent = cor_root_mkdirs(w->rootfs->root, dir[0] ? dir : "/", 0755, err);
        if (parent < 0)
                return -1;
        if (symlinkat(want, parent, name) == 0)
                return 0;
        if (errno != EEXIST)
                return cor_fail_errno(err, "make link %s", w->path);
        n_have = readlinkat(parent, name, have, sizeof have);
        if (n_have != n || memcmp(have, want, (size_t)n) != 0)
                return cor_fail(err, COR_EXISTS, "%s exists and is not a link to %s", w->path, want);
        return 0;
}

static bool source_is_link(const struct mount_work *w)
{
        struct stat st;

        return w->m->source && lstat(w->m->source, &st) == 0 && S_ISLNK(st.st_mode);
}

static int bind_tree(const struct mount_work *w, struct cor_err *err)
{
        bool recursive = w->o->rbind || (!w->o->bind && cor_streq(w->m->type, "bind"));

        if (w->pm->tree >= 0)
                return fcntl(w->pm->tree, F_DUPFD_CLOEXEC, 3);
        return mount_clone(AT_FDCWD, w->m->source, recursive, w->o->src_nofollow, err);
}

static int mount_bind(const struct mount_work *w, struct cor_err *err)
{
        auto_fd tree = -1, target = -1;
        struct stat st;

        if (w->o->copy_symlink && source_is_link(w))
                return copy_link(w, err);
        tree = bind_tree(w, err);
        if (tree < 0)
                return -1;
        if (fstat(tree, &st) < 0)
                return cor_fail_errno(err, "look at %s", w->m->source);
        if (check_proc_source(w, tree, err) < 0)
                return -1;
        target = open_target(w, !S_ISDIR(st.st_mode), err);
        if (target < 0 || check_proc_target(w, target, err) < 0)
                return -1;
        /* before Linux 5.12 only attached mounts can be changed; nobody looks yet, so the order is free */
        if (mount_attach(tree, target, err) < 0)
                return -1;
        note(w, tree);
        return change_attrs(w, tree, err);
}

static int new_filesystem(const struct mount_work *w, int target, const char *data, uint64_t attrs, struct cor_err *err)
{
        return mount_new_on(target, w->m->type, w->m->source, data, w->o->sb_flags, attrs, err);
}

static bool says(const char *data, const char *key)
{
        size_t len = strlen(key);

        for (const char *p = data; p && *p; p = strchr(p, ','), p = p ? p + 1 : NULL)
                if (strncmp(p, key, len) == 0 && p[len] == '=')
                        return true;
        return false;
}

static int copy_up(const struct mount_work *w, int target, int mount, struct cor_err *err)
{
        /* what lies below the new mount is still there behind the descriptor that was opened before */
        auto_fd from = openat(target, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        auto_fd to = openat(mount, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        struct stat own;

        if (from < 0 || to < 0 || fstat(to, &own) < 0)
                return cor_fail_errno(err, "tmpcopyup");
        if (rootfs_copy_up(from, to, err) < 0)
                return cor_wrap(err, "tmpcopyup");
        /* what the options say about the new root holds, not what was below it */
        if (fchown(to, says(w->o->data, "uid") ? own.st_uid : (uid_t)-1,
                   says(w->o->data, "gid") ? own.st_gid : (gid_t)-1) < 0 ||
            (says(w->o->data, "mode") && fchmod(to, own.st_mode & 07777) < 0))
                return cor_fail_errno(err, "tmpcopyup");
        return 0;
}

/* A tmpfs over a directory of the image is as open to others as that was, unless its options name a mode. */
static bool mode_from_below(const struct mount_work *w, mode_t *ret_mode)
{
        auto_fd below = -1;
        struct stat st;

        if (!cor_streq(w->m->type, "tmpfs") || says(w->o->data, "mode"))
                return false;
        below = cor_root_open(w->rootfs->root, w->path, O_PATH | O_DIRECTORY, 0, NULL);
        if (below < 0 || fstat(below, &st) < 0)
                return false; /* it is yet to be made */
        *ret_mode = st.st_mode & 07777;
        return true;
}

static int set_mode(int mount, mode_t mode, struct cor_err *err)
{
        auto_fd fd = openat(mount, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        if (fd < 0 || fchmod(fd, mode) < 0)
                return cor_fail_errno(err, "set the mode of a tmpfs");
        return 0;
}

/* A user namespace without a network namespace of its own may not make a sysfs; the host's is the next best thing. */
static int bind_sys_instead(const struct mount_work *w, int target, struct cor_err *err)
{
        static const struct mount_attrs attrs = {
                .set = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC,
        };
        auto_fd tree = mount_clone(AT_FDCWD, "/sys", true, false, err);

        if (tree < 0 || mount_attach(tree, target, err) < 0 || mount_change(tree, &attrs, false, err) < 0)
                return -1;
        return change_attrs(w, tree, err);
}

static bool takes_label(const char *type)
{
        return cor_streq(type, "tmpfs") || cor_streq(type, "overlay") || cor_streq(type, "mqueue") ||
               cor_streq(type, "devpts");
}

static char *filesystem_data(const struct mount_work *w)
{
        const struct oci_linux *l = w->plan->config->linux_;

        if (!l->mount_label || !takes_label(w->m->type))
                return cor_strdup(w->o->data);
        return lsm_mount_label(w->o->data, l->mount_label,
                               oci_annotation(w->plan->config, "run.oci.mount_context_type"));
}

static int mount_filesystem(const struct mount_work *w, struct cor_err *err)
{
        bool proc = cor_streq(w->m->type, "proc"), sysfs = cor_streq(w->m->type, "sysfs");
        bool tmpfs = cor_streq(w->m->type, "tmpfs");
        uint64_t attrs = w->o->attrs.set;
        auto_fd target = -1, mount = -1;
        auto_str data = NULL;
        mode_t mode = 0;
        bool known_mode;

        if (strcmp(w->path, "/proc") == 0 && !proc)
                return cor_fail(err, COR_DENIED, "\"/proc\" must be the root of a proc filesystem");
        known_mode = mode_from_below(w, &mode);
        target = proc || sysfs ? open_plain_target(w, err) : open_target(w, false, err);
        if (target < 0 || (!proc && check_proc_target(w, target, err) < 0))
                return -1;
        data = filesystem_data(w);
        if (tmpfs) /* content comes first */
                attrs &= ~(uint64_t)MOUNT_ATTR_RDONLY;
        mount = new_filesystem(w, target, data, attrs, err);
        if (mount < 0) {
                if (sysfs && w->plan->userns && err && err->sys == EPERM)
                        return bind_sys_instead(w, target, err);
                return -1;
        }
        note(w, mount);
        if (known_mode && set_mode(mount, mode, err) < 0)
                return -1;
        if (w->o->tmpcopyup && copy_up(w, target, mount, err) < 0)
                return -1;
        if (strcmp(w->path, "/dev") == 0) {
                cor_fd_close(&w->rootfs->dev);
                w->rootfs->dev = fcntl(mount, F_DUPFD_CLOEXEC, 3);
        }
        if (strcmp(w->path, "/dev/pts") == 0 && cor_streq(w->m->type, "devpts"))
                w->rootfs->devpts = fcntl(mount, F_DUPFD_CLOEXEC, 3);
        if (attrs != w->o->attrs.set && keep_for_later(w->rootfs, mount, err) < 0)
                return -1;
        if (w->o->attrs.propagation) {
                struct mount_attrs propagation = { .propagation = w->o->attrs.propagation };

                if (mount_change(mount, &propagation, false, err) < 0)
                        return -1;
        }
        return mount_change(mount, &w->o->recursive, true, err);
}

/* "remount": change the mount that is at the destination already */
static int remount(const struct mount_work *w, struct cor_err *err)
{
        auto_fd fd = cor_root_open(w->rootfs->root, w->path, O_PATH, 0, err);

        if (fd < 0)
                return -1;
        if (mount_is_root(fd) == 0)
                return cor_fail(err, COR_INVALID, "remount: nothing is mounted at %s", w->path);
        return change_attrs(w, fd, err);
}

static int dispatch(const struct mount_work *w, struct cor_err *err)
{
        if (w->o->remount)
                return remount(w, err);
        if (is_bind(w)) {
                if (!w->m->source && w->pm->tree < 0)
                        return cor_fail(err, COR_INVALID, "source: required for a bind mount");
                return mount_bind(w, err);
        }
        if (!w->m->type)
                return cor_fail(err, COR_INVALID, "type: required unless bind or rbind is among the options");
        if (strcmp(w->m->type, "cgroup") == 0 || strcmp(w->m->type, "cgroup2") == 0) {
                auto_fd target = open_target(w, false, err);

                if (target < 0 || check_proc_target(w, target, err) < 0)
                        return -1;
                return rootfs_mount_cgroup(w->plan, w->rootfs, w->m, w->o, target, err);
        }
        return mount_filesystem(w, err);
}

int rootfs_mount(const struct plan *p, struct rootfs *r, size_t index, struct cor_err *err)
{
        auto_str path = cor_path_clean(p->config->mounts[index].destination);
        struct mount_work w = {
                .plan = p,
                .rootfs = r,
                .m = &p->config->mounts[index],
                .o = &p->mounts[index].options,
                .pm = &p->mounts[index],
                .path = path,
        };

        if (strcmp(path, "/") == 0 && !w.o->remount)
                return cor_fail(err, COR_INVALID, "destination: the root itself cannot be mounted over");
        return dispatch(&w, err);
}

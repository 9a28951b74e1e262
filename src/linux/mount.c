#include "linux/mount.h"

#include "base/alloc.h"
#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

enum { FD_PATH_SIZE = 32, OPTION_MAX = 256, FLAG_NOSYMFOLLOW = 0x2000 /* statfs(2): ST_NOSYMFOLLOW */ };

static const struct {
        uint64_t attr;
        unsigned long flag;
} attr_flags[] = {
        { MOUNT_ATTR_RDONLY, MS_RDONLY },         { MOUNT_ATTR_NOSUID, MS_NOSUID },
        { MOUNT_ATTR_NODEV, MS_NODEV },           { MOUNT_ATTR_NOEXEC, MS_NOEXEC },
        { MOUNT_ATTR_NODIRATIME, MS_NODIRATIME }, { MOUNT_ATTR_NOSYMFOLLOW, MS_NOSYMFOLLOW },
};

unsigned long mount_flags_of_attrs(uint64_t attrs)
{
        unsigned long flags = 0;

        for (size_t i = 0; i < COR_COUNT(attr_flags); i++)
                if (attrs & attr_flags[i].attr)
                        flags |= attr_flags[i].flag;
        if ((attrs & MOUNT_ATTR__ATIME) == MOUNT_ATTR_NOATIME)
                flags |= MS_NOATIME;
        else if ((attrs & MOUNT_ATTR__ATIME) == MOUNT_ATTR_STRICTATIME)
                flags |= MS_STRICTATIME;
        return flags;
}

static uint64_t attrs_of_statfs(unsigned long f_flags)
{
        /* statfs() reports ST_ flags, whose low bits equal those of MS_ except for the atime ones */
        uint64_t attrs = 0;

        if (f_flags & ST_RDONLY)
                attrs |= MOUNT_ATTR_RDONLY;
        if (f_flags & ST_NOSUID)
                attrs |= MOUNT_ATTR_NOSUID;
        if (f_flags & ST_NODEV)
                attrs |= MOUNT_ATTR_NODEV;
        if (f_flags & ST_NOEXEC)
                attrs |= MOUNT_ATTR_NOEXEC;
        if (f_flags & ST_NODIRATIME)
                attrs |= MOUNT_ATTR_NODIRATIME;
        if (f_flags & FLAG_NOSYMFOLLOW)
                attrs |= MOUNT_ATTR_NOSYMFOLLOW;
        if (f_flags & ST_NOATIME)
                attrs |= MOUNT_ATTR_NOATIME;
        else if (!(f_flags & ST_RELATIME))
                attrs |= MOUNT_ATTR_STRICTATIME;
        return attrs;
}

int mount_attrs_get(int fd, uint64_t *ret, struct cor_err *err)
{
        struct statfs st;

        if (fstatfs(fd, &st) < 0)
                return cor_fail_errno(err, "look at a mount");
        *ret = attrs_of_statfs((unsigned long)st.f_flags);
        return 0;
}

static const char *fd_path(int fd, char buf[FD_PATH_SIZE])
{
        snprintf(buf, FD_PATH_SIZE, "/proc/self/fd/%d", fd);
        return buf;
}

int mount_clone(int dirfd, const char *path, bool recursive, bool nofollow, struct cor_err *err)
{
        unsigned flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_NO_AUTOMOUNT;
        int fd;

        if (recursive)
                flags |= AT_RECURSIVE;
        if (nofollow)
                flags |= AT_SYMLINK_NOFOLLOW;
        if (path[0] == '\0')
                flags |= AT_EMPTY_PATH;
        fd = open_tree(dirfd, path, flags);
        return fd >= 0 ? fd : cor_fail_errno(err, "clone the mount at %s", path[0] ? path : "a descriptor");
}

/* The kernel's own words about why a filesystem context refused something. */
static int fail_fs(int fs, const char *fstype, const char *what, struct cor_err *err)
{
        int sys = errno;
        char why[256];
        ssize_t n = read(fs, why, sizeof why - 1);

        errno = sys;
        if (n <= 2)
                return cor_fail_errno(err, "mount %s: %s", fstype, what);
        why[n] = '\0';
        why[strcspn(why, "\n")] = '\0';
        return cor_fail_errno(err, "mount %s: %s: %s", fstype, what, why + 2);
}

static int fs_option(int fs, const char *fstype, char *option, struct cor_err *err)
{
        char *value = strchr(option, '=');
        int r;

        if (value)
                *value++ = '\0';
        r = value ? fsconfig(fs, FSCONFIG_SET_STRING, option, value, 0)
                  : fsconfig(fs, FSCONFIG_SET_FLAG, option, NULL, 0);
        return r < 0 ? fail_fs(fs, fstype, option, err) : 0;
}

static int fs_options(int fs, const char *fstype, const char *data, struct cor_err *err)
{
        char option[OPTION_MAX];

        while (data && *data) {
                size_t n = strcspn(data, ",");

                if (n >= sizeof option) /* fsconfig() takes values up to 255 bytes only */
                        return cor_fail(err, COR_UNSUPPORTED, "mount %s: option too long", fstype);
                memcpy(option, data, n);
                option[n] = '\0';
                if (n > 0 && fs_option(fs, fstype, option, err) < 0)
                        return -1;
                data += n + (data[n] == ',');
        }
        return 0;
}

static int fs_sb_flags(int fs, const char *fstype, unsigned long flags, struct cor_err *err)
{
        static const struct {
                unsigned long flag;
                char word[12];
        } words[] = { { MS_RDONLY, "ro" },
                      { MS_SYNCHRONOUS, "sync" },
                      { MS_DIRSYNC, "dirsync" },
                      { 1 << 25, "lazytime" },
                      { MS_MANDLOCK, "mand" } };

        for (size_t i = 0; i < COR_COUNT(words); i++) {
                char word[12];

                memcpy(word, words[i].word, sizeof word);
                if ((flags & words[i].flag) && fs_option(fs, fstype, word, err) < 0)
                        return -1;
        }
        return 0;
}

int mount_new(const char *fstype, const char *source, const char *data, unsigned long sb_flags, uint64_t attrs,
              struct cor_err *err)
{
        auto_fd fs = -1;
        int fd;

        if (strcmp(fstype, "overlay") == 0) /* lists of directories in one option, longer than fsconfig() takes */
                return cor_fail(err, COR_UNSUPPORTED, "mount %s: not made detached", fstype);
        fs = fsopen(fstype, FSOPEN_CLOEXEC);
        if (fs < 0)
                return cor_fail_errno(err, "mount %s", fstype);
        if (source && source[0] && fsconfig(fs, FSCONFIG_SET_STRING, "source", source, 0) < 0)
                return fail_fs(fs, fstype, "source", err);
        if (fs_sb_flags(fs, fstype, sb_flags, err) < 0 || fs_options(fs, fstype, data, err) < 0)
                return -1;
        if (fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
                return fail_fs(fs, fstype, "create", err);
        fd = fsmount(fs, FSMOUNT_CLOEXEC, (unsigned)attrs);
        return fd >= 0 ? fd : fail_fs(fs, fstype, "attach", err);
}

int mount_new_at(int target, const char *fstype, const char *source, const char *data, unsigned long sb_flags,
                 uint64_t attrs, struct cor_err *err)
{
        char path[FD_PATH_SIZE];
        int fd;

        if (mount(source && source[0] ? source : fstype, fd_path(target, path), fstype,
                  sb_flags | mount_flags_of_attrs(attrs), data) < 0)
                return cor_fail_errno(err, "mount %s", fstype);
        /* @target is what lies beneath; a walk of its own magic link ends on top */
        fd = open(path, O_PATH | O_CLOEXEC);
        return fd >= 0 ? fd : cor_fail_errno(err, "open the new %s mount", fstype);
}

int mount_attach(int mnt, int target, struct cor_err *err)
{
        if (move_mount(mnt, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
                return cor_fail_errno(err, "attach a mount");
        return 0;
}

int mount_attach_at(int mnt, int dirfd, const char *name, struct cor_err *err)
{
        if (move_mount(mnt, "", dirfd, name, MOVE_MOUNT_F_EMPTY_PATH) < 0)
                return cor_fail_errno(err, "attach a mount at %s", name);
        return 0;
}

/* Kernels before 5.12: an attached mount is changed by way of its path in procfs, its other flags being kept. */
static int change_by_remount(int mnt, const struct mount_attrs *a, bool recursive, struct cor_err *err)
{
        char path[FD_PATH_SIZE];
        unsigned long flags;
        uint64_t attrs;

        fd_path(mnt, path);
        if (a->set | a->clear) {
                if (mount_attrs_get(mnt, &attrs, err) < 0)
                        return -1;
                attrs = (attrs & ~a->clear) | a->set;
                flags = mount_flags_of_attrs(attrs);
                if ((attrs & MOUNT_ATTR__ATIME) == MOUNT_ATTR_RELATIME) /* without a word it stays as it is */
                        flags |= MS_RELATIME;
                if (mount(NULL, path, NULL, MS_REMOUNT | MS_BIND | flags, NULL) < 0)
                        return cor_fail_errno(err, "change a mount");
        }
        if (a->propagation && mount(NULL, path, NULL, a->propagation | (recursive ? MS_REC : 0), NULL) < 0)
                return cor_fail_errno(err, "change the propagation of a mount");
        return 0;
}

int mount_change(int mnt, const struct mount_attrs *a, bool recursive, struct cor_err *err)
{
        struct mount_attr attr = {
                .attr_set = a->set,
                .attr_clr = a->clear,
                .propagation = a->propagation,
        };

        if (!(a->set | a->clear | a->propagation))
                return 0;
        if (mount_setattr(mnt, "", AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0), &attr, sizeof attr) == 0)
                return 0;
        if (errno != ENOSYS)
                return cor_fail_errno(err, "change a mount");
        if (recursive && (a->set | a->clear))
                return cor_fail(err, COR_UNSUPPORTED, "recursive mount attributes need Linux 5.12 (mount_setattr)");
        return change_by_remount(mnt, a, recursive, err);
}

int mount_idmap(int mnt, int userns, bool recursive, struct cor_err *err)
{
        struct mount_attr attr = { .attr_set = MOUNT_ATTR_IDMAP, .userns_fd = (uint64_t)userns };

        if (mount_setattr(mnt, "", AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0), &attr, sizeof attr) == 0)
                return 0;
        if (errno == ENOSYS)
                return cor_fail(err, COR_UNSUPPORTED, "idmapped mounts need Linux 5.12 (mount_setattr)");
        if (errno == EINVAL)
                return cor_fail_errno(err, "idmap a mount (does its filesystem support id mapping?)");
        return cor_fail_errno(err, "idmap a mount");
}

int mount_is_root(int fd)
{
        struct statx st;

        if (statx(fd, "", AT_EMPTY_PATH | AT_NO_AUTOMOUNT, 0, &st) < 0 ||
            !(st.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT))
                return -1;
        return (st.stx_attributes & STATX_ATTR_MOUNT_ROOT) ? 1 : 0;
}

int mount_propagation(const char *path, unsigned long flags, struct cor_err *err)
{
        if (mount(NULL, path, NULL, flags, NULL) < 0)
                return cor_fail_errno(err, "set the mount propagation of %s", path);
        return 0;
}

uint64_t mount_id(int fd)
{
        struct statx st;

        if (statx(fd, "", AT_EMPTY_PATH | AT_NO_AUTOMOUNT, STATX_MNT_ID, &st) < 0 || !(st.stx_mask & STATX_MNT_ID))
                return 0;
        return st.stx_mnt_id;
}

bool mount_is_same(int a, int b)
{
        uint64_t id = mount_id(a);

        return id != 0 && id == mount_id(b);
}

#include "linux/mount_internal.h"

#include "base/alloc.h"
#include "base/fd.h"
#include "linux/statx.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
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

int mount_is_root(int fd)
{
        struct file_look look;

        if (file_look(fd, AT_EMPTY_PATH | AT_NO_AUTOMOUNT, 0, &look) < 0 ||
            !(look.attributes_mask & LOOK_IS_MOUNT_ROOT))
                return -1;
        return (look.attributes & LOOK_IS_MOUNT_ROOT) ? 1 : 0;
}

uint64_t mount_id(int fd)
{
        struct file_look look;

        if (file_look(fd, AT_EMPTY_PATH | AT_NO_AUTOMOUNT, LOOK_MOUNT_ID, &look) < 0 || !(look.mask & LOOK_MOUNT_ID))
                return 0;
        return look.mount_id;
}

bool mount_is_same(int a, int b)
{
        uint64_t id = mount_id(a);

        return id != 0 && id == mount_id(b);
}

/* --- without open_tree() ------------------------------------------------------------------------------------------ */

enum { FDS_MAX = 1024 };

static struct {
        int procfs; /* whose links may be used, or -1 */
        enum { UNKNOWN, THERE, REFUSED } open_tree;
        uint8_t recursive[FDS_MAX]; /* what mount_clone() was asked for, by descriptor */
} by_path = { .procfs = -1 };

static int links = -1;

void mount_by_path(int procfs)
{
        by_path.procfs = links = procfs;
}

void mount_links(int procfs)
{
        links = procfs;
}

int mount_procfs(void)
{
        return links;
}

/* Asked for nothing that needs a right, open_tree() can only work. */
bool mount_api_is_refused(void)
{
        auto_fd fd = -1;

        if (by_path.open_tree == UNKNOWN) {
                fd = open_tree(AT_FDCWD, "/", OPEN_TREE_CLOEXEC);
                by_path.open_tree = fd < 0 && (errno == ENOSYS || errno == EPERM) ? REFUSED : THERE;
        }
        return by_path.open_tree == REFUSED;
}

static bool uses_paths(void)
{
        return by_path.procfs >= 0 && by_path.open_tree == REFUSED;
}

/* What is to be cloned, as it is. */
static int open_source(int dirfd, const char *path, bool recursive, bool nofollow, struct cor_err *err)
{
        auto_fd fd = path[0] ? openat(dirfd, path, O_PATH | O_CLOEXEC | (nofollow ? O_NOFOLLOW : 0))
                             : fcntl(dirfd, F_DUPFD_CLOEXEC, 3);

        if (fd < 0)
                return cor_fail_errno(err, "open %s", path[0] ? path : "a mount");
        if (fd >= FDS_MAX)
                return cor_fail(err, COR_UNSUPPORTED, "too many open files to mount without open_tree()");
        by_path.recursive[fd] = recursive;
        return cor_fd_take(&fd);
}

/* The path of @target, which has to lead there: a link of procfs leads to what lies beneath a mount, a path on top. */
static int path_of(int target, char text[PATH_MAX], struct cor_err *err)
{
        char link[FD_PATH_SIZE];
        auto_fd again = -1;
        ssize_t n;

        snprintf(link, sizeof link, "self/fd/%d", target);
        n = readlinkat(by_path.procfs, link, text, PATH_MAX);
        if (n <= 0 || n == PATH_MAX)
                return cor_fail_errno(err, "the path of a place for a mount");
        text[n] = '\0';
        again = open(text, O_PATH | O_NOFOLLOW | O_CLOEXEC);
        if (again < 0)
                return cor_fail_errno(err, "open %s", text);
        return mount_is_same(again, target) ? 0 : cor_fail(err, COR_DENIED, "%s: leads elsewhere by now", text);
}

/* What was just mounted there: the root of a mount that was not there before. */
static int open_top(const char *text, int target, struct cor_err *err)
{
        auto_fd top = open(text, O_PATH | O_NOFOLLOW | O_CLOEXEC);

        if (top < 0)
                return cor_fail_errno(err, "open %s", text);
        if (mount_is_root(top) == 0 || mount_is_same(top, target))
                return cor_fail(err, COR_DENIED, "%s: leads elsewhere by now", text);
        return cor_fd_take(&top);
}

/* mount(2) knows paths only; links of a procfs that we can trust lead to the descriptors. */
static int mount_fds(int from, const char *source, int target, const char *fstype, unsigned long flags,
                     const char *data)
{
        char from_link[FD_PATH_SIZE], place[FD_PATH_SIZE];
        auto_fd here = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
        int r;

        snprintf(from_link, sizeof from_link, "self/fd/%d", from);
        snprintf(place, sizeof place, "self/fd/%d", target);
        if (here < 0 || fchdir(by_path.procfs) < 0)
                return -1;
        r = mount(from >= 0 ? from_link : source, place, fstype, flags, data);
        return fchdir(here) < 0 ? -1 : r;
}

/* Afterwards @mnt is the new mount's root, as move_mount() has it. */
static int attach_by_path(int mnt, int target, struct cor_err *err)
{
        unsigned long flags = MS_BIND | (mnt < FDS_MAX && by_path.recursive[mnt] ? MS_REC : 0);
        char text[PATH_MAX];
        auto_fd top = -1;

        if (path_of(target, text, err) < 0)
                return -1;
        if (mount_fds(mnt, NULL, target, NULL, flags, NULL) < 0)
                return cor_fail_errno(err, "bind a mount");
        top = open_top(text, target, err);
        if (top < 0)
                return -1;
        return dup3(top, mnt, O_CLOEXEC) < 0 ? cor_fail_errno(err, "duplicate a descriptor") : 0;
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
        fd = uses_paths() ? -1 : open_tree(dirfd, path, flags);
        if (fd >= 0)
                return fd;
        if (uses_paths() || ((errno == ENOSYS || errno == EPERM) && mount_api_is_refused())) {
                if (by_path.procfs >= 0)
                        return open_source(dirfd, path, recursive, nofollow, err);
                cor_fail_refused(err, "open_tree", "5.2");
                return cor_wrap(err, "clone the mount at %s", path[0] ? path : "a descriptor");
        }
        return cor_fail_errno(err, "clone the mount at %s", path[0] ? path : "a descriptor");
}

int mount_fail_fs(int fs, const char *fstype, const char *what, struct cor_err *err)
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
        return r < 0 ? mount_fail_fs(fs, fstype, option, err) : 0;
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
        fs = uses_paths() ? -1 : fsopen(fstype, FSOPEN_CLOEXEC);
        if (fs < 0 && (uses_paths() || errno == ENOSYS || errno == EPERM)) /* mount(2) will tell the truth */
                return cor_fail(err, COR_UNSUPPORTED, "mount %s: fsopen() is refused", fstype);
        if (fs < 0)
                return cor_fail_errno(err, "mount %s", fstype);
        if (source && source[0] && fsconfig(fs, FSCONFIG_SET_STRING, "source", source, 0) < 0)
                return mount_fail_fs(fs, fstype, "source", err);
        if (fs_sb_flags(fs, fstype, sb_flags, err) < 0 || fs_options(fs, fstype, data, err) < 0)
                return -1;
        if (fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
                return mount_fail_fs(fs, fstype, "create", err);
        fd = fsmount(fs, FSMOUNT_CLOEXEC, (unsigned)attrs);
        return fd >= 0 ? fd : mount_fail_fs(fs, fstype, "attach", err);
}

int mount_new_at(int target, const char *fstype, const char *source, const char *data, unsigned long sb_flags,
                 uint64_t attrs, struct cor_err *err)
{
        /* read-only is to be this mount, not the file system: that may be another's, too */
        const struct mount_attrs readonly = { .set = attrs & MOUNT_ATTR_RDONLY };
        unsigned long flags = sb_flags | mount_flags_of_attrs(attrs & ~readonly.set);
        char text[PATH_MAX], place[FD_PATH_SIZE];
        auto_fd top = -1;
        int r;

        if (by_path.procfs < 0 && strcmp(fstype, "overlay") == 0)
                return cor_fail(err, COR_UNSUPPORTED, "mount overlay: not possible here");
        if (by_path.procfs < 0) {
                cor_fail_refused(err, "fsopen", "5.2");
                return cor_wrap(err, "mount %s", fstype);
        }
        if (path_of(target, text, err) < 0)
                return -1;
        source = source && source[0] ? source : fstype;
        if (strcmp(fstype, "overlay") == 0) /* its folders may be relative to where we are */
                r = mount(source, fd_path(target, place), fstype, flags, data);
        else
                r = mount_fds(-1, source, target, fstype, flags, data);
        if (r < 0)
                return cor_fail_errno(err, "mount %s", fstype);
        top = open_top(text, target, err);
        return top < 0 || mount_change(top, &readonly, false, err) < 0 ? -1 : cor_fd_take(&top);
}

int mount_new_on(int target, const char *fstype, const char *source, const char *data, unsigned long sb_flags,
                 uint64_t attrs, struct cor_err *err)
{
        struct cor_err why = { 0 };
        auto_fd fd = mount_new(fstype, source, data, sb_flags, attrs, &why);

        if (fd >= 0)
                return mount_attach(fd, target, err) < 0 ? -1 : cor_fd_take(&fd);
        if (why.kind == COR_UNSUPPORTED)
                return mount_new_at(target, fstype, source, data, sb_flags, attrs, err);
        if (err)
                *err = why;
        return -1;
}

int mount_attach(int mnt, int target, struct cor_err *err)
{
        if (uses_paths())
                return attach_by_path(mnt, target, err);
        if (move_mount(mnt, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) == 0)
                return 0;
        return errno == ENOSYS ? cor_fail_refused(err, "move_mount", "5.2") : cor_fail_errno(err, "attach a mount");
}

int mount_attach_at(int mnt, int dirfd, const char *name, struct cor_err *err)
{
        if (uses_paths()) {
                auto_fd target = openat(dirfd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);

                return target < 0 ? cor_fail_errno(err, "open %s", name) : attach_by_path(mnt, target, err);
        }
        if (move_mount(mnt, "", dirfd, name, MOVE_MOUNT_F_EMPTY_PATH) == 0)
                return 0;
        return errno == ENOSYS ? cor_fail_refused(err, "move_mount", "5.2")
                               : cor_fail_errno(err, "attach a mount at %s", name);
}

int mount_propagation(const char *path, unsigned long flags, struct cor_err *err)
{
        if (mount(NULL, path, NULL, flags, NULL) < 0)
                return cor_fail_errno(err, "set the mount propagation of %s", path);
        return 0;
}

void mount_unescape(char *s)
{
        char *to = s;

        for (; *s; s++) {
                bool escape = s[0] == '\\' && s[1] >= '0' && s[1] <= '3' && s[2] >= '0' && s[2] <= '7' && s[3] >= '0' &&
                              s[3] <= '7';

                *to++ = escape ? (char)((s[1] - '0') << 6 | (s[2] - '0') << 3 | (s[3] - '0')) : *s;
                if (escape)
                        s += 3;
        }
        *to = '\0';
}

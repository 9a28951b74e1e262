#include "linux/procfs.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/text.h"
#include "linux/mount.h"

enum { PROC_ROOT_INO = 1 };

int procfs_check(int fd, struct cor_err *err)
{
        struct statfs fs;
        struct stat st;

        if (fstatfs(fd, &fs) < 0 || fstat(fd, &st) < 0)
                return cor_fail_errno(err, "look at /proc");
        if (fs.f_type != PROC_SUPER_MAGIC)
                return cor_fail(err, COR_INVALID, "/proc is not a procfs (filesystem type %#lx)",
                                (unsigned long)fs.f_type);
        if (st.st_ino != PROC_ROOT_INO)
                return cor_fail(err, COR_INVALID, "/proc is a folder of a procfs, not its root");
        return 0;
}

/* In the procfs of another pid namespace our children's numbers are those of strangers, and `self` is not there. */
static bool shows_us(int fd)
{
        char target[24] = { 0 }, pid[24];

        snprintf(pid, sizeof pid, "%d", getpid());
        return readlinkat(fd, "self", target, sizeof target - 1) > 0 && strcmp(target, pid) == 0;
}

int procfs_open(struct cor_err *err)
{
        auto_fd fd = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);

        if (fd < 0)
                return cor_fail_errno(err, "open /proc");
        if (procfs_check(fd, err) < 0)
                return -1;
        if (!shows_us(fd)) {
                cor_fd_close(&fd);
                fd = procfs_new(err);
                if (fd < 0)
                        return cor_wrap(err, "/proc shows another pid namespace");
        }
        return cor_fd_take(&fd);
}

int procfs_new(struct cor_err *err)
{
        auto_fd fs = (int)syscall(SYS_fsopen, "proc", FSOPEN_CLOEXEC);
        int fd;

        if (fs < 0 && errno == ENOSYS)
                return cor_fail_refused(err, "fsopen", "5.2");
        if (fs < 0 || syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
                return cor_fail_errno(err, "make a procfs");
        fd = (int)syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
        return fd >= 0 ? fd : cor_fail_errno(err, "mount a procfs");
}

static int same_mount(int fd, int procfs)
{
        if (mount_is_same(fd, procfs))
                return 0;
        errno = mount_id(procfs) ? EXDEV : ENOSYS; /* without statx(2) nobody can say */
        return -1;
}

/* `self`, `thread-self` and `mounts` at the top are links to names below: what is to be walked, or NULL and errno. */
static char *follow_first(int procfs, const char *path)
{
        size_t n_first = strcspn(path, "/");
        auto_str first = cor_strndup(path, n_first);
        char target[64];
        ssize_t n = readlinkat(procfs, first, target, sizeof target);

        if (n < 0)
                return errno == EINVAL ? cor_strdup(path) : NULL;
        if (n == 0 || (size_t)n == sizeof target || target[0] == '/') { /* not one of those */
                errno = ELOOP;
                return NULL;
        }
        return cor_printf("%.*s%s", (int)n, target, path + n_first);
}

/* Without openat2(2): name by name, following nothing more, and never onto something that is mounted there. */
static int walk(int procfs, const char *path, int flags)
{
        auto_fd dir = fcntl(procfs, F_DUPFD_CLOEXEC, 3);
        auto_str names = follow_first(procfs, path);
        char *cursor = names, *name;

        if (!names)
                return -1;
        while (dir >= 0 && (name = cor_split_next(&cursor, '/')) != NULL) {
                auto_fd next = openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);

                if (next < 0 || same_mount(next, procfs) < 0)
                        return -1;
                if (!cursor && (flags & O_PATH) && !(flags & O_DIRECTORY))
                        return cor_fd_take(&next);
                if (!cursor) {
                        cor_fd_close(&next);
                        next = openat(dir, name, flags | O_NOFOLLOW | O_CLOEXEC);
                        return next < 0 || same_mount(next, procfs) < 0 ? -1 : cor_fd_take(&next);
                }
                cor_fd_close(&dir);
                dir = cor_fd_take(&next);
        }
        return -1;
}

int procfs_file(int procfs, const char *path, int flags, struct cor_err *err)
{
        struct open_how how = {
                .flags = (uint64_t)(flags | O_CLOEXEC | O_NOCTTY),
                .resolve = RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS,
        };
        int tries = 32, fd;

        if (flags & O_PATH)
                how.flags &= ~(uint64_t)O_NOCTTY;
        do /* EAGAIN: a rename raced with the walk */
                fd = (int)syscall(SYS_openat2, procfs, path, &how, sizeof how);
        while (fd < 0 && (errno == EINTR || (errno == EAGAIN && --tries > 0)));

        if (fd < 0 && (errno == ENOSYS || errno == EPERM))
                fd = walk(procfs, path, (int)how.flags);
        if (fd < 0 && errno == EXDEV)
                return cor_fail(err, COR_INVALID, "/proc/%s: something is mounted over it", path);
        return fd >= 0 ? fd : cor_fail_errno(err, "open /proc/%s", path);
}

int procfs_write(int procfs, const char *path, const char *text, struct cor_err *err)
{
        auto_fd fd = procfs_file(procfs, path, O_WRONLY, err);
        size_t len = strlen(text);
        ssize_t n;

        if (fd < 0)
                return -1;
        do
                n = write(fd, text, len);
        while (n < 0 && errno == EINTR);
        if (n < 0)
                return cor_fail_errno(err, "write to /proc/%s", path);
        if ((size_t)n != len)
                return cor_fail(err, COR_SYSTEM, "write to /proc/%s: only %zd of %zu bytes were taken", path, n, len);
        return 0;
}

#include "linux/namespace.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "base/fd.h"
#include "linux/procfs.h"

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif

const struct namespace_type namespace_types[] = {
        { CLONE_NEWUSER, "user", "user", "user" },
        { CLONE_NEWCGROUP, "cgroup", "cgroup", "cgroup" },
        { CLONE_NEWIPC, "ipc", "ipc", "ipc" },
        { CLONE_NEWUTS, "uts", "uts", "uts" },
        { CLONE_NEWNET, "network", "net", "net" },
        { CLONE_NEWPID, "pid", "pid", "pid_for_children" },
        { CLONE_NEWTIME, "time", "time", "time_for_children" },
        { CLONE_NEWNS, "mount", "mnt", "mnt" },
        { 0, NULL, NULL, NULL },
};

const struct namespace_type *namespace_type_of(int flag)
{
        for (const struct namespace_type *t = namespace_types; t->name; t++)
                if (t->flag == flag)
                        return t;
        return NULL;
}

static const char *name_of(int flag)
{
        const struct namespace_type *t = namespace_type_of(flag);

        return t ? t->name : "unknown";
}

const char *namespace_words(int flags, char *buf, size_t size)
{
        size_t len = 0;

        if (size)
                buf[0] = '\0';
        for (const struct namespace_type *t = namespace_types; t->name && len < size; t++)
                if (flags & t->flag)
                        len += (size_t)snprintf(buf + len, size - len, "%s%s", len ? ", " : "", t->name);
        return buf;
}

int namespace_check(int fd, int flag, const char *what, struct cor_err *err)
{
        struct statfs fs;
        int type;

        if (fstatfs(fd, &fs) < 0)
                return cor_fail_errno(err, "look at %s namespace %s", name_of(flag), what);
        if (fs.f_type != NSFS_MAGIC)
                return cor_fail(err, COR_INVALID, "%s is not a namespace, expected a %s namespace", what,
                                name_of(flag));
        type = ioctl(fd, NS_GET_NSTYPE);
        if (type < 0)
                return cor_fail_errno(err, "ask for the type of namespace %s", what);
        if (type != flag)
                return cor_fail(err, COR_INVALID, "%s is a %s namespace, expected a %s namespace", what, name_of(type),
                                name_of(flag));
        return 0;
}

int namespace_open(const char *path, int flag, struct cor_err *err)
{
        /* O_NONBLOCK: a fifo in its place must not hold us up */
        auto_fd fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

        if (fd < 0)
                return cor_fail_errno(err, "open %s namespace %s", name_of(flag), path);
        if (namespace_check(fd, flag, path, err) < 0)
                return -1;
        return cor_fd_take(&fd);
}

int namespace_open_pid(int procfs, pid_t pid, int flag, struct cor_err *err)
{
        const struct namespace_type *t = namespace_type_of(flag);
        char dir[32], what[64];
        auto_fd dirfd = -1;
        auto_fd fd = -1;

        if (!t)
                return cor_fail(err, COR_INVALID, "unknown namespace type %#x", (unsigned)flag);
        if (pid)
                snprintf(dir, sizeof dir, "%d/ns", pid);
        else
                snprintf(dir, sizeof dir, "thread-self/ns");
        snprintf(what, sizeof what, "/proc/%s/%s", dir, t->proc);
        dirfd = procfs_file(procfs, dir, O_PATH | O_DIRECTORY, err);
        if (dirfd < 0)
                return -1;
        fd = openat(dirfd, t->proc, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return cor_fail_errno(err, "open %s", what);
        if (namespace_check(fd, flag, what, err) < 0)
                return -1;
        return cor_fd_take(&fd);
}

int namespace_same(int a, int b, struct cor_err *err)
{
        struct stat x, y;

        if (fstat(a, &x) < 0 || fstat(b, &y) < 0)
                return cor_fail_errno(err, "compare namespaces");
        return x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

int namespace_is_ours(int procfs, int fd, int flag, struct cor_err *err)
{
        auto_fd ours = namespace_open_pid(procfs, 0, flag, err);

        return ours < 0 ? -1 : namespace_same(fd, ours, err);
}

int namespace_enter(int fd, int flag, struct cor_err *err)
{
        return setns(fd, flag) < 0 ? cor_fail_errno(err, "enter the %s namespace", name_of(flag)) : 0;
}

int namespace_enter_pidfd(int pidfd, int flags, struct cor_err *err)
{
        char words[96];

        if (setns(pidfd, flags) == 0)
                return 0;
        if (errno == EINVAL) /* what kernels say that do not know pidfds here */
                errno = EOPNOTSUPP;
        return cor_fail_errno(err, "enter the namespaces %s of a process", namespace_words(flags, words, sizeof words));
}

int namespace_unshare(int flags, struct cor_err *err)
{
        char words[96];

        if (unshare(flags) == 0)
                return 0;
        return cor_fail_errno(err, "make new namespaces (%s)", namespace_words(flags, words, sizeof words));
}

int namespace_write_offsets(int procfs, const struct oci_time_offset *offsets, size_t n_offsets, struct cor_err *err)
{
        char text[160];
        int len = 0;

        if (n_offsets == 0)
                return 0;
        for (size_t i = 0; i < n_offsets; i++) {
                const struct oci_time_offset *o = &offsets[i];

                if (!cor_streq(o->clock, "monotonic") && !cor_streq(o->clock, "boottime"))
                        return cor_fail(err, COR_INVALID,
                                        "linux.timeOffsets: unknown clock %s, expected monotonic or boottime",
                                        o->clock);
                len += snprintf(text + len, sizeof text - (size_t)len, "%s %lld %u\n", o->clock, (long long)o->secs,
                                o->nanosecs);
                if (len < 0 || (size_t)len >= sizeof text)
                        return cor_fail(err, COR_INVALID, "linux.timeOffsets: the same clock is given more than once");
        }
        if (procfs_write(procfs, "self/timens_offsets", text, err) < 0)
                return cor_wrap(err, "linux.timeOffsets");
        return 0;
}

/*
 * A mount of another process's mount namespace, as a detached one. Only who is in that namespace may clone it, so a
 * child goes there and clones; a detached mount can then be attached anywhere.
 */
#include "linux/mount_internal.h"

#include "base/fd.h"
#include "base/file.h"
#include "base/process.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sched.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Whoever lives there may have put links on the way: none is followed. */
static int open_there(const char *path, struct cor_err *err)
{
        struct open_how how = { .flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS };
        int fd = (int)syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof how);
        auto_fd root = -1;

        if (fd >= 0 || (errno != ENOSYS && errno != EPERM))
                return fd >= 0 ? fd : cor_fail_errno(err, "%s", path);
        root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
        path += strspn(path, "/");
        return root < 0 ? cor_fail_errno(err, "open /") : cor_own_open(root, *path ? path : ".", O_PATH, 0, err);
}

struct there {
        int ns;
        const char *path;
        bool recursive;
};

static int clone_there(void *context, struct cor_err *err)
{
        const struct there *there = context;
        auto_fd fd = -1;

        if (setns(there->ns, CLONE_NEWNS) < 0)
                return cor_fail_errno(err, "enter the mount namespace");
        fd = open_there(there->path, err);
        return fd < 0 ? -1 : mount_clone(fd, "", there->recursive, false, err);
}

/* "/proc/PID/root/PATH": *ret_path is "/PATH". */
static bool split(const char *path, char **ret_ns, const char **ret_path)
{
        const char *digits = cor_starts_with(path, "/proc/") ? path + strlen("/proc/") : "";
        size_t n = strspn(digits, "0123456789");

        if (n == 0 || n > 10 || !cor_starts_with(digits + n, "/root/"))
                return false;
        *ret_ns = cor_printf("/proc/%.*s/ns/mnt", (int)n, digits);
        *ret_path = digits + n + strlen("/root");
        return true;
}

bool mount_is_elsewhere(const char *path)
{
        auto_str ns = NULL;
        struct stat theirs, ours;
        const char *rest;

        return split(path, &ns, &rest) && stat(ns, &theirs) == 0 && stat("/proc/self/ns/mnt", &ours) == 0 &&
               (theirs.st_ino != ours.st_ino || theirs.st_dev != ours.st_dev);
}

int mount_clone_elsewhere(const char *path, bool recursive, struct cor_err *err)
{
        struct there there = { .recursive = recursive };
        auto_str ns_path = NULL;
        auto_fd ns = -1;
        int fd;

        if (!split(path, &ns_path, &there.path))
                return cor_fail(err, COR_INVALID, "%s: expected /proc/PID/root/PATH", path);
        ns = open(ns_path, O_RDONLY | O_CLOEXEC);
        if (ns < 0)
                return cor_fail_errno(err, "%s", ns_path);
        there.ns = ns;
        fd = cor_child_fd(clone_there, &there, err);
        return fd >= 0 ? fd : cor_wrap(err, "clone the mount at %s", path);
}

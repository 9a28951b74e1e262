/*
 * A mount of another process's mount namespace, as a detached one. Only who is in that namespace may clone it, so a
 * child goes there, clones, and hands the descriptor back; a detached mount can then be attached anywhere.
 *
 *      caller                      child
 *      fork
 *                                  setns(the namespace), open_tree(OPEN_TREE_CLONE)
 *                       ◄────────  its struct cor_err, and with COR_OK the descriptor
 */
#include "linux/mount.h"

#include "base/fd.h"
#include "base/file.h"
#include "base/process.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { CHILD_TIMEOUT_MS = 10000 };

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

static int clone_there(int ns, const char *path, bool recursive, struct cor_err *err)
{
        auto_fd fd = -1;

        if (setns(ns, CLONE_NEWNS) < 0)
                return cor_fail_errno(err, "enter the mount namespace");
        fd = open_there(path, err);
        return fd < 0 ? -1 : mount_clone(fd, "", recursive, false, err);
}

static _Noreturn void child_run(int sock, pid_t caller, int ns, const char *path, bool recursive)
{
        struct cor_err err = { 0 };
        int fd = -1;

        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() == caller)
                fd = clone_there(ns, path, recursive, &err);
        if (fd >= 0) {
                cor_err_clear(&err);
                (void)!cor_send_fd(sock, fd, &err, sizeof err, NULL);
        } else {
                (void)!write(sock, &err, sizeof err);
        }
        _exit(0);
}

static int hear(int sock, struct cor_err *err)
{
        struct cor_err told = { 0 };
        int fd;

        if (cor_wait_readable(sock, CHILD_TIMEOUT_MS, err) <= 0)
                return cor_fail(err, COR_TIMEOUT, "the helper process does not answer");
        fd = cor_recv_fd(sock, &told, sizeof told, NULL, err);
        if (fd >= 0)
                return fd;
        if (told.kind != COR_OK && err) /* no descriptor, but the reason */
                *err = told;
        return -1;
}

static int clone_by_child(int ns, const char *path, bool recursive, struct cor_err *err)
{
        pid_t caller = getpid(), child;
        int sock[2], fd;

        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sock) < 0)
                return cor_fail_errno(err, "socket pair");
        child = fork();
        if (child == 0)
                child_run(sock[1], caller, ns, path, recursive);
        close(sock[1]);
        fd = child < 0 ? cor_fail_errno(err, "fork") : hear(sock[0], err);
        close(sock[0]);
        if (child > 0) {
                (void)kill(child, SIGKILL);
                cor_child_wait(child, CHILD_TIMEOUT_MS, NULL);
        }
        return fd;
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
        auto_str ns_path = NULL;
        auto_fd ns = -1;
        const char *rest;
        int fd;

        if (!split(path, &ns_path, &rest))
                return cor_fail(err, COR_INVALID, "%s: expected /proc/PID/root/PATH", path);
        ns = open(ns_path, O_RDONLY | O_CLOEXEC);
        if (ns < 0)
                return cor_fail_errno(err, "%s", ns_path);
        fd = clone_by_child(ns, rest, recursive, err);
        return fd >= 0 ? fd : cor_wrap(err, "clone the mount at %s", path);
}

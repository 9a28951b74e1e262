/*
 * Mounts that are made in another mount namespace than the caller's, by a child that goes there and hands a descriptor
 * back.
 *
 *      caller                      child
 *      fork
 *                                  make()
 *                       <--------  its struct cor_err, and with COR_OK the descriptor
 */
#include "linux/mount_internal.h"

#include "base/fd.h"
#include "base/process.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CHILD_TIMEOUT_MS = 10000 };

typedef int make_fn(void *context, struct cor_err *err);

static _Noreturn void child_run(int sock, pid_t caller, make_fn *make, void *context)
{
        struct cor_err err = { 0 };
        int fd = -1;

        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() == caller)
                fd = make(context, &err);
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

int mount_by_child(make_fn *make, void *context, struct cor_err *err)
{
        pid_t caller = getpid(), child;
        int sock[2], fd;

        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sock) < 0)
                return cor_fail_errno(err, "socket pair");
        child = fork();
        if (child == 0)
                child_run(sock[1], caller, make, context);
        close(sock[1]);
        fd = child < 0 ? cor_fail_errno(err, "fork") : hear(sock[0], err);
        close(sock[0]);
        if (child > 0) {
                (void)kill(child, SIGKILL);
                cor_child_wait(child, CHILD_TIMEOUT_MS, NULL);
        }
        return fd;
}

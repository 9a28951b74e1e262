/* A child that goes where its caller cannot come back from, and hands back a descriptor that it got there. */
#include "base/fd.h"
#include "base/process.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum { RESULT_MS = 60 * 1000 };

int cor_send_result(int sock, int fd, const struct cor_err *why, struct cor_err *err)
{
        const struct cor_err none = { .kind = COR_OK };

        if (fd >= 0)
                return cor_send_fd(sock, fd, &none, sizeof none, err);
        if (send(sock, why, sizeof *why, MSG_NOSIGNAL) != (ssize_t)sizeof *why)
                return cor_fail_errno(err, "send an error");
        return 0;
}

int cor_recv_result(int sock, struct cor_err *err)
{
        struct cor_err told = { .kind = COR_OK };
        int ready = cor_wait_readable(sock, RESULT_MS, err), fd;

        if (ready <= 0)
                return ready < 0 ? -1 : cor_fail(err, COR_TIMEOUT, "the helper process does not answer");
        fd = cor_recv_fd(sock, &told, sizeof told, NULL, err);
        if (fd >= 0)
                return fd;
        if (told.kind == COR_OK)
                return cor_fail(err, COR_SYSTEM, "the helper process died");
        told.msg[sizeof told.msg - 1] = '\0';
        if (err)
                *err = told;
        return -1;
}

struct making {
        int (*make)(void *context, struct cor_err *err);
        void *context;
        pid_t caller;
};

static void serve(void *context, int sock)
{
        const struct making *m = context;
        struct cor_err why = { 0 };
        int fd;

        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != m->caller)
                _exit(1);
        fd = m->make(m->context, &why);
        _exit(cor_send_result(sock, fd, &why, NULL) < 0 ? 1 : 0);
}

int cor_child_fd(int (*make)(void *context, struct cor_err *err), void *context, struct cor_err *err)
{
        struct making m = { make, context, getpid() };
        auto_fd sock = -1;
        pid_t pid;
        int fd;

        sock = cor_child_serve(serve, &m, &pid, err);
        if (sock < 0)
                return -1;
        fd = cor_recv_result(sock, err);
        if (fd < 0)
                (void)kill(pid, SIGKILL);
        (void)cor_child_wait(pid, RESULT_MS, NULL);
        return fd;
}

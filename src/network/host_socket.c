#include "network/host_socket.h"

#include "base/fd.h"
#include "base/process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ANSWER_MS = 30 * 1000, OWN_SOCKET = 3 };

struct question {
        int protocol;
        struct forward_address at;
};

static int answer(int sock, const struct question *q)
{
        struct cor_err err = { 0 };
        auto_fd fd = forward_listen(q->protocol, &q->at, &err);

        return cor_send_result(sock, fd, &err, NULL);
}

/* What the parent has open is not for us to keep open. */
static void serve(void *context, int sock)
{
        struct question q;

        (void)context;
        if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || dup2(sock, OWN_SOCKET) < 0 ||
            cor_fds_close(OWN_SOCKET + 1, ~0U, NULL) < 0)
                _exit(1);
        while (cor_recv(OWN_SOCKET, &q, sizeof q, 0) == sizeof q && answer(OWN_SOCKET, &q) == 0)
                ;
        _exit(0);
}

int host_sockets_start(struct host_sockets *h, struct cor_err *err)
{
        if (h->sock < 0)
                h->sock = cor_child_serve(serve, NULL, &h->pid, err);
        return h->sock < 0 ? -1 : 0;
}

void host_sockets_end(struct host_sockets *h)
{
        if (h->sock < 0)
                return;
        cor_fd_close(&h->sock);
        (void)cor_child_wait(h->pid, ANSWER_MS, NULL);
}

int host_sockets_listen(const struct host_sockets *h, int protocol, const struct forward_address *at,
                        struct cor_err *err)
{
        const struct question q = { .protocol = protocol, .at = *at };

        if (!h || h->sock < 0)
                return forward_listen(protocol, at, err);
        if (send(h->sock, &q, sizeof q, MSG_NOSIGNAL) != sizeof q)
                return cor_fail_errno(err, "ask for a socket of the host");
        return cor_recv_result(h->sock, err);
}

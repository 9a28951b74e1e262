#include "runtime/message.h"

#include "base/fd.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

struct packet {
        struct message head;
        struct cor_err error; /* of ERROR only */
};

int message_pair(int *ret_parent, int *ret_child, struct cor_err *err)
{
        int sv[2];

        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sv) < 0)
                return cor_fail_errno(err, "make a socket pair");
        *ret_parent = sv[0];
        *ret_child = sv[1];
        return 0;
}

int message_send(int sock, enum message_type type, int value, struct cor_err *err)
{
        struct message m = { .type = type, .value = value };

        /* write(), not send(): a seccomp filter may be in force already, see SECCOMP */
        if (write(sock, &m, sizeof m) != sizeof m)
                return cor_fail_errno(err, "send a message to the other process");
        return 0;
}

int message_send_fd(int sock, enum message_type type, int fd, struct cor_err *err)
{
        struct message m = { .type = type };

        return cor_send_fd(sock, fd, &m, sizeof m, err);
}

void message_send_error(int sock, const struct cor_err *error)
{
        struct packet p = { .head.type = MSG_ERROR, .error = *error };

        (void)!write(sock, &p, sizeof p);
}

/* The one descriptor that may come along, or -1. */
static int attached_fd(struct msghdr *msg)
{
        int fd = -1;

        for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
                if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
                        continue;
                cor_fd_close(&fd);
                memcpy(&fd, CMSG_DATA(c), sizeof fd);
        }
        return fd;
}

int message_receive(int sock, struct message *ret, int *ret_fd, struct cor_err *err)
{
        union {
                struct cmsghdr align;
                char bytes[CMSG_SPACE(sizeof(int))];
        } control;
        struct packet p = { 0 };
        struct iovec iov = { .iov_base = &p, .iov_len = sizeof p };
        struct msghdr msg = {
                .msg_iov = &iov,
                .msg_iovlen = 1,
                .msg_control = &control,
                .msg_controllen = sizeof control,
        };
        auto_fd fd = -1;
        ssize_t n = cor_recvmsg(sock, &msg, MSG_CMSG_CLOEXEC);

        if (n < 0)
                return cor_fail_errno(err, "receive a message from the other process");
        if (n > 0)
                fd = attached_fd(&msg);
        if (n <= 0) {
                p.head.type = MSG_EOF;
        } else if ((size_t)n < sizeof p.head || (p.head.type == MSG_ERROR && (size_t)n < sizeof p)) {
                return cor_fail(err, COR_SYSTEM, "a message of %zd bytes from the other process", n);
        } else if (p.head.type == MSG_ERROR) {
                p.error.msg[sizeof p.error.msg - 1] = '\0';
                if (err)
                        *err = p.error;
                return -1;
        }
        *ret = p.head;
        if (ret_fd)
                *ret_fd = cor_fd_take(&fd);
        return 0;
}

int message_expect(int sock, enum message_type type, struct cor_err *err)
{
        struct message m;

        if (message_receive(sock, &m, NULL, err) < 0)
                return -1;
        if (m.type == MSG_EOF)
                return cor_fail(err, COR_SYSTEM, "the other process ended unexpectedly");
        if (m.type != (int)type)
                return cor_fail(err, COR_SYSTEM, "message %d from the other process, expected %d", m.type, type);
        return 0;
}

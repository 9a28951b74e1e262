#include "monitor/protocol.h"

#include "base/fd.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

/* What a packet has to carry at least; of no type: -1. */
static ssize_t least_content(int type)
{
        switch (type) {
        case MONITOR_ATTACH:
                return sizeof(struct monitor_attach);
        case MONITOR_RESIZE:
                return sizeof(struct monitor_size);
        case MONITOR_STOP:
        case MONITOR_RESTART:
        case MONITOR_KILL:
                return sizeof(struct monitor_stop);
        case MONITOR_EXEC:
                return sizeof(struct monitor_exec);
        case MONITOR_EXIT:
                return sizeof(struct monitor_exit);
        case MONITOR_ERROR:
                return sizeof(struct cor_err);
        case MONITOR_START:
        case MONITOR_STDIN:
        case MONITOR_STDIN_END:
        case MONITOR_PAUSE:
        case MONITOR_RESUME:
        case MONITOR_UPDATE:
        case MONITOR_WAIT:
        case MONITOR_TAKE:
        case MONITOR_DETACH:
        case MONITOR_SHUT_DOWN:
        case MONITOR_NETWORKS:
        case MONITOR_STARTED:
        case MONITOR_STDOUT:
        case MONITOR_STDERR:
        case MONITOR_STOPPED:
        case MONITOR_DONE:
                return 0;
        default:
                return -1;
        }
}

int monitor_send(int sock, enum monitor_packet type, const void *content, size_t n, struct cor_err *err)
{
        uint8_t head = (uint8_t)type;
        struct iovec parts[2] = {
                { .iov_base = &head, .iov_len = 1 },
                { .iov_base = (void *)(uintptr_t)content, .iov_len = n },
        };
        struct msghdr m = { .msg_iov = parts, .msg_iovlen = n ? 2 : 1 };
        ssize_t sent;

        if (n > MONITOR_PACKET_MAX - 1)
                return cor_fail(err, COR_INVALID, "a packet of %zu bytes is too long", n);
        do
                sent = sendmsg(sock, &m, MSG_NOSIGNAL);
        while (sent < 0 && errno == EINTR);
        if (sent >= 0)
                return 0;
        if (errno == EAGAIN)
                return cor_fail(err, COR_BUSY, "the other side does not read");
        cor_fail_errno(err, "send to the other side");
        if (err && (err->sys == EPIPE || err->sys == ECONNRESET))
                err->kind = COR_NOT_FOUND;
        return -1;
}

int monitor_send_start(int sock, int root, struct cor_err *err)
{
        const uint8_t type = MONITOR_START;

        return cor_send_fd(sock, root, &type, sizeof type, err);
}

int monitor_send_exec(int sock, const struct monitor_exec *x, int process, struct cor_err *err)
{
        char text[1 + sizeof *x] = { MONITOR_EXEC };

        memcpy(text + 1, x, sizeof *x);
        return cor_send_fd(sock, process, text, sizeof text, err);
}

/* The descriptor that came along, if any; one that nobody expects is closed. */
static void take_fd(struct msghdr *m, int *ret_fd)
{
        for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
                int fd;

                if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
                        continue;
                for (size_t at = 0; CMSG_LEN(at + sizeof fd) <= c->cmsg_len; at += sizeof fd) {
                        memcpy(&fd, CMSG_DATA(c) + at, sizeof fd);
                        if (ret_fd && *ret_fd < 0)
                                *ret_fd = fd;
                        else
                                cor_fd_close(&fd);
                }
        }
}

static ssize_t receive(int sock, char *buf, int *ret_fd)
{
        char control[CMSG_SPACE(sizeof(int))];
        struct iovec part = { .iov_base = buf, .iov_len = MONITOR_PACKET_MAX };
        struct msghdr m = { .msg_iov = &part, .msg_iovlen = 1 };
        ssize_t n;

        if (!ret_fd) /* nothing is received that there is no room for */
                return cor_recv(sock, buf, MONITOR_PACKET_MAX, MSG_TRUNC);
        m.msg_control = control;
        m.msg_controllen = sizeof control;
        n = cor_recvmsg(sock, &m, MSG_TRUNC | MSG_CMSG_CLOEXEC);
        if (n >= 0)
                take_fd(&m, ret_fd);
        return n;
}

int monitor_receive(int sock, char *buf, size_t *ret_n, struct cor_err *err)
{
        return monitor_receive_fd(sock, buf, ret_n, NULL, err);
}

int monitor_receive_fd(int sock, char *buf, size_t *ret_n, int *ret_fd, struct cor_err *err)
{
        ssize_t n = receive(sock, buf, ret_fd), least;
        int type;

        if (n < 0 && errno == EAGAIN)
                return cor_fail(err, COR_BUSY, "nothing to receive yet");
        if (n < 0)
                return cor_fail_errno(err, "receive from the other side");
        if (n <= 0)
                return 0;
        if (n > MONITOR_PACKET_MAX)
                return cor_fail(err, COR_INVALID, "a packet of %zd bytes is too long", n);
        type = (uint8_t)buf[0];
        least = least_content(type);
        if (least < 0 || n - 1 < least)
                return cor_fail(err, COR_INVALID, "packet %d of %zd bytes: %s", type, n,
                                least < 0 ? "not known" : "too short");
        if (type == MONITOR_ERROR) /* its text comes from another process */
                buf[1 + offsetof(struct cor_err, msg) + sizeof((struct cor_err *)NULL)->msg - 1] = '\0';
        *ret_n = (size_t)n - 1;
        return type;
}

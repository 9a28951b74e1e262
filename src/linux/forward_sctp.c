/*
 * Messages of SCTP. Its header is not in every C library's include folder, and of its interface two structs are needed,
 * which are part of the kernel's ABI (linux/sctp.h).
 */
#include "linux/forward_internal.h"

#include <errno.h>
#include <linux/sctp.h>
#include <netinet/in.h>
#include <string.h>

void forward_sctp_prepare(int fd)
{
        const int on = 1;

        (void)setsockopt(fd, IPPROTO_SCTP, SCTP_RECVRCVINFO, &on, sizeof on);
        (void)setsockopt(fd, IPPROTO_SCTP, SCTP_NODELAY, &on, sizeof on);
}

static void read_info(struct msghdr *h, struct forward_message *m)
{
        struct sctp_rcvinfo info;

        for (struct cmsghdr *c = CMSG_FIRSTHDR(h); c; c = CMSG_NXTHDR(h, c)) {
                if (c->cmsg_level != IPPROTO_SCTP || c->cmsg_type != SCTP_RCVINFO ||
                    c->cmsg_len < CMSG_LEN(sizeof info))
                        continue;
                memcpy(&info, CMSG_DATA(c), sizeof info);
                m->stream = info.rcv_sid;
                m->ppid = info.rcv_ppid;
                m->flags = info.rcv_flags & SCTP_UNORDERED;
        }
}

int forward_sctp_read(int fd, struct forward_message *m)
{
        char control[CMSG_SPACE(sizeof(struct sctp_rcvinfo)) * 2];
        struct iovec iov = { m->bytes, sizeof m->bytes };
        struct msghdr h = {
                .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control
        };
        ssize_t n;

        do
                n = recvmsg(fd, &h, 0);
        while (n < 0 && errno == EINTR);
        if (n < 0)
                return errno == EAGAIN ? 0 : -1;
        if (n == 0)
                return 2;
        m->n = (size_t)n;
        m->sent = 0;
        m->stream = 0;
        m->ppid = m->flags = 0;
        read_info(&h, m);
        return 1;
}

int forward_sctp_write(int fd, struct forward_message *m)
{
        union {
                struct cmsghdr head;
                char bytes[CMSG_SPACE(sizeof(struct sctp_sndinfo))];
        } control = { .bytes = { 0 } };
        const struct sctp_sndinfo info = { .snd_sid = m->stream, .snd_flags = (__u16)m->flags, .snd_ppid = m->ppid };
        struct iovec iov = { m->bytes + m->sent, m->n - m->sent };
        struct msghdr h = {
                .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control.bytes
        };
        ssize_t n;

        control.head.cmsg_level = IPPROTO_SCTP;
        control.head.cmsg_type = SCTP_SNDINFO;
        control.head.cmsg_len = CMSG_LEN(sizeof info);
        memcpy(CMSG_DATA(&control.head), &info, sizeof info);
        do
                n = sendmsg(fd, &h, MSG_NOSIGNAL);
        while (n < 0 && errno == EINTR);
        if (n < 0)
                return errno == EAGAIN ? 0 : -1;
        m->sent += (size_t)n;
        if (m->sent >= m->n)
                m->n = 0;
        return 1;
}

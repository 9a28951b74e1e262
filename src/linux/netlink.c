#include "linux/netlink.h"

#include <errno.h>
#include <linux/netlink.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"

enum {
        ANSWER_MAX_BYTES = 32768, /* what the kernel puts into one datagram of a dump at most */
        ANSWER_TIMEOUT_MS = 10000,
        ERRNO_MAX = 4095,
        BATCH_FIRST_BYTES = 4096,
        SEND_SPARE_BYTES = 4096, /* what the kernel counts beside the bytes themselves */
};

static uint32_t last_seq; /* of this process: what is left of an exchange that was given up is told by it */

static size_t align4(size_t n)
{
        return (n + 3) & ~(size_t)3;
}

/* Room for @len bytes at the end of the request, zeroed and padded; NULL if there is none. */
static uint8_t *grow(struct netlink_request *r, size_t len)
{
        uint8_t *p = r->bytes + r->len;

        if (r->overflow || len > sizeof r->bytes || align4(len) > sizeof r->bytes - r->len) {
                r->overflow = true;
                return NULL;
        }
        memset(p, 0, align4(len));
        r->len += align4(len);
        return p;
}

void netlink_begin(struct netlink_request *r, uint16_t type, uint16_t flags, const void *header, size_t header_len)
{
        struct nlmsghdr h = { .nlmsg_type = type, .nlmsg_flags = flags };
        uint8_t *p;

        r->len = 0;
        r->overflow = false;
        memcpy(grow(r, sizeof h), &h, sizeof h);
        p = grow(r, header_len);
        if (p && header_len)
                memcpy(p, header, header_len);
}

void netlink_put(struct netlink_request *r, uint16_t type, const void *data, size_t len)
{
        struct nlattr a = { .nla_len = (uint16_t)(sizeof a + len), .nla_type = type };
        uint8_t *p = len <= UINT16_MAX - sizeof a ? grow(r, sizeof a + len) : NULL;

        if (!p) {
                r->overflow = true;
                return;
        }
        memcpy(p, &a, sizeof a);
        if (len)
                memcpy(p + sizeof a, data, len);
}

void netlink_put_header(struct netlink_request *r, const void *header, size_t len)
{
        uint8_t *p = grow(r, len);

        if (p && len)
                memcpy(p, header, len);
}

void netlink_put_u8(struct netlink_request *r, uint16_t type, uint8_t value)
{
        netlink_put(r, type, &value, sizeof value);
}

void netlink_put_u16(struct netlink_request *r, uint16_t type, uint16_t value)
{
        netlink_put(r, type, &value, sizeof value);
}

void netlink_put_u32(struct netlink_request *r, uint16_t type, uint32_t value)
{
        netlink_put(r, type, &value, sizeof value);
}

void netlink_put_u64(struct netlink_request *r, uint16_t type, uint64_t value)
{
        netlink_put(r, type, &value, sizeof value);
}

void netlink_put_str(struct netlink_request *r, uint16_t type, const char *s)
{
        netlink_put(r, type, s, strlen(s) + 1);
}

size_t netlink_nest(struct netlink_request *r, uint16_t type)
{
        size_t mark = r->len;

        netlink_put(r, type | NLA_F_NESTED, NULL, 0);
        return mark;
}

void netlink_nest_end(struct netlink_request *r, size_t mark)
{
        uint16_t len = (uint16_t)(r->len - mark);

        if (!r->overflow)
                memcpy(r->bytes + mark + offsetof(struct nlattr, nla_len), &len, sizeof len);
}

/* Forward over @len bytes and their padding, which the last item may lack. */
static void advance(struct netlink_cursor *c, size_t len)
{
        size_t step = align4(len) < c->left ? align4(len) : c->left;

        c->p += step;
        c->left -= step;
}

bool netlink_next_message(struct netlink_cursor *c, struct netlink_message *ret)
{
        struct nlmsghdr h;

        if (c->left < sizeof h)
                return false;
        memcpy(&h, c->p, sizeof h);
        if (h.nlmsg_len < sizeof h || h.nlmsg_len > c->left)
                return false;
        *ret = (struct netlink_message){
                .type = h.nlmsg_type,
                .flags = h.nlmsg_flags,
                .seq = h.nlmsg_seq,
                .port = h.nlmsg_pid,
                .body = c->p + sizeof h,
                .len = h.nlmsg_len - sizeof h,
        };
        advance(c, h.nlmsg_len);
        return true;
}

bool netlink_next_attr(struct netlink_cursor *c, struct netlink_attr *ret)
{
        struct nlattr a;

        if (c->left < sizeof a)
                return false;
        memcpy(&a, c->p, sizeof a);
        if (a.nla_len < sizeof a || a.nla_len > c->left)
                return false;
        *ret = (struct netlink_attr){
                .type = a.nla_type & NLA_TYPE_MASK,
                .data = c->p + sizeof a,
                .len = a.nla_len - sizeof a,
        };
        advance(c, a.nla_len);
        return true;
}

bool netlink_header(const struct netlink_message *m, void *header, size_t len, struct netlink_cursor *c)
{
        struct netlink_cursor body = { m->body, m->len };

        if (m->len < len)
                return false;
        memcpy(header, m->body, len);
        advance(&body, len);
        *c = body;
        return true;
}

uint8_t netlink_u8(const struct netlink_attr *a, uint8_t otherwise)
{
        return a->len >= 1 ? a->data[0] : otherwise;
}

uint16_t netlink_u16(const struct netlink_attr *a, uint16_t otherwise)
{
        if (a->len >= sizeof otherwise)
                memcpy(&otherwise, a->data, sizeof otherwise);
        return otherwise;
}

uint32_t netlink_u32(const struct netlink_attr *a, uint32_t otherwise)
{
        if (a->len >= sizeof otherwise)
                memcpy(&otherwise, a->data, sizeof otherwise);
        return otherwise;
}

uint64_t netlink_u64(const struct netlink_attr *a, uint64_t otherwise)
{
        if (a->len >= sizeof otherwise)
                memcpy(&otherwise, a->data, sizeof otherwise);
        return otherwise;
}

const char *netlink_str(const struct netlink_attr *a)
{
        return a->len > 0 && memchr(a->data, '\0', a->len) ? (const char *)a->data : NULL;
}

bool netlink_read_ack(const struct netlink_message *m, struct netlink_ack *ret)
{
        struct netlink_cursor c = { m->body, m->len };
        struct netlink_attr a;
        struct nlmsghdr about;
        int32_t code;

        if (m->type != NLMSG_ERROR && m->type != NLMSG_DONE)
                return false;
        *ret = (struct netlink_ack){ .error = EPROTO };
        if (m->len < sizeof code)
                return true;
        memcpy(&code, m->body, sizeof code);
        if (code <= 0 && code >= -ERRNO_MAX)
                ret->error = -code;

        advance(&c, sizeof code);
        if (m->type == NLMSG_ERROR) { /* the header of the request comes first, and its body unless that was cut off */
                if (c.left < sizeof about)
                        return true;
                memcpy(&about, c.p, sizeof about);
                advance(&c, m->flags & NLM_F_CAPPED || about.nlmsg_len < sizeof about ? sizeof about : about.nlmsg_len);
        }
        while (m->flags & NLM_F_ACK_TLVS && netlink_next_attr(&c, &a))
                if (a.type == NLMSGERR_ATTR_MSG && netlink_str(&a))
                        strncpy(ret->text, netlink_str(&a), sizeof ret->text - 1);
        return true;
}

int netlink_open(int protocol, struct cor_err *err)
{
        static const int options[] = { NETLINK_EXT_ACK, NETLINK_CAP_ACK, NETLINK_GET_STRICT_CHK };
        auto_fd fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
        const int on = 1;

        if (fd < 0 && errno == EPROTONOSUPPORT && protocol == NETLINK_NETFILTER)
                return cor_fail(err, COR_UNSUPPORTED, "this kernel has no nftables");
        if (fd < 0)
                return cor_fail_errno(err, "open a netlink socket");
        for (size_t i = 0; i < COR_COUNT(options); i++) /* better messages and less to read; not needed */
                (void)setsockopt(fd, SOL_NETLINK, options[i], &on, sizeof on);
        return cor_fd_take(&fd);
}

static int send_request(int sock, struct netlink_request *r, uint32_t seq, struct cor_err *err)
{
        struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
        struct nlmsghdr h;
        ssize_t n;

        if (r->overflow)
                return cor_fail(err, COR_INVALID, "netlink request: longer than %d bytes", NETLINK_REQUEST_MAX);
        memcpy(&h, r->bytes, sizeof h);
        h.nlmsg_len = (uint32_t)r->len;
        h.nlmsg_seq = seq;
        h.nlmsg_flags |= NLM_F_REQUEST;
        if ((h.nlmsg_flags & NLM_F_DUMP) != NLM_F_DUMP)
                h.nlmsg_flags |= NLM_F_ACK;
        memcpy(r->bytes, &h, sizeof h);
        do
                n = sendto(sock, r->bytes, r->len, 0, (struct sockaddr *)&kernel, sizeof kernel);
        while (n < 0 && errno == EINTR);
        return n < 0 ? cor_fail_errno(err, "send a netlink request") : 0;
}

/* One datagram of the kernel's; those of other processes are dropped. */
static ssize_t receive(int sock, uint8_t *buf, size_t size, struct cor_err *err)
{
        for (;;) {
                struct sockaddr_nl from = { 0 };
                struct iovec iov = { buf, size };
                struct msghdr msg = { .msg_name = &from, .msg_namelen = sizeof from, .msg_iov = &iov, .msg_iovlen = 1 };
                ssize_t n = recvmsg(sock, &msg, MSG_DONTWAIT);

                if (n < 0 && errno == EAGAIN) {
                        int ready = cor_wait_readable(sock, ANSWER_TIMEOUT_MS, err);

                        if (ready == 0)
                                return cor_fail(err, COR_TIMEOUT, "the kernel did not answer a netlink request");
                        if (ready < 0)
                                return -1;
                        continue;
                }
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return cor_fail_errno(err, "read a netlink answer");
                if (msg.msg_flags & MSG_TRUNC)
                        return cor_fail(err, COR_SYSTEM, "a netlink answer is longer than %zu bytes", size);
                if (from.nl_pid == 0)
                        return n;
        }
}

static int finish(const struct netlink_ack *ack, bool interrupted, struct cor_err *err)
{
        if (ack->error) {
                errno = ack->error;
                return cor_fail_errno(err, "%s", ack->text[0] ? ack->text : "the kernel refused");
        }
        return interrupted ? cor_fail(err, COR_BUSY, "the kernel's list changed while it was read") : 0;
}

int netlink_exchange(int sock, struct netlink_request *r, netlink_fn *fn, void *data, struct cor_err *err)
{
        uint8_t buf[ANSWER_MAX_BYTES] __attribute__((aligned(4)));
        uint32_t seq = ++last_seq;
        bool interrupted = false;

        if (send_request(sock, r, seq, err) < 0)
                return -1;
        for (;;) {
                ssize_t n = receive(sock, buf, sizeof buf, err);
                struct netlink_cursor c = { buf, n > 0 ? (size_t)n : 0 };
                struct netlink_message m;
                struct netlink_ack ack;

                if (n < 0)
                        return -1;
                while (netlink_next_message(&c, &m)) {
                        if (m.seq != seq) /* left from an exchange that was given up */
                                continue;
                        interrupted = interrupted || m.flags & NLM_F_DUMP_INTR;
                        if (netlink_read_ack(&m, &ack))
                                return finish(&ack, interrupted, err);
                        if (m.type >= NLMSG_MIN_TYPE && fn && fn(&m, data, err) < 0)
                                return -1;
                }
        }
}

/* ---------------------------------------------------------------------------------------------------------- batches */

/* Behind what is there; the bytes stay aligned. */
static bool make_room(struct netlink_batch *b, size_t n)
{
        size_t room = b->room ? b->room : BATCH_FIRST_BYTES;

        if (b->overflow || n > NETLINK_BATCH_MAX - b->len)
                return false;
        while (room - b->len < n)
                room *= 2;
        if (room != b->room)
                b->bytes = cor_realloc_array(b->bytes, room, 1);
        b->room = room;
        return true;
}

void netlink_batch_done(struct netlink_batch *b)
{
        free(b->bytes);
        *b = (struct netlink_batch){ .len = 0 };
}

void netlink_batch_add(struct netlink_batch *b, const struct netlink_request *r, bool ack)
{
        struct nlmsghdr h;

        if (r->overflow || !make_room(b, align4(r->len))) {
                b->overflow = true;
                return;
        }
        memcpy(b->bytes + b->len, r->bytes, r->len);
        memcpy(&h, r->bytes, sizeof h);
        h.nlmsg_len = (uint32_t)r->len;
        h.nlmsg_seq = ++last_seq;
        h.nlmsg_flags |= NLM_F_REQUEST;
        memcpy(b->bytes + b->len, &h, sizeof h);
        if (b->len == 0)
                b->first_seq = h.nlmsg_seq;
        b->last = b->len;
        b->len += align4(r->len);
        if (ack)
                netlink_batch_ack_last(b);
}

void netlink_batch_ack_last(struct netlink_batch *b)
{
        struct nlmsghdr h;

        if (b->len == 0)
                return;
        memcpy(&h, b->bytes + b->last, sizeof h);
        h.nlmsg_flags |= NLM_F_ACK;
        b->ack_seq = h.nlmsg_seq;
        memcpy(b->bytes + b->last, &h, sizeof h);
}

/* A batch is one datagram. The limit of a socket is lifted only for those that may. */
static void let_send(int sock, size_t n)
{
        int now = 0, want = (int)(n + SEND_SPARE_BYTES);
        socklen_t len = sizeof now;

        if (getsockopt(sock, SOL_SOCKET, SO_SNDBUF, &now, &len) < 0 || now < want)
                (void)setsockopt(sock, SOL_SOCKET, SO_SNDBUFFORCE, &want, sizeof want);
}

int netlink_exchange_batch(int sock, const struct netlink_batch *b, struct cor_err *err)
{
        struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
        uint8_t buf[ANSWER_MAX_BYTES] __attribute__((aligned(4)));
        ssize_t n;

        if (b->overflow)
                return cor_fail(err, COR_INVALID, "netlink batch: longer than %d bytes", NETLINK_BATCH_MAX);
        let_send(sock, b->len);
        do
                n = sendto(sock, b->bytes, b->len, 0, (struct sockaddr *)&kernel, sizeof kernel);
        while (n < 0 && errno == EINTR);
        if (n < 0)
                return cor_fail_errno(err, "send a netlink batch");
        for (;;) {
                struct netlink_cursor c;
                struct netlink_message m;
                struct netlink_ack ack;

                n = receive(sock, buf, sizeof buf, err);
                if (n < 0)
                        return -1;
                c = (struct netlink_cursor){ buf, (size_t)n };
                while (netlink_next_message(&c, &m))
                        if (m.seq - b->first_seq <= b->ack_seq - b->first_seq && netlink_read_ack(&m, &ack) &&
                            (ack.error || m.seq == b->ack_seq))
                                return finish(&ack, false, err);
        }
}

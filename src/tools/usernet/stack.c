/*
 * libslirp does not wait and has no sockets of its own list that we could ask for: each round it adds those that it
 * wants to wait for, and is told afterwards what happened to them. Frames go in by slirp_input() and come out by
 * send_packet(), also in the midst of slirp_input() and slirp_pollfds_poll().
 */
#include "tools/usernet/stack.h"

#include "base/process.h"
#include "tools/usernet/frame.h"

#include <errno.h>
#include <limits.h>
#include <linux/if_ether.h>
#include <malloc.h>
#include <netinet/in.h>
#include <slirp/libslirp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum {
        CONFIG_VERSION = 3, /* the first that has disable_dns; newer ones have what we have no use for */
        BATCH = 64,         /* frames read per round, before the sockets have their turn */
        SLEEP_MAX = 3600000,
        BUFFERS_FROM = 96 * 1024,
};

struct timer {
        SlirpTimerCb call;
        void *context;
        int64_t due_ms; /* -1: not set */
        struct timer *next;
};

struct stack {
        Slirp *slirp;
        int frames; /* borrowed; -1 as long as nobody is there */
        bool offload;
        struct frame_train *train;
        struct timer *timers;
        struct polls *polls;      /* during stack_prepare() */
        const struct polls *seen; /* during stack_run() */
        size_t frames_at;
        struct sockaddr_in outbound;
        struct sockaddr_in6 outbound6;
        bool bind_udp4, bind_udp6;
        uint8_t in[FRAME_HEADER_BYTES + FRAME_MAX] __attribute__((aligned(8)));
};

const char *stack_version(void)
{
        return slirp_version_string();
}

int stack_config_version(void)
{
        return SLIRP_CONFIG_VERSION_MAX;
}

/* -------------------------------------------------------------------------------------- what libslirp asks us to do */

/* A frame that does not fit into the queue is lost, as on a wire: TCP sends it again, others live with it. */
static void send_frame(void *context, const struct virtio_net_hdr *h, const uint8_t *frame, size_t n)
{
        struct virtio_net_hdr header = *h;
        struct iovec parts[] = { { &header, sizeof header }, { (void *)(uintptr_t)frame, n } };
        const struct stack *s = context;

        (void)!writev(s->frames, parts, COR_COUNT(parts));
}

static ssize_t on_send(const void *frame, size_t n, void *opaque)
{
        struct stack *s = opaque;

        if (s->frames >= 0) {
                if (s->offload)
                        frame_train_add(s->train, frame, n);
                else
                        (void)!write(s->frames, frame, n);
        }
        return (ssize_t)n;
}

static void on_guest_error(const char *msg, void *opaque)
{
        /* The guest could fill a log with these. */
}

static int64_t on_clock(void *opaque)
{
        struct timespec now;

        clock_gettime(CLOCK_MONOTONIC, &now);
        return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void *on_timer_new(SlirpTimerCb call, void *context, void *opaque)
{
        struct stack *s = opaque;
        struct timer *t = cor_alloc(sizeof *t);

        *t = (struct timer){ .call = call, .context = context, .due_ms = -1, .next = s->timers };
        s->timers = t;
        return t;
}

static void on_timer_free(void *timer, void *opaque)
{
        struct stack *s = opaque;

        for (struct timer **t = &s->timers; *t; t = &(*t)->next) {
                if (*t == timer) {
                        *t = (*t)->next;
                        free(timer);
                        return;
                }
        }
}

static void on_timer_mod(void *timer, int64_t due_ms, void *opaque)
{
        ((struct timer *)timer)->due_ms = due_ms;
}

/*
 * Each socket comes by here when it is made. libslirp binds those of TCP to the outbound address, those of UDP it does
 * not always: bound here, before anything is sent. One that is bound already (of a forwarded port) says EINVAL.
 */
static void on_register(int fd, void *opaque)
{
        const struct stack *s = opaque;
        int domain = 0, type = 0;
        socklen_t n = sizeof domain;

        if (!s->bind_udp4 && !s->bind_udp6)
                return;
        if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &n) < 0 ||
            getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &n) < 0)
                return;
        if (type != SOCK_DGRAM)
                return;
        if (domain == AF_INET && s->bind_udp4)
                (void)bind(fd, (const struct sockaddr *)&s->outbound, sizeof s->outbound);
        else if (domain == AF_INET6 && s->bind_udp6)
                (void)bind(fd, (const struct sockaddr *)&s->outbound6, sizeof s->outbound6);
}

static void on_unregister(int fd, void *opaque)
{
}

static void on_notify(void *opaque)
{
        /* For programs with threads: here the next round looks at all sockets anyway. */
}

static const SlirpCb callbacks = {
        .send_packet = on_send,
        .guest_error = on_guest_error,
        .clock_get_ns = on_clock,
        .timer_new = on_timer_new,
        .timer_free = on_timer_free,
        .timer_mod = on_timer_mod,
        .register_poll_fd = on_register,
        .unregister_poll_fd = on_unregister,
        .notify = on_notify,
};

/* ---------------------------------------------------------------------------------------------------- begin and end */

static struct in_addr in_addr_of(struct ip ip)
{
        struct in_addr a;

        memcpy(&a, ip.bytes, sizeof a);
        return a;
}

static struct in6_addr in6_addr_of(uint8_t last)
{
        struct in6_addr a = { .s6_addr = { 0xfd } };

        a.s6_addr[15] = last;
        return a;
}

/*
 * Nothing of the host is offered: no files by TFTP, no emulation of old protocols. What libslirp takes for the MTU
 * decides which frames of IPv6 it refuses: where they come whole, it is the largest. How much it sends at once is said
 * by the guest, with each connection.
 */
static SlirpConfig config_of(const struct usernet_options *o, bool offload, struct stack *s)
{
        size_t mtu = offload ? USERNET_MTU_MAX : o->mtu;
        SlirpConfig c = {
                .version = CONFIG_VERSION,
                .in_enabled = true,
                .vnetwork = in_addr_of(o->network.ip),
                .vnetmask = in_addr_of(ip_mask(4, o->network.bits)),
                .vhost = in_addr_of(target_ip(o, 2)),
                .vdhcp_start = in_addr_of(target_ip(o, 15)),
                .vnameserver = in_addr_of(target_ip(o, 3)),
                .in6_enabled = o->ipv6,
                .vprefix_addr6 = in6_addr_of(0),
                .vprefix_len = 64,
                .vhost6 = in6_addr_of(2),
                .vnameserver6 = in6_addr_of(3),
                .if_mtu = mtu,
                .if_mru = mtu,
                .disable_host_loopback = o->disable_host_loopback,
                .disable_dns = o->disable_dns,
        };

        if (o->outbound.len) {
                s->outbound = (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr = in_addr_of(o->outbound) };
                c.outbound_addr = &s->outbound;
                s->bind_udp4 = true;
        }
        if (o->outbound6.len) {
                s->outbound6.sin6_family = AF_INET6;
                memcpy(&s->outbound6.sin6_addr, o->outbound6.bytes, 16);
                c.outbound_addr6 = &s->outbound6;
                s->bind_udp6 = true;
        }
        return c;
}

/*
 * Each connection of libslirp has two buffers of 128 KiB, and stays for a while after its end. Mapped by themselves
 * they take the memory that was written to, and give it back.
 */
static void keep_memory_small(void)
{
#ifdef __GLIBC__
        (void)mallopt(M_MMAP_THRESHOLD, BUFFERS_FROM);
        (void)mallopt(M_MMAP_MAX, INT_MAX);
#endif
}

int stack_new(const struct usernet_options *o, const struct target *t, struct stack **ret, struct cor_err *err)
{
        struct stack *s = cor_alloc(sizeof *s);
        SlirpConfig c = config_of(o, t->offload, s);

        keep_memory_small();
        s->frames = -1;
        s->train = frame_train_new(send_frame, s);
        s->slirp = slirp_new(&c, &callbacks, s);
        if (!s->slirp) {
                stack_free(s);
                return cor_fail(err, COR_SYSTEM, "libslirp refused its settings");
        }
        *ret = s;
        return 0;
}

void stack_attach(struct stack *s, const struct target *t)
{
        s->frames = t->frames;
        s->offload = t->offload;
}

void stack_free(struct stack *s)
{
        if (!s)
                return;
        s->frames = -1;
        if (s->slirp)
                slirp_cleanup(s->slirp);
        while (s->timers)
                on_timer_free(s->timers, s);
        frame_train_free(s->train);
        free(s);
}

/* ---------------------------------------------------------------------------------------------------------- a round */

static int on_add_poll(int fd, int events, void *opaque)
{
        const struct stack *s = opaque;
        int wanted = 0;

        if (events & SLIRP_POLL_IN)
                wanted |= POLLIN;
        if (events & SLIRP_POLL_OUT)
                wanted |= POLLOUT;
        if (events & SLIRP_POLL_PRI)
                wanted |= POLLPRI;
        return (int)polls_add(s->polls, fd, (short)wanted);
}

static int on_get_events(int index, void *opaque)
{
        const struct stack *s = opaque;
        int got, ret = 0;

        if (index < 0 || (size_t)index >= s->seen->n_items)
                return 0;
        got = s->seen->items[index].revents;
        if (got & POLLIN)
                ret |= SLIRP_POLL_IN;
        if (got & POLLOUT)
                ret |= SLIRP_POLL_OUT;
        if (got & POLLPRI)
                ret |= SLIRP_POLL_PRI;
        if (got & POLLERR)
                ret |= SLIRP_POLL_ERR;
        if (got & POLLHUP)
                ret |= SLIRP_POLL_HUP;
        return ret;
}

void stack_prepare(struct stack *s, struct polls *p)
{
        uint32_t sleep_ms = SLEEP_MAX;

        s->frames_at = polls_add(p, s->frames, POLLIN);
        s->polls = p;
        slirp_pollfds_fill(s->slirp, &sleep_ms, on_add_poll, s);
        s->polls = NULL;
        if (sleep_ms < SLEEP_MAX)
                polls_due(p, cor_now_ms() + sleep_ms);
        for (const struct timer *t = s->timers; t; t = t->next)
                if (t->due_ms >= 0)
                        polls_due(p, t->due_ms);
}

static void run_timers(struct stack *s)
{
        int64_t now = cor_now_ms();

        for (struct timer *t = s->timers, *next; t; t = next) {
                next = t->next; /* what is called may set it again */
                if (t->due_ms >= 0 && t->due_ms <= now) {
                        t->due_ms = -1;
                        t->call(t->context);
                }
        }
}

static void take_frame(struct stack *s, size_t n)
{
        uint8_t *frame = s->in;
        struct virtio_net_hdr h;

        if (s->offload) {
                if (n < sizeof h)
                        return;
                memcpy(&h, frame, sizeof h);
                frame += sizeof h;
                n -= sizeof h;
                if (!frame_complete(&h, frame, n))
                        return;
        }
        if (n >= ETH_HLEN)
                slirp_input(s->slirp, frame, (int)n);
}

static int take_frames(struct stack *s, struct cor_err *err)
{
        for (int i = 0; i < BATCH; i++) {
                ssize_t n = read(s->frames, s->in, sizeof s->in);

                if (n > 0)
                        take_frame(s, (size_t)n);
                else if (n < 0 && (errno == EAGAIN || errno == EINTR))
                        return 0;
                else if (n == 0 || errno == EBADFD || errno == ECONNRESET || errno == ENODEV)
                        return 1;
                else
                        return cor_fail_errno(err, "read a frame");
        }
        return 0;
}

int stack_run(struct stack *s, const struct polls *p, struct cor_err *err)
{
        int ret = p->items[s->frames_at].revents ? take_frames(s, err) : 0;

        s->seen = p;
        slirp_pollfds_poll(s->slirp, 0, on_get_events, s);
        s->seen = NULL;
        run_timers(s);
        frame_train_flush(s->train);
        return ret;
}

/* ------------------------------------------------------------------------------------------------------------ ports */

static socklen_t address_of(const struct ip *ip, uint16_t port, struct sockaddr_storage *ret)
{
        struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(port) };
        struct sockaddr_in6 a6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };

        memset(ret, 0, sizeof *ret);
        if (ip_is_4(ip)) {
                a.sin_addr = in_addr_of(*ip);
                memcpy(ret, &a, sizeof a);
                return sizeof a;
        }
        memcpy(&a6.sin6_addr, ip->bytes, 16);
        memcpy(ret, &a6, sizeof a6);
        return sizeof a6;
}

/* [::] is of IPv6 alone: 0.0.0.0 is a port of its own. */
static int flags_of(const struct stack_forward *f)
{
        return (f->udp ? SLIRP_HOSTFWD_UDP : 0) | (ip_is_4(&f->host) ? 0 : SLIRP_HOSTFWD_V6ONLY);
}

int stack_forward_add(struct stack *s, const struct stack_forward *f, struct cor_err *err)
{
        struct sockaddr_storage host, guest;
        socklen_t host_n = address_of(&f->host, f->host_port, &host);
        socklen_t guest_n = address_of(&f->guest, f->guest_port, &guest);

        errno = 0;
        if (slirp_add_hostxfwd(s->slirp, (struct sockaddr *)&host, host_n, (struct sockaddr *)&guest, guest_n,
                               flags_of(f)) == 0)
                return 0;
        return errno ? cor_fail_errno(err, "slirp_add_hostfwd failed")
                     : cor_fail(err, COR_SYSTEM, "slirp_add_hostfwd failed");
}

int stack_forward_remove(struct stack *s, const struct stack_forward *f, struct cor_err *err)
{
        struct sockaddr_storage host;
        socklen_t n = address_of(&f->host, f->host_port, &host);

        if (slirp_remove_hostxfwd(s->slirp, (struct sockaddr *)&host, n, flags_of(f)) == 0)
                return 0;
        return cor_fail(err, COR_SYSTEM, "slirp_remove_hostfwd failed");
}

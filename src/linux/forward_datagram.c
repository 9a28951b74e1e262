/*
 * Datagrams. An answer has to come from the address that the question went to, which is not known of a socket that is
 * bound to all of them: it comes with the question (IP_PKTINFO), is kept, and goes along with the answer.
 */
#include "linux/forward_internal.h"

#include "base/alloc.h"

#include <errno.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

enum { DATAGRAMS_A_STEP = 64, CONTROL_BYTES = 128 };

struct forward_association {
        struct forward_item item;
        struct forward_link age;
        struct forward_association *next; /* in its bucket */
        struct forward_port *port;
        struct forward_address client;
        int64_t last_ms;
        size_t control_len;
        char control[CONTROL_BYTES] __attribute__((aligned(8))); /* our address, as sendmsg() wants it */
};

static struct forward_association *of_age(struct forward_link *l)
{
        return (void *)((char *)l - offsetof(struct forward_association, age));
}

void forward_datagram_prepare(int fd)
{
        const int on = 1;

        (void)setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof on);
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof on);
}

/* ----------------------------------------------------------------------------------------------------- associations */

static size_t bucket_of(const struct forward_port *p, const struct forward_address *client)
{
        const uint8_t *bytes = (const uint8_t *)&client->sa;
        uint32_t hash = 2166136261u ^ (uint32_t)p->item.fd; /* FNV-1a */

        for (socklen_t i = 0; i < client->len; i++)
                hash = (hash ^ bytes[i]) * 16777619u;
        return hash % FORWARD_BUCKETS;
}

static void drop(struct forward *f, struct forward_association *a)
{
        struct forward_association **at = &f->buckets[bucket_of(a->port, &a->client)];

        while (*at != a)
                at = &(*at)->next;
        *at = a->next;
        forward_link_remove(&a->age);
        close(a->item.fd);
        f->n_associations--;
        free(a);
}

static struct forward_association *find(struct forward *f, struct forward_port *p, const struct forward_address *client)
{
        if (!f->buckets)
                return NULL;
        for (struct forward_association *a = f->buckets[bucket_of(p, client)]; a; a = a->next)
                if (a->port == p && a->client.len == client->len &&
                    memcmp(&a->client.sa, &client->sa, client->len) == 0)
                        return a;
        return NULL;
}

static struct forward_association *make(struct forward *f, struct forward_port *p, const struct forward_address *client)
{
        int fd = forward_connect(f, p, client);
        struct forward_association *a;
        size_t bucket;

        if (fd < 0)
                return NULL;
        if (!f->buckets)
                f->buckets = cor_alloc(FORWARD_BUCKETS * sizeof(struct forward_association *));
        a = cor_alloc(sizeof *a);
        *a = (struct forward_association){ .item = { FORWARD_ASSOCIATION, fd }, .port = p, .client = *client };
        if (forward_watch(f, &a->item, EPOLLIN) < 0) {
                close(fd);
                free(a);
                return NULL;
        }
        bucket = bucket_of(p, client);
        a->next = f->buckets[bucket];
        f->buckets[bucket] = a;
        forward_link_add(&f->associations, &a->age);
        f->n_associations++;
        return a;
}

/* Heard of just now: the last to go. */
static void touch(struct forward *f, struct forward_association *a)
{
        a->last_ms = f->now;
        forward_link_remove(&a->age);
        forward_link_add(&f->associations, &a->age);
}

/*
 * Events of this round may stand for an association, so that none goes before the end of it: there may be some more of
 * them than FORWARD_UDP_MAX for a moment.
 */
void forward_datagram_expire(struct forward *f)
{
        struct forward_link *next;

        for (struct forward_link *l = f->associations.after; l != &f->associations; l = next) {
                struct forward_association *a = of_age(l);

                next = l->after;
                if (f->n_associations <= FORWARD_UDP_MAX && f->now - a->last_ms < FORWARD_UDP_MS)
                        return;
                drop(f, a);
        }
}

int64_t forward_datagram_due(const struct forward *f)
{
        return forward_link_empty(&f->associations) ? -1 : of_age(f->associations.after)->last_ms + FORWARD_UDP_MS;
}

void forward_datagram_done(struct forward *f)
{
        struct forward_link *next;

        for (struct forward_link *l = f->associations.after; l != &f->associations; l = next) {
                struct forward_association *a = of_age(l);

                next = l->after;
                close(a->item.fd);
                free(a);
        }
        forward_link_init(&f->associations);
        f->n_associations = 0;
        free(f->buckets);
        f->buckets = NULL;
}

/* ------------------------------------------------------------------------------------------------------ there, back */

static size_t put_control(char *control, int level, int type, const void *info, size_t n)
{
        struct cmsghdr c = { .cmsg_len = CMSG_LEN(n), .cmsg_level = level, .cmsg_type = type };

        memset(control, 0, CMSG_SPACE(n));
        memcpy(control, &c, sizeof c);
        memcpy(control + CMSG_LEN(0), info, n);
        return CMSG_SPACE(n);
}

/* Where the question went to is where the answer comes from; by which interface is for the routes to say. */
static void keep_own_address(struct forward_association *a, struct msghdr *h)
{
        a->control_len = 0;
        for (struct cmsghdr *c = CMSG_FIRSTHDR(h); c; c = CMSG_NXTHDR(h, c)) {
                if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
                        struct in_pktinfo got, info = { 0 };

                        memcpy(&got, CMSG_DATA(c), sizeof got);
                        info.ipi_spec_dst = got.ipi_spec_dst;
                        a->control_len = put_control(a->control, IPPROTO_IP, IP_PKTINFO, &info, sizeof info);
                } else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
                        struct in6_pktinfo info;

                        memcpy(&info, CMSG_DATA(c), sizeof info);
                        if (!IN6_IS_ADDR_LINKLOCAL(&info.ipi6_addr))
                                info.ipi6_ifindex = 0;
                        a->control_len = put_control(a->control, IPPROTO_IPV6, IPV6_PKTINFO, &info, sizeof info);
                }
        }
}

void forward_datagram_arrive(struct forward *f, struct forward_port *p)
{
        for (int i = 0; i < DATAGRAMS_A_STEP; i++) {
                char control[CONTROL_BYTES] __attribute__((aligned(8)));
                struct forward_address client = { .len = 0 };
                struct iovec iov = { forward_buffer(f), FORWARD_BUFFER_BYTES };
                struct msghdr h = { .msg_name = &client.sa,
                                    .msg_namelen = sizeof client.sa,
                                    .msg_iov = &iov,
                                    .msg_iovlen = 1,
                                    .msg_control = control,
                                    .msg_controllen = sizeof control };
                ssize_t n = recvmsg(p->item.fd, &h, 0);
                struct forward_association *a;

                if (n < 0 && errno != EAGAIN) /* of an answer that found nobody: the next one may */
                        continue;
                if (n < 0)
                        return;
                client.len = h.msg_namelen;
                a = find(f, p, &client);
                if (!a)
                        a = make(f, p, &client);
                if (!a) { /* dropped, as the network does it */
                        if (errno == EMFILE || errno == ENFILE)
                                forward_lack(f);
                        continue;
                }
                keep_own_address(a, &h);
                touch(f, a);
                (void)!send(a->item.fd, iov.iov_base, (size_t)n, MSG_NOSIGNAL);
        }
}

void forward_datagram_answer(struct forward *f, struct forward_item *item)
{
        struct forward_association *a = (struct forward_association *)item;

        for (int i = 0; i < DATAGRAMS_A_STEP; i++) {
                struct iovec iov = { forward_buffer(f), FORWARD_BUFFER_BYTES };
                struct msghdr h = { .msg_name = &a->client.sa,
                                    .msg_namelen = a->client.len,
                                    .msg_iov = &iov,
                                    .msg_iovlen = 1,
                                    .msg_control = a->control_len ? a->control : NULL,
                                    .msg_controllen = a->control_len };
                ssize_t n = recv(item->fd, iov.iov_base, FORWARD_BUFFER_BYTES, 0);

                if (n < 0 && errno == EAGAIN)
                        return;
                if (n < 0) /* nobody listens there now (ECONNREFUSED) */
                        continue;
                iov.iov_len = (size_t)n;
                touch(f, a);
                (void)!sendmsg(a->port->item.fd, &h, MSG_NOSIGNAL);
        }
}

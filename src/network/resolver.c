#include "base/alloc.h"
#include "base/fd.h"
#include "base/process.h"
#include "linux/netns.h"
#include "linux/nft_rule.h"
#include "network/resolver_internal.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netfilter.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define TABLE "coracle_names"
enum { DNS_PORT = 53, PRIORITY_DNAT = -100, EVENTS = 16, BACKLOG = 16, AT_DESTINATION = 16, AT_PORT = 2, ROUNDS = 8 };

int resolver_watch(struct resolver *r, struct watched *w, uint32_t events)
{
        struct epoll_event e = { .events = events, .data.ptr = w };

        if (epoll_ctl(r->epoll, EPOLL_CTL_MOD, w->fd, &e) == 0)
                return 0;
        return errno == ENOENT ? epoll_ctl(r->epoll, EPOLL_CTL_ADD, w->fd, &e) : -1;
}

/* ---------------------------------------------------------------------------------------------------------- answers */

static void write_out(struct resolver *r, struct connection *c)
{
        while (c->sent < c->n_out) {
                ssize_t n = send(c->w.fd, c->out + c->sent, c->n_out - c->sent, MSG_NOSIGNAL);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0 && errno == EAGAIN) {
                        (void)!resolver_watch(r, &c->w, EPOLLOUT);
                        return;
                }
                if (n < 0) {
                        c->gone = true;
                        return;
                }
                c->sent += (size_t)n;
        }
        free(c->out);
        c->out = NULL;
        c->n_out = c->sent = 0;
        c->busy = false;
        (void)!resolver_watch(r, &c->w, EPOLLIN);
}

void resolver_reply(struct resolver *r, const struct sockaddr_in *from, struct connection *c, const uint8_t *answer,
                    size_t n)
{
        if (!c) { /* who does not take it asks again */
                (void)!sendto(r->udp.fd, answer, n, MSG_DONTWAIT | MSG_NOSIGNAL, (const struct sockaddr *)from,
                              sizeof *from);
                return;
        }
        c->out = cor_alloc(2 + n);
        c->out[0] = (uint8_t)(n >> 8);
        c->out[1] = (uint8_t)n;
        memcpy(c->out + 2, answer, n);
        c->n_out = 2 + n;
        c->until = cor_now_ms() + IDLE_MS;
        write_out(r, c);
}

/*
 * Those of the family that is asked for, another one of them first each time. Most ask for both families one after the
 * other, and so each has a turn of its own.
 */
static void rotate(struct resolver *r, const struct dns_question *q, struct resolver_found *f)
{
        auto_free struct ip *copy = cor_alloc((f->n_ips + 1) * sizeof *copy);
        size_t n = 0, by;

        for (size_t i = 0; i < f->n_ips; i++)
                if (q->type == (ip_is_4(&f->ips[i]) ? DNS_A : DNS_AAAA))
                        copy[n++] = f->ips[i];
        by = n ? r->turn[q->type == DNS_AAAA]++ % n : 0;
        for (size_t i = 0; i < n; i++)
                f->ips[i] = copy[(i + by) % n];
        f->n_ips = n;
}

void resolver_handle(struct resolver *r, const uint8_t *query, size_t n, const struct sockaddr_in *from,
                     struct connection *c)
{
        struct resolver_found found = { .ips = NULL };
        struct dns_answer a = { .code = DNS_OK };
        uint8_t out[DNS_UDP_MAX];
        struct dns_question q;
        int known = 0;

        if (!dns_read_question(query, n, &q, &a.code)) {
                if (c)
                        c->gone = true;
                return;
        }
        if (a.code == DNS_OK && q.class == 1 && q.name[0])
                known = r->source.lookup(r->source.data, &q, &found);
        if (a.code == DNS_OK && known == 0 && resolver_forward(r, &q, query, n, from, c))
                return;
        if (a.code == DNS_OK && known != 1)
                a.code = DNS_SERVER_FAILURE;
        rotate(r, &q, &found);
        a.ips = found.ips;
        a.n_ips = found.n_ips;
        a.name = found.name;
        n = dns_write_answer(query, &q, &a, c ? sizeof out : q.udp_bytes, out);
        free(found.ips);
        free(found.name);
        resolver_reply(r, from, c, out, n);
}

/* ---------------------------------------------------------------------------------------------------------- clients */

static void step_udp(struct resolver *r)
{
        for (int i = 0; i < ROUNDS; i++) {
                uint8_t query[RESOLVER_QUERY_MAX];
                struct sockaddr_in from;
                socklen_t len = sizeof from;
                ssize_t n = recvfrom(r->udp.fd, query, sizeof query, MSG_DONTWAIT, (struct sockaddr *)&from, &len);

                if (n < 0)
                        return;
                resolver_handle(r, query, (size_t)n, &from, NULL);
        }
}

static void step_tcp(struct resolver *r)
{
        int fd = accept4(r->tcp.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        struct connection *c;

        if (fd < 0)
                return;
        if (r->n_connections >= CONNECTIONS_MAX) {
                close(fd);
                return;
        }
        c = cor_alloc(sizeof *c);
        c->w = (struct watched){ .kind = ON_CONNECTION, .fd = fd };
        c->until = cor_now_ms() + IDLE_MS;
        c->next = r->connections;
        r->connections = c;
        r->n_connections++;
        c->gone = resolver_watch(r, &c->w, EPOLLIN) < 0;
}

static void take_query(struct resolver *r, struct connection *c)
{
        size_t len = c->n_in >= 2 ? (size_t)(c->in[0] << 8 | c->in[1]) : 0;
        uint8_t query[RESOLVER_QUERY_MAX];

        if (c->n_in < 2 || (len <= RESOLVER_QUERY_MAX && c->n_in < 2 + len))
                return;
        if (len > RESOLVER_QUERY_MAX) {
                c->gone = true;
                return;
        }
        memcpy(query, c->in + 2, len);
        memmove(c->in, c->in + 2 + len, c->n_in - 2 - len);
        c->n_in -= 2 + len;
        c->busy = true;
        (void)!resolver_watch(r, &c->w, 0); /* until it has its answer */
        resolver_handle(r, query, len, NULL, c);
}

/* One after the other, as far as they have come in. */
static void take_queries(struct resolver *r, struct connection *c)
{
        for (size_t before = SIZE_MAX; !c->busy && !c->gone && c->n_in < before;) {
                before = c->n_in;
                take_query(r, c);
        }
}

static void step_connection(struct resolver *r, struct connection *c, uint32_t events)
{
        ssize_t n;

        if (events & (EPOLLHUP | EPOLLERR))
                c->gone = true;
        if (c->gone)
                return;
        if (c->out)
                write_out(r, c);
        if (!c->busy && events & EPOLLIN) {
                n = recv(c->w.fd, c->in + c->n_in, sizeof c->in - c->n_in, 0);
                if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
                        c->gone = true;
                c->n_in += n > 0 ? (size_t)n : 0;
        }
        take_queries(r, c);
}

static void check_connections(struct resolver *r, int64_t now)
{
        struct connection **at = &r->connections;

        while (*at) {
                struct connection *c = *at;

                if (!c->gone && ((c->busy && !c->out) || now < c->until)) {
                        at = &c->next;
                        continue;
                }
                *at = c->next;
                pending_forget(r, c);
                cor_fd_close(&c->w.fd);
                free(c->out);
                free(c);
                r->n_connections--;
        }
}

void resolver_step(struct resolver *r)
{
        struct epoll_event events[EVENTS];
        int n = epoll_wait(r->epoll, events, EVENTS, 0);
        int64_t now = cor_now_ms();

        for (int i = 0; i < n; i++) {
                struct watched *w = events[i].data.ptr;

                if (w->kind == ON_UDP)
                        step_udp(r);
                else if (w->kind == ON_TCP)
                        step_tcp(r);
                else if (w->kind == ON_CONNECTION)
                        step_connection(r, (void *)w, events[i].events);
                else
                        pending_step(r, (void *)w, events[i].events);
        }
        pending_check(r, now);
        for (struct connection *c = r->connections; c; c = c->next) /* what waited behind one that has its answer */
                take_queries(r, c);
        check_connections(r, now);
}

int resolver_fd(const struct resolver *r)
{
        return r->epoll;
}

int64_t resolver_due(const struct resolver *r)
{
        int64_t at = -1;

        for (const struct pending *p = r->pending; p; p = p->next)
                at = p->done ? 0 : at < 0 || p->until < at ? p->until : at;
        for (const struct connection *c = r->connections; c; c = c->next)
                if ((!c->busy || c->out) && (at < 0 || c->until < at))
                        at = c->until;
        return at;
}

/* ---------------------------------------------------------------------------------------------------------- sockets */

static int listen_at(int type, uint16_t port, uint16_t *ret_port, struct cor_err *err)
{
        struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(port) };
        auto_fd fd = socket(AF_INET, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        socklen_t len = sizeof a;
        const int on = 1;

        (void)!inet_pton(AF_INET, RESOLVER_ADDRESS, &a.sin_addr);
        if (fd >= 0)
                (void)!setsockopt(fd, IPPROTO_IP, IP_FREEBIND, &on, sizeof on); /* lo may not be up yet */
        if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof a) < 0 ||
            (type == SOCK_STREAM && listen(fd, BACKLOG) < 0) || getsockname(fd, (struct sockaddr *)&a, &len) < 0)
                return cor_fail_errno(err, "listen at " RESOLVER_ADDRESS " in the container");
        *ret_port = ntohs(a.sin_port);
        return cor_fd_take(&fd);
}

static void lead(struct nft_change *c, uint8_t protocol, uint16_t to)
{
        const uint16_t from = htons(DNS_PORT), port = htons(to);
        struct in_addr address;
        struct nft_rule r;

        (void)!inet_pton(AF_INET, RESOLVER_ADDRESS, &address);
        nft_rule_begin(&r, c, "output");
        nft_load_payload(&r, NFT_PAYLOAD_NETWORK_HEADER, AT_DESTINATION, sizeof address, NFT_REG32_00);
        nft_compare(&r, NFT_REG32_00, NFT_CMP_EQ, &address, sizeof address);
        nft_match_protocol(&r, protocol);
        nft_load_payload(&r, NFT_PAYLOAD_TRANSPORT_HEADER, AT_PORT, sizeof from, NFT_REG32_00);
        nft_compare(&r, NFT_REG32_00, NFT_CMP_EQ, &from, sizeof from);
        nft_load(&r, &address, sizeof address, NFT_REG32_00);
        nft_load(&r, &port, sizeof port, NFT_REG32_01);
        nft_nat(&r, NFT_NAT_DNAT, NFPROTO_IPV4, NFT_REG32_00, NFT_REG32_01);
        nft_rule_end(&r, c);
}

static int lead_here(uint16_t udp, uint16_t tcp, struct cor_err *err)
{
        auto_fd sock = netlink_open(NETLINK_NETFILTER, err);
        auto_nft_change c = { .family = 0 };

        if (sock < 0)
                return -1;
        nft_change_begin(&c, NFPROTO_IPV4, TABLE);
        nft_add_table(&c);
        nft_add_chain(&c,
                      &(struct nft_chain){
                              .name = "output", .type = "nat", .hook = NF_INET_LOCAL_OUT, .priority = PRIORITY_DNAT });
        nft_flush_chain(&c, "output");
        lead(&c, IPPROTO_UDP, udp);
        lead(&c, IPPROTO_TCP, tcp);
        return nft_change_commit(&c, sock, err);
}

static int open_both(struct resolver *r, uint16_t port, struct cor_err *err)
{
        uint16_t udp, tcp;

        cor_fd_close(&r->udp.fd);
        cor_fd_close(&r->tcp.fd);
        r->udp.fd = listen_at(SOCK_DGRAM, port, &udp, err);
        r->tcp.fd = r->udp.fd < 0 ? -1 : listen_at(SOCK_STREAM, port, &tcp, err);
        if (r->tcp.fd < 0)
                return -1;
        return port ? 0 : lead_here(udp, tcp, err);
}

/* A kernel that cannot lead there has port 53 itself, of this one address. */
static int open_inside(struct resolver *r, struct cor_err *err)
{
        auto_netns_visit v = NETNS_VISIT_INIT;
        struct cor_err why;

        if (netns_enter(&v, r->netns, err) < 0)
                return -1;
        return open_both(r, 0, &why) == 0 ? 0 : open_both(r, DNS_PORT, err);
}

int resolver_open(int netns, const struct resolver_source *source, struct resolver **ret, struct cor_err *err)
{
        struct resolver *r = cor_alloc(sizeof *r);

        r->source = *source;
        r->udp = (struct watched){ .kind = ON_UDP, .fd = -1 };
        r->tcp = (struct watched){ .kind = ON_TCP, .fd = -1 };
        r->netns = fcntl(netns, F_DUPFD_CLOEXEC, 3);
        r->epoll = epoll_create1(EPOLL_CLOEXEC);
        if (r->netns < 0 || r->epoll < 0)
                cor_fail_errno(err, "names");
        else if (open_inside(r, err) == 0) {
                if (resolver_watch(r, &r->udp, EPOLLIN) == 0 && resolver_watch(r, &r->tcp, EPOLLIN) == 0) {
                        *ret = r;
                        return 0;
                }
                cor_fail_errno(err, "names");
        }
        resolver_close(r);
        return -1;
}

void resolver_close(struct resolver *r)
{
        if (!r)
                return;
        pending_free_all(r);
        for (struct connection *c = r->connections; c; c = c->next)
                c->gone = true;
        check_connections(r, 0);
        cor_fd_close(&r->udp.fd);
        cor_fd_close(&r->tcp.fd);
        cor_fd_close(&r->epoll);
        cor_fd_close(&r->netns);
        free(r);
}

void resolver_set_servers(struct resolver *r, const struct ip *servers, size_t n)
{
        r->n_servers = n < RESOLVER_SERVERS_MAX ? n : RESOLVER_SERVERS_MAX;
        if (r->n_servers)
                memcpy(r->servers, servers, r->n_servers * sizeof *servers);
        for (struct pending *p = r->pending; p; p = p->next)
                p->server = RESOLVER_SERVERS_MAX; /* what is under way has no server after this one */
}

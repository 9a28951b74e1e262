/* Asking other servers: one socket for each question, so that nobody but the server that was asked can answer it. */
#include "base/alloc.h"
#include "base/fd.h"
#include "base/process.h"
#include "linux/netns.h"
#include "network/resolver_internal.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

enum { DNS_PORT = 53, UDP_ANSWER_MAX = 16384 };

static void fail(struct resolver *r, struct pending *p)
{
        const struct dns_answer a = { .code = DNS_SERVER_FAILURE };
        uint8_t out[DNS_UDP_MAX];
        size_t n = dns_write_answer(p->query + 2, &p->q, &a, p->q.udp_bytes, out);

        resolver_reply(r, &p->from, p->connection, out, n);
        p->done = true;
}

static int open_socket(const struct resolver *r, const struct ip *server, bool tcp)
{
        int type = (tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC | SOCK_NONBLOCK;
        auto_netns_visit v = NETNS_VISIT_INIT;
        struct cor_err ignored;

        if (!ip_is_loopback(server) && netns_enter(&v, r->netns, &ignored) < 0)
                return -1;
        return socket(ip_is_4(server) ? AF_INET : AF_INET6, type, 0);
}

static int connect_to(int fd, const struct ip *server)
{
        struct sockaddr_in a4 = { .sin_family = AF_INET, .sin_port = htons(DNS_PORT) };
        struct sockaddr_in6 a6 = { .sin6_family = AF_INET6, .sin6_port = htons(DNS_PORT) };
        bool is4 = ip_is_4(server);

        if (is4)
                memcpy(&a4.sin_addr, server->bytes, sizeof a4.sin_addr);
        else
                memcpy(&a6.sin6_addr, server->bytes, sizeof a6.sin6_addr);
        return connect(fd, is4 ? (struct sockaddr *)&a4 : (struct sockaddr *)&a6, is4 ? sizeof a4 : sizeof a6);
}

static void close_socket(struct pending *p)
{
        cor_fd_close(&p->w.fd);
        free(p->in);
        p->in = NULL;
        p->n_in = p->sent = 0;
}

/* false: this server cannot be asked */
static bool ask(struct resolver *r, struct pending *p)
{
        const struct ip *server = &r->servers[p->server];

        close_socket(p);
        (void)!getrandom(&p->id, sizeof p->id, 0);
        dns_set_id(p->query + 2, p->id);
        p->until = cor_now_ms() + SERVER_MS;
        p->w.fd = open_socket(r, server, p->tcp);
        if (p->w.fd < 0 || (connect_to(p->w.fd, server) < 0 && errno != EINPROGRESS))
                return false;
        if (!p->tcp && send(p->w.fd, p->query + 2, p->n, MSG_NOSIGNAL) < 0)
                return false;
        return resolver_watch(r, &p->w, p->tcp ? EPOLLOUT : EPOLLIN) == 0;
}

static void ask_next(struct resolver *r, struct pending *p, bool first)
{
        for (p->server += first ? 0 : 1; p->server < r->n_servers; p->server++)
                if (ask(r, p))
                        return;
        close_socket(p);
        fail(r, p);
}

bool resolver_forward(struct resolver *r, const struct dns_question *q, const uint8_t *query, size_t n,
                      const struct sockaddr_in *from, struct connection *c)
{
        struct pending *p;

        if (r->n_servers == 0 || r->n_pending >= PENDING_MAX || n > RESOLVER_QUERY_MAX || q->end == 0)
                return false;
        p = cor_alloc(sizeof *p);
        p->w = (struct watched){ .kind = ON_PENDING, .fd = -1 };
        p->q = *q;
        p->query[0] = (uint8_t)(n >> 8);
        p->query[1] = (uint8_t)n;
        memcpy(p->query + 2, query, n);
        p->n = n;
        if (from)
                p->from = *from;
        p->connection = c;
        p->tcp = c != NULL;
        p->next = r->pending;
        r->pending = p;
        r->n_pending++;
        ask_next(r, p, true);
        return true;
}

/* An answer of the server's; if it could not tell, the next one may. */
static void take(struct resolver *r, struct pending *p, uint8_t *answer, size_t n)
{
        enum dns_code code = dns_code_of(answer);

        if ((code == DNS_SERVER_FAILURE || code == 5 /* refused */) && p->server + 1 < r->n_servers) {
                ask_next(r, p, false);
                return;
        }
        dns_set_id(answer, p->q.id);
        close_socket(p);
        resolver_reply(r, &p->from, p->connection, answer, n);
        p->done = true;
}

static void step_udp(struct resolver *r, struct pending *p)
{
        uint8_t answer[UDP_ANSWER_MAX];
        ssize_t n = recv(p->w.fd, answer, sizeof answer, 0);

        if (n < 0 && (errno == EAGAIN || errno == EINTR))
                return;
        if (n < 0)
                ask_next(r, p, false); /* nobody is there */
        else if (dns_answers(answer, (size_t)n, p->query + 2, &p->q, p->id))
                take(r, p, answer, (size_t)n);
}

static void step_tcp(struct resolver *r, struct pending *p, uint32_t events)
{
        ssize_t n;
        size_t len;

        if (p->sent < p->n + 2) {
                n = send(p->w.fd, p->query + p->sent, p->n + 2 - p->sent, MSG_NOSIGNAL);
                if (n < 0 && errno != EAGAIN && errno != EINTR) {
                        ask_next(r, p, false);
                        return;
                }
                p->sent += n > 0 ? (size_t)n : 0;
                if (p->sent == p->n + 2)
                        (void)!resolver_watch(r, &p->w, EPOLLIN);
                return;
        }
        if (!(events & (EPOLLIN | EPOLLHUP | EPOLLERR)))
                return;
        if (!p->in)
                p->in = cor_alloc(2 + DNS_MESSAGE_MAX);
        n = recv(p->w.fd, p->in + p->n_in, 2 + DNS_MESSAGE_MAX - p->n_in, 0);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
                return;
        if (n <= 0) {
                ask_next(r, p, false);
                return;
        }
        p->n_in += (size_t)n;
        len = p->n_in >= 2 ? (size_t)(p->in[0] << 8 | p->in[1]) : SIZE_MAX;
        if (len == SIZE_MAX || p->n_in < 2 + len)
                return;
        if (dns_answers(p->in + 2, len, p->query + 2, &p->q, p->id)) {
                uint8_t *answer = COR_TAKE(p->in); /* asking on would end it */

                take(r, p, answer + 2, len);
                free(answer);
        } else {
                ask_next(r, p, false);
        }
}

void pending_step(struct resolver *r, struct pending *p, uint32_t events)
{
        if (p->done || p->w.fd < 0)
                return;
        if (p->tcp)
                step_tcp(r, p, events);
        else
                step_udp(r, p);
}

void pending_check(struct resolver *r, int64_t now)
{
        struct pending **at = &r->pending;

        for (struct pending *p = r->pending; p; p = p->next)
                if (!p->done && now >= p->until)
                        ask_next(r, p, false);
        while (*at) {
                struct pending *p = *at;

                if (!p->done) {
                        at = &p->next;
                        continue;
                }
                *at = p->next;
                close_socket(p);
                free(p);
                r->n_pending--;
        }
}

void pending_forget(struct resolver *r, const struct connection *c)
{
        for (struct pending *p = r->pending; p; p = p->next)
                if (p->connection == c)
                        p->done = true;
}

void pending_free_all(struct resolver *r)
{
        for (struct pending *p = r->pending; p; p = p->next)
                p->done = true;
        pending_check(r, 0);
}

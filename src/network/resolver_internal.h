#ifndef CORACLE_NETWORK_RESOLVER_INTERNAL_H
#define CORACLE_NETWORK_RESOLVER_INTERNAL_H
/* Shared by resolver*.c. */
#include "network/resolver.h"

#include <netinet/in.h>

enum { RESOLVER_QUERY_MAX = 1024, PENDING_MAX = 256, CONNECTIONS_MAX = 32, SERVER_MS = 2000, IDLE_MS = 10000 };

/* Whatever epoll tells of begins with this. */
struct watched {
        enum watched_kind { ON_UDP, ON_TCP, ON_CONNECTION, ON_PENDING } kind;
        int fd;
};

/* A client that came by TCP. It is asked one thing at a time, and gets one answer. */
struct connection {
        struct watched w;
        struct connection *next;
        uint8_t in[2 + RESOLVER_QUERY_MAX];
        size_t n_in;
        uint8_t *out; /* what is left to be written */
        size_t n_out, sent;
        bool busy, gone;
        int64_t until;
};

/* A question that somebody else is asked. */
struct pending {
        struct watched w;
        struct pending *next;
        struct dns_question q;
        uint8_t query[2 + RESOLVER_QUERY_MAX]; /* with the length in front that TCP has */
        size_t n;
        struct sockaddr_in from;       /* of a client by UDP, … */
        struct connection *connection; /* … or NULL */
        bool tcp;
        size_t server; /* that is asked */
        uint16_t id;   /* under which it is */
        int64_t until;
        uint8_t *in; /* of an answer by TCP */
        size_t n_in, sent;
        bool done;
};

struct resolver {
        int epoll, netns;
        struct watched udp, tcp;
        struct resolver_source source;
        struct ip servers[RESOLVER_SERVERS_MAX];
        size_t n_servers, n_pending, n_connections;
        struct pending *pending;
        struct connection *connections;
        unsigned turn[2]; /* whose address comes first, of IPv4 and IPv6 */
};

/* --- resolver.c --- */
int resolver_watch(struct resolver *r, struct watched *w, uint32_t events);
/* resolver_reply() - @n bytes to whoever asked: a client by UDP at @from, or @c */
void resolver_reply(struct resolver *r, const struct sockaddr_in *from, struct connection *c, const uint8_t *answer,
                    size_t n);
/* resolver_handle() - a query of @n bytes */
void resolver_handle(struct resolver *r, const uint8_t *query, size_t n, const struct sockaddr_in *from,
                     struct connection *c);

/* --- resolver_forward.c --- */
/* resolver_forward() - ask the servers; false: there is no room for one more question */
bool resolver_forward(struct resolver *r, const struct dns_question *q, const uint8_t *query, size_t n,
                      const struct sockaddr_in *from, struct connection *c);
void pending_step(struct resolver *r, struct pending *p, uint32_t events);
/* pending_check() - those whose time is over ask the next server; those that are done go */
void pending_check(struct resolver *r, int64_t now);
/* pending_forget() - who asked is gone */
void pending_forget(struct resolver *r, const struct connection *c);
void pending_free_all(struct resolver *r);

#endif

#include "network/port_wish.h"

#include "base/alloc.h"
#include "base/text.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

static const struct cor_word protocols[] = {
        { "tcp", IPPROTO_TCP }, { "udp", IPPROTO_UDP }, { "sctp", IPPROTO_SCTP }, { NULL, 0 }
};

const char *port_protocol_name(int protocol)
{
        return cor_word_of(protocols, protocol);
}

void port_wishes_done(struct port_wishes *w)
{
        free(w->items);
        *w = (struct port_wishes){ .items = NULL };
}

static int read_number(const char *text, size_t n, uint16_t *ret)
{
        auto_str copy = cor_strndup(text, n);
        uint32_t number;

        if (cor_parse_u32(copy, &number) < 0 || number > UINT16_MAX)
                return -1;
        *ret = (uint16_t)number;
        return 0;
}

/* "80/tcp", "80" */
static int read_port(const char *text, struct port_wish *ret, struct cor_err *err)
{
        size_t n = strcspn(text, "/");
        const struct cor_word *protocol = cor_word_find(protocols, text[n] ? text + n + 1 : "tcp");

        if (!protocol || read_number(text, n, &ret->port) < 0 || ret->port == 0)
                return cor_fail(err, COR_INVALID, "invalid port specification: \"%.100s\"", text);
        ret->protocol = (int)protocol->value;
        return 0;
}

static int read_binding(const struct docker_port_binding *b, struct port_wish *ret, struct cor_err *err)
{
        const char *host = b->host_port ? b->host_port : "", *ip = b->host_ip ? b->host_ip : "";
        size_t n = strcspn(host, "-");
        uint8_t address[sizeof(struct in6_addr)];

        ret->published = true;
        if (*host && (read_number(host, n, &ret->first) < 0 ||
                      (host[n] ? read_number(host + n + 1, strlen(host + n + 1), &ret->last) < 0
                               : (ret->last = ret->first, false)) ||
                      ret->last < ret->first || (ret->first == 0 && ret->last > 0)))
                return cor_fail(err, COR_INVALID, "invalid port specification: \"%.100s\"", host);
        if (!*ip)
                return 0;
        for (int i = 0; i < 2; i++) {
                int family = i ? AF_INET6 : AF_INET;

                if (inet_pton(family, ip, address) == 1 && inet_ntop(family, address, ret->ip, sizeof ret->ip))
                        return 0;
        }
        return cor_fail(err, COR_INVALID, "invalid IP address: %.100s", ip);
}

static int add_bindings(struct port_wishes *w, const struct docker_port_bindings *p, bool all, struct cor_err *err)
{
        struct port_wish wish = { .published = all };

        if (read_port(p->port, &wish, err) < 0)
                return -1;
        for (size_t i = 0; i < p->n_items; i++) {
                struct port_wish one = wish;

                if (read_binding(&p->items[i], &one, err) < 0)
                        return -1;
                *COR_GROW(w->items, w->n_items) = one;
        }
        if (p->n_items == 0)
                *COR_GROW(w->items, w->n_items) = wish;
        return 0;
}

static int order(const void *a, const void *b)
{
        const struct port_wish *x = a, *y = b;

        if (x->protocol != y->protocol)
                return x->protocol < y->protocol ? -1 : 1;
        if (x->port != y->port)
                return x->port < y->port ? -1 : 1;
        return 0;
}

/* An exposed port that is bound as well has its bindings already. */
static void add_exposed(struct port_wishes *w, size_t n_bound, const struct port_wish *wish)
{
        if (n_bound == 0 || !bsearch(wish, w->items, n_bound, sizeof *w->items, order))
                *COR_GROW(w->items, w->n_items) = *wish;
}

int port_wishes_read(const struct docker_config *c, const struct docker_host_config *h, struct port_wishes *ret,
                     struct cor_err *err)
{
        auto_port_wishes w = { .items = NULL };
        size_t n_bound;

        for (size_t i = 0; i < h->n_port_bindings; i++)
                if (add_bindings(&w, &h->port_bindings[i], h->publish_all_ports, err) < 0)
                        return -1;
        n_bound = w.n_items;
        if (n_bound > 1)
                qsort(w.items, n_bound, sizeof *w.items, order);
        for (size_t i = 0; i < c->n_exposed_ports; i++) {
                struct port_wish wish = { .published = h->publish_all_ports };

                if (read_port(c->exposed_ports[i].key, &wish, err) < 0)
                        return -1;
                add_exposed(&w, n_bound, &wish);
        }
        if (w.n_items > n_bound)
                qsort(w.items, w.n_items, sizeof *w.items, order);
        *ret = w;
        w = (struct port_wishes){ .items = NULL };
        return 0;
}

/*
 * What others have is looked at inside of the transaction that records the choice. What the host has is read before:
 * its addresses change without us anyway.
 */
#include "network/subnet.h"

#include "base/alloc.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/text.h"
#include "linux/route.h"
#include "network/realm.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

enum { RESOLV_MAX_BYTES = 1 << 16 };

/* What is taken: by the host, and by networks, of which an overlap is an error. */
struct taken {
        struct ip_prefix *items;
        size_t n_items;
        size_t n_addresses, n_host; /* the first of them: the host's own addresses, and what else it can reach */
        char seed[65];
        const struct pools *pools;
        network_change_fn *change;
        void *change_data;
};

static void taken_done(struct taken *t)
{
        free(t->items);
}

static void take(struct taken *t, const struct ip_prefix *p)
{
        *COR_GROW(t->items, t->n_items) = *p;
}

static int read_addresses(int sock, struct taken *t, struct cor_err *err)
{
        auto_free struct address *list = NULL;
        size_t n = 0;

        if (address_list(sock, 0, AF_UNSPEC, &list, &n, err) < 0)
                return -1;
        for (size_t i = 0; i < n; i++)
                take(t, &list[i].ip);
        t->n_addresses = t->n_items;
        return 0;
}

/* As docker: networks that are reached without a router. What lies behind one is often more than is used. */
static int read_routes(int sock, struct taken *t, struct cor_err *err)
{
        auto_free struct route *list = NULL;
        size_t n = 0;

        if (route_list(sock, AF_INET, RT_TABLE_MAIN, &list, &n, err) < 0)
                return -1;
        for (size_t i = 0; i < n; i++)
                if (list[i].scope == RT_SCOPE_LINK && list[i].dst.bits > 0)
                        take(t, &list[i].dst);
        return 0;
}

/* The host's servers of names are to stay reachable. */
static void read_servers(const char *path, struct taken *t)
{
        static const char word[] = "nameserver";
        auto_str text = NULL;
        char *cursor, *line;

        if (cor_read_file(path, RESOLV_MAX_BYTES, &text, NULL, NULL) < 0)
                return;
        for (cursor = text; (line = cor_split_next(&cursor, '\n')) != NULL;) {
                struct ip_prefix p;

                if (!cor_starts_with(line, word))
                        continue;
                line += strlen(word);
                line += strspn(line, " \t");
                line[strcspn(line, " \t\r%")] = '\0';
                if (ip_parse_maybe_prefix(line, &p) == 0)
                        take(t, &p);
        }
}

/* Where there is no netlink there are no addresses to be avoided either. */
static int read_host(struct taken *t, struct cor_err *err)
{
        auto_fd sock = netlink_open(NETLINK_ROUTE, err);
        struct ip_prefix own;

        if (sock < 0 || read_addresses(sock, t, err) < 0 || read_routes(sock, t, err) < 0)
                return -1;
        read_servers("/etc/resolv.conf", t);
        read_servers("/run/systemd/resolve/resolv.conf", t);
        t->n_host = t->n_items;
        if (realm_is_own() && ip_prefix_parse(REALM_SUBNET, &own) == 0)
                take(t, &own);
        return 0;
}

/* Two networks on one bridge would be one network. */
static int check_bridge(const struct network *n, const struct network *other, struct cor_err *err)
{
        if (n->driver != NETWORK_BRIDGE || other->driver != NETWORK_BRIDGE || n->config_only || other->config_only ||
            strcmp(other->bridge, n->bridge) != 0)
                return 0;
        return cor_fail(err, COR_EXISTS, "network %s already uses bridge %s", other->name, n->bridge);
}

static int read_networks(const struct network *own, const struct network_rows *others, struct taken *t,
                         struct cor_err *err)
{
        for (size_t i = 0; i < others->n_items; i++) {
                auto_network n = NULL;

                if (network_parse(&others->items[i], &n, err) < 0)
                        return cor_wrap(err, "network %s", others->items[i].name);
                if (check_bridge(own, n, err) < 0)
                        return -1;
                for (size_t s = 0; !n->config_only && s < n->n_subnets; s++)
                        take(t, &n->subnets[s].subnet);
                if (n->is_default)
                        memcpy(t->seed, n->id, sizeof t->seed);
        }
        return 0;
}

static int check_free(const struct ip_prefix *p, const struct taken *t, struct cor_err *err)
{
        for (size_t i = t->n_host; i < t->n_items; i++)
                if (ip_prefix_overlaps(p, &t->items[i]))
                        return cor_fail(err, COR_INVALID,
                                        "invalid pool request: Pool overlaps with other one on this address space");
        return 0;
}

/* ----------------------------------------------------------------------------------------------------- the document */

static const char *keep(struct docker_network *d, const char *s)
{
        return cor_json_strdup(d, s);
}

static bool has_family(const struct docker_network *d, int family)
{
        for (size_t i = 0; i < d->ipam.n_config; i++) {
                struct ip_prefix p;

                if (d->ipam.config[i].subnet && ip_prefix_parse(d->ipam.config[i].subnet, &p) == 0 &&
                    ip_is_4(&p.ip) == (family == 0))
                        return true;
        }
        return false;
}

static int add_pool(struct docker_network *d, int family, struct taken *t, struct cor_err *err)
{
        struct docker_ipam_pool *list;
        char text[IP_TEXT_BYTES];
        struct ip_prefix p;

        if (!pool_choose(t->pools, family, t->seed, t->items, t->n_items, &p))
                return cor_fail(err, COR_BUSY, "all predefined address pools have been fully subnetted");
        list = cor_json_alloc(d, (d->ipam.n_config + 1) * sizeof *list);
        if (d->ipam.n_config)
                memcpy(list, d->ipam.config, d->ipam.n_config * sizeof *list);
        list[d->ipam.n_config++].subnet = keep(d, ip_prefix_text(&p, text));
        d->ipam.config = list;
        take(t, &p);
        return 0;
}

static bool is_excluded(const struct endpoint_pool *p, const struct ip *a)
{
        for (size_t i = 0; i < p->n_not; i++)
                if (ip_equal(&p->not [i], a))
                        return true;
        return false;
}

/* Networks that have a router have its address given: the first one that containers could have. */
static void fill_gateways(struct docker_network *d, const struct network *n)
{
        for (size_t i = 0; i < n->n_subnets; i++) {
                const struct network_subnet *s = &n->subnets[i];
                struct ip a = s->pool.first;
                char text[IP_TEXT_BYTES];

                if (d->ipam.config[i].gateway && *d->ipam.config[i].gateway)
                        continue;
                if (n->driver == NETWORK_IPVLAN && n->mode != 0) /* l3: there is no router to be asked */
                        continue;
                while (is_excluded(&s->pool, &a) && !ip_equal(&a, &s->pool.last))
                        a = ip_next(&a);
                d->ipam.config[i].gateway = keep(d, ip_text(&a, text));
        }
}

static int print(struct network_row *r, const struct docker_network *d)
{
        auto_text text = COR_TEXT_INIT;

        cor_json_print(&docker_network_doc, d, COR_JSON_COMPACT, &text);
        free(r->document);
        r->document = cor_text_take(&text);
        return 0;
}

static int settle(struct network_row *r, const struct network_rows *others, void *data, struct cor_err *err)
{
        auto_json struct docker_network *d = NULL;
        auto_network n = NULL;
        struct taken *t = data;

        if (cor_json_parse(&docker_network_doc, r->document, strlen(r->document), r->name, &d, err) < 0 ||
            network_parse(r, &n, err) < 0 || read_networks(n, others, t, err) < 0)
                return -1;
        if (n->config_only)
                return 0;
        if (!*t->seed)
                memcpy(t->seed, n->id, sizeof t->seed);
        for (size_t i = 0; i < n->n_subnets; i++)
                if (check_free(&n->subnets[i].subnet, t, err) < 0)
                        return -1;
        for (int f = 0; f < ENDPOINT_FAMILIES; f++) {
                if (!n->has[f] || has_family(d, f))
                        continue;
                if (f == 0)
                        d->automatic = true;
                if (add_pool(d, f, t, err) < 0)
                        return -1;
        }
        print(r, d);
        network_free(COR_TAKE(n));
        if (network_parse(r, &n, err) < 0)
                return -1;
        fill_gateways(d, n);
        return print(r, d);
}

int network_subnet_add(struct store *s, struct network_row *row, const struct pools *pools, struct cor_err *err)
{
        COR_CLEANUP(taken_done) struct taken t = { .pools = pools };

        return read_host(&t, err) < 0 ? -1 : network_row_add(s, row, settle, &t, err);
}

static int change(struct network_row *r, const struct network_rows *others, void *data, struct cor_err *err)
{
        struct taken *t = data;
        int done = t->change(r, t->items, t->n_addresses, t->change_data, err);

        return done <= 0 ? done : settle(r, others, t, err);
}

int network_subnet_settle(struct store *s, int64_t number, const struct pools *pools, network_change_fn *fn, void *data,
                          struct cor_err *err)
{
        COR_CLEANUP(taken_done) struct taken t = { .pools = pools, .change = fn, .change_data = data };

        return read_host(&t, err) < 0 ? -1 : network_row_settle(s, number, change, &t, err);
}

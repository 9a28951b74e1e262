/*
 * host-local: addresses out of ranges, one from each pool, handed out in turn so that one that was just given back is
 * not the next to be used. Who has which is in files (host_local_store.c).
 */
#include "cni/host_local.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "cni/plugins.h"

enum { RESOLV_CONF_MAX_BYTES = 65536 };

/* ------------------------------------------------------------------------------------------------------ resolv.conf */

static void add_word(struct cni_result *r, const char ***list, size_t *n, const char *word)
{
        if ((*n & (*n - 1)) == 0) { /* none, or a power of two: the room is used up */
                const char **grown = cor_json_alloc(r, (2 * *n + 2) * sizeof *grown);

                if (*n)
                        memcpy(grown, *list, *n * sizeof *grown);
                *list = grown;
        }
        (*list)[(*n)++] = cor_json_strdup(r, word);
}

static void take_line(struct cni_result *r, char *line)
{
        char *save = NULL;
        const char *key = strtok_r(line, " \t\r", &save);

        if (!key || *key == '#' || *key == ';')
                return;
        for (const char *word; (word = strtok_r(NULL, " \t\r", &save));) {
                if (strcmp(key, "nameserver") == 0) {
                        add_word(r, &r->dns.nameservers, &r->dns.n_nameservers, word);
                        return;
                }
                if (strcmp(key, "domain") == 0) {
                        r->dns.domain = cor_json_strdup(r, word);
                        return;
                }
                if (strcmp(key, "search") == 0)
                        add_word(r, &r->dns.search, &r->dns.n_search, word);
                else if (strcmp(key, "options") == 0)
                        add_word(r, &r->dns.options, &r->dns.n_options, word);
        }
}

static int take_resolv_conf(struct cni_result *r, const char *path, struct cor_err *err)
{
        auto_str text = NULL;
        char *cursor;
        size_t n;

        if (cor_read_file(path, RESOLV_CONF_MAX_BYTES, &text, &n, err) < 0)
                return cor_wrap(err, "ipam.resolvConf");
        cursor = text;
        for (char *line; (line = cor_split_next(&cursor, '\n'));)
                take_line(r, line);
        return 0;
}

/* -------------------------------------------------------------------------------------------------------------- ADD */

/* The address behind @a in the pool, in a circle. */
static struct ip advance(const struct pool *p, const struct ip *a)
{
        for (size_t i = 0; i < p->n_ranges; i++)
                if (pool_range_has(&p->ranges[i], a))
                        return ip_equal(a, &p->ranges[i].end) ? p->ranges[(i + 1) % p->n_ranges].start : ip_next(a);
        return p->ranges[0].start;
}

/* Call @try for each address that may be given, until it says other than 0; 0: there is none left. */
static int walk(struct address_store *s, const struct pool *p, size_t index,
                int (*try)(struct address_store *s, size_t index, const struct ip *a, void *data, struct cor_err *err),
                void *data, struct ip *ret, struct cor_err *err)
{
        struct ip a = p->ranges[0].start, first;
        struct ip last;

        if (address_store_last(s, index, &last) && pool_find(p, &last))
                a = advance(p, &last);
        first = a;
        do {
                const struct pool_range *range = pool_find(p, &a);
                int done = ip_equal(&a, &range->gateway) ? 0 : try(s, index, &a, data, err);

                if (done != 0) {
                        *ret = a;
                        return done;
                }
                a = advance(p, &a);
        } while (!ip_equal(&a, &first));
        return 0;
}

static int reserve(struct address_store *s, size_t index, const struct ip *a, void *data, struct cor_err *err)
{
        const struct cni_call *c = data;

        return address_store_reserve(s, index, a, c->container_id, c->ifname, err);
}

static int take_any(struct cni_call *c, struct address_store *s, const struct pool *p, size_t index, struct ip *ret,
                    struct cor_err *err)
{
        char start[IP_TEXT_BYTES];
        char end[IP_TEXT_BYTES];
        int taken = walk(s, p, index, reserve, c, ret, err);

        if (taken == 0)
                return cor_fail(err, COR_INVALID, "ipam.ranges[%zu]: all addresses from %s to %s%s are in use", index,
                                ip_text(&p->ranges[0].start, start), ip_text(&p->ranges[0].end, end),
                                p->n_ranges > 1 ? " and in the ranges behind" : "");
        return taken < 0 ? -1 : 0;
}

static int take_wanted(struct cni_call *c, struct address_store *s, const struct pool *p, size_t index,
                       const struct ip *a, struct cor_err *err)
{
        char text[IP_TEXT_BYTES];
        int taken;

        if (ip_equal(a, &pool_find(p, a)->gateway))
                return cor_fail(err, COR_INVALID, "the address %s that is asked for is the gateway of ipam.ranges[%zu]",
                                ip_text(a, text), index);
        taken = address_store_reserve(s, index, a, c->container_id, c->ifname, err);
        if (taken == 0)
                return cor_fail(err, COR_INVALID, "the address %s that is asked for is in use", ip_text(a, text));
        return taken < 0 ? -1 : 0;
}

/* The place in h->wanted of an address that the pool has; h->n_wanted: none. */
static size_t find_wanted(const struct host_local *h, const struct pool *p, const bool *used)
{
        for (size_t i = 0; i < h->n_wanted; i++)
                if (!used[i] && pool_find(p, &h->wanted[i]))
                        return i;
        return h->n_wanted;
}

static int take_from(struct cni_call *c, struct address_store *s, const struct host_local *h, size_t index, bool *used,
                     struct cni_result *r, struct cor_err *err)
{
        const struct pool *p = &h->pools[index];
        size_t wanted = find_wanted(h, p, used);
        const struct pool_range *range;
        char text[IP_TEXT_BYTES];
        struct ip_prefix given;
        struct cni_ip *ip;
        struct ip a;

        if (wanted < h->n_wanted) {
                used[wanted] = true;
                a = h->wanted[wanted];
                if (take_wanted(c, s, p, index, &a, err) < 0)
                        return -1;
        } else if (take_any(c, s, p, index, &a, err) < 0)
                return -1;
        range = pool_find(p, &a);
        given = (struct ip_prefix){ .ip = a, .bits = range->subnet.bits };
        ip = cni_result_add_ip(r);
        ip->address = cor_json_strdup(r, ip_prefix_text(&given, text));
        ip->gateway = cor_json_strdup(r, ip_text(&range->gateway, text));
        return 0;
}

struct duplicate {
        const struct cni_call *call;
        const struct host_local *h;
};

static int refuse_duplicate(struct address_store *s, const char *file, const struct ip *a, const char *container_id,
                            const char *ifname, void *data, struct cor_err *err)
{
        const struct duplicate *d = data;

        (void)s;
        if (strcmp(container_id, d->call->container_id) != 0 || (ifname && strcmp(ifname, d->call->ifname) != 0))
                return 0;
        for (size_t i = 0; i < d->h->n_pools; i++)
                if (pool_find(&d->h->pools[i], a))
                        return cor_fail(err, COR_EXISTS, "%s is allocated to container %.64s, interface %s, already",
                                        file, container_id, d->call->ifname);
        return 0;
}

static int take_all(struct cni_call *c, struct address_store *s, const struct host_local *h, struct cni_result *r,
                    struct cor_err *err)
{
        bool *used auto_free = cor_alloc(h->n_wanted + 1);
        char text[IP_TEXT_BYTES];

        for (size_t i = 0; i < h->n_pools; i++)
                if (take_from(c, s, h, i, used, r, err) < 0)
                        return -1;
        for (size_t i = 0; i < h->n_wanted; i++)
                if (!used[i])
                        return cor_fail(err, COR_INVALID, "the address %s that is asked for is in none of ipam.ranges",
                                        ip_text(&h->wanted[i], text));
        return 0;
}

static void copy_routes(const struct host_local_ipam *ipam, struct cni_result *r)
{
        for (size_t i = 0; i < ipam->n_routes; i++) {
                struct cni_route *to = cni_result_add_route(r);

                *to = ipam->routes[i];
                to->dst = cor_json_strdup(r, to->dst);
                to->gw = to->gw ? cor_json_strdup(r, to->gw) : NULL;
        }
}

int host_local_add(struct cni_call *c, struct cni_result **ret, struct cor_err *err)
{
        auto_address_store s = ADDRESS_STORE_INIT;
        auto_json struct cni_result *r = NULL;
        auto_json struct host_local *h = NULL;
        struct duplicate d = { .call = c };

        if (host_local_load(c, &h, err) < 0)
                return -1;
        r = cni_result_new();
        if (h->ipam->resolv_conf && h->ipam->resolv_conf[0] && take_resolv_conf(r, h->ipam->resolv_conf, err) < 0)
                return -1;
        d.h = h;
        if (address_store_open(&s, h->ipam->data_dir, c->config->name, true, err) < 0 ||
            address_store_each(&s, refuse_duplicate, &d, err) < 0)
                return -1;
        if (take_all(c, &s, h, r, err) < 0) {
                (void)!address_store_release(&s, c->container_id, c->ifname, NULL);
                return -1;
        }
        copy_routes(h->ipam, r);
        *ret = COR_TAKE(r);
        return 0;
}

/* ------------------------------------------------------------------------------------------------------ other verbs */

int host_local_del(struct cni_call *c, struct cor_err *err)
{
        auto_address_store s = ADDRESS_STORE_INIT;
        auto_json struct host_local *h = NULL;
        int there;

        if (cni_load(c, &host_local_doc, &h, err) < 0) /* its ranges do not matter any more */
                return -1;
        there = address_store_open(&s, h->ipam->data_dir, c->config->name, false, err);
        if (there <= 0)
                return there;
        return address_store_release(&s, c->container_id, c->ifname, err) < 0 ? -1 : 0;
}

struct search {
        const struct cni_call *call;
        bool found;
};

static int look(struct address_store *s, const char *file, const struct ip *a, const char *container_id,
                const char *ifname, void *data, struct cor_err *err)
{
        struct search *search = data;

        (void)s, (void)file, (void)a, (void)err;
        if (strcmp(container_id, search->call->container_id) == 0 &&
            (!ifname || strcmp(ifname, search->call->ifname) == 0))
                search->found = true;
        return 0;
}

int host_local_check(struct cni_call *c, struct cor_err *err)
{
        auto_address_store s = ADDRESS_STORE_INIT;
        auto_json struct host_local *h = NULL;
        struct search search = { .call = c };
        int there;

        if (host_local_load(c, &h, err) < 0)
                return -1;
        there = address_store_open(&s, h->ipam->data_dir, c->config->name, false, err);
        if (there < 0 || (there > 0 && address_store_each(&s, look, &search, err) < 0))
                return -1;
        if (!search.found)
                return cor_fail(err, COR_NOT_FOUND, "no address is allocated to container %.64s, interface %s",
                                c->container_id, c->ifname);
        return 0;
}

static int is_free(struct address_store *s, size_t index, const struct ip *a, void *data, struct cor_err *err)
{
        (void)index, (void)data, (void)err;
        return address_store_is_free(s, a);
}

int host_local_status(struct cni_call *c, struct cor_err *err)
{
        auto_address_store s = ADDRESS_STORE_INIT;
        auto_json struct host_local *h = NULL;
        struct ip free_one;
        int there;

        if (host_local_load(c, &h, err) < 0)
                return -1;
        there = address_store_open(&s, h->ipam->data_dir, c->config->name, false, err);
        if (there <= 0)
                return there;
        for (size_t i = 0; i < h->n_pools; i++)
                if (walk(&s, &h->pools[i], i, is_free, NULL, &free_one, err) == 0)
                        return cni_fail(c, CNI_CODE_UNAVAILABLE, err, "ipam.ranges[%zu]: all addresses are in use", i);
        return 0;
}

static int drop_stale(struct address_store *s, const char *file, const struct ip *a, const char *container_id,
                      const char *ifname, void *data, struct cor_err *err)
{
        (void)a;
        if (cni_is_attached(data, container_id, ifname))
                return 0;
        return unlinkat(s->dir, file, 0) < 0 ? cor_fail_errno(err, "ipam.dataDir: remove %s", file) : 0;
}

int host_local_gc(struct cni_call *c, struct cor_err *err)
{
        auto_address_store s = ADDRESS_STORE_INIT;
        auto_json struct host_local *h = NULL;
        int there;

        if (cni_load(c, &host_local_doc, &h, err) < 0)
                return -1;
        there = address_store_open(&s, h->ipam->data_dir, c->config->name, false, err);
        return there <= 0 ? there : address_store_each(&s, drop_stale, c, err);
}

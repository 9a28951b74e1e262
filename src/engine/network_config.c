#include "engine/network_config.h"

#include "base/text.h"
#include "network/default.h"
#include "registry/config.h"

#include <stdlib.h>
#include <string.h>

enum { MTU_MAX = 65535, MTU_MIN = 68 };

void network_config_done(struct network_config *c)
{
        free(c->file);
        free(c->pools.items);
        cor_json_free(c->said);
}

/* ------------------------------------------------------------------------------------------------------------ pools */

static int read_pool(const struct daemon_pool *d, size_t i, struct pool *ret, struct cor_err *err)
{
        uint32_t most;

        if (ip_prefix_parse(d->base, &ret->base) < 0)
                return cor_fail(err, COR_INVALID,
                                "default-address-pools[%zu].base: expected an address and its bits (10.10.0.0/16), "
                                "found '%.60s'",
                                i, d->base);
        most = ret->base.ip.len * 8U - 1; /* an address for the gateway, and one for a container */
        if (d->size < ret->base.bits || d->size > most)
                return cor_fail(err, COR_INVALID,
                                "default-address-pools[%zu].size: expected %u to %u, bits of a subnet within %.60s, "
                                "found %u",
                                i, ret->base.bits, most, d->base, d->size);
        ret->base.ip = ip_prefix_network(&ret->base);
        ret->bits = (uint8_t)d->size;
        return 0;
}

/* Docker's order: by address, the larger first */
static int compare(const void *a, const void *b)
{
        const struct pool *x = a, *y = b;
        int r = ip_compare(&x->base.ip, &y->base.ip);

        return r ? r : (int)x->base.bits - (int)y->base.bits;
}

static int read_pools(const struct daemon_network *d, struct pools *ret, struct cor_err *err)
{
        for (size_t i = 0; i < d->n_pools; i++) {
                struct pool p;

                if (read_pool(&d->pools[i], i, &p, err) < 0)
                        return -1;
                *COR_GROW(ret->items, ret->n_items) = p;
        }
        if (ret->n_items > 1)
                qsort(ret->items, ret->n_items, sizeof *ret->items, compare);
        return 0;
}

/* A file that dockerd has as well speaks of its bridge, too, and that has the addresses then. */
static bool is_shared(const char *file)
{
        const char *only = getenv("COR_CONFIG");

        return (!only || !*only) && cor_ends_with(file, "/docker/daemon.json");
}

int network_config_load(struct network_config *ret, struct cor_err *err)
{
        auto_network_config c = { .file = NULL };
        auto_str text = NULL;
        size_t n = 0;
        int found = daemon_json_read(&c.file, &text, &n, err);

        if (found < 0 ||
            cor_json_parse(&daemon_network_doc, found ? text : "{}", found ? n : 2, c.file, &c.said, err) < 0)
                return -1;
        if (read_pools(c.said, &c.pools, err) < 0)
                return cor_wrap(err, "%s", c.file);
        c.shared = found && is_shared(c.file);
        *ret = c;
        c = (struct network_config){ .file = NULL };
        return 0;
}

const struct daemon_driver_options *network_config_options(const struct network_config *c, const char *driver)
{
        for (size_t i = 0; i < c->said->n_options; i++)
                if (strcmp(c->said->options[i].driver, driver) == 0)
                        return &c->said->options[i];
        return NULL;
}

/* ---------------------------------------------------------------------------------------------- the default network */

/* What is said of one family, with the keys' names. */
struct side {
        const char *bip, *bip_key, *cidr, *cidr_key, *gateway, *gateway_key;
        const char *router; /* what docker calls the address of one that is not the bridge */
        uint8_t len;
        struct cor_pair auxiliary;
};

static int read_prefix(const char *text, const char *key, uint8_t len, struct ip_prefix *ret, struct cor_err *err)
{
        if (ip_prefix_parse(text, ret) < 0 || ret->ip.len != len)
                return cor_fail(err, COR_INVALID, "%s: expected an IPv%d address and its bits, found '%.60s'", key,
                                len == 4 ? 4 : 6, text);
        return 0;
}

static int read_bip(const struct side *s, struct ip_prefix *ret, struct cor_err *err)
{
        struct ip first;

        if (read_prefix(s->bip, s->bip_key, s->len, ret, err) < 0)
                return -1;
        first = ip_prefix_network(ret);
        if (ip_equal(&first, &ret->ip))
                return cor_fail(err, COR_INVALID,
                                "%s: expected an address of the bridge within its subnet, found '%.60s'", s->bip_key,
                                s->bip);
        return 0;
}

static int read_range(const struct side *s, const struct ip_prefix *subnet, struct ip_prefix *ret, struct cor_err *err)
{
        if (read_prefix(s->cidr, s->cidr_key, s->len, ret, err) < 0)
                return -1;
        if (s->bip && (ret->bits < subnet->bits || !ip_prefix_contains(subnet, &ret->ip)))
                return cor_fail(err, COR_INVALID, "%s: %.60s is not in the subnet of %s, %.60s", s->cidr_key, s->cidr,
                                s->bip_key, s->bip);
        ret->ip = ip_prefix_network(ret);
        return 0;
}

static int read_router(struct side *s, const struct ip_prefix *subnet, void *root, struct docker_ipam_pool *ret,
                       struct cor_err *err)
{
        char text[IP_TEXT_BYTES];
        struct ip a;

        if (ip_parse(s->gateway, &a) < 0 || a.len != s->len)
                return cor_fail(err, COR_INVALID, "%s: expected an IPv%d address, found '%.60s'", s->gateway_key,
                                s->len == 4 ? 4 : 6, s->gateway);
        if (!ip_prefix_contains(subnet, &a))
                return cor_fail(err, COR_INVALID, "%s: %.60s is not in the subnet %s", s->gateway_key, s->gateway,
                                ip_prefix_text(subnet, text));
        s->auxiliary = (struct cor_pair){ s->router, cor_json_strdup(root, ip_text(&a, text)) };
        ret->auxiliary = &s->auxiliary;
        ret->n_auxiliary = 1;
        return 0;
}

/* 1: there is something to be said; 0: there is not */
static int read_side(const struct network_config *c, struct side *s, struct docker_ipam_pool *ret, struct cor_err *err)
{
        struct docker_ipam_pool p = { .subnet = NULL };
        struct ip_prefix subnet = { .bits = 0 }, range;
        char text[IP_TEXT_BYTES];

        if (!s->bip && !s->cidr) {
                if (!s->gateway || c->shared)
                        return 0;
                return cor_fail(err, COR_INVALID, "%s: expected %s or %s beside it", s->gateway_key, s->bip_key,
                                s->cidr_key);
        }
        if (s->bip && read_bip(s, &subnet, err) < 0)
                return -1;
        if (s->bip)
                p.gateway = cor_json_strdup(c->said, ip_text(&subnet.ip, text));
        subnet.ip = ip_prefix_network(&subnet);
        if (s->cidr) {
                if (read_range(s, &subnet, &range, err) < 0)
                        return -1;
                p.ip_range = cor_json_strdup(c->said, ip_prefix_text(&range, text));
                if (!s->bip)
                        subnet = range;
        }
        p.subnet = cor_json_strdup(c->said, ip_prefix_text(&subnet, text));
        if (s->gateway && read_router(s, &subnet, c->said, &p, err) < 0)
                return -1;
        *ret = p;
        return 1;
}

static int check_rest(const struct daemon_network *d, struct cor_err *err)
{
        struct ip a;

        if (d->mtu && (d->mtu < MTU_MIN || d->mtu > MTU_MAX))
                return cor_fail(err, COR_INVALID, "mtu: expected %d to %d, found %u", MTU_MIN, MTU_MAX, d->mtu);
        if (d->host_ip && ip_parse(d->host_ip, &a) < 0)
                return cor_fail(err, COR_INVALID, "ip: expected an IP address, found '%.60s'", d->host_ip);
        return 0;
}

/* NULL: nothing that is not so anyway */
static char *text_of(const struct daemon_network *d)
{
        auto_text t = COR_TEXT_INIT;

        cor_json_print(&daemon_default_network_doc, d, COR_JSON_COMPACT, &t);
        return strcmp(t.s, "{}") == 0 ? NULL : cor_text_take(&t);
}

static int settle(struct engine *e, const struct network_config *c, struct cor_err *err)
{
        const struct daemon_network *d = c->said;
        struct side sides[] = {
                { d->bip,
                  "bip",
                  d->fixed_cidr,
                  "fixed-cidr",
                  d->gateway,
                  "default-gateway",
                  "DefaultGatewayIPv4",
                  4,
                  { NULL } },
                { d->bip6,
                  "bip6",
                  d->fixed_cidr6,
                  "fixed-cidr-v6",
                  d->gateway6,
                  "default-gateway-v6",
                  "DefaultGatewayIPv6",
                  16,
                  { NULL } },
        };
        struct docker_ipam_pool ipam[COR_COUNT(sides)];
        auto_str configured = text_of(d);
        struct network_default w = { .configured = configured,
                                     .pools = &c->pools,
                                     .ipam = ipam,
                                     .yields = c->shared,
                                     .ipv6 = d->ipv6,
                                     .apart = !d->icc,
                                     .no_masquerade = !d->masquerade,
                                     .mtu = d->mtu,
                                     .host_ip = d->host_ip };

        if (check_rest(d, err) < 0)
                return -1;
        for (size_t i = 0; i < (d->ipv6 ? COR_COUNT(sides) : 1); i++) {
                int r = read_side(c, &sides[i], &ipam[w.n_ipam], err);

                if (r < 0)
                        return -1;
                w.n_ipam += (size_t)r;
        }
        return network_default_settle(e->store, &w, err);
}

int network_config_default(struct engine *e, struct cor_err *err)
{
        auto_network_config c = { .file = NULL };

        if (network_config_load(&c, err) < 0)
                return -1;
        if (settle(e, &c, err) == 0)
                return 0;
        return c.file ? cor_wrap(err, "%s", c.file) : -1;
}

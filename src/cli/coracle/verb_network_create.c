/* network create: docker's flags for subnets, which belong together by what contains what. */
#include "cli/coracle/verb_container.h"

#include "engine/network.h"
#include "linux/ip.h"

#include <string.h>

struct create_options {
        bool attachable, config_only, ingress, internal;
        struct cor_opt_bool ipv4, ipv6;
        const char *config_from, *driver, *ipam_driver, *scope;
        char **aux, **gateways, **ip_ranges, **ipam_opts, **labels, **opts, **subnets;
        size_t n_aux, n_gateways, n_ip_ranges, n_ipam_opts, n_labels, n_opts, n_subnets;
};

/* ---- subnets ---- */

struct pools {
        struct docker_ipam_pool *items;
        struct ip_prefix *subnets;
        size_t n_items;
};

static void pools_done(struct pools *p)
{
        for (size_t i = 0; i < p->n_items; i++)
                free(p->items[i].auxiliary);
        free(p->items);
        free(p->subnets);
}

static int read_subnets(const struct create_options *o, struct pools *p, struct cor_err *err)
{
        p->items = cor_alloc((o->n_subnets + 1) * sizeof *p->items);
        p->subnets = cor_alloc((o->n_subnets + 1) * sizeof *p->subnets);
        for (size_t i = 0; i < o->n_subnets; i++) {
                if (ip_prefix_parse(o->subnets[i], &p->subnets[i]) < 0)
                        return cor_fail(err, COR_INVALID, "invalid subnet: invalid CIDR address: %.100s",
                                        o->subnets[i]);
                for (size_t k = 0; k < i; k++)
                        if (ip_prefix_overlaps(&p->subnets[i], &p->subnets[k]))
                                return cor_fail(err, COR_INVALID,
                                                "multiple overlapping subnet configuration is not supported");
                p->items[i].subnet = o->subnets[i];
                p->n_items++;
        }
        return 0;
}

/* The one that @text lies in, or NULL */
static struct docker_ipam_pool *pool_of(const struct pools *p, const char *text)
{
        struct ip_prefix a;

        if (ip_parse_maybe_prefix(text, &a) < 0)
                return NULL;
        for (size_t i = 0; i < p->n_items; i++)
                if (p->subnets[i].ip.len == a.ip.len && ip_prefix_contains(&p->subnets[i], &a.ip))
                        return &p->items[i];
        return NULL;
}

static int read_ranges(const struct create_options *o, const struct pools *p, struct cor_err *err)
{
        for (size_t i = 0; i < o->n_ip_ranges; i++) {
                struct docker_ipam_pool *pool = pool_of(p, o->ip_ranges[i]);

                if (!pool)
                        return cor_fail(err, COR_INVALID, "no matching subnet for range %.100s", o->ip_ranges[i]);
                if (pool->ip_range)
                        return cor_fail(err, COR_INVALID,
                                        "cannot configure multiple ranges (%.60s, %.60s) on the same subnet (%.60s)",
                                        o->ip_ranges[i], pool->ip_range, pool->subnet);
                pool->ip_range = o->ip_ranges[i];
        }
        return 0;
}

static int read_gateways(const struct create_options *o, const struct pools *p, struct cor_err *err)
{
        for (size_t i = 0; i < o->n_gateways; i++) {
                struct docker_ipam_pool *pool = pool_of(p, o->gateways[i]);

                if (!pool)
                        return cor_fail(err, COR_INVALID, "no matching subnet for gateway %.100s", o->gateways[i]);
                if (pool->gateway)
                        return cor_fail(err, COR_INVALID,
                                        "cannot configure multiple gateways (%.60s, %.60s) for the same subnet (%.60s)",
                                        o->gateways[i], pool->gateway, pool->subnet);
                pool->gateway = o->gateways[i];
        }
        return 0;
}

static struct cor_pair cut(char *word)
{
        char *value = strchr(word, '=');

        if (value)
                *value++ = '\0';
        return (struct cor_pair){ word, value ? value : "" };
}

static int read_aux(const struct create_options *o, const struct pools *p, struct cor_err *err)
{
        for (size_t i = 0; i < o->n_aux; i++) {
                const struct cor_pair one = cut(o->aux[i]);
                struct docker_ipam_pool *pool = pool_of(p, one.value);

                if (!pool)
                        return cor_fail(err, COR_INVALID, "no matching subnet for aux-address %.100s", one.value);
                *COR_GROW(pool->auxiliary, pool->n_auxiliary) = one;
        }
        return 0;
}

static int read_pools(const struct create_options *o, struct pools *p, struct cor_err *err)
{
        if (o->n_subnets < o->n_ip_ranges || o->n_subnets < o->n_gateways)
                return cor_fail(err, COR_INVALID, "every ip-range or gateway must have a corresponding subnet");
        return read_subnets(o, p, err) < 0 || read_ranges(o, p, err) < 0 || read_gateways(o, p, err) < 0 ||
                               read_aux(o, p, err) < 0
                       ? -1
                       : 0;
}

/* ---- options and labels ---- */

struct pairs {
        struct cor_pair *items;
        size_t n_items;
};

static void pairs_done(struct pairs *p)
{
        free(p->items);
}

/* Each key once: the last value holds. */
static void add_pair(struct pairs *p, struct cor_pair one)
{
        for (size_t i = 0; i < p->n_items; i++)
                if (strcmp(p->items[i].key, one.key) == 0) {
                        p->items[i] = one;
                        return;
                }
        *COR_GROW(p->items, p->n_items) = one;
}

static int read_words(char *const *words, size_t n, const char *flag, struct pairs *p, struct cor_err *err)
{
        for (size_t i = 0; i < n; i++) {
                if (words[i][0] == '=' || !words[i][0])
                        return cor_fail(err, COR_INVALID, "invalid argument \"%.100s\" for \"--%s\" flag: no key",
                                        words[i], flag);
                add_pair(p, cut(words[i]));
        }
        return 0;
}

static int create(struct invocation *in, const struct docker_network *asked, struct cor_err *err)
{
        auto_text out = COR_TEXT_INIT;
        auto_engine e = { 0 };
        auto_str id = NULL;

        if (verb_engine(in, &e, err) < 0 || engine_create_network(&e, asked, &id, err) < 0)
                return -1;
        cor_text_printf(&out, "%s\n", id);
        return verb_print(&out, err);
}

static int run_create(struct invocation *in, struct cor_err *err)
{
        const struct create_options *o = in->options;
        COR_CLEANUP(pools_done) struct pools pools = { .n_items = 0 };
        COR_CLEANUP(pairs_done) struct pairs opts = { .n_items = 0 };
        COR_CLEANUP(pairs_done) struct pairs labels = { .n_items = 0 };
        COR_CLEANUP(pairs_done) struct pairs ipam_opts = { .n_items = 0 };
        struct docker_network n = {
                .name = in->args[0],
                .driver = o->driver,
                .scope = o->scope,
                .asked_ipv4 = o->ipv4,
                .asked_ipv6 = o->ipv6,
                .internal = o->internal,
                .attachable = o->attachable,
                .ingress = o->ingress,
                .config_only = o->config_only,
                .config_from.network = o->config_from,
                .ipam.driver = o->ipam_driver,
        };

        if (read_pools(o, &pools, err) < 0 || read_words(o->opts, o->n_opts, "opt", &opts, err) < 0 ||
            read_words(o->labels, o->n_labels, "label", &labels, err) < 0 ||
            read_words(o->ipam_opts, o->n_ipam_opts, "ipam-opt", &ipam_opts, err) < 0)
                return -1;
        n.ipam.config = pools.items;
        n.ipam.n_config = pools.n_items;
        n.ipam.options = ipam_opts.items;
        n.ipam.n_options = ipam_opts.n_items;
        n.options = opts.items;
        n.n_options = opts.n_items;
        n.labels = labels.items;
        n.n_labels = labels.n_items;
        return create(in, &n, err);
}

#define O struct create_options
static const struct option create_rows[] = {
        OPTION_ROW("attachable", 0, FLAG, O, attachable, "", 0, "Noted, and without meaning: there is no swarm"),
        OPTION_ROW_LIST("aux-address", 0, O, aux, n_aux, "map",
                        "NAME=ADDRESS that containers do not get: a router, a printer"),
        OPTION_ROW("config-from", 0, TEXT, O, config_from, "string", 0,
                   "The network made with --config-only that says the rest"),
        OPTION_ROW("config-only", 0, FLAG, O, config_only, "", 0, "Only a configuration, for others"),
        OPTION_ROW("driver", 'd', TEXT, O, driver, "string", 0, "Its driver: bridge, macvlan or ipvlan"),
        OPTION_ROW_LIST("gateway", 0, O, gateways, n_gateways, "strings", "The router's address in a subnet"),
        OPTION_ROW("ingress", 0, FLAG, O, ingress, "", 0, "Refused: there is no swarm"),
        OPTION_ROW("internal", 0, FLAG, O, internal, "", 0, "Nothing gets in or out of it"),
        OPTION_ROW_LIST("ip-range", 0, O, ip_ranges, n_ip_ranges, "strings",
                        "The part of a subnet that containers get addresses from"),
        OPTION_ROW("ipam-driver", 0, TEXT, O, ipam_driver, "string", 0, "What gives addresses: default"),
        OPTION_ROW_LIST("ipam-opt", 0, O, ipam_opts, n_ipam_opts, "map", "An option of the IPAM driver, KEY=VALUE"),
        OPTION_ROW("ipv4", 0, OPT_FLAG, O, ipv4, "", 0, "Addresses of IPv4, which is the default"),
        OPTION_ROW("ipv6", 0, OPT_FLAG, O, ipv6, "", 0, "Addresses of IPv6, too"),
        OPTION_ROW_LIST("label", 0, O, labels, n_labels, "list", "A label, KEY=VALUE"),
        OPTION_ROW_LIST("opt", 'o', O, opts, n_opts, "map", "An option of the driver, KEY=VALUE"),
        OPTION_ROW("scope", 0, TEXT, O, scope, "string", 0, "Its scope: local"),
        OPTION_ROW_LIST("subnet", 0, O, subnets, n_subnets, "strings",
                        "Its addresses, as 172.28.0.0/16; without it one is chosen that is free"),
};
#undef O

const struct verb verb_network_create = {
        .summary = "Make a network",
        .arguments = "NETWORK",
        .min_args = 1,
        .max_args = 1,
        .options_size = sizeof(struct create_options),
        .options = create_rows,
        .n_options = COR_COUNT(create_rows),
        .run = run_create,
};

/*
 * static: addresses that the configuration or the runtime names. Of the runtime's ways to name them the first that is
 * used counts: runtimeConfig.ips, args.cni.ips; CNI_ARGS adds to those of the configuration.
 */
#include <stdlib.h>
#include <string.h>

#include "cni/ipam.h"
#include "cni/plugins.h"
#include "cni/space.h"

struct static_address {
        const char *address, *gateway;
};
struct static_config {
        struct static_ipam {
                struct static_address *addresses;
                size_t n_addresses;
                struct cni_route *routes;
                size_t n_routes;
                struct cni_dns dns;
        } * ipam;
        struct ipam_args args;
        struct ipam_ips runtime;
};

static const struct cor_json_field address_fields[] = {
        COR_FIELD("address", STR, struct static_address, address, COR_JSON_REQUIRED),
        COR_FIELD("gateway", STR, struct static_address, gateway, 0),
};
static const struct cor_json_doc address_doc = COR_DOC(struct static_address, address_fields, NULL);

static const struct cor_json_field ipam_fields[] = {
        COR_FIELD_LIST_OF("addresses", LIST_OBJ, struct static_ipam, addresses, n_addresses, &address_doc, 0),
        COR_FIELD_LIST_OF("routes", LIST_OBJ, struct static_ipam, routes, n_routes, &cni_route_doc, 0),
        COR_FIELD_OBJ("dns", INLINE, struct static_ipam, dns, &cni_dns_doc, 0),
};
static const struct cor_json_doc ipam_doc = COR_DOC(struct static_ipam, ipam_fields, NULL);

static const struct cor_json_field fields[] = {
        COR_FIELD_OBJ("ipam", OBJ, struct static_config, ipam, &ipam_doc, COR_JSON_REQUIRED),
        COR_FIELD_OBJ("args", INLINE, struct static_config, args, &ipam_args_doc, 0),
        COR_FIELD_OBJ("runtimeConfig", INLINE, struct static_config, runtime, &ipam_ips_doc, 0),
};
static const struct cor_json_doc static_doc = COR_DOC(struct static_config, fields, NULL);

static int add(struct cni_result *r, const char *address, const char *gateway, const char *where, struct cor_err *err)
{
        struct ip_prefix p;
        struct cni_ip *ip;
        struct ip gw = { 0 };
        char text[IP_TEXT_BYTES];

        if (text_prefix(address, where, &p, err) < 0)
                return -1;
        if (gateway && gateway[0] && text_address(gateway, "ipam.addresses[].gateway", &gw, err) < 0)
                return -1;
        ip = cni_result_add_ip(r);
        ip->address = cor_json_strdup(r, ip_prefix_text(&p, text));
        ip->gateway = gw.len ? cor_json_strdup(r, ip_text(&gw, text)) : NULL;
        return 0;
}

static int add_list(struct cni_result *r, const char *const *ips, size_t n, const char *where, struct cor_err *err)
{
        for (size_t i = 0; i < n; i++)
                if (add(r, ips[i], NULL, where, err) < 0)
                        return -1;
        return 0;
}

static int set_gateway(struct cni_result *r, const char *text, struct cor_err *err)
{
        struct ip gateway;

        if (text_address(text, "CNI_ARGS: GATEWAY", &gateway, err) < 0)
                return -1;
        for (size_t i = 0; i < r->n_ips; i++) {
                struct ip_prefix p;

                if (ip_prefix_parse(r->ips[i].address, &p) == 0 && ip_prefix_contains(&p, &gateway))
                        r->ips[i].gateway = cor_json_strdup(r, text);
        }
        return 0;
}

/* Lists with commas. */
static int add_arguments(struct cni_call *c, struct cni_result *r, struct cor_err *err)
{
        static const char *const known[] = { "IP", "GATEWAY", "MAC", NULL };
        auto_str ips = NULL;
        auto_str gateways = NULL;
        char *cursor;

        if (cni_argument(c, known, "IP", &ips, err) < 0 || cni_argument(c, known, "GATEWAY", &gateways, err) < 0)
                return -1;
        cursor = ips;
        for (const char *ip; cursor && (ip = cor_split_next(&cursor, ','));)
                if (*ip && add(r, ip + strspn(ip, " "), NULL, "CNI_ARGS: IP", err) < 0)
                        return -1;
        cursor = gateways;
        for (const char *gw; cursor && (gw = cor_split_next(&cursor, ','));)
                if (*gw && set_gateway(r, gw + strspn(gw, " "), err) < 0)
                        return -1;
        return 0;
}

static int add_addresses(struct cni_call *c, const struct static_config *s, struct cni_result *r, struct cor_err *err)
{
        if (s->runtime.n_ips)
                return add_list(r, s->runtime.ips, s->runtime.n_ips, "runtimeConfig.ips", err);
        if (s->args.cni.n_ips)
                return add_list(r, s->args.cni.ips, s->args.cni.n_ips, "args.cni.ips", err);
        for (size_t i = 0; i < s->ipam->n_addresses; i++)
                if (add(r, s->ipam->addresses[i].address, s->ipam->addresses[i].gateway, "ipam.addresses[].address",
                        err) < 0)
                        return -1;
        return add_arguments(c, r, err);
}

static int check_families(struct cni_call *c, const struct cni_result *r, struct cor_err *err)
{
        size_t six = 0;

        for (size_t i = 0; i < r->n_ips; i++)
                six += strchr(r->ips[i].address, ':') != NULL;
        if (c->version < CNI_0_3_0 && (six > 1 || r->n_ips - six > 1))
                return cor_fail(err, COR_INVALID,
                                "ipam.addresses: version %s has no more than one address of each family",
                                cni_versions[c->version]);
        return 0;
}

static int add_routes(const struct static_ipam *ipam, struct cni_result *r, struct cor_err *err)
{
        for (size_t i = 0; i < ipam->n_routes; i++) {
                const struct cni_route *from = &ipam->routes[i];
                struct cni_route *to;
                struct ip_prefix dst;
                struct ip gw;

                if (text_prefix(from->dst, "dst", &dst, err) < 0 ||
                    (from->gw && from->gw[0] && text_address(from->gw, "gw", &gw, err) < 0))
                        return cor_wrap(err, "ipam.routes[%zu]", i);
                to = cni_result_add_route(r);
                *to = *from;
                to->dst = cor_json_strdup(r, from->dst);
                to->gw = from->gw ? cor_json_strdup(r, from->gw) : NULL;
        }
        return 0;
}

static int make_result(struct cni_call *c, struct cni_result **ret, struct cor_err *err)
{
        auto_json struct cni_result *r = cni_result_new();
        auto_json struct static_config *s = NULL;
        struct cni_config with_dns = *c->config;
        struct cni_call inner = *c;

        if (cni_load(c, &static_doc, &s, err) < 0)
                return -1;
        if (add_addresses(c, s, r, err) < 0 || check_families(c, r, err) < 0 || add_routes(s->ipam, r, err) < 0)
                return -1;
        with_dns.dns = s->ipam->dns;
        inner.config = &with_dns;
        result_take_dns(&inner, r);
        *ret = COR_TAKE(r);
        return 0;
}

int static_add(struct cni_call *c, struct cni_result **ret, struct cor_err *err)
{
        return make_result(c, ret, err);
}

static int compare_texts(const void *a, const void *b)
{
        return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The addresses of a result as we write them, in order. */
static void sort_addresses(struct cni_result *r, const char ***ret)
{
        *ret = cor_json_alloc(r, (r->n_ips + 1) * sizeof **ret);
        for (size_t i = 0; i < r->n_ips; i++) {
                struct ip_prefix p;
                char text[IP_TEXT_BYTES];

                (*ret)[i] =
                        ip_prefix_parse(r->ips[i].address, &p) == 0 ? cor_json_strdup(r, ip_prefix_text(&p, text)) : "";
        }
        if (r->n_ips > 1)
                qsort(*ret, r->n_ips, sizeof **ret, compare_texts);
}

/* What is configured is what prevResult says. */
int static_check(struct cni_call *c, struct cor_err *err)
{
        auto_json struct cni_result *previous = NULL;
        auto_json struct cni_result *own = NULL;
        const char **there;

        if (make_result(c, &own, err) < 0 || cni_previous(c, &previous, err) < 0)
                return -1;
        sort_addresses(previous, &there);
        for (size_t i = 0; i < own->n_ips; i++)
                if (!bsearch(&own->ips[i].address, there, previous->n_ips, sizeof *there, compare_texts))
                        return cor_fail(err, COR_NOT_FOUND, "prevResult: ips lacks the address %s",
                                        own->ips[i].address);
        return 0;
}

#include "cni/host_local.h"

#include <string.h>

#include "cni/space.h"

/* -------------------------------------------------------------------------------------------------------- documents */

static const struct cor_json_field range_fields[] = {
        COR_FIELD("subnet", STR, struct pool_range, subnet_text, COR_JSON_REQUIRED),
        COR_FIELD("rangeStart", STR, struct pool_range, start_text, 0),
        COR_FIELD("rangeEnd", STR, struct pool_range, end_text, 0),
        COR_FIELD("gateway", STR, struct pool_range, gateway_text, 0),
};
static const struct cor_json_doc range_doc = COR_DOC(struct pool_range, range_fields, NULL);

static const struct cor_json_field pool_fields[] = {
        COR_FIELD_LIST_OF("ranges", LIST_OBJ, struct pool, ranges, n_ranges, &range_doc, 0),
};
static const struct cor_json_doc pool_doc = {
        .size = sizeof(struct pool), .fields = pool_fields, .n_fields = COR_COUNT(pool_fields), .bare = true
};

static const struct cor_json_field ipam_fields[] = {
        COR_FIELD("subnet", STR, struct host_local_ipam, subnet_text, 0),
        COR_FIELD("rangeStart", STR, struct host_local_ipam, start_text, 0),
        COR_FIELD("rangeEnd", STR, struct host_local_ipam, end_text, 0),
        COR_FIELD("gateway", STR, struct host_local_ipam, gateway_text, 0),
        COR_FIELD_LIST_OF("ranges", LIST_OBJ, struct host_local_ipam, pools, n_pools, &pool_doc, 0),
        COR_FIELD_LIST_OF("routes", LIST_OBJ, struct host_local_ipam, routes, n_routes, &cni_route_doc, 0),
        COR_FIELD("dataDir", STR, struct host_local_ipam, data_dir, 0),
        COR_FIELD("resolvConf", STR, struct host_local_ipam, resolv_conf, 0),
};
static const struct cor_json_doc ipam_doc = COR_DOC(struct host_local_ipam, ipam_fields, NULL);

typedef __typeof__(((struct host_local *)NULL)->runtime) runtime_t;
static const struct cor_json_field runtime_fields[] = {
        COR_FIELD_LIST("ips", LIST_STR, runtime_t, ips, n_ips, 0),
        COR_FIELD_LIST_OF("ipRanges", LIST_OBJ, runtime_t, pools, n_pools, &pool_doc, 0),
};
static const struct cor_json_doc runtime_doc = COR_DOC(runtime_t, runtime_fields, NULL);

static const struct cor_json_field fields[] = {
        COR_FIELD_OBJ("ipam", OBJ, struct host_local, ipam, &ipam_doc, COR_JSON_REQUIRED),
        COR_FIELD_OBJ("args", INLINE, struct host_local, args, &ipam_args_doc, 0),
        COR_FIELD_OBJ("runtimeConfig", INLINE, struct host_local, runtime, &runtime_doc, 0),
};
const struct cor_json_doc host_local_doc = COR_DOC(struct host_local, fields, NULL);

/* ----------------------------------------------------------------------------------------------------------- ranges */

bool pool_range_has(const struct pool_range *r, const struct ip *a)
{
        return ip_prefix_contains(&r->subnet, a) && ip_compare(a, &r->start) >= 0 && ip_compare(a, &r->end) <= 0;
}

const struct pool_range *pool_find(const struct pool *p, const struct ip *a)
{
        for (size_t i = 0; i < p->n_ranges; i++)
                if (pool_range_has(&p->ranges[i], a))
                        return &p->ranges[i];
        return NULL;
}

static int inside(const char *text, const char *key, const struct ip_prefix *subnet, struct ip *ret,
                  struct cor_err *err)
{
        char shown[IP_TEXT_BYTES];

        if (text_address(text, key, ret, err) < 0)
                return -1;
        if (ip_prefix_contains(subnet, ret))
                return 0;
        return cor_fail(err, COR_INVALID, "%s: %s is not in the subnet %s", key, text, ip_prefix_text(subnet, shown));
}

/* The first address is a subnet's own, the last one of IPv4 its broadcast address. */
static int fill_range(struct pool_range *r, struct cor_err *err)
{
        struct ip network;
        char text[IP_TEXT_BYTES];

        if (text_prefix(r->subnet_text, "subnet", &r->subnet, err) < 0)
                return -1;
        if (r->subnet.bits > r->subnet.ip.len * 8 - 2)
                return cor_fail(err, COR_INVALID, "subnet: %s is too small to allocate from", r->subnet_text);
        network = ip_prefix_network(&r->subnet);
        if (!ip_equal(&network, &r->subnet.ip))
                return cor_fail(err, COR_INVALID, "subnet: %s has host bits set; its network is %s/%u", r->subnet_text,
                                ip_text(&network, text), (unsigned)r->subnet.bits);
        r->gateway = r->start = ip_next(&network);
        r->end = ip_prefix_last(&r->subnet);
        if (ip_is_4(&r->end))
                r->end.bytes[3]--;
        if (r->gateway_text && text_address(r->gateway_text, "gateway", &r->gateway, err) < 0)
                return -1;
        if (r->start_text && inside(r->start_text, "rangeStart", &r->subnet, &r->start, err) < 0)
                return -1;
        if (r->end_text && inside(r->end_text, "rangeEnd", &r->subnet, &r->end, err) < 0)
                return -1;
        if (ip_compare(&r->start, &r->end) > 0)
                return cor_fail(err, COR_INVALID, "rangeEnd: %s is before rangeStart", ip_text(&r->end, text));
        return 0;
}

static bool overlap(const struct pool_range *a, const struct pool_range *b)
{
        return a->start.len == b->start.len && ip_compare(&a->start, &b->end) <= 0 &&
               ip_compare(&b->start, &a->end) <= 0;
}

static int check_pool(struct host_local *h, size_t i, struct cor_err *err)
{
        struct pool *p = &h->pools[i];

        if (p->n_ranges == 0)
                return cor_fail(err, COR_INVALID, "ipam.ranges[%zu]: is empty", i);
        for (size_t j = 0; j < p->n_ranges; j++) {
                if (fill_range(&p->ranges[j], err) < 0)
                        return cor_wrap(err, "ipam.ranges[%zu][%zu]", i, j);
                if (p->ranges[j].start.len != p->ranges[0].start.len)
                        return cor_fail(err, COR_INVALID, "ipam.ranges[%zu][%zu]: is of another family than [0]", i, j);
                for (size_t k = 0; k <= i; k++)
                        for (size_t l = 0; l < (k < i ? h->pools[k].n_ranges : j); l++)
                                if (overlap(&p->ranges[j], &h->pools[k].ranges[l]))
                                        return cor_fail(err, COR_INVALID,
                                                        "ipam.ranges[%zu][%zu]: overlaps with ranges[%zu][%zu]", i, j,
                                                        k, l);
        }
        return 0;
}

/* Those of the runtime come first, then the single range of the old form, then the list. */
static void collect_pools(struct host_local *h)
{
        const struct host_local_ipam *ipam = h->ipam;
        size_t n = h->runtime.n_pools + (ipam->subnet_text ? 1 : 0) + ipam->n_pools;
        struct pool *p = h->pools = cor_json_alloc(h, (n + 1) * sizeof *p);

        for (size_t i = 0; i < h->runtime.n_pools; i++)
                *p++ = h->runtime.pools[i];
        if (ipam->subnet_text) {
                *p = (struct pool){ .ranges = cor_json_alloc(h, sizeof *p->ranges), .n_ranges = 1 };
                *p++->ranges = (struct pool_range){ .subnet_text = ipam->subnet_text,
                                                    .start_text = ipam->start_text,
                                                    .end_text = ipam->end_text,
                                                    .gateway_text = ipam->gateway_text };
        }
        for (size_t i = 0; i < ipam->n_pools; i++)
                *p++ = ipam->pools[i];
        h->n_pools = n;
}

static int check_pools(struct cni_call *c, struct host_local *h, struct cor_err *err)
{
        size_t four = 0;

        if (h->n_pools == 0)
                return cor_fail(err, COR_INVALID, "ipam.ranges: no range of addresses is given");
        for (size_t i = 0; i < h->n_pools; i++) {
                if (check_pool(h, i, err) < 0)
                        return -1;
                four += ip_is_4(&h->pools[i].ranges[0].start);
        }
        if (c->version < CNI_0_3_0 && (four > 1 || h->n_pools - four > 1))
                return cor_fail(err, COR_INVALID, "ipam.ranges: version %s has no more than one address of each family",
                                cni_versions[c->version]);
        return 0;
}

/* --------------------------------------------------------------------------------------------- particular addresses */

static int want(struct host_local *h, const char *text, const char *where, struct cor_err *err)
{
        struct ip_prefix p;

        if (ip_parse_maybe_prefix(text, &p) < 0)
                return cor_fail(err, COR_INVALID, "%s: \"%.64s\" is no IP address", where, text);
        for (size_t i = 0; i < h->n_wanted; i++)
                if (ip_equal(&h->wanted[i], &p.ip))
                        return 0;
        h->wanted[h->n_wanted++] = p.ip;
        return 0;
}

static int collect_wanted(struct cni_call *c, struct host_local *h, struct cor_err *err)
{
        static const char *const known[] = { "IP", "GATEWAY", "MAC", NULL };
        auto_str argument = NULL;

        h->wanted = cor_json_alloc(h, (1 + h->args.cni.n_ips + h->runtime.n_ips) * sizeof *h->wanted);
        if (cni_argument(c, known, "IP", &argument, err) < 0)
                return -1;
        if (argument && argument[0] && want(h, argument, "CNI_ARGS: IP", err) < 0)
                return -1;
        for (size_t i = 0; i < h->args.cni.n_ips; i++)
                if (want(h, h->args.cni.ips[i], "args.cni.ips", err) < 0)
                        return -1;
        for (size_t i = 0; i < h->runtime.n_ips; i++)
                if (want(h, h->runtime.ips[i], "runtimeConfig.ips", err) < 0)
                        return -1;
        return 0;
}

static int check_routes(const struct host_local_ipam *ipam, struct cor_err *err)
{
        for (size_t i = 0; i < ipam->n_routes; i++) {
                const struct cni_route *r = &ipam->routes[i];
                struct ip_prefix dst;
                struct ip gw;

                if (text_prefix(r->dst, "dst", &dst, err) < 0 || (r->gw && text_address(r->gw, "gw", &gw, err) < 0))
                        return cor_wrap(err, "ipam.routes[%zu]", i);
        }
        return 0;
}

int host_local_load(struct cni_call *c, struct host_local **ret, struct cor_err *err)
{
        auto_json struct host_local *h = NULL;

        if (cni_load(c, &host_local_doc, &h, err) < 0)
                return -1;
        collect_pools(h);
        if (check_pools(c, h, err) < 0 || check_routes(h->ipam, err) < 0 || collect_wanted(c, h, err) < 0)
                return -1;
        *ret = COR_TAKE(h);
        return 0;
}

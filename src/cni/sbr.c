/*
 * sbr: routing by source. What has an address of this interface as its source is routed by a table of its own, which
 * gets the interface's routes; so a container with several interfaces answers by the one it was asked on.
 */
#include <errno.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>

#include "base/fd.h"
#include "base/lock.h"
#include "base/log.h"
#include "cni/plugins.h"
#include "cni/space.h"
#include "linux/route.h"

enum { FIRST_TABLE = 100, LOCK_MS = 60000 };

struct sbr {
        struct cor_opt_u64 table;
        const char **gateways;
        size_t n_gateways;
        bool add_source_hints;
        struct ip by_family[2]; /* what the gateways are: of IPv4, of IPv6 */
};
static const struct cor_json_field fields[] = {
        COR_FIELD("table", OPT_U32, struct sbr, table, 0),
        COR_FIELD_LIST("gateways", LIST_STR, struct sbr, gateways, n_gateways, 0),
        COR_FIELD("addSourceHints", BOOL, struct sbr, add_source_hints, 0),
};
static const struct cor_json_doc sbr_doc = COR_DOC(struct sbr, fields, NULL);

static int load(struct cni_call *c, struct sbr **ret, struct cor_err *err)
{
        auto_json struct sbr *s = NULL;

        if (cni_load(c, &sbr_doc, &s, err) < 0)
                return -1;
        for (size_t i = 0; i < s->n_gateways; i++) {
                struct ip a, *to;

                if (text_address(s->gateways[i], "gateways", &a, err) < 0)
                        return -1;
                to = &s->by_family[!ip_is_4(&a)];
                if (to->len)
                        return cor_fail(err, COR_INVALID, "gateways: more than one address of a family");
                *to = a;
        }
        *ret = COR_TAKE(s);
        return 0;
}

/* Several interfaces of a container may be made at once, and each looks for a table: one after another. */
static int lock(struct space *s, struct cor_err *err)
{
        int held = cor_flock(s->netns, LOCK_MS, err);

        if (held == 0)
                return cor_fail(err, COR_BUSY, "another process keeps the container's network namespace locked");
        return held < 0 ? -1 : 0;
}

static bool is_own(const struct cni_call *c, const struct cni_result *r, const struct cni_ip *ip)
{
        return ip->interface.set && ip->interface.value < r->n_interfaces &&
               cor_streq(r->interfaces[ip->interface.value].name, c->ifname) &&
               cor_streq(r->interfaces[ip->interface.value].sandbox, c->netns);
}

static struct route_rule rule_of(const struct ip *a, uint32_t table)
{
        return (struct route_rule){ .src = { .ip = *a, .bits = (uint8_t)(a->len * 8) }, .table = table };
}

/* The first table from @table on that no rule leads to and no route is in. */
static int free_table(struct space *s, uint32_t table, uint32_t *ret, struct cor_err *err)
{
        struct route_rule *rules auto_free = NULL;
        struct route *routes auto_free = NULL;
        size_t n_rules, n_routes;
        bool taken = true;

        if (route_rule_list(s->inside, AF_UNSPEC, &rules, &n_rules, err) < 0 ||
            route_list(s->inside, AF_UNSPEC, 0, &routes, &n_routes, err) < 0)
                return -1;
        for (; taken; table += taken) {
                taken = table == RT_TABLE_DEFAULT || table == RT_TABLE_MAIN || table == RT_TABLE_LOCAL;
                for (size_t i = 0; i < n_rules; i++)
                        taken = taken || rules[i].table == table;
                for (size_t i = 0; i < n_routes; i++)
                        taken = taken || routes[i].table == table;
        }
        *ret = table;
        return 0;
}

static bool belongs(const struct route *r, const struct ip_prefix *address)
{
        if (ip_family(&r->dst.ip) != ip_family(&address->ip) || r->type != RTN_UNICAST)
                return false;
        return (!r->source.len && !r->gateway.len) || (r->source.len && ip_prefix_contains(address, &r->source)) ||
               (r->gateway.len && ip_prefix_contains(address, &r->gateway));
}

static int copy_routes(struct space *s, const struct route *routes, size_t n, int index,
                       const struct ip_prefix *address, uint32_t table, struct cor_err *err)
{
        for (size_t i = 0; i < n; i++) {
                struct route r = routes[i];

                if (r.index != index || !belongs(&r, address))
                        continue;
                r.table = table;
                r.flags = 0;
                if (route_replace(s->inside, &r, err) < 0)
                        return -1;
        }
        return 0;
}

static int set_up_address(struct space *s, const struct sbr *sbr, const struct cni_ip *said, const struct route *routes,
                          size_t n_routes, int index, uint32_t table, struct cor_err *err)
{
        struct route to_gateway = { .index = index, .table = table };
        struct ip_prefix address;
        struct route_rule rule;

        if (text_prefix(said->address, "prevResult: ips[].address", &address, err) < 0)
                return -1;
        rule = rule_of(&address.ip, table);
        if (route_rule_add(s->inside, &rule, err) < 0 ||
            copy_routes(s, routes, n_routes, index, &address, table, err) < 0)
                return -1;
        to_gateway.gateway = sbr->by_family[!ip_is_4(&address.ip)];
        if (!to_gateway.gateway.len && said->gateway && said->gateway[0] &&
            text_address(said->gateway, "prevResult: ips[].gateway", &to_gateway.gateway, err) < 0)
                return -1;
        if (!to_gateway.gateway.len)
                return 0;
        to_gateway.dst.ip.len = address.ip.len;
        return route_replace(s->inside, &to_gateway, err);
}

/* In the main table nothing of it stays, but with addSourceHints the routes to its networks, with their source. */
static int clear_main(struct space *s, const struct sbr *sbr, const struct route *routes, size_t n, int index,
                      struct cor_err *err)
{
        for (size_t i = 0; i < n; i++) {
                struct cor_err failed = { 0 };
                const struct route *r = &routes[i];

                if (r->index != index || (sbr->add_source_hints && !r->gateway.len))
                        continue;
                if (r->dst.ip.len == 16 && r->dst.ip.bytes[0] == 0xfe &&
                    r->dst.bits == 64) /* link-local ones are needed */
                        continue;
                if (route_remove(s->inside, r, &failed) < 0) {
                        *err = failed;
                        return -1;
                }
        }
        return 0;
}

static int hint_sources(struct cni_call *c, struct space *s, const struct cni_result *r, int index, struct cor_err *err)
{
        for (size_t i = 0; i < r->n_ips; i++) {
                struct ip_prefix a;
                struct route route;

                if (!is_own(c, r, &r->ips[i]))
                        continue;
                if (text_prefix(r->ips[i].address, "prevResult: ips[].address", &a, err) < 0)
                        return -1;
                route = (struct route){ .dst = { .ip = ip_prefix_network(&a), .bits = a.bits },
                                        .index = index,
                                        .source = a.ip,
                                        .scope = ip_is_4(&a.ip) ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE };
                if (route_replace(s->inside, &route, err) < 0)
                        return -1;
        }
        return 0;
}

static int move_routes(struct cni_call *c, struct space *s, const struct sbr *sbr, const struct cni_result *r,
                       struct cor_err *err)
{
        struct route *routes auto_free = NULL;
        uint32_t table = FIRST_TABLE;
        struct link l;
        size_t n;

        if (link_get(s->inside, c->ifname, &l, err) < 0 ||
            route_list(s->inside, AF_UNSPEC, RT_TABLE_MAIN, &routes, &n, err) < 0)
                return -1;
        for (size_t i = 0; i < r->n_ips; i++) {
                if (!is_own(c, r, &r->ips[i]))
                        continue;
                if (free_table(s, table, &table, err) < 0 ||
                    set_up_address(s, sbr, &r->ips[i], routes, n, l.index, table, err) < 0)
                        return -1;
                table++;
        }
        if (clear_main(s, sbr, routes, n, l.index, err) < 0)
                return -1;
        return sbr->add_source_hints ? hint_sources(c, s, r, l.index, err) : 0;
}

/* The table is somebody else's business: only rules that lead there. */
static int add_rules(struct cni_call *c, struct space *s, uint32_t table, const struct cni_result *r,
                     struct cor_err *err)
{
        for (size_t i = 0; i < r->n_ips; i++) {
                struct route_rule rule;
                struct ip_prefix a;

                if (!is_own(c, r, &r->ips[i]))
                        continue;
                if (text_prefix(r->ips[i].address, "prevResult: ips[].address", &a, err) < 0)
                        return -1;
                rule = rule_of(&a.ip, table);
                if (route_rule_add(s->inside, &rule, err) < 0)
                        return -1;
        }
        return 0;
}

int sbr_add(struct cni_call *c, struct cni_result **ret, struct cor_err *err)
{
        auto_json struct cni_result *r = NULL;
        auto_json struct sbr *sbr = NULL;
        auto_space s = SPACE_INIT;

        if (load(c, &sbr, err) < 0 || cni_previous(c, &r, err) < 0 || space_open(c, &s, err) < 0 || lock(&s, err) < 0)
                return -1;
        if ((sbr->table.set ? add_rules(c, &s, (uint32_t)sbr->table.value, r, err) : move_routes(c, &s, sbr, r, err)) <
            0) {
                struct cor_err later = { 0 };

                cor_fd_close(&s.netns);
                if (sbr_del(c, &later) < 0)
                        cor_warn("%s", later.msg);
                return -1;
        }
        *ret = COR_TAKE(r);
        return 0;
}

static int drop_rules(struct space *s, int index, const struct sbr *sbr, struct cor_err *err)
{
        struct route_rule *rules auto_free = NULL;
        struct address *addresses auto_free = NULL;
        size_t n_rules, n_addresses;

        if (route_rule_list(s->inside, AF_UNSPEC, &rules, &n_rules, err) < 0 ||
            address_list(s->inside, index, AF_UNSPEC, &addresses, &n_addresses, err) < 0)
                return -1;
        for (size_t i = 0; i < n_rules; i++)
                for (size_t j = 0; j < n_addresses; j++) {
                        if (!rules[i].src.ip.len || !ip_equal(&rules[i].src.ip, &addresses[j].ip.ip) ||
                            (sbr->table.set && rules[i].table != sbr->table.value))
                                continue;
                        if (route_rule_remove(s->inside, &rules[i], err) < 0)
                                return -1;
                        break;
                }
        return 0;
}

int sbr_del(struct cni_call *c, struct cor_err *err)
{
        auto_json struct sbr *sbr = NULL;
        auto_space s = SPACE_INIT;
        struct link l;
        int found;

        if (load(c, &sbr, err) < 0)
                return -1;
        found = space_find(c, &s, err);
        if (found > 0)
                found = lock(&s, err) < 0 ? -1 : link_find(s.inside, c->ifname, &l, err);
        return found > 0 ? drop_rules(&s, l.index, sbr, err) : found;
}

int sbr_check(struct cni_call *c, struct cor_err *err)
{
        auto_json struct cni_result *r = NULL;
        auto_json struct sbr *sbr = NULL;
        struct route_rule *rules auto_free = NULL;
        auto_space s = SPACE_INIT;
        size_t n;

        if (load(c, &sbr, err) < 0 || cni_previous(c, &r, err) < 0 || space_open(c, &s, err) < 0 ||
            route_rule_list(s.inside, AF_UNSPEC, &rules, &n, err) < 0)
                return -1;
        for (size_t i = 0; i < r->n_ips; i++) {
                bool found = !is_own(c, r, &r->ips[i]);
                struct ip_prefix a;

                if (text_prefix(r->ips[i].address, "prevResult: ips[].address", &a, err) < 0)
                        return -1;
                for (size_t j = 0; j < n && !found; j++)
                        found = rules[j].src.ip.len && ip_equal(&rules[j].src.ip, &a.ip) &&
                                (!sbr->table.set || rules[j].table == sbr->table.value);
                if (!found)
                        return cor_fail(err, COR_NOT_FOUND, "the rule for what comes from %s is gone",
                                        r->ips[i].address);
        }
        return 0;
}

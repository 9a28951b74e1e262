#include "linux/route_internal.h"

#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

/* An address of @family; anything of another length is none. */
static void take_ip(const struct netlink_attr *a, int family, struct ip *ret)
{
        size_t len = family == AF_INET ? 4 : 16;

        if ((family != AF_INET && family != AF_INET6) || a->len != len)
                return;
        *ret = (struct ip){ .len = (uint8_t)len };
        memcpy(ret->bytes, a->data, len);
}

static void put_ip(struct netlink_request *r, uint16_t type, const struct ip *a)
{
        if (a->len)
                netlink_put(r, type, a->bytes, a->len);
}

/* -------------------------------------------------------------------------------------------------------- addresses */

bool address_read(const struct netlink_message *m, struct address *ret)
{
        struct ip local = { 0 }, other = { 0 };
        struct netlink_cursor c;
        struct netlink_attr a;
        struct ifaddrmsg h;

        if (m->type != RTM_NEWADDR || !netlink_header(m, &h, sizeof h, &c))
                return false;
        *ret = (struct address){ .index = (int)h.ifa_index, .scope = h.ifa_scope, .flags = h.ifa_flags };
        while (netlink_next_attr(&c, &a)) {
                if (a.type == IFA_LOCAL)
                        take_ip(&a, h.ifa_family, &local);
                else if (a.type == IFA_ADDRESS)
                        take_ip(&a, h.ifa_family, &other);
                else if (a.type == IFA_BROADCAST)
                        take_ip(&a, h.ifa_family, &ret->broadcast);
                else if (a.type == IFA_FLAGS)
                        ret->flags = netlink_u32(&a, ret->flags);
        }
        ret->ip.ip = local.len ? local : other;
        if (ret->ip.ip.len == 0 || h.ifa_prefixlen > ret->ip.ip.len * 8)
                return false;
        ret->ip.bits = h.ifa_prefixlen;
        return true;
}

static void put_address(struct netlink_request *r, uint16_t type, uint16_t flags, const struct address *a)
{
        const struct ifaddrmsg h = {
                .ifa_family = (uint8_t)ip_family(&a->ip.ip),
                .ifa_prefixlen = a->ip.bits,
                .ifa_scope = a->scope,
                .ifa_index = (unsigned)a->index,
        };

        netlink_begin(r, type, flags, &h, sizeof h);
        put_ip(r, IFA_LOCAL, &a->ip.ip);
        put_ip(r, IFA_ADDRESS, &a->ip.ip);
        put_ip(r, IFA_BROADCAST, &a->broadcast);
        if (a->flags)
                netlink_put_u32(r, IFA_FLAGS, a->flags);
}

void address_make(struct netlink_request *r, const struct address *a)
{
        put_address(r, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, a);
}

void address_make_removal(struct netlink_request *r, const struct address *a)
{
        struct address plain = { .index = a->index, .ip = a->ip };

        put_address(r, RTM_DELADDR, 0, &plain);
}

/* ----------------------------------------------------------------------------------------------------------- routes */

static void take_metrics(struct netlink_cursor c, struct route *ret)
{
        struct netlink_attr a;

        while (netlink_next_attr(&c, &a)) {
                if (a.type == RTAX_MTU)
                        ret->mtu = netlink_u32(&a, 0);
                else if (a.type == RTAX_ADVMSS)
                        ret->advmss = netlink_u32(&a, 0);
        }
}

/* The first of several next hops. */
static void take_hops(const struct netlink_attr *hops, int family, struct route *ret)
{
        struct netlink_cursor c = netlink_inside(hops);
        struct netlink_attr a;
        struct rtnexthop h;

        if (c.left < sizeof h)
                return;
        memcpy(&h, c.p, sizeof h);
        if (h.rtnh_len < sizeof h || h.rtnh_len > c.left)
                return;
        ret->several = true;
        ret->index = h.rtnh_ifindex;
        c = (struct netlink_cursor){ c.p + sizeof h, h.rtnh_len - sizeof h };
        while (netlink_next_attr(&c, &a))
                if (a.type == RTA_GATEWAY)
                        take_ip(&a, family, &ret->gateway);
}

bool route_read(const struct netlink_message *m, struct route *ret)
{
        struct netlink_cursor c;
        struct netlink_attr a;
        struct rtmsg h;

        if (m->type != RTM_NEWROUTE || !netlink_header(m, &h, sizeof h, &c) ||
            (h.rtm_family != AF_INET && h.rtm_family != AF_INET6) ||
            h.rtm_dst_len > (h.rtm_family == AF_INET ? 32 : 128))
                return false;
        *ret = (struct route){
                .dst = { .ip = { .len = h.rtm_family == AF_INET ? 4 : 16 }, .bits = h.rtm_dst_len },
                .table = h.rtm_table,
                .scope = h.rtm_scope,
                .protocol = h.rtm_protocol,
                .type = h.rtm_type,
                .flags = h.rtm_flags,
        };
        while (netlink_next_attr(&c, &a)) {
                if (a.type == RTA_DST)
                        take_ip(&a, h.rtm_family, &ret->dst.ip);
                else if (a.type == RTA_GATEWAY)
                        take_ip(&a, h.rtm_family, &ret->gateway);
                else if (a.type == RTA_PREFSRC)
                        take_ip(&a, h.rtm_family, &ret->source);
                else if (a.type == RTA_OIF)
                        ret->index = (int)netlink_u32(&a, 0);
                else if (a.type == RTA_PRIORITY)
                        ret->priority = netlink_u32(&a, 0);
                else if (a.type == RTA_TABLE)
                        ret->table = netlink_u32(&a, ret->table);
                else if (a.type == RTA_METRICS)
                        take_metrics(netlink_inside(&a), ret);
                else if (a.type == RTA_MULTIPATH)
                        take_hops(&a, h.rtm_family, ret);
        }
        return true;
}

static void put_metrics(struct netlink_request *r, const struct route *route)
{
        size_t nest;

        if (!route->mtu && !route->advmss)
                return;
        nest = netlink_nest(r, RTA_METRICS);
        if (route->mtu)
                netlink_put_u32(r, RTAX_MTU, route->mtu);
        if (route->advmss)
                netlink_put_u32(r, RTAX_ADVMSS, route->advmss);
        netlink_nest_end(r, nest);
}

void route_make(struct netlink_request *r, uint16_t type, uint16_t flags, const struct route *route)
{
        struct rtmsg h = {
                .rtm_family = (uint8_t)ip_family(&route->dst.ip),
                .rtm_dst_len = route->dst.bits,
                .rtm_table = RT_TABLE_UNSPEC,
                .rtm_protocol = route->protocol,
                .rtm_scope = route->scope,
                .rtm_type = route->type,
                .rtm_flags = route->flags,
        };

        if (type == RTM_DELROUTE) { /* what is not said does not matter */
                h.rtm_scope = route->scope ? route->scope : RT_SCOPE_NOWHERE;
        } else {
                h.rtm_protocol = route->protocol ? route->protocol : RTPROT_BOOT;
                h.rtm_type = route->type ? route->type : RTN_UNICAST;
        }
        netlink_begin(r, type, flags, &h, sizeof h);
        if (route->dst.bits)
                put_ip(r, RTA_DST, &route->dst.ip);
        put_ip(r, RTA_GATEWAY, &route->gateway);
        put_ip(r, RTA_PREFSRC, &route->source);
        netlink_put_u32(r, RTA_TABLE, route->table ? route->table : RT_TABLE_MAIN);
        if (route->index)
                netlink_put_u32(r, RTA_OIF, (uint32_t)route->index);
        if (route->priority)
                netlink_put_u32(r, RTA_PRIORITY, route->priority);
        put_metrics(r, route);
}

/* ------------------------------------------------------------------------------------------------------------ rules */

bool route_rule_read(const struct netlink_message *m, struct route_rule *ret)
{
        struct netlink_cursor c;
        struct netlink_attr a;
        struct fib_rule_hdr h;

        if (m->type != RTM_NEWRULE || !netlink_header(m, &h, sizeof h, &c) ||
            (h.family != AF_INET && h.family != AF_INET6))
                return false;
        *ret = (struct route_rule){ .family = h.family, .table = h.table };
        while (netlink_next_attr(&c, &a)) {
                if (a.type == FRA_SRC)
                        take_ip(&a, h.family, &ret->src.ip);
                else if (a.type == FRA_DST)
                        take_ip(&a, h.family, &ret->dst.ip);
                else if (a.type == FRA_TABLE)
                        ret->table = netlink_u32(&a, ret->table);
                else if (a.type == FRA_PRIORITY)
                        ret->priority = netlink_u32(&a, 0);
                else if (a.type == FRA_FWMARK)
                        ret->mark = netlink_u32(&a, 0);
        }
        ret->src.bits = ret->src.ip.len && h.src_len <= ret->src.ip.len * 8 ? h.src_len : 0;
        ret->dst.bits = ret->dst.ip.len && h.dst_len <= ret->dst.ip.len * 8 ? h.dst_len : 0;
        return true;
}

void route_rule_make(struct netlink_request *r, uint16_t type, uint16_t flags, const struct route_rule *rule)
{
        struct fib_rule_hdr h = { .family = rule->family, .action = FR_ACT_TO_TBL };

        if (rule->src.ip.len) {
                h.family = (uint8_t)ip_family(&rule->src.ip);
                h.src_len = rule->src.bits;
        }
        if (rule->dst.ip.len) {
                h.family = (uint8_t)ip_family(&rule->dst.ip);
                h.dst_len = rule->dst.bits;
        }
        netlink_begin(r, type, flags, &h, sizeof h);
        put_ip(r, FRA_SRC, &rule->src.ip);
        put_ip(r, FRA_DST, &rule->dst.ip);
        netlink_put_u32(r, FRA_TABLE, rule->table);
        if (rule->priority)
                netlink_put_u32(r, FRA_PRIORITY, rule->priority);
        if (rule->mark)
                netlink_put_u32(r, FRA_FWMARK, rule->mark);
}

/* ------------------------------------------------------------------------------------------------------- neighbours */

bool neighbour_read(const struct netlink_message *m, struct neighbour *ret)
{
        struct netlink_cursor c;
        struct netlink_attr a;
        struct ndmsg h;

        if (m->type != RTM_NEWNEIGH || !netlink_header(m, &h, sizeof h, &c))
                return false;
        *ret = (struct neighbour){ .index = h.ndm_ifindex, .state = h.ndm_state };
        while (netlink_next_attr(&c, &a)) {
                if (a.type == NDA_DST)
                        take_ip(&a, h.ndm_family, &ret->ip);
                else if (a.type == NDA_LLADDR && a.len <= sizeof ret->mac) {
                        ret->mac_len = (uint8_t)a.len;
                        memcpy(ret->mac, a.data, a.len);
                }
        }
        return true;
}

#include "linux/route.h"

#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "linux/netlink_list.h"
#include "linux/route_internal.h"

static int done(int sock, struct netlink_request *r, int harmless, struct cor_err *err)
{
        struct cor_err failed = { 0 };

        if (netlink_exchange(sock, r, NULL, NULL, &failed) == 0 || (harmless && failed.sys == harmless))
                return 0;
        if (err)
                *err = failed;
        return -1;
}

/* -------------------------------------------------------------------------------------------------------- addresses */

int address_add(int sock, const struct address *a, struct cor_err *err)
{
        struct netlink_request r;
        char text[IP_TEXT_BYTES];

        address_make(&r, a);
        return done(sock, &r, 0, err) < 0 ? cor_wrap(err, "add address %s", ip_prefix_text(&a->ip, text)) : 0;
}

int address_remove(int sock, const struct address *a, struct cor_err *err)
{
        struct netlink_request r;
        char text[IP_TEXT_BYTES];

        address_make_removal(&r, a);
        return done(sock, &r, EADDRNOTAVAIL, err) < 0 ? cor_wrap(err, "remove address %s", ip_prefix_text(&a->ip, text))
                                                      : 0;
}

static void take_address(const struct netlink_message *m, struct netlink_list *l)
{
        const int index = *(const int *)l->wanted;
        struct address a;

        if (address_read(m, &a) && (index == 0 || a.index == index))
                netlink_list_add(l, &a);
}

int address_list(int sock, int index, int family, struct address **ret, size_t *ret_n, struct cor_err *err)
{
        const struct ifaddrmsg h = { .ifa_family = (uint8_t)family, .ifa_index = (unsigned)index };
        struct netlink_list l = { .item_size = sizeof **ret, .take = take_address, .wanted = &index };
        struct netlink_request r;

        netlink_begin(&r, RTM_GETADDR, NLM_F_DUMP, &h, sizeof h);
        return netlink_list_get(sock, &r, &l, ret, ret_n, err) < 0 ? cor_wrap(err, "list addresses") : 0;
}

/* ----------------------------------------------------------------------------------------------------------- routes */

static int change_route(int sock, uint16_t type, uint16_t flags, const struct route *route, int harmless,
                        const char *verb, struct cor_err *err)
{
        char dst[IP_TEXT_BYTES];
        char via[IP_TEXT_BYTES];
        struct netlink_request r;

        route_make(&r, type, flags, route);
        if (done(sock, &r, harmless, err) == 0)
                return 0;
        return cor_wrap(err, "%s route %s%s%s", verb, ip_prefix_text(&route->dst, dst),
                        route->gateway.len ? " via " : "", ip_text(&route->gateway, via));
}

int route_add(int sock, const struct route *route, struct cor_err *err)
{
        return change_route(sock, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, route, 0, "add", err);
}

int route_append(int sock, const struct route *route, struct cor_err *err)
{
        return change_route(sock, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_APPEND, route, EEXIST, "append", err);
}

int route_replace(int sock, const struct route *route, struct cor_err *err)
{
        return change_route(sock, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, route, 0, "set", err);
}

int route_remove(int sock, const struct route *route, struct cor_err *err)
{
        return change_route(sock, RTM_DELROUTE, 0, route, ESRCH, "remove", err);
}

static void take_route(const struct netlink_message *m, struct netlink_list *l)
{
        const uint32_t table = *(const uint32_t *)l->wanted;
        struct route r;

        if (route_read(m, &r) && (table == 0 || r.table == table) && !(r.flags & RTM_F_CLONED))
                netlink_list_add(l, &r);
}

int route_list(int sock, int family, uint32_t table, struct route **ret, size_t *ret_n, struct cor_err *err)
{
        const struct rtmsg h = { .rtm_family = (uint8_t)family };
        struct netlink_list l = { .item_size = sizeof **ret, .take = take_route, .wanted = &table };
        struct cor_err failed = { 0 };
        struct netlink_request r;

        netlink_begin(&r, RTM_GETROUTE, NLM_F_DUMP, &h, sizeof h);
        if (table)
                netlink_put_u32(&r, RTA_TABLE, table);
        if (netlink_list_get(sock, &r, &l, ret, ret_n, &failed) == 0)
                return 0;
        if (failed.sys == ENOENT) { /* a table that nothing was ever put into */
                *ret = NULL;
                *ret_n = 0;
                return 0;
        }
        if (err)
                *err = failed;
        return cor_wrap(err, "list routes");
}

static int take_one(const struct netlink_message *m, void *data, struct cor_err *err)
{
        (void)err;
        (void)route_read(m, data);
        return 0;
}

int route_to(int sock, const struct ip *a, struct route *ret, struct cor_err *err)
{
        const struct rtmsg h = { .rtm_family = (uint8_t)ip_family(a), .rtm_dst_len = (uint8_t)(a->len * 8) };
        struct route found = { 0 };
        struct netlink_request r;
        char text[IP_TEXT_BYTES];

        netlink_begin(&r, RTM_GETROUTE, 0, &h, sizeof h);
        netlink_put(&r, RTA_DST, a->bytes, a->len);
        if (netlink_exchange(sock, &r, take_one, &found, err) < 0)
                return cor_wrap(err, "find the route to %s", ip_text(a, text));
        *ret = found;
        return 0;
}

/* ------------------------------------------------------------------------------------------------------------ rules */

int route_rule_add(int sock, const struct route_rule *rule, struct cor_err *err)
{
        struct netlink_request r;

        route_rule_make(&r, RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL, rule);
        return done(sock, &r, 0, err) < 0 ? cor_wrap(err, "add a rule for table %u", rule->table) : 0;
}

int route_rule_remove(int sock, const struct route_rule *rule, struct cor_err *err)
{
        struct netlink_request r;

        route_rule_make(&r, RTM_DELRULE, 0, rule);
        return done(sock, &r, ENOENT, err) < 0 ? cor_wrap(err, "remove a rule of table %u", rule->table) : 0;
}

static void take_rule(const struct netlink_message *m, struct netlink_list *l)
{
        struct route_rule r;

        if (route_rule_read(m, &r))
                netlink_list_add(l, &r);
}

int route_rule_list(int sock, int family, struct route_rule **ret, size_t *ret_n, struct cor_err *err)
{
        const struct fib_rule_hdr h = { .family = (uint8_t)family };
        struct netlink_list l = { .item_size = sizeof **ret, .take = take_rule };
        struct netlink_request r;

        netlink_begin(&r, RTM_GETRULE, NLM_F_DUMP, &h, sizeof h);
        return netlink_list_get(sock, &r, &l, ret, ret_n, err) < 0 ? cor_wrap(err, "list rules") : 0;
}

/* ------------------------------------------------------------------------------------------------------- neighbours */

int neighbour_set(int sock, const struct neighbour *n, struct cor_err *err)
{
        const struct ndmsg h = {
                .ndm_family = (uint8_t)ip_family(&n->ip),
                .ndm_ifindex = n->index,
                .ndm_state = n->state ? n->state : NUD_PERMANENT,
        };
        struct netlink_request r;

        netlink_begin(&r, RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE, &h, sizeof h);
        netlink_put(&r, NDA_DST, n->ip.bytes, n->ip.len);
        netlink_put(&r, NDA_LLADDR, n->mac, n->mac_len);
        return done(sock, &r, 0, err) < 0 ? cor_wrap(err, "set a neighbour") : 0;
}

static void take_neighbour(const struct netlink_message *m, struct netlink_list *l)
{
        const int index = *(const int *)l->wanted;
        struct neighbour n;

        if (neighbour_read(m, &n) && (index == 0 || n.index == index))
                netlink_list_add(l, &n);
}

int neighbour_list(int sock, int index, struct neighbour **ret, size_t *ret_n, struct cor_err *err)
{
        const struct ndmsg h = { .ndm_family = AF_UNSPEC };
        struct netlink_list l = { .item_size = sizeof **ret, .take = take_neighbour, .wanted = &index };
        struct netlink_request r;

        netlink_begin(&r, RTM_GETNEIGH, NLM_F_DUMP, &h, sizeof h);
        if (index)
                netlink_put_u32(&r, NDA_IFINDEX, (uint32_t)index);
        return netlink_list_get(sock, &r, &l, ret, ret_n, err) < 0 ? cor_wrap(err, "list neighbours") : 0;
}

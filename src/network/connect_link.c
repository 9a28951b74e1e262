/* The interface of one network in a container: a driver each, and what they have in common. */
#include "base/text.h"
#include "linux/link.h"
#include "linux/netns.h"
#include "linux/route.h"
#include "network/bridge.h"
#include "network/connect_internal.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#define ENDPOINT_SYSCTLS "com.docker.network.endpoint.sysctls"

/* ---------------------------------------------------------------------------------------------------------- parents */

/* "eth0.10" is made as VLAN 10 of eth0 if it is not there. */
static int make_vlan(const struct connecting *c, const struct network *n, struct link *ret, struct cor_err *err)
{
        auto_str below = cor_strndup(n->parent, (size_t)(strrchr(n->parent, '.') - n->parent));
        struct link_new l = { .name = n->parent,
                              .kind = "vlan",
                              .netns = -1,
                              .flags = IFF_UP,
                              .vlan = n->vlan,
                              .peer = { .netns = -1 } };
        struct link on;

        if (link_get(c->sock, below, &on, err) < 0)
                return -1;
        l.parent = on.index;
        return link_add(c->sock, &l, err) < 0 && err->kind != COR_EXISTS ? -1 : link_get(c->sock, n->parent, ret, err);
}

/* A network without a parent leads nowhere: its own stands alone. */
static int make_dummy(const struct connecting *c, const struct network *n, struct link *ret, struct cor_err *err)
{
        char name[LINK_NAME_BYTES];
        const struct link_new l = {
                .name = name, .kind = "dummy", .netns = -1, .flags = IFF_UP, .peer = { .netns = -1 }
        };
        int found;

        snprintf(name, sizeof name, "dm-%.12s", n->id);
        found = link_find(c->sock, name, ret, err);
        if (found != 0)
                return found < 0 ? -1 : 0;
        return link_add(c->sock, &l, err) < 0 && err->kind != COR_EXISTS ? -1 : link_get(c->sock, name, ret, err);
}

static int find_parent(const struct connecting *c, const struct network *n, int *ret, struct cor_err *err)
{
        struct link l;
        int found;

        if (!n->parent[0]) {
                if (make_dummy(c, n, &l, err) < 0)
                        return -1;
        } else {
                found = link_find(c->sock, n->parent, &l, err);
                if (found < 0 ||
                    (found == 0 && !n->vlan &&
                     cor_fail(err, COR_NOT_FOUND, "there is no interface %s", n->parent) < 0) ||
                    (found == 0 && make_vlan(c, n, &l, err) < 0))
                        return -1;
        }
        if (!(l.flags & IFF_UP) && link_set_up(c->sock, l.index, true, err) < 0)
                return -1;
        *ret = l.index;
        return 0;
}

int connect_parent(struct connecting *c, struct connection *n, struct cor_err *err)
{
        if (n->network->driver == NETWORK_BRIDGE)
                return bridge_open(c->container->store, c->run, c->sock, n->network, &n->parent, err);
        if (find_parent(c, n->network, &n->parent, err) < 0)
                return cor_wrap(err, "network %s", n->network->name);
        return 0;
}

/* ------------------------------------------------------------------------------------------------------- interfaces */

static int make_veth(const struct connecting *c, const struct connection *n, struct cor_err *err)
{
        const struct endpoint_row *r = &n->endpoint.row;
        struct link_new l = {
                .name = r->host_interface,
                .kind = "veth",
                .netns = -1,
                .master = n->parent,
                .flags = IFF_UP,
                .mtu = n->network->mtu,
                .peer = { .name = r->interface, .netns = c->netns, .mtu = n->network->mtu, .mac = n->mac },
        };
        struct link host;

        if (link_add(c->sock, &l, err) < 0)
                return -1;
        if (n->network->together)
                return 0;
        if (link_get(c->sock, r->host_interface, &host, err) < 0)
                return -1;
        return link_set_port(c->sock, host.index, IFLA_BRPORT_ISOLATED, true, err);
}

/* Made under a name of nobody's, since for a moment it is here. */
static int make_on_parent(const struct connecting *c, const struct connection *n, struct cor_err *err)
{
        bool is_macvlan = n->network->driver == NETWORK_MACVLAN;
        struct link_new l = {
                .name = n->endpoint.row.interface,
                .kind = is_macvlan ? "macvlan" : "ipvlan",
                .netns = c->netns,
                .parent = n->parent,
                .mtu = n->network->mtu,
                .mac = is_macvlan ? n->mac : NULL,
                .peer = { .netns = -1 },
        };

        if (is_macvlan) {
                l.macvlan_mode = n->network->mode;
        } else {
                l.ipvlan = true;
                l.ipvlan_mode = (uint16_t)n->network->mode;
        }
        return link_add(c->sock, &l, err);
}

static int set_one_sysctl(const char *interface, char *word, struct cor_err *err)
{
        static const char *const kinds[] = { "net.ipv4.conf.IFNAME.", "net.ipv6.conf.IFNAME.", "net.mpls.conf.IFNAME.",
                                             "net.ipv4.neigh.IFNAME.", "net.ipv6.neigh.IFNAME." };
        char *value = strchr(word, '='), path[160], *at = path;

        if (!value)
                return cor_fail(err, COR_INVALID, ENDPOINT_SYSCTLS ": %.60s: expected KEY=VALUE", word);
        *value++ = '\0';
        for (size_t i = 0; i < COR_COUNT(kinds); i++) {
                size_t n = strlen(kinds[i]);

                if (strncasecmp(word, kinds[i], n) != 0 || /* docker's command line has small letters only */
                    strspn(word + n, "abcdefghijklmnopqrstuvwxyz0123456789_") != strlen(word + n))
                        continue;
                at += snprintf(path, sizeof path, "%.*s", (int)(n - strlen("IFNAME.")), word);
                for (char *p = path; p < at; p++)
                        *p = *p == '.' ? '/' : *p;
                snprintf(at, sizeof path - (size_t)(at - path), "%s/%.60s", interface, word + n);
                return netns_sysctl(path, value, err);
        }
        return cor_fail(err, COR_INVALID,
                        ENDPOINT_SYSCTLS ": %.60s: expected a setting of an interface, net.ipv4.conf.IFNAME.…", word);
}

/* "net.ipv4.conf.IFNAME.log_martians=1,…" */
static int set_sysctls(const struct connection *n, struct cor_err *err)
{
        for (size_t i = 0; i < n->asked->n_driver_opts; i++) {
                const struct cor_pair *o = &n->asked->driver_opts[i];
                auto_str copy = NULL;
                char *cursor, *word;

                if (strcmp(o->key, ENDPOINT_SYSCTLS) != 0)
                        continue;
                copy = cursor = cor_strdup(o->value);
                while ((word = cor_split_next(&cursor, ',')) != NULL)
                        if (set_one_sysctl(n->endpoint.row.interface, word, err) < 0)
                                return -1;
        }
        return 0;
}

/* What has no socket is done in the container's namespace. */
static int visit(const struct connecting *c, const struct connection *n, struct cor_err *err)
{
        auto_netns_visit v = NETNS_VISIT_INIT;
        char path[64];

        if (!n->endpoint.has[1] && n->asked->n_driver_opts == 0)
                return 0;
        if (netns_enter(&v, c->netns, err) < 0)
                return -1;
        snprintf(path, sizeof path, "net/ipv6/conf/%s/disable_ipv6", n->endpoint.row.interface);
        if (n->endpoint.has[1] && netns_sysctl(path, "0", err) < 0)
                return -1;
        return set_sysctls(n, err);
}

static int give_address(const struct connecting *c, int index, const struct ip_prefix *ip, struct cor_err *err)
{
        struct address a = { .index = index, .ip = *ip };

        if (!ip->ip.len)
                return 0;
        if (ip_is_4(&ip->ip))
                a.broadcast = ip_prefix_last(ip);
        else
                a.flags = IFA_F_NODAD;
        return address_add(c->inside, &a, err);
}

static int set_up(const struct connecting *c, const struct connection *n, struct cor_err *err)
{
        struct link l;

        if (link_get(c->inside, n->endpoint.row.interface, &l, err) < 0 || visit(c, n, err) < 0)
                return -1;
        for (int i = 0; i < ENDPOINT_FAMILIES; i++)
                if (give_address(c, l.index, &n->endpoint.row.ip[i], err) < 0)
                        return -1;
        if (n->asked->ipam_config)
                for (size_t i = 0; i < n->asked->ipam_config->n_link_local_ips; i++) {
                        struct ip_prefix p;

                        if (ip_parse_maybe_prefix(n->asked->ipam_config->link_local_ips[i], &p) < 0)
                                return cor_fail(err, COR_INVALID, "invalid link-local IP address: %.60s",
                                                n->asked->ipam_config->link_local_ips[i]);
                        if (p.bits == p.ip.len * 8)
                                p.bits = ip_is_4(&p.ip) ? 16 : 64;
                        if (give_address(c, l.index, &p, err) < 0)
                                return -1;
                }
        return link_set_up(c->inside, l.index, true, err);
}

int connect_link(struct connecting *c, struct connection *n, struct cor_err *err)
{
        if ((n->network->driver == NETWORK_BRIDGE ? make_veth(c, n, err) : make_on_parent(c, n, err)) < 0)
                return cor_wrap(err, "network %s", n->network->name);
        n->made = true;
        return set_up(c, n, err) < 0 ? cor_wrap(err, "network %s", n->network->name) : 0;
}

void connect_undo(struct connecting *c, const struct connection *n)
{
        struct cor_err ignored;
        struct link l;

        if (n->made && link_find(c->inside, n->endpoint.row.interface, &l, &ignored) > 0)
                (void)!link_remove(c->inside, l.index, &ignored);
        else if (n->endpoint.row.host_interface && link_find(c->sock, n->endpoint.row.host_interface, &l, &ignored) > 0)
                (void)!link_remove(c->sock, l.index, &ignored);
}

/* ----------------------------------------------------------------------------------------------------------- routes */

static const char *gateway_of(const struct docker_endpoint *e, int family)
{
        const char *g = family == 0 ? e->gateway : e->ipv6_gateway;

        return g && *g ? g : NULL;
}

/* The highest priority; of the same, the first by name. */
static const struct docker_endpoint *first_of(const struct docker_network_settings *now, int family)
{
        const struct docker_endpoint *best = NULL;

        for (size_t i = 0; i < now->n_networks; i++) {
                const struct docker_endpoint *e = &now->networks[i];

                if (!gateway_of(e, family))
                        continue;
                if (!best || e->gw_priority > best->gw_priority ||
                    (e->gw_priority == best->gw_priority && strcmp(e->name, best->name) < 0))
                        best = e;
        }
        return best;
}

static const char *interface_of(const struct endpoint_rows *rows, const struct docker_endpoint *e)
{
        for (size_t i = 0; e && i < rows->n_items; i++)
                if (cor_streq(rows->items[i].id, e->endpoint_id))
                        return rows->items[i].interface;
        return NULL;
}

static int set_route(int inside, const struct endpoint_rows *rows, const struct docker_network_settings *now,
                     int family, struct cor_err *err)
{
        const struct docker_endpoint *e = first_of(now, family);
        const char *interface = interface_of(rows, e);
        struct route r = { .dst.ip.len = family == 0 ? 4 : 16 };
        struct link l;

        if (!interface)
                return 0;
        if (link_get(inside, interface, &l, err) < 0)
                return -1;
        r.index = l.index;
        if (ip_parse(gateway_of(e, family), &r.gateway) < 0)
                return cor_fail(err, COR_INVALID, "gateway %s: not an address", gateway_of(e, family));
        return route_replace(inside, &r, err);
}

int connect_routes(int inside, struct store *s, int64_t container, const struct docker_network_settings *now,
                   struct cor_err *err)
{
        auto_endpoint_rows rows = { 0 };

        if (endpoint_rows_find(s, 0, container, false, &rows, err) < 0)
                return -1;
        for (int family = 0; family < ENDPOINT_FAMILIES; family++)
                if (set_route(inside, &rows, now, family, err) < 0)
                        return cor_wrap(err, "default route");
        return 0;
}

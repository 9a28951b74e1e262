/*
 * bridge: a bridge of the host, made when it is first needed, and a pair of interfaces, one end a port of the bridge,
 * the other in the container. With isGateway the bridge gets the containers' gateway addresses, with ipMasq what leaves
 * the network gets the host's. Without ipam it is a switch and nothing more.
 */
#include "cni/bridge.h"

#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "cni/ipam.h"
#include "cni/plugins.h"

/* An attachment while it is made. */
struct attachment {
        struct cni_call *call;
        const struct bridge_config *config;
        struct space space;
        struct link bridge, port, inside;
        struct cni_result *result; /* the address manager's, filled up */
        bool has_addresses;
};

/* ---------------------------------------------------------------------------------------------------- the addresses */

static bool has_default_route(const struct cni_result *r, bool six)
{
        for (size_t i = 0; i < r->n_routes; i++) {
                struct ip_prefix dst;

                if (r->routes[i].gw && ip_prefix_parse(r->routes[i].dst, &dst) == 0 && dst.bits == 0 &&
                    ip_is_4(&dst.ip) == !six)
                        return true;
        }
        return false;
}

/* The first address of the network where the address manager names no gateway. */
static int choose_gateway(struct cni_result *r, struct cni_ip *ip, struct cor_err *err)
{
        struct ip_prefix p;
        char text[IP_TEXT_BYTES];

        if (ip->gateway && ip->gateway[0])
                return 0;
        if (text_prefix(ip->address, "ips[].address", &p, err) < 0)
                return -1;
        p.ip = ip_prefix_network(&p);
        p.ip = ip_next(&p.ip);
        ip->gateway = cor_json_strdup(r, ip_text(&p.ip, text));
        return 0;
}

static int take_addresses(struct attachment *a, struct cor_err *err)
{
        struct cni_result *r = a->result;

        for (size_t i = 0; i < r->n_ips; i++) {
                const bool six = strchr(r->ips[i].address, ':');

                r->ips[i].interface = (struct cor_opt_u64){ .set = true, .value = 2 };
                if (a->config->is_gateway && choose_gateway(r, &r->ips[i], err) < 0)
                        return -1;
                if (a->config->is_default_gateway && !has_default_route(r, six)) {
                        struct cni_route *route = cni_result_add_route(r);

                        route->dst = six ? "::/0" : "0.0.0.0/0";
                        route->gw = r->ips[i].gateway;
                }
        }
        return 0;
}

static int set_sysctls(struct attachment *a, struct cor_err *err)
{
        const char *name = a->call->ifname;
        auto_netns_visit visit = NETNS_VISIT_INIT;

        if (netns_enter(&visit, a->space.netns, err) < 0)
                return -1;
        if (a->config->enable_dad)
                host_sysctl_try("net/ipv6/conf/%s/enhanced_dad", name, "1");
        host_sysctl_try("net/ipv6/conf/%s/accept_dad", name, a->config->enable_dad ? "1" : "0");
        host_sysctl_try("net/ipv4/conf/%s/arp_notify", name, "1");
        return 0;
}

static int configure(struct attachment *a, struct cor_err *err)
{
        if (set_sysctls(a, err) < 0 || space_configure(&a->space, a->call->ifname, a->result, err) < 0)
                return -1;
        if (a->config->is_gateway && bridge_gateway(&a->space, a->config, &a->bridge, a->result, err) < 0)
                return -1;
        if (a->config->ip_masq)
                return masquerade_add(a->call, (enum masquerade_backend)a->config->backend, a->result, err);
        return 0;
}

/* -------------------------------------------------------------------------------------------------------------- ADD */

/* The port's and the bridge's own may change as ports are added. */
static int read_again(struct attachment *a, struct cor_err *err)
{
        char mac[LINK_MAC_TEXT_BYTES];

        if (!a->config->disable_interface && bridge_await(&a->space, &a->port, &a->port, err) < 0)
                return -1;
        if (link_get_index(a->space.host, a->bridge.index, &a->bridge, err) < 0)
                return -1;
        a->result->interfaces[0].mac = cor_json_strdup(a->result, link_mac_text(a->bridge.mac, a->bridge.mac_len, mac));
        a->result->interfaces[1].mac = cor_json_strdup(a->result, link_mac_text(a->port.mac, a->port.mac_len, mac));
        return 0;
}

static int attach(struct attachment *a, struct cor_err *err)
{
        struct cni_call *c = a->call;

        if (a->config->mac_spoof_check && spoof_check_add(c, &a->port, &a->inside, err) < 0)
                return -1;
        if (ipam_wanted(c)) {
                if (ipam_add(c, &a->result, err) < 0)
                        return -1;
                a->has_addresses = true;
        } else
                a->result = cni_result_new();
        result_take_link(a->result, &a->bridge, NULL);
        result_take_link(a->result, &a->port, NULL);
        result_take_link(a->result, &a->inside, c->netns);
        if (a->has_addresses && (take_addresses(a, err) < 0 || configure(a, err) < 0))
                return -1;
        if (!a->has_addresses && !a->config->disable_interface &&
            link_set_up(a->space.inside, a->inside.index, true, err) < 0)
                return -1;
        if (read_again(a, err) < 0)
                return -1;
        result_take_dns(c, a->result);
        return 0;
}

/*
 * Addresses are given back when nobody has them any more, which is after the interface is gone. But a DHCP server is
 * told by way of this very interface.
 */
static bool needs_interface(const struct cni_call *c)
{
        return cor_streq(c->config->ipam.type, "dhcp");
}

static void undo(struct attachment *a)
{
        struct cor_err err = { 0 };
        int code = a->call->code;

        if (a->has_addresses && needs_interface(a->call))
                ipam_undo(a->call);
        if (space_delete(&a->space, a->call->ifname, &err) < 0)
                cor_warn("remove interface %s: %s", a->call->ifname, err.msg);
        if (a->has_addresses && !needs_interface(a->call))
                ipam_undo(a->call);
        if (a->config->mac_spoof_check && spoof_check_del(a->call, &err) < 0)
                cor_warn("%s", err.msg);
        if (a->config->ip_masq && masquerade_del(a->call, (enum masquerade_backend)a->config->backend, &err) < 0)
                cor_warn("%s", err.msg);
        a->call->code = code;
}

static void attachment_done(struct attachment *a)
{
        space_done(&a->space);
        cor_json_free(a->result);
}

int bridge_add(struct cni_call *c, struct cni_result **ret, struct cor_err *err)
{
        auto_json struct bridge_config *config = NULL;
        COR_CLEANUP(attachment_done) struct attachment a = { .call = c, .space = SPACE_INIT };

        if (bridge_config_load(c, &config, err) < 0)
                return -1;
        a.config = config;
        if (space_open(c, &a.space, err) < 0 || bridge_ensure(&a.space, config, &a.bridge, err) < 0 ||
            bridge_plug(c, &a.space, config, &a.bridge, &a.port, &a.inside, err) < 0)
                return -1;
        if (attach(&a, err) < 0) {
                undo(&a);
                return -1;
        }
        *ret = COR_TAKE(a.result);
        return 0;
}

/* -------------------------------------------------------------------------------------------------------------- DEL */

/* Everything is tried, the first error is told. */
int bridge_del(struct cni_call *c, struct cor_err *err)
{
        auto_json struct bridge_config *config = NULL;
        auto_space s = SPACE_INIT;
        struct cor_err later = { 0 };
        int found, result = 0;

        if (bridge_config_load(c, &config, err) < 0)
                return -1;
        if (needs_interface(c))
                result = ipam_run(c, CNI_DEL, err);
        found = space_find(c, &s, result ? &later : err);
        if (found < 0 || (found > 0 && space_delete(&s, c->ifname, result ? &later : err) < 0))
                result = -1;
        if (!needs_interface(c) && ipam_run(c, CNI_DEL, result ? &later : err) < 0)
                result = -1;
        if (config->mac_spoof_check && spoof_check_del(c, result ? &later : err) < 0)
                result = -1;
        if (config->ip_masq && masquerade_del(c, (enum masquerade_backend)config->backend, result ? &later : err) < 0)
                result = -1;
        return result;
}

/* ------------------------------------------------------------------------------------------------------------ CHECK */

static int check_bridge(struct cni_call *c, struct space *s, const struct bridge_config *b,
                        const struct cni_result *previous, struct link *ret, struct cor_err *err)
{
        const struct cni_interface *said = result_interface(previous, b->bridge, NULL);
        char mac[LINK_MAC_TEXT_BYTES];

        if (!said)
                return cor_fail(err, COR_INVALID, "prevResult: interfaces has no bridge %s", b->bridge);
        if (link_get(s->host, b->bridge, ret, err) < 0)
                return -1;
        if (strcmp(ret->kind, "bridge") != 0)
                return cor_fail(err, COR_NOT_FOUND, "interface %s is no bridge", b->bridge);
        link_mac_text(ret->mac, ret->mac_len, mac);
        if (said->mac && said->mac[0] && strcmp(said->mac, mac) != 0)
                return cor_fail(err, COR_NOT_FOUND, "bridge %s has the hardware address %s, not %s", b->bridge, mac,
                                said->mac);
        if (b->promiscuous && !ret->promiscuity)
                return cor_fail(err, COR_NOT_FOUND, "bridge %s is not promiscuous", b->bridge);
        if (!(ret->flags & IFF_UP))
                return cor_fail(err, COR_NOT_FOUND, "bridge %s is down", b->bridge);
        return 0;
}

/* The other end of the container's interface, by its index: names on the host do not matter. */
static int check_port(struct space *s, const struct link *bridge, const struct link *inside, struct cor_err *err)
{
        struct link port;

        if (link_get_index(s->host, inside->parent, &port, err) < 0)
                return cor_wrap(err, "the other end of interface %s", inside->name);
        if (strcmp(port.kind, "veth") != 0 || port.parent != inside->index)
                return cor_fail(err, COR_NOT_FOUND, "the other end of interface %s is not on this host", inside->name);
        if (port.master != bridge->index)
                return cor_fail(err, COR_NOT_FOUND, "interface %s, the other end of %s, is no port of bridge %s",
                                port.name, inside->name, bridge->name);
        return 0;
}

int bridge_check(struct cni_call *c, struct cor_err *err)
{
        auto_json struct bridge_config *config = NULL;
        auto_json struct cni_result *previous = NULL;
        auto_space s = SPACE_INIT;
        struct link bridge, inside;

        if (bridge_config_load(c, &config, err) < 0 || cni_previous(c, &previous, err) < 0 ||
            space_open(c, &s, err) < 0 || ipam_run(c, CNI_CHECK, err) < 0)
                return -1;
        if (check_bridge(c, &s, config, previous, &bridge, err) < 0 ||
            space_check_link(c, &s, previous, "veth", &inside, err) < 0 || check_port(&s, &bridge, &inside, err) < 0 ||
            space_check_addresses(&s, c->ifname, previous, err) < 0)
                return -1;
        if (config->mac_spoof_check && spoof_check_there(c, err) < 0)
                return -1;
        if (config->ip_masq && ipam_wanted(c))
                return masquerade_check(c, (enum masquerade_backend)config->backend, err);
        return 0;
}

int bridge_gc(struct cni_call *c, struct cor_err *err)
{
        struct cor_err later = { 0 };
        int result = ipam_run(c, CNI_GC, err);

        if (spoof_check_gc(c, result ? &later : err) < 0)
                result = -1;
        if (masquerade_gc(c, result ? &later : err) < 0)
                result = -1;
        return result;
}

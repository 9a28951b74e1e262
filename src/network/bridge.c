/*
 * Making a bridge takes several steps, and somebody may be killed between any two of them: each is repeated by whoever
 * comes next, and does nothing where it was done. The last one is the firewall.
 */
#include "network/bridge.h"

#include "base/alloc.h"
#include "base/fd.h"
#include "base/log.h"
#include "linux/link.h"
#include "linux/netns.h"
#include "linux/route.h"
#include "network/host_firewall.h"
#include "network/host_forward.h"
#include "network/ports.h"
#include "network/realm.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/netfilter.h>
#include <linux/netlink.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

/* -------------------------------------------------------------------------------------------------------- interface */

/* The bridge asks nobody on its network for addresses and routes: a container could answer. */
static int refuse_advertisements(const struct network *n, struct cor_err *err)
{
        char path[64];

        snprintf(path, sizeof path, "/proc/sys/net/ipv6/conf/%s", n->bridge);
        if (access(path, F_OK) < 0) /* no IPv6 in the kernel, or not for packets as small as these */
                return 0;
        snprintf(path, sizeof path, "net/ipv6/conf/%s/accept_ra", n->bridge);
        if (netns_sysctl(path, "0", err) < 0)
                return -1;
        snprintf(path, sizeof path, "net/ipv6/conf/%s/disable_ipv6", n->bridge);
        return netns_sysctl(path, n->has[1] ? "0" : "1", err);
}

/* By this a bridge is known to whom it belongs, whatever name somebody has given it. */
static char *alias_of(const struct network *n)
{
        return cor_printf("coracle network %s", n->id);
}

/* 1, under whatever name; 0: there is none */
static int find_link(int sock, const struct network *n, struct link *ret, struct cor_err *err)
{
        int found = link_find(sock, n->bridge, ret, err);
        auto_free struct link *list = NULL;
        auto_str alias = alias_of(n);
        size_t n_list = 0;

        if (found != 0 || n->foreign)
                return found;
        if (link_list(sock, 0, &list, &n_list, err) < 0)
                return -1;
        for (size_t i = 0; i < n_list; i++)
                if (strcmp(list[i].kind, "bridge") == 0 && strcmp(list[i].alias, alias) == 0) {
                        *ret = list[i];
                        return 1;
                }
        return 0;
}

/* With the name that the firewall knows. An interface has to be down for that on older kernels. */
static int name_again(int sock, const struct network *n, struct link *l, struct cor_err *err)
{
        if (strcmp(l->name, n->bridge) == 0)
                return 0;
        if (link_set_up(sock, l->index, false, err) < 0 || link_set_name(sock, l->index, n->bridge, err) < 0)
                return -1;
        return link_get(sock, n->bridge, l, err);
}

/* A bridge without a hardware address of its own has that of one of its ports, and another when that goes. */
static int make_link(int sock, const struct network *n, struct link *ret, bool *ret_made, struct cor_err *err)
{
        uint8_t mac[LINK_MAC_BYTES] = { 0x02, 0x42 };
        const struct link_new l = {
                .name = n->bridge, .kind = "bridge", .netns = -1, .mtu = n->mtu, .mac = mac, .peer = { .netns = -1 }
        };
        int found = find_link(sock, n, ret, err);
        auto_str alias = alias_of(n);

        *ret_made = found == 0;
        if (found < 0)
                return -1;
        if (found > 0 && strcmp(ret->kind, "bridge") != 0)
                return cor_fail(err, COR_EXISTS, "interface %s is there already, and is no bridge", n->bridge);
        if (found > 0)
                return name_again(sock, n, ret, err);
        if (getrandom(mac + 2, sizeof mac - 2, 0) != (ssize_t)sizeof mac - 2)
                return cor_fail_errno(err, "random numbers");
        if (link_add(sock, &l, err) < 0 || link_get(sock, n->bridge, ret, err) < 0 ||
            link_set_alias(sock, ret->index, alias, err) < 0)
                return -1;
        return refuse_advertisements(n, err);
}

static bool has_address(const struct address *list, size_t n, const struct ip *a)
{
        for (size_t i = 0; i < n; i++)
                if (ip_equal(&list[i].ip.ip, a))
                        return true;
        return false;
}

static bool wants_gateway(const struct network *n, const struct network_subnet *s)
{
        int family = ip_is_4(&s->subnet.ip) ? 0 : 1;

        return s->gateway.len && n->gateway[family] != GATEWAY_ISOLATED && !n->inhibit[family];
}

static int give_addresses(int sock, const struct network *n, int index, struct cor_err *err)
{
        auto_free struct address *list = NULL;
        size_t n_list = 0;

        if (address_list(sock, index, AF_UNSPEC, &list, &n_list, err) < 0)
                return -1;
        for (size_t i = 0; i < n->n_subnets; i++) {
                const struct network_subnet *s = &n->subnets[i];
                struct address a = { .index = index, .ip = { s->gateway, s->subnet.bits } };

                if (!wants_gateway(n, s) || has_address(list, n_list, &s->gateway))
                        continue;
                if (ip_is_4(&s->gateway))
                        a.broadcast = ip_prefix_last(&s->subnet);
                else
                        a.flags = IFA_F_NODAD;
                if (address_add(sock, &a, err) < 0 && err->sys != EEXIST)
                        return -1;
        }
        return 0;
}

static int forward(const char *path, struct cor_err *err)
{
        char now[8] = "";

        if (netns_sysctl_read(path, now, sizeof now, err) == 0 && strcmp(now, "1") == 0)
                return 0;
        return netns_sysctl(path, "1", err) < 0 ? cor_wrap(err, "let the host forward packets") : 0;
}

/* Those that are connected lost their other end with the bridge that somebody removed. */
static int take_ports(struct store *s, int sock, const struct network *n, int index, struct cor_err *err)
{
        auto_endpoint_rows rows = { 0 };

        if (endpoint_rows_find(s, n->number, 0, false, &rows, err) < 0)
                return -1;
        for (size_t i = 0; i < rows.n_items; i++) {
                struct link l;

                if (!rows.items[i].host_interface || link_find(sock, rows.items[i].host_interface, &l, err) <= 0)
                        continue;
                if (link_set_master(sock, l.index, index, err) < 0 ||
                    (!n->together && link_set_port(sock, l.index, IFLA_BRPORT_ISOLATED, true, err) < 0))
                        return -1;
        }
        return 0;
}

/* --------------------------------------------------------------------------------------------------------- firewall */

int bridge_fill_firewall(struct nft_change *c, void *data, struct cor_err *err)
{
        auto_network_rows rows = { 0 };

        if (network_row_all(data, &rows, err) < 0)
                return -1;
        for (size_t i = 0; i < rows.n_items; i++) {
                auto_network n = NULL;
                struct firewall_network w;

                if (network_parse(&rows.items[i], &n, err) < 0)
                        return -1;
                if (n->driver != NETWORK_BRIDGE)
                        continue;
                w = network_firewall(n);
                firewall_add_network(c, &w);
        }
        return ports_fill_firewall(c, data, err);
}

static int protect(struct store *s, int sock, const struct network *n, struct cor_err *err)
{
        const struct firewall_content content = { .fill = bridge_fill_firewall, .data = s };
        const struct firewall_network w = network_firewall(n);
        auto_nft_change c = { .family = 0 };
        int r = firewall_ensure(sock, &content, err);

        if (r != 0)
                return r < 0 ? -1 : 0;
        r = firewall_has_network(sock, n->bridge, err);
        if (r != 0)
                return r < 0 ? -1 : 0;
        firewall_begin(&c);
        firewall_add_network(&c, &w);
        return nft_change_commit(&c, sock, err);
}

/*
 * A bridge that was there before may have others on it than containers: what may pass from there is for whoever made it
 * to say. In the network of a user there are no others to tell.
 */
static bool others_matter(const struct network *n)
{
        return !n->foreign && !realm_is_own();
}

/*
 * What others on the host would not forward. Containers are started all the same: somebody may have told them what to
 * let pass.
 */
static void tell_others(int nft, const struct network *n)
{
        struct cor_err err = { 0 };

        if (!others_matter(n))
                return;
        if (host_firewall_trust(nft, n->bridge, &err) < 0)
                cor_warn("bridge %s: firewalld may reject what containers send: %s", n->bridge, err.msg);
        if (host_forward_allow(nft, n->bridge, &err) < 0)
                cor_warn("bridge %s: the host's rules for what is forwarded may drop what containers send: %s",
                         n->bridge, err.msg);
}

static void tell_others_of_end(int nft, const struct network *n)
{
        struct cor_err err = { 0 };

        if (!others_matter(n))
                return;
        if (host_firewall_distrust(nft, n->bridge, &err) < 0)
                cor_warn("bridge %s: it stays in a zone of firewalld: %s", n->bridge, err.msg);
        if (host_forward_forget(nft, n->bridge, &err) < 0)
                cor_warn("bridge %s: its rules for what is forwarded stay: %s", n->bridge, err.msg);
}

/* -------------------------------------------------------------------------------------------------------------- all */

static int make(struct store *s, int sock, const struct network *n, int *ret, struct cor_err *err)
{
        auto_fd nft = -1;
        struct link l;
        bool made;

        if (make_link(sock, n, &l, &made, err) < 0 || give_addresses(sock, n, l.index, err) < 0)
                return -1;
        if (!(l.flags & IFF_UP) && link_set_up(sock, l.index, true, err) < 0)
                return -1;
        if (made && take_ports(s, sock, n, l.index, err) < 0)
                return -1;
        if (!n->internal && ((n->has[0] && forward("net/ipv4/ip_forward", err) < 0) ||
                             (n->has[1] && forward("net/ipv6/conf/all/forwarding", err) < 0)))
                return -1;
        nft = realm_socket(NETLINK_NETFILTER, err);
        if (nft < 0 || protect(s, nft, n, err) < 0)
                return -1;
        tell_others(nft, n);
        *ret = l.index;
        return 0;
}

int bridge_open(struct store *s, int run, int sock, const struct network *n, int *ret, struct cor_err *err)
{
        auto_fd held = network_lock(run, err);

        if (held < 0 || make(s, sock, n, ret, err) < 0)
                return cor_wrap(err, "network %s", n->name);
        return 0;
}

static bool is_kept(const struct network *n, const struct ip *a)
{
        for (size_t i = 0; i < n->n_kept; i++)
                if (ip_equal(&n->kept[i], a))
                        return true;
        return false;
}

/* Of a bridge that is not ours what we gave it goes. */
static int take_addresses(int sock, const struct network *n, int index, struct cor_err *err)
{
        for (size_t i = 0; i < n->n_subnets; i++) {
                const struct address a = { .index = index, .ip = { n->subnets[i].gateway, n->subnets[i].subnet.bits } };

                if (wants_gateway(n, &n->subnets[i]) && !is_kept(n, &a.ip.ip) && address_remove(sock, &a, err) < 0)
                        return -1;
        }
        return 0;
}

int bridge_clear(int sock, const struct network *n, struct cor_err *err)
{
        auto_fd nft = realm_socket(NETLINK_NETFILTER, err);
        bool without = nft < 0 && err->kind == COR_UNSUPPORTED; /* then nothing is known of it there */
        struct link l;
        int found = nft < 0 && !without ? -1 : find_link(sock, n, &l, err);

        if (found > 0 && strcmp(l.kind, "bridge") == 0)
                found = n->foreign ? take_addresses(sock, n, l.index, err) : link_remove(sock, l.index, err);
        if (found < 0 || (!without && firewall_remove_network(nft, n->bridge, err) < 0))
                return cor_wrap(err, "network %s", n->name);
        if (!without)
                tell_others_of_end(nft, n);
        return 0;
}

int bridge_remove(int run, int sock, const struct network *n, struct cor_err *err)
{
        auto_fd held = network_lock(run, err);

        return held < 0 ? cor_wrap(err, "network %s", n->name) : bridge_clear(sock, n, err);
}

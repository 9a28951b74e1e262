#include "cni/bridge.h"

#include <netinet/if_ether.h> /* of musl: before those of the kernel, which then leave out what it has */

#include <errno.h>
#include <linux/if.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/netfilter.h>
#include <linux/netfilter_bridge.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "base/fd.h"
#include "base/process.h"
#include "cni/owner.h"
#include "linux/nft_rule.h"
#include "linux/route.h"

#define SPOOF_TABLE "coracle_cni_macspoof"
enum { NAME_TRIES = 10, UP_WAIT_MS = 10000, UP_STEP_MAX_MS = 50, PRIORITY_BEFORE_ALL = -300, SOURCE_OFFSET = 6 };

/* ------------------------------------------------------------------------------------------------------- the bridge */

static bool has_vlans(const struct bridge_config *b)
{
        return b->vlan || b->n_trunk;
}

static int make_bridge(struct space *s, const struct bridge_config *b, struct cor_err *err)
{
        const struct link_new n = {
                .name = b->bridge,
                .kind = "bridge",
                .netns = -1,
                .mtu = b->mtu,
                .vlan_filtering = has_vlans(b),
        };
        struct cor_err failed = { 0 };

        if (link_add(s->host, &n, &failed) == 0 || failed.sys == EEXIST) /* somebody was quicker */
                return 0;
        *err = failed;
        return -1;
}

int bridge_ensure(struct space *s, const struct bridge_config *b, struct link *ret, struct cor_err *err)
{
        int found = link_find(s->host, b->bridge, ret, err);

        if (found == 0 && (make_bridge(s, b, err) < 0 || link_get(s->host, b->bridge, ret, err) < 0))
                return -1;
        if (found < 0)
                return -1;
        if (strcmp(ret->kind, "bridge") != 0)
                return cor_fail(err, COR_EXISTS, "bridge: interface %s is there, and is no bridge", b->bridge);
        if (found == 0)
                host_sysctl_try("net/ipv6/conf/%s/accept_ra", b->bridge, "0"); /* its routes are ours */
        if (b->promiscuous && !(ret->flags & IFF_PROMISC) &&
            link_set_flags(s->host, ret->index, IFF_PROMISC, IFF_PROMISC, err) < 0)
                return cor_wrap(err, "promiscMode");
        if (has_vlans(b) && !ret->vlan_filtering)
                return cor_fail(err, COR_UNSUPPORTED,
                                "vlan: bridge %s has no VLAN filtering, which it has to be made with", b->bridge);
        return ret->flags & IFF_UP ? 0 : link_set_up(s->host, ret->index, true, err);
}

/* --------------------------------------------------------------------------------------------------------- the port */

static int drop_vlans(struct space *s, int port, struct cor_err *err)
{
        uint16_t *ids auto_free = NULL;
        size_t n;

        if (link_vlan_list(s->host, port, &ids, &n, err) < 0)
                return -1;
        for (size_t i = 0; i < n; i++)
                if (link_vlan(s->host, port, false, ids[i], ids[i], 0, err) < 0)
                        return -1;
        return 0;
}

static int add_trunk(struct space *s, const struct bridge_config *b, int port, struct cor_err *err)
{
        for (size_t i = 0; i < b->n_trunk; i++) {
                const struct vlan_range *t = &b->trunk[i];

                if (t->min.set &&
                    link_vlan(s->host, port, true, (uint16_t)t->min.value, (uint16_t)t->max.value, 0, err) < 0)
                        return -1;
                if (t->id.set &&
                    link_vlan(s->host, port, true, (uint16_t)t->id.value, (uint16_t)t->id.value, 0, err) < 0)
                        return -1;
        }
        return 0;
}

/* A port without a VLAN of its own, but with a trunk, has 1 as what comes without a tag. */
static int set_vlans(struct space *s, const struct bridge_config *b, int port, bool with_trunk, struct cor_err *err)
{
        const uint16_t own = b->vlan ? (uint16_t)b->vlan : 1;

        if (!has_vlans(b))
                return 0;
        if (!b->preserve_default_vlan && drop_vlans(s, port, err) < 0)
                return cor_wrap(err, "vlan");
        if (with_trunk && add_trunk(s, b, port, err) < 0)
                return cor_wrap(err, "vlanTrunk");
        if (link_vlan(s->host, port, true, own, own, BRIDGE_VLAN_INFO_PVID | BRIDGE_VLAN_INFO_UNTAGGED, err) < 0)
                return cor_wrap(err, "vlan");
        return 0;
}

static int set_port(struct space *s, const struct bridge_config *b, int port, struct cor_err *err)
{
        if (b->hairpin && link_set_port(s->host, port, IFLA_BRPORT_MODE, true, err) < 0)
                return cor_wrap(err, "hairpinMode");
        if (b->port_isolation && link_set_port(s->host, port, IFLA_BRPORT_ISOLATED, true, err) < 0)
                return cor_wrap(err, "portIsolation");
        return set_vlans(s, b, port, true, err);
}

/* A pair under a random name; @mtu 0: that of the bridge, as it lets a smaller one down for everybody. */
static int make_pair(struct space *s, const struct link_new *pair, char name[LINK_NAME_BYTES], struct cor_err *err)
{
        for (int i = 0;; i++) {
                struct link_new n = *pair;
                struct cor_err failed = { 0 };

                if (link_random_name("veth", name, err) < 0)
                        return -1;
                n.name = name;
                if (link_add(s->host, &n, &failed) == 0)
                        return 0;
                if (failed.sys != EEXIST || i == NAME_TRIES) {
                        *err = failed;
                        return -1;
                }
        }
}

int bridge_plug(struct cni_call *c, struct space *s, const struct bridge_config *b, const struct link *bridge,
                struct link *ret_port, struct link *ret_inside, struct cor_err *err)
{
        const struct link_new pair = {
                .kind = "veth",
                .netns = -1,
                .master = bridge->index,
                .flags = IFF_UP,
                .mtu = b->mtu,
                .peer = { .name = c->ifname, .netns = s->netns, .mtu = b->mtu, .mac = b->has_mac ? b->mac : NULL },
        };
        char name[LINK_NAME_BYTES];

        if (space_free_name(c, s, err) < 0 || make_pair(s, &pair, name, err) < 0)
                return -1;
        if (link_get(s->host, name, ret_port, err) == 0 && link_get(s->inside, c->ifname, ret_inside, err) == 0 &&
            set_port(s, b, ret_port->index, err) == 0) {
                host_sysctl_try("net/ipv6/conf/%s/accept_ra", name, "0");
                return 0;
        }
        (void)!space_delete(s, c->ifname, NULL);
        return -1;
}

int bridge_await(struct space *s, const struct link *port, struct link *ret, struct cor_err *err)
{
        int64_t end = cor_now_ms() + UP_WAIT_MS;
        long step_ms = 1;

        for (;;) {
                struct timespec step = { .tv_nsec = step_ms * 1000000 };

                if (link_get_index(s->host, port->index, ret, err) < 0)
                        return -1;
                if (ret->operstate == IF_OPER_UP)
                        return 0;
                if (cor_now_ms() > end)
                        return cor_fail(err, COR_TIMEOUT, "port %s of the bridge does not come up", port->name);
                nanosleep(&step, NULL);
                step_ms = step_ms * 2 < UP_STEP_MAX_MS ? step_ms * 2 : UP_STEP_MAX_MS;
        }
}

/* ------------------------------------------------------------------------------------------------------ the gateway */

static bool conflicts(const struct ip_prefix *have, const struct ip_prefix *want)
{
        return ip_is_4(&want->ip) || ip_prefix_contains(have, &want->ip) || ip_prefix_contains(want, &have->ip);
}

/* A bridge may have several IPv6 addresses as long as their networks are apart, but one IPv4 address. */
static int ensure_address(struct space *s, const struct bridge_config *b, const struct link *l,
                          const struct ip_prefix *want, struct cor_err *err)
{
        struct address a = { .index = l->index, .ip = *want };
        struct address *have auto_free = NULL;
        struct cor_err failed = { 0 };
        char one[IP_TEXT_BYTES];
        char other[IP_TEXT_BYTES];
        size_t n;

        if (address_list(s->host, l->index, ip_family(&want->ip), &have, &n, err) < 0)
                return -1;
        for (size_t i = 0; i < n; i++)
                if (ip_equal(&have[i].ip.ip, &want->ip) && have[i].ip.bits == want->bits)
                        return 0;
        for (size_t i = 0; i < n; i++) {
                if (!conflicts(&have[i].ip, want))
                        continue;
                if (!b->force_address)
                        return cor_fail(err, COR_EXISTS, "interface %s has the address %s already, which is not %s",
                                        l->name, ip_prefix_text(&have[i].ip, one), ip_prefix_text(want, other));
                if (address_remove(s->host, &have[i], err) < 0)
                        return cor_wrap(err, "forceAddress");
        }
        if (ip_is_4(&want->ip) && want->bits < 31)
                a.broadcast = ip_prefix_last(want);
        if (address_add(s->host, &a, &failed) < 0 && failed.sys != EEXIST) {
                *err = failed;
                return cor_wrap(err, "interface %s", l->name);
        }
        /* Its own, or it would be the lowest of its ports' and change as they come and go. */
        return l->mac_len == LINK_MAC_BYTES ? link_set_mac(s->host, l->index, l->mac, l->mac_len, err) : 0;
}

/* The end of a pair that is a port of the bridge in this VLAN. */
static int ensure_vlan_interface(struct space *s, const struct bridge_config *b, const struct link *bridge,
                                 struct link *ret, struct cor_err *err)
{
        struct link_new pair = { .kind = "veth", .netns = -1, .master = bridge->index, .flags = IFF_UP };
        char other[LINK_NAME_BYTES];
        char name[LINK_NAME_BYTES + 8];
        struct link port;
        int found;

        snprintf(name, sizeof name, "%s.%u", b->bridge, b->vlan);
        if (!link_name_valid(name))
                return cor_fail(err, COR_INVALID,
                                "bridge: %s is too long a name, the gateway's interface is BRIDGE.VLAN", b->bridge);
        found = link_find(s->host, name, ret, err);
        if (found != 0)
                return found < 0 ? -1 : link_set_up(s->host, ret->index, true, err);
        pair.mtu = bridge->mtu;
        pair.peer = (__typeof__(pair.peer)){ .name = name, .netns = -1, .mtu = bridge->mtu };
        if (make_pair(s, &pair, other, err) < 0)
                return -1;
        if (link_get(s->host, other, &port, err) == 0 && set_vlans(s, b, port.index, false, err) == 0 &&
            link_get(s->host, name, ret, err) == 0 && link_set_up(s->host, ret->index, true, err) == 0)
                return 0;
        if (link_find(s->host, other, &port, NULL) > 0) /* who comes next would take it as it is */
                (void)!link_remove(s->host, port.index, NULL);
        return -1;
}

int bridge_gateway(struct space *s, const struct bridge_config *b, const struct link *bridge, struct cni_result *r,
                   struct cor_err *err)
{
        struct link at = *bridge;

        if (b->vlan) {
                if (ensure_vlan_interface(s, b, bridge, &at, err) < 0)
                        return cor_wrap(err, "isGateway");
                result_take_link(r, &at, NULL);
        }
        for (size_t i = 0; i < r->n_ips; i++) {
                struct ip_prefix want, of;

                if (text_prefix(r->ips[i].address, "ips[].address", &of, err) < 0 ||
                    text_address(r->ips[i].gateway, "ips[].gateway", &want.ip, err) < 0)
                        return -1;
                want.bits = of.bits;
                if (ensure_address(s, b, &at, &want, err) < 0)
                        return cor_wrap(err, "isGateway");
        }
        return space_forward(r, err);
}

/* ------------------------------------------------------------------------------------------------------ macspoofchk */

struct spoof_check {
        const struct link *port, *inside;
};

static int make_rules(struct nft_change *change, const char *comment, const void *data, struct cor_err *err)
{
        const struct spoof_check *s = data;
        struct nft_rule r;

        (void)err;
        nft_add_table(change);
        nft_add_chain(change, &(struct nft_chain){
                                      .name = "prerouting",
                                      .type = "filter",
                                      .hook = NF_BR_PRE_ROUTING,
                                      .priority = PRIORITY_BEFORE_ALL,
                              });
        nft_rule_begin(&r, change, "prerouting");
        r.comment = comment;
        nft_match_interface(&r, NFT_META_IIFNAME, NFT_CMP_EQ, s->port->name);
        nft_load_payload(&r, NFT_PAYLOAD_LL_HEADER, SOURCE_OFFSET, LINK_MAC_BYTES, NFT_REG32_00);
        nft_compare(&r, NFT_REG32_00, NFT_CMP_NEQ, s->inside->mac, LINK_MAC_BYTES);
        nft_verdict(&r, NF_DROP, NULL);
        nft_rule_end(&r, change);
        return 0;
}

static const struct owner_rules SPOOF_RULES = { NFPROTO_BRIDGE, SPOOF_TABLE, make_rules };

int spoof_check_add(struct cni_call *c, const struct link *port, const struct link *inside, struct cor_err *err)
{
        const struct spoof_check s = { port, inside };

        return owner_change(c, &SPOOF_RULES, owner_is_ours, &s, err) < 0 ? cor_wrap(err, "macspoofchk") : 0;
}

int spoof_check_del(struct cni_call *c, struct cor_err *err)
{
        return owner_change(c, &SPOOF_RULES, owner_is_ours, NULL, err) < 0 ? cor_wrap(err, "macspoofchk") : 0;
}

int spoof_check_gc(struct cni_call *c, struct cor_err *err)
{
        return owner_change(c, &SPOOF_RULES, owner_is_stale, NULL, err) < 0 ? cor_wrap(err, "macspoofchk") : 0;
}

int spoof_check_there(struct cni_call *c, struct cor_err *err)
{
        auto_fd sock = netlink_open(NETLINK_NETFILTER, err);
        int n = sock < 0 ? -1 : owner_count_rules(sock, NFPROTO_BRIDGE, SPOOF_TABLE, c, err);

        if (n == 0)
                return cor_fail(err, COR_NOT_FOUND, "macspoofchk: the rule in table " SPOOF_TABLE " is gone");
        return n < 0 ? -1 : 0;
}

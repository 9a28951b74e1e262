/*
 * One table of the family inet:
 *   prerouting, output   to "ports" with what is for an address of this host
 *   ports                a rule for each mapping, which changes the destination; the first one that fits holds
 *   postrouting          of what was changed, the connections that need the host's address
 *   martians             nothing from outside gets to 127.0.0.0/8, which route_localnet would allow
 */
#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "cni/condition.h"
#include "cni/owner.h"
#include "cni/portmap.h"
#include "linux/nft_rule.h"

#define TABLE "coracle_cni_portmap"
enum { PRIORITY_RAW = -300, PRIORITY_DSTNAT = -100, PRIORITY_SRCNAT = 100, DPORT_OFFSET = 2 };

static const uint8_t LOOPBACK[4] = { 127 };

static void add_base_chain(struct nft_change *c, const char *name, const char *type, uint32_t hook, int32_t priority)
{
        nft_add_chain(c, &(struct nft_chain){ .name = name, .type = type, .hook = hook, .priority = priority });
}

static void to_ports(struct nft_change *c, const char *chain)
{
        const uint32_t local = RTN_LOCAL;
        struct nft_rule r;

        nft_flush_chain(c, chain);
        nft_rule_begin(&r, c, chain);
        nft_load_fib_type(&r, NFT_REG32_00);
        nft_compare(&r, NFT_REG32_00, NFT_CMP_EQ, &local, sizeof local);
        nft_verdict(&r, NFT_JUMP, "ports");
        nft_rule_end(&r, c);
}

static void make_base(struct nft_change *c)
{
        struct nft_rule r;

        nft_add_table(c);
        nft_add_chain(c, &(struct nft_chain){ .name = "ports" });
        add_base_chain(c, "prerouting", "nat", NF_INET_PRE_ROUTING, PRIORITY_DSTNAT);
        add_base_chain(c, "output", "nat", NF_INET_LOCAL_OUT, PRIORITY_DSTNAT);
        add_base_chain(c, "postrouting", "nat", NF_INET_POST_ROUTING, PRIORITY_SRCNAT);
        add_base_chain(c, "martians", "filter", NF_INET_PRE_ROUTING, PRIORITY_RAW);
        to_ports(c, "prerouting");
        to_ports(c, "output");
        nft_flush_chain(c, "martians");
        nft_rule_begin(&r, c, "martians");
        nft_match_family(&r, NFPROTO_IPV4);
        nft_match_interface(&r, NFT_META_IIFNAME, NFT_CMP_NEQ, "lo");
        nft_match_network(&r, false, NFT_CMP_EQ, LOOPBACK, sizeof LOOPBACK, 8);
        nft_verdict(&r, NF_DROP, NULL);
        nft_rule_end(&r, c);
}

static uint8_t family_of(const struct ip *a)
{
        return ip_is_4(a) ? NFPROTO_IPV4 : NFPROTO_IPV6;
}

/* -------------------------------------------------------------------------------------------------- whose a port is */

/*
 * A rule of "ports" says behind its owner what it takes, and for which container: "tcp4/8080@192.0.2.1#0badcafe", with
 * '*' for all addresses. Of two that take the same only the first has an effect, so the other one is refused; but a
 * container may have a port by way of several networks, and conditions may keep apart what else would collide.
 */
enum { CLAIM_OWNER = 8 };
struct claim {
        char protocol[6], address[IP_TEXT_BYTES], container[CLAIM_OWNER + 1];
        unsigned port;
};

static void add_claim(const struct cni_call *c, const struct portmap *p, const struct port_mapping *m, bool six,
                      const char *comment, char ret[OWNER_TEXT_BYTES])
{
        static const int key = OWNER_KEY_BYTES - 1;
        const char *protocol = m->protocol == IPPROTO_UDP ? "udp" : m->protocol == IPPROTO_SCTP ? "sctp" : "tcp";
        char digest[OWNER_DIGEST + 1];
        char address[IP_TEXT_BYTES] = "*";
        auto_str claim = NULL;
        auto_str whole = NULL;

        if (m->host_ip.len && !ip_is_zero(&m->host_ip))
                ip_text(&m->host_ip, address);
        owner_digest(c->container_id, NULL, digest);
        claim = cor_printf("%s%c/%u@%s#%.*s", protocol, six ? '6' : '4', m->host_port, address, CLAIM_OWNER, digest);
        whole = cor_printf("%.*s %s%s", key, comment, p->n_conditions[six] ? "if" : claim, comment + key);
        snprintf(ret, OWNER_TEXT_BYTES, "%s", whole); /* the names at its end are for people */
}

/* One that makes none has the port 0. */
static struct claim read_claim(const char *comment)
{
        struct claim c = { .port = 0 };

        if (strlen(comment) <= OWNER_KEY_BYTES || sscanf(comment + OWNER_KEY_BYTES, "%5[a-z46]/%u@%39[^# ]#%8[0-9a-f]",
                                                         c.protocol, &c.port, c.address, c.container) != 4)
                c.port = 0;
        return c;
}

static bool collide(const struct claim *a, const struct claim *b)
{
        return a->port == b->port && strcmp(a->protocol, b->protocol) == 0 && strcmp(a->container, b->container) != 0 &&
               (strcmp(a->address, b->address) == 0 || a->address[0] == '*' || b->address[0] == '*');
}

/* Looked at when the rules are there, which stand in the order in which they came: of two at once the first wins. */
static int refuse_taken(const struct cni_call *c, struct cor_err *err)
{
        auto_fd sock = netlink_open(NETLINK_NETFILTER, err);
        struct nft_listed_rule *rules auto_free = NULL;
        struct claim *claims auto_free = NULL;
        size_t n;

        if (sock < 0 || nft_list_rules(sock, NFPROTO_INET, TABLE, "ports", &rules, &n, err) < 0)
                return -1;
        claims = cor_realloc_array(NULL, n + 1, sizeof *claims);
        for (size_t i = 0; i < n; i++) {
                claims[i] = read_claim(rules[i].comment);
                if (!claims[i].port || !owner_is_ours(c, rules[i].comment))
                        continue;
                for (size_t k = 0; k < i; k++)
                        if (collide(&claims[i], &claims[k]))
                                return cor_fail(err, COR_EXISTS,
                                                "port %u of the host, %s at %s, is published by another container (%s)",
                                                claims[i].port, claims[i].protocol, claims[k].address,
                                                rules[k].comment + OWNER_KEY_BYTES);
        }
        return 0;
}

/* -------------------------------------------------------------------------------------------------------- the rules */

/* What is to be published, and for whom. */
struct publication {
        const struct cni_call *call;
        const struct portmap *portmap;
};

static void add_mapping(struct nft_change *c, const struct portmap *p, const struct port_mapping *m,
                        const struct ip *to, const char *comment)
{
        const uint16_t from_port = htons((uint16_t)m->host_port), to_port = htons((uint16_t)m->container_port);
        const int six = !ip_is_4(to);
        struct nft_rule r;

        nft_rule_begin(&r, c, "ports");
        r.comment = comment;
        nft_match_family(&r, family_of(to));
        condition_put(p->conditions[six], p->n_conditions[six], six, &r);
        if (m->host_ip.len && !ip_is_zero(&m->host_ip))
                nft_match_network(&r, false, NFT_CMP_EQ, m->host_ip.bytes, m->host_ip.len,
                                  (uint8_t)(m->host_ip.len * 8));
        nft_match_protocol(&r, (uint8_t)m->protocol);
        nft_load_payload(&r, NFT_PAYLOAD_TRANSPORT_HEADER, DPORT_OFFSET, sizeof from_port, NFT_REG32_00);
        nft_compare(&r, NFT_REG32_00, NFT_CMP_EQ, &from_port, sizeof from_port);
        nft_load(&r, to->bytes, to->len, NFT_REG32_00);
        nft_load(&r, &to_port, sizeof to_port, NFT_REG32_04);
        nft_nat(&r, NFT_NAT_DNAT, family_of(to), NFT_REG32_00, NFT_REG32_04);
        nft_rule_end(&r, c);
}

/* Of what was sent on to the container: all, or what is from @network. */
static void add_masquerade(struct nft_change *c, const struct ip_prefix *to, const struct ip_prefix *network,
                           const char *comment)
{
        struct nft_rule r;

        nft_rule_begin(&r, c, "postrouting");
        r.comment = comment;
        nft_match_family(&r, family_of(&to->ip));
        nft_match_ct_bits(&r, NFT_CT_STATUS, IPS_DST_NAT);
        if (network)
                nft_match_network(&r, true, NFT_CMP_EQ, network->ip.bytes, network->ip.len, network->bits);
        nft_match_network(&r, false, NFT_CMP_EQ, to->ip.bytes, to->ip.len, (uint8_t)(to->ip.len * 8));
        nft_masquerade_packet(&r);
        nft_rule_end(&r, c);
}

static void add_family(struct nft_change *c, const struct publication *of, const struct ip_prefix *to,
                       const char *comment)
{
        const struct ip_prefix localhost = { .ip = { .len = 4, .bytes = { 127 } }, .bits = 8 };
        const struct portmap *p = of->portmap;

        for (size_t i = 0; i < p->runtime.n_mappings; i++) {
                const struct port_mapping *m = &p->runtime.mappings[i];
                char claim[OWNER_TEXT_BYTES];

                if (!portmap_applies(m, &to->ip))
                        continue;
                add_claim(of->call, p, m, !ip_is_4(&to->ip), comment, claim);
                add_mapping(c, p, m, &to->ip, claim);
        }
        if (!p->snat)
                return;
        if (p->masq_all) {
                add_masquerade(c, to, NULL, comment);
                return;
        }
        add_masquerade(c, to, to, comment); /* its own network: the answer would not come back by way of the host */
        if (ip_is_4(&to->ip))
                add_masquerade(c, to, &localhost, comment);
}

static int make_rules(struct nft_change *change, const char *comment, const void *data, struct cor_err *err)
{
        const struct publication *of = data;

        (void)err;
        make_base(change);
        for (int six = 0; six < 2; six++)
                if (of->portmap->to[six].ip.len)
                        add_family(change, of, &of->portmap->to[six], comment);
        return 0;
}

static const struct owner_rules RULES = { NFPROTO_INET, TABLE, make_rules };

int portmap_nft_add(struct cni_call *c, const struct portmap *p, struct cor_err *err)
{
        const struct publication of = { c, p };

        return owner_change(c, &RULES, owner_is_ours, &of, err) < 0 ? -1 : refuse_taken(c, err);
}

int portmap_nft_del(struct cni_call *c, struct cor_err *err)
{
        return owner_change(c, &RULES, owner_is_ours, NULL, err);
}

int portmap_nft_gc(struct cni_call *c, struct cor_err *err)
{
        return owner_change(c, &RULES, owner_is_stale, NULL, err);
}

int portmap_nft_check(struct cni_call *c, const struct portmap *p, struct cor_err *err)
{
        auto_fd sock = netlink_open(NETLINK_NETFILTER, err);
        int expected = 0, n = sock < 0 ? -1 : owner_count_rules(sock, NFPROTO_INET, TABLE, c, err);

        for (int six = 0; six < 2; six++) {
                if (!p->to[six].ip.len)
                        continue;
                for (size_t i = 0; i < p->runtime.n_mappings; i++)
                        expected += portmap_applies(&p->runtime.mappings[i], &p->to[six].ip);
                expected += !p->snat ? 0 : p->masq_all || six ? 1 : 2;
        }
        if (n >= 0 && n < expected)
                return cor_fail(err, COR_NOT_FOUND, "table " TABLE " has %d rules of this container, not %d", n,
                                expected);
        return n < 0 ? -1 : 0;
}

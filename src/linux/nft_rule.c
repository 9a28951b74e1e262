#include "linux/nft_rule.h"

#include "linux/nft_list.h"

#include <arpa/inet.h>
#include <linux/netfilter/nf_tables_compat.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/xt_conntrack.h>
#include <linux/netlink.h>
#include <net/if.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

enum { IPV4_SOURCE = 12, IPV4_DESTINATION = 16, IPV6_SOURCE = 8, IPV6_DESTINATION = 24, ADDRESS_MAX = 16 };

static void put_be32(struct netlink_request *r, uint16_t type, uint32_t value)
{
        netlink_put_u32(r, type, htonl(value));
}

static void begin_rule(struct nft_rule *r, const struct nft_change *c, const char *chain, uint16_t flags)
{
        const struct nfgenmsg h = { .nfgen_family = c->family, .version = NFNETLINK_V0 };

        netlink_begin(&r->request, NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWRULE, flags, &h, sizeof h);
        netlink_put_str(&r->request, NFTA_RULE_TABLE, c->table);
        netlink_put_str(&r->request, NFTA_RULE_CHAIN, chain);
        r->list = netlink_nest(&r->request, NFTA_RULE_EXPRESSIONS);
        r->comment = NULL;
}

void nft_rule_begin(struct nft_rule *r, const struct nft_change *c, const char *chain)
{
        begin_rule(r, c, chain, NLM_F_CREATE | NLM_F_APPEND);
}

void nft_rule_begin_first(struct nft_rule *r, const struct nft_change *c, const char *chain)
{
        begin_rule(r, c, chain, NLM_F_CREATE);
}

/* User data is a list of type, length and value; type 0 is a comment, which ends with NUL. */
static void put_comment(struct nft_rule *r)
{
        uint8_t data[2 + NFT_COMMENT_MAX + 1] = { 0 };
        size_t len = strnlen(r->comment, NFT_COMMENT_MAX);

        data[1] = (uint8_t)(len + 1);
        memcpy(data + 2, r->comment, len);
        netlink_put(&r->request, NFTA_RULE_USERDATA, data, 2 + len + 1);
}

void nft_rule_end(struct nft_rule *r, struct nft_change *c)
{
        netlink_nest_end(&r->request, r->list);
        if (r->comment)
                put_comment(r);
        netlink_batch_add(&c->batch, &r->request, false);
}

/* ------------------------------------------------------------------------------------------------------ expressions */

struct expression {
        size_t element, data;
};

static struct expression open_expression(struct nft_rule *r, const char *name)
{
        struct expression e;

        e.element = netlink_nest(&r->request, NFTA_LIST_ELEM);
        netlink_put_str(&r->request, NFTA_EXPR_NAME, name);
        e.data = netlink_nest(&r->request, NFTA_EXPR_DATA);
        return e;
}

static void close_expression(struct nft_rule *r, struct expression e)
{
        netlink_nest_end(&r->request, e.data);
        netlink_nest_end(&r->request, e.element);
}

static void put_value(struct nft_rule *r, uint16_t type, const void *bytes, size_t n)
{
        size_t nest = netlink_nest(&r->request, type);

        netlink_put(&r->request, NFTA_DATA_VALUE, bytes, n);
        netlink_nest_end(&r->request, nest);
}

void nft_load_meta(struct nft_rule *r, uint32_t key, uint32_t reg)
{
        struct expression e = open_expression(r, "meta");

        put_be32(&r->request, NFTA_META_KEY, key);
        put_be32(&r->request, NFTA_META_DREG, reg);
        close_expression(r, e);
}

void nft_set_meta(struct nft_rule *r, uint32_t key, uint32_t reg)
{
        struct expression e = open_expression(r, "meta");

        put_be32(&r->request, NFTA_META_KEY, key);
        put_be32(&r->request, NFTA_META_SREG, reg);
        close_expression(r, e);
}

void nft_set_ct(struct nft_rule *r, uint32_t key, uint32_t reg)
{
        struct expression e = open_expression(r, "ct");

        put_be32(&r->request, NFTA_CT_KEY, key);
        put_be32(&r->request, NFTA_CT_SREG, reg);
        close_expression(r, e);
}

void nft_load_payload(struct nft_rule *r, uint32_t base, uint32_t offset, uint32_t len, uint32_t reg)
{
        struct expression e = open_expression(r, "payload");

        put_be32(&r->request, NFTA_PAYLOAD_DREG, reg);
        put_be32(&r->request, NFTA_PAYLOAD_BASE, base);
        put_be32(&r->request, NFTA_PAYLOAD_OFFSET, offset);
        put_be32(&r->request, NFTA_PAYLOAD_LEN, len);
        close_expression(r, e);
}

void nft_load_ct(struct nft_rule *r, uint32_t key, uint32_t reg)
{
        struct expression e = open_expression(r, "ct");

        put_be32(&r->request, NFTA_CT_KEY, key);
        put_be32(&r->request, NFTA_CT_DREG, reg);
        close_expression(r, e);
}

void nft_load_ct_of(struct nft_rule *r, uint32_t key, uint8_t direction, uint32_t reg)
{
        struct expression e = open_expression(r, "ct");

        put_be32(&r->request, NFTA_CT_KEY, key);
        put_be32(&r->request, NFTA_CT_DREG, reg);
        netlink_put_u8(&r->request, NFTA_CT_DIRECTION, direction);
        close_expression(r, e);
}

void nft_load(struct nft_rule *r, const void *bytes, size_t n, uint32_t reg)
{
        struct expression e = open_expression(r, "immediate");

        put_be32(&r->request, NFTA_IMMEDIATE_DREG, reg);
        put_value(r, NFTA_IMMEDIATE_DATA, bytes, n);
        close_expression(r, e);
}

void nft_load_fib_type(struct nft_rule *r, uint32_t reg)
{
        struct expression e = open_expression(r, "fib");

        put_be32(&r->request, NFTA_FIB_DREG, reg);
        put_be32(&r->request, NFTA_FIB_RESULT, NFT_FIB_RESULT_ADDRTYPE);
        put_be32(&r->request, NFTA_FIB_FLAGS, NFTA_FIB_F_DADDR);
        close_expression(r, e);
}

void nft_compare(struct nft_rule *r, uint32_t reg, enum nft_cmp_ops how, const void *bytes, size_t n)
{
        struct expression e = open_expression(r, "cmp");

        put_be32(&r->request, NFTA_CMP_SREG, reg);
        put_be32(&r->request, NFTA_CMP_OP, how);
        put_value(r, NFTA_CMP_DATA, bytes, n);
        close_expression(r, e);
}

void nft_mask(struct nft_rule *r, uint32_t reg, const void *mask, size_t n)
{
        struct expression e = open_expression(r, "bitwise");
        const uint8_t flip[ADDRESS_MAX] = { 0 };

        put_be32(&r->request, NFTA_BITWISE_SREG, reg);
        put_be32(&r->request, NFTA_BITWISE_DREG, reg);
        put_be32(&r->request, NFTA_BITWISE_LEN, (uint32_t)n);
        put_value(r, NFTA_BITWISE_MASK, mask, n);
        put_value(r, NFTA_BITWISE_XOR, flip, n < sizeof flip ? n : sizeof flip);
        close_expression(r, e);
}

static void look_up(struct nft_rule *r, const char *set, uint32_t reg, uint32_t data, uint32_t flags)
{
        struct expression e = open_expression(r, "lookup");

        netlink_put_str(&r->request, NFTA_LOOKUP_SET, set);
        put_be32(&r->request, NFTA_LOOKUP_SREG, reg);
        if (data)
                put_be32(&r->request, NFTA_LOOKUP_DREG, data);
        put_be32(&r->request, NFTA_LOOKUP_FLAGS, flags);
        close_expression(r, e);
}

void nft_look_up(struct nft_rule *r, const char *set, uint32_t reg, uint32_t data)
{
        look_up(r, set, reg, data, 0);
}

void nft_look_up_not(struct nft_rule *r, const char *set, uint32_t reg)
{
        look_up(r, set, reg, 0, NFT_LOOKUP_F_INV);
}

/* ------------------------------------------------------------------------------------------------------- the common */

void nft_match_family(struct nft_rule *r, uint8_t family)
{
        nft_load_meta(r, NFT_META_NFPROTO, NFT_REG32_00);
        nft_compare(r, NFT_REG32_00, NFT_CMP_EQ, &family, sizeof family);
}

void nft_match_protocol(struct nft_rule *r, uint8_t protocol)
{
        nft_load_meta(r, NFT_META_L4PROTO, NFT_REG32_00);
        nft_compare(r, NFT_REG32_00, NFT_CMP_EQ, &protocol, sizeof protocol);
}

void nft_match_interfaces(struct nft_rule *r, uint32_t key, const char *prefix)
{
        nft_load_meta(r, key, NFT_REG32_00);
        nft_compare(r, NFT_REG32_00, NFT_CMP_EQ, prefix, strlen(prefix));
}

void nft_match_interface(struct nft_rule *r, uint32_t key, enum nft_cmp_ops how, const char *name)
{
        char padded[IFNAMSIZ] = "";

        memcpy(padded, name, strnlen(name, sizeof padded - 1));
        nft_load_meta(r, key, NFT_REG32_00);
        nft_compare(r, NFT_REG32_00, how, padded, sizeof padded);
}

void nft_match_ct_bits(struct nft_rule *r, uint32_t key, uint32_t bits)
{
        const uint32_t none = 0;

        nft_load_ct(r, key, NFT_REG32_00);
        nft_mask(r, NFT_REG32_00, &bits, sizeof bits);
        nft_compare(r, NFT_REG32_00, NFT_CMP_NEQ, &none, sizeof none);
}

void nft_match_network(struct nft_rule *r, bool source, enum nft_cmp_ops how, const void *bytes, size_t n,
                       uint8_t prefix_len)
{
        uint8_t mask[ADDRESS_MAX] = { 0 }, network[ADDRESS_MAX] = { 0 };
        const uint8_t *address = bytes;
        uint32_t offset = n == 4 ? source ? IPV4_SOURCE : IPV4_DESTINATION : source ? IPV6_SOURCE : IPV6_DESTINATION;

        for (size_t i = 0; i < n && i < ADDRESS_MAX; i++) {
                size_t left = prefix_len > 8 * i ? prefix_len - 8 * i : 0;

                mask[i] = left >= 8 ? 0xff : (uint8_t)(0xff00 >> left);
                network[i] = address[i] & mask[i];
        }
        nft_load_payload(r, NFT_PAYLOAD_NETWORK_HEADER, offset, (uint32_t)n, NFT_REG32_00);
        if (prefix_len < 8 * n)
                nft_mask(r, NFT_REG32_00, mask, n);
        nft_compare(r, NFT_REG32_00, how, network, n);
}

/* --------------------------------------------------------------------------------------------------------- verdicts */

void nft_verdict(struct nft_rule *r, int verdict, const char *chain)
{
        struct expression e = open_expression(r, "immediate");
        size_t data, nest;

        put_be32(&r->request, NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT);
        data = netlink_nest(&r->request, NFTA_IMMEDIATE_DATA);
        nest = netlink_nest(&r->request, NFTA_DATA_VERDICT);
        put_be32(&r->request, NFTA_VERDICT_CODE, (uint32_t)verdict);
        if (chain)
                netlink_put_str(&r->request, NFTA_VERDICT_CHAIN, chain);
        netlink_nest_end(&r->request, nest);
        netlink_nest_end(&r->request, data);
        close_expression(r, e);
}

void nft_masquerade_packet(struct nft_rule *r)
{
        close_expression(r, open_expression(r, "masq"));
}

void nft_nat(struct nft_rule *r, enum nft_nat_types type, uint8_t family, uint32_t address, uint32_t port)
{
        struct expression e = open_expression(r, "nat");

        put_be32(&r->request, NFTA_NAT_TYPE, type);
        put_be32(&r->request, NFTA_NAT_FAMILY, family);
        put_be32(&r->request, NFTA_NAT_REG_ADDR_MIN, address);
        if (port)
                put_be32(&r->request, NFTA_NAT_REG_PROTO_MIN, port);
        close_expression(r, e);
}

void nft_count(struct nft_rule *r)
{
        close_expression(r, open_expression(r, "counter"));
}

void nft_reject(struct nft_rule *r, enum nft_reject_types type, uint8_t code)
{
        struct expression e = open_expression(r, "reject");

        put_be32(&r->request, NFTA_REJECT_TYPE, type);
        netlink_put_u8(&r->request, NFTA_REJECT_ICMP_CODE, code);
        close_expression(r, e);
}

void nft_match_extension(struct nft_rule *r, const char *name, uint32_t revision, const void *info, size_t n)
{
        struct expression e = open_expression(r, "match");

        netlink_put_str(&r->request, NFTA_MATCH_NAME, name);
        put_be32(&r->request, NFTA_MATCH_REV, revision);
        netlink_put(&r->request, NFTA_MATCH_INFO, info, n);
        close_expression(r, e);
}

void nft_match_states(struct nft_rule *r, uint16_t states)
{
        const struct xt_conntrack_mtinfo3 info = { .match_flags = XT_CONNTRACK_STATE, .state_mask = states };

        nft_match_extension(r, "conntrack", 3, &info, sizeof info);
}

#include "linux/nft.h"

#include "linux/netlink.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <stddef.h>
#include <string.h>

#define CHAIN "postrouting"
enum { PRIORITY_SRCNAT = 100 };

static void begin(struct netlink_request *r, uint16_t message, uint16_t flags)
{
        const struct nfgenmsg h = { .nfgen_family = NFPROTO_IPV4, .version = NFNETLINK_V0 };

        netlink_begin(r, (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | message), flags, &h, sizeof h);
}

static void add_edge(struct netlink_batch *b, uint16_t type)
{
        const struct nfgenmsg h = { .version = NFNETLINK_V0, .res_id = htons(NFNL_SUBSYS_NFTABLES) };
        struct netlink_request r;

        netlink_begin(&r, type, 0, &h, sizeof h);
        netlink_batch_add(b, &r, false);
}

/* nftables counts in network byte order. */
static void put_be32(struct netlink_request *r, uint16_t type, uint32_t value)
{
        netlink_put_u32(r, type, htonl(value));
}

/* ------------------------------------------------------------------------------------------------------- expressions
 */

struct expression {
        size_t element, data;
};

static struct expression open_expression(struct netlink_request *r, const char *name)
{
        struct expression e;

        e.element = netlink_nest(r, NFTA_LIST_ELEM);
        netlink_put_str(r, NFTA_EXPR_NAME, name);
        e.data = netlink_nest(r, NFTA_EXPR_DATA);
        return e;
}

static void close_expression(struct netlink_request *r, struct expression e)
{
        netlink_nest_end(r, e.data);
        netlink_nest_end(r, e.element);
}

static void put_value(struct netlink_request *r, uint16_t type, const void *bytes, size_t n)
{
        size_t nest = netlink_nest(r, type);

        netlink_put(r, NFTA_DATA_VALUE, bytes, n);
        netlink_nest_end(r, nest);
}

static void load_source(struct netlink_request *r)
{
        struct expression e = open_expression(r, "payload");

        put_be32(r, NFTA_PAYLOAD_DREG, NFT_REG_1);
        put_be32(r, NFTA_PAYLOAD_BASE, NFT_PAYLOAD_NETWORK_HEADER);
        put_be32(r, NFTA_PAYLOAD_OFFSET, offsetof(struct iphdr, saddr));
        put_be32(r, NFTA_PAYLOAD_LEN, sizeof(uint32_t));
        close_expression(r, e);
}

static void mask(struct netlink_request *r, uint32_t bits)
{
        struct expression e = open_expression(r, "bitwise");
        const uint32_t keep = htonl(bits), flip = 0;

        put_be32(r, NFTA_BITWISE_SREG, NFT_REG_1);
        put_be32(r, NFTA_BITWISE_DREG, NFT_REG_1);
        put_be32(r, NFTA_BITWISE_LEN, sizeof keep);
        put_value(r, NFTA_BITWISE_MASK, &keep, sizeof keep);
        put_value(r, NFTA_BITWISE_XOR, &flip, sizeof flip);
        close_expression(r, e);
}

static void compare(struct netlink_request *r, enum nft_cmp_ops how, const void *bytes, size_t n)
{
        struct expression e = open_expression(r, "cmp");

        put_be32(r, NFTA_CMP_SREG, NFT_REG_1);
        put_be32(r, NFTA_CMP_OP, how);
        put_value(r, NFTA_CMP_DATA, bytes, n);
        close_expression(r, e);
}

static void load_interface(struct netlink_request *r)
{
        struct expression e = open_expression(r, "meta");

        put_be32(r, NFTA_META_DREG, NFT_REG_1);
        put_be32(r, NFTA_META_KEY, NFT_META_OIFNAME);
        close_expression(r, e);
}

/* --------------------------------------------------------------------------------------------------------- the table
 */

static void make_table(struct netlink_batch *b, const struct nft_masquerade *m)
{
        struct netlink_request r;

        begin(&r, NFT_MSG_NEWTABLE, NLM_F_CREATE | NLM_F_EXCL);
        netlink_put_str(&r, NFTA_TABLE_NAME, m->table);
        netlink_batch_add(b, &r, false);
}

static void make_chain(struct netlink_batch *b, const struct nft_masquerade *m)
{
        struct netlink_request r;
        size_t hook;

        begin(&r, NFT_MSG_NEWCHAIN, NLM_F_CREATE);
        netlink_put_str(&r, NFTA_CHAIN_TABLE, m->table);
        netlink_put_str(&r, NFTA_CHAIN_NAME, CHAIN);
        netlink_put_str(&r, NFTA_CHAIN_TYPE, "nat");
        hook = netlink_nest(&r, NFTA_CHAIN_HOOK);
        put_be32(&r, NFTA_HOOK_HOOKNUM, NF_INET_POST_ROUTING);
        put_be32(&r, NFTA_HOOK_PRIORITY, PRIORITY_SRCNAT);
        netlink_nest_end(&r, hook);
        netlink_batch_add(b, &r, false);
}

static void make_rule(struct netlink_batch *b, const struct nft_masquerade *m)
{
        const uint32_t bits = UINT32_MAX << (32 - m->prefix_len), network = htonl(m->network & bits);
        char bridge[IFNAMSIZ] = "";
        struct netlink_request r;
        size_t list;

        strncpy(bridge, m->bridge, sizeof bridge - 1);
        begin(&r, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND);
        netlink_put_str(&r, NFTA_RULE_TABLE, m->table);
        netlink_put_str(&r, NFTA_RULE_CHAIN, CHAIN);
        list = netlink_nest(&r, NFTA_RULE_EXPRESSIONS);
        load_source(&r);
        mask(&r, bits);
        compare(&r, NFT_CMP_EQ, &network, sizeof network);
        load_interface(&r);
        compare(&r, NFT_CMP_NEQ, bridge, sizeof bridge);
        close_expression(&r, open_expression(&r, "masq"));
        netlink_nest_end(&r, list);
        netlink_batch_add(b, &r, true);
}

int nft_masquerade(int sock, const struct nft_masquerade *m, struct cor_err *err)
{
        auto_netlink_batch b = { .len = 0 };

        add_edge(&b, NFNL_MSG_BATCH_BEGIN);
        make_table(&b, m);
        make_chain(&b, m);
        make_rule(&b, m);
        add_edge(&b, NFNL_MSG_BATCH_END);
        if (netlink_exchange_batch(sock, &b, err) == 0 || err->sys == EEXIST)
                return 0;
        return cor_wrap(err, "nftables: make table %s", m->table);
}

int nft_table_delete(int sock, const char *table, struct cor_err *err)
{
        auto_netlink_batch b = { .len = 0 };
        struct netlink_request r;

        add_edge(&b, NFNL_MSG_BATCH_BEGIN);
        begin(&r, NFT_MSG_DELTABLE, 0);
        netlink_put_str(&r, NFTA_TABLE_NAME, table);
        netlink_batch_add(&b, &r, true);
        add_edge(&b, NFNL_MSG_BATCH_END);
        if (netlink_exchange_batch(sock, &b, err) == 0 || err->sys == ENOENT)
                return 0;
        return cor_wrap(err, "nftables: remove table %s", table);
}

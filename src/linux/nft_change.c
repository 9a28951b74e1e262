#include "linux/nft_change.h"

#include "base/fd.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <stddef.h>
#include <string.h>

enum { ELEMENTS_MAX_BYTES = NETLINK_REQUEST_MAX - 512 }; /* of one message, with room for one more element */

/* nftables counts in network byte order. */
static void put_be32(struct netlink_request *r, uint16_t type, uint32_t value)
{
        netlink_put_u32(r, type, htonl(value));
}

static void begin(const struct nft_change *c, struct netlink_request *r, uint16_t message, uint16_t flags)
{
        const struct nfgenmsg h = { .nfgen_family = c->family, .version = NFNETLINK_V0 };

        netlink_begin(r, (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | message), flags, &h, sizeof h);
}

static void add_edge(struct nft_change *c, uint16_t type)
{
        const struct nfgenmsg h = { .version = NFNETLINK_V0, .res_id = htons(NFNL_SUBSYS_NFTABLES) };
        struct netlink_request r;

        netlink_begin(&r, type, 0, &h, sizeof h);
        netlink_batch_add(&c->batch, &r, false);
}

void nft_change_begin(struct nft_change *c, uint8_t family, const char *table)
{
        *c = (struct nft_change){ .table = table, .family = family };
        add_edge(c, NFNL_MSG_BATCH_BEGIN);
}

void nft_change_done(struct nft_change *c)
{
        netlink_batch_done(&c->batch);
}

int nft_change_commit(struct nft_change *c, int sock, struct cor_err *err)
{
        if (c->batch.last == 0) /* nothing but its beginning */
                return 0;
        netlink_batch_ack_last(&c->batch);
        add_edge(c, NFNL_MSG_BATCH_END);
        return netlink_exchange_batch(sock, &c->batch, err) < 0 ? cor_wrap(err, "nftables: table %s", c->table) : 0;
}

/* ------------------------------------------------------------------------------------------------ tables and chains */

void nft_add_table(struct nft_change *c)
{
        struct netlink_request r;

        begin(c, &r, NFT_MSG_NEWTABLE, NLM_F_CREATE);
        netlink_put_str(&r, NFTA_TABLE_NAME, c->table);
        netlink_batch_add(&c->batch, &r, false);
}

void nft_delete_table(struct nft_change *c)
{
        struct netlink_request r;

        begin(c, &r, NFT_MSG_DELTABLE, 0);
        netlink_put_str(&r, NFTA_TABLE_NAME, c->table);
        netlink_batch_add(&c->batch, &r, false);
}

void nft_add_chain(struct nft_change *c, const struct nft_chain *chain)
{
        struct netlink_request r;
        size_t hook;

        begin(c, &r, NFT_MSG_NEWCHAIN, NLM_F_CREATE);
        netlink_put_str(&r, NFTA_CHAIN_TABLE, c->table);
        netlink_put_str(&r, NFTA_CHAIN_NAME, chain->name);
        if (chain->type) {
                netlink_put_str(&r, NFTA_CHAIN_TYPE, chain->type);
                hook = netlink_nest(&r, NFTA_CHAIN_HOOK);
                put_be32(&r, NFTA_HOOK_HOOKNUM, chain->hook);
                put_be32(&r, NFTA_HOOK_PRIORITY, (uint32_t)chain->priority);
                netlink_nest_end(&r, hook);
                put_be32(&r, NFTA_CHAIN_POLICY, chain->drop ? NF_DROP : NF_ACCEPT);
        }
        netlink_batch_add(&c->batch, &r, false);
}

void nft_flush_chain(struct nft_change *c, const char *chain)
{
        struct netlink_request r;

        begin(c, &r, NFT_MSG_DELRULE, 0);
        netlink_put_str(&r, NFTA_RULE_TABLE, c->table);
        netlink_put_str(&r, NFTA_RULE_CHAIN, chain);
        netlink_batch_add(&c->batch, &r, false);
}

void nft_delete_chain(struct nft_change *c, const char *chain)
{
        struct netlink_request r;

        begin(c, &r, NFT_MSG_DELCHAIN, 0);
        netlink_put_str(&r, NFTA_CHAIN_TABLE, c->table);
        netlink_put_str(&r, NFTA_CHAIN_NAME, chain);
        netlink_batch_add(&c->batch, &r, false);
}

/* ---------------------------------------------------------------------------------------------------- sets and maps */

/* For nft(8) only, which would else take a name's bytes for those of a big-endian number, and show none. */
static void put_key_order(struct netlink_request *r)
{
        enum { KEY_ORDER = 0, HOST_ORDER = 1 }; /* as libnftnl and nft number them */
        const uint32_t order = HOST_ORDER;
        uint8_t data[2 + sizeof order] = { KEY_ORDER, sizeof order };

        memcpy(data + 2, &order, sizeof order);
        netlink_put(r, NFTA_SET_USERDATA, data, sizeof data);
}

void nft_add_set(struct nft_change *c, const struct nft_set *set)
{
        struct netlink_request r;

        begin(c, &r, NFT_MSG_NEWSET, NLM_F_CREATE);
        netlink_put_str(&r, NFTA_SET_TABLE, c->table);
        netlink_put_str(&r, NFTA_SET_NAME, set->name);
        put_be32(&r, NFTA_SET_FLAGS, (set->map ? NFT_SET_MAP : 0) | (set->interval ? NFT_SET_INTERVAL : 0));
        put_be32(&r, NFTA_SET_KEY_TYPE, set->key_type);
        put_be32(&r, NFTA_SET_KEY_LEN, set->key_len);
        put_be32(&r, NFTA_SET_ID, ++c->last_set); /* names it inside of the change */
        if (set->map) {
                put_be32(&r, NFTA_SET_DATA_TYPE, set->data_type);
                put_be32(&r, NFTA_SET_DATA_LEN, set->data_len);
        }
        if (set->key_type == NFT_TYPE_NAME)
                put_key_order(&r);
        netlink_batch_add(&c->batch, &r, false);
}

static void begin_elements(const struct nft_change *c, struct netlink_request *r, uint16_t message, const char *set)
{
        begin(c, r, message, message == NFT_MSG_NEWSETELEM ? NLM_F_CREATE : 0);
        netlink_put_str(r, NFTA_SET_ELEM_LIST_TABLE, c->table);
        netlink_put_str(r, NFTA_SET_ELEM_LIST_SET, set);
}

void nft_flush_set(struct nft_change *c, const char *set)
{
        struct netlink_request r;

        begin_elements(c, &r, NFT_MSG_DELSETELEM, set);
        netlink_batch_add(&c->batch, &r, false);
}

void nft_delete_set(struct nft_change *c, const char *set)
{
        struct netlink_request r;

        begin(c, &r, NFT_MSG_DELSET, 0);
        netlink_put_str(&r, NFTA_SET_TABLE, c->table);
        netlink_put_str(&r, NFTA_SET_NAME, set);
        netlink_batch_add(&c->batch, &r, false);
}

static void put_value(struct netlink_request *r, uint16_t type, const void *bytes, size_t n)
{
        size_t nest = netlink_nest(r, type);

        netlink_put(r, NFTA_DATA_VALUE, bytes, n);
        netlink_nest_end(r, nest);
}

static void put_element(struct netlink_request *r, const struct nft_element *e)
{
        size_t nest = netlink_nest(r, NFTA_LIST_ELEM);

        put_value(r, NFTA_SET_ELEM_KEY, e->key, e->key_len);
        if (e->data)
                put_value(r, NFTA_SET_ELEM_DATA, e->data, e->data_len);
        if (e->end)
                put_be32(r, NFTA_SET_ELEM_FLAGS, NFT_SET_ELEM_INTERVAL_END);
        netlink_nest_end(r, nest);
}

static void put_elements(struct nft_change *c, uint16_t message, const char *set, const struct nft_element *items,
                         size_t n_items)
{
        for (size_t i = 0; i < n_items;) {
                struct netlink_request r;
                size_t list;

                begin_elements(c, &r, message, set);
                list = netlink_nest(&r, NFTA_SET_ELEM_LIST_ELEMENTS);
                while (i < n_items && r.len < ELEMENTS_MAX_BYTES)
                        put_element(&r, &items[i++]);
                netlink_nest_end(&r, list);
                netlink_batch_add(&c->batch, &r, false);
        }
}

void nft_add_elements(struct nft_change *c, const char *set, const struct nft_element *items, size_t n_items)
{
        put_elements(c, NFT_MSG_NEWSETELEM, set, items, n_items);
}

void nft_delete_elements(struct nft_change *c, const char *set, const struct nft_element *items, size_t n_items)
{
        put_elements(c, NFT_MSG_DELSETELEM, set, items, n_items);
}

/* ---------------------------------------------------------------------------------------------------- what is there */

static int find(int sock, struct netlink_request *r, struct cor_err *err)
{
        if (netlink_exchange(sock, r, NULL, NULL, err) == 0)
                return 1;
        return err->sys == ENOENT ? 0 : cor_wrap(err, "nftables");
}

int nft_find_table(int sock, uint8_t family, const char *table, struct cor_err *err)
{
        const struct nft_change c = { .family = family };
        struct netlink_request r;

        begin(&c, &r, NFT_MSG_GETTABLE, 0);
        netlink_put_str(&r, NFTA_TABLE_NAME, table);
        return find(sock, &r, err);
}

int nft_find_chain(int sock, uint8_t family, const char *table, const char *chain, struct cor_err *err)
{
        const struct nft_change c = { .family = family };
        struct netlink_request r;

        begin(&c, &r, NFT_MSG_GETCHAIN, 0);
        netlink_put_str(&r, NFTA_CHAIN_TABLE, table);
        netlink_put_str(&r, NFTA_CHAIN_NAME, chain);
        return find(sock, &r, err);
}

static int take_policy(const struct netlink_message *m, void *data, struct cor_err *err)
{
        bool *drops = data;
        struct netlink_cursor c;
        struct netlink_attr a;
        struct nfgenmsg h;

        (void)err;
        if (m->type == (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWCHAIN) && netlink_header(m, &h, sizeof h, &c))
                while (netlink_next_attr(&c, &a))
                        if (a.type == NFTA_CHAIN_POLICY)
                                *drops = ntohl(netlink_u32(&a, htonl(NF_ACCEPT))) == NF_DROP;
        return 0;
}

int nft_chain_drops(int sock, uint8_t family, const char *table, const char *chain, struct cor_err *err)
{
        const struct nft_change c = { .family = family };
        struct netlink_request r;
        bool drops = false;

        begin(&c, &r, NFT_MSG_GETCHAIN, 0);
        netlink_put_str(&r, NFTA_CHAIN_TABLE, table);
        netlink_put_str(&r, NFTA_CHAIN_NAME, chain);
        if (netlink_exchange(sock, &r, take_policy, &drops, err) < 0)
                return err->sys == ENOENT ? 0 : cor_wrap(err, "nftables");
        return drops;
}

int nft_find_element(int sock, uint8_t family, const char *table, const char *set, const void *key, size_t key_len,
                     struct cor_err *err)
{
        const struct nft_change c = { .family = family, .table = table };
        struct netlink_request r;
        size_t list;

        begin_elements(&c, &r, NFT_MSG_GETSETELEM, set);
        list = netlink_nest(&r, NFTA_SET_ELEM_LIST_ELEMENTS);
        put_element(&r, &(struct nft_element){ .key = key, .key_len = key_len });
        netlink_nest_end(&r, list);
        return find(sock, &r, err);
}

struct counting {
        const char *except;
        int n;
};

static int count_rule(const struct netlink_message *m, void *data, struct cor_err *err)
{
        struct counting *count = data;
        struct netlink_cursor c;
        struct netlink_attr a;
        struct nfgenmsg h;

        (void)err;
        if (m->type != (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWRULE) || !netlink_header(m, &h, sizeof h, &c))
                return 0;
        while (netlink_next_attr(&c, &a))
                if (a.type == NFTA_RULE_CHAIN && count->except && netlink_str(&a) &&
                    strcmp(netlink_str(&a), count->except) == 0)
                        return 0;
        count->n++;
        return 0;
}

int nft_count_rules(int sock, uint8_t family, const char *table, const char *except, struct cor_err *err)
{
        enum { DUMP_TRIES = 8 };
        const struct nft_change c = { .family = family };
        struct counting count = { .except = except };
        struct netlink_request r;

        for (int i = 0; i < DUMP_TRIES; i++) {
                count.n = 0;
                begin(&c, &r, NFT_MSG_GETRULE, NLM_F_DUMP);
                netlink_put_str(&r, NFTA_RULE_TABLE, table);
                if (netlink_exchange(sock, &r, count_rule, &count, err) == 0)
                        return count.n;
                if (err->sys == ENOENT)
                        return 0;
                if (err->kind != COR_BUSY)
                        break;
        }
        return cor_wrap(err, "nftables: read the rules of table %s", table);
}

#ifndef CORACLE_LINUX_NFT_CHANGE_H
#define CORACLE_LINUX_NFT_CHANGE_H
/*
 * A change of one table of nftables, as a transaction: everything in it happens, or nothing. Objects are named and put
 * one behind the other; nft_change_commit() sends them. Adding what is there already is no error, unless it is another
 * thing of that name; removing what is not there is one (NOT_FOUND).
 *
 *      nft_change_begin(&c, NFPROTO_INET, "coracle");
 *      nft_add_table(&c);
 *      nft_add_chain(&c, &(struct nft_chain){ .name = "input", .type = "filter", .hook = NF_INET_LOCAL_IN });
 *      nft_rule_begin(&r, &c, "input");        (linux/nft_rule.h)
 *      …
 *      nft_rule_end(&r, &c);
 *      nft_change_commit(&c, sock, err);
 */
#include "linux/netlink.h"

struct nft_change {
        struct netlink_batch batch;
        const char *table;
        uint8_t family; /* NFPROTO_… */
        uint32_t last_set;
};

/* nft_change_begin() - @table stays the caller's; nft_change_done() gives back the memory, also after a commit */
void nft_change_begin(struct nft_change *c, uint8_t family, const char *table);
void nft_change_done(struct nft_change *c);
#define auto_nft_change COR_CLEANUP(nft_change_done) struct nft_change
/* nft_change_commit() - @sock: NETLINK_NETFILTER. `sys` of the error is the kernel's: EEXIST, ENOENT, … */
int nft_change_commit(struct nft_change *c, int sock, struct cor_err *err) COR_MUST_CHECK;

void nft_add_table(struct nft_change *c);
void nft_delete_table(struct nft_change *c);

struct nft_chain {
        const char *name;
        const char *type; /* "filter", "nat", "route"; NULL: no base chain, only to be jumped to */
        uint32_t hook;    /* NF_INET_… */
        int32_t priority;
        bool drop; /* policy of a base chain: drop, not accept */
};
void nft_add_chain(struct nft_change *c, const struct nft_chain *chain);
void nft_flush_chain(struct nft_change *c, const char *chain); /* removes all its rules */
void nft_delete_chain(struct nft_change *c, const char *chain);

/* Types as the program nft knows them: only for its display. Two in one key: NFT_TYPE_PAIR(NFT_TYPE_IPV4,
 * NFT_TYPE_PORT) */
enum {
        NFT_TYPE_FAMILY = 2,
        NFT_TYPE_IPV4 = 7,
        NFT_TYPE_IPV6 = 8,
        NFT_TYPE_PROTOCOL = 12,
        NFT_TYPE_PORT = 13,
        NFT_TYPE_MARK = 19,
        NFT_TYPE_NAME = 41
};
#define NFT_TYPE_PAIR(a, b) ((a) << 6 | (b))

struct nft_set {
        const char *name;
        uint32_t key_type, key_len; /* parts of a key are padded to 4 bytes each */
        bool map;                   /* with data of … */
        uint32_t data_type, data_len;
        bool interval; /* keys are beginnings of ranges, ended by elements marked so */
};
void nft_add_set(struct nft_change *c, const struct nft_set *set);
void nft_flush_set(struct nft_change *c, const char *set);
void nft_delete_set(struct nft_change *c, const char *set);

struct nft_element {
        const void *key, *data; /* data of a map, or NULL */
        size_t key_len, data_len;
        bool end; /* the end of a range, not in it */
};
/* nft_add_elements() / nft_delete_elements() - many fit into one message, and any number into a change */
void nft_add_elements(struct nft_change *c, const char *set, const struct nft_element *items, size_t n_items);
void nft_delete_elements(struct nft_change *c, const char *set, const struct nft_element *items, size_t n_items);

/* nft_find_table() / nft_find_chain() - 1 it is there, 0 it is not */
int nft_find_table(int sock, uint8_t family, const char *table, struct cor_err *err) COR_MUST_CHECK;
int nft_find_chain(int sock, uint8_t family, const char *table, const char *chain, struct cor_err *err) COR_MUST_CHECK;
/* nft_chain_drops() - it is there, and its policy is to drop: 1, 0 */
int nft_chain_drops(int sock, uint8_t family, const char *table, const char *chain, struct cor_err *err) COR_MUST_CHECK;
/* nft_find_element() - the set has it: 1, 0 */
int nft_find_element(int sock, uint8_t family, const char *table, const char *set, const void *key, size_t key_len,
                     struct cor_err *err) COR_MUST_CHECK;
/* nft_count_rules() - those of @table, but for those in chain @except (may be NULL); 0 if there is no such table */
int nft_count_rules(int sock, uint8_t family, const char *table, const char *except, struct cor_err *err)
        COR_MUST_CHECK;

#endif

#ifndef CORACLE_LINUX_NFT_LIST_H
#define CORACLE_LINUX_NFT_LIST_H
/*
 * What rules of a table are there. A rule has no name: whoever wants to find one again gives it a comment
 * (linux/nft_rule.h), and removes it by the handle that the kernel gave it.
 */
#include "linux/nft_change.h"

enum { NFT_COMMENT_MAX = 127, NFT_CHAIN_NAME_BYTES = 256 };
struct nft_listed_rule {
        char chain[NFT_CHAIN_NAME_BYTES];
        uint64_t handle;
        char comment[NFT_COMMENT_MAX + 1]; /* "" if it has none */
};
/* nft_listed_rule_read() - false if @m is something else */
bool nft_listed_rule_read(const struct netlink_message *m, struct nft_listed_rule *ret);
/* nft_list_rules() - those of @table, of one @chain or (NULL) of all; none if there is no such thing. free() *ret */
int nft_list_rules(int sock, uint8_t family, const char *table, const char *chain, struct nft_listed_rule **ret,
                   size_t *ret_n, struct cor_err *err) COR_MUST_CHECK;
/* nft_names_interface() - a rule of @chain is about the interface @name: 1, or 0: no, or there is no such chain */
int nft_names_interface(int sock, uint8_t family, const char *table, const char *chain, const char *name,
                        struct cor_err *err) COR_MUST_CHECK;
void nft_delete_rule(struct nft_change *c, const char *chain, uint64_t handle);

#endif

#ifndef CORACLE_LINUX_NFT_H
#define CORACLE_LINUX_NFT_H
/*
 * nftables by netlink, without the nft program or its libraries: what is needed to translate the addresses of a network
 * on the way out. Everything of one network is in one table, made in one batch: it is there whole, or not at all.
 */
#include "base/err.h"
#include <stdbool.h>
#include <stdint.h>

struct nft_masquerade {
        const char *table;  /* of the family ip */
        uint32_t network;   /* in the host's byte order: who sends from there … */
        uint8_t prefix_len; /* 1 to 32 */
        const char *bridge; /* … and not out of this interface gets the address of the interface it leaves by */
};
/* nft_masquerade() - make the table with its chain and rule; success if it is there already. @sock: NETLINK_NETFILTER
 */
int nft_masquerade(int sock, const struct nft_masquerade *m, struct cor_err *err) COR_MUST_CHECK;
/* nft_table_delete() - success if it is not there */
int nft_table_delete(int sock, const char *table, struct cor_err *err) COR_MUST_CHECK;

#endif

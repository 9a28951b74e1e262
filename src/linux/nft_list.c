#include "linux/nft_list.h"

#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "linux/link.h"

enum { COMMENT = 0 }; /* type of user data */

static void take_text(const struct netlink_attr *a, char *to, size_t size)
{
        const char *s = netlink_str(a);

        if (s && strlen(s) < size)
                memcpy(to, s, strlen(s) + 1);
}

static void take_comment(const struct netlink_attr *a, struct nft_listed_rule *ret)
{
        const uint8_t *p = a->data;
        size_t left = a->len;

        while (left >= 2 && p[1] <= left - 2) {
                size_t len = p[1];

                if (p[0] == COMMENT && len > 0 && len <= sizeof ret->comment && p[2 + len - 1] == '\0')
                        memcpy(ret->comment, p + 2, len);
                p += 2 + len;
                left -= 2 + len;
        }
}

bool nft_listed_rule_read(const struct netlink_message *m, struct nft_listed_rule *ret)
{
        struct netlink_cursor c;
        struct netlink_attr a;
        struct nfgenmsg h;

        if (m->type != (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWRULE) || !netlink_header(m, &h, sizeof h, &c))
                return false;
        *ret = (struct nft_listed_rule){ .handle = 0 };
        while (netlink_next_attr(&c, &a)) {
                if (a.type == NFTA_RULE_CHAIN)
                        take_text(&a, ret->chain, sizeof ret->chain);
                else if (a.type == NFTA_RULE_HANDLE)
                        ret->handle = be64toh(netlink_u64(&a, 0));
                else if (a.type == NFTA_RULE_USERDATA)
                        take_comment(&a, ret);
        }
        return ret->handle != 0 && ret->chain[0];
}

struct rules {
        struct nft_listed_rule *items;
        size_t n_items;
        const char *chain;
};

static void forget(void *data)
{
        struct rules *all = data;

        free(all->items);
        all->items = NULL;
        all->n_items = 0;
}

/* Older kernels give all rules of all chains whatever was asked for. */
static int take(const struct netlink_message *m, void *data, struct cor_err *err)
{
        struct rules *all = data;
        struct nft_listed_rule rule;

        (void)err;
        if (nft_listed_rule_read(m, &rule) && (!all->chain || strcmp(rule.chain, all->chain) == 0))
                *COR_GROW(all->items, all->n_items) = rule;
        return 0;
}

int nft_list_rules(int sock, uint8_t family, const char *table, const char *chain, struct nft_listed_rule **ret,
                   size_t *ret_n, struct cor_err *err)
{
        const struct nfgenmsg h = { .nfgen_family = family, .version = NFNETLINK_V0 };
        struct rules all = { .chain = chain };
        struct cor_err failed = { 0 };
        struct netlink_request r;

        netlink_begin(&r, NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETRULE, NLM_F_DUMP, &h, sizeof h);
        netlink_put_str(&r, NFTA_RULE_TABLE, table);
        if (chain)
                netlink_put_str(&r, NFTA_RULE_CHAIN, chain);
        if (netlink_dump(sock, &r, take, &all, forget, &failed) < 0) {
                forget(&all);
                if (failed.sys != ENOENT) {
                        if (err)
                                *err = failed;
                        return cor_wrap(err, "nftables: list the rules of table %s", table);
                }
        }
        *ret = all.items;
        *ret_n = all.n_items;
        return 0;
}

void nft_delete_rule(struct nft_change *c, const char *chain, uint64_t handle)
{
        const struct nfgenmsg h = { .nfgen_family = c->family, .version = NFNETLINK_V0 };
        struct netlink_request r;

        netlink_begin(&r, NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_DELRULE, 0, &h, sizeof h);
        netlink_put_str(&r, NFTA_RULE_TABLE, c->table);
        netlink_put_str(&r, NFTA_RULE_CHAIN, chain);
        netlink_put_u64(&r, NFTA_RULE_HANDLE, htobe64(handle));
        netlink_batch_add(&c->batch, &r, false);
}

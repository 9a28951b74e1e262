#include "linux/nft_list.h"

#include "base/alloc.h"

#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#include "linux/netlink_list.h"

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

/* Older kernels give all rules of all chains whatever was asked for. */
static void take(const struct netlink_message *m, struct netlink_list *l)
{
        const char *chain = l->wanted;
        struct nft_listed_rule rule;

        if (nft_listed_rule_read(m, &rule) && (!chain || strcmp(rule.chain, chain) == 0))
                netlink_list_add(l, &rule);
}

static int dump(int sock, uint8_t family, const char *table, const char *chain, struct netlink_list *l, void *ret,
                size_t *ret_n, struct cor_err *err)
{
        const struct nfgenmsg h = { .nfgen_family = family, .version = NFNETLINK_V0 };
        struct cor_err failed = { 0 };
        struct netlink_request r;

        netlink_begin(&r, NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETRULE, NLM_F_DUMP, &h, sizeof h);
        netlink_put_str(&r, NFTA_RULE_TABLE, table);
        if (chain)
                netlink_put_str(&r, NFTA_RULE_CHAIN, chain);
        if (netlink_list_get(sock, &r, l, ret, ret_n, &failed) == 0)
                return 0;
        if (failed.sys == ENOENT) {
                *(void **)ret = NULL;
                *ret_n = 0;
                return 0;
        }
        if (err)
                *err = failed;
        return cor_wrap(err, "nftables: list the rules of table %s", table);
}

int nft_list_rules(int sock, uint8_t family, const char *table, const char *chain, struct nft_listed_rule **ret,
                   size_t *ret_n, struct cor_err *err)
{
        struct netlink_list l = { .item_size = sizeof **ret, .take = take, .wanted = chain };

        return dump(sock, family, table, chain, &l, ret, ret_n, err);
}

/* ------------------------------------------------------------------------------------------------------- interfaces */

struct named {
        const char *chain;
        uint8_t name[IFNAMSIZ]; /* as an expression compares with it: filled up with zeros */
};

static void take_named(const struct netlink_message *m, struct netlink_list *l)
{
        const struct named *wanted = l->wanted;
        struct nft_listed_rule rule;

        if (nft_listed_rule_read(m, &rule) && strcmp(rule.chain, wanted->chain) == 0 &&
            memmem(m->body, m->len, wanted->name, sizeof wanted->name))
                netlink_list_add(l, &rule);
}

int nft_names_interface(int sock, uint8_t family, const char *table, const char *chain, const char *name,
                        struct cor_err *err)
{
        struct named wanted = { .chain = chain };
        struct netlink_list l = { .item_size = sizeof(struct nft_listed_rule), .take = take_named, .wanted = &wanted };
        struct nft_listed_rule *rules auto_free = NULL;
        size_t n;

        memcpy(wanted.name, name, strnlen(name, sizeof wanted.name - 1));
        return dump(sock, family, table, chain, &l, &rules, &n, err) < 0 ? -1 : n > 0;
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

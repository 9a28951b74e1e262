#include "network/host_forward.h"

#include "base/alloc.h"
#include "linux/nft_list.h"
#include "linux/nft_rule.h"

#include <netinet/in.h> /* before the kernel's */

#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/xt_conntrack.h>
#include <stdio.h>
#include <string.h>

#define TABLE   "filter"
#define FORWARD "FORWARD"
#define OURS    "CORACLE-FORWARD"
#define OUT     "CORACLE-OUT"
#define COMMENT "coracle" /* of what is for all bridges; behind it, the name of the one that a rule is for */

enum { RULES_OF_BRIDGE = 3, RULES_OUT = 3, COMMENT_BYTES = 64 };

static const uint8_t families[] = { NFPROTO_IPV4, NFPROTO_IPV6 };

/* ---------------------------------------------------------------------------------------------------- what is there */

struct found {
        struct nft_listed_rule *rules;
        size_t n_rules;
        size_t n_jumps, n_out, n_own, n_others; /* of ours: to OURS, in OUT, of this bridge, of other ones */
        char own[COMMENT_BYTES];
};

static void found_done(struct found *f)
{
        free(f->rules);
}
#define auto_found COR_CLEANUP(found_done) struct found

static bool is_own(const struct found *f, const struct nft_listed_rule *r)
{
        return strcmp(r->chain, OURS) == 0 && strcmp(r->comment, f->own) == 0;
}

static bool is_jump(const struct nft_listed_rule *r)
{
        return strcmp(r->chain, FORWARD) == 0 && strcmp(r->comment, COMMENT) == 0;
}

/* Of the three chains only: the table may have thousands of rules of others. */
static int list(int sock, uint8_t family, struct found *ret, struct cor_err *err)
{
        static const char *const chains[] = { FORWARD, OURS, OUT };

        for (size_t i = 0; i < COR_COUNT(chains); i++) {
                auto_free struct nft_listed_rule *rules = NULL;
                size_t n;

                if (nft_list_rules(sock, family, TABLE, chains[i], &rules, &n, err) < 0)
                        return -1;
                for (size_t k = 0; k < n; k++)
                        *COR_GROW(ret->rules, ret->n_rules) = rules[k];
        }
        return 0;
}

static int look(int sock, uint8_t family, const char *bridge, struct found *ret, struct cor_err *err)
{
        snprintf(ret->own, sizeof ret->own, COMMENT " %s", bridge);
        if (list(sock, family, ret, err) < 0)
                return -1;
        for (size_t i = 0; i < ret->n_rules; i++) {
                const struct nft_listed_rule *r = &ret->rules[i];

                ret->n_jumps += is_jump(r);
                ret->n_out += strcmp(r->chain, OUT) == 0;
                ret->n_own += is_own(ret, r);
                ret->n_others += strcmp(r->chain, OURS) == 0 && !is_own(ret, r);
        }
        return 0;
}

static void delete_where(struct nft_change *c, const struct found *f,
                         bool (*which)(const struct found *f, const struct nft_listed_rule *r))
{
        for (size_t i = 0; i < f->n_rules; i++)
                if (which(f, &f->rules[i]))
                        nft_delete_rule(c, f->rules[i].chain, f->rules[i].handle);
}

static bool is_jump_of(const struct found *f, const struct nft_listed_rule *r)
{
        (void)f;
        return is_jump(r);
}

/* ------------------------------------------------------------------------------------------------------------ rules */

static void begin(struct nft_rule *r, const struct nft_change *c, const char *chain, const char *comment)
{
        nft_rule_begin(r, c, chain);
        r->comment = comment;
}

static void end(struct nft_rule *r, struct nft_change *c, int verdict, const char *chain)
{
        nft_count(r);
        nft_verdict(r, verdict, chain);
        nft_rule_end(r, c);
}

static void write_bridge(struct nft_change *c, const char *bridge, const char *comment)
{
        struct nft_rule r;

        begin(&r, c, OURS, comment);
        nft_match_interface(&r, NFT_META_OIFNAME, NFT_CMP_EQ, bridge);
        nft_match_states(&r, XT_CONNTRACK_STATE_BIT(IP_CT_ESTABLISHED) | XT_CONNTRACK_STATE_BIT(IP_CT_RELATED) |
                                     XT_CONNTRACK_STATE_DNAT);
        end(&r, c, NF_ACCEPT, NULL);
        begin(&r, c, OURS, comment);
        nft_match_interface(&r, NFT_META_IIFNAME, NFT_CMP_EQ, bridge);
        nft_match_interface(&r, NFT_META_OIFNAME, NFT_CMP_EQ, bridge);
        end(&r, c, NF_ACCEPT, NULL);
        begin(&r, c, OURS, comment);
        nft_match_interface(&r, NFT_META_IIFNAME, NFT_CMP_EQ, bridge);
        end(&r, c, NFT_JUMP, OUT);
}

static void write_out(struct nft_change *c)
{
        struct nft_rule r;

        nft_flush_chain(c, OUT);
        begin(&r, c, OUT, COMMENT);
        nft_match_interface(&r, NFT_META_OIFNAME, NFT_CMP_EQ, "docker0");
        end(&r, c, NFT_RETURN, NULL);
        begin(&r, c, OUT, COMMENT);
        nft_match_interfaces(&r, NFT_META_OIFNAME, "br-");
        end(&r, c, NFT_RETURN, NULL);
        begin(&r, c, OUT, COMMENT);
        end(&r, c, NF_ACCEPT, NULL);
}

static void write_jump(struct nft_change *c)
{
        struct nft_rule r;

        begin(&r, c, FORWARD, COMMENT);
        end(&r, c, NFT_JUMP, OURS);
}

/* ---------------------------------------------------------------------------------------------------- both families */

static int allow(int sock, uint8_t family, const char *bridge, struct cor_err *err)
{
        int drops = nft_chain_drops(sock, family, TABLE, FORWARD, err);
        auto_found f = { .rules = NULL };
        auto_nft_change c = { .family = 0 };

        if (drops <= 0 || look(sock, family, bridge, &f, err) < 0)
                return drops == 0 ? 0 : -1;
        if (f.n_jumps > 0 && f.n_out == RULES_OUT && f.n_own == RULES_OF_BRIDGE)
                return 0;
        nft_change_begin(&c, family, TABLE);
        nft_add_chain(&c, &(struct nft_chain){ .name = OURS });
        nft_add_chain(&c, &(struct nft_chain){ .name = OUT });
        delete_where(&c, &f, is_own);
        if (f.n_out != RULES_OUT)
                write_out(&c);
        write_bridge(&c, bridge, f.own);
        if (f.n_jumps == 0)
                write_jump(&c);
        return nft_change_commit(&c, sock, err);
}

static int forget(int sock, uint8_t family, const char *bridge, struct cor_err *err)
{
        auto_found f = { .rules = NULL };
        auto_nft_change c = { .family = 0 };

        if (look(sock, family, bridge, &f, err) < 0)
                return -1;
        if (f.n_own == 0)
                return 0;
        nft_change_begin(&c, family, TABLE);
        delete_where(&c, &f, is_own);
        if (f.n_others == 0) {
                delete_where(&c, &f, is_jump_of);
                nft_add_chain(&c, &(struct nft_chain){ .name = OUT });
                nft_flush_chain(&c, OUT);
                nft_delete_chain(&c, OURS);
                nft_delete_chain(&c, OUT);
        }
        return nft_change_commit(&c, sock, err);
}

int host_forward_allow(int sock, const char *bridge, struct cor_err *err)
{
        for (size_t i = 0; i < COR_COUNT(families); i++)
                if (allow(sock, families[i], bridge, err) < 0)
                        return -1;
        return 0;
}

int host_forward_forget(int sock, const char *bridge, struct cor_err *err)
{
        for (size_t i = 0; i < COR_COUNT(families); i++)
                if (forget(sock, families[i], bridge, err) < 0)
                        return -1;
        return 0;
}

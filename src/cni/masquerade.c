/*
 * One table for all networks, of the family inet. Its chain "postrouting" sends what is no multicast on to "sources",
 * which has a rule for each address of a container: what comes from it and does not go to its own network.
 */
#include "cni/masquerade.h"

#include <linux/netfilter.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/fd.h"
#include "cni/iptables.h"
#include "cni/owner.h"
#include "cni/space.h"
#include "linux/nft_rule.h"

#define TABLE "coracle_cni_masquerade"
enum { PRIORITY_SRCNAT = 100 };

const struct cor_word masquerade_words[] = {
        { "nftables", MASQUERADE_NFTABLES },
        { "iptables", MASQUERADE_IPTABLES },
        { NULL, 0 },
};

static void leave_multicast(struct nft_change *change)
{
        static const uint8_t four[4] = { 224 }, six[16] = { 0xff };
        struct nft_rule r;

        nft_rule_begin(&r, change, "postrouting");
        nft_match_family(&r, NFPROTO_IPV4);
        nft_match_network(&r, false, NFT_CMP_EQ, four, sizeof four, 4);
        nft_verdict(&r, NFT_RETURN, NULL);
        nft_rule_end(&r, change);
        nft_rule_begin(&r, change, "postrouting");
        nft_match_family(&r, NFPROTO_IPV6);
        nft_match_network(&r, false, NFT_CMP_EQ, six, sizeof six, 8);
        nft_verdict(&r, NFT_RETURN, NULL);
        nft_rule_end(&r, change);
}

/* All of it each time: what is there stays, what somebody removed comes back. */
static void make_base(struct nft_change *change)
{
        struct nft_rule r;

        nft_add_table(change);
        nft_add_chain(change, &(struct nft_chain){ .name = "sources" });
        nft_add_chain(change, &(struct nft_chain){
                                      .name = "postrouting",
                                      .type = "nat",
                                      .hook = NF_INET_POST_ROUTING,
                                      .priority = PRIORITY_SRCNAT,
                              });
        nft_flush_chain(change, "postrouting");
        leave_multicast(change);
        nft_rule_begin(&r, change, "postrouting");
        nft_verdict(&r, NFT_GOTO, "sources");
        nft_rule_end(&r, change);
}

static void add_source(struct nft_change *change, const struct ip_prefix *p, const char *comment)
{
        const uint8_t family = ip_is_4(&p->ip) ? NFPROTO_IPV4 : NFPROTO_IPV6;
        struct nft_rule r;

        nft_rule_begin(&r, change, "sources");
        r.comment = comment;
        nft_match_family(&r, family);
        nft_match_network(&r, true, NFT_CMP_EQ, p->ip.bytes, p->ip.len, (uint8_t)(p->ip.len * 8));
        nft_match_network(&r, false, NFT_CMP_NEQ, p->ip.bytes, p->ip.len, p->bits);
        nft_masquerade_packet(&r);
        nft_rule_end(&r, change);
}

static int make_rules(struct nft_change *change, const char *comment, const void *data, struct cor_err *err)
{
        const struct cni_result *r = data;

        make_base(change);
        for (size_t i = 0; i < r->n_ips; i++) {
                struct ip_prefix p;

                if (text_prefix(r->ips[i].address, "ips[].address", &p, err) < 0)
                        return -1;
                add_source(change, &p, comment);
        }
        return 0;
}

static const struct owner_rules RULES = { NFPROTO_INET, TABLE, make_rules };

/* --------------------------------------------------------------------------------------------------------- iptables */

static void chain_of(const struct cni_call *c, char ret[IPTABLES_CHAIN_BYTES])
{
        char digest[OWNER_DIGEST + 1];
        char key[OWNER_TEXT_BYTES];

        owner_comment(c, key);
        owner_digest(key, "masquerade", digest);
        snprintf(ret, IPTABLES_CHAIN_BYTES, "CNI-%.24s", digest);
}

static int iptables_add(struct cni_call *c, const struct cni_result *r, struct cor_err *err)
{
        char chain[IPTABLES_CHAIN_BYTES];

        chain_of(c, chain);
        for (size_t i = 0; i < r->n_ips; i++) {
                struct ip_prefix p, network;
                char net[IP_TEXT_BYTES];
                char ip[IP_TEXT_BYTES];
                bool six;

                if (text_prefix(r->ips[i].address, "ips[].address", &p, err) < 0)
                        return -1;
                six = !ip_is_4(&p.ip);
                network = (struct ip_prefix){ .ip = ip_prefix_network(&p), .bits = p.bits };
                if (iptables_new_chain(six, "nat", chain, err) < 0 ||
                    iptables_ensure(six, "nat", chain, err, "-d", ip_prefix_text(&network, net), "-j", "ACCEPT", NULL) <
                            0 ||
                    iptables_ensure(six, "nat", chain, err, "!", "-d", six ? "ff00::/8" : "224.0.0.0/4", "-j",
                                    "MASQUERADE", NULL) < 0 ||
                    iptables_ensure(six, "nat", "POSTROUTING", err, "-s", ip_text(&p.ip, ip), "-j", chain, NULL) < 0)
                        return cor_wrap(err, "ipMasq");
        }
        return 0;
}

static int iptables_del(struct cni_call *c, struct cor_err *err)
{
        char chain[IPTABLES_CHAIN_BYTES];

        chain_of(c, chain);
        if (iptables_drop_chain(false, "nat", "POSTROUTING", chain, err) < 0 ||
            iptables_drop_chain(true, "nat", "POSTROUTING", chain, err) < 0)
                return cor_wrap(err, "ipMasq");
        return 0;
}

/* ------------------------------------------------------------------------------------------------------------ verbs */

int masquerade_add(struct cni_call *c, enum masquerade_backend backend, const struct cni_result *r, struct cor_err *err)
{
        if (backend == MASQUERADE_IPTABLES)
                return iptables_add(c, r, err);
        return owner_change(c, &RULES, owner_is_ours, r, err) < 0 ? cor_wrap(err, "ipMasq") : 0;
}

int masquerade_del(struct cni_call *c, enum masquerade_backend backend, struct cor_err *err)
{
        if (backend == MASQUERADE_IPTABLES)
                return iptables_del(c, err);
        return owner_change(c, &RULES, owner_is_ours, NULL, err) < 0 ? cor_wrap(err, "ipMasq") : 0;
}

int masquerade_check(struct cni_call *c, enum masquerade_backend backend, struct cor_err *err)
{
        auto_fd sock = -1;
        int n;

        if (backend == MASQUERADE_IPTABLES)
                return 0;
        sock = netlink_open(NETLINK_NETFILTER, err);
        n = sock < 0 ? -1 : owner_count_rules(sock, NFPROTO_INET, TABLE, c, err);
        if (n == 0)
                return cor_fail(err, COR_NOT_FOUND, "ipMasq: the rules in table " TABLE " are gone");
        return n < 0 ? -1 : 0;
}

int masquerade_gc(struct cni_call *c, struct cor_err *err)
{
        return owner_change(c, &RULES, owner_is_stale, NULL, err) < 0 ? cor_wrap(err, "ipMasq") : 0;
}

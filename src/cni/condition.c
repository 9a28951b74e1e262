#include "cni/condition.h"

#include <string.h>

#include "base/text.h"
#include "linux/link_message.h"

enum subject { SOURCE, DESTINATION, IN, OUT };
struct condition {
        enum subject subject;
        bool negated;
        const char *value;
        struct ip_prefix network;
};

/* The words of either program, one table: what it is about, and whether it is of iptables. */
static const struct cor_word flags[] = {
        { "-s", SOURCE },
        { "--source", SOURCE },
        { "--src", SOURCE },
        { "-d", DESTINATION },
        { "--destination", DESTINATION },
        { "--dst", DESTINATION },
        { "-i", IN },
        { "--in-interface", IN },
        { "-o", OUT },
        { "--out-interface", OUT },
        { NULL, 0 },
};
static const struct cor_word names[] = {
        { "saddr", SOURCE }, { "daddr", DESTINATION }, { "iifname", IN }, { "oifname", OUT }, { NULL, 0 },
};

static const char *word(const char *const *words, size_t n, size_t at)
{
        return at < n ? words[at] : "";
}

/* [!] FLAG VALUE; the number of words, 0 if it is none. */
static size_t take_flag(const char *const *words, size_t n, struct condition *ret)
{
        size_t at = strcmp(word(words, n, 0), "!") == 0;
        const struct cor_word *w = cor_word_find(flags, word(words, n, at));

        if (!w || at + 1 >= n)
                return 0;
        *ret = (struct condition){ .subject = (enum subject)w->value, .negated = at > 0, .value = words[at + 1] };
        return at + 2;
}

/* [ip|ip6] NAME [==|!=] VALUE */
static size_t take_name(const char *const *words, size_t n, bool six, struct condition *ret)
{
        size_t at = strcmp(word(words, n, 0), six ? "ip6" : "ip") == 0;
        const struct cor_word *w = cor_word_find(names, word(words, n, at));
        const char *how = word(words, n, at + 1);
        bool negated = strcmp(how, "!=") == 0;

        if (!w || (at == 1) != (w->value == SOURCE || w->value == DESTINATION))
                return 0;
        at += 1 + (negated || strcmp(how, "==") == 0);
        if (at >= n)
                return 0;
        *ret = (struct condition){ .subject = (enum subject)w->value, .negated = negated, .value = words[at] };
        return at + 1;
}

static size_t take(const char *const *words, size_t n, bool six, struct condition *ret)
{
        size_t used = take_flag(words, n, ret);

        if (used == 0)
                used = take_name(words, n, six, ret);
        if (used == 0)
                return 0;
        if (ret->subject == IN || ret->subject == OUT)
                return link_name_valid(ret->value) ? used : 0;
        return ip_parse_maybe_prefix(ret->value, &ret->network) == 0 && ip_is_4(&ret->network.ip) == !six ? used : 0;
}

int condition_check(const char *const *words, size_t n, bool six, const char *key, struct cor_err *err)
{
        struct condition c;

        for (size_t at = 0; at < n;) {
                size_t used = take(words + at, n - at, six, &c);

                if (used == 0)
                        return cor_fail(err, COR_INVALID,
                                        "%s[%zu]: \"%.64s\": only matches of addresses and interfaces are known", key,
                                        at, words[at]);
                at += used;
        }
        return 0;
}

void condition_put(const char *const *words, size_t n, bool six, struct nft_rule *r)
{
        struct condition c;

        for (size_t at = 0; at < n;) {
                size_t used = take(words + at, n - at, six, &c);
                enum nft_cmp_ops how;

                if (used == 0)
                        return;
                how = c.negated ? NFT_CMP_NEQ : NFT_CMP_EQ;
                if (c.subject == IN || c.subject == OUT)
                        nft_match_interface(r, c.subject == IN ? NFT_META_IIFNAME : NFT_META_OIFNAME, how, c.value);
                else
                        nft_match_network(r, c.subject == SOURCE, how, c.network.ip.bytes, c.network.ip.len,
                                          c.network.bits);
                at += used;
        }
}

#ifndef CORACLE_CNI_CONDITION_H
#define CORACLE_CNI_CONDITION_H
/*
 * conditionsV4 and conditionsV6 of portmap: matches in the words of nft(8) or iptables(8), put into our rules. Known
 * are addresses and interfaces: ip saddr|daddr [==|!=] NETWORK        [!] -s|-d NETWORK        (--source,
 * --destination) iifname|oifname [==|!=] NAME          [!] -i|-o NAME           (--in-interface, --out-interface)
 */
#include "linux/ip.h"
#include "linux/nft_rule.h"

/* condition_check() - all words are known; @key names the list in the error */
int condition_check(const char *const *words, size_t n, bool six, const char *key, struct cor_err *err) COR_MUST_CHECK;
/* condition_put() - words that condition_check() let pass into @r */
void condition_put(const char *const *words, size_t n, bool six, struct nft_rule *r);

#endif

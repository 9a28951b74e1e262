#ifndef CORACLE_CNI_IPTABLES_H
#define CORACLE_CNI_IPTABLES_H
/*
 * iptables, for configurations that ask for it: the program is run, with -w, and never otherwise. @six: ip6tables.
 * Rules are lists of words that end with NULL.
 */
#include "base/err.h"
#include <stdbool.h>

enum { IPTABLES_CHAIN_BYTES = 29 };

/* iptables_new_chain() - success if it is there */
int iptables_new_chain(bool six, const char *table, const char *chain, struct cor_err *err) COR_MUST_CHECK;
/* iptables_ensure() - the rule at the end of @chain, unless it is there; iptables_ensure_first() - at its beginning */
int iptables_ensure_rule(bool six, const char *table, const char *chain, const char *const *rule, struct cor_err *err)
        COR_MUST_CHECK;
int iptables_ensure_first_rule(bool six, const char *table, const char *chain, const char *const *rule,
                               struct cor_err *err) COR_MUST_CHECK;
/* iptables_remove() - success if it is not there; iptables_has() - 1 or 0 */
int iptables_remove_rule(bool six, const char *table, const char *chain, const char *const *rule, struct cor_err *err)
        COR_MUST_CHECK;
int iptables_has_rule(bool six, const char *table, const char *chain, const char *const *rule, struct cor_err *err)
        COR_MUST_CHECK;
/* The same with the words of the rule, and NULL, as arguments. */
#define IPTABLES_WORDS(...) ((const char *const[]){ __VA_ARGS__ })
#define iptables_ensure(SIX, TABLE, CHAIN, ERR, ...)                                                                   \
        iptables_ensure_rule(SIX, TABLE, CHAIN, IPTABLES_WORDS(__VA_ARGS__), ERR)
#define iptables_ensure_first(SIX, TABLE, CHAIN, ERR, ...)                                                             \
        iptables_ensure_first_rule(SIX, TABLE, CHAIN, IPTABLES_WORDS(__VA_ARGS__), ERR)
#define iptables_remove(SIX, TABLE, CHAIN, ERR, ...)                                                                   \
        iptables_remove_rule(SIX, TABLE, CHAIN, IPTABLES_WORDS(__VA_ARGS__), ERR)
#define iptables_has(SIX, TABLE, CHAIN, ERR, ...) iptables_has_rule(SIX, TABLE, CHAIN, IPTABLES_WORDS(__VA_ARGS__), ERR)
/*
 * iptables_drop_chain() - remove all rules of @from that jump to @chain, and @chain; success if there is nothing of it,
 * or no iptables at all
 */
int iptables_drop_chain(bool six, const char *table, const char *from, const char *chain, struct cor_err *err)
        COR_MUST_CHECK;

#endif

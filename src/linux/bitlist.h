#ifndef CORACLE_LINUX_BITLIST_H
#define CORACLE_LINUX_BITLIST_H
/* Sets of processors or memory nodes in the kernel's list format: "0-3,7", "0-15:2/4" is not accepted. */
#include "base/err.h"
#include <stdbool.h>
#include <stddef.h>

enum { BITLIST_MAX = 8192, BITLIST_LONGS = BITLIST_MAX / (8 * sizeof(unsigned long)) };
struct bitlist {
        unsigned long bits[BITLIST_LONGS]; /* as sched_setaffinity(2) and set_mempolicy(2) take it */
        unsigned n_bits;                   /* highest bit + 1 */
};

/*
 * bitlist_parse() - @what names the list in the error. Spaces around entries are allowed; an empty list, a descending
 * range and numbers from BITLIST_MAX are INVALID.
 */
int bitlist_parse(const char *list, const char *what, struct bitlist *ret, struct cor_err *err) COR_MUST_CHECK;
bool bitlist_has(const struct bitlist *b, unsigned bit);

#endif

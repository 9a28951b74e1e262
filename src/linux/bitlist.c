#include "linux/bitlist.h"

#include <string.h>

enum { LONG_BITS = 8 * sizeof(unsigned long) };

static void set(struct bitlist *b, unsigned bit)
{
        b->bits[bit / LONG_BITS] |= 1UL << bit % LONG_BITS;
        if (bit >= b->n_bits)
                b->n_bits = bit + 1;
}

bool bitlist_has(const struct bitlist *b, unsigned bit)
{
        return bit < BITLIST_MAX && b->bits[bit / LONG_BITS] >> bit % LONG_BITS & 1;
}

static const char *blanks(const char *p)
{
        return p + strspn(p, " \t\n");
}

/* A decimal number below BITLIST_MAX; NULL if there is none, else what follows it */
static const char *number(const char *p, unsigned *ret)
{
        unsigned n = 0;

        if (*p < '0' || *p > '9')
                return NULL;
        for (; *p >= '0' && *p <= '9'; p++) {
                n = n * 10 + (unsigned)(*p - '0');
                if (n >= BITLIST_MAX)
                        return NULL;
        }
        *ret = n;
        return p;
}

int bitlist_parse(const char *list, const char *what, struct bitlist *ret, struct cor_err *err)
{
        struct bitlist b = { 0 };
        const char *p = blanks(list);

        while (p && *p) {
                unsigned first = 0, last;

                if (*p == ',') { /* empty entries are let pass, as the kernel does */
                        p = blanks(p + 1);
                        continue;
                }
                p = number(p, &first);
                last = first;
                if (p && *(p = blanks(p)) == '-')
                        p = number(blanks(p + 1), &last);
                p = p ? blanks(p) : NULL;
                if (!p || last < first || (*p && *p != ','))
                        return cor_fail(err, COR_INVALID, "%s: %.60s: expected numbers below %d and ranges, as 0-3,7",
                                        what, list, BITLIST_MAX);
                for (; first <= last; first++)
                        set(&b, first);
        }
        if (b.n_bits == 0)
                return cor_fail(err, COR_INVALID, "%s: an empty list", what);
        *ret = b;
        return 0;
}

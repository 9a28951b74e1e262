/*
 *      pattern  { term }
 *      term     '*' any run without '/', '?' one character but '/', '[' ['^'] { range } ']', '\' c, c
 *      range    c, '\' c, lo '-' hi
 *
 * Characters are bytes here: names of images are ASCII.
 */
#include "engine/pattern.h"

#include <stddef.h>
#include <string.h>

/* One end of a range: the character at *@p, which moves on; -1 where none can be. */
static int range_end(const char **p)
{
        if (**p == '-' || **p == ']' || !**p)
                return -1;
        if (**p == '\\' && !*++*p)
                return -1;
        return (unsigned char)*(*p)++;
}

/* A class, from behind its '[' on: 1, 0, or -1 malformed. *@p is behind it afterwards. */
static int match_class(const char **p, int c)
{
        bool negated = **p == '^', found = false;

        *p += negated;
        for (int n = 0; n == 0 || **p != ']'; n++) {
                int low = range_end(p), high = low;

                if (low >= 0 && **p == '-') {
                        (*p)++;
                        high = range_end(p);
                }
                if (low < 0 || high < 0)
                        return -1;
                found |= low <= c && c <= high;
        }
        (*p)++;
        return found != negated;
}

/* One term that is not '*' against the character @c (NUL: none, only to see whether the term is well formed). */
static int match_term(const char **p, char c)
{
        switch (**p) {
        case '?':
                (*p)++;
                return c && c != '/';
        case '[':
                (*p)++;
                {
                        int r = match_class(p, (unsigned char)c);

                        return r > 0 && !c ? 0 : r;
                }
        case '\\':
                (*p)++;
                if (!**p)
                        return -1;
                break;
        default:
                break;
        }
        return *(*p)++ == c;
}

static int well_formed(const char *p)
{
        while (*p) {
                if (*p == '*')
                        p++;
                else if (match_term(&p, '\0') < 0)
                        return -1;
        }
        return 0;
}

int pattern_match(const char *pattern, const char *s)
{
        const char *star = NULL, *from = NULL; /* where to go on when what follows the last '*' does not fit */
        const char *p = pattern;

        if (well_formed(pattern) < 0)
                return -1;
        for (;;) {
                if (*p == '*') {
                        star = ++p;
                        from = s;
                        continue;
                }
                if (!*s && !*p)
                        return 1;
                if (*s && *p && match_term(&p, *s) > 0) {
                        s++;
                        continue;
                }
                if (!star || !*from || *from == '/')
                        return 0;
                p = star; /* the '*' takes one more */
                s = ++from;
        }
}

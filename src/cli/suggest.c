#include "cli/suggest.h"

#include "base/text.h"

#include <string.h>

enum { WORD_MAX = 31 };

static unsigned least(unsigned a, unsigned b, unsigned c)
{
        unsigned m = a < b ? a : b;

        return m < c ? m : c;
}

/* How many letters are to be put in, left out, changed, or exchanged with the next one */
static unsigned distance(const char *a, size_t n_a, const char *b, size_t n_b)
{
        unsigned rows[3][WORD_MAX + 1];

        for (size_t j = 0; j <= n_b; j++)
                rows[0][j] = (unsigned)j;
        for (size_t i = 1; i <= n_a; i++) {
                unsigned *now = rows[i % 3], *last = rows[(i + 2) % 3], *before = rows[(i + 1) % 3];

                now[0] = (unsigned)i;
                for (size_t j = 1; j <= n_b; j++) {
                        now[j] = least(last[j] + 1, now[j - 1] + 1, last[j - 1] + (a[i - 1] != b[j - 1]));
                        if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
                            before[j - 2] + 1 < now[j])
                                now[j] = before[j - 2] + 1;
                }
        }
        return rows[n_a % 3][n_b];
}

void suggest_offer(struct suggest *s, const char *known)
{
        size_t n = strlen(s->word), n_known = strlen(known);
        unsigned d;

        if (n < 2 || n > WORD_MAX || n_known > WORD_MAX)
                return;
        d = distance(s->word, n, known, n_known);
        if (n > 2 && strncmp(known, s->word, n) == 0) /* a beginning */
                d = 1;
        if (d > (n < 6 ? 1 : n < 9 ? 2 : 3) || (s->best && d >= s->distance))
                return;
        s->best = known;
        s->distance = d;
}

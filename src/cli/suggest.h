#ifndef CORACLE_CLI_SUGGEST_H
#define CORACLE_CLI_SUGGEST_H
/* What somebody may have meant by a word that is not known. */
#include <stdbool.h>

/* The best one so far; begin with SUGGEST_INIT(word) */
struct suggest {
        const char *word, *best;
        unsigned distance;
};
#define SUGGEST_INIT(WORD)                                                                                             \
        {                                                                                                              \
                .word = (WORD)                                                                                         \
        }

/* suggest_offer() - @known is a word that could be meant; it has to stay as long as @s. The best one is in s->best */
void suggest_offer(struct suggest *s, const char *known);

#endif

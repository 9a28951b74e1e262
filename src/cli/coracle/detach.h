#ifndef CORACLE_CLI_CORACLE_DETACH_H
#define CORACLE_CLI_CORACLE_DETACH_H
/* Keys that detach from a container: a sequence like "ctrl-p,ctrl-q", found in what is typed. */
#include "base/err.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DETACH_KEYS_MAX = 32 };

struct detach {
        uint8_t keys[DETACH_KEYS_MAX];
        size_t n, found; /* of the sequence; how much of it has been typed last */
};

/* detach_parse() - NULL: ctrl-p,ctrl-q. INVALID "Unknown character: 'x'" */
int detach_parse(const char *keys, struct detach *ret, struct cor_err *err) COR_MUST_CHECK;
/*
 * detach_filter() - @n typed bytes; those that the container is to have go to @out, which has room for @n and
 * DETACH_KEYS_MAX. A beginning of the sequence is held back until more is typed. True: the sequence was typed, and what
 * comes after it is dropped
 */
bool detach_filter(struct detach *d, const char *in, size_t n, char *out, size_t *ret_n);

#endif

#ifndef CORACLE_REGISTRY_ENCODE_H
#define CORACLE_REGISTRY_ENCODE_H
/* Base64 (RFC 4648) and percent encoding (RFC 3986). */
#include "base/text.h"

/* base64_encode() - free() */
char *base64_encode(const void *bytes, size_t n);
/* base64_decode() - strict: -1 for anything else than whole groups, padded at the end or not at all; free() *ret */
int base64_decode(const char *s, char **ret, size_t *ret_n) COR_MUST_CHECK;
/* percent_add() - @s with everything escaped but letters, digits, - . _ ~ and what is in @keep */
void percent_add(struct cor_text *t, const char *s, const char *keep);

#endif

#ifndef CORACLE_CLI_RUNE_H
#define CORACLE_CLI_RUNE_H
/* UTF-8, read as Go reads it: each byte that belongs to nothing valid is one U+FFFD. */
#include "base/text.h"

enum { RUNE_ERROR = 0xfffd, RUNE_MAX = 0x10ffff };

/* rune_next() - the code point at @s (@n bytes, at least 1) in *@ret, RUNE_ERROR for a stray byte; its length in bytes
 */
size_t rune_next(const char *s, size_t n, uint32_t *ret);
/* rune_count() - how many there are in @n bytes */
size_t rune_count(const char *s, size_t n);
/* rune_add() - append @rune; what is no code point becomes U+FFFD */
void rune_add(struct cor_text *out, uint32_t rune);
/*
 * rune_upper(), rune_lower() - of the Latin, Greek and Cyrillic letters that have both forms in one code point each;
 * others stay as they are
 */
uint32_t rune_upper(uint32_t rune);
uint32_t rune_lower(uint32_t rune);
/* rune_is_letter() - a letter, a digit or an underscore: what Go's templates take for a part of a name */
bool rune_is_letter(uint32_t rune);
/* rune_is_printable() - may stand in a quoted text as it is */
bool rune_is_printable(uint32_t rune);
/* rune_quote() - append @n bytes as Go quotes a string ("\n", "\x00", "\u200b"); @ascii: all but ASCII is escaped */
void rune_quote(const char *s, size_t n, bool ascii, struct cor_text *out);

#endif

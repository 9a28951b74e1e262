#ifndef CORACLE_BASE_TEXT_H
#define CORACLE_BASE_TEXT_H
/* Text: a growing buffer, and strict readers for numbers and words that arrive from outside. */
#include "base/alloc.h"
#include <stdbool.h>
#include <stdint.h>

/* A growing text buffer; `s` is terminated once anything was added and may hold NUL bytes added with _add_n(). */
struct cor_text {
        char *s;
        size_t len, room;
};
#define COR_TEXT_INIT                                                                                                  \
        {                                                                                                              \
                .s = NULL                                                                                              \
        }
#define auto_text COR_CLEANUP(cor_text_done) struct cor_text

void cor_text_add(struct cor_text *t, const char *s);
void cor_text_add_n(struct cor_text *t, const void *bytes, size_t n);
void cor_text_add_c(struct cor_text *t, char c);
void cor_text_printf(struct cor_text *t, const char *fmt, ...) COR_PRINTF(2, 3);
/* cor_text_add_json() - @s as a quoted JSON string; bytes that are not UTF-8 become U+FFFD */
void cor_text_add_json(struct cor_text *t, const char *s);
/* cor_text_add_now() - the time in UTC as RFC 3339 writes it, with or without nanoseconds */
void cor_text_add_now(struct cor_text *t, bool nanoseconds);
/*
 * cor_text_add_time() - @ns since 1970 in UTC as Go's RFC3339Nano: a fraction without zeros at its end, if any; 0,
 * which stands for never, is Go's zero time, 0001-01-01T00:00:00Z
 */
void cor_text_add_time(struct cor_text *t, int64_t ns);
/* cor_random_hex() - @n_bytes (at most 256) random bytes as hexadecimal digits; free() */
char *cor_random_hex(size_t n_bytes) __attribute__((returns_nonnull));
/* cor_text_take() - the string, owned by the caller (never NULL); the buffer is empty afterwards */
char *cor_text_take(struct cor_text *t);
void cor_text_done(struct cor_text *t);

/*
 * Readers. The whole string must be one number in base 10 (no sign for unsigned ones, no spaces, no overflow, not
 * empty); -1 without touching *ret otherwise. _base takes 8, 10 or 16, or 0 for C's prefixes.
 */
int cor_parse_u64(const char *s, uint64_t *ret) COR_MUST_CHECK;
int cor_parse_u64_base(const char *s, int base, uint64_t *ret) COR_MUST_CHECK;
int cor_parse_i64(const char *s, int64_t *ret) COR_MUST_CHECK;
int cor_parse_u32(const char *s, uint32_t *ret) COR_MUST_CHECK;
int cor_parse_i32(const char *s, int32_t *ret) COR_MUST_CHECK;
/* cor_parse_size() - bytes with an optional k, m, g, t (powers of 1024, either case, optional trailing b or ib) */
int cor_parse_size(const char *s, uint64_t *ret) COR_MUST_CHECK;
/* cor_parse_duration() - Go's form: 1h2m3.5s, 300ms, plain seconds; in milliseconds, at least 0 */
int cor_parse_duration(const char *s, uint64_t *ret_ms) COR_MUST_CHECK;

/* cor_base_name() - what is behind the last slash of @path, or all of it; a part of @path, maybe empty */
const char *cor_base_name(const char *path) __attribute__((returns_nonnull));

bool cor_starts_with(const char *s, const char *prefix);
bool cor_ends_with(const char *s, const char *suffix);
static inline bool cor_streq(const char *a, const char *b)
{
        return a == b || (a && b && __builtin_strcmp(a, b) == 0);
}

/* A word and what it stands for; tables of these end with a NULL word. */
struct cor_word {
        const char *word;
        int64_t value;
};
/* cor_word_find() - the row of @s, or NULL; cor_word_of() - the word of @value, or NULL */
const struct cor_word *cor_word_find(const struct cor_word *table, const char *s);
const char *cor_word_of(const struct cor_word *table, int64_t value);

/*
 * cor_split_next() - the next piece of *@cursor up to @sep, in place (the separator is overwritten with NUL); NULL at
 * the end. Empty pieces are returned.
 */
char *cor_split_next(char **cursor, char sep);

#endif

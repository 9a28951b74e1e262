/*
 * A line of a json-file: {"log":"…","stream":"…","attrs":{…},"time":"…"}. The JSON binding is not for it, since what a
 * container prints may hold NUL, and most of the work of `logs` is done here. Strings are unescaped in place: they only
 * get shorter.
 */
#include "monitor/log_read.h"

#include <string.h>

struct cursor {
        char *at, *end;
};

static bool take(struct cursor *c, char what)
{
        if (c->at == c->end || *c->at != what)
                return false;
        c->at++;
        return true;
}

static int hex_digit(char c)
{
        return c >= '0' && c <= '9'   ? c - '0'
               : c >= 'a' && c <= 'f' ? c - 'a' + 10
               : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                      : -1;
}

/* The four digits of \uXXXX; -1 */
static int32_t take_hex(struct cursor *c)
{
        int32_t value = 0;

        if (c->end - c->at < 4)
                return -1;
        for (int i = 0; i < 4; i++) {
                int digit = hex_digit(*c->at++);

                if (digit < 0)
                        return -1;
                value = value * 16 + digit;
        }
        return value;
}

static char *put_rune(char *to, uint32_t rune)
{
        if (rune < 0x80) {
                *to++ = (char)rune;
        } else if (rune < 0x800) {
                *to++ = (char)(0xc0 | rune >> 6);
                *to++ = (char)(0x80 | (rune & 0x3f));
        } else if (rune < 0x10000) {
                *to++ = (char)(0xe0 | rune >> 12);
                *to++ = (char)(0x80 | (rune >> 6 & 0x3f));
                *to++ = (char)(0x80 | (rune & 0x3f));
        } else {
                *to++ = (char)(0xf0 | rune >> 18);
                *to++ = (char)(0x80 | (rune >> 12 & 0x3f));
                *to++ = (char)(0x80 | (rune >> 6 & 0x3f));
                *to++ = (char)(0x80 | (rune & 0x3f));
        }
        return to;
}

/* Behind "\u": a character, or two of them that are one; half of a pair alone is U+FFFD. */
static char *take_unicode(struct cursor *c, char *to)
{
        int32_t first = take_hex(c), second;

        if (first < 0)
                return NULL;
        if (first < 0xd800 || first > 0xdfff)
                return put_rune(to, (uint32_t)first);
        if (first < 0xdc00 && c->end - c->at >= 6 && c->at[0] == '\\' && c->at[1] == 'u') {
                struct cursor ahead = { c->at + 2, c->end };

                second = take_hex(&ahead);
                if (second >= 0xdc00 && second <= 0xdfff) {
                        *c = ahead;
                        return put_rune(to, 0x10000 + ((uint32_t)(first - 0xd800) << 10) + (uint32_t)(second - 0xdc00));
                }
        }
        return put_rune(to, 0xfffd);
}

static char *take_escape(struct cursor *c, char *to)
{
        static const char from[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
        const char *found;

        if (c->at == c->end)
                return NULL;
        if (*c->at == 'u') {
                c->at++;
                return take_unicode(c, to);
        }
        found = *c->at ? strchr(from, *c->at) : NULL;
        if (!found)
                return NULL;
        c->at++;
        *to = meant[found - from];
        return to + 1;
}

/* A string: terminated, *ret_n bytes; NULL if there is none */
static char *take_string(struct cursor *c, size_t *ret_n)
{
        char *start = c->at + 1, *to = start;

        if (!take(c, '"'))
                return NULL;
        while (c->at < c->end && *c->at != '"') {
                if (*c->at == '\\') {
                        c->at++;
                        to = take_escape(c, to);
                        if (!to)
                                return NULL;
                } else {
                        *to++ = *c->at++;
                }
        }
        if (!take(c, '"'))
                return NULL;
        *to = '\0'; /* over the quote, or before it */
        if (ret_n)
                *ret_n = (size_t)(to - start);
        return start;
}

static bool take_attrs(struct cursor *c, struct cor_pair *attrs, size_t max, size_t *ret_n)
{
        if (!take(c, '{'))
                return false;
        if (take(c, '}'))
                return true;
        do {
                const char *key = take_string(c, NULL), *value = key && take(c, ':') ? take_string(c, NULL) : NULL;

                if (!value)
                        return false;
                if (*ret_n < max)
                        attrs[(*ret_n)++] = (struct cor_pair){ key, value };
        } while (take(c, ','));
        return take(c, '}');
}

bool log_line_parse(char *line, size_t n, struct cor_pair *attrs, size_t max, struct log_line *ret)
{
        struct cursor c = { line, line + n };

        *ret = (struct log_line){ .attrs = attrs };
        if (!take(&c, '{'))
                return false;
        do {
                const char *key = take_string(&c, NULL);
                bool good;

                if (!key || !take(&c, ':'))
                        return false;
                if (strcmp(key, "log") == 0)
                        good = (ret->log = take_string(&c, &ret->log_n)) != NULL;
                else if (strcmp(key, "stream") == 0)
                        good = (ret->stream = take_string(&c, NULL)) != NULL;
                else if (strcmp(key, "time") == 0)
                        good = (ret->time = take_string(&c, NULL)) != NULL;
                else if (strcmp(key, "attrs") == 0)
                        good = take_attrs(&c, attrs, max, &ret->n_attrs);
                else
                        good = take_string(&c, NULL) != NULL;
                if (!good)
                        return false;
        } while (take(&c, ','));
        return take(&c, '}') && c.at == c.end;
}

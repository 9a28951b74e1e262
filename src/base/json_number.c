/*
 * Numbers that the JSON library cannot hold. Docker writes "no limit" as 18446744073709551615, which jansson refuses,
 * and a member that nobody reads may hold any number at all. Such numbers are turned into marked strings and the text
 * is parsed again; this costs nothing to documents without them.
 */
#include "base/json_internal.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SAFE_DIGITS = 18 }; /* any integer of so many digits fits in int64_t */

#define NUL_ESCAPE "\\u0000"

static size_t span_digits(const char *s, size_t n)
{
        size_t i = 0;

        while (i < n && isdigit((unsigned char)s[i]))
                i++;
        return i;
}

/*
 * Will the library refuse the number of @len bytes at @s? Exactly those it refuses are turned into strings: how a
 * number is printed again must not depend on what else is in the document.
 */
static bool refused(const char *s, size_t len, bool real)
{
        auto_str copy = cor_strndup(s, len);
        double value;
        int64_t integer;

        if (!real)
                return cor_parse_i64(copy, &integer) < 0;
        value = strtod(copy, NULL);
        return value == HUGE_VAL || value == -HUGE_VAL;
}

/* The length of the number at @s by JSON's grammar, 0 if there is none; *@ret_big: it is too big */
static size_t number_length(const char *s, size_t n, bool *ret_big)
{
        size_t i = n > 0 && s[0] == '-', digits = span_digits(s + i, n - i), part;
        bool real = false;

        if (digits == 0 || (digits > 1 && s[i] == '0'))
                return 0;
        i += digits;
        if (i < n && s[i] == '.') {
                part = span_digits(s + i + 1, n - i - 1);
                if (part == 0)
                        return 0;
                i += 1 + part;
                real = true;
        }
        if (i < n && (s[i] == 'e' || s[i] == 'E')) {
                size_t sign = i + 1 < n && (s[i + 1] == '+' || s[i + 1] == '-');

                part = span_digits(s + i + 1 + sign, n - i - 1 - sign);
                if (part == 0)
                        return 0;
                i += 1 + sign + part;
                real = true;
        }
        *ret_big = (real || digits > SAFE_DIGITS) && refused(s, i, real);
        return i;
}

/* The length of the string at @s, quotes included; the rest of the text if it has no end */
static size_t string_length(const char *s, size_t n)
{
        for (size_t i = 1; i < n; i++) {
                if (s[i] == '\\')
                        i++;
                else if (s[i] == '"')
                        return i + 1;
        }
        return n;
}

static size_t shield_string(const char *s, size_t n, struct cor_text *out)
{
        size_t len = string_length(s, n);

        cor_text_add_c(out, '"');
        if (len > strlen(NUL_ESCAPE) && memcmp(s + 1, NUL_ESCAPE, strlen(NUL_ESCAPE)) == 0)
                cor_text_add(out, NUL_ESCAPE);
        cor_text_add_n(out, s + 1, len - 1);
        return len;
}

static size_t shield_number(const char *s, size_t n, struct cor_text *out)
{
        bool big = false;
        size_t len = number_length(s, n, &big);

        if (len == 0) /* for the parser to complain about */
                len = 1;
        if (big)
                cor_text_add(out, "\"" NUL_ESCAPE);
        cor_text_add_n(out, s, len);
        if (big)
                cor_text_add_c(out, '"');
        return len;
}

size_t json_shield_numbers(const char *text, size_t len, size_t stop, struct cor_text *out)
{
        size_t i = 0;

        while (i < len && out->len < stop) {
                if (text[i] == '"') {
                        i += shield_string(text + i, len - i, out);
                } else if (text[i] == '-' || isdigit((unsigned char)text[i])) {
                        i += shield_number(text + i, len - i, out);
                } else {
                        cor_text_add_c(out, text[i++]);
                }
        }
        if (out->len > stop && stop < SIZE_MAX) { /* went past it inside a token */
                size_t past = out->len - stop;

                i = past < i ? i - past : 0;
        }
        return i;
}

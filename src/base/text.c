#include "base/text.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>
#include <time.h>

/* Room for @n more bytes and the final NUL; the pointer to where they go. */
static char *text_room(struct cor_text *t, size_t n)
{
        size_t need, room;

        if (__builtin_add_overflow(t->len, n, &need) || __builtin_add_overflow(need, 1, &need) || need > SIZE_MAX / 2)
                need = SIZE_MAX; /* more than memory holds: cor_realloc_array() ends the process */
        if (need > t->room) {
                for (room = t->room ? t->room : 64; room < need;)
                        room = room > SIZE_MAX / 2 ? need : room * 2;
                t->s = cor_realloc_array(t->s, room, 1);
                t->room = room;
        }
        return t->s + t->len;
}

void cor_text_add_n(struct cor_text *t, const void *bytes, size_t n)
{
        char *to = text_room(t, n);

        if (n > 0)
                memcpy(to, bytes, n);
        to[n] = '\0';
        t->len += n;
}

void cor_text_add(struct cor_text *t, const char *s)
{
        cor_text_add_n(t, s, strlen(s));
}

void cor_text_add_c(struct cor_text *t, char c)
{
        cor_text_add_n(t, &c, 1);
}

void cor_text_printf(struct cor_text *t, const char *fmt, ...)
{
        va_list ap;
        int len;

        va_start(ap, fmt);
        len = vsnprintf(NULL, 0, fmt, ap);
        va_end(ap);
        if (len < 0)
                return;
        text_room(t, (size_t)len);
        va_start(ap, fmt);
        vsnprintf(t->s + t->len, (size_t)len + 1, fmt, ap);
        va_end(ap);
        t->len += (size_t)len;
}

/* The length of the well-formed UTF-8 sequence at @s (no surrogates, no overlong forms, at most U+10FFFF), or 0. */
static size_t utf8_sequence(const uint8_t *s)
{
        uint8_t low = 0x80, high = 0xbf; /* of the second byte */
        size_t n;

        if (s[0] < 0x80)
                return 1;
        if (s[0] >= 0xc2 && s[0] <= 0xdf)
                n = 2;
        else if (s[0] >= 0xe0 && s[0] <= 0xef)
                n = 3;
        else if (s[0] >= 0xf0 && s[0] <= 0xf4)
                n = 4;
        else
                return 0;
        if (s[0] == 0xe0)
                low = 0xa0;
        else if (s[0] == 0xed)
                high = 0x9f;
        else if (s[0] == 0xf0)
                low = 0x90;
        else if (s[0] == 0xf4)
                high = 0x8f;
        if (s[1] < low || s[1] > high)
                return 0;
        for (size_t i = 2; i < n; i++) /* stops at the final NUL, which is no continuation byte */
                if ((s[i] & 0xc0) != 0x80)
                        return 0;
        return n;
}

static void add_json_escape(struct cor_text *t, uint8_t c)
{
        static const char from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt";
        const char *known = memchr(from, c, sizeof from - 1);

        if (known) {
                cor_text_add_c(t, '\\');
                cor_text_add_c(t, to[known - from]);
        } else {
                cor_text_printf(t, "\\u%04x", c);
        }
}

void cor_text_add_json(struct cor_text *t, const char *s)
{
        const uint8_t *p = (const uint8_t *)s, *plain = p;

        cor_text_add_c(t, '"');
        while (*p) {
                size_t n = utf8_sequence(p);

                if (n > 0 && *p >= 0x20 && *p != '"' && *p != '\\' && *p != 0x7f) {
                        p += n;
                        continue;
                }
                cor_text_add_n(t, plain, (size_t)(p - plain));
                if (n == 0)
                        cor_text_add(t, "\xef\xbf\xbd");
                else
                        add_json_escape(t, *p);
                plain = ++p;
        }
        cor_text_add_n(t, plain, (size_t)(p - plain));
        cor_text_add_c(t, '"');
}

/*
 * Not by gmtime_r(): glibc reads /etc/localtime even for that, and after a change of root that file is the container's.
 * The calendar is that of the Gregorian cycle of 400 years, counted from March.
 */
static void add_seconds(struct cor_text *t, int64_t seconds)
{
        unsigned day, cycle, of_cycle, year, of_year, month, second;

        second = (unsigned)(seconds % 86400);
        day = (unsigned)(seconds / 86400) + 719468; /* days from 0000-03-01 to 1970-01-01 */
        cycle = day / 146097;
        of_cycle = day % 146097;
        year = (of_cycle - of_cycle / 1460 + of_cycle / 36524 - of_cycle / 146096) / 365;
        of_year = of_cycle - (365 * year + year / 4 - year / 100);
        month = (5 * of_year + 2) / 153;
        cor_text_printf(t, "%04u-%02u-%02uT%02u:%02u:%02u", year + cycle * 400 + (month >= 10),
                        month < 10 ? month + 3 : month - 9, of_year - (153 * month + 2) / 5 + 1, second / 3600,
                        second / 60 % 60, second % 60);
}

void cor_text_add_now(struct cor_text *t, bool nanoseconds)
{
        struct timespec now;

        clock_gettime(CLOCK_REALTIME, &now);
        add_seconds(t, now.tv_sec);
        if (nanoseconds)
                cor_text_printf(t, ".%09ld", now.tv_nsec);
        cor_text_add_c(t, 'Z');
}

void cor_text_add_time(struct cor_text *t, int64_t ns)
{
        if (ns <= 0) {
                cor_text_add(t, "0001-01-01T00:00:00Z");
                return;
        }
        add_seconds(t, ns / 1000000000);
        if (ns % 1000000000) {
                cor_text_printf(t, ".%09ld", (long)(ns % 1000000000));
                while (t->s[t->len - 1] == '0')
                        t->s[--t->len] = '\0';
        }
        cor_text_add_c(t, 'Z');
}

char *cor_random_hex(size_t n_bytes)
{
        static const char digits[] = "0123456789abcdef";
        char *hex = cor_alloc(2 * n_bytes + 1);
        uint8_t bytes[256];
        ssize_t n;

        assert(n_bytes <= sizeof bytes);
        do /* EINTR: only until the kernel has gathered its first randomness; so few bytes fail for no other reason */
                n = getrandom(bytes, n_bytes, 0);
        while (n < 0 && errno == EINTR);
        if (n != (ssize_t)n_bytes)
                abort();
        for (size_t i = 0; i < n_bytes; i++) {
                hex[2 * i] = digits[bytes[i] >> 4];
                hex[2 * i + 1] = digits[bytes[i] & 15];
        }
        hex[2 * n_bytes] = '\0';
        return hex;
}

char *cor_text_take(struct cor_text *t)
{
        char *s = t->s ? t->s : cor_strdup("");

        *t = (struct cor_text)COR_TEXT_INIT;
        return s;
}

void cor_text_done(struct cor_text *t)
{
        free(t->s);
        *t = (struct cor_text)COR_TEXT_INIT;
}

static int digit_of(char c)
{
        if (c >= '0' && c <= '9')
                return c - '0';
        if (c >= 'a' && c <= 'f')
                return c - 'a' + 10;
        if (c >= 'A' && c <= 'F')
                return c - 'A' + 10;
        return 99;
}

/* The digits at *@s, at least one; *@s moves behind them. */
static int read_digits(const char **s, unsigned base, uint64_t *ret)
{
        const char *p = *s;
        uint64_t n = 0;
        unsigned digit;

        for (; (digit = (unsigned)digit_of(*p)) < base; p++)
                if (__builtin_mul_overflow(n, base, &n) || __builtin_add_overflow(n, digit, &n))
                        return -1;
        if (p == *s)
                return -1;
        *s = p;
        *ret = n;
        return 0;
}

int cor_parse_u64_base(const char *s, int base, uint64_t *ret)
{
        uint64_t n;

        if (!s || (base != 0 && base != 8 && base != 10 && base != 16))
                return -1;
        if (base == 0) {
                base = 10;
                if (s[0] == '0' && (s[1] == 'x' || s[1] == 'X')) {
                        base = 16;
                        s += 2;
                } else if (s[0] == '0') {
                        base = 8;
                }
        }
        if (read_digits(&s, (unsigned)base, &n) < 0 || *s)
                return -1;
        *ret = n;
        return 0;
}

int cor_parse_u64(const char *s, uint64_t *ret)
{
        return cor_parse_u64_base(s, 10, ret);
}

int cor_parse_i64(const char *s, int64_t *ret)
{
        bool negative;
        uint64_t n;

        if (!s)
                return -1;
        negative = s[0] == '-';
        if (s[0] == '-' || s[0] == '+')
                s++;
        if (cor_parse_u64(s, &n) < 0 || n > (uint64_t)INT64_MAX + negative)
                return -1;
        *ret = negative ? (int64_t)(0 - n) : (int64_t)n;
        return 0;
}

int cor_parse_u32(const char *s, uint32_t *ret)
{
        uint64_t n;

        if (cor_parse_u64(s, &n) < 0 || n > UINT32_MAX)
                return -1;
        *ret = (uint32_t)n;
        return 0;
}

int cor_parse_i32(const char *s, int32_t *ret)
{
        int64_t n;

        if (cor_parse_i64(s, &n) < 0 || n < INT32_MIN || n > INT32_MAX)
                return -1;
        *ret = (int32_t)n;
        return 0;
}

int cor_parse_size(const char *s, uint64_t *ret)
{
        static const char units[] = "kmgt";
        const char *unit;
        uint64_t n;

        if (!s || read_digits(&s, 10, &n) < 0)
                return -1;
        unit = *s ? strchr(units, *s | 0x20) : NULL;
        if (unit) {
                if (__builtin_mul_overflow(n, 1ULL << (10 * (unit - units + 1)), &n))
                        return -1;
                s++;
        }
        if (*s && strcasecmp(s, "b") != 0 && !(unit && strcasecmp(s, "ib") == 0))
                return -1;
        *ret = n;
        return 0;
}

/* The unit at *@s in nanoseconds, 0 if it is none; *@s moves behind it. */
static uint64_t read_duration_unit(const char **s)
{
        static const struct {
                const char *name;
                uint64_t ns;
        } units[] = {
                { "ns", 1 },
                { "us", 1000 },
                { "\xc2\xb5s", 1000 },
                { "\xce\xbcs", 1000 },
                { "ms", 1000000ULL },
                { "s", 1000000000ULL },
                { "m", 60 * 1000000000ULL },
                { "h", 3600 * 1000000000ULL },
        };

        for (size_t i = 0; i < COR_COUNT(units); i++)
                if (cor_starts_with(*s, units[i].name)) {
                        *s += strlen(units[i].name);
                        return units[i].ns;
                }
        return 0;
}

/* One number and its unit at *@s, in nanoseconds, added to *@total. */
static int add_duration_part(const char **s, bool first, uint64_t *total)
{
        const char *start = *s;
        uint64_t whole = 0, unit, part;
        const char *fraction = "";
        double below = 0, scale = 1; /* exact enough: at most an hour, cut to nanoseconds */

        if (**s != '.' && read_digits(s, 10, &whole) < 0)
                return -1;
        if (**s == '.') {
                fraction = ++*s;
                for (; **s >= '0' && **s <= '9'; ++*s)
                        ;
                if (*s == start + 1) /* a lone point */
                        return -1;
        }
        unit = first && **s == '\0' ? 1000000000ULL : 0; /* a plain number counts seconds */
        if (unit == 0 && (unit = read_duration_unit(s)) == 0)
                return -1;
        for (; *fraction >= '0' && *fraction <= '9' && scale > 1e-18; fraction++)
                below += (*fraction - '0') * (scale /= 10);
        if (__builtin_mul_overflow(whole, unit, &part) ||
            __builtin_add_overflow(part, (uint64_t)(below * (double)unit + 0.5), &part) ||
            __builtin_add_overflow(*total, part, total))
                return -1;
        return 0;
}

int cor_parse_duration(const char *s, uint64_t *ret_ms)
{
        uint64_t ns = 0;
        bool first = true;

        if (!s || !*s)
                return -1;
        for (; *s; first = false)
                if (add_duration_part(&s, first, &ns) < 0)
                        return -1;
        /* Rounded up: a time-out of some microseconds must not become 0, which often means "none". */
        *ret_ms = ns / 1000000 + (ns % 1000000 != 0);
        return 0;
}

bool cor_starts_with(const char *s, const char *prefix)
{
        return strncmp(s, prefix, strlen(prefix)) == 0;
}

const char *cor_base_name(const char *path)
{
        const char *slash = strrchr(path, '/');

        return slash ? slash + 1 : path;
}

bool cor_ends_with(const char *s, const char *suffix)
{
        size_t len = strlen(s), end = strlen(suffix);

        return len >= end && memcmp(s + len - end, suffix, end) == 0;
}

const struct cor_word *cor_word_find(const struct cor_word *table, const char *s)
{
        if (!s)
                return NULL;
        for (; table->word; table++)
                if (strcmp(table->word, s) == 0)
                        return table;
        return NULL;
}

const char *cor_word_of(const struct cor_word *table, int64_t value)
{
        for (; table->word; table++)
                if (table->value == value)
                        return table->word;
        return NULL;
}

char *cor_split_next(char **cursor, char sep)
{
        char *piece = *cursor, *end;

        if (!piece)
                return NULL;
        end = strchr(piece, sep);
        if (end)
                *end++ = '\0';
        *cursor = end;
        return piece;
}

#include "cli/coracle/container_words.h"

#include "cli/rune.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { BYTES_MAX_DIGITS = 40 };

int container_flag_wrong(struct cor_err *err, const char *flag, const char *value, const char *fmt, ...)
{
        auto_text quoted = COR_TEXT_INIT;
        auto_str why = NULL;
        char letter[5] = "";
        va_list ap;

        va_start(ap, fmt);
        if (vasprintf(&why, fmt, ap) < 0)
                why = NULL;
        va_end(ap);
        for (size_t i = 0; i < CONTAINER_N_ROWS; i++)
                if (container_rows[i].letter && strcmp(container_rows[i].name, flag) == 0)
                        snprintf(letter, sizeof letter, "-%c, ", container_rows[i].letter);
        rune_quote(value, strnlen(value, 100), false, &quoted);
        return cor_fail(err, COR_INVALID, "invalid argument %s for \"%s--%s\" flag: %s", quoted.s, letter, flag,
                        why ? why : "");
}

/* ---- memory ---- */

static const struct cor_json_doc empty_doc = { .size = sizeof(struct container_request) };

struct container_request *container_request_new(void)
{
        struct container_request *r = NULL;
        struct cor_err err = { 0 };

        if (cor_json_parse(&empty_doc, "{}", 2, NULL, &r, &err) < 0)
                abort();
        return r;
}

void container_request_free(struct container_request *r)
{
        cor_json_free(r);
}

void *request_take(struct container_request *r, size_t size)
{
        return cor_json_alloc(r, size);
}

char *request_text(struct container_request *r, const char *s, size_t n)
{
        char *copy = request_take(r, n + 1);

        memcpy(copy, s, n);
        return copy;
}

char *request_printf(struct container_request *r, const char *fmt, ...)
{
        auto_str s = NULL;
        va_list ap;
        int n;

        va_start(ap, fmt);
        n = vasprintf(&s, fmt, ap);
        va_end(ap);
        if (n < 0)
                abort();
        return request_text(r, s, (size_t)n);
}

/* Room doubles at powers of two, and is one more than needed: lists of texts end with NULL. */
void *request_grow(struct container_request *r, void *items, size_t n, size_t size)
{
        void *wider;

        if (n > 0 && (n & (n - 1)) != 0)
                return items;
        wider = request_take(r, (2 * n + 2) * size);
        if (n > 0)
                memcpy(wider, items, n * size);
        return wider;
}

void request_add(struct container_request *r, const char ***items, size_t *n, const char *s)
{
        *REQUEST_GROW(r, *items, *n) = s;
}

void request_add_all(struct container_request *r, const char ***items, size_t *n, const struct flag_list *l)
{
        for (size_t i = 0; i < l->n_items; i++)
                request_add(r, items, n, l->items[i]);
}

void request_set(struct container_request *r, struct cor_pair **items, size_t *n, const char *key, const char *value)
{
        size_t at = 0, end = *n;

        while (at < end) {
                size_t middle = at + (end - at) / 2;

                if (strcmp((*items)[middle].key, key) < 0)
                        at = middle + 1;
                else
                        end = middle;
        }
        if (at == *n || strcmp((*items)[at].key, key) != 0) {
                (void)REQUEST_GROW(r, *items, *n);
                memmove(*items + at + 1, *items + at, (*n - 1 - at) * sizeof **items);
        }
        (*items)[at] = (struct cor_pair){ .key = key, .value = value };
}

void request_set_word(struct container_request *r, struct cor_pair **items, size_t *n, const char *word)
{
        const char *value, *key = request_cut(r, word, '=', &value);

        request_set(r, items, n, key, value ? value : "");
}

const char *request_cut(struct container_request *r, const char *s, char sep, const char **ret_rest)
{
        const char *at = strchr(s, sep);

        *ret_rest = at ? at + 1 : NULL;
        return at ? request_text(r, s, (size_t)(at - s)) : s;
}

/* ---- comma-separated values ---- */

static int csv_wrong(const char *s, const char *at, const char *what, struct cor_err *err)
{
        return cor_fail(err, COR_INVALID, "parse error on line 1, column %zu: %s", (size_t)(at - s) + 1, what);
}

/* A field that begins with a quote, up to what follows it */
static int csv_quoted(const char *s, const char **cursor, struct cor_text *out, struct cor_err *err)
{
        const char *c = *cursor + 1;

        for (;; c++) {
                if (!*c)
                        return csv_wrong(s, c, "extraneous or missing \" in quoted-field", err);
                if (*c == '"' && *++c != '"')
                        break;
                cor_text_add_c(out, *c);
        }
        if (*c && *c != ',')
                return csv_wrong(s, c - 1, "extraneous or missing \" in quoted-field", err);
        *cursor = c;
        return 0;
}

int words_csv(struct container_request *r, const char *s, const char ***ret, size_t *ret_n, struct cor_err *err)
{
        const char **items = NULL, *c = s;
        size_t n = 0;

        if (!*s)
                return cor_fail(err, COR_INVALID, "EOF");
        for (;; c++) {
                auto_text field = COR_TEXT_INIT;

                if (*c == '"') {
                        if (csv_quoted(s, &c, &field, err) < 0)
                                return -1;
                } else {
                        size_t len = strcspn(c, ",\"");

                        if (c[len] == '"')
                                return csv_wrong(s, c + len, "bare \" in non-quoted-field", err);
                        cor_text_add_n(&field, c, len);
                        c += len;
                }
                request_add(r, &items, &n, request_text(r, field.s ? field.s : "", field.len));
                if (!*c)
                        break;
        }
        *ret = items;
        *ret_n = n;
        return 0;
}

/* ---- numbers ---- */

static int number_wrong(const char *function, const char *s, const char *why, struct cor_err *err)
{
        return cor_fail(err, COR_INVALID, "strconv.%s: parsing \"%.100s\": %s", function, s, why);
}

static bool all_digits(const char *s, int base)
{
        const char *digits = base == 16 ? "0123456789abcdefABCDEF" : base == 8 ? "01234567" : "0123456789";

        if (base == 0 && s[0] == '0' && (s[1] == 'x' || s[1] == 'X')) {
                s += 2;
                digits = "0123456789abcdefABCDEF";
        } else if (base == 0 && s[0] == '0') {
                digits = "01234567";
        }
        return *s && s[strspn(s, digits)] == '\0';
}

static int read_u64(const char *s, int base, int bits, uint64_t *ret)
{
        if (cor_parse_u64_base(s, base, ret) < 0)
                return all_digits(s, base) ? 1 : -1;
        return bits < 64 && *ret >> bits ? 1 : 0;
}

int words_u64(const char *s, int base, int bits, uint64_t *ret, struct cor_err *err)
{
        uint64_t n;
        int r = read_u64(s, base, bits, &n);

        if (r != 0)
                return number_wrong("ParseUint", s, r < 0 ? "invalid syntax" : "value out of range", err);
        *ret = n;
        return 0;
}

int words_i64(const char *s, const char *function, int bits, int64_t *ret, struct cor_err *err)
{
        bool negative = *s == '-';
        uint64_t n, limit = (UINT64_C(1) << (bits - 1)) - !negative;
        int r = read_u64(s + (negative || *s == '+'), 0, 64, &n);

        if (r != 0 || n > limit)
                return number_wrong(function, s, r < 0 ? "invalid syntax" : "value out of range", err);
        *ret = negative ? (int64_t)(0 - n) : (int64_t)n;
        return 0;
}

/* The factor of "k", "Kb", "kiB", …; 0: there is no such unit */
static int64_t factor_of(const char *unit)
{
        static const char letters[] = "bkmgtp";
        char first = (char)rune_lower((uint8_t)*unit);
        const char *at = strchr(letters, first);

        if (!*unit)
                return 1;
        if (!at || !first || (unit[1] && at == letters))
                return 0;
        if (unit[1] && strcasecmp(unit + 1, "b") != 0 && strcasecmp(unit + 1, "ib") != 0)
                return 0;
        return INT64_C(1) << (10 * (at - letters));
}

int words_bytes(const char *s, int64_t *ret, struct cor_err *err)
{
        char number[BYTES_MAX_DIGITS + 1];
        size_t len = strlen(s), n = len;
        int64_t factor;
        double size;
        char *end;

        while (n > 0 && !strchr("0123456789. ", s[n - 1]))
                n--;
        if (n == 0 || n > BYTES_MAX_DIGITS)
                return cor_fail(err, COR_INVALID, "invalid size: '%.100s'", s);
        factor = factor_of(s + n);
        n -= s[n - 1] == ' ';
        memcpy(number, s, n);
        number[n] = '\0';
        if (!*number || number[strspn(number, "+-0123456789.eE")] || (size = strtod(number, &end), *end))
                return number_wrong("ParseFloat", number, "invalid syntax", err);
        if (size < 0)
                return cor_fail(err, COR_INVALID, "invalid size: '%.100s'", s);
        if (factor == 0)
                return cor_fail(err, COR_INVALID, "invalid suffix: '%.100s'", s + strlen(number) + (s[n] == ' '));
        size *= (double)factor;
        if (size >= 9223372036854775808.0)
                return cor_fail(err, COR_INVALID, "invalid size: '%.100s': too large", s);
        *ret = (int64_t)size;
        return 0;
}

/* DIGITS[.DIGITS] as billionths: 1 if there are more digits than that, -1 if it is something else */
static int read_billionths(const char *s, int64_t *ret)
{
        size_t whole = strspn(s, "0123456789"), places = s[whole] == '.' ? strspn(s + whole + 1, "0123456789") : 0;
        char digits[19];

        if ((whole == 0 && places == 0) || s[whole + (s[whole] == '.') + places])
                return -1;
        while (places > 0 && s[whole + places] == '0')
                places--;
        while (whole > 1 && *s == '0') {
                s++;
                whole--;
        }
        if (places > 9)
                return 1;
        if (whole > 9)
                return -1;
        snprintf(digits, sizeof digits, "%.*s%.*s%.*s", (int)whole, s, (int)places, s + whole + 1, (int)(9 - places),
                 "000000000");
        return cor_parse_i64(digits, ret);
}

int words_cpus(const char *s, int64_t *ret, struct cor_err *err)
{
        const char *slash = strchr(s, '/');
        uint64_t over, under;
        int r;

        if (slash) { /* a fraction, as Go's big.Rat takes it */
                auto_str first = cor_strndup(s, (size_t)(slash - s));

                if (cor_parse_u64(first, &over) < 0 || cor_parse_u64(slash + 1, &under) < 0 || under == 0 ||
                    over > INT64_MAX / 1000000000)
                        return cor_fail(err, COR_INVALID, "failed to parse %.100s as a rational number", s);
                if (over * 1000000000 % under != 0)
                        return cor_fail(err, COR_INVALID, "value is too precise");
                *ret = (int64_t)(over * 1000000000 / under);
                return 0;
        }
        r = read_billionths(s, ret);
        if (r > 0)
                return cor_fail(err, COR_INVALID, "value is too precise");
        return r < 0 ? cor_fail(err, COR_INVALID, "failed to parse %.100s as a rational number", s) : 0;
}

/* ---- times ---- */

static int duration_wrong(const char *s, struct cor_err *err)
{
        return cor_fail(err, COR_INVALID, "time: invalid duration \"%.100s\"", s);
}

/* The length of a unit at the beginning of @s, and how many nanoseconds it has; 0: none */
static size_t unit_of(const char *s, double *ret_ns)
{
        static const struct {
                char name[4];
                double ns;
        } units[] = { { "ns", 1 },   { "us", 1e3 }, { "\xc2\xb5s", 1e3 }, { "\xce\xbcs", 1e3 },
                      { "ms", 1e6 }, { "s", 1e9 },  { "m", 60e9 },        { "h", 3600e9 } };
        size_t len = strcspn(s, "0123456789.");

        for (size_t i = 0; i < COR_COUNT(units); i++)
                if (strlen(units[i].name) == len && strncmp(s, units[i].name, len) == 0) {
                        *ret_ns = units[i].ns;
                        return len;
                }
        return 0;
}

int words_duration(const char *s, int64_t *ret, struct cor_err *err)
{
        const char *c = s + (*s == '-' || *s == '+');
        double total = 0;

        if (strcmp(c, "0") == 0) {
                *ret = 0;
                return 0;
        }
        if (!*c)
                return duration_wrong(s, err);
        while (*c) {
                size_t whole = strspn(c, "0123456789"), dot = c[whole] == '.';
                size_t n = whole + dot + (dot ? strspn(c + whole + 1, "0123456789") : 0), len;
                auto_str number = cor_strndup(c, n);
                double ns = 0;

                if (n == dot)
                        return duration_wrong(s, err);
                if (!c[n])
                        return cor_fail(err, COR_INVALID, "time: missing unit in duration \"%.100s\"", s);
                len = unit_of(c + n, &ns);
                if (len == 0)
                        return cor_fail(err, COR_INVALID, "time: unknown unit \"%.*s\" in duration \"%.100s\"",
                                        (int)strcspn(c + n, "0123456789."), c + n, s);
                total += strtod(number, NULL) * ns;
                c += n + len;
        }
        if (total >= 9223372036854775808.0)
                return duration_wrong(s, err);
        *ret = *s == '-' ? -(int64_t)total : (int64_t)total;
        return 0;
}

/* ---- other words ---- */

int words_bool(const char *s, bool *ret)
{
        static const char words[][6] = {
                "1", "t", "T", "TRUE", "true", "True", "0", "f", "F", "FALSE", "false", "False"
        };

        for (size_t i = 0; i < COR_COUNT(words); i++)
                if (strcmp(s, words[i]) == 0) {
                        *ret = i < COR_COUNT(words) / 2;
                        return 0;
                }
        return -1;
}

bool words_are_ip(const char *s)
{
        uint8_t address[sizeof(struct in6_addr)];

        return inet_pton(AF_INET, s, address) == 1 || inet_pton(AF_INET6, s, address) == 1;
}

/* Pairs of digits parted by colons or dashes, or fours of them parted by dots; 6, 8 or 20 bytes */
bool words_are_mac(const char *s)
{
        size_t len = strlen(s), dot = strcspn(s, "."), step = dot < len ? 4 : 2, bytes = 0;
        char sep = dot < len ? '.' : len > 2 ? s[2] : '\0';

        if (sep != '.' && sep != ':' && sep != '-')
                return false;
        for (const char *c = s;; c++) {
                if (strspn(c, "0123456789abcdefABCDEF") != step)
                        return false;
                c += step;
                bytes += step / 2;
                if (!*c)
                        return bytes == 6 || bytes == 8 || bytes == 20;
                if (*c != sep)
                        return false;
        }
}

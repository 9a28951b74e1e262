/* Values of the tree as C scalars and as text, and the errors about them. */
#include "base/json_reader.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { PLACE_BYTES = 256, SHOWN_BYTES = 80 };

/* ---- errors ---- */

/* Control characters must not reach a terminal or a log by way of an error message. */
static void make_printable(char *s)
{
        for (; *s; s++)
                if ((unsigned char)*s < 0x20 || *s == 0x7f)
                        *s = '?';
}

static size_t place_format(const struct json_place *at, char *buf, size_t size)
{
        size_t used;
        int n;

        if (!at)
                return 0;
        used = place_format(at->up, buf, size);
        if (!at->key)
                n = snprintf(buf + used, size - used, "[%zu]", at->index);
        else if (at->map)
                n = snprintf(buf + used, size - used, "[\"%.*s\"]", SHOWN_BYTES, at->key);
        else
                n = snprintf(buf + used, size - used, "%s%s", used > 0 ? "." : "", at->key);
        used += n > 0 ? (size_t)n : 0;
        return used < size ? used : size - 1;
}

/* Put document and place in front of the error; what a check says about a member (".path: …") joins on to its place. */
int json_add_place(struct json_reader *r, const struct json_place *at)
{
        char place[PLACE_BYTES] = "";
        auto_text msg = COR_TEXT_INIT;
        const char *said;
        bool joins;

        if (!r->err)
                return -1;
        place_format(at, place, sizeof place);
        make_printable(place);
        make_printable(r->err->msg);
        said = r->err->msg;
        joins = said[0] == '.' || said[0] == '[';
        if (!place[0] && said[0] == '.')
                said++;
        if (r->what)
                cor_text_printf(&msg, "%s: ", r->what);
        cor_text_printf(&msg, "%s%s%s", place, !place[0] || joins ? "" : ": ", said);
        return cor_fail(r->err, r->err->kind, "%s", msg.s);
}

int json_fail_at(struct json_reader *r, const struct json_place *at, const char *fmt, ...)
{
        char msg[sizeof r->err->msg];
        va_list ap;

        va_start(ap, fmt);
        vsnprintf(msg, sizeof msg, fmt, ap);
        va_end(ap);
        cor_fail(r->err, COR_INVALID, "%s", msg);
        return json_add_place(r, at);
}

/* The text of a number that jansson could not hold, or NULL */
static const char *big_number(const struct json_reader *r, const json_t *v)
{
        const char *s;

        if (!r->shielded || !json_is_string(v) || json_string_length(v) < 2)
                return NULL;
        s = json_string_value(v);
        return s[0] == '\0' && s[1] != '\0' ? s + 1 : NULL;
}

int json_fail_type(struct json_reader *r, const struct json_place *at, const char *expected, const json_t *v)
{
        static const char *const names[] = {
                [JSON_OBJECT] = "an object", [JSON_ARRAY] = "a list",
                [JSON_STRING] = "a string",  [JSON_INTEGER] = "an integer",
                [JSON_TRUE] = "true",        [JSON_REAL] = "a number with fraction or exponent",
                [JSON_FALSE] = "false",      [JSON_NULL] = "null",
        };
        const char *found = names[json_typeof(v)], *big = big_number(r, v);

        if (big && strpbrk(big, ".eE"))
                found = names[JSON_REAL];
        else if (big)
                found = names[JSON_INTEGER];
        return json_fail_at(r, at, "expected %s, found %s", expected, found);
}

void *json_take(struct json_reader *r, size_t n, size_t size, const struct json_place *at)
{
        size_t bytes;
        void *p = __builtin_mul_overflow(n, size, &bytes) ? NULL : json_arena_take(r->arena, bytes);

        if (!p) {
                json_fail_at(r, at, "needs more memory than a document of this size may");
                return NULL;
        }
        return memset(p, 0, bytes);
}

/* ---- scalars ---- */

int json_get_str(struct json_reader *r, const json_t *v, const struct json_place *at, const char **ret)
{
        if (!json_is_string(v) || big_number(r, v))
                return json_fail_type(r, at, "a string", v);
        if (memchr(json_string_value(v), '\0', json_string_length(v)))
                return json_fail_at(r, at, "expected a string without NUL characters");
        *ret = json_string_value(v);
        return 0;
}

int json_get_i64(struct json_reader *r, const json_t *v, const struct json_place *at, int64_t min, int64_t max,
                 int64_t *ret)
{
        const char *big = big_number(r, v);
        int64_t n = 0;

        if (big && !strpbrk(big, ".eE")) {
                if (cor_parse_i64(big, &n) < 0) /* -9223372036854775808 is not too big */
                        return json_fail_at(r, at, "expected an integer from %lld to %lld, found %.*s", (long long)min,
                                            (long long)max, SHOWN_BYTES, big);
        } else if (json_is_integer(v)) {
                n = json_integer_value(v);
        } else {
                return json_fail_type(r, at, "an integer", v);
        }
        if (n < min || n > max)
                return json_fail_at(r, at, "expected an integer from %lld to %lld, found %lld", (long long)min,
                                    (long long)max, (long long)n);
        *ret = n;
        return 0;
}

int json_get_u64(struct json_reader *r, const json_t *v, const struct json_place *at, uint64_t max, uint64_t *ret)
{
        const char *big = big_number(r, v);
        uint64_t n = 0;

        if (big && !strpbrk(big, ".eE")) {
                if (cor_parse_u64(big, &n) < 0 || n > max)
                        return json_fail_at(r, at, "expected an integer from 0 to %llu, found %.*s",
                                            (unsigned long long)max, SHOWN_BYTES, big);
        } else if (!json_is_integer(v)) {
                return json_fail_type(r, at, "an integer", v);
        } else if (json_integer_value(v) < 0 || (uint64_t)json_integer_value(v) > max) {
                return json_fail_at(r, at, "expected an integer from 0 to %llu, found %lld", (unsigned long long)max,
                                    (long long)json_integer_value(v));
        } else {
                n = (uint64_t)json_integer_value(v);
        }
        *ret = n;
        return 0;
}

int json_get_word(struct json_reader *r, const json_t *v, const struct cor_word *words, const struct json_place *at,
                  int *ret)
{
        const char *s = NULL;
        const struct cor_word *w;
        auto_text list = COR_TEXT_INIT;

        if (json_get_str(r, v, at, &s) < 0)
                return -1;
        w = cor_word_find(words, s);
        if (w) {
                *ret = (int)w->value;
                return 0;
        }
        for (w = words; w->word; w++)
                if (w->word[0])
                        cor_text_printf(&list, "%s%s", list.len > 0 ? ", " : "", w->word);
        return json_fail_at(r, at, "expected one of %s, found \"%.*s\"", list.len > 0 ? list.s : "nothing", SHOWN_BYTES,
                            s);
}

/* ---- text ---- */

static void dump_members(const struct json_reader *r, const json_t *v, struct cor_text *out)
{
        json_t *map = (json_t *)(uintptr_t)v;

        for (void *it = json_object_iter(map), *first = it; it; it = json_object_iter_next(map, it)) {
                if (it != first)
                        cor_text_add_c(out, ',');
                json_print_string(out, json_object_iter_key(it), strlen(json_object_iter_key(it)));
                cor_text_add_c(out, ':');
                json_dump(r, json_object_iter_value(it), out);
        }
}

static void dump_string(const struct json_reader *r, const json_t *v, struct cor_text *out)
{
        const char *s = json_string_value(v), *big = big_number(r, v);
        size_t n = json_string_length(v), shield = r->shielded && n >= 2 && s[0] == '\0';

        if (big)
                cor_text_add(out, big);
        else
                json_print_string(out, s + shield, n - shield);
}

/* The shortest text that reads back as the same number, and never as an integer */
static void dump_real(double d, struct cor_text *out)
{
        char buf[40];

        for (int digits = 15; digits <= 17; digits++) {
                snprintf(buf, sizeof buf, "%.*g", digits, d);
                if (strtod(buf, NULL) == d)
                        break;
        }
        cor_text_add(out, buf);
        if (!strpbrk(buf, ".e"))
                cor_text_add(out, ".0");
}

/* Recursion: jansson refuses more than 2048 levels, and a level needs little stack. */
void json_dump(const struct json_reader *r, const json_t *v, struct cor_text *out)
{
        switch (json_typeof(v)) {
        case JSON_OBJECT:
                cor_text_add_c(out, '{');
                dump_members(r, v, out);
                cor_text_add_c(out, '}');
                return;
        case JSON_ARRAY:
                cor_text_add_c(out, '[');
                for (size_t i = 0; i < json_array_size(v); i++) {
                        if (i > 0)
                                cor_text_add_c(out, ',');
                        json_dump(r, json_array_get(v, i), out);
                }
                cor_text_add_c(out, ']');
                return;
        case JSON_STRING:
                dump_string(r, v, out);
                return;
        case JSON_INTEGER:
                cor_text_printf(out, "%lld", (long long)json_integer_value(v));
                return;
        case JSON_REAL:
                dump_real(json_real_value(v), out);
                return;
        default:
                cor_text_add(out, json_is_true(v) ? "true" : json_is_false(v) ? "false" : "null");
        }
}

#include "tools/systemd/variant.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct reader {
        const char *at;
        struct cor_err *err;
        int depth;
};

static const struct word {
        const char *word, *type;
} type_words[] = {
        { "boolean", "b" }, { "byte", "y" },   { "int16", "n" },      { "uint16", "q" },
        { "int32", "i" },   { "uint32", "u" }, { "int64", "x" },      { "uint64", "t" },
        { "double", "d" },  { "string", "s" }, { "objectpath", "o" }, { "signature", "g" },
};

void variant_done(struct variant *v)
{
        for (size_t i = 0; i < v->n_items; i++)
                variant_done(&v->items[i]);
        free(v->items);
        free(v->type);
        free(v->text);
        memset(v, 0, sizeof *v);
}

static int wrong(struct reader *r, const char *expected)
{
        return cor_fail(r->err, COR_INVALID, "expected %s at '%.40s'", expected, r->at);
}

static void skip_blanks(struct reader *r)
{
        r->at += strspn(r->at, " \t\n");
}

static void set_type(struct variant *v, const char *type, size_t len, bool fixed)
{
        free(v->type);
        v->type = cor_strndup(type, len);
        v->fixed = fixed;
}

static int parse_value(struct reader *r, struct variant *v);
static int settle(struct variant *v, const char *type, struct cor_err *err);

/* --- the pieces -------------------------------------------------------------------------------------------------- */

static int parse_string(struct reader *r, struct variant *v)
{
        auto_text text = COR_TEXT_INIT;
        char quote = *r->at++;

        cor_text_add(&text, "");
        for (; *r->at != quote; r->at++) {
                static const char escapes[] = "n\nt\tb\bf\fr\rv\va\a";
                const char *e;

                if (*r->at == '\0')
                        return wrong(r, "the end of the string");
                if (*r->at != '\\') {
                        cor_text_add_c(&text, *r->at);
                        continue;
                }
                r->at++;
                if (*r->at == '\0' || *r->at == 'u' || *r->at == 'U')
                        return wrong(r, "another escape");
                e = strchr(escapes, *r->at);
                cor_text_add_c(&text, e && (e - escapes) % 2 == 0 ? e[1] : *r->at);
        }
        r->at++;
        v->kind = VARIANT_STRING;
        v->text = cor_text_take(&text);
        set_type(v, "s", 1, false);
        return 0;
}

static int parse_number(struct reader *r, struct variant *v)
{
        size_t len = strspn(r->at, "+-0123456789.eExXabcdefABCDEFinf");
        auto_str word = cor_strndup(r->at, len);
        const char *digits = word;
        char *end;

        v->kind = VARIANT_NUMBER;
        if (*digits == '-' || *digits == '+')
                v->negative = *digits++ == '-';
        errno = 0;
        if (strncmp(digits, "0x", 2) != 0 && (strpbrk(digits, ".eE") || strcmp(digits, "inf") == 0)) {
                v->fraction = true;
                v->real = strtod(word, &end);
                set_type(v, "d", 1, false);
        } else {
                if (!isdigit((unsigned char)*digits))
                        return wrong(r, "a number");
                v->number = strtoull(digits, &end, 0);
                set_type(v, "i", 1, false);
        }
        if (*end || end == word || errno)
                return wrong(r, "a number");
        r->at += len;
        return 0;
}

static int parse_items(struct reader *r, struct variant *v, char close)
{
        r->at++;
        for (skip_blanks(r); *r->at != close; skip_blanks(r)) {
                if (parse_value(r, COR_GROW(v->items, v->n_items)) < 0)
                        return -1;
                skip_blanks(r);
                if (*r->at == ',')
                        r->at++;
                else if (*r->at != close)
                        return wrong(r, close == ']' ? "',' or ']'" : "',' or ')'");
        }
        r->at++;
        return 0;
}

/* The type of an array's items: one that is given, else a fraction's, else the first that is known. */
static const char *item_type(const struct variant *v)
{
        const char *found = NULL;

        for (size_t i = 0; i < v->n_items; i++) {
                const struct variant *item = &v->items[i];

                if (item->fixed)
                        return item->type;
                if (item->type && (!found || strcmp(item->type, "d") == 0))
                        found = item->type;
        }
        return found;
}

static int parse_array(struct reader *r, struct variant *v)
{
        const char *item;

        v->kind = VARIANT_ARRAY;
        if (parse_items(r, v, ']') < 0)
                return -1;
        item = item_type(v);
        if (item) {
                auto_str type = cor_printf("a%s", item);

                set_type(v, type, strlen(type), false);
        }
        return 0;
}

static int parse_tuple(struct reader *r, struct variant *v)
{
        auto_text type = COR_TEXT_INIT;

        v->kind = VARIANT_TUPLE;
        if (parse_items(r, v, ')') < 0)
                return -1;
        if (v->n_items == 0)
                return wrong(r, "something in the parentheses");
        cor_text_add_c(&type, '(');
        for (size_t i = 0; i < v->n_items; i++)
                cor_text_add(&type, v->items[i].type ? v->items[i].type : "");
        cor_text_add_c(&type, ')');
        set_type(v, type.s, type.len, false);
        return 0;
}

/* A type in front: "@as " or "uint64 ". */
static int parse_typed(struct reader *r, const char *type, size_t len, struct variant *v)
{
        auto_str copy = cor_strndup(type, len);

        skip_blanks(r);
        if (parse_value(r, v) < 0 || settle(v, copy, r->err) < 0)
                return -1;
        set_type(v, copy, len, true);
        return 0;
}

static int parse_word(struct reader *r, struct variant *v)
{
        size_t len = strspn(r->at, "abcdefghijklmnopqrstuvwxyz0123456789");

        if ((len == 4 && strncmp(r->at, "true", len) == 0) || (len == 5 && strncmp(r->at, "false", len) == 0)) {
                v->kind = VARIANT_BOOL;
                v->truth = len == 4;
                set_type(v, "b", 1, false);
                r->at += len;
                return 0;
        }
        for (size_t i = 0; i < COR_COUNT(type_words); i++) {
                if (strlen(type_words[i].word) != len || strncmp(r->at, type_words[i].word, len) != 0)
                        continue;
                r->at += len;
                return parse_typed(r, type_words[i].type, 1, v);
        }
        return wrong(r, "a value");
}

static int parse_any(struct reader *r, struct variant *v)
{
        const char *type;

        switch (*r->at) {
        case '\'':
        case '"':
                return parse_string(r, v);
        case '[':
                return parse_array(r, v);
        case '(':
                return parse_tuple(r, v);
        case '@':
                type = ++r->at;
                r->at += strcspn(r->at, " \t\n");
                return parse_typed(r, type, (size_t)(r->at - type), v);
        case '-':
        case '+':
        case '.':
        case '0' ... '9':
                return parse_number(r, v);
        default:
                return parse_word(r, v);
        }
}

static int parse_value(struct reader *r, struct variant *v)
{
        int ret;

        if (++r->depth > VARIANT_MAX_DEPTH)
                return cor_fail(r->err, COR_INVALID, "nested too deep");
        ret = parse_any(r, v);
        r->depth--;
        return ret;
}

/* --- types ------------------------------------------------------------------------------------------------------- */

/* The length of the first complete type in @sig, 0 if there is none. */
static size_t type_len(const char *sig, int depth)
{
        size_t n = 1;

        if (!*sig || depth > VARIANT_MAX_DEPTH)
                return 0;
        if (*sig == 'a') {
                size_t item = type_len(sig + 1, depth + 1);

                return item ? item + 1 : 0;
        }
        if (*sig != '(')
                return strchr("bynqiuxtdsog", *sig) ? 1 : 0;
        while (sig[n] != ')') {
                size_t part = type_len(sig + n, depth + 1);

                if (!part)
                        return 0;
                n += part;
        }
        return n + 1;
}

static int mismatch(const char *type, struct cor_err *err)
{
        return cor_fail(err, COR_INVALID, "the value is not of type '%s'", type);
}

static int settle_number(struct variant *v, const char *type, struct cor_err *err)
{
        static const struct {
                char type;
                uint64_t below, max; /* the bounds of negative and of other numbers */
        } ranges[] = {
                { 'y', 0, UINT8_MAX },  { 'n', (uint64_t)INT16_MAX + 1, INT16_MAX },
                { 'q', 0, UINT16_MAX }, { 'i', (uint64_t)INT32_MAX + 1, INT32_MAX },
                { 'u', 0, UINT32_MAX }, { 'x', (uint64_t)INT64_MAX + 1, INT64_MAX },
                { 't', 0, UINT64_MAX },
        };

        if (strcmp(type, "d") == 0) {
                if (!v->fraction)
                        v->real = v->negative ? -(double)v->number : (double)v->number;
                v->fraction = true;
                return 0;
        }
        for (size_t i = 0; i < COR_COUNT(ranges) && !v->fraction; i++) {
                if (ranges[i].type != *type || type[1])
                        continue;
                if (v->number > (v->negative ? ranges[i].below : ranges[i].max))
                        return cor_fail(err, COR_INVALID, "the number is out of the range of type '%s'", type);
                return 0;
        }
        return mismatch(type, err);
}

/* Give @v the type @type, all the way down. */
static int settle(struct variant *v, const char *type, struct cor_err *err)
{
        size_t at = 1;

        if (!type || type_len(type, 0) != strlen(type))
                return cor_fail(err, COR_INVALID, "the type '%s' is not known", type ? type : "of an empty array");
        if (v->fixed && strcmp(v->type, type) != 0)
                return mismatch(type, err);
        if (type != v->type)
                set_type(v, type, strlen(type), v->fixed);
        type = v->type;
        switch (v->kind) {
        case VARIANT_BOOL:
                return strcmp(type, "b") == 0 ? 0 : mismatch(type, err);
        case VARIANT_STRING:
                return *type && strchr("sog", *type) && !type[1] ? 0 : mismatch(type, err);
        case VARIANT_NUMBER:
                return settle_number(v, type, err);
        case VARIANT_ARRAY:
                for (size_t i = 0; i < v->n_items; i++)
                        if (*type != 'a' || settle(&v->items[i], type + 1, err) < 0)
                                return err->kind ? -1 : mismatch(type, err);
                return *type == 'a' ? 0 : mismatch(type, err);
        case VARIANT_TUPLE:
                break;
        }
        for (size_t i = 0; i < v->n_items; i++) {
                size_t len = *type == '(' ? type_len(type + at, 0) : 0;
                auto_str part = cor_strndup(type + at, len);

                if (!len)
                        return mismatch(type, err);
                if (settle(&v->items[i], part, err) < 0)
                        return -1;
                at += len;
        }
        return strcmp(type + at, ")") == 0 ? 0 : mismatch(type, err);
}

int variant_parse(const char *text, struct variant *ret, struct cor_err *err)
{
        auto_variant v = { .type = NULL };
        struct cor_err why = { 0 };
        struct reader r = { .at = text, .err = &why };

        skip_blanks(&r);
        if (parse_value(&r, &v) < 0)
                return *err = why, -1;
        skip_blanks(&r);
        if (*r.at)
                (void)wrong(&r, "nothing more");
        else if (settle(&v, v.type, &why) == 0) {
                *ret = v;
                memset(&v, 0, sizeof v);
                return 0;
        }
        *err = why;
        return -1;
}

int variant_seconds(struct variant *v, struct cor_err *err)
{
        double usec;

        if (v->kind != VARIANT_NUMBER)
                return cor_fail(err, COR_INVALID, "expected a number of seconds");
        usec = (v->fraction ? v->real : v->negative ? -(double)v->number : (double)v->number) * 1e6;
        if (__builtin_isinf(usec) && usec > 0)
                v->number = UINT64_MAX; /* systemd's infinity */
        else if (!(usec >= 0 && usec < 1.8e19))
                return cor_fail(err, COR_INVALID, "expected a number of seconds from 0 on");
        else if (!v->fraction && __builtin_mul_overflow(v->number, 1000000ULL, &v->number))
                return cor_fail(err, COR_INVALID, "too many seconds");
        else if (v->fraction)
                v->number = (uint64_t)usec;
        v->fraction = false;
        set_type(v, "t", 1, true);
        return 0;
}

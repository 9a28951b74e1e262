/* What templates may call: Go's own functions, and those that docker adds. */
#include "cli/rune.h"
#include "cli/template_tree.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { BYTES_PER_STEP = 64 };

/* The value behind @text, which is counted */
static const struct value *result(struct template_call *c, const struct cor_text *text)
{
        c->cost += text->len / BYTES_PER_STEP;
        return value_string_n(c->pool, text->s, text->len);
}

static void *COR_PRINTF(2, 3) refuse(struct cor_err *err, const char *fmt, ...)
{
        char msg[sizeof err->msg];
        va_list ap;

        va_start(ap, fmt);
        vsnprintf(msg, sizeof msg, fmt, ap);
        va_end(ap);
        cor_fail(err, COR_INVALID, "%s", msg);
        return NULL;
}

static struct value *number(struct template_call *c, int64_t i, const char *type)
{
        struct value *v = value_int(c->pool, i);

        v->type = type;
        return v;
}

static bool is_nothing(const struct value *v)
{
        return v->kind == VALUE_NONE || v->kind == VALUE_NIL;
}

static bool has_length(const struct value *v)
{
        return v->kind == VALUE_LIST || v->kind == VALUE_MAP || value_is_text(v);
}

/* ---- truth and comparison ---- */

static const struct value *run_not(struct template_call *c, struct cor_err *err)
{
        return value_bool(!value_truth(c->args[0]));
}

/* Kinds that Go compares with each other */
enum basic { BASIC_NONE, BASIC_BOOL, BASIC_INT, BASIC_FLOAT, BASIC_TEXT };

static enum basic basic_of(const struct value *v)
{
        return v->kind == VALUE_BOOL    ? BASIC_BOOL
               : v->kind == VALUE_INT   ? BASIC_INT
               : v->kind == VALUE_FLOAT ? BASIC_FLOAT
               : value_is_text(v)       ? BASIC_TEXT
                                        : BASIC_NONE;
}

static int compare_texts(struct template_call *c, const struct value *a, const struct value *b)
{
        size_t n = a->n < b->n ? a->n : b->n;
        int r = memcmp(a->text, b->text, n);

        c->cost += n / BYTES_PER_STEP;
        return r ? r : (a->n > b->n) - (a->n < b->n);
}

static bool equal(struct template_call *c, const struct value *a, const struct value *b, enum basic kind)
{
        if (kind == BASIC_BOOL)
                return a->boolean == b->boolean;
        if (kind == BASIC_INT)
                return a->integer == b->integer;
        if (kind == BASIC_FLOAT)
                return a->real == b->real;
        return kind == BASIC_TEXT ? compare_texts(c, a, b) == 0 : is_nothing(a) && is_nothing(b);
}

/* Lists and maps cannot be compared. */
static bool comparable(const struct value *v)
{
        return is_nothing(v) || basic_of(v) != BASIC_NONE;
}

static const struct value *fail_comparable(const struct value *v, struct cor_err *err)
{
        auto_text shown = COR_TEXT_INIT;

        value_print(v, &shown);
        return refuse(err, "non-comparable type %s: %s", shown.s ? shown.s : "", value_type_name(v));
}

static const struct value *run_eq(struct template_call *c, struct cor_err *err)
{
        const struct value *a = c->args[0];

        if (c->n_args == 1)
                return refuse(err, "missing argument for comparison");
        for (size_t i = 1; i < c->n_args; i++) {
                const struct value *b = c->args[i];

                if (basic_of(a) != basic_of(b) && !is_nothing(a) && !is_nothing(b))
                        return refuse(err, "incompatible types for comparison");
                if (basic_of(a) == basic_of(b) && !comparable(a))
                        return fail_comparable(a, err);
                if (basic_of(a) == basic_of(b) && !comparable(b))
                        return fail_comparable(b, err);
                if (basic_of(a) == basic_of(b) && equal(c, a, b, basic_of(a)))
                        return &value_true;
        }
        return &value_false;
}

static const struct value *run_ne(struct template_call *c, struct cor_err *err)
{
        const struct value *same = run_eq(c, err);

        return same ? value_bool(!same->boolean) : NULL;
}

/* *@ret: below 0, 0 or above, as the first one is to the second; 2 for numbers that are in no order */
static int order(struct template_call *c, int *ret, struct cor_err *err)
{
        const struct value *a = c->args[0], *b = c->args[1];

        if (basic_of(a) == BASIC_NONE || basic_of(b) == BASIC_NONE)
                return cor_fail(err, COR_INVALID, "invalid type for comparison");
        if (basic_of(a) != basic_of(b))
                return cor_fail(err, COR_INVALID, "incompatible types for comparison");
        if (basic_of(a) == BASIC_BOOL)
                return cor_fail(err, COR_INVALID, "invalid type for comparison");
        if (basic_of(a) == BASIC_INT)
                *ret = (a->integer > b->integer) - (a->integer < b->integer);
        else if (basic_of(a) == BASIC_FLOAT)
                *ret = a->real < b->real ? -1 : a->real > b->real;
        else
                *ret = compare_texts(c, a, b);
        return 0;
}

static const struct value *run_lt(struct template_call *c, struct cor_err *err)
{
        int r;

        return order(c, &r, err) < 0 ? NULL : value_bool(r < 0);
}

static const struct value *run_le(struct template_call *c, struct cor_err *err)
{
        int r;

        return order(c, &r, err) < 0 ? NULL : value_bool(r <= 0);
}

static const struct value *run_gt(struct template_call *c, struct cor_err *err)
{
        int r;

        return order(c, &r, err) < 0 ? NULL : value_bool(r > 0);
}

static const struct value *run_ge(struct template_call *c, struct cor_err *err)
{
        int r;

        return order(c, &r, err) < 0 ? NULL : value_bool(r >= 0);
}

/* ---- parts ---- */

/* An index, at most @most */
static int read_index(const struct value *v, size_t most, size_t *ret, struct cor_err *err)
{
        if (is_nothing(v))
                return cor_fail(err, COR_INVALID, "cannot index slice/array with nil");
        if (v->kind != VALUE_INT)
                return cor_fail(err, COR_INVALID, "cannot index slice/array with type %s", value_type_name(v));
        if (v->integer < 0 || (uint64_t)v->integer > most)
                return cor_fail(err, COR_INVALID, "index out of range: %lld", (long long)v->integer);
        *ret = (size_t)v->integer;
        return 0;
}

static const struct value *index_map(const struct value *map, const struct value *key, struct cor_err *err)
{
        static const struct value no_text = { .kind = VALUE_STRING, .text = "" };
        const struct value *found;

        if (is_nothing(key))
                return refuse(err, "value is nil; should be of type string");
        if (key->kind != VALUE_STRING)
                return refuse(err, "value has type %s; should be string", value_type_name(key));
        found = value_find(map, key->text, key->n);
        if (!found && cor_streq(map->type, "map[string]string")) /* what is not there is empty, and not nil */
                return &no_text;
        return found ? found : &value_nil;
}

static const struct value *index_once(struct template_call *c, const struct value *v, const struct value *key,
                                      struct cor_err *err)
{
        size_t i = 0;

        if (is_nothing(v))
                return refuse(err, "index of nil pointer");
        if (v->kind == VALUE_MAP)
                return index_map(v, key, err);
        if (v->kind != VALUE_LIST && !value_is_text(v))
                return refuse(err, "can't index item of type %s", value_type_name(v));
        if (read_index(key, v->n, &i, err) < 0)
                return NULL;
        if (i >= v->n)
                return refuse(err, "reflect: %s index out of range", v->kind == VALUE_LIST ? "slice" : "string");
        return v->kind == VALUE_LIST ? v->items[i] : number(c, (uint8_t)v->text[i], "uint8");
}

static const struct value *run_index(struct template_call *c, struct cor_err *err)
{
        const struct value *v = c->args[0];

        if (is_nothing(v))
                return refuse(err, "index of untyped nil");
        for (size_t i = 1; v && i < c->n_args; i++)
                v = index_once(c, v, c->args[i], err);
        return v;
}

static const struct value *run_slice(struct template_call *c, struct cor_err *err)
{
        const struct value *v = c->args[0];
        size_t at[3] = { 0, v->n, v->n };
        struct value *part;

        if (is_nothing(v))
                return refuse(err, "slice of untyped nil");
        if (c->n_args > 4)
                return refuse(err, "too many slice indexes: %zu", c->n_args - 1);
        if (value_is_text(v) && c->n_args == 4)
                return refuse(err, "cannot 3-index slice a string");
        if (v->kind != VALUE_LIST && !value_is_text(v))
                return refuse(err, "can't slice item of type %s", value_type_name(v));
        for (size_t i = 1; i < c->n_args; i++)
                if (read_index(c->args[i], v->n, &at[i - 1], err) < 0)
                        return NULL;
        if (at[0] > at[1] || at[1] > at[2])
                return refuse(err, "invalid slice index: %zu > %zu", at[0] > at[1] ? at[0] : at[1],
                              at[0] > at[1] ? at[1] : at[2]);
        if (value_is_text(v))
                return value_string_n(c->pool, v->text + at[0], at[1] - at[0]);
        part = value_list(c->pool);
        part->type = v->type;
        part->n = at[1] - at[0];
        part->items = part->n > 0 ? v->items + at[0] : NULL;
        return part;
}

static const struct value *run_len(struct template_call *c, struct cor_err *err)
{
        const struct value *v = c->args[0];

        if (is_nothing(v))
                return refuse(err, "len of nil pointer");
        return has_length(v) ? number(c, (int64_t)v->n, "int") : refuse(err, "len of type %s", value_type_name(v));
}

static const struct value *run_call(struct template_call *c, struct cor_err *err)
{
        if (is_nothing(c->args[0]))
                return refuse(err, "call of nil");
        return refuse(err, "non-function of type %s", value_type_name(c->args[0]));
}

/* ---- printing ---- */

static void add_values(struct template_call *c, bool line, struct cor_text *out)
{
        for (size_t i = 0; i < c->n_args && out->len <= TEMPLATE_MEMORY_MAX; i++) {
                if (i > 0 && (line || (c->args[i - 1]->kind != VALUE_STRING && c->args[i - 1]->kind != VALUE_NUMBER &&
                                       c->args[i]->kind != VALUE_STRING && c->args[i]->kind != VALUE_NUMBER)))
                        cor_text_add_c(out, ' ');
                value_print(c->args[i], out);
        }
}

static const struct value *run_print(struct template_call *c, struct cor_err *err)
{
        auto_text t = COR_TEXT_INIT;

        add_values(c, false, &t);
        return result(c, &t);
}

static const struct value *run_println(struct template_call *c, struct cor_err *err)
{
        auto_text t = COR_TEXT_INIT;

        add_values(c, true, &t);
        cor_text_add_c(&t, '\n');
        return result(c, &t);
}

static const struct value *run_printf(struct template_call *c, struct cor_err *err)
{
        auto_text t = COR_TEXT_INIT;

        value_printf(c->args[0]->text, c->args + 1, c->n_args - 1, TEMPLATE_MEMORY_MAX, &t);
        return result(c, &t);
}

/* What the escaping functions read: nothing is shown as an action shows it */
static void add_escapable(struct template_call *c, struct cor_text *out)
{
        if (c->n_args == 1 && is_nothing(c->args[0]))
                cor_text_add(out, "<no value>");
        else
                add_values(c, false, out);
}

static const struct value *run_html(struct template_call *c, struct cor_err *err)
{
        auto_text t = COR_TEXT_INIT, in = COR_TEXT_INIT;

        add_escapable(c, &in);
        for (size_t i = 0; i < in.len; i++) {
                const char *escaped = in.s[i] == '"'    ? "&#34;"
                                      : in.s[i] == '\'' ? "&#39;"
                                      : in.s[i] == '&'  ? "&amp;"
                                      : in.s[i] == '<'  ? "&lt;"
                                      : in.s[i] == '>'  ? "&gt;"
                                      : in.s[i] == '\0' ? "\xef\xbf\xbd"
                                                        : NULL;

                if (escaped)
                        cor_text_add(&t, escaped);
                else
                        cor_text_add_c(&t, in.s[i]);
        }
        return result(c, &t);
}

static const struct value *run_js(struct template_call *c, struct cor_err *err)
{
        auto_text t = COR_TEXT_INIT, in = COR_TEXT_INIT;
        uint32_t rune;

        add_escapable(c, &in);
        for (size_t i = 0, n; i < in.len; i += n) {
                n = rune_next(in.s + i, in.len - i, &rune);
                if (rune == '\\' || rune == '\'' || rune == '"')
                        cor_text_printf(&t, "\\%c", (char)rune);
                else if (rune < 0x20 || (rune < 0x80 && strchr("<>&=", (char)rune)) ||
                         (rune >= 0x80 && !rune_is_printable(rune)))
                        cor_text_printf(&t, "\\u%04X", rune);
                else
                        cor_text_add_n(&t, in.s + i, n);
        }
        return result(c, &t);
}

static const struct value *run_urlquery(struct template_call *c, struct cor_err *err)
{
        auto_text t = COR_TEXT_INIT, in = COR_TEXT_INIT;

        add_escapable(c, &in);
        for (size_t i = 0; i < in.len; i++) {
                uint8_t b = (uint8_t)in.s[i];

                if (b < 0x80 && (rune_is_letter(b) || (b && strchr("-.~", b))))
                        cor_text_add_c(&t, (char)b);
                else if (b == ' ')
                        cor_text_add_c(&t, '+');
                else
                        cor_text_printf(&t, "%%%02X", b);
        }
        return result(c, &t);
}

/* ---- docker's ---- */

static const struct value *run_json(struct template_call *c, struct cor_err *err)
{
        auto_text t = COR_TEXT_INIT;

        if (c->flags & TEMPLATE_HEADER)
                return c->args[0];
        value_to_json(c->args[0], 0, &t);
        return result(c, &t);
}

static struct value *text_list(struct template_call *c)
{
        struct value *list = value_list(c->pool);

        list->type = "[]string";
        return list;
}

/* split "" parts the letters. */
static const struct value *run_split(struct template_call *c, struct cor_err *err)
{
        const struct value *v = c->args[0], *by = c->args[1];
        struct value *list = text_list(c);
        const char *p = v->text, *end = v->text + v->n, *next;
        uint32_t rune;

        c->cost += v->n / BYTES_PER_STEP;
        if (by->n == 0) {
                for (size_t n; p < end && !value_pool_full(c->pool); p += n) {
                        n = rune_next(p, (size_t)(end - p), &rune);
                        value_add(c->pool, list, value_string_n(c->pool, p, n));
                }
                return list;
        }
        while ((next = memmem(p, (size_t)(end - p), by->text, by->n)) != NULL && !value_pool_full(c->pool)) {
                value_add(c->pool, list, value_string_n(c->pool, p, (size_t)(next - p)));
                p = next + by->n;
        }
        value_add(c->pool, list, value_string_n(c->pool, p, (size_t)(end - p)));
        return list;
}

static const struct value *run_join(struct template_call *c, struct cor_err *err)
{
        const struct value *list = c->args[0], *by = c->args[1];
        auto_text t = COR_TEXT_INIT;

        for (size_t i = 0; i < list->n && t.len <= TEMPLATE_MEMORY_MAX; i++) {
                if (i > 0)
                        cor_text_add_n(&t, by->text, by->n);
                cor_text_add_n(&t, list->items[i]->text, list->items[i]->n);
        }
        return result(c, &t);
}

/* @letter is told whether a word begins at the rune. */
static const struct value *change_case(struct template_call *c, uint32_t (*letter)(uint32_t rune, bool begins))
{
        const struct value *v = c->args[0];
        auto_text t = COR_TEXT_INIT;
        uint32_t rune;
        bool begins = true;

        if (c->flags & TEMPLATE_HEADER)
                return v;
        for (size_t i = 0; i < v->n;) {
                i += rune_next(v->text + i, v->n - i, &rune);
                rune_add(&t, letter(rune, begins));
                begins = rune < 0x80 ? !rune_is_letter(rune) : rune == 0x85 || rune == 0xa0 || rune == 0x3000;
        }
        return result(c, &t);
}

static uint32_t to_title(uint32_t rune, bool begins)
{
        return begins ? rune_upper(rune) : rune;
}

static uint32_t to_upper(uint32_t rune, bool begins)
{
        return rune_upper(rune);
}

static uint32_t to_lower(uint32_t rune, bool begins)
{
        return rune_lower(rune);
}

static const struct value *run_title(struct template_call *c, struct cor_err *err)
{
        return change_case(c, to_title);
}

static const struct value *run_upper(struct template_call *c, struct cor_err *err)
{
        return change_case(c, to_upper);
}

static const struct value *run_lower(struct template_call *c, struct cor_err *err)
{
        return change_case(c, to_lower);
}

static const struct value *run_pad(struct template_call *c, struct cor_err *err)
{
        const struct value *v = c->args[0];
        int64_t before = c->args[1]->integer, behind = c->args[2]->integer;
        auto_text t = COR_TEXT_INIT;

        if (v->n == 0)
                return v;
        if (before < 0 || behind < 0)
                return refuse(err, "strings: negative Repeat count");
        if (before > TEMPLATE_MEMORY_MAX || behind > TEMPLATE_MEMORY_MAX)
                return refuse(err, "too many spaces");
        for (; before > 0; before--)
                cor_text_add_c(&t, ' ');
        cor_text_add_n(&t, v->text, v->n);
        for (; behind > 0; behind--)
                cor_text_add_c(&t, ' ');
        return result(c, &t);
}

static const struct value *run_truncate(struct template_call *c, struct cor_err *err)
{
        const struct value *v = c->args[0];
        int64_t n = c->args[1]->integer;

        if ((c->flags & TEMPLATE_HEADER) || (n >= 0 && v->n < (uint64_t)n))
                return v;
        if (n < 0)
                return refuse(err, "runtime error: slice bounds out of range [:%lld]", (long long)n);
        return value_string_n(c->pool, v->text, (size_t)n);
}

/* ---- the table ---- */

static const struct template_function functions[] = {
        { .name = "and", .fixed = 1, .more = true, .wants = "v" },
        { .name = "or", .fixed = 1, .more = true, .wants = "v" },
        { .name = "not", .fixed = 1, .wants = "v", .run = run_not },
        { .name = "eq", .fixed = 1, .more = true, .wants = "v", .run = run_eq },
        { .name = "ne", .fixed = 2, .wants = "v", .run = run_ne },
        { .name = "lt", .fixed = 2, .wants = "v", .run = run_lt },
        { .name = "le", .fixed = 2, .wants = "v", .run = run_le },
        { .name = "gt", .fixed = 2, .wants = "v", .run = run_gt },
        { .name = "ge", .fixed = 2, .wants = "v", .run = run_ge },
        { .name = "index", .fixed = 1, .more = true, .wants = "v", .run = run_index },
        { .name = "slice", .fixed = 1, .more = true, .wants = "v", .run = run_slice },
        { .name = "len", .fixed = 1, .wants = "v", .run = run_len },
        { .name = "call", .fixed = 1, .more = true, .wants = "v", .run = run_call },
        { .name = "print", .more = true, .wants = "v", .run = run_print },
        { .name = "println", .more = true, .wants = "v", .run = run_println },
        { .name = "printf", .fixed = 1, .more = true, .wants = "sv", .run = run_printf },
        { .name = "html", .more = true, .wants = "v", .run = run_html },
        { .name = "js", .more = true, .wants = "v", .run = run_js },
        { .name = "urlquery", .more = true, .wants = "v", .run = run_urlquery },
        { .name = "json", .fixed = 1, .wants = "v", .run = run_json },
        { .name = "split", .fixed = 2, .wants = "ss", .run = run_split },
        { .name = "join", .fixed = 2, .wants = "ls", .run = run_join },
        { .name = "title", .fixed = 1, .wants = "s", .run = run_title },
        { .name = "upper", .fixed = 1, .wants = "s", .run = run_upper },
        { .name = "lower", .fixed = 1, .wants = "s", .run = run_lower },
        { .name = "pad", .fixed = 3, .wants = "sii", .run = run_pad },
        { .name = "truncate", .fixed = 2, .wants = "si", .run = run_truncate },
};

const struct template_function *template_function_find(const char *name, size_t n)
{
        for (size_t i = 0; i < COR_COUNT(functions); i++)
                if (strlen(functions[i].name) == n && memcmp(functions[i].name, name, n) == 0)
                        return &functions[i];
        return NULL;
}

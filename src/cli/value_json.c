/* Values from JSON and to JSON. */
#include "base/json_walk.h"
#include "cli/rune.h"
#include "cli/value.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- reading ---- */

struct builder {
        struct value_pool *pool;
        struct value *open[COR_JSON_WALK_DEPTH + 2]; /* lists and maps around what comes next */
        size_t n_open;
        const char *key;
        const struct value *root;
};

static void place(struct builder *b, const struct value *v)
{
        struct value *around = b->n_open > 0 ? b->open[b->n_open - 1] : NULL;

        if (!around)
                b->root = v;
        else if (around->kind == VALUE_LIST)
                value_add(b->pool, around, v);
        else
                value_append(b->pool, around, b->key, v);
}

static int open_value(struct builder *b, struct value *v, struct cor_err *err)
{
        if (b->n_open == COR_COUNT(b->open))
                return cor_fail(err, COR_INVALID, "lists and objects lie too deep in each other");
        place(b, v);
        b->open[b->n_open++] = v;
        return 0;
}

static int on_event(void *context, const struct cor_json_event *e, struct cor_err *err)
{
        struct builder *b = context;

        if (value_pool_full(b->pool))
                return cor_fail(err, COR_INVALID, "too much JSON to be looked at with a template");
        switch (e->kind) {
        case COR_JSON_EVENT_NULL:
                place(b, &value_nil);
                break;
        case COR_JSON_EVENT_BOOL:
                place(b, value_bool(e->boolean));
                break;
        case COR_JSON_EVENT_NUMBER:
                place(b, value_number(b->pool, e->text, e->len));
                break;
        case COR_JSON_EVENT_STRING:
                place(b, value_string_n(b->pool, e->text, e->len));
                break;
        case COR_JSON_EVENT_LIST:
                return open_value(b, value_list(b->pool), err);
        case COR_JSON_EVENT_OBJECT:
                return open_value(b, value_map(b->pool), err);
        case COR_JSON_EVENT_KEY:
                b->key = value_string_n(b->pool, e->text, e->len)->text;
                break;
        case COR_JSON_EVENT_END:
                if (b->open[--b->n_open]->kind == VALUE_MAP)
                        value_sort(b->open[b->n_open]);
                break;
        }
        return 0;
}

int value_from_json(struct value_pool *p, const char *text, size_t n, const char *what, const struct value **ret,
                    struct cor_err *err)
{
        struct builder b = { .pool = p };

        if (cor_json_walk(text, n, what, on_event, &b, err) < 0)
                return -1;
        *ret = b.root;
        return 0;
}

/* ---- writing ---- */

static void add_string(const char *s, size_t n, bool html, struct cor_text *out)
{
        uint32_t rune;

        cor_text_add_c(out, '"');
        for (size_t i = 0, len; i < n; i += len) {
                len = rune_next(s + i, n - i, &rune);
                if (rune == '"' || rune == '\\')
                        cor_text_printf(out, "\\%c", (char)rune);
                else if (rune == '\n' || rune == '\r' || rune == '\t')
                        cor_text_add(out, rune == '\n' ? "\\n" : rune == '\r' ? "\\r" : "\\t");
                else if (rune < 0x20 || (html && (rune == '<' || rune == '>' || rune == '&')) || rune == 0x2028 ||
                         rune == 0x2029 || (rune == RUNE_ERROR && len == 1))
                        cor_text_printf(out, "\\u%04x", rune);
                else
                        cor_text_add_n(out, s + i, len);
        }
        cor_text_add_c(out, '"');
}

static void add_float(double d, struct cor_text *out)
{
        char buf[340], *e;
        double size = fabs(d);

        if (size != 0 && (size < 1e-6 || size >= 1e21)) {
                for (int digits = 0; digits <= 16; digits++) {
                        snprintf(buf, sizeof buf, "%.*e", digits, d);
                        if (strtod(buf, NULL) == d)
                                break;
                }
                e = strchr(buf, 'e');
                if (e && e[1] == '-' && e[2] == '0') /* 1e-07 is 1e-7 */
                        memmove(e + 2, e + 3, strlen(e + 3) + 1);
        } else {
                for (int digits = 0; digits <= 30; digits++) {
                        snprintf(buf, sizeof buf, "%.*f", digits, d);
                        if (strtod(buf, NULL) == d)
                                break;
                }
        }
        cor_text_add(out, isfinite(d) ? buf : "null");
}

struct writer {
        struct cor_text *out;
        unsigned indent, depth;
        bool html;
};

static void new_line(struct writer *w)
{
        if (w->indent > 0)
                cor_text_printf(w->out, "\n%*s", (int)(w->indent * w->depth), "");
}

static void write_value(struct writer *w, const struct value *v);

static void write_list(struct writer *w, const struct value *v)
{
        cor_text_add_c(w->out, '[');
        w->depth++;
        for (size_t i = 0; i < v->n; i++) {
                if (i > 0)
                        cor_text_add_c(w->out, ',');
                new_line(w);
                write_value(w, v->items[i]);
        }
        w->depth--;
        if (v->n > 0)
                new_line(w);
        cor_text_add_c(w->out, ']');
}

static void write_members(struct writer *w, const struct value *v)
{
        bool any = false, html = w->html;

        w->html |= v->html;
        cor_text_add_c(w->out, '{');
        w->depth++;
        for (size_t i = 0; i < v->n; i++) {
                if (!v->members[i].key)
                        continue;
                if (any)
                        cor_text_add_c(w->out, ',');
                any = true;
                new_line(w);
                add_string(v->members[i].key, strlen(v->members[i].key), w->html, w->out);
                cor_text_add(w->out, w->indent > 0 ? ": " : ":");
                write_value(w, v->members[i].value);
        }
        w->depth--;
        if (any)
                new_line(w);
        cor_text_add_c(w->out, '}');
        w->html = html;
}

/* Recursion: value_from_json() and those who build values keep them flat. */
static void write_value(struct writer *w, const struct value *v)
{
        if (v->null || v->kind == VALUE_NONE || v->kind == VALUE_NIL)
                cor_text_add(w->out, "null");
        else if (v->kind == VALUE_BOOL)
                cor_text_add(w->out, v->boolean ? "true" : "false");
        else if (v->kind == VALUE_INT)
                cor_text_printf(w->out, "%lld", (long long)v->integer);
        else if (v->kind == VALUE_FLOAT)
                add_float(v->real, w->out);
        else if (v->kind == VALUE_STRING)
                add_string(v->text, v->n, w->html, w->out);
        else if (v->kind == VALUE_NUMBER)
                cor_text_add_n(w->out, v->text, v->n);
        else if (v->kind == VALUE_LIST)
                write_list(w, v);
        else
                write_members(w, v);
}

void value_to_json(const struct value *v, unsigned indent, struct cor_text *out)
{
        struct writer w = { .out = out, .indent = indent };

        write_value(&w, v);
}

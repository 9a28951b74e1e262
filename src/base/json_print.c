/*
 * Printing by table. The text is what Go's encoder makes of the same structs, because engines compare and show it:
 * empty members left out, HTML characters escaped, and the same blanks when indented.
 */
#include "base/json_internal.h"

#include <string.h>

const char cor_json_none_yet[8];

struct printer {
        struct cor_text *out;
        enum cor_json_style indent; /* without COR_JSON_API */
        bool api;
        unsigned depth;
};

/* ---- strings ---- */

static const char *short_escape(unsigned char c)
{
        switch (c) {
        case '"':
                return "\\\"";
        case '\\':
                return "\\\\";
        case '\b':
                return "\\b";
        case '\f':
                return "\\f";
        case '\n':
                return "\\n";
        case '\r':
                return "\\r";
        case '\t':
                return "\\t";
        default:
                return NULL;
        }
}

/* The length of the UTF-8 sequence at @s, 0 if it is none (overlong, surrogate, beyond U+10FFFF or cut) */
static size_t utf8_length(const unsigned char *s, size_t n, uint32_t *ret_code)
{
        static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
        size_t len = s[0] >= 0xf8 ? 0 : s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : s[0] >= 0xc0 ? 2 : 0;
        uint32_t code;

        if (len == 0 || len > n)
                return 0;
        code = s[0] & (0x7fU >> len);
        for (size_t i = 1; i < len; i++) {
                if ((s[i] & 0xc0) != 0x80)
                        return 0;
                code = code << 6 | (s[i] & 0x3f);
        }
        if (code < least[len] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
                return 0;
        *ret_code = code;
        return len;
}

static bool plain(unsigned char c, bool html)
{
        return c >= 0x20 && c < 0x80 && c != '"' && c != '\\' && (html || (c != '<' && c != '>' && c != '&'));
}

/* Print what does not stand for itself at @s; returns how many bytes that was */
static size_t print_special(struct cor_text *out, const unsigned char *s, size_t n)
{
        const char *escape = short_escape(s[0]);
        uint32_t code = 0;
        size_t len;

        if (escape) {
                cor_text_add(out, escape);
                return 1;
        }
        if (s[0] < 0x80) {
                cor_text_printf(out, "\\u%04x", (unsigned)s[0]);
                return 1;
        }
        len = utf8_length(s, n, &code);
        if (len == 0) {
                cor_text_add(out, "\\ufffd");
                return 1;
        }
        if (code == 0x2028 || code == 0x2029) /* line ends to JavaScript */
                cor_text_printf(out, "\\u%04x", (unsigned)code);
        else
                cor_text_add_n(out, s, len);
        return len;
}

static void print_string(struct cor_text *out, const char *s, size_t n, bool html)
{
        size_t i = 0;

        cor_text_add_c(out, '"');
        while (i < n) {
                size_t run = i;

                while (run < n && plain((unsigned char)s[run], html))
                        run++;
                cor_text_add_n(out, s + i, run - i);
                i = run;
                if (i < n)
                        i += print_special(out, (const unsigned char *)s + i, n - i);
        }
        cor_text_add_c(out, '"');
}

void json_print_string(struct cor_text *out, const char *s, size_t n)
{
        print_string(out, s, n, false);
}

static void print_str(struct printer *p, const char *s)
{
        print_string(p->out, s ? s : "", s ? strlen(s) : 0, p->api);
}

/* ---- brackets, commas, indentation ---- */

static void new_line(struct printer *p)
{
        static const char indents[][5] = { "", "\t", "  ", "    " };

        if (p->indent == COR_JSON_COMPACT)
                return;
        cor_text_add_c(p->out, '\n');
        for (unsigned i = 0; i < p->depth; i++)
                cor_text_add(p->out, indents[p->indent]);
}

static void begin(struct printer *p, char bracket)
{
        cor_text_add_c(p->out, bracket);
        p->depth++;
}

/* Before every item: a comma unless it is the first */
static void item(struct printer *p, size_t start)
{
        if (p->out->len > start)
                cor_text_add_c(p->out, ',');
        new_line(p);
}

static void end(struct printer *p, size_t start, char bracket)
{
        p->depth--;
        if (p->out->len > start)
                new_line(p);
        cor_text_add_c(p->out, bracket);
}

static void print_key(struct printer *p, const char *key)
{
        print_str(p, key);
        cor_text_add(p->out, p->indent == COR_JSON_COMPACT ? ":" : ": ");
}

/* ---- values ---- */

static void print_object(struct printer *p, const struct cor_json_doc *doc, const void *object);

/* A member as it lies in the struct */
struct value {
        const struct cor_json_field *field;
        const char *at;
        size_t n; /* of a list or map */
};

static const void *pointer_at(const char *at)
{
        const void *p;

        memcpy(&p, at, sizeof p);
        return p;
}

static void print_list(struct printer *p, const struct value *v)
{
        const struct cor_json_field *f = v->field;
        const char *items = f->type == COR_JSON_ARRAY_U32 ? v->at : pointer_at(v->at);
        size_t start;

        begin(p, '[');
        start = p->out->len;
        for (size_t i = 0; i < v->n; i++) {
                item(p, start);
                if (f->type == COR_JSON_LIST_STR)
                        print_str(p, ((const char *const *)(const void *)items)[i]);
                else if (f->type == COR_JSON_LIST_U32 || f->type == COR_JSON_ARRAY_U32)
                        cor_text_printf(p->out, "%u", (unsigned)((const uint32_t *)(const void *)items)[i]);
                else if (f->type == COR_JSON_LIST_WORD)
                        print_str(p, cor_word_of(f->words, ((const int *)(const void *)items)[i]));
                else
                        print_object(p, f->doc, items + i * f->doc->size);
        }
        end(p, start, ']');
}

static int by_key(const void *a, const void *b)
{
        const char *x = pointer_at(pointer_at(a)), *y = pointer_at(pointer_at(b)); /* items begin with their key */

        return strcmp(x ? x : "", y ? y : "");
}

/* Where each item of a map is, in the order to be printed; free() */
static const char **order_map(const struct printer *p, const struct value *v, size_t size)
{
        const char *items = pointer_at(v->at), **order = cor_realloc_array(NULL, v->n, sizeof *order);

        for (size_t i = 0; i < v->n; i++)
                order[i] = items + i * size;
        if (p->api)
                qsort(order, v->n, sizeof *order, by_key);
        return order;
}

static void print_map(struct printer *p, const struct value *v)
{
        const struct cor_json_field *f = v->field;
        bool strings = f->type == COR_JSON_MAP_STR;
        auto_free const char **order = v->n ? order_map(p, v, strings ? sizeof(struct cor_pair) : f->doc->size) : NULL;
        size_t start;

        begin(p, '{');
        start = p->out->len;
        for (size_t i = 0; i < v->n; i++) {
                item(p, start);
                print_key(p, pointer_at(order[i]));
                if (strings)
                        print_str(p, ((const struct cor_pair *)(const void *)order[i])->value);
                else
                        print_object(p, f->doc, order[i]);
        }
        end(p, start, '}');
}

static int64_t signed_value(const struct value *v)
{
        switch (v->field->type) {
        case COR_JSON_BOOL:
                return *(const bool *)v->at;
        case COR_JSON_I64:
        case COR_JSON_U64:
                return *(const int64_t *)(const void *)v->at;
        case COR_JSON_U32:
                return *(const uint32_t *)(const void *)v->at;
        default:
                return *(const int32_t *)(const void *)v->at;
        }
}

static void print_number(struct printer *p, const struct value *v)
{
        if (v->field->type == COR_JSON_U64)
                cor_text_printf(p->out, "%llu", (unsigned long long)signed_value(v));
        else
                cor_text_printf(p->out, "%lld", (long long)signed_value(v));
}

static void print_bool(struct printer *p, bool b)
{
        cor_text_add(p->out, b ? "true" : "false");
}

static bool has_count(enum cor_json_type type)
{
        return type >= COR_JSON_LIST_STR && type <= COR_JSON_MAP_OBJ;
}

/* Go's nil, where it shows */
static bool is_null(const struct value *v)
{
        if ((v->field->flags & COR_JSON_NULL) != COR_JSON_NULL)
                return false;
        if (has_count(v->field->type))
                return v->n == 0 && !pointer_at(v->at);
        if (v->field->type == COR_JSON_STR)
                return !pointer_at(v->at);
        if (v->field->type == COR_JSON_OPT_BOOL ||
            (v->field->type >= COR_JSON_OPT_I64 && v->field->type <= COR_JSON_OPT_U16))
                return !*(const bool *)v->at; /* `set` comes first in all of them */
        return false;
}

static void print_value(struct printer *p, const struct value *v)
{
        const void *pointer = NULL;

        if (is_null(v)) {
                cor_text_add(p->out, "null");
                return;
        }
        switch (v->field->type) {
        case COR_JSON_BOOL:
                print_bool(p, *(const bool *)v->at);
                return;
        case COR_JSON_OPT_BOOL:
                print_bool(p, ((const struct cor_opt_bool *)(const void *)v->at)->value);
                return;
        case COR_JSON_I64:
        case COR_JSON_I32:
        case COR_JSON_U64:
        case COR_JSON_U32:
                print_number(p, v);
                return;
        case COR_JSON_OPT_I64:
                cor_text_printf(p->out, "%lld", (long long)((const struct cor_opt_i64 *)(const void *)v->at)->value);
                return;
        case COR_JSON_OPT_U64:
        case COR_JSON_OPT_U32:
        case COR_JSON_OPT_U16:
                cor_text_printf(p->out, "%llu",
                                (unsigned long long)((const struct cor_opt_u64 *)(const void *)v->at)->value);
                return;
        case COR_JSON_STR:
                print_str(p, pointer_at(v->at));
                return;
        case COR_JSON_WORD:
                print_str(p, cor_word_of(v->field->words, signed_value(v)));
                return;
        case COR_JSON_OBJ:
        case COR_JSON_RAW:
                pointer = pointer_at(v->at);
                if (!pointer)
                        cor_text_add(p->out, "null");
                else if (v->field->type == COR_JSON_RAW)
                        cor_text_add(p->out, pointer);
                else
                        print_object(p, v->field->doc, pointer);
                return;
        case COR_JSON_INLINE:
                print_object(p, v->field->doc, v->at);
                return;
        case COR_JSON_ARRAY_U32:
        case COR_JSON_LIST_STR:
        case COR_JSON_LIST_U32:
        case COR_JSON_LIST_WORD:
        case COR_JSON_LIST_OBJ:
                print_list(p, v);
                return;
        case COR_JSON_MAP_STR:
        case COR_JSON_MAP_OBJ:
                print_map(p, v);
                return;
        }
}

/* ---- members ---- */

/* What parsing an absent member would give is left out, and so is the empty string as in Go. */
static bool is_empty(const struct value *v)
{
        const char *s;

        switch (v->field->type) {
        case COR_JSON_BOOL:
        case COR_JSON_I64:
        case COR_JSON_I32:
        case COR_JSON_U64:
        case COR_JSON_U32:
        case COR_JSON_WORD:
                return signed_value(v) == v->field->def;
        case COR_JSON_OPT_BOOL:
        case COR_JSON_OPT_I64:
        case COR_JSON_OPT_U64:
        case COR_JSON_OPT_U32:
        case COR_JSON_OPT_U16:
                return !*(const bool *)v->at; /* `set` comes first in all of them */
        case COR_JSON_STR:
                s = pointer_at(v->at);
                return !s || strcmp(s, v->field->def_text ? v->field->def_text : "") == 0;
        case COR_JSON_OBJ:
        case COR_JSON_RAW:
                return !pointer_at(v->at);
        case COR_JSON_INLINE:
                return false;
        case COR_JSON_ARRAY_U32:
                for (size_t i = 0; i < v->n; i++)
                        if (((const uint32_t *)(const void *)v->at)[i])
                                return false;
                return true;
        default:
                return v->n == 0;
        }
}

static struct value value_of(const struct cor_json_field *f, const void *object)
{
        struct value v = { .field = f, .at = (const char *)object + f->offset };

        if (has_count(f->type))
                memcpy(&v.n, (const char *)object + f->n_offset, sizeof v.n);
        else if (f->type == COR_JSON_ARRAY_U32)
                v.n = (size_t)f->def;
        return v;
}

static void print_member(struct printer *p, const struct cor_json_field *f, const void *object, size_t start)
{
        struct value v = value_of(f, object);

        if (!(f->flags & (COR_JSON_ALWAYS | COR_JSON_REQUIRED)) && is_empty(&v))
                return;
        item(p, start);
        print_key(p, f->key);
        print_value(p, &v);
}

static void print_object(struct printer *p, const struct cor_json_doc *doc, const void *object)
{
        const char *extra = doc->keep_extra ? pointer_at((const char *)object + doc->extra_offset) : NULL;
        size_t start;

        if (doc->bare) {
                struct value v = value_of(&doc->fields[0], object);

                print_value(p, &v);
                return;
        }
        begin(p, '{');
        start = p->out->len;
        for (size_t i = 0; i < doc->n_fields; i++)
                print_member(p, &doc->fields[i], object, start);
        if (extra && extra[0]) {
                item(p, start);
                cor_text_add(p->out, extra);
        }
        end(p, start, '}');
}

void cor_json_print(const struct cor_json_doc *doc, const void *object, enum cor_json_style style, struct cor_text *out)
{
        struct printer p = { .out = out, .indent = style & ~COR_JSON_API, .api = style & COR_JSON_API };

        print_object(&p, doc, object);
}

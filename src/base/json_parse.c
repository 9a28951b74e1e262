/*
 * Reading documents by their tables. Two passes: jansson turns the text into its tree, inside our arena; then the
 * tables say which values go where. Strings stay where jansson put them and live as long as the root object does.
 */
#include "base/json_internal.h"

#include <assert.h>
#include <jansson.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>

/* Where in the document we are: a chain through the stack, made text only for an error. */
struct place {
        const struct place *up;
        const char *key; /* NULL: list item `index` */
        size_t index;
        bool map; /* the key is data, not a name of the format */
};

struct reader {
        struct json_arena *arena;
        const char *what;
        bool shielded; /* big numbers are marked strings, see json_number.c */
        struct cor_err *err;
};

enum { PLACE_BYTES = 256, SHOWN_BYTES = 80 };

/* Control characters must not reach a terminal or a log by way of an error message. */
static void make_printable(char *s)
{
        for (; *s; s++)
                if ((unsigned char)*s < 0x20 || *s == 0x7f)
                        *s = '?';
}

static size_t place_format(const struct place *at, char *buf, size_t size)
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
static int add_place(struct reader *r, const struct place *at)
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

static int COR_PRINTF(3, 4) fail_at(struct reader *r, const struct place *at, const char *fmt, ...)
{
        char msg[sizeof r->err->msg];
        va_list ap;

        va_start(ap, fmt);
        vsnprintf(msg, sizeof msg, fmt, ap);
        va_end(ap);
        cor_fail(r->err, COR_INVALID, "%s", msg);
        return add_place(r, at);
}

/* The text of a number that jansson could not hold, or NULL */
static const char *big_number(const struct reader *r, const json_t *v)
{
        const char *s;

        if (!r->shielded || !json_is_string(v) || json_string_length(v) < 2)
                return NULL;
        s = json_string_value(v);
        return s[0] == '\0' && s[1] != '\0' ? s + 1 : NULL;
}

static int fail_type(struct reader *r, const struct place *at, const char *expected, const json_t *v)
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
        return fail_at(r, at, "expected %s, found %s", expected, found);
}

static void *take(struct reader *r, size_t n, size_t size, const struct place *at)
{
        size_t bytes;
        void *p = __builtin_mul_overflow(n, size, &bytes) ? NULL : json_arena_take(r->arena, bytes);

        if (!p) {
                fail_at(r, at, "needs more memory than a document of this size may");
                return NULL;
        }
        return memset(p, 0, bytes);
}

/* ---- scalars ---- */

static int get_str(struct reader *r, const json_t *v, const struct place *at, const char **ret)
{
        if (!json_is_string(v) || big_number(r, v))
                return fail_type(r, at, "a string", v);
        if (memchr(json_string_value(v), '\0', json_string_length(v)))
                return fail_at(r, at, "expected a string without NUL characters");
        *ret = json_string_value(v);
        return 0;
}

static int get_i64(struct reader *r, const json_t *v, const struct place *at, int64_t min, int64_t max, int64_t *ret)
{
        const char *big = big_number(r, v);
        int64_t n = 0;

        if (big && !strpbrk(big, ".eE")) {
                if (cor_parse_i64(big, &n) < 0) /* -9223372036854775808 is not too big */
                        return fail_at(r, at, "expected an integer from %lld to %lld, found %.*s", (long long)min,
                                       (long long)max, SHOWN_BYTES, big);
        } else if (json_is_integer(v)) {
                n = json_integer_value(v);
        } else {
                return fail_type(r, at, "an integer", v);
        }
        if (n < min || n > max)
                return fail_at(r, at, "expected an integer from %lld to %lld, found %lld", (long long)min,
                               (long long)max, (long long)n);
        *ret = n;
        return 0;
}

static int get_u64(struct reader *r, const json_t *v, const struct place *at, uint64_t max, uint64_t *ret)
{
        const char *big = big_number(r, v);
        uint64_t n = 0;

        if (big && !strpbrk(big, ".eE")) {
                if (cor_parse_u64(big, &n) < 0 || n > max)
                        return fail_at(r, at, "expected an integer from 0 to %llu, found %.*s", (unsigned long long)max,
                                       SHOWN_BYTES, big);
        } else if (!json_is_integer(v)) {
                return fail_type(r, at, "an integer", v);
        } else if (json_integer_value(v) < 0 || (uint64_t)json_integer_value(v) > max) {
                return fail_at(r, at, "expected an integer from 0 to %llu, found %lld", (unsigned long long)max,
                               (long long)json_integer_value(v));
        } else {
                n = (uint64_t)json_integer_value(v);
        }
        *ret = n;
        return 0;
}

static int get_word(struct reader *r, const json_t *v, const struct cor_word *words, const struct place *at, int *ret)
{
        const char *s = NULL;
        const struct cor_word *w;
        auto_text list = COR_TEXT_INIT;

        if (get_str(r, v, at, &s) < 0)
                return -1;
        w = cor_word_find(words, s);
        if (w) {
                *ret = (int)w->value;
                return 0;
        }
        for (w = words; w->word; w++)
                if (w->word[0])
                        cor_text_printf(&list, "%s%s", list.len > 0 ? ", " : "", w->word);
        return fail_at(r, at, "expected one of %s, found \"%.*s\"", list.len > 0 ? list.s : "nothing", SHOWN_BYTES, s);
}

/* ---- members: one reader per type; @to is where the member lives in its struct ---- */

struct member {
        const struct cor_json_field *field;
        const json_t *v;
        void *object;
        const struct place *at;
};

static void *member_at(const struct member *m)
{
        return (char *)m->object + m->field->offset;
}

static void member_set_count(const struct member *m, size_t n)
{
        memcpy((char *)m->object + m->field->n_offset, &n, sizeof n);
}

static int read_object(struct reader *r, const struct cor_json_doc *doc, const json_t *v, void *object,
                       const struct place *at);

static int read_bool(struct reader *r, const struct member *m)
{
        if (!json_is_boolean(m->v))
                return fail_type(r, m->at, "true or false", m->v);
        *(bool *)member_at(m) = json_is_true(m->v);
        return 0;
}

static int read_opt_bool(struct reader *r, const struct member *m)
{
        if (!json_is_boolean(m->v))
                return fail_type(r, m->at, "true or false", m->v);
        *(struct cor_opt_bool *)member_at(m) = (struct cor_opt_bool){ .set = true, .value = json_is_true(m->v) };
        return 0;
}

static int read_i64(struct reader *r, const struct member *m)
{
        return get_i64(r, m->v, m->at, INT64_MIN, INT64_MAX, member_at(m));
}

static int read_i32(struct reader *r, const struct member *m)
{
        int64_t n = 0;

        if (get_i64(r, m->v, m->at, INT32_MIN, INT32_MAX, &n) < 0)
                return -1;
        *(int32_t *)member_at(m) = (int32_t)n;
        return 0;
}

static int read_u64(struct reader *r, const struct member *m)
{
        return get_u64(r, m->v, m->at, UINT64_MAX, member_at(m));
}

static int read_u32(struct reader *r, const struct member *m)
{
        uint64_t n = 0;

        if (get_u64(r, m->v, m->at, UINT32_MAX, &n) < 0)
                return -1;
        *(uint32_t *)member_at(m) = (uint32_t)n;
        return 0;
}

static int read_opt_i64(struct reader *r, const struct member *m)
{
        struct cor_opt_i64 *to = member_at(m);

        if (get_i64(r, m->v, m->at, INT64_MIN, INT64_MAX, &to->value) < 0)
                return -1;
        to->set = true;
        return 0;
}

static int read_opt_unsigned(struct reader *r, const struct member *m, uint64_t max)
{
        struct cor_opt_u64 *to = member_at(m);

        if (get_u64(r, m->v, m->at, max, &to->value) < 0)
                return -1;
        to->set = true;
        return 0;
}

static int read_opt_u64(struct reader *r, const struct member *m)
{
        return read_opt_unsigned(r, m, UINT64_MAX);
}

static int read_opt_u32(struct reader *r, const struct member *m)
{
        return read_opt_unsigned(r, m, UINT32_MAX);
}

static int read_opt_u16(struct reader *r, const struct member *m)
{
        return read_opt_unsigned(r, m, UINT16_MAX);
}

static int read_str(struct reader *r, const struct member *m)
{
        return get_str(r, m->v, m->at, member_at(m));
}

static int read_word(struct reader *r, const struct member *m)
{
        return get_word(r, m->v, m->field->words, m->at, member_at(m));
}

static int read_obj(struct reader *r, const struct member *m)
{
        void *o = take(r, 1, m->field->doc->size, m->at);

        if (!o || read_object(r, m->field->doc, m->v, o, m->at) < 0)
                return -1;
        *(void **)member_at(m) = o;
        return 0;
}

static int read_inline(struct reader *r, const struct member *m)
{
        return read_object(r, m->field->doc, m->v, member_at(m), m->at);
}

/* Memory for the @size-byte items of a list, and @extra more; NULL with an error if the value is no list */
static void *list_begin(struct reader *r, const struct member *m, const char *of, size_t extra, size_t size)
{
        if (!json_is_array(m->v)) {
                fail_type(r, m->at, of, m->v);
                return NULL;
        }
        return take(r, json_array_size(m->v) + extra, size, m->at);
}

static void list_end(const struct member *m, void *items)
{
        *(void **)member_at(m) = items;
        member_set_count(m, json_array_size(m->v));
}

static int read_list_str(struct reader *r, const struct member *m)
{
        const char **items = list_begin(r, m, "a list of strings", 1, sizeof *items);

        if (!items)
                return -1;
        for (size_t i = 0; i < json_array_size(m->v); i++) {
                struct place at = { .up = m->at, .index = i };

                if (get_str(r, json_array_get(m->v, i), &at, &items[i]) < 0)
                        return -1;
        }
        list_end(m, items);
        return 0;
}

static int read_list_u32(struct reader *r, const struct member *m)
{
        uint32_t *items = list_begin(r, m, "a list of integers", 0, sizeof *items);

        if (!items)
                return -1;
        for (size_t i = 0; i < json_array_size(m->v); i++) {
                struct place at = { .up = m->at, .index = i };
                uint64_t n = 0;

                if (get_u64(r, json_array_get(m->v, i), &at, UINT32_MAX, &n) < 0)
                        return -1;
                items[i] = (uint32_t)n;
        }
        list_end(m, items);
        return 0;
}

static int read_list_word(struct reader *r, const struct member *m)
{
        int *items = list_begin(r, m, "a list of words", 0, sizeof *items);

        if (!items)
                return -1;
        for (size_t i = 0; i < json_array_size(m->v); i++) {
                struct place at = { .up = m->at, .index = i };

                if (get_word(r, json_array_get(m->v, i), m->field->words, &at, &items[i]) < 0)
                        return -1;
        }
        list_end(m, items);
        return 0;
}

static int read_list_obj(struct reader *r, const struct member *m)
{
        const struct cor_json_doc *doc = m->field->doc;
        char *items = list_begin(r, m, "a list of objects", 0, doc->size);

        if (!items)
                return -1;
        for (size_t i = 0; i < json_array_size(m->v); i++) {
                struct place at = { .up = m->at, .index = i };

                if (read_object(r, doc, json_array_get(m->v, i), items + i * doc->size, &at) < 0)
                        return -1;
        }
        list_end(m, items);
        return 0;
}

static int read_map_str(struct reader *r, const struct member *m)
{
        struct cor_pair *items;
        json_t *map = (json_t *)(uintptr_t)m->v;
        size_t n = 0;

        if (!json_is_object(m->v))
                return fail_type(r, m->at, "an object of strings", m->v);
        items = take(r, json_object_size(m->v), sizeof *items, m->at);
        if (!items)
                return -1;
        for (void *it = json_object_iter(map); it; it = json_object_iter_next(map, it), n++) {
                struct place at = { .up = m->at, .key = json_object_iter_key(it), .map = true };

                items[n].key = at.key;
                if (get_str(r, json_object_iter_value(it), &at, &items[n].value) < 0)
                        return -1;
        }
        *(struct cor_pair **)member_at(m) = items;
        member_set_count(m, n);
        return 0;
}

static int read_map_obj(struct reader *r, const struct member *m)
{
        const struct cor_json_doc *doc = m->field->doc;
        json_t *map = (json_t *)(uintptr_t)m->v;
        size_t n = 0;
        char *items;

        if (!json_is_object(m->v))
                return fail_type(r, m->at, "an object of objects", m->v);
        items = take(r, json_object_size(m->v), doc->size, m->at);
        if (!items)
                return -1;
        for (void *it = json_object_iter(map); it; it = json_object_iter_next(map, it), n++) {
                struct place at = { .up = m->at, .key = json_object_iter_key(it), .map = true };

                *(const char **)(void *)(items + n * doc->size) = at.key;
                if (read_object(r, doc, json_object_iter_value(it), items + n * doc->size, &at) < 0)
                        return -1;
        }
        *(void **)member_at(m) = items;
        member_set_count(m, n);
        return 0;
}

/* ---- values kept as text ---- */

static void dump(const struct reader *r, const json_t *v, struct cor_text *out);

static void dump_members(const struct reader *r, const json_t *v, struct cor_text *out)
{
        json_t *map = (json_t *)(uintptr_t)v;

        for (void *it = json_object_iter(map), *first = it; it; it = json_object_iter_next(map, it)) {
                if (it != first)
                        cor_text_add_c(out, ',');
                json_print_string(out, json_object_iter_key(it), strlen(json_object_iter_key(it)));
                cor_text_add_c(out, ':');
                dump(r, json_object_iter_value(it), out);
        }
}

static void dump_string(const struct reader *r, const json_t *v, struct cor_text *out)
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
static void dump(const struct reader *r, const json_t *v, struct cor_text *out)
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
                        dump(r, json_array_get(v, i), out);
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

/* Text made here moves into the arena. */
static int keep_text(struct reader *r, const struct cor_text *text, const struct place *at, const char **ret)
{
        char *copy = take(r, text->len + 1, 1, at);

        if (!copy)
                return -1;
        memcpy(copy, text->s, text->len);
        *ret = copy;
        return 0;
}

static int read_raw(struct reader *r, const struct member *m)
{
        auto_text text = COR_TEXT_INIT;

        dump(r, m->v, &text);
        return keep_text(r, &text, m->at, member_at(m));
}

static void add_extra(const struct reader *r, const char *key, const json_t *v, struct cor_text *extra)
{
        if (extra->len > 0)
                cor_text_add_c(extra, ',');
        json_print_string(extra, key, strlen(key));
        cor_text_add_c(extra, ':');
        dump(r, v, extra);
}

/* ---- objects ---- */

typedef int member_reader(struct reader *r, const struct member *m);

static member_reader *const member_readers[] = {
        [COR_JSON_BOOL] = read_bool,
        [COR_JSON_OPT_BOOL] = read_opt_bool,
        [COR_JSON_I64] = read_i64,
        [COR_JSON_I32] = read_i32,
        [COR_JSON_U64] = read_u64,
        [COR_JSON_U32] = read_u32,
        [COR_JSON_OPT_I64] = read_opt_i64,
        [COR_JSON_OPT_U64] = read_opt_u64,
        [COR_JSON_OPT_U32] = read_opt_u32,
        [COR_JSON_OPT_U16] = read_opt_u16,
        [COR_JSON_STR] = read_str,
        [COR_JSON_WORD] = read_word,
        [COR_JSON_OBJ] = read_obj,
        [COR_JSON_INLINE] = read_inline,
        [COR_JSON_LIST_STR] = read_list_str,
        [COR_JSON_LIST_U32] = read_list_u32,
        [COR_JSON_LIST_WORD] = read_list_word,
        [COR_JSON_LIST_OBJ] = read_list_obj,
        [COR_JSON_MAP_STR] = read_map_str,
        [COR_JSON_MAP_OBJ] = read_map_obj,
        [COR_JSON_RAW] = read_raw,
};

/* The row of @key. Writers mostly keep the order of the format, so the row after the last one found is tried first. */
static size_t find_row(const struct cor_json_doc *doc, const char *key, size_t hint)
{
        for (size_t i = 0, row = hint; i < doc->n_fields; i++, row++) {
                if (row >= doc->n_fields)
                        row = 0;
                if (doc->fields[row].key[0] == key[0] && strcmp(doc->fields[row].key, key) == 0)
                        return row;
        }
        return SIZE_MAX;
}

static void set_default(const struct cor_json_field *f, void *object)
{
        char *to = (char *)object + f->offset;

        switch (f->type) {
        case COR_JSON_BOOL:
                *(bool *)to = f->def != 0;
                return;
        case COR_JSON_I64:
        case COR_JSON_U64:
                memcpy(to, &f->def, sizeof f->def);
                return;
        case COR_JSON_I32:
        case COR_JSON_U32:
        case COR_JSON_WORD:
                memcpy(to, &(int32_t){ (int32_t)f->def }, sizeof(int32_t));
                return;
        case COR_JSON_STR:
                memcpy(to, &f->def_text, sizeof f->def_text);
                return;
        default:
                return;
        }
}

static int finish_absent(struct reader *r, const struct cor_json_doc *doc, uint64_t seen, void *object,
                         const struct place *up)
{
        for (size_t i = 0; i < doc->n_fields; i++) {
                const struct cor_json_field *f = &doc->fields[i];

                if (seen & (1ULL << i))
                        continue;
                if (f->flags & COR_JSON_REQUIRED) {
                        struct place at = { .up = up, .key = f->key };

                        return fail_at(r, &at, "required, but missing");
                }
                if (f->def != 0 || f->def_text)
                        set_default(f, object);
        }
        return 0;
}

static int read_members(struct reader *r, const struct cor_json_doc *doc, const json_t *v, void *object,
                        const struct place *up, struct cor_text *extra)
{
        json_t *map = (json_t *)(uintptr_t)v;
        uint64_t seen = 0;
        size_t row = 0;

        for (void *it = json_object_iter(map); it; it = json_object_iter_next(map, it)) {
                const char *key = json_object_iter_key(it);
                const json_t *value = json_object_iter_value(it);
                size_t found = find_row(doc, key, row);

                if (found == SIZE_MAX) {
                        if (extra)
                                add_extra(r, key, value, extra);
                        continue;
                }
                row = found + 1;
                if (!json_is_null(value)) {
                        struct place at = { .up = up, .key = doc->fields[found].key };
                        struct member m = { &doc->fields[found], value, object, &at };

                        if (member_readers[m.field->type](r, &m) < 0)
                                return -1;
                        seen |= 1ULL << found;
                }
        }
        return finish_absent(r, doc, seen, object, up);
}

static int read_object(struct reader *r, const struct cor_json_doc *doc, const json_t *v, void *object,
                       const struct place *at)
{
        auto_text extra = COR_TEXT_INIT;

        assert(doc->n_fields <= 64);
        if (!json_is_object(v))
                return fail_type(r, at, "an object", v);
        if (read_members(r, doc, v, object, at, doc->keep_extra ? &extra : NULL) < 0)
                return -1;
        if (extra.len > 0 && keep_text(r, &extra, at, (const char **)(void *)((char *)object + doc->extra_offset)) < 0)
                return -1;
        if (doc->check && doc->check(object, r->err) < 0)
                return add_place(r, at);
        return 0;
}

/* ---- the text ---- */

static __thread struct json_arena *parsing; /* where jansson's memory comes from */

static void *library_malloc(size_t size)
{
        return json_arena_take(parsing, size);
}

static void library_free(void *p)
{
        (void)p; /* ends with the arena */
}

static void library_init(void)
{
        size_t seed = 0;
        const void *random = (const void *)getauxval(AT_RANDOM); /* 16 bytes from the kernel: no /dev/urandom needed */

        if (random)
                memcpy(&seed, random, sizeof seed);
        json_object_seed(seed | 1);
        json_set_alloc_funcs(library_malloc, library_free);
}

static json_t *load(struct reader *r, const char *text, size_t len, size_t flags, json_error_t *error)
{
        static pthread_once_t once = PTHREAD_ONCE_INIT;
        json_t *tree;

        pthread_once(&once, library_init);
        parsing = r->arena;
        tree = json_loadb(text, len, JSON_DECODE_ANY | JSON_ALLOW_NUL | flags, error);
        parsing = NULL;
        return tree;
}

/* Position @pos as line and column (bytes, from 1) */
static int fail_syntax(struct reader *r, const char *text, size_t len, size_t pos, const json_error_t *error)
{
        size_t line = 1, start = 0;

        if (pos > len)
                pos = len;
        for (size_t i = 0; i < pos; i++) {
                if (text[i] == '\n' && i + 1 < pos) {
                        line++;
                        start = i + 1;
                }
        }
        if (json_error_code(error) == json_error_out_of_memory)
                return fail_at(r, NULL, "needs more memory than a document of this size may");
        return fail_at(r, NULL, "line %zu, column %zu: %s", line, pos > start ? pos - start : 1, error->text);
}

static int load_shielded(struct reader *r, const char *text, size_t len, json_t **ret)
{
        auto_text copy = COR_TEXT_INIT, before = COR_TEXT_INIT;
        json_error_t error;

        json_shield_numbers(text, len, SIZE_MAX, &copy);
        r->shielded = true;
        *ret = load(r, copy.s, copy.len, 0, &error);
        if (*ret)
                return 0;
        return fail_syntax(r, text, len, json_shield_numbers(text, len, (size_t)error.position, &before), &error);
}

static int load_text(struct reader *r, const char *text, size_t len, json_t **ret)
{
        json_error_t error;

        if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
                return fail_at(r, NULL, "starts with a byte order mark, which JSON does not allow");
        *ret = load(r, text, len, 0, &error);
        if (*ret)
                return 0;
        if (json_error_code(&error) == json_error_numeric_overflow)
                return load_shielded(r, text, len, ret);
        return fail_syntax(r, text, len, (size_t)error.position, &error);
}

/* A seccomp profile needs twice its text; empty objects, the worst there is, sixty times. */
static size_t memory_limit(size_t len)
{
        return ((size_t)1 << 20) + 32 * len;
}

static size_t first_chunk(size_t len)
{
        size_t size = 2048 + 3 * len;

        return size < 256 << 10 ? size : 256 << 10;
}

int cor_json_parse(const struct cor_json_doc *doc, const char *text, size_t len, const char *what, void *ret,
                   struct cor_err *err)
{
        struct reader r = { .what = what, .err = err };
        json_t *tree = NULL;
        void *root = NULL;

        if (len > SIZE_MAX / 64)
                return fail_at(&r, NULL, "too long");
        r.arena = json_arena_new(first_chunk(len), memory_limit(len));
        if (!r.arena)
                return cor_fail_errno(err, "%s", what ? what : "JSON document");
        if (load_text(&r, text, len, &tree) < 0)
                goto fail;
        root = json_arena_root(r.arena, doc->size);
        if (!root) {
                fail_at(&r, NULL, "needs more memory than a document of this size may");
                goto fail;
        }
        if (read_object(&r, doc, tree, root, NULL) < 0)
                goto fail;
        *(void **)ret = root;
        return 0;
fail:
        json_arena_free(r.arena);
        return -1;
}

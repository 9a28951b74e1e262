/*
 * Reading documents by their tables. Strings stay where jansson put them and live as long as the root object does.
 */
#include "base/json_reader.h"

#include <assert.h>
#include <string.h>

/* ---- members: one reader per type ---- */

static int read_bool(struct json_reader *r, const struct json_member *m)
{
        if (!json_is_boolean(m->v))
                return json_fail_type(r, m->at, "true or false", m->v);
        *(bool *)json_member_at(m) = json_is_true(m->v);
        return 0;
}

static int read_opt_bool(struct json_reader *r, const struct json_member *m)
{
        if (!json_is_boolean(m->v))
                return json_fail_type(r, m->at, "true or false", m->v);
        *(struct cor_opt_bool *)json_member_at(m) = (struct cor_opt_bool){ .set = true, .value = json_is_true(m->v) };
        return 0;
}

static int read_i64(struct json_reader *r, const struct json_member *m)
{
        return json_get_i64(r, m->v, m->at, INT64_MIN, INT64_MAX, json_member_at(m));
}

static int read_i32(struct json_reader *r, const struct json_member *m)
{
        int64_t n = 0;

        if (json_get_i64(r, m->v, m->at, INT32_MIN, INT32_MAX, &n) < 0)
                return -1;
        *(int32_t *)json_member_at(m) = (int32_t)n;
        return 0;
}

static int read_u64(struct json_reader *r, const struct json_member *m)
{
        return json_get_u64(r, m->v, m->at, UINT64_MAX, json_member_at(m));
}

static int read_u32(struct json_reader *r, const struct json_member *m)
{
        uint64_t n = 0;

        if (json_get_u64(r, m->v, m->at, UINT32_MAX, &n) < 0)
                return -1;
        *(uint32_t *)json_member_at(m) = (uint32_t)n;
        return 0;
}

static int read_opt_i64(struct json_reader *r, const struct json_member *m)
{
        struct cor_opt_i64 *to = json_member_at(m);

        if (json_get_i64(r, m->v, m->at, INT64_MIN, INT64_MAX, &to->value) < 0)
                return -1;
        to->set = true;
        return 0;
}

static int read_opt_unsigned(struct json_reader *r, const struct json_member *m, uint64_t max)
{
        struct cor_opt_u64 *to = json_member_at(m);

        if (json_get_u64(r, m->v, m->at, max, &to->value) < 0)
                return -1;
        to->set = true;
        return 0;
}

static int read_opt_u64(struct json_reader *r, const struct json_member *m)
{
        return read_opt_unsigned(r, m, UINT64_MAX);
}

static int read_opt_u32(struct json_reader *r, const struct json_member *m)
{
        return read_opt_unsigned(r, m, UINT32_MAX);
}

static int read_opt_u16(struct json_reader *r, const struct json_member *m)
{
        return read_opt_unsigned(r, m, UINT16_MAX);
}

static int read_str(struct json_reader *r, const struct json_member *m)
{
        return json_get_str(r, m->v, m->at, json_member_at(m));
}

static int read_word(struct json_reader *r, const struct json_member *m)
{
        return json_get_word(r, m->v, m->field->words, m->at, json_member_at(m));
}

static int read_obj(struct json_reader *r, const struct json_member *m)
{
        void *o = json_take(r, 1, m->field->doc->size, m->at);

        if (!o || json_read_object(r, m->field->doc, m->v, o, m->at) < 0)
                return -1;
        *(void **)json_member_at(m) = o;
        return 0;
}

static int read_inline(struct json_reader *r, const struct json_member *m)
{
        return json_read_object(r, m->field->doc, m->v, json_member_at(m), m->at);
}

/* Text made here moves into the arena. */
static int keep_text(struct json_reader *r, const struct cor_text *text, const struct json_place *at, const char **ret)
{
        char *copy = json_take(r, text->len + 1, 1, at);

        if (!copy)
                return -1;
        memcpy(copy, text->s, text->len);
        *ret = copy;
        return 0;
}

static int read_raw(struct json_reader *r, const struct json_member *m)
{
        auto_text text = COR_TEXT_INIT;

        json_dump(r, m->v, &text);
        return keep_text(r, &text, m->at, json_member_at(m));
}

static void add_extra(const struct json_reader *r, const char *key, const json_t *v, struct cor_text *extra)
{
        if (extra->len > 0)
                cor_text_add_c(extra, ',');
        json_print_string(extra, key, strlen(key));
        cor_text_add_c(extra, ':');
        json_dump(r, v, extra);
}

/* ---- objects ---- */

static json_member_reader *const member_readers[] = {
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
        [COR_JSON_ARRAY_U32] = json_read_array_u32,
        [COR_JSON_LIST_STR] = json_read_list_str,
        [COR_JSON_LIST_U32] = json_read_list_u32,
        [COR_JSON_LIST_WORD] = json_read_list_word,
        [COR_JSON_LIST_OBJ] = json_read_list_obj,
        [COR_JSON_MAP_STR] = json_read_map_str,
        [COR_JSON_MAP_OBJ] = json_read_map_obj,
        [COR_JSON_RAW] = read_raw,
};

enum { FIELDS_MAX = 128 };
/* Which rows of the table were there */
struct seen {
        uint64_t bits[FIELDS_MAX / 64];
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

static int finish_absent(struct json_reader *r, const struct cor_json_doc *doc, const struct seen *seen, void *object,
                         const struct json_place *up)
{
        for (size_t i = 0; i < doc->n_fields; i++) {
                const struct cor_json_field *f = &doc->fields[i];

                if (seen->bits[i / 64] >> (i % 64) & 1)
                        continue;
                if (f->flags & COR_JSON_REQUIRED) {
                        struct json_place at = { .up = up, .key = f->key };

                        return json_fail_at(r, &at, "required, but missing");
                }
                if (f->def != 0 || f->def_text)
                        set_default(f, object);
        }
        return 0;
}

static int read_members(struct json_reader *r, const struct cor_json_doc *doc, const json_t *v, void *object,
                        const struct json_place *up, struct cor_text *extra)
{
        json_t *map = (json_t *)(uintptr_t)v;
        struct seen seen = { 0 };
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
                        struct json_place at = { .up = up, .key = doc->fields[found].key };
                        struct json_member m = { &doc->fields[found], value, object, &at };

                        if (member_readers[m.field->type](r, &m) < 0)
                                return -1;
                        seen.bits[found / 64] |= 1ULL << (found % 64);
                }
        }
        return finish_absent(r, doc, &seen, object, up);
}

/* A document that is the value of its only member. The check gets the place of the value itself. */
static int read_bare(struct json_reader *r, const struct cor_json_doc *doc, const json_t *v, void *object,
                     const struct json_place *at)
{
        struct json_member m = { &doc->fields[0], v, object, at };

        assert(doc->n_fields == 1);
        if (json_is_null(v) && (m.field->flags & COR_JSON_REQUIRED))
                return json_fail_at(r, at, "required, but null");
        if (!json_is_null(v) && member_readers[m.field->type](r, &m) < 0)
                return -1;
        return doc->check && doc->check(object, r->err) < 0 ? json_add_place(r, at) : 0;
}

int json_read_object(struct json_reader *r, const struct cor_json_doc *doc, const json_t *v, void *object,
                     const struct json_place *at)
{
        auto_text extra = COR_TEXT_INIT;

        assert(doc->n_fields <= FIELDS_MAX);
        if (doc->bare)
                return read_bare(r, doc, v, object, at);
        if (!json_is_object(v))
                return json_fail_type(r, at, "an object", v);
        if (read_members(r, doc, v, object, at, doc->keep_extra ? &extra : NULL) < 0)
                return -1;
        if (extra.len > 0 && keep_text(r, &extra, at, (const char **)(void *)((char *)object + doc->extra_offset)) < 0)
                return -1;
        if (doc->check && doc->check(object, r->err) < 0)
                return json_add_place(r, at);
        return 0;
}

/* The tree and the structs of config.json need 7 to 13 times its text; empty objects, the worst there is, 60 times. */
static size_t memory_limit(size_t len)
{
        return ((size_t)1 << 20) + 32 * len;
}

/* Room for most documents at once: pages that are not touched cost nothing. */
static size_t first_chunk(size_t len)
{
        size_t size = 4096 + 9 * len;

        return size < 1 << 20 ? size : 1 << 20;
}

int cor_json_parse(const struct cor_json_doc *doc, const char *text, size_t len, const char *what, void *ret,
                   struct cor_err *err)
{
        struct json_reader r = { .what = what, .err = err };
        json_t *tree = NULL;
        void *root = NULL;

        if (len > SIZE_MAX / 64)
                return json_fail_at(&r, NULL, "too long");
        r.arena = json_arena_new(first_chunk(len), memory_limit(len));
        if (!r.arena)
                return cor_fail_errno(err, "%s", what ? what : "JSON document");
        if (json_load(&r, text, len, &tree) < 0)
                goto fail;
        root = json_arena_root(r.arena, doc->size);
        if (!root) {
                json_fail_at(&r, NULL, "needs more memory than a document of this size may");
                goto fail;
        }
        if (json_read_object(&r, doc, tree, root, NULL) < 0)
                goto fail;
        *(void **)ret = root;
        return 0;
fail:
        json_arena_free(r.arena);
        return -1;
}

/* Members that hold several values: lists, maps, arrays. */
#include "base/json_reader.h"

#include <string.h>

static void member_set_count(const struct json_member *m, size_t n)
{
        memcpy((char *)m->object + m->field->n_offset, &n, sizeof n);
}

/* An item of a list or map: a document, or null where that may stand for an empty one */
static int read_item(struct json_reader *r, const struct cor_json_doc *doc, const json_t *v, void *object,
                     const struct json_place *at)
{
        if (json_is_null(v) && doc->nullable && !doc->bare)
                return 0;
        return json_read_object(r, doc, v, object, at);
}

int json_read_array_u32(struct json_reader *r, const struct json_member *m)
{
        uint32_t *items = json_member_at(m);

        if (!json_is_array(m->v))
                return json_fail_type(r, m->at, "a list of integers", m->v);
        for (size_t i = 0; i < json_array_size(m->v); i++) {
                struct json_place at = { .up = m->at, .index = i };
                uint64_t n = 0;

                if (json_get_u64(r, json_array_get(m->v, i), &at, UINT32_MAX, &n) < 0)
                        return -1;
                if (i < (size_t)m->field->def)
                        items[i] = (uint32_t)n;
        }
        return 0;
}

/* Memory for the @size-byte items of a list, and @extra more; NULL with an error if the value is no list */
static void *list_begin(struct json_reader *r, const struct json_member *m, const char *of, size_t extra, size_t size)
{
        if (!json_is_array(m->v)) {
                json_fail_type(r, m->at, of, m->v);
                return NULL;
        }
        return json_take(r, json_array_size(m->v) + extra, size, m->at);
}

static void list_end(const struct json_member *m, void *items)
{
        *(void **)json_member_at(m) = items;
        member_set_count(m, json_array_size(m->v));
}

static int read_one_str(struct json_reader *r, const struct json_member *m)
{
        const char **items = json_take(r, 2, sizeof *items, m->at);

        if (!items || json_get_str(r, m->v, m->at, &items[0]) < 0)
                return -1;
        *(const char ***)json_member_at(m) = items;
        member_set_count(m, 1);
        return 0;
}

int json_read_list_str(struct json_reader *r, const struct json_member *m)
{
        const char **items;

        if ((m->field->flags & COR_JSON_ONE) && json_is_string(m->v))
                return read_one_str(r, m);
        items = list_begin(r, m, "a list of strings", 1, sizeof *items);
        if (!items)
                return -1;
        for (size_t i = 0; i < json_array_size(m->v); i++) {
                struct json_place at = { .up = m->at, .index = i };

                if (json_get_str(r, json_array_get(m->v, i), &at, &items[i]) < 0)
                        return -1;
        }
        list_end(m, items);
        return 0;
}

int json_read_list_u32(struct json_reader *r, const struct json_member *m)
{
        uint32_t *items = list_begin(r, m, "a list of integers", 0, sizeof *items);

        if (!items)
                return -1;
        for (size_t i = 0; i < json_array_size(m->v); i++) {
                struct json_place at = { .up = m->at, .index = i };
                uint64_t n = 0;

                if (json_get_u64(r, json_array_get(m->v, i), &at, UINT32_MAX, &n) < 0)
                        return -1;
                items[i] = (uint32_t)n;
        }
        list_end(m, items);
        return 0;
}

int json_read_list_word(struct json_reader *r, const struct json_member *m)
{
        int *items = list_begin(r, m, "a list of words", 0, sizeof *items);

        if (!items)
                return -1;
        for (size_t i = 0; i < json_array_size(m->v); i++) {
                struct json_place at = { .up = m->at, .index = i };

                if (json_get_word(r, json_array_get(m->v, i), m->field->words, &at, &items[i]) < 0)
                        return -1;
        }
        list_end(m, items);
        return 0;
}

int json_read_list_obj(struct json_reader *r, const struct json_member *m)
{
        const struct cor_json_doc *doc = m->field->doc;
        char *items = list_begin(r, m, "a list of objects", 0, doc->size);

        if (!items)
                return -1;
        for (size_t i = 0; i < json_array_size(m->v); i++) {
                struct json_place at = { .up = m->at, .index = i };

                if (read_item(r, doc, json_array_get(m->v, i), items + i * doc->size, &at) < 0)
                        return -1;
        }
        list_end(m, items);
        return 0;
}

int json_read_map_str(struct json_reader *r, const struct json_member *m)
{
        struct cor_pair *items;
        json_t *map = (json_t *)(uintptr_t)m->v;
        size_t n = 0;

        if (!json_is_object(m->v))
                return json_fail_type(r, m->at, "an object of strings", m->v);
        items = json_take(r, json_object_size(m->v), sizeof *items, m->at);
        if (!items)
                return -1;
        for (void *it = json_object_iter(map); it; it = json_object_iter_next(map, it), n++) {
                struct json_place at = { .up = m->at, .key = json_object_iter_key(it), .map = true };

                items[n] = (struct cor_pair){ at.key, "" };
                if (json_is_null(json_object_iter_value(it)) && (m->field->flags & COR_JSON_NULL) == COR_JSON_NULL)
                        continue;
                if (json_get_str(r, json_object_iter_value(it), &at, &items[n].value) < 0)
                        return -1;
        }
        *(struct cor_pair **)json_member_at(m) = items;
        member_set_count(m, n);
        return 0;
}

int json_read_map_obj(struct json_reader *r, const struct json_member *m)
{
        const struct cor_json_doc *doc = m->field->doc;
        json_t *map = (json_t *)(uintptr_t)m->v;
        size_t n = 0;
        char *items;

        if (!json_is_object(m->v))
                return json_fail_type(r, m->at, "an object of objects", m->v);
        items = json_take(r, json_object_size(m->v), doc->size, m->at);
        if (!items)
                return -1;
        for (void *it = json_object_iter(map); it; it = json_object_iter_next(map, it), n++) {
                struct json_place at = { .up = m->at, .key = json_object_iter_key(it), .map = true };

                *(const char **)(void *)(items + n * doc->size) = at.key;
                if (read_item(r, doc, json_object_iter_value(it), items + n * doc->size, &at) < 0)
                        return -1;
        }
        *(void **)json_member_at(m) = items;
        member_set_count(m, n);
        return 0;
}

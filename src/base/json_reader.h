#ifndef CORACLE_BASE_JSON_READER_H
#define CORACLE_BASE_JSON_READER_H
/*
 * Reading in three steps, each a file: the text becomes jansson's tree (json_load.c), a value of the tree becomes a C
 * scalar or text (json_value.c), and the tables say which value goes where (json_parse.c, json_list.c). Only these
 * know jansson.
 */
#include "base/json_internal.h"

#include <jansson.h>

/* Where in the document we are: a chain through the stack, made text only for an error. */
struct json_place {
        const struct json_place *up;
        const char *key; /* NULL: list item `index` */
        size_t index;
        bool map; /* the key is data, not a name of the format */
};

struct json_reader {
        struct json_arena *arena;
        const char *what; /* name of the document or NULL */
        bool shielded;    /* big numbers are marked strings, see json_number.c */
        struct cor_err *err;
};

/* json_load() - @text as a tree in the reader's arena */
int json_load(struct json_reader *r, const char *text, size_t len, json_t **ret) COR_MUST_CHECK;

/* json_fail_at() - a new INVALID error with document and place in front; -1 */
int json_fail_at(struct json_reader *r, const struct json_place *at, const char *fmt, ...) COR_PRINTF(3, 4);
/* json_add_place() - put document and place in front of the error that a check made; -1 */
int json_add_place(struct json_reader *r, const struct json_place *at);
/* json_fail_type() - "expected @expected, found a …"; -1 */
int json_fail_type(struct json_reader *r, const struct json_place *at, const char *expected, const json_t *v);

/* json_take() - zeroed memory for @n items of @size from the arena; NULL and an error when it may not have more */
void *json_take(struct json_reader *r, size_t n, size_t size, const struct json_place *at);

/* json_get_…() - the value as a scalar; *ret is written on success only */
int json_get_str(struct json_reader *r, const json_t *v, const struct json_place *at, const char **ret) COR_MUST_CHECK;
int json_get_i64(struct json_reader *r, const json_t *v, const struct json_place *at, int64_t min, int64_t max,
                 int64_t *ret) COR_MUST_CHECK;
int json_get_u64(struct json_reader *r, const json_t *v, const struct json_place *at, uint64_t max, uint64_t *ret)
        COR_MUST_CHECK;
int json_get_word(struct json_reader *r, const json_t *v, const struct cor_word *words, const struct json_place *at,
                  int *ret) COR_MUST_CHECK;

/* A member of a struct that is to be read from @v. */
struct json_member {
        const struct cor_json_field *field;
        const json_t *v;
        void *object;
        const struct json_place *at;
};
static inline void *json_member_at(const struct json_member *m)
{
        return (char *)m->object + m->field->offset;
}

/* json_read_object() - @v into @object, a zeroed struct of @doc */
int json_read_object(struct json_reader *r, const struct cor_json_doc *doc, const json_t *v, void *object,
                     const struct json_place *at) COR_MUST_CHECK;
/* The members that hold several values (json_list.c). */
typedef int json_member_reader(struct json_reader *r, const struct json_member *m);
json_member_reader json_read_array_u32, json_read_list_str, json_read_list_u32, json_read_list_word, json_read_list_obj,
        json_read_map_str, json_read_map_obj;

/* json_dump() - append the value as compact JSON */
void json_dump(const struct json_reader *r, const json_t *v, struct cor_text *out);

#endif

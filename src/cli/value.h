#ifndef CORACLE_CLI_VALUE_H
#define CORACLE_CLI_VALUE_H
/*
 * What templates look at: a tree of values as Go's programs have them. A list of images is a list of structs whose
 * fields have Go's names; what came as JSON is maps, lists and numbers. A value does not change once it is in a tree.
 *
 * Memory: values and texts lie in a pool and end with it. Texts given to the makers are copied.
 */
#include "base/text.h"

enum value_kind {
        VALUE_NONE, /* no value at all: printed as "<no value>" */
        VALUE_NIL,  /* an interface or a pointer that is nil */
        VALUE_BOOL,
        VALUE_INT,
        VALUE_FLOAT,
        VALUE_STRING,
        VALUE_NUMBER, /* json.Number: a text that holds a number */
        VALUE_LIST,
        VALUE_MAP,    /* its keys are sorted; what is not in it is no error */
        VALUE_STRUCT, /* its fields have an order; another one is an error */
};

struct value_member {
        const char *name, *key; /* Go's, and that of the JSON form: NULL if it is left out there */
        const struct value *value;
};

struct value {
        enum value_kind kind;
        bool null;        /* a list or map that is nil: "null" as JSON */
        bool html;        /* a struct whose JSON has <, > and & escaped: the rows of docker's lists */
        const char *type; /* Go's name of the type in errors; NULL: that of the kind */
        size_t n;         /* bytes of a text, items of a list, members */
        union {
                bool boolean;
                int64_t integer;
                double real;
                const char *text; /* terminated; may hold NUL */
                const struct value **items;
                struct value_member *members;
        };
};

/* ---- memory ---- */

struct value_pool;
/* value_pool_new() - one that is "full" past @limit bytes; it still gives what is asked for */
struct value_pool *value_pool_new(size_t limit);
/* value_pool_clear() - what was taken from it is gone; some of its memory is kept for what comes next */
void value_pool_clear(struct value_pool *p);
void value_pool_free(struct value_pool *p);
static inline void value_pool_free_p(struct value_pool **p)
{
        value_pool_free(*p);
}
#define auto_value_pool COR_CLEANUP(value_pool_free_p) struct value_pool *
bool value_pool_full(const struct value_pool *p);
/* value_pool_take() - @size zeroed bytes, aligned for anything here */
void *value_pool_take(struct value_pool *p, size_t size) __attribute__((returns_nonnull));

/* ---- makers ---- */

extern const struct value value_none, value_nil, value_true, value_false;

struct value *value_string(struct value_pool *p, const char *s); /* NULL is empty */
struct value *value_string_n(struct value_pool *p, const void *bytes, size_t n);
struct value *value_number(struct value_pool *p, const char *digits, size_t n);
struct value *value_int(struct value_pool *p, int64_t i); /* of the type int64 */
#define VALUE_DURATION "time.Duration"                    /* a type of integers: nanoseconds, shown as "1m30s" */
struct value *value_float(struct value_pool *p, double d);
static inline const struct value *value_bool(bool b)
{
        return b ? &value_true : &value_false;
}
/* value_list(), value_map(), value_struct() - empty ones; @type: "*formatter.imageContext", must outlive the pool */
struct value *value_list(struct value_pool *p);
struct value *value_strings(struct value_pool *p, const char *const *items, size_t n);
struct value *value_map(struct value_pool *p);
struct value *value_struct(struct value_pool *p, const char *type);
void value_add(struct value_pool *p, struct value *list, const struct value *item);
/* value_append() - one more member of a map that has none of this key yet; after the last one: value_sort() */
void value_append(struct value_pool *p, struct value *map, const char *key, const struct value *v);
void value_sort(struct value *map);
/* value_field() - one more field of a struct. @name and @key (the same in JSON if it is NULL, "-": not there) stay as
 * they are given: literals. */
void value_field(struct value_pool *p, struct value *s, const char *name, const char *key, const struct value *v);
/* value_field_text() - the same for a string that is copied */
void value_field_text(struct value_pool *p, struct value *s, const char *name, const char *text);

/* ---- looking ---- */

/* value_find() - a member by its name, or, in a struct, by its name in JSON; NULL if there is none */
const struct value *value_find(const struct value *v, const char *name, size_t n);
/* value_truth() - what `if` thinks of it: anything but false, 0, nothing and what is empty */
bool value_truth(const struct value *v);
/* value_type_name() - as Go calls its type: "string", "[]interface {}" */
const char *value_type_name(const struct value *v);
static inline bool value_is_text(const struct value *v)
{
        return v->kind == VALUE_STRING || v->kind == VALUE_NUMBER;
}

/* ---- JSON ---- */

/* value_from_json() - any document: objects become maps, numbers stay what they were; @what names it in errors */
int value_from_json(struct value_pool *p, const char *text, size_t n, const char *what, const struct value **ret,
                    struct cor_err *err) COR_MUST_CHECK;
/* value_to_json() - as Go's encoder does it without HTML escapes; @indent spaces a level, 0: in one line */
void value_to_json(const struct value *v, unsigned indent, struct cor_text *out);

/* ---- Go's package fmt ---- */

/* value_print() - as the verb %v shows it */
void value_print(const struct value *v, struct cor_text *out);
/* value_printf() - Sprintf(); stops once @out is longer than @limit */
void value_printf(const char *format, const struct value *const *args, size_t n_args, size_t limit,
                  struct cor_text *out);

#endif

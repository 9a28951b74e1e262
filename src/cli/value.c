#include "cli/value.h"

#include <assert.h>
#include <string.h>

enum { CHUNK_BYTES = 16 << 10, ALIGN = 8 };

struct chunk {
        struct chunk *older;
        uint64_t bytes[]; /* aligned for anything */
};

struct value_pool {
        struct chunk *chunks;
        char *next, *end;
        size_t total, limit;
};

const struct value value_none = { .kind = VALUE_NONE }, value_nil = { .kind = VALUE_NIL },
                   value_true = { .kind = VALUE_BOOL, .boolean = true }, value_false = { .kind = VALUE_BOOL };

/* ---- memory ---- */

struct value_pool *value_pool_new(size_t limit)
{
        struct value_pool *p = cor_alloc(sizeof *p);

        p->limit = limit;
        return p;
}

static void free_chunks(struct chunk *c)
{
        struct chunk *older;

        for (; c; c = older) {
                older = c->older;
                free(c);
        }
}

void value_pool_clear(struct value_pool *p)
{
        if (!p->chunks)
                return;
        free_chunks(p->chunks->older);
        p->chunks->older = NULL;
        p->total = (size_t)(p->end - (char *)p->chunks->bytes);
        memset(p->chunks->bytes, 0, (size_t)(p->next - (char *)p->chunks->bytes));
        p->next = (char *)p->chunks->bytes;
}

void value_pool_free(struct value_pool *p)
{
        if (!p)
                return;
        free_chunks(p->chunks);
        free(p);
}

bool value_pool_full(const struct value_pool *p)
{
        return p->total > p->limit;
}

void *value_pool_take(struct value_pool *p, size_t size)
{
        void *taken;

        size = (size + ALIGN - 1) & ~(size_t)(ALIGN - 1);
        if (size > (size_t)(p->end - p->next)) {
                size_t room = size > CHUNK_BYTES ? size : CHUNK_BYTES;
                struct chunk *c = cor_alloc(sizeof *c + room);

                c->older = p->chunks;
                p->chunks = c;
                p->next = (char *)c->bytes;
                p->end = p->next + room;
                p->total += room;
        }
        taken = p->next;
        p->next += size;
        return taken;
}

static char *take_text(struct value_pool *p, const void *bytes, size_t n)
{
        char *s = value_pool_take(p, n + 1);

        if (n > 0)
                memcpy(s, bytes, n);
        return s;
}

/* Room for one more item of @size bytes behind @n of them: it doubles at powers of two. */
static void *grow(struct value_pool *p, void *items, size_t n, size_t size)
{
        void *larger;

        if (n & (n - 1))
                return items;
        larger = value_pool_take(p, (n ? 2 * n : 1) * size);
        return n > 0 ? memcpy(larger, items, n * size) : larger;
}

/* ---- makers ---- */

static struct value *make(struct value_pool *p, enum value_kind kind)
{
        struct value *v = value_pool_take(p, sizeof *v);

        v->kind = kind;
        return v;
}

struct value *value_string_n(struct value_pool *p, const void *bytes, size_t n)
{
        struct value *v = make(p, VALUE_STRING);

        v->text = take_text(p, bytes, n);
        v->n = n;
        return v;
}

struct value *value_string(struct value_pool *p, const char *s)
{
        return value_string_n(p, s, s ? strlen(s) : 0);
}

struct value *value_number(struct value_pool *p, const char *digits, size_t n)
{
        struct value *v = value_string_n(p, digits, n);

        v->kind = VALUE_NUMBER;
        return v;
}

struct value *value_int(struct value_pool *p, int64_t i)
{
        struct value *v = make(p, VALUE_INT);

        v->integer = i;
        return v;
}

struct value *value_float(struct value_pool *p, double d)
{
        struct value *v = make(p, VALUE_FLOAT);

        v->real = d;
        return v;
}

struct value *value_list(struct value_pool *p)
{
        return make(p, VALUE_LIST);
}

struct value *value_strings(struct value_pool *p, const char *const *items, size_t n)
{
        struct value *list = value_list(p);

        list->type = "[]string";
        for (size_t i = 0; i < n; i++)
                value_add(p, list, value_string(p, items[i]));
        return list;
}

struct value *value_map(struct value_pool *p)
{
        return make(p, VALUE_MAP);
}

struct value *value_struct(struct value_pool *p, const char *type)
{
        struct value *v = make(p, VALUE_STRUCT);

        v->type = type;
        return v;
}

void value_add(struct value_pool *p, struct value *list, const struct value *item)
{
        assert(list->kind == VALUE_LIST);
        list->items = grow(p, list->items, list->n, sizeof(const struct value *));
        list->items[list->n++] = item;
}

/* The first member that is not before the name of @n bytes; *@ret_same: it is that name. */
static size_t lower_bound(const struct value *map, const char *name, size_t n, bool *ret_same)
{
        size_t low = 0, high = map->n;

        *ret_same = false;
        while (low < high) {
                size_t middle = low + (high - low) / 2;
                const char *other = map->members[middle].name;
                int c = strncmp(other, name, n);

                if (c == 0 && other[n] == '\0') {
                        *ret_same = true;
                        return middle;
                }
                if (c < 0)
                        low = middle + 1;
                else
                        high = middle;
        }
        return low;
}

void value_append(struct value_pool *p, struct value *map, const char *key, const struct value *v)
{
        struct value_member *m;

        assert(map->kind == VALUE_MAP);
        map->members = grow(p, map->members, map->n, sizeof *map->members);
        m = &map->members[map->n++];
        m->name = m->key = take_text(p, key, strlen(key));
        m->value = v;
}

static int compare_members(const void *a, const void *b)
{
        return strcmp(((const struct value_member *)a)->name, ((const struct value_member *)b)->name);
}

void value_sort(struct value *map)
{
        if (map->n > 1)
                qsort(map->members, map->n, sizeof *map->members, compare_members);
}

void value_field(struct value_pool *p, struct value *s, const char *name, const char *key, const struct value *v)
{
        assert(s->kind == VALUE_STRUCT);
        s->members = grow(p, s->members, s->n, sizeof *s->members);
        s->members[s->n++] = (struct value_member){ .name = name,
                                                    .key = !key                    ? name
                                                           : strcmp(key, "-") == 0 ? NULL
                                                                                   : key,
                                                    .value = v };
}

void value_field_text(struct value_pool *p, struct value *s, const char *name, const char *text)
{
        value_field(p, s, name, NULL, value_string(p, text));
}

/* ---- looking ---- */

static bool is_named(const char *s, const char *name, size_t n)
{
        return s && strncmp(s, name, n) == 0 && s[n] == '\0';
}

const struct value *value_find(const struct value *v, const char *name, size_t n)
{
        if (v->kind == VALUE_MAP) {
                bool same;
                size_t at = lower_bound(v, name, n, &same);

                return same ? v->members[at].value : NULL;
        }
        if (v->kind != VALUE_STRUCT)
                return NULL;
        for (size_t i = 0; i < v->n; i++)
                if (is_named(v->members[i].name, name, n))
                        return v->members[i].value;
        for (size_t i = 0; i < v->n; i++)
                if (is_named(v->members[i].key, name, n))
                        return v->members[i].value;
        return NULL;
}

bool value_truth(const struct value *v)
{
        switch (v->kind) {
        case VALUE_NONE:
        case VALUE_NIL:
                return false;
        case VALUE_BOOL:
                return v->boolean;
        case VALUE_INT:
                return v->integer != 0;
        case VALUE_FLOAT:
                return v->real != 0;
        case VALUE_STRING:
        case VALUE_NUMBER:
        case VALUE_LIST:
        case VALUE_MAP:
                return v->n > 0;
        case VALUE_STRUCT:
                return true;
        }
        return false;
}

const char *value_type_name(const struct value *v)
{
        static const char names[][24] = {
                [VALUE_NONE] = "<nil>",
                [VALUE_NIL] = "interface {}",
                [VALUE_BOOL] = "bool",
                [VALUE_INT] = "int64",
                [VALUE_FLOAT] = "float64",
                [VALUE_STRING] = "string",
                [VALUE_NUMBER] = "json.Number",
                [VALUE_LIST] = "[]interface {}",
                [VALUE_MAP] = "map[string]interface {}",
                [VALUE_STRUCT] = "struct {}",
        };

        return v->type ? v->type : names[v->kind];
}

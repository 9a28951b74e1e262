#include "cli/value_doc.h"

#include <string.h>

/* Where Go's name of a member is not the key in JSON */
static const struct {
        const char *key, *name;
} names[] = {
        { "Id", "ID" },
        { "Dns", "DNS" },
        { "DnsOptions", "DNSOptions" },
        { "DnsSearch", "DNSSearch" },
        { "NanoCpus", "NanoCPUs" },
        { "CpuShares", "CPUShares" },
        { "CpuPeriod", "CPUPeriod" },
        { "CpuQuota", "CPUQuota" },
        { "CpuRealtimePeriod", "CPURealtimePeriod" },
        { "CpuRealtimeRuntime", "CPURealtimeRuntime" },
        { "CpuCount", "CPUCount" },
        { "CpuPercent", "CPUPercent" },
        { "HostIp", "HostIP" },
        { "CpuCfsPeriod", "CPUCfsPeriod" },
        { "CpuCfsQuota", "CPUCfsQuota" },
        { "HttpProxy", "HTTPProxy" },
        { "HttpsProxy", "HTTPSProxy" },
};

static const char *name_of(const char *key)
{
        for (size_t i = 0; i < COR_COUNT(names); i++)
                if (strcmp(names[i].key, key) == 0)
                        return names[i].name;
        return key;
}

static const void *pointer_at(const char *at)
{
        const void *p;

        memcpy(&p, at, sizeof p);
        return p;
}

static size_t count_of(const struct cor_json_field *f, const void *object)
{
        size_t n;

        memcpy(&n, (const char *)object + f->n_offset, sizeof n);
        return n;
}

static const struct value *item_of(struct value_pool *p, const struct cor_json_doc *doc, const void *object);

static const struct value *list(struct value_pool *p, const struct cor_json_field *f, const char *items, size_t n)
{
        struct value *l = value_list(p);

        l->null = !items && f->flags & COR_JSON_ALWAYS && (f->flags & COR_JSON_NULL) == COR_JSON_NULL;
        for (size_t i = 0; items && i < n; i++) {
                if (f->type == COR_JSON_LIST_STR)
                        value_add(p, l, value_string(p, ((const char *const *)(const void *)items)[i]));
                else if (f->type == COR_JSON_LIST_WORD)
                        value_add(p, l, value_string(p, cor_word_of(f->words, ((const int *)(const void *)items)[i])));
                else if (f->type == COR_JSON_LIST_OBJ)
                        value_add(p, l, item_of(p, f->doc, items + i * f->doc->size));
                else
                        value_add(p, l, value_int(p, ((const uint32_t *)(const void *)items)[i]));
        }
        return l;
}

static const struct value *map(struct value_pool *p, const struct cor_json_field *f, const char *items, size_t n)
{
        struct value *m = value_map(p);

        m->null = !items && (f->flags & COR_JSON_NULL) == COR_JSON_NULL;
        for (size_t i = 0; items && i < n; i++) {
                const char *at = items + i * (f->type == COR_JSON_MAP_STR ? sizeof(struct cor_pair) : f->doc->size);
                const char *key = pointer_at(at); /* items begin with their key */

                if (f->type == COR_JSON_MAP_STR)
                        value_append(p, m, key, value_string(p, ((const struct cor_pair *)(const void *)at)->value));
                else
                        value_append(p, m, key, item_of(p, f->doc, at));
        }
        value_sort(m);
        return m;
}

static const struct value *optional(struct value_pool *p, const struct cor_json_field *f, const char *at)
{
        if (!*(const bool *)at) /* `set` comes first in all of them */
                return &value_nil;
        if (f->type == COR_JSON_OPT_BOOL)
                return value_bool(((const struct cor_opt_bool *)(const void *)at)->value);
        return value_int(p, ((const struct cor_opt_i64 *)(const void *)at)->value);
}

static const struct value *raw(struct value_pool *p, const char *text)
{
        const struct value *v = &value_nil;
        struct cor_err ignored;

        if (text && value_from_json(p, text, strlen(text), NULL, &v, &ignored) < 0)
                v = &value_nil;
        return v;
}

static const struct value *member(struct value_pool *p, const struct cor_json_field *f, const void *object)
{
        const char *at = (const char *)object + f->offset;

        switch (f->type) {
        case COR_JSON_BOOL:
                return value_bool(*(const bool *)at);
        case COR_JSON_I64:
        case COR_JSON_U64:
                return value_int(p, *(const int64_t *)(const void *)at);
        case COR_JSON_I32:
                return value_int(p, *(const int32_t *)(const void *)at);
        case COR_JSON_U32:
                return value_int(p, *(const uint32_t *)(const void *)at);
        case COR_JSON_OPT_BOOL:
        case COR_JSON_OPT_I64:
        case COR_JSON_OPT_U64:
        case COR_JSON_OPT_U32:
        case COR_JSON_OPT_U16:
                return optional(p, f, at);
        case COR_JSON_STR:
                return value_string(p, pointer_at(at));
        case COR_JSON_WORD:
                return value_string(p, cor_word_of(f->words, *(const int *)(const void *)at));
        case COR_JSON_OBJ:
                return pointer_at(at) ? item_of(p, f->doc, pointer_at(at)) : &value_nil;
        case COR_JSON_RAW:
                return raw(p, pointer_at(at));
        case COR_JSON_INLINE:
                return item_of(p, f->doc, at);
        case COR_JSON_ARRAY_U32:
                return list(p, f, at, (size_t)f->def);
        case COR_JSON_LIST_STR:
        case COR_JSON_LIST_U32:
        case COR_JSON_LIST_WORD:
        case COR_JSON_LIST_OBJ:
                return list(p, f, pointer_at(at), count_of(f, object));
        case COR_JSON_MAP_STR:
        case COR_JSON_MAP_OBJ:
                return map(p, f, pointer_at(at), count_of(f, object));
        }
        return &value_nil;
}

/* Left out of JSON: Go's omitempty, as the printer of base/json.h has it */
static bool is_left_out(const struct cor_json_field *f, const struct value *v)
{
        if (f->flags & (COR_JSON_ALWAYS | COR_JSON_REQUIRED) || f->type == COR_JSON_INLINE)
                return false;
        if (f->type == COR_JSON_OPT_BOOL || (f->type >= COR_JSON_OPT_I64 && f->type <= COR_JSON_OPT_U16))
                return v->kind == VALUE_NIL;
        if (f->type == COR_JSON_OBJ || f->type == COR_JSON_RAW)
                return v->kind == VALUE_NIL;
        return !value_truth(v);
}

struct value *value_from_doc(struct value_pool *p, const struct cor_json_doc *doc, const void *object)
{
        struct value *s = value_struct(p, NULL);

        for (size_t i = 0; i < doc->n_fields; i++) {
                const struct cor_json_field *f = &doc->fields[i];
                const struct value *v = member(p, f, object);

                value_field(p, s, name_of(f->key), is_left_out(f, v) ? "-" : f->key, v);
        }
        return s;
}

static const struct value *item_of(struct value_pool *p, const struct cor_json_doc *doc, const void *object)
{
        return doc->bare ? member(p, &doc->fields[0], object) : value_from_doc(p, doc, object);
}

#include "base/json_walk.h"

#include "base/json_reader.h"

#include <string.h>

enum { ARENA_PER_BYTE = 32, ARENA_LEAST = 1 << 20, FIRST_CHUNK = 64 << 10 };

struct walker {
        struct json_reader reader;
        int (*event)(void *context, const struct cor_json_event *e, struct cor_err *err);
        void *context;
};

static int say(struct walker *w, enum cor_json_event_kind kind, const char *text, size_t len)
{
        struct cor_json_event e = { .kind = kind, .text = text, .len = len };

        return w->event(w->context, &e, w->reader.err);
}

static int walk_value(struct walker *w, const json_t *v, unsigned depth);

static int walk_object(struct walker *w, const json_t *v, unsigned depth)
{
        json_t *map = (json_t *)(uintptr_t)v;

        if (say(w, COR_JSON_EVENT_OBJECT, NULL, 0) < 0)
                return -1;
        for (void *it = json_object_iter(map); it; it = json_object_iter_next(map, it)) {
                const char *key = json_object_iter_key(it);

                if (say(w, COR_JSON_EVENT_KEY, key, strlen(key)) < 0 ||
                    walk_value(w, json_object_iter_value(it), depth + 1) < 0)
                        return -1;
        }
        return say(w, COR_JSON_EVENT_END, NULL, 0);
}

static int walk_list(struct walker *w, const json_t *v, unsigned depth)
{
        if (say(w, COR_JSON_EVENT_LIST, NULL, 0) < 0)
                return -1;
        for (size_t i = 0; i < json_array_size(v); i++)
                if (walk_value(w, json_array_get(v, i), depth + 1) < 0)
                        return -1;
        return say(w, COR_JSON_EVENT_END, NULL, 0);
}

static int walk_number(struct walker *w, const json_t *v)
{
        auto_text number = COR_TEXT_INIT;

        json_dump(&w->reader, v, &number);
        return say(w, COR_JSON_EVENT_NUMBER, number.s, number.len);
}

/* Where big numbers are marked strings, a string that begins with NUL has one more (json_number.c). */
static int walk_string(struct walker *w, const json_t *v)
{
        const char *s = json_string_value(v);
        size_t n = json_string_length(v), shield = w->reader.shielded && n >= 2 && s[0] == '\0';

        if (shield && s[1] != '\0')
                return walk_number(w, v);
        return say(w, COR_JSON_EVENT_STRING, s + shield, n - shield);
}

static int walk_value(struct walker *w, const json_t *v, unsigned depth)
{
        struct cor_json_event e = { .kind = COR_JSON_EVENT_BOOL, .boolean = json_is_true(v) };

        if (depth > COR_JSON_WALK_DEPTH)
                return json_fail_at(&w->reader, NULL, "lists and objects lie more than %d deep in each other",
                                    COR_JSON_WALK_DEPTH);
        switch (json_typeof(v)) {
        case JSON_OBJECT:
                return walk_object(w, v, depth);
        case JSON_ARRAY:
                return walk_list(w, v, depth);
        case JSON_STRING:
                return walk_string(w, v);
        case JSON_INTEGER:
        case JSON_REAL:
                return walk_number(w, v);
        case JSON_TRUE:
        case JSON_FALSE:
                return w->event(w->context, &e, w->reader.err);
        default:
                return say(w, COR_JSON_EVENT_NULL, NULL, 0);
        }
}

int cor_json_walk(const char *text, size_t len, const char *what,
                  int (*event)(void *context, const struct cor_json_event *e, struct cor_err *err), void *context,
                  struct cor_err *err)
{
        struct walker w = { .reader = { .what = what, .err = err }, .event = event, .context = context };
        json_t *tree = NULL;
        int r;

        if (len > SIZE_MAX / (2 * ARENA_PER_BYTE))
                return json_fail_at(&w.reader, NULL, "too long");
        w.reader.arena = json_arena_new(FIRST_CHUNK, ARENA_LEAST + ARENA_PER_BYTE * len);
        if (!w.reader.arena)
                return cor_fail_errno(err, "%s", what ? what : "JSON document");
        r = json_load(&w.reader, text, len, &tree);
        if (r == 0)
                r = walk_value(&w, tree, 0);
        json_arena_free(w.reader.arena);
        return r;
}

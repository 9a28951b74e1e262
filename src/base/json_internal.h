#ifndef CORACLE_BASE_JSON_INTERNAL_H
#define CORACLE_BASE_JSON_INTERNAL_H
/* What the files of the JSON binding share; nobody else includes this. */
#include "base/json.h"

/*
 * Arena: memory handed out in a row and ended all at once. The JSON library allocates from it as well while it parses,
 * so a document costs a few malloc() calls however many strings it has. `limit` bounds what a hostile text can take.
 */
struct json_chunk;
struct json_arena {
        struct json_chunk *chunks; /* newest first */
        char *next, *end;
        size_t total, limit;
};

/* json_arena_new() - an arena whose first chunk has room for @size bytes; it lives in that chunk. NULL: no memory */
struct json_arena *json_arena_new(size_t size, size_t limit);
void json_arena_free(struct json_arena *a);
/* json_arena_take() - @size bytes, not zeroed, aligned to 8; NULL when over the limit or out of memory */
void *json_arena_take(struct json_arena *a, size_t size);
/* json_arena_root() - @size zeroed bytes that cor_json_alloc() and cor_json_free() accept as the root of @a */
void *json_arena_root(struct json_arena *a, size_t size);

/*
 * json_shield_numbers() - copy JSON text, each number that a 64-bit signed integer or a double may not hold written as
 * the string "\u0000NUMBER"; a string that itself starts with \u0000 gets a second one, so the two cannot be mixed up.
 * @stop: end when this many bytes are in @out
 *
 * Returns how many bytes of @text were read: with @stop, this turns a position in the copy into one in the text.
 */
size_t json_shield_numbers(const char *text, size_t len, size_t stop, struct cor_text *out);

/* json_print_string() - @n bytes at @s quoted as Go's encoder does it (HTML characters escaped) */
void json_print_string(struct cor_text *out, const char *s, size_t n);

#endif

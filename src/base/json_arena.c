#include "base/json_internal.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

/* Under AddressSanitizer what is not handed out is out of bounds, and there are 8 such bytes behind each piece. */
#ifdef __has_feature /* clang */
#if __has_feature(address_sanitizer)
#define __SANITIZE_ADDRESS__ 1 /* as gcc has it */
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
enum { GAP = 8 };
#else
enum { GAP = 0 };
#define ASAN_POISON_MEMORY_REGION(P, N)   ((void)(P), (void)(N))
#define ASAN_UNPOISON_MEMORY_REGION(P, N) ((void)(P), (void)(N))
#endif

struct json_chunk {
        struct json_chunk *older;
        char bytes[];
};

/* Stands in front of every root object. */
struct root_header {
        struct json_arena *arena;
        uint64_t magic; /* catches a pointer that is no root */
};

enum { CHUNK_BYTES = 64 << 10, ALIGN = 8 };
static const uint64_t ROOT_MAGIC = 0xc04ac1e5d0c5a11eULL;

static struct json_chunk *chunk_new(size_t size)
{
        struct json_chunk *c = malloc(sizeof *c + size);

        if (c)
                c->older = NULL;
        return c;
}

struct json_arena *json_arena_new(size_t size, size_t limit)
{
        struct json_chunk *c = chunk_new(sizeof(struct json_arena) + size);
        struct json_arena *a;

        if (!c)
                return NULL;
        a = (struct json_arena *)(void *)c->bytes;
        *a = (struct json_arena){
                .chunks = c, .next = c->bytes + sizeof *a, .end = c->bytes + sizeof *a + size, .limit = limit
        };
        ASAN_POISON_MEMORY_REGION(a->next, size);
        return a;
}

void json_arena_free(struct json_arena *a)
{
        struct json_chunk *c = a ? a->chunks : NULL, *older;

        for (; c; c = older) { /* the arena itself is in the oldest one */
                older = c->older;
                free(c);
        }
}

static char *take_from_new_chunk(struct json_arena *a, size_t size)
{
        size_t room = size > CHUNK_BYTES / 4 ? size : CHUNK_BYTES;
        struct json_chunk *c = chunk_new(room);

        if (!c)
                return NULL;
        ASAN_POISON_MEMORY_REGION(c->bytes, room);
        c->older = a->chunks;
        a->chunks = c;
        if (room - size > (size_t)(a->end - a->next)) { /* a big one does not end the chunk in use */
                a->next = c->bytes + size;
                a->end = c->bytes + room;
        }
        return c->bytes;
}

void *json_arena_take(struct json_arena *a, size_t size)
{
        size_t whole = (size + GAP + ALIGN - 1) & ~(size_t)(ALIGN - 1);
        char *p;

        if (size > a->limit || a->total > a->limit - size)
                return NULL;
        a->total += size;
        if (whole > (size_t)(a->end - a->next)) {
                p = take_from_new_chunk(a, whole);
        } else {
                p = a->next;
                a->next += whole;
        }
        if (p)
                ASAN_UNPOISON_MEMORY_REGION(p, size);
        return p;
}

void *json_arena_root(struct json_arena *a, size_t size)
{
        struct root_header *h = json_arena_take(a, sizeof *h + size);

        if (!h)
                return NULL;
        memset(h, 0, sizeof *h + size);
        h->arena = a;
        h->magic = ROOT_MAGIC;
        return h + 1;
}

static struct json_arena *arena_of(void *root)
{
        struct root_header *h = (struct root_header *)root - 1;

        assert(h->magic == ROOT_MAGIC);
        return h->arena;
}

void cor_json_free(void *root)
{
        if (root)
                json_arena_free(arena_of(root));
}

void *cor_json_alloc(void *root, size_t size)
{
        struct json_arena *a = arena_of(root);
        void *p;

        a->limit = SIZE_MAX / 2; /* the text is read: from here on sizes are our own */
        p = json_arena_take(a, size);
        if (!p) {
                fputs("out of memory\n", stderr);
                _Exit(1);
        }
        return memset(p, 0, size);
}

char *cor_json_strdup(void *root, const char *s)
{
        size_t n = strlen(s) + 1;

        return memcpy(cor_json_alloc(root, n), s, n);
}

#ifndef CORACLE_BASE_ALLOC_H
#define CORACLE_BASE_ALLOC_H
/*
 * Memory. Allocations whose size our own code chose end the process when memory is gone (message, exit 1). A size that
 * arrives from outside is checked against a named limit by its caller and then asked for with cor_alloc_limited().
 */
#include "base/err.h"
#include <stdlib.h>

/* cor_alloc() - @size zeroed bytes, never NULL; free() */
void *cor_alloc(size_t size) __attribute__((malloc, returns_nonnull, alloc_size(1)));

/* cor_realloc_array() - @p resized to @n items of @size bytes, overflow checked, never NULL */
void *cor_realloc_array(void *p, size_t n, size_t size) __attribute__((returns_nonnull));

/* cor_alloc_limited() - @size zeroed bytes, or NULL and an error if @size > @limit or memory is gone; @what names it */
void *cor_alloc_limited(size_t size, size_t limit, const char *what, struct cor_err *err);

/* cor_strdup() / cor_strndup() - never NULL for a non-NULL @s; NULL for NULL */
char *cor_strdup(const char *s);
char *cor_strndup(const char *s, size_t n);

/* cor_printf() - a new string, never NULL; free() */
char *cor_printf(const char *fmt, ...) COR_PRINTF(1, 2) __attribute__((returns_nonnull));

static inline void cor_free_p(void *p)
{
        free(*(void **)p);
}

#define auto_free COR_CLEANUP(cor_free_p)
#define auto_str  COR_CLEANUP(cor_free_p) char *

/*
 * COR_GROW() - make room for one more item in an `items`/`n_items` pair and evaluate to a pointer to it (zeroed).
 * Capacity is implied by the count: it doubles at powers of two, so no third field is needed.
 */
#define COR_GROW(items, n_items)                                                                                       \
        ({                                                                                                             \
                (items) = cor_grow((items), (n_items), sizeof *(items));                                               \
                &(items)[(n_items)++];                                                                                 \
        })
void *cor_grow(void *items, size_t n_items, size_t item_size) __attribute__((returns_nonnull));

/* A NULL-terminated list of owned strings (argv, envp). */
struct cor_strv {
        char **items; /* items[n_items] is NULL once anything was added */
        size_t n_items;
};
void cor_strv_add(struct cor_strv *v, const char *s); /* copies @s */
void cor_strv_take(struct cor_strv *v, char *s);      /* takes @s */
void cor_strv_done(struct cor_strv *v);
#define auto_strv COR_CLEANUP(cor_strv_done) struct cor_strv

#endif

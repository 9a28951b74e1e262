#include "base/alloc.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

static void *or_die(void *p)
{
        if (!p) {
                fputs("out of memory\n", stderr);
                _Exit(1);
        }
        return p;
}

void *cor_alloc(size_t size)
{
        return or_die(calloc(1, size ? size : 1));
}

void *cor_realloc_array(void *p, size_t n, size_t size)
{
        return or_die(reallocarray(p, n ? n : 1, size ? size : 1));
}

void *cor_alloc_limited(size_t size, size_t limit, const char *what, struct cor_err *err)
{
        void *p;

        if (size > limit) {
                cor_fail(err, COR_INVALID, "%s: %zu bytes, more than the limit of %zu", what, size, limit);
                return NULL;
        }
        p = calloc(1, size ? size : 1);
        if (!p)
                cor_fail_errno(err, "%s: %zu bytes", what, size);
        return p;
}

char *cor_strdup(const char *s)
{
        return s ? or_die(strdup(s)) : NULL;
}

char *cor_strndup(const char *s, size_t n)
{
        return s ? or_die(strndup(s, n)) : NULL;
}

char *cor_printf(const char *fmt, ...)
{
        char *s = NULL;
        va_list ap;

        va_start(ap, fmt);
        if (vasprintf(&s, fmt, ap) < 0)
                s = NULL;
        va_end(ap);
        return or_die(s);
}

void *cor_grow(void *items, size_t n_items, size_t item_size)
{
        char *grown = items;

        if ((n_items & (n_items - 1)) == 0) { /* 0, 1, 2, 4, 8: full */
                if (n_items > SIZE_MAX / 2)
                        or_die(NULL);
                grown = cor_realloc_array(items, n_items ? n_items * 2 : 1, item_size);
        }
        memset(grown + n_items * item_size, 0, item_size);
        return grown;
}

void cor_strv_take(struct cor_strv *v, char *s)
{
        v->items = cor_realloc_array(v->items, v->n_items + 2, sizeof *v->items);
        v->items[v->n_items++] = s;
        v->items[v->n_items] = NULL;
}

void cor_strv_add(struct cor_strv *v, const char *s)
{
        cor_strv_take(v, cor_strdup(s));
}

void cor_strv_done(struct cor_strv *v)
{
        for (size_t i = 0; i < v->n_items; i++)
                free(v->items[i]);
        free(v->items);
        v->items = NULL;
        v->n_items = 0;
}

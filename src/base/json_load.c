/* From text to jansson's tree, which lies in the reader's arena. */
#include "base/json_reader.h"

#include <pthread.h>
#include <string.h>
#include <sys/auxv.h>

static __thread struct json_arena *parsing; /* where jansson's memory comes from */

static void *library_malloc(size_t size)
{
        return json_arena_take(parsing, size);
}

static void library_free(void *p)
{
        (void)p; /* ends with the arena */
}

static void library_init(void)
{
        size_t seed = 0;
        const void *random = (const void *)getauxval(AT_RANDOM); /* 16 bytes from the kernel: no /dev/urandom needed */

        if (random)
                memcpy(&seed, random, sizeof seed);
        json_object_seed(seed | 1);
        json_set_alloc_funcs(library_malloc, library_free);
}

static json_t *load_tree(struct json_reader *r, const char *text, size_t len, size_t flags, json_error_t *error)
{
        static pthread_once_t once = PTHREAD_ONCE_INIT;
        json_t *tree;

        pthread_once(&once, library_init);
        parsing = r->arena;
        tree = json_loadb(text, len, JSON_DECODE_ANY | JSON_ALLOW_NUL | flags, error);
        parsing = NULL;
        return tree;
}

/* Position @pos as line and column (bytes, from 1) */
static int fail_syntax(struct json_reader *r, const char *text, size_t len, size_t pos, const json_error_t *error)
{
        size_t line = 1, start = 0, column;

        if (pos > len)
                pos = len;
        for (size_t i = 0; i < pos; i++) {
                if (text[i] == '\n' && i + 1 < pos) {
                        line++;
                        start = i + 1;
                }
        }
        column = pos > start ? pos - start : 1;
        if (!error->text[0] || json_error_code(error) == json_error_out_of_memory) /* it does not always say so */
                return json_fail_at(r, NULL, "needs more memory than a document of this size may");
        if (pos > 0 && text[pos - 1] == '\0') /* which it takes for the end */
                return json_fail_at(r, NULL, "line %zu, column %zu: unexpected NUL character", line, column);
        return json_fail_at(r, NULL, "line %zu, column %zu: %s", line, column, error->text);
}

static int load_shielded(struct json_reader *r, const char *text, size_t len, json_t **ret)
{
        auto_text copy = COR_TEXT_INIT, before = COR_TEXT_INIT;
        json_error_t error;

        json_shield_numbers(text, len, SIZE_MAX, &copy);
        r->shielded = true;
        *ret = load_tree(r, copy.s, copy.len, 0, &error);
        if (*ret)
                return 0;
        return fail_syntax(r, text, len, json_shield_numbers(text, len, (size_t)error.position, &before), &error);
}

int json_load(struct json_reader *r, const char *text, size_t len, json_t **ret)
{
        json_error_t error;

        if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
                return json_fail_at(r, NULL, "starts with a byte order mark, which JSON does not allow");
        *ret = load_tree(r, text, len, 0, &error);
        if (*ret)
                return 0;
        if (json_error_code(&error) == json_error_numeric_overflow)
                return load_shielded(r, text, len, ret);
        return fail_syntax(r, text, len, (size_t)error.position, &error);
}

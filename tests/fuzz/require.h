#ifndef CORACLE_TESTS_FUZZ_REQUIRE_H
#define CORACLE_TESTS_FUZZ_REQUIRE_H
/* What targets share that look at raw bytes: an assertion in every build, and input that ends where its memory ends. */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FUZZ_REQUIRE(TRUTH)                                                                                            \
        do {                                                                                                           \
                if (!(TRUTH)) {                                                                                        \
                        fprintf(stderr, "%s:%d: %s does not hold\n", __FILE__, __LINE__, #TRUTH);                      \
                        abort();                                                                                       \
                }                                                                                                      \
        } while (0)

/* fuzz_copy() - the input in memory of just its size, so that a sanitizer sees what is read behind it; free() */
static inline char *fuzz_copy(const uint8_t *data, size_t size)
{
        char *copy = malloc(size > 0 ? size : 1);

        FUZZ_REQUIRE(copy);
        if (size > 0)
                memcpy(copy, data, size);
        return copy;
}

/* fuzz_is_within() - part of the @size bytes at @bytes */
static inline void fuzz_is_within(const char *part, size_t n, const char *bytes, size_t size)
{
        FUZZ_REQUIRE(part >= bytes && n <= size && part <= bytes + (size - n));
}

/* fuzz_text_is_within() - with its end */
static inline void fuzz_text_is_within(const char *text, const char *bytes, size_t size)
{
        fuzz_is_within(text, 0, bytes, size);
        FUZZ_REQUIRE(memchr(text, '\0', (size_t)(bytes + size - text)));
}

#endif

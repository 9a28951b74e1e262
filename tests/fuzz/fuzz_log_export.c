/* What `journalctl --output=export` prints: what is read lies within it, and texts have their end. */
#include "base/text.h"
#include "monitor/log_export.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REQUIRE(TRUTH)                                                                                                 \
        do {                                                                                                           \
                if (!(TRUTH)) {                                                                                        \
                        fprintf(stderr, "%s:%d: %s does not hold\n", __FILE__, __LINE__, #TRUTH);                      \
                        abort();                                                                                       \
                }                                                                                                      \
        } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct cor_pair attrs[LOG_ATTRS_MAX];

static void is_within(const char *part, size_t n, const char *bytes, size_t size)
{
        REQUIRE(part >= bytes && part + n <= bytes + size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        char *copy = malloc(size > 0 ? size : 1);
        size_t at = 0, used = 0;
        const char *cursor;
        struct log_entry e;

        if (size > 0)
                memcpy(copy, data, size);
        while (log_export_take(copy + at, size - at, attrs, &used, &e, &cursor) > 0) {
                REQUIRE(used > 0 && used <= size - at);
                if (e.text)
                        is_within(e.text, e.n, copy + at, used);
                if (cursor)
                        is_within(cursor, strlen(cursor) + 1, copy + at, used);
                REQUIRE(e.n_attrs <= LOG_ATTRS_MAX);
                for (size_t i = 0; i < e.n_attrs; i++) {
                        is_within(e.attrs[i].key, strlen(e.attrs[i].key) + 1, copy + at, used);
                        is_within(e.attrs[i].value, strlen(e.attrs[i].value) + 1, copy + at, used);
                }
                at += used;
        }
        free(copy);
        return 0;
}

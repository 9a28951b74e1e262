/* What `journalctl --output=export` prints: what is read lies within it, and texts have their end. */
#include "base/text.h"
#include "monitor/log_export.h"

#include "require.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct cor_pair attrs[LOG_ATTRS_MAX];

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        char *copy = fuzz_copy(data, size);
        size_t at = 0, used = 0;
        const char *cursor;
        struct log_entry e;

        while (log_export_take(copy + at, size - at, attrs, &used, &e, &cursor) > 0) {
                FUZZ_REQUIRE(used > 0 && used <= size - at);
                if (e.text)
                        fuzz_is_within(e.text, e.n, copy + at, used);
                if (cursor)
                        fuzz_text_is_within(cursor, copy + at, used);
                FUZZ_REQUIRE(e.n_attrs <= LOG_ATTRS_MAX);
                for (size_t i = 0; i < e.n_attrs; i++) {
                        fuzz_text_is_within(e.attrs[i].key, copy + at, used);
                        fuzz_text_is_within(e.attrs[i].value, copy + at, used);
                }
                at += used;
        }
        free(copy);
        return 0;
}

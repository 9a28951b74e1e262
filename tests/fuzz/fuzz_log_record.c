/*
 * A file of the log driver local: whatever is in it, what is read lies within it, ends where it should, and, written as
 * a record again, is read back as it was.
 */
#include "base/text.h"
#include "monitor/log_read.h"
#include "monitor/log_record.h"

#include "require.h"

enum { MAX_BYTES = 4096 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct cor_pair attrs[LOG_ATTRS_MAX], attrs_back[LOG_ATTRS_MAX];

static void reads_back(const struct log_record *r)
{
        const struct log_part part = { .id = "x", .ordinal = 3, .last = r->last };
        const struct log_message m = {
                .stream = r->stream,
                .text = r->line,
                .n = r->n,
                .part = r->partial ? &part : NULL,
                .time = { .tv_sec = r->time / 1000000000, .tv_nsec = r->time % 1000000000 },
        };
        auto_text t = COR_TEXT_INIT;
        struct log_record back;
        uint32_t n;

        log_record_add(&m, r->attrs, r->n_attrs, &t);
        n = log_record_length(t.s);
        FUZZ_REQUIRE(t.len == n + 2 * (size_t)LOG_RECORD_FRAME &&
                     log_record_length(t.s + t.len - LOG_RECORD_FRAME) == n);
        FUZZ_REQUIRE(log_record_parse(t.s + LOG_RECORD_FRAME, n, attrs_back, LOG_ATTRS_MAX, &back));
        FUZZ_REQUIRE(back.stream == r->stream && back.time == r->time && back.partial == r->partial);
        FUZZ_REQUIRE(back.last == (r->partial && r->last) && back.n == r->n && memcmp(back.line, r->line, r->n) == 0);
        FUZZ_REQUIRE(back.n_attrs == r->n_attrs);
        for (size_t i = 0; i < r->n_attrs; i++)
                FUZZ_REQUIRE(strcmp(back.attrs[i].key, r->attrs[i].key) == 0 &&
                             strcmp(back.attrs[i].value, r->attrs[i].value) == 0);
}

static void one_record(char *bytes, size_t size)
{
        struct log_record r;

        if (!log_record_parse(bytes, size, attrs, LOG_ATTRS_MAX, &r))
                return;
        if (r.n > 0)
                fuzz_is_within(r.line, r.n, bytes, size);
        FUZZ_REQUIRE(r.n_attrs <= LOG_ATTRS_MAX);
        for (size_t i = 0; i < r.n_attrs; i++) {
                if (r.attrs[i].key[0])
                        fuzz_text_is_within(r.attrs[i].key, bytes, size);
                if (r.attrs[i].value[0])
                        fuzz_text_is_within(r.attrs[i].value, bytes, size);
        }
        if (r.time >= 0)
                reads_back(&r);
}

static void a_file(char *bytes, size_t size)
{
        size_t at = 0, used;
        struct log_entry e;

        while (log_local_form.take(bytes + at, size - at, attrs, &used, &e) > 0) {
                FUZZ_REQUIRE(used > 0 && used <= size - at);
                if (e.text && e.n > 1)
                        fuzz_is_within(e.text, e.n, bytes + at, used);
                at += used;
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        char *copy;

        if (size > MAX_BYTES)
                return 0;
        copy = fuzz_copy(data, size);
        a_file(copy, size);
        if (size > 0)
                memcpy(copy, data, size);
        one_record(copy, size);
        free(copy);
        return 0;
}

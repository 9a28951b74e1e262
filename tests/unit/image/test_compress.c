/* Compressed streams: how they are told, where they end, and what is refused. */
#include "image/compress.h"

#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

struct input {
        const char *bytes;
        size_t n, at, piece;
};

static ssize_t read_input(void *context, void *buf, size_t n, struct cor_err *err)
{
        struct input *in = context;

        if (n > in->piece)
                n = in->piece;
        if (n > in->n - in->at)
                n = in->n - in->at;
        memcpy(buf, in->bytes + in->at, n);
        in->at += n;
        return (ssize_t)n;
}

static int add_text(void *context, const void *bytes, size_t n, struct cor_err *err)
{
        cor_text_add_n(context, bytes, n);
        return 0;
}

static void pack(enum compression kind, const void *bytes, size_t n, struct cor_text *out)
{
        auto_deflater d = deflater_new(kind, 0, add_text, out);
        struct cor_err err = { 0 };

        assert_int_equal(deflater_write(d, bytes, n, &err), 0);
        assert_int_equal(deflater_end(d, &err), 0);
}

static int unpack(const struct cor_text *packed, size_t piece, int64_t limit, unsigned ratio, struct cor_text *out,
                  struct cor_err *err)
{
        struct input in = { packed->s, packed->len, 0, piece };
        auto_inflater i = inflater_new(read_input, &in, limit, ratio);
        char buf[3000];
        ssize_t got;

        while ((got = inflater_read(i, buf, sizeof buf, err)) > 0)
                cor_text_add_n(out, buf, (size_t)got);
        return (int)got;
}

static void kinds_are_told_by_the_first_bytes(void **state)
{
        assert_int_equal(compression_guess("\x1f\x8b\x08\0\0\0", 6), COMPRESSION_GZIP);
        assert_int_equal(compression_guess("\x28\xb5\x2f\xfd", 4), COMPRESSION_ZSTD);
        assert_int_equal(compression_guess("\x5f\x2a\x4d\x18", 4), COMPRESSION_ZSTD);
        assert_int_equal(compression_guess("\x1f\x8b", 2), COMPRESSION_NONE);
        assert_int_equal(compression_guess("\x4f\x2a\x4d\x18", 4), COMPRESSION_NONE);
        assert_int_equal(compression_guess("", 0), COMPRESSION_NONE);
}

static void fill(struct cor_text *t, size_t n)
{
        for (unsigned x = 1; t->len < n; x = x * 1103515245 + 12345)
                cor_text_printf(t, "%u %s\n", x >> 16, x & (1 << 20) ? "some words" : "other words");
}

static void what_is_packed_is_unpacked(void **state)
{
        static const enum compression kinds[] = { COMPRESSION_NONE, COMPRESSION_GZIP, COMPRESSION_ZSTD };
        static const size_t pieces[] = { 1, 7, 4096, 1 << 20 };
        auto_text plain = COR_TEXT_INIT;
        struct cor_err err = { 0 };

        fill(&plain, 300000);
        for (size_t k = 0; k < COR_COUNT(kinds); k++)
                for (size_t p = 0; p < COR_COUNT(pieces); p++) {
                        auto_text packed = COR_TEXT_INIT, out = COR_TEXT_INIT;

                        pack(kinds[k], plain.s, plain.len, &packed);
                        pack(kinds[k], plain.s, 1000, &packed); /* another member, another frame */
                        if (unpack(&packed, pieces[p], 0, 0, &out, &err) < 0)
                                fail_msg("%s", err.msg);
                        assert_int_equal(out.len, plain.len + 1000);
                        assert_memory_equal(out.s, plain.s, plain.len);
                        assert_memory_equal(out.s + plain.len, plain.s, 1000);
                }
}

static void every_cut_is_noticed(void **state)
{
        static const enum compression kinds[] = { COMPRESSION_GZIP, COMPRESSION_ZSTD };
        auto_text plain = COR_TEXT_INIT;

        fill(&plain, 2000);
        for (size_t k = 0; k < COR_COUNT(kinds); k++) {
                auto_text packed = COR_TEXT_INIT;

                pack(kinds[k], plain.s, plain.len, &packed);
                for (packed.len--; packed.len >= 4; packed.len--) {
                        auto_text out = COR_TEXT_INIT;
                        struct cor_err err = { 0 };

                        assert_int_equal(unpack(&packed, 100, 0, 0, &out, &err), -1);
                        assert_int_equal(err.kind, COR_INVALID);
                        assert_string_equal(err.msg, "the compressed stream is cut off");
                }
        }
}

/* A changed bit either damages the stream or is in a part of the header that says nothing about the content. */
static void no_changed_bit_changes_the_content(void **state)
{
        static const enum compression kinds[] = { COMPRESSION_GZIP, COMPRESSION_ZSTD };
        auto_text plain = COR_TEXT_INIT;

        fill(&plain, 500);
        for (size_t k = 0; k < COR_COUNT(kinds); k++) {
                auto_text packed = COR_TEXT_INIT;

                pack(kinds[k], plain.s, plain.len, &packed);
                for (size_t bit = 4 * 8; bit < packed.len * 8; bit++) {
                        auto_text out = COR_TEXT_INIT;
                        struct cor_err err = { 0 };

                        packed.s[bit / 8] = (char)(packed.s[bit / 8] ^ 1 << bit % 8);
                        if (unpack(&packed, 1000, 1 << 20, 0, &out, &err) == 0) {
                                assert_int_equal(out.len, plain.len);
                                assert_memory_equal(out.s, plain.s, plain.len);
                        }
                        packed.s[bit / 8] = (char)(packed.s[bit / 8] ^ 1 << bit % 8);
                }
        }
}

static void limits_hold(void **state)
{
        static const enum compression kinds[] = { COMPRESSION_NONE, COMPRESSION_GZIP, COMPRESSION_ZSTD };
        auto_str zeros = cor_alloc(100 << 20);

        for (size_t k = 0; k < COR_COUNT(kinds); k++) {
                auto_text packed = COR_TEXT_INIT, out = COR_TEXT_INIT, none = COR_TEXT_INIT;
                struct cor_err err = { 0 };

                pack(kinds[k], zeros, 2 << 20, &packed);
                assert_int_equal(unpack(&packed, 1 << 16, 1 << 20, 0, &out, &err), -1);
                assert_non_null(strstr(err.msg, "archive bomb: more than 1048576 bytes"));
                assert_true(out.len <= 1 << 20);
                assert_int_equal(unpack(&packed, 1 << 16, 2 << 20, 100, &none, &err),
                                 0); /* small ones may be any ratio */
        }
        for (size_t k = 1; k < COR_COUNT(kinds); k++) {
                auto_text packed = COR_TEXT_INIT, out = COR_TEXT_INIT;
                struct cor_err err = { 0 };

                pack(kinds[k], zeros, 100 << 20, &packed);
                assert_int_equal(unpack(&packed, 1 << 16, 0, 100, &out, &err), -1);
                assert_non_null(strstr(err.msg, "times as many"));
        }
}

static void gzip_says_neither_when_nor_where(void **state)
{
        auto_text packed = COR_TEXT_INIT;

        pack(COMPRESSION_GZIP, "x", 1, &packed);
        assert_memory_equal(packed.s, "\x1f\x8b\x08\0\0\0\0\0", 8);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(kinds_are_told_by_the_first_bytes),
                cmocka_unit_test(what_is_packed_is_unpacked),
                cmocka_unit_test(every_cut_is_noticed),
                cmocka_unit_test(no_changed_bit_changes_the_content),
                cmocka_unit_test(limits_hold),
                cmocka_unit_test(gzip_says_neither_when_nor_where),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

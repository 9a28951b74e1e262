/* Compressed streams: any bytes are read or refused, within the limit; what is compressed comes out as it went in. */
#include "image/compress.h"

#include "base/text.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { LIMIT = 1 << 20 };

struct input {
        const uint8_t *bytes;
        size_t n, at;
};

static ssize_t read_input(void *context, void *buf, size_t n, struct cor_err *err)
{
        struct input *in = context;

        if (n > 1 + in->n / 3)
                n = 1 + in->n / 3;
        if (n > in->n - in->at)
                n = in->n - in->at;
        memcpy(buf, in->bytes + in->at, n);
        in->at += n;
        return (ssize_t)n;
}

static int write_text(void *context, const void *bytes, size_t n, struct cor_err *err)
{
        cor_text_add_n(context, bytes, n);
        return 0;
}

static int inflate_all(const void *bytes, size_t n, size_t piece, struct cor_text *ret, struct cor_err *err)
{
        struct input in = { bytes, n, 0 };
        auto_inflater inflater = inflater_new(read_input, &in, LIMIT, 0);
        static char buf[65536];
        ssize_t got;

        inflater_accept_foreign(inflater);
        while ((got = inflater_read(inflater, buf, piece, err)) > 0) {
                assert((size_t)got <= piece);
                cor_text_add_n(ret, buf, (size_t)got);
                assert(ret->len <= LIMIT);
        }
        return (int)got;
}

static void there_and_back(enum compression kind, const uint8_t *data, size_t size)
{
        auto_text packed = COR_TEXT_INIT, plain = COR_TEXT_INIT;
        auto_deflater deflater = deflater_new(kind, 1, write_text, &packed);
        struct cor_err err = { 0 };

        assert(deflater_write(deflater, data, size / 2, &err) == 0);
        assert(deflater_write(deflater, data + size / 2, size - size / 2, &err) == 0);
        assert(deflater_end(deflater, &err) == 0);
        assert(compression_guess(packed.s, packed.len) == kind);
        assert(inflate_all(packed.s, packed.len, 4096, &plain, &err) == 0);
        assert(plain.len == size && (size == 0 || memcmp(plain.s, data, size) == 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        auto_text large = COR_TEXT_INIT, small = COR_TEXT_INIT;
        struct cor_err err = { 0 };
        int r = inflate_all(data, size, 65536, &large, &err);

        assert(r == 0 || ((err.kind == COR_INVALID || err.kind == COR_UNSUPPORTED) && err.msg[0] != '\0'));
        assert(inflate_all(data, size, 1000, &small, &err) == r);
        if (r == 0)
                assert(small.len == large.len && (large.len == 0 || memcmp(small.s, large.s, large.len) == 0));
        if (size < LIMIT && size % 8 == 0) { /* which takes most of the time */
                there_and_back(COMPRESSION_GZIP, data, size);
                there_and_back(COMPRESSION_ZSTD, data, size);
        }
        return 0;
}

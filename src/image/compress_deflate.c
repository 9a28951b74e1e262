/*
 * The writer of compressed streams. gzip has neither a name nor a time in its header and is made by zlib in every
 * build, so that a layer has the same digest wherever it is made.
 */
#include "image/compress.h"

#include "base/alloc.h"

#include <limits.h>
#include <zlib.h>
#include <zstd.h>

#define OUT_BYTES (128U << 10)

struct deflater {
        enum compression kind;
        int level;
        int (*write)(void *context, const void *bytes, size_t n, struct cor_err *err);
        void *context;
        z_stream z;
        int z_state; /* 0 not begun, 1 under way */
        ZSTD_CCtx *zstd;
        uint8_t *out;
};

struct deflater *deflater_new(enum compression kind, int level,
                              int (*write)(void *context, const void *bytes, size_t n, struct cor_err *err),
                              void *context)
{
        struct deflater *d = cor_alloc(sizeof *d);

        d->kind = kind;
        d->level = level;
        d->write = write;
        d->context = context;
        d->out = cor_alloc(OUT_BYTES);
        return d;
}

void deflater_free(struct deflater *d)
{
        if (!d)
                return;
        if (d->z_state)
                deflateEnd(&d->z);
        ZSTD_freeCCtx(d->zstd);
        free(d->out);
        free(d);
}

static int begin_gzip(struct deflater *d, struct cor_err *err)
{
        int level = d->level > 0 && d->level <= 9 ? d->level : Z_DEFAULT_COMPRESSION;

        if (d->z_state)
                return 0;
        if (deflateInit2(&d->z, level, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
                return cor_fail(err, COR_SYSTEM, "no memory to compress with gzip");
        d->z_state = 1;
        return 0;
}

static int gzip(struct deflater *d, const void *bytes, size_t n, int flush, struct cor_err *err)
{
        const Bytef *from = bytes;
        int r = Z_OK;

        if (begin_gzip(d, err) < 0)
                return -1;
        do {
                uInt part = n < UINT_MAX ? (uInt)n : UINT_MAX;

                d->z.next_in = (Bytef *)(uintptr_t)from;
                d->z.avail_in = part;
                do {
                        d->z.next_out = d->out;
                        d->z.avail_out = OUT_BYTES;
                        r = deflate(&d->z, part == n ? flush : Z_NO_FLUSH);
                        if (r == Z_STREAM_ERROR)
                                return cor_fail(err, COR_SYSTEM, "gzip compression failed");
                        if (d->z.avail_out < OUT_BYTES &&
                            d->write(d->context, d->out, OUT_BYTES - d->z.avail_out, err) < 0)
                                return -1;
                } while (d->z.avail_out == 0);
                from += part;
                n -= part;
        } while (n > 0);
        return 0;
}

static int begin_zstd(struct deflater *d, struct cor_err *err)
{
        if (d->zstd)
                return 0;
        d->zstd = ZSTD_createCCtx();
        if (!d->zstd)
                return cor_fail(err, COR_SYSTEM, "no memory to compress with zstd");
        ZSTD_CCtx_setParameter(d->zstd, ZSTD_c_compressionLevel, d->level > 0 ? d->level : ZSTD_CLEVEL_DEFAULT);
        ZSTD_CCtx_setParameter(d->zstd, ZSTD_c_checksumFlag, 1);
        return 0;
}

static int zstd(struct deflater *d, const void *bytes, size_t n, ZSTD_EndDirective directive, struct cor_err *err)
{
        ZSTD_inBuffer in = { bytes, n, 0 };
        size_t left;

        if (begin_zstd(d, err) < 0)
                return -1;
        do {
                ZSTD_outBuffer out = { d->out, OUT_BYTES, 0 };

                left = ZSTD_compressStream2(d->zstd, &out, &in, directive);
                if (ZSTD_isError(left))
                        return cor_fail(err, COR_SYSTEM, "zstd compression failed: %s", ZSTD_getErrorName(left));
                if (out.pos > 0 && d->write(d->context, d->out, out.pos, err) < 0)
                        return -1;
        } while (directive == ZSTD_e_end ? left > 0 : in.pos < in.size);
        return 0;
}

int deflater_write(struct deflater *d, const void *bytes, size_t n, struct cor_err *err)
{
        switch (d->kind) {
        case COMPRESSION_GZIP:
                return n > 0 ? gzip(d, bytes, n, Z_NO_FLUSH, err) : 0;
        case COMPRESSION_ZSTD:
                return n > 0 ? zstd(d, bytes, n, ZSTD_e_continue, err) : 0;
        default:
                return d->write(d->context, bytes, n, err);
        }
}

int deflater_end(struct deflater *d, struct cor_err *err)
{
        switch (d->kind) {
        case COMPRESSION_GZIP:
                return gzip(d, "", 0, Z_FINISH, err);
        case COMPRESSION_ZSTD:
                return zstd(d, "", 0, ZSTD_e_end, err);
        default:
                return 0;
        }
}

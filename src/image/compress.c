/* Compression told by the first bytes, and the reader of compressed streams. */
#include "image/compress.h"

#include "base/alloc.h"
#include "image/compress_foreign.h"
#include "image/compress_gunzip.h"

#include <stdbool.h>
#include <string.h>
#include <zstd.h>

#define IN_BYTES        (128U << 10)
#define RATIO_FROM      (64LL << 20) /* output below which no ratio is suspicious */
#define GUESS_BYTES     6
#define ZSTD_WINDOW_LOG 27 /* 128 MiB, what zstd itself takes without being asked */

struct inflater {
        ssize_t (*read)(void *context, void *buf, size_t n, struct cor_err *err);
        void *context;
        int64_t limit, ratio;
        int64_t n_in, n_out;
        enum compression kind;
        struct gunzip *gunzip;
        ZSTD_DCtx *zstd;
        const struct foreign_format *foreign; /* in place of `kind` */
        void *foreign_state;
        bool accept_foreign;
        bool begun, source_ended, ended;
        bool inside; /* a member or frame: the stream may not end here */
        uint8_t *buf;
        size_t pos, fill;
};

static bool begins(const void *bytes, size_t n, const char *magic, size_t len)
{
        return n >= len && memcmp(bytes, magic, len) == 0;
}

enum compression compression_guess(const void *bytes, size_t n)
{
        const uint8_t *b = bytes;

        if (begins(b, n, "\x1f\x8b\x08", 3))
                return COMPRESSION_GZIP;
        if (begins(b, n, "\x28\xb5\x2f\xfd", 4))
                return COMPRESSION_ZSTD;
        return n >= 4 && (b[0] & 0xf0) == 0x50 && begins(b + 1, n - 1, "\x2a\x4d\x18", 3) ? COMPRESSION_ZSTD
                                                                                          : COMPRESSION_NONE;
}

static const struct foreign_format *foreign_of(const void *bytes, size_t n)
{
        if (begins(bytes, n, "BZh", 3))
                return &foreign_bzip2;
        return begins(bytes, n,
                      "\xfd"
                      "7zXZ",
                      6)
                       ? &foreign_xz
                       : NULL;
}

const char *compression_foreign(const void *bytes, size_t n)
{
        const struct foreign_format *f = foreign_of(bytes, n);

        return f ? f->name : NULL;
}

void inflater_accept_foreign(struct inflater *i)
{
        i->accept_foreign = true;
}

struct inflater *inflater_new(ssize_t (*read)(void *context, void *buf, size_t n, struct cor_err *err), void *context,
                              int64_t limit, unsigned ratio)
{
        struct inflater *i = cor_alloc(sizeof *i);

        i->read = read;
        i->context = context;
        i->limit = limit;
        i->ratio = ratio;
        i->buf = cor_alloc(IN_BYTES);
        return i;
}

void inflater_free(struct inflater *i)
{
        if (!i)
                return;
        gunzip_free(i->gunzip);
        ZSTD_freeDCtx(i->zstd);
        if (i->foreign)
                i->foreign->close(i->foreign_state);
        free(i->buf);
        free(i);
}

/* More input, when there is none or too little to guess from. */
static int more_input(struct inflater *i, struct cor_err *err)
{
        ssize_t got;

        if (i->pos == i->fill)
                i->pos = i->fill = 0;
        if (i->source_ended || i->fill == IN_BYTES)
                return 0;
        got = i->read(i->context, i->buf + i->fill, IN_BYTES - i->fill, err);
        if (got < 0)
                return -1;
        i->source_ended = got == 0;
        i->fill += (size_t)got;
        i->n_in += got;
        return 0;
}

static int begin_foreign(struct inflater *i, const struct foreign_format *f, struct cor_err *err)
{
        if (!i->accept_foreign)
                return cor_fail(err, COR_INVALID,
                                "compressed with %s; layers of images are with gzip, zstd, or not at all", f->name);
        if (!f->open)
                return cor_fail(err, COR_UNSUPPORTED, "compressed with %s, which this build cannot read: %s -dc first",
                                f->name, f->name);
        i->foreign_state = f->open();
        if (!i->foreign_state)
                return cor_fail(err, COR_SYSTEM, "no memory to decompress");
        i->foreign = f;
        i->begun = true;
        return 0;
}

static int begin(struct inflater *i, struct cor_err *err)
{
        const struct foreign_format *foreign;

        while (i->fill < GUESS_BYTES && !i->source_ended)
                if (more_input(i, err) < 0)
                        return -1;
        i->kind = compression_guess(i->buf, i->fill);
        foreign = foreign_of(i->buf, i->fill);
        if (foreign)
                return begin_foreign(i, foreign, err);
        if (i->kind == COMPRESSION_GZIP)
                i->gunzip = gunzip_new();
        if (i->kind == COMPRESSION_ZSTD) {
                i->zstd = ZSTD_createDCtx();
                if (i->zstd)
                        ZSTD_DCtx_setParameter(i->zstd, ZSTD_d_windowLogMax, ZSTD_WINDOW_LOG);
        }
        if (i->kind != COMPRESSION_NONE && !i->gunzip && !i->zstd)
                return cor_fail(err, COR_SYSTEM, "no memory to decompress");
        i->begun = true;
        return 0;
}

static ssize_t read_plain(struct inflater *i, void *buf, size_t n, struct cor_err *err)
{
        size_t have = i->fill - i->pos;
        ssize_t got;

        if (have == 0) {
                got = i->source_ended ? 0 : i->read(i->context, buf, n, err);
                i->n_in += got > 0 ? got : 0;
                return got;
        }
        if (n > have)
                n = have;
        memcpy(buf, i->buf + i->pos, n);
        i->pos += n;
        return (ssize_t)n;
}

/* Behind a member: another one (1), or zeros up to the end (tapes had these), or nothing. */
static int next_member(struct inflater *i, struct cor_err *err)
{
        while (i->pos < i->fill && i->buf[i->pos] == '\0')
                i->pos++;
        if (i->pos == i->fill)
                return 0;
        if (i->buf[i->pos] != 0x1f)
                return cor_fail(err, COR_INVALID, "something else follows the end of the gzip stream");
        return 1;
}

static int run_gzip(struct inflater *i, uint8_t *buf, size_t n, size_t *ret_n, struct cor_err *err)
{
        struct gunzip_io io = { .out = buf, .n_out = n };
        int r = i->inside ? 1 : next_member(i, err);

        *ret_n = 0;
        if (r <= 0)
                return r;
        i->inside = true;
        io.in = i->buf + i->pos;
        io.n_in = i->fill - i->pos;
        r = gunzip_run(i->gunzip, &io);
        if (r < 0)
                return cor_fail(err, COR_INVALID, "the gzip stream is damaged at byte %lld",
                                (long long)(i->n_in - (int64_t)(i->fill - i->pos)));
        i->pos = i->fill - io.n_in;
        *ret_n = n - io.n_out;
        if (r > 0) {
                i->inside = false;
                gunzip_next(i->gunzip);
        }
        return 0;
}

static int run_zstd(struct inflater *i, uint8_t *buf, size_t n, size_t *ret_n, struct cor_err *err)
{
        ZSTD_inBuffer in = { i->buf, i->fill, i->pos };
        ZSTD_outBuffer out = { buf, n, 0 };
        size_t r;

        *ret_n = 0;
        if (!i->inside && i->pos == i->fill)
                return 0;
        r = ZSTD_decompressStream(i->zstd, &out, &in);
        if (ZSTD_isError(r))
                return cor_fail(err, COR_INVALID, "the zstd stream is damaged near byte %lld: %s",
                                (long long)(i->n_in - (int64_t)(i->fill - i->pos)), ZSTD_getErrorName(r));
        i->pos = in.pos;
        i->inside = r != 0;
        *ret_n = out.pos;
        return 0;
}

static int run_foreign(struct inflater *i, uint8_t *buf, size_t n, size_t *ret_n, struct cor_err *err)
{
        struct gunzip_io io = { .in = i->buf + i->pos, .n_in = i->fill - i->pos, .out = buf, .n_out = n };
        const char *why = "";
        int r = i->foreign->run(i->foreign_state, &io, i->source_ended, &why);

        i->pos = i->fill - io.n_in;
        *ret_n = n - io.n_out;
        return r < 0 ? cor_fail(err, COR_INVALID, "the %s stream cannot be read near byte %lld: %s", i->foreign->name,
                                (long long)(i->n_in - (int64_t)(i->fill - i->pos)), why)
                     : 0;
}

static int run(struct inflater *i, uint8_t *buf, size_t n, size_t *ret_n, struct cor_err *err)
{
        if (i->foreign)
                return run_foreign(i, buf, n, ret_n, err);
        return i->kind == COMPRESSION_GZIP ? run_gzip(i, buf, n, ret_n, err) : run_zstd(i, buf, n, ret_n, err);
}

/* Up to @n bytes, 0 at the end only. */
static ssize_t read_compressed(struct inflater *i, uint8_t *buf, size_t n, struct cor_err *err)
{
        for (;;) {
                size_t before = i->pos, got;

                if (run(i, buf, n, &got, err) < 0)
                        return -1;
                if (got > 0)
                        return (ssize_t)got;
                if (i->pos < i->fill && i->pos != before)
                        continue;
                if (i->pos < i->fill)
                        return cor_fail(err, COR_INVALID, "the compressed stream is damaged");
                if (i->source_ended)
                        return i->inside ? cor_fail(err, COR_INVALID, "the compressed stream is cut off") : 0;
                if (more_input(i, err) < 0)
                        return -1;
        }
}

static int check_bomb(const struct inflater *i, struct cor_err *err)
{
        if (i->limit > 0 && i->n_out > i->limit)
                return cor_fail(err, COR_INVALID, "archive bomb: more than %lld bytes when decompressed",
                                (long long)i->limit);
        if (i->ratio > 0 && i->n_out > RATIO_FROM && i->n_out / i->ratio > i->n_in)
                return cor_fail(err, COR_INVALID,
                                "archive bomb: %lld bytes decompress to more than %lld times as many (image-max-ratio "
                                "in daemon.json)",
                                (long long)i->n_in, (long long)i->ratio);
        return 0;
}

ssize_t inflater_read(struct inflater *i, void *buf, size_t n, struct cor_err *err)
{
        size_t done = 0;

        if (!i->begun && begin(i, err) < 0)
                return -1;
        while (done < n && !i->ended) {
                uint8_t *to = (uint8_t *)buf + done;
                ssize_t got = i->kind == COMPRESSION_NONE && !i->foreign ? read_plain(i, to, n - done, err)
                                                                         : read_compressed(i, to, n - done, err);

                if (got < 0)
                        return -1;
                i->ended = got == 0;
                i->n_out += got;
                done += (size_t)got;
                if (check_bomb(i, err) < 0)
                        return -1;
        }
        return (ssize_t)done;
}

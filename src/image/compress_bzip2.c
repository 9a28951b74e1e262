/* bzip2 by libbz2; streams may follow each other, as `bzip2` and parallel ones write them. */
#include "image/compress_foreign.h"

#include <bzlib.h>
#include <limits.h>
#include <stdlib.h>

struct bzip2 {
        bz_stream stream;
        bool inside; /* a stream is open */
};

static void *bzip2_open(void)
{
        return calloc(1, sizeof(struct bzip2));
}

static void bzip2_close(void *state)
{
        struct bzip2 *b = state;

        if (b && b->inside)
                BZ2_bzDecompressEnd(&b->stream);
        free(b);
}

static unsigned clamp(size_t n)
{
        return n > UINT_MAX ? UINT_MAX : (unsigned)n;
}

/* Into the next stream, if there is one: 1, or 0. */
static int enter(struct bzip2 *b, const struct gunzip_io *io)
{
        if (b->inside)
                return 1;
        if (io->n_in == 0)
                return 0;
        b->stream = (bz_stream){ .opaque = NULL };
        b->inside = BZ2_bzDecompressInit(&b->stream, 0, 0) == BZ_OK;
        return b->inside ? 1 : -1;
}

static int bzip2_run(void *state, struct gunzip_io *io, bool ended, const char **ret_why)
{
        struct bzip2 *b = state;
        unsigned in = clamp(io->n_in), out = clamp(io->n_out);
        int r = enter(b, io);

        *ret_why = "no memory";
        if (r <= 0)
                return r < 0 ? -1 : ended;
        b->stream.next_in = (char *)(uintptr_t)io->in;
        b->stream.avail_in = in;
        b->stream.next_out = (char *)io->out;
        b->stream.avail_out = out;
        r = BZ2_bzDecompress(&b->stream);
        io->in += in - b->stream.avail_in;
        io->n_in -= in - b->stream.avail_in;
        io->out += out - b->stream.avail_out;
        io->n_out -= out - b->stream.avail_out;
        if (r == BZ_STREAM_END) {
                BZ2_bzDecompressEnd(&b->stream);
                b->inside = false;
                return ended && io->n_in == 0;
        }
        *ret_why = ended && io->n_in == 0 && b->stream.avail_out == out ? "it ends too early" : "it is damaged";
        if (r != BZ_OK)
                return -1;
        return ended && io->n_in == 0 && b->stream.avail_out == out ? -1 : 0;
}

const struct foreign_format foreign_bzip2 = {
        .name = "bzip2", .open = bzip2_open, .close = bzip2_close, .run = bzip2_run
};

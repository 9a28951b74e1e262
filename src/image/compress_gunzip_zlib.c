/* Reading gzip with zlib. */
#include "image/compress_gunzip.h"

#include "base/alloc.h"

#include <limits.h>
#include <zlib.h>

const char *const gunzip_library = "zlib";

struct gunzip {
        z_stream z;
};

struct gunzip *gunzip_new(void)
{
        struct gunzip *g = cor_alloc(sizeof *g);

        if (inflateInit2(&g->z, 15 + 16) != Z_OK) { /* gzip only */
                free(g);
                return NULL;
        }
        return g;
}

void gunzip_free(struct gunzip *g)
{
        if (!g)
                return;
        inflateEnd(&g->z);
        free(g);
}

int gunzip_run(struct gunzip *g, struct gunzip_io *io)
{
        uInt in = io->n_in < UINT_MAX ? (uInt)io->n_in : UINT_MAX,
             out = io->n_out < UINT_MAX ? (uInt)io->n_out : UINT_MAX;
        int r;

        g->z.next_in = (Bytef *)(uintptr_t)io->in;
        g->z.avail_in = in;
        g->z.next_out = io->out;
        g->z.avail_out = out;
        r = inflate(&g->z, Z_NO_FLUSH);
        io->in += in - g->z.avail_in;
        io->n_in -= in - g->z.avail_in;
        io->out += out - g->z.avail_out;
        io->n_out -= out - g->z.avail_out;
        return r == Z_STREAM_END ? 1 : r == Z_OK || r == Z_BUF_ERROR ? 0 : -1;
}

void gunzip_next(struct gunzip *g)
{
        inflateReset(&g->z);
}

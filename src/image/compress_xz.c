/* xz by liblzma, in one thread, with a bound on the memory that a stream may ask for. */
#include "image/compress_foreign.h"

#include <lzma.h>
#include <stdlib.h>

enum { MEMORY_MAX_BYTES = 256 << 20 }; /* `xz -9` needs 65 MiB */

static void *xz_open(void)
{
        lzma_stream *s = calloc(1, sizeof *s);

        if (s && lzma_stream_decoder(s, MEMORY_MAX_BYTES, LZMA_CONCATENATED) != LZMA_OK) {
                free(s);
                return NULL;
        }
        return s;
}

static void xz_close(void *state)
{
        if (state)
                lzma_end(state);
        free(state);
}

static const char *reason(lzma_ret r)
{
        switch (r) {
        case LZMA_MEMLIMIT_ERROR:
                return "it needs more than 256 MiB of memory";
        case LZMA_MEM_ERROR:
                return "no memory";
        case LZMA_OPTIONS_ERROR:
                return "it has options that this liblzma does not know";
        case LZMA_BUF_ERROR:
                return "it ends too early";
        default:
                return "it is damaged";
        }
}

static int xz_run(void *state, struct gunzip_io *io, bool ended, const char **ret_why)
{
        lzma_stream *s = state;
        lzma_ret r;

        s->next_in = io->in;
        s->avail_in = io->n_in;
        s->next_out = io->out;
        s->avail_out = io->n_out;
        r = lzma_code(s, ended ? LZMA_FINISH : LZMA_RUN);
        io->in = s->next_in;
        io->n_in = s->avail_in;
        io->out = s->next_out;
        io->n_out = s->avail_out;
        if (r == LZMA_STREAM_END)
                return 1;
        if (r == LZMA_OK || (r == LZMA_BUF_ERROR && !ended))
                return 0;
        *ret_why = reason(r);
        return -1;
}

const struct foreign_format foreign_xz = { .name = "xz", .open = xz_open, .close = xz_close, .run = xz_run };

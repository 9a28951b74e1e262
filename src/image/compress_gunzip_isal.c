/* Reading gzip with ISA-L (igzip). */
#include "image/compress_gunzip.h"

#include "base/alloc.h"

#include <isa-l/igzip_lib.h>

const char *const gunzip_library = "ISA-L";

struct gunzip {
        struct inflate_state state;
};

void gunzip_next(struct gunzip *g)
{
        isal_inflate_reset(&g->state);
        g->state.crc_flag = ISAL_GZIP;
}

struct gunzip *gunzip_new(void)
{
        struct gunzip *g = cor_alloc(sizeof *g);

        isal_inflate_init(&g->state);
        g->state.crc_flag = ISAL_GZIP;
        return g;
}

void gunzip_free(struct gunzip *g)
{
        free(g);
}

int gunzip_run(struct gunzip *g, struct gunzip_io *io)
{
        uint32_t in = io->n_in < UINT32_MAX ? (uint32_t)io->n_in : UINT32_MAX;
        uint32_t out = io->n_out < UINT32_MAX ? (uint32_t)io->n_out : UINT32_MAX;

        g->state.next_in = (uint8_t *)(uintptr_t)io->in;
        g->state.avail_in = in;
        g->state.next_out = io->out;
        g->state.avail_out = out;
        if (isal_inflate(&g->state) != ISAL_DECOMP_OK)
                return -1;
        io->in += in - g->state.avail_in;
        io->n_in -= in - g->state.avail_in;
        io->out += out - g->state.avail_out;
        io->n_out -= out - g->state.avail_out;
        return g->state.block_state == ISAL_BLOCK_FINISH;
}

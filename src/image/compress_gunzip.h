#ifndef CORACLE_IMAGE_COMPRESS_GUNZIP_H
#define CORACLE_IMAGE_COMPRESS_GUNZIP_H
/*
 * Reading gzip, one member at a time. Two files know how: compress_gunzip_isal.c (ISA-L, which is several times as
 * fast, where meson finds it) and compress_gunzip_zlib.c.
 */
#include <stddef.h>
#include <stdint.h>

/* What is to be read and where to write; both move along. */
struct gunzip_io {
        const uint8_t *in;
        size_t n_in;
        uint8_t *out;
        size_t n_out;
};

struct gunzip;
struct gunzip *gunzip_new(void);
void gunzip_free(struct gunzip *g);
/* gunzip_run() - as far as @io goes: 1 at the end of a member, whose checksum was right; 0 needs more; -1 damaged */
int gunzip_run(struct gunzip *g, struct gunzip_io *io);
/* gunzip_next() - get ready for another member */
void gunzip_next(struct gunzip *g);
extern const char *const gunzip_library;

#endif

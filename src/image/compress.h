#ifndef CORACLE_IMAGE_COMPRESS_H
#define CORACLE_IMAGE_COMPRESS_H
/*
 * Compression of layers: none, gzip (also of several members, as pigz and eStargz make), zstd (also several frames and
 * skippable ones, as zstd:chunked has). Told by the first bytes, not by the media type.
 */
#include "base/err.h"
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum compression { COMPRESSION_NONE, COMPRESSION_GZIP, COMPRESSION_ZSTD };

/* compression_guess() - from the first bytes (6 are enough); also says NONE for what is not compressed */
enum compression compression_guess(const void *bytes, size_t n);

/* compression_foreign() - "xz" or "bzip2" if these (6) first bytes say so, which no layer may be compressed with */
const char *compression_foreign(const void *bytes, size_t n);

struct inflater;
/* inflater_new() - reads compressed bytes with @read (as tar_source's), kind guessed. Output past @limit bytes (0:
 * none) or a ratio over @ratio (0: none) once 64 MiB are out is INVALID ("archive bomb"). */
struct inflater *inflater_new(ssize_t (*read)(void *context, void *buf, size_t n, struct cor_err *err), void *context,
                              int64_t limit, unsigned ratio);
/* inflater_accept_foreign() - take xz and bzip2, too, as whole archives may be compressed; UNSUPPORTED comes from
 * inflater_read() where this build has no library for it */
void inflater_accept_foreign(struct inflater *i);
/* inflater_read() - up to @n bytes; 0 at the end, -1 INVALID when the stream is damaged or cut */
ssize_t inflater_read(struct inflater *i, void *buf, size_t n, struct cor_err *err) COR_MUST_CHECK;
void inflater_free(struct inflater *i);
static inline void inflater_free_p(struct inflater **i)
{
        inflater_free(*i);
}
#define auto_inflater COR_CLEANUP(inflater_free_p) struct inflater *

struct deflater; /* the way back: gzip (no name, no time: the same bytes give the same digest) or zstd */
struct deflater *deflater_new(enum compression kind, int level,
                              int (*write)(void *context, const void *bytes, size_t n, struct cor_err *err),
                              void *context);
int deflater_write(struct deflater *d, const void *bytes, size_t n, struct cor_err *err) COR_MUST_CHECK;
int deflater_end(struct deflater *d, struct cor_err *err) COR_MUST_CHECK;
void deflater_free(struct deflater *d);
static inline void deflater_free_p(struct deflater **d)
{
        deflater_free(*d);
}
#define auto_deflater COR_CLEANUP(deflater_free_p) struct deflater *

#endif

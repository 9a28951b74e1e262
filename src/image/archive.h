#ifndef CORACLE_IMAGE_ARCHIVE_H
#define CORACLE_IMAGE_ARCHIVE_H
/*
 * Archives of images read: what `docker save`, `podman save`, `skopeo copy … docker-archive:`, `oci-archive:` and `ctr
 * image export` write, on a stream. Every file goes into an ingest as it passes, hashed; what it is for is known only
 * when the whole archive has been seen, for the documents may come last.
 */
#include "image/compress.h"
#include "image/limits.h"
#include "store/blob.h"

struct archive;

enum { ARCHIVE_MAX_FILES = 1 << 17, ARCHIVE_DOCUMENT_MAX_BYTES = 8 << 20 };

/* archive_read() - from descriptor @fd, which may be compressed (gzip, zstd, xz, bzip2), to its end */
int archive_read(struct store *s, int fd, const struct image_limits *limits, struct archive **ret, struct cor_err *err)
        COR_MUST_CHECK;
void archive_free(struct archive *a);
static inline void archive_free_p(struct archive **a)
{
        archive_free(*a);
}
#define auto_archive COR_CLEANUP(archive_free_p) struct archive *

/* One file of it. */
struct archive_file {
        char *name;                 /* cleaned: "blobs/sha256/0123…" */
        char *target;               /* of a link: the name of the file meant; then nothing else is set */
        struct blob_ingest *ingest; /* NULL once it was handed over */
        struct digest digest;
        int64_t size;
        enum compression compression; /* by its first bytes */
};
/* archive_find() - by name, links followed; NULL if there is none */
struct archive_file *archive_find(struct archive *a, const char *name);
/* archive_find_blob() - by digest, wherever it stands */
struct archive_file *archive_find_blob(struct archive *a, const struct digest *d);
/* archive_text() - a small file whole; NUL-terminated, free() *ret; INVALID if it is over the limit, NOT_FOUND */
int archive_text(struct archive *a, const char *name, char **ret, size_t *ret_n, struct cor_err *err) COR_MUST_CHECK;
int archive_file_text(const struct archive_file *f, char **ret, size_t *ret_n, struct cor_err *err) COR_MUST_CHECK;

#endif

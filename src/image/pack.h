#ifndef CORACLE_IMAGE_PACK_H
#define CORACLE_IMAGE_PACK_H
/* Plain layers compressed side by side, by as many threads as there are processors. */
#include "store/blob.h"

struct pack_layer {
        int fd;                   /* the plain archive, read from where it stands to its end; borrowed */
        struct blob_ingest *into; /* gets the compressed one; borrowed, for one thread at a time */
        struct cor_err err;       /* ours */
};

/*
 * pack_layers() - compress them all with gzip; the first error ends it. BUSY as soon as @wake_fd (-1: none) is
 * readable. No thread is left when it returns.
 */
int pack_layers(struct pack_layer *layers, size_t n_layers, int wake_fd, struct cor_err *err) COR_MUST_CHECK;

#endif

#ifndef CORACLE_IMAGE_UNPACK_INTERNAL_H
#define CORACLE_IMAGE_UNPACK_INTERNAL_H
/* What the two sides of the unpacker's socket share; for unpack*.c alone. */
#include "image/unpack.h"

enum request_type { REQUEST_ADD, REQUEST_COMMIT, REQUEST_DROP };

/* What the network process sends; REQUEST_ADD brings the blob's descriptor, and the pipe's behind it if there is one.
 */
struct request {
        enum request_type type;
        unsigned job;
        int64_t size;
        bool bottom;
        struct digest name; /* commit */
        uint32_t n_lower;   /* so many digests follow */
};

/* unpack_serve() - be the unpacker, on the socket's other end; never returns */
_Noreturn void unpack_serve(const char *store, const struct image_limits *limits, int socket);

#endif

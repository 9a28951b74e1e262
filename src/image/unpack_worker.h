#ifndef CORACLE_IMAGE_UNPACK_WORKER_H
#define CORACLE_IMAGE_UNPACK_WORKER_H
/* The two processes that unpack one layer; see image/unpack.h. */
#include "image/unpack.h"

/* What both know; descriptors are borrowed. */
struct unpack_work {
        unsigned job;
        int blob_fd, wake_fd, layer_fd, report_fd; /* report_fd: a SOCK_SEQPACKET that takes struct unpack_event */
        int64_t size;
        const char *overlay_prefix;
        struct image_limits limits;
        int *lower_fds; /* O_PATH, uppermost first */
        size_t n_lower;
        bool bottom, rootless;
};

/* unpack_work() - run in a process of its own: forks the inflater, unpacks, reports; never returns */
_Noreturn void unpack_work(const struct unpack_work *w);

#endif

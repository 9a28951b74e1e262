#ifndef CORACLE_RUNTIME_LISTENER_H
#define CORACLE_RUNTIME_LISTENER_H
/*
 * How a seccomp listener gets from the process in the container, whose filter is in force, to the runtime.
 *
 * The runtime takes it out of the process (pidfd_getfd), which is told no more than the number. A user's runtime may
 * not: the process is not dumpable, and its memory belongs to the user namespace that the runtime was started in. Then
 *  - process 1 of a container becomes dumpable until it executes the program: there is nobody else in there yet;
 *  - any other process, which those in the container must not get at, has a sibling that shares its descriptors and,
 * not being under the filter, can send one.
 */
#include "base/err.h"
#include <stdbool.h>

struct listener_way {
        int tell;  /* where the sibling hears the number, or -1 */
        int hears; /* its end */
};
#define LISTENER_WAY_INIT                                                                                              \
        {                                                                                                              \
                .tell = -1, .hears = -1                                                                                \
        }

/* listener_prepare() - before the filter is installed, while descriptors can be had. @sync: the socket to the runtime
 */
int listener_prepare(struct listener_way *way, int sync, struct cor_err *err) COR_MUST_CHECK;
/*
 * listener_hand_over() - returns when the runtime has descriptor @fd. Only read() and write(): the filter must let
 * these pass (and must not ask the listener about them).
 */
int listener_hand_over(const struct listener_way *way, int sync, int fd, struct cor_err *err) COR_MUST_CHECK;
void listener_way_done(struct listener_way *way);

#endif

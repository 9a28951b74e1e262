#ifndef CORACLE_RUNTIME_MOUNTS_UPDATE_H
#define CORACLE_RUNTIME_MOUNTS_UPDATE_H
/*
 * Mounts of a container that exists already. @file holds a JSON array of entries as config.mounts has them; sources are
 * the host's, destinations the container's. Neither changes the stored configuration.
 */
#include "runtime/context.h"

/* container_mounts_add() - make all of them, in order; none is left when one fails */
int container_mounts_add(const struct runtime_context *ctx, const char *id, const char *file, struct cor_err *err)
        COR_MUST_CHECK;
/* container_mounts_remove() - unmount what is mounted at the destinations; the other keys are not looked at */
int container_mounts_remove(const struct runtime_context *ctx, const char *id, const char *file, struct cor_err *err)
        COR_MUST_CHECK;

#endif

#ifndef CORACLE_RUNTIME_TEARDOWN_H
#define CORACLE_RUNTIME_TEARDOWN_H
/* Removing what a container is made of; used when one ends, and when making one failed half-way. */
#include "runtime/record.h"

/*
 * teardown() - kill what is left in the cgroup, remove it, the resctrl group @clos (may be NULL) and the folder. @cg
 * may be NULL: it is opened from the record, if that says where it is. Goes on after a failure; the first one is
 * returned.
 */
int teardown(const struct runtime_context *ctx, struct container *c, struct cgroup *cg, const char *clos,
             struct cor_err *err) COR_MUST_CHECK;

#endif

#ifndef CORACLE_RUNTIME_EVENTS_H
#define CORACLE_RUNTIME_EVENTS_H
/*
 * What a container uses and what befalls it, as JSON objects, one a line:
 *
 *      {"type":"stats","id":"ID","data":{...}}       "data" is what cgroup_stats_print() makes
 *      {"type":"oom","id":"ID"}                      the kernel killed, or would have had to
 */
#include "runtime/context.h"

/* events_once() - write the statistics of now to @fd; BUSY when the container has stopped */
int events_once(const struct runtime_context *ctx, const char *id, int fd, struct cor_err *err) COR_MUST_CHECK;
/*
 * events_follow() - write statistics every @interval_ms, and out-of-memory events as they come, until the container's
 * first process or its cgroup is gone, or nobody reads any more
 */
int events_follow(const struct runtime_context *ctx, const char *id, int interval_ms, int fd, struct cor_err *err)
        COR_MUST_CHECK;

#endif

#ifndef CORACLE_MONITOR_CLEAR_H
#define CORACLE_MONITOR_CLEAR_H
/* After the death of a monitor. */
#include "store/store.h"

/* In RUN/<id>: a link to the other runtime that made the container, and where that keeps its state. */
#define CLEAR_RUNTIME_LINK  "runtime-program"
#define CLEAR_RUNTIME_STATE "oci"

/*
 * monitor_clear() - remove what the monitor of container @id left when it died: processes, cgroup, records, sockets.
 * The caller has made sure that there is none (the container's MONITOR lock is free, or its own). What fails is logged
 * only: it is tried again the next time.
 */
void monitor_clear(struct store *s, const char *id);

#endif

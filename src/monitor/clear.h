#ifndef CORACLE_MONITOR_CLEAR_H
#define CORACLE_MONITOR_CLEAR_H
/* After the death of a monitor. */
#include "store/store.h"

/*
 * monitor_clear() - remove what the monitor of container @id left when it died: processes, cgroup, records, sockets.
 * The caller has made sure that there is none (the container's MONITOR lock is free, or its own). What fails is logged
 * only: it is tried again the next time.
 */
void monitor_clear(struct store *s, const char *id);

#endif

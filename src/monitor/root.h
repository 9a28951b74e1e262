#ifndef CORACLE_MONITOR_ROOT_H
#define CORACLE_MONITOR_ROOT_H
/* The root filesystem of a container, for those who start it. */
#include "store/container.h"

/* monitor_mount_root() - a detached mount of it; the row has its layers. What a container with --rm writes need not
 * outlive the machine. */
int monitor_mount_root(struct store *s, const struct container_row *row, struct cor_err *err) COR_MUST_CHECK;

#endif

#ifndef CORACLE_MONITOR_ROOT_H
#define CORACLE_MONITOR_ROOT_H
/* The root filesystem of a container, which whoever starts it may mount as well as its monitor. */
#include "store/container.h"

/*
 * monitor_mount_root() - a detached mount of it; the row has its layers. What a container with --rm writes need not
 * outlive the machine. @mapped: with the ids of its user namespace, as it is to see it; else with those of the image.
 */
int monitor_mount_root(struct store *s, const struct container_row *row, bool mapped, struct cor_err *err)
        COR_MUST_CHECK;

#endif

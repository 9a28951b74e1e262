#ifndef CORACLE_LINUX_NETDEV_H
#define CORACLE_LINUX_NETDEV_H
/* Network interfaces: loopback in a new namespace, and devices of the host that are given to a container. */
#include "spec/oci.h"

/* netdev_lo_up() - set up the loopback interface of the current network namespace. Two or three calls, no allocation.
 */
int netdev_lo_up(struct cor_err *err) COR_MUST_CHECK;

/**
 * netdev_move_all() - give interfaces of the current network namespace to another one
 * @procfs:  verified procfs, to find the way back
 * @netns:   the container's network namespace
 *
 * Each keeps its attributes and its permanent addresses of global scope, gets its new name ("%d" is a template, as the
 * specification has it) and is set up. A name that is taken there is EXISTS, and that interface stays. The caller is in
 * @netns for a moment and back again when this returns; a single-threaded process only.
 * Spec: config-linux.md, "Network Devices".
 */
int netdev_move_all(int procfs, int netns, const struct oci_net_device *devices, size_t n_devices, struct cor_err *err)
        COR_MUST_CHECK;

#endif

#ifndef CORACLE_NETWORK_BRIDGE_H
#define CORACLE_NETWORK_BRIDGE_H
/* The bridge of the host: its interface, its subnet, the translation of what leaves it. */
#include "base/err.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BRIDGE_INTERFACE "coracle0"

struct bridge {
        int index;        /* of the interface */
        uint32_t address; /* its own, the containers' gateway; in the host's byte order */
        uint8_t prefix_len;
};
/*
 * bridge_open() - the bridge of the caller's network namespace; made, with a subnet that no other interface has, if it
 * is not there. @sock: NETLINK_ROUTE. @run: descriptor of the folder that whoever makes it locks
 */
int bridge_open(int sock, int run, struct bridge *ret, struct cor_err *err) COR_MUST_CHECK;

/* bridge_choose() - the first of docker's subnets that overlaps with none of @n others; false: all do */
struct subnet {
        uint32_t address;
        uint8_t prefix_len;
};
bool bridge_choose(const struct subnet *others, size_t n, struct subnet *ret);

#endif

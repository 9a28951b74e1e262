#ifndef CORACLE_NETWORK_DEFAULT_H
#define CORACLE_NETWORK_DEFAULT_H
/*
 * The default network, "bridge": it is there from the beginning, gets its subnets when it is first used, and others
 * when daemon.json says something else by then. While containers are connected it stays as it is.
 */
#include "network/subnet.h"

struct network_default {
        const char *configured; /* what daemon.json says of it, in one text; NULL: nothing */
        const struct pools *pools;
        const struct docker_ipam_pool *ipam; /* subnets that were asked for */
        size_t n_ipam;
        bool yields; /* the subnets are not insisted on: if the host has addresses of them others are chosen */
        bool ipv6, apart /* its containers cannot reach each other */, no_masquerade;
        uint32_t mtu;        /* 0: 1500 */
        const char *host_ip; /* where ports are published that do not say where; NULL: on all addresses */
};
/* network_default_settle() - it is as @w says, unless it is in use; nothing is done if it is so already */
int network_default_settle(struct store *s, const struct network_default *w, struct cor_err *err) COR_MUST_CHECK;

#endif

#ifndef CORACLE_NETWORK_NETWORK_H
#define CORACLE_NETWORK_NETWORK_H
/*
 * A network as its drivers see it: docker's document (spec/docker_network.h) with all texts read and all defaults
 * filled in. What is wrong with a document is found here, when the network is made.
 */
#include "linux/ip.h"
#include "network/firewall.h"
#include "spec/docker_network.h"
#include "store/endpoint.h"
#include "store/network.h"

enum network_driver { NETWORK_BRIDGE, NETWORK_MACVLAN, NETWORK_IPVLAN, NETWORK_HOST, NETWORK_NULL };

enum { NETWORK_NAME_BYTES = 16 }; /* of an interface */

/* One subnet with its gateway. */
struct network_subnet {
        struct ip_prefix subnet;
        struct ip gateway; /* none: the network has no way out by it */
        struct ip router;  /* of containers, where it is not the gateway, which a bridge has then all the same */
        struct endpoint_pool pool;
};

struct network {
        int64_t number;
        char *name;
        char id[65];
        enum network_driver driver;
        bool internal, is_default; /* is_default: the network "bridge" */
        bool config_only;          /* of others: it is not to be connected with, and takes no subnet */
        bool has[ENDPOINT_FAMILIES];
        struct network_subnet *subnets;
        size_t n_subnets;
        uint32_t mtu; /* 0: the kernel's */

        /* bridge */
        char bridge[NETWORK_NAME_BYTES];
        bool foreign;    /* it was there before the network, and stays, … */
        struct ip *kept; /* … with these addresses */
        size_t n_kept;
        bool together, masquerade, inhibit[ENDPOINT_FAMILIES];
        enum network_gateway { GATEWAY_NAT, GATEWAY_ROUTED, GATEWAY_OPEN, GATEWAY_ISOLATED } gateway[ENDPOINT_FAMILIES];
        struct ip host_binding;          /* published ports are bound to, unless they say otherwise; none: all */
        char prefix[NETWORK_NAME_BYTES]; /* of the interface in a container: "eth" */

        /* macvlan, ipvlan */
        char parent[NETWORK_NAME_BYTES]; /* "" : one that leads nowhere is made */
        uint32_t mode;                   /* MACVLAN_MODE_…, IPVLAN_MODE_… */
        uint16_t vlan;                   /* of a parent "eth0.10" that is to be made; 0: none */
};
/* network_parse() - INVALID with what is wrong, in docker's words where it has some */
int network_parse(const struct network_row *row, struct network **ret, struct cor_err *err) COR_MUST_CHECK;
void network_free(struct network *n);
static inline void network_free_p(struct network **n)
{
        network_free(*n);
}
#define auto_network COR_CLEANUP(network_free_p) struct network *

/* network_bool_parse() - of options, as Go reads it; -1 if it is none */
int network_bool_parse(const char *text, bool *ret) COR_MUST_CHECK;
/* network_subnet_of() - the first one of this family, or NULL */
const struct network_subnet *network_subnet_of(const struct network *n, int family);
/* network_firewall() - what the firewall has to know of a bridge network */
struct firewall_network network_firewall(const struct network *n);
/* network_lock() - who makes interfaces or the firewall of @run's store holds it: a descriptor */
int network_lock(int run, struct cor_err *err) COR_MUST_CHECK;

#endif

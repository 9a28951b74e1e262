#ifndef CORACLE_SPEC_DOCKER_NETWORK_H
#define CORACLE_SPEC_DOCKER_NETWORK_H
/*
 * Documents of the Docker Engine API (1.51) that describe a network: Network with its IPAM, as `network inspect` shows
 * it. What a container has of a network, EndpointSettings, is in spec/docker.h.
 *
 * A network is kept in the store as the same document, without the containers.
 */
#include "base/json.h"

struct docker_ipam_pool {
        const char *subnet, *ip_range, *gateway;
        struct cor_pair *auxiliary; /* name: address; not given to containers */
        size_t n_auxiliary;
};
struct docker_ipam {
        const char *driver;
        struct cor_pair *options;
        size_t n_options;
        struct docker_ipam_pool *config;
        size_t n_config;
};
struct docker_config_from {
        const char *network;
};
struct docker_network_container {
        const char *id; /* the key */
        const char *name, *endpoint_id, *mac_address, *ipv4_address, *ipv6_address;
};
struct docker_network {
        const char *name, *id, *created, *scope, *driver;
        bool enable_ipv4, enable_ipv6;
        struct cor_opt_bool asked_ipv4, asked_ipv6; /* only of a request, instead of the two above */
        struct docker_ipam ipam;
        bool internal, attachable, ingress;
        struct docker_config_from config_from;
        bool config_only;
        bool automatic;         /* its IPv4 subnet is one that nobody asked for; only in the store */
        const char *configured; /* what daemon.json said when the default network got its subnets; only in the store */
        bool foreign_bridge;    /* its bridge was there before it, and stays; only in the store */
        const char **foreign_addresses; /* … with these, which stay as well */
        size_t n_foreign_addresses;
        struct docker_network_container *containers;
        size_t n_containers;
        struct cor_pair *options, *labels;
        size_t n_options, n_labels;
};

extern const struct cor_json_doc docker_network_doc;

#endif

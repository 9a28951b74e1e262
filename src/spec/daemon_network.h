#ifndef CORACLE_SPEC_DAEMON_NETWORK_H
#define CORACLE_SPEC_DAEMON_NETWORK_H
/* The rows of daemon.json that concern networks. */
#include "base/json.h"

struct daemon_pool {
        const char *base;
        uint32_t size;
};
struct daemon_driver_options {
        const char *driver;
        struct cor_pair *items;
        size_t n_items;
};
struct daemon_network {
        struct daemon_pool *pools;
        size_t n_pools;
        /* the default network */
        const char *bip, *bip6, *fixed_cidr, *fixed_cidr6, *gateway, *gateway6, *host_ip;
        uint32_t mtu;
        bool icc, masquerade, ipv6;
        /* those that are made */
        struct daemon_driver_options *options;
        size_t n_options;
};
extern const struct cor_json_doc daemon_network_doc;
/* daemon_default_network_doc - without what is of networks that are made: to be printed */
extern const struct cor_json_doc daemon_default_network_doc;

#endif

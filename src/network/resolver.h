#ifndef CORACLE_NETWORK_RESOLVER_H
#define CORACLE_NETWORK_RESOLVER_H
/*
 * The resolver that a container sees at 127.0.0.11: it knows what its owner knows, and asks other servers for the rest.
 * It runs in the owner's process and loop, with sockets in the container's network namespace at ports of nobody's
 * choice: a rule of nftables there leads to them from port 53, which a program in the container may have for itself.
 *
 * Servers are asked one after the other, each for two seconds, from the container's own namespace, so that a container
 * reaches by it nothing that it does not reach by itself; but for those on the host's loopback, which are asked from
 * the host. What comes by TCP is asked by TCP.
 */
#include "network/dns.h"

#define RESOLVER_ADDRESS "127.0.0.11"

enum { RESOLVER_SERVERS_MAX = 8 };

/* What is found of a name; the resolver frees both. */
struct resolver_found {
        struct ip *ips;
        size_t n_ips;
        char *name; /* of an address */
};
struct resolver_source {
        /* 1: the name is one of ours, with or without addresses of that type; 0: it is not; -1: it could not be told */
        int (*lookup)(void *data, const struct dns_question *q, struct resolver_found *ret);
        void *data;
};

struct resolver;
/* resolver_open() - in the network namespace of descriptor @netns */
int resolver_open(int netns, const struct resolver_source *source, struct resolver **ret, struct cor_err *err)
        COR_MUST_CHECK;
void resolver_close(struct resolver *r);
/* resolver_set_servers() - whom to ask for what is not ours; none: nothing is asked, and nothing gets out */
void resolver_set_servers(struct resolver *r, const struct ip *servers, size_t n);
/* For a loop: readable when there is something to do; when (cor_now_ms()) there will be, or -1; do it */
int resolver_fd(const struct resolver *r);
int64_t resolver_due(const struct resolver *r);
void resolver_step(struct resolver *r);

#endif

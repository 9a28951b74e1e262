#ifndef CORACLE_NETWORK_POOL_H
#define CORACLE_NETWORK_POOL_H
/*
 * The pools from which networks get their subnets when nobody names one. Unless daemon.json has others they are
 * docker's: 172.17.0.0/16 to 172.31.0.0/16, 192.168.0.0/20 to 192.168.240.0/20, and for IPv6 the /64 of a /48 that is
 * this store's own (RFC 4193).
 */
#include "linux/ip.h"

/* Subnets of @bits, one beside the other, in @base. */
struct pool {
        struct ip_prefix base;
        uint8_t bits;
};
struct pools {
        struct pool *items; /* in the order in which they are used */
        size_t n_items;     /* 0: docker's; without any of IPv6 that is the store's own, of IPv4 there are none then */
};

/*
 * pool_choose() - the first subnet that overlaps with none of @n others; false: all do. @family 1: IPv6, of which
 * @seed, an id of 64 hexadecimal digits, gives the prefix
 */
bool pool_choose(const struct pools *own, int family, const char *seed, const struct ip_prefix *others, size_t n,
                 struct ip_prefix *ret);

#endif

#ifndef CORACLE_NETWORK_PORTS_INTERNAL_H
#define CORACLE_NETWORK_PORTS_INTERNAL_H
/* What ports.c (their life) and ports_choose.c (which ones) share. */
#include "network/ports.h"

struct published {
        struct port_rows rows;
        struct forward *forward;
        int routes; /* a NETLINK_ROUTE socket, by which clients' addresses are looked at; or -1 */
        struct ports_place place;
};

struct ports_chooser {
        struct store *store;
        const struct ports_request *request;
        struct published *published;
        const char *guard; /* the host's firewall that decides, or NULL */
        bool six;          /* the host has IPv6 */
        int64_t owner;     /* of what could not be had, or 0 */
        uint16_t first, last;
        uint32_t next[3]; /* of ephemeral ports of tcp, udp, sctp: where to go on */
};
/* ports_chooser_init() - what the host has */
int ports_chooser_init(struct ports_chooser *c, struct cor_err *err) COR_MUST_CHECK;
port_choose_fn ports_choose; /* of a struct ports_chooser */

/* What the bridge has to do for it (ports_bridge.c). */
/* ports_route_localhost() - let packets between 127.0.0.1 and the container pass */
int ports_route_localhost(const char *ip4, struct cor_err *err) COR_MUST_CHECK;
/* ports_let_turn_back() - let the container reach itself by an address of the host */
int ports_let_turn_back(pid_t pid, struct cor_err *err) COR_MUST_CHECK;

#endif

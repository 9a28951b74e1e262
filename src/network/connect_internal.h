#ifndef CORACLE_NETWORK_CONNECT_INTERNAL_H
#define CORACLE_NETWORK_CONNECT_INTERNAL_H
/* Shared by connect*.c. */
#include "linux/link_message.h"
#include "network/connect.h"

/* One network that is being connected. */
struct connection {
        struct network *network;
        const struct docker_endpoint *asked;
        struct endpoint_new endpoint;
        const char *mac_asked;
        uint8_t mac[LINK_MAC_BYTES];
        int parent; /* index of the bridge, or of what a macvlan or ipvlan stands on */
        bool made;  /* the interface is there */
};

/* The sockets of a container that is being connected: here, and in its namespace. */
struct connecting {
        const struct network_container *container;
        int run, netns, sock, inside;
        struct connection *items;
        size_t n_items;
};

/* --- connect_link.c --- */
/* connect_parent() - what its interface stands on: the bridge, made if need be */
int connect_parent(struct connecting *c, struct connection *n, struct cor_err *err) COR_MUST_CHECK;
/* connect_link() - its interface, in the container's namespace, with addresses, and up */
int connect_link(struct connecting *c, struct connection *n, struct cor_err *err) COR_MUST_CHECK;
/* connect_undo() - remove the interface */
void connect_undo(struct connecting *c, const struct connection *n);
/* connect_routes() - the default routes, by the network that comes first */
int connect_routes(int inside, struct store *s, int64_t container, const struct docker_network_settings *now,
                   struct cor_err *err) COR_MUST_CHECK;

/* --- connect_document.c --- */
/* connect_describe() - add what docker shows of it */
void connect_describe(const struct connection *n, struct docker_network_settings *now);
/* connect_forget() - remove the network with this id */
void connect_forget(struct docker_network_settings *now, const char *network_id);

#endif

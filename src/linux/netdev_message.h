#ifndef CORACLE_LINUX_NETDEV_MESSAGE_H
#define CORACLE_LINUX_NETDEV_MESSAGE_H
/* Network interfaces and their addresses as rtnetlink messages: bytes to structs and back. linux/netdev.c does the I/O.
 */
#include "linux/netlink.h"

enum { NETDEV_NAME_BYTES = 16 };
struct netdev_link {
        int index;
        unsigned flags; /* IFF_… */
        char name[NETDEV_NAME_BYTES];
};
struct netdev_bytes {
        uint8_t len, bytes[16]; /* an IPv4 or IPv6 address; len 0: none */
};
struct netdev_address {
        int index; /* of its interface */
        uint8_t family, prefix_len, scope;
        uint32_t flags; /* IFA_F_… */
        uint32_t metric;
        struct netdev_bytes local, address, broadcast;
};

/* netdev_read_link() / netdev_read_address() - false if @m is something else, or too short to be one */
bool netdev_read_link(const struct netlink_message *m, struct netdev_link *ret);
bool netdev_read_address(const struct netlink_message *m, struct netdev_address *ret);

void netdev_ask_link(struct netlink_request *r, const char *name);
void netdev_ask_addresses(struct netlink_request *r, int index);
/* netdev_make_move() - interface @index into the namespace of descriptor @netns, as @name */
void netdev_make_move(struct netlink_request *r, int index, const char *name, int netns);
void netdev_make_name(struct netlink_request *r, int index, const char *name);
void netdev_make_up(struct netlink_request *r, int index);
/* netdev_make_address() - @a for interface @index, whatever its own index says */
void netdev_make_address(struct netlink_request *r, const struct netdev_address *a, int index);

#endif

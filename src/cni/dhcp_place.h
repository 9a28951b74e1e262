#ifndef CORACLE_CNI_DHCP_PLACE_H
#define CORACLE_CNI_DHCP_PLACE_H
/*
 * The interface that a lease is for, and packets through it. The daemon stays in its own network namespace, and keeps
 * nothing open in that of a container but the socket of an exchange that is under way: so a namespace that nobody uses
 * any more goes away. It is found again by its path, and held to be the same by its numbers and the interface's index.
 */
#include "cni/dhcp_message.h"
#include "cni/space.h"

struct dhcp_place {
        const char *netns; /* as the daemon sees it */
        const char *ifname;
        uint64_t device, inode; /* of the namespace; 0: not known yet */
        uint64_t cookie;        /* of the namespace, unlike the above never given again; 0: a kernel before 5.14 */
        int index;              /* of the interface */
};
/*
 * dhcp_place_find() - 1 with @s open and *ret_link filled, 0 if namespace or interface are gone (*err says which), -1
 * A place that is not known yet is from then on.
 */
int dhcp_place_find(struct dhcp_place *p, struct space *s, struct link *ret_link, struct cor_err *err) COR_MUST_CHECK;

/* dhcp_socket_open() - for packets to port 68 that come in by interface @index of the namespace @netns */
int dhcp_socket_open(int netns, int index, struct cor_err *err) COR_MUST_CHECK;
/* dhcp_socket_send() - a packet of ETH_P_… @protocol; @mac NULL: to everybody on the link */
int dhcp_socket_send(int sock, int index, uint16_t protocol, const uint8_t *mac, const uint8_t *packet, size_t n,
                     struct cor_err *err) COR_MUST_CHECK;
/*
 * dhcp_socket_receive() - the message in the next packet, in @buf; NULL when there is none (*ret_more false), or the
 * packet was something else (true)
 * @ret_mac: who has sent it
 */
const uint8_t *dhcp_socket_receive(int sock, uint8_t buf[DHCP_PACKET_MAX_BYTES], size_t *ret_n,
                                   uint8_t ret_mac[DHCP_MAC_BYTES], bool *ret_more);

#endif

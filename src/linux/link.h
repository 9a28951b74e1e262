#ifndef CORACLE_LINUX_LINK_H
#define CORACLE_LINUX_LINK_H
/*
 * Interfaces: look up, make, change, move, remove. @sock is a NETLINK_ROUTE socket (netlink_open()), which stays in the
 * network namespace that it was made in; netns_socket() makes one in another.
 */
#include "linux/link_message.h"

/* link_find() - 1, or 0 if there is none of that name; link_get() - NOT_FOUND then */
int link_find(int sock, const char *name, struct link *ret, struct cor_err *err) COR_MUST_CHECK;
int link_get(int sock, const char *name, struct link *ret, struct cor_err *err) COR_MUST_CHECK;
int link_get_index(int sock, int index, struct link *ret, struct cor_err *err) COR_MUST_CHECK;
/* link_list() - all interfaces, or those whose master is @master if it is not 0; free() *ret */
int link_list(int sock, int master, struct link **ret, size_t *ret_n, struct cor_err *err) COR_MUST_CHECK;

/* link_add() - make @l; EXISTS if the name is taken */
int link_add(int sock, const struct link_new *l, struct cor_err *err) COR_MUST_CHECK;
/* link_remove() - success if there is none of that index */
int link_remove(int sock, int index, struct cor_err *err) COR_MUST_CHECK;
int link_set_up(int sock, int index, bool up, struct cor_err *err) COR_MUST_CHECK;
/* link_set_flags() - IFF_… @flags within @change: IFF_PROMISC, IFF_ALLMULTI, … */
int link_set_flags(int sock, int index, unsigned flags, unsigned change, struct cor_err *err) COR_MUST_CHECK;
int link_set_name(int sock, int index, const char *name, struct cor_err *err) COR_MUST_CHECK;
int link_set_alias(int sock, int index, const char *alias, struct cor_err *err) COR_MUST_CHECK;
int link_set_mac(int sock, int index, const uint8_t *mac, size_t len, struct cor_err *err) COR_MUST_CHECK;
int link_set_mtu(int sock, int index, uint32_t mtu, struct cor_err *err) COR_MUST_CHECK;
int link_set_queue_len(int sock, int index, uint32_t len, struct cor_err *err) COR_MUST_CHECK;
/* link_set_master() - make it a port of @master; 0: of none */
int link_set_master(int sock, int index, int master, struct cor_err *err) COR_MUST_CHECK;
/* link_set_port() - IFLA_BRPORT_… @attribute of a bridge's port */
int link_set_port(int sock, int index, uint16_t attribute, bool on, struct cor_err *err) COR_MUST_CHECK;
/* link_move() - into the namespace of descriptor @netns, as @name (NULL: the one it has) */
int link_move(int sock, int index, const char *name, int netns, struct cor_err *err) COR_MUST_CHECK;

/* link_vlan() - add or remove VLANs @first to @last of a bridge's port, with BRIDGE_VLAN_INFO_… @flags */
int link_vlan(int sock, int port, bool add, uint16_t first, uint16_t last, uint16_t flags, struct cor_err *err)
        COR_MUST_CHECK;
/* link_vlan_list() - the VLANs of a bridge's port; free() *ret */
int link_vlan_list(int sock, int port, uint16_t **ret, size_t *ret_n, struct cor_err *err) COR_MUST_CHECK;

/*
 * link_tap_add() - make tap device @name, persistent, in the caller's network namespace. @owner, @group: who may attach
 * to it, -1 for anybody with the capability
 */
int link_tap_add(const char *name, bool multi_queue, int64_t owner, int64_t group, struct cor_err *err) COR_MUST_CHECK;

/* link_random_name() - @prefix and eight hexadecimal digits */
int link_random_name(const char *prefix, char ret[LINK_NAME_BYTES], struct cor_err *err) COR_MUST_CHECK;

#endif

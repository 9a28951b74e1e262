#ifndef CORACLE_NETWORK_SOURCE_H
#define CORACLE_NETWORK_SOURCE_H
/*
 * Clients' own addresses, where a monitor forwards published ports in the network of an ordinary user (realm.h): its
 * socket towards the container is bound to the address of the client, which is not one of this network's. The way back
 * is by marks and a routing table of their own:
 *
 *      monitor ── from the client, marked SOURCE_OUT ──► container     output: the flow is marked SOURCE_BACK
 *      monitor ◄── to the client ── container                         prerouting: so is a packet of such a flow, and
 *                                                                      what is so marked is for a socket here
 *
 * In the network of the host that would be others' rules and tables to reckon with: not there.
 */
#include "linux/forward.h"
#include "linux/nft_rule.h"

enum { SOURCE_OUT = 0x636f01, SOURCE_BACK = 0x636f02, SOURCE_TABLE = 0x636f };

/* source_write_rules() - their part of the table of firewall.h; how many rules */
int source_write_rules(struct nft_change *c);
/*
 * source_keep() - @f passes on with the addresses of clients, as long as @sock is open: NETLINK_ROUTE, of the network
 * that the caller is in. An address that means somebody in this network is not taken from outside.
 */
int source_keep(struct forward *f, int *sock, struct cor_err *err) COR_MUST_CHECK;

#endif

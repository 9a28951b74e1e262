#ifndef CORACLE_NETWORK_REALM_H
#define CORACLE_NETWORK_REALM_H
/*
 * The network namespace that networks are made in: bridges, the table of nftables, the host's ends of containers.
 * Root's is the one that root is in. An ordinary user may make nothing there, and has one of his own, in which all his
 * networks are; coracle-usernet carries what is for outside, as any program of the user could:
 *
 *      containers ── bridges of the user's ── tap0 10.0.2.100 ──► coracle-usernet ──► sockets in the host's network
 *
 * It is there as long as somebody is in it: the monitors of containers that have networks. Who is in it cannot go back:
 * a monitor needs nothing outside but sockets for published ports (network/host_socket.h), and commands stay outside.
 * Root of a user namespace which has its network for itself, as in a system container, needs none of this.
 */
#include "base/err.h"
#include <stdbool.h>

#define REALM_SUBNET "10.0.2.0/24"
#define REALM_DNS    "10.0.2.3" /* coracle-usernet answers there for the host's servers of names */

/*
 * realm_enter() - from now on this process, which has no threads, is where networks are made: does nothing for root.
 * UNSUPPORTED or DENIED, with what is missing, if that cannot be
 */
int realm_enter(struct cor_err *err) COR_MUST_CHECK;
/* realm_there() - 1, or 0 for a user who has none now: nothing is in it then */
int realm_there(struct cor_err *err) COR_MUST_CHECK;
/* realm_is_own() - networks are in the namespace of a user, not in that of the host */
bool realm_is_own(void);
/* realm_possible() - this installation can have it: root's, or coracle-usernet is there */
bool realm_possible(void);
/* realm_check() - this machine, too: UNSUPPORTED with what is missing */
int realm_check(struct cor_err *err) COR_MUST_CHECK;

/* realm_socket() - a socket of NETLINK_… @protocol where networks are; the process stays where it is. NOT_FOUND for a
 * user who has no network now
 */
int realm_socket(int protocol, struct cor_err *err) COR_MUST_CHECK;

#endif

#ifndef CORACLE_NETWORK_HOST_FORWARD_H
#define CORACLE_NETWORK_HOST_FORWARD_H
/*
 * Where docker or ufw is at work, the chain FORWARD of the table "filter" drops what no rule of it lets pass, and no
 * other table can take that back. Behind all its rules come ours then, as iptables-nft writes and shows them:
 *
 *      FORWARD          jump CORACLE-FORWARD
 *      CORACLE-FORWARD  to a bridge: established, related, translated     accept
 *                       from a bridge to itself                           accept
 *                       from a bridge                                     jump CORACLE-OUT
 *      CORACLE-OUT      to docker0, br-…                                  return
 *                                                                         accept
 *
 * So what our own table (firewall.h) has nothing against passes; but not to docker's bridges, some of which have
 * nothing but that policy before them. What iptables-legacy has in its own tables is out of reach.
 */
#include "base/err.h"

/*
 * host_forward_allow() - the rules of @bridge are there, if such a chain is. The caller holds the lock of networks.
 * @sock: NETLINK_NETFILTER
 */
int host_forward_allow(int sock, const char *bridge, struct cor_err *err) COR_MUST_CHECK;
/* host_forward_forget() - they are gone, and with those of the last bridge the chains; no error if there are none */
int host_forward_forget(int sock, const char *bridge, struct cor_err *err) COR_MUST_CHECK;

#endif

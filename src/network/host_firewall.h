#ifndef CORACLE_NETWORK_HOST_FIREWALL_H
#define CORACLE_NETWORK_HOST_FIREWALL_H
/* Firewalls of the host that decide which ports are open: firewalld and ufw. */
#include "base/err.h"

/* host_firewall() - its name, or NULL: there is none at work. @sock: NETLINK_NETFILTER */
const char *host_firewall(int sock);

/*
 * host_firewall_trust() - firewalld rejects what is forwarded from interfaces that it knows nothing of: a bridge of
 * ours goes into its zone "trusted", unless somebody has put it into another. Nothing, if firewalld is not at work
 */
int host_firewall_trust(int sock, const char *bridge, struct cor_err *err) COR_MUST_CHECK;
/* host_firewall_distrust() - firewalld forgets the bridge */
int host_firewall_distrust(int sock, const char *bridge, struct cor_err *err) COR_MUST_CHECK;

#endif

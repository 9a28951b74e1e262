#ifndef CORACLE_NETWORK_HOST_FIREWALL_H
#define CORACLE_NETWORK_HOST_FIREWALL_H
/* Firewalls of the host that decide which ports are open: firewalld and ufw. */
#include "base/err.h"

/* host_firewall() - its name, or NULL: there is none at work. @sock: NETLINK_NETFILTER */
const char *host_firewall(int sock);

#endif

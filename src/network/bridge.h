#ifndef CORACLE_NETWORK_BRIDGE_H
#define CORACLE_NETWORK_BRIDGE_H
/*
 * The host's end of a bridge network: its interface, the addresses of that, which are the containers' gateways, and
 * what the firewall has to know. Somebody may have removed any of it: whoever needs it, makes it again.
 */
#include "network/network.h"

#define BRIDGE_DEFAULT "coracle0" /* of the network "bridge" */

/*
 * bridge_open() - the index of its interface in the caller's network namespace; made if it is not there, and the
 * containers that are connected become its ports again. @run: descriptor of the store's folder in /run
 */
int bridge_open(struct store *s, int run, int sock, const struct network *n, int *ret, struct cor_err *err)
        COR_MUST_CHECK;
/* bridge_remove() - the interface and what the firewall knows of it; it is no error if there is none */
int bridge_remove(int run, int sock, const struct network *n, struct cor_err *err) COR_MUST_CHECK;
/* bridge_clear() - the same, by who holds network_lock() */
int bridge_clear(int sock, const struct network *n, struct cor_err *err) COR_MUST_CHECK;
/*
 * bridge_fill_firewall() - struct firewall_content: what the store says of all its networks and published ports; @data:
 * the store
 */
int bridge_fill_firewall(struct nft_change *c, void *data, struct cor_err *err);

#endif

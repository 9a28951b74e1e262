#ifndef CORACLE_NETWORK_SUBNET_H
#define CORACLE_NETWORK_SUBNET_H
/* The subnets of a network: those that were asked for, or ones that nobody has, neither a network nor the host. */
#include "network/network.h"

/*
 * network_subnet_add() - record network @row (network_row_add()), with subnets and gateways filled in where its
 * document names none. BUSY when there is none left; INVALID when one overlaps with another network's
 */
int network_subnet_add(struct store *s, struct network_row *row, struct cor_err *err) COR_MUST_CHECK;
/* network_subnet_settle() - the same for one that is there without subnets: the default network, when first used */
int network_subnet_settle(struct store *s, int64_t number, struct cor_err *err) COR_MUST_CHECK;

#endif

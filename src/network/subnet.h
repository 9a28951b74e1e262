#ifndef CORACLE_NETWORK_SUBNET_H
#define CORACLE_NETWORK_SUBNET_H
/* The subnets of a network: those that were asked for, or ones that nobody has, neither a network nor the host. */
#include "network/network.h"
#include "network/pool.h"

/*
 * network_subnet_add() - record network @row (network_row_add()), with subnets and gateways filled in where its
 * document names none. BUSY when there is none left; INVALID when one overlaps with another network's
 */
int network_subnet_add(struct store *s, struct network_row *row, const struct pools *pools, struct cor_err *err)
        COR_MUST_CHECK;
/*
 * network_subnet_settle() - the same for one that is there. @change sees it first, inside of the transaction, with the
 * addresses of the host: it may change the document (1), or leave all as it is (0)
 */
typedef int network_change_fn(struct network_row *row, const struct ip_prefix *host, size_t n_host, void *data,
                              struct cor_err *err);
int network_subnet_settle(struct store *s, int64_t number, const struct pools *pools, network_change_fn *change,
                          void *data, struct cor_err *err) COR_MUST_CHECK;

#endif

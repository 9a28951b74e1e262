#ifndef CORACLE_STORE_ADDRESS_H
#define CORACLE_STORE_ADDRESS_H
/* Which container has which address of a network. Addresses are IPv4, in the host's byte order. */
#include "store/store.h"

/*
 * address_take() - an address between @first and @last of @network that nobody has, for container @number: the one it
 * has already, or the lowest. BUSY if there is none left.
 */
int address_take(struct store *s, const char *network, uint32_t first, uint32_t last, int64_t number, uint32_t *ret,
                 struct cor_err *err) COR_MUST_CHECK;
/* address_drop() - all that container @number has; they go with the container as well */
int address_drop(struct store *s, int64_t number, struct cor_err *err) COR_MUST_CHECK;

#endif

#ifndef CORACLE_STORE_CONTAINER_IDS_H
#define CORACLE_STORE_CONTAINER_IDS_H
/* Ids of the host that are one container's alone. */
#include "store/container.h"

/*
 * container_take_ids() - inside the transaction that adds @r, whose number is known: ids from r->pool, and the map that
 * leads to them in r->id_map. Nothing without a pool. A map that @r came with is kept from others as well. BUSY if all
 * ids of the pool are taken
 */
int container_take_ids(struct store *s, struct container_row *r, struct cor_err *err) COR_MUST_CHECK;

#endif

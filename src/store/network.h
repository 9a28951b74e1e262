#ifndef CORACLE_STORE_NETWORK_H
#define CORACLE_STORE_NETWORK_H
/*
 * Networks in the database: docker's document of each (spec/docker_network.h) without the containers, which are its
 * endpoints (store/endpoint.h). bridge, host and none are there from the beginning.
 */
#include "base/alloc.h"
#include "store/store.h"

struct network_row {
        int64_t number; /* never used twice */
        char *id;       /* 64 hexadecimal digits */
        char *name, *driver;
        int64_t created; /* nanoseconds since 1970 */
        char *document;  /* JSON: docker_network */
        int64_t users;   /* containers that are connected */
};
void network_row_done(struct network_row *r);
#define auto_network_row COR_CLEANUP(network_row_done) struct network_row
struct network_rows {
        struct network_row *items;
        size_t n_items;
};
void network_rows_done(struct network_rows *l);
#define auto_network_rows COR_CLEANUP(network_rows_done) struct network_rows

/* network_is_predefined() - bridge, host or none: not to be removed */
bool network_is_predefined(const char *name);
/*
 * network_row_add() - record it, synced; its number is filled in. @settle, which may be NULL, sees all the others
 * inside the transaction, so that nobody takes meanwhile what it chooses, and may change the document. EXISTS "network
 * with name x already exists"
 */
typedef int network_settle_fn(struct network_row *r, const struct network_rows *others, void *data,
                              struct cor_err *err);
int network_row_add(struct store *s, struct network_row *r, network_settle_fn *settle, void *data, struct cor_err *err)
        COR_MUST_CHECK;
/* network_row_settle() - let @settle look at one that is there and all others, and keep the document it leaves */
int network_row_settle(struct store *s, int64_t number, network_settle_fn *settle, void *data, struct cor_err *err)
        COR_MUST_CHECK;
/* network_row_find() - by name, id or the beginning of an id; NOT_FOUND "network x not found" */
int network_row_find(struct store *s, const char *name_or_id, struct network_row *ret, struct cor_err *err)
        COR_MUST_CHECK;
int network_row_get(struct store *s, int64_t number, struct network_row *ret, struct cor_err *err) COR_MUST_CHECK;
/* network_row_all() - by name */
int network_row_all(struct store *s, struct network_rows *ret, struct cor_err *err) COR_MUST_CHECK;
/* network_row_remove() - synced; BUSY, in docker's words, while containers are connected */
int network_row_remove(struct store *s, const struct network_row *r, struct cor_err *err) COR_MUST_CHECK;

#endif

#ifndef CORACLE_STORE_ENDPOINT_H
#define CORACLE_STORE_ENDPOINT_H
/*
 * Endpoints: which container is connected with which network now, its addresses there, and its names. An address is
 * chosen in the transaction that records it, so that no two containers have the same; it is the endpoint's as long as
 * that is there, and an endpoint goes with its container's row at the latest.
 */
#include "base/alloc.h"
#include "linux/ip.h"
#include "store/store.h"

/* Where an address may be taken from. */
struct endpoint_pool {
        struct ip_prefix subnet;
        struct ip first, last;  /* the lowest that is free of these, */
        const struct ip * not ; /* but none of these */
        size_t n_not;
};

enum { ENDPOINT_FAMILIES = 2 }; /* [0]: IPv4, [1]: IPv6 */
struct endpoint_row {
        int64_t network, container; /* numbers */
        char *id;                   /* 64 hexadecimal digits */
        char *interface;            /* in the container */
        char *host_interface;       /* its other end; NULL: there is none */
        char *mac;
        struct ip_prefix ip[ENDPOINT_FAMILIES]; /* with the bits of the subnet */
        struct cor_strv names;                  /* what the containers of the network call it */
        /* of the container; only read */
        char *container_id, *container_name;
};
void endpoint_row_done(struct endpoint_row *r);
#define auto_endpoint_row COR_CLEANUP(endpoint_row_done) struct endpoint_row
struct endpoint_rows {
        struct endpoint_row *items;
        size_t n_items;
};
void endpoint_rows_done(struct endpoint_rows *l);
#define auto_endpoint_rows COR_CLEANUP(endpoint_rows_done) struct endpoint_rows

/* An endpoint to be made: with @wanted the addresses that it must have (len 0: any). */
struct endpoint_new {
        struct endpoint_row row; /* ip is filled in */
        const struct endpoint_pool *pools;
        size_t n_pools;
        struct ip wanted[ENDPOINT_FAMILIES];
        bool has[ENDPOINT_FAMILIES]; /* it gets an address of this family */
        char *network_name;          /* for errors */
        /* called once the addresses are known, for what they give: the hardware address. May be NULL */
        void (*complete)(struct endpoint_new *n);
};
/*
 * endpoint_rows_add() - all @n of one container, or none. BUSY when a pool is exhausted or an address is taken; INVALID
 * when no subnet has the one that is wanted; NOT_FOUND when a network is gone
 */
int endpoint_rows_add(struct store *s, struct endpoint_new *const *items, size_t n, struct cor_err *err) COR_MUST_CHECK;
/* endpoint_row_remove() - of one network, or with @network 0 all of a container's; none is no error */
int endpoint_row_remove(struct store *s, int64_t container, int64_t network, struct cor_err *err) COR_MUST_CHECK;
/* endpoint_row_rename() - a container has another name: @from is replaced in all its networks but bridge */
int endpoint_row_rename(struct store *s, int64_t container, const char *from, const char *to, struct cor_err *err)
        COR_MUST_CHECK;
/* endpoint_rows_find() - of one network, of one container, or with 0 for either of all; with names if @names */
int endpoint_rows_find(struct store *s, int64_t network, int64_t container, bool names, struct endpoint_rows *ret,
                       struct cor_err *err) COR_MUST_CHECK;
/* endpoint_any() - some container is connected with some network: 1, 0 */
int endpoint_any(struct store *s, struct cor_err *err) COR_MUST_CHECK;
/*
 * endpoint_lookup() - addresses of those of @network that are called @name (in any case), appended; *ret_known tells
 * whether anybody is, with or without such addresses
 */
struct endpoint_addresses {
        struct ip *items;
        size_t n_items;
};
int endpoint_lookup(struct store *s, int64_t network, const char *name, struct endpoint_addresses *ret, bool *ret_known,
                    struct cor_err *err) COR_MUST_CHECK;
/* endpoint_name_of() - whoever has address @a in @network: 1 and the container's name, 0; free() */
int endpoint_name_of(struct store *s, int64_t network, const struct ip *a, char **ret, struct cor_err *err)
        COR_MUST_CHECK;

#endif

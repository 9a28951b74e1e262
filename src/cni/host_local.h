#ifndef CORACLE_CNI_HOST_LOCAL_H
#define CORACLE_CNI_HOST_LOCAL_H
/*
 * host-local in three parts: its configuration (host_local_config.c), the folder that says which address is whose
 * (host_local_store.c), and the verbs (host_local.c).
 */
#include "cni/ipam.h"
#include "linux/ip.h"

/* ---------------------------------------------------------------------------------------------------- configuration */

struct pool_range {
        const char *subnet_text, *start_text, *end_text, *gateway_text;
        struct ip_prefix subnet;
        struct ip start, end, gateway; /* both ends are in it */
};
struct pool { /* one address is taken out of each */
        struct pool_range *ranges;
        size_t n_ranges;
};
struct host_local {
        struct host_local_ipam {
                const char *subnet_text, *start_text, *end_text, *gateway_text; /* one range, the old way */
                struct pool *pools;
                size_t n_pools;
                struct cni_route *routes;
                size_t n_routes;
                const char *data_dir, *resolv_conf;
        } * ipam;
        struct ipam_args args;
        struct {
                const char **ips;
                size_t n_ips;
                struct pool *pools;
                size_t n_pools;
        } runtime;
        /* What all of this amounts to. */
        struct pool *pools;
        struct ip *wanted; /* particular addresses that are asked for */
        size_t n_pools, n_wanted;
};
extern const struct cor_json_doc host_local_doc;
/* host_local_load() - read and checked; cor_json_free() */
int host_local_load(struct cni_call *c, struct host_local **ret, struct cor_err *err) COR_MUST_CHECK;
/* pool_range_has() - also between its ends; pool_find() - the range that has @a, or NULL */
bool pool_range_has(const struct pool_range *r, const struct ip *a);
const struct pool_range *pool_find(const struct pool *p, const struct ip *a);

/* ------------------------------------------------------------------------------------------------------------ store */

/*
 * A folder for each network, the same as the reference plugin's: a file for each address in use, named by it, that says
 * by whom; last_reserved_ip.N, the address last taken from the Nth pool; lock, held (flock) by whoever looks or
 * changes. An address is taken by a rename, so that a file is there whole or not at all; one that is empty was left by
 * somebody who was killed, and is free.
 */
struct address_store {
        int dir, lock;
};
#define ADDRESS_STORE_INIT                                                                                             \
        {                                                                                                              \
                .dir = -1, .lock = -1                                                                                  \
        }
void address_store_done(struct address_store *s);
#define auto_address_store COR_CLEANUP(address_store_done) struct address_store
/* address_store_open() - make it if @make, and lock it: 1, or 0 if it is not there. @data_dir NULL: the usual one */
int address_store_open(struct address_store *s, const char *data_dir, const char *network, bool make,
                       struct cor_err *err) COR_MUST_CHECK;

/* address_store_reserve() - 1 it is the attachment's now, 0 it is somebody's already. @pool: remembers it as the last
 */
int address_store_reserve(struct address_store *s, size_t pool, const struct ip *a, const char *container_id,
                          const char *ifname, struct cor_err *err) COR_MUST_CHECK;
bool address_store_is_free(struct address_store *s, const struct ip *a);
/* address_store_last() - the address last taken from @pool; false: none */
bool address_store_last(struct address_store *s, size_t pool, struct ip *ret);

/* An address in use. @ifname is NULL in files of very old versions. Strings are valid during the call. */
typedef int address_store_fn(struct address_store *s, const char *file, const struct ip *a, const char *container_id,
                             const char *ifname, void *data, struct cor_err *err);
int address_store_each(struct address_store *s, address_store_fn *fn, void *data, struct cor_err *err) COR_MUST_CHECK;
/* address_store_release() - all addresses of an attachment; the number of them */
int address_store_release(struct address_store *s, const char *container_id, const char *ifname, struct cor_err *err)
        COR_MUST_CHECK;

#endif

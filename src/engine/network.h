#ifndef CORACLE_ENGINE_NETWORK_H
#define CORACLE_ENGINE_NETWORK_H
/* Networks, as docker has them. What they are and who is connected is in the store (store/network.h, endpoint.h). */
#include "engine/engine.h"
#include "spec/docker.h"
#include "spec/docker_network.h"
#include "store/container.h"
#include "store/network.h"

/*
 * engine_create_network() - with the name, driver, IPAM, options and labels of @wanted (INVALID, EXISTS, BUSY in
 * docker's words); a bridge is made at once. free() *ret_id
 */
int engine_create_network(struct engine *e, const struct docker_network *wanted, char **ret_id, struct cor_err *err)
        COR_MUST_CHECK;
/* engine_remove_network() - BUSY while containers are connected; *ret_name (may be NULL): free() */
int engine_remove_network(struct engine *e, const char *name, char **ret_name, struct cor_err *err) COR_MUST_CHECK;
/* engine_inspect_network() - with the containers that are connected; cor_json_free() *ret */
int engine_inspect_network(struct engine *e, const char *name, struct docker_network **ret, struct cor_err *err)
        COR_MUST_CHECK;

/* Filters: docker's keys of networks. */
struct network_filter {
        const struct cor_pair *items;
        size_t n_items;
        bool prune;
};
/* engine_networks() - those that the filters let pass, by name; INVALID if there is no such filter */
int engine_networks(struct engine *e, const struct network_filter *f, struct network_rows *ret, struct cor_err *err)
        COR_MUST_CHECK;
/* engine_prune_networks() - remove those that nobody is connected with; *removed gets their names */
int engine_prune_networks(struct engine *e, const struct network_filter *f, struct cor_strv *removed,
                          struct cor_err *err) COR_MUST_CHECK;
/* network_row_document() - its document, complete but for the containers; cor_json_free() */
int network_row_document(const struct network_row *r, struct docker_network **ret, struct cor_err *err) COR_MUST_CHECK;

/*
 * engine_connect_network() - container @name with network @network, as @asked (which may be NULL) says; one that runs
 * is connected when this returns. engine_disconnect_network() likewise
 */
int engine_connect_network(struct engine *e, const char *network, const char *name, const struct docker_endpoint *asked,
                           struct cor_err *err) COR_MUST_CHECK;
int engine_disconnect_network(struct engine *e, const char *network, const char *name, bool force, struct cor_err *err)
        COR_MUST_CHECK;

/*
 * engine_check_networks() - what somebody has removed of networks that containers are connected with: @found is called
 * with each; @repair: it is made again
 */
int engine_check_networks(struct engine *e, bool repair, void (*found)(void *context, const char *what, bool repaired),
                          void *context, struct cor_err *err) COR_MUST_CHECK;

/*
 * engine_settle_networks() - what a new container asks of networks, with the networks looked up and what is wrong with
 * it told: the document that is kept. free() *ret
 */
int engine_settle_networks(struct engine *e, const struct docker_host_config *host,
                           const struct docker_networking_config *asked, char **ret, struct cor_err *err)
        COR_MUST_CHECK;
/*
 * engine_prepare_networks() - what a container that is to start, with the given NetworkMode, finds: the default network
 * as daemon.json says
 */
int engine_prepare_networks(struct engine *e, const struct container_row *row, const char *mode, struct cor_err *err)
        COR_MUST_CHECK;
/* engine_restore_firewall() - what somebody has emptied is filled again, if containers are connected; failing is logged
 */
void engine_restore_firewall(struct engine *e);

#endif

#ifndef CORACLE_NETWORK_CONNECT_H
#define CORACLE_NETWORK_CONNECT_H
/*
 * Connecting a container with its networks: an interface for each in its network namespace, with addresses and routes.
 * It is done by the container's monitor, between its first process and its program, or while it runs.
 *
 * "host" and "none" need nothing of what is here; neither does a container in the network namespace of another one.
 */
#include "network/network.h"
#include "spec/docker.h"
#include <sys/types.h>

#define NETWORK_DEFAULT "bridge"

/* network_wanted() - a container with this HostConfig.NetworkMode has networks of its own to be connected with */
bool network_wanted(const char *mode);
/* network_has() - a container of that NetworkMode gets it: an ordinary user's default is none without coracle-usernet
 */
bool network_has(const char *mode);
/* network_name_of() - the name of the network that @mode is, "bridge" for the default */
const char *network_name_of(const char *mode);

struct network_container {
        struct store *store;
        int64_t number;
        const char *id, *name, *hostname;
        const char
                *mac; /* of its first interface, unless that says something else; NULL or empty: none in particular */
        pid_t pid;    /* of its first process, whose network namespace it is */
};
/* network_settings_new() - an empty document to be filled by network_connect(); cor_json_free() */
int network_settings_new(struct docker_network_settings **ret, struct cor_err *err) COR_MUST_CHECK;
/*
 * network_connect() - give it an interface for each of @n networks, that it is not connected with yet, and add to @now
 * what docker shows of them. On failure nothing of them is left, and @now is as it was.
 */
int network_connect(const struct network_container *c, const struct docker_endpoint *wanted, size_t n,
                    struct docker_network_settings *now, struct cor_err *err) COR_MUST_CHECK;
/* network_disconnect() - take away the interface of the network with this id; it is no error if there is none */
int network_disconnect(const struct network_container *c, const char *network_id, struct docker_network_settings *now,
                       struct cor_err *err) COR_MUST_CHECK;
/* network_release() - its addresses are free again; its interfaces went with its namespace */
void network_release(struct store *s, int64_t number, const char *id);
/* network_find_wanted() - the network that an endpoint names: by its id if it has one */
int network_find_wanted(struct store *s, const struct docker_endpoint *e, struct network_row *ret, struct cor_err *err)
        COR_MUST_CHECK;

#endif

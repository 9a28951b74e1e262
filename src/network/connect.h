#ifndef CORACLE_NETWORK_CONNECT_H
#define CORACLE_NETWORK_CONNECT_H
/*
 * Networks of containers. There is one so far, "bridge": an interface of the host to which each container is connected
 * by a pair of its own, with addresses of one subnet, and translation of these on the way out. It is made when the
 * first container wants it, and stays.
 *
 * "host" and "none" need nothing of what is here; neither does a container in the network namespace of another one.
 */
#include "spec/docker.h"
#include "store/store.h"
#include <sys/types.h>

#define NETWORK_BRIDGE "bridge"

/* network_wanted() - a container with this HostConfig.NetworkMode is connected to the bridge */
bool network_wanted(const char *mode);

struct network_request {
        int64_t number;  /* of the container */
        const char *id;  /* of the container */
        const char *mac; /* NULL or empty: one that its address gives */
        pid_t pid;       /* of its first process, whose network namespace it is */
};
/*
 * network_connect() - give it the interface eth0. *ret is what docker shows of it: settings_free(). On failure there is
 * nothing left of it.
 */
int network_connect(struct store *s, const struct network_request *r, struct docker_network_settings **ret,
                    struct cor_err *err) COR_MUST_CHECK;
/* network_disconnect() - its address is free again; the interface went with its namespace */
void network_disconnect(struct store *s, int64_t number);
void network_settings_free(struct docker_network_settings *n);

#endif

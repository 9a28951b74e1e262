#ifndef CORACLE_ENGINE_NETWORK_CONFIG_H
#define CORACLE_ENGINE_NETWORK_CONFIG_H
/*
 * What daemon.json says of networks (docs/networking.md): pools, the default network, options of networks that are
 * made. What is wrong there is INVALID, with file and key.
 */
#include "engine/engine.h"
#include "network/pool.h"
#include "spec/daemon_network.h"
#include "spec/docker_network.h"

struct network_config {
        char *file;                  /* NULL: there is none */
        bool shared;                 /* it is dockerd's own */
        struct daemon_network *said; /* never NULL */
        struct pools pools;
};
int network_config_load(struct network_config *ret, struct cor_err *err) COR_MUST_CHECK;
void network_config_done(struct network_config *c);
#define auto_network_config COR_CLEANUP(network_config_done) struct network_config

/* network_config_options() - those of new networks of @driver; NULL: none */
const struct daemon_driver_options *network_config_options(const struct network_config *c, const char *driver);
/* network_config_default() - the default network becomes what the file says, unless it is in use */
int network_config_default(struct engine *e, struct cor_err *err) COR_MUST_CHECK;

#endif

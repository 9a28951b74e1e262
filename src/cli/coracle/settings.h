#ifndef CORACLE_CLI_CORACLE_SETTINGS_H
#define CORACLE_CLI_CORACLE_SETTINGS_H
/* What docker's config.json says of the command line itself; credentials are registry/config.h's concern. */
#include "base/json.h"

struct settings_proxy {
        const char *key; /* "default" */
        const char *http, *https, *ftp, *no, *all;
};

struct settings {
        const char *detach_keys, *ps_format, *stats_format, *volumes_format, *networks_format;
        struct settings_proxy *proxies;
        size_t n_proxies;
};

/*
 * settings_load() - from $DOCKER_CONFIG or ~/.docker; cor_json_free(). No file is no error: *ret is empty then. INVALID
 * names the file
 */
int settings_load(struct settings **ret, struct cor_err *err) COR_MUST_CHECK;

#endif

#ifndef CORACLE_REGISTRY_HOST_H
#define CORACLE_REGISTRY_HOST_H
/* One place to ask, by itself. */
#include "registry/config.h"

/* registry_host_init() - a host by its URL, with docker's rules for certificates and insecure registries */
int registry_host_init(const struct registry_config *c, const char *url, struct registry_host *ret, struct cor_err *err)
        COR_MUST_CHECK;
void registry_host_done(struct registry_host *h);
/* registry_default_url() - where @domain is reached without any configuration; free() */
char *registry_default_url(const char *domain);

#endif

#ifndef CORACLE_REGISTRY_HELPER_H
#define CORACLE_REGISTRY_HELPER_H
/* Docker's credential helpers: docker-credential-NAME in PATH, one verb each, JSON or a server's address on stdin. */
#include "registry/config.h"

/* helper_get() - 1 found, 0 it has none for @server */
int helper_get(const char *helper, const char *server, struct registry_auth *ret, struct cor_err *err) COR_MUST_CHECK;
int helper_store(const char *helper, const char *server, const struct registry_auth *auth, struct cor_err *err)
        COR_MUST_CHECK;
int helper_erase(const char *helper, const char *server, struct cor_err *err) COR_MUST_CHECK;

#endif

#ifndef CORACLE_REGISTRY_HOSTS_TOML_H
#define CORACLE_REGISTRY_HOSTS_TOML_H
/* containerd's hosts.toml, with all keys that its docs/hosts.md names. */
#include "registry/config.h"

/*
 * hosts_toml_load() - the hosts that file @path names for @domain, the server last; INVALID names file, line and key. A
 * key that is not known is an error: it would silently not do what it is there for.
 */
int hosts_toml_load(const struct registry_config *c, const char *path, const char *domain, struct registry_host **ret,
                    size_t *ret_n, struct cor_err *err) COR_MUST_CHECK;
/* hosts_toml_parse() - the same from @n bytes of text; relative file names are below @folder */
int hosts_toml_parse(const struct registry_config *c, const char *text, size_t n, const char *folder,
                     const char *domain, struct registry_host **ret, size_t *ret_n, struct cor_err *err) COR_MUST_CHECK;

#endif

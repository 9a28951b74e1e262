#ifndef CORACLE_REGISTRY_TRUST_H
#define CORACLE_REGISTRY_TRUST_H
/* From names of files to what they hold: everything is read when a handle is made, while the rights to do so are there.
 */
#include "registry/config.h"
#include "registry/http.h"

/* http_trust_load() - INVALID or NOT_FOUND names the file */
int http_trust_load(const struct registry_host *h, struct http_trust *ret, struct cor_err *err) COR_MUST_CHECK;

/* http_trust_files() - where libcurl finds the system's certificates while it connects */
void http_trust_files(struct cor_strv *ret);

#endif

#ifndef CORACLE_RUNTIME_SPEC_DEFAULT_H
#define CORACLE_RUNTIME_SPEC_DEFAULT_H
/* `spec`: a config.json to start from, the same that runc and crun write. */
#include "base/text.h"

/* spec_default_print() - append the document; @unified: the host's cgroups are version 2 (a cgroup namespace helps) */
void spec_default_print(const char *hostname, bool rootless, bool unified, struct cor_text *out);
/*
 * spec_default_write() - write it to config.json in @bundle (NULL: the working directory); EXISTS if there is one.
 * @file, if not NULL, is what to write instead, existing or not.
 */
int spec_default_write(const char *bundle, const char *file, const char *hostname, bool rootless, struct cor_err *err)
        COR_MUST_CHECK;

#endif

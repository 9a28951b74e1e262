#ifndef CORACLE_RUNTIME_CONTEXT_H
#define CORACLE_RUNTIME_CONTEXT_H
/* What every verb of the runtime needs to know about its caller: the global options, resolved once. */
#include "base/err.h"
#include "linux/cgroup.h"
#include <stdbool.h>

struct runtime_context {
        const char *root;            /* absolute path of the state directory, one folder a container below it */
        enum cgroup_manager manager; /* how cgroups are made: --systemd-cgroup, --cgroup-manager */
        bool rootless;               /* no rights on the host's cgroups are taken for granted */
};

/*
 * runtime_default_root() - /run/coracle/runtime for root, $XDG_RUNTIME_DIR/coracle/runtime otherwise; INVALID with the
 * flag to use when there is none. free() *ret
 */
int runtime_default_root(char **ret, struct cor_err *err) COR_MUST_CHECK;
/* runtime_default_rootless() - whether the caller is to be treated as rootless: not root, or root of a user namespace
 */
bool runtime_default_rootless(void);

#endif

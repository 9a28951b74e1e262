#ifndef CORACLE_USERNET_SANDBOX_H
#define CORACLE_USERNET_SANDBOX_H
/*
 * What the process that reads hostile bytes gives up first:
 *
 *   files         its root is an empty, read-only file system with /etc/resolv.conf in it (resolver.h)
 *   capabilities  all; root keeps CAP_NET_BIND_SERVICE for ports below 1024
 *   privileges    no_new_privs; it cannot be traced by its own user and leaves no core file
 *   system calls  all but those of a list (filter.c)
 */
#include "base/err.h"
#include <stdbool.h>

struct sandbox_plan {
        bool need_root, need_filter; /* end rather than go on without */
        bool resolver;               /* somebody will ask for name servers */
        int userns;                  /* that of the target, where the user may not make one; or -1 */
};

/*
 * sandbox_enter() - what cannot be had and need not be is left out with a warning on stderr; capabilities and
 * no_new_privs are never. *ret_resolver is to stay open for as long as resolv.conf is to be followed; or -1
 */
int sandbox_enter(const struct sandbox_plan *p, int *ret_resolver, struct cor_err *err) COR_MUST_CHECK;

/* filter.c: sandbox_filter() - from now on only what libslirp and our loop call */
int sandbox_filter(struct cor_err *err) COR_MUST_CHECK;

#endif

#ifndef CORACLE_ENGINE_ROOTLESS_H
#define CORACLE_ENGINE_ROOTLESS_H
/*
 * An ordinary user's namespace: the caller becomes id 0 in it, the subordinate ids of /etc/subuid and /etc/subgid are
 * the ids from 1 on. Files of layers then can have owners, and whiteouts can be made.
 */
#include "base/err.h"

/*
 * rootless_enter() - put the calling process, which has no threads, into such a namespace. DENIED, with what is
 * missing, where the user has no subordinate ids or may not make user namespaces.
 */
int rootless_enter(struct cor_err *err) COR_MUST_CHECK;

#endif

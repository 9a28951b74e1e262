#ifndef CORACLE_ENGINE_ROOTLESS_H
#define CORACLE_ENGINE_ROOTLESS_H
/*
 * An ordinary user's namespace: the caller becomes id 0 in it, the subordinate ids of /etc/subuid and /etc/subgid are
 * the ids from 1 on. Files of layers then can have owners, and whiteouts can be made.
 *
 * All containers of a user are in one such namespace: who comes later must be able to enter them. There is no process
 * that keeps it; the file $XDG_RUNTIME_DIR/coracle/namespace lists those that are in it, and whoever wants in joins one
 * that lives.
 */
#include "base/err.h"
#include <stdbool.h>
#include <sys/types.h>

/*
 * rootless_enter() - put the calling process, which has no threads, into such a namespace, with a mount namespace of
 * its own in it: into the one that other processes of this user are in already, or else a new one. DENIED, with what is
 * missing, where the user has no subordinate ids or may not make user namespaces.
 */
int rootless_enter(struct cor_err *err) COR_MUST_CHECK;
/* rootless_add() - process @pid, which stays, is in that namespace as well. Does nothing if rootless_enter() did not */
int rootless_add(pid_t pid, struct cor_err *err) COR_MUST_CHECK;
/* rootless_entered() - this process is in such a namespace */
bool rootless_entered(void);

#endif

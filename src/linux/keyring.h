#ifndef CORACLE_LINUX_KEYRING_H
#define CORACLE_LINUX_KEYRING_H
/* Kernel keyrings: a container must not see the session keys of whoever started it. */
#include "base/err.h"

/**
 * keyring_join() - a session keyring named @name ("_ses.ID") for the calling process, its container and every exec
 *
 * Searchable by the user's other processes, as runc's are. Returns 1 if joined, 0 if this kernel has no keyrings or a
 * system call filter around us forbids them (the container is then under the same filter). Anything else is an error:
 * the container would see the session keys of its caller. No allocation.
 */
int keyring_join(const char *name, struct cor_err *err) COR_MUST_CHECK;

#endif

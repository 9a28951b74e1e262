#ifndef CORACLE_LINUX_MOUNT_INTERNAL_H
#define CORACLE_LINUX_MOUNT_INTERNAL_H
/* What the files of linux/mount.h tell each other. */
#include "linux/mount.h"

/* mount_procfs() - whose links are to be used rather than those of /proc, or -1 */
int mount_procfs(void);

/*
 * mount_by_child() - what @make returns, a descriptor, in a child of the caller's, which may go to other namespaces for
 * it; its error otherwise. TIMEOUT if it does not answer.
 */
int mount_by_child(int (*make)(void *context, struct cor_err *err), void *context, struct cor_err *err) COR_MUST_CHECK;

#endif

#ifndef CORACLE_LINUX_MOUNT_INTERNAL_H
#define CORACLE_LINUX_MOUNT_INTERNAL_H
/* What the files of linux/mount.h tell each other. */
#include "linux/mount.h"

/* mount_procfs() - whose links are to be used rather than those of /proc, or -1 */
int mount_procfs(void);

#endif

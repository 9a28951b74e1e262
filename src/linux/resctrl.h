#ifndef CORACLE_LINUX_RESCTRL_H
#define CORACLE_LINUX_RESCTRL_H
/*
 * linux.intelRdt: cache and memory-bandwidth shares (Intel RDT, AMD QoS) by way of the resctrl file system. A class of
 * service is a directory of its mount. One that we made is removed with the container; one that was there is only
 * joined. Monitoring groups (mon_groups/ID inside a class) are made per container.
 */
#include "base/text.h"
#include <sys/types.h>

struct oci_intel_rdt;

/* Tests put a made-up tree here; NULL is the host's mount. */
extern const char *resctrl_mount;

/* resctrl_available() - the kernel and processor have it and it is mounted */
bool resctrl_available(void);

/**
 * resctrl_setup() - make or check the container's class, write its schemata, put @pid into it
 * @id:       container id: the class's name when no closID is given
 * @ret_path: what to remember for resctrl_remove(): the path of what was made, or NULL if nothing was; free()
 *
 * A named class without schemata must exist; one that exists with schemata must already hold the same ones. On failure
 * what was made is removed. UNSUPPORTED without resctrl.
 */
int resctrl_setup(const struct oci_intel_rdt *rdt, const char *id, pid_t pid, char **ret_path, struct cor_err *err)
        COR_MUST_CHECK;
/* resctrl_update() - write new schemata (NULL: leave) to the class of the container */
int resctrl_update(const struct oci_intel_rdt *rdt, const char *id, const char *l3, const char *mb, struct cor_err *err)
        COR_MUST_CHECK;
/* resctrl_join() - put one more process (exec) into the class and monitoring group */
int resctrl_join(const struct oci_intel_rdt *rdt, const char *id, pid_t pid, struct cor_err *err) COR_MUST_CHECK;
/* resctrl_paths() - mount point, directory of the class, and of the monitoring group or NULL; free() each */
int resctrl_paths(const struct oci_intel_rdt *rdt, const char *id, char **ret_root, char **ret_class,
                  char **ret_monitor, struct cor_err *err) COR_MUST_CHECK;
/* resctrl_remove() - remove what resctrl_setup() made; absence is success */
int resctrl_remove(const char *path, struct cor_err *err) COR_MUST_CHECK;
/* resctrl_print_stats() - the "intel_rdt" object of `events --stats` */
int resctrl_print_stats(const struct oci_intel_rdt *rdt, const char *id, struct cor_text *out, struct cor_err *err)
        COR_MUST_CHECK;

#endif

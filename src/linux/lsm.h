#ifndef CORACLE_LINUX_LSM_H
#define CORACLE_LINUX_LSM_H
/*
 * Security labels: AppArmor profiles and SELinux contexts that take effect at the next exec. They are written through a
 * verified procfs (linux/procfs.h) held since before the container's mounts were made (CVE-2019-16884).
 */
#include "base/err.h"
#include <stdbool.h>

/* One check each, of the host's view (before the container's mounts), made only for who asks. */
bool lsm_apparmor_enabled(void);
bool lsm_selinux_enabled(void);
/* For those who choose a profile: AppArmor is enabled, and profiles may have been loaded. Not inside containers. */
bool lsm_apparmor_has_profiles(void);

/*
 * lsm_check() - what is asked for can be had: INVALID if the module is not enabled (a container is not to run without
 * the protection that it was configured to have), or if a label could break out of a mount option. NULL and "" ask for
 * nothing. Called before anything is made.
 */
int lsm_check(const char *apparmor_profile, const char *selinux_label, const char *mount_label, struct cor_err *err)
        COR_MUST_CHECK;

/* lsm_apparmor_on_exec() - profile from the next exec on. "" and NULL: nothing to do. No allocation. */
int lsm_apparmor_on_exec(int procfs, const char *profile, struct cor_err *err) COR_MUST_CHECK;
/* lsm_selinux_on_exec() - label from the next exec on; the rest as above */
int lsm_selinux_on_exec(int procfs, const char *label, struct cor_err *err) COR_MUST_CHECK;
/* lsm_selinux_for_keys() - label of keyrings made from now on until the next exec; the rest as above */
int lsm_selinux_for_keys(int procfs, const char *label, struct cor_err *err) COR_MUST_CHECK;
/*
 * lsm_mount_label() - @options with `context="LABEL"` added, for filesystems that take it; free(). A copy of @options
 * if @label is empty; NULL if both are empty. @kind is the option's name: context, fscontext, defcontext, rootcontext;
 * NULL is context.
 */
char *lsm_mount_label(const char *options, const char *label, const char *kind);

#endif

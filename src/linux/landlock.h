#ifndef CORACLE_LINUX_LANDLOCK_H
#define CORACLE_LINUX_LANDLOCK_H
/* Landlock: a process gives up all files but those beneath some folders, for ever, and for its children. */
#include "base/err.h"
#include <stdbool.h>
#include <stddef.h>

/**
 * landlock_confine() - from now on open, make and remove files beneath @folders only; nothing is executed
 * @folders: descriptors (O_PATH will do)
 * @network: TCP stays (what is not there cannot be taken: Linux 6.7 and newer)
 *
 * What is open already stays open, and attributes of what can be named can be read and set: Landlock has no say in
 * these. Needs no_new_privs. Returns 1; 0 if the kernel has none, or one that could not allow a hard link from one
 * directory to another (before Linux 5.19).
 */
int landlock_confine(const int *folders, size_t n_folders, bool network, struct cor_err *err) COR_MUST_CHECK;

#endif

#ifndef CORACLE_RUNTIME_MOUNTS_ADDED_H
#define CORACLE_RUNTIME_MOUNTS_ADDED_H
/*
 * Which folders and files of the host were bound into a container after its start (`mounts add`), and not taken away
 * again: neither the stored configuration nor the bundle knows of them, so no checkpoint can be restored. A file in the
 * container's folder has one line for each change, "+" or "-" and the destination as a JSON string; a line is one
 * write() at the end, so that nobody needs a lock.
 */
#include "base/err.h"
#include <stdbool.h>

/* mounts_added_note() - @destination is about to be bound (@added), or was taken away */
int mounts_added_note(int dirfd, const char *destination, bool added, struct cor_err *err) COR_MUST_CHECK;
/* mounts_added_check() - BUSY, naming one, if there are some */
int mounts_added_check(int dirfd, struct cor_err *err) COR_MUST_CHECK;

#endif

#ifndef CORACLE_LINUX_QUOTA_H
#define CORACLE_LINUX_QUOTA_H
/*
 * Project quotas: a limit on the bytes below some folders, where the filesystem counts projects (xfs mounted with
 * pquota, ext4 made with the project feature and mounted with prjquota).
 */
#include "base/err.h"
#include <stddef.h>
#include <stdint.h>

/*
 * quota_limit() - the empty folders @fds become a project of their own that may use @bytes
 * @wish: the number that it shall have, or if that is in use, one after it
 *
 * UNSUPPORTED, saying what is needed, where the filesystem does not count projects.
 */
int quota_limit(const int *fds, size_t n_fds, uint32_t wish, uint64_t bytes, struct cor_err *err) COR_MUST_CHECK;

#endif

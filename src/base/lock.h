#ifndef CORACLE_BASE_LOCK_H
#define CORACLE_BASE_LOCK_H
/*
 * Locks that the kernel drops with their holder. Both kinds belong to the open file: whoever closes it, or dies, lets
 * go. flock(2) and fcntl(2) have no time limit of their own, so that a wait with one looks every so often.
 */
#include "base/err.h"
#include <stdint.h>

/* cor_flock() - the whole file, exclusive; waits up to @wait_ms (-1: for ever). 1 held, 0 not, -1 */
int cor_flock(int fd, int wait_ms, struct cor_err *err) COR_MUST_CHECK;
/* cor_lock_byte() - the same for byte @at of it (OFD) */
int cor_lock_byte(int fd, int64_t at, int wait_ms, struct cor_err *err) COR_MUST_CHECK;
/*
 * cor_lock_file() - file @name in @dirfd, made if it is missing and locked; the descriptor is the lock. BUSY, naming
 * it, when another process keeps it for longer than @wait_ms
 */
int cor_lock_file(int dirfd, const char *name, int wait_ms, struct cor_err *err) COR_MUST_CHECK;

#endif

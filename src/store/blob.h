#ifndef CORACLE_STORE_BLOB_H
#define CORACLE_STORE_BLOB_H
/*
 * Blobs: immutable bytes named by their digest. Written through an ingest: a file images/ingest/<algorithm>-<hex> that
 * its writer holds locked (flock), so that a second process which wants the same blob waits or watches instead of
 * fetching it twice. What was cut off stays there and is continued by whoever comes next.
 */
#include "store/store.h"
#include <stdio.h>

/* blob_find() - its size in bytes (>= 0) if the whole blob is in the store, else -1 */
int64_t blob_find(const struct store *s, const struct digest *d);
/* blob_open() - a descriptor to read it; NOT_FOUND names the digest */
int blob_open(const struct store *s, const struct digest *d, struct cor_err *err) COR_MUST_CHECK;
/*
 * blob_read() - a small blob whole, its bytes checked against the digest; NUL-terminated, free() *ret. INVALID if it is
 * over @limit bytes or damaged.
 */
int blob_read(const struct store *s, const struct digest *d, size_t limit, char **ret, size_t *ret_n,
              struct cor_err *err) COR_MUST_CHECK;
/* blob_put() - store @n bytes; *ret their digest. Synced before it returns. */
int blob_put(struct store *s, const void *bytes, size_t n, struct digest *ret, struct cor_err *err) COR_MUST_CHECK;
/* blob_remove() - take it away; absence is success. For the collector only: store/collect.h knows what is referred to
 */
int blob_remove(struct store *s, const struct digest *d, struct cor_err *err) COR_MUST_CHECK;

/* One blob on its way in. */
struct blob_ingest;

enum blob_ingest_state {
        BLOB_INGEST_OURS,   /* write from blob_ingest_offset() on */
        BLOB_INGEST_THERE,  /* the blob is in the store by now; nothing to do */
        BLOB_INGEST_LOCKED, /* another process is at it (only without waiting) */
};

/**
 * blob_ingest_begin() - start or continue writing a blob
 * @expected: its digest
 * @size:     its size in bytes; no more is ever taken. -1: unknown, then @limit bytes at most
 * @wait_ms:  how long to wait for another process that writes it; 0 not at all, -1 for ever. Past it: LOCKED
 * @ret:      blob_ingest_end()
 *
 * Bytes that a former attempt left are hashed first (they count into blob_ingest_offset()). Returns a state.
 */
int blob_ingest_begin(struct store *s, const struct digest *expected, int64_t size, int64_t limit, int wait_ms,
                      struct blob_ingest **ret, struct cor_err *err) COR_MUST_CHECK;
/* blob_ingest_new() - a blob whose digest is not known yet; it is given by blob_ingest_finish() */
int blob_ingest_new(struct store *s, int64_t limit, struct blob_ingest **ret, struct cor_err *err) COR_MUST_CHECK;
int64_t blob_ingest_offset(const struct blob_ingest *i);
/* blob_ingest_fd() - to read what was written so far (pread; it grows while the ingest is written) */
int blob_ingest_fd(const struct blob_ingest *i);
/* blob_ingest_write() - append and hash; INVALID when it passes the size */
int blob_ingest_write(struct blob_ingest *i, const void *bytes, size_t n, struct cor_err *err) COR_MUST_CHECK;
/* blob_ingest_restart() - throw away what is there and begin at 0 (the source changed, or the digest was wrong) */
int blob_ingest_restart(struct blob_ingest *i, struct cor_err *err) COR_MUST_CHECK;
/*
 * blob_ingest_finish() - all is written: check size and digest (INVALID, and the bytes are thrown away, if they
 * differ). The blob is not in its place yet, since it has to be synced first; *ret (may be NULL) its digest.
 */
int blob_ingest_finish(struct blob_ingest *i, struct digest *ret, struct cor_err *err) COR_MUST_CHECK;
/*
 * blob_ingest_commit() - after finish: put it in its place. @synced: the caller has called store_sync() since finish;
 * otherwise the file is fsynced here. The folder is synced by the caller's next store_sync() or blob_sync_folder().
 */
int blob_ingest_commit(struct blob_ingest *i, bool synced, struct cor_err *err) COR_MUST_CHECK;
/* blob_ingest_end() - let go of it: what is not committed stays for the next attempt (a nameless one is removed) */
void blob_ingest_end(struct blob_ingest *i);
static inline void blob_ingest_end_p(struct blob_ingest **i)
{
        blob_ingest_end(*i);
}
#define auto_blob_ingest COR_CLEANUP(blob_ingest_end_p) struct blob_ingest *
/* blob_sync_folder() - make the names of committed blobs durable */
int blob_sync_folder(struct store *s, struct cor_err *err) COR_MUST_CHECK;

/* blob_each() - call @each for every blob in the store; stops and returns what it returns when that is not 0 */
int blob_each(const struct store *s,
              int (*each)(const struct digest *d, int64_t size, void *context, struct cor_err *err), void *context,
              struct cor_err *err) COR_MUST_CHECK;

#endif

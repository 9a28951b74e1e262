#ifndef CORACLE_IMAGE_UNPACK_H
#define CORACLE_IMAGE_UNPACK_H
/*
 * Layers unpacked beside the download, by processes of their own. The one that speaks with the network has no rights
 * over files but its own; the ones that make files have no network, and see only the folder they fill.
 *
 *      network process ── job: blob file, what it must become ──► unpacker (forked first, single-threaded)
 *                                                                   ├─ inflater   reads the growing blob, no rights
 *                                                                   ├─ extractor  hashes, unpacks into layers/.work
 *                                                                   └─ write-back (image/unpack_writeback.h)
 *                      ◄── events: how far, done or why not ──
 *
 * A layer whose job is done waits to be put in its place by unpacker_commit(), after store_sync().
 */
#include "image/layer.h"
#include "image/limits.h"
#include "store/layer.h"

struct unpacker;

enum { UNPACK_MAX_LOWER = 500 }; /* as many layers as overlayfs takes */

struct unpack_job {
        int blob_fd;  /* read with pread from 0; borrowed */
        int64_t size; /* of the blob, in bytes */
        int wake_fd;  /* a pipe: a byte when the blob has grown, UNPACK_WHOLE when it is whole; -1: it is whole */
        const struct digest *lower; /* layers below, uppermost first; n_lower 0: see `bottom` */
        size_t n_lower;
        bool bottom; /* nothing lies below; otherwise, without lower, the archive is probed (layer_apply()) */
};
enum { UNPACK_WHOLE = 'W' };

enum unpack_event_type {
        UNPACK_PROGRESS, /* offset: compressed bytes read */
        UNPACK_DONE,
        UNPACK_FAILED, /* err says why; the job is gone */
};
struct unpack_event {
        unsigned job;
        enum unpack_event_type type;
        int64_t offset;
        struct digest diff_id; /* of the archive as it came */
        struct layer_applied applied;
        struct cor_err err;
};

/* unpacker_start() - fork it; to be called while the caller is single-threaded. unpacker_free() */
int unpacker_start(const char *store, const struct image_limits *limits, struct unpacker **ret, struct cor_err *err)
        COR_MUST_CHECK;
/* unpacker_free() - stop what runs, remove what is not committed */
void unpacker_free(struct unpacker *u);
static inline void unpacker_free_p(struct unpacker **u)
{
        unpacker_free(*u);
}
#define auto_unpacker COR_CLEANUP(unpacker_free_p) struct unpacker *
/* unpacker_fd() - readable when there is an event */
int unpacker_fd(const struct unpacker *u);
/* unpacker_add() - start job number @job (the caller's choice, not one that is in use) */
int unpacker_add(struct unpacker *u, unsigned job, const struct unpack_job *j, struct cor_err *err) COR_MUST_CHECK;
/* unpacker_has_event() - there is one already, whatever unpacker_fd() says: it came while an answer was waited for */
bool unpacker_has_event(const struct unpacker *u);
/* unpacker_next() - the next event; waits for one */
int unpacker_next(struct unpacker *u, struct unpack_event *ret, struct cor_err *err) COR_MUST_CHECK;
/*
 * unpacker_commit() - put the layer of a done job in its place as @name; unpacker_drop() - forget it. To be called when
 * no job runs: the answer is the next thing that is read.
 */
int unpacker_commit(struct unpacker *u, unsigned job, const struct digest *name, struct cor_err *err)

        COR_MUST_CHECK;
int unpacker_drop(struct unpacker *u, unsigned job, struct cor_err *err) COR_MUST_CHECK;

#endif

/*
 * One layer. Its bytes are hashed while they come, the unpacker is told of them, and what that makes of them is held
 * against the configuration. Both ways come to their ends in either order; then the layer is ready.
 */
#include "image/receive_internal.h"

#include "base/fd.h"
#include "base/log.h"
#include "base/process.h"
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum {
        WAKE_BYTES = 256 << 10, /* the inflater is told of so many new bytes at once */
        PROGRESS_MS = 100,      /* a bar moves so often */
};

void receive_layer_done(struct receive_layer *l)
{
        blob_ingest_end(l->ingest);
        cor_fd_close(&l->lock);
        cor_fd_close(&l->wake);
}

void receive_show(struct receive_layer *l, const char *status, int64_t current, int64_t total)
{
        struct receive *r = l->receive;

        if (!r->failed && receive_progress(r->o.channel, l->id, status, current, total, &r->why) < 0)
                r->failed = true;
}

void receive_show_bar(struct receive_layer *l, const char *status, int64_t current)
{
        int64_t now = cor_now_ms();

        if (now - l->shown_ms < PROGRESS_MS)
                return;
        l->shown_ms = now;
        receive_show(l, status, current, (int64_t)l->descriptor->size);
}

/* -------------------------------------------------------------------------------------------- the blob of one layer */

int64_t receive_offset(const struct receive_layer *l)
{
        return blob_ingest_offset(l->ingest);
}

static void wake(struct receive_layer *l, char word)
{
        if (l->wake >= 0)
                (void)!write(l->wake, &word, 1); /* a full pipe wakes as well */
}

int receive_write(struct receive_layer *l, const void *bytes, size_t n, struct cor_err *err)
{
        if (l->receive->failed) {
                if (err)
                        *err = l->receive->why;
                return -1;
        }
        if (blob_ingest_write(l->ingest, bytes, n, err) < 0)
                return -1;
        l->got += (int64_t)n;
        if (l->got - l->woken >= WAKE_BYTES) {
                l->woken = l->got;
                wake(l, '.');
        }
        receive_show_bar(l, "Downloading", blob_ingest_offset(l->ingest));
        return 0;
}

int receive_restart(struct receive_layer *l, struct cor_err *err)
{
        l->restarted = true;
        return blob_ingest_restart(l->ingest, err);
}

void receive_failed(struct receive_layer *l, const struct cor_err *why)
{
        struct receive *r = l->receive;

        l->fetching = false;
        cor_fd_close(&l->wake);
        if (r->failed)
                return;
        r->failed = true;
        r->why = *why;
        cor_wrap(&r->why, "layer %s", l->blob.text);
}

static void layer_check_ready(struct receive_layer *l)
{
        if (!l->fetching && !l->unpacking && l->state == LAYER_CLAIMED)
                l->state = LAYER_READY;
}

int receive_check(struct receive_layer *l, struct cor_err *err)
{
        receive_show(l, "Verifying Checksum", 0, 0);
        return blob_ingest_finish(l->ingest, NULL, err);
}

/* -------------------------------------------------------------------------------------------------------- unpacking */

int receive_unpack(struct receive_layer *l, int blob_fd, const struct digest *lower, size_t n_lower,
                   struct cor_err *err)
{
        struct unpack_job job = { .blob_fd = blob_fd,
                                  .size = (int64_t)l->descriptor->size,
                                  .wake_fd = -1,
                                  .lower = lower,
                                  .n_lower = n_lower,
                                  .bottom = l->leans && n_lower == 0 };
        int ends[2] = { -1, -1 }, r = 0;

        if (l->fetching) {
                if (pipe2(ends, O_CLOEXEC) < 0)
                        return cor_fail_errno(err, "make a pipe");
                l->wake = ends[1];
                job.wake_fd = ends[0];
                if (fcntl(ends[1], F_SETFL, O_NONBLOCK) < 0)
                        r = cor_fail_errno(err, "make a pipe non-blocking");
        }
        if (r == 0)
                r = unpacker_add(l->receive->o.unpacker, l->number, &job, err);
        cor_fd_close(&ends[0]);
        l->unpacking = r == 0;
        l->probing = !l->leans;
        return r;
}

/*
 * A layer is unpacked while it comes, so before its digest is known. What does not unpack may be what a mirror made up
 * or what a power cut left of an earlier attempt; that shows when all bytes are here, and then the right ones have been
 * fetched (`restarted`), or there are none, or the archive is as bad as it looks.
 */
static bool may_be_wrong(const struct receive_layer *l, const struct cor_err *why)
{
        return l->fetching && why->kind == COR_INVALID &&
               (l->receive->o.source.several || l->resumed_at > 0 || l->restarted);
}

/* Once more, from bytes that are right. */
static int unpack_again(struct receive_layer *l, struct cor_err *err)
{
        l->restarted = l->leans = false;
        cor_err_clear(&l->spoilt);
        if (l->held && unpacker_drop(l->receive->o.unpacker, l->number, err) < 0)
                return -1;
        l->held = false;
        return receive_unpack(l, blob_ingest_fd(l->ingest), NULL, 0, err);
}

static int unpacking_failed(struct receive_layer *l, const struct cor_err *why, struct cor_err *err)
{
        if (l->restarted && !l->fetching)
                return unpack_again(l, err);
        if (may_be_wrong(l, why)) {
                l->spoilt = *why;
                return 0;
        }
        if (l->ingest && l->fetching && blob_ingest_restart(l->ingest, err) < 0) /* not worth continuing */
                return -1;
        *err = *why;
        return cor_wrap(err, "layer %s", l->blob.text);
}

void receive_whole(struct receive_layer *l)
{
        struct cor_err err = { 0 };
        int r = 0;

        receive_show(l, "Download complete", 0, 0);
        l->fetching = false;
        wake(l, UNPACK_WHOLE);
        cor_fd_close(&l->wake);
        if (l->spoilt.kind != COR_OK && !l->restarted) {
                err = l->spoilt;
                r = -1;
        } else if (l->spoilt.kind != COR_OK || (l->restarted && l->leans && !l->unpacking)) {
                r = unpack_again(l, &err);
        }
        if (r < 0)
                receive_failed(l, &err);
        else
                layer_check_ready(l);
}

static int unpacked(struct receive_layer *l, const struct unpack_event *e, struct cor_err *err)
{
        if (l->probing && e->applied.needs_lower && l->restarted)
                return cor_fail(err, COR_INVALID, "unpacked from bytes that were wrong");
        if (l->probing &&
            e->applied.needs_lower) { /* to be done again on top of the layers below, when these are there */
                l->leans = true;
                cor_debug("layer %s leans on those below it: %s", l->blob.text, e->applied.why);
        } else if (!digest_eq(&e->diff_id, &l->diff_id)) {
                return cor_fail(err, COR_INVALID, "unpacks to %s, but the image's configuration says %s",
                                e->diff_id.text, l->diff_id.text);
        } else {
                l->unpacked = true;
        }
        layer_check_ready(l);
        return 0;
}

int receive_event(struct receive_layer *l, struct unpack_event *e, struct cor_err *err)
{
        const struct receive *r = l->receive;

        if (e->type == UNPACK_PROGRESS) {
                if (!l->fetching)
                        receive_show_bar(l, "Extracting", e->offset);
                return 0;
        }
        l->unpacking = false;
        l->held = e->type == UNPACK_DONE;
        if (e->type == UNPACK_DONE && unpacked(l, e, &e->err) == 0)
                return 0;
        if (r->failed) { /* the download failed, and the archive ended with it */
                *err = r->why;
                return -1;
        }
        return unpacking_failed(l, &e->err, err);
}

/* --------------------------------------------------------------------------------------------------------- claiming */

/* Claim what is missing of a layer: 1 ours, 0 another process is at it. */
static int claim_parts(struct receive_layer *l, bool need_layer, bool need_blob, struct cor_err *err)
{
        struct receive *r = l->receive;

        if (need_layer) {
                struct cor_err busy = { 0 };

                l->lock = layer_lock(r->o.store, &l->diff_id, 0, &busy);
                if (l->lock < 0 && busy.kind == COR_BUSY)
                        return 0;
                if (l->lock < 0) {
                        *err = busy;
                        return -1;
                }
        }
        if (need_blob && r->o.source.take)
                l->ingest = r->o.source.take(r->o.source.context, &l->blob);
        l->taken = l->ingest != NULL;
        if (need_blob && !l->ingest) {
                int state = blob_ingest_begin(r->o.store, &l->blob, (int64_t)l->descriptor->size,
                                              (int64_t)l->descriptor->size, 0, &l->ingest, err);

                if (state == BLOB_INGEST_LOCKED)
                        cor_fd_close(&l->lock);
                if (state < 0 || state == BLOB_INGEST_LOCKED)
                        return state < 0 ? -1 : 0;
                l->blob_there = state == BLOB_INGEST_THERE;
        }
        return 1;
}

static int begin_layer(struct receive_layer *l, bool need_layer, struct cor_err *err)
{
        struct receive *r = l->receive;
        auto_fd whole = -1;
        int fd;

        l->state = LAYER_CLAIMED;
        l->fetching = l->ingest && !l->blob_there && !l->taken;
        if (l->fetching) {
                l->woken = l->got = 0;
                l->resumed_at = blob_ingest_offset(l->ingest);
                receive_show(l, "Pulling fs layer", 0, 0);
        }
        if (!l->blob_there) {
                fd = blob_ingest_fd(l->ingest);
        } else {
                fd = whole = blob_open(r->o.store, &l->blob, err);
                if (fd < 0)
                        return -1;
        }
        if (need_layer && receive_unpack(l, fd, NULL, 0, err) < 0)
                return -1;
        if (l->fetching && r->o.source.fetch(r->o.source.context, l, l->descriptor, err) < 0)
                return -1;
        layer_check_ready(l);
        return 0;
}

/* Look at a missing layer: 1 ours now, 0 somebody else's or there. */
int receive_claim(struct receive_layer *l, struct cor_err *err)
{
        struct receive *r = l->receive;
        bool need_layer = !layer_find(r->o.store, &l->diff_id, &l->leaning, &l->name);
        bool need_blob = blob_find(r->o.store, &l->blob) < 0 && (need_layer || !r->o.discard);
        int ours;

        if (l->same && !l->same->leans) {
                if (l->same->state == LAYER_THERE) {
                        l->state = LAYER_THERE;
                        l->name = l->same->name;
                }
                return 0;
        }
        if (!need_layer && !need_blob) {
                l->state = LAYER_THERE;
                receive_show(l, "Already exists", 0, 0);
                return 0;
        }
        l->blob_there = !need_blob;
        ours = claim_parts(l, need_layer, need_blob, err);
        if (ours <= 0)
                return ours;
        /* it may have come between the look and the lock */
        if (need_layer && layer_find(r->o.store, &l->diff_id, &l->leaning, &l->name))
                need_layer = false;
        if (begin_layer(l, need_layer, err) < 0)
                return cor_wrap(err, "layer %s", l->blob.text);
        return 1;
}

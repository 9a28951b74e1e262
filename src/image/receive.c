#include "image/receive.h"

#include "base/fd.h"
#include "base/log.h"
#include "base/process.h"
#include "image/platform.h"
#include "store/hash.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

enum {
        SHORT_ID = 12,            /* digits of a digest that people see */
        WAKE_BYTES = 256 << 10,   /* the inflater is told of so many new bytes at once */
        PROGRESS_MS = 100,        /* a bar moves so often */
        LOOK_AGAIN_MS = 100,      /* at what another process is making */
        OTHERS_WAIT_MS = 3600000, /* for another process that makes the same layer */
};

enum layer_state {
        LAYER_MISSING, /* to be claimed */
        LAYER_CLAIMED, /* ours: its blob comes, or its job runs */
        LAYER_READY,   /* blob verified, unpacked; not in its place yet */
        LAYER_LEANS,   /* blob in its place; to be unpacked on top of the layers below */
        LAYER_THERE,
};

struct receive_layer {
        struct receive *receive;
        unsigned number;
        const struct image_descriptor *descriptor;
        struct digest blob, diff_id, leaning, name; /* leaning: its name if it leans on those below */
        char id[SHORT_ID + 1];
        enum layer_state state;
        struct receive_layer *same; /* an earlier layer with the same archive: it does the work */
        bool blob_there, taken, fetching, unpacking, probing, unpacked, restarted, leans;
        bool held;             /* the unpacker keeps its finished job */
        struct cor_err spoilt; /* kind not OK: it did not unpack, but its bytes may have been the wrong ones */
        struct blob_ingest *ingest;
        int lock; /* flock of the layer; -1: not held */
        int wake; /* our end of the pipe that tells the inflater; -1 */
        int64_t got, woken, shown_ms, resumed_at;
};

struct receive {
        struct receive_options o;
        char *index_bytes;
        struct image_manifest *manifest;
        struct image_config *config;
        struct digest index_digest, manifest_digest, config_digest;
        char *index_type, *manifest_type;
        int64_t index_size, manifest_size;
        struct receive_layer *layers;
        size_t n_layers;
        int wake_fd; /* epoll over the unpacker and the engine */
        bool failed;
        struct cor_err why;
};

struct receive *receive_new(const struct receive_options *o)
{
        struct receive *r = cor_alloc(sizeof *r);

        r->o = *o;
        r->wake_fd = -1;
        return r;
}

static void layer_done(struct receive_layer *l)
{
        blob_ingest_end(l->ingest);
        cor_fd_close(&l->lock);
        cor_fd_close(&l->wake);
}

void receive_free(struct receive *r)
{
        if (!r)
                return;
        for (size_t i = 0; i < r->n_layers; i++)
                layer_done(&r->layers[i]);
        cor_fd_close(&r->wake_fd);
        cor_json_free(r->manifest);
        cor_json_free(r->config);
        free(r->layers);
        free(r->index_type);
        free(r->manifest_type);
        free(r);
}

/* ---------------------------------------------------------------------------------------------------- with the engine
 */

int receive_progress(struct transfer_channel *c, const char *id, const char *status, int64_t current, int64_t total,
                     struct cor_err *err)
{
        struct transfer_message m = {
                .type = TRANSFER_PROGRESS, .id = id, .status = status, .current = current, .total = total
        };

        return transfer_send(c, &m, err);
}

int receive_lease(struct transfer_channel *c, const struct digest *items, size_t n_items, struct cor_err *err)
{
        struct transfer_message m = { .type = TRANSFER_LEASE };
        int r;

        for (size_t i = 0; i < n_items; i++)
                *COR_GROW(m.digests, m.n_digests) = items[i].text;
        r = transfer_ask(c, &m, err);
        free(m.digests);
        return r;
}

static void show(struct receive_layer *l, const char *status, int64_t current, int64_t total)
{
        struct receive *r = l->receive;

        if (!r->failed && receive_progress(r->o.channel, l->id, status, current, total, &r->why) < 0)
                r->failed = true;
}

/* A bar that moves: not more often than people can see. */
static void show_bar(struct receive_layer *l, const char *status, int64_t current)
{
        int64_t now = cor_now_ms();

        if (now - l->shown_ms < PROGRESS_MS)
                return;
        l->shown_ms = now;
        show(l, status, current, (int64_t)l->descriptor->size);
}

/* --------------------------------------------------------------------------------------------------------- documents
 */

static int put_leased(struct receive *r, const char *bytes, size_t n, struct digest *ret, struct cor_err *err)
{
        struct digest d = hash_bytes(bytes, n);

        if (receive_lease(r->o.channel, &d, 1, err) < 0)
                return -1;
        *ret = d;
        return blob_find(r->o.store, &d) == (int64_t)n ? 0 : blob_put(r->o.store, bytes, n, &d, err);
}

int receive_index(struct receive *r, const char *bytes, size_t n, const char *media_type, struct cor_err *err)
{
        r->index_type = cor_strdup(media_type);
        r->index_size = (int64_t)n;
        return put_leased(r, bytes, n, &r->index_digest, err);
}

static void layer_id(struct receive_layer *l)
{
        snprintf(l->id, sizeof l->id, "%.*s", (int)SHORT_ID, digest_hex(&l->blob));
}

int receive_manifest(struct receive *r, const char *bytes, size_t n, const char *media_type, struct cor_err *err)
{
        struct digest *leased = NULL;
        size_t n_leased = 0;
        int result;

        if (image_manifest_parse(bytes, n, "manifest", &r->manifest, err) < 0)
                return -1;
        if (image_manifest_is_index(r->manifest))
                return cor_fail(err, COR_INVALID, "manifest: an index where a manifest of one platform was expected");
        r->manifest_type = cor_strdup(media_type);
        r->manifest_size = (int64_t)n;
        if (put_leased(r, bytes, n, &r->manifest_digest, err) < 0 ||
            digest_parse(r->manifest->config->digest, &r->config_digest, err) < 0)
                return -1;
        r->n_layers = r->manifest->n_layers;
        r->layers = cor_alloc((r->n_layers + 1) * sizeof *r->layers);
        *COR_GROW(leased, n_leased) = r->config_digest;
        for (size_t i = 0; i < r->n_layers; i++) {
                struct receive_layer *l = &r->layers[i];

                *l = (struct receive_layer){ .receive = r, .number = (unsigned)i, .lock = -1, .wake = -1 };
                l->descriptor = &r->manifest->layers[i];
                (void)!digest_parse(l->descriptor->digest, &l->blob, err); /* checked by the table */
                layer_id(l);
                *COR_GROW(leased, n_leased) = l->blob;
        }
        result = receive_lease(r->o.channel, leased, n_leased, err);
        free(leased);
        return result;
}

const struct image_descriptor *receive_config_descriptor(const struct receive *r)
{
        return r->manifest->config;
}

int receive_require_platform(const struct receive *r, const char *wanted, const char *reference, struct cor_err *err)
{
        const struct image_config *c = r->config;
        const struct image_platform have = { .os = c->os, .architecture = c->architecture, .variant = c->variant };

        return platform_require(wanted, &have, reference, err);
}

/* An earlier layer with the same archive, or NULL. */
static struct receive_layer *same_before(struct receive *r, size_t i)
{
        for (size_t k = 0; k < i; k++)
                if (digest_eq(&r->layers[k].blob, &r->layers[i].blob))
                        return &r->layers[k];
        return NULL;
}

static int know_layers(struct receive *r, struct cor_err *err)
{
        struct digest *leased = NULL, parent = DIGEST_NONE;
        size_t n_leased = 0;
        int result;

        for (size_t i = 0; i < r->n_layers; i++) {
                struct receive_layer *l = &r->layers[i];

                (void)!digest_parse(r->config->rootfs.diff_ids[i], &l->diff_id, err);
                parent = hash_chain(&parent, &l->diff_id);
                l->leaning = hash_chain(&parent, &l->diff_id);
                l->same = same_before(r, i);
                *COR_GROW(leased, n_leased) = l->diff_id;
                *COR_GROW(leased, n_leased) = l->leaning;
        }
        result = n_leased > 0 ? receive_lease(r->o.channel, leased, n_leased, err) : 0;
        free(leased);
        return result;
}

int receive_config(struct receive *r, const char *bytes, size_t n, struct cor_err *err)
{
        struct digest d = hash_bytes(bytes, n);

        if (!digest_eq(&d, &r->config_digest))
                return cor_fail(err, COR_INVALID, "image config: expected digest %s, found %s", r->config_digest.text,
                                d.text);
        if (image_config_parse(bytes, n, "image config", &r->config, err) < 0)
                return -1;
        if (r->config->rootfs.n_diff_ids != r->n_layers)
                return cor_fail(err, COR_INVALID, "image config: %zu diff_ids for the %zu layers of the manifest",
                                r->config->rootfs.n_diff_ids, r->n_layers);
        if (blob_find(r->o.store, &d) < 0 && blob_put(r->o.store, bytes, n, &d, err) < 0)
                return -1;
        return know_layers(r, err);
}

/* ---------------------------------------------------------------------------------------------- the blob of one layer
 */

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
        show_bar(l, "Downloading", blob_ingest_offset(l->ingest));
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
        show(l, "Verifying Checksum", 0, 0);
        return blob_ingest_finish(l->ingest, NULL, err);
}

/* ------------------------------------------------------------------------------------------------------------ claiming
 */

static int start_unpacking(struct receive_layer *l, int blob_fd, const struct digest *lower, size_t n_lower,
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
        return start_unpacking(l, blob_ingest_fd(l->ingest), NULL, 0, err);
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

        show(l, "Download complete", 0, 0);
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
                show(l, "Pulling fs layer", 0, 0);
        }
        if (!l->blob_there) {
                fd = blob_ingest_fd(l->ingest);
        } else {
                fd = whole = blob_open(r->o.store, &l->blob, err);
                if (fd < 0)
                        return -1;
        }
        if (need_layer && start_unpacking(l, fd, NULL, 0, err) < 0)
                return -1;
        if (l->fetching && r->o.source.fetch(r->o.source.context, l, l->descriptor, err) < 0)
                return -1;
        layer_check_ready(l);
        return 0;
}

/* Look at a missing layer: 1 ours now, 0 somebody else's or there. */
static int claim(struct receive_layer *l, struct cor_err *err)
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
                show(l, "Already exists", 0, 0);
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

/* --------------------------------------------------------------------------------------------------------- the rounds
 */

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

static int take_event(struct receive *r, struct cor_err *err)
{
        struct unpack_event e;
        struct receive_layer *l;

        if (unpacker_next(r->o.unpacker, &e, err) < 0)
                return -1;
        if (e.job >= r->n_layers || !r->layers[e.job].unpacking) {
                if (e.type == UNPACK_FAILED)
                        *err = e.err;
                return e.type == UNPACK_FAILED ? -1 : 0;
        }
        l = &r->layers[e.job];
        if (e.type == UNPACK_PROGRESS) {
                if (!l->fetching)
                        show_bar(l, "Extracting", e.offset);
                return 0;
        }
        l->unpacking = false;
        l->held = e.type == UNPACK_DONE;
        if (e.type == UNPACK_DONE && unpacked(l, &e, &e.err) == 0)
                return 0;
        if (r->failed) { /* the download failed, and the archive ended with it */
                *err = r->why;
                return -1;
        }
        return unpacking_failed(l, &e.err, err);
}

static bool any_in(const struct receive *r, enum layer_state state)
{
        for (size_t i = 0; i < r->n_layers; i++)
                if (r->layers[i].state == state)
                        return true;
        return false;
}

/* The engine speaks only when asked: what comes unasked is its end. */
static int check_engine(struct receive *r, struct cor_err *err)
{
        return cor_wait_readable(r->o.channel->fd, 0, err) == 0 ? 0 : cor_fail(err, COR_BUSY, "interrupted");
}

/* Handle what is there, without waiting. */
static int take_events(struct receive *r, struct cor_err *err)
{
        int ready;

        while ((ready = unpacker_has_event(r->o.unpacker) ? 1
                                                          : cor_wait_readable(unpacker_fd(r->o.unpacker), 0, err)) == 1)
                if (take_event(r, err) < 0)
                        return -1;
        if (ready < 0 || check_engine(r, err) < 0)
                return -1;
        if (!r->failed)
                return 0;
        if (err)
                *err = r->why;
        return -1;
}

/* Drive what is claimed to its end. */
static int run_round(struct receive *r, struct cor_err *err)
{
        while (any_in(r, LAYER_CLAIMED)) {
                int more = r->o.source.run ? r->o.source.run(r->o.source.context, r->wake_fd, err) : 0;

                if (more < 0 || take_events(r, err) < 0)
                        return -1;
                if (more == 0 && any_in(r, LAYER_CLAIMED) && cor_wait_readable(r->wake_fd, -1, err) < 0)
                        return -1;
        }
        return 0;
}

/* The blob into its place, or away with it if only the unpacked form is kept; what is to be unpacked again needs it. */
static int commit_blob(struct receive_layer *l, struct cor_err *err)
{
        if (!l->ingest || l->blob_there)
                return 0;
        if (l->receive->o.discard && !(l->leans && !l->unpacked))
                return blob_ingest_restart(l->ingest, err);
        return blob_ingest_commit(l->ingest, true, err);
}

static int commit_layer(struct receive_layer *l, struct cor_err *err)
{
        struct receive *r = l->receive;

        if (commit_blob(l, err) < 0)
                return -1;
        if (l->unpacked) {
                l->name = l->leans ? l->leaning : l->diff_id;
                return unpacker_commit(r->o.unpacker, l->number, &l->name, err);
        }
        return l->leans ? unpacker_drop(r->o.unpacker, l->number, err) : 0;
}

/* One sync for all that is ready, then the names. */
static int commit_ready(struct receive *r, struct cor_err *err)
{
        if (!any_in(r, LAYER_READY))
                return 0;
        if (store_sync(r->o.store, err) < 0)
                return -1;
        for (size_t i = 0; i < r->n_layers; i++) {
                struct receive_layer *l = &r->layers[i];

                if (l->state != LAYER_READY)
                        continue;
                if (commit_layer(l, err) < 0)
                        return cor_wrap(err, "layer %s", l->blob.text);
        }
        if (blob_sync_folder(r->o.store, err) < 0 || layer_sync_folder(r->o.store, err) < 0)
                return -1;
        for (size_t i = 0; i < r->n_layers; i++) {
                struct receive_layer *l = &r->layers[i];

                if (l->state != LAYER_READY)
                        continue;
                layer_done(l);
                l->ingest = NULL;
                l->held = l->restarted = false;
                l->state = digest_set(&l->name) ? LAYER_THERE : LAYER_LEANS;
                if (l->state == LAYER_THERE)
                        show(l, "Pull complete", 0, 0);
        }
        return 0;
}

/* A layer that leans on others, on top of all that lies below it. */
static int apply_leaning(struct receive_layer *l, struct cor_err *err)
{
        struct receive *r = l->receive;
        struct digest *lower = cor_alloc((l->number + 1) * sizeof *lower);
        auto_fd blob = -1;
        int result;

        for (unsigned i = 0; i < l->number; i++)
                lower[l->number - 1 - i] = r->layers[i].name;
        l->lock = layer_lock(r->o.store, &l->leaning, OTHERS_WAIT_MS, err);
        blob = l->lock < 0 ? -1 : blob_open(r->o.store, &l->blob, err);
        l->state = LAYER_CLAIMED;
        l->blob_there = true;
        result = blob < 0 ? -1 : start_unpacking(l, blob, lower, l->number, err);
        free(lower);
        if (result < 0 || run_round(r, err) < 0)
                return -1;
        return commit_ready(r, err);
}

/* One round over all that is missing; 1 if anything was ours to do. */
static int receive_round(struct receive *r, struct cor_err *err)
{
        bool ours = false;

        for (size_t i = 0; i < r->n_layers; i++) {
                int c = r->layers[i].state == LAYER_MISSING ? claim(&r->layers[i], err) : 0;

                if (c < 0)
                        return -1;
                ours |= c > 0;
        }
        if (r->failed) {
                *err = r->why;
                return -1;
        }
        if (run_round(r, err) < 0 || commit_ready(r, err) < 0)
                return -1;
        return ours;
}

static int watch(struct receive *r, int fd, struct cor_err *err)
{
        struct epoll_event e = { .events = EPOLLIN };

        return epoll_ctl(r->wake_fd, EPOLL_CTL_ADD, fd, &e) < 0 ? cor_fail_errno(err, "epoll_ctl") : 0;
}

int receive_layers(struct receive *r, struct cor_err *err)
{
        int64_t end = cor_now_ms() + OTHERS_WAIT_MS;

        r->wake_fd = epoll_create1(EPOLL_CLOEXEC);
        if (r->wake_fd < 0)
                return cor_fail_errno(err, "epoll_create1");
        if (watch(r, unpacker_fd(r->o.unpacker), err) < 0 || watch(r, r->o.channel->fd, err) < 0)
                return -1;
        while (any_in(r, LAYER_MISSING)) {
                int ours = receive_round(r, err);

                if (ours < 0)
                        return -1;
                if (ours > 0 || !any_in(r, LAYER_MISSING))
                        continue;
                if (cor_now_ms() > end)
                        return cor_fail(err, COR_TIMEOUT,
                                        "another process is pulling the same layers, and does not end");
                if (cor_wait_readable(r->o.channel->fd, LOOK_AGAIN_MS, err) != 0)
                        return check_engine(r, err);
        }
        for (size_t i = 0; i < r->n_layers; i++)
                if (r->layers[i].state == LAYER_LEANS && apply_leaning(&r->layers[i], err) < 0)
                        return cor_wrap(err, "layer %s", r->layers[i].blob.text);
        return 0;
}

/* ------------------------------------------------------------------------------------------------------------- the end
 */

static void add_blob(struct image_row *row, const struct digest *d, enum image_blob_kind kind, int64_t size,
                     const char *media_type, bool optional)
{
        *COR_GROW(row->blobs, row->n_blobs) =
                (struct image_blob){ .digest = *d,
                                     .kind = kind,
                                     .size = size,
                                     .media_type = cor_strdup(media_type ? media_type : ""),
                                     .optional = optional };
}

static void add_content(struct receive *r, struct image_row *row)
{
        if (digest_set(&r->index_digest))
                add_blob(row, &r->index_digest, IMAGE_BLOB_INDEX, r->index_size, r->index_type, false);
        add_blob(row, &r->manifest_digest, IMAGE_BLOB_MANIFEST, r->manifest_size, r->manifest_type, false);
        add_blob(row, &r->config_digest, IMAGE_BLOB_CONFIG, (int64_t)r->manifest->config->size,
                 r->manifest->config->media_type, false);
        for (size_t i = 0; i < r->n_layers; i++) {
                const struct receive_layer *l = &r->layers[i];
                int64_t size = layer_size(r->o.store, &l->name);

                add_blob(row, &l->blob, IMAGE_BLOB_LAYER, (int64_t)l->descriptor->size, l->descriptor->media_type,
                         r->o.discard);
                *COR_GROW(row->layers, row->n_layers) =
                        (struct image_layer){ .diff_id = l->diff_id, .name = l->name, .size = size };
                row->size += size > 0 ? size : 0;
        }
}

static void add_words(struct receive *r, const struct cor_strv *names, const struct cor_strv *repo_digests,
                      struct image_row *row)
{
        const struct image_config_run *run = r->config->config;

        for (size_t i = 0; names && i < names->n_items; i++)
                cor_strv_add(&row->names, names->items[i]);
        for (size_t i = 0; repo_digests && i < repo_digests->n_items; i++)
                cor_strv_add(&row->repo_digests, repo_digests->items[i]);
        for (size_t i = 0; run && i < run->n_labels; i++)
                cor_strv_take(&row->labels, cor_printf("%s=%s", run->labels[i].key, run->labels[i].value));
}

int receive_done(struct receive *r, const struct cor_strv *names, const struct cor_strv *repo_digests,
                 struct cor_err *err)
{
        auto_image_row row = { .id = r->config_digest, .manifest = r->manifest_digest };
        struct transfer_image image;
        struct transfer_message m = { .type = TRANSFER_IMAGE, .image = &image };
        int result;

        row.architecture = cor_strdup(r->config->architecture ? r->config->architecture : "");
        row.os = cor_strdup(r->config->os ? r->config->os : "");
        row.variant = cor_strdup(r->config->variant ? r->config->variant : "");
        row.created = image_time(r->config->created);
        add_content(r, &row);
        add_words(r, names, repo_digests, &row);
        transfer_image_from_row(&row, &image);
        result = transfer_ask(r->o.channel, &m, err);
        transfer_image_done(&image);
        return result;
}

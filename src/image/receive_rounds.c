/* All layers of an image: rounds of claim, fetch, unpack, sync, place. */
#include "image/receive_internal.h"

#include "base/fd.h"
#include "base/process.h"
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

enum {
        LOOK_AGAIN_MS = 100,      /* at what another process is making */
        OTHERS_WAIT_MS = 3600000, /* for another process that makes the same layer */
};

static int take_event(struct receive *r, struct cor_err *err)
{
        struct unpack_event e;

        if (unpacker_next(r->o.unpacker, &e, err) < 0)
                return -1;
        if (e.job >= r->n_layers || !r->layers[e.job].unpacking) {
                if (e.type == UNPACK_FAILED)
                        *err = e.err;
                return e.type == UNPACK_FAILED ? -1 : 0;
        }
        return receive_event(&r->layers[e.job], &e, err);
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
        if (store_sync(r->o.store, err) < 0 || receive_place_documents(r, true, err) < 0)
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
                receive_layer_done(l);
                l->ingest = NULL;
                l->held = l->restarted = false;
                l->state = digest_set(&l->name) ? LAYER_THERE : LAYER_LEANS;
                if (l->state == LAYER_THERE)
                        receive_show(l, "Pull complete", 0, 0);
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
        result = blob < 0 ? -1 : receive_unpack(l, blob, lower, l->number, err);
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
                int c = r->layers[i].state == LAYER_MISSING ? receive_claim(&r->layers[i], err) : 0;

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

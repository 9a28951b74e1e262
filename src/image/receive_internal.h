#ifndef CORACLE_IMAGE_RECEIVE_INTERNAL_H
#define CORACLE_IMAGE_RECEIVE_INTERNAL_H
/*
 * How an image comes into the store; for receive*.c alone.
 *
 *      receive.c           the documents, and what the engine records in the end
 *      receive_layer.c     one layer: claimed, fetched, unpacked, and again if its bytes were wrong
 *      receive_rounds.c    all of them: driven, synced, put in their places
 */
#include "image/receive.h"

enum {
        SHORT_ID = 12,     /* digits of a digest that people see */
        DOCUMENTS_MAX = 3, /* index, manifest, configuration */
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
        struct image_manifest *manifest;
        struct image_config *config;
        struct digest index_digest, manifest_digest, config_digest;
        char *index_type, *manifest_type;
        int64_t index_size, manifest_size;
        struct blob_ingest *documents[DOCUMENTS_MAX]; /* written; in their places when a sync has passed */
        size_t n_documents;
        struct receive_layer *layers;
        size_t n_layers;
        int wake_fd; /* epoll over the unpacker and the engine */
        bool failed;
        struct cor_err why;
};

/*
 * receive_place_documents() - give them their names; @synced: store_sync() was called since they came. The folder is to
 * be synced by the caller
 */
int receive_place_documents(struct receive *r, bool synced, struct cor_err *err) COR_MUST_CHECK;
/* receive_show() - tell the layer's state; receive_show_bar() - how far it is, not more often than people can see */
void receive_show(struct receive_layer *l, const char *status, int64_t current, int64_t total);
void receive_show_bar(struct receive_layer *l, const char *status, int64_t current);

/* receive_claim() - begin what a missing layer lacks: 1 it is ours now, 0 somebody else's, or there */
int receive_claim(struct receive_layer *l, struct cor_err *err) COR_MUST_CHECK;
/* receive_unpack() - start the job: @lower below it, uppermost first; without any it is probed, unless it leans */
int receive_unpack(struct receive_layer *l, int blob_fd, const struct digest *lower, size_t n_lower,
                   struct cor_err *err) COR_MUST_CHECK;
/* receive_event() - the unpacker says so of it; @e is used up */
int receive_event(struct receive_layer *l, struct unpack_event *e, struct cor_err *err) COR_MUST_CHECK;
/* receive_layer_done() - nothing is held any more */
void receive_layer_done(struct receive_layer *l);

#endif

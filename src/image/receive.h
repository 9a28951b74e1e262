#ifndef CORACLE_IMAGE_RECEIVE_H
#define CORACLE_IMAGE_RECEIVE_H
/*
 * One image on its way into the store, wherever its blobs come from (a registry, an archive). Download, hash,
 * decompression and unpacking are one pass, and layers go side by side.
 *
 *   1 receive_manifest()   the manifest, and the index it was chosen from: leased and written
 *   2 receive_config()     the configuration: written; what each layer must become is known now
 *   3 receive_layers()     rounds, until no layer is missing: claim what nobody else is at, fetch and unpack that, sync
 *                          once, put all that was written in its place; then look again at what others were at
 *   4 receive_done()       the engine records the image
 *
 * Nothing is waited for while something is held that others may wait for.
 */
#include "image/transfer_message.h"
#include "image/unpack.h"
#include "spec/image.h"
#include "store/blob.h"

struct receive;
struct receive_layer;

/* Where layers come from. */
struct receive_source {
        /*
         * fetch() - start to bring the blob of @l: receive_write() in order from receive_offset() on (from 0 after
         * receive_restart()), then receive_check() until that finds it good, then receive_whole(); or
         * receive_failed(). -1: it cannot even be started.
         */
        int (*fetch)(void *context, struct receive_layer *l, const struct image_descriptor *d, struct cor_err *err);
        /* take() - a finished ingest of blob @d, if the source has it by it already: handed over. May be NULL */
        struct blob_ingest *(*take)(void *context, const struct digest *d);
        /* run() - drive what was started until it is done (0) or @wake_fd is readable (1) */
        int (*run)(void *context, int wake_fd, struct cor_err *err);
        void *context;
        bool several; /* fetch() may turn to another place when receive_check() finds the bytes of one wrong */
};

struct receive_options {
        struct transfer_channel *channel;
        struct store *store;
        struct unpacker *unpacker;
        struct receive_source source;
        bool discard; /* keep only the unpacked form */
};

struct receive *receive_new(const struct receive_options *o);
void receive_free(struct receive *r);
static inline void receive_free_p(struct receive **r)
{
        receive_free(*r);
}
#define auto_receive COR_CLEANUP(receive_free_p) struct receive *

/* An index that led to the manifest; to be called before receive_manifest(). */
int receive_index(struct receive *r, const char *bytes, size_t n, const char *media_type, struct cor_err *err)
        COR_MUST_CHECK;
int receive_manifest(struct receive *r, const char *bytes, size_t n, const char *media_type, struct cor_err *err)
        COR_MUST_CHECK;
/* receive_config_descriptor() - what to fetch; it may be in the store already (blob_read()) */
const struct image_descriptor *receive_config_descriptor(const struct receive *r);
int receive_config(struct receive *r, const char *bytes, size_t n, struct cor_err *err) COR_MUST_CHECK;
/* receive_require_platform() - after receive_config(): platform_require() of it */
int receive_require_platform(const struct receive *r, const char *wanted, const char *reference, struct cor_err *err)
        COR_MUST_CHECK;
int receive_layers(struct receive *r, struct cor_err *err) COR_MUST_CHECK;
/* receive_done() - @names: "docker.io/library/x:tag"; @repo_digests likewise; both may be empty */
int receive_done(struct receive *r, const struct cor_strv *names, const struct cor_strv *repo_digests,
                 struct cor_err *err) COR_MUST_CHECK;

/* For sources. */
int64_t receive_offset(const struct receive_layer *l);
int receive_write(struct receive_layer *l, const void *bytes, size_t n, struct cor_err *err) COR_MUST_CHECK;
int receive_restart(struct receive_layer *l, struct cor_err *err) COR_MUST_CHECK;
int receive_check(struct receive_layer *l, struct cor_err *err) COR_MUST_CHECK;
void receive_whole(struct receive_layer *l);
void receive_failed(struct receive_layer *l, const struct cor_err *why);

/* receive_progress() - a line for people: "3b65ec22a9e9: Downloading"; @total 0: no bar */
int receive_progress(struct transfer_channel *c, const char *id, const char *status, int64_t current, int64_t total,
                     struct cor_err *err) COR_MUST_CHECK;
/* receive_lease() - ask the engine to protect @items */
int receive_lease(struct transfer_channel *c, const struct digest *items, size_t n_items, struct cor_err *err)
        COR_MUST_CHECK;

#endif

#ifndef CORACLE_STORE_IMAGE_H
#define CORACLE_STORE_IMAGE_H
/*
 * Images in the database: which images there are, how they are called, and which blobs and layers they need. An image
 * is one platform's: its id is the digest of its config, as docker and podman show it. A name
 * ("docker.io/library/x:tag", or "…@sha256:…" for a digest by which it was pulled) leads to one image.
 *
 * Each function is one transaction; with `durable` writes it is synced when it returns (SQLite, WAL, synchronous=FULL).
 */
#include "base/alloc.h"
#include "store/store.h"

/* A blob that an image needs, in the order: index, manifest, config, layers, others. */
enum image_blob_kind { IMAGE_BLOB_INDEX, IMAGE_BLOB_MANIFEST, IMAGE_BLOB_CONFIG, IMAGE_BLOB_LAYER, IMAGE_BLOB_OTHER };
struct image_blob {
        struct digest digest;
        enum image_blob_kind kind;
        int64_t size;
        char *media_type;
        bool optional; /* the store may be without it: a layer in discard mode, one of another platform */
};

struct image_layer {
        struct digest diff_id, name; /* name: store/layer.h */
        int64_t size;                /* bytes unpacked */
};

struct image_row {
        struct digest id;       /* of the config */
        struct digest manifest; /* of its manifest */
        char *architecture, *os, *variant;
        int64_t created;    /* seconds since 1970, from the config; 0 when it does not say */
        int64_t created_ns; /* and nanoseconds */
        int64_t pulled;     /* when it came into this store */
        int64_t size;       /* bytes of all layers unpacked, as `docker images` shows */
        struct image_layer *layers;
        struct image_blob *blobs;
        size_t n_layers, n_blobs;
        struct cor_strv names;        /* "docker.io/library/x:tag" */
        struct cor_strv repo_digests; /* "docker.io/library/x@sha256:…" */
        struct cor_strv labels;       /* "KEY=VALUE", for filters */
};
void image_row_done(struct image_row *i);
#define auto_image_row COR_CLEANUP(image_row_done) struct image_row

struct image_list {
        struct image_row *items;
        size_t n_items;
};
void image_list_done(struct image_list *l);
#define auto_image_list COR_CLEANUP(image_list_done) struct image_list

/* A lease: what is being made is not collected while its process lives. */
struct lease;
int lease_new(struct store *s, struct lease **ret, struct cor_err *err) COR_MUST_CHECK;
/*
 * lease_add() - protect these blobs and layers (by digest; of a layer both its diff id and its chain id) from now on.
 * To be called before looking whether they are there, and before committing a blob whose digest was not known.
 */
int lease_add(struct lease *l, const struct digest *items, size_t n_items, struct cor_err *err) COR_MUST_CHECK;
void lease_free(struct lease *l);
static inline void lease_free_p(struct lease **l)
{
        lease_free(*l);
}
#define auto_lease COR_CLEANUP(lease_free_p) struct lease *

/*
 * image_put() - record an image, with all its names: each name moves here from the image that had it. Every blob that
 * is not optional and every layer has to be in the store (INVALID otherwise). index.json follows.
 */
int image_put(struct store *s, const struct image_row *i, struct cor_err *err) COR_MUST_CHECK;
/* image_find() - by id, by a beginning of an id (hex, unique, else INVALID "multiple IDs"), or by a name; NOT_FOUND. */
int image_find(struct store *s, const char *name_or_id, struct image_row *ret, struct cor_err *err) COR_MUST_CHECK;
/* image_all() - every image, newest `created` first; @full: with layers and blobs */
int image_all(struct store *s, bool full, struct image_list *ret, struct cor_err *err) COR_MUST_CHECK;
/* image_tag() - let @name lead to image @id */
int image_tag(struct store *s, const struct digest *id, const char *name, struct cor_err *err) COR_MUST_CHECK;
/*
 * image_forget() - all at once: forget @names of image @id (those that do not lead to it are passed over), and then the
 * image itself: not (NAMES), if no other name leads to it (UNLESS_NAMED), in any case (ALL). Returns 1 if the image is
 * gone, else 0; NOT_FOUND. Its content goes with the next store_collect().
 */
enum image_forgetting { IMAGE_FORGET_NAMES, IMAGE_FORGET_UNLESS_NAMED, IMAGE_FORGET_ALL };
int image_forget(struct store *s, const struct digest *id, const struct cor_strv *names, enum image_forgetting what,
                 struct cor_err *err) COR_MUST_CHECK;

/*
 * image_forget_list() - in one transaction for all: forget the names that @list has, and each image to which no other
 * name leads. @ret_gone: for each whether it is gone now by this; those that were not there are passed over.
 */
int image_forget_list(struct store *s, const struct image_list *list, bool *ret_gone, struct cor_err *err)
        COR_MUST_CHECK;

/* What store_collect() took away. */
struct collected {
        struct digest *items; /* blobs, then layers, for "deleted: sha256:…" */
        size_t n_items;
        int64_t bytes;
};
void collected_done(struct collected *c);
#define auto_collected COR_CLEANUP(collected_done) struct collected
/* store_collect() - remove blobs and layers that no image or container refers to and no living lease protects,
 * and old ingests */
int store_collect(struct store *s, struct collected *ret, struct cor_err *err) COR_MUST_CHECK;

#endif

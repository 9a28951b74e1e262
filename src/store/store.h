#ifndef CORACLE_STORE_STORE_H
#define CORACLE_STORE_STORE_H
/*
 * The store: what is on disk under /var/lib/coracle, or $XDG_DATA_HOME/coracle for other users.
 *
 *      images/oci-layout, index.json     an OCI image layout that skopeo and umoci read as it is
 *      images/blobs/sha256/<hex>         whole and verified, or not there
 *      images/ingest/<algorithm>-<hex>   blobs on their way in; kept when cut off, to go on from there
 *      images/ingest/new-…, gone-…       blobs whose digest is not known yet, and those on their way out
 *      layers/<hex>/                     unpacked layers in overlayfs form (store/layer.h)
 *      layers/.work/new-…, gone-…        layers on their way in and out
 *      containers/<id>/                  files of a container (store/container.h)
 *      volumes/<name>/_data              (store/volume.h)
 *      coracle.db                        the names of things and what refers to what (store/image.h)
 *
 * Whether a blob or a layer is there, only the disk knows; the database says what refers to them. Everything is written
 * beside its place, synced, and renamed into it. Locks are the kernel's (flock) on the things themselves.
 *
 * Any number of processes use a store at once; one handle belongs to one thread.
 */
#include "base/err.h"
#include "spec/digest.h"
#include <stdbool.h>
#include <stdint.h>

struct store;

enum {
        STORE_DATABASE = 1, /* open coracle.db as well (coracle-transfer does without) */
        STORE_CREATE = 2,   /* make what is missing */
};

/*
 * store_open() - open the store in folder @path; store_free(). What an interrupted process left behind is cleared away
 * on the way where that costs one look (a store made by a newer version: UNSUPPORTED; no store: NOT_FOUND).
 */
int store_open(const char *path, unsigned flags, struct store **ret, struct cor_err *err) COR_MUST_CHECK;
void store_free(struct store *s);
static inline void store_free_p(struct store **s)
{
        store_free(*s);
}
#define auto_store COR_CLEANUP(store_free_p) struct store *

/* store_default_path() - where the caller's store is (COR_STORE in the environment, root or XDG); free() */
int store_default_path(char **ret, struct cor_err *err) COR_MUST_CHECK;
const char *store_path(const struct store *s);
/*
 * store_run_path() - the folder for what ends with the machine's power: sockets and the runtime's records. Each store
 * has its own: /run/coracle/<digits of the store's path> ($XDG_RUNTIME_DIR/coracle/… for users, $CORACLE_RUN/… if that
 * is set; a user without XDG_RUNTIME_DIR has it in the store, one for each boot). It is made when first asked for,
 * 0700.
 */
int store_run_path(struct store *s, const char **ret, struct cor_err *err) COR_MUST_CHECK;
/* store_run_open() - that folder, for reading; the caller's */
int store_run_open(struct store *s, struct cor_err *err) COR_MUST_CHECK;
int store_images_fd(const struct store *s); /* images/, borrowed */
int store_layers_fd(const struct store *s); /* layers/, borrowed */
/* store_overlay_prefix() - "trusted.overlay." where the caller may write these, "user.overlay." elsewhere */
const char *store_overlay_prefix(const struct store *s);
/*
 * store_sync() - one syncfs(2) for all that was written so far; to be called once before the commits of a pull. An
 * error of the disk since the store was opened is reported here (Linux 5.8 and newer).
 */
int store_sync(struct store *s, struct cor_err *err) COR_MUST_CHECK;

#endif

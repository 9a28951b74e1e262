#ifndef CORACLE_STORE_LAYER_H
#define CORACLE_STORE_LAYER_H
/*
 * Unpacked layers: layers/<hex>/diff is the tree as overlayfs wants it (whiteouts are 0/0 character devices, opaque
 * directories have store_overlay_prefix() "opaque" = "y"); layers/<hex>/size holds the bytes used, in decimal.
 *
 * A layer is named by its diff id if its archive stands alone, whatever lies below it, and so is stored once for all
 * images. An archive that leans on its parents (a hard link to a file of a lower layer, a parent directory without an
 * entry of its own) is unpacked on top of them and named by hash_chain() of its chain id and its diff id.
 */
#include "store/store.h"

/* layer_find() - the layer of @diff_id on the chain @chain_id, if it is there: its name in *ret and 1, else 0 */
int layer_find(const struct store *s, const struct digest *diff_id, const struct digest *chain_id, struct digest *ret);
/* layer_open() - O_PATH descriptor of its diff folder; NOT_FOUND names it */
int layer_open(const struct store *s, const struct digest *name, struct cor_err *err) COR_MUST_CHECK;
/* layer_size() - bytes its files use, as recorded when it was made; -1 if it is not there */
int64_t layer_size(const struct store *s, const struct digest *name);
/* layer_remove() - take it away (renamed first, so that it is there or not); for the collector only */
int layer_remove(struct store *s, const struct digest *name, struct cor_err *err) COR_MUST_CHECK;

/* One layer on its way in: a folder layers/.work/new-… that its maker holds locked. */
struct layer_ingest;

/* layer_ingest_begin() - an empty folder to unpack into; layer_ingest_end() */
int layer_ingest_begin(struct store *s, struct layer_ingest **ret, struct cor_err *err) COR_MUST_CHECK;
/* layer_ingest_fd() - its diff folder */
int layer_ingest_fd(const struct layer_ingest *i);
/* layer_ingest_finish() - all is unpacked, and its files use @size bytes. To be followed by store_sync() */
int layer_ingest_finish(struct layer_ingest *i, int64_t size, struct cor_err *err) COR_MUST_CHECK;
/*
 * layer_ingest_commit() - put it in its place under @name. The caller has called store_sync() since finish. If the same
 * layer has come from somewhere else meanwhile, ours is dropped, and that is success.
 */
int layer_ingest_commit(struct layer_ingest *i, const struct digest *name, struct cor_err *err) COR_MUST_CHECK;
/* layer_ingest_end() - remove what was not committed */
void layer_ingest_end(struct layer_ingest *i);
static inline void layer_ingest_end_p(struct layer_ingest **i)
{
        layer_ingest_end(*i);
}
#define auto_layer_ingest COR_CLEANUP(layer_ingest_end_p) struct layer_ingest *
/* layer_sync_folder() - make the names of committed layers durable */
int layer_sync_folder(struct store *s, struct cor_err *err) COR_MUST_CHECK;

/*
 * layer_lock() - hold the making of layer @diff_id against other processes (a byte of layers/.lock that its digest
 * names); the descriptor is the lock. Waits up to @wait_ms (-1: for ever), then BUSY.
 */
int layer_lock(struct store *s, const struct digest *diff_id, int wait_ms, struct cor_err *err) COR_MUST_CHECK;
/* layer_lock_make() - make the file of these locks if it is missing, for who may make none in layers/ later */
int layer_lock_make(struct store *s, struct cor_err *err) COR_MUST_CHECK;
#define LAYER_LOCK_FILE ".lock" /* in layers/ */

int layer_each(const struct store *s,
               int (*each)(const struct digest *name, int64_t size, void *context, struct cor_err *err), void *context,
               struct cor_err *err) COR_MUST_CHECK;

#endif

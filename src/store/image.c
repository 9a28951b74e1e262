/* Recording, naming and forgetting images. Reading them is image_read.c. */
#include "store/image.h"
#include "base/log.h"
#include "base/text.h"
#include "store/blob.h"
#include "store/db.h"
#include "store/layer.h"

#include <string.h>

static int touch(struct store_db *db, struct cor_err *err)
{
        return db_run(db, err, "UPDATE state SET images = images + 1", "") < 0 ? -1 : 0;
}

/*
 * Commit a change of images. index.json follows; that it could not be written is no failure of the change, which is
 * durable by now: whoever opens the store next writes it.
 */
static int commit(struct store *s, struct db_txn *txn, struct cor_err *err)
{
        struct cor_err late = { 0 };

        if (touch(s->db, err) < 0 || db_commit(txn, err) < 0)
                return -1;
        if (store_index_write(s, &late) < 0)
                cor_debug("store %s: index.json: %s", s->path, late.msg);
        return 0;
}

/* What the image needs is here. Inside the transaction, so that the collector does not come in between. */
static int check_content(const struct store *s, const struct image_row *i, struct cor_err *err)
{
        for (size_t n = 0; n < i->n_blobs; n++) {
                const struct image_blob *b = &i->blobs[n];
                int64_t size = blob_find(s, &b->digest);

                if (size < 0 && !b->optional)
                        return cor_fail(err, COR_INVALID, "blob %s is not in the store", b->digest.text);
                if (size >= 0 && size != b->size)
                        return cor_fail(err, COR_INVALID, "blob %s has %lld bytes, not %lld", b->digest.text,
                                        (long long)size, (long long)b->size);
        }
        for (size_t n = 0; n < i->n_layers; n++)
                if (layer_size(s, &i->layers[n].name) < 0)
                        return cor_fail(err, COR_INVALID, "layer %s is not in the store", i->layers[n].name.text);
        return 0;
}

static int put_row(struct store_db *db, const struct image_row *i, struct cor_err *err)
{
        auto_text labels = COR_TEXT_INIT;

        for (size_t n = 0; n < i->labels.n_items; n++)
                cor_text_add_n(&labels, i->labels.items[n], strlen(i->labels.items[n]) + 1);
        return db_run(db, err,
                      "INSERT INTO image (id, manifest, architecture, os, variant, created, pulled, size, labels,"
                      " created_ns) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) ON CONFLICT (id) DO UPDATE SET"
                      " manifest = ?2, architecture = ?3, os = ?4, variant = ?5, created = ?6, pulled = ?7, size = ?8,"
                      " labels = ?9, created_ns = ?10",
                      "tttttiiibi", i->id.text, i->manifest.text, i->architecture, i->os, i->variant, i->created,
                      i->pulled, i->size, labels.len ? labels.s : NULL, labels.len, i->created_ns);
}

/* The number of an image in the database; NOT_FOUND */
static int get_seq(struct store_db *db, const struct digest *id, int64_t *ret, struct cor_err *err)
{
        auto_db_rows rows = { 0 };
        int r;

        if (db_query(db, &rows, err, "SELECT seq FROM image WHERE id = ?1", "t", id->text) < 0)
                return -1;
        r = db_next(&rows, err);
        if (r == 0)
                return cor_fail(err, COR_NOT_FOUND, "image %s is not in the store", id->text);
        if (r > 0)
                *ret = db_int(&rows, 0);
        return r < 0 ? -1 : 0;
}

static int put_blobs(struct store_db *db, int64_t seq, const struct image_row *i, struct cor_err *err)
{
        if (db_run(db, err, "DELETE FROM image_blob WHERE image = ?1", "i", seq) < 0)
                return -1;
        for (size_t n = 0; n < i->n_blobs; n++) {
                const struct image_blob *b = &i->blobs[n];

                if (db_run(db, err, "INSERT INTO image_blob VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)", "iitiiti", seq,
                           (int64_t)n, b->digest.text, (int64_t)b->kind, b->size, b->media_type,
                           (int64_t)b->optional) < 0)
                        return -1;
        }
        return 0;
}

static int put_layers(struct store_db *db, int64_t seq, const struct image_row *i, struct cor_err *err)
{
        if (db_run(db, err, "DELETE FROM image_layer WHERE image = ?1", "i", seq) < 0)
                return -1;
        for (size_t n = 0; n < i->n_layers; n++) {
                const struct image_layer *l = &i->layers[n];

                if (db_run(db, err, "INSERT INTO image_layer VALUES (?1, ?2, ?3, ?4, ?5)", "iitti", seq, (int64_t)n,
                           l->diff_id.text, l->name.text, l->size) < 0)
                        return -1;
        }
        return 0;
}

static int put_name(struct store_db *db, int64_t seq, const char *name, struct cor_err *err)
{
        return db_run(db, err, "INSERT OR REPLACE INTO image_name VALUES (?1, ?2)", "ti", name, seq);
}

static int put_names(struct store_db *db, int64_t seq, const struct cor_strv *names, struct cor_err *err)
{
        for (size_t n = 0; n < names->n_items; n++)
                if (put_name(db, seq, names->items[n], err) < 0)
                        return -1;
        return 0;
}

int image_put(struct store *s, const struct image_row *i, struct cor_err *err)
{
        auto_db_txn txn = DB_TXN_INIT;
        int64_t seq = 0;

        if (db_begin(s->db, DB_DURABLE, &txn, err) < 0 || check_content(s, i, err) < 0 || put_row(s->db, i, err) < 0 ||
            get_seq(s->db, &i->id, &seq, err) < 0 || put_blobs(s->db, seq, i, err) < 0 ||
            put_layers(s->db, seq, i, err) < 0 || put_names(s->db, seq, &i->names, err) < 0 ||
            put_names(s->db, seq, &i->repo_digests, err) < 0 || commit(s, &txn, err) < 0)
                return cor_wrap(err, "record image %s", i->id.text);
        return 0;
}

int image_tag(struct store *s, const struct digest *id, const char *name, struct cor_err *err)
{
        auto_db_txn txn = DB_TXN_INIT;
        int64_t seq = 0;

        if (db_begin(s->db, DB_DURABLE, &txn, err) < 0 || get_seq(s->db, id, &seq, err) < 0 ||
            put_name(s->db, seq, name, err) < 0)
                return -1;
        return commit(s, &txn, err);
}

static int drop_names(struct store_db *db, int64_t seq, const struct cor_strv *names, struct cor_err *err)
{
        for (size_t n = 0; n < names->n_items; n++)
                if (db_run(db, err, "DELETE FROM image_name WHERE name = ?1 AND image = ?2", "ti", names->items[n],
                           seq) < 0)
                        return -1;
        return 0;
}

static int drop_image(struct store_db *db, int64_t seq, enum image_forgetting what, struct cor_err *err)
{
        if (what == IMAGE_FORGET_NAMES)
                return 0;
        if (what == IMAGE_FORGET_ALL)
                return db_run(db, err, "DELETE FROM image WHERE seq = ?1", "i", seq);
        return db_run(db, err,
                      "DELETE FROM image WHERE seq = ?1 AND NOT EXISTS (SELECT 1 FROM image_name WHERE image = ?1)",
                      "i", seq);
}

int image_forget(struct store *s, const struct digest *id, const struct cor_strv *names, enum image_forgetting what,
                 struct cor_err *err)
{
        auto_db_txn txn = DB_TXN_INIT;
        int64_t seq = 0;
        int gone;

        if (db_begin(s->db, DB_DURABLE, &txn, err) < 0 || get_seq(s->db, id, &seq, err) < 0 ||
            drop_names(s->db, seq, names, err) < 0)
                return -1;
        gone = drop_image(s->db, seq, what, err);
        return gone < 0 || commit(s, &txn, err) < 0 ? -1 : gone > 0;
}

/* One of a list, inside the transaction: 1 it is gone by this, 0 not. */
static int forget_one(struct store_db *db, const struct image_row *i, struct cor_err *err)
{
        struct cor_err why = { 0 };
        int64_t seq = 0;

        if (get_seq(db, &i->id, &seq, &why) < 0) {
                if (why.kind != COR_NOT_FOUND && err)
                        *err = why;
                return why.kind == COR_NOT_FOUND ? 0 : -1;
        }
        if (drop_names(db, seq, &i->names, err) < 0 || drop_names(db, seq, &i->repo_digests, err) < 0)
                return -1;
        return drop_image(db, seq, IMAGE_FORGET_UNLESS_NAMED, err);
}

int image_forget_list(struct store *s, const struct image_list *list, bool *ret_gone, struct cor_err *err)
{
        auto_db_txn txn = DB_TXN_INIT;

        if (list->n_items == 0)
                return 0;
        if (db_begin(s->db, DB_DURABLE, &txn, err) < 0)
                return -1;
        for (size_t n = 0; n < list->n_items; n++) {
                int gone = forget_one(s->db, &list->items[n], err);

                if (gone < 0)
                        return -1;
                ret_gone[n] = gone > 0;
        }
        return commit(s, &txn, err);
}

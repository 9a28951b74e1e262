/*
 * index.json: the images as other programs see them in the folder images/. The database leads. A change of it counts up
 * state.images in its transaction; after the commit, the file is written anew from the database under a lock, and
 * state.indexed is set to the count it shows. Where the two differ when the store is opened, whoever made the last
 * change did not get that far, and the file is written then.
 */
#include "base/file.h"
#include "base/text.h"
#include "store/blob.h"
#include "store/db.h"
#include "store/image.h"

#include <string.h>

static void add_member(struct cor_text *t, const char *key, const char *value)
{
        if (!value || !*value)
                return;
        cor_text_printf(t, ",\"%s\":", key);
        cor_text_add_json(t, value);
}

/* One entry of `manifests`. */
static void add_manifest(struct cor_text *t, const struct db_rows *r)
{
        const char *type = db_text(r, 2), *architecture = db_text(r, 3), *os = db_text(r, 4), *name = db_text(r, 6);

        cor_text_printf(t, "%s{\"mediaType\":", t->s[t->len - 1] == '[' ? "" : ",");
        cor_text_add_json(t, type && *type ? type : "application/vnd.oci.image.manifest.v1+json");
        add_member(t, "digest", db_text(r, 0));
        cor_text_printf(t, ",\"size\":%lld", (long long)db_int(r, 1));
        if (name) {
                cor_text_add(t, ",\"annotations\":{\"org.opencontainers.image.ref.name\":");
                cor_text_add_json(t, name);
                cor_text_add(t, "}");
        }
        if (architecture && *architecture && os && *os) {
                cor_text_add(t, ",\"platform\":{\"architecture\":");
                cor_text_add_json(t, architecture);
                add_member(t, "os", os);
                add_member(t, "variant", db_text(r, 5));
                cor_text_add(t, "}");
        }
        cor_text_add(t, "}");
}

/* Every image once for each of its tags, and once without a name if it has none: what is listed, others do not remove.
 */
static int format_index(struct store_db *db, struct cor_text *t, struct cor_err *err)
{
        auto_db_rows rows = { 0 };
        int r;

        if (db_query(db, &rows, err,
                     "SELECT b.digest, b.size, b.media_type, i.architecture, i.os, i.variant, n.name FROM image i"
                     " JOIN image_blob b ON b.image = i.seq AND b.digest = i.manifest AND b.kind = ?1"
                     " LEFT JOIN image_name n ON n.image = i.seq AND n.name NOT LIKE '%@%'"
                     " ORDER BY i.seq, n.name",
                     "i", (int64_t)IMAGE_BLOB_MANIFEST) < 0)
                return -1;
        cor_text_add(t,
                     "{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.index.v1+json\",\"manifests\":[");
        while ((r = db_next(&rows, err)) > 0)
                add_manifest(t, &rows);
        cor_text_add(t, "]}\n");
        return r;
}

/* Counts of changes: made, and shown by the file. */
static int get_counts(struct store_db *db, int64_t *ret_made, int64_t *ret_shown, struct cor_err *err)
{
        auto_db_rows rows = { 0 };
        int r;

        if (db_query(db, &rows, err, "SELECT images, indexed FROM state", "") < 0)
                return -1;
        r = db_next(&rows, err);
        if (r < 0)
                return -1;
        *ret_made = r ? db_int(&rows, 0) : 0;
        *ret_shown = r ? db_int(&rows, 1) : 0;
        return 0;
}

/* The text for the state of one moment, or nothing if the file shows it. */
static int look(struct store_db *db, struct cor_text *text, int64_t *ret_count, struct cor_err *err)
{
        auto_db_txn txn = DB_TXN_INIT;
        int64_t shown;

        if (db_begin(db, DB_READ, &txn, err) < 0 || get_counts(db, ret_count, &shown, err) < 0)
                return -1;
        return shown == *ret_count ? 0 : format_index(db, text, err);
}

int store_index_write(struct store *s, struct cor_err *err)
{
        auto_text text = COR_TEXT_INIT;
        auto_fd lock = -1;
        int64_t made, shown;

        if (get_counts(s->db, &made, &shown, err) < 0)
                return -1;
        if (made == shown)
                return 0;
        lock = db_lock(s, DB_LOCK_INDEX, err);
        if (lock < 0 || look(s->db, &text, &made, err) < 0)
                return cor_wrap(err, "index.json");
        if (text.len == 0)
                return 0;
        if (cor_own_write(s->images, "index.json", text.s, text.len, 0644, true, err) < 0)
                return -1;
        /* Losing this costs writing the file once more. */
        auto_db_txn txn = DB_TXN_INIT;

        if (db_begin(s->db, DB_WRITE, &txn, err) < 0 ||
            db_run(s->db, err, "UPDATE state SET indexed = ?1", "i", made) < 0 || db_commit(&txn, err) < 0)
                return cor_wrap(err, "index.json");
        return 0;
}

/* Reading images from the database: whatever their number, one query for each table. */
#include "base/text.h"
#include "store/db.h"
#include "store/image.h"

#include <string.h>

void image_row_done(struct image_row *i)
{
        for (size_t n = 0; n < i->n_blobs; n++)
                free(i->blobs[n].media_type);
        free(i->blobs);
        free(i->layers);
        free(i->architecture);
        free(i->os);
        free(i->variant);
        cor_strv_done(&i->names);
        cor_strv_done(&i->repo_digests);
        cor_strv_done(&i->labels);
        memset(i, 0, sizeof *i);
}

void image_list_done(struct image_list *l)
{
        for (size_t i = 0; i < l->n_items; i++)
                image_row_done(&l->items[i]);
        free(l->items);
        l->items = NULL;
        l->n_items = 0;
}

/* Where the image of number `seq` is in the list. */
struct place {
        int64_t seq;
        size_t at;
};

/* A list on its way: names and the rest find their image by its number. */
struct reading {
        struct store_db *db;
        struct image_list list;
        struct place *places;
        size_t n_places;
        int64_t only; /* the one image that is wanted, or 0 */
};

static void reading_done(struct reading *r)
{
        image_list_done(&r->list);
        free(r->places);
}

static int by_seq(const void *a, const void *b)
{
        const struct place *x = a, *y = b;

        return (x->seq > y->seq) - (x->seq < y->seq);
}

static struct image_row *row_of(struct reading *r, int64_t seq)
{
        struct place key = { .seq = seq };
        const struct place *found = bsearch(&key, r->places, r->n_places, sizeof *r->places, by_seq);

        return found ? &r->list.items[found->at] : NULL;
}

static int read_image(struct reading *r, const struct db_rows *rows, struct cor_err *err)
{
        struct place *place = COR_GROW(r->places, r->n_places);
        struct image_row *i = COR_GROW(r->list.items, r->list.n_items);
        const char *labels;
        size_t n;

        place->seq = db_int(rows, 0);
        place->at = r->list.n_items - 1;
        if (db_digest(rows, 1, &i->id, err) < 0 || db_digest(rows, 2, &i->manifest, err) < 0)
                return -1;
        i->architecture = cor_strdup(db_text(rows, 3));
        i->os = cor_strdup(db_text(rows, 4));
        i->variant = cor_strdup(db_text(rows, 5));
        i->created = db_int(rows, 6);
        i->created_ns = db_int(rows, 10);
        i->pulled = db_int(rows, 7);
        i->size = db_int(rows, 8);
        labels = db_bytes(rows, 9, &n);
        for (size_t at = 0, len; at < n; at += len + 1) {
                auto_str label = cor_strndup(labels + at, n - at);

                len = strlen(label);
                cor_strv_take(&i->labels, COR_TAKE(label));
        }
        return 0;
}

static int read_name(struct reading *r, const struct db_rows *rows, struct cor_err *err)
{
        struct image_row *i = row_of(r, db_int(rows, 0));
        const char *name = db_text(rows, 1);

        if (i && name)
                cor_strv_add(strchr(name, '@') ? &i->repo_digests : &i->names, name);
        return 0;
}

static int read_layer(struct reading *r, const struct db_rows *rows, struct cor_err *err)
{
        struct image_row *i = row_of(r, db_int(rows, 0));
        struct image_layer layer = { .size = db_int(rows, 3) };

        if (db_digest(rows, 1, &layer.diff_id, err) < 0 || db_digest(rows, 2, &layer.name, err) < 0)
                return -1;
        if (i)
                *COR_GROW(i->layers, i->n_layers) = layer;
        return 0;
}

static int read_blob(struct reading *r, const struct db_rows *rows, struct cor_err *err)
{
        struct image_row *i = row_of(r, db_int(rows, 0));
        struct image_blob blob = {
                .kind = (enum image_blob_kind)db_int(rows, 2),
                .size = db_int(rows, 3),
                .optional = db_int(rows, 5) != 0,
        };

        if (db_digest(rows, 1, &blob.digest, err) < 0)
                return -1;
        blob.media_type = cor_strdup(db_text(rows, 4));
        if (i)
                *COR_GROW(i->blobs, i->n_blobs) = blob;
        else
                free(blob.media_type);
        return 0;
}

/* One table, of all images or of the one: two texts, since SQLite would not use the index for "either". */
struct table {
        const char *all, *one;
        int (*read)(struct reading *r, const struct db_rows *rows, struct cor_err *err);
};
#define IMAGE_COLUMNS                                                                                                  \
        "SELECT seq, id, manifest, architecture, os, variant, created, pulled, size, labels, created_ns FROM image"
#define LAYER_COLUMNS "SELECT image, diff_id, name, size FROM image_layer"
#define BLOB_COLUMNS  "SELECT image, digest, kind, size, media_type, optional FROM image_blob"

static const struct table image_table = {
        IMAGE_COLUMNS " ORDER BY created DESC, seq DESC",
        IMAGE_COLUMNS " WHERE seq = ?1",
        read_image,
};
static const struct table name_table = {
        "SELECT image, name FROM image_name ORDER BY name",
        "SELECT image, name FROM image_name WHERE image = ?1 ORDER BY name",
        read_name,
};
static const struct table layer_table = {
        LAYER_COLUMNS " ORDER BY image, n",
        LAYER_COLUMNS " WHERE image = ?1 ORDER BY n",
        read_layer,
};
static const struct table blob_table = {
        BLOB_COLUMNS " ORDER BY image, n",
        BLOB_COLUMNS " WHERE image = ?1 ORDER BY n",
        read_blob,
};

static int read_table(struct reading *r, const struct table *table, struct cor_err *err)
{
        auto_db_rows rows = { 0 };
        int more;

        if ((r->only ? db_query(r->db, &rows, err, table->one, "i", r->only)
                     : db_query(r->db, &rows, err, table->all, "")) < 0)
                return -1;
        while ((more = db_next(&rows, err)) > 0)
                if (table->read(r, &rows, err) < 0)
                        return -1;
        return more;
}

static int read_all(struct reading *r, bool full, struct cor_err *err)
{
        if (read_table(r, &image_table, err) < 0)
                return -1;
        if (r->n_places)
                qsort(r->places, r->n_places, sizeof *r->places, by_seq);
        if (read_table(r, &name_table, err) < 0)
                return -1;
        return full && (read_table(r, &layer_table, err) < 0 || read_table(r, &blob_table, err) < 0) ? -1 : 0;
}

int image_all(struct store *s, bool full, struct image_list *ret, struct cor_err *err)
{
        COR_CLEANUP(reading_done) struct reading r = { .db = s->db };
        auto_db_txn txn = DB_TXN_INIT;

        if (db_begin(s->db, DB_READ, &txn, err) < 0 || read_all(&r, full, err) < 0)
                return -1;
        *ret = r.list;
        r.list = (struct image_list){ 0 };
        return 0;
}

/* The number of an image by its name; 0 there is none. */
static int find_name(struct store_db *db, const char *name, int64_t *ret, struct cor_err *err)
{
        auto_db_rows rows = { 0 };
        int r;

        if (db_query(db, &rows, err, "SELECT image FROM image_name WHERE name = ?1", "t", name) < 0)
                return -1;
        r = db_next(&rows, err);
        if (r > 0)
                *ret = db_int(&rows, 0);
        return r;
}

/* The same by an id or a beginning of one; 'g' is what comes after the last digit. */
static int find_id(struct store_db *db, const char *algorithm, const char *digits, int64_t *ret, struct cor_err *err)
{
        auto_str from = cor_printf("%s:%s", algorithm, digits);
        auto_str to = cor_printf("%sg", from);
        auto_db_rows rows = { 0 };
        int r;

        if (db_query(db, &rows, err, "SELECT seq FROM image WHERE id >= ?1 AND id < ?2 LIMIT 2", "tt", from, to) < 0)
                return -1;
        r = db_next(&rows, err);
        if (r <= 0)
                return r;
        *ret = db_int(&rows, 0);
        r = db_next(&rows, err);
        if (r > 0)
                return cor_fail(err, COR_INVALID, "multiple IDs found with provided prefix: %s", digits);
        return r < 0 ? -1 : 1;
}

static int find(struct store_db *db, const char *name_or_id, int64_t *ret, struct cor_err *err)
{
        static const char *const algorithms[] = { "sha256", "sha512" };
        const char *colon = strchr(name_or_id, ':'), *digits = colon ? colon + 1 : name_or_id;

        if (strchr(name_or_id, '/')) /* names have a domain, ids have no slash */
                return find_name(db, name_or_id, ret, err);
        if (!*digits || digits[strspn(digits, "0123456789abcdef")])
                return 0;
        for (size_t a = 0; a < COR_COUNT(algorithms); a++) {
                size_t len = strlen(algorithms[a]);
                int r;

                if (colon && ((size_t)(colon - name_or_id) != len || strncmp(name_or_id, algorithms[a], len) != 0))
                        continue;
                r = find_id(db, algorithms[a], digits, ret, err);
                if (r != 0)
                        return r;
        }
        return 0;
}

int image_find(struct store *s, const char *name_or_id, struct image_row *ret, struct cor_err *err)
{
        COR_CLEANUP(reading_done) struct reading r = { .db = s->db };
        auto_db_txn txn = DB_TXN_INIT;
        int found;

        if (db_begin(s->db, DB_READ, &txn, err) < 0)
                return -1;
        found = find(s->db, name_or_id, &r.only, err);
        if (found == 0)
                return cor_fail(err, COR_NOT_FOUND, "no image is called %s", name_or_id);
        if (found < 0 || read_all(&r, true, err) < 0)
                return -1;
        if (r.list.n_items == 0) /* a name without its image: foreign keys forbid it */
                return cor_fail(err, COR_INVALID, "database: name %s leads nowhere", name_or_id);
        *ret = r.list.items[0];
        r.list.n_items = 0;
        return 0;
}

/* The collector; lease.c tells why nothing that somebody needs can go. */
#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "store/blob_internal.h"
#include "store/db.h"
#include "store/image.h"
#include "store/layer.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define PARTIAL_KEPT_S (24 * 60 * 60) /* how long a cut off blob waits for whoever continues it */

void collected_done(struct collected *c)
{
        free(c->items);
        *c = (struct collected){ 0 };
}

struct collection {
        struct store *s;
        struct digest *used; /* sorted */
        size_t n_used;
        struct collected found;
};

static void collection_done(struct collection *c)
{
        free(c->used);
        collected_done(&c->found);
}

static int compare(const void *a, const void *b)
{
        return strcmp(((const struct digest *)a)->text, ((const struct digest *)b)->text);
}

static bool is_used(const struct collection *c, const struct digest *d)
{
        return c->n_used && bsearch(d, c->used, c->n_used, sizeof *c->used, compare);
}

/* Leases whose holder has died. */
static int drop_leases(struct store *s, struct cor_err *err)
{
        auto_fd fd = openat(s->fd, "lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
        auto_db_rows rows = { 0 };
        int more;

        if (fd < 0)
                return cor_fail_errno(err, "open the file of locks");
        if (db_query(s->db, &rows, err, "SELECT id FROM lease", "") < 0)
                return -1;
        while ((more = db_next(&rows, err)) > 0) {
                int64_t id = db_int(&rows, 0);
                int held = store_byte_locked(fd, id, err);

                if (held < 0 || (held == 0 && db_run(s->db, err, "DELETE FROM lease WHERE id = ?1", "i", id) < 0))
                        return -1;
        }
        return more;
}

static int read_used(struct collection *c, struct cor_err *err)
{
        auto_db_rows rows = { 0 };
        int more;

        if (db_query(c->s->db, &rows, err,
                     "SELECT digest FROM image_blob UNION SELECT name FROM image_layer UNION SELECT id FROM image"
                     " UNION SELECT manifest FROM image UNION SELECT name FROM container_layer"
                     " UNION SELECT layer FROM container_image WHERE layer <> ''"
                     " UNION SELECT digest FROM lease_item",
                     "") < 0)
                return -1;
        while ((more = db_next(&rows, err)) > 0)
                if (db_digest(&rows, 0, COR_GROW(c->used, c->n_used), err) < 0)
                        return -1;
        if (c->n_used)
                qsort(c->used, c->n_used, sizeof *c->used, compare);
        return more;
}

static void note(struct collection *c, const struct digest *d, int64_t size)
{
        *COR_GROW(c->found.items, c->found.n_items) = *d;
        c->found.bytes += size > 0 ? size : 0;
}

static int take_blob(const struct digest *d, int64_t size, void *context, struct cor_err *err)
{
        struct collection *c = context;
        char path[BLOB_PATH_MAX];
        int r;

        if (is_used(c, d))
                return 0;
        blob_path(d, path);
        r = store_move_away(c->s->blobs, path, c->s->ingest, err);
        if (r > 0)
                note(c, d, size);
        return r < 0 ? -1 : 0;
}

static int take_layer(const struct digest *name, int64_t size, void *context, struct cor_err *err)
{
        struct collection *c = context;
        int r;

        if (is_used(c, name))
                return 0;
        r = store_move_away(c->s->layers, digest_hex(name), c->s->work, err);
        if (r > 0)
                note(c, name, size);
        return r < 0 ? -1 : 0;
}

/* The digest of a partial blob's name; false for others. */
static bool partial_digest(const char *name, struct digest *ret)
{
        char text[sizeof ret->text + 2];
        char *dash;

        if (strlen(name) > DIGEST_TEXT_MAX)
                return false;
        snprintf(text, sizeof text, "%s", name);
        dash = strchr(text, '-');
        if (!dash)
                return false;
        *dash = ':';
        return digest_parse(text, ret, NULL) == 0;
}

static int take_partial(const char *name, void *context, struct cor_err *err)
{
        struct collection *c = context;
        struct digest d;
        auto_fd fd = -1;
        struct stat st;
        int held;

        if (!partial_digest(name, &d) || is_used(c, &d))
                return 0;
        fd = openat(c->s->ingest, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
        if (fd < 0 || fstat(fd, &st) < 0)
                return errno == ENOENT ? 0 : cor_fail_errno(err, "look at partial blob %s", d.text);
        if (st.st_mtime > time(NULL) - PARTIAL_KEPT_S)
                return 0;
        held = cor_flock(fd, 0, err);
        if (held <= 0 || !store_same(c->s->ingest, name, fd))
                return held < 0 ? -1 : 0;
        if (unlinkat(c->s->ingest, name, 0) < 0 && errno != ENOENT)
                return cor_fail_errno(err, "remove partial blob %s", d.text);
        c->found.bytes += st.st_size;
        return 0;
}

static int take_all(struct collection *c, struct cor_err *err)
{
        auto_db_txn txn = DB_TXN_INIT;

        if (db_begin(c->s->db, DB_WRITE, &txn, err) < 0 || drop_leases(c->s, err) < 0 || read_used(c, err) < 0 ||
            blob_each(c->s, take_blob, c, err) < 0 || layer_each(c->s, take_layer, c, err) < 0 ||
            store_each_name(c->s->ingest, "partial blobs", take_partial, c, err) < 0)
                return -1;
        return db_commit(&txn, err);
}

int store_collect(struct store *s, struct collected *ret, struct cor_err *err)
{
        COR_CLEANUP(collection_done) struct collection c = { .s = s };

        if (take_all(&c, err) < 0 || store_clear(s->ingest, err) < 0 || store_clear(s->work, err) < 0)
                return cor_wrap(err, "remove what is not used");
        *ret = c.found;
        c.found = (struct collected){ 0 };
        return 0;
}

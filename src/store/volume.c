/*
 * Volumes. A folder comes and goes inside the transaction of its row. A process that is killed in between may leave the
 * folder of a volume that was never reported as made (the next one of its name takes its place), or the row of one that
 * was being removed (removing it again ends it).
 */
#include "store/volume.h"
#include "base/file.h"
#include "store/row.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void volume_row_done(struct volume_row *v)
{
        free(v->name);
        free(v->driver);
        cor_strv_done(&v->options);
        cor_strv_done(&v->labels);
        memset(v, 0, sizeof *v);
}

void volume_rows_done(struct volume_rows *l)
{
        for (size_t i = 0; i < l->n_items; i++)
                volume_row_done(&l->items[i]);
        free(l->items);
        l->items = NULL;
        l->n_items = 0;
}

#define ALPHANUMERIC "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

/* Docker's words */
int volume_name_check(const char *name, struct cor_err *err)
{
        if (strlen(name) < 2)
                return cor_fail(err, COR_INVALID,
                                "volume name is too short, names should be at least two alphanumeric characters");
        if (!strchr(ALPHANUMERIC, name[0]) || name[strspn(name, ALPHANUMERIC "_.-")])
                return cor_fail(err, COR_INVALID,
                                "create %.100s: \"%.100s\" includes invalid characters for a local volume name, only "
                                "\"[a-zA-Z0-9][a-zA-Z0-9_.-]\" are allowed. If you intended to pass a host directory, "
                                "use absolute path",
                                name, name);
        if (strlen(name) > NAME_MAX)
                return cor_fail(err, COR_INVALID, "volume name is too long: %zu characters, at most %d are allowed",
                                strlen(name), NAME_MAX);
        return 0;
}

static int is_there(struct store *s, const char *name, struct cor_err *err)
{
        auto_db_rows rows = { 0 };

        if (db_query(s->db, &rows, err, "SELECT 1 FROM volume WHERE name = ?1", "t", name) < 0)
                return -1;
        return db_next(&rows, err);
}

static int put_row(struct store *s, const struct volume_row *v, struct cor_err *err)
{
        auto_text options = COR_TEXT_INIT, labels = COR_TEXT_INIT;

        row_put_words(&v->options, &options);
        row_put_words(&v->labels, &labels);
        return db_run(s->db, err, "INSERT INTO volume VALUES (?1, ?2, ?3, ?4, ?5, ?6)", "ttbbii", v->name,
                      v->driver ? v->driver : "local", options.len ? options.s : NULL, options.len,
                      labels.len ? labels.s : NULL, labels.len, v->created, (int64_t)v->anonymous);
}

/* An empty one, the mode whatever the umask */
static int make_data(int folder, struct cor_err *err)
{
        if (fchmod(folder, 0701) < 0 || mkdirat(folder, "_data", 0755) < 0 || fchmodat(folder, "_data", 0755, 0) < 0)
                return cor_fail_errno(err, "make the folder of a volume");
        return store_sync_folder(folder, "the folder of a volume", err);
}

int volume_folder_new(struct store *s, struct store_new *ret, struct cor_err *err)
{
        auto_store_new n = STORE_NEW_INIT;

        if (store_volumes(s, err) < 0 || store_new_make(s->volume_work, &n, err) < 0 || make_data(n.fd, err) < 0)
                return -1;
        *ret = n;
        n.fd = -1;
        return 0;
}

/* Whatever has the name: nobody was told of it. */
static int put_folder(struct store *s, const char *name, const struct store_new *n, struct cor_err *err)
{
        if (store_move_away(s->volumes, name, s->volume_work, err) < 0)
                return -1;
        if (renameat(n->parent, n->name, s->volumes, name) < 0)
                return cor_fail_errno(err, "make the folder of volume %s", name);
        return store_sync_folder(s->volumes, "the folder of volumes", err);
}

int volume_insert(struct store *s, const struct volume_row *v, struct cor_err *err)
{
        int there = volume_name_check(v->name, err) < 0 ? -1 : is_there(s, v->name, err);
        auto_store_new own = STORE_NEW_INIT;

        if (there > 0)
                return cor_fail(err, COR_EXISTS, "a volume named %s already exists", v->name);
        if (there < 0 || (!v->folder && volume_folder_new(s, &own, err) < 0) || put_row(s, v, err) < 0)
                return -1;
        return put_folder(s, v->name, v->folder ? v->folder : &own, err);
}

int volume_insert_missing(struct store *s, struct volume_rows *l, struct cor_err *err)
{
        for (size_t i = 0; i < l->n_items; i++) {
                int there = is_there(s, l->items[i].name, err);

                if (there < 0 || (there == 0 && volume_insert(s, &l->items[i], err) < 0))
                        return -1;
                l->items[i].made = there == 0;
        }
        return 0;
}

int volume_sweep(struct store *s, const struct volume_rows *l, struct cor_err *err)
{
        auto_db_txn txn = DB_TXN_INIT;

        if (l->n_items == 0)
                return 0;
        if (store_volumes(s, err) < 0 || db_begin(s->db, DB_WRITE, &txn, err) < 0)
                return -1;
        for (size_t i = 0; i < l->n_items; i++) {
                const struct volume_row *v = &l->items[i];

                if (v->folder && store_new_is(v->folder, s->volumes, v->name) &&
                    renameat(s->volumes, v->name, v->folder->parent, v->folder->name) < 0)
                        return cor_fail_errno(err, "take back the folder of volume %s", v->name);
        }
        return db_commit(&txn, err);
}

int volume_row_add(struct store *s, const struct volume_row *v, struct cor_err *err)
{
        auto_db_txn txn = DB_TXN_INIT;

        if (db_begin(s->db, DB_DURABLE, &txn, err) < 0 || volume_insert(s, v, err) < 0)
                return -1;
        return db_commit(&txn, err);
}

#define COLUMNS                                                                                                        \
        "SELECT name, driver, options, labels, created, anonymous,"                                                    \
        " (SELECT count(*) FROM container_volume WHERE volume = volume.name) FROM volume"

static void read_row(const struct db_rows *rows, struct volume_row *v)
{
        v->name = cor_strdup(db_text(rows, 0));
        v->driver = cor_strdup(db_text(rows, 1));
        row_get_words(rows, 2, &v->options);
        row_get_words(rows, 3, &v->labels);
        v->created = db_int(rows, 4);
        v->anonymous = db_int(rows, 5) != 0;
        v->users = db_int(rows, 6);
}

int volume_row_find(struct store *s, const char *name, struct volume_row *ret, struct cor_err *err)
{
        auto_db_rows rows = { 0 };
        int found;

        if (db_query(s->db, &rows, err, COLUMNS " WHERE name = ?1", "t", name) < 0)
                return -1;
        found = db_next(&rows, err);
        if (found == 0)
                return cor_fail(err, COR_NOT_FOUND, "get %s: no such volume", name);
        if (found < 0)
                return -1;
        *ret = (struct volume_row){ 0 };
        read_row(&rows, ret);
        return 0;
}

int volume_row_all(struct store *s, struct volume_rows *ret, struct cor_err *err)
{
        auto_volume_rows l = { 0 };
        auto_db_rows rows = { 0 };
        int more;

        if (db_query(s->db, &rows, err, COLUMNS " ORDER BY name", "") < 0)
                return -1;
        while ((more = db_next(&rows, err)) > 0)
                read_row(&rows, COR_GROW(l.items, l.n_items));
        if (more < 0)
                return -1;
        *ret = l;
        l = (struct volume_rows){ 0 };
        return 0;
}

static int check_unused(struct store *s, const char *name, struct cor_err *err)
{
        auto_text users = COR_TEXT_INIT;
        auto_db_rows rows = { 0 };
        int more;

        if (db_query(s->db, &rows, err,
                     "SELECT id FROM container JOIN container_volume ON container = number WHERE volume = ?1"
                     " ORDER BY number",
                     "t", name) < 0)
                return -1;
        while ((more = db_next(&rows, err)) > 0)
                cor_text_printf(&users, "%s%s", users.len ? ", " : "", db_text(&rows, 0));
        if (more < 0)
                return -1;
        return users.len ? cor_fail(err, COR_BUSY, "remove %s: volume is in use - [%s]", name, users.s) : 0;
}

/* The folder goes first, so that there is never a folder whose volume was said to be gone. */
static int forget(struct store *s, const char *name, char gone[STORE_NAME_MAX], struct cor_err *err)
{
        auto_db_txn txn = DB_TXN_INIT;
        int n;

        if (db_begin(s->db, DB_DURABLE, &txn, err) < 0 || check_unused(s, name, err) < 0)
                return -1;
        n = db_run(s->db, err, "DELETE FROM volume WHERE name = ?1", "t", name);
        if (n == 0)
                return cor_fail(err, COR_NOT_FOUND, "get %s: no such volume", name);
        if (n < 0 || store_volumes(s, err) < 0)
                return -1;
        store_random_name(STORE_GONE, gone);
        if (renameat(s->volumes, name, s->volume_work, gone) < 0 && errno != ENOENT)
                return cor_fail_errno(err, "remove the folder of volume %s", name);
        return db_commit(&txn, err);
}

int volume_row_remove(struct store *s, const char *name, struct cor_err *err)
{
        char gone[STORE_NAME_MAX];

        if (forget(s, name, gone, err) < 0)
                return -1;
        if (cor_own_remove_tree(s->volume_work, gone, err) < 0)
                return cor_wrap(err, "remove volume %s", name);
        return 0;
}

char *volume_folder_path(const struct store *s, const char *name)
{
        return cor_printf("%s/volumes/%s/_data", store_path(s), name);
}

int volume_folder_open(const struct store *s, const char *name, struct cor_err *err)
{
        auto_str path = cor_printf("%s/_data", name);
        int fd;

        if (volume_name_check(name, err) < 0 || store_volumes(s, err) < 0)
                return -1;
        fd = cor_own_open(s->volumes, path, O_PATH | O_DIRECTORY, 0, err);
        return fd < 0 ? cor_wrap(err, "volume %s", name) : fd;
}

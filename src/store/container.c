/*
 * Recording, changing and forgetting containers. Reading them is container_read.c.
 *
 * A folder is made, and a stray one removed, inside a transaction: whoever looks for strays is the only writer, and so
 * a folder without a row is nobody's.
 */
#include "store/container.h"
#include "base/file.h"
#include "base/log.h"
#include "store/container_ids.h"
#include "store/image.h"
#include "store/layer.h"
#include "store/row.h"
#include "store/volume.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Docker's words for a name that is taken. */
static int check_name(struct store *s, const struct container_row *r, struct cor_err *err)
{
        auto_db_rows rows = { 0 };
        int found;

        if (db_query(s->db, &rows, err, "SELECT id FROM container WHERE name = ?1 AND number <> ?2", "ti", r->name,
                     r->number) < 0)
                return -1;
        found = db_next(&rows, err);
        if (found > 0)
                return cor_fail(err, COR_EXISTS,
                                "Conflict. The container name \"/%s\" is already in use by container \"%s\". You have "
                                "to remove (or rename) that container to be able to reuse that name.",
                                r->name, db_text(&rows, 0));
        return found;
}

static int check_id(struct store *s, const char *id, struct cor_err *err)
{
        auto_db_rows rows = { 0 };
        int found;

        if (strlen(id) != 64 || strspn(id, "0123456789abcdef") != 64)
                return cor_fail(err, COR_INVALID, "'%.80s' is not the id of a container", id);
        if (db_query(s->db, &rows, err, "SELECT 1 FROM container WHERE id = ?1", "t", id) < 0)
                return -1;
        found = db_next(&rows, err);
        return found > 0 ? cor_fail(err, COR_EXISTS, "container %s is there already", id) : found;
}

static int put_row(struct store *s, struct container_row *r, struct cor_err *err)
{
        const struct container_now *n = &r->now;
        auto_text labels = COR_TEXT_INIT;

        row_put_words(&r->labels, &labels);
        if (db_run(s->db, err,
                   "INSERT INTO container (id, name, image, image_id, created, phase, pid, monitor_pid, pid_start,"
                   " monitor_start, started, finished, exit_code, oom_killed, stopped, restarts, health, auto_remove,"
                   " error, command, ports, labels) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13,"
                   " ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22)",
                   "ttttiiiiiiiiiiiiiitttb", r->id, r->name, r->image ? r->image : "", r->image_id.text, r->created,
                   (int64_t)n->phase, (int64_t)n->pid, (int64_t)n->monitor_pid, (int64_t)n->pid_start_time,
                   (int64_t)n->monitor_start_time, n->started, n->finished, (int64_t)n->exit_code,
                   (int64_t)n->oom_killed, (int64_t)n->stopped, n->restart_count, (int64_t)n->health,
                   (int64_t)r->auto_remove, n->error, r->command, r->ports, labels.len ? labels.s : NULL,
                   labels.len) < 0)
                return -1;
        r->number = db_last_id(s->db);
        if (container_take_ids(s, r, err) < 0)
                return -1;
        return db_run(s->db, err, "INSERT INTO container_document VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)", "itttttt",
                      r->number, r->config ? r->config : "{}", r->host_config ? r->host_config : "{}", r->networking,
                      r->endpoints, r->mounts, r->id_map) < 0
                       ? -1
                       : 0;
}

/* That they are there is looked at inside the transaction: the collector does not come in between. */
static int put_layers(struct store *s, const struct container_row *r, struct cor_err *err)
{
        for (size_t i = 0; i < r->n_layers; i++) {
                if (layer_size(s, &r->layers[i]) < 0)
                        return cor_fail(err, COR_INVALID, "layer %s is not in the store", r->layers[i].text);
                if (db_run(s->db, err, "INSERT INTO container_layer VALUES (?1, ?2, ?3)", "iit", r->number, (int64_t)i,
                           r->layers[i].text) < 0)
                        return -1;
        }
        return 0;
}

static int put_image(struct store *s, int64_t number, const struct container_image *i, struct cor_err *err)
{
        static const char insert[] = "INSERT OR IGNORE INTO container_image VALUES (?1, ?2, ?3)";

        if (i->n_layers == 0)
                return db_run(s->db, err, insert, "itt", number, i->id.text, "") < 0 ? -1 : 0;
        for (size_t k = 0; k < i->n_layers; k++) {
                if (layer_size(s, &i->layers[k]) < 0)
                        return cor_fail(err, COR_NOT_FOUND, "image %s is not there any more", i->id.text);
                if (db_run(s->db, err, insert, "itt", number, i->id.text, i->layers[k].text) < 0)
                        return -1;
        }
        return 0;
}

static int put_images(struct store *s, const struct container_row *r, struct cor_err *err)
{
        for (size_t i = 0; i < r->n_images; i++)
                if (put_image(s, r->number, &r->images[i], err) < 0)
                        return -1;
        return 0;
}

static int volume_is_there(struct store *s, const char *name, struct cor_err *err)
{
        auto_db_rows rows = { 0 };

        if (db_query(s->db, &rows, err, "SELECT 1 FROM volume WHERE name = ?1", "t", name) < 0)
                return -1;
        return db_next(&rows, err);
}

static int put_volumes(struct store *s, const struct container_row *r, struct cor_err *err)
{
        for (size_t i = 0; i < r->volumes.n_items; i++) {
                int there = volume_is_there(s, r->volumes.items[i], err);

                if (there == 0)
                        return cor_fail(err, COR_NOT_FOUND, "get %s: no such volume", r->volumes.items[i]);
                if (there < 0 || db_run(s->db, err, "INSERT OR IGNORE INTO container_volume VALUES (?1, ?2)", "it",
                                        r->number, r->volumes.items[i]) < 0)
                        return -1;
        }
        return 0;
}

static int make_folder(struct store *s, const struct container_row *r, struct cor_err *err)
{
        if (store_containers(s, err) < 0)
                return -1;
        if (r->folder ? renameat(r->folder->parent, r->folder->name, s->containers, r->id) < 0
                      : mkdirat(s->containers, r->id, 0700) < 0)
                return cor_fail_errno(err, "make the folder of container %s", r->id);
        return r->auto_remove ? 0 : store_sync_folder(s->containers, "the folder of containers", err);
}

/* What is in a volume outlives a container that is not to last. */
static bool is_durable(const struct container_row *r, const struct volume_rows *volumes)
{
        bool durable = !r->auto_remove;

        for (size_t i = 0; i < volumes->n_items; i++)
                durable = durable || !volumes->items[i].anonymous;
        return durable;
}

static int add(struct store *s, struct container_row *r, struct volume_rows *volumes, struct cor_err *err)
{
        auto_db_txn txn = DB_TXN_INIT;

        if (db_begin(s->db, is_durable(r, volumes) ? DB_DURABLE : DB_WRITE, &txn, err) < 0 ||
            check_name(s, r, err) < 0 || check_id(s, r->id, err) < 0 || put_row(s, r, err) < 0 ||
            put_layers(s, r, err) < 0 || volume_insert_missing(s, volumes, err) < 0)
                return -1;
        if (put_images(s, r, err) < 0 || put_volumes(s, r, err) < 0 || make_folder(s, r, err) < 0)
                return -1;
        return db_commit(&txn, err);
}

int container_row_add_with(struct store *s, struct container_row *r, struct volume_rows *volumes, struct cor_err *err)
{
        r->number = 0;
        if (add(s, r, volumes, err) == 0)
                return 0;
        r->number = 0;
        if (db_unsure(s->db))
                return -1;
        /* Folders without rows are no harm, and are swept away some day; those that are seen now go now. */
        if (container_row_sweep(s, NULL) < 0 || volume_sweep(s, volumes, NULL) < 0)
                cor_debug("store %s: container %s may have left a folder", s->path, r->id);
        return -1;
}

int container_row_add(struct store *s, struct container_row *r, struct cor_err *err)
{
        struct volume_rows none = { 0 };

        return container_row_add_with(s, r, &none, err);
}

static int changed_one(int n, int64_t number, struct cor_err *err)
{
        if (n == 0)
                return cor_fail(err, COR_NOT_FOUND, "the container (number %lld) is not there any more",
                                (long long)number);
        return n < 0 ? -1 : 0;
}

int container_row_save_now(struct store *s, int64_t number, const struct container_now *now, bool durable,
                           struct cor_err *err)
{
        auto_db_txn txn = DB_TXN_INIT;

        if (db_begin(s->db, durable ? DB_DURABLE : DB_WRITE, &txn, err) < 0)
                return -1;
        if (changed_one(db_run(s->db, err,
                               "UPDATE container SET phase = ?2, pid = ?3, monitor_pid = ?4, pid_start = ?5,"
                               " monitor_start = ?6, started = ?7, finished = ?8, exit_code = ?9, oom_killed = ?10,"
                               " stopped = ?11, restarts = ?12, health = ?13, error = ?14 WHERE number = ?1",
                               "iiiiiiiiiiiiit", number, (int64_t)now->phase, (int64_t)now->pid,
                               (int64_t)now->monitor_pid, (int64_t)now->pid_start_time,
                               (int64_t)now->monitor_start_time, now->started, now->finished, (int64_t)now->exit_code,
                               (int64_t)now->oom_killed, (int64_t)now->stopped, now->restart_count,
                               (int64_t)now->health, now->error),
                        number, err) < 0)
                return -1;
        return db_commit(&txn, err);
}

static int save(struct store *s, const struct container_row *r, struct cor_err *err)
{
        auto_text labels = COR_TEXT_INIT;

        row_put_words(&r->labels, &labels);
        if (changed_one(db_run(s->db, err,
                               "UPDATE container SET name = ?2, auto_remove = ?3, command = ?4, ports = ?5,"
                               " labels = ?6 WHERE number = ?1",
                               "ititt"
                               "b",
                               r->number, r->name, (int64_t)r->auto_remove, r->command, r->ports,
                               labels.len ? labels.s : NULL, labels.len),
                        r->number, err) < 0)
                return -1;
        return db_run(s->db, err,
                      "UPDATE container_document SET config = ?2, host_config = ?3, networking = ?4, endpoints = ?5,"
                      " mounts = ?6 WHERE container = ?1",
                      "ittttt", r->number, r->config ? r->config : "{}", r->host_config ? r->host_config : "{}",
                      r->networking, r->endpoints, r->mounts) < 0
                       ? -1
                       : 0;
}

int container_row_save(struct store *s, const struct container_row *r, struct cor_err *err)
{
        auto_db_txn txn = DB_TXN_INIT;

        if (db_begin(s->db, r->auto_remove ? DB_WRITE : DB_DURABLE, &txn, err) < 0 || check_name(s, r, err) < 0 ||
            save(s, r, err) < 0)
                return -1;
        return db_commit(&txn, err);
}

int container_row_save_endpoints(struct store *s, int64_t number, const char *endpoints, struct cor_err *err)
{
        auto_db_txn txn = DB_TXN_INIT;

        if (db_begin(s->db, DB_WRITE, &txn, err) < 0 ||
            changed_one(db_run(s->db, err, "UPDATE container_document SET endpoints = ?2 WHERE container = ?1", "it",
                               number, endpoints),
                        number, err) < 0)
                return -1;
        return db_commit(&txn, err);
}

int container_row_remove(struct store *s, int64_t number, bool durable, struct cor_err *err)
{
        auto_db_txn txn = DB_TXN_INIT;

        if (db_begin(s->db, durable ? DB_DURABLE : DB_WRITE, &txn, err) < 0 ||
            changed_one(db_run(s->db, err, "DELETE FROM container WHERE number = ?1", "i", number), number, err) < 0)
                return -1;
        return db_commit(&txn, err);
}

struct sweep {
        struct store *s;
        struct cor_strv strays; /* names in .work */
};

static void sweep_done(struct sweep *w)
{
        cor_strv_done(&w->strays);
}

static int sweep_one(const char *name, void *context, struct cor_err *err)
{
        struct sweep *w = context;
        auto_db_rows rows = { 0 };
        char gone[STORE_NAME_MAX];
        int found;

        if (strlen(name) != 64 || strspn(name, "0123456789abcdef") != 64) /* not one of ours */
                return 0;
        if (db_query(w->s->db, &rows, err, "SELECT 1 FROM container WHERE id = ?1", "t", name) < 0)
                return -1;
        found = db_next(&rows, err);
        if (found != 0)
                return found < 0 ? -1 : 0;
        store_random_name(STORE_GONE, gone);
        if (renameat(w->s->containers, name, w->s->container_work, gone) < 0)
                return errno == ENOENT ? 0 : cor_fail_errno(err, "remove the folder of container %s", name);
        cor_strv_add(&w->strays, gone);
        return 0;
}

int container_row_sweep(struct store *s, struct cor_err *err)
{
        COR_CLEANUP(sweep_done) struct sweep w = { .s = s };
        auto_db_txn txn = DB_TXN_INIT;

        if (store_containers(s, err) < 0 || db_begin(s->db, DB_WRITE, &txn, err) < 0 ||
            store_each_name(s->containers, "containers", sweep_one, &w, err) < 0 || db_commit(&txn, err) < 0)
                return cor_wrap(err, "remove what containers left");
        for (size_t i = 0; i < w.strays.n_items; i++)
                if (cor_own_remove_tree(s->container_work, w.strays.items[i], err) < 0)
                        return cor_wrap(err, "remove what containers left");
        return (int)w.strays.n_items;
}

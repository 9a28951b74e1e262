/* Reading containers from the database: a list costs one query, since its columns are all in one narrow table. */
#include "store/container.h"
#include "store/row.h"

#include <string.h>

const char *container_phase_name(enum container_phase phase)
{
        static const char *const names[] = {
                [CONTAINER_PHASE_CREATED] = "created",   [CONTAINER_PHASE_RUNNING] = "running",
                [CONTAINER_PHASE_PAUSED] = "paused",     [CONTAINER_PHASE_RESTARTING] = "restarting",
                [CONTAINER_PHASE_REMOVING] = "removing", [CONTAINER_PHASE_EXITED] = "exited",
                [CONTAINER_PHASE_DEAD] = "dead",
        };

        return (size_t)phase < COR_COUNT(names) ? names[phase] : "dead";
}

void container_row_done(struct container_row *r)
{
        free(r->id);
        free(r->name);
        free(r->image);
        free(r->config);
        free(r->host_config);
        free(r->networking);
        free(r->endpoints);
        free(r->mounts);
        free(r->command);
        free(r->ports);
        cor_strv_done(&r->labels);
        free(r->layers);
        cor_strv_done(&r->volumes);
        free(r->id_map);
        for (size_t i = 0; i < r->n_images; i++)
                free(r->images[i].layers);
        free(r->images);
        free(r->now.error);
        memset(r, 0, sizeof *r);
}

void container_rows_done(struct container_rows *l)
{
        for (size_t i = 0; i < l->n_items; i++)
                container_row_done(&l->items[i]);
        free(l->items);
        l->items = NULL;
        l->n_items = 0;
}

#define COLUMNS                                                                                                        \
        "SELECT number, id, name, image, image_id, created, phase, pid, monitor_pid, pid_start, monitor_start,"        \
        " started, finished, exit_code, oom_killed, stopped, restarts, health, auto_remove, error, command, ports,"    \
        " labels FROM container"

static void read_now(const struct db_rows *rows, struct container_now *n)
{
        int64_t phase = db_int(rows, 6), health = db_int(rows, 17);

        n->phase = phase >= 0 && phase <= CONTAINER_PHASE_DEAD ? (enum container_phase)phase : CONTAINER_PHASE_DEAD;
        n->pid = (int32_t)db_int(rows, 7);
        n->monitor_pid = (int32_t)db_int(rows, 8);
        n->pid_start_time = (uint64_t)db_int(rows, 9);
        n->monitor_start_time = (uint64_t)db_int(rows, 10);
        n->started = db_int(rows, 11);
        n->finished = db_int(rows, 12);
        n->exit_code = (int32_t)db_int(rows, 13);
        n->oom_killed = db_int(rows, 14) != 0;
        n->stopped = db_int(rows, 15) != 0;
        n->restart_count = db_int(rows, 16);
        n->health =
                health >= 0 && health <= CONTAINER_HEALTH_BAD ? (enum container_health)health : CONTAINER_HEALTH_NONE;
        n->error = cor_strdup(db_text(rows, 19));
}

static int read_row(const struct db_rows *rows, struct container_row *r, struct cor_err *err)
{
        if (db_digest(rows, 4, &r->image_id, err) < 0)
                return cor_wrap(err, "container %s", db_text(rows, 1));
        r->number = db_int(rows, 0);
        r->id = cor_strdup(db_text(rows, 1));
        r->name = cor_strdup(db_text(rows, 2));
        r->image = cor_strdup(db_text(rows, 3));
        r->created = db_int(rows, 5);
        read_now(rows, &r->now);
        r->auto_remove = db_int(rows, 18) != 0;
        r->command = cor_strdup(db_text(rows, 20));
        r->ports = cor_strdup(db_text(rows, 21));
        row_get_words(rows, 22, &r->labels);
        return 0;
}

static int read_documents(struct store *s, struct container_row *r, struct cor_err *err)
{
        auto_db_rows rows = { 0 };
        int found;

        if (db_query(s->db, &rows, err,
                     "SELECT config, host_config, networking, endpoints, mounts, id_map FROM container_document"
                     " WHERE container = ?1",
                     "i", r->number) < 0)
                return -1;
        found = db_next(&rows, err);
        if (found <= 0)
                return found < 0 ? -1 : cor_fail(err, COR_INVALID, "database: container %s has no documents", r->id);
        r->config = cor_strdup(db_text(&rows, 0));
        r->host_config = cor_strdup(db_text(&rows, 1));
        r->networking = cor_strdup(db_text(&rows, 2));
        r->endpoints = cor_strdup(db_text(&rows, 3));
        r->mounts = cor_strdup(db_text(&rows, 4));
        r->id_map = cor_strdup(db_text(&rows, 5));
        return 0;
}

static int read_layers(struct store *s, struct container_row *r, struct cor_err *err)
{
        auto_db_rows rows = { 0 };
        int more;

        if (db_query(s->db, &rows, err, "SELECT name FROM container_layer WHERE container = ?1 ORDER BY n", "i",
                     r->number) < 0)
                return -1;
        while ((more = db_next(&rows, err)) > 0)
                if (db_digest(&rows, 0, COR_GROW(r->layers, r->n_layers), err) < 0)
                        return cor_wrap(err, "container %s", r->id);
        return more;
}

static int read_volumes(struct store *s, struct container_row *r, struct cor_err *err)
{
        auto_db_rows rows = { 0 };
        int more;

        if (db_query(s->db, &rows, err, "SELECT volume FROM container_volume WHERE container = ?1 ORDER BY volume", "i",
                     r->number) < 0)
                return -1;
        while ((more = db_next(&rows, err)) > 0)
                cor_strv_add(&r->volumes, db_text(&rows, 0));
        return more;
}

static int read_rest(struct store *s, struct container_row *r, struct cor_err *err)
{
        return read_documents(s, r, err) < 0 || read_layers(s, r, err) < 0 || read_volumes(s, r, err) < 0 ? -1 : 0;
}

/* The container of @number; 0 there is none */
static int read_one(struct store *s, int64_t number, struct container_row *r, struct cor_err *err)
{
        {
                auto_db_rows rows = { 0 };
                int found;

                if (db_query(s->db, &rows, err, COLUMNS " WHERE number = ?1", "i", number) < 0)
                        return -1;
                found = db_next(&rows, err);
                if (found <= 0)
                        return found;
                if (read_row(&rows, r, err) < 0)
                        return -1;
        }
        return read_rest(s, r, err) < 0 ? -1 : 1;
}

static int find_exactly(struct store *s, const char *text, int64_t *ret, struct cor_err *err)
{
        auto_db_rows rows = { 0 };
        int found;

        if (db_query(s->db, &rows, err,
                     "SELECT number, id = ?1 FROM container WHERE id = ?1 OR name = ?1 ORDER BY 2 DESC", "t", text) < 0)
                return -1;
        found = db_next(&rows, err);
        if (found > 0)
                *ret = db_int(&rows, 0);
        return found;
}

/* By the beginning of an id; 'g' is what comes after the last digit. */
static int find_prefix(struct store *s, const char *text, int64_t *ret, struct cor_err *err)
{
        auto_str to = cor_printf("%sg", text);
        auto_db_rows rows = { 0 };
        int found;

        if (!*text || text[strspn(text, "0123456789abcdef")])
                return 0;
        if (db_query(s->db, &rows, err, "SELECT number FROM container WHERE id >= ?1 AND id < ?2 LIMIT 2", "tt", text,
                     to) < 0)
                return -1;
        found = db_next(&rows, err);
        if (found <= 0)
                return found;
        *ret = db_int(&rows, 0);
        found = db_next(&rows, err);
        if (found > 0)
                return cor_fail(err, COR_INVALID, "Multiple IDs found with provided prefix: %s", text);
        return found < 0 ? -1 : 1;
}

static int find(struct store *s, const char *text, struct container_row *r, struct cor_err *err)
{
        auto_db_txn txn = DB_TXN_INIT;
        int64_t number = 0;
        int found;

        if (db_begin(s->db, DB_READ, &txn, err) < 0)
                return -1;
        found = find_exactly(s, text[0] == '/' ? text + 1 : text, &number, err);
        if (found == 0)
                found = find_prefix(s, text, &number, err);
        if (found > 0)
                found = read_one(s, number, r, err);
        return found;
}

int container_row_find(struct store *s, const char *name_or_id, struct container_row *ret, struct cor_err *err)
{
        auto_container_row r = { 0 };
        int found = find(s, name_or_id, &r, err);

        if (found < 0)
                return -1;
        if (found == 0)
                return cor_fail(err, COR_NOT_FOUND, "No such container: %s", name_or_id);
        *ret = r;
        r = (struct container_row){ 0 };
        return 0;
}

int container_row_get(struct store *s, int64_t number, struct container_row *ret, struct cor_err *err)
{
        auto_db_txn txn = DB_TXN_INIT;
        auto_container_row r = { 0 };
        int found;

        if (db_begin(s->db, DB_READ, &txn, err) < 0)
                return -1;
        found = read_one(s, number, &r, err);
        if (found < 0)
                return -1;
        if (found == 0)
                return cor_fail(err, COR_NOT_FOUND, "the container (number %lld) is not there any more",
                                (long long)number);
        *ret = r;
        r = (struct container_row){ 0 };
        return 0;
}

static int compare_newer(const void *one, const void *other)
{
        const struct container_row *a = one, *b = other;

        if (a->created != b->created)
                return a->created > b->created ? -1 : 1;
        return a->number > b->number ? -1 : a->number < b->number;
}

/* Put in order here: SQLite would copy all columns once more. */
static int read_list(struct store *s, struct container_rows *l, struct cor_err *err)
{
        auto_db_rows rows = { 0 };
        int more;

        if (db_query(s->db, &rows, err, COLUMNS, "") < 0)
                return -1;
        while ((more = db_next(&rows, err)) > 0)
                if (read_row(&rows, COR_GROW(l->items, l->n_items), err) < 0)
                        return -1;
        if (l->n_items > 0)
                qsort(l->items, l->n_items, sizeof *l->items, compare_newer);
        return more;
}

int container_row_all(struct store *s, bool full, struct container_rows *ret, struct cor_err *err)
{
        auto_container_rows l = { 0 };
        auto_db_txn txn = DB_TXN_INIT;

        if (db_begin(s->db, DB_READ, &txn, err) < 0 || read_list(s, &l, err) < 0)
                return -1;
        for (size_t i = 0; full && i < l.n_items; i++)
                if (read_rest(s, &l.items[i], err) < 0)
                        return -1;
        *ret = l;
        l = (struct container_rows){ 0 };
        return 0;
}

void container_image_uses_done(struct container_image_uses *u)
{
        free(u->items);
        *u = (struct container_image_uses){ 0 };
}

int container_image_uses(struct store *s, struct container_image_uses *ret, struct cor_err *err)
{
        auto_container_image_uses u = { 0 };
        auto_db_rows rows = { 0 };
        int more;

        if (db_query(s->db, &rows, err, "SELECT DISTINCT image, container FROM container_image", "") < 0)
                return -1;
        while ((more = db_next(&rows, err)) > 0) {
                struct container_image_use *use = COR_GROW(u.items, u.n_items);

                use->container = db_int(&rows, 1);
                if (db_digest(&rows, 0, &use->image, err) < 0)
                        return -1;
        }
        if (more < 0)
                return -1;
        *ret = u;
        u = (struct container_image_uses){ 0 };
        return 0;
}

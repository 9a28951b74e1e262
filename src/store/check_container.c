/*
 * Containers and volumes: is what the database says on the disk, and nothing else? Looked at inside a transaction that
 * keeps other writers out, since folders come and go inside theirs.
 */
#include "base/alloc.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/lock.h"
#include "base/text.h"
#include "store/check.h"
#include "store/container.h"
#include "store/db.h"
#include "store/layer.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct looking {
        struct store *s;
        bool repair;
        void (*found)(void *context, const char *what, bool repaired);
        void *context;
        int dir, work;    /* of what is being looked at */
        const char *what; /* "container", "volume" */
};

/* Takes @what. */
static void tell(const struct looking *l, bool repaired, char *what)
{
        l->found(l->context, what, repaired);
        free(what);
}

static int has_row(struct looking *l, const char *name, struct cor_err *err)
{
        bool container = strcmp(l->what, "container") == 0;
        auto_db_rows rows = { 0 };

        if (container ? db_query(l->s->db, &rows, err, "SELECT 1 FROM container WHERE id = ?1", "t", name) < 0
                      : db_query(l->s->db, &rows, err, "SELECT 1 FROM volume WHERE name = ?1", "t", name) < 0)
                return -1;
        return db_next(&rows, err);
}

/* A folder without a row */
static int look_at_folder(const char *name, void *context, struct cor_err *err)
{
        struct looking *l = context;
        int there = has_row(l, name, err);
        char gone[STORE_NAME_MAX];

        if (there != 0)
                return there < 0 ? -1 : 0;
        if (l->repair) {
                store_random_name(STORE_GONE, gone);
                if (renameat(l->dir, name, l->work, gone) < 0)
                        return cor_fail_errno(err, "remove %s", name);
        }
        tell(l, l->repair, cor_printf("%s %s: there is a folder, but no such thing in the database", l->what, name));
        return 0;
}

/* Somebody is at it, and perhaps just removing it */
static int is_busy(const struct looking *l, int64_t number, struct cor_err *err)
{
        int work = container_row_locked(l->s, number, CONTAINER_LOCK_WORK, err);

        return work != 0 ? work : container_row_locked(l->s, number, CONTAINER_LOCK_MONITOR, err);
}

/* A row without a folder */
static int look_at_rows(struct looking *l, struct cor_err *err)
{
        bool container = strcmp(l->what, "container") == 0;
        auto_db_rows rows = { 0 };
        int more;

        if (container ? db_query(l->s->db, &rows, err, "SELECT id, number FROM container", "") < 0
                      : db_query(l->s->db, &rows, err, "SELECT name FROM volume", "") < 0)
                return -1;
        while ((more = db_next(&rows, err)) > 0) {
                int busy;

                if (faccessat(l->dir, db_text(&rows, 0), F_OK, AT_SYMLINK_NOFOLLOW) == 0)
                        continue;
                busy = container ? is_busy(l, db_int(&rows, 1), err) : 0;
                if (busy < 0)
                        return -1;
                if (!busy)
                        tell(l, false,
                             cor_printf("%s %s: it has lost its folder; all that can be done is to remove it", l->what,
                                        db_text(&rows, 0)));
        }
        return more;
}

static int look_at_layers(struct looking *l, struct cor_err *err)
{
        auto_db_rows rows = { 0 };
        int more;

        if (db_query(l->s->db, &rows, err,
                     "SELECT id, container_layer.name FROM container JOIN container_layer ON container = number",
                     "") < 0)
                return -1;
        while ((more = db_next(&rows, err)) > 0) {
                struct digest name;

                if (db_digest(&rows, 1, &name, err) < 0)
                        return -1;
                if (layer_size(l->s, &name) < 0)
                        tell(l, false, cor_printf("container %s: layer %s is missing", db_text(&rows, 0), name.text));
        }
        return more;
}

/* Somebody is at it: making it, or removing it. */
static bool is_locked(int dirfd, const char *name)
{
        auto_fd fd = openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
        struct cor_err ignored;

        return fd < 0 || cor_flock(fd, 0, &ignored) != 1 || !store_same(dirfd, name, fd);
}

/* What was on its way is cleared away when the folder is opened: what is still there could not be. */
static int look_at_work(const char *name, void *context, struct cor_err *err)
{
        struct looking *l = context;

        if (cor_starts_with(name, STORE_GONE) || (cor_starts_with(name, STORE_NEW) && !is_locked(l->work, name)))
                tell(l, false, cor_printf("%s: %s/ in .work is left over, and cannot be removed", l->what, name));
        return 0;
}

static int look_at_things(struct looking *l, struct cor_err *err)
{
        return store_each_name(l->work, l->what, look_at_work, l, err) < 0 ||
                               store_each_name(l->dir, l->what, look_at_folder, l, err) < 0 || look_at_rows(l, err) < 0
                       ? -1
                       : 0;
}

static int look(struct looking *l, struct cor_err *err)
{
        auto_db_txn txn = DB_TXN_INIT;

        if (db_begin(l->s->db, DB_WRITE, &txn, err) < 0)
                return -1;
        l->what = "container";
        l->dir = l->s->containers;
        l->work = l->s->container_work;
        if (look_at_things(l, err) < 0 || look_at_layers(l, err) < 0)
                return -1;
        l->what = "volume";
        l->dir = l->s->volumes;
        l->work = l->s->volume_work;
        return look_at_things(l, err) < 0 ? -1 : db_commit(&txn, err);
}

int check_containers(struct store *s, bool repair, void (*found)(void *context, const char *what, bool repaired),
                     void *context, struct cor_err *err)
{
        struct looking l = { .s = s, .repair = repair, .found = found, .context = context };

        if (store_containers(s, err) < 0 || store_volumes(s, err) < 0 || look(&l, err) < 0)
                return cor_wrap(err, "look at containers and volumes");
        if (store_clear(s->container_work, err) < 0 || store_clear(s->volume_work, err) < 0)
                return cor_wrap(err, "remove what was left behind");
        return 0;
}

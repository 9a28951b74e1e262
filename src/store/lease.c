/*
 * Leases and the collector: who comes first.
 *
 * The collector decides in one IMMEDIATE transaction, and renames what is to go inside it; nobody else writes to the
 * database meanwhile. Whoever needs a thing adds it to his lease, which is such a transaction too, before looking
 * whether it is there. So either his lease is seen by the collector, or what was collected is gone when he looks.
 * image_put() looks inside its transaction, and finds either everything or an error.
 *
 * The holder of lease N has byte N of the file `lock` locked, before the row can be seen by others.
 */
#include "base/alloc.h"
#include "store/db.h"
#include "store/image.h"

struct lease {
        struct store *s;
        int64_t id;
        int fd; /* the lock */
};

int lease_new(struct store *s, struct lease **ret, struct cor_err *err)
{
        auto_lease l = cor_alloc(sizeof *l);
        auto_db_txn txn = DB_TXN_INIT;

        l->s = s;
        l->fd = -1;
        if (db_begin(s->db, DB_WRITE, &txn, err) < 0 || db_run(s->db, err, "INSERT INTO lease DEFAULT VALUES", "") < 0)
                return cor_wrap(err, "make a lease");
        l->id = db_last_id(s->db);
        l->fd = db_lock(s, l->id, err);
        if (l->fd < 0 || db_commit(&txn, err) < 0)
                return cor_wrap(err, "make a lease");
        *ret = COR_TAKE(l);
        return 0;
}

int lease_add(struct lease *l, const struct digest *items, size_t n_items, struct cor_err *err)
{
        auto_db_txn txn = DB_TXN_INIT;

        if (n_items == 0)
                return 0;
        if (db_begin(l->s->db, DB_WRITE, &txn, err) < 0)
                return cor_wrap(err, "add to a lease");
        for (size_t i = 0; i < n_items; i++)
                if (db_run(l->s->db, err, "INSERT OR IGNORE INTO lease_item VALUES (?1, ?2)", "it", l->id,
                           items[i].text) < 0)
                        return cor_wrap(err, "add to a lease");
        return db_commit(&txn, err);
}

void lease_free(struct lease *l)
{
        if (!l)
                return;
        if (l->fd >= 0) { /* if this fails, the collector finds it without its holder */
                auto_db_txn txn = DB_TXN_INIT;

                if (db_begin(l->s->db, DB_WRITE, &txn, NULL) == 0 &&
                    db_run(l->s->db, NULL, "DELETE FROM lease WHERE id = ?1", "i", l->id) >= 0 &&
                    db_commit(&txn, NULL) < 0)
                        db_txn_done(&txn);
        }
        cor_fd_close(&l->fd);
        free(l);
}

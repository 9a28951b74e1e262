#include "store/port.h"

#include "base/alloc.h"
#include "store/db.h"

#include <stdio.h>

void port_rows_done(struct port_rows *l)
{
        free(l->items);
        *l = (struct port_rows){ .items = NULL };
}

static int read_rows(struct store_db *db, int64_t number, struct port_rows *ret, struct cor_err *err)
{
        auto_db_rows rows = { 0 };
        int r;

        if (db_query(db, &rows, err,
                     "SELECT container, protocol, host_ip, host_port, container_ip, container_port, direct FROM port"
                     " WHERE ?1 = 0 OR container = ?1 ORDER BY container, protocol, container_port, host_ip, host_port",
                     "i", number) < 0)
                return -1;
        while ((r = db_next(&rows, err)) > 0) {
                struct port_row *p = COR_GROW(ret->items, ret->n_items);

                p->container = db_int(&rows, 0);
                p->protocol = (int)db_int(&rows, 1);
                snprintf(p->host_ip, sizeof p->host_ip, "%s", db_text(&rows, 2));
                p->host_port = (uint16_t)db_int(&rows, 3);
                snprintf(p->container_ip, sizeof p->container_ip, "%s", db_text(&rows, 4));
                p->container_port = (uint16_t)db_int(&rows, 5);
                p->direct = db_int(&rows, 6) != 0;
        }
        return r;
}

static int remove_row(struct store_db *db, const struct port_row *p, struct cor_err *err)
{
        return db_run(db, err, "DELETE FROM port WHERE protocol = ?1 AND host_ip = ?2 AND host_port = ?3", "iti",
                      (int64_t)p->protocol, p->host_ip, (int64_t)p->host_port);
}

static int add_row(struct store_db *db, int64_t number, const struct port_row *p, struct cor_err *err)
{
        return db_run(db, err,
                      "INSERT INTO port (container, protocol, host_ip, host_port, container_ip, container_port, direct)"
                      " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                      "iititii", number, (int64_t)p->protocol, p->host_ip, (int64_t)p->host_port, p->container_ip,
                      (int64_t)p->container_port, (int64_t)p->direct);
}

static int remove_all(struct store_db *db, int64_t number, struct cor_err *err)
{
        return db_run(db, err, "DELETE FROM port WHERE container = ?1", "i", number);
}

int port_take(struct store *s, int64_t number, port_choose_fn *choose, void *data, struct cor_err *err)
{
        auto_db_txn txn = DB_TXN_INIT;
        auto_port_rows others = { 0 }, own = { 0 };

        if (db_begin(s->db, DB_WRITE, &txn, err) < 0 || remove_all(s->db, number, err) < 0 ||
            read_rows(s->db, 0, &others, err) < 0 || choose(data, &others, &own, err) < 0)
                return -1;
        for (size_t i = 0; i < others.n_items; i++)
                if (others.items[i].dropped && remove_row(s->db, &others.items[i], err) < 0)
                        return -1;
        for (size_t i = 0; i < own.n_items; i++)
                if (add_row(s->db, number, &own.items[i], err) < 0)
                        return -1;
        return db_commit(&txn, err);
}

int port_drop(struct store *s, int64_t number, struct port_rows *ret, struct cor_err *err)
{
        auto_db_txn txn = DB_TXN_INIT;
        auto_port_rows rows = { 0 };
        int n = 0;

        if (port_all(s, number, &rows, err) < 0)
                return -1;
        if (rows.n_items > 0 && (db_begin(s->db, DB_WRITE, &txn, err) < 0 || (n = remove_all(s->db, number, err)) < 0 ||
                                 db_commit(&txn, err) < 0))
                return -1;
        if (ret) {
                *ret = rows;
                rows = (struct port_rows){ .items = NULL };
        }
        return n;
}

int port_all(struct store *s, int64_t number, struct port_rows *ret, struct cor_err *err)
{
        auto_port_rows rows = { 0 };

        if (read_rows(s->db, number, &rows, err) < 0)
                return -1;
        *ret = rows;
        rows = (struct port_rows){ .items = NULL };
        return 0;
}

int port_save_line(struct store *s, int64_t number, const char *line, struct cor_err *err)
{
        auto_db_txn txn = DB_TXN_INIT;

        if (db_begin(s->db, DB_WRITE, &txn, err) < 0 ||
            db_run(s->db, err, "UPDATE container SET ports = ?2 WHERE number = ?1", "it", number, line) < 0)
                return -1;
        return db_commit(&txn, err);
}

#include "store/address.h"

#include "store/db.h"

/* What it has, or the lowest that is free: 1, 0 if all are taken, -1 */
static int choose(struct store_db *db, const char *network, uint32_t first, uint32_t last, int64_t number,
                  uint32_t *ret, bool *ret_new, struct cor_err *err)
{
        auto_db_rows rows = { 0 };
        int64_t next = first;
        bool found = false;
        int r;

        if (db_query(db, &rows, err,
                     "SELECT address, container FROM network_address WHERE network = ?1 AND address >= ?2 AND "
                     "address <= ?3 ORDER BY address",
                     "tii", network, (int64_t)first, (int64_t)last) < 0)
                return -1;
        while ((r = db_next(&rows, err)) > 0) {
                if (db_int(&rows, 1) == number) {
                        *ret = (uint32_t)db_int(&rows, 0);
                        *ret_new = false;
                        return 1;
                }
                if (!found && db_int(&rows, 0) == next)
                        next++;
                else
                        found = true; /* a gap: @next is free */
        }
        if (r < 0)
                return -1;
        *ret = (uint32_t)next;
        *ret_new = true;
        return next <= last;
}

int address_take(struct store *s, const char *network, uint32_t first, uint32_t last, int64_t number, uint32_t *ret,
                 struct cor_err *err)
{
        auto_db_txn txn = DB_TXN_INIT;
        uint32_t address = 0;
        bool is_new = false;
        int r;

        if (db_begin(s->db, DB_WRITE, &txn, err) < 0)
                return -1;
        r = choose(s->db, network, first, last, number, &address, &is_new, err);
        if (r <= 0)
                return r < 0 ? -1
                             : cor_fail(err, COR_BUSY,
                                        "network %s: no available IPv4 addresses on this network's address pools",
                                        network);
        if (is_new &&
            db_run(s->db, err, "INSERT INTO network_address (network, address, container) VALUES (?1, ?2, ?3)", "tii",
                   network, (int64_t)address, number) < 0)
                return -1;
        if (db_commit(&txn, err) < 0)
                return -1;
        *ret = address;
        return 0;
}

int address_drop(struct store *s, int64_t number, struct cor_err *err)
{
        auto_db_txn txn = DB_TXN_INIT;

        if (db_begin(s->db, DB_WRITE, &txn, err) < 0 ||
            db_run(s->db, err, "DELETE FROM network_address WHERE container = ?1", "i", number) < 0)
                return -1;
        return db_commit(&txn, err);
}

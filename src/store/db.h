#ifndef CORACLE_STORE_DB_H
#define CORACLE_STORE_DB_H
/*
 * coracle.db: one connection of SQLite, statements, transactions. The schema is at the head of db_schema.c. Inside the
 * store only; a statement text is a literal, prepared once for each connection and found again by its address.
 *
 * Locks beside SQLite's own are bytes of the file `lock`, held by open files (OFD), so that they end with their holder:
 * byte 0 for whoever makes the database or writes index.json, byte N for the holder of lease N.
 */
#include "store/store_internal.h"

struct sqlite3_stmt;

enum { DB_LOCK_INDEX = 0 }; /* the byte; leases count from 1 */
enum { DB_BUSY_MS = 30000 };

/* db_open() - the database of store @s; @create: make or migrate it. UNSUPPORTED if it is of a newer version */
int db_open(struct store *s, bool create, struct store_db **ret, struct cor_err *err) COR_MUST_CHECK;
void db_close(struct store_db *db);
/* db_migrate() - from version @from up to DB_VERSION, inside the caller's transaction */
extern const int db_version;
int db_migrate(struct store_db *db, int from, struct cor_err *err) COR_MUST_CHECK;
/* db_lock() - byte @at of `lock`: the descriptor is the lock; waits DB_BUSY_MS at most, then BUSY */
int db_lock(const struct store *s, int64_t at, struct cor_err *err) COR_MUST_CHECK;

/*
 * A statement under way; reset when its scope ends. @types has a letter for each parameter: t text (NULL allowed), b
 * bytes (pointer and size_t), i int64_t.
 */
struct db_rows {
        struct store_db *db;
        struct sqlite3_stmt *stmt;
};
void db_rows_done(struct db_rows *r);
#define auto_db_rows COR_CLEANUP(db_rows_done) struct db_rows
int db_query(struct store_db *db, struct db_rows *ret, struct cor_err *err, const char *sql, const char *types, ...)
        COR_MUST_CHECK;
/* db_next() - 1 there is a row, 0 no more */
int db_next(struct db_rows *r, struct cor_err *err) COR_MUST_CHECK;
int64_t db_int(const struct db_rows *r, int column);
const char *db_text(const struct db_rows *r, int column); /* until the next row; NULL for NULL */
const char *db_bytes(const struct db_rows *r, int column, size_t *ret_n);
/* db_digest() - a digest from a column; what is none is INVALID */
int db_digest(const struct db_rows *r, int column, struct digest *ret, struct cor_err *err) COR_MUST_CHECK;
/* db_run() - a statement without rows; the number of rows it changed */
int db_run(struct store_db *db, struct cor_err *err, const char *sql, const char *types, ...) COR_MUST_CHECK;
/* db_exec() - one or several statements without parameters */
int db_exec(struct store_db *db, const char *sql, struct cor_err *err) COR_MUST_CHECK;
int64_t db_last_id(struct store_db *db);

/* A transaction, rolled back when its scope ends without db_commit(). */
struct db_txn {
        struct store_db *db; /* NULL: none is open */
};
#define DB_TXN_INIT                                                                                                    \
        {                                                                                                              \
                .db = NULL                                                                                             \
        }
enum db_mode {
        DB_READ,    /* one state of the database, however many queries */
        DB_WRITE,   /* the only writer from the beginning; may be lost with the machine's power, but not in part */
        DB_DURABLE, /* the same, and synced when committed */
};
int db_begin(struct store_db *db, enum db_mode mode, struct db_txn *ret, struct cor_err *err) COR_MUST_CHECK;
int db_commit(struct db_txn *t, struct cor_err *err) COR_MUST_CHECK;
/* db_unsure() - a commit failed, and so did taking it back: what it wrote may be there for whoever opens it next */
bool db_unsure(const struct store_db *db);
void db_txn_done(struct db_txn *t);
#define auto_db_txn COR_CLEANUP(db_txn_done) struct db_txn

/* store_index_write() - bring index.json to the state of the database, if it is not there yet (index.c) */
int store_index_write(struct store *s, struct cor_err *err) COR_MUST_CHECK;

#endif

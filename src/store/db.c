#include "store/db.h"
#include "base/alloc.h"
#include "base/process.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
        CHECKPOINT_PAGES = 128, /* how long the log grows: whoever opens the database first reads all of it */
        STATEMENTS_MAX = 128,
        BUSY_PAUSE_MS = 8, /* the longest between two looks */
};

struct store_db {
        sqlite3 *sql;
        bool durable; /* what PRAGMA synchronous says */
        bool unsure;
        bool waits;         /* for other processes */
        int64_t busy_until; /* cor_now_ms() */
        struct {
                const char *text;
                sqlite3_stmt *stmt;
        } statements[STATEMENTS_MAX];
        size_t n_statements;
};

static enum cor_kind kind_of(int code)
{
        switch (code & 0xff) {
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
                return COR_BUSY;
        case SQLITE_CORRUPT:
        case SQLITE_NOTADB:
        case SQLITE_CONSTRAINT:
                return COR_INVALID;
        case SQLITE_READONLY:
        case SQLITE_PERM:
        case SQLITE_AUTH:
                return COR_DENIED;
        default:
                return COR_SYSTEM;
        }
}

/* SQLite's own words, and the kernel's where it was the kernel. */
static int db_fail(struct store_db *db, struct cor_err *err)
{
        int code = sqlite3_extended_errcode(db->sql), sys = sqlite3_system_errno(db->sql);

        if ((code & 0xff) == SQLITE_BUSY)
                cor_fail(err, COR_BUSY, "database: other processes have kept it busy for %d s", DB_BUSY_MS / 1000);
        else if ((code & 0xff) == SQLITE_READONLY)
                cor_fail(err, COR_DENIED,
                         "the store cannot be changed: its disk is read-only, or it belongs to another user");
        else if ((code & 0xff) == SQLITE_IOERR || (code & 0xff) == SQLITE_CANTOPEN)
                cor_fail(err, COR_SYSTEM, "database: %s (%s)", sqlite3_errmsg(db->sql), sys ? strerror(sys) : "?");
        else
                cor_fail(err, kind_of(code), "database: %s", sqlite3_errmsg(db->sql));
        if (err)
                err->sys = (code & 0xff) == SQLITE_FULL ? ENOSPC : sys;
        return -1;
}

int db_exec(struct store_db *db, const char *sql, struct cor_err *err)
{
        return sqlite3_exec(db->sql, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : db_fail(db, err);
}

static int prepare(struct store_db *db, const char *sql, sqlite3_stmt **ret, struct cor_err *err)
{
        for (size_t i = 0; i < db->n_statements; i++)
                if (db->statements[i].text == sql) {
                        *ret = db->statements[i].stmt;
                        assert(!sqlite3_stmt_busy(*ret)); /* one use at a time */
                        return 0;
                }
        assert(db->n_statements < STATEMENTS_MAX);
        if (sqlite3_prepare_v3(db->sql, sql, -1, SQLITE_PREPARE_PERSISTENT, ret, NULL) != SQLITE_OK)
                return db_fail(db, err);
        db->statements[db->n_statements].text = sql;
        db->statements[db->n_statements++].stmt = *ret;
        return 0;
}

static int bind(sqlite3_stmt *stmt, const char *types, va_list values)
{
        for (int i = 1, r; *types; types++, i++) {
                if (*types == 'i') {
                        r = sqlite3_bind_int64(stmt, i, va_arg(values, int64_t));
                } else {
                        const char *bytes = va_arg(values, const char *);
                        size_t n = *types == 'b' ? va_arg(values, size_t) : bytes ? strlen(bytes) : 0;

                        r = *types == 'b' ? sqlite3_bind_blob64(stmt, i, bytes, n, SQLITE_TRANSIENT)
                                          : sqlite3_bind_text64(stmt, i, bytes, n, SQLITE_TRANSIENT, SQLITE_UTF8);
                }
                if (r != SQLITE_OK)
                        return -1;
        }
        return 0;
}

static int start(struct store_db *db, struct db_rows *ret, const char *sql, const char *types, va_list values,
                 struct cor_err *err)
{
        sqlite3_stmt *stmt;

        if (prepare(db, sql, &stmt, err) < 0)
                return -1;
        if (bind(stmt, types, values) < 0)
                return db_fail(db, err);
        ret->db = db;
        ret->stmt = stmt;
        return 0;
}

int db_query(struct store_db *db, struct db_rows *ret, struct cor_err *err, const char *sql, const char *types, ...)
{
        va_list values;
        int r;

        va_start(values, types);
        r = start(db, ret, sql, types, values, err);
        va_end(values);
        return r;
}

int db_run(struct store_db *db, struct cor_err *err, const char *sql, const char *types, ...)
{
        auto_db_rows rows = { 0 };
        va_list values;
        int r;

        va_start(values, types);
        r = start(db, &rows, sql, types, values, err);
        va_end(values);
        if (r < 0 || db_next(&rows, err) < 0)
                return -1;
        return sqlite3_changes(db->sql);
}

void db_rows_done(struct db_rows *r)
{
        if (r->stmt) {
                sqlite3_reset(r->stmt);
                sqlite3_clear_bindings(r->stmt);
        }
        r->stmt = NULL;
}

int db_next(struct db_rows *r, struct cor_err *err)
{
        int code = sqlite3_step(r->stmt);

        if (code == SQLITE_ROW)
                return 1;
        return code == SQLITE_DONE ? 0 : db_fail(r->db, err);
}

int64_t db_int(const struct db_rows *r, int column)
{
        return sqlite3_column_int64(r->stmt, column);
}

const char *db_text(const struct db_rows *r, int column)
{
        return (const char *)sqlite3_column_text(r->stmt, column);
}

const char *db_bytes(const struct db_rows *r, int column, size_t *ret_n)
{
        const void *bytes = sqlite3_column_blob(r->stmt, column);

        *ret_n = (size_t)sqlite3_column_bytes(r->stmt, column);
        return bytes;
}

int db_digest(const struct db_rows *r, int column, struct digest *ret, struct cor_err *err)
{
        const char *text = db_text(r, column);

        return digest_parse(text ? text : "", ret, err) < 0 ? cor_wrap(err, "database") : 0;
}

int64_t db_last_id(struct store_db *db)
{
        return sqlite3_last_insert_rowid(db->sql);
}

static int set_durable(struct store_db *db, bool durable, struct cor_err *err)
{
        if (db->durable == durable)
                return 0;
        if (db_exec(db, durable ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL", err) < 0)
                return -1;
        db->durable = durable;
        return 0;
}

int db_begin(struct store_db *db, enum db_mode mode, struct db_txn *ret, struct cor_err *err)
{
        if ((mode != DB_READ && set_durable(db, mode == DB_DURABLE, err) < 0) ||
            db_exec(db, mode == DB_READ ? "BEGIN" : "BEGIN IMMEDIATE", err) < 0)
                return -1;
        ret->db = db;
        return 0;
}

/*
 * A commit whose sync fails has left its pages in the log: whoever recovers the database next would find it whole,
 * after all has been taken back. So another small transaction is written over them.
 */
static void overwrite(struct store_db *db)
{
        auto_db_rows rows = { 0 };
        char sql[96];
        int64_t version;

        db->unsure = true;
        if (db_query(db, &rows, NULL, "PRAGMA user_version", "") < 0 || db_next(&rows, NULL) < 0)
                return;
        version = db_int(&rows, 0);
        db_rows_done(&rows);
        snprintf(sql, sizeof sql, "BEGIN IMMEDIATE; PRAGMA user_version = %lld; COMMIT", (long long)version);
        db->unsure = db_exec(db, sql, NULL) < 0;
        if (db->unsure && !sqlite3_get_autocommit(db->sql))
                sqlite3_exec(db->sql, "ROLLBACK", NULL, NULL, NULL);
}

int db_commit(struct db_txn *t, struct cor_err *err)
{
        struct store_db *db = t->db;

        if (db_exec(db, "COMMIT", err) < 0) {
                db_txn_done(t);
                overwrite(db);
                return -1;
        }
        t->db = NULL;
        return 0;
}

bool db_unsure(const struct store_db *db)
{
        return db->unsure;
}

void db_txn_done(struct db_txn *t)
{
        if (t->db && !sqlite3_get_autocommit(t->db->sql)) /* some errors have rolled back already */
                sqlite3_exec(t->db->sql, "ROLLBACK", NULL, NULL, NULL);
        t->db = NULL;
}

int db_lock(const struct store *s, int64_t at, struct cor_err *err)
{
        auto_fd fd = openat(s->fd, "lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
        int held = fd < 0 ? cor_fail_errno(err, "open the file of locks") : cor_lock_byte(fd, at, DB_BUSY_MS, err);

        if (held < 0)
                return -1;
        if (held == 0)
                return cor_fail(err, COR_BUSY, "another process has been at it for %d s", DB_BUSY_MS / 1000);
        return cor_fd_take(&fd);
}

static int get_version(struct store_db *db, int *ret, struct cor_err *err)
{
        auto_db_rows rows = { 0 };

        if (db_query(db, &rows, err, "PRAGMA user_version", "") < 0 || db_next(&rows, err) < 0)
                return -1;
        *ret = (int)db_int(&rows, 0);
        if (*ret > db_version)
                return cor_fail(err, COR_UNSUPPORTED,
                                "it was made by a newer version of coracle (database version %d, this one knows %d)",
                                *ret, db_version);
        return 0;
}

/* Make it, or bring it up to date: under our own lock, since changing to WAL does not wait for others. */
static int make(struct store *s, struct store_db *db, struct cor_err *err)
{
        auto_fd lock = db_lock(s, DB_LOCK_INDEX, err);
        auto_db_txn txn = DB_TXN_INIT;
        int version;

        if (lock < 0 || db_exec(db, "PRAGMA journal_mode = WAL", err) < 0 || db_begin(db, DB_DURABLE, &txn, err) < 0 ||
            get_version(db, &version, err) < 0 || db_migrate(db, version, err) < 0 || db_commit(&txn, err) < 0)
                return -1;
        return store_sync(s, err);
}

/*
 * SQLite's own handler soon waits 100 ms between two looks, where a transaction takes one: of a hundred containers
 * that are started at once most would wait for nothing.
 */
static int on_busy(void *context, int n_looks)
{
        struct store_db *db = context;
        int64_t now = cor_now_ms();
        struct timespec pause = { .tv_nsec = 1000000L * (n_looks < BUSY_PAUSE_MS ? n_looks + 1 : BUSY_PAUSE_MS) };

        if (!db->waits)
                return 0;
        if (n_looks == 0)
                db->busy_until = now + DB_BUSY_MS;
        else if (now >= db->busy_until)
                return 0;
        nanosleep(&pause, NULL);
        return 1;
}

/*
 * The log is to begin anew, not only to be copied: that a part of it has been copied is forgotten when the last process
 * closes the database, so it would grow from process to process, and each of them read all of it. Others who read just
 * now are not waited for: the next one to write tries again.
 */
static int on_commit(void *context, sqlite3 *sql, const char *name, int pages)
{
        struct store_db *db = context;

        if (pages < CHECKPOINT_PAGES)
                return SQLITE_OK;
        db->waits = false;
        (void)sqlite3_wal_checkpoint_v2(sql, name, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
        db->waits = true;
        return SQLITE_OK;
}

static int configure(struct store_db *db, struct cor_err *err)
{
        int keep = 1;

        sqlite3_extended_result_codes(db->sql, 1);
        db->waits = true;
        sqlite3_busy_handler(db->sql, on_busy, db);
        sqlite3_wal_hook(db->sql, on_commit, db);
        sqlite3_db_config(db->sql, SQLITE_DBCONFIG_ENABLE_FKEY, 1, NULL);
        sqlite3_db_config(db->sql, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
        sqlite3_db_config(db->sql, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
        /* The log stays when the last one closes: nothing is copied, synced and unlinked at the end of each command,
         * and a store on a read-only disk can be read. */
        sqlite3_db_config(db->sql, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
        sqlite3_file_control(db->sql, "main", SQLITE_FCNTL_PERSIST_WAL, &keep);
        db->durable = true;
        return db_exec(db, "PRAGMA synchronous = FULL; PRAGMA temp_store = MEMORY", err);
}

static int open_and_check(struct store *s, struct store_db *db, bool create, struct cor_err *err)
{
        auto_str path = cor_printf("%s/coracle.db", s->path);
        int version = 0;

        if (sqlite3_open_v2(path, &db->sql,
                            SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | (create ? SQLITE_OPEN_CREATE : 0),
                            NULL) != SQLITE_OK)
                return db->sql ? db_fail(db, err) : cor_fail(err, COR_SYSTEM, "database: no memory");
        if (configure(db, err) < 0 || get_version(db, &version, err) < 0)
                return -1;
        if (version == db_version)
                return 0;
        if (!create)
                return cor_fail(err, COR_NOT_FOUND, "its database is of the older version %d", version);
        return make(s, db, err);
}

int db_open(struct store *s, bool create, struct store_db **ret, struct cor_err *err)
{
        struct store_db *db = cor_alloc(sizeof *db);

        /* Nobody asks how much memory it has; counting takes a lock for each piece. Heard the first time only. */
        (void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
        if (open_and_check(s, db, create, err) < 0) {
                db_close(db);
                return -1;
        }
        *ret = db;
        return 0;
}

void db_close(struct store_db *db)
{
        if (!db)
                return;
        for (size_t i = 0; i < db->n_statements; i++)
                sqlite3_finalize(db->statements[i].stmt);
        sqlite3_close(db->sql);
        free(db);
}

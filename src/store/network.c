#include "store/network.h"

#include "base/text.h"
#include "store/db.h"

#include <string.h>

void network_row_done(struct network_row *r)
{
        free(r->id);
        free(r->name);
        free(r->driver);
        free(r->document);
        memset(r, 0, sizeof *r);
}

void network_rows_done(struct network_rows *l)
{
        for (size_t i = 0; i < l->n_items; i++)
                network_row_done(&l->items[i]);
        free(l->items);
        l->items = NULL;
        l->n_items = 0;
}

bool network_is_predefined(const char *name)
{
        return strcmp(name, "bridge") == 0 || strcmp(name, "host") == 0 || strcmp(name, "none") == 0;
}

#define COLUMNS                                                                                                        \
        "SELECT number, id, name, driver, created, document,"                                                          \
        " (SELECT count(*) FROM endpoint WHERE network = number) FROM network"

static void read_row(const struct db_rows *rows, struct network_row *r)
{
        r->number = db_int(rows, 0);
        r->id = cor_strdup(db_text(rows, 1));
        r->name = cor_strdup(db_text(rows, 2));
        r->driver = cor_strdup(db_text(rows, 3));
        r->created = db_int(rows, 4);
        r->document = cor_strdup(db_text(rows, 5));
        r->users = db_int(rows, 6);
}

static int read_all(struct store *s, struct network_rows *l, struct cor_err *err)
{
        auto_db_rows rows = { 0 };
        int more;

        if (db_query(s->db, &rows, err, COLUMNS " ORDER BY name", "") < 0)
                return -1;
        while ((more = db_next(&rows, err)) > 0)
                read_row(&rows, COR_GROW(l->items, l->n_items));
        return more;
}

int network_row_all(struct store *s, struct network_rows *ret, struct cor_err *err)
{
        auto_network_rows l = { 0 };

        if (read_all(s, &l, err) < 0)
                return -1;
        *ret = l;
        l = (struct network_rows){ 0 };
        return 0;
}

/* 1 there is a row, 0 none */
static int read_one(struct db_rows *rows, struct network_row *ret, struct cor_err *err)
{
        int found = db_next(rows, err);

        if (found > 0) {
                *ret = (struct network_row){ 0 };
                read_row(rows, ret);
        }
        return found;
}

int network_row_get(struct store *s, int64_t number, struct network_row *ret, struct cor_err *err)
{
        auto_db_rows rows = { 0 };
        int found;

        if (db_query(s->db, &rows, err, COLUMNS " WHERE number = ?1", "i", number) < 0)
                return -1;
        found = read_one(&rows, ret, err);
        return found > 0    ? 0
               : found == 0 ? cor_fail(err, COR_NOT_FOUND, "the network (number %lld) is not there any more",
                                       (long long)number)
                            : -1;
}

static int find_exactly(struct store *s, const char *text, struct network_row *ret, struct cor_err *err)
{
        auto_db_rows rows = { 0 };

        if (db_query(s->db, &rows, err, COLUMNS " WHERE id = ?1 OR name = ?1 ORDER BY id = ?1 DESC", "t", text) < 0)
                return -1;
        return read_one(&rows, ret, err);
}

/* By the beginning of an id; 'g' is what comes after the last digit. */
static int find_prefix(struct store *s, const char *text, struct network_row *ret, struct cor_err *err)
{
        auto_str to = cor_printf("%sg", text);
        auto_network_row r = { 0 };
        auto_db_rows rows = { 0 };
        int found, n = 0;

        if (!*text || text[strspn(text, "0123456789abcdef")])
                return 0;
        if (db_query(s->db, &rows, err, COLUMNS " WHERE id >= ?1 AND id < ?2", "tt", text, to) < 0)
                return -1;
        while ((found = db_next(&rows, err)) > 0)
                if (n++ == 0)
                        read_row(&rows, &r);
        if (found < 0)
                return -1;
        if (n > 1)
                return cor_fail(err, COR_INVALID, "network %s is ambiguous (%d matches found based on ID prefix)", text,
                                n);
        *ret = r;
        r = (struct network_row){ 0 };
        return n;
}

int network_row_find(struct store *s, const char *name_or_id, struct network_row *ret, struct cor_err *err)
{
        int found = find_exactly(s, name_or_id, ret, err);

        if (found == 0)
                found = find_prefix(s, name_or_id, ret, err);
        return found > 0 ? 0 : found == 0 ? cor_fail(err, COR_NOT_FOUND, "network %s not found", name_or_id) : -1;
}

static int settle_it(struct store *s, struct network_row *r, network_settle_fn *settle, void *data, struct cor_err *err)
{
        auto_network_rows others = { 0 };
        size_t kept = 0;

        if (!settle)
                return 0;
        if (read_all(s, &others, err) < 0)
                return -1;
        for (size_t i = 0; i < others.n_items; i++) {
                if (others.items[i].number == r->number)
                        network_row_done(&others.items[i]);
                else
                        others.items[kept++] = others.items[i];
        }
        others.n_items = kept;
        return settle(r, &others, data, err);
}

int network_row_add(struct store *s, struct network_row *r, network_settle_fn *settle, void *data, struct cor_err *err)
{
        auto_network_row other = { 0 };
        auto_db_txn txn = DB_TXN_INIT;
        int there;

        if (db_begin(s->db, DB_DURABLE, &txn, err) < 0)
                return -1;
        there = find_exactly(s, r->name, &other, err);
        if (there > 0)
                return cor_fail(err, COR_EXISTS, "network with name %s already exists", r->name);
        if (there < 0 || settle_it(s, r, settle, data, err) < 0 ||
            db_run(s->db, err, "INSERT INTO network (id, name, driver, created, document) VALUES (?1, ?2, ?3, ?4, ?5)",
                   "tttit", r->id, r->name, r->driver, r->created, r->document) < 0)
                return -1;
        r->number = db_last_id(s->db);
        return db_commit(&txn, err);
}

int network_row_settle(struct store *s, int64_t number, network_settle_fn *settle, void *data, struct cor_err *err)
{
        auto_network_row r = { 0 };
        auto_db_txn txn = DB_TXN_INIT;

        if (db_begin(s->db, DB_WRITE, &txn, err) < 0 || network_row_get(s, number, &r, err) < 0 ||
            settle_it(s, &r, settle, data, err) < 0 ||
            db_run(s->db, err, "UPDATE network SET document = ?2 WHERE number = ?1", "it", number, r.document) < 0)
                return -1;
        return db_commit(&txn, err);
}

static int check_unused(struct store *s, const struct network_row *r, struct cor_err *err)
{
        auto_text users = COR_TEXT_INIT;
        auto_db_rows rows = { 0 };
        int more;

        if (db_query(s->db, &rows, err,
                     "SELECT c.name, e.id FROM endpoint AS e JOIN container AS c ON e.container = c.number"
                     " WHERE e.network = ?1 ORDER BY c.number",
                     "i", r->number) < 0)
                return -1;
        while ((more = db_next(&rows, err)) > 0)
                cor_text_printf(&users, "%sname:\"%s\" id:\"%.12s\"", users.len ? ", " : "", db_text(&rows, 0),
                                db_text(&rows, 1));
        if (more < 0)
                return -1;
        return users.len ? cor_fail(err, COR_BUSY, "error while removing network: network %s has active endpoints (%s)",
                                    r->name, users.s)
                         : 0;
}

int network_row_remove(struct store *s, const struct network_row *r, struct cor_err *err)
{
        auto_db_txn txn = DB_TXN_INIT;
        int n;

        if (db_begin(s->db, DB_DURABLE, &txn, err) < 0 || check_unused(s, r, err) < 0)
                return -1;
        n = db_run(s->db, err, "DELETE FROM network WHERE number = ?1", "i", r->number);
        if (n == 0)
                return cor_fail(err, COR_NOT_FOUND, "network %s not found", r->name);
        return n < 0 ? -1 : db_commit(&txn, err);
}

#include "store/endpoint.h"

#include "base/text.h"
#include "store/db.h"

#include <string.h>

void endpoint_row_done(struct endpoint_row *r)
{
        free(r->id);
        free(r->interface);
        free(r->host_interface);
        free(r->mac);
        free(r->container_id);
        free(r->container_name);
        cor_strv_done(&r->names);
        memset(r, 0, sizeof *r);
}

void endpoint_rows_done(struct endpoint_rows *l)
{
        for (size_t i = 0; i < l->n_items; i++)
                endpoint_row_done(&l->items[i]);
        free(l->items);
        l->items = NULL;
        l->n_items = 0;
}

/* -------------------------------------------------------------------------------------------------------- addresses */

static bool is_excluded(const struct endpoint_pool *p, const struct ip *a)
{
        for (size_t i = 0; i < p->n_not; i++)
                if (ip_equal(&p->not [i], a))
                        return true;
        return false;
}

static bool read_ip(const struct db_rows *rows, int column, struct ip *ret)
{
        size_t n;
        const char *bytes = db_bytes(rows, column, &n);

        *ret = (struct ip){ .len = (uint8_t)n };
        if (n != 4 && n != sizeof ret->bytes)
                return false;
        memcpy(ret->bytes, bytes, n);
        return true;
}

/* *@next, or the next one after it that may be given; false past the last */
static bool skip(const struct endpoint_pool *p, struct ip *next)
{
        while (ip_compare(next, &p->last) <= 0 && is_excluded(p, next)) {
                if (ip_equal(next, &p->last))
                        return false;
                *next = ip_next(next);
        }
        return ip_compare(next, &p->last) <= 0;
}

/* The lowest that is free: 1, 0 all are taken, -1 */
static int lowest(struct store *s, int64_t network, const struct endpoint_pool *p, struct ip *ret, struct cor_err *err)
{
        struct ip next = p->first, taken;
        auto_db_rows rows = { 0 };
        int more;

        if (db_query(s->db, &rows, err,
                     "SELECT address FROM address WHERE network = ?1 AND address >= ?2 AND address <= ?3"
                     " AND length(address) = ?4 ORDER BY address",
                     "ibbi", network, (const char *)p->first.bytes, (size_t)p->first.len, (const char *)p->last.bytes,
                     (size_t)p->last.len, (int64_t)p->first.len) < 0)
                return -1;
        if (!skip(p, &next))
                return 0;
        while ((more = db_next(&rows, err)) > 0) {
                if (!read_ip(&rows, 0, &taken) || !ip_equal(&taken, &next))
                        continue; /* below @next: it is excluded as well; above: a gap, unless more are to come */
                if (ip_equal(&next, &p->last))
                        return 0;
                next = ip_next(&next);
                if (!skip(p, &next))
                        return 0;
        }
        *ret = next;
        return more < 0 ? -1 : 1;
}

static int is_taken(struct store *s, int64_t network, const struct ip *a, struct cor_err *err)
{
        auto_db_rows rows = { 0 };

        if (db_query(s->db, &rows, err, "SELECT 1 FROM address WHERE network = ?1 AND address = ?2", "ib", network,
                     (const char *)a->bytes, (size_t)a->len) < 0)
                return -1;
        return db_next(&rows, err);
}

static int take_wanted(struct store *s, struct endpoint_new *n, int family, struct cor_err *err)
{
        const struct ip *a = &n->wanted[family];
        char text[IP_TEXT_BYTES];

        for (size_t i = 0; i < n->n_pools; i++) {
                const struct endpoint_pool *p = &n->pools[i];
                int taken;

                if (p->subnet.ip.len != a->len || !ip_prefix_contains(&p->subnet, a))
                        continue;
                taken = is_excluded(p, a) ? 1 : is_taken(s, n->row.network, a, err);
                if (taken)
                        return taken < 0 ? -1 : cor_fail(err, COR_BUSY, "Address already in use");
                n->row.ip[family] = (struct ip_prefix){ *a, p->subnet.bits };
                return 0;
        }
        return cor_fail(err, COR_INVALID, "invalid endpoint settings: no configured subnet contains IP address %s",
                        ip_text(a, text));
}

static int take_any(struct store *s, struct endpoint_new *n, int family, struct cor_err *err)
{
        for (size_t i = 0; i < n->n_pools; i++) {
                const struct endpoint_pool *p = &n->pools[i];
                struct ip a;
                int found;

                if (p->subnet.ip.len != (family == 0 ? 4 : 16))
                        continue;
                found = lowest(s, n->row.network, p, &a, err);
                if (found < 0)
                        return -1;
                if (found == 0)
                        continue;
                n->row.ip[family] = (struct ip_prefix){ a, p->subnet.bits };
                return 0;
        }
        return cor_fail(err, COR_BUSY, "network %s: no available IPv%d addresses on this network's address pools",
                        n->network_name, family == 0 ? 4 : 6);
}

/* -------------------------------------------------------------------------------------------------------- recording */

static int put_addresses(struct store *s, const struct endpoint_row *r, struct cor_err *err)
{
        for (int i = 0; i < ENDPOINT_FAMILIES; i++)
                if (r->ip[i].ip.len && db_run(s->db, err, "INSERT INTO address VALUES (?1, ?2, ?3, ?4)", "ibii",
                                              r->network, (const char *)r->ip[i].ip.bytes, (size_t)r->ip[i].ip.len,
                                              (int64_t)r->ip[i].bits, r->container) < 0)
                        return -1;
        return 0;
}

static int put_names(struct store *s, const struct endpoint_row *r, struct cor_err *err)
{
        for (size_t i = 0; i < r->names.n_items; i++)
                if (db_run(s->db, err, "INSERT OR IGNORE INTO endpoint_name VALUES (?1, ?2, ?3)", "iti", r->network,
                           r->names.items[i], r->container) < 0)
                        return -1;
        return 0;
}

static int put(struct store *s, struct endpoint_new *n, struct cor_err *err)
{
        struct endpoint_row *r = &n->row;

        if (db_run(s->db, err, "DELETE FROM endpoint WHERE network = ?1 AND container = ?2", "ii", r->network,
                   r->container) < 0)
                return -1;
        for (int i = 0; i < ENDPOINT_FAMILIES; i++)
                if (n->has[i] && (n->wanted[i].len ? take_wanted(s, n, i, err) : take_any(s, n, i, err)) < 0)
                        return -1;
        if (n->complete)
                n->complete(n);
        return db_run(s->db, err, "INSERT INTO endpoint VALUES (?1, ?2, ?3, ?4, ?5, ?6)", "iitttt", r->network,
                      r->container, r->id, r->interface, r->host_interface, r->mac) < 0 ||
                               put_addresses(s, r, err) < 0 || put_names(s, r, err) < 0
                       ? -1
                       : 0;
}

static int check_network(struct store *s, const struct endpoint_new *n, struct cor_err *err)
{
        auto_db_rows rows = { 0 };
        int found;

        if (db_query(s->db, &rows, err, "SELECT 1 FROM network WHERE number = ?1", "i", n->row.network) < 0)
                return -1;
        found = db_next(&rows, err);
        return found == 0 ? cor_fail(err, COR_NOT_FOUND, "network %s not found", n->network_name) : found < 0 ? -1 : 0;
}

int endpoint_rows_add(struct store *s, struct endpoint_new *const *items, size_t n, struct cor_err *err)
{
        auto_db_txn txn = DB_TXN_INIT;

        if (db_begin(s->db, DB_WRITE, &txn, err) < 0)
                return -1;
        for (size_t i = 0; i < n; i++)
                if (check_network(s, items[i], err) < 0 || put(s, items[i], err) < 0)
                        return -1;
        return db_commit(&txn, err);
}

int endpoint_row_remove(struct store *s, int64_t container, int64_t network, struct cor_err *err)
{
        auto_db_txn txn = DB_TXN_INIT;

        if (db_begin(s->db, DB_WRITE, &txn, err) < 0 ||
            db_run(s->db, err, "DELETE FROM endpoint WHERE container = ?1 AND (?2 = 0 OR network = ?2)", "ii",
                   container, network) < 0)
                return -1;
        return db_commit(&txn, err);
}

int endpoint_row_rename(struct store *s, int64_t container, const char *from, const char *to, struct cor_err *err)
{
        auto_db_txn txn = DB_TXN_INIT;

        if (db_begin(s->db, DB_WRITE, &txn, err) < 0 ||
            db_run(s->db, err, "UPDATE OR IGNORE endpoint_name SET name = ?3 WHERE container = ?1 AND name = ?2", "itt",
                   container, from, to) < 0)
                return -1;
        return db_commit(&txn, err);
}

/* ---------------------------------------------------------------------------------------------------------- reading */

static int read_addresses(struct store *s, struct endpoint_row *r, struct cor_err *err)
{
        auto_db_rows rows = { 0 };
        int more;

        if (db_query(s->db, &rows, err, "SELECT address, bits FROM address WHERE network = ?1 AND container = ?2", "ii",
                     r->network, r->container) < 0)
                return -1;
        while ((more = db_next(&rows, err)) > 0) {
                struct ip a;

                if (read_ip(&rows, 0, &a))
                        r->ip[ip_is_4(&a) ? 0 : 1] = (struct ip_prefix){ a, (uint8_t)db_int(&rows, 1) };
        }
        return more;
}

static int read_names(struct store *s, struct endpoint_row *r, struct cor_err *err)
{
        auto_db_rows rows = { 0 };
        int more;

        if (db_query(s->db, &rows, err, "SELECT name FROM endpoint_name WHERE network = ?1 AND container = ?2", "ii",
                     r->network, r->container) < 0)
                return -1;
        while ((more = db_next(&rows, err)) > 0)
                cor_strv_add(&r->names, db_text(&rows, 0));
        return more;
}

static int read_rows(struct store *s, int64_t network, int64_t container, struct endpoint_rows *l, struct cor_err *err)
{
        auto_db_rows rows = { 0 };
        int more;

        if (db_query(s->db, &rows, err,
                     "SELECT e.network, e.container, e.id, e.interface, e.host_interface, e.mac, c.id, c.name"
                     " FROM endpoint AS e JOIN container AS c ON e.container = c.number"
                     " WHERE (?1 = 0 OR e.network = ?1) AND (?2 = 0 OR e.container = ?2) ORDER BY e.container",
                     "ii", network, container) < 0)
                return -1;
        while ((more = db_next(&rows, err)) > 0)
                *COR_GROW(l->items, l->n_items) = (struct endpoint_row){
                        .network = db_int(&rows, 0),
                        .container = db_int(&rows, 1),
                        .id = cor_strdup(db_text(&rows, 2)),
                        .interface = cor_strdup(db_text(&rows, 3)),
                        .host_interface = cor_strdup(db_text(&rows, 4)),
                        .mac = cor_strdup(db_text(&rows, 5)),
                        .container_id = cor_strdup(db_text(&rows, 6)),
                        .container_name = cor_strdup(db_text(&rows, 7)),
                };
        return more;
}

int endpoint_rows_find(struct store *s, int64_t network, int64_t container, bool names, struct endpoint_rows *ret,
                       struct cor_err *err)
{
        auto_endpoint_rows l = { 0 };
        auto_db_txn txn = DB_TXN_INIT;

        if (db_begin(s->db, DB_READ, &txn, err) < 0 || read_rows(s, network, container, &l, err) < 0)
                return -1;
        for (size_t i = 0; i < l.n_items; i++)
                if (read_addresses(s, &l.items[i], err) < 0 || (names && read_names(s, &l.items[i], err) < 0))
                        return -1;
        *ret = l;
        l = (struct endpoint_rows){ 0 };
        return 0;
}

int endpoint_lookup(struct store *s, int64_t network, const char *name, struct endpoint_addresses *ret, bool *ret_known,
                    struct cor_err *err)
{
        auto_db_rows rows = { 0 };
        int more;

        if (db_query(s->db, &rows, err,
                     "SELECT a.address FROM endpoint_name AS n LEFT JOIN address AS a"
                     " ON a.network = n.network AND a.container = n.container WHERE n.network = ?1 AND n.name = ?2",
                     "it", network, name) < 0)
                return -1;
        while ((more = db_next(&rows, err)) > 0) {
                struct ip a;

                *ret_known = true;
                if (read_ip(&rows, 0, &a))
                        *COR_GROW(ret->items, ret->n_items) = a;
        }
        return more;
}

int endpoint_name_of(struct store *s, int64_t network, const struct ip *a, char **ret, struct cor_err *err)
{
        auto_db_rows rows = { 0 };
        int found;

        if (db_query(
                    s->db, &rows, err,
                    "SELECT name FROM container JOIN address ON number = container WHERE network = ?1 AND address = ?2",
                    "ib", network, (const char *)a->bytes, (size_t)a->len) < 0)
                return -1;
        found = db_next(&rows, err);
        if (found > 0)
                *ret = cor_strdup(db_text(&rows, 0));
        return found;
}

int endpoint_any(struct store *s, struct cor_err *err)
{
        auto_db_rows rows = { 0 };

        if (db_query(s->db, &rows, err, "SELECT 1 FROM endpoint LIMIT 1", "") < 0)
                return -1;
        return db_next(&rows, err);
}

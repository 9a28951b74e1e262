#include "store/container_ids.h"

#include "linux/idmap.h"
#include "store/db.h"

enum { USERS, GROUPS };

struct range {
        uint32_t first, size;
};
struct ranges {
        struct range *items;
        size_t n_items;
};

static void ranges_done(struct ranges *r)
{
        free(r->items);
}

/* What containers have, in order. */
static int read_taken(struct store *s, int kind, struct ranges *ret, struct cor_err *err)
{
        auto_db_rows rows = { 0 };
        int more;

        if (db_query(s->db, &rows, err, "SELECT first, size FROM id_range WHERE groups = ?1 ORDER BY first", "i",
                     (int64_t)kind) < 0)
                return -1;
        while ((more = db_next(&rows, err)) > 0)
                *COR_GROW(ret->items, ret->n_items) =
                        (struct range){ (uint32_t)db_int(&rows, 0), (uint32_t)db_int(&rows, 1) };
        return more;
}

/* The first gap of @size in @from to @end that none of @taken is in; false if there is none. */
static bool find_gap(const struct ranges *taken, uint64_t from, uint64_t end, uint32_t size, uint32_t *ret)
{
        for (size_t i = 0; i < taken->n_items && from + size <= end; i++) {
                const struct range *r = &taken->items[i];

                if (from + size <= r->first)
                        break;
                if ((uint64_t)r->first + r->size > from)
                        from = (uint64_t)r->first + r->size;
        }
        *ret = (uint32_t)from;
        return from + size <= end;
}

static int take(struct store *s, const struct container_row *r, int kind, uint32_t *ret, struct cor_err *err)
{
        const struct id_pool *p = r->pool;
        const struct oci_id_map *from = kind == USERS ? p->uids : p->gids;
        size_t n = kind == USERS ? p->n_uids : p->n_gids;
        COR_CLEANUP(ranges_done) struct ranges taken = { 0 };

        if (read_taken(s, kind, &taken, err) < 0)
                return -1;
        for (size_t i = 0; i < n; i++)
                if (find_gap(&taken, from[i].host_id, (uint64_t)from[i].host_id + from[i].size, p->size, ret))
                        return 0;
        return cor_fail(
                err, COR_BUSY,
                "not enough unused ids in user namespace: %u of %s in /etc/sub%s are wanted in one piece that no "
                "container has (--userns=auto:size=NUMBER asks for less)",
                p->size, p->owner, kind == USERS ? "uid" : "gid");
}

static int put(struct store *s, int64_t number, int kind, const struct oci_id_map *map, size_t n, struct cor_err *err)
{
        for (size_t i = 0; i < n; i++)
                if (db_run(s->db, err, "INSERT INTO id_range VALUES (?1, ?2, ?3, ?4)", "iiii", number, (int64_t)kind,
                           (int64_t)map[i].host_id, (int64_t)map[i].size) < 0)
                        return -1;
        return 0;
}

static int put_map(struct store *s, int64_t number, const struct idmap *m, struct cor_err *err)
{
        return put(s, number, USERS, m->uids, m->n_uids, err) < 0 || put(s, number, GROUPS, m->gids, m->n_gids, err) < 0
                       ? -1
                       : 0;
}

int container_take_ids(struct store *s, struct container_row *r, struct cor_err *err)
{
        struct oci_id_map uids = { 0 }, gids = { 0 };
        const struct idmap m = { .uids = &uids, .gids = &gids, .n_uids = 1, .n_gids = 1 };

        if (!r->pool && r->id_map) {
                auto_idmap own = { 0 };

                return idmap_parse(r->id_map, &own, err) < 0 ? -1 : put_map(s, r->number, &own, err);
        }
        if (!r->pool)
                return 0;
        uids.size = gids.size = r->pool->size;
        if (take(s, r, USERS, &uids.host_id, err) < 0 || take(s, r, GROUPS, &gids.host_id, err) < 0)
                return -1;
        free(r->id_map);
        r->id_map = idmap_format(&m);
        return put_map(s, r->number, &m, err);
}

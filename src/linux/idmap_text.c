/* Maps of ids as text, as the database keeps them. */
#include "linux/idmap.h"

#include "base/text.h"

#include <string.h>

static void print(const struct oci_id_map *map, size_t n, struct cor_text *t)
{
        for (size_t i = 0; i < n; i++)
                cor_text_printf(t, "%s%u:%u:%u", i ? "," : "", map[i].container_id, map[i].host_id, map[i].size);
}

char *idmap_format(const struct idmap *m)
{
        struct cor_text t = COR_TEXT_INIT;

        print(m->uids, m->n_uids, &t);
        cor_text_add_c(&t, ';');
        print(m->gids, m->n_gids, &t);
        return cor_text_take(&t);
}

static int parse_range(char *text, struct oci_id_map *ret)
{
        const char *inside = cor_split_next(&text, ':');
        const char *outside = text ? cor_split_next(&text, ':') : NULL;

        return !outside || !text || cor_parse_u32(inside, &ret->container_id) < 0 ||
                               cor_parse_u32(outside, &ret->host_id) < 0 || cor_parse_u32(text, &ret->size) < 0
                       ? -1
                       : 0;
}

static int parse_side(char *text, struct oci_id_map **items, size_t *n)
{
        for (char *range; (range = cor_split_next(&text, ','));)
                if (*n >= IDMAP_MAX_RANGES || parse_range(range, COR_GROW(*items, *n)) < 0)
                        return -1;
        return 0;
}

int idmap_parse(const char *text, struct idmap *ret, struct cor_err *err)
{
        auto_idmap m = { 0 };
        auto_str copy = cor_strdup(text);
        char *groups = strchr(copy, ';');

        if (groups)
                *groups++ = '\0';
        if (!groups || parse_side(copy, &m.uids, &m.n_uids) < 0 || parse_side(groups, &m.gids, &m.n_gids) < 0)
                return cor_fail(err, COR_INVALID, "'%.100s' is no map of ids", text);
        if (idmap_check(m.uids, m.n_uids, "map of users", err) < 0 ||
            idmap_check(m.gids, m.n_gids, "map of groups", err) < 0)
                return -1;
        *ret = m;
        m = (struct idmap){ 0 };
        return 0;
}

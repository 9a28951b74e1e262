/*
 * Maps of sparse files. GNU tar has had four ways to store one: in the header and blocks that follow it (type S), as
 * pairs of pax records (0.0), as one pax record (0.1), and as text before the data (1.0, read by tar_read.c).
 */
#include "image/tar_internal.h"

#include "base/text.h"

#include <string.h>

#define EXTENTS_MAX (1U << 20)

int tar_sparse_add(struct tar_entry *e, int64_t offset, int64_t length, struct cor_err *err)
{
        if (e->n_extents >= EXTENTS_MAX)
                return cor_fail(err, COR_INVALID, "sparse file of more than %u pieces", EXTENTS_MAX);
        *COR_GROW(e->extents, e->n_extents) = (struct tar_extent){ offset, length };
        return 0;
}

int tar_sparse_gnu(const uint8_t *map, size_t n, struct tar_entry *e, struct cor_err *err)
{
        for (size_t i = 0; i < n; i++, map += GNU_MAP_BYTES) {
                int64_t offset, length;

                if (map[0] == '\0' && map[12] == '\0')
                        return 0;
                if (tar_number(map, 12, &offset) < 0 || tar_number(map + 12, 12, &length) < 0)
                        return cor_fail(err, COR_INVALID, "the map of the sparse file is damaged");
                if (tar_sparse_add(e, offset, length, err) < 0)
                        return -1;
        }
        return 1;
}

/* 0.0: GNU.sparse.offset and GNU.sparse.numbytes in turn. */
static int map_of_pairs(const struct tar_pax *pax, struct tar_entry *e, struct cor_err *err)
{
        int64_t offset = -1, number;

        for (size_t i = 0; i < pax->n_items; i++) {
                const struct tar_pax_record *r = &pax->items[i];
                bool is_offset = strcmp(r->key, "GNU.sparse.offset") == 0;

                if (!is_offset && strcmp(r->key, "GNU.sparse.numbytes") != 0)
                        continue;
                if (cor_parse_i64(r->value, &number) < 0 || number < 0 || is_offset == (offset >= 0))
                        return cor_fail(err, COR_INVALID, "the map of the sparse file is damaged (%s)", r->key);
                if (!is_offset && tar_sparse_add(e, offset, number, err) < 0)
                        return -1;
                offset = is_offset ? number : -1;
        }
        return offset < 0 ? 0 : cor_fail(err, COR_INVALID, "the map of the sparse file ends with an offset");
}

/* 0.1: "offset,length,offset,length" */
static int map_of_list(char *list, struct tar_entry *e, struct cor_err *err)
{
        char *word;
        int64_t offset = -1, number;

        while ((word = cor_split_next(&list, ','))) {
                if (cor_parse_i64(word, &number) < 0 || number < 0)
                        return cor_fail(err, COR_INVALID, "the map of the sparse file is damaged (GNU.sparse.map)");
                if (offset >= 0 && tar_sparse_add(e, offset, number, err) < 0)
                        return -1;
                offset = offset < 0 ? number : -1;
        }
        return offset < 0 ? 0 : cor_fail(err, COR_INVALID, "the map of the sparse file ends with an offset");
}

static int real_size(const struct tar_pax *pax, struct tar_entry *e, struct cor_err *err)
{
        const struct tar_pax_record *size = tar_pax_find(pax, "GNU.sparse.realsize");

        if (!size)
                size = tar_pax_find(pax, "GNU.sparse.size");
        if (!size)
                return 0;
        if (cor_parse_i64(size->value, &e->size) < 0 || e->size < 0)
                return cor_fail(err, COR_INVALID, "pax header: %s is not a size", size->key);
        return 1;
}

int tar_sparse_pax(const struct tar_pax *pax, struct tar_entry *e, enum tar_sparse *ret, const char **ret_name,
                   struct cor_err *err)
{
        const struct tar_pax_record *name = tar_pax_find(pax, "GNU.sparse.name");
        const struct tar_pax_record *major = tar_pax_find(pax, "GNU.sparse.major");
        const struct tar_pax_record *minor = tar_pax_find(pax, "GNU.sparse.minor");
        const struct tar_pax_record *map = tar_pax_find(pax, "GNU.sparse.map");
        bool is_1 = major && minor && strcmp(major->value, "1") == 0 && strcmp(minor->value, "0") == 0;
        int sized;

        *ret = SPARSE_NO;
        *ret_name = NULL;
        if (!is_1 && !map && !tar_pax_find(pax, "GNU.sparse.numblocks"))
                return major ? cor_fail(err, COR_INVALID, "sparse file of an unknown version") : 0;
        sized = real_size(pax, e, err);
        if (sized < 0)
                return -1;
        if (!sized)
                return cor_fail(err, COR_INVALID, "sparse file without its size (GNU.sparse.realsize)");
        *ret = is_1 ? SPARSE_PAX_1 : SPARSE_PAX_0;
        *ret_name = name ? name->value : NULL;
        e->sparse = true;
        if (is_1)
                return 0;
        return map ? map_of_list(map->value, e, err) : map_of_pairs(pax, e, err);
}

int tar_sparse_check(const struct tar_entry *e, int64_t stored, struct cor_err *err)
{
        int64_t at = 0, sum = 0;

        for (size_t i = 0; i < e->n_extents; i++) {
                const struct tar_extent *x = &e->extents[i];

                if (x->offset < at || x->length < 0 || x->offset > e->size || x->length > e->size - x->offset)
                        return cor_fail(err, COR_INVALID, "piece %zu of the sparse file lies outside of it or overlaps",
                                        i + 1);
                at = x->offset + x->length;
                sum += x->length;
        }
        if (sum != stored)
                return cor_fail(err, COR_INVALID, "the pieces of the sparse file are %lld bytes, and %lld are stored",
                                (long long)sum, (long long)stored);
        return 0;
}

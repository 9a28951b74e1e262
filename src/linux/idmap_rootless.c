/* What an unprivileged user may map: /etc/subuid, /etc/subgid, and the user's name from /etc/passwd, without NSS. */
#include "linux/idmap.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/process.h"

enum {
        FILE_MAX_BYTES = 4 << 20,
        RANGES_MAX = 100, /* 33 bytes each at most: always within the one page that the kernel takes */
};

static void add(struct oci_id_map **items, size_t *n_items, uint32_t container, uint32_t host, uint32_t size)
{
        *COR_GROW(*items, *n_items) = (struct oci_id_map){ container, host, size };
}

/* The next field of a line of colons; the last one ends with the line. */
static const char *field(const char **p, const char *end, size_t *ret_len)
{
        const char *start = *p, *colon = memchr(start, ':', (size_t)(end - start));
        const char *stop = colon ? colon : end;

        *p = colon ? colon + 1 : end;
        *ret_len = (size_t)(stop - start);
        return start;
}

static int number(const char *s, size_t len, uint32_t *ret)
{
        char copy[16];

        if (len >= sizeof copy)
                return -1;
        memcpy(copy, s, len);
        copy[len] = '\0';
        return cor_parse_u32(copy, ret);
}

static bool is_user(const char *s, size_t len, const char *name, uid_t uid)
{
        uint32_t value;

        if (name && strlen(name) == len && memcmp(s, name, len) == 0)
                return true;
        return number(s, len, &value) == 0 && value == uid;
}

void idmap_sub_ranges(const char *text, const char *name, uid_t uid, struct oci_id_map **items, size_t *n_items)
{
        size_t found = 0;

        while (*text && found < RANGES_MAX) {
                size_t line = strcspn(text, "\n"), n_user, n_first, n_size;
                const char *p = text, *end = text + line;
                const char *user = field(&p, end, &n_user);
                const char *first = field(&p, end, &n_first);
                const char *size = field(&p, end, &n_size);
                uint32_t id, count;

                text = end + (*end == '\n');
                if (p != end || !is_user(user, n_user, name, uid) || number(first, n_first, &id) < 0 ||
                    number(size, n_size, &count) < 0)
                        continue;
                if (count == 0 || (uint64_t)id + count > UINT32_MAX)
                        continue;
                add(items, n_items, 0, id, count);
                found++;
        }
}

static bool taken(const struct oci_id_map *items, size_t n, uint32_t first, uint32_t size)
{
        for (size_t i = 0; i < n; i++)
                if (first < (uint64_t)items[i].host_id + items[i].size && items[i].host_id < (uint64_t)first + size)
                        return true;
        return false;
}

struct fill {
        struct oci_id_map **items;
        size_t *n_items;
        uint32_t next, id, own;
        bool placed;
};

/* @host and the @size ids from it, at the next free ids inside, leaving out the place of the user's own id */
static void fill_range(struct fill *f, uint32_t host, uint32_t size)
{
        while (size > 0 && *f->n_items < RANGES_MAX) {
                uint32_t part = size;

                if (!f->placed && f->next == f->id) {
                        add(f->items, f->n_items, f->id, f->own, 1);
                        f->placed = true;
                        f->next++;
                }
                if (!f->placed && part > f->id - f->next)
                        part = f->id - f->next;
                if (part > UINT32_MAX - 1 - f->next)
                        part = UINT32_MAX - 1 - f->next;
                if (part == 0)
                        return;
                add(f->items, f->n_items, f->next, host, part);
                f->next += part;
                host += part;
                size -= part;
        }
}

void idmap_fill(uint32_t id, uint32_t own, const struct oci_id_map *sub, size_t n_sub, struct oci_id_map **items,
                size_t *n_items)
{
        struct fill f = { .items = items, .n_items = n_items, .id = id, .own = own };

        for (size_t i = 0; i < n_sub; i++) {
                uint32_t first = sub[i].host_id, size = sub[i].size;

                if (taken(sub, i, first, size)) /* listed twice: by name and by number */
                        continue;
                if (own >= first && own - first < size) { /* an id can be mapped once only */
                        fill_range(&f, first, own - first);
                        fill_range(&f, own + 1, size - (own - first) - 1);
                } else {
                        fill_range(&f, first, size);
                }
        }
        if (!f.placed)
                add(items, n_items, id, own, 1);
}

/* The name of @uid in /etc/passwd, or NULL: then only the number counts. */
static char *user_name(uid_t uid)
{
        auto_str text = NULL;

        if (cor_read_file("/etc/passwd", FILE_MAX_BYTES, &text, NULL, NULL) < 0)
                return NULL;
        for (const char *line = text; *line;) {
                const char *end = line + strcspn(line, "\n"), *p = line;
                size_t n_name, n_password, n_uid;
                const char *name = field(&p, end, &n_name);
                const char *id;
                uint32_t value;

                field(&p, end, &n_password);
                id = field(&p, end, &n_uid);
                if (n_name && number(id, n_uid, &value) == 0 && value == uid)
                        return cor_strndup(name, n_name);
                line = end + (*end == '\n');
        }
        return NULL;
}

static int ranges_of(const char *file, const char *name, uid_t uid, struct oci_id_map **items, size_t *n_items,
                     struct cor_err *err)
{
        auto_str text = NULL;

        if (cor_read_file(file, FILE_MAX_BYTES, &text, NULL, err) == 0)
                idmap_sub_ranges(text, name, uid, items, n_items);
        else if (err->kind != COR_NOT_FOUND)
                return -1;
        return 0;
}

int idmap_sub_of(const char *who, bool groups, struct oci_id_map **items, size_t *n_items, struct cor_err *err)
{
        const char *file = groups ? "/etc/subgid" : "/etc/subuid";
        auto_str name = NULL;
        uint32_t id;

        if (cor_parse_u32(who, &id) < 0)
                return ranges_of(file, who, UINT32_MAX, items, n_items, err);
        name = groups ? NULL : user_name(id);
        return ranges_of(file, name, id, items, n_items, err);
}

int idmap_rootless_default(uint32_t uid, uint32_t gid, struct idmap *ret, struct cor_err *err)
{
        struct oci_id_map *sub_uids auto_free = NULL;
        struct oci_id_map *sub_gids auto_free = NULL;
        size_t n_sub_uids = 0, n_sub_gids = 0;
        struct idmap m = { 0 };

        if (cor_program_there("newuidmap") && cor_program_there("newgidmap")) {
                auto_str name = user_name(geteuid());

                /* subgid lists are by user as well */
                if (ranges_of("/etc/subuid", name, geteuid(), &sub_uids, &n_sub_uids, err) < 0 ||
                    ranges_of("/etc/subgid", name, geteuid(), &sub_gids, &n_sub_gids, err) < 0)
                        return -1;
        }
        idmap_fill(uid, geteuid(), sub_uids, n_sub_uids, &m.uids, &m.n_uids);
        idmap_fill(gid, getegid(), sub_gids, n_sub_gids, &m.gids, &m.n_gids);
        *ret = m;
        return 0;
}

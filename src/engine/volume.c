#include "engine/volume.h"

#include "base/date.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/text.h"
#include "linux/quota.h"
#include "store/event.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NAME_BYTES = 32, DEPTH_MAX = 512, PROJECT_FIRST = 0x10000000 }; /* others hardly have such numbers */

const char *volume_option(const struct cor_strv *list, const char *key)
{
        size_t n = strlen(key);

        for (size_t i = 0; list && i < list->n_items; i++)
                if (strncmp(list->items[i], key, n) == 0 && list->items[i][n] == '=')
                        return list->items[i] + n + 1;
        return NULL;
}

/* --- create ------------------------------------------------------------------------------------------------------ */

static bool is_known(const char *option)
{
        static const char *const known[] = { "type", "o", "device", "size" };
        size_t n = strcspn(option, "=");

        for (size_t i = 0; i < COR_COUNT(known); i++)
                if (strlen(known[i]) == n && strncmp(known[i], option, n) == 0)
                        return true;
        return false;
}

static int check_options(const struct cor_strv *o, struct cor_err *err)
{
        const char *type = volume_option(o, "type"), *device = volume_option(o, "device");
        const char *size = volume_option(o, "size");
        uint64_t bytes;

        for (size_t i = 0; o && i < o->n_items; i++)
                if (!is_known(o->items[i]))
                        return cor_fail(err, COR_INVALID, "invalid option: \"%.*s\"", (int)strcspn(o->items[i], "="),
                                        o->items[i]);
        if (size && (cor_parse_size(size, &bytes) < 0 || bytes == 0))
                return cor_fail(err, COR_INVALID, "invalid size: '%.60s'", size);
        if (!type && (device || volume_option(o, "o")))
                return cor_fail(err, COR_INVALID, "missing required option: \"type\"");
        if (!device && (type || volume_option(o, "o")))
                return cor_fail(err, COR_INVALID, "missing required option: \"device\"");
        return 0;
}

static int check_driver(const char *driver, struct cor_err *err)
{
        if (!driver || !*driver || strcmp(driver, "local") == 0)
                return 0;
        return cor_fail(err, COR_NOT_FOUND, "error looking up volume plugin %.100s: plugin \"%.100s\" not found",
                        driver, driver);
}

static void copy_list(const struct cor_strv *from, struct cor_strv *to)
{
        for (size_t i = 0; from && i < from->n_items; i++)
                cor_strv_add(to, from->items[i]);
}

int volume_prepare(const struct volume_new *n, struct volume_row *ret, struct cor_err *err)
{
        bool anonymous = !n->name || !*n->name;

        if (check_driver(n->driver, err) < 0)
                return -1;
        if (check_options(n->options, err) < 0)
                return cor_wrap(err, "create %s", anonymous ? "volume" : n->name);
        if (!anonymous && volume_name_check(n->name, err) < 0)
                return -1;
        *ret = (struct volume_row){ .name = anonymous ? cor_random_hex(NAME_BYTES) : cor_strdup(n->name),
                                    .driver = cor_strdup("local"),
                                    .anonymous = anonymous,
                                    .created = cor_wall_ns() };
        copy_list(n->options, &ret->options);
        copy_list(n->labels, &ret->labels);
        return 0;
}

/* What it may hold, by a project of its own. */
static int limit_size(int folder, const char *size, struct cor_err *err)
{
        auto_fd data = openat(folder, "_data", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        struct cor_err why = { 0 };
        uint32_t wish = 0;
        uint64_t bytes = 0;

        if (data < 0 || getrandom(&wish, sizeof wish, 0) != sizeof wish || cor_parse_size(size, &bytes) < 0)
                return cor_fail_errno(err, "limit the size");
        if (quota_limit(&data, 1, PROJECT_FIRST + wish / 2, bytes, &why) == 0)
                return 0;
        return cor_fail(err, why.kind, "quota size requested but no quota support: %s", why.msg);
}

int volume_prepare_folder(struct store *s, const struct volume_row *v, struct store_new *ret, struct cor_err *err)
{
        const char *size = volume_option(&v->options, "size");
        auto_store_new n = STORE_NEW_INIT;

        if (volume_folder_new(s, &n, err) < 0 || (size && limit_size(n.fd, size, err) < 0))
                return cor_wrap(err, "create %s", v->name);
        *ret = n;
        n.fd = -1;
        return 0;
}

static int add_volume(struct store *s, struct volume_row *row, struct cor_err *err)
{
        auto_store_new folder = STORE_NEW_INIT;
        int r;

        if (volume_prepare_folder(s, row, &folder, err) < 0)
                return -1;
        row->folder = &folder;
        r = volume_row_add(s, row, err);
        row->folder = NULL;
        if (r < 0) {
                if (err->kind != COR_EXISTS)
                        return -1;
                cor_err_clear(err); /* somebody was faster */
                return 0;
        }
        event_write_volume(s, row->name, "create", NULL, NULL, 0);
        return 0;
}

int engine_create_volume(struct store *s, const struct volume_new *n, char **ret_name, struct cor_err *err)
{
        auto_volume_row row = { 0 }, there = { 0 };
        struct cor_err own = { 0 };

        if (volume_prepare(n, &row, err) < 0)
                return -1;
        if (volume_row_find(s, row.name, &there, &own) < 0) {
                if (own.kind != COR_NOT_FOUND) {
                        *err = own;
                        return -1;
                }
                if (add_volume(s, &row, err) < 0)
                        return -1;
        }
        *ret_name = COR_TAKE(row.name);
        return 0;
}

/* --- remove, prune ----------------------------------------------------------------------------------------------- */

int engine_remove_volume(struct store *s, const char *name, bool force, struct cor_err *err)
{
        struct cor_err own = { 0 };

        if (volume_row_remove(s, name, &own) == 0) {
                event_write_volume(s, name, "destroy", NULL, NULL, 0);
                return 0;
        }
        if (force && own.kind == COR_NOT_FOUND)
                return 0;
        if (err)
                *err = own;
        return -1;
}

static void close_dir(DIR **d)
{
        if (*d)
                closedir(*d);
}

/* Whatever is written there meanwhile: a size is a guess at best. */
static uint64_t size_below(int dirfd, int depth)
{
        COR_CLEANUP(close_dir) DIR *dir = fdopendir(dirfd); /* takes it */
        uint64_t total = 0;
        struct dirent *e;

        if (!dir)
                close(dirfd);
        while (dir && (e = readdir(dir)) != NULL) {
                struct stat st;
                int below;

                if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0 ||
                    fstatat(dirfd, e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                        continue;
                total += st.st_nlink > 1 && !S_ISDIR(st.st_mode) ? (uint64_t)st.st_blocks * 512 / st.st_nlink
                                                                 : (uint64_t)st.st_blocks * 512;
                if (!S_ISDIR(st.st_mode) || depth >= DEPTH_MAX)
                        continue;
                below = openat(dirfd, e->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
                if (below >= 0)
                        total += size_below(below, depth + 1);
        }
        return total;
}

int engine_volume_size(struct store *s, const char *name, uint64_t *ret, struct cor_err *err)
{
        auto_fd folder = volume_folder_open(s, name, err);
        int dir;

        if (folder < 0)
                return -1;
        dir = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (dir < 0)
                return cor_fail_errno(err, "volume %s", name);
        *ret = size_below(dir, 0);
        return 0;
}

void volume_pruned_done(struct volume_pruned *p)
{
        cor_strv_done(&p->names);
}

int engine_prune_volumes(struct store *s, bool all, bool (*wanted)(const struct volume_row *v, void *arg), void *arg,
                         struct volume_pruned *ret, struct cor_err *err)
{
        auto_volume_rows rows = { 0 };
        auto_volume_pruned p = { 0 };

        if (volume_row_all(s, &rows, err) < 0)
                return -1;
        for (size_t i = 0; i < rows.n_items; i++) {
                const struct volume_row *v = &rows.items[i];
                struct cor_err own = { 0 };
                uint64_t bytes = 0;

                if (v->users > 0 || (!all && !v->anonymous) || (wanted && !wanted(v, arg)))
                        continue;
                if (engine_volume_size(s, v->name, &bytes, NULL) < 0)
                        bytes = 0;
                if (volume_row_remove(s, v->name, &own) < 0) {
                        if (own.kind == COR_BUSY || own.kind == COR_NOT_FOUND) /* somebody was faster */
                                continue;
                        *err = own;
                        return -1;
                }
                event_write_volume(s, v->name, "destroy", NULL, NULL, 0);
                cor_strv_add(&p.names, v->name);
                p.bytes += bytes;
        }
        event_write_prune(s, "volume", (int64_t)p.bytes);
        *ret = p;
        p = (struct volume_pruned){ 0 };
        return 0;
}

/*
 * What a container has changed: its writable layer against those below. A whiteout there (a 0/0 character device) is
 * something deleted, an opaque folder hides all that was below it, and what is there in both is changed.
 */
#include "base/fd.h"
#include "base/file.h"
#include "base/text.h"
#include "engine/container_files.h"
#include "engine/container_internal.h"
#include "image/layer.h"
#include "store/snapshot.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

enum { DIFF_DEPTH_MAX = 1024 }; /* a path of 4096 bytes has no more than twice that, and the stack is not endless */

struct diff {
        const char *opaque; /* the attribute's name */
        int upper, lower;   /* the roots */
        struct container_changes changes;
};

void container_changes_done(struct container_changes *c)
{
        for (size_t i = 0; i < c->n_items; i++)
                free(c->items[i].path);
        free(c->items);
        *c = (struct container_changes){ 0 };
}

static void note(struct diff *d, char kind, const char *path)
{
        struct container_change *c = COR_GROW(d->changes.items, d->changes.n_items);

        c->kind = kind;
        c->path = cor_strdup(path);
}

static void close_dir(DIR **dir)
{
        if (*dir)
                closedir(*dir);
}

static int by_text(const void *a, const void *b)
{
        return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The names in a directory, in order; takes @fd */
static int list(int fd, struct cor_strv *ret, struct cor_err *err)
{
        COR_CLEANUP(close_dir) DIR *dir = fdopendir(fd);
        struct dirent *entry;

        if (!dir) {
                cor_fail_errno(err, "list a directory");
                cor_fd_close(&fd);
                return -1;
        }
        while (errno = 0, (entry = readdir(dir)))
                if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
                        cor_strv_add(ret, entry->d_name);
        if (errno)
                return cor_fail_errno(err, "list a directory");
        if (ret->n_items > 1)
                qsort(ret->items, ret->n_items, sizeof *ret->items, by_text);
        return 0;
}

/* As fuse-overlayfs says it, which only users have. */
static bool is_fuse_opaque(const struct diff *d, int dir)
{
        char value[2];

        return cor_starts_with(d->opaque, "user.") && fgetxattr(dir, LAYER_FUSE_OPAQUE, value, sizeof value) == 1 &&
               value[0] == 'y';
}

static bool is_opaque(const struct diff *d, int dir)
{
        char value[2];

        return (fgetxattr(dir, d->opaque, value, sizeof value) == 1 && value[0] == 'y') || is_fuse_opaque(d, dir);
}

static bool is_whiteout(const struct stat *st)
{
        return S_ISCHR(st->st_mode) && st->st_rdev == makedev(0, 0);
}

/* What an opaque directory hides: all that is below it and does not come again */
static int note_hidden(struct diff *d, int lower, const struct cor_strv *names, const char *path, struct cor_err *err)
{
        auto_fd copy = openat(lower, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        auto_strv below = { 0 };

        if (copy < 0)
                return cor_fail_errno(err, "list %s", path);
        if (list(cor_fd_take(&copy), &below, err) < 0)
                return -1;
        for (size_t i = 0; i < below.n_items; i++) {
                auto_str gone = cor_printf("%s/%s", path, below.items[i]);

                if (!names->n_items ||
                    !bsearch(&below.items[i], names->items, names->n_items, sizeof *names->items, by_text))
                        note(d, 'D', gone);
        }
        return 0;
}

/*
 * What is made so that something can be mounted there: not the container's doing. Docker has these in a layer of their
 * own, below the one that the container writes to.
 */
static bool is_mount_point(const char *path, const struct stat *st)
{
        static const char *const points[] = { "/dev",      "/dev/pts",   "/dev/shm",      "/dev/console",
                                              "/etc",      "/etc/hosts", "/etc/hostname", "/etc/resolv.conf",
                                              "/etc/mtab", "/proc",      "/sys",          "/.dockerenv" };

        if (!S_ISDIR(st->st_mode) && !(S_ISREG(st->st_mode) && st->st_size == 0))
                return false;
        for (size_t i = 0; i < COR_COUNT(points); i++)
                if (strcmp(points[i], path) == 0)
                        return true;
        return false;
}

static int walk(struct diff *d, int upper, int lower, const char *path, unsigned depth, struct cor_err *err);

/* One name in a directory of the writable layer; @lower: the directory below, or -1 */
static int look(struct diff *d, int upper, int lower, const char *name, const char *path, unsigned depth,
                struct cor_err *err)
{
        auto_fd dir = -1, below = -1;
        struct stat st, low;
        bool there, point;
        size_t before;

        if (fstatat(upper, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return errno == ENOENT ? 0 : cor_fail_errno(err, "look at %s", path);
        there = lower >= 0 && fstatat(lower, name, &low, AT_SYMLINK_NOFOLLOW) == 0;
        if (is_whiteout(&st)) {
                if (there)
                        note(d, 'D', path);
                return 0;
        }
        point = is_mount_point(path, &st);
        before = d->changes.n_items;
        if (!point)
                note(d, there ? 'C' : 'A', path);
        if (!S_ISDIR(st.st_mode))
                return 0;
        if (depth >= DIFF_DEPTH_MAX)
                return cor_fail(err, COR_INVALID, "%.200s…: nested too deep", path);
        dir = openat(upper, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (dir < 0)
                return errno == ENOENT || errno == ENOTDIR || errno == ELOOP ? 0 : cor_fail_errno(err, "open %s", path);
        if (there && S_ISDIR(low.st_mode))
                below = openat(lower, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (walk(d, dir, below, path, depth + 1, err) < 0)
                return -1;
        if (point && d->changes.n_items > before)
                note(d, 'C', path);
        return 0;
}

static int walk(struct diff *d, int upper, int lower, const char *path, unsigned depth, struct cor_err *err)
{
        auto_fd copy = openat(upper, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        auto_strv names = { 0 };

        if (copy < 0)
                return cor_fail_errno(err, "list %s", path);
        if (list(cor_fd_take(&copy), &names, err) < 0 ||
            (lower >= 0 && is_opaque(d, upper) && note_hidden(d, lower, &names, path, err) < 0))
                return cor_wrap(err, "%s", path);
        for (size_t i = 0; i < names.n_items; i++) {
                auto_str below = cor_printf("%s/%s", path, names.items[i]);

                if (layer_is_fuse_mark(names.items[i]) && is_fuse_opaque(d, upper))
                        continue;
                if (look(d, upper, lower, names.items[i], below, depth, err) < 0)
                        return -1;
        }
        return 0;
}

static int by_path(const void *a, const void *b)
{
        return strcmp(((const struct container_change *)a)->path, ((const struct container_change *)b)->path);
}

static void diff_done(struct diff *d)
{
        cor_fd_close(&d->upper);
        cor_fd_close(&d->lower);
        container_changes_done(&d->changes);
}

static int open_both(struct engine *e, const struct container_row *r, struct diff *d, struct cor_err *err)
{
        struct snapshot below = SNAPSHOT_INIT; /* read-only: what it was made from */
        auto_fd folder = container_folder_open(e->store, r->id, err), upper = -1, mnt = -1;

        if (folder < 0)
                return -1;
        below.layers = r->layers;
        below.n_layers = r->n_layers;
        upper = snapshot_upper(folder, err);
        if (upper < 0)
                return err && err->kind == COR_NOT_FOUND ? 0 : -1; /* it has never been started */
        mnt = snapshot_mount(e->store, &below, err);
        if (mnt < 0)
                return -1;
        d->upper = openat(upper, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        d->lower = openat(mnt, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        return d->upper < 0 || d->lower < 0 ? cor_fail_errno(err, "open the layers of container %s", r->id) : 0;
}

int engine_diff(struct engine *e, const char *name, struct container_changes *ret, struct cor_err *err)
{
        auto_str opaque = cor_printf("%sopaque", store_overlay_prefix(e->store));
        COR_CLEANUP(diff_done) struct diff d = { .opaque = opaque, .upper = -1, .lower = -1 };
        auto_container_row row = { 0 };
        struct cor_err why = { 0 };

        if (engine_container(e, name, true, &row, err) < 0)
                return -1;
        if (open_both(e, &row, &d, &why) < 0 || (d.upper >= 0 && walk(&d, d.upper, d.lower, "", 0, &why) < 0)) {
                if (err)
                        *err = why;
                return cor_wrap(err, "container %s", row.id);
        }
        if (d.changes.n_items > 1)
                qsort(d.changes.items, d.changes.n_items, sizeof *d.changes.items, by_path);
        *ret = d.changes;
        d.changes = (struct container_changes){ 0 };
        return 0;
}

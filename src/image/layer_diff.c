/*
 * The archive of a layer. The tree is walked in the order of names, a directory before what is in it; only one
 * directory is open at a time, and its parent is opened again by its path afterwards, so that depth costs no
 * descriptors.
 */
#include "image/layer_internal.h"

#include "base/alloc.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#define READ_BYTES  (256U << 10)
#define SHOWN_BYTES 256

/* The first name of a file that has several. */
struct linked {
        dev_t dev;
        ino_t ino;
        char *path;
};

/* One directory on the way: its entries, and how many are done. */
struct level {
        struct cor_strv names;
        size_t next, path_len; /* of the directory in diff's path */
};

struct diff {
        int root, dir; /* dir: the directory under way, opened when it is needed */
        bool inside;   /* without an entry for the root */
        const char *prefix;
        struct tar_writer *writer;
        char path[PATH_MAX]; /* of the entry under way */
        struct level *levels;
        size_t n_levels;
        struct linked *linked; /* a hash table by inode */
        size_t n_linked, linked_room;
        uint8_t *buf;
};

static void diff_done(struct diff *d)
{
        cor_fd_close(&d->dir);
        for (size_t i = 0; i < d->n_levels; i++)
                cor_strv_done(&d->levels[i].names);
        free(d->levels);
        for (size_t i = 0; i < d->linked_room; i++)
                free(d->linked[i].path);
        free(d->linked);
        free(d->buf);
}

/* ----------------------------------------------------------------------------------------------------- linked files */

static struct linked *slot_of(const struct diff *d, dev_t dev, ino_t ino)
{
        size_t i = (size_t)(((uint64_t)ino * 0x9e3779b97f4a7c15ULL) >> 20) & (d->linked_room - 1);

        while (d->linked[i].path && (d->linked[i].ino != ino || d->linked[i].dev != dev))
                i = (i + 1) & (d->linked_room - 1);
        return &d->linked[i];
}

static void make_room(struct diff *d)
{
        struct linked *old = d->linked;
        size_t n = d->linked_room;

        if (d->n_linked * 2 < n)
                return;
        d->linked_room = n ? n * 2 : 64;
        d->linked = cor_alloc(d->linked_room * sizeof *d->linked);
        for (size_t i = 0; i < n; i++)
                if (old[i].path)
                        *slot_of(d, old[i].dev, old[i].ino) = old[i];
        free(old);
}

/* The name by which file @st was written before, or NULL, and it is remembered. */
static const char *linked_before(struct diff *d, const struct stat *st)
{
        struct linked *slot;

        if (S_ISDIR(st->st_mode) || st->st_nlink < 2)
                return NULL;
        make_room(d);
        slot = slot_of(d, st->st_dev, st->st_ino);
        if (slot->path)
                return slot->path;
        *slot = (struct linked){ st->st_dev, st->st_ino, cor_strdup(d->path) };
        d->n_linked++;
        return NULL;
}

/* ------------------------------------------------------------------------------------------------------- attributes */

struct xattrs {
        struct tar_xattr *items;
        size_t n_items;
};

static void xattrs_done(struct xattrs *x)
{
        for (size_t i = 0; i < x->n_items; i++) {
                free(x->items[i].name);
                free(x->items[i].value);
        }
        free(x->items);
}

static int by_name(const void *a, const void *b)
{
        return strcmp(((const struct tar_xattr *)a)->name, ((const struct tar_xattr *)b)->name);
}

/* Marks of an overlay that was mounted with redirect_dir or metacopy: the rest of such a thing is in a lower layer. */
static bool is_incomplete(const char *name, const char *prefix)
{
        size_t n = strlen(prefix);

        return strncmp(name, prefix, n) == 0 &&
               (strcmp(name + n, "redirect") == 0 || strcmp(name + n, "metacopy") == 0);
}

static int read_xattrs(const struct diff *d, int fd, struct xattrs *x, struct cor_err *err)
{
        auto_str list = NULL;
        ssize_t n = layer_xattrs_list(fd, &list, err);

        if (n < 0)
                return -1;
        for (const char *name = list; name && name < list + n; name += strlen(name) + 1) {
                char *value = NULL;
                size_t len = 0;
                int got = layer_xattr_kept(name) ? layer_xattr_get(fd, name, &value, &len, err) : 0;

                if (got < 0)
                        return -1;
                if (is_incomplete(name, d->prefix))
                        return cor_fail(err, COR_UNSUPPORTED,
                                        "a part of it is in a lower layer only (%s): the overlay was not mounted with "
                                        "redirect_dir=off,metacopy=off",
                                        name);
                if (got > 0)
                        *COR_GROW(x->items, x->n_items) = (struct tar_xattr){ cor_strdup(name), value, len };
        }
        if (x->n_items > 1)
                qsort(x->items, x->n_items, sizeof *x->items, by_name);
        return 0;
}

/* ------------------------------------------------------------------------------------------------------------ files */

/* Where data is, if leaving the holes out saves anything. */
static int find_extents(int fd, const struct stat *st, struct tar_entry *e)
{
        off_t at = 0;

        if (st->st_size == 0 || st->st_blocks * 512 >= st->st_size)
                return 0;
        while (at < st->st_size) {
                off_t data = lseek(fd, at, SEEK_DATA), hole;

                if (data < 0)
                        break;
                hole = lseek(fd, data, SEEK_HOLE);
                if (hole < 0 || data >= st->st_size)
                        break;
                if (hole > st->st_size)
                        hole = st->st_size;
                *COR_GROW(e->extents, e->n_extents) = (struct tar_extent){ data, hole - data };
                at = hole;
        }
        if (at < st->st_size && errno != ENXIO) { /* a file system that does not know */
                e->n_extents = 0;
                return 0;
        }
        e->sparse = !(e->n_extents == 1 && e->extents[0].length == st->st_size);
        return 0;
}

static int write_piece(struct diff *d, int fd, off_t at, int64_t n, struct cor_err *err)
{
        while (n > 0) {
                ssize_t got = pread(fd, d->buf, n < READ_BYTES ? (size_t)n : READ_BYTES, at);

                if (got < 0)
                        return cor_fail_errno(err, "read it");
                if (got == 0)
                        return cor_fail(err, COR_BUSY, "it became shorter while it was read");
                if (tar_write_data(d->writer, d->buf, (size_t)got, err) < 0)
                        return -1;
                at += got;
                n -= got;
        }
        return 0;
}

static int write_file(struct diff *d, int fd, const struct stat *st, struct tar_entry *e, struct cor_err *err)
{
        e->size = st->st_size;
        find_extents(fd, st, e);
        if (tar_write_entry(d->writer, e, err) < 0)
                return -1;
        if (!e->sparse)
                return write_piece(d, fd, 0, st->st_size, err);
        for (size_t i = 0; i < e->n_extents; i++)
                if (write_piece(d, fd, e->extents[i].offset, e->extents[i].length, err) < 0)
                        return -1;
        return 0;
}

static int write_linked(struct diff *d, struct tar_entry *e, const char *first, struct cor_err *err)
{
        e->type = TAR_HARDLINK;
        e->link = (char *)(uintptr_t)first;
        return tar_write_entry(d->writer, e, err);
}

static enum tar_type type_of(mode_t mode)
{
        switch (mode & S_IFMT) {
        case S_IFDIR:
                return TAR_DIR;
        case S_IFLNK:
                return TAR_SYMLINK;
        case S_IFCHR:
                return TAR_CHAR;
        case S_IFBLK:
                return TAR_BLOCK;
        case S_IFIFO:
                return TAR_FIFO;
        default:
                return TAR_FILE;
        }
}

static struct tar_entry entry_of(const struct stat *st, const struct xattrs *x, char *name)
{
        return (struct tar_entry){ .type = type_of(st->st_mode),
                                   .name = name,
                                   .mode = st->st_mode & 07777,
                                   .uid = st->st_uid,
                                   .gid = st->st_gid,
                                   .mtime = st->st_mtim,
                                   .dev_major = major(st->st_rdev),
                                   .dev_minor = minor(st->st_rdev),
                                   .xattrs = x->items,
                                   .n_xattrs = x->n_items };
}

/* Anything but a directory; @fd is O_PATH. */
static int write_other(struct diff *d, int fd, const char *base, const struct stat *st, struct cor_err *err)
{
        COR_CLEANUP(xattrs_done) struct xattrs x = { 0 };
        char target[PATH_MAX];
        struct tar_entry e;
        const char *first = linked_before(d, st);
        auto_fd file = -1;
        struct stat now;
        ssize_t n;
        int r;

        if (!first && read_xattrs(d, fd, &x, err) < 0)
                return -1;
        e = entry_of(st, &x, d->path);
        if (first)
                return write_linked(d, &e, first, err);
        if (e.type == TAR_SYMLINK) {
                n = readlinkat(fd, "", target, sizeof target - 1);
                if (n < 0)
                        return cor_fail_errno(err, "read the link");
                target[n] = '\0';
                e.link = target;
        }
        if (!S_ISREG(st->st_mode))
                return tar_write_entry(d->writer, &e, err);
        file = openat(d->dir, base, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOATIME | O_CLOEXEC);
        if (file < 0 && errno == EPERM)
                file = openat(d->dir, base, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
        if (file < 0 || fstat(file, &now) < 0)
                return cor_fail_errno(err, "open it");
        if (now.st_ino != st->st_ino || now.st_dev != st->st_dev)
                return cor_fail(err, COR_BUSY, "it was replaced while it was read");
        r = write_file(d, file, &now, &e, err);
        free(e.extents);
        return r;
}

/* Files that a whiteout stands for: @path of the entry, with .wh. in front of its last part. */
static int write_whiteout(struct diff *d, const char *path, size_t parent_len, const char *base, const struct stat *st,
                          struct cor_err *err)
{
        auto_str name = cor_printf("%.*s%s%s%s", (int)parent_len, path, parent_len ? "/" : "", WHITEOUT_PREFIX, base);
        struct tar_entry e = { .type = TAR_FILE, .name = name };

        if (st)
                e.mtime = st->st_mtim;
        return tar_write_entry(d->writer, &e, err);
}

/* ------------------------------------------------------------------------------------------------------ directories */

static void close_dir(DIR **dir)
{
        if (*dir)
                closedir(*dir);
}

static int compare_names(const void *a, const void *b)
{
        return strcmp(*(char *const *)a, *(char *const *)b);
}

static int read_names(int dir, struct cor_strv *ret, struct cor_err *err)
{
        COR_CLEANUP(close_dir) DIR *d = NULL;
        int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        struct dirent *entry;

        if (fd >= 0 && !(d = fdopendir(fd)))
                cor_fd_close(&fd);
        if (!d)
                return cor_fail_errno(err, "open the directory");
        while (errno = 0, (entry = readdir(d)))
                if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
                        cor_strv_add(ret, entry->d_name);
        if (errno)
                return cor_fail_errno(err, "read the directory");
        if (ret->n_items > 1)
                qsort(ret->items, ret->n_items, sizeof *ret->items, compare_names);
        return 0;
}

static int open_path(struct diff *d, const char *path, struct cor_err *err)
{
        int fd = cor_own_open(d->root, path[0] ? path : ".", O_RDONLY | O_DIRECTORY, 0, err);

        if (fd < 0)
                return -1;
        cor_fd_close(&d->dir);
        d->dir = fd;
        return 0;
}

/* The program fuse-overlayfs, which users may have instead of the kernel's overlay, has a mark of its own. */
static bool is_fuse_opaque(const struct diff *d)
{
        char value[2];

        return strcmp(d->prefix, "user.overlay.") == 0 &&
               fgetxattr(d->dir, LAYER_FUSE_OPAQUE, value, sizeof value) == 1 && value[0] == 'y';
}

/* Its entry, its mark if it is opaque, and its names as one more level. d->path is its path, d->dir itself. */
static int enter_dir(struct diff *d, struct cor_err *err)
{
        COR_CLEANUP(xattrs_done) struct xattrs x = { 0 };
        size_t len = strlen(d->path);
        char opaque[64], value;
        struct tar_entry e;
        struct level *level;
        auto_str name = NULL;
        auto_str y = NULL;
        size_t y_len;
        struct stat st;
        int is_opaque;

        snprintf(opaque, sizeof opaque, "%sopaque", d->prefix);
        if (fstat(d->dir, &st) < 0)
                return cor_fail_errno(err, "look at the directory");
        if (read_xattrs(d, d->dir, &x, err) < 0)
                return -1;
        is_opaque = layer_xattr_get(d->dir, opaque, &y, &y_len, err);
        if (is_opaque < 0)
                return -1;
        value = is_opaque > 0 && y_len == 1 ? y[0] : is_fuse_opaque(d) ? 'y' : '\0';
        name = len > 0 ? cor_printf("%s/", d->path) : cor_strdup("./");
        e = entry_of(&st, &x, name);
        if (!(d->inside && len == 0) && tar_write_entry(d->writer, &e, err) < 0)
                return -1;
        if (value == 'y' && write_whiteout(d, d->path, len, ".wh..opq", &st, err) < 0)
                return -1;
        level = COR_GROW(d->levels, d->n_levels);
        level->path_len = len;
        return read_names(d->dir, &level->names, err);
}

static int visit(struct diff *d, const char *base, struct cor_err *err)
{
        size_t len = d->levels[d->n_levels - 1].path_len;
        auto_fd fd = -1;
        struct stat st;
        int n;

        if (layer_is_fuse_mark(base) && is_fuse_opaque(d)) /* said already */
                return 0;
        if (cor_starts_with(base, WHITEOUT_PREFIX))
                return cor_fail(err, COR_INVALID, "%s: a name that begins with .wh. cannot be in a layer", base);
        n = snprintf(d->path + len, sizeof d->path - len, "%s%s", len ? "/" : "", base);
        if (n < 0 || (size_t)n >= sizeof d->path - len - 1)
                return cor_fail(err, COR_INVALID, "its path is longer than %zu bytes", sizeof d->path - 2);
        fd = openat(d->dir, base, O_PATH | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0 || fstat(fd, &st) < 0)
                return cor_fail_errno(err, "open it");
        if (layer_is_whiteout(&st))
                return write_whiteout(d, d->path, len, base, &st, err);
        if (S_ISSOCK(st.st_mode)) /* an archive has no such thing; it means nothing without its process */
                return 0;
        if (!S_ISDIR(st.st_mode))
                return write_other(d, fd, base, &st, err);
        return open_path(d, d->path, err) < 0 ? -1 : enter_dir(d, err);
}

static int walk(struct diff *d, struct cor_err *err)
{
        while (d->n_levels > 0) {
                struct level *level = &d->levels[d->n_levels - 1];
                size_t depth = d->n_levels;

                if (level->next == level->names.n_items) {
                        cor_strv_done(&level->names);
                        d->n_levels--;
                        if (d->n_levels == 0)
                                return 0;
                        d->path[d->levels[d->n_levels - 1].path_len] = '\0';
                        if (open_path(d, d->path, err) < 0)
                                return -1;
                        continue;
                }
                if (visit(d, level->names.items[level->next++], err) < 0)
                        return -1;
                if (d->n_levels == depth)
                        d->path[d->levels[depth - 1].path_len] = '\0';
        }
        return 0;
}

static int write_tree(struct diff *d, struct cor_err *err)
{
        char shown[SHOWN_BYTES];

        d->dir = -1;
        d->buf = cor_alloc(READ_BYTES);
        if (open_path(d, "", err) < 0 || enter_dir(d, err) < 0 || walk(d, err) < 0) {
                layer_quiet(err);
                return cor_wrap(err, "%s", layer_shown(d->path[0] ? d->path : "/", shown, sizeof shown));
        }
        return tar_write_end(d->writer, err);
}

int layer_diff(int dirfd, const char *overlay_prefix, struct tar_writer *writer, struct cor_err *err)
{
        COR_CLEANUP(diff_done) struct diff d = { .root = dirfd, .dir = -1, .prefix = overlay_prefix, .writer = writer };

        return write_tree(&d, err);
}

int layer_diff_inside(int dirfd, const char *overlay_prefix, struct tar_writer *writer, struct cor_err *err)
{
        COR_CLEANUP(diff_done) struct diff d = { .root = dirfd, .dir = -1, .prefix = overlay_prefix, .writer = writer };

        d.inside = true;
        return write_tree(&d, err);
}

/* The layers below, as the image shows them: the uppermost that has a name holds, unless something on the way hides it.
 */
#include "image/layer_internal.h"

#include "base/alloc.h"
#include "base/fd.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define COPY_BYTES (256U << 10)

void layer_view_done(struct layer_view *v)
{
        for (size_t i = 0; i < v->n; i++)
                cor_fd_close(&v->items[i].fd);
        free(v->items);
        *v = (struct layer_view){ 0 };
}

/* Keep directory @fd of @layer as the next one of the view; false: what lies below it is hidden. */
static bool keep(const struct apply *a, struct layer_view *v, int fd, int layer)
{
        v->items[v->n++] = (struct layer_dir){ .fd = fd, .layer = layer };
        return !layer_is_opaque(a, fd);
}

int layer_view_descend(const struct apply *a, struct layer_view *v, const char *name, struct cor_err *err)
{
        size_t n = v->n;
        bool shows = true;
        int r = 0;

        v->n = 0;
        for (size_t i = 0; i < n; i++) {
                int layer = v->items[i].layer, fd = -1;

                if (shows)
                        fd = openat(v->items[i].fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
                if (shows && fd < 0 && errno != ENOENT) {
                        shows = false; /* a file, a link or a whiteout */
                        if (errno != ENOTDIR && errno != ELOOP)
                                r = cor_fail_errno(err, "open %s of a layer", name);
                }
                cor_fd_close(&v->items[i].fd);
                if (fd >= 0)
                        shows = keep(a, v, fd, layer);
        }
        return r;
}

int layer_view_open(const struct apply *a, const char *path, struct layer_view *ret, struct cor_err *err)
{
        const struct layer_apply_options *o = a->options;
        auto_str copy = cor_strdup(path);
        char *cursor = copy, *name;
        bool shows = true;

        layer_view_done(ret);
        ret->items = cor_alloc((o->n_lower + 1) * sizeof *ret->items);
        for (size_t i = 0; i <= o->n_lower && shows; i++) {
                int fd = openat(i == 0 ? a->root : o->lower[i - 1], ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

                if (fd < 0)
                        return cor_fail_errno(err, "open a layer");
                shows = keep(a, ret, fd, (int)i - 1);
        }
        while ((name = cor_split_next(&cursor, '/')))
                if (name[0] != '\0' && layer_view_descend(a, ret, name, err) < 0)
                        return -1;
        return 0;
}

const struct layer_dir *layer_view_find(const struct layer_view *v, const char *name, struct stat *ret_st)
{
        for (size_t i = 0; i < v->n; i++)
                if (v->items[i].layer >= 0 && fstatat(v->items[i].fd, name, ret_st, AT_SYMLINK_NOFOLLOW) == 0)
                        return layer_is_whiteout(ret_st) ? NULL : &v->items[i];
        return NULL;
}

/* ----------------------------------------------------------------------------------------------------------- copies */

static int copy_piece(int from, int to, off_t at, off_t end, void *buf)
{
        while (at < end) {
                size_t want = (size_t)(end - at < COPY_BYTES ? end - at : COPY_BYTES);
                ssize_t got = pread(from, buf, want, at), put = 0;

                if (got <= 0)
                        return got < 0 ? -1 : 0;
                while (put < got) {
                        ssize_t n = pwrite(to, (char *)buf + put, (size_t)(got - put), at + put);

                        if (n < 0)
                                return -1;
                        put += n;
                }
                at += got;
        }
        return 0;
}

/* With its holes. */
static int copy_data(int from, int to, off_t size, struct cor_err *err)
{
        auto_free void *buf = cor_alloc(COPY_BYTES);
        off_t at = 0;

        if (ftruncate(to, size) < 0)
                return cor_fail_errno(err, "set the size");
        while (at < size) {
                off_t data = lseek(from, at, SEEK_DATA), hole;

                if (data < 0 && errno == ENXIO)
                        return 0;
                hole = data < 0 ? -1 : lseek(from, data, SEEK_HOLE);
                if (hole < 0) { /* a file system that does not know */
                        data = at;
                        hole = size;
                }
                if (copy_piece(from, to, data, hole, buf) < 0)
                        return cor_fail_errno(err, "copy");
                at = hole;
        }
        return 0;
}

static int copy_file(struct apply *a, int lower, const char *base, const struct stat *st, int dir, struct cor_err *err)
{
        struct tar_entry e = { .type = TAR_FILE, .mode = st->st_mode & 07777, .uid = st->st_uid, .gid = st->st_gid };
        auto_fd from = openat(lower, base, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
        auto_fd to = -1;

        if (from < 0)
                return cor_fail_errno(err, "open %s of a lower layer", base);
        to = openat(dir, base, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (to < 0)
                return cor_fail_errno(err, "make %s", base);
        if (copy_data(from, to, st->st_size, err) < 0 || layer_attr_fd(a, to, &e, true, err) < 0 ||
            layer_xattrs_copy(a, from, to, err) < 0)
                return -1;
        if (futimens(to, (struct timespec[]){ st->st_atim, st->st_mtim }) < 0)
                return cor_fail_errno(err, "set the times of %s", base);
        a->applied->bytes += st->st_size;
        return 0;
}

static int copy_other(struct apply *a, int lower, const char *base, const struct stat *st, int dir, struct cor_err *err)
{
        auto_fd from = openat(lower, base, O_PATH | O_NOFOLLOW | O_CLOEXEC);
        auto_fd to = -1;
        char target[PATH_MAX];
        ssize_t n;

        if (from < 0)
                return cor_fail_errno(err, "open %s of a lower layer", base);
        if (S_ISLNK(st->st_mode)) {
                n = readlinkat(from, "", target, sizeof target - 1);
                if (n < 0)
                        return cor_fail_errno(err, "read the link %s", base);
                target[n] = '\0';
                if (symlinkat(target, dir, base) < 0)
                        return cor_fail_errno(err, "make link %s", base);
        } else if (mknodat(dir, base, st->st_mode, st->st_rdev) < 0) {
                return cor_fail_errno(err, "make %s", base);
        }
        to = openat(dir, base, O_PATH | O_NOFOLLOW | O_CLOEXEC);
        if (to < 0 || fchownat(to, "", st->st_uid, st->st_gid, AT_EMPTY_PATH) < 0)
                return cor_fail_errno(err, "set the owner of %s", base);
        if (!S_ISLNK(st->st_mode) && fchmodat(dir, base, st->st_mode & 07777, 0) < 0)
                return cor_fail_errno(err, "set the mode of %s", base);
        if (layer_xattrs_copy(a, from, to, err) < 0)
                return -1;
        if (utimensat(dir, base, (struct timespec[]){ st->st_atim, st->st_mtim }, AT_SYMLINK_NOFOLLOW) < 0)
                return cor_fail_errno(err, "set the times of %s", base);
        return 0;
}

int layer_copy_up(struct apply *a, int lower, const char *base, const struct stat *st, int dir, struct cor_err *err)
{
        if (S_ISDIR(st->st_mode))
                return cor_fail(err, COR_INVALID, "it is a directory");
        return S_ISREG(st->st_mode) ? copy_file(a, lower, base, st, dir, err)
                                    : copy_other(a, lower, base, st, dir, err);
}

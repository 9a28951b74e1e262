/* The layers below, as the image shows them: the uppermost that has a name holds, unless something on the way hides it.
 */
#include "image/layer_internal.h"

#include "base/alloc.h"
#include "base/fd.h"
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define COPY_BYTES (256U << 10)

static bool opaque_at(const struct apply *a, int layer, const char *path)
{
        auto_fd fd = cor_own_open(layer, path[0] ? path : ".", O_RDONLY | O_DIRECTORY, 0, NULL);

        return fd >= 0 && layer_is_opaque(a, fd);
}

static int stat_in(int layer, const char *path, struct stat *ret)
{
        auto_fd fd = cor_own_open(layer, path, O_PATH | O_NOFOLLOW, 0, NULL);

        return fd < 0 ? -1 : fstat(fd, ret);
}

/* How many of the first @n layers can still show something beneath directory @path, which layer @from has. */
static size_t visible_below(const struct apply *a, const char *path, size_t from, size_t n)
{
        struct stat st;

        for (size_t i = from; i < n; i++) {
                int layer = a->options->lower[i];

                if (i > from && stat_in(layer, path, &st) < 0)
                        continue;
                if (i > from && !S_ISDIR(st.st_mode))
                        return i;
                if (opaque_at(a, layer, path))
                        return i + 1;
        }
        return n;
}

int layer_lower_find(const struct apply *a, const char *path, struct stat *ret_st)
{
        size_t n = a->options->n_lower, end = 0;
        char part[PATH_MAX];

        for (;;) {
                size_t i = 0;

                end += strcspn(path + end, "/");
                memcpy(part, path, end);
                part[end] = '\0';
                while (i < n && stat_in(a->options->lower[i], part, ret_st) < 0)
                        i++;
                if (i == n || layer_is_whiteout(ret_st))
                        return -1;
                if (path[end] == '\0')
                        return (int)i;
                if (!S_ISDIR(ret_st->st_mode))
                        return -1;
                n = visible_below(a, part, i, n);
                end++;
        }
}

bool layer_is_hidden(const struct apply *a, const char *path)
{
        char part[PATH_MAX];
        size_t end = 0;

        while (path[end] != '\0') {
                end += strcspn(path + end, "/");
                memcpy(part, path, end);
                part[end] = '\0';
                if (opaque_at(a, a->root, part))
                        return true;
                end += path[end] == '/';
        }
        return opaque_at(a, a->root, "");
}

/* --------------------------------------------------------------------------------------------------------- copies */

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

static int copy_file(struct apply *a, int layer, const char *path, const struct stat *st, int dir, const char *base,
                     struct cor_err *err)
{
        struct tar_entry e = { .type = TAR_FILE, .mode = st->st_mode & 07777, .uid = st->st_uid, .gid = st->st_gid };
        auto_fd from = cor_own_open(layer, path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW, 0, err);
        auto_fd to = -1;

        if (from < 0)
                return -1;
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

static int copy_other(struct apply *a, int layer, const char *path, const struct stat *st, int dir, const char *base,
                      struct cor_err *err)
{
        auto_fd from = cor_own_open(layer, path, O_PATH | O_NOFOLLOW, 0, err);
        auto_fd to = -1;
        char target[PATH_MAX];
        ssize_t n;

        if (from < 0)
                return -1;
        if (S_ISLNK(st->st_mode)) {
                n = readlinkat(from, "", target, sizeof target - 1);
                if (n < 0)
                        return cor_fail_errno(err, "read the link %s", path);
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

int layer_copy_up(struct apply *a, int index, const char *path, int dir, const char *base, struct cor_err *err)
{
        int layer = a->options->lower[index];
        struct stat st;

        if (stat_in(layer, path, &st) < 0)
                return cor_fail_errno(err, "look at %s of a lower layer", path);
        if (S_ISDIR(st.st_mode))
                return cor_fail(err, COR_INVALID, "a hard link to the directory %s", path);
        return S_ISREG(st.st_mode) ? copy_file(a, layer, path, &st, dir, base, err)
                                   : copy_other(a, layer, path, &st, dir, base, err);
}

/*
 * Unpacking: one entry after the other into the layer's folder. Runs in coracle-transfer, confined (image/confine.h);
 * the folder is nobody else's while this goes on. Sets the process's umask to 0 and leaves it so: files are made with
 * their mode at once, which saves a call for each.
 *
 * What is in the way of an entry came from the same archive: a whiteout, or something given before. It goes, and the
 * new one takes its place. Where a directory takes the place of anything else it is opaque, since that had hidden what
 * the layers below have there.
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
#include <unistd.h>

enum { DONE = 0, LEANS = 1 };

#define SHOWN_BYTES   256
#define UNCOUNT_DEPTH 200

void layer_leans(struct apply *a, const struct tar_entry *e)
{
        const char *what =
                e->type == TAR_HARDLINK ? "may link to a file of a lower layer" : "has no directory of its own";
        char shown[SHOWN_BYTES / 2];

        if (!a->applied->needs_lower)
                snprintf(a->applied->why, sizeof a->applied->why, "%s %s", layer_shown(e->name, shown, sizeof shown),
                         what);
        a->applied->needs_lower = true;
}

/* ----------------------------------------------------------------------------------------------- what is in the way */

static void close_dir(DIR **dir)
{
        if (*dir)
                closedir(*dir);
}

/* Files in a tree that goes no longer count. Deeper than anything of this world, they do all the same. */
static void uncount_tree(struct apply *a, int parent, const char *name, unsigned depth)
{
        COR_CLEANUP(close_dir) DIR *dir = NULL;
        struct dirent *entry;
        int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

        if (fd >= 0 && !(dir = fdopendir(fd)))
                close(fd);
        while (dir && (entry = readdir(dir))) {
                struct stat st;

                if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
                    fstatat(fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                        continue;
                if (S_ISREG(st.st_mode) && st.st_nlink == 1)
                        a->applied->bytes -= st.st_size;
                if (S_ISDIR(st.st_mode) && depth < UNCOUNT_DEPTH)
                        uncount_tree(a, fd, entry->d_name, depth + 1);
        }
}

static int clear_way(struct apply *a, struct place **place, const struct layer_path *path, const struct tar_entry *e,
                     struct cor_err *err)
{
        struct stat st;

        if (fstatat((*place)->fd, path->base, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return cor_fail_errno(err, "look at what is there");
        if (!S_ISDIR(st.st_mode)) {
                if (S_ISREG(st.st_mode) && st.st_nlink == 1)
                        a->applied->bytes -= st.st_size;
                return unlinkat((*place)->fd, path->base, 0) < 0 ? cor_fail_errno(err, "remove the entry before") : 0;
        }
        uncount_tree(a, (*place)->fd, path->base, 0);
        if (cor_own_remove_tree((*place)->fd, path->base, err) < 0)
                return -1;
        if (layer_places_leave(a, err) < 0) /* one of them may have been in there */
                return -1;
        return layer_place(a, path->text, path->parent_len, e, place, err) == 0
                       ? 0
                       : cor_fail(err, COR_INVALID, "its directory is gone");
}

/* -------------------------------------------------------------------------------------------------------- each kind */

static int write_at(int fd, const void *bytes, size_t n, int64_t at, bool sparse, struct cor_err *err)
{
        for (size_t done = 0; done < n;) {
                ssize_t put = sparse ? pwrite(fd, (const char *)bytes + done, n - done, at + (int64_t)done)
                                     : write(fd, (const char *)bytes + done, n - done);

                if (put < 0 && errno != EINTR)
                        return cor_fail_errno(err, "write");
                done += put > 0 ? (size_t)put : 0;
        }
        return 0;
}

static int write_content(struct apply *a, int fd, const struct tar_entry *e, struct cor_err *err)
{
        const void *bytes;
        int64_t at;
        size_t n;
        int more;

        while ((more = tar_data(a->reader, &at, &bytes, &n, err)) > 0)
                if (write_at(fd, bytes, n, at, e->sparse, err) < 0)
                        return -1;
        if (more < 0)
                return -1;
        if (e->sparse && ftruncate(fd, e->size) < 0)
                return cor_fail_errno(err, "set its size");
        a->applied->bytes += e->size;
        return 0;
}

static int apply_file(struct apply *a, struct place *place, const struct layer_path *path, const struct tar_entry *e,
                      struct cor_err *err)
{
        int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
        auto_fd fd = openat(place->fd, path->base, flags, (mode_t)e->mode & 0777);

        if (fd < 0 && errno == EEXIST) {
                if (clear_way(a, &place, path, e, err) < 0)
                        return -1;
                fd = openat(place->fd, path->base, flags, (mode_t)e->mode & 0777);
        }
        if (fd < 0)
                return cor_fail_errno(err, "make the file");
        if (write_content(a, fd, e, err) < 0)
                return -1;
        return layer_attr_fd(a, fd, e, place->inherits, err);
}

/* A directory that is there keeps what is in it, and gets the attributes of its last entry. */
static int apply_dir_again(struct apply *a, int dir, const struct tar_entry *e, struct cor_err *err)
{
        if (layer_places_leave(a, err) < 0 || layer_xattrs_strip(dir, false, err) < 0)
                return -1;
        return layer_attr_fd(a, dir, e, true, err);
}

static int apply_root(struct apply *a, const struct tar_entry *e, struct cor_err *err)
{
        if (e->type != TAR_DIR)
                return cor_fail(err, COR_INVALID, "the root can only be a directory");
        return apply_dir_again(a, a->root, e, err);
}

/* The whole of a new directory's attributes but the usual few. */
static int dress_dir(struct apply *a, struct place *place, const struct layer_path *path, const struct tar_entry *e,
                     bool opaque, struct cor_err *err)
{
        auto_fd dir = -1;

        if (!opaque && !place->inherits && e->n_xattrs == 0)
                return layer_attr_at(a, place, path->base, e, err);
        dir = openat(place->fd, path->base, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (dir < 0)
                return cor_fail_errno(err, "open the directory");
        if (opaque && layer_set_opaque(a, dir, err) < 0)
                return -1;
        return layer_attr_fd(a, dir, e, true, err);
}

static int apply_dir(struct apply *a, struct place *place, const struct layer_path *path, const struct tar_entry *e,
                     struct cor_err *err)
{
        mode_t mode = (mode_t)e->mode & 01777;
        auto_fd there = -1;

        if (mkdirat(place->fd, path->base, mode) == 0)
                return dress_dir(a, place, path, e, false, err);
        if (errno != EEXIST)
                return cor_fail_errno(err, "make the directory");
        there = openat(place->fd, path->base, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (there >= 0)
                return apply_dir_again(a, there, e, err);
        if (errno != ENOTDIR && errno != ELOOP)
                return cor_fail_errno(err, "open the directory");
        if (clear_way(a, &place, path, e, err) < 0)
                return -1;
        if (mkdirat(place->fd, path->base, mode) < 0)
                return cor_fail_errno(err, "make the directory");
        return dress_dir(a, place, path, e, true, err);
}

static int make_node(const struct place *place, const char *base, const struct tar_entry *e)
{
        mode_t mode = (mode_t)e->mode & 0777;

        switch (e->type) {
        case TAR_SYMLINK:
                return symlinkat(e->link, place->fd, base);
        case TAR_FIFO:
                return mknodat(place->fd, base, mode | S_IFIFO, 0);
        default:
                return mknodat(place->fd, base, mode | (e->type == TAR_CHAR ? S_IFCHR : S_IFBLK),
                               makedev(e->dev_major, e->dev_minor));
        }
}

static int apply_node(struct apply *a, struct place *place, const struct layer_path *path, const struct tar_entry *e,
                      struct cor_err *err)
{
        if (e->type == TAR_SYMLINK && e->link[0] == '\0')
                return cor_fail(err, COR_INVALID, "a symbolic link that leads nowhere");
        if (a->options->rootless && (e->type == TAR_BLOCK || (e->type == TAR_CHAR && (e->dev_major || e->dev_minor))))
                return cor_fail(err, COR_INVALID, "only root can make the device %u:%u", e->dev_major, e->dev_minor);
        if (make_node(place, path->base, e) < 0) {
                if (errno != EEXIST)
                        return cor_fail_errno(err, "make it");
                if (clear_way(a, &place, path, e, err) < 0)
                        return -1;
                if (make_node(place, path->base, e) < 0)
                        return cor_fail_errno(err, "make it");
        }
        return layer_attr_at(a, place, path->base, e, err);
}

/* ------------------------------------------------------------------------------------------------------- hard links */

/* The target in a lower layer: copied up to its own place, so that both names lead to one file, as below. */
static int link_from_below(struct apply *a, const struct layer_path *target, const struct tar_entry *e, int *ret_fd,
                           struct cor_err *err)
{
        auto_str parent = cor_strndup(target->text, target->parent_len);
        auto_layer_view view = { 0 };
        const struct layer_dir *lower;
        char real[PATH_MAX];
        struct stat st, was;
        auto_fd dir = -1;

        if (a->options->n_lower == 0)
                return cor_fail(err, COR_NOT_FOUND, "there is no such file");
        layer_leans(a, e);
        dir = layer_walk(a, parent, e, real, err);
        if (dir < 0 || layer_view_open(a, real, &view, err) < 0)
                return -1;
        lower = layer_view_find(&view, target->base, &st);
        if (!lower)
                return cor_fail(err, COR_NOT_FOUND, "there is no such file, here or in the layers below");
        if (fstat(dir, &was) < 0)
                return cor_fail_errno(err, "look at the directory");
        if (layer_copy_up(a, lower->fd, target->base, &st, dir, err) < 0)
                return -1;
        if (futimens(dir, (struct timespec[]){ was.st_atim, was.st_mtim }) < 0)
                return cor_fail_errno(err, "set the times of %s", real);
        *ret_fd = openat(dir, target->base, O_PATH | O_NOFOLLOW | O_CLOEXEC);
        return *ret_fd < 0 ? cor_fail_errno(err, "open the copy") : DONE;
}

/* The target, opened so that it stays the same whatever is removed for the new name. */
static int open_target(struct apply *a, const struct layer_path *target, const struct tar_entry *e, int *ret_fd,
                       struct cor_err *err)
{
        struct place *place;
        struct stat st;
        int r = layer_place(a, target->text, target->parent_len, e, &place, err);

        if (r != 0)
                return r;
        *ret_fd = openat(place->fd, target->base, O_PATH | O_NOFOLLOW | O_CLOEXEC);
        if (*ret_fd < 0 && errno == ENOENT)
                return a->options->probe && a->options->n_lower == 0 ? LEANS
                                                                     : link_from_below(a, target, e, ret_fd, err);
        if (*ret_fd < 0 || fstat(*ret_fd, &st) < 0)
                return cor_fail_errno(err, "open it");
        if (S_ISDIR(st.st_mode) || layer_is_whiteout(&st))
                return cor_fail(err, COR_INVALID, S_ISDIR(st.st_mode) ? "it is a directory" : "it has been deleted");
        return DONE;
}

static int link_fd(int fd, int dir, const char *base)
{
        char path[32];

        if (linkat(fd, "", dir, base, AT_EMPTY_PATH) == 0)
                return 0;
        if (errno != ENOENT) /* without CAP_DAC_READ_SEARCH */
                return -1;
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        return linkat(AT_FDCWD, path, dir, base, AT_SYMLINK_FOLLOW);
}

static bool is_same(int fd, int dir, const char *base)
{
        struct stat a, b;

        return fstat(fd, &a) == 0 && fstatat(dir, base, &b, AT_SYMLINK_NOFOLLOW) == 0 && a.st_dev == b.st_dev &&
               a.st_ino == b.st_ino;
}

static int apply_hardlink(struct apply *a, const struct layer_path *path, const struct tar_entry *e,
                          struct cor_err *err)
{
        char shown[SHOWN_BYTES];
        struct layer_path target;
        struct place *place;
        auto_fd fd = -1;
        bool meta;
        int r = layer_path_parse(e->link, &target, &meta, err);

        if (r == 0 && target.text[0] == '\0')
                r = cor_fail(err, COR_INVALID, "it is a directory");
        if (r == 0)
                r = open_target(a, &target, e, &fd, err);
        if (r < 0)
                return cor_wrap(err, "hard link to %s", layer_shown(e->link, shown, sizeof shown));
        if (r == 0)
                r = layer_place(a, path->text, path->parent_len, e, &place, err);
        if (r != 0)
                return r;
        if (link_fd(fd, place->fd, path->base) == 0)
                return 0;
        if (errno == EEXIST) {
                if (is_same(fd, place->fd, path->base))
                        return 0;
                if (clear_way(a, &place, path, e, err) < 0)
                        return -1;
                if (link_fd(fd, place->fd, path->base) == 0)
                        return 0;
        }
        return cor_fail_errno(err, "hard link to %s", layer_shown(e->link, shown, sizeof shown));
}

/* -------------------------------------------------------------------------------------------------------- whiteouts */

/*
 * In an opaque directory, and beneath it, whiteouts hide nothing. They must not be there, since overlayfs shows them as
 * broken entries where it has nothing to merge.
 */
static int remove_whiteouts(int parent, struct cor_err *err)
{
        COR_CLEANUP(close_dir) DIR *dir = NULL;
        int fd = openat(parent, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        struct dirent *entry;
        struct stat st;

        if (fd >= 0 && !(dir = fdopendir(fd)))
                close(fd);
        if (!dir)
                return cor_fail_errno(err, "open the directory");
        while (errno = 0, (entry = readdir(dir)))
                if (entry->d_type == DT_CHR && fstatat(fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
                    layer_is_whiteout(&st) && unlinkat(fd, entry->d_name, 0) < 0)
                        return cor_fail_errno(err, "remove the whiteout of %s", entry->d_name);
        return errno ? cor_fail_errno(err, "read the directory") : 0;
}

static int apply_opaque(struct apply *a, const struct place *place, struct cor_err *err)
{
        for (size_t i = 0; i < PLACES; i++)
                a->places[i].hides = HIDES_UNKNOWN;
        return remove_whiteouts(place->fd, err) < 0 ? -1 : layer_set_opaque(a, place->fd, err);
}

/* Is directory @path, or one that it is in, opaque? (By a link on the way: not known, and a whiteout does no harm.) */
static bool is_hidden(const struct apply *a, const char *path)
{
        auto_str copy = cor_strdup(path);
        char *cursor = copy, *name;
        auto_fd dir = openat(a->root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        while (dir >= 0 && !layer_is_opaque(a, dir)) {
                int next;

                name = cor_split_next(&cursor, '/');
                if (!name || name[0] == '\0')
                        return false;
                next = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
                cor_fd_close(&dir);
                dir = next;
        }
        return dir >= 0;
}

static int apply_whiteout(struct apply *a, struct place *place, const char *name, const struct tar_entry *e,
                          struct cor_err *err)
{
        const struct tar_entry plain = { .type = TAR_CHAR, .uid = a->uid, .gid = a->gid, .mtime = e->mtime };
        struct stat st;
        auto_fd dir = -1;

        if (name[0] == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
                return cor_fail(err, COR_INVALID, "a whiteout of nothing");
        if (place->hides == HIDES_UNKNOWN)
                place->hides = is_hidden(a, place->path) ? HIDES : SHOWS;
        if (place->hides == HIDES)
                return 0;
        if (mknodat(place->fd, name, S_IFCHR, 0) == 0)
                return layer_attr_at(a, place, name, &plain, err);
        if (errno != EEXIST)
                return cor_fail_errno(err, "make the whiteout");
        if (fstatat(place->fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return cor_fail_errno(err, "look at %s", name);
        if (!S_ISDIR(st.st_mode)) /* it hides what is below as it is */
                return 0;
        dir = openat(place->fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (dir < 0)
                return cor_fail_errno(err, "open the directory %s", name);
        return layer_set_opaque(a, dir, err);
}

/* -------------------------------------------------------------------------------------------------------- the whole */

static int apply_known(struct apply *a, struct place *place, const struct layer_path *path, const struct tar_entry *e,
                       struct cor_err *err)
{
        switch (e->type) {
        case TAR_FILE:
                return apply_file(a, place, path, e, err);
        case TAR_DIR:
                return apply_dir(a, place, path, e, err);
        default:
                return apply_node(a, place, path, e, err);
        }
}

static int apply_entry(struct apply *a, const struct tar_entry *e, struct cor_err *err)
{
        struct layer_path path;
        struct place *place;
        bool meta;
        int r = layer_path_parse(e->name, &path, &meta, err);

        if (r < 0 || meta)
                return r;
        if (path.text[0] == '\0')
                return apply_root(a, e, err);
        if (strncmp(path.base, WHITEOUT_META, sizeof WHITEOUT_META - 1) == 0 && strcmp(path.base, WHITEOUT_OPAQUE) != 0)
                return 0;
        if (e->type == TAR_HARDLINK && strncmp(path.base, WHITEOUT_PREFIX, sizeof WHITEOUT_PREFIX - 1) != 0)
                return apply_hardlink(a, &path, e, err);
        r = layer_place(a, path.text, path.parent_len, e, &place, err);
        if (r != 0)
                return r;
        if (strcmp(path.base, WHITEOUT_OPAQUE) == 0)
                return apply_opaque(a, place, err);
        if (strncmp(path.base, WHITEOUT_PREFIX, sizeof WHITEOUT_PREFIX - 1) == 0)
                return apply_whiteout(a, place, path.base + sizeof WHITEOUT_PREFIX - 1, e, err);
        return apply_known(a, place, &path, e, err);
}

static int apply_all(struct apply *a, struct cor_err *err)
{
        const struct tar_entry *e;
        char shown[SHOWN_BYTES];
        int more;

        while ((more = tar_next(a->reader, &e, err)) > 0) {
                int r;

                a->applied->entries++;
                r = apply_entry(a, e, err);
                if (r < 0) {
                        layer_quiet(err);
                        return cor_wrap(err, "%s", layer_shown(e->name, shown, sizeof shown));
                }
                if (r == LEANS) {
                        layer_leans(a, e);
                        return 0;
                }
        }
        return more;
}

int layer_apply(int dirfd, struct tar_reader *reader, const struct layer_apply_options *options,
                struct layer_applied *ret, struct cor_err *err)
{
        struct layer_applied applied = { 0 };
        struct apply a = { .root = dirfd,
                           .options = options,
                           .reader = reader,
                           .applied = &applied,
                           .uid = geteuid(),
                           .gid = getegid() };
        int r;

        for (size_t i = 0; i < PLACES; i++)
                a.places[i].fd = -1;
        snprintf(a.opaque, sizeof a.opaque, "%sopaque", options->overlay_prefix);
        umask(0);
        r = layer_xattrs_strip(dirfd, true, err); /* an ACL of the folder around is not the image's */
        if (r == 0)
                r = apply_all(&a, err);
        if (layer_places_leave(&a, r == 0 ? err : NULL) < 0)
                r = -1;
        if (r == 0)
                *ret = applied;
        return r;
}

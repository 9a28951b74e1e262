#include "engine/copy_tree.h"
#include "base/alloc.h"
#include "base/fd.h"
#include "base/file.h"
#include "linux/idmap.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { COPY_DEPTH_MAX = 512, NOBODY = 65534 }; /* each level costs two descriptors */

static int copy_one(struct copy_tree *c, int from, const char *name, int to, const char *to_name, unsigned depth,
                    struct cor_err *err);

/* What is there already goes, unless it is a directory. */
static int make_way(int to, const char *name, struct cor_err *err)
{
        struct stat st;

        if (fstatat(to, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return errno == ENOENT ? 0 : cor_fail_errno(err, "look at %s", name);
        if (S_ISDIR(st.st_mode))
                return cor_fail(err, COR_INVALID, "cannot overwrite directory %s with a file", name);
        return unlinkat(to, name, 0) < 0 && errno != ENOENT ? cor_fail_errno(err, "remove %s", name) : 0;
}

static int copy_bytes(struct copy_tree *c, int from, int to, const char *name, struct cor_err *err)
{
        int64_t n = cor_copy_content(from, to, err);

        if (n < 0)
                return cor_wrap(err, "%s", name);
        c->bytes += n;
        return 0;
}

/* Whom the map does not know becomes nobody; in a user namespace without a nobody, its root. */
static uint32_t translate(const struct oci_id_map *map, size_t n, uint32_t id, bool into)
{
        if (!into)
                return idmap_to_container(map, n, id, &id) ? id : NOBODY;
        if (idmap_to_host(map, n, id, &id) || idmap_to_host(map, n, NOBODY, &id) || idmap_to_host(map, n, 0, &id))
                return id;
        return NOBODY;
}

static void find_owner(const struct copy_tree *c, const struct stat *st, uid_t *ret_uid, gid_t *ret_gid)
{
        *ret_uid = c->map ? translate(c->map->uids, c->map->n_uids, st->st_uid, c->into) : st->st_uid;
        *ret_gid = c->map ? translate(c->map->gids, c->map->n_gids, st->st_gid, c->into) : st->st_gid;
}

static int set_owner(const struct copy_tree *c, int dir, const char *name, const struct stat *st, struct cor_err *err)
{
        uid_t uid;
        gid_t gid;

        find_owner(c, st, &uid, &gid);
        if (fchownat(dir, name, uid, gid, AT_SYMLINK_NOFOLLOW | (*name ? 0 : AT_EMPTY_PATH)) == 0)
                return 0;
        return cor_fail_errno(err, "change the owner%s%s", *name ? " of " : "", name);
}

/* Owner first: a change of it takes set-id bits away. */
static int dress(const struct copy_tree *c, int fd, const struct stat *st, const char *name, struct cor_err *err)
{
        const struct timespec times[2] = { st->st_atim, st->st_mtim };

        if (c->keep_owner && set_owner(c, fd, "", st, err) < 0)
                return cor_wrap(err, "%s", name);
        if (fchmod(fd, st->st_mode & (c->drop_setid ? 01777 : 07777)) < 0 || futimens(fd, times) < 0)
                return cor_fail_errno(err, "change the attributes of %s", name);
        return 0;
}

static int copy_file(struct copy_tree *c, int from, const char *name, int to, const char *to_name, struct cor_err *err)
{
        auto_fd in = openat(from, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC), out = -1;
        struct stat st;

        if (in < 0 || fstat(in, &st) < 0)
                return cor_fail_errno(err, "open %s", name);
        if (!S_ISREG(st.st_mode))
                return cor_fail(err, COR_BUSY, "%s was replaced while it was copied", name);
        if (make_way(to, to_name, err) < 0)
                return -1;
        out = openat(to, to_name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (out < 0)
                return cor_fail_errno(err, "make %s", to_name);
        return copy_bytes(c, in, out, name, err) < 0 ? -1 : dress(c, out, &st, to_name, err);
}

static int copy_link(const struct copy_tree *c, int from, const char *name, int to, const char *to_name,
                     const struct stat *st, struct cor_err *err)
{
        const struct timespec times[2] = { st->st_atim, st->st_mtim };
        char target[PATH_MAX];
        ssize_t n = readlinkat(from, name, target, sizeof target - 1);

        if (n < 0)
                return cor_fail_errno(err, "read link %s", name);
        target[n] = '\0';
        if (make_way(to, to_name, err) < 0)
                return -1;
        if (symlinkat(target, to, to_name) < 0)
                return cor_fail_errno(err, "make link %s", to_name);
        if (c->keep_owner && set_owner(c, to, to_name, st, err) < 0)
                return -1;
        (void)!utimensat(to, to_name, times, AT_SYMLINK_NOFOLLOW);
        return 0;
}

static int copy_node(const struct copy_tree *c, const char *name, int to, const char *to_name, const struct stat *st,
                     struct cor_err *err)
{
        const struct timespec times[2] = { st->st_atim, st->st_mtim };

        if (S_ISSOCK(st->st_mode)) /* of no use elsewhere: archives leave them out, too */
                return 0;
        if (!S_ISFIFO(st->st_mode) && (!c->all_kinds || st->st_rdev == 0))
                return cor_fail(err, COR_INVALID, "%s is a device, which is not copied", name);
        if (make_way(to, to_name, err) < 0)
                return -1;
        if (mknodat(to, to_name, st->st_mode & (S_IFMT | 07777), st->st_rdev) < 0)
                return cor_fail_errno(err, "make %s", to_name);
        if (c->keep_owner && set_owner(c, to, to_name, st, err) < 0)
                return -1;
        (void)!utimensat(to, to_name, times, AT_SYMLINK_NOFOLLOW);
        return 0;
}

static void close_dir(DIR **dir)
{
        if (*dir)
                closedir(*dir);
}

static int copy_entries(struct copy_tree *c, int from, int to, unsigned depth, struct cor_err *err)
{
        int copy = openat(from, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        COR_CLEANUP(close_dir) DIR *dir = copy < 0 ? NULL : fdopendir(copy);
        struct dirent *entry;

        if (!dir) {
                cor_fail_errno(err, "list a directory");
                cor_fd_close(&copy);
                return -1;
        }
        while (errno = 0, (entry = readdir(dir))) {
                if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
                        continue;
                if (copy_one(c, from, entry->d_name, to, entry->d_name, depth, err) < 0)
                        return -1;
        }
        return errno ? cor_fail_errno(err, "list a directory") : 0;
}

static int copy_dir(struct copy_tree *c, int from, const char *name, int to, const char *to_name, unsigned depth,
                    struct cor_err *err)
{
        auto_fd in = openat(from, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), out = -1;
        struct stat st;

        if (depth >= COPY_DEPTH_MAX)
                return cor_fail(err, COR_INVALID, "%s: nested more than %d deep", name, (int)COPY_DEPTH_MAX);
        if (in < 0 || fstat(in, &st) < 0)
                return cor_fail_errno(err, "open %s", name);
        if (mkdirat(to, to_name, 0700) < 0 && errno != EEXIST)
                return cor_fail_errno(err, "make directory %s", to_name);
        out = openat(to, to_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (out < 0 && (errno == ENOTDIR || errno == ELOOP))
                return cor_fail(err, COR_INVALID, "cannot overwrite %s, which is no directory, with a directory",
                                to_name);
        if (out < 0)
                return cor_fail_errno(err, "open directory %s", to_name);
        return copy_entries(c, in, out, depth + 1, err) < 0 ? -1 : dress(c, out, &st, to_name, err);
}

static int copy_one(struct copy_tree *c, int from, const char *name, int to, const char *to_name, unsigned depth,
                    struct cor_err *err)
{
        struct stat st;

        if (fstatat(from, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return cor_fail_errno(err, "look at %s", name);
        switch (st.st_mode & S_IFMT) {
        case S_IFDIR:
                return copy_dir(c, from, name, to, to_name, depth, err);
        case S_IFREG:
                return copy_file(c, from, name, to, to_name, err);
        case S_IFLNK:
                return copy_link(c, from, name, to, to_name, &st, err);
        default:
                return copy_node(c, name, to, to_name, &st, err);
        }
}

int copy_tree(struct copy_tree *c, int from, const char *name, int to, const char *to_name, struct cor_err *err)
{
        return copy_one(c, from, name, to, to_name, 0, err);
}

int copy_tree_inside(struct copy_tree *c, int from, int to, struct cor_err *err)
{
        return copy_entries(c, from, to, 0, err);
}

/* tmpcopyup: what a new tmpfs covers is copied into it. The source is the image's: no link is ever followed. */
#include "runtime/rootfs.h"

#include "base/fd.h"
#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

enum { COPY_MAX_DEPTH = 64, XATTR_MAX = 65536 };

static int copy_dir(int from, int to, int depth, struct cor_err *err);

static int copy_xattrs(int from, int to, const char *name, struct cor_err *err)
{
        auto_str list = NULL;
        auto_str value = NULL;
        ssize_t n = flistxattr(from, NULL, 0);

        if (n <= 0)
                return 0;
        list = cor_alloc_limited((size_t)n, XATTR_MAX, "extended attributes", err);
        value = cor_alloc(XATTR_MAX);
        if (!list)
                return -1;
        n = flistxattr(from, list, (size_t)n);
        for (char *x = list; n > 0 && x < list + n; x += strlen(x) + 1) {
                ssize_t len = fgetxattr(from, x, value, XATTR_MAX);

                /* a tmpfs takes few of them, which is no reason to fail */
                if (len >= 0 && fsetxattr(to, x, value, (size_t)len, 0) < 0 && errno != EOPNOTSUPP && errno != EPERM)
                        return cor_fail_errno(err, "%s: set %s", name, x);
        }
        return 0;
}

static int copy_meta(int from, int to, const struct stat *st, const char *name, struct cor_err *err)
{
        struct timespec times[2] = { st->st_atim, st->st_mtim };

        if (fchown(to, st->st_uid, st->st_gid) < 0 || fchmod(to, st->st_mode & 07777) < 0)
                return cor_fail_errno(err, "%s", name);
        if (copy_xattrs(from, to, name, err) < 0)
                return -1;
        (void)!futimens(to, times);
        return 0;
}

static int copy_file(int from_dir, int to_dir, const char *name, const struct stat *st, struct cor_err *err)
{
        auto_fd from = openat(from_dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
        auto_fd to = openat(to_dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

        if (from < 0 || to < 0)
                return cor_fail_errno(err, "%s", name);
        if (cor_copy_content(from, to, err) < 0)
                return cor_wrap(err, "%s", name);
        return copy_meta(from, to, st, name, err);
}

static int copy_link(int from_dir, int to_dir, const char *name, const struct stat *st, struct cor_err *err)
{
        char target[4096];
        ssize_t n = readlinkat(from_dir, name, target, sizeof target - 1);

        if (n < 0)
                return cor_fail_errno(err, "%s", name);
        target[n] = '\0';
        if (symlinkat(target, to_dir, name) < 0 ||
            fchownat(to_dir, name, st->st_uid, st->st_gid, AT_SYMLINK_NOFOLLOW) < 0)
                return cor_fail_errno(err, "%s", name);
        return 0;
}

static int copy_subdir(int from_dir, int to_dir, const char *name, const struct stat *st, int depth,
                       struct cor_err *err)
{
        auto_fd from = openat(from_dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), to = -1;

        if (from < 0 || (mkdirat(to_dir, name, 0700) < 0 && errno != EEXIST))
                return cor_fail_errno(err, "%s", name);
        to = openat(to_dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (to < 0)
                return cor_fail_errno(err, "%s", name);
        if (copy_dir(from, to, depth + 1, err) < 0 || copy_meta(from, to, st, name, err) < 0)
                return cor_wrap(err, "%s", name);
        return 0;
}

static int copy_entry(int from, int to, const char *name, int depth, struct cor_err *err)
{
        struct stat st;

        if (fstatat(from, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return cor_fail_errno(err, "%s", name);
        switch (st.st_mode & S_IFMT) {
        case S_IFREG:
                return copy_file(from, to, name, &st, err);
        case S_IFLNK:
                return copy_link(from, to, name, &st, err);
        case S_IFDIR:
                return copy_subdir(from, to, name, &st, depth, err);
        case S_IFSOCK: /* means nothing without its listener */
                return 0;
        default:
                if (mknodat(to, name, st.st_mode, st.st_rdev) < 0 ||
                    fchownat(to, name, st.st_uid, st.st_gid, AT_SYMLINK_NOFOLLOW) < 0)
                        return cor_fail_errno(err, "%s", name);
                return 0;
        }
}

static void close_dir(DIR **d)
{
        if (*d)
                closedir(*d);
}

static int copy_dir(int from, int to, int depth, struct cor_err *err)
{
        auto_fd copy = fcntl(from, F_DUPFD_CLOEXEC, 3);
        COR_CLEANUP(close_dir) DIR *dir = copy < 0 ? NULL : fdopendir(copy);
        struct dirent *e;

        if (!dir)
                return cor_fail_errno(err, "read a directory");
        (void)cor_fd_take(&copy); /* the stream's now */
        if (depth > COPY_MAX_DEPTH)
                return cor_fail(err, COR_INVALID, "directories nested more than %d deep", COPY_MAX_DEPTH);
        while ((e = readdir(dir)) != NULL)
                if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0 &&
                    copy_entry(from, to, e->d_name, depth, err) < 0)
                        return -1;
        return 0;
}

int rootfs_copy_up(int from, int to, struct cor_err *err)
{
        struct stat st;

        if (fstat(from, &st) < 0)
                return cor_fail_errno(err, "look at the directory");
        if (copy_dir(from, to, 0, err) < 0)
                return -1;
        return copy_meta(from, to, &st, ".", err);
}

/* What is on its way in or out: names, locks, and what was left behind. */
#include "base/file.h"
#include "base/log.h"
#include "base/process.h"
#include "base/text.h"
#include "store/store_internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

void store_random_name(const char *prefix, char name[STORE_NAME_MAX])
{
        uint64_t number;

        if (getrandom(&number, sizeof number, 0) != (ssize_t)sizeof number) /* never for so few bytes, once seeded */
                number = (uint64_t)cor_now_ms() << 20 ^ (uint64_t)getpid();
        snprintf(name, STORE_NAME_MAX, "%s%016" PRIx64, prefix, number);
}

bool store_same(int dirfd, const char *name, int fd)
{
        struct stat named, open;

        return fstatat(dirfd, name, &named, AT_SYMLINK_NOFOLLOW) == 0 && fstat(fd, &open) == 0 &&
               named.st_dev == open.st_dev && named.st_ino == open.st_ino;
}

/* Who clears up may come between the making and the lock, and take it for a leftover. */
int store_new_make(int work, struct store_new *ret, struct cor_err *err)
{
        auto_store_new n = { .fd = -1, .parent = work };
        int held = 0;

        do {
                cor_fd_close(&n.fd);
                store_random_name(STORE_NEW, n.name);
                if (mkdirat(work, n.name, 0700) < 0)
                        return cor_fail_errno(err, "make a folder in .work");
                n.fd = openat(work, n.name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
                if (n.fd < 0 && errno == ENOENT)
                        continue;
                if (n.fd < 0)
                        return cor_fail_errno(err, "open a folder in .work");
                held = cor_flock(n.fd, 0, err);
                if (held < 0)
                        return -1;
        } while (held == 0 || !store_same(work, n.name, n.fd));
        *ret = n;
        n.fd = -1;
        return 0;
}

bool store_new_is(const struct store_new *n, int dirfd, const char *name)
{
        return n->fd >= 0 && store_same(dirfd, name, n->fd);
}

void store_new_done(struct store_new *n)
{
        struct cor_err err = { 0 };

        if (store_new_is(n, n->parent, n->name) && cor_own_remove_tree(n->parent, n->name, &err) < 0)
                cor_debug("%s", err.msg); /* it goes when the store is opened next */
        cor_fd_close(&n->fd);
}

int store_byte_locked(int fd, int64_t at, struct cor_err *err)
{
        struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = at, .l_len = 1 };

        if (fcntl(fd, F_OFD_GETLK, &lock) < 0)
                return cor_fail_errno(err, "look at a lock");
        return lock.l_type != F_UNLCK;
}

int store_move_away(int from, const char *name, int to, struct cor_err *err)
{
        char gone[STORE_NAME_MAX];

        store_random_name(STORE_GONE, gone);
        if (renameat(from, name, to, gone) == 0)
                return 1;
        return errno == ENOENT ? 0 : cor_fail_errno(err, "remove %s", name);
}

static void close_dir(DIR **dir)
{
        if (*dir)
                closedir(*dir);
}

static bool is_dots(const char *name)
{
        return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

static int each_entry(int dirfd, const char *what, bool hidden,
                      int (*each)(const char *name, void *context, struct cor_err *err), void *context,
                      struct cor_err *err)
{
        auto_fd fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        COR_CLEANUP(close_dir) DIR *dir = fd < 0 ? NULL : fdopendir(fd);
        struct dirent *entry;
        int r;

        if (!dir)
                return cor_fail_errno(err, "list %s", what);
        fd = -1; /* it is the stream's now */
        while (errno = 0, (entry = readdir(dir))) {
                if (entry->d_name[0] == '.' && (!hidden || is_dots(entry->d_name)))
                        continue;
                r = each(entry->d_name, context, err);
                if (r != 0)
                        return r;
        }
        return errno ? cor_fail_errno(err, "list %s", what) : 0;
}

int store_each_name(int dirfd, const char *what, int (*each)(const char *name, void *context, struct cor_err *err),
                    void *context, struct cor_err *err)
{
        return each_entry(dirfd, what, false, each, context, err);
}

int store_each_entry(int dirfd, const char *what, int (*each)(const char *name, void *context, struct cor_err *err),
                     void *context, struct cor_err *err)
{
        return each_entry(dirfd, what, true, each, context, err);
}

/* Whoever makes a thing holds it locked, and after locking looks whether it still has its name. So whoever gets the
 * lock here may remove it. */
static int clear_one(const char *name, void *context, struct cor_err *err)
{
        int dirfd = *(const int *)context, held;
        auto_fd fd = -1;

        if (cor_starts_with(name, STORE_GONE))
                return cor_own_remove_tree(dirfd, name, err);
        if (!cor_starts_with(name, STORE_NEW))
                return 0;
        fd = openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
        if (fd < 0)
                return errno == ENOENT ? 0 : cor_fail_errno(err, "open %s", name);
        held = cor_flock(fd, 0, err);
        if (held <= 0)
                return held;
        return store_same(dirfd, name, fd) ? cor_own_remove_tree(dirfd, name, err) : 0;
}

int store_clear(int dirfd, struct cor_err *err)
{
        return store_each_name(dirfd, "what was left behind", clear_one, &dirfd, err);
}

int store_sync_folder(int dirfd, const char *what, struct cor_err *err)
{
        auto_fd fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        return fd < 0 || fsync(fd) < 0 ? cor_fail_errno(err, "sync %s", what) : 0;
}

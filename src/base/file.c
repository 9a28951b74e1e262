#include "base/file.h"
#include "base/alloc.h"
#include "base/fd.h"
#include "base/process.h"
#include "base/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef RENAME_NOREPLACE /* musl has neither the call nor its word */
#define RENAME_NOREPLACE (1 << 0)
#endif
#define FIRST_READ        4096 /* when the size is not known before */
#define BESIDE_TRIES      1000 /* names to write to, if killed processes left theirs */
#define REMOVE_DEPTH      64   /* descriptors held while a tree is removed */
#define MOVES_MAX         (1U << 20)
#define STREAM_TIMEOUT_MS 10000 /* until the end of what is not a regular file */
#define REMOVE_ROUNDS     64    /* passes over one directory that others keep filling */

/* A name in a directory and not a way out of it. */
static bool is_plain_name(const char *name)
{
        return *name && !strchr(name, '/') && strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

/* A new file beside @name; its name in *ret_beside. */
static int open_beside(int dirfd, const char *name, mode_t mode, char **ret_beside, struct cor_err *err)
{
        static atomic_uint counter;

        for (int i = 0; i < BESIDE_TRIES; i++) {
                auto_str beside = cor_printf(".%s.%d.%u", name, getpid(), atomic_fetch_add(&counter, 1));
                int fd = openat(dirfd, beside, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);

                if (fd >= 0) {
                        *ret_beside = COR_TAKE(beside);
                        return fd;
                }
                if (errno != EEXIST)
                        break;
        }
        return cor_fail_errno(err, "write %s", name);
}

static int sync_dir(int dirfd, const char *name, struct cor_err *err)
{
        auto_fd dir = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC); /* @dirfd may be O_PATH */

        return dir < 0 || fsync(dir) < 0 ? cor_fail_errno(err, "sync the directory of %s", name) : 0;
}

int cor_own_write(int dirfd, const char *name, const void *data, size_t n, mode_t mode, bool sync, struct cor_err *err)
{
        auto_str beside = NULL;
        auto_fd fd = -1;
        int r;

        if (!is_plain_name(name))
                return cor_fail(err, COR_INVALID, "write \"%s\": not a file name", name);
        fd = open_beside(dirfd, name, mode, &beside, err);
        if (fd < 0)
                return -1;
        r = cor_write_full(fd, data, n, err);
        if (r < 0)
                cor_wrap(err, "write %s", name);
        else if (sync && fsync(fd) < 0)
                r = cor_fail_errno(err, "sync %s", name);
        else if (renameat(dirfd, beside, dirfd, name) < 0)
                r = cor_fail_errno(err, "replace %s", name);
        if (r < 0) {
                unlinkat(dirfd, beside, 0);
                return -1;
        }
        return sync ? sync_dir(dirfd, name, err) : 0;
}

int cor_own_read(int dirfd, const char *name, size_t limit, char **ret, size_t *ret_n, struct cor_err *err)
{
        auto_fd fd = cor_own_open(dirfd, name, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0, err);
        struct stat st;

        if (fd < 0)
                return -1;
        if (fstat(fd, &st) < 0)
                return cor_fail_errno(err, "read %s", name);
        if (!S_ISREG(st.st_mode))
                return cor_fail(err, COR_INVALID, "read %s: not a regular file", name);
        return cor_read_fd(fd, name, limit, ret, ret_n, err);
}

/* Everything in a tree that is to go. What lies too deep is moved up here, so that depth costs no descriptors. */
struct removal {
        int top;
        unsigned n_moved;
        bool moved; /* since the last pass over the top */
};

static int remove_children(struct removal *r, int dir, unsigned depth, struct cor_err *err);

/* Move @name, which lies too deep, up to where the removal began. */
static int move_up(struct removal *r, int dir, const char *name, struct cor_err *err)
{
        char away[32];

        while (r->n_moved < MOVES_MAX) {
                snprintf(away, sizeof away, ".moved.%u", r->n_moved++);
                if (syscall(SYS_renameat2, dir, name, r->top, away, RENAME_NOREPLACE) == 0) {
                        r->moved = true;
                        return 0;
                }
                if (errno != EEXIST)
                        return errno == ENOENT ? 0 : cor_fail_errno(err, "remove %s", name);
        }
        return cor_fail(err, COR_BUSY, "remove %s: the tree keeps growing", name);
}

/* Remove directory @name, which is not empty. A mount point is never seen here: rmdir said EBUSY for it. */
static int remove_filled(struct removal *r, int dir, const char *name, unsigned depth, struct cor_err *err)
{
        auto_fd fd = -1;

        if (depth >= REMOVE_DEPTH)
                return move_up(r, dir, name, err);
        fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0)
                return errno == ENOENT ? 0 : cor_fail_errno(err, "remove %s", name);
        if (depth == 0)
                r->top = fd;
        for (int rounds = 0; rounds < REMOVE_ROUNDS; rounds++) {
                if (remove_children(r, fd, depth + 1, err) < 0)
                        return cor_wrap(err, "%s", name);
                if (unlinkat(dir, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
                        return 0;
                if (errno != ENOTEMPTY && errno != EEXIST)
                        break;
                if (depth == 0 && r->moved) { /* what was moved up here is seen by the next pass: no idle round */
                        r->moved = false;
                        rounds = -1;
                }
        }
        return cor_fail_errno(err, "remove %s", name);
}

static int remove_one(struct removal *r, int dir, const char *name, unsigned depth, struct cor_err *err)
{
        int sys;

        if (unlinkat(dir, name, 0) == 0 || errno == ENOENT)
                return 0;
        sys = errno; /* EISDIR, or what POSIX has instead of it: EPERM */
        if ((sys == EISDIR || sys == EPERM) && (unlinkat(dir, name, AT_REMOVEDIR) == 0 || errno == ENOENT))
                return 0;
        if (errno == ENOTEMPTY || errno == EEXIST)
                return remove_filled(r, dir, name, depth, err);
        if (errno == ENOTDIR)
                errno = sys;
        return cor_fail_errno(err, "remove %s", name);
}

static void close_dir(DIR **dir)
{
        if (*dir)
                closedir(*dir);
}

static int remove_children(struct removal *r, int dir, unsigned depth, struct cor_err *err)
{
        int copy = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        COR_CLEANUP(close_dir) DIR *stream = copy < 0 ? NULL : fdopendir(copy);
        struct dirent *entry;

        if (!stream) {
                cor_fail_errno(err, "list");
                cor_fd_close(&copy);
                return -1;
        }
        while (errno = 0, (entry = readdir(stream))) {
                if (!is_plain_name(entry->d_name))
                        continue;
                if (remove_one(r, dir, entry->d_name, depth, err) < 0)
                        return -1;
        }
        return errno ? cor_fail_errno(err, "list") : 0;
}

int cor_own_remove_tree(int dirfd, const char *name, struct cor_err *err)
{
        struct removal r = { .top = -1 };

        if (!is_plain_name(name))
                return cor_fail(err, COR_INVALID, "remove \"%s\": not a file name", name);
        return remove_one(&r, dirfd, name, 0, err);
}

/* One directory of the way to @path; that it is there is as good as having made it. */
static int make_dir(const char *path, mode_t mode)
{
        struct stat st;
        int sys;

        if (mkdir(path, mode) == 0)
                return 0;
        sys = errno; /* EEXIST, but also EROFS or EACCES of one that is there */
        if (stat(path, &st) < 0) {
                errno = sys;
                return -1;
        }
        if (S_ISDIR(st.st_mode))
                return 0;
        errno = ENOTDIR;
        return -1;
}

int cor_mkdirs(const char *path, mode_t mode, struct cor_err *err)
{
        auto_str way = cor_strdup(path);

        if (!*path)
                return cor_fail(err, COR_INVALID, "make directory: the path is empty");
        if (make_dir(path, mode) == 0)
                return 0;
        if (errno == ENOENT) {
                char *end = way;

                while (end) {
                        end = strchr(end + strspn(end, "/"), '/');
                        if (end)
                                *end = '\0';
                        if (make_dir(way, mode) < 0)
                                break;
                        if (!end)
                                return 0;
                        *end = '/';
                }
        }
        if (errno == ENOTDIR)
                return cor_fail(err, COR_INVALID, "make directory %s: %s is not a directory", path, way);
        return cor_fail_errno(err, "make directory %s", path);
}

/* @size bytes and a NUL, or an error. */
static int resize(char **buf, size_t size, const char *what, struct cor_err *err)
{
        char *grown = realloc(*buf, size + 1);

        if (!grown)
                return cor_fail_errno(err, "read %s", what);
        *buf = grown;
        return 0;
}

int cor_read_fd(int fd, const char *what, size_t limit, char **ret, size_t *ret_n, struct cor_err *err)
{
        size_t room = FIRST_READ, len = 0;
        auto_str buf = NULL;
        struct stat st;

        if (limit > SIZE_MAX / 4)
                limit = SIZE_MAX / 4;
        if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0)
                room = (uint64_t)st.st_size < limit ? (size_t)st.st_size + 1 : limit + 1;
        for (;;) {
                ssize_t got;

                if (room > limit + 1) /* one more than may be there shows that too much is */
                        room = limit + 1;
                if (resize(&buf, room, what, err) < 0)
                        return -1;
                got = cor_read_full(fd, buf + len, room - len, err);
                if (got < 0)
                        return cor_wrap(err, "read %s", what);
                len += (size_t)got;
                if (len > limit)
                        return cor_fail(err, COR_INVALID, "%s is larger than %zu bytes", what, limit);
                if (len < room)
                        break;
                room *= 2;
        }
        buf[len] = '\0';
        *ret = COR_TAKE(buf);
        if (ret_n)
                *ret_n = len;
        return 0;
}

/* A pipe or a device: whoever writes to it may never come, or never come to an end. @fd is O_NONBLOCK. */
static int read_stream(int fd, const char *what, size_t limit, char **ret, size_t *ret_n, struct cor_err *err)
{
        int64_t end = cor_now_ms() + STREAM_TIMEOUT_MS;
        auto_text text = COR_TEXT_INIT;
        char bytes[FIRST_READ];

        for (;;) {
                int64_t left = end - cor_now_ms();
                int ready = cor_wait_readable(fd, left > 0 ? (int)left : 0, err);
                ssize_t n;

                if (ready < 0)
                        return cor_wrap(err, "read %s", what);
                if (ready == 0)
                        return cor_fail(err, COR_TIMEOUT, "read %s: not a regular file, and no end of it after %d s",
                                        what, STREAM_TIMEOUT_MS / 1000);
                n = read(fd, bytes, sizeof bytes);
                if (n < 0 && (errno == EINTR || errno == EAGAIN))
                        continue;
                if (n < 0)
                        return cor_fail_errno(err, "read %s", what);
                if (n == 0)
                        break;
                if ((size_t)n > limit - text.len)
                        return cor_fail(err, COR_INVALID, "%s is larger than %zu bytes", what, limit);
                cor_text_add_n(&text, bytes, (size_t)n);
        }
        if (ret_n)
                *ret_n = text.len;
        *ret = cor_text_take(&text);
        return 0;
}

int cor_read_file(const char *path, size_t limit, char **ret, size_t *ret_n, struct cor_err *err)
{
        auto_fd fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
        struct stat st;

        if (fd < 0)
                return cor_fail_errno(err, "open %s", path);
        if (fstat(fd, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
                return read_stream(fd, path, limit, ret, ret_n, err);
        return cor_read_fd(fd, path, limit, ret, ret_n, err);
}

int cor_write_at(int dirfd, const char *path, const char *text, struct cor_err *err)
{
        size_t n = strlen(text), shown = n > 0 && text[n - 1] == '\n' ? n - 1 : n;
        auto_fd fd = openat(dirfd, path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
        ssize_t put;

        if (shown > 80)
                shown = 80;
        if (fd < 0)
                return cor_fail_errno(err, "open %s", path);
        do
                put = write(fd, text, n);
        while (put < 0 && errno == EINTR);
        if (put < 0)
                return cor_fail_errno(err, "write \"%.*s\" to %s", (int)shown, text, path);
        if ((size_t)put != n)
                return cor_fail(err, COR_SYSTEM, "write \"%.*s\" to %s: only %zd of %zu bytes were taken", (int)shown,
                                text, path, put, n);
        return 0;
}

ssize_t cor_read_at(int dirfd, const char *path, char *buf, size_t size, struct cor_err *err)
{
        auto_fd fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
        ssize_t len;

        if (fd < 0)
                return cor_fail_errno(err, "open %s", path);
        len = cor_read_full(fd, buf, size, err);
        if (len < 0)
                return cor_wrap(err, "read %s", path);
        if ((size_t)len >= size)
                return cor_fail(err, COR_INVALID, "%s does not fit into %zu bytes", path, size);
        if (len > 0 && buf[len - 1] == '\n')
                len--;
        buf[len] = '\0';
        return len;
}

char *cor_path_clean(const char *path)
{
        char *clean = cor_alloc(strlen(path) + 2), *end = clean;

        for (const char *p = path; *p;) {
                size_t n = strcspn(p, "/");

                if (n == 2 && p[0] == '.' && p[1] == '.') {
                        while (end > clean && *--end != '/')
                                ;
                } else if (n > 0 && !(n == 1 && p[0] == '.')) {
                        *end++ = '/';
                        memcpy(end, p, n);
                        end += n;
                }
                p += n;
                p += strspn(p, "/");
        }
        if (end == clean)
                *end++ = '/';
        *end = '\0';
        return clean;
}

int cor_path_absolute(const char *path, char **ret, struct cor_err *err)
{
        auto_str here = NULL;
        auto_str joined = NULL;

        if (!*path)
                return cor_fail(err, COR_INVALID, "the path is empty");
        if (path[0] != '/') {
                here = getcwd(NULL, 0);
                if (!here)
                        return cor_fail_errno(err, "working directory");
                joined = cor_printf("%s/%s", here, path);
        }
        *ret = cor_path_clean(joined ? joined : path);
        return 0;
}

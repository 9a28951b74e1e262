/*
 * Look-ups that stay where they belong: inside a root (cor_root_…) or beneath a directory (cor_own_open()).
 *
 * openat2(2) does it where it can. Where it is refused (sandboxes that do not know the call), where it cannot (making
 * what is missing on the way), and where renames elsewhere keep it from finishing, a walk goes component by component.
 * The walk lets the kernel follow nothing: every open is of one name with O_NOFOLLOW, links are read and continued
 * here, and ".." is answered by walking again from the root along the names that led here. So whatever is exchanged
 * meanwhile, each descriptor it holds was reached from the root through real directories.
 */
#include "base/alloc.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#define LINKS_MAX   40         /* as the kernel */
#define STEPS_MAX   (1U << 16) /* opens in one walk: links and ".." can be arranged to ask for a great many */
#define OPENAT2_TRY 32

enum make { MAKE_NOTHING, MAKE_DIRS, MAKE_FILE };

struct rules {
        bool beneath;     /* no links, nothing above the root: EXDEV; else as in a chroot */
        enum make make;   /* what is missing */
        mode_t make_mode; /* of directories */
};

struct walk {
        const struct rules *rules;
        int root, dir; /* both held as O_PATH; dir is where the walk has come to */
        unsigned links, steps;
        char at[PATH_MAX];   /* the real names from root to dir: "a/b", or "" */
        char rest[PATH_MAX]; /* what is still to be walked */
};

static void walk_done(struct walk *w)
{
        cor_fd_close(&w->root);
        cor_fd_close(&w->dir);
}

static int set_errno(int sys)
{
        errno = sys;
        return -1;
}

static int open_name(struct walk *w, int dir, const char *name, int flags, mode_t mode)
{
        if (++w->steps > STEPS_MAX)
                return set_errno(ELOOP);
        return openat(dir, name, flags | O_NOFOLLOW | O_CLOEXEC, mode);
}

static int go_to_root(struct walk *w)
{
        int fd = open_name(w, w->root, ".", O_PATH | O_DIRECTORY, 0);

        if (fd < 0)
                return -1;
        cor_fd_close(&w->dir);
        w->dir = fd;
        w->at[0] = '\0';
        return 0;
}

/* Takes @fd, directory @name in w->dir. */
static int go_down(struct walk *w, int fd, const char *name)
{
        size_t len = strlen(w->at), n = strlen(name);

        if (len + n + 2 > sizeof w->at) {
                cor_fd_close(&fd);
                return set_errno(ENAMETOOLONG);
        }
        if (len > 0)
                w->at[len++] = '/';
        memcpy(w->at + len, name, n + 1);
        cor_fd_close(&w->dir);
        w->dir = fd;
        return 0;
}

/* "..": by the way we came, since the real parent may be anywhere by now. */
static int go_up(struct walk *w)
{
        char way[PATH_MAX], *cursor = way, *slash;

        if (w->at[0] == '\0')
                return w->rules->beneath ? set_errno(EXDEV) : 0;
        slash = strrchr(w->at, '/');
        memcpy(way, w->at, sizeof way);
        way[slash ? slash - w->at : 0] = '\0';
        if (go_to_root(w) < 0)
                return -1;
        while (cursor && *cursor) {
                char *name = cursor;
                int fd;

                cursor = strchr(name, '/');
                if (cursor)
                        *cursor++ = '\0';
                fd = open_name(w, w->dir, name, O_PATH | O_DIRECTORY, 0);
                if (fd < 0 || go_down(w, fd, name) < 0)
                        return -1;
        }
        return 0;
}

/* A link of procfs whose text is no path (fd/N, exe, ns/…): openat2 refuses these too. */
static bool is_magic_link(int fd, const char *target)
{
        struct statfs fs;

        if (fstatfs(fd, &fs) < 0 || fs.f_type != PROC_SUPER_MAGIC)
                return false;
        return target[0] == '/' || target[0] == '(' || strchr(target, ':');
}

/* Put the target of link @fd in front of the rest. */
static int follow(struct walk *w, int fd)
{
        char target[PATH_MAX];
        size_t rest = strlen(w->rest) + 1;
        ssize_t n;

        if (w->rules->beneath || ++w->links > LINKS_MAX)
                return set_errno(ELOOP);
        n = readlinkat(fd, "", target, sizeof target);
        if (n <= 0)
                return n < 0 ? -1 : set_errno(ENOENT);
        if ((size_t)n + rest > sizeof w->rest)
                return set_errno(ENAMETOOLONG);
        target[n] = '\0';
        if (is_magic_link(fd, target))
                return set_errno(ELOOP);
        memmove(w->rest + n, w->rest, rest);
        memcpy(w->rest, target, (size_t)n);
        return target[0] == '/' ? go_to_root(w) : 0;
}

/* Cut the next name off the rest into @name of NAME_MAX + 1 bytes; 1, 0 at the end. */
static int next_name(struct walk *w, char *name)
{
        size_t skip = strspn(w->rest, "/"), n = strcspn(w->rest + skip, "/");

        if (n > NAME_MAX)
                return set_errno(ENAMETOOLONG);
        memcpy(name, w->rest + skip, n);
        name[n] = '\0';
        memmove(w->rest, w->rest + skip + n, strlen(w->rest + skip + n) + 1);
        return n > 0;
}

/* What @name in w->dir is, as O_PATH, made first if it is missing and the walk makes. */
static int look_at(struct walk *w, const char *name, enum make make, struct stat *ret)
{
        auto_fd fd = open_name(w, w->dir, name, O_PATH, 0);

        if (fd < 0 && errno == ENOENT && make != MAKE_NOTHING) {
                int r = make == MAKE_DIRS ? mkdirat(w->dir, name, w->rules->make_mode)
                                          : mknodat(w->dir, name, S_IFREG | 0644, 0);

                if (r < 0 && errno != EEXIST)
                        return -1;
                fd = open_name(w, w->dir, name, O_PATH, 0);
        }
        if (fd < 0 || fstat(fd, ret) < 0)
                return -1;
        return cor_fd_take(&fd);
}

/* A name with more behind it: into the directory, or along the link. */
static int step(struct walk *w, const char *name)
{
        struct stat st;
        auto_fd fd = look_at(w, name, w->rules->make != MAKE_NOTHING ? MAKE_DIRS : MAKE_NOTHING, &st);

        if (fd < 0)
                return -1;
        if (S_ISDIR(st.st_mode))
                return go_down(w, cor_fd_take(&fd), name);
        return S_ISLNK(st.st_mode) ? follow(w, fd) : set_errno(ENOTDIR);
}

/* The last name: *ret_fd is it, opened; or it is a link, followed, and *ret_fd stays -1. */
static int last_step(struct walk *w, const char *name, int flags, mode_t mode, int *ret_fd)
{
        bool no_follow = (flags & O_NOFOLLOW) || (flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL);
        struct stat st;
        auto_fd fd = look_at(w, name, w->rules->make, &st);

        if (fd < 0 && (errno != ENOENT || !(flags & O_CREAT)))
                return -1;
        if (fd >= 0 && S_ISLNK(st.st_mode) && !no_follow)
                return follow(w, fd);
        if (fd >= 0 && (flags & O_PATH)) { /* exactly what was looked at */
                if ((flags & O_DIRECTORY) && !S_ISDIR(st.st_mode))
                        return set_errno(ENOTDIR);
                *ret_fd = cor_fd_take(&fd);
                return 0;
        }
        *ret_fd = open_name(w, w->dir, name, flags, mode);
        return *ret_fd < 0 ? -1 : 0;
}

/* The walk itself; a descriptor, or -1 and errno. */
static int walk(struct walk *w, int flags, mode_t mode)
{
        char name[NAME_MAX + 1];
        int more, fd = -1;

        if (w->rest[0] == '\0')
                return set_errno(ENOENT);
        if (w->rules->beneath && w->rest[0] == '/')
                return set_errno(EXDEV);
        while ((more = next_name(w, name)) > 0) {
                if (strcmp(name, ".") == 0)
                        continue;
                if (strcmp(name, "..") == 0)
                        more = go_up(w);
                else if (w->rest[0] != '\0')
                        more = step(w, name);
                else
                        more = last_step(w, name, flags, mode, &fd);
                if (more < 0 || fd >= 0)
                        return fd;
        }
        return more < 0 ? -1 : open_name(w, w->dir, ".", flags, mode);
}

/* In a frame of its own: most look-ups never need these 8 KiB. */
static __attribute__((noinline)) int walk_from(int dirfd, const char *path, const struct rules *rules, int flags,
                                               mode_t mode)
{
        COR_CLEANUP(walk_done) struct walk w;
        size_t n = strlen(path);

        w.root = w.dir = -1;
        w.rules = rules;
        w.links = w.steps = 0;
        if (n >= sizeof w.rest)
                return set_errno(ENAMETOOLONG);
        memcpy(w.rest, path, n + 1);
        w.root = openat(dirfd, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (w.root < 0 || go_to_root(&w) < 0)
                return -1;
        return walk(&w, flags, mode);
}

static int plain_openat2(int dirfd, const char *path, int flags, mode_t mode, uint64_t resolve)
{
        bool makes = (flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE;
        struct open_how how = { .flags = (uint64_t)(unsigned)(flags | O_CLOEXEC),
                                .mode = makes ? mode & 07777 : 0,
                                .resolve = resolve };

        return (int)syscall(SYS_openat2, dirfd, path, &how, sizeof how);
}

/* Whether it is the call that is refused, and not what was asked of it. */
static bool openat2_is_refused(void)
{
        auto_fd fd = plain_openat2(AT_FDCWD, "/", O_PATH | O_DIRECTORY, 0, 0);

        return fd < 0 && (errno == ENOSYS || errno == EPERM);
}

static int resolve(int dirfd, const char *path, int flags, mode_t mode, bool beneath)
{
        uint64_t how = beneath ? RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS : RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
        const struct rules rules = { .beneath = beneath };
        int fd, tries = OPENAT2_TRY;

        do /* EAGAIN: a rename somewhere raced with a ".." */
                fd = plain_openat2(dirfd, path, flags, mode, how);
        while (fd < 0 && (errno == EINTR || (errno == EAGAIN && --tries > 0)));
        if (fd >= 0 || (errno != EAGAIN && errno != ENOSYS && errno != EPERM))
                return fd;
        if (errno == EPERM && !openat2_is_refused())
                return set_errno(EPERM);
        return walk_from(dirfd, path, &rules, flags, mode);
}

int cor_root_open(int rootfd, const char *path, int flags, mode_t mode, struct cor_err *err)
{
        int fd = resolve(rootfd, path, flags, mode, false);

        return fd >= 0 ? fd : cor_fail_errno(err, "open %s inside the root", path);
}

int cor_root_open_nofollow(int rootfd, const char *path, int flags, struct cor_err *err)
{
        return cor_root_open(rootfd, path, flags | O_NOFOLLOW, 0, err);
}

/*
 * By far the most frequent case, as for /dev/pts: only the last component is missing. The parent is held by descriptor,
 * so the new directory is made and opened where it belongs; ENOENT leaves everything else (links, more missing) to the
 * walk.
 */
static int make_last(int rootfd, const char *path, mode_t mode)
{
        const char *slash = strrchr(path, '/');
        auto_str dir = slash ? cor_strndup(path, (size_t)(slash - path)) : cor_strdup(".");
        const char *name = slash ? slash + 1 : path;
        auto_fd parent = -1;

        if (name[0] == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {
                errno = ENOENT;
                return -1;
        }
        parent = resolve(rootfd, dir[0] ? dir : "/", O_PATH | O_DIRECTORY, 0, false);
        if (parent < 0 || mkdirat(parent, name, mode) < 0) {
                errno = ENOENT;
                return -1;
        }
        return openat(parent, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

int cor_root_mkdirs(int rootfd, const char *path, mode_t mode, struct cor_err *err)
{
        const struct rules rules = { .make = MAKE_DIRS, .make_mode = mode };
        int fd = resolve(rootfd, path, O_PATH | O_DIRECTORY, 0, false);

        if (fd < 0 && errno == ENOENT)
                fd = make_last(rootfd, path, mode);
        if (fd < 0 && errno == ENOENT)
                fd = walk_from(rootfd, path, &rules, O_PATH | O_DIRECTORY, 0);
        if (fd < 0 && errno == ENOTDIR)
                return cor_fail(err, COR_INVALID, "make directory %s inside the root: not a directory", path);
        return fd >= 0 ? fd : cor_fail_errno(err, "make directory %s inside the root", path);
}

/* Whether @path can only mean a directory. */
static bool names_directory(const char *path)
{
        const char *last = cor_base_name(path);

        return !*last || strcmp(last, ".") == 0 || strcmp(last, "..") == 0;
}

int cor_root_mkfile(int rootfd, const char *path, struct cor_err *err)
{
        const struct rules rules = { .make = MAKE_FILE, .make_mode = 0755 };
        auto_fd fd = -1;
        struct stat st;

        if (names_directory(path))
                return cor_fail(err, COR_INVALID, "make file %s inside the root: not the name of a file", path);
        fd = resolve(rootfd, path, O_PATH, 0, false);
        if (fd < 0 && errno == ENOENT)
                fd = walk_from(rootfd, path, &rules, O_PATH, 0);
        if (fd < 0 && errno == ENOTDIR)
                return cor_fail(err, COR_INVALID, "make file %s inside the root: a directory on the way is none", path);
        if (fd < 0 || fstat(fd, &st) < 0)
                return cor_fail_errno(err, "make file %s inside the root", path);
        if (S_ISDIR(st.st_mode))
                return cor_fail(err, COR_INVALID, "make file %s inside the root: it is a directory", path);
        return cor_fd_take(&fd);
}

int cor_own_open(int dirfd, const char *path, int flags, mode_t mode, struct cor_err *err)
{
        int fd = resolve(dirfd, path, flags, mode, true);

        return fd >= 0 ? fd : cor_fail_errno(err, "open %s", path);
}

/* Where a store's sockets and other things of this boot are. */
#include "base/file.h"
#include "base/text.h"
#include "store/store_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { RUN_MODE = 01700 }; /* sticky: what cleans up $XDG_RUNTIME_DIR leaves it alone (XDG specification) */

/* The store's path without links, so that all ways to it lead to the same digits. */
static uint64_t path_number(const struct store *s)
{
        auto_str link = cor_printf("/proc/self/fd/%d", s->fd);
        uint64_t hash = 0xcbf29ce484222325;
        char path[PATH_MAX];
        ssize_t n = readlink(link, path, sizeof path);
        const char *text = n > 0 ? path : s->path;
        size_t len = n > 0 ? (size_t)n : strlen(s->path);

        for (size_t i = 0; i < len; i++) /* FNV-1a: nobody gains from two of his own stores that meet */
                hash = (hash ^ (uint8_t)text[i]) * 0x100000001b3;
        return hash;
}

struct boots {
        int fd;
        const char *now;
};

static int remove_old_boot(const char *name, void *context, struct cor_err *err)
{
        const struct boots *b = context;

        return strcmp(name, b->now) == 0 ? 0 : cor_own_remove_tree(b->fd, name, err);
}

/* In the store: what earlier boots left is of no use any more. */
static int own_place(const struct store *s, char **ret, struct cor_err *err)
{
        auto_str all = cor_printf("%s/run", s->path);
        struct boots boots;
        auto_fd fd = -1;
        char boot[64];

        if (cor_read_at(AT_FDCWD, "/proc/sys/kernel/random/boot_id", boot, sizeof boot, err) < 0 ||
            cor_mkdirs(all, RUN_MODE, err) < 0)
                return -1;
        boot[8] = '\0'; /* a socket's path must not be long */
        fd = open(all, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0)
                return cor_fail_errno(err, "open %s", all);
        boots = (struct boots){ fd, boot };
        if (store_each_name(fd, "what earlier boots left", remove_old_boot, &boots, err) < 0)
                return -1;
        *ret = cor_printf("%s/%s", all, boot);
        return 0;
}

/*
 * The root of a user namespace may not write to /run, and whose session it is, XDG_RUNTIME_DIR still tells. Root has
 * /run however it became root.
 */
static int choose(const struct store *s, char **ret, struct cor_err *err)
{
        const char *named = getenv("CORACLE_RUN"), *session = getenv("XDG_RUNTIME_DIR");
        uint64_t number = path_number(s);

        if (named && named[0] == '/')
                *ret = cor_printf("%s/%016" PRIx64, named, number);
        else if (named && *named)
                return cor_fail(err, COR_INVALID, "CORACLE_RUN: '%s' is not an absolute path", named);
        else if (geteuid() == 0 && access("/run", W_OK) == 0)
                *ret = cor_printf("/run/coracle/%016" PRIx64, number);
        else if (session && session[0] == '/')
                *ret = cor_printf("%s/coracle/%016" PRIx64, session, number);
        else
                return own_place(s, ret, err);
        return 0;
}

/* Sockets in a folder that another user owns would be his. */
static int check_owner(const char *path, struct cor_err *err)
{
        auto_fd fd = open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        struct stat st;

        if (fd < 0 || fstat(fd, &st) < 0)
                return cor_fail_errno(err, "open %s", path);
        if (st.st_uid != geteuid() || (st.st_mode & 077))
                return cor_fail(err, COR_DENIED, "%s belongs to user %u with mode %04o: expected user %u and mode 0700",
                                path, (unsigned)st.st_uid, (unsigned)(st.st_mode & 07777), (unsigned)geteuid());
        return 0;
}

int store_run_path(struct store *s, const char **ret, struct cor_err *err)
{
        auto_str path = NULL;

        if (!s->run) {
                if (choose(s, &path, err) < 0 || cor_mkdirs(path, RUN_MODE, err) < 0 || check_owner(path, err) < 0)
                        return cor_wrap(err, "store %s: the folder of its sockets", s->path);
                s->run = COR_TAKE(path);
        }
        *ret = s->run;
        return 0;
}

int store_run_open(struct store *s, struct cor_err *err)
{
        const char *path;
        int fd;

        if (store_run_path(s, &path, err) < 0)
                return -1;
        fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        return fd < 0 ? cor_fail_errno(err, "open %s", path) : fd;
}

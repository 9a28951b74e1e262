/*
 * Directories held open. An archive names a directory's files one after the other, so a few descriptors save almost all
 * look-ups. While one is held its times change with each file made in it; when it is let go they are put back as they
 * were. No list of directories has to be kept for that, however many there are.
 */
#include "image/layer_internal.h"

#include "base/alloc.h"
#include "base/fd.h"
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

static int leave(struct place *p, struct cor_err *err)
{
        int r = 0;

        if (p->fd < 0)
                return 0;
        if (futimens(p->fd, p->times) < 0)
                r = cor_fail_errno(err, "%s: set times", p->path);
        cor_fd_close(&p->fd);
        free(p->path);
        p->path = NULL;
        return r;
}

int layer_places_leave(struct apply *a, struct cor_err *err)
{
        int r = 0;

        for (size_t i = 0; i < PLACES; i++)
                if (leave(&a->places[i], r == 0 ? err : NULL) < 0)
                        r = -1;
        return r;
}

static struct place *find(struct apply *a, const char *path, size_t len)
{
        for (size_t i = 0; i < PLACES; i++) {
                struct place *p = &a->places[i];

                if (p->fd >= 0 && p->len == len && memcmp(p->path, path, len) == 0)
                        return p;
        }
        return NULL;
}

static struct place *oldest(struct apply *a)
{
        struct place *p = &a->places[0];

        for (size_t i = 0; i < PLACES; i++) {
                if (a->places[i].fd < 0)
                        return &a->places[i];
                if (a->places[i].used < p->used)
                        p = &a->places[i];
        }
        return p;
}

/* By its links a directory can have several names, and be held by another one already: then its times are with that. */
static void remember_times(struct apply *a, struct place *p, const struct stat *st)
{
        p->dev = st->st_dev;
        p->ino = st->st_ino;
        p->times[0] = st->st_atim;
        p->times[1] = st->st_mtim;
        for (size_t i = 0; i < PLACES; i++) {
                const struct place *other = &a->places[i];

                if (other != p && other->fd >= 0 && other->dev == p->dev && other->ino == p->ino)
                        memcpy(p->times, other->times, sizeof p->times);
        }
}

/* Straight, if all of it is in this layer. Links on the way are followed inside the layer. */
static int open_in_layer(struct apply *a, const char *path)
{
        struct open_how how = { .flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC,
                                .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS };
        const char *name = path[0] ? path : ".";
        int fd = (int)syscall(SYS_openat2, a->root, name, &how, sizeof how);

        if (fd >= 0 || (errno != EAGAIN && errno != ENOSYS && errno != EPERM))
                return fd;
        return cor_root_open(a->root, name, O_RDONLY | O_DIRECTORY, 0, NULL);
}

static bool has_default_acl(const struct apply *a, int fd)
{
        return a->acls && fgetxattr(fd, "system.posix_acl_default", NULL, 0) > 0;
}

int layer_place(struct apply *a, const char *path, size_t len, const struct tar_entry *e, struct place **ret,
                struct cor_err *err)
{
        struct place *p = find(a, path, len);
        auto_str name = NULL;
        auto_fd fd = -1;
        struct stat st;

        if (p) {
                p->used = ++a->clock;
                *ret = p;
                return 0;
        }
        name = cor_strndup(path, len);
        fd = open_in_layer(a, name);
        if (fd < 0) {
                char real[PATH_MAX];

                if (errno != ENOENT && errno != ENOTDIR)
                        return cor_fail_errno(err, "open its directory");
                fd = layer_walk(a, name, e, real, err);
                if (fd < 0)
                        return fd == LAYER_LEANS ? 1 : -1;
        }
        if (fstat(fd, &st) < 0)
                return cor_fail_errno(err, "look at its directory");
        p = oldest(a);
        if (leave(p, err) < 0)
                return -1;
        remember_times(a, p, &st);
        p->hides = HIDES_UNKNOWN;
        p->inherits = (st.st_mode & S_ISGID) || has_default_acl(a, fd);
        p->fd = cor_fd_take(&fd);
        p->path = COR_TAKE(name);
        p->len = len;
        p->used = ++a->clock;
        *ret = p;
        return 0;
}

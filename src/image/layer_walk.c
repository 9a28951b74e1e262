/*
 * The long way to a directory: component by component through what the image shows so far, that is this layer and those
 * below. What is only below is made here (a directory gets the attributes it has there, a link is followed), what is
 * nowhere is made 0755 and root's. Nothing is followed by the kernel: every open is of one name with O_NOFOLLOW.
 */
#include "image/layer_internal.h"

#include "base/alloc.h"
#include "base/fd.h"
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define LINKS_MAX   40 /* as the kernel */
#define IMPLIED_MAX 4000000

struct walk {
        struct apply *a;
        const struct tar_entry *entry; /* for whose sake */
        int dir;
        unsigned links;
        struct layer_view view; /* of dir, if it has been needed */
        bool viewed;
        char at[PATH_MAX];   /* the real names from the root to dir */
        char rest[PATH_MAX]; /* what is still to be walked */
};

static void forget_view(struct walk *w)
{
        layer_view_done(&w->view);
        w->viewed = false;
}

static void walk_done(struct walk *w)
{
        forget_view(w);
        cor_fd_close(&w->dir);
}

static int too_long(struct cor_err *err)
{
        return cor_fail(err, COR_INVALID, "the way to its directory, with links, is too long");
}

/* To @path of the layer, which has no links. */
static int go_to(struct walk *w, const char *path, struct cor_err *err)
{
        int fd = cor_own_open(w->a->root, path[0] ? path : ".", O_RDONLY | O_DIRECTORY, 0, err);

        if (fd < 0)
                return -1;
        forget_view(w);
        cor_fd_close(&w->dir);
        w->dir = fd;
        memmove(w->at, path, strlen(path) + 1);
        return 0;
}

static int go_up(struct walk *w, struct cor_err *err)
{
        char *slash = strrchr(w->at, '/');

        if (w->at[0] == '\0')
                return 0;
        (slash ? slash : w->at)[0] = '\0';
        return go_to(w, w->at, err);
}

/* Put what a link says, @n bytes at @target, in front of the rest. */
static int follow(struct walk *w, const char *target, size_t n, struct cor_err *err)
{
        size_t rest = strlen(w->rest) + 1;

        if (++w->links > LINKS_MAX)
                return cor_fail(err, COR_INVALID, "its directory lies behind more than %d links", LINKS_MAX);
        if (n == 0 || n + 1 + rest > sizeof w->rest)
                return too_long(err);
        memmove(w->rest + n + 1, w->rest, rest);
        memcpy(w->rest, target, n);
        w->rest[n] = '/';
        return target[0] == '/' ? go_to(w, "", err) : 0;
}

static int follow_at(struct walk *w, int dir, const char *path, struct cor_err *err)
{
        char target[PATH_MAX];
        ssize_t n = readlinkat(dir, path, target, sizeof target);

        if (n < 0)
                return cor_fail_errno(err, "read the link %s", path);
        return follow(w, target, (size_t)n, err);
}

/* Into @name of w->dir, a directory of this layer. */
static int go_down(struct walk *w, const char *name, struct cor_err *err)
{
        size_t len = strlen(w->at), n = strlen(name);
        int fd = openat(w->dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

        if (fd < 0)
                return cor_fail_errno(err, "open directory %s", name);
        cor_fd_close(&w->dir);
        w->dir = fd;
        if (len + n + 2 > sizeof w->at)
                return too_long(err);
        if (len > 0)
                w->at[len++] = '/';
        memcpy(w->at + len, name, n + 1);
        return w->viewed ? layer_view_descend(w->a, &w->view, name, err) : 0;
}

/* What an archive implies is as much its work as what it names. */
static int count_implied(struct apply *a, struct cor_err *err)
{
        int64_t limit = a->options->limits.entries > 0 ? a->options->limits.entries : IMPLIED_MAX;

        if (++a->implied <= limit)
                return 0;
        return cor_fail(err, COR_INVALID,
                        "archive bomb: more than %lld directories without an entry (image-max-entries in daemon.json)",
                        (long long)limit);
}

/* A new directory (in place of a whiteout, if @replace) leaves no trace in the times of the one that it is in. */
static int make(struct walk *w, const char *name, bool replace, struct cor_err *err)
{
        struct stat st;
        int r;

        if (count_implied(w->a, err) < 0)
                return -1;
        r = fstat(w->dir, &st);
        if (r == 0 && replace)
                r = unlinkat(w->dir, name, 0);
        if (r == 0)
                r = mkdirat(w->dir, name, 0755);
        if (r == 0)
                r = futimens(w->dir, (struct timespec[]){ st.st_atim, st.st_mtim });
        return r < 0 ? cor_fail_errno(err, "make directory %s", name) : go_down(w, name, err);
}

static int make_root_owned(struct walk *w, const char *name, bool replace, struct cor_err *err)
{
        struct tar_entry e = { .type = TAR_DIR, .mode = 0755, .mtime = w->entry->mtime };

        return make(w, name, replace, err) < 0 ? -1 : layer_attr_fd(w->a, w->dir, &e, true, err);
}

/* The directory that a lower layer has there, without its content. */
static int make_like(struct walk *w, const char *name, int lower_dir, const struct stat *st, struct cor_err *err)
{
        auto_fd lower = openat(lower_dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        struct tar_entry e = { .type = TAR_DIR, .mode = st->st_mode & 07777, .uid = st->st_uid, .gid = st->st_gid };

        if (lower < 0)
                return cor_fail_errno(err, "open %s of a lower layer", name);
        if (make(w, name, false, err) < 0 || layer_attr_fd(w->a, w->dir, &e, true, err) < 0 ||
            layer_xattrs_copy(w->a, lower, w->dir, err) < 0)
                return -1;
        if (futimens(w->dir, (struct timespec[]){ st->st_atim, st->st_mtim }) < 0)
                return cor_fail_errno(err, "set the times of %s", name);
        return 0;
}

/* @name is not in w->dir. */
static int step_missing(struct walk *w, const char *name, struct cor_err *err)
{
        const struct layer_apply_options *o = w->a->options;
        const struct layer_dir *lower;
        struct stat st;

        if (o->n_lower == 0)
                return o->probe ? LAYER_LEANS : make_root_owned(w, name, false, err);
        layer_leans(w->a, w->entry);
        if (!w->viewed && layer_view_open(w->a, w->at, &w->view, err) < 0)
                return -1;
        w->viewed = true;
        lower = layer_view_find(&w->view, name, &st);
        if (!lower)
                return make_root_owned(w, name, false, err);
        if (S_ISDIR(st.st_mode))
                return make_like(w, name, lower->fd, &st, err);
        if (S_ISLNK(st.st_mode))
                return follow_at(w, lower->fd, name, err);
        return cor_fail(err, COR_INVALID, "%s%s%s, where it should be in, is not a directory in the layers below",
                        w->at, w->at[0] ? "/" : "", name);
}

/* A whiteout of this archive hides what is below, not what it holds itself: an opaque directory. */
static int step_whiteout(struct walk *w, const char *name, struct cor_err *err)
{
        if (layer_places_leave(w->a, err) < 0)
                return -1;
        if (make_root_owned(w, name, true, err) < 0)
                return -1;
        forget_view(w); /* of a directory that was not opaque yet */
        return layer_set_opaque(w->a, w->dir, err);
}

static int step(struct walk *w, const char *name, struct cor_err *err)
{
        struct stat st;

        if (strcmp(name, "..") == 0)
                return go_up(w, err);
        if (fstatat(w->dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return errno == ENOENT ? step_missing(w, name, err) : cor_fail_errno(err, "look at %s", name);
        if (S_ISDIR(st.st_mode))
                return go_down(w, name, err);
        if (S_ISLNK(st.st_mode))
                return follow_at(w, w->dir, name, err);
        if (layer_is_whiteout(&st))
                return step_whiteout(w, name, err);
        return cor_fail(err, COR_INVALID, "%s%s%s, where it should be in, is not a directory", w->at,
                        w->at[0] ? "/" : "", name);
}

/* Cut the next name off the rest; NULL at the end. */
static const char *next_name(struct walk *w, char *name, size_t size, struct cor_err *err, int *ret)
{
        size_t skip = strspn(w->rest, "/"), n = strcspn(w->rest + skip, "/");

        *ret = 0;
        if (n == 0)
                return NULL;
        if (n >= size) {
                *ret = too_long(err);
                return NULL;
        }
        memcpy(name, w->rest + skip, n);
        name[n] = '\0';
        memmove(w->rest, w->rest + skip + n, strlen(w->rest + skip + n) + 1);
        return name;
}

int layer_walk(struct apply *a, const char *path, const struct tar_entry *e, char *ret_real, struct cor_err *err)
{
        COR_CLEANUP(walk_done) struct walk w;
        char name[NAME_MAX + 1];
        int r;

        w.a = a;
        w.entry = e;
        w.dir = -1;
        w.links = 0;
        w.view = (struct layer_view){ 0 };
        w.viewed = false;
        memcpy(w.rest, path, strlen(path) + 1);
        r = go_to(&w, "", err);
        while (r == 0 && next_name(&w, name, sizeof name, err, &r))
                if (strcmp(name, ".") != 0)
                        r = step(&w, name, err);
        if (r < 0)
                return r;
        memcpy(ret_real, w.at, strlen(w.at) + 1);
        return cor_fd_take(&w.dir);
}

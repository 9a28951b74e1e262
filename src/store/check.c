#include "store/check.h"
#include "base/alloc.h"
#include "base/file.h"
#include "store/blob.h"
#include "store/db.h"
#include "store/hash.h"
#include "store/layer.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define READ_BYTES (1 << 20)

int check_blob(const struct store *s, const struct digest *d, void (*progress)(void *context, int64_t done),
               void *context, struct cor_err *err)
{
        auto_hash hash = hash_new(digest_algorithm(d));
        auto_fd fd = blob_open(s, d, err);
        auto_str buf = NULL;
        struct digest found;
        int64_t done = 0;
        ssize_t n;

        if (fd < 0)
                return -1;
        buf = cor_alloc(READ_BYTES);
        while ((n = read(fd, buf, READ_BYTES)) != 0) {
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0 && errno == EIO) /* the disk has lost it */
                        return 0;
                if (n < 0)
                        return cor_fail_errno(err, "read blob %s", d->text);
                hash_add(hash, buf, (size_t)n);
                done += n;
                if (progress)
                        progress(context, done);
        }
        found = hash_digest(hash);
        return digest_eq(&found, d);
}

/* A walk over a layer, directory by directory, so that depth costs no descriptors. */
struct walk {
        int top;
        char **dirs; /* paths still to be looked at */
        size_t n_dirs;
        uint64_t *linked; /* inodes with several names that were counted */
        size_t n_linked;
        int64_t bytes;
        bool in_use; /* things may go while we look at them */
};

static void walk_done(struct walk *w)
{
        for (size_t i = 0; i < w->n_dirs; i++)
                free(w->dirs[i]);
        free(w->dirs);
        free(w->linked);
}

static int by_number(const void *a, const void *b)
{
        const uint64_t *x = a, *y = b;

        return (*x > *y) - (*x < *y);
}

/* Where one entry of a directory is seen from. */
struct place {
        struct walk *walk;
        const char *dir;
        int fd;
};

/* Files with several names come in any order: all are noted with their size, and counted once at the end. */
static int see(const char *name, void *context, struct cor_err *err)
{
        struct place *p = context;
        struct stat st;

        if (fstatat(p->fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return p->walk->in_use && errno == ENOENT ? 0 : cor_fail_errno(err, "look at %s/%s", p->dir, name);
        if (S_ISDIR(st.st_mode)) {
                char *path = *p->dir ? cor_printf("%s/%s", p->dir, name) : cor_strdup(name);

                *COR_GROW(p->walk->dirs, p->walk->n_dirs) = path;
        } else if (S_ISREG(st.st_mode) && st.st_nlink > 1) {
                *COR_GROW(p->walk->linked, p->walk->n_linked) = st.st_ino;
                *COR_GROW(p->walk->linked, p->walk->n_linked) = (uint64_t)st.st_size;
        } else if (S_ISREG(st.st_mode)) {
                p->walk->bytes += st.st_size;
        }
        return 0;
}

static void count_linked(struct walk *w)
{
        size_t n = w->n_linked / 2;

        if (n == 0)
                return;
        qsort(w->linked, n, 2 * sizeof *w->linked, by_number); /* by the inode, which comes first */
        for (size_t i = 0; i < n; i++)
                if (i == 0 || w->linked[2 * i] != w->linked[2 * i - 2])
                        w->bytes += (int64_t)w->linked[2 * i + 1];
}

static bool went(const struct cor_err *err)
{
        return err->sys == ENOENT || err->sys == ENOTDIR || err->sys == ELOOP;
}

static int walk_tree(struct walk *w, struct cor_err *err)
{
        *COR_GROW(w->dirs, w->n_dirs) = cor_strdup("");
        while (w->n_dirs > 0) {
                auto_str path = w->dirs[--w->n_dirs];
                struct cor_err why = { 0 };
                auto_fd fd = cor_own_open(w->top, *path ? path : ".", O_RDONLY | O_DIRECTORY, 0, &why);
                struct place place = { w, path, fd };

                if (fd < 0 && w->in_use && went(&why))
                        continue;
                if (fd < 0 && err)
                        *err = why;
                if (fd < 0 || store_each_entry(fd, path, see, &place, err) < 0)
                        return -1;
        }
        count_linked(w);
        return 0;
}

int check_layer(const struct store *s, const struct digest *name, char why[128], struct cor_err *err)
{
        COR_CLEANUP(walk_done) struct walk w = { .top = -1 };
        int64_t size = layer_size(s, name);
        auto_fd top = layer_open(s, name, err);

        if (top < 0)
                return -1;
        if (size < 0) {
                snprintf(why, 128, "its size was not recorded");
                return 0;
        }
        w.top = top;
        if (walk_tree(&w, err) < 0) {
                if (err && err->sys != EIO)
                        return cor_wrap(err, "layer %s", name->text);
                snprintf(why, 128, "it cannot be read");
                return 0;
        }
        if (w.bytes == size)
                return 1;
        snprintf(why, 128, "its files have %lld bytes, not %lld", (long long)w.bytes, (long long)size);
        return 0;
}

int check_tree_size(int dir, int64_t *ret, struct cor_err *err)
{
        COR_CLEANUP(walk_done) struct walk w = { .top = dir, .in_use = true };

        if (walk_tree(&w, err) < 0)
                return -1;
        *ret = w.bytes;
        return 0;
}

int check_database(struct store *s, void (*found)(void *context, const char *what), void *context, struct cor_err *err)
{
        static const char *const checks[] = { "PRAGMA integrity_check", "PRAGMA foreign_key_check" };

        for (size_t i = 0; i < COR_COUNT(checks); i++) {
                auto_db_rows rows = { 0 };
                int more;

                if (db_query(s->db, &rows, err, checks[i], "") < 0)
                        return -1;
                while ((more = db_next(&rows, err)) > 0)
                        if (strcmp(db_text(&rows, 0), "ok") != 0)
                                found(context, i ? "a row leads to an image that is not there" : db_text(&rows, 0));
                if (more < 0)
                        return -1;
        }
        return 0;
}

/* Making the directories of a cgroup, in every hierarchy, and taking them away again when something fails. */
#include "linux/cgroup_priv.h"

#include "base/fd.h"
#include "base/file.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The length of the part of @full that is the mount point. */
static size_t mount_len(const struct cgroup_dir *d)
{
        return strcmp(d->h->dir, ".") == 0 ? 0 : strlen(d->h->dir);
}

static void note_made(struct cgroup *cg, const char *full)
{
        cor_strv_add(&cg->made, full);
}

void cgroup_unmake_dirs(struct cgroup *cg)
{
        while (cg->made.n_items > 0) {
                char *full = cg->made.items[--cg->made.n_items];

                (void)unlinkat(cg->layout.root_fd, full, AT_REMOVEDIR);
                free(full);
                cg->made.items[cg->made.n_items] = NULL;
        }
}

/* The directory that holds @full; "." for the root of unified cgroups. */
static char *parent_of(const char *full)
{
        const char *slash = strrchr(full, '/');

        return slash ? cor_strndup(full, (size_t)(slash - full)) : cor_strdup(".");
}

/* Make one directory; 1 if it is new, 0 if it was there. */
static int make_one(struct cgroup *cg, const struct cgroup_dir *d, const char *full, struct cor_err *err)
{
        auto_str parent = NULL;

        if (mkdirat(cg->layout.root_fd, full, 0755) < 0) {
                if (errno == EEXIST)
                        return 0;
                return cor_fail_errno(err, "cannot make cgroup %s/%s", cg->layout.root, full);
        }
        note_made(cg, full);
        if (d->h->v2 || !(d->h->ctls & 1U << CTL_CPUSET))
                return 1;
        parent = parent_of(full);
        return cgroup_v1_cpuset_inherit(cg->layout.root_fd, parent, full, true, err) < 0 ? -1 : 1;
}

/* Make @d and what is missing above it; 1 if it is new, 0 if it was there. */
static int make_path(struct cgroup *cg, struct cgroup_dir *d, struct cor_err *err)
{
        int made = make_one(cg, d, d->full, err);

        if (made >= 0 || err->sys != ENOENT)
                return made;
        for (size_t i = mount_len(d) + 1; d->full[i]; i++) {
                auto_str part = NULL;

                if (d->full[i] != '/')
                        continue;
                part = cor_strndup(d->full, i);
                if (make_one(cg, d, part, err) < 0)
                        return -1;
        }
        return make_one(cg, d, d->full, err);
}

/* --- version 2: controllers ------------------------------------------------------------------------------------- */

/* "cpu io memory" -> "+cpu +io +memory" */
static char *plus(const char *controllers)
{
        auto_text t = COR_TEXT_INIT;
        auto_str copy = cor_strdup(controllers);
        char *cursor = copy, *word;

        while ((word = cgroup_next_word(&cursor)))
                cor_text_printf(&t, "%s+%s", t.len ? " " : "", word);
        return cor_text_take(&t);
}

/* Enable controllers for the children of @full: all at once, else those that can be. What is missing is noticed when a
 * limit cannot be set. */
static void enable_in(int root_fd, const char *full, const char *wanted)
{
        auto_str file = cor_printf("%s/cgroup.subtree_control", full), *copy = NULL;
        char *cursor, *word;

        if (cor_write_at(root_fd, file, wanted, NULL) == 0)
                return;
        copy = cor_strdup(wanted);
        cursor = copy;
        while ((word = cgroup_next_word(&cursor)))
                (void)!cor_write_at(root_fd, file, word, NULL);
}

void cgroup_enable_controllers(struct cgroup *cg, struct cgroup_dir *d)
{
        auto_str top = cor_printf("%s/cgroup.controllers", d->h->dir), *wanted = NULL;
        const char *available = d->h->available;
        char all[512], present[512];
        size_t skip = mount_len(d);

        if (!available && cor_read_at(cg->layout.root_fd, top, all, sizeof all, NULL) >= 0)
                available = all;
        if (!available || !*available)
                return;
        if (cor_read_at(d->fd, "cgroup.controllers", present, sizeof present, NULL) >= 0 &&
            strcmp(available, present) == 0)
                return; /* the usual case: somebody before us has enabled them on the whole way */
        wanted = plus(available);
        enable_in(cg->layout.root_fd, d->h->dir, wanted);
        for (size_t i = skip + 1; d->full[i]; i++) {
                auto_str part = NULL;

                if (d->full[i] != '/')
                        continue;
                part = cor_strndup(d->full, i);
                enable_in(cg->layout.root_fd, part, wanted);
        }
        /* below a threaded cgroup a new one is invalid until it is threaded, too */
        if (cor_read_at(d->fd, "cgroup.type", present, sizeof present, NULL) > 0 &&
            strcmp(present, "domain invalid") == 0)
                (void)!cor_write_at(d->fd, "cgroup.type", "threaded", NULL);
}

/* --- all of them ------------------------------------------------------------------------------------------------- */

/* A cgroup that was there before may be used if it is empty: it is what a killed run left behind, or prepared for us.
 */
static int check_existing(struct cgroup *cg, struct cor_err *err)
{
        auto_free pid_t *pids = NULL;
        size_t n = 0;
        int frozen;

        if (cgroup_pids(cg, &pids, &n, err) < 0)
                return -1;
        if (n > 0)
                return cor_fail(err, COR_BUSY, "container's cgroup is not empty: %zu process(es) found in %s", n,
                                cg->where->path);
        frozen = cgroup_is_frozen(cg, err);
        if (frozen < 0)
                return -1;
        if (frozen)
                return cor_fail(err, COR_BUSY, "container's cgroup unexpectedly frozen: %s", cg->where->path);
        return 0;
}

static int open_made(struct cgroup *cg, struct cgroup_dir *d, struct cor_err *err)
{
        d->tried = false;
        if (!cgroup_dir_open(cg, d))
                return cor_fail_errno(err, "open cgroup %s/%s", cg->layout.root, d->full);
        return 0;
}

/* Rootless: hierarchies that we may not write to are left alone; a limit that needs one is refused later. */
static bool may_skip(const struct cgroup *cg, const struct cor_err *err)
{
        return cg->where->rootless && cg->where->mode != CGROUP_V2 &&
               (err->sys == EACCES || err->sys == EPERM || err->sys == EROFS);
}

int cgroup_make_dirs(struct cgroup *cg, bool empty, struct cor_err *err)
{
        bool existing = false;
        size_t n = 0;

        for (size_t i = 0; i < cg->n_dirs; i++) {
                struct cgroup_dir *d = &cg->dirs[i];
                int made = make_path(cg, d, err);

                if (made < 0) {
                        if (!may_skip(cg, err))
                                return -1;
                        d->tried = true;
                        continue;
                }
                if (open_made(cg, d, err) < 0)
                        return -1;
                n++;
                existing |= made == 0;
                if (d->h->v2 && empty)
                        cgroup_enable_controllers(cg, d);
                else if (!d->h->v2 && made == 0 && (d->h->ctls & 1U << CTL_CPUSET)) {
                        auto_str parent = parent_of(d->full);

                        if (cgroup_v1_cpuset_inherit(cg->layout.root_fd, parent, d->full, false, err) < 0)
                                return -1;
                }
        }
        if (n == 0 && cg->n_dirs > 0)
                return -1; /* the last error says why */
        cor_err_clear(err);
        return existing && empty ? check_existing(cg, err) : 0;
}

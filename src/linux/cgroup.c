/* A container's cgroup as an object: opened by name, its directories found by controller. */
#include "linux/cgroup_priv.h"

#include "base/fd.h"
#include "base/text.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* @path below the mount, relative to the layout's root. */
static char *full_path(const struct cgroup_hierarchy *h, const char *path)
{
        if (strcmp(h->dir, ".") != 0)
                return cor_printf("%s%s", h->dir, path);
        return cor_strdup(path[1] ? path + 1 : ".");
}

static void close_dirs(struct cgroup *cg)
{
        for (size_t i = 0; i < cg->n_dirs; i++) {
                free(cg->dirs[i].path);
                free(cg->dirs[i].full);
                cor_fd_close(&cg->dirs[i].fd);
        }
        cg->n_dirs = 0;
}

void cgroup_set_paths(struct cgroup *cg)
{
        close_dirs(cg);
        for (size_t i = 0; i < cg->layout.n_hs; i++) {
                const struct cgroup_hierarchy *h = &cg->layout.hs[i];
                const char *path = cgroup_where_path(cg->where, h->name);
                struct cgroup_dir *d = &cg->dirs[cg->n_dirs];

                if (!path || *path != '/')
                        continue;
                *d = (struct cgroup_dir){ .h = h, .path = cor_strdup(path), .full = full_path(h, path), .fd = -1 };
                cg->n_dirs++;
        }
}

bool cgroup_dir_open(struct cgroup *cg, struct cgroup_dir *d)
{
        if (d->fd < 0 && !d->tried)
                d->fd = openat(cg->layout.root_fd, d->full, O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
        d->tried = true;
        return d->fd >= 0;
}

static struct cgroup *cgroup_new(const struct cgroup_where *where)
{
        struct cgroup *cg = cor_alloc(sizeof *cg);

        cg->layout.root_fd = -1;
        cg->where = cgroup_where_copy(where);
        return cg;
}

int cgroup_open(const struct cgroup_where *where, struct cgroup **ret, struct cor_err *err)
{
        auto_cgroup cg = cgroup_new(where);

        if (where->manager != CGROUP_DISABLED) {
                if (cgroup_layout_read(&cg->layout, err) < 0)
                        return -1;
                cgroup_set_paths(cg);
        }
        *ret = COR_TAKE(cg);
        return 0;
}

void cgroup_close(struct cgroup *cg)
{
        if (!cg)
                return;
        close_dirs(cg);
        for (size_t i = 0; i < CGROUP_MAX_HIERARCHIES; i++) {
                free((void *)(uintptr_t)cg->mounts[i].name);
                free((void *)(uintptr_t)cg->mounts[i].source);
        }
        cor_strv_done(&cg->made);
        cgroup_layout_done(&cg->layout);
        cgroup_where_free(cg->where);
        free(cg);
}

const struct cgroup_where *cgroup_where(const struct cgroup *cg)
{
        return cg->where;
}

struct cgroup_dir *cgroup_dir_of(struct cgroup *cg, enum cgroup_ctl ctl)
{
        for (size_t i = 0; i < cg->n_dirs; i++)
                if (cg->dirs[i].h->ctls & 1U << ctl)
                        return cgroup_dir_open(cg, &cg->dirs[i]) ? &cg->dirs[i] : NULL;
        return NULL;
}

struct cgroup_dir *cgroup_dir_v2(struct cgroup *cg)
{
        for (size_t i = 0; i < cg->n_dirs; i++)
                if (cg->dirs[i].h->v2)
                        return cgroup_dir_open(cg, &cg->dirs[i]) ? &cg->dirs[i] : NULL;
        return NULL;
}

struct cgroup_dir *cgroup_dir_main(struct cgroup *cg)
{
        static const enum cgroup_ctl order[] = { CTL_DEVICES, CTL_FREEZER, CTL_PIDS, CTL_MEMORY };

        for (size_t i = 0; i < COR_COUNT(order); i++) {
                struct cgroup_dir *d = cgroup_dir_of(cg, order[i]);

                if (d)
                        return d;
        }
        for (size_t i = 0; i < cg->n_dirs; i++)
                if (cgroup_dir_open(cg, &cg->dirs[i]))
                        return &cg->dirs[i];
        return NULL;
}

bool cgroup_exists(const struct cgroup *cg)
{
        /* opening what is there is no change that a caller could see */
        struct cgroup_dir *d = cgroup_dir_main((struct cgroup *)(uintptr_t)cg);

        return d && cgroup_has_file(d, "cgroup.procs"); /* an open directory outlives its removal */
}

size_t cgroup_mounts(const struct cgroup *cg, const struct cgroup_mount **ret)
{
        struct cgroup *self = (struct cgroup *)(uintptr_t)cg; /* filled at the first call */

        for (size_t i = 0; i < cg->n_dirs; i++) {
                const struct cgroup_hierarchy *h = cg->dirs[i].h;
                struct cgroup_mount *m = &self->mounts[i];

                m->path = cg->dirs[i].path;
                if (m->source)
                        continue;
                m->name = cor_strdup(strcmp(h->dir, ".") == 0 ? "" : cor_base_name(h->dir));
                m->option = h->v2 ? NULL : h->name;
                if (*h->dir == '/')
                        m->source = cor_strdup(h->dir);
                else if (*m->name)
                        m->source = cor_printf("%s/%s", cg->layout.root, h->dir);
                else
                        m->source = cor_strdup(cg->layout.root);
        }
        *ret = cg->mounts;
        return cg->n_dirs;
}

/* --- making ------------------------------------------------------------------------------------------------------ */

static bool not_allowed(const struct cor_err *err)
{
        return err->sys == EACCES || err->sys == EPERM || err->sys == EROFS;
}

/* A rootless container may go without cgroups if nobody asked for something that needs them. */
static int go_without(struct cgroup *cg, const struct cgroup_request *req, struct cor_err *err)
{
        if (!req->rootless || !not_allowed(err))
                return -1;
        if (req->path && *req->path)
                return cor_wrap(err, "linux.cgroupsPath");
        if (cgroup_wants_limits(req->resources))
                return cor_wrap(err, "limits (linux.resources) need a cgroup, and rootless this one cannot be made");
        cor_err_clear(err);
        cgroup_unmake_dirs(cg);
        close_dirs(cg);
        return 0;
}

int cgroup_create(const struct cgroup_request *req, const struct cgroup_where *where, struct cgroup **ret,
                  struct cor_err *err)
{
        auto_cgroup cg = cgroup_new(where);

        if (where->manager == CGROUP_DISABLED) {
                *ret = COR_TAKE(cg);
                return 0;
        }
        if (cgroup_check_resources(where->mode, req->resources, err) < 0)
                return -1;
        if (cgroup_layout_read(&cg->layout, err) < 0)
                return -1;
        cgroup_set_paths(cg);
        if (where->manager == CGROUP_SYSTEMD) {
                cg->pending = true;
                cg->request = *req;
                *ret = COR_TAKE(cg);
                return 0;
        }
        if (cgroup_make_dirs(cg, true, err) < 0) {
                if (go_without(cg, req, err) < 0) {
                        cgroup_unmake_dirs(cg);
                        return -1;
                }
        } else if (cgroup_apply(cg, req->resources, false, err) < 0) {
                cgroup_unmake_dirs(cg);
                return -1;
        }
        *ret = COR_TAKE(cg);
        return 0;
}

int cgroup_update(struct cgroup *cg, const struct oci_resources *r, struct cor_err *err)
{
        if (!r)
                return 0;
        if (cgroup_check_resources(cg->layout.n_hs ? (int)cg->layout.mode : cg->where->mode, r, err) < 0)
                return -1;
        if (!cgroup_exists(cg))
                return cor_fail(err, COR_NOT_FOUND, "cannot change limits: the container has no cgroup");
        if (cg->where->manager == CGROUP_SYSTEMD && cgroup_systemd_update(cg, r, err) < 0)
                return -1;
        return cgroup_apply(cg, r, true, err);
}

/* Taking a cgroup away. */
#include "linux/cgroup_priv.h"

#include "base/fd.h"
#include "base/process.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

enum { SCOPE_ENDS_MS = 500, MAX_REMOVE_STEPS = 1 << 20 };

/* The name of some directory in @fd, or NULL; free() */
static char *first_dir(int fd)
{
        int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR *dir = copy < 0 ? NULL : fdopendir(copy);
        char *name = NULL;
        struct dirent *e;

        if (!dir) {
                cor_fd_close(&copy);
                return NULL;
        }
        while (!name && (e = readdir(dir)))
                if (e->d_type == DT_DIR && strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
                        name = cor_strdup(e->d_name);
        closedir(dir);
        return name;
}

static bool go(int *fd, const char *name)
{
        int next = openat(*fd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

        if (next < 0)
                return false;
        cor_fd_close(fd);
        *fd = next;
        return true;
}

/* Remove all below @at, which is taken: down to a leaf, up by "..", whatever the depth (see cgroup_procs.c). */
static int remove_children(int at)
{
        auto_fd fd = at;
        auto_strv names = { .n_items = 0 };

        for (int steps = 0;; steps++) {
                char *name = first_dir(fd);
                int r, sys;

                if (name) {
                        cor_strv_take(&names, name);
                        if (!go(&fd, name))
                                return -1;
                        if (steps < MAX_REMOVE_STEPS)
                                continue;
                        errno = EBUSY; /* somebody makes them faster than we remove them */
                        return -1;
                }
                if (names.n_items == 0)
                        return 0;
                if (!go(&fd, ".."))
                        return -1;
                name = names.items[--names.n_items];
                names.items[names.n_items] = NULL;
                r = unlinkat(fd, name, AT_REMOVEDIR);
                sys = errno;
                free(name);
                errno = sys;
                if (r < 0 && sys != ENOENT)
                        return -1;
        }
}

int cgroup_remove_tree(int root_fd, const char *full)
{
        int fd;

        if (unlinkat(root_fd, full, AT_REMOVEDIR) == 0 || errno == ENOENT)
                return 0;
        if (errno != EBUSY && errno != ENOTEMPTY)
                return -1;
        fd = openat(root_fd, full, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0)
                return errno == ENOENT ? 0 : -1;
        if (remove_children(fd) < 0)
                return -1;
        return unlinkat(root_fd, full, AT_REMOVEDIR) == 0 || errno == ENOENT ? 0 : -1;
}

/* Version 2 tells when the last process has left; elsewhere there is nothing but looking again. */
static bool wait_empty(struct cgroup *cg, struct cgroup_dir *d, unsigned *round, int64_t deadline)
{
        struct pollfd p = { .fd = -1, .events = POLLPRI };
        int64_t left = deadline - cor_now_ms();
        char text[256];
        ssize_t n;

        if (left <= 0)
                return false;
        if (d->h->v2 && cgroup_dir_open(cg, d))
                p.fd = openat(d->fd, "cgroup.events", O_RDONLY | O_CLOEXEC);
        if (p.fd < 0)
                return cgroup_nap(round, deadline);
        n = read(p.fd, text, sizeof text - 1);
        text[n > 0 ? n : 0] = '\0';
        if (strstr(text, "populated 1"))
                (void)poll(&p, 1, (int)left);
        else
                (void)!cgroup_nap(round, deadline); /* empty and still busy: the kernel is about to finish */
        cor_fd_close(&p.fd);
        return true;
}

static int remove_dir(struct cgroup *cg, struct cgroup_dir *d, int64_t deadline, struct cor_err *err)
{
        unsigned round = 0;

        while (cgroup_remove_tree(cg->layout.root_fd, d->full) < 0) {
                if (errno == EBUSY && wait_empty(cg, d, &round, deadline))
                        continue;
                if (errno == EBUSY)
                        return cor_fail(err, COR_BUSY, "cannot remove cgroup %s/%s: it still has processes",
                                        cg->layout.root, d->full);
                return cor_fail_errno(err, "cannot remove cgroup %s/%s", cg->layout.root, d->full);
        }
        cor_fd_close(&d->fd);
        d->tried = true;
        return 0;
}

static bool wait_gone(struct cgroup *cg, int timeout_ms)
{
        int64_t deadline = cor_now_ms() + timeout_ms;
        struct cgroup_dir *d = cgroup_dir_main(cg);
        unsigned round = 0;

        while (d && cgroup_has_file(d, "cgroup.procs"))
                if (!cgroup_nap(&round, deadline))
                        return false;
        return true;
}

/*
 * An empty scope ends by itself: systemd is told by the kernel, forgets the unit and removes the directories. Only one
 * that stays has to be stopped. With processes that we see it must not be: somebody else is to end them. Those that we
 * do not see, since without a record nobody knows where a user's systemd has made the cgroup, are killed by the stop.
 */
static int stop_scope(struct cgroup *cg, int64_t deadline, struct cor_err *err)
{
        struct cgroup_dir *d = cgroup_dir_main(cg);
        unsigned round = 0;

        if (cg->pending)
                return 0;
        for (;;) {
                auto_free pid_t *pids = NULL;
                size_t n = 0;

                if (cgroup_pids(cg, &pids, &n, err) < 0)
                        return -1;
                if (n == 0)
                        break;
                if (!wait_empty(cg, d, &round, deadline))
                        return cor_fail(err, COR_BUSY, "cannot remove cgroup %s: it still has processes",
                                        cg->where->path);
        }
        if (d && wait_gone(cg, SCOPE_ENDS_MS))
                return 0;
        if (cgroup_systemd_stop(cg, err) == 0)
                return 0;
        if (d || err->kind != COR_UNSUPPORTED)
                return -1;
        cor_err_clear(err); /* without the helper program nothing can have been started */
        return 0;
}

int cgroup_destroy(struct cgroup *cg, int timeout_ms, struct cor_err *err)
{
        int64_t deadline = cor_now_ms() + timeout_ms;

        if (cg->where->manager == CGROUP_SYSTEMD && stop_scope(cg, deadline, err) < 0)
                return -1;
        for (size_t i = 0; i < cg->n_dirs; i++) {
                struct cgroup_dir *d = &cg->dirs[i];

                if (strcmp(d->path, "/") == 0)
                        continue;
                if (remove_dir(cg, d, deadline, err) < 0) {
                        if (cg->where->rootless && (err->sys == EACCES || err->sys == EPERM || err->sys == EROFS) &&
                            !cgroup_dir_open(cg, d)) {
                                cor_err_clear(err);
                                continue;
                        }
                        return -1;
                }
        }
        return 0;
}

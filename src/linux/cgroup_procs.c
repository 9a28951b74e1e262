/*
 * The processes of a cgroup and of all below it. A container that manages its own cgroups may nest them deeper than
 * there are descriptors or than a path can be long, so trees are walked with one descriptor: down by name, up by "..".
 */
#include "linux/cgroup_priv.h"

#include "base/fd.h"
#include "base/file.h"
#include "base/process.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

enum { MAX_DEPTH = 1 << 16, MAX_PROCS_BYTES = 64 << 20 };

/* The names of the directories in @fd. */
static int list_dirs(int fd, struct cor_strv *ret)
{
        int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR *dir = copy < 0 ? NULL : fdopendir(copy);
        struct dirent *e;

        if (!dir) {
                cor_fd_close(&copy);
                return -1;
        }
        while ((e = readdir(dir)))
                if (e->d_type == DT_DIR && strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
                        cor_strv_add(ret, e->d_name);
        closedir(dir);
        return 0;
}

struct pids {
        pid_t *items;
        size_t n_items;
};

/* Add what cgroup.procs of @fd lists; processes of threaded cgroups are listed by the domain above them. */
static int add_pids(int fd, struct pids *pids, struct cor_err *err)
{
        auto_fd procs = openat(fd, "cgroup.procs", O_RDONLY | O_CLOEXEC);
        auto_str text = NULL;
        struct cor_err why = { 0 };
        uint64_t pid;

        if (procs < 0)
                return errno == ENOENT ? 0 : cor_fail_errno(err, "open cgroup.procs");
        if (cor_read_fd(procs, "cgroup.procs", MAX_PROCS_BYTES, &text, NULL, &why) < 0) {
                if (why.sys == EOPNOTSUPP || why.sys == ENODEV || why.sys == ENOENT)
                        return 0;
                *err = why;
                return -1;
        }
        for (char *s = text; cgroup_parse_u64(&s, &pid); s += *s == '\n')
                if (pid > 0) /* 0: not visible from our pid namespace */
                        *COR_GROW(pids->items, pids->n_items) = (pid_t)pid;
        return 0;
}

struct level {
        struct cor_strv names;
        size_t next;
};
struct walk {
        struct level *items;
        size_t n_items;
};

static void walk_done(struct walk *w)
{
        for (size_t i = 0; i < w->n_items; i++)
                cor_strv_done(&w->items[i].names);
        free(w->items);
}

/* One more level: the directories in @fd. */
static void push(struct walk *w, int fd)
{
        struct level *level = COR_GROW(w->items, w->n_items);

        (void)!list_dirs(fd, &level->names); /* one that was removed meanwhile has no children */
}

/* Walk the tree below @at, which is taken, and collect. */
static int walk(int at, struct pids *pids, struct cor_err *err)
{
        COR_CLEANUP(walk_done) struct walk w = { .n_items = 0 };
        auto_fd fd = at;

        if (add_pids(fd, pids, err) < 0)
                return -1;
        push(&w, fd);
        while (w.n_items > 0) {
                struct level *top = &w.items[w.n_items - 1];
                int next;

                if (top->next < top->names.n_items && w.n_items < MAX_DEPTH) {
                        next = openat(fd, top->names.items[top->next++], O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
                        if (next < 0)
                                continue; /* removed meanwhile */
                        cor_fd_close(&fd);
                        fd = next;
                        if (add_pids(fd, pids, err) < 0)
                                return -1;
                        push(&w, fd);
                        continue;
                }
                cor_strv_done(&top->names);
                if (--w.n_items == 0)
                        break;
                next = openat(fd, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
                if (next < 0)
                        return cor_fail_errno(err, "walk the tree of cgroups");
                cor_fd_close(&fd);
                fd = next;
        }
        return 0;
}

static int by_number(const void *a, const void *b)
{
        pid_t x = *(const pid_t *)a, y = *(const pid_t *)b;

        return (x > y) - (x < y);
}

static int pids_of(struct cgroup_dir *d, struct pids *ret, struct cor_err *err)
{
        int fd = openat(d->fd, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);

        if (fd < 0)
                return errno == ENOENT ? 0 : cor_fail_errno(err, "open cgroup %s", d->path);
        if (walk(fd, ret, err) < 0)
                return cor_wrap(err, "cgroup %s", d->path);
        if (ret->n_items > 0)
                qsort(ret->items, ret->n_items, sizeof *ret->items, by_number);
        return 0;
}

int cgroup_pids(struct cgroup *cg, pid_t **ret, size_t *ret_n, struct cor_err *err)
{
        struct cgroup_dir *d = cgroup_dir_main(cg);
        struct pids pids = { .items = NULL };

        if (d && pids_of(d, &pids, err) < 0) {
                free(pids.items);
                return -1;
        }
        *ret = pids.items;
        *ret_n = pids.n_items;
        return 0;
}

/* --- signals ----------------------------------------------------------------------------------------------------- */

/* One round; *ret_n is how many were there to be signalled. Ourselves we leave out. */
static int signal_once(struct cgroup *cg, int sig, size_t *ret_n, struct cor_err *err)
{
        auto_free pid_t *pids = NULL;
        size_t n = 0;

        *ret_n = 0;
        if (cgroup_pids(cg, &pids, &n, err) < 0)
                return -1;
        for (size_t i = 0; i < n; i++) {
                if (pids[i] == getpid())
                        continue;
                if (kill(pids[i], sig) < 0) {
                        if (errno == ESRCH)
                                continue;
                        return cor_fail_errno(err, "signal process %d", (int)pids[i]);
                }
                ++*ret_n;
        }
        return 0;
}

/* Frozen, nobody can fork away from the list while it is worked through. */
static int kill_all(struct cgroup *cg, int64_t deadline, struct cor_err *err)
{
        unsigned round = 0;
        size_t n;

        for (;;) {
                int r;

                (void)!cgroup_freeze(cg, true, 100, NULL); /* without it, another round finds who got away */
                r = signal_once(cg, SIGKILL, &n, err);
                (void)!cgroup_freeze(cg, false, 0, NULL);
                if (r < 0 || n == 0)
                        return r;
                if (!cgroup_nap(&round, deadline))
                        return cor_fail(err, COR_TIMEOUT, "cgroup %s: %zu processes do not die of SIGKILL",
                                        cg->where->path, n);
        }
}

int cgroup_signal_all(struct cgroup *cg, int sig, int timeout_ms, struct cor_err *err)
{
        int64_t deadline = cor_now_ms() + timeout_ms;
        struct cgroup_dir *d;
        size_t n;

        if (cg->where->manager == CGROUP_DISABLED || cg->n_dirs == 0)
                return cor_fail(err, COR_UNSUPPORTED, "the container has no cgroup");
        if (sig != SIGKILL)
                return signal_once(cg, sig, &n, err);
        d = cgroup_dir_v2(cg);
        if (d && cgroup_write(d, "cgroup.kill", "1", NULL) == 0 && cg->layout.mode == CGROUP_V2)
                return 0;
        return kill_all(cg, deadline, err);
}

/*
 * Getting processes into a cgroup. The fast ways need the process itself: CLONE_INTO_CGROUP, and "0" written to `tasks`
 * of version 1 by a process with one thread. Writing a pid to cgroup.procs from outside takes a lock that waits for a
 * grace period of the kernel, hierarchy by hierarchy.
 */
#include "linux/cgroup_priv.h"

#include "base/fd.h"
#include "base/file.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_SUBS = 32 };

/* What the kernel means when it does not let a process in. */
static const char *why(int sys)
{
        switch (sys) {
        case ENOENT:
        case ENODEV:
                return " (the cgroup was removed meanwhile)";
        case ENOSPC:
                return " (the cpuset has no cpus or no memory nodes)";
        case EBUSY:
                return " (it has sub-cgroups with controllers, so it cannot have processes)";
        case EOPNOTSUPP:
                return " (it is invalid, or threaded, because of a cgroup above it)";
        case EINVAL:
                return " (a real-time process needs cpu.rt_runtime_us)";
        default:
                return "";
        }
}

static int write_zero(int fd)
{
        ssize_t n;

        do
                n = write(fd, "0", 1);
        while (n < 0 && errno == EINTR);
        return n < 0 ? -1 : 0;
}

int cgroup_entry_join(const struct cgroup_entry *e, bool cloned, struct cor_err *err)
{
        for (size_t i = cloned ? e->n_v2 : 0; i < e->n_fds; i++)
                if (write_zero(e->fds[i]) < 0)
                        return cor_fail_errno(err, "cannot enter the %s cgroup%s", e->names[i], why(errno));
        return 0;
}

void cgroup_entry_done(struct cgroup_entry *e)
{
        cor_fd_close(&e->clone_fd);
        for (size_t i = 0; i < e->n_fds; i++)
                cor_fd_close(&e->fds[i]);
        e->n_fds = 0;
        e->n_v2 = 0;
        free(COR_TAKE(e->place));
}

/* --- opening: which directory in each hierarchy ------------------------------------------------------------------ */

struct sub {
        char *controllers; /* comma-separated, or NULL for all hierarchies */
        char *path;        /* clean, without the leading slash; "" is the container's cgroup itself */
};

static void subs_done(struct sub (*subs)[MAX_SUBS])
{
        for (size_t i = 0; i < MAX_SUBS; i++) {
                free((*subs)[i].controllers);
                free((*subs)[i].path);
        }
}

static bool has_hierarchy(const struct cgroup *cg, const char *ctl)
{
        unsigned bits = cgroup_ctls_of(ctl, ',');

        for (size_t i = 0; i < cg->n_dirs; i++)
                if (!cg->dirs[i].h->v2 && ((cg->dirs[i].h->ctls & bits) || strcmp(cg->dirs[i].h->name, ctl) == 0))
                        return true;
        return false;
}

static int parse_sub(const struct cgroup *cg, const char *arg, size_t n_args, struct sub *ret, struct cor_err *err)
{
        const char *colon = strchr(arg, ':');
        auto_str clean = cor_path_clean(colon ? colon + 1 : arg), *names = NULL;
        char *cursor, *name;

        if (!colon && n_args > 1)
                return cor_fail(err, COR_INVALID, "--cgroup %s: with several, each needs CONTROLLER:PATH", arg);
        if (colon && cg->layout.mode == CGROUP_V2)
                return cor_fail(err, COR_INVALID, "--cgroup %s: CONTROLLER:PATH needs cgroup version 1", arg);
        ret->path = cor_strdup(clean + 1);
        if (!colon)
                return 0;
        ret->controllers = cor_strndup(arg, (size_t)(colon - arg));
        cursor = names = cor_strdup(ret->controllers);
        while ((name = cor_split_next(&cursor, ',')))
                if (!*name || !has_hierarchy(cg, name))
                        return cor_fail(err, COR_INVALID, "--cgroup %s: there is no controller '%s'", arg, name);
        return 0;
}

/* The sub-cgroup asked for in the hierarchy of @d, or "". */
static const char *sub_of(const struct cgroup_dir *d, const struct sub *subs, size_t n_subs)
{
        for (size_t i = 0; i < n_subs; i++) {
                if (!subs[i].controllers)
                        return subs[i].path;
                if (!d->h->v2 && ((cgroup_ctls_of(subs[i].controllers, ',') & d->h->ctls) ||
                                  strcmp(subs[i].controllers, d->h->name) == 0))
                        return subs[i].path;
        }
        return "";
}

/*
 * Where exec goes in the version 2 hierarchy: a cgroup whose children have controllers takes no processes (the
 * container's init, a systemd for example, has moved itself down); then the cgroup that init is in now. NULL: the
 * container's own.
 */
static char *init_place(const struct cgroup *cg, const struct cgroup_dir *d, pid_t init)
{
        auto_str text = NULL, *path = NULL;
        char file[48], enabled[512];
        size_t len = strlen(d->path);

        if (!cg->where->delegate) {
                if (cor_read_at(d->fd, "cgroup.subtree_control", enabled, sizeof enabled, NULL) <= 0)
                        return NULL;
        }
        snprintf(file, sizeof file, "/proc/%d/cgroup", (int)init);
        if (cor_read_file(file, 1 << 20, &text, NULL, NULL) < 0)
                return NULL;
        path = cgroup_proc_path(text, "");
        if (!path || strncmp(path, d->path, len) != 0 || path[len] != '/' || strstr(path, "/../"))
                return NULL; /* only what is below the container's cgroup */
        return cor_strdup(path + len + 1);
}

static int open_v2(const struct cgroup *cg, const struct cgroup_dir *d, const char *sub, pid_t init,
                   struct cgroup_entry *e, struct cor_err *err)
{
        const char *below;

        e->place = init && !*sub ? init_place(cg, d, init) : NULL;
        if (!e->place)
                e->place = cor_strdup(sub);
        below = *e->place ? e->place : ".";
        e->clone_fd = openat(d->fd, below, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (e->clone_fd < 0)
                return cor_fail_errno(err, "cgroup %s/%s", d->path, below);
        e->fds[e->n_fds] = openat(e->clone_fd, "cgroup.procs", O_WRONLY | O_CLOEXEC);
        if (e->fds[e->n_fds] < 0)
                return cor_fail_errno(err, "open cgroup.procs in cgroup %s/%s", d->path, below);
        e->names[e->n_fds++] = "version 2";
        e->n_v2 = 1;
        return 0;
}

static int open_v1(const struct cgroup_dir *d, const char *sub, struct cgroup_entry *e, struct cor_err *err)
{
        auto_str file = cor_printf("%s%stasks", sub, *sub ? "/" : "");
        int fd = openat(d->fd, file, O_WRONLY | O_CLOEXEC);

        if (fd < 0)
                return cor_fail_errno(err, "open %s in the %s cgroup %s", file, d->h->name, d->path);
        e->fds[e->n_fds] = fd;
        e->names[e->n_fds++] = d->h->name;
        return 0;
}

/* Version 2 comes first in the entry: cgroup_entry_join() skips it where CLONE_INTO_CGROUP did it. */
static int open_all(struct cgroup *cg, pid_t init, const struct sub *subs, size_t n_subs, struct cgroup_entry *e,
                    struct cor_err *err)
{
        struct cgroup_dir *v2 = cgroup_dir_v2(cg);

        if (v2 && open_v2(cg, v2, sub_of(v2, subs, n_subs), init, e, err) < 0)
                return -1;
        for (size_t i = 0; i < cg->n_dirs; i++) {
                struct cgroup_dir *d = &cg->dirs[i];

                if (!d->h->v2 && cgroup_dir_open(cg, d) && open_v1(d, sub_of(d, subs, n_subs), e, err) < 0)
                        return -1;
        }
        return 0;
}

int cgroup_entry_open(const struct cgroup *cg, pid_t init, const char *const *subs, size_t n_subs,
                      struct cgroup_entry *ret, struct cor_err *err)
{
        auto_cgroup_entry e = CGROUP_ENTRY_INIT;
        COR_CLEANUP(subs_done) struct sub parsed[MAX_SUBS] = { { NULL, NULL } };

        if (n_subs > MAX_SUBS)
                return cor_fail(err, COR_INVALID, "--cgroup: more than %d times", MAX_SUBS);
        for (size_t i = 0; i < n_subs; i++)
                if (parse_sub(cg, subs[i], n_subs, &parsed[i], err) < 0)
                        return -1;
        /* opening directories is no change that the caller could see */
        if (!cg->pending && open_all((struct cgroup *)(uintptr_t)cg, init, parsed, n_subs, &e, err) < 0)
                return -1;
        *ret = e;
        e = (struct cgroup_entry)CGROUP_ENTRY_INIT;
        return 0;
}

int cgroup_entry_attach(const struct cgroup *cg, const struct cgroup_entry *e, pid_t pid, struct cor_err *err)
{
        if (!cg->where->unit || !e->place)
                return cor_fail(err, COR_UNSUPPORTED, "the cgroup is not systemd's");
        return cgroup_systemd_attach(cg, e->place, pid, err);
}

/* --- from outside ------------------------------------------------------------------------------------------------ */

int cgroup_write_pid(struct cgroup_dir *d, pid_t pid, struct cor_err *err)
{
        char text[16];
        int n = snprintf(text, sizeof text, "%d", (int)pid);
        auto_fd fd = openat(d->fd, "cgroup.procs", O_WRONLY | O_CLOEXEC);

        if (fd < 0 || write(fd, text, (size_t)n) < 0)
                return cor_fail_errno(err, "cannot move process %d into cgroup %s%s", (int)pid, d->path, why(errno));
        return 0;
}

int cgroup_attach(struct cgroup *cg, pid_t pid, struct cor_err *err)
{
        if (cg->pending)
                return cgroup_systemd_start(cg, &cg->request, pid, err);
        for (size_t i = 0; i < cg->n_dirs; i++)
                if (cgroup_dir_open(cg, &cg->dirs[i]) && cgroup_write_pid(&cg->dirs[i], pid, err) < 0)
                        return -1;
        return 0;
}

/* The files that whoever manages a delegated cgroup has to be able to write. */
static int chown_dir(int fd, const char *path, uid_t uid, gid_t gid, struct cor_err *err)
{
        auto_str list = NULL;
        char *cursor, *name;

        if (cor_read_file("/sys/kernel/cgroup/delegate", 1 << 16, &list, NULL, NULL) < 0)
                list = cor_strdup("cgroup.procs\ncgroup.threads\ncgroup.subtree_control\n");
        if (fchownat(fd, "", uid, gid, AT_EMPTY_PATH) < 0)
                return cor_fail_errno(err, "change the owner of cgroup %s", path);
        cursor = list;
        while ((name = cgroup_next_line(&cursor)))
                if (fchownat(fd, name, uid, gid, AT_SYMLINK_NOFOLLOW) < 0 && errno != ENOENT)
                        return cor_fail_errno(err, "change the owner of %s in cgroup %s", name, path);
        return 0;
}

int cgroup_chown(struct cgroup *cg, uid_t uid, gid_t gid, struct cor_err *err)
{
        struct cgroup_dir *d = cg->layout.mode == CGROUP_V2 ? cgroup_dir_v2(cg) : NULL;

        return d ? chown_dir(d->fd, d->path, uid, gid, err) : 0;
}

/* Make @path below @d, each directory owned by @uid:@gid; its descriptor. */
static int make_owned(struct cgroup_dir *d, const char *path, uid_t uid, gid_t gid, struct cor_err *err)
{
        auto_str copy = cor_strdup(path);
        auto_fd at = fcntl(d->fd, F_DUPFD_CLOEXEC, 3);
        char *cursor = copy, *name;

        while ((name = cor_split_next(&cursor, '/'))) {
                int next;

                if (mkdirat(at, name, 0755) < 0 && errno != EEXIST)
                        return cor_fail_errno(err, "make cgroup %s/%s", d->path, path);
                next = openat(at, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
                if (next < 0)
                        return cor_fail_errno(err, "open cgroup %s/%s", d->path, path);
                cor_fd_close(&at);
                at = next;
                if (chown_dir(at, path, uid, gid, err) < 0)
                        return -1;
        }
        return cor_fd_take(&at);
}

int cgroup_delegate(struct cgroup *cg, pid_t pid, uid_t uid, gid_t gid, struct cor_err *err)
{
        struct cgroup_dir *d = cg->where->delegate ? cgroup_dir_v2(cg) : NULL;
        struct cgroup_dir sub;
        int r;

        if (!d)
                return 0;
        sub = (struct cgroup_dir){ .h = d->h, .fd = make_owned(d, cg->where->delegate, uid, gid, err) };
        if (sub.fd < 0)
                return -1;
        sub.path = cor_printf("%s/%s", d->path, cg->where->delegate);
        r = cgroup_write_pid(&sub, pid, err);
        cor_fd_close(&sub.fd);
        free(sub.path);
        return r;
}

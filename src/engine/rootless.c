/*
 * Two processes: the caller unshares its user namespace; a child, forked before and so still outside, runs newuidmap
 * and newgidmap on it, and ends.
 *
 *      caller                      child
 *      fork
 *      unshare(CLONE_NEWUSER)      waits for a byte
 *      one byte         ────────►  writes the maps
 *                       ◄────────  its struct cor_err, of kind COR_OK if all went well
 *
 * The list of those inside is locked meanwhile: of two who find it empty the second one joins the first.
 */
#include "engine/rootless.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/lock.h"
#include "base/process.h"
#include "base/text.h"
#include "linux/idmap.h"
#include "linux/namespace.h"
#include "linux/procfs.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

static bool entered;

static _Noreturn void child_run(int sock, pid_t caller, const struct idmap *map)
{
        struct cor_err err = { 0 };
        auto_fd procfs = -1;
        char go;

        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() == caller && read(sock, &go, 1) == 1) {
                procfs = procfs_open(&err);
                if (procfs >= 0 && idmap_write(procfs, caller, map, &err) == 0)
                        cor_err_clear(&err);
                (void)!write(sock, &err, sizeof err);
        }
        _exit(0);
}

static int unshare_user(struct cor_err *err)
{
        if (unshare(CLONE_NEWUSER) == 0)
                return 0;
        if (errno == EPERM || errno == ENOSPC || errno == EACCES)
                return cor_fail(err, COR_DENIED,
                                "this user may not make user namespaces (see the sysctls user.max_user_namespaces, "
                                "kernel.unprivileged_userns_clone, kernel.apparmor_restrict_unprivileged_userns)");
        return cor_fail_errno(err, "make a user namespace");
}

/* In the caller: unshare, let the child write the maps, and hear how it went. */
static int enter(int sock, struct cor_err *err)
{
        struct cor_err told = { 0 };
        ssize_t n;

        if (unshare_user(err) < 0)
                return -1;
        if (write(sock, "", 1) != 1)
                return cor_fail_errno(err, "map ids");
        n = cor_read_full(sock, &told, sizeof told, err);
        if (n < 0)
                return cor_wrap(err, "map ids");
        if ((size_t)n < sizeof told)
                return cor_fail(err, COR_SYSTEM, "map ids: the helper process died");
        if (told.kind == COR_OK)
                return 0;
        *err = told;
        return cor_wrap(err, "map ids");
}

static int check_ids(const struct idmap *map, struct cor_err *err)
{
        if (map->n_uids > 1 && map->n_gids > 1)
                return 0;
        return cor_fail(err, COR_DENIED,
                        "this user has no subordinate ids, which the files of images need: let root install newuidmap "
                        "and newgidmap (package uidmap) and run usermod --add-subuids 100000-165535 --add-subgids "
                        "100000-165535 USER");
}

static int make(struct cor_err *err)
{
        auto_idmap map = { 0 };
        pid_t caller = getpid(), child;
        int sock[2], r;

        if (idmap_rootless_default(0, 0, &map, err) < 0 || check_ids(&map, err) < 0)
                return -1;
        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sock) < 0)
                return cor_fail_errno(err, "socket pair");
        child = fork();
        if (child == 0) {
                close(sock[0]);
                child_run(sock[1], caller, &map);
        }
        close(sock[1]);
        r = child < 0 ? cor_fail_errno(err, "fork") : enter(sock[0], err);
        close(sock[0]);
        if (child > 0)
                while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
                        ;
        return r;
}

/* --------------------------------------------------------------------------------------------- who is in it already */

#define LIST "namespace"
enum { LIST_MAX = 1 << 20, LOCK_MS = 30000 };

/* The folder with the list; -1 without an error where a user has no such place: then nothing can be shared. */
static int open_run(struct cor_err *err)
{
        const char *own = getenv("CORACLE_RUN"), *xdg = getenv("XDG_RUNTIME_DIR");
        auto_str path = own && own[0] == '/'   ? cor_strdup(own)
                        : xdg && xdg[0] == '/' ? cor_printf("%s/coracle", xdg)
                                               : NULL;
        int fd;

        if (!path)
                return -1;
        if (cor_mkdirs(path, 0700, err) < 0)
                return -1;
        fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        return fd < 0 ? cor_fail_errno(err, "open %s", path) : fd;
}

/* Those of @list that live go to @out; the first one's number is the answer, 0 if there is none. */
static struct cor_procid sort_out(char *list, struct cor_text *out)
{
        struct cor_procid first = { 0 };
        char *line;

        while ((line = cor_split_next(&list, '\n'))) {
                struct cor_procid id = { 0 };
                char *start = line;
                const char *pid = cor_split_next(&start, ' ');

                if (!start || cor_parse_i32(pid, &id.pid) < 0 || cor_parse_u64(start, &id.start_time) < 0 ||
                    !cor_procid_alive(&id))
                        continue;
                if (first.pid == 0)
                        first = id;
                cor_text_printf(out, "%d %llu\n", (int)id.pid, (unsigned long long)id.start_time);
        }
        return first;
}

static int read_list(int run, struct cor_text *out, struct cor_procid *ret_first, struct cor_err *err)
{
        auto_str list = NULL;

        if (cor_own_read(run, LIST, LIST_MAX, &list, NULL, err) < 0 && err->kind != COR_NOT_FOUND)
                return -1;
        *ret_first = list ? sort_out(list, out) : (struct cor_procid){ 0 };
        return 0;
}

/* @pid is in, and so are those of @others; the lock is held. */
static int write_list(int run, struct cor_text *others, pid_t pid, struct cor_err *err)
{
        struct cor_procid id;

        if (cor_procid_get(pid, &id, NULL, err) < 0)
                return -1;
        cor_text_printf(others, "%d %llu\n", (int)id.pid, (unsigned long long)id.start_time);
        return cor_own_write(run, LIST, others->s, others->len, 0600, false, err);
}

static int join(const struct cor_procid *id, struct cor_err *err)
{
        auto_fd pidfd = cor_procid_open(id, err);

        return pidfd < 0 ? -1 : namespace_enter_pidfd(pidfd, CLONE_NEWUSER, err);
}

/* Mounts are made in a namespace of our own, which sees what the host mounts later. */
static int own_mounts(struct cor_err *err)
{
        if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0)
                return cor_fail_errno(err, "make a mount namespace");
        return 0;
}

static int enter_shared(int run, struct cor_err *err)
{
        auto_text others = COR_TEXT_INIT;
        struct cor_procid first;
        auto_fd lock = cor_lock_file(run, LIST ".lock", LOCK_MS, err);

        if (lock < 0 || read_list(run, &others, &first, err) < 0)
                return -1;
        if ((first.pid == 0 || join(&first, err) < 0) && make(err) < 0) /* it may have ended meanwhile */
                return -1;
        return write_list(run, &others, getpid(), err);
}

int rootless_enter(struct cor_err *err)
{
        auto_fd run = -1;

        cor_err_clear(err);
        run = open_run(err);
        if (run < 0 && err->kind != COR_OK)
                return cor_wrap(err, "rootless");
        if ((run >= 0 ? enter_shared(run, err) : make(err)) < 0 || own_mounts(err) < 0)
                return cor_wrap(err, "rootless");
        entered = true;
        return 0;
}

bool rootless_entered(void)
{
        return entered;
}

int rootless_add(pid_t pid, struct cor_err *err)
{
        auto_text others = COR_TEXT_INIT;
        struct cor_procid first;
        auto_fd run = -1, lock = -1;

        if (!entered)
                return 0;
        cor_err_clear(err);
        run = open_run(err);
        if (run < 0)
                return err->kind == COR_OK ? 0 : -1;
        lock = cor_lock_file(run, LIST ".lock", LOCK_MS, err);
        if (lock < 0 || read_list(run, &others, &first, err) < 0)
                return -1;
        return write_list(run, &others, pid, err);
}

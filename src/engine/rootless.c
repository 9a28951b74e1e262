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
#include "base/members.h"
#include "base/process.h"
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

static int enter_shared(struct members *m, struct cor_err *err)
{
        if ((m->first.pid == 0 || join(&m->first, err) < 0) && make(err) < 0) /* it may have ended meanwhile */
                return -1;
        return members_add(m, getpid(), err);
}

int rootless_enter(struct cor_err *err)
{
        auto_members m = MEMBERS_INIT;
        int r = members_begin(LIST, &m, err);

        if (r < 0 || (r > 0 ? enter_shared(&m, err) : make(err)) < 0 || own_mounts(err) < 0)
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
        auto_members m = MEMBERS_INIT;
        int r = entered ? members_begin(LIST, &m, err) : 0;

        return r > 0 ? members_add(&m, pid, err) : r;
}

/*
 * Two processes: the caller unshares its user namespace; a child, forked before and so still outside, runs newuidmap
 * and newgidmap on it, and ends.
 *
 *      caller                      child
 *      fork
 *      unshare(CLONE_NEWUSER)      waits for a byte
 *      one byte         ────────►  writes the maps
 *                       ◄────────  its struct cor_err, of kind COR_OK if all went well
 */
#include "engine/rootless.h"
#include "base/fd.h"
#include "base/process.h"
#include "linux/idmap.h"
#include "linux/procfs.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

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

int rootless_enter(struct cor_err *err)
{
        auto_idmap map = { 0 };
        pid_t caller = getpid(), child;
        int sock[2], r;

        if (idmap_rootless_default(0, 0, &map, err) < 0 || check_ids(&map, err) < 0)
                return cor_wrap(err, "rootless");
        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sock) < 0)
                return cor_fail_errno(err, "rootless: socket pair");
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
        return r < 0 ? cor_wrap(err, "rootless") : 0;
}

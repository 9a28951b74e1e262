#include "runtime/lifecycle.h"
#include "runtime/record.h"

#include "base/fd.h"

#include <sched.h>
#include <signal.h>
#include <unistd.h>

enum { KILL_TIMEOUT_MS = 10000 };

/* A pid can be recycled between the look at it and the signal; a pidfd cannot. */
static int signal_init(const struct container *c, int sig, struct cor_err *err)
{
        struct cor_procid init = container_init_process(c);
        auto_fd pidfd = -1;

        if (init.pid == 0 || !cor_procid_alive(&init))
                return cor_fail(err, COR_BUSY, "container not running");
        pidfd = cor_procid_open(&init, err);
        if (pidfd < 0)
                return -1;
        return cor_pidfd_signal(pidfd, sig, err);
}

/* In a frozen cgroup of version 1 a process does not even die. */
static int kill_init(const struct container *c, struct cor_err *err)
{
        struct cor_err ignored;
        auto_cgroup cg = NULL;

        if (signal_init(c, SIGKILL, err) < 0)
                return -1;
        if (container_cgroup(c, &cg, &ignored) == 0 && cgroup_is_frozen(cg, &ignored) == 1)
                (void)!cgroup_freeze(cg, false, KILL_TIMEOUT_MS, &ignored);
        return 0;
}

static bool has_own_pids(const struct container *c)
{
        struct cor_err err;
        auto_json struct oci_config *config = NULL;

        return container_config(c, &config, &err) < 0 || oci_namespace_new(config, CLONE_NEWPID);
}

int container_kill(const struct runtime_context *ctx, const char *id, int sig, bool all, struct cor_err *err)
{
        auto_container c = CONTAINER_INIT;
        auto_cgroup cg = NULL;

        if (container_open(ctx, id, &c, err) < 0)
                return -1;
        /* without a pid namespace of its own nobody else ends what init leaves behind */
        if (!all && (sig != SIGKILL || has_own_pids(&c)))
                return sig == SIGKILL ? kill_init(&c, err) : signal_init(&c, sig, err);
        if (container_cgroup(&c, &cg, err) < 0)
                return -1;
        if (!cgroup_exists(cg))
                return signal_init(&c, sig, err);
        return cgroup_signal_all(cg, sig, KILL_TIMEOUT_MS, err);
}

/* `update`: other limits and another restart policy for a container that is there. */
#include "engine/spec_internal.h"

#include <string.h>

/* The limits, as both documents have them; what is not set in @change stays. */
static void put_limits(struct docker_host_config *to, const struct docker_host_config *change)
{
#define TAKE(M)                                                                                                        \
        if (change->M != 0)                                                                                            \
        to->M = change->M
        TAKE(blkio_weight);
        TAKE(cpu_shares);
        TAKE(nano_cpus);
        TAKE(cpu_period);
        TAKE(cpu_quota);
        TAKE(cpu_realtime_period);
        TAKE(cpu_realtime_runtime);
        TAKE(memory);
        TAKE(memory_swap);
        TAKE(memory_reservation);
#undef TAKE
        if (!spec_empty(change->cpuset_cpus))
                to->cpuset_cpus = spec_copy(to, change->cpuset_cpus);
        if (!spec_empty(change->cpuset_mems))
                to->cpuset_mems = spec_copy(to, change->cpuset_mems);
        if (change->pids_limit.set)
                to->pids_limit = change->pids_limit;
}

static int check_conflicts(const struct docker_host_config *now, const struct docker_host_config *c,
                           struct cor_err *err)
{
        const char *why = NULL;

        if (c->nano_cpus > 0 && now->cpu_period > 0)
                why = "Nano CPUs cannot be updated as CPU Period has already been set";
        else if (c->nano_cpus > 0 && now->cpu_quota > 0)
                why = "Nano CPUs cannot be updated as CPU Quota has already been set";
        else if (c->cpu_period > 0 && now->nano_cpus > 0)
                why = "CPU Period cannot be updated as NanoCPUs has already been set";
        else if (c->cpu_quota > 0 && now->nano_cpus > 0)
                why = "CPU Quota cannot be updated as NanoCPUs has already been set";
        if (why)
                return cor_fail(err, COR_INVALID, "Conflicting options: %s", why);
        if (c->memory != 0 && c->memory > now->memory_swap && c->memory_swap == 0 && now->memory_swap != -1)
                return cor_fail(err, COR_INVALID,
                                "Memory limit should be smaller than already set memoryswap limit, update the "
                                "memoryswap at the same time");
        if (!spec_empty(c->restart_policy.name) && now->auto_remove && !spec_is(c->restart_policy.name, "no"))
                return cor_fail(err, COR_INVALID,
                                "Restart policy cannot be updated because AutoRemove is enabled for the container");
        return 0;
}

/* What is asked for is judged by itself: a limit that this machine does not know is taken out of it. */
static int check_change(struct docker_host_config *change, struct cor_strv *warnings, struct cor_err *err)
{
        return spec_check_resources(change, true, warnings, err) < 0 || spec_check_restart(change, err) < 0 ? -1 : 0;
}

int spec_check_update(struct docker_host_config *now, const struct docker_host_config *change,
                      struct cor_strv *warnings, struct cor_err *err)
{
        struct docker_host_config c = *change; /* lists stay the caller's, and are not written to */

        if (check_change(&c, warnings, err) < 0 || check_conflicts(now, &c, err) < 0)
                return -1;
        put_limits(now, &c);
        if (!spec_empty(c.restart_policy.name)) {
                now->restart_policy.name = spec_copy(now, c.restart_policy.name);
                now->restart_policy.maximum_retry_count = c.restart_policy.maximum_retry_count;
        }
        return 0;
}

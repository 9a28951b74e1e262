#include "linux/sched.h"

#include <linux/sched/types.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { WHO_PROCESS = 1, CLASS_SHIFT = 13 }; /* ioprio_set(2) */

int sched_apply(const struct oci_scheduler *s, struct cor_err *err)
{
        struct sched_attr attr = {
                .size = sizeof attr,
                .sched_policy = (uint32_t)s->policy,
                .sched_nice = s->nice,
                .sched_priority = (uint32_t)s->priority,
                .sched_runtime = s->runtime,
                .sched_deadline = s->deadline,
                .sched_period = s->period,
        };

        for (size_t i = 0; i < s->n_flags; i++)
                attr.sched_flags |= (uint64_t)(unsigned)s->flags[i];
        if (syscall(SYS_sched_setattr, 0, &attr, 0) < 0)
                return cor_fail_errno(err, "process.scheduler: set the policy");
        return 0;
}

int sched_apply_io(const struct oci_io_priority *p, struct cor_err *err)
{
        if (p->priority < 0 || p->priority > 7)
                return cor_fail(err, COR_INVALID, "process.ioPriority.priority: %d, expected 0 to 7", p->priority);
        if (syscall(SYS_ioprio_set, WHO_PROCESS, 0, p->class_ << CLASS_SHIFT | p->priority) < 0)
                return cor_fail_errno(err, "process.ioPriority: set the class and priority");
        return 0;
}

int sched_set_cpus(pid_t pid, const struct bitlist *cpus, struct cor_err *err)
{
        size_t longs = (cpus->n_bits + 8 * sizeof(long) - 1) / (8 * sizeof(long));

        if (syscall(SYS_sched_setaffinity, pid, longs * sizeof(long), cpus->bits) < 0)
                return cor_fail_errno(err, "set the CPU affinity");
        return 0;
}

int sched_reset_cpus(pid_t pid, struct cor_err *err)
{
        struct bitlist all;

        memset(all.bits, 0xff, sizeof all.bits); /* the kernel takes away what the cpuset does not have */
        all.n_bits = BITLIST_MAX;
        return sched_set_cpus(pid, &all, err);
}

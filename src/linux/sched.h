#ifndef CORACLE_LINUX_SCHED_H
#define CORACLE_LINUX_SCHED_H
/* CPU and I/O scheduling of the calling process. None of these allocates. */
#include "linux/bitlist.h"
#include "spec/oci.h"
#include <sys/types.h>

/* sched_apply() - process.scheduler, by sched_setattr(2) */
int sched_apply(const struct oci_scheduler *s, struct cor_err *err) COR_MUST_CHECK;
/* sched_apply_io() - process.ioPriority, by ioprio_set(2) */
int sched_apply_io(const struct oci_io_priority *p, struct cor_err *err) COR_MUST_CHECK;
/* sched_set_cpus() - run @pid (0: the caller) on these processors only */
int sched_set_cpus(pid_t pid, const struct bitlist *cpus, struct cor_err *err) COR_MUST_CHECK;
/*
 * sched_reset_cpus() - run @pid on every processor that its cgroup's cpuset allows: an affinity inherited from whoever
 * started the runtime is none of the container's business
 */
int sched_reset_cpus(pid_t pid, struct cor_err *err) COR_MUST_CHECK;

#endif

#ifndef CORACLE_LINUX_CGROUP_STATS_H
#define CORACLE_LINUX_CGROUP_STATS_H
/* What the readers of statistics share; private to cgroup_stats*.c. */
#include "linux/cgroup_priv.h"

/* stats_v1() / stats_v2() - cpu, cpuset, memory and block I/O; what cannot be read stays zero */
void stats_v1(struct cgroup *cg, struct cgroup_stats *st);
void stats_v2(const struct cgroup_dir *d, struct cgroup_stats *st);

/* stats_pair() - "key 123", in place */
bool stats_pair(char *line, char **ret_key, uint64_t *ret);
/* stats_raw() - memory.stat into st->memory.raw; stats_raw_of() - one of them, 0 if absent */
void stats_raw(const struct cgroup_dir *d, struct cgroup_stats *st);
uint64_t stats_raw_of(const struct cgroup_stats *st, const char *name);
void stats_blkio_add(struct cgroup_stats *st, enum cgroup_blkio_kind kind, uint64_t major, uint64_t minor,
                     const char *op, uint64_t value);

#endif

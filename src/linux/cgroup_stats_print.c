/*
 * The object of `events --stats`, with runc's keys: engines read it. Zeroes are left out where runc leaves them out.
 * Written by hand, as it has maps of numbers and fractions, which no document of ours has.
 */
#include "linux/cgroup_stats.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* A comma before all members of an object but the first. */
static void key(struct cor_text *out, const char *name)
{
        char last = out->len ? out->s[out->len - 1] : '{';

        cor_text_printf(out, "%s\"%s\":", last == '{' || last == '[' ? "" : ",", name);
}

static void number(struct cor_text *out, const char *name, uint64_t value)
{
        key(out, name);
        cor_text_printf(out, "%" PRIu64, value);
}

static void nonzero(struct cor_text *out, const char *name, uint64_t value)
{
        if (value)
                number(out, name, value);
}

static void open_object(struct cor_text *out, const char *name)
{
        key(out, name);
        cor_text_add_c(out, '{');
}

static void numbers(struct cor_text *out, const char *name, const uint64_t *items, size_t n)
{
        if (!items || n == 0)
                return;
        key(out, name);
        for (size_t i = 0; i < n; i++)
                cor_text_printf(out, "%c%" PRIu64, i ? ',' : '[', items[i]);
        cor_text_add_c(out, ']');
}

static void psi_line(struct cor_text *out, const char *name, const struct cgroup_psi_line *l)
{
        open_object(out, name);
        cor_text_printf(out, "\"avg10\":%g,\"avg60\":%g,\"avg300\":%g,\"total\":%" PRIu64 "}", l->avg10, l->avg60,
                        l->avg300, l->total_us);
}

static void psi(struct cor_text *out, const struct cgroup_psi *p)
{
        if (!p->set)
                return;
        open_object(out, "psi");
        psi_line(out, "some", &p->some);
        psi_line(out, "full", &p->full);
        cor_text_add_c(out, '}');
}

static void print_cpu(struct cor_text *out, const struct cgroup_stats *s)
{
        open_object(out, "cpu");
        open_object(out, "usage");
        nonzero(out, "total", s->cpu.total_ns);
        numbers(out, "percpu", s->cpu.percpu, s->cpu.n_percpu);
        numbers(out, "percpu_kernel", s->cpu.percpu_kernel, s->cpu.n_percpu);
        numbers(out, "percpu_user", s->cpu.percpu_user, s->cpu.n_percpu);
        number(out, "kernel", s->cpu.kernel_ns);
        number(out, "user", s->cpu.user_ns);
        cor_text_add_c(out, '}');
        open_object(out, "throttling");
        nonzero(out, "periods", s->cpu.periods);
        nonzero(out, "throttledPeriods", s->cpu.throttled_periods);
        nonzero(out, "throttledTime", s->cpu.throttled_ns);
        cor_text_add_c(out, '}');
        psi(out, &s->cpu.psi);
        cor_text_add_c(out, '}');
}

static void ids(struct cor_text *out, const char *name, const uint32_t *items, size_t n)
{
        if (n == 0)
                return;
        key(out, name);
        for (size_t i = 0; i < n; i++)
                cor_text_printf(out, "%c%" PRIu32, i ? ',' : '[', items[i]);
        cor_text_add_c(out, ']');
}

static void print_cpuset(struct cor_text *out, const struct cgroup_stats *s)
{
        open_object(out, "cpuset");
        ids(out, "cpus", s->cpuset.cpus, s->cpuset.n_cpus);
        number(out, "cpu_exclusive", s->cpuset.cpu_exclusive);
        ids(out, "mems", s->cpuset.mems, s->cpuset.n_mems);
        number(out, "mem_hardwall", s->cpuset.mem_hardwall);
        number(out, "mem_exclusive", s->cpuset.mem_exclusive);
        number(out, "memory_migrate", s->cpuset.memory_migrate);
        number(out, "memory_spread_page", s->cpuset.memory_spread_page);
        number(out, "memory_spread_slab", s->cpuset.memory_spread_slab);
        number(out, "memory_pressure", s->cpuset.memory_pressure);
        number(out, "sched_load_balance", s->cpuset.sched_load_balance);
        key(out, "sched_relax_domain_level");
        cor_text_printf(out, "%" PRId64 "}", s->cpuset.sched_relax_domain_level);
}

static void entry(struct cor_text *out, const char *name, const struct cgroup_memory_entry *e)
{
        open_object(out, name);
        number(out, "limit", e->limit);
        nonzero(out, "usage", e->usage);
        nonzero(out, "max", e->max);
        number(out, "failcnt", e->failcnt);
        cor_text_add_c(out, '}');
}

static void print_memory(struct cor_text *out, const struct cgroup_stats *s)
{
        open_object(out, "memory");
        nonzero(out, "cache", s->memory.cache);
        entry(out, "usage", &s->memory.usage);
        entry(out, "swap", &s->memory.swap);
        entry(out, "kernel", &s->memory.kernel);
        entry(out, "kernelTCP", &s->memory.kernel_tcp);
        if (s->memory.n_raw > 0) {
                open_object(out, "raw");
                for (size_t i = 0; i < s->memory.n_raw; i++)
                        number(out, s->memory.raw[i].name, s->memory.raw[i].value);
                cor_text_add_c(out, '}');
        }
        psi(out, &s->memory.psi);
        cor_text_add_c(out, '}');
}

static void print_blkio(struct cor_text *out, const struct cgroup_stats *s)
{
        static const char *const names[] = {
                [CGROUP_BLKIO_SERVICE_BYTES] = "ioServiceBytesRecursive",
                [CGROUP_BLKIO_SERVICED] = "ioServicedRecursive",
                [CGROUP_BLKIO_QUEUED] = "ioQueueRecursive",
                [CGROUP_BLKIO_SERVICE_TIME] = "ioServiceTimeRecursive",
                [CGROUP_BLKIO_WAIT_TIME] = "ioWaitTimeRecursive",
                [CGROUP_BLKIO_MERGED] = "ioMergedRecursive",
                [CGROUP_BLKIO_TIME] = "ioTimeRecursive",
                [CGROUP_BLKIO_SECTORS] = "sectorsRecursive",
        };

        open_object(out, "blkio");
        for (size_t i = 0; i < COR_COUNT(names); i++) {
                const struct cgroup_blkio_list *l = &s->blkio.lists[i];

                if (l->n_items == 0)
                        continue;
                key(out, names[i]);
                for (size_t j = 0; j < l->n_items; j++) {
                        cor_text_add(out, j ? ",{" : "[{");
                        nonzero(out, "major", l->items[j].major);
                        nonzero(out, "minor", l->items[j].minor);
                        if (l->items[j].op[0]) {
                                key(out, "op");
                                cor_text_add_json(out, l->items[j].op);
                        }
                        nonzero(out, "value", l->items[j].value);
                        cor_text_add_c(out, '}');
                }
                cor_text_add_c(out, ']');
        }
        psi(out, &s->blkio.psi);
        cor_text_add_c(out, '}');
}

static void print_hugetlb(struct cor_text *out, const struct cgroup_stats *s)
{
        open_object(out, "hugetlb");
        for (size_t i = 0; i < s->n_hugetlb; i++) {
                open_object(out, s->hugetlb[i].page_size);
                nonzero(out, "usage", s->hugetlb[i].usage);
                nonzero(out, "max", s->hugetlb[i].max);
                number(out, "failcnt", s->hugetlb[i].failcnt);
                cor_text_add_c(out, '}');
        }
        cor_text_add_c(out, '}');
}

void cgroup_stats_print(const struct cgroup_stats *s, const char *more, struct cor_text *out)
{
        cor_text_add_c(out, '{');
        print_cpu(out, s);
        print_cpuset(out, s);
        print_memory(out, s);
        open_object(out, "pids");
        nonzero(out, "current", s->pids.current);
        nonzero(out, "limit", s->pids.limit);
        cor_text_add_c(out, '}');
        print_blkio(out, s);
        print_hugetlb(out, s);
        if (more && *more)
                cor_text_printf(out, ",%s", more);
        cor_text_add_c(out, '}');
}

#include "linux/cgroup_stats.h"

#include <string.h>
#include <unistd.h>

/* --- cpu --------------------------------------------------------------------------------------------------------- */

static void add_cpu(uint64_t **items, size_t n, uint64_t value)
{
        *items = cor_realloc_array(*items, n + 1, sizeof **items);
        (*items)[n] = value;
}

/* cpuacct.usage_percpu: all in one line; cpuacct.usage_all: a line "cpu user system" for each */
static void read_percpu(const struct cgroup_dir *d, struct cgroup_stats *st)
{
        auto_str text = cgroup_read_all(d, "cpuacct.usage_percpu"), *all = cgroup_read_all(d, "cpuacct.usage_all");
        char *cursor = text ? text : NULL, *word, *line;
        size_t n = 0, m = 0;
        uint64_t value, cpu, user, kernel;

        if (cursor)
                cursor[strcspn(cursor, "\n")] = '\0';
        while (cursor && (word = cgroup_next_word(&cursor)))
                if (cor_parse_u64(word, &value) == 0)
                        add_cpu(&st->cpu.percpu, n++, value);
        st->cpu.n_percpu = n;
        cursor = all;
        while ((line = cgroup_next_line(&cursor)) && m < n) {
                char *s = line;

                if (!cgroup_parse_u64(&s, &cpu) || *s++ != ' ' || !cgroup_parse_u64(&s, &user) || *s++ != ' ' ||
                    !cgroup_parse_u64(&s, &kernel))
                        continue; /* the head line */
                add_cpu(&st->cpu.percpu_user, m, user);
                add_cpu(&st->cpu.percpu_kernel, m++, kernel);
        }
        if (m == n)
                return;
        free(COR_TAKE(st->cpu.percpu_user)); /* an array is whole, or not there */
        free(COR_TAKE(st->cpu.percpu_kernel));
}

static void read_cpuacct(const struct cgroup_dir *d, struct cgroup_stats *st)
{
        long ticks = sysconf(_SC_CLK_TCK);
        auto_str text = cgroup_read_all(d, "cpuacct.stat");
        char *cursor = text, *line, *key;
        uint64_t value, tick_ns = 1000000000ULL / (uint64_t)(ticks > 0 ? ticks : 100);

        (void)cgroup_read_u64(d, "cpuacct.usage", &st->cpu.total_ns);
        while ((line = cgroup_next_line(&cursor))) {
                if (!stats_pair(line, &key, &value))
                        continue;
                if (strcmp(key, "user") == 0)
                        st->cpu.user_ns = value * tick_ns;
                else if (strcmp(key, "system") == 0)
                        st->cpu.kernel_ns = value * tick_ns;
        }
        read_percpu(d, st);
}

static void read_throttling(const struct cgroup_dir *d, struct cgroup_stats *st)
{
        auto_str text = cgroup_read_all(d, "cpu.stat");
        char *cursor = text, *line, *key;
        uint64_t value;

        while ((line = cgroup_next_line(&cursor))) {
                if (!stats_pair(line, &key, &value))
                        continue;
                if (strcmp(key, "nr_periods") == 0)
                        st->cpu.periods = value;
                else if (strcmp(key, "nr_throttled") == 0)
                        st->cpu.throttled_periods = value;
                else if (strcmp(key, "throttled_time") == 0)
                        st->cpu.throttled_ns = value;
                else if (strcmp(key, "nr_bursts") == 0)
                        st->cpu.bursts = value;
                else if (strcmp(key, "burst_time") == 0)
                        st->cpu.burst_ns = value;
        }
}

/* --- cpuset ------------------------------------------------------------------------------------------------------ */

static void read_list(const struct cgroup_dir *d, const char *file, uint32_t **ret, size_t *ret_n)
{
        uint8_t bits[1024];
        char text[4096];
        ssize_t n;

        if (cgroup_read(d, file, text, sizeof text, NULL) < 0)
                return;
        n = cgroup_cpulist_bits(text, bits, sizeof bits, NULL);
        for (ssize_t i = 0; i < n * 8; i++)
                if (bits[i / 8] & 1U << i % 8)
                        *COR_GROW(*ret, *ret_n) = (uint32_t)i;
}

static void read_cpuset(const struct cgroup_dir *d, struct cgroup_stats *st)
{
        const struct {
                const char *file;
                uint64_t *to;
        } files[] = {
                { "cpuset.cpu_exclusive", &st->cpuset.cpu_exclusive },
                { "cpuset.mem_hardwall", &st->cpuset.mem_hardwall },
                { "cpuset.mem_exclusive", &st->cpuset.mem_exclusive },
                { "cpuset.memory_migrate", &st->cpuset.memory_migrate },
                { "cpuset.memory_spread_page", &st->cpuset.memory_spread_page },
                { "cpuset.memory_spread_slab", &st->cpuset.memory_spread_slab },
                { "cpuset.memory_pressure", &st->cpuset.memory_pressure },
                { "cpuset.sched_load_balance", &st->cpuset.sched_load_balance },
        };
        char level[24];

        st->cpuset.set = true;
        read_list(d, "cpuset.cpus", &st->cpuset.cpus, &st->cpuset.n_cpus);
        read_list(d, "cpuset.mems", &st->cpuset.mems, &st->cpuset.n_mems);
        for (size_t i = 0; i < COR_COUNT(files); i++)
                (void)cgroup_read_u64(d, files[i].file, files[i].to);
        if (cgroup_read(d, "cpuset.sched_relax_domain_level", level, sizeof level, NULL) >= 0)
                (void)!cor_parse_i64(level, &st->cpuset.sched_relax_domain_level);
}

/* --- memory ------------------------------------------------------------------------------------------------------ */

static void read_entry(const struct cgroup_dir *d, const char *prefix, struct cgroup_memory_entry *e)
{
        const struct {
                const char *name;
                uint64_t *to;
        } files[] = {
                { "usage_in_bytes", &e->usage },
                { "max_usage_in_bytes", &e->max },
                { "failcnt", &e->failcnt },
                { "limit_in_bytes", &e->limit },
        };

        for (size_t i = 0; i < COR_COUNT(files); i++) {
                auto_str file = cor_printf("%s.%s", prefix, files[i].name);

                if (cgroup_read_u64(d, file, files[i].to) < 0 && i == 0)
                        return; /* the kernel does not count it */
        }
}

static void read_memory(const struct cgroup_dir *d, struct cgroup_stats *st)
{
        auto_str control = NULL;
        char *cursor, *line, *key;
        uint64_t value;

        stats_raw(d, st);
        st->memory.cache = stats_raw_of(st, "cache");
        read_entry(d, "memory", &st->memory.usage);
        read_entry(d, "memory.memsw", &st->memory.swap);
        read_entry(d, "memory.kmem", &st->memory.kernel);
        read_entry(d, "memory.kmem.tcp", &st->memory.kernel_tcp);
        if (st->memory.swap.usage > st->memory.usage.usage)
                st->memory.swap_only.usage = st->memory.swap.usage - st->memory.usage.usage;
        if (st->memory.swap.failcnt > st->memory.usage.failcnt)
                st->memory.swap_only.failcnt = st->memory.swap.failcnt - st->memory.usage.failcnt;
        control = cursor = cgroup_read_all(d, "memory.oom_control");
        while ((line = cgroup_next_line(&cursor)))
                if (stats_pair(line, &key, &value) && strcmp(key, "oom_kill") == 0)
                        st->oom_kill = value;
}

/* --- block I/O --------------------------------------------------------------------------------------------------- */

/* "8:0 Read 123", or "8:0 123"; a last line "Total 123" has no device */
static size_t read_blkio_file(const struct cgroup_dir *d, const char *file, enum cgroup_blkio_kind kind,
                              struct cgroup_stats *st)
{
        auto_str text = cgroup_read_all(d, file);
        char *cursor = text, *line;
        size_t n = 0;

        while ((line = cgroup_next_line(&cursor))) {
                char *dev = cgroup_next_word(&line), *op = cgroup_next_word(&line), *number = cgroup_next_word(&line);
                uint64_t major, minor, value;

                if (!number) {
                        number = op;
                        op = NULL;
                }
                if (!dev || !number || !cgroup_parse_u64(&dev, &major) || *dev++ != ':' ||
                    !cgroup_parse_u64(&dev, &minor) || cor_parse_u64(number, &value) < 0)
                        continue;
                stats_blkio_add(st, kind, major, minor, op ? op : "", value);
                n++;
        }
        return n;
}

/* The files of the first scheduler that has counted anything. */
static void read_blkio(const struct cgroup_dir *d, struct cgroup_stats *st)
{
        static const struct {
                enum cgroup_blkio_kind kind;
                const char *files[3];
        } tables[] = {
                { CGROUP_BLKIO_SERVICE_BYTES,
                  { "blkio.bfq.io_service_bytes_recursive", "blkio.io_service_bytes_recursive",
                    "blkio.throttle.io_service_bytes_recursive" } },
                { CGROUP_BLKIO_SERVICED,
                  { "blkio.bfq.io_serviced_recursive", "blkio.io_serviced_recursive",
                    "blkio.throttle.io_serviced_recursive" } },
                { CGROUP_BLKIO_QUEUED, { "blkio.bfq.io_queued_recursive", "blkio.io_queued_recursive", NULL } },
                { CGROUP_BLKIO_SERVICE_TIME,
                  { "blkio.bfq.io_service_time_recursive", "blkio.io_service_time_recursive", NULL } },
                { CGROUP_BLKIO_WAIT_TIME,
                  { "blkio.bfq.io_wait_time_recursive", "blkio.io_wait_time_recursive", NULL } },
                { CGROUP_BLKIO_MERGED, { "blkio.bfq.io_merged_recursive", "blkio.io_merged_recursive", NULL } },
                { CGROUP_BLKIO_TIME, { "blkio.bfq.time_recursive", "blkio.time_recursive", NULL } },
                { CGROUP_BLKIO_SECTORS, { "blkio.bfq.sectors_recursive", "blkio.sectors_recursive", NULL } },
        };

        for (size_t i = 0; i < COR_COUNT(tables); i++)
                for (size_t j = 0; j < 3 && tables[i].files[j]; j++)
                        if (read_blkio_file(d, tables[i].files[j], tables[i].kind, st) > 0)
                                break;
}

void stats_v1(struct cgroup *cg, struct cgroup_stats *st)
{
        struct cgroup_dir *d;

        if ((d = cgroup_dir_of(cg, CTL_CPUACCT)))
                read_cpuacct(d, st);
        if ((d = cgroup_dir_of(cg, CTL_CPU)))
                read_throttling(d, st);
        if ((d = cgroup_dir_of(cg, CTL_CPUSET)))
                read_cpuset(d, st);
        if ((d = cgroup_dir_of(cg, CTL_MEMORY)))
                read_memory(d, st);
        if ((d = cgroup_dir_of(cg, CTL_BLKIO)))
                read_blkio(d, st);
}

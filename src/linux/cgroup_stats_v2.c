#include "linux/cgroup_stats.h"

#include <string.h>

static void read_cpu(const struct cgroup_dir *d, struct cgroup_stats *st)
{
        const struct {
                const char *key;
                uint64_t *to;
                uint64_t unit; /* the file counts microseconds, we nanoseconds */
        } keys[] = {
                { "usage_usec", &st->cpu.total_ns, 1000 },
                { "user_usec", &st->cpu.user_ns, 1000 },
                { "system_usec", &st->cpu.kernel_ns, 1000 },
                { "nr_periods", &st->cpu.periods, 1 },
                { "nr_throttled", &st->cpu.throttled_periods, 1 },
                { "throttled_usec", &st->cpu.throttled_ns, 1000 },
                { "nr_bursts", &st->cpu.bursts, 1 },
                { "burst_usec", &st->cpu.burst_ns, 1000 },
        };
        auto_str text = cgroup_read_all(d, "cpu.stat");
        char *cursor = text, *line, *key;
        uint64_t value;

        while ((line = cgroup_next_line(&cursor))) {
                if (!stats_pair(line, &key, &value))
                        continue;
                for (size_t i = 0; i < COR_COUNT(keys); i++)
                        if (strcmp(key, keys[i].key) == 0)
                                *keys[i].to = value * keys[i].unit;
        }
}

static void read_memory(const struct cgroup_dir *d, struct cgroup_stats *st)
{
        auto_str events = NULL;
        char *cursor, *line, *key;
        uint64_t value;

        stats_raw(d, st);
        st->memory.cache = stats_raw_of(st, "file");
        (void)cgroup_read_u64(d, "memory.current", &st->memory.usage.usage);
        (void)cgroup_read_u64(d, "memory.max", &st->memory.usage.limit);
        (void)cgroup_read_u64(d, "memory.peak", &st->memory.usage.max);
        (void)cgroup_read_u64(d, "memory.swap.current", &st->memory.swap_only.usage);
        (void)cgroup_read_u64(d, "memory.swap.max", &st->memory.swap_only.limit);
        (void)cgroup_read_u64(d, "memory.swap.peak", &st->memory.swap_only.max);
        /* memory and swap together, as version 1 shows them */
        st->memory.swap.usage = st->memory.swap_only.usage + st->memory.usage.usage;
        if (__builtin_add_overflow(st->memory.swap_only.limit, st->memory.usage.limit, &st->memory.swap.limit))
                st->memory.swap.limit = UINT64_MAX;
        events = cursor = cgroup_read_all(d, "memory.events");
        while ((line = cgroup_next_line(&cursor))) {
                if (!stats_pair(line, &key, &value))
                        continue;
                if (strcmp(key, "oom") == 0)
                        st->oom = value;
                else if (strcmp(key, "oom_kill") == 0)
                        st->oom_kill = value;
        }
}

/* io.stat: "8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=0 dios=0", in the tables of version 1 */
static void read_io(const struct cgroup_dir *d, struct cgroup_stats *st)
{
        static const struct {
                const char *key, *op;
                enum cgroup_blkio_kind kind;
        } keys[] = {
                { "rbytes=", "Read", CGROUP_BLKIO_SERVICE_BYTES },
                { "wbytes=", "Write", CGROUP_BLKIO_SERVICE_BYTES },
                { "rios=", "Read", CGROUP_BLKIO_SERVICED },
                { "wios=", "Write", CGROUP_BLKIO_SERVICED },
                { "cost.usage=", "Count", CGROUP_BLKIO_COST_USAGE },
                { "cost.wait=", "Count", CGROUP_BLKIO_COST_WAIT },
                { "cost.indebt=", "Count", CGROUP_BLKIO_COST_INDEBT },
                { "cost.indelay=", "Count", CGROUP_BLKIO_COST_INDELAY },
        };
        auto_str text = cgroup_read_all(d, "io.stat");
        char *cursor = text, *line, *word;

        while ((line = cgroup_next_line(&cursor))) {
                uint64_t major, minor, value;
                char *s = cgroup_next_word(&line);

                if (!s || !cgroup_parse_u64(&s, &major) || *s++ != ':' || !cgroup_parse_u64(&s, &minor))
                        continue;
                while ((word = cgroup_next_word(&line)))
                        for (size_t i = 0; i < COR_COUNT(keys); i++)
                                if (cor_starts_with(word, keys[i].key) &&
                                    cor_parse_u64(word + strlen(keys[i].key), &value) == 0)
                                        stats_blkio_add(st, keys[i].kind, major, minor, keys[i].op, value);
        }
}

void stats_v2(const struct cgroup_dir *d, struct cgroup_stats *st)
{
        if (!d)
                return;
        read_cpu(d, st);
        read_memory(d, st);
        read_io(d, st);
}

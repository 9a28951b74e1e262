/* What a container uses: its cgroups and its network devices, as docker's document has them. */
#include "base/file.h"
#include "base/text.h"
#include "engine/container_inspect.h"
#include "engine/container_internal.h"
#include "store/container.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { PROC_MAX_BYTES = 4 << 20, NETWORK_NUMBERS = 16 };

struct sample {
        struct docker_stats stats;
        struct cgroup_stats cgroup;
        bool has_cgroup;
        struct cor_text memory, percpu;
        struct docker_blkio_entry *blkio[CGROUP_BLKIO_KINDS];
        char *network; /* /proc/PID/net/dev, cut into words */
        char *name;
        struct cor_text read;
};

static void sample_done(struct sample *s)
{
        if (s->has_cgroup)
                cgroup_stats_done(&s->cgroup);
        cor_text_done(&s->memory);
        cor_text_done(&s->percpu);
        cor_text_done(&s->read);
        for (size_t i = 0; i < CGROUP_BLKIO_KINDS; i++)
                free(s->blkio[i]);
        free(s->stats.networks);
        free(s->network);
        free(s->name);
}

/* ---- the machine ---- */

static void read_machine(struct docker_cpu_stats *c)
{
        long ticks = sysconf(_SC_CLK_TCK);
        auto_str text = NULL;
        char *cursor, *line;
        size_t n = 0;

        if (cor_read_file("/proc/stat", PROC_MAX_BYTES, &text, &n, NULL) < 0)
                return;
        cursor = text;
        while (cursor && (line = cor_split_next(&cursor, '\n')) && cor_starts_with(line, "cpu")) {
                unsigned long long v[7] = { 0 };

                if (line[3] != ' ') {
                        c->online++;
                } else if (sscanf(line + 4, "%llu %llu %llu %llu %llu %llu %llu", &v[0], &v[1], &v[2], &v[3], &v[4],
                                  &v[5], &v[6]) == 7) {
                        for (size_t i = 0; i < COR_COUNT(v); i++)
                                c->system += v[i];
                        c->system *= 1000000000ULL / (uint64_t)(ticks > 0 ? ticks : 100);
                }
        }
}

static uint64_t machine_memory(void)
{
        auto_str text = NULL;
        unsigned long long kib = 0;
        size_t n = 0;

        if (cor_read_file("/proc/meminfo", PROC_MAX_BYTES, &text, &n, NULL) < 0 ||
            sscanf(text, "MemTotal: %llu kB", &kib) != 1)
                return 0;
        return kib * 1024;
}

/* ---- cgroups ---- */

static void set_cpu(struct sample *s)
{
        struct docker_cpu_stats *c = &s->stats.cpu;
        const struct cgroup_stats *g = &s->cgroup;

        c->usage.total = g->cpu.total_ns;
        c->usage.kernel = g->cpu.kernel_ns;
        c->usage.user = g->cpu.user_ns;
        c->throttling.periods = g->cpu.periods;
        c->throttling.throttled_periods = g->cpu.throttled_periods;
        c->throttling.throttled_time = g->cpu.throttled_ns;
        if (g->cpu.n_percpu == 0)
                return;
        for (size_t i = 0; i < g->cpu.n_percpu; i++)
                cor_text_printf(&s->percpu, "%c%" PRIu64, i ? ',' : '[', g->cpu.percpu[i]);
        cor_text_add_c(&s->percpu, ']');
        c->usage.percpu = s->percpu.s;
}

/* Without a limit, or with one that is above it, the machine's memory is the limit. */
static void set_memory(struct sample *s)
{
        struct docker_memory_stats *m = &s->stats.memory;
        const struct cgroup_stats *g = &s->cgroup;
        uint64_t machine = machine_memory();

        m->usage = g->memory.usage.usage;
        m->max_usage = g->memory.usage.max;
        m->failcnt = g->memory.usage.failcnt;
        m->limit = g->memory.usage.limit;
        if (m->usage && machine && (m->limit == 0 || m->limit > machine))
                m->limit = machine;
        if (g->memory.n_raw == 0)
                return;
        for (size_t i = 0; i < g->memory.n_raw; i++)
                cor_text_printf(&s->memory, "%c\"%s\":%" PRIu64, i ? ',' : '{', g->memory.raw[i].name,
                                g->memory.raw[i].value);
        cor_text_add_c(&s->memory, '}');
        m->stats = s->memory.s;
}

static struct docker_blkio_entry *copy_blkio(struct sample *s, enum cgroup_blkio_kind kind, size_t *ret_n)
{
        const struct cgroup_blkio_list *l = &s->cgroup.blkio.lists[kind];

        *ret_n = l->n_items;
        if (l->n_items == 0)
                return NULL;
        s->blkio[kind] = cor_realloc_array(NULL, l->n_items, sizeof **s->blkio);
        for (size_t i = 0; i < l->n_items; i++)
                s->blkio[kind][i] = (struct docker_blkio_entry){ l->items[i].major, l->items[i].minor, l->items[i].op,
                                                                 l->items[i].value };
        return s->blkio[kind];
}

static void set_blkio(struct sample *s)
{
        struct docker_blkio_stats *b = &s->stats.blkio;

        b->service_bytes = copy_blkio(s, CGROUP_BLKIO_SERVICE_BYTES, &b->n_service_bytes);
        b->serviced = copy_blkio(s, CGROUP_BLKIO_SERVICED, &b->n_serviced);
        b->queued = copy_blkio(s, CGROUP_BLKIO_QUEUED, &b->n_queued);
        b->service_time = copy_blkio(s, CGROUP_BLKIO_SERVICE_TIME, &b->n_service_time);
        b->wait_time = copy_blkio(s, CGROUP_BLKIO_WAIT_TIME, &b->n_wait_time);
        b->merged = copy_blkio(s, CGROUP_BLKIO_MERGED, &b->n_merged);
        b->time = copy_blkio(s, CGROUP_BLKIO_TIME, &b->n_time);
        b->sectors = copy_blkio(s, CGROUP_BLKIO_SECTORS, &b->n_sectors);
}

static int read_cgroup(struct engine *e, struct sample *s, const struct container_row *r, struct cor_err *err)
{
        auto_cgroup cgroup = NULL;

        if (container_cgroup_of(e, r->id, &cgroup, err) < 0 || cgroup_stats(cgroup, &s->cgroup, err) < 0)
                return -1;
        s->has_cgroup = true;
        s->stats.pids.current = s->cgroup.pids.current;
        s->stats.pids.limit = s->cgroup.pids.limit;
        set_cpu(s);
        set_memory(s);
        set_blkio(s);
        read_machine(&s->stats.cpu);
        return 0;
}

/* ---- network ---- */

/* "  eth0: 1 2 3 …": bytes, packets, errors, dropped and four others, received and then sent */
static bool read_device(char *line, struct docker_network_stats *n)
{
        uint64_t v[NETWORK_NUMBERS] = { 0 };
        char *colon = strchr(line, ':');
        size_t i = 0;

        if (!colon)
                return false;
        *colon = '\0';
        for (char *rest = NULL, *word = strtok_r(colon + 1, " ", &rest); word && i < NETWORK_NUMBERS;
             word = strtok_r(NULL, " ", &rest))
                if (cor_parse_u64(word, &v[i++]) < 0)
                        return false;
        *n = (struct docker_network_stats){ .name = line + strspn(line, " "),
                                            .rx_bytes = v[0],
                                            .rx_packets = v[1],
                                            .rx_errors = v[2],
                                            .rx_dropped = v[3],
                                            .tx_bytes = v[8],
                                            .tx_packets = v[9],
                                            .tx_errors = v[10],
                                            .tx_dropped = v[11] };
        return i == NETWORK_NUMBERS && strcmp(n->name, "lo") != 0;
}

/* A container that shares the network of the machine or of another container has no numbers of its own. */
static void read_network(struct sample *s, const struct container_row *r)
{
        auto_json struct docker_host_config *h = NULL;
        auto_str path = cor_printf("/proc/%d/net/dev", (int)r->now.pid);
        char *cursor, *line;
        size_t n = 0;

        if (!r->host_config ||
            cor_json_parse(&docker_host_config_doc, r->host_config, strlen(r->host_config), NULL, &h, NULL) < 0)
                return;
        if (h->network_mode && (strcmp(h->network_mode, "host") == 0 || cor_starts_with(h->network_mode, "container:")))
                return;
        if (cor_read_file(path, PROC_MAX_BYTES, &s->network, &n, NULL) < 0)
                return;
        cursor = s->network;
        while (cursor && (line = cor_split_next(&cursor, '\n'))) {
                struct docker_network_stats device;

                if (read_device(line, &device))
                        *COR_GROW(s->stats.networks, s->stats.n_networks) = device;
        }
}

int engine_stats(struct engine *e, const char *name, const struct docker_stats *before, struct docker_stats **ret,
                 struct cor_err *err)
{
        COR_CLEANUP(sample_done) struct sample s = { .has_cgroup = false };
        auto_container_row row = { 0 };
        auto_text text = COR_TEXT_INIT;
        bool runs;

        if (engine_container(e, name, true, &row, err) < 0)
                return -1;
        runs = container_phase_alive(row.now.phase);
        if (runs && read_cgroup(e, &s, &row, err) < 0)
                return cor_wrap(err, "statistics of container %s", row.id);
        if (runs)
                read_network(&s, &row);
        s.name = cor_printf("/%s", row.name);
        s.stats.name = s.name;
        s.stats.id = row.id;
        if (runs)
                cor_text_add_now(&s.read, true);
        else
                cor_text_add_time(&s.read, 0);
        s.stats.read = s.read.s;
        s.stats.preread = before && before->read ? before->read : "0001-01-01T00:00:00Z";
        if (before)
                s.stats.precpu = before->cpu;
        cor_json_print(&docker_stats_doc, &s.stats, COR_JSON_COMPACT, &text);
        return cor_json_parse(&docker_stats_doc, text.s, text.len, "statistics", ret, err);
}

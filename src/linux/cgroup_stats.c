/* Statistics: the parts that both versions share, and which reader fills what. */
#include "linux/cgroup_stats.h"

#include "base/fd.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

bool stats_pair(char *line, char **ret_key, uint64_t *ret)
{
        char *space = strchr(line, ' '), *s;

        if (!space)
                return false;
        *space = '\0';
        s = space + 1;
        *ret_key = line;
        return cgroup_parse_u64(&s, ret) && *s == '\0';
}

void stats_raw(const struct cgroup_dir *d, struct cgroup_stats *st)
{
        auto_str text = cgroup_read_all(d, "memory.stat");
        char *cursor = text, *line, *key;
        uint64_t value;

        while ((line = cgroup_next_line(&cursor))) {
                struct cgroup_raw *raw;

                if (!stats_pair(line, &key, &value))
                        continue;
                raw = COR_GROW(st->memory.raw, st->memory.n_raw);
                snprintf(raw->name, sizeof raw->name, "%s", key);
                raw->value = value;
        }
}

uint64_t stats_raw_of(const struct cgroup_stats *st, const char *name)
{
        for (size_t i = 0; i < st->memory.n_raw; i++)
                if (strcmp(st->memory.raw[i].name, name) == 0)
                        return st->memory.raw[i].value;
        return 0;
}

void stats_blkio_add(struct cgroup_stats *st, enum cgroup_blkio_kind kind, uint64_t major, uint64_t minor,
                     const char *op, uint64_t value)
{
        struct cgroup_blkio_list *l = &st->blkio.lists[kind];
        struct cgroup_blkio_entry *e = COR_GROW(l->items, l->n_items);

        e->major = major;
        e->minor = minor;
        e->value = value;
        snprintf(e->op, sizeof e->op, "%s", op);
}

/* "some avg10=0.00 avg60=0.00 avg300=0.00 total=0" */
static bool psi_line(char *line, struct cgroup_psi *psi)
{
        struct cgroup_psi_line *l = strncmp(line, "some ", 5) == 0 ? &psi->some : &psi->full;
        unsigned long long total = 0;

        if (sscanf(line, "%*4s avg10=%lf avg60=%lf avg300=%lf total=%llu", &l->avg10, &l->avg60, &l->avg300, &total) !=
            4)
                return false;
        l->total_us = total;
        return true;
}

static void read_psi(const struct cgroup_dir *d, const char *file, struct cgroup_psi *ret)
{
        auto_str text = cgroup_read_all(d, file); /* absent, or EOPNOTSUPP when the kernel was told not to measure */
        char *cursor = text, *line;

        while ((line = cgroup_next_line(&cursor)))
                if ((strncmp(line, "some ", 5) == 0 || strncmp(line, "full ", 5) == 0) && psi_line(line, ret))
                        ret->set = true;
}

static void read_pids(const struct cgroup_dir *d, struct cgroup_stats *st)
{
        uint64_t max = 0;

        (void)cgroup_read_u64(d, "pids.current", &st->pids.current);
        if (cgroup_read_u64(d, "pids.max", &max) == 0 && max != UINT64_MAX)
                st->pids.limit = max;
}

/* --- hugetlb ----------------------------------------------------------------------------------------------------- */

static void read_hugetlb_size(const struct cgroup_dir *d, const char *size, struct cgroup_stats *st)
{
        struct cgroup_hugetlb_stats *h = COR_GROW(st->hugetlb, st->n_hugetlb);
        char file[64];

        snprintf(h->page_size, sizeof h->page_size, "%s", size);
        /* what is reserved is what limits count, where the kernel knows of it */
        snprintf(file, sizeof file, "hugetlb.%s.rsvd.%s", size, d->h->v2 ? "current" : "usage_in_bytes");
        if (cgroup_read_u64(d, file, &h->usage) < 0) {
                snprintf(file, sizeof file, "hugetlb.%s.%s", size, d->h->v2 ? "current" : "usage_in_bytes");
                (void)cgroup_read_u64(d, file, &h->usage);
        }
        if (d->h->v2) {
                auto_str events = NULL;
                char *cursor, *line, *key;

                snprintf(file, sizeof file, "hugetlb.%s.events", size);
                events = cursor = cgroup_read_all(d, file);
                while ((line = cgroup_next_line(&cursor)))
                        if (strncmp(line, "max ", 4) == 0)
                                (void)stats_pair(line, &key, &h->failcnt);
                return;
        }
        snprintf(file, sizeof file, "hugetlb.%s.max_usage_in_bytes", size);
        (void)cgroup_read_u64(d, file, &h->max);
        snprintf(file, sizeof file, "hugetlb.%s.failcnt", size);
        (void)cgroup_read_u64(d, file, &h->failcnt);
}

/* The sizes are in the names of the files: hugetlb.2MB.current */
static void read_hugetlb(const struct cgroup_dir *d, struct cgroup_stats *st)
{
        const char *tail = d->h->v2 ? ".current" : ".usage_in_bytes";
        int copy = openat(d->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR *dir = copy < 0 ? NULL : fdopendir(copy);
        struct dirent *e;

        if (!dir) {
                cor_fd_close(&copy);
                return;
        }
        while ((e = readdir(dir))) {
                const char *size = e->d_name + 8;
                char name[16];
                size_t len;

                if (!cor_starts_with(e->d_name, "hugetlb.") || !cor_ends_with(e->d_name, tail))
                        continue;
                len = strcspn(size, ".");
                if (strcmp(size + len, tail) != 0 || len >= sizeof name)
                        continue;
                memcpy(name, size, len);
                name[len] = '\0';
                read_hugetlb_size(d, name, st);
        }
        closedir(dir);
}

/* --- rdma -------------------------------------------------------------------------------------------------------- */

static uint32_t rdma_number(const char *s)
{
        uint64_t n = 0;

        return cor_parse_u64(s, &n) < 0 || n > UINT32_MAX ? UINT32_MAX : (uint32_t)n; /* "max" */
}

static void read_rdma(const struct cgroup_dir *d, bool limit, struct cgroup_stats *st)
{
        auto_str text = cgroup_read_all(d, limit ? "rdma.max" : "rdma.current");
        char *cursor = text, *line;

        while ((line = cgroup_next_line(&cursor))) {
                char *name = cgroup_next_word(&line), *word;
                struct cgroup_rdma_stats *r;

                if (!name)
                        continue;
                r = COR_GROW(st->rdma, st->n_rdma);
                snprintf(r->device, sizeof r->device, "%s", name);
                r->limit = limit;
                while ((word = cgroup_next_word(&line))) {
                        if (cor_starts_with(word, "hca_handle="))
                                r->hca_handles = rdma_number(word + 11);
                        else if (cor_starts_with(word, "hca_object="))
                                r->hca_objects = rdma_number(word + 11);
                }
        }
}

/* ------------------------------------------------------------------------------------------------------------------ */

static void read_pressures(struct cgroup *cg, struct cgroup_stats *st)
{
        struct cgroup_dir *d = cgroup_dir_v2(cg);

        if (!d)
                return;
        read_psi(d, "cpu.pressure", &st->cpu.psi);
        read_psi(d, "memory.pressure", &st->memory.psi);
        read_psi(d, "io.pressure", &st->blkio.psi);
}

int cgroup_stats(struct cgroup *cg, struct cgroup_stats *ret, struct cor_err *err)
{
        struct cgroup_stats st = { .pids.current = 0 };
        struct cgroup_dir *d;

        if (!cgroup_exists(cg))
                return cor_fail(err, COR_NOT_FOUND, "no statistics: the container has no cgroup");
        if (cg->layout.mode == CGROUP_V2)
                stats_v2(cgroup_dir_v2(cg), &st);
        else
                stats_v1(cg, &st);
        if ((d = cgroup_dir_of(cg, CTL_PIDS)))
                read_pids(d, &st);
        if ((d = cgroup_dir_of(cg, CTL_HUGETLB)))
                read_hugetlb(d, &st);
        if ((d = cgroup_dir_of(cg, CTL_RDMA))) {
                read_rdma(d, false, &st);
                read_rdma(d, true, &st);
        }
        read_pressures(cg, &st);
        *ret = st;
        return 0;
}

void cgroup_stats_done(struct cgroup_stats *s)
{
        free(s->cpu.percpu);
        free(s->cpu.percpu_kernel);
        free(s->cpu.percpu_user);
        free(s->cpuset.cpus);
        free(s->cpuset.mems);
        free(s->memory.raw);
        for (int i = 0; i < CGROUP_BLKIO_KINDS; i++)
                free(s->blkio.lists[i].items);
        free(s->hugetlb);
        free(s->rdma);
        memset(s, 0, sizeof *s);
}

/* Limits in the files of version 2. */
#include "linux/cgroup_priv.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* --- cpu --------------------------------------------------------------------------------------------------------- */

/* cpu.max is "QUOTA PERIOD"; a quota alone keeps the period, but a period cannot come without a quota. */
static int write_max(struct cgroup_dir *d, const struct oci_cpu *c, struct cor_err *err)
{
        bool quota = c->quota.set && c->quota.value != 0, period = c->period.set && c->period.value != 0;
        char text[64], old[64] = "max", *end;

        if (quota && c->quota.value > 0)
                snprintf(old, sizeof old, "%" PRId64, c->quota.value);
        else if (!quota && cgroup_read(d, "cpu.max", old, sizeof old, err) < 0)
                return -1;
        end = strchr(old, ' ');
        if (end)
                *end = '\0';
        if (period)
                snprintf(text, sizeof text, "%.40s %" PRIu64, old, c->period.value);
        else
                snprintf(text, sizeof text, "%.40s", old);
        return cgroup_write(d, "cpu.max", text, err);
}

int cgroup_v2_cpu(struct cgroup_dir *d, const struct oci_resources *r, struct cor_err *err)
{
        const struct oci_cpu *c = r->cpu;
        bool max = (c->quota.set && c->quota.value != 0) || (c->period.set && c->period.value != 0), again = false;
        bool idle = c->idle.set && c->idle.value != 0;

        /* an idle cgroup has no weight, and refuses one: systemd may have made it idle before us */
        if (c->idle.set && c->idle.value == 0 && cgroup_write_i64(d, "cpu.idle", 0, err) < 0)
                return -1;
        if (c->shares.set && c->shares.value && !idle &&
            cgroup_write_u64(d, "cpu.weight", cgroup_weight_of_shares(c->shares.value), err) < 0)
                return -1;
        if (idle && cgroup_write_i64(d, "cpu.idle", c->idle.value, err) < 0)
                return -1;
        /* a burst must not be above the quota: which of them goes first depends on the old values */
        if (c->burst.set && cgroup_write_u64(d, "cpu.max.burst", c->burst.value, err) < 0) {
                if (err->sys != ENOENT && (err->sys != EINVAL || !max)) /* kernels before 5.14 have no bursts */
                        return -1;
                again = err->sys == EINVAL;
                cor_err_clear(err);
        }
        if (max && write_max(d, c, err) < 0)
                return -1;
        return again ? cgroup_write_u64(d, "cpu.max.burst", c->burst.value, err) : 0;
}

int cgroup_v2_cpuset(struct cgroup_dir *d, const struct oci_resources *r, struct cor_err *err)
{
        const struct oci_cpu *c = r->cpu;

        if (c->cpus && *c->cpus && cgroup_write(d, "cpuset.cpus", c->cpus, err) < 0)
                return -1;
        return c->mems && *c->mems ? cgroup_write(d, "cpuset.mems", c->mems, err) : 0;
}

/* --- memory ------------------------------------------------------------------------------------------------------ */

int cgroup_v2_check_usage(struct cgroup_dir *d, const struct oci_memory *m, struct cor_err *err)
{
        uint64_t usage;

        if (!m->check_before_update.set || !m->check_before_update.value ||
            cgroup_read_u64(d, "memory.current", &usage) < 0)
                return 0;
        if (m->swap.set && m->swap.value > 0 && (uint64_t)m->swap.value <= usage)
                return cor_fail(err, COR_BUSY, "rejecting memory+swap limit %" PRId64 " <= usage %" PRIu64,
                                m->swap.value, usage);
        if (m->limit.set && m->limit.value > 0 && (uint64_t)m->limit.value <= usage)
                return cor_fail(err, COR_BUSY, "rejecting memory limit %" PRId64 " <= usage %" PRIu64, m->limit.value,
                                usage);
        return 0;
}

/* On an update the memory limit may stay as it is: memory+swap then counts from the present one. */
static int swap_of(struct cgroup_dir *d, const struct oci_memory *m, int64_t *ret, struct cor_err *err)
{
        struct oci_memory full = *m;
        uint64_t limit;

        if (m->swap.set && m->swap.value > 0 && !(m->limit.set && m->limit.value) &&
            cgroup_read_u64(d, "memory.max", &limit) == 0) {
                full.limit.set = true;
                full.limit.value = limit > INT64_MAX ? 0 : (int64_t)limit;
        }
        return cgroup_swap_of(&full, ret, err);
}

int cgroup_v2_memory(struct cgroup_dir *d, const struct oci_resources *r, struct cor_err *err)
{
        const struct oci_memory *m = r->memory;
        int64_t swap = 0;
        int set;

        if (cgroup_v2_check_usage(d, m, err) < 0)
                return -1;
        set = swap_of(d, m, &swap, err);
        if (set < 0)
                return -1;
        if (set && cgroup_write_max(d, "memory.swap.max", swap, err) < 0) {
                if (err->sys != ENOENT || swap > 0) /* a kernel without swap accounting has no swap limit to lift */
                        return -1;
                cor_err_clear(err);
        }
        if (m->limit.set && m->limit.value && cgroup_write_max(d, "memory.max", m->limit.value, err) < 0)
                return -1;
        if (m->reservation.set && m->reservation.value)
                return cgroup_write_max(d, "memory.low", m->reservation.value, err);
        return 0;
}

/* --- io ---------------------------------------------------------------------------------------------------------- */

static int write_device(struct cgroup_dir *d, const char *file, int64_t major, int64_t minor, const char *key,
                        uint64_t value, struct cor_err *err)
{
        char text[96];

        if (value == 0 && *key) /* version 1 lifts a limit by writing 0 */
                snprintf(text, sizeof text, "%" PRId64 ":%" PRId64 " %smax", major, minor, key);
        else
                snprintf(text, sizeof text, "%" PRId64 ":%" PRId64 " %s%" PRIu64, major, minor, key, value);
        return cgroup_write(d, file, text, err);
}

/* With the BFQ scheduler weights are as they were, else they are stretched to io.weight's range. */
static int set_weights(struct cgroup_dir *d, const struct oci_block_io *b, struct cor_err *err)
{
        bool wanted = (b->weight.set && b->weight.value) || b->n_weight_devices > 0;
        bool bfq = wanted && cgroup_has_file(d, "io.bfq.weight");
        const char *file = bfq ? "io.bfq.weight" : "io.weight";

        if (b->weight.set && b->weight.value &&
            cgroup_write_u64(d, file, bfq ? b->weight.value : cgroup_io_weight_of_blkio(b->weight.value), err) < 0)
                return -1;
        for (size_t i = 0; i < b->n_weight_devices; i++) {
                const struct oci_weight_device *w = &b->weight_devices[i];
                uint64_t weight = w->weight.set ? w->weight.value : 0;

                if (weight && write_device(d, file, w->major, w->minor, "",
                                           bfq ? weight : cgroup_io_weight_of_blkio(weight), err) < 0)
                        return -1;
        }
        return 0;
}

static int set_throttle(struct cgroup_dir *d, const char *key, const struct oci_throttle_device *items, size_t n,
                        struct cor_err *err)
{
        for (size_t i = 0; i < n; i++)
                if (write_device(d, "io.max", items[i].major, items[i].minor, key, items[i].rate, err) < 0)
                        return -1;
        return 0;
}

int cgroup_v2_io(struct cgroup_dir *d, const struct oci_resources *r, struct cor_err *err)
{
        const struct oci_block_io *b = r->block_io;

        if (set_weights(d, b, err) < 0 || set_throttle(d, "rbps=", b->read_bps, b->n_read_bps, err) < 0 ||
            set_throttle(d, "wbps=", b->write_bps, b->n_write_bps, err) < 0 ||
            set_throttle(d, "riops=", b->read_iops, b->n_read_iops, err) < 0)
                return -1;
        return set_throttle(d, "wiops=", b->write_iops, b->n_write_iops, err);
}

/* --- the small ones ---------------------------------------------------------------------------------------------- */

int cgroup_v2_pids(struct cgroup_dir *d, const struct oci_resources *r, struct cor_err *err)
{
        return cgroup_set_pids(d, r, err);
}

int cgroup_v2_hugetlb(struct cgroup_dir *d, const struct oci_resources *r, struct cor_err *err)
{
        for (size_t i = 0; i < r->n_hugepage_limits; i++) {
                const struct oci_hugepage_limit *h = &r->hugepage_limits[i];
                char file[64];

                snprintf(file, sizeof file, "hugetlb.%s.max", h->page_size);
                if (cgroup_write_u64(d, file, h->limit, err) < 0)
                        return -1;
                snprintf(file, sizeof file, "hugetlb.%s.rsvd.max", h->page_size);
                if (cgroup_has_file(d, file) && cgroup_write_u64(d, file, h->limit, err) < 0)
                        return -1;
        }
        return 0;
}

/* The keys are names of files, checked before; a value of several lines (io.max) is written line by line. */
int cgroup_v2_unified(struct cgroup_dir *d, const struct oci_resources *r, struct cor_err *err)
{
        for (size_t i = 0; i < r->n_unified; i++) {
                auto_str value = cor_strdup(r->unified[i].value);
                char *cursor = value, *line;

                while ((line = cgroup_next_line(&cursor)))
                        if (cgroup_write(d, r->unified[i].key, line, err) < 0)
                                return cor_wrap(err, "linux.resources.unified");
        }
        return 0;
}

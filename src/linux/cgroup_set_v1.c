/* Limits in the files of version 1. A zero is what engines write for "not set", except where the kernel means it. */
#include "linux/cgroup_priv.h"

#include "base/file.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* --- cpu --------------------------------------------------------------------------------------------------------- */

/*
 * Periods, quotas and bursts are checked against each other by the kernel, so the right order depends on the old
 * values. Write one; if it is refused and the other of the pair is to come, *ret_again asks for a second try after it.
 */
static int write_first(struct cgroup_dir *d, const char *file, uint64_t value, bool more, bool *ret_again,
                       struct cor_err *err)
{
        *ret_again = false;
        if (cgroup_write_u64(d, file, value, err) == 0)
                return 0;
        if (err->sys != EINVAL || !more)
                return -1;
        *ret_again = true;
        cor_err_clear(err);
        return 0;
}

static int set_realtime(struct cgroup_dir *d, const struct oci_cpu *c, struct cor_err *err)
{
        bool runtime = c->rt_runtime.set && c->rt_runtime.value != 0, again = false;

        if (c->rt_period.set && c->rt_period.value &&
            write_first(d, "cpu.rt_period_us", c->rt_period.value, runtime, &again, err) < 0)
                return -1;
        if (runtime && cgroup_write_i64(d, "cpu.rt_runtime_us", c->rt_runtime.value, err) < 0) {
                if (err->sys == EINVAL)
                        return cor_wrap(err, "the cgroups above need a real-time budget first");
                return -1;
        }
        return again ? cgroup_write_u64(d, "cpu.rt_period_us", c->rt_period.value, err) : 0;
}

static int set_bandwidth(struct cgroup_dir *d, const struct oci_cpu *c, struct cor_err *err)
{
        bool quota = c->quota.set && c->quota.value != 0, period_again = false, burst_again = false;

        if (c->period.set && c->period.value &&
            write_first(d, "cpu.cfs_period_us", c->period.value, quota, &period_again, err) < 0)
                return -1;
        if (c->burst.set && write_first(d, "cpu.cfs_burst_us", c->burst.value, quota, &burst_again, err) < 0) {
                if (err->sys != ENOENT) /* kernels before 5.14 have no bursts */
                        return -1;
                cor_err_clear(err);
        }
        if (quota && cgroup_write_i64(d, "cpu.cfs_quota_us", c->quota.value, err) < 0)
                return -1;
        if (period_again && cgroup_write_u64(d, "cpu.cfs_period_us", c->period.value, err) < 0)
                return -1;
        return burst_again ? cgroup_write_u64(d, "cpu.cfs_burst_us", c->burst.value, err) : 0;
}

static int set_shares(struct cgroup_dir *d, uint64_t shares, struct cor_err *err)
{
        /* the kernel would take them and use the bound */
        if (shares > 262144)
                return cor_fail(err, COR_INVALID,
                                "linux.resources.cpu.shares: the maximum allowed cpu-shares is 262144");
        if (shares < 2)
                return cor_fail(err, COR_INVALID, "linux.resources.cpu.shares: the minimum allowed cpu-shares is 2");
        return cgroup_write_u64(d, "cpu.shares", shares, err);
}

int cgroup_v1_cpu(struct cgroup_dir *d, const struct oci_resources *r, struct cor_err *err)
{
        const struct oci_cpu *c = r->cpu;

        /* the shares of an idle cgroup cannot be changed */
        if (c->idle.set && c->idle.value == 0 && cgroup_write_i64(d, "cpu.idle", 0, err) < 0)
                return -1;
        if (c->shares.set && c->shares.value && set_shares(d, c->shares.value, err) < 0)
                return -1;
        if (set_bandwidth(d, c, err) < 0)
                return -1;
        if (c->idle.set && c->idle.value != 0 && cgroup_write_i64(d, "cpu.idle", c->idle.value, err) < 0)
                return -1;
        return set_realtime(d, c, err);
}

/* --- cpuset ------------------------------------------------------------------------------------------------------ */

/* Copy one file from @parent to @child if the child's is empty, with the parent made non-empty first. */
static int inherit(int root_fd, const char *parent, const char *child, const char *name, bool fresh,
                   struct cor_err *err)
{
        auto_str from = cor_printf("%s/%s", parent, name), *to = cor_printf("%s/%s", child, name);
        const char *slash = strrchr(parent, '/');
        char value[4096] = "";

        if (!fresh && cor_read_at(root_fd, to, value, sizeof value, err) < 0)
                return -1;
        if (value[0])
                return 0;
        if (cor_read_at(root_fd, from, value, sizeof value, err) < 0)
                return -1;
        if (!value[0]) {
                auto_str above = slash ? cor_strndup(parent, (size_t)(slash - parent)) : NULL;

                if (!above)
                        return cor_fail(err, COR_SYSTEM, "cpuset %s: %s is empty", parent, name);
                if (inherit(root_fd, above, parent, name, true, err) < 0 ||
                    cor_read_at(root_fd, from, value, sizeof value, err) < 0)
                        return -1;
        }
        return cor_write_at(root_fd, to, value, err);
}

int cgroup_v1_cpuset_inherit(int root_fd, const char *parent, const char *child, bool fresh, struct cor_err *err)
{
        if (inherit(root_fd, parent, child, "cpuset.cpus", fresh, err) < 0 ||
            inherit(root_fd, parent, child, "cpuset.mems", fresh, err) < 0)
                return cor_wrap(err, "cpuset of a new cgroup");
        return 0;
}

int cgroup_v1_cpuset(struct cgroup_dir *d, const struct oci_resources *r, struct cor_err *err)
{
        const struct oci_cpu *c = r->cpu;

        if (c->cpus && *c->cpus && cgroup_write(d, "cpuset.cpus", c->cpus, err) < 0)
                return -1;
        return c->mems && *c->mems ? cgroup_write(d, "cpuset.mems", c->mems, err) : 0;
}

/* --- memory ------------------------------------------------------------------------------------------------------ */

static int set_limit(struct cgroup_dir *d, int64_t limit, struct cor_err *err)
{
        uint64_t usage = 0, peak = 0;

        if (limit == 0 || cgroup_write_i64(d, "memory.limit_in_bytes", limit, err) == 0)
                return 0;
        if (err->sys != EBUSY)
                return -1;
        (void)cgroup_read_u64(d, "memory.usage_in_bytes", &usage);
        (void)cgroup_read_u64(d, "memory.max_usage_in_bytes", &peak);
        return cor_fail(err, COR_BUSY,
                        "unable to set memory limit to %" PRId64 " (current usage: %" PRIu64 ", peak usage: %" PRIu64
                        ")",
                        limit, usage, peak);
}

static int set_swap(struct cgroup_dir *d, int64_t swap, struct cor_err *err)
{
        if (swap == 0)
                return 0;
        return cgroup_write_i64(d, "memory.memsw.limit_in_bytes", swap, err);
}

/* memory <= memory+swap must hold after each write: the larger one goes first when growing. */
static int set_limits(struct cgroup_dir *d, const struct oci_memory *m, struct cor_err *err)
{
        int64_t limit = m->limit.set ? m->limit.value : 0, swap = m->swap.set ? m->swap.value : 0;
        uint64_t old = 0;

        if (limit == -1 && swap == 0 && cgroup_has_file(d, "memory.memsw.limit_in_bytes"))
                swap = -1;
        if (limit != 0 && swap != 0 && cgroup_read_u64(d, "memory.limit_in_bytes", &old) == 0 &&
            (swap == -1 || old < (uint64_t)swap)) {
                if (set_swap(d, swap, err) == 0)
                        return set_limit(d, limit, err);
                /* below the new memory limit's old value: the other order */
                if (err->sys != EINVAL)
                        return -1;
                cor_err_clear(err);
        }
        return set_limit(d, limit, err) < 0 ? -1 : set_swap(d, swap, err);
}

int cgroup_v1_memory(struct cgroup_dir *d, const struct oci_resources *r, struct cor_err *err)
{
        const struct oci_memory *m = r->memory;

        if (set_limits(d, m, err) < 0)
                return -1;
        if (m->reservation.set && m->reservation.value != 0 &&
            cgroup_write_i64(d, "memory.soft_limit_in_bytes", m->reservation.value, err) < 0)
                return -1;
        if (m->disable_oom_killer.set && m->disable_oom_killer.value &&
            cgroup_write(d, "memory.oom_control", "1", err) < 0)
                return -1;
        return m->swappiness.set ? cgroup_write_u64(d, "memory.swappiness", m->swappiness.value, err) : 0;
}

/* --- blkio ------------------------------------------------------------------------------------------------------- */

static int write_device(struct cgroup_dir *d, const char *file, int64_t major, int64_t minor, uint64_t value,
                        struct cor_err *err)
{
        char text[72];

        snprintf(text, sizeof text, "%" PRId64 ":%" PRId64 " %" PRIu64, major, minor, value);
        return cgroup_write(d, file, text, err);
}

static int set_weights(struct cgroup_dir *d, const struct oci_block_io *b, struct cor_err *err)
{
        bool bfq = cgroup_has_file(d, "blkio.bfq.weight");
        const char *weight = bfq ? "blkio.bfq.weight" : "blkio.weight";
        const char *device = bfq ? "blkio.bfq.weight_device" : "blkio.weight_device";

        if (b->weight.set && b->weight.value && cgroup_write_u64(d, weight, b->weight.value, err) < 0)
                return -1;
        if (b->leaf_weight.set && b->leaf_weight.value &&
            cgroup_write_u64(d, "blkio.leaf_weight", b->leaf_weight.value, err) < 0)
                return -1;
        for (size_t i = 0; i < b->n_weight_devices; i++) {
                const struct oci_weight_device *w = &b->weight_devices[i];

                if (w->weight.set && w->weight.value &&
                    write_device(d, device, w->major, w->minor, w->weight.value, err) < 0)
                        return -1;
                if (w->leaf_weight.set && w->leaf_weight.value &&
                    write_device(d, "blkio.leaf_weight_device", w->major, w->minor, w->leaf_weight.value, err) < 0)
                        return -1;
        }
        return 0;
}

static int set_throttle(struct cgroup_dir *d, const char *file, const struct oci_throttle_device *items, size_t n,
                        struct cor_err *err)
{
        for (size_t i = 0; i < n; i++)
                if (write_device(d, file, items[i].major, items[i].minor, items[i].rate, err) < 0)
                        return -1;
        return 0;
}

int cgroup_v1_blkio(struct cgroup_dir *d, const struct oci_resources *r, struct cor_err *err)
{
        const struct oci_block_io *b = r->block_io;

        if (set_weights(d, b, err) < 0 ||
            set_throttle(d, "blkio.throttle.read_bps_device", b->read_bps, b->n_read_bps, err) < 0 ||
            set_throttle(d, "blkio.throttle.write_bps_device", b->write_bps, b->n_write_bps, err) < 0 ||
            set_throttle(d, "blkio.throttle.read_iops_device", b->read_iops, b->n_read_iops, err) < 0)
                return -1;
        return set_throttle(d, "blkio.throttle.write_iops_device", b->write_iops, b->n_write_iops, err);
}

/* --- the small ones ---------------------------------------------------------------------------------------------- */

int cgroup_set_pids(struct cgroup_dir *d, const struct oci_resources *r, struct cor_err *err)
{
        int64_t limit = r->pids->limit.value;

        if (!r->pids->limit.set || limit == 0) /* 0 leaves it as it is, as engines expect */
                return 0;
        return cgroup_write_max(d, "pids.max", limit < 0 ? -1 : limit, err);
}

int cgroup_v1_pids(struct cgroup_dir *d, const struct oci_resources *r, struct cor_err *err)
{
        return cgroup_set_pids(d, r, err);
}

int cgroup_v1_hugetlb(struct cgroup_dir *d, const struct oci_resources *r, struct cor_err *err)
{
        for (size_t i = 0; i < r->n_hugepage_limits; i++) {
                const struct oci_hugepage_limit *h = &r->hugepage_limits[i];
                char file[64];

                snprintf(file, sizeof file, "hugetlb.%s.limit_in_bytes", h->page_size);
                if (cgroup_write_u64(d, file, h->limit, err) < 0)
                        return -1;
                snprintf(file, sizeof file, "hugetlb.%s.rsvd.limit_in_bytes", h->page_size);
                if (cgroup_has_file(d, file) && cgroup_write_u64(d, file, h->limit, err) < 0)
                        return -1;
        }
        return 0;
}

int cgroup_v1_net_cls(struct cgroup_dir *d, const struct oci_resources *r, struct cor_err *err)
{
        if (!r->network->class_id.set || r->network->class_id.value == 0)
                return 0;
        return cgroup_write_u64(d, "net_cls.classid", r->network->class_id.value, err);
}

int cgroup_v1_net_prio(struct cgroup_dir *d, const struct oci_resources *r, struct cor_err *err)
{
        for (size_t i = 0; i < r->network->n_priorities; i++) {
                const struct oci_interface_priority *p = &r->network->priorities[i];
                auto_str line = cor_printf("%s %" PRIu32, p->name, p->priority);

                if (cgroup_write(d, "net_prio.ifpriomap", line, err) < 0)
                        return -1;
        }
        return 0;
}

int cgroup_set_rdma(struct cgroup_dir *d, const struct oci_resources *r, struct cor_err *err)
{
        for (size_t i = 0; i < r->n_rdma; i++) {
                const struct oci_rdma *dev = &r->rdma[i];
                auto_text line = COR_TEXT_INIT;

                cor_text_add(&line, dev->device);
                if (dev->hca_handles.set)
                        cor_text_printf(&line, " hca_handle=%" PRIu64, dev->hca_handles.value);
                if (dev->hca_objects.set)
                        cor_text_printf(&line, " hca_object=%" PRIu64, dev->hca_objects.value);
                if (cgroup_write(d, "rdma.max", line.s, err) < 0)
                        return -1;
        }
        return 0;
}

int cgroup_v1_rdma(struct cgroup_dir *d, const struct oci_resources *r, struct cor_err *err)
{
        return cgroup_set_rdma(d, r, err);
}

/* Limits: `linux.resources`, `linux.cgroupsPath`. */
#include "engine/spec_internal.h"

#include "base/process.h"

#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* --- where ------------------------------------------------------------------------------------------------------- */

bool spec_has_systemd(void)
{
        auto_str helper = cor_libexec_path("coracle-systemd");
        struct stat st;

        return lstat("/run/systemd/system", &st) == 0 && S_ISDIR(st.st_mode) && access(helper, X_OK) == 0;
}

/* Other runtimes make their cgroups themselves: by way of systemd crun refuses docker's rules for devices. */
static void make_path(struct spec *s)
{
        const char *parent = s->host->cgroup_parent;

        if (spec_other_runtime(s) && !spec_empty(parent) && *parent != '/') {
                s->c->linux_->cgroups_path = spec_printf(s, "/%s/%s", parent, s->id);
        } else if (s->unified && spec_has_systemd() && !spec_other_runtime(s)) {
                if (spec_empty(parent))
                        parent = s->rootless ? "user.slice" : "system.slice";
                s->c->linux_->cgroups_path = spec_printf(s, "%s:coracle:%s", parent, s->id);
        } else if (!s->rootless || !spec_empty(parent)) {
                s->c->linux_->cgroups_path = spec_printf(s, "%s/%s", spec_empty(parent) ? "/coracle" : parent, s->id);
        }
}

/* --- what -------------------------------------------------------------------------------------------------------- */

static void make_memory(struct spec *s, struct oci_resources *r)
{
        const struct docker_host_config *h = s->host;
        struct oci_memory m = { 0 };

        if (h->memory > 0)
                m.limit = (struct cor_opt_i64){ true, h->memory };
        if (h->memory_reservation > 0)
                m.reservation = (struct cor_opt_i64){ true, h->memory_reservation };
        if (h->memory_swap > 0)
                m.swap = (struct cor_opt_i64){ true, h->memory_swap };
        if (h->memory_swappiness.set)
                m.swappiness = (struct cor_opt_u64){ true, (uint64_t)h->memory_swappiness.value };
        m.disable_oom_killer = h->oom_kill_disable;
        if (!m.limit.set && !m.reservation.set && !m.swap.set && !m.swappiness.set && !m.disable_oom_killer.set)
                return;
        r->memory = cor_json_alloc(s->c, sizeof m);
        *r->memory = m;
}

static struct cor_opt_u64 if_set(int64_t value)
{
        return (struct cor_opt_u64){ value != 0, (uint64_t)value };
}

static void make_cpu(struct spec *s, struct oci_resources *r)
{
        enum { PERIOD_US = 100000 };
        const struct docker_host_config *h = s->host;
        struct oci_cpu c = {
                .shares = if_set(h->cpu_shares),
                .rt_period = if_set(h->cpu_realtime_period),
                .rt_runtime = { h->cpu_realtime_runtime != 0, h->cpu_realtime_runtime },
                .period = if_set(h->cpu_period),
                .quota = { h->cpu_quota != 0, h->cpu_quota },
                .cpus = spec_empty(h->cpuset_cpus) ? NULL : h->cpuset_cpus,
                .mems = spec_empty(h->cpuset_mems) ? NULL : h->cpuset_mems,
        };

        if (h->nano_cpus > 0) {
                c.period = (struct cor_opt_u64){ true, PERIOD_US };
                c.quota = (struct cor_opt_i64){ true, h->nano_cpus / (1000000000 / PERIOD_US) };
        }
        if (!c.shares.set && !c.rt_period.set && !c.rt_runtime.set && !c.period.set && !c.quota.set && !c.cpus &&
            !c.mems)
                return;
        r->cpu = cor_json_alloc(s->c, sizeof c);
        *r->cpu = c;
}

static void make_pids(struct spec *s, struct oci_resources *r)
{
        if (!s->host->pids_limit.set)
                return;
        r->pids = cor_json_alloc(s->c, sizeof *r->pids);
        r->pids->limit.set = true;
        r->pids->limit.value = s->host->pids_limit.value > 0 ? s->host->pids_limit.value : -1;
}

/* --- block devices ----------------------------------------------------------------------------------------------- */

static int device_number(const char *path, int64_t *ret_major, int64_t *ret_minor, struct cor_err *err)
{
        struct stat st;

        if (!path || stat(path, &st) < 0)
                return cor_fail_errno(err, "stat %s", path ? path : "");
        *ret_major = major(st.st_rdev);
        *ret_minor = minor(st.st_rdev);
        return 0;
}

static int make_throttle(struct spec *s, const struct docker_throttle_device *from, size_t n,
                         struct oci_throttle_device **items, size_t *n_items, struct cor_err *err)
{
        for (size_t i = 0; i < n; i++) {
                struct oci_throttle_device *d = SPEC_GROW(s->c, *items, *n_items);

                *d = (struct oci_throttle_device){ .rate = from[i].rate };
                if (device_number(from[i].path, &d->major, &d->minor, err) < 0)
                        return -1;
        }
        return 0;
}

static int make_weights(struct spec *s, struct oci_block_io *b, struct cor_err *err)
{
        for (size_t i = 0; i < s->host->n_blkio_weight_device; i++) {
                const struct docker_weight_device *from = &s->host->blkio_weight_device[i];
                struct oci_weight_device *d = SPEC_GROW(s->c, b->weight_devices, b->n_weight_devices);

                *d = (struct oci_weight_device){ .weight = { true, from->weight } };
                if (device_number(from->path, &d->major, &d->minor, err) < 0)
                        return -1;
        }
        return 0;
}

static int make_block_io(struct spec *s, struct oci_resources *r, struct cor_err *err)
{
        const struct docker_host_config *h = s->host;
        struct oci_block_io *b = cor_json_alloc(s->c, sizeof *b);

#define THROTTLE(FROM, TO) make_throttle(s, h->blkio_device_##FROM, h->n_blkio_device_##FROM, &b->TO, &b->n_##TO, err)
        if (THROTTLE(read_bps, read_bps) < 0 || THROTTLE(write_bps, write_bps) < 0 ||
            THROTTLE(read_iops, read_iops) < 0 || THROTTLE(write_iops, write_iops) < 0 || make_weights(s, b, err) < 0)
                return -1;
#undef THROTTLE
        b->weight = if_set(h->blkio_weight);
        if (b->weight.set || b->n_weight_devices || b->n_read_bps || b->n_write_bps || b->n_read_iops ||
            b->n_write_iops)
                r->block_io = b;
        return 0;
}

int spec_make_resources(struct spec *s, struct cor_err *err)
{
        struct oci_resources *r = cor_json_alloc(s->c, sizeof *r);

        s->c->linux_->resources = r;
        make_path(s);
        make_memory(s, r);
        make_cpu(s, r);
        make_pids(s, r);
        return make_block_io(s, r, err);
}

/*
 * Cgroups made by systemd, which is asked by way of coracle-systemd (dbus.h).
 *
 * Limits are given twice: to systemd as properties, so that it shows them and keeps them when it is reloaded, and to
 * the files of the cgroup by ourselves, exactly and for all that systemd has no property for.
 */
#include "linux/cgroup_priv.h"

#include "base/fd.h"
#include "base/file.h"
#include "base/process.h"
#include "linux/cgroup_systemd.h"
#include "linux/dbus.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { JOB_TIMEOUT_MS = 30000 };

/* --- the request ------------------------------------------------------------------------------------------------- */

static void add(struct cor_text *t, const char *name, const char *type, const char *value, unsigned since)
{
        cor_text_printf(t, "%s{\"name\":\"%s\",\"type\":\"%s\",\"since\":%u,\"value\":", t->len ? "," : "", name, type,
                        since);
        cor_text_add_json(t, value);
        cor_text_add_c(t, '}');
}

static void add_u64(struct cor_text *t, const char *name, uint64_t value, unsigned since)
{
        char text[24];

        snprintf(text, sizeof text, "%" PRIu64, value);
        add(t, name, "t", text, since);
}

/* -1 is "infinity", which on the bus is the largest number. */
static void add_limit(struct cor_text *t, const char *name, int64_t value)
{
        if (value != 0)
                add_u64(t, name, (uint64_t)value, 0);
}

static int add_list(struct cor_text *t, const char *name, const char *list, struct cor_err *err)
{
        uint8_t bits[1024];
        char hex[2 * sizeof bits + 1] = "";
        ssize_t n;

        if (!list || !*list)
                return 0;
        n = cgroup_cpulist_bits(list, bits, sizeof bits, err);
        if (n < 0)
                return -1;
        for (ssize_t i = 0; i < n; i++)
                snprintf(hex + 2 * i, 3, "%02x", bits[i]);
        add(t, name, "ay", hex, 244);
        return 0;
}

/* systemd knows a quota as microseconds per second in whole percent: rounded up, so that ours always fits below. */
static void add_quota(struct cor_text *t, int64_t quota, uint64_t period)
{
        uint64_t per_sec = UINT64_MAX;

        if (period)
                add_u64(t, "CPUQuotaPeriodUSec", period, 242);
        else
                period = 100000;
        if (quota > 0 && !__builtin_mul_overflow((uint64_t)quota, 1000000ULL, &per_sec)) {
                per_sec /= period;
                per_sec = (per_sec + 9999) / 10000 * 10000;
        }
        add_u64(t, "CPUQuotaPerSecUSec", per_sec, 0);
}

static int add_cpu(struct cor_text *t, const struct oci_cpu *c, bool v2, struct cor_err *err)
{
        uint64_t shares = c->shares.set ? c->shares.value : 0;

        if (v2 && c->idle.set && c->idle.value == 1)
                add_u64(t, "CPUWeight", 0, 252);
        else if (shares && v2)
                add_u64(t, "CPUWeight", cgroup_weight_of_shares(shares), 0);
        else if (shares)
                add_u64(t, "CPUShares", shares, 0);
        if ((c->quota.set && c->quota.value) || (c->period.set && c->period.value))
                add_quota(t, c->quota.set ? c->quota.value : 0, c->period.set ? c->period.value : 0);
        if (add_list(t, "AllowedCPUs", c->cpus, err) < 0)
                return cor_wrap(err, "linux.resources.cpu.cpus");
        if (add_list(t, "AllowedMemoryNodes", c->mems, err) < 0)
                return cor_wrap(err, "linux.resources.cpu.mems");
        return 0;
}

static int add_memory(struct cor_text *t, const struct oci_memory *m, bool v2, struct cor_err *err)
{
        int64_t swap = 0;
        int set;

        if (!v2) {
                add_limit(t, "MemoryLimit", m->limit.set ? m->limit.value : 0);
                return 0;
        }
        add_limit(t, "MemoryMax", m->limit.set ? m->limit.value : 0);
        add_limit(t, "MemoryLow", m->reservation.set ? m->reservation.value : 0);
        if (!m->limit.set || m->limit.value == 0) /* memory+swap alone: only the files know the memory limit */
                return 0;
        set = cgroup_swap_of(m, &swap, err);
        if (set > 0)
                add_u64(t, "MemorySwapMax", (uint64_t)swap, 0);
        return set < 0 ? -1 : 0;
}

static int add_unified(struct cor_text *t, const struct cor_pair *u, struct cor_err *err)
{
        static const struct {
                const char *key, *name;
        } limits[] = {
                { "memory.high", "MemoryHigh" }, { "memory.low", "MemoryLow" },          { "memory.min", "MemoryMin" },
                { "memory.max", "MemoryMax" },   { "memory.swap.max", "MemorySwapMax" }, { "pids.max", "TasksMax" },
                { "cpu.weight", "CPUWeight" },
        };
        uint64_t value = UINT64_MAX, period = 0;
        char *s = (char *)(uintptr_t)u->value; /* only walked */

        for (size_t i = 0; i < COR_COUNT(limits); i++) {
                if (strcmp(u->key, limits[i].key) != 0)
                        continue;
                if (strcmp(u->value, "max") != 0 && !cgroup_parse_u64(&s, &value))
                        return 0; /* the kernel judges it */
                add_u64(t, limits[i].name, value == 0 && strcmp(u->key, "pids.max") == 0 ? 1 : value, 0);
                return 0;
        }
        if (strcmp(u->key, "cpuset.cpus") == 0)
                return add_list(t, "AllowedCPUs", u->value, err);
        if (strcmp(u->key, "cpuset.mems") == 0)
                return add_list(t, "AllowedMemoryNodes", u->value, err);
        if (strcmp(u->key, "cpu.max") == 0) {
                if (!cgroup_parse_u64(&s, &value))
                        s += strcspn(s, " ");
                s += strspn(s, " ");
                (void)!cgroup_parse_u64(&s, &period);
                add_quota(t, value > INT64_MAX ? 0 : (int64_t)value, period);
        }
        return 0;
}

/* "PATH ACCESS" lines of what can be said to systemd; what cannot is held by our own rules alone, which come later. */
static int add_devices(struct cor_text *t, const struct oci_resources *r, struct cor_err *err)
{
        COR_CLEANUP(device_policy_done) struct device_policy p = { .allow = false }, flat = { .allow = false };
        auto_text lines = COR_TEXT_INIT;

        if (device_policy_make(r, &p, err) < 0)
                return -1;
        if (device_policy_flat(&p, &flat, NULL) < 0 || flat.allow) {
                add(t, "DevicePolicy", "s", "auto", 0);
                add(t, "DeviceAllow", "a(ss)", "", 0);
                return 0;
        }
        for (size_t i = 0; i < flat.n_items; i++) {
                const struct device_rule *d = &flat.items[i];
                const char *kind = d->type == 'b' ? "block" : "char";

                if (d->major < 0 && d->minor >= 0)
                        continue;
                if (d->major < 0)
                        cor_text_printf(&lines, "%s-*", kind);
                else if (d->minor < 0)
                        cor_text_printf(&lines, "%s-%" PRId64, kind, d->major);
                else
                        cor_text_printf(&lines, "/dev/%s/%" PRId64 ":%" PRId64, kind, d->major, d->minor);
                cor_text_printf(&lines, " %s%s%s\n", d->access & DEV_READ ? "r" : "", d->access & DEV_WRITE ? "w" : "",
                                d->access & DEV_MKNOD ? "m" : "");
        }
        add(t, "DevicePolicy", "s", "strict", 0);
        add(t, "DeviceAllow", "a(ss)", "", 0); /* an empty list clears the present one */
        add(t, "DeviceAllow", "a(ss)", lines.s ? lines.s : "", 0);
        return 0;
}

int cgroup_systemd_properties(int mode, const struct oci_resources *r, bool update, struct cor_text *out,
                              struct cor_err *err)
{
        bool v2 = mode == CGROUP_V2;

        if ((!update || (r && r->n_devices)) && add_devices(out, r, err) < 0)
                return -1;
        if (!r)
                return 0;
        if ((r->memory && add_memory(out, r->memory, v2, err) < 0) || (r->cpu && add_cpu(out, r->cpu, v2, err) < 0))
                return -1;
        if (r->pids && r->pids->limit.set && r->pids->limit.value)
                add_u64(out, "TasksMax", r->pids->limit.value < 0 ? UINT64_MAX : (uint64_t)r->pids->limit.value, 0);
        if (r->block_io && r->block_io->weight.set && r->block_io->weight.value)
                add_u64(out, v2 ? "IOWeight" : "BlockIOWeight",
                        v2 ? cgroup_io_weight_of_blkio(r->block_io->weight.value) : r->block_io->weight.value, 0);
        for (size_t i = 0; i < r->n_unified; i++)
                if (add_unified(out, &r->unified[i], err) < 0)
                        return cor_wrap(err, "linux.resources.unified");
        return 0;
}

/* --- the helper -------------------------------------------------------------------------------------------------- */

static void begin(struct cor_text *t, const struct cgroup_where *w, const char *op)
{
        cor_text_printf(t, "{\"op\":\"%s\",\"user\":%s,\"timeoutMs\":%d,\"unit\":", op, w->rootless ? "true" : "false",
                        JOB_TIMEOUT_MS);
        cor_text_add_json(t, w->unit);
}

/* org.systemd.property.NAME = VALUE; the text of the value is the helper's to read. */
static void add_annotations(struct cor_text *t, const struct cgroup_request *req)
{
        static const char prefix[] = "org.systemd.property.";
        bool first = true;

        cor_text_add(t, ",\"texts\":[");
        for (size_t i = 0; i < req->n_annotations; i++) {
                if (!cor_starts_with(req->annotations[i].key, prefix))
                        continue;
                cor_text_add(t, first ? "{\"name\":" : ",{\"name\":");
                cor_text_add_json(t, req->annotations[i].key + sizeof prefix - 1);
                cor_text_add(t, ",\"value\":");
                cor_text_add_json(t, req->annotations[i].value);
                cor_text_add_c(t, '}');
                first = false;
        }
        cor_text_add_c(t, ']');
}

static int start_scope(struct cgroup *cg, const struct cgroup_request *req, pid_t pid, struct cor_err *err)
{
        auto_text t = COR_TEXT_INIT, properties = COR_TEXT_INIT;

        if (cgroup_systemd_properties((int)cg->layout.mode, req->resources, false, &properties, err) < 0)
                return -1;
        begin(&t, cg->where, "start");
        cor_text_add(&t, ",\"slice\":");
        cor_text_add_json(&t, cg->where->slice);
        cor_text_printf(&t, ",\"pid\":%d,\"description\":", (int)pid);
        auto_str description = cor_printf("coracle container %s", req->id);
        cor_text_add_json(&t, description);
        cor_text_printf(&t, ",\"properties\":[%s]", properties.s ? properties.s : "");
        add_annotations(&t, req);
        cor_text_add_c(&t, '}');
        return dbus_ask("systemd", t.s, t.len, err);
}

/* Where systemd has put the process: below the user's manager, for one, the path starts with that manager's own. */
static int find_scope(struct cgroup *cg, pid_t pid, struct cor_err *err)
{
        struct cgroup_where *w = cg->where;
        auto_str text = NULL, *scope = NULL;
        auto_str file = cor_printf("/proc/%d/cgroup", (int)pid), *tail = cor_printf("/%s", w->unit);

        if (cor_read_file(file, 1 << 20, &text, NULL, err) < 0)
                return -1;
        scope = cgroup_proc_path(text, cg->layout.mode == CGROUP_V2 ? "" : "name=systemd");
        if (!scope || !cor_ends_with(scope, tail))
                return cor_fail(err, COR_SYSTEM, "systemd started %s, but process %d is in cgroup %s", w->unit,
                                (int)pid, scope ? scope : "(none)");
        free((void *)(uintptr_t)w->path);
        w->path = cor_printf("%s%s%s", scope, w->subgroup ? "/" : "", w->subgroup ? w->subgroup : "");
        cgroup_set_paths(cg);
        return 0;
}

int cgroup_systemd_start(struct cgroup *cg, const struct cgroup_request *req, pid_t pid, struct cor_err *err)
{
        int r = start_scope(cg, req, pid, err);

        /* who lacks a process for asking has asked for nothing, and may lack it for asking to stop, too */
        cg->pending = r < 0 && (err->sys == EAGAIN || err->sys == ENOMEM);
        if (r < 0 || find_scope(cg, pid, err) < 0)
                return -1;
        if (cgroup_make_dirs(cg, false, err) < 0)
                return cor_wrap(err, "below systemd's %s", cg->where->unit);
        for (size_t i = 0; i < cg->n_dirs; i++) {
                struct cgroup_dir *d = &cg->dirs[i];

                if (!cgroup_dir_open(cg, d))
                        continue;
                if ((!d->h->v2 || cg->where->subgroup) && cgroup_write_pid(d, pid, err) < 0)
                        return -1;
                if (d->h->v2) /* a scope with a sub-cgroup has no processes any more: now it can pass on controllers */
                        cgroup_enable_controllers(cg, d);
        }
        return cgroup_apply(cg, req->resources, false, err);
}

/* "max 100000" or "50000 100000"; version 1 has a file for each, and -1 for max. */
static int read_quota(const struct cgroup_dir *d, struct oci_cpu *ret)
{
        uint64_t quota = UINT64_MAX, period = 0;
        char text[64], *s = text;

        if (!d->h->v2) {
                (void)!cgroup_read_u64(d, "cpu.cfs_quota_us", &quota);
                if (cgroup_read_u64(d, "cpu.cfs_period_us", &period) < 0)
                        return -1;
        } else {
                if (cgroup_read(d, "cpu.max", text, sizeof text, NULL) < 0)
                        return -1;
                if (!cgroup_parse_u64(&s, &quota))
                        s += strcspn(s, " ");
                s += strspn(s, " ");
                if (!cgroup_parse_u64(&s, &period))
                        return -1;
        }
        ret->quota.set = quota <= INT64_MAX;
        ret->quota.value = ret->quota.set ? (int64_t)quota : 0;
        ret->period.set = true;
        ret->period.value = period;
        return 0;
}

/* systemd sets quota and period together: the one that an update leaves out is what it is now. */
static void complete_quota(struct cgroup *cg, struct oci_cpu *c)
{
        bool quota = c->quota.set && c->quota.value, period = c->period.set && c->period.value;
        struct cgroup_dir *d = cgroup_dir_of(cg, CTL_CPU);
        struct oci_cpu now = { 0 };

        if (quota == period || !d || read_quota(d, &now) < 0)
                return;
        if (!quota)
                c->quota = now.quota;
        if (!period)
                c->period = now.period;
}

int cgroup_systemd_update(struct cgroup *cg, const struct oci_resources *r, struct cor_err *err)
{
        auto_text t = COR_TEXT_INIT, properties = COR_TEXT_INIT;
        struct cgroup_dir *memory = cgroup_dir_of(cg, CTL_MEMORY);
        struct oci_resources full = *r;
        struct oci_cpu cpu;

        /* before systemd does it: what is too little would end the container */
        if (r->memory && memory && memory->h->v2 && cgroup_v2_check_usage(memory, r->memory, err) < 0)
                return cor_wrap(err, "linux.resources.memory");
        if (r->cpu) {
                cpu = *r->cpu;
                complete_quota(cg, &cpu);
                full.cpu = &cpu;
        }
        if (cgroup_systemd_properties((int)cg->layout.mode, &full, true, &properties, err) < 0)
                return -1;
        if (properties.len == 0)
                return 0;
        begin(&t, cg->where, "set");
        cor_text_printf(&t, ",\"properties\":[%s]}", properties.s);
        return dbus_ask("systemd", t.s, t.len, err);
}

int cgroup_systemd_attach(const struct cgroup *cg, const char *place, pid_t pid, struct cor_err *err)
{
        const char *subgroup = cg->where->subgroup ? cg->where->subgroup : "";
        auto_str below = cor_printf("%s%s%s%s", *subgroup ? "/" : "", subgroup, *place ? "/" : "", place);
        auto_text t = COR_TEXT_INIT;

        begin(&t, cg->where, "attach");
        cor_text_printf(&t, ",\"pid\":%d,\"below\":", (int)pid);
        cor_text_add_json(&t, below);
        cor_text_add_c(&t, '}');
        return dbus_ask("systemd", t.s, t.len, err);
}

int cgroup_systemd_stop(struct cgroup *cg, struct cor_err *err)
{
        auto_text t = COR_TEXT_INIT;

        begin(&t, cg->where, "stop");
        cor_text_add_c(&t, '}');
        return dbus_ask("systemd", t.s, t.len, err);
}

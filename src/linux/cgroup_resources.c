/* linux.resources as a whole: what can be refused at once, and which file of ours writes which part where. */
#include "linux/cgroup_priv.h"

#include "linux/device_bpf.h"
#include <errno.h>
#include <string.h>

static bool wants_cpu(const struct oci_resources *r)
{
        const struct oci_cpu *c = r->cpu;

        return c && ((c->shares.set && c->shares.value) || (c->quota.set && c->quota.value) ||
                     (c->period.set && c->period.value) || c->burst.set || c->idle.set ||
                     (c->rt_period.set && c->rt_period.value) || (c->rt_runtime.set && c->rt_runtime.value));
}

static bool wants_cpuset(const struct oci_resources *r)
{
        return r->cpu && ((r->cpu->cpus && *r->cpu->cpus) || (r->cpu->mems && *r->cpu->mems));
}

static bool wants_memory(const struct oci_resources *r)
{
        const struct oci_memory *m = r->memory;

        return m && ((m->limit.set && m->limit.value) || (m->swap.set && m->swap.value) ||
                     (m->reservation.set && m->reservation.value) || m->swappiness.set ||
                     (m->disable_oom_killer.set && m->disable_oom_killer.value));
}

static bool wants_pids(const struct oci_resources *r)
{
        return r->pids && r->pids->limit.set && r->pids->limit.value;
}

static bool wants_io(const struct oci_resources *r)
{
        const struct oci_block_io *b = r->block_io;

        return b && ((b->weight.set && b->weight.value) || (b->leaf_weight.set && b->leaf_weight.value) ||
                     b->n_weight_devices || b->n_read_bps || b->n_write_bps || b->n_read_iops || b->n_write_iops);
}

static bool wants_hugetlb(const struct oci_resources *r)
{
        return r->n_hugepage_limits > 0;
}

static bool wants_net_cls(const struct oci_resources *r)
{
        return r->network && r->network->class_id.set && r->network->class_id.value;
}

static bool wants_net_prio(const struct oci_resources *r)
{
        return r->network && r->network->n_priorities > 0;
}

static bool wants_rdma(const struct oci_resources *r)
{
        return r->n_rdma > 0;
}

/* In the order of writing. A part without a function for a version is refused there. */
static const struct part {
        const char *place; /* below linux.resources */
        const char *name;  /* of the controller on version 2 */
        enum cgroup_ctl ctl;
        bool (*wanted)(const struct oci_resources *r);
        cgroup_setter *v1, *v2;
} parts[] = {
        { "cpu", "cpu", CTL_CPU, wants_cpu, cgroup_v1_cpu, cgroup_v2_cpu },
        { "cpu", "cpuset", CTL_CPUSET, wants_cpuset, cgroup_v1_cpuset, cgroup_v2_cpuset },
        { "memory", "memory", CTL_MEMORY, wants_memory, cgroup_v1_memory, cgroup_v2_memory },
        { "pids", "pids", CTL_PIDS, wants_pids, cgroup_v1_pids, cgroup_v2_pids },
        { "blockIO", "io", CTL_BLKIO, wants_io, cgroup_v1_blkio, cgroup_v2_io },
        { "hugepageLimits", "hugetlb", CTL_HUGETLB, wants_hugetlb, cgroup_v1_hugetlb, cgroup_v2_hugetlb },
        { "network.classID", "net_cls", CTL_NET_CLS, wants_net_cls, cgroup_v1_net_cls, NULL },
        { "network.priorities", "net_prio", CTL_NET_PRIO, wants_net_prio, cgroup_v1_net_prio, NULL },
        { "rdma", "rdma", CTL_RDMA, wants_rdma, cgroup_v1_rdma, cgroup_set_rdma },
};

bool cgroup_wants_limits(const struct oci_resources *r)
{
        if (!r)
                return false;
        for (size_t i = 0; i < COR_COUNT(parts); i++)
                if (parts[i].wanted(r))
                        return true;
        return r->n_unified > 0;
}

/* --- what can be refused at once --------------------------------------------------------------------------------- */

static int check_memory(const struct oci_memory *m, int mode, struct cor_err *err)
{
        int64_t swap;

        if ((m->limit.set && m->limit.value < -1) || (m->swap.set && m->swap.value < -1) ||
            (m->reservation.set && m->reservation.value < -1))
                return cor_fail(err, COR_INVALID,
                                "linux.resources.memory: a limit is a number of bytes, or -1 for none");
        if (m->swappiness.set && m->swappiness.value > 100)
                return cor_fail(err, COR_INVALID, "linux.resources.memory.swappiness: must be 0 to 100");
        if (m->limit.set && m->limit.value && m->swap.set && m->swap.value > 0 && m->swap.value < m->limit.value)
                return cgroup_swap_of(m, &swap, err) < 0 ? -1 : 0;
        return 0;
}

static int check_cpu(const struct oci_cpu *c, int mode, struct cor_err *err)
{
        if (c->quota.set && c->quota.value < -1)
                return cor_fail(err, COR_INVALID,
                                "linux.resources.cpu.quota: must be microseconds, or -1 for no limit");
        if (c->idle.set && c->idle.value != 0 && c->idle.value != 1)
                return cor_fail(err, COR_INVALID, "linux.resources.cpu.idle: must be 0 or 1");
        if (mode == CGROUP_V2 &&
            ((c->rt_runtime.set && c->rt_runtime.value) || (c->rt_period.set && c->rt_period.value)))
                return cor_fail(err, COR_UNSUPPORTED,
                                "linux.resources.cpu.realtimeRuntime and realtimePeriod need cgroup version 1");
        return 0;
}

static int check_io(const struct oci_block_io *b, struct cor_err *err)
{
        if ((b->weight.set && b->weight.value > 1000) || (b->leaf_weight.set && b->leaf_weight.value > 1000))
                return cor_fail(err, COR_INVALID, "linux.resources.blockIO.weight: must be 10 to 1000");
        for (size_t i = 0; i < b->n_weight_devices; i++)
                if (b->weight_devices[i].weight.set && b->weight_devices[i].weight.value > 1000)
                        return cor_fail(err, COR_INVALID,
                                        "linux.resources.blockIO.weightDevice[%zu].weight: must be 10 to 1000", i);
        return 0;
}

static int check_hugetlb(const struct oci_resources *r, struct cor_err *err)
{
        for (size_t i = 0; i < r->n_hugepage_limits; i++) {
                const char *size = r->hugepage_limits[i].page_size;
                size_t digits = size ? strspn(size, "0123456789") : 0;

                if (digits == 0 || digits > 7 || size[digits + (size[digits] != '\0')] != 'B' ||
                    !strchr("KMG", size[digits]) || size[digits + 2] != '\0')
                        return cor_fail(err, COR_INVALID,
                                        "linux.resources.hugepageLimits[%zu].pageSize: '%s' is not like 64KB, 2MB, 1GB",
                                        i, size ? size : "");
        }
        return 0;
}

static int check_unified(const struct oci_resources *r, int mode, struct cor_err *err)
{
        for (size_t i = 0; i < r->n_unified; i++) {
                const char *key = r->unified[i].key;

                if (mode != CGROUP_V2)
                        return cor_fail(err, COR_INVALID, "linux.resources.unified: needs cgroup version 2");
                if (strchr(key, '/'))
                        return cor_fail(err, COR_INVALID, "unified resource \"%s\" must be a file name (no slashes)",
                                        key);
                if (!strchr(key, '.') || *key == '.')
                        return cor_fail(err, COR_INVALID,
                                        "unified resource \"%s\" must be in the form CONTROLLER.PARAMETER", key);
                if (!r->unified[i].value || !*r->unified[i].value)
                        return cor_fail(err, COR_INVALID, "unified resource \"%s\": no value", key);
        }
        return 0;
}

static int check_words(const struct oci_resources *r, struct cor_err *err)
{
        for (size_t i = 0; r->network && i < r->network->n_priorities; i++) {
                const char *name = r->network->priorities[i].name;

                if (!name || !*name || strpbrk(name, " \t\n/"))
                        return cor_fail(err, COR_INVALID, "linux.resources.network.priorities[%zu].name: no interface",
                                        i);
        }
        for (size_t i = 0; i < r->n_rdma; i++)
                if (!*r->rdma[i].device || strpbrk(r->rdma[i].device, " \t\n"))
                        return cor_fail(err, COR_INVALID, "linux.resources.rdma: '%s' is no device", r->rdma[i].device);
        return 0;
}

int cgroup_check_resources(int mode, const struct oci_resources *r, struct cor_err *err)
{
        COR_CLEANUP(device_policy_done) struct device_policy devices = { .allow = false };

        if (!r)
                return 0;
        if ((r->memory && check_memory(r->memory, mode, err) < 0) || (r->cpu && check_cpu(r->cpu, mode, err) < 0) ||
            (r->block_io && check_io(r->block_io, err) < 0) || check_hugetlb(r, err) < 0 ||
            check_unified(r, mode, err) < 0 || check_words(r, err) < 0)
                return -1;
        return device_policy_make(r, &devices, err);
}

/* --- writing ----------------------------------------------------------------------------------------------------- */

static bool has_word(const char *words, const char *word)
{
        size_t n = strlen(word);

        for (const char *s = words; (s = strstr(s, word)); s += n)
                if ((s == words || s[-1] == ' ') && (s[n] == ' ' || s[n] == '\0'))
                        return true;
        return false;
}

/* A file of version 2 that is not there mostly means that the controller is not available; say so. */
static int explain(const struct cgroup_dir *d, const char *controller, struct cor_err *err)
{
        char available[512];

        if (!d->h->v2 || (err->sys != ENOENT && err->sys != EACCES && err->sys != EPERM))
                return -1;
        if (cgroup_read(d, "cgroup.controllers", available, sizeof available, NULL) < 0 ||
            has_word(available, controller))
                return -1;
        return cor_fail(err, COR_UNSUPPORTED, "controller \"%s\" is not available in cgroup %s (available: %s)",
                        controller, d->path, *available ? available : "none");
}

static int apply_part(struct cgroup *cg, const struct part *p, const struct oci_resources *r, struct cor_err *err)
{
        struct cgroup_dir *d = cgroup_dir_of(cg, p->ctl);
        cgroup_setter *set = d && d->h->v2 ? p->v2 : p->v1;

        if (!d)
                return cor_fail(err, COR_UNSUPPORTED,
                                "linux.resources.%s: cannot set a limit: the container has no %s cgroup", p->place,
                                p->name);
        if (!set)
                return cor_fail(err, COR_UNSUPPORTED, "linux.resources.%s: needs cgroup version 1", p->place);
        if (set(d, r, err) == 0)
                return 0;
        (void)!explain(d, p->name, err);
        return cor_wrap(err, "linux.resources.%s", p->place);
}

static int apply_unified(struct cgroup *cg, const struct oci_resources *r, struct cor_err *err)
{
        struct cgroup_dir *d = cgroup_dir_v2(cg);

        if (!d)
                return cor_fail(err, COR_UNSUPPORTED, "linux.resources.unified: the container has no cgroup");
        if (cgroup_v2_unified(d, r, err) == 0)
                return 0;
        for (size_t i = 0; i < r->n_unified; i++) { /* name the controller that is missing, if one is */
                auto_str ctl = cor_strndup(r->unified[i].key, strcspn(r->unified[i].key, "."));

                if (strcmp(ctl, "cgroup") != 0 && err->sys && explain(d, ctl, err) == -1 && err->sys == 0)
                        return cor_wrap(err, "unified resource \"%s\" can't be set", r->unified[i].key);
        }
        return -1;
}

/* The kernel enforces device rules of the host's root only; rootless containers are held by their user namespace. */
static int apply_devices(struct cgroup *cg, const struct oci_resources *r, bool update, struct cor_err *err)
{
        COR_CLEANUP(device_policy_done) struct device_policy p = { .allow = false };
        struct cgroup_dir *d = cgroup_dir_of(cg, CTL_DEVICES);
        int ret;

        if (update && (!r || r->n_devices == 0))
                return 0;
        if (device_policy_make(r, &p, err) < 0)
                return -1;
        if (!d)
                ret = cor_fail(err, COR_UNSUPPORTED, "linux.resources.devices: the container has no devices cgroup");
        else if (d->h->v2)
                ret = p.allow && p.n_items == 0 && !update ? 0 : device_bpf_attach(d->fd, &p, err);
        else
                ret = cgroup_v1_devices(d, &p, update, err);
        if (ret < 0 && cg->where->rootless) {
                cor_err_clear(err);
                return 0;
        }
        return ret;
}

int cgroup_apply(struct cgroup *cg, const struct oci_resources *r, bool update, struct cor_err *err)
{
        for (size_t i = 0; r && i < COR_COUNT(parts); i++)
                if (parts[i].wanted(r) && apply_part(cg, &parts[i], r, err) < 0)
                        return -1;
        if (apply_devices(cg, r, update, err) < 0)
                return -1;
        return r && r->n_unified ? apply_unified(cg, r, err) : 0;
}

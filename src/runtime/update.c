#include "runtime/lifecycle.h"
#include "runtime/record.h"

#include "linux/resctrl.h"

int container_update(const struct runtime_context *ctx, const char *id, const struct oci_resources *resources,
                     const struct oci_intel_rdt *rdt, struct cor_err *err)
{
        auto_container c = CONTAINER_INIT;
        auto_cgroup cg = NULL;

        if (container_open(ctx, id, &c, err) < 0)
                return -1;
        if (container_status(&c) == CONTAINER_STOPPED)
                return cor_fail(err, COR_BUSY, "container not running");
        if (container_cgroup(&c, &cg, err) < 0)
                return -1;
        if (resources && cgroup_update(cg, resources, err) < 0)
                return -1;
        if (rdt && resctrl_update(rdt, id, rdt->l3_cache_schema, rdt->mem_bw_schema, err) < 0)
                return -1;
        return 0;
}

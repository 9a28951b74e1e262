#include "runtime/teardown.h"

#include "linux/resctrl.h"

#include <signal.h>

enum { TEARDOWN_TIMEOUT_MS = 10000 };

static int remove_cgroup(struct cgroup *cg, struct cor_err *err)
{
        struct cor_err ignored;

        if (cgroup_destroy(cg, 0, err) == 0) /* as a rule everybody is gone already */
                return 0;
        (void)!cgroup_signal_all(cg, SIGKILL, TEARDOWN_TIMEOUT_MS, &ignored);
        return cgroup_destroy(cg, TEARDOWN_TIMEOUT_MS, err);
}

int teardown(const struct runtime_context *ctx, struct container *c, struct cgroup *cg, const char *clos,
             struct cor_err *err)
{
        auto_cgroup opened = NULL;
        struct cor_err why = { 0 };

        if (!cg && c->record && container_cgroup(c, &opened, &why) == 0)
                cg = opened;
        if (cg && remove_cgroup(cg, &why) < 0)
                *err = why;
        if (clos && resctrl_remove(clos, &why) < 0)
                *err = why;
        /* the folder goes last: as long as it is there, `delete --force` can try again */
        if (err->kind != COR_OK)
                return -1;
        return container_remove(ctx, c, err);
}

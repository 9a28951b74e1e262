#include "runtime/lifecycle.h"
#include "runtime/record.h"

enum { FREEZE_TIMEOUT_MS = 10000 };

static int freeze(const struct runtime_context *ctx, const char *id, bool frozen, struct cor_err *err)
{
        auto_container c = CONTAINER_INIT;
        auto_cgroup cg = NULL;
        enum container_status status;

        if (container_open(ctx, id, &c, err) < 0)
                return -1;
        status = container_status(&c);
        if (frozen && status != CONTAINER_RUNNING && status != CONTAINER_CREATED)
                return cor_fail(err, COR_BUSY, "container not running: %s", container_status_name(status));
        if (!frozen && status != CONTAINER_PAUSED)
                return cor_fail(err, COR_BUSY, "container not paused");
        if (container_cgroup(&c, &cg, err) < 0)
                return -1;
        return cgroup_freeze(cg, frozen, FREEZE_TIMEOUT_MS, err);
}

int container_pause(const struct runtime_context *ctx, const char *id, struct cor_err *err)
{
        return freeze(ctx, id, true, err);
}

int container_resume(const struct runtime_context *ctx, const char *id, struct cor_err *err)
{
        return freeze(ctx, id, false, err);
}

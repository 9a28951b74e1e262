/* What runs a container, ours or another OCI runtime (--runtime PATH), and what is asked of it meanwhile. */
#include "base/fd.h"
#include "base/file.h"
#include "engine/container_internal.h"
#include "monitor/other_runtime.h"
#include "runtime/record.h"
#include "store/container.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

int engine_runtime_open(struct engine *e, struct engine_runtime *ret, struct cor_err *err)
{
        const char *run;

        if (store_run_path(e->store, &run, err) < 0)
                return -1;
        ret->root = cor_printf("%s/runtime", run);
        ret->context = (struct runtime_context){ .root = ret->root, .rootless = runtime_default_rootless() };
        return 0;
}

void engine_runtime_done(struct engine_runtime *r)
{
        free(r->root);
        r->root = NULL;
}

int container_config_read(struct engine *e, const char *id, struct oci_config **ret, struct cor_err *err)
{
        auto_fd folder = container_folder_open(e->store, id, err);
        auto_str text = NULL;
        size_t n;

        if (folder < 0 || cor_own_read(folder, "config.json", OCI_CONFIG_MAX_BYTES, &text, &n, err) < 0)
                return -1;
        return oci_config_parse(text, n, "config.json", ret, err);
}

int container_other(struct engine *e, const char *id, struct container_other *ret, struct cor_err *err)
{
        auto_str link = NULL;
        char program[PATH_MAX];
        const char *run;
        ssize_t n;

        *ret = (struct container_other){ 0 };
        if (store_run_path(e->store, &run, err) < 0)
                return -1;
        link = cor_printf("%s/%s/" OTHER_RUNTIME_LINK, run, id);
        n = readlink(link, program, sizeof program);
        if (n < 0 && errno != ENOENT)
                return cor_fail_errno(err, "read %s", link);
        if (n <= 0)
                return 0;
        ret->program = cor_strndup(program, (size_t)n);
        ret->run = cor_printf("%s/%s", run, id);
        return 0;
}

void container_other_done(struct container_other *o)
{
        free(o->program);
        free(o->run);
        *o = (struct container_other){ 0 };
}

/* ---- its cgroup ---- */

static int own_cgroup(struct engine *e, const char *id, struct cgroup **ret, struct cor_err *err)
{
        auto_container container = CONTAINER_INIT;
        auto_engine_runtime runtime = { .root = NULL };

        if (engine_runtime_open(e, &runtime, err) < 0 || container_open(&runtime.context, id, &container, err) < 0)
                return -1;
        return container_cgroup(&container, ret, err);
}

/* Where config.json says: the engine has other runtimes make their cgroups themselves. */
static int other_cgroup(struct engine *e, const char *id, struct cgroup **ret, struct cor_err *err)
{
        struct cgroup_request request = { .manager = CGROUP_CGROUPFS,
                                          .rootless = runtime_default_rootless(),
                                          .id = id };
        auto_json struct oci_config *config = NULL;
        auto_cgroup_where where = NULL;

        if (container_config_read(e, id, &config, err) < 0)
                return -1;
        request.path = config->linux_ ? config->linux_->cgroups_path : NULL;
        return cgroup_plan(&request, &where, err) < 0 ? -1 : cgroup_open(where, ret, err);
}

int container_cgroup_of(struct engine *e, const char *id, struct cgroup **ret, struct cor_err *err)
{
        auto_container_other other = { 0 };

        if (container_other(e, id, &other, err) < 0)
                return -1;
        return other.program ? other_cgroup(e, id, ret, err) : own_cgroup(e, id, ret, err);
}

#ifndef CORACLE_RUNTIME_LIFECYCLE_H
#define CORACLE_RUNTIME_LIFECYCLE_H
/* What is done to a container that exists. All take the id and find the rest in its record. */
#include "base/text.h"
#include "runtime/context.h"
#include "spec/oci.h"

/*
 * container_kill() - send @sig to init; with @all to every process of its cgroup. BUSY ("container not running") when
 * it has stopped, except for @all when processes are left (shared pid namespace).
 */
int container_kill(const struct runtime_context *ctx, const char *id, int sig, bool all, struct cor_err *err)
        COR_MUST_CHECK;
/*
 * container_delete() - remove a container that has stopped or was never started: cgroup, records, poststop hooks. With
 * @force it is killed first, a half-made one is removed as far as it exists, and an unknown id is success.
 */
int container_delete(const struct runtime_context *ctx, const char *id, bool force, struct cor_err *err) COR_MUST_CHECK;
int container_pause(const struct runtime_context *ctx, const char *id, struct cor_err *err) COR_MUST_CHECK;
int container_resume(const struct runtime_context *ctx, const char *id, struct cor_err *err) COR_MUST_CHECK;
/* container_update() - set @resources on its cgroup; @rdt may be NULL */
int container_update(const struct runtime_context *ctx, const char *id, const struct oci_resources *resources,
                     const struct oci_intel_rdt *rdt, struct cor_err *err) COR_MUST_CHECK;
/* container_pids() - the processes in its cgroup, as pids of the caller's namespace; free() *ret */
int container_pids(const struct runtime_context *ctx, const char *id, pid_t **ret, size_t *ret_n, struct cor_err *err)
        COR_MUST_CHECK;

/* container_state_json() - the state document (runtime-spec, "State", and runc's further keys), pretty-printed */
int container_state_json(const struct runtime_context *ctx, const char *id, struct cor_text *out, struct cor_err *err)
        COR_MUST_CHECK;

struct container_info {
        char *id, *oci_version, *bundle, *rootfs, *created, *owner; /* owner: user name, or #UID */
        const char *status;
        int pid;
        struct cor_pair *annotations; /* owned with the rest */
        size_t n_annotations;
};
/* container_list() - all containers; a folder that cannot be read is skipped with a warning */
int container_list(const struct runtime_context *ctx, struct container_info **ret, size_t *ret_n, struct cor_err *err)
        COR_MUST_CHECK;
void container_list_free(struct container_info *list, size_t n);

#endif

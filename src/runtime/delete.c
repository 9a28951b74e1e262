#include "runtime/lifecycle.h"
#include "runtime/record.h"

#include "base/fd.h"
#include "base/log.h"
#include "runtime/hooks.h"
#include "runtime/teardown.h"

#include <signal.h>
#include <unistd.h>

enum { DELETE_TIMEOUT_MS = 10000, ZOMBIE_WAIT_MS = 1000 };

static void where_free(struct cgroup_where **where)
{
        cgroup_where_free(*where);
}

/* Kill init, and whatever else is in its cgroup; wait until init is gone. */
static int end_container(struct container *c, struct cor_err *err)
{
        struct cor_procid init = container_init_process(c);
        auto_cgroup cg = NULL;
        auto_fd pidfd = -1;
        struct cor_err ignored;

        if (init.pid == 0)
                return 0;
        pidfd = cor_procid_open(&init, &ignored);
        if (pidfd >= 0)
                (void)!cor_pidfd_signal(pidfd, SIGKILL, &ignored);
        /* a frozen process dies only when thawed, and one without a pid namespace has left others behind */
        if (container_cgroup(c, &cg, &ignored) == 0 && cgroup_exists(cg) &&
            cgroup_signal_all(cg, SIGKILL, DELETE_TIMEOUT_MS, err) < 0)
                return -1;
        if (pidfd < 0)
                return 0;
        switch (cor_pidfd_wait_gone(pidfd, DELETE_TIMEOUT_MS, err)) {
        case 1:
                return 0;
        case 0:
                return cor_fail(err, COR_TIMEOUT, "container %s: init (pid %d) does not end", c->id, (int)init.pid);
        default:
                return -1;
        }
}

/*
 * Take the lock from whoever makes, starts or runs the container in the foreground: without its first process they let
 * go. That one is held by a descriptor, and nobody else is killed before the lock is ours: what has the name of the
 * container and of its cgroup by now may be another one. Where it is frozen, to thaw is all that it takes.
 */
static int lock_by_force(struct container *c, struct cor_err *err)
{
        struct cor_procid init = container_init_process(c);
        struct cor_err ignored;
        auto_fd pidfd = init.pid ? cor_procid_open(&init, &ignored) : -1;
        auto_cgroup cg = NULL;

        if (pidfd >= 0)
                (void)!cor_pidfd_signal(pidfd, SIGKILL, &ignored);
        if (pidfd >= 0 && container_cgroup(c, &cg, &ignored) == 0 && cgroup_is_frozen(cg, &ignored) == 1)
                (void)!cgroup_freeze(cg, false, 0, &ignored);
        return container_lock(c, DELETE_TIMEOUT_MS, err);
}

/* After the end: remove, then poststop hooks, whose failures are only logged (runtime-spec, "Lifecycle" 12 and 13). */
static int remove_container(const struct runtime_context *ctx, struct container *c, struct cor_err *err)
{
        auto_json struct oci_config *config = NULL;
        struct cor_err no_config = { 0 };
        struct hook_state state = { .id = c->id, .status = "stopped" };

        if (container_config(c, &config, &no_config) == 0 && c->record) {
                state.bundle = c->record->bundle;
                state.rootfs = c->record->rootfs;
        }
        if (teardown(ctx, c, NULL, c->record ? c->record->clos : NULL, err) < 0)
                return -1;
        if (!config || !config->hooks || !c->record)
                return 0;
        return hooks_run("poststop", config->hooks->poststop, config->hooks->n_poststop, config, &state, true, err);
}

static int check_stopped(const struct container *c, struct cor_err *err)
{
        enum container_status status = container_status(c);
        struct cor_procid init = container_init_process(c);
        auto_fd pidfd = -1;
        struct cor_err ignored;

        if (status == CONTAINER_STOPPED)
                return 0;
        if (status != CONTAINER_CREATING) {
                /* an init that was just killed may need a moment to be gone */
                pidfd = cor_procid_open(&init, &ignored);
                if (pidfd < 0 ? ignored.kind == COR_NOT_FOUND
                              : cor_pidfd_wait_gone(pidfd, ZOMBIE_WAIT_MS / 10, &ignored) == 1)
                        return 0;
        }
        return cor_fail(err, COR_BUSY, "cannot delete container %s that is not stopped: %s", c->id,
                        container_status_name(status));
}

/*
 * There is no record, or it is damaged (a power cut, a full disk, an editor): there is no pid to go by, but the
 * configuration says what the cgroup is, and who is in there belongs to the container.
 */
static int remove_damaged(const struct runtime_context *ctx, const char *id, const char *why, struct cor_err *err)
{
        COR_CLEANUP(where_free) struct cgroup_where *where = NULL;
        auto_json struct oci_config *config = NULL;
        auto_container c = CONTAINER_INIT;
        auto_cgroup cg = NULL;
        struct cor_err ignored;

        if (container_open_folder(ctx, id, &c, err) < 0)
                return -1;
        if (container_lock(&c, DELETE_TIMEOUT_MS, &ignored) < 0 &&
            (ignored.kind == COR_BUSY || ignored.kind == COR_NOT_FOUND)) {
                *err = ignored;
                return ignored.kind == COR_NOT_FOUND ? 0 : -1;
        }
        if (why)
                cor_warn("%s: removing what the configuration tells of it", why);
        if (container_config(&c, &config, &ignored) == 0) {
                struct cgroup_request req = {
                        .manager = ctx->manager,
                        .rootless = ctx->rootless,
                        .id = id,
                        .path = config->linux_->cgroups_path,
                        .annotations = config->annotations,
                        .n_annotations = config->n_annotations,
                };

                if (cgroup_plan(&req, &where, &ignored) == 0)
                        (void)!cgroup_open(where, &cg, &ignored);
        }
        return teardown(ctx, &c, cg, NULL, err);
}

int container_delete(const struct runtime_context *ctx, const char *id, bool force, struct cor_err *err)
{
        auto_container c = CONTAINER_INIT;
        struct cor_err why = { 0 };

        if (container_open(ctx, id, &c, &why) < 0) {
                if (force && why.kind == COR_NOT_FOUND)
                        return 0;
                if (force && container_id_check(id, NULL) == 0)
                        return remove_damaged(ctx, id, why.msg, err);
                *err = why;
                return -1;
        }
        if (force && !c.record)
                return remove_damaged(ctx, id, NULL, err);
        if (force) {
                if (lock_by_force(&c, err) < 0)
                        return err && err->kind == COR_NOT_FOUND ? 0 : -1;
                return end_container(&c, err) < 0 ? -1 : remove_container(ctx, &c, err);
        }
        if (container_lock(&c, CONTAINER_LOCK_MS, err) < 0)
                return -1;
        if (!c.record) /* nothing says that it has stopped */
                return cor_fail(err, COR_BUSY, "container %s was never completed: delete --force removes it", id);
        if (container_status(&c) == CONTAINER_CREATED) /* nothing of the user's runs yet: runc and crun take it away */
                return end_container(&c, err) < 0 ? -1 : remove_container(ctx, &c, err);
        if (check_stopped(&c, err) < 0)
                return -1;
        return remove_container(ctx, &c, err);
}

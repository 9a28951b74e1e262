/* Renaming, changing and removing containers. */
#include "engine/container_internal.h"

#include "base/fd.h"
#include "engine/spec.h"
#include "monitor/clear.h"
#include "monitor/remove.h"
#include "store/endpoint.h"
#include "store/event.h"

#include <signal.h>
#include <string.h>

enum { END_MS = 20000 }; /* how long a monitor may take from the death of its container to its own end */

int engine_rename_container(struct engine *e, const char *name, const char *to, struct cor_err *err)
{
        const char *bare = to[0] == '/' ? to + 1 : to;
        auto_container_row row = { 0 };
        auto_str before = NULL;
        auto_fd lock = -1;

        if (!*bare || !*name)
                return cor_fail(err, COR_INVALID, "Neither old nor new names may be empty");
        if (name_check(bare, "container", err) < 0)
                return -1;
        lock = container_work(e, name, &row, err);
        if (lock < 0)
                return -1;
        if (strcmp(row.name, bare) == 0)
                return cor_fail(err, COR_INVALID,
                                "Error when renaming a container with the same name as its current name");
        before = row.name;
        row.name = cor_strdup(bare);
        if (container_row_save(e->store, &row, err) < 0)
                return -1;
        if (endpoint_row_rename(e->store, row.number, before, bare, err) < 0)
                return -1;
        event_write_container(e->store, &row, "rename", &(struct cor_pair){ "oldName", before }, 1);
        return 0;
}

/* ---------------------------------------------------------------------------------------------------------- removal */

static int refuse_running(const struct container_row *r, struct cor_err *err)
{
        const bool paused = r->now.phase == CONTAINER_PHASE_PAUSED;

        return cor_fail(err, COR_BUSY,
                        "cannot remove container \"%s\": container is %s: %s before removing or force remove", r->name,
                        paused                                       ? "paused"
                        : r->now.phase == CONTAINER_PHASE_RESTARTING ? "restarting"
                                                                     : "running",
                        paused ? "unpause and stop the container" : "stop the container");
}

/* End it at once, and wait until its monitor has done what it does at the end. */
static int end(struct engine *e, const struct container_row *r, struct cor_err *err)
{
        const struct monitor_stop kill = { .signal = SIGKILL, .timeout_ms = 0 };
        struct cor_err told = { 0 };
        auto_fd monitor = -1;

        if (container_monitor_ask(e, r, MONITOR_STOP, &kill, sizeof kill, MONITOR_STOPPED, &told) < 0 &&
            told.kind != COR_NOT_FOUND) {
                *err = told;
                return cor_wrap(err, "cannot remove container \"%s\"", r->name);
        }
        monitor = container_row_lock(e->store, r->number, CONTAINER_LOCK_MONITOR, END_MS, err);
        return monitor < 0 ? cor_wrap(err, "cannot remove container \"%s\": its monitor does not end", r->name) : 0;
}

int engine_remove_container(struct engine *e, const char *name, bool force, bool volumes, struct cor_err *err)
{
        auto_container_row row = { 0 }, held = { 0 };
        auto_fd lock = -1;

        if (engine_container(e, name, false, &row, err) < 0)
                return -1;
        if (container_runs(&row)) {
                if (!force)
                        return refuse_running(&row, err);
                if (end(e, &row, err) < 0)
                        return -1;
        }
        lock = container_work(e, row.id, &held, err);
        if (lock < 0) /* with --rm, its monitor was faster */
                return err->kind == COR_NOT_FOUND && row.auto_remove && force ? 0 : -1;
        if (container_runs(&held)) /* somebody has started it again meanwhile */
                return refuse_running(&held, err);
        monitor_clear(e->store, held.id); /* of a monitor that died before it could say that it runs */
        return monitor_remove(e->store, &held, volumes, err);
}

/* ----------------------------------------------------------------------------------------------------------- update */

static int update_limits(struct engine *e, const struct container_row *r, const struct docker_host_config *host,
                         struct cor_err *err)
{
        auto_json struct oci_config *limits = NULL;
        auto_cgroup cgroup = NULL;

        if (container_cgroup_of(e, r->id, &cgroup, err) < 0 || spec_limits(e->store, r, host, &limits, err) < 0)
                return -1;
        return cgroup_update(cgroup, limits->linux_->resources, err);
}

int engine_update_container(struct engine *e, const char *name, const struct docker_host_config *change,
                            struct cor_strv *warnings, struct cor_err *err)
{
        auto_json struct docker_host_config *now = NULL;
        auto_container_row row = { 0 };
        auto_text text = COR_TEXT_INIT;
        auto_fd lock = container_work(e, name, &row, err);

        if (lock < 0 ||
            cor_json_parse(&docker_host_config_doc, row.host_config, strlen(row.host_config), row.name, &now, err) <
                    0 ||
            spec_check_update(now, change, warnings, err) < 0)
                return -1;
        cor_json_print(&docker_host_config_doc, now, COR_JSON_COMPACT, &text);
        free(row.host_config);
        row.host_config = cor_text_take(&text);
        if (container_runs(&row) && update_limits(e, &row, now, err) < 0)
                return cor_wrap(err, "Cannot update container %s", row.id);
        if (container_row_save(e->store, &row, err) < 0)
                return -1;
        event_write_container(e->store, &row, "update", NULL, 0);
        if (!container_runs(&row))
                return 0;
        return container_monitor_ask(e, &row, MONITOR_UPDATE, NULL, 0, MONITOR_DONE, err);
}

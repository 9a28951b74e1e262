/* update, container prune. */
#include "cli/coracle/container_flags.h"
#include "cli/coracle/verb_container.h"

#include "cli/units.h"
#include "engine/container_filter.h"
#include "engine/container_inspect.h"
#include "store/event.h"

#include <string.h>

/* ---- update ---- */

#define TEXT(NAME, LETTER, M, VALUE, HELP)                                                                             \
        OPTION_ROW(NAME, LETTER, TEXT, struct container_flags, M, VALUE, OPTION_FILLED, HELP)

static const struct option update_rows[] = {
        TEXT("blkio-weight", 0, blkio_weight, "uint16", "Weight for block devices, 10 to 1000; 0: none"),
        TEXT("cpu-period", 0, cpu_period, "int", "Period of the CPU quota, in microseconds"),
        TEXT("cpu-quota", 0, cpu_quota, "int", "CPU time in each period, in microseconds"),
        TEXT("cpu-rt-period", 0, cpu_rt_period, "int", "Period of real-time scheduling, in microseconds"),
        TEXT("cpu-rt-runtime", 0, cpu_rt_runtime, "int", "Real-time CPU time in each period, in microseconds"),
        TEXT("cpu-shares", 'c', cpu_shares, "int", "Weight for the processors"),
        TEXT("cpus", 0, cpus, "decimal", "How many processors: 1.5"),
        TEXT("cpuset-cpus", 0, cpuset_cpus, "string", "Which processors: 0-3 or 0,1"),
        TEXT("cpuset-mems", 0, cpuset_mems, "string", "Which memory nodes: 0-3 or 0,1"),
        TEXT("kernel-memory", 0, kernel_memory, "bytes", "Refused: kernels have no such limit any more"),
        TEXT("memory", 'm', memory, "bytes", "Limit of memory"),
        TEXT("memory-reservation", 0, memory_reservation, "bytes", "Memory to be kept to when it gets scarce"),
        TEXT("memory-swap", 0, memory_swap, "bytes", "Limit of memory and swap together; -1: none"),
        TEXT("pids-limit", 0, pids_limit, "int", "How many processes; -1: any"),
        TEXT("restart", 0, restart, "string", "When to start it again: no, on-failure[:MAX], always, unless-stopped"),
};

static bool is_any_given(const struct container_flags *f)
{
        for (size_t i = 0; i < COR_COUNT(update_rows); i++)
                if (*(const char *const *)(const void *)((const char *)f + update_rows[i].offset))
                        return true;
        return false;
}

struct update {
        const struct docker_host_config *host;
        struct cor_strv *warnings;
};

static int update_one(struct engine *e, const void *context, const char *name, struct cor_err *err)
{
        const struct update *u = context;

        return engine_update_container(e, name, u->host, u->warnings, err);
}

static int run_update(struct invocation *in, struct cor_err *err)
{
        auto_container_request r = NULL;
        const struct container_flags *f = in->options;
        auto_strv warnings = { 0 };
        struct update u = { .warnings = &warnings };

        if (!is_any_given(f))
                return cor_fail(err, COR_INVALID, "you must provide one or more flags when using this command");
        if (f->kernel_memory)
                return cor_fail(err, COR_UNSUPPORTED, "--kernel-memory: kernels have no such limit any more");
        if (container_request_update(f, &r, err) < 0) {
                in->code = 125;
                return -1;
        }
        u.host = &r->host;
        if (verb_each(in, update_one, &u, err) < 0)
                return -1;
        for (size_t i = 0; i < warnings.n_items; i++)
                verb_say("WARNING: %s", warnings.items[i]);
        return 0;
}

const struct verb verb_update = {
        .summary = "Change the limits and the restart policy of containers",
        .arguments = "CONTAINER [CONTAINER...]",
        .min_args = 1,
        .max_args = VERB_ARGS_ANY,
        .options_size = sizeof(struct container_flags),
        .options = update_rows,
        .n_options = COR_COUNT(update_rows),
        .run = run_update,
};

/* ---- container prune ---- */

struct prune_options {
        bool force;
        char **filters;
        size_t n_filters;
};

static const struct option prune_rows[] = {
        OPTION_ROW_LIST("filter", 0, struct prune_options, filters, n_filters, "filter",
                        "Only containers for which KEY=VALUE holds: until, label, label!"),
        OPTION_ROW("force", 'f', FLAG, struct prune_options, force, "", 0, "Do not ask"),
};

/* One that runs or goes meanwhile is left alone. */
static int prune_one(struct engine *e, const struct container_row *r, struct cor_strv *removed, int64_t *bytes,
                     struct cor_err *err)
{
        int64_t written = 0, all = 0;
        struct cor_err ignored;

        if (engine_container_size(e, r, &written, &all, &ignored) < 0)
                written = 0;
        if (engine_remove_container(e, r->id, false, true, err) < 0)
                return err->kind == COR_NOT_FOUND || err->kind == COR_BUSY ? 0 : -1;
        cor_strv_add(removed, r->id);
        *bytes += written;
        return 0;
}

int verb_prune_containers(struct engine *e, char *const *filters, size_t n_filters, struct cor_strv *removed,
                          int64_t *bytes, struct cor_err *err)
{
        auto_container_match match = { 0 };
        auto_container_rows rows = { 0 };

        if (container_match_parse(e, filters, n_filters, CONTAINER_FILTER_PRUNE, &match, err) < 0 ||
            engine_containers(e, true, &rows, err) < 0)
                return -1;
        for (size_t i = 0; i < rows.n_items; i++) {
                enum container_phase phase = rows.items[i].now.phase;
                int fits = phase == CONTAINER_PHASE_CREATED || phase == CONTAINER_PHASE_EXITED ||
                                           phase == CONTAINER_PHASE_DEAD
                                   ? container_match_fits(e, &match, &rows.items[i], err)
                                   : 0;

                if (fits < 0 || (fits > 0 && prune_one(e, &rows.items[i], removed, bytes, err) < 0))
                        return -1;
        }
        event_write_prune(e->store, "container", *bytes);
        return 0;
}

static int run_prune(struct invocation *in, struct cor_err *err)
{
        const struct prune_options *o = in->options;
        auto_strv removed = { 0 };
        auto_text out = COR_TEXT_INIT;
        auto_engine e = { 0 };
        int64_t bytes = 0;
        int yes;

        if (verb_filters(&prune_rows[0], o->filters, o->n_filters, err) < 0) {
                in->code = 125;
                return -1;
        }
        yes = o->force ? 1 : verb_confirm("WARNING! This will remove all stopped containers.\n", err);
        if (yes <= 0)
                return yes;
        if (verb_engine(in, &e, err) < 0 ||
            verb_prune_containers(&e, o->filters, o->n_filters, &removed, &bytes, err) < 0)
                return -1;
        if (removed.n_items > 0)
                cor_text_add(&out, "Deleted Containers:\n");
        for (size_t i = 0; i < removed.n_items; i++)
                cor_text_printf(&out, "%s\n", removed.items[i]);
        cor_text_printf(&out, "%sTotal reclaimed space: ", removed.n_items > 0 ? "\n" : "");
        units_size(bytes, 4, &out);
        cor_text_add_c(&out, '\n');
        return verb_print(&out, err);
}

const struct verb verb_container_prune = {
        .summary = "Remove all containers that do not run",
        .options_size = sizeof(struct prune_options),
        .options = prune_rows,
        .n_options = COR_COUNT(prune_rows),
        .run = run_prune,
};

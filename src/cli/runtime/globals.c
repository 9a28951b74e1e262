#include "cli/runtime/globals.h"

#include "base/file.h"
#include "cli/runtime/log_target.h"
#include "cli/runtime/program.h"

#include <string.h>

enum { ROOTLESS_AUTO = 1, ROOTLESS_TRUE = 2 };
enum { LOG_FORMAT_JSON = 2 };

#define ROW(NAME, LETTER, TYPE, M, VALUE, FLAGS, HELP)                                                                 \
        OPTION_ROW(NAME, LETTER, TYPE, struct globals, M, VALUE, FLAGS, HELP)

const struct option globals_options[] = {
        ROW("root", 0, TEXT, root, "DIR", OPTION_FILLED | OPTION_DIR,
            "Keep the state of containers in DIR, which should be on a tmpfs"),
        ROW("log", 0, TEXT, log, "FILE", OPTION_FILE,
            "Write errors to FILE as well; file:FILE, journald:NAME and syslog:NAME are understood"),
        ROW("log-format", 0, WORD, log_format, "text|json", 0, "How the log is written"),
        ROW("log-level", 0, WORD, log_level, "error|warning|info|debug", 0, "The least severe messages to log"),
        OPTION_ROW_CONST("debug", struct globals, log_level, COR_LOG_DEBUG + 1, "The same as --log-level debug"),
        ROW("cgroup-manager", 0, WORD, manager, "cgroupfs|systemd|disabled", 0, "Who makes the cgroups of containers"),
        OPTION_ROW_CONST("systemd-cgroup", struct globals, manager, CGROUP_SYSTEMD + 1,
                         "The same as --cgroup-manager systemd"),
        ROW("rootless", 0, WORD, rootless, "auto|true|false", 0,
            "Whether to go on when cgroups may not be made or changed"),
        ROW("criu", 0, TEXT, criu, "PATH", OPTION_HIDDEN | OPTION_FILE, "Ignored; criu is looked for in PATH"),
        OPTION_ROW_ASK("version", 'v', VERSION, 0, "Show the version, and end"),
};
const size_t globals_n_options = COR_COUNT(globals_options);

struct option_set globals_option_set(void)
{
        return (struct option_set){
                .items = globals_options,
                .n_items = globals_n_options,
                .dialect = program_dialect(),
                .in_order = true,
        };
}

/*
 * Into a log that an engine reads go errors only, unless more was asked for: some take the whole file for one message.
 */
static enum cor_log_level level_of(const struct globals *g)
{
        if (g->log_level > 0)
                return (enum cor_log_level)(g->log_level - 1);
        return g->log ? COR_LOG_ERROR : COR_LOG_WARN;
}

int globals_open_log(const struct globals *g, struct cor_err *err)
{
        enum cor_log_format format = g->log_format == LOG_FORMAT_JSON ? COR_LOG_JSON : COR_LOG_TEXT;

        if (log_target_open(g->log, format, level_of(g), err) < 0)
                return cor_wrap(err, "option --log");
        if (g->criu)
                cor_debug("--criu %s is ignored: criu is looked for in PATH", g->criu);
        return 0;
}

static int resolve_root(struct globals *g, struct cor_err *err)
{
        if (!g->root)
                return runtime_default_root(&g->resolved_root, err);
        if (cor_path_absolute(g->root, &g->resolved_root, err) < 0)
                return cor_wrap(err, "option --root");
        if (strcmp(g->resolved_root, "/") == 0)
                return cor_fail(err, COR_INVALID, "option --root: the root of the file system cannot hold the state");
        return 0;
}

int globals_context(struct globals *g, struct runtime_context *ret, struct cor_err *err)
{
        if (resolve_root(g, err) < 0)
                return -1;
        ret->root = g->resolved_root;
        ret->manager = g->manager > 0 ? (enum cgroup_manager)(g->manager - 1) : CGROUP_CGROUPFS;
        ret->rootless = g->rootless <= ROOTLESS_AUTO ? runtime_default_rootless() : g->rootless == ROOTLESS_TRUE;
        return 0;
}

void globals_done(struct globals *g)
{
        free(g->resolved_root);
        g->resolved_root = NULL;
}

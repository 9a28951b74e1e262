/* What the commands of containers share, and those that do one thing with each container they are given. */
#include "cli/coracle/verb_container.h"

#include "base/process.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

int verb_refuse(struct invocation *in, const struct cor_err *err, int code)
{
        auto_str path = verb_path(in->place);

        verb_say("coracle: %s\n\nRun '%s --help' for more information", err->msg, path);
        in->code = code;
        return 0;
}

int verb_signal(const char *word, int *ret, struct cor_err *err)
{
        int sig = word ? cor_signal_parse(word, NULL) : 0;

        if (sig < 0 || (word && sig == 0))
                return cor_fail(err, COR_INVALID, "invalid signal: %.50s", word);
        *ret = sig;
        return 0;
}

const struct cor_pair *verb_filter_pairs(struct value_pool *p, char *const *items, size_t n)
{
        struct cor_pair *pairs = value_pool_take(p, (n + 1) * sizeof *pairs);

        for (size_t i = 0; i < n; i++) {
                const char *equals = strchr(items[i], '=');

                pairs[i].key = value_string_n(p, items[i], (size_t)(equals - items[i]))->text;
                pairs[i].value = equals + 1;
        }
        return pairs;
}

static int print_line(const char *s, struct cor_err *err)
{
        auto_text t = COR_TEXT_INIT;

        cor_text_printf(&t, "%s\n", s);
        return verb_print(&t, err);
}

int verb_each(struct invocation *in,
              int (*do_one)(struct engine *e, const void *context, const char *name, struct cor_err *err),
              const void *context, struct cor_err *err)
{
        auto_engine e = { 0 };

        if (verb_engine(in, &e, err) < 0)
                return -1;
        for (size_t i = 0; i < in->n_args; i++) {
                struct cor_err one = { 0 };
                int r = do_one(&e, context, in->args[i], &one);

                if (r == 0 && print_line(in->args[i], err) < 0)
                        return -1;
                if (r >= 0)
                        continue;
                verb_say("Error: %s", one.msg);
                in->code = 1;
        }
        return 0;
}

/* ---- stop, restart ---- */

struct stop_options {
        const char *signal, *timeout, *time; /* time: the older name */
};

static int read_timeout(const struct stop_options *o, int *ret, struct cor_err *err)
{
        const char *word = o->timeout ? o->timeout : o->time;
        int32_t seconds;

        *ret = INT32_MIN;
        if (o->timeout && o->time)
                return cor_fail(err, COR_INVALID, "conflicting options: cannot specify both --timeout and --time");
        if (!word)
                return 0;
        if (cor_parse_i32(word, &seconds) < 0 || seconds < -1)
                return cor_fail(
                        err, COR_INVALID,
                        "invalid argument \"%.50s\" for \"-t, --timeout\" flag: expected seconds, or -1 to wait "
                        "for ever",
                        word);
        *ret = seconds;
        return 0;
}

static int stop_one(struct engine *e, const void *options, const char *name, struct cor_err *err)
{
        const struct stop_options *o = options;
        int timeout, sig;

        if (read_timeout(o, &timeout, err) < 0 || verb_signal(o->signal, &sig, err) < 0)
                return -1;
        return engine_stop_container(e, name, sig, timeout, err);
}

static int restart_one(struct engine *e, const void *options, const char *name, struct cor_err *err)
{
        const struct stop_options *o = options;
        int timeout, sig;

        if (read_timeout(o, &timeout, err) < 0 || verb_signal(o->signal, &sig, err) < 0)
                return -1;
        return engine_restart_container(e, name, sig, timeout, err);
}

static int run_stop(struct invocation *in, struct cor_err *err)
{
        return verb_each(in, stop_one, in->options, err);
}

static int run_restart(struct invocation *in, struct cor_err *err)
{
        return verb_each(in, restart_one, in->options, err);
}

static const struct option stop_rows[] = {
        OPTION_ROW("signal", 's', TEXT, struct stop_options, signal, "string", 0,
                   "The signal that asks it to end (default the container's)"),
        OPTION_ROW("time", 0, TEXT, struct stop_options, time, "int", 0, "An older name of --timeout"),
        OPTION_ROW("timeout", 't', TEXT, struct stop_options, timeout, "int", 0,
                   "Seconds until it is killed; -1: never (default the container's)"),
};

const struct verb verb_stop = {
        .summary = "Ask containers to end, and make them end after a while",
        .arguments = "CONTAINER [CONTAINER...]",
        .min_args = 1,
        .max_args = VERB_ARGS_ANY,
        .options_size = sizeof(struct stop_options),
        .options = stop_rows,
        .n_options = COR_COUNT(stop_rows),
        .run = run_stop,
};

const struct verb verb_restart = {
        .summary = "Stop containers, and start them again",
        .arguments = "CONTAINER [CONTAINER...]",
        .min_args = 1,
        .max_args = VERB_ARGS_ANY,
        .options_size = sizeof(struct stop_options),
        .options = stop_rows,
        .n_options = COR_COUNT(stop_rows),
        .run = run_restart,
};

/* ---- kill ---- */

struct kill_options {
        const char *signal;
};

static int kill_one(struct engine *e, const void *options, const char *name, struct cor_err *err)
{
        const struct kill_options *o = options;
        int sig;

        return verb_signal(o->signal, &sig, err) < 0 ? -1 : engine_kill_container(e, name, sig, err);
}

static int run_kill(struct invocation *in, struct cor_err *err)
{
        return verb_each(in, kill_one, in->options, err);
}

static const struct option kill_rows[] = {
        OPTION_ROW("signal", 's', TEXT, struct kill_options, signal, "string", 0, "The signal to send (default KILL)"),
};

const struct verb verb_kill = {
        .summary = "Send containers a signal",
        .arguments = "CONTAINER [CONTAINER...]",
        .min_args = 1,
        .max_args = VERB_ARGS_ANY,
        .options_size = sizeof(struct kill_options),
        .options = kill_rows,
        .n_options = COR_COUNT(kill_rows),
        .run = run_kill,
};

/* ---- rm ---- */

struct rm_options {
        bool force, link, volumes;
};

static int rm_one(struct engine *e, const void *options, const char *name, struct cor_err *err)
{
        const struct rm_options *o = options;

        if (name[strspn(name, "/")] == '\0')
                return cor_fail(err, COR_INVALID, "container name cannot be empty");
        return engine_remove_container(e, name, o->force, o->volumes, err);
}

static int run_rm(struct invocation *in, struct cor_err *err)
{
        const struct rm_options *o = in->options;
        auto_engine e = { 0 };

        if (o->link)
                return cor_fail(err, COR_UNSUPPORTED, "--link: there are no links between containers");
        if (verb_engine(in, &e, err) < 0)
                return -1;
        for (size_t i = 0; i < in->n_args; i++) {
                struct cor_err one = { 0 };

                if (rm_one(&e, o, in->args[i], &one) == 0) {
                        if (print_line(in->args[i], err) < 0)
                                return -1;
                        continue;
                }
                verb_say("Error: %s", one.msg);
                if (one.kind != COR_NOT_FOUND || !o->force) /* --force: one that is not there is no failure */
                        in->code = 1;
        }
        return 0;
}

static const struct option rm_rows[] = {
        OPTION_ROW("force", 'f', FLAG, struct rm_options, force, "", 0, "Kill it first if it runs"),
        OPTION_ROW("link", 'l', FLAG, struct rm_options, link, "", 0, "Refused: there are no links"),
        OPTION_ROW("volumes", 'v', FLAG, struct rm_options, volumes, "", 0, "Remove its anonymous volumes as well"),
};

const struct verb verb_rm = {
        .summary = "Remove containers",
        .arguments = "CONTAINER [CONTAINER...]",
        .min_args = 1,
        .max_args = VERB_ARGS_ANY,
        .options_size = sizeof(struct rm_options),
        .options = rm_rows,
        .n_options = COR_COUNT(rm_rows),
        .run = run_rm,
};

/* ---- pause, unpause, rename, wait ---- */

static int pause_one(struct engine *e, const void *options, const char *name, struct cor_err *err)
{
        (void)options;
        return engine_pause_container(e, name, true, err);
}

static int unpause_one(struct engine *e, const void *options, const char *name, struct cor_err *err)
{
        (void)options;
        return engine_pause_container(e, name, false, err);
}

static int run_pause(struct invocation *in, struct cor_err *err)
{
        return verb_each(in, pause_one, in->options, err);
}

static int run_unpause(struct invocation *in, struct cor_err *err)
{
        return verb_each(in, unpause_one, in->options, err);
}

const struct verb verb_pause = {
        .summary = "Freeze all processes of containers",
        .arguments = "CONTAINER [CONTAINER...]",
        .min_args = 1,
        .max_args = VERB_ARGS_ANY,
        .run = run_pause,
};

const struct verb verb_unpause = {
        .summary = "Let frozen containers go on",
        .arguments = "CONTAINER [CONTAINER...]",
        .min_args = 1,
        .max_args = VERB_ARGS_ANY,
        .run = run_unpause,
};

static int run_rename(struct invocation *in, struct cor_err *err)
{
        auto_engine e = { 0 };

        if (!*in->args[0] || !*in->args[1])
                return cor_fail(err, COR_INVALID, "neither old nor new names may be empty");
        return verb_engine(in, &e, err) < 0 ? -1 : engine_rename_container(&e, in->args[0], in->args[1], err);
}

const struct verb verb_rename = {
        .summary = "Give a container another name",
        .arguments = "CONTAINER NEW_NAME",
        .min_args = 2,
        .max_args = 2,
        .run = run_rename,
};

static int run_wait(struct invocation *in, struct cor_err *err)
{
        auto_engine e = { 0 };

        if (verb_engine(in, &e, err) < 0)
                return -1;
        for (size_t i = 0; i < in->n_args; i++) {
                struct cor_err one = { 0 };
                char line[16];
                int code;

                if (engine_wait_container(&e, in->args[i], CONTAINER_WAIT_NOT_RUNNING, &code, &one) < 0) {
                        verb_say("Error: %s", one.msg);
                        in->code = 1;
                        continue;
                }
                snprintf(line, sizeof line, "%d", code);
                if (print_line(line, err) < 0)
                        return -1;
        }
        return 0;
}

const struct verb verb_wait = {
        .summary = "Wait until containers have ended, and show their exit codes",
        .arguments = "CONTAINER [CONTAINER...]",
        .min_args = 1,
        .max_args = VERB_ARGS_ANY,
        .run = run_wait,
};

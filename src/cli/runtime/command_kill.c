/* kill, delete, pause, resume: what is done to containers that exist, one by one or by a pattern. */
#include "cli/runtime/command.h"

#include "base/log.h"
#include "base/process.h"
#include "runtime/lifecycle.h"
#include "runtime/record.h"

#include <regex.h>
#include <signal.h>

struct kill_options {
        bool all, force, regex;
};

/* What is done to one container. */
typedef int (*one_fn)(const struct invocation *in, const char *id, struct cor_err *err);

/* All containers whose id the pattern fits. A failure with one does not keep the others from their turn. */
static int for_matching(const struct invocation *in, one_fn one, struct cor_err *err)
{
        auto_strv ids = { 0 };
        struct cor_err last = { 0 };
        regex_t pattern;

        if (regcomp(&pattern, in->args[0], REG_EXTENDED | REG_NOSUB) != 0)
                return cor_fail(err, COR_INVALID, "%s is not an extended regular expression", in->args[0]);
        if (container_ids(&in->context, &ids, err) < 0) {
                regfree(&pattern);
                return -1;
        }
        for (size_t i = 0; i < ids.n_items; i++) {
                struct cor_err e = { 0 };

                if (regexec(&pattern, ids.items[i], 0, NULL, 0) != 0 || one(in, ids.items[i], &e) == 0)
                        continue;
                if (last.kind != COR_OK)
                        cor_error("%s", last.msg);
                last = e;
                cor_wrap(&last, "%s", ids.items[i]);
        }
        regfree(&pattern);
        if (last.kind == COR_OK)
                return 0;
        *err = last;
        return -1;
}

static int for_each(const struct invocation *in, one_fn one, struct cor_err *err)
{
        const struct kill_options *o = in->options;

        return o->regex ? for_matching(in, one, err) : one(in, in->args[0], err);
}

static int kill_one(const struct invocation *in, const char *id, struct cor_err *err)
{
        const struct kill_options *o = in->options;
        const char *word = in->n_args > 1 ? in->args[1] : "TERM";
        int sig = cor_signal_parse(word, err);

        if (sig < 0)
                return -1;
        if (container_kill(&in->context, id, sig, o->all, err) == 0)
                return 0;
        if (!o->all || err->kind != COR_BUSY)
                return -1;
        cor_err_clear(err); /* all of nobody: engines call it to be sure that a container has ended */
        return 0;
}

static int run_kill(struct invocation *in, struct cor_err *err)
{
        /* a wrong signal is one error, not one for each container */
        if (in->n_args > 1 && cor_signal_parse(in->args[1], err) < 0)
                return -1;
        return for_each(in, kill_one, err);
}

static const struct option kill_rows[] = {
        OPTION_ROW("all", 'a', FLAG, struct kill_options, all, "", 0, "Signal all processes of the container"),
        OPTION_ROW("regex", 'r', FLAG, struct kill_options, regex, "", 0,
                   "CONTAINER is an extended regular expression: signal each container whose id it fits"),
};

const struct command command_kill = {
        .name = "kill",
        .summary = "Send a signal, TERM if none is named, to the first process of a container",
        .arguments = "CONTAINER [SIGNAL]",
        .min_args = 1,
        .max_args = 2,
        .options_size = sizeof(struct kill_options),
        .options = kill_rows,
        .n_options = COR_COUNT(kill_rows),
        .run = run_kill,
};

static int delete_one(const struct invocation *in, const char *id, struct cor_err *err)
{
        const struct kill_options *o = in->options;

        return container_delete(&in->context, id, o->force, err);
}

static int run_delete(struct invocation *in, struct cor_err *err)
{
        return for_each(in, delete_one, err);
}

static const struct option delete_rows[] = {
        OPTION_ROW("force", 'f', FLAG, struct kill_options, force, "", 0,
                   "Kill the container first if it has not stopped; one that is not there is no error"),
        OPTION_ROW("regex", 'r', FLAG, struct kill_options, regex, "", 0,
                   "CONTAINER is an extended regular expression: delete each container whose id it fits"),
};

const struct command command_delete = {
        .name = "delete",
        .summary = "Delete a container that has stopped or was never started, and all that was made for it",
        .arguments = "CONTAINER",
        .min_args = 1,
        .max_args = 1,
        .options_size = sizeof(struct kill_options),
        .options = delete_rows,
        .n_options = COR_COUNT(delete_rows),
        .run = run_delete,
};

static int run_pause(struct invocation *in, struct cor_err *err)
{
        return container_pause(&in->context, in->args[0], err);
}

const struct command command_pause = {
        .name = "pause",
        .summary = "Suspend all processes of a container",
        .arguments = "CONTAINER",
        .min_args = 1,
        .max_args = 1,
        .run = run_pause,
};

static int run_resume(struct invocation *in, struct cor_err *err)
{
        return container_resume(&in->context, in->args[0], err);
}

const struct command command_resume = {
        .name = "resume",
        .summary = "Let the processes of a paused container go on",
        .arguments = "CONTAINER",
        .min_args = 1,
        .max_args = 1,
        .run = run_resume,
};

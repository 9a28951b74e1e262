#include "cli/runtime/command.h"
#include "cli/runtime/help.h"

#include <string.h>

static int run_completion(struct invocation *in, struct cor_err *err)
{
        auto_text t = COR_TEXT_INIT;

        if (strcmp(in->args[0], "manual") == 0) /* for docs/man and its test */
                manual_print(&t);
        else if (completion_print(in->args[0], &t, err) < 0)
                return -1;
        return command_print(t.s, t.len, err);
}

const struct command command_completion = {
        .name = "completion",
        .summary = "Write a script for the shell that completes this program's options and container ids",
        .arguments = "bash|zsh|fish",
        .min_args = 1,
        .max_args = 1,
        .run = run_completion,
};

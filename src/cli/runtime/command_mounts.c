/* mounts add, mounts remove */
#include "cli/runtime/command.h"

#include "runtime/mounts_update.h"

#include <string.h>

static int run_mounts(struct invocation *in, struct cor_err *err)
{
        const char *verb = in->args[0];

        if (strcmp(verb, "add") == 0)
                return container_mounts_add(&in->context, in->args[1], in->args[2], err);
        if (strcmp(verb, "remove") == 0)
                return container_mounts_remove(&in->context, in->args[1], in->args[2], err);
        return cor_fail(err, COR_INVALID, "mounts %.40s: expected add or remove", verb);
}

const struct command command_mounts = {
        .name = "mounts",
        .summary = "Mount into a container, or unmount, what FILE lists as config.json's mounts do",
        .arguments = "add|remove CONTAINER FILE",
        .flags = COMMAND_ENTERS,
        .min_args = 3,
        .max_args = 3,
        .run = run_mounts,
};

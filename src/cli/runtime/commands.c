#include "cli/runtime/command.h"

#include "base/fd.h"
#include "cli/runtime/program.h"

#include <string.h>
#include <unistd.h>

const struct command *const commands[] = {
        &command_create, &command_start,  &command_run,      &command_exec,       &command_state,
        &command_list,   &command_ps,     &command_kill,     &command_delete,     &command_pause,
        &command_resume, &command_update, &command_mounts,   &command_checkpoint, &command_restore,
        &command_events, &command_spec,   &command_features, &command_completion, NULL,
};

const struct command *command_find(const char *name)
{
        for (size_t i = 0; commands[i]; i++)
                if (strcmp(commands[i]->name, name) == 0)
                        return commands[i];
        return NULL;
}

struct option_set command_option_set(const struct command *c)
{
        return (struct option_set){
                .items = c->options,
                .n_items = c->n_options,
                .dialect = program_dialect(),
                .in_order = c->flags & COMMAND_IN_ORDER,
        };
}

int command_print(const char *text, size_t n, struct cor_err *err)
{
        if (cor_write_full(STDOUT_FILENO, text, n, err) < 0)
                return cor_wrap(err, "standard output");
        return 0;
}

int command_exec_code(const struct cor_err *err, int otherwise)
{
        if (program_kind() == PROGRAM_OWN && err->kind == COR_EXEC_MISSING)
                return 127;
        return program_kind() == PROGRAM_OWN && err->kind == COR_EXEC_REFUSED ? 126 : otherwise;
}

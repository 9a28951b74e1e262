#ifndef CORACLE_CLI_RUNTIME_COMMAND_H
#define CORACLE_CLI_RUNTIME_COMMAND_H
/*
 * Commands: each is a row (struct command) in a small file of its own, and a line in the list of commands.c. The row
 * describes options and arguments; help, completions and manual come from it. To add one: write command_NAME.c, declare
 * its row at the end of this header, add it to `commands`, and let scripts/manual bring the man page up to date.
 */
#include "base/text.h"
#include "cli/option.h"
#include "runtime/context.h"

struct invocation;

enum {
        COMMAND_HIDDEN = 1,        /* not shown in help */
        COMMAND_IN_ORDER = 2,      /* options end at the first word that is none: the rest belongs to another program */
        COMMAND_ENTERS = 4,        /* goes into containers: the program protects its binary first */
        COMMAND_PREFIX = 8,        /* its errors begin with "NAME COMMAND failed: ", as engines know it from runc … */
        COMMAND_PREFIX_SHORT = 16, /* … or with "COMMAND failed: " */
};

struct command {
        char name[16];
        char summary[96];                        /* one sentence, without a dot */
        char arguments[48];                      /* "CONTAINER [SIGNAL]" */
        unsigned char flags, min_args, max_args; /* max_args 255: any number */
        uint16_t options_size;                   /* of the struct that the options fill; it starts zeroed */
        uint16_t n_options;
        const struct option *options;
        /* run() - 0, or -1 with an error; the exit code is in->code on success, or on failure if it is not 0 */
        int (*run)(struct invocation *in, struct cor_err *err);
};

/* One call of a command. */
struct invocation {
        const struct command *command;
        struct runtime_context context;
        const void *options; /* the struct that command->options filled */
        char **args;         /* NULL-terminated */
        size_t n_args;
        int code;
};

extern const struct command *const commands[]; /* in the order of help; ends with NULL */
/* command_find() - by name; NULL if there is none */
const struct command *command_find(const char *name);
/* command_option_set() - the options of @c as the parser wants them */
struct option_set command_option_set(const struct command *c);
/* command_print() - write @text of @n bytes to standard output */
int command_print(const char *text, size_t n, struct cor_err *err) COR_MUST_CHECK;

/* command_exec_code() - exit code for a program that could not be executed (127, 126, as a shell has it), else
 * @otherwise */
int command_exec_code(const struct cor_err *err, int otherwise);

extern const struct command command_checkpoint, command_completion, command_create, command_delete, command_events,
        command_exec, command_features, command_kill, command_list, command_mounts, command_pause, command_ps,
        command_restore, command_resume, command_run, command_spec, command_start, command_state, command_update;

#endif

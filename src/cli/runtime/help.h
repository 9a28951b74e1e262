#ifndef CORACLE_CLI_RUNTIME_HELP_H
#define CORACLE_CLI_RUNTIME_HELP_H
/* What is made from the tables beside the parser: help, completions, and the option lists of the man page. */
#include "cli/runtime/command.h"

/* help_program() / help_command() - what --help shows */
void help_program(struct cor_text *out);
void help_command(const struct command *c, struct cor_text *out);
/* help_usage() - one line: "usage: NAME COMMAND [OPTION...] CONTAINER"; @c NULL: the program's own */
void help_usage(const struct command *c, struct cor_text *out);

/* completion_print() - the script for @shell: bash, zsh or fish; INVALID for another one */
int completion_print(const char *shell, struct cor_text *out, struct cor_err *err) COR_MUST_CHECK;
/* manual_print() - the option lists of coracle-runtime(8) in mdoc(7): global options, then all commands */
void manual_print(struct cor_text *out);

#endif

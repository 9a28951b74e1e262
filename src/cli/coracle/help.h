#ifndef CORACLE_CLI_CORACLE_HELP_H
#define CORACLE_CLI_CORACLE_HELP_H
/* What is made from the tables beside the parser: help in docker's form, completions, and the lists of coracle(1). */
#include "cli/coracle/verb.h"

void help_program(struct cor_text *out);
void help_group(const struct verb_group *g, struct cor_text *out);
void help_verb(const struct verb_place *p, struct cor_text *out);
/* help_usage() - "Usage:  coracle images [OPTIONS] [REPOSITORY[:TAG]]" */
void help_usage(const struct verb_place *p, struct cor_text *out);

/* completion_print() - the script for @shell: bash, zsh or fish; INVALID for another one */
int completion_print(const char *shell, struct cor_text *out, struct cor_err *err) COR_MUST_CHECK;
/* completion_words() - what may follow @words (the command line so far, the last one to be completed), a line each */
void completion_words(char *const *words, size_t n, struct cor_text *out);
/* manual_print() - the lists of coracle(1) in mdoc(7): global options, then all commands */
void manual_print(struct cor_text *out);

#endif

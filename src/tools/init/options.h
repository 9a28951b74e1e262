#ifndef CORACLE_TOOLS_INIT_OPTIONS_H
#define CORACLE_TOOLS_INIT_OPTIONS_H
/*
 * What the user asked for: tini's options and environment variables, and three options of our own that reach beyond
 * the main child. There are two forms of options_parse(), chosen when the project is configured: options.c, and
 * options_minimal.c, in which nothing is an option and everything after the program's own name is the command.
 */
#include "base/err.h"
#include <stdbool.h>
#include <stdint.h>

enum options_action {
        OPTIONS_RUN,
        OPTIONS_USAGE, /* no command was given */
        OPTIONS_HELP,
        OPTIONS_VERSION,
        OPTIONS_LICENSE,
};

#define GRACE_INFINITE   (-1)
#define GRACE_DEFAULT_MS 5000 /* less than the ten seconds after which `docker stop` kills everything */
#define GRACE_MAX_S      (7 * 86400)

struct options {
        enum options_action action;
        char **command;          /* NULL-terminated; points into argv */
        bool subreaper;          /* -s */
        int parent_death_signal; /* -p; 0: none */
        unsigned verbosity;      /* -v, counted up from SAY_WARNING */
        bool warn_on_reap;       /* -w */
        bool process_group;      /* -g */
        bool signal_all;         /* --signal-all */
        bool wait_all;           /* --wait-all */
        bool grace_given;
        int64_t grace_ms; /* --grace; GRACE_INFINITE: no signal, no end */
        bool remap[256];  /* -e: these exit codes become 0 */
};

/* options_parse() - read the command line; -1 and INVALID with a message naming the option. argv stays in use. */
int options_parse(int argc, char **argv, struct options *ret, struct cor_err *err) COR_MUST_CHECK;

/* options_print_help() - the text of -h on @fd */
void options_print_help(int fd);

/* options_read_environment() - apply TINI_SUBREAPER, TINI_KILL_PROCESS_GROUP and TINI_VERBOSITY; bad values: -1 */
int options_read_environment(struct options *o, struct cor_err *err) COR_MUST_CHECK;

/* options_defaults() - what holds before any option was read */
void options_defaults(struct options *ret);

/* options_exit_code() - the exit code for a wait status: code, or 128 + signal, then what -e says */
int options_exit_code(const struct options *o, int status);

#endif

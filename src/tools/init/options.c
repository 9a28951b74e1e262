/* The full command line: a table of options, and a reader for it with the conventions of getopt_long(3). */
#include "tools/init/options.h"

#include "base/process.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>

/* One option. @set gets the argument (NULL if the option takes none) and fails with the reason only. */
struct option_row {
        char letter;
        const char *word;     /* without "--", or NULL */
        const char *argument; /* what it is called in the help, or NULL */
        int (*set)(struct options *o, const char *argument, struct cor_err *err);
        const char *help;
};

static int set_subreaper(struct options *o, const char *argument, struct cor_err *err)
{
        o->subreaper = true;
        return 0;
}

static int set_parent_death_signal(struct options *o, const char *argument, struct cor_err *err)
{
        int sig = cor_signal_parse(argument, err);

        if (sig < 0)
                return -1;
        if (sig == 0)
                return cor_fail(err, COR_INVALID, "0 is not a signal");
        o->parent_death_signal = sig;
        return 0;
}

static int set_verbose(struct options *o, const char *argument, struct cor_err *err)
{
        o->verbosity++;
        return 0;
}

static int set_warn_on_reap(struct options *o, const char *argument, struct cor_err *err)
{
        o->warn_on_reap = true;
        return 0;
}

static int set_process_group(struct options *o, const char *argument, struct cor_err *err)
{
        o->process_group = true;
        return 0;
}

static int set_remap(struct options *o, const char *argument, struct cor_err *err)
{
        uint32_t code;

        if (cor_parse_u32(argument, &code) < 0 || code > 255)
                return cor_fail(err, COR_INVALID, "\"%s\" is not an exit code; expected a number from 0 to 255",
                                argument);
        o->remap[code] = true;
        return 0;
}

static int set_signal_all(struct options *o, const char *argument, struct cor_err *err)
{
        o->signal_all = true;
        return 0;
}

static int set_wait_all(struct options *o, const char *argument, struct cor_err *err)
{
        o->wait_all = true;
        return 0;
}

static int set_grace(struct options *o, const char *argument, struct cor_err *err)
{
        uint32_t seconds;

        o->grace_given = true;
        if (strcmp(argument, "infinite") == 0) {
                o->grace_ms = GRACE_INFINITE;
                return 0;
        }
        if (cor_parse_u32(argument, &seconds) < 0 || seconds > GRACE_MAX_S)
                return cor_fail(err, COR_INVALID,
                                "\"%s\" is not a time; expected seconds from 0 to %d, or \"infinite\"", argument,
                                GRACE_MAX_S);
        o->grace_ms = (int64_t)seconds * 1000;
        return 0;
}

static int set_license(struct options *o, const char *argument, struct cor_err *err)
{
        o->action = OPTIONS_LICENSE;
        return 0;
}

static int set_help(struct options *o, const char *argument, struct cor_err *err)
{
        o->action = OPTIONS_HELP;
        return 0;
}

static int set_version(struct options *o, const char *argument, struct cor_err *err)
{
        o->action = OPTIONS_VERSION;
        return 0;
}

static const struct option_row option_table[] = {
        { 's', NULL, NULL, set_subreaper, "adopt orphaned descendants when not running as pid 1 (child subreaper)" },
        { 'p', NULL, "SIGNAL", set_parent_death_signal, "get SIGNAL when the parent process ends, e.g. SIGTERM" },
        { 'g', NULL, NULL, set_process_group, "pass signals on to the child's process group, not to the child alone" },
        { 'e', NULL, "CODE", set_remap, "end with 0 where the child's exit code is CODE (0 to 255); can be repeated" },
        { 'w', NULL, NULL, set_warn_on_reap, "warn about each orphan that is reaped" },
        { 'v', NULL, NULL, set_verbose, "say more; up to three times" },
        { 0, "signal-all", NULL, set_signal_all, "pass signals on to all descendants" },
        { 0, "wait-all", NULL, set_wait_all,
          "once the child has ended, end the other descendants too and wait for them" },
        { 0, "grace", "SECONDS", set_grace,
          "with --wait-all: time between SIGTERM and SIGKILL (5); \"infinite\" sends neither" },
        { 'l', NULL, NULL, set_license, "print the license" },
        { 'h', "help", NULL, set_help, "print this help" },
        { 0, "version", NULL, set_version, "print the version" },
};

static const struct option_row *find_letter(char letter)
{
        for (size_t i = 0; letter && i < COR_COUNT(option_table); i++) {
                if (option_table[i].letter == letter)
                        return &option_table[i];
        }
        return NULL;
}

static const struct option_row *find_word(const char *word, size_t len)
{
        for (size_t i = 0; i < COR_COUNT(option_table); i++) {
                const char *known = option_table[i].word;

                if (known && strlen(known) == len && memcmp(known, word, len) == 0)
                        return &option_table[i];
        }
        return NULL;
}

/*
 * apply() - set @row's option. Its argument is @attached, or the next word of the command line (then @argv moves on).
 */
static int apply(const struct option_row *row, const char *attached, char ***argv, struct options *o,
                 struct cor_err *err)
{
        const char *argument = attached;
        char name[32];

        if (row->letter)
                snprintf(name, sizeof name, "-%c", row->letter);
        else
                snprintf(name, sizeof name, "--%s", row->word);

        if (!row->argument && attached)
                return cor_fail(err, COR_INVALID, "option %s takes no argument", name);
        if (row->argument && !attached) {
                argument = *++*argv;
                if (!argument)
                        return cor_fail(err, COR_INVALID, "option %s needs an argument: %s", name, row->argument);
        }
        if (row->set(o, argument, err) < 0)
                return cor_wrap(err, "option %s", name);
        return 0;
}

/* parse_word() - "--word" or "--word=argument" */
static int parse_word(char ***argv, struct options *o, struct cor_err *err)
{
        const char *word = **argv + 2, *equals = strchr(word, '=');
        size_t len = equals ? (size_t)(equals - word) : strlen(word);
        const struct option_row *row = find_word(word, len);

        if (!row)
                return cor_fail(err, COR_INVALID, "unknown option --%.*s", (int)(len < 64 ? len : 64), word);
        return apply(row, equals ? equals + 1 : NULL, argv, o, err);
}

/* parse_letters() - "-abc", where the last letter's argument may be attached or follow */
static int parse_letters(char ***argv, struct options *o, struct cor_err *err)
{
        for (const char *p = **argv + 1; *p; p++) {
                const struct option_row *row = find_letter(*p);

                if (!row)
                        return cor_fail(err, COR_INVALID, "unknown option -%c", *p);
                if (row->argument)
                        return apply(row, p[1] ? p + 1 : NULL, argv, o, err);
                if (apply(row, NULL, argv, o, err) < 0)
                        return -1;
        }
        return 0;
}

/*
 * drop_separator() - tini's usage is "PROGRAM -- [ARGS]", and built with glibc it takes the "--" out, whose meaning
 * there is the end of its own options. Where they have ended before the program, a "--" behind it is the program's.
 */
static char **drop_separator(char **command)
{
        if (!command[0] || !command[1] || strcmp(command[1], "--") != 0)
                return command;
        command[1] = command[0];
        return command + 1;
}

int options_parse(int argc, char **argv, struct options *ret, struct cor_err *err)
{
        bool ended = false;

        options_defaults(ret);
        if (argc < 1) {
                ret->action = OPTIONS_USAGE;
                return 0;
        }
        for (argv++; *argv && ret->action == OPTIONS_RUN; argv++) {
                const char *arg = *argv;

                if (arg[0] != '-' || !arg[1])
                        break;
                if (strcmp(arg, "--") == 0) {
                        ended = true;
                        argv++;
                        break;
                }
                if ((arg[1] == '-' ? parse_word(&argv, ret, err) : parse_letters(&argv, ret, err)) < 0)
                        return -1;
        }
        if (ret->action != OPTIONS_RUN)
                return 0;
        if (ret->grace_given && !ret->wait_all)
                return cor_fail(err, COR_INVALID, "option --grace has a meaning only together with --wait-all");
        if (!*argv)
                ret->action = OPTIONS_USAGE;
        ret->command = ended ? argv : drop_separator(argv);
        return 0;
}

void options_print_help(int fd)
{
        dprintf(fd, "usage: coracle-init [OPTIONS] [--] COMMAND [ARG...]\n"
                    "Run COMMAND as the first process of a container: pass signals on to it, reap orphans,\n"
                    "and end with its exit code (128 + N if signal N ended it).\n\n");
        for (size_t i = 0; i < COR_COUNT(option_table); i++) {
                const struct option_row *row = &option_table[i];
                char name[32];

                if (!row->letter)
                        snprintf(name, sizeof name, "--%s %s", row->word, row->argument ? row->argument : "");
                else
                        snprintf(name, sizeof name, "-%c%s%s%s%s", row->letter, row->word ? ", --" : "",
                                 row->word ? row->word : "", row->argument ? " " : "",
                                 row->argument ? row->argument : "");
                dprintf(fd, "  %-16s  %s\n", name, row->help);
        }
        dprintf(fd, "\nEnvironment: TINI_SUBREAPER (set: as -s), TINI_KILL_PROCESS_GROUP (set: as -g),\n"
                    "TINI_VERBOSITY (0: errors only, 1: the default, up to 4).\n");
}

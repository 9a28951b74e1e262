/*
 * coracle: the command line; and by the name of coracle-monitor what stays with a container (monitor/program.h).
 *
 *   1  descriptors 0 to 2 are made sure of     nothing that is opened later may be taken for standard output
 *   2  global options, group, verb, its words   reads words only
 *   3  the verb                                 opens the engine if it needs one; one process, no threads
 *   4  report                                   an error goes to standard error, once
 *
 * Exit codes are docker's: 0, 1 for an error, 125 for options that cannot be. An error is a line "Error: ...".
 */
#include "base/log.h"
#include "base/text.h"
#include "cli/coracle/help.h"
#include "cli/suggest.h"
#include "linux/clone_self.h"
#include "monitor/program.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { EXIT_FAILED = 1, EXIT_USAGE = 125 };

static int open_standard_descriptors(void)
{
        for (int fd = 0; fd <= STDERR_FILENO; fd++)
                if (fcntl(fd, F_GETFD) < 0 && errno == EBADF && open("/dev/null", O_RDWR) != fd)
                        return -1;
        return 0;
}

/* Some of the text may be a registry's: it does not command the terminal. */
static int report(const struct cor_err *err)
{
        struct cor_err shown = *err;

        for (char *c = shown.msg; *c; c++)
                if ((uint8_t)*c < 0x20 ? *c != '\n' && *c != '\t' : *c == 0x7f)
                        *c = '?';
        fprintf(stderr, "Error: %s\n", shown.msg);
        return EXIT_FAILED;
}

/* @t to standard output: the exit code */
static int show(const struct cor_text *t)
{
        struct cor_err err = { 0 };

        return verb_print(t, &err) < 0 ? report(&err) : 0;
}

/* What is wrong with the words, how they should be, and where to read more. */
static int misused(const struct verb_place *p, const char *said, int code)
{
        auto_text t = COR_TEXT_INIT;
        auto_str path = verb_path(p);

        help_usage(p, &t);
        fprintf(stderr, "%s\n\n%s\nRun '%s --help' for more information\n", said, t.s, path);
        return code;
}

static int misused_count(const struct verb_place *p)
{
        const struct verb *v = p->verb;
        auto_str path = verb_path(p);
        unsigned count = v->min_args > 0 ? v->min_args : v->max_args;
        auto_str said = NULL;

        if (v->max_args == 0)
                said = cor_printf("coracle: '%s' accepts no arguments", path);
        else
                said = cor_printf("coracle: '%s' requires %s%u argument%s", path,
                                  v->min_args == v->max_args ? ""
                                  : v->min_args > 0          ? "at least "
                                                             : "at most ",
                                  count, count > 1 ? "s" : "");
        return misused(p, said, EXIT_FAILED);
}

static int unknown(const char *group, const char *word)
{
        struct suggest s = SUGGEST_INIT(word);

        for (size_t i = 0; i < verb_n_places; i++)
                if (strcmp(verb_places[i].group, group) == 0) {
                        suggest_offer(&s, verb_places[i].name);
                        suggest_offer(&s, verb_places[i].alias);
                }
        for (size_t i = 0; i < verb_n_groups && !*group; i++)
                suggest_offer(&s, verb_groups[i].name);
        fprintf(stderr, "coracle: unknown command: coracle %s%s%s\n\n", group, *group ? " " : "", word);
        if (s.best)
                fprintf(stderr, "Did you mean 'coracle %s%s%s'?\n\n", group, *group ? " " : "", s.best);
        fprintf(stderr, "Run 'coracle%s%s --help' for more information\n", *group ? " " : "", group);
        return EXIT_FAILED;
}

static int answer(int outcome, const struct verb_place *p)
{
        auto_text t = COR_TEXT_INIT;

        if (outcome == OPTION_OUTCOME_VERSION)
                cor_text_add(&t, "Coracle version " CORACLE_VERSION "\n");
        else if (p && outcome == OPTION_OUTCOME_USAGE)
                help_usage(p, &t);
        else if (p)
                help_verb(p, &t);
        else
                help_program(&t);
        return show(&t);
}

static char **words_of_main; /* as the kernel gave them: with them the program is executed again */

static int enter(const struct verb *v, struct cor_err *err)
{
        return v->enters ? clone_self_protect(words_of_main, environ, err) : 0;
}

static int run_verb(const struct globals *g, const struct verb_place *p, char **words, size_t n)
{
        auto_free void *options = cor_alloc(p->verb->options_size + 1u);
        struct option_set set = verb_option_set(p->verb);
        struct invocation in = { .place = p, .globals = g, .options = options, .args = words };
        struct cor_err err = { 0 };
        int r = options_parse(&set, words, n, options, &in.n_args, &err), code;

        if (r < 0) {
                code = misused(p, err.msg, EXIT_USAGE);
        } else if (r != OPTION_OUTCOME_OK) {
                code = answer(r, p);
        } else if (in.n_args < p->verb->min_args ||
                   (in.n_args > p->verb->max_args && p->verb->max_args != VERB_ARGS_ANY)) {
                code = misused_count(p);
        } else {
                words[in.n_args] = NULL;
                code = enter(p->verb, &err) < 0 || p->verb->run(&in, &err) < 0 ? report(&err) : 0;
                code = in.code != 0 ? in.code : code;
        }
        options_done(&set, options);
        return code;
}

static int show_group(const struct verb_group *g)
{
        auto_text t = COR_TEXT_INIT;

        help_group(g, &t);
        return show(&t);
}

static bool asks_for_help(const char *word)
{
        return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

/* "help images", "help image ls" */
static int run_help(char **words, size_t n)
{
        const struct verb_group *group = n > 0 ? verb_group_find(words[0]) : NULL;
        const struct verb_place *p;

        if (n == 0)
                return answer(OPTION_OUTCOME_HELP, NULL);
        if (group && n == 1)
                return show_group(group);
        p = group ? verb_find(words[0], words[1]) : verb_find("", words[0]);
        return p ? answer(OPTION_OUTCOME_HELP, p) : unknown(group ? words[0] : "", group ? words[1] : words[0]);
}

static int run_words(const struct globals *g, char **words, size_t n)
{
        const struct verb_group *group;
        const struct verb_place *p;

        if (n == 0)
                return answer(OPTION_OUTCOME_HELP, NULL);
        if (strcmp(words[0], "help") == 0)
                return run_help(words + 1, n - 1);
        group = verb_group_find(words[0]);
        if (!group) {
                p = verb_find("", words[0]);
                return p ? run_verb(g, p, words + 1, n - 1) : unknown("", words[0]);
        }
        if (n == 1 || asks_for_help(words[1]))
                return show_group(group);
        p = verb_find(words[0], words[1]);
        return p ? run_verb(g, p, words + 2, n - 2) : unknown(words[0], words[1]);
}

static int apply_globals(const struct globals *g, struct cor_err *err)
{
        enum cor_log_level level = g->log_level > 0 ? (enum cor_log_level)(g->log_level - 1) : COR_LOG_WARN;

        if (g->config && setenv("DOCKER_CONFIG", g->config, 1) < 0) /* where the layers below look for it */
                return cor_fail_errno(err, "option --config");
        return cor_log_open(NULL, COR_LOG_TEXT, level, err);
}

static int command(int argc, char **argv)
{
        size_t n = argc > 0 ? (size_t)argc - 1 : 0;
        auto_free char **words = cor_alloc((n + 1) * sizeof *words);
        const struct option_set set = { .items = globals_options,
                                        .n_items = globals_n_options,
                                        .dialect = OPTION_DIALECT_PFLAG,
                                        .in_order = true };
        struct globals g = { 0 };
        struct cor_err err = { 0 };
        int r;

        words_of_main = argv;
        if (open_standard_descriptors() < 0)
                return EXIT_FAILED;
        if (n > 0)
                memcpy(words, argv + 1, n * sizeof *words);
        r = options_parse(&set, words, n, &g, &n, &err);
        if (r < 0) {
                fprintf(stderr,
                        "%s\n\nUsage:  coracle [OPTIONS] COMMAND\n\nRun 'coracle --help' for more information\n",
                        err.msg);
                return EXIT_USAGE;
        }
        if (r != OPTION_OUTCOME_OK)
                return answer(r, NULL);
        return apply_globals(&g, &err) < 0 ? report(&err) : run_words(&g, words, n);
}

int main(int argc, char **argv)
{
        bool monitor = argc > 0 && strcmp(cor_base_name(argv[0]), "coracle-monitor") == 0;

        return monitor ? monitor_program(argc, argv, environ) : command(argc, argv);
}

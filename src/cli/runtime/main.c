/*
 * coracle-runtime: the command line.
 *
 *   1  descriptors 0 to 2 are made sure of    nothing that is opened later may become a container's stdin
 *   2  global options, command               reads words only
 *   3  clone_self_protect()                   commands that go into containers start again from a protected binary
 *   4  log, command's options, run
 *   5  report                                 an error goes to the log and to standard error, once each
 */
#include "base/log.h"
#include "cli/runtime/globals.h"
#include "cli/runtime/help.h"
#include "cli/runtime/program.h"
#include "linux/clone_self.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum { EXIT_FAILED = 1 };

static int open_standard_descriptors(void)
{
        for (int fd = 0; fd <= STDERR_FILENO; fd++)
                if (fcntl(fd, F_GETFD) < 0 && errno == EBADF && open("/dev/null", O_RDWR) != fd)
                        return -1;
        return 0;
}

/* Text on stderr has the program's name in front already. */
static void log_failure(const struct command *c, const struct cor_err *err, bool named)
{
        if (c && (c->flags & COMMAND_PREFIX))
                cor_error("%s%s%s failed: %s", named ? program_name() : "", named ? " " : "", c->name, err->msg);
        else if (c && (c->flags & COMMAND_PREFIX_SHORT))
                cor_error("%s failed: %s", c->name, err->msg);
        else
                cor_error("%s", err->msg);
}

static void report(const struct globals *g, const struct command *c, const struct cor_err *err)
{
        bool text_on_stderr = cor_log_to_stderr() && g->log_format <= 1;

        log_failure(c, err, !text_on_stderr);
        if (cor_log_to_stderr() || cor_log_open(NULL, COR_LOG_TEXT, COR_LOG_ERROR, NULL) < 0)
                return;
        log_failure(c, err, false);
}

/* --help and the like: *ret_text is what to print. */
static void answer(int outcome, const struct command *c, struct cor_text *ret_text)
{
        if (outcome == OPTION_OUTCOME_VERSION)
                program_version(ret_text);
        else if (outcome == OPTION_OUTCOME_USAGE)
                help_usage(c, ret_text);
        else if (c)
                help_command(c, ret_text);
        else
                help_program(ret_text);
}

static int print_answer(int outcome, const struct command *c, struct cor_err *err)
{
        auto_text t = COR_TEXT_INIT;

        answer(outcome, c, &t);
        return command_print(t.s, t.len, err);
}

/* "help [COMMAND]", as runc has it */
static int help_words(char **words, size_t n, struct cor_err *err)
{
        const struct command *c = n > 1 ? command_find(words[1]) : NULL;

        if (n > 1 && !c)
                return cor_fail(err, COR_INVALID, "unknown command %s", words[1]);
        return print_answer(OPTION_OUTCOME_HELP, c, err);
}

static int check_count(const struct command *c, size_t n, struct cor_err *err)
{
        if (n >= c->min_args && (n <= c->max_args || c->max_args == UINT8_MAX))
                return 0;
        return cor_fail(err, COR_INVALID, "\"%s\" %s%s: %zu given (try %s %s --help)", c->name,
                        c->max_args > 0 ? "wants the arguments " : "takes no arguments", c->arguments, n,
                        program_name(), c->name);
}

/* Read the command's own words, and do what it is for. */
static int run_parsed(struct invocation *in, char **words, size_t n, void *options, struct cor_err *err)
{
        struct option_set set = command_option_set(in->command);
        int r = options_parse(&set, words, n, options, &in->n_args, err);

        if (r < 0)
                return cor_wrap(err, "%s", in->command->name);
        if (r != OPTION_OUTCOME_OK)
                return print_answer(r, in->command, err);
        if (check_count(in->command, in->n_args, err) < 0)
                return -1;
        words[in->n_args] = NULL;
        in->args = words;
        in->options = options;
        return in->command->run(in, err);
}

static int run_command(struct globals *g, const struct command *c, char **words, size_t n, int *ret_code,
                       struct cor_err *err)
{
        auto_free void *options = cor_alloc(c->options_size + 1u);
        struct option_set set = command_option_set(c);
        struct invocation in = { .command = c };
        int r;

        if (globals_open_log(g, err) < 0 || globals_context(g, &in.context, err) < 0)
                return -1;
        r = run_parsed(&in, words, n, options, err);
        *ret_code = r < 0 && in.code == 0 ? EXIT_FAILED : in.code;
        options_done(&set, options);
        return r;
}

static int without_command(struct cor_err *err)
{
        if (program_kind() == PROGRAM_CRUN)
                return cor_fail(err, COR_INVALID, "please specify a command (try crun --help)");
        return print_answer(OPTION_OUTCOME_HELP, NULL, err);
}

/* @words: a copy of argv without the program's name, to be rearranged; argv itself is needed to start again */
static int run_words(struct globals *g, char **words, size_t n, char **argv, char **envp,
                     const struct command **ret_command, int *ret_code, struct cor_err *err)
{
        struct option_set set = globals_option_set();
        const struct command *c;
        int r = options_parse(&set, words, n, g, &n, err);

        if (r < 0)
                return -1;
        if (r != OPTION_OUTCOME_OK)
                return print_answer(r, NULL, err);
        if (n == 0)
                return without_command(err);
        c = command_find(words[0]);
        if (!c && (strcmp(words[0], "help") == 0 || strcmp(words[0], "h") == 0))
                return help_words(words, n, err);
        if (!c)
                return cor_fail(err, COR_INVALID, "unknown command %s (try %s --help)", words[0], program_name());
        *ret_command = c;
        if ((c->flags & COMMAND_ENTERS) && clone_self_protect(argv, envp, err) < 0)
                return -1;
        return run_command(g, c, words + 1, n - 1, ret_code, err);
}

int main(int argc, char **argv, char **envp)
{
        size_t n = argc > 0 ? (size_t)argc - 1 : 0;
        auto_free char **words = cor_alloc((n + 1) * sizeof *words);
        const struct command *c = NULL;
        auto_globals g = { 0 };
        struct cor_err err = { 0 };
        int code = 0;

        if (open_standard_descriptors() < 0)
                return EXIT_FAILED;
        if (n > 0)
                memcpy(words, argv + 1, n * sizeof *words);
        if (run_words(&g, words, n, argv, envp, &c, &code, &err) == 0)
                return code;
        report(&g, c, &err);
        return code != 0 ? code : EXIT_FAILED;
}

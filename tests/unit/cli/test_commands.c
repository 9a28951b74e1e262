/* What the tables of commands say, and what is made from them. */
#include "base/file.h"
#include "cli/runtime/command.h"
#include "cli/runtime/globals.h"
#include "cli/runtime/help.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The option of @items that is called @name, which may be a letter; NULL if there is none. */
static const struct option *find(const struct option *items, size_t n, const char *name)
{
        for (size_t i = 0; i < n; i++)
                if (strcmp(items[i].name, name) == 0 || (!name[1] && items[i].letter == name[0]))
                        return &items[i];
        return NULL;
}

/* "name" or "name/letter", separated by spaces: each is there, and the letter means it */
static void expect_options(const char *what, const struct option *items, size_t n, const char *names)
{
        auto_str copy = cor_strdup(names);
        char *cursor = copy, *word;

        while ((word = cor_split_next(&cursor, ' ')) != NULL) {
                char *name = cor_split_next(&word, '/');
                const struct option *o = find(items, n, name);

                if (!o)
                        fail_msg("%s has no --%s", what, name);
                if (word && find(items, n, word) != o)
                        fail_msg("-%s of %s is not --%s", word, what, name);
        }
}

static void all_options_of_runc_and_crun_are_there(void **state)
{
        static const struct {
                const char *command, *names;
        } rows[] = {
                { "create",
                  "bundle/b config/f console-socket pidfd-socket pid-file no-pivot no-new-keyring preserve-fds "
                  "no-subreaper" },
                { "run", "bundle/b config/f console-socket pidfd-socket detach/d keep pid-file no-subreaper no-pivot "
                         "no-new-keyring preserve-fds" },
                { "exec", "console-socket pidfd-socket cwd env/e tty/t user/u additional-gids/g process/p detach/d "
                          "pid-file process-label apparmor no-new-privs cap/c preserve-fds cgroup ignore-paused" },
                { "kill", "all/a regex/r" },
                { "delete", "force/f regex/r" },
                { "list", "format/f quiet/q" },
                { "ps", "format/f" },
                { "events", "interval stats" },
                { "spec", "bundle/b file/f rootless" },
                { "update", "resources/r blkio-weight cpu-period cpu-quota cpu-burst cpu-share cpu-rt-period "
                            "cpu-rt-runtime cpuset-cpus cpuset-mems kernel-memory kernel-memory-tcp memory cpu-idle "
                            "memory-reservation memory-swap pids-limit l3-cache-schema mem-bw-schema" },
                { "start", "" },
                { "state", "" },
                { "pause", "" },
                { "resume", "" },
                { "features", "" },
        };

        for (size_t i = 0; i < COR_COUNT(rows); i++) {
                const struct command *c = command_find(rows[i].command);

                if (!c)
                        fail_msg("there is no command %s", rows[i].command);
                if (*rows[i].names)
                        expect_options(c->name, c->options, c->n_options, rows[i].names);
        }
        expect_options("the program", globals_options, globals_n_options,
                       "debug log log-format log-level root criu systemd-cgroup cgroup-manager rootless version/v");
}

/* Fixed-size fields: what is too long for one would not be terminated. */
static void expect_row(const char *command, const struct option *o)
{
        assert_int_equal(o->name[sizeof o->name - 1], 0);
        assert_int_equal(o->value[sizeof o->value - 1], 0);
        assert_int_equal(o->help[sizeof o->help - 1], 0);
        assert_true(o->name[0] && o->help[0]);
        if (o->help[strlen(o->help) - 1] == '.')
                fail_msg("%s --%s: the help ends with a dot", command, o->name);
        if (option_takes_value(o) != (o->value[0] != '\0'))
                fail_msg("%s --%s: names a value and takes none, or the other way", command, o->name);
        if (strcmp(o->name, "help") == 0 || o->letter == 'h' || o->letter == '?')
                fail_msg("%s --%s stands in the way of --help", command, o->name);
}

static void expect_table(const char *command, const struct option *items, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                expect_row(command, &items[i]);
                for (size_t j = 0; j < i; j++)
                        if (strcmp(items[i].name, items[j].name) == 0 ||
                            (items[i].letter && items[i].letter == items[j].letter))
                                fail_msg("%s: --%s and --%s are spelled the same", command, items[i].name,
                                         items[j].name);
        }
}

static void rows_are_well_formed(void **state)
{
        expect_table("", globals_options, globals_n_options);
        for (size_t i = 0; commands[i]; i++) {
                const struct command *c = commands[i];

                assert_int_equal(c->name[sizeof c->name - 1], 0);
                assert_int_equal(c->summary[sizeof c->summary - 1], 0);
                assert_int_equal(c->arguments[sizeof c->arguments - 1], 0);
                assert_true(c->name[0] && c->summary[0] && c->run);
                assert_true(c->min_args <= c->max_args);
                assert_true((c->n_options > 0) == (c->options_size > 0));
                expect_table(c->name, c->options, c->n_options);
                for (size_t j = 0; j < c->n_options; j++)
                        assert_true(c->options[j].offset < c->options_size);
        }
}

static void expect_text(const struct cor_text *t, const char *what)
{
        if (!strstr(t->s, what))
                fail_msg("\"%s\" is not in: %s", what, t->s);
}

static void help_tells_of_each_option_that_is_not_hidden(void **state)
{
        for (size_t i = 0; commands[i]; i++) {
                const struct command *c = commands[i];
                auto_text t = COR_TEXT_INIT;

                help_command(c, &t);
                expect_text(&t, c->arguments);
                for (size_t j = 0; j < c->n_options; j++) {
                        auto_str name = cor_printf("--%s", c->options[j].name);

                        if (!(c->options[j].flags & OPTION_HIDDEN))
                                expect_text(&t, name);
                        else if (strstr(t.s, c->options[j].help))
                                fail_msg("%s is hidden", name);
                }
        }
}

static void completions_know_commands_options_and_values(void **state)
{
        static const char *const shells[] = { "bash", "zsh", "fish" };
        struct cor_err err = { 0 };

        for (size_t i = 0; i < COR_COUNT(shells); i++) {
                auto_text t = COR_TEXT_INIT;

                assert_int_equal(completion_print(shells[i], &t, &err), 0);
                for (size_t j = 0; commands[j]; j++)
                        expect_text(&t, commands[j]->name);
                expect_text(&t, "preserve-fds");
                expect_text(&t, i < 2 ? "--log-format=text|json" : "-l log-format -x -a 'text json'");
                assert_null(strstr(t.s, "kernel-memory")); /* hidden */
        }
        {
                auto_text t = COR_TEXT_INIT;

                assert_int_equal(completion_print("csh", &t, &err), -1);
                assert_int_equal(err.kind, COR_INVALID);
        }
}

/* When it fails: scripts/manual BUILD brings the page up to date. */
static void the_manual_has_the_lists_of_the_tables(void **state)
{
        const char *source = getenv("CORACLE_SOURCE");
        auto_str path = cor_printf("%s/docs/man/coracle-runtime.8", source ? source : ".");
        auto_text expected = COR_TEXT_INIT;
        struct cor_err err = { 0 };
        auto_str page = NULL;
        char *start, *end;
        size_t n;

        if (cor_read_file(path, 1 << 20, &page, &n, &err) < 0)
                fail_msg("%s", err.msg);
        start = strstr(page, "\n.\\\" begin: coracle-runtime completion manual\n");
        end = strstr(page, "\n.\\\" end\n");
        assert_true(start && end && start < end);
        start = strchr(start + 1, '\n') + 1;
        end[1] = '\0';
        manual_print(&expected);
        assert_string_equal(start, expected.s);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(all_options_of_runc_and_crun_are_there),
                cmocka_unit_test(rows_are_well_formed),
                cmocka_unit_test(help_tells_of_each_option_that_is_not_hidden),
                cmocka_unit_test(completions_know_commands_options_and_values),
                cmocka_unit_test(the_manual_has_the_lists_of_the_tables),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "tools/init/options.h"
#include "tools/init/say.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The command line of the last parse(): "init", the words, NULL. */
static char *argv[16];

static int parse_words(struct options *o, struct cor_err *err, ...)
{
        const char *word = "init";
        int argc = 0;
        va_list ap;

        va_start(ap, err);
        for (; word; word = va_arg(ap, const char *)) {
                assert_true(argc < 15);
                argv[argc++] = (char *)(uintptr_t)word;
        }
        va_end(ap);
        argv[argc] = NULL;
        return options_parse(argc, argv, o, err);
}

#define parse(o, err, ...) parse_words(o, err, __VA_ARGS__, NULL)

static void expect_good(const struct options *o, int result, const struct cor_err *err)
{
        if (result < 0)
                fail_msg("refused: %s", err->msg);
        assert_int_equal(o->action, OPTIONS_RUN);
}

static void expect_bad(int result, const struct cor_err *err, const char *text)
{
        assert_int_equal(result, -1);
        assert_int_equal(err->kind, COR_INVALID);
        if (!strstr(err->msg, text))
                fail_msg("\"%s\" does not contain \"%s\"", err->msg, text);
}

static void a_command_needs_no_options(void **state)
{
        struct cor_err err = { 0 };
        struct options o;

        expect_good(&o, parse(&o, &err, "sh", "-c", "exit 3"), &err);
        assert_ptr_equal(o.command, argv + 1);
        assert_false(o.subreaper || o.process_group || o.warn_on_reap || o.signal_all || o.wait_all);
        assert_int_equal(o.parent_death_signal, 0);
        assert_int_equal(o.verbosity, SAY_WARNING);
        assert_int_equal(o.grace_ms, GRACE_DEFAULT_MS);
}

static void options_of_the_command_are_its_own(void **state)
{
        struct cor_err err = { 0 };
        struct options o;

        expect_good(&o, parse(&o, &err, "-s", "ls", "-g", "-z"), &err);
        assert_ptr_equal(o.command, argv + 2);
        assert_true(o.subreaper);
        assert_false(o.process_group);

        expect_good(&o, parse(&o, &err, "--", "-s", "-g"), &err);
        assert_ptr_equal(o.command, argv + 2);
        assert_false(o.subreaper);

        expect_good(&o, parse(&o, &err, "-g", "--", "--", "x"), &err);
        assert_ptr_equal(o.command, argv + 3);

        expect_good(&o, parse(&o, &err, "-"), &err);
        assert_ptr_equal(o.command, argv + 1);
}

static void a_separator_behind_the_command_is_left_out_once(void **state)
{
        struct cor_err err = { 0 };
        struct options o;

        expect_good(&o, parse(&o, &err, "-s", "ls", "--", "-l"), &err);
        assert_string_equal(o.command[0], "ls");
        assert_string_equal(o.command[1], "-l");
        assert_null(o.command[2]);

        expect_good(&o, parse(&o, &err, "ls", "--", "--"), &err);
        assert_string_equal(o.command[1], "--");
        assert_null(o.command[2]);

        expect_good(&o, parse(&o, &err, "--", "ls", "--"), &err);
        assert_string_equal(o.command[1], "--");
        assert_null(o.command[2]);

        expect_good(&o, parse(&o, &err, "ls", "x", "--"), &err);
        assert_string_equal(o.command[2], "--");
}

static void letters_can_be_joined_and_arguments_attached(void **state)
{
        struct cor_err err = { 0 };
        struct options o;

        expect_good(&o, parse(&o, &err, "-sgwvv", "-pSIGKILL", "-e143", "-e", "0", "x"), &err);
        assert_true(o.subreaper && o.process_group && o.warn_on_reap);
        assert_int_equal(o.verbosity, SAY_DEBUG);
        assert_int_equal(o.parent_death_signal, SIGKILL);
        assert_true(o.remap[143] && o.remap[0]);
        assert_false(o.remap[1]);

        expect_good(&o, parse(&o, &err, "-sp", "TERM", "x"), &err);
        assert_true(o.subreaper);
        assert_int_equal(o.parent_death_signal, SIGTERM);
}

static void long_options_take_their_argument_either_way(void **state)
{
        struct cor_err err = { 0 };
        struct options o;

        expect_good(&o, parse(&o, &err, "--signal-all", "--wait-all", "--grace", "7", "x"), &err);
        assert_true(o.signal_all && o.wait_all);
        assert_int_equal(o.grace_ms, 7000);

        expect_good(&o, parse(&o, &err, "--grace=0", "--wait-all", "x"), &err);
        assert_int_equal(o.grace_ms, 0);

        expect_good(&o, parse(&o, &err, "--wait-all", "--grace=infinite", "x"), &err);
        assert_int_equal(o.grace_ms, GRACE_INFINITE);
}

static void questions_are_answered_without_a_command(void **state)
{
        static const struct {
                const char *word;
                enum options_action action;
        } rows[] = {
                { "-h", OPTIONS_HELP },           { "--help", OPTIONS_HELP }, { "-l", OPTIONS_LICENSE },
                { "--version", OPTIONS_VERSION }, { "-s", OPTIONS_USAGE },    { "--", OPTIONS_USAGE },
        };
        struct cor_err err = { 0 };
        struct options o;

        for (size_t i = 0; i < COR_COUNT(rows); i++) {
                assert_int_equal(parse(&o, &err, rows[i].word), 0);
                assert_int_equal(o.action, rows[i].action);
        }
        assert_int_equal(options_parse(0, (char *[]){ NULL }, &o, &err), 0);
        assert_int_equal(o.action, OPTIONS_USAGE);
}

static void what_is_wrong_is_named(void **state)
{
        struct cor_err err = { 0 };
        struct options o;

        expect_bad(parse(&o, &err, "-z", "x"), &err, "unknown option -z");
        expect_bad(parse(&o, &err, "-sz", "x"), &err, "unknown option -z");
        expect_bad(parse(&o, &err, "--wait", "x"), &err, "unknown option --wait");
        expect_bad(parse(&o, &err, "--=", "x"), &err, "unknown option --");
        expect_bad(parse(&o, &err, "-p"), &err, "option -p needs an argument: SIGNAL");
        expect_bad(parse(&o, &err, "--wait-all", "--grace"), &err, "option --grace needs an argument: SECONDS");
        expect_bad(parse(&o, &err, "--version=1"), &err, "option --version takes no argument");
        expect_bad(parse(&o, &err, "-p", "SIGFOO", "x"), &err, "option -p: \"SIGFOO\"");
        expect_bad(parse(&o, &err, "-p", "0", "x"), &err, "option -p");
        expect_bad(parse(&o, &err, "-p", "65", "x"), &err, "option -p");
        expect_bad(parse(&o, &err, "-e", "256", "x"), &err, "option -e: \"256\"");
        expect_bad(parse(&o, &err, "-e", "-1", "x"), &err, "option -e: \"-1\"");
        expect_bad(parse(&o, &err, "-e", "", "x"), &err, "option -e: \"\"");
        expect_bad(parse(&o, &err, "-e", "99999999999999999999", "x"), &err, "option -e");
        expect_bad(parse(&o, &err, "--wait-all", "--grace", "soon", "x"), &err, "option --grace: \"soon\"");
        expect_bad(parse(&o, &err, "--wait-all", "--grace", "604801", "x"), &err, "604800");
        expect_bad(parse(&o, &err, "--grace", "1", "x"), &err, "--wait-all");
}

static void the_environment_adds_to_the_options(void **state)
{
        struct cor_err err = { 0 };
        struct options o;

        options_defaults(&o);
        assert_int_equal(options_read_environment(&o, &err), 0);
        assert_false(o.subreaper || o.process_group);

        setenv("TINI_SUBREAPER", "", 1);
        setenv("TINI_KILL_PROCESS_GROUP", "1", 1);
        setenv("TINI_VERBOSITY", "3", 1);
        assert_int_equal(options_read_environment(&o, &err), 0);
        assert_true(o.subreaper && o.process_group);
        assert_int_equal(o.verbosity, 3);

        setenv("TINI_VERBOSITY", "loud", 1);
        expect_bad(options_read_environment(&o, &err), &err, "TINI_VERBOSITY: \"loud\"");
        assert_int_equal(o.verbosity, 3);
        setenv("TINI_VERBOSITY", "", 1);
        expect_bad(options_read_environment(&o, &err), &err, "TINI_VERBOSITY");
        unsetenv("TINI_SUBREAPER");
        unsetenv("TINI_KILL_PROCESS_GROUP");
        unsetenv("TINI_VERBOSITY");
}

static void exit_codes_follow_the_shell_and_can_be_remapped(void **state)
{
        struct options o;

        options_defaults(&o);
        assert_int_equal(options_exit_code(&o, 0), 0);
        assert_int_equal(options_exit_code(&o, 255 << 8), 255);
        assert_int_equal(options_exit_code(&o, SIGTERM), 143);
        assert_int_equal(options_exit_code(&o, SIGSEGV | 0x80), 139); /* with a core dump */
        assert_int_equal(options_exit_code(&o, 64), 192);

        o.remap[143] = o.remap[3] = true;
        assert_int_equal(options_exit_code(&o, SIGTERM), 0);
        assert_int_equal(options_exit_code(&o, 3 << 8), 0);
        assert_int_equal(options_exit_code(&o, 4 << 8), 4);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_command_needs_no_options),
                cmocka_unit_test(options_of_the_command_are_its_own),
                cmocka_unit_test(a_separator_behind_the_command_is_left_out_once),
                cmocka_unit_test(letters_can_be_joined_and_arguments_attached),
                cmocka_unit_test(long_options_take_their_argument_either_way),
                cmocka_unit_test(questions_are_answered_without_a_command),
                cmocka_unit_test(what_is_wrong_is_named),
                cmocka_unit_test(the_environment_adds_to_the_options),
                cmocka_unit_test(exit_codes_follow_the_shell_and_can_be_remapped),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "base/json.h"
#include "cli/option.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct given {
        bool detach, tty, version;
        int manager, format, fds;
        const char *bundle, *pid_file, *root;
        const char **env;
        size_t n_env;
        struct cor_opt_u64 shares;
        struct cor_opt_i64 quota, memory;
        uint64_t interval;
};

#define ROW(NAME, LETTER, TYPE, M, VALUE, FLAGS) OPTION_ROW(NAME, LETTER, TYPE, struct given, M, VALUE, FLAGS, "Help")

static const struct option rows[] = {
        ROW("detach", 'd', FLAG, detach, "", 0),
        ROW("tty", 't', FLAG, tty, "", 0),
        OPTION_ROW_CONST("systemd-cgroup", struct given, manager, 2, "Help"),
        ROW("cgroup-manager", 0, WORD, manager, "cgroupfs|systemd|disabled", 0),
        ROW("format", 'f', WORD, format, "table|json", 0),
        ROW("bundle", 'b', TEXT, bundle, "DIR", 0),
        ROW("pid-file", 0, TEXT, pid_file, "FILE", 0),
        ROW("root", 0, TEXT, root, "DIR", OPTION_FILLED),
        ROW("process", 'p', TEXT, pid_file, "FILE", 0),
        OPTION_ROW_LIST("env", 'e', struct given, env, n_env, "NAME=VALUE", "Help"),
        ROW("preserve-fds", 0, COUNT, fds, "N", 0),
        ROW("cpu-share", 0, U64, shares, "N", 0),
        ROW("cpu-quota", 0, I64, quota, "USECS", 0),
        ROW("memory", 0, SIZE, memory, "BYTES", 0),
        ROW("memory-swap", 0, SIZE, memory, "BYTES", 0),
        ROW("interval", 0, DURATION, interval, "TIME", 0),
        OPTION_ROW_ASK("version", 'v', VERSION, 0, "Help"),
};

static struct given got;
static struct cor_err err;
static char *argv[24];
static size_t n_left;

/* Read the words of @line, which are separated by spaces; "''" is an empty word. */
static int parse_as(enum option_dialect dialect, bool in_order, const char *line)
{
        static char text[512];
        struct option_set set = { rows, COR_COUNT(rows), dialect, in_order };
        char *cursor = strcpy(text, line), *word;
        size_t n = 0;

        options_done(&set, &got);
        memset(&got, 0, sizeof got);
        memset(&err, 0, sizeof err);
        while ((word = cor_split_next(&cursor, ' ')) != NULL) {
                assert_true(n + 1 < COR_COUNT(argv));
                argv[n++] = strcmp(word, "''") == 0 ? text + sizeof text - 1 : word;
        }
        argv[n] = NULL;
        n_left = 99;
        return options_parse(&set, argv, n, &got, &n_left, &err);
}

static void good(const char *line)
{
        if (parse_as(OPTION_DIALECT_OWN, false, line) != OPTION_OUTCOME_OK)
                fail_msg("\"%s\": %s", line, err.msg);
}

static void bad_as(enum option_dialect dialect, const char *line, const char *text)
{
        if (parse_as(dialect, false, line) >= 0)
                fail_msg("\"%s\" was taken", line);
        assert_int_equal(err.kind, COR_INVALID);
        if (!strstr(err.msg, text))
                fail_msg("\"%s\": \"%s\" does not contain \"%s\"", line, err.msg, text);
}

static void bad(const char *line, const char *text)
{
        bad_as(OPTION_DIALECT_OWN, line, text);
}

static void a_value_follows_or_is_attached(void **state)
{
        static const char *const lines[] = { "--bundle /b x", "--bundle=/b x", "-bundle /b x", "-bundle=/b x",
                                             "-b /b x",       "-b=/b x",       "-b/b x",       "--b /b x",
                                             "x --bundle /b", "x -b=/b",       "-db /b x",     "-td -b/b x" };

        for (size_t i = 0; i < COR_COUNT(lines); i++) {
                good(lines[i]);
                assert_string_equal(got.bundle, "/b");
                assert_int_equal(n_left, 1);
                assert_string_equal(argv[0], "x");
        }
}

static void a_value_is_never_an_option(void **state)
{
        good("--bundle --detach x");
        assert_string_equal(got.bundle, "--detach");
        assert_false(got.detach);
        good("-b -- x");
        assert_string_equal(got.bundle, "--");
        assert_int_equal(n_left, 1);
}

static void letters_without_values_may_be_joined(void **state)
{
        good("-dt x");
        assert_true(got.detach && got.tty);
        good("-dtb/b x");
        assert_true(got.detach && got.tty);
        assert_string_equal(got.bundle, "/b");
        bad("-dz x", "unknown option -dz");
        bad("-dtb", "option --bundle needs a value (DIR)");
}

static void flags_can_be_switched_off(void **state)
{
        static const char *const off[] = {
                "--tty=false", "--tty=0", "--tty=F", "-t=no", "-tty=FALSE", "--tty --tty=f"
        };

        for (size_t i = 0; i < COR_COUNT(off); i++) {
                good(off[i]);
                assert_false(got.tty);
        }
        good("--tty=true");
        assert_true(got.tty);
        good("--tty=1");
        assert_true(got.tty);
        bad("--tty=maybe", "option --tty: expected true or false, found \"maybe\"");
        bad("--tty=", "expected true or false");
}

static void the_last_one_holds(void **state)
{
        good("--systemd-cgroup --cgroup-manager disabled");
        assert_int_equal(got.manager, 3);
        good("--cgroup-manager disabled --systemd-cgroup");
        assert_int_equal(got.manager, 2);
        good("--systemd-cgroup=false");
        assert_int_equal(got.manager, 0);
        good("-b /a -b /b");
        assert_string_equal(got.bundle, "/b");
        good("-b /a --bundle=");
        assert_null(got.bundle);
}

static void lists_grow(void **state)
{
        good("-e A=1 --env B=2 --env= -eC=3 -e=D=4");
        assert_int_equal(got.n_env, 5);
        assert_string_equal(got.env[0], "A=1");
        assert_string_equal(got.env[1], "B=2");
        assert_string_equal(got.env[2], "");
        assert_string_equal(got.env[3], "C=3");
        assert_string_equal(got.env[4], "D=4");
}

static void words_are_of_a_closed_set(void **state)
{
        char word[sizeof rows[0].value];

        good("-f json");
        assert_int_equal(got.format, 2);
        good("--format=table");
        assert_int_equal(got.format, 1);
        bad("-f yaml", "option --format: expected one of table|json, found \"yaml\"");
        bad("-f tab", "expected one of");
        bad("-f table|json", "expected one of");
        bad("-f ''", "expected one of");
        assert_string_equal(option_word(&rows[3], 2, word), "disabled");
        assert_null(option_word(&rows[3], 3, word));
}

static void numbers_are_whole_and_in_range(void **state)
{
        good("--preserve-fds 3 --cpu-share 1024 --cpu-quota -1 --memory 64m");
        assert_int_equal(got.fds, 3);
        assert_true(got.shares.set && got.shares.value == 1024);
        assert_true(got.quota.set && got.quota.value == -1);
        assert_true(got.memory.set && got.memory.value == 64 << 20);
        good("--memory -1");
        assert_true(got.memory.set && got.memory.value == -1);
        good("--memory '' --cpu-share= --cpu-quota=");
        assert_false(got.memory.set || got.shares.set || got.quota.set);
        bad("--preserve-fds -1", "option --preserve-fds: expected a number, at least 0, found \"-1\"");
        bad("--preserve-fds 2147483648", "expected a number");
        bad("--preserve-fds 1x", "expected a number");
        bad("--preserve-fds ''", "expected a number");
        bad("--cpu-share -1", "expected a whole number, at least 0");
        bad("--cpu-share 18446744073709551616", "expected a whole number");
        bad("--cpu-quota 1.5", "expected a whole number");
        bad("--memory -2", "expected a number of bytes");
        bad("--memory 9223372036854775808", "expected a number of bytes");
        bad("--memory 1q", "expected a number of bytes");
}

static void times_are_above_zero(void **state)
{
        good("--interval 1m30s");
        assert_int_equal(got.interval, 90000);
        good("--interval=250ms");
        assert_int_equal(got.interval, 250);
        bad("--interval 0", "expected a time above 0");
        bad("--interval 5x", "expected a time above 0");
}

static void what_must_be_filled_must_not_be_empty(void **state)
{
        bad("--root ''", "option --root: expected a value");
        bad("--root=", "option --root: expected a value");
}

static void unknown_options_are_named(void **state)
{
        bad("--bogus=1 x", "unknown option --bogus");
        bad("-z x", "unknown option -z");
        bad("--=x", "unknown option --");
        bad("--bundle", "option --bundle needs a value (DIR)");
        bad("--version=1", "option --version takes no value");
}

static void two_dashes_end_the_options(void **state)
{
        good("-d -- x --tty");
        assert_true(got.detach);
        assert_false(got.tty);
        assert_int_equal(n_left, 2);
        assert_string_equal(argv[1], "--tty");
        good("x -");
        assert_int_equal(n_left, 2);
        assert_string_equal(argv[1], "-");
}

static void in_order_the_first_word_ends_the_options(void **state)
{
        assert_int_equal(parse_as(OPTION_DIALECT_OWN, true, "-d x -t --help --bogus"), OPTION_OUTCOME_OK);
        assert_true(got.detach);
        assert_false(got.tty);
        assert_int_equal(n_left, 4);
        assert_string_equal(argv[0], "x");
        assert_string_equal(argv[3], "--bogus");
        assert_int_equal(parse_as(OPTION_DIALECT_OWN, true, "-d -- -x -t"), OPTION_OUTCOME_OK);
        assert_int_equal(n_left, 2);
        assert_string_equal(argv[0], "-x");
}

static void questions_end_the_reading(void **state)
{
        assert_int_equal(parse_as(OPTION_DIALECT_OWN, false, "-d --help --bogus"), OPTION_OUTCOME_HELP);
        assert_int_equal(parse_as(OPTION_DIALECT_OWN, false, "x -h"), OPTION_OUTCOME_HELP);
        assert_int_equal(parse_as(OPTION_DIALECT_ARGP, false, "-?"), OPTION_OUTCOME_HELP);
        assert_int_equal(parse_as(OPTION_DIALECT_OWN, false, "--usage"), OPTION_OUTCOME_USAGE);
        assert_int_equal(parse_as(OPTION_DIALECT_OWN, false, "-v"), OPTION_OUTCOME_VERSION);
        assert_int_equal(parse_as(OPTION_DIALECT_ARGP, false, "-V"), OPTION_OUTCOME_VERSION);
        assert_int_equal(parse_as(OPTION_DIALECT_OWN, false, "-dh"), OPTION_OUTCOME_HELP);
}

static void names_may_be_shortened_as_long_as_they_are_clear(void **state)
{
        good("--bun /b --det");
        assert_string_equal(got.bundle, "/b");
        assert_true(got.detach);
        good("--memory 1"); /* not --memory-swap */
        bad("--mem 1", "option --mem is not clear: --memory or --memory-swap?");
        bad_as(OPTION_DIALECT_GO, "--bun /b", "unknown option --bun");
        bad("-tun=/b", "unknown option -tun"); /* one dash takes whole names only: t, u, n */
}

static void under_the_name_crun_one_dash_starts_letters(void **state)
{
        assert_int_equal(parse_as(OPTION_DIALECT_ARGP, false, "-pid-file"), OPTION_OUTCOME_OK);
        assert_string_equal(got.pid_file, "id-file");
        assert_int_equal(parse_as(OPTION_DIALECT_OWN, false, "-pid-file f"), OPTION_OUTCOME_OK);
        assert_string_equal(got.pid_file, "f");
        assert_int_equal(parse_as(OPTION_DIALECT_ARGP, false, "-e=A"), OPTION_OUTCOME_OK);
        assert_string_equal(got.env[0], "=A");
        /* where no letter fits, the name is taken */
        assert_int_equal(parse_as(OPTION_DIALECT_ARGP, false, "-root /r"), OPTION_OUTCOME_OK);
        assert_string_equal(got.root, "/r");
}

static int forget(void **state)
{
        struct option_set set = { rows, COR_COUNT(rows), OPTION_DIALECT_OWN, false };

        options_done(&set, &got);
        assert_null(got.env);
        assert_int_equal(got.n_env, 0);
        return 0;
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_value_follows_or_is_attached),
                cmocka_unit_test(a_value_is_never_an_option),
                cmocka_unit_test(letters_without_values_may_be_joined),
                cmocka_unit_test(flags_can_be_switched_off),
                cmocka_unit_test(the_last_one_holds),
                cmocka_unit_test(lists_grow),
                cmocka_unit_test(words_are_of_a_closed_set),
                cmocka_unit_test(numbers_are_whole_and_in_range),
                cmocka_unit_test(times_are_above_zero),
                cmocka_unit_test(what_must_be_filled_must_not_be_empty),
                cmocka_unit_test(unknown_options_are_named),
                cmocka_unit_test(two_dashes_end_the_options),
                cmocka_unit_test(in_order_the_first_word_ends_the_options),
                cmocka_unit_test(questions_end_the_reading),
                cmocka_unit_test(names_may_be_shortened_as_long_as_they_are_clear),
                cmocka_unit_test(under_the_name_crun_one_dash_starts_letters),
        };

        return cmocka_run_group_tests(tests, NULL, forget);
}

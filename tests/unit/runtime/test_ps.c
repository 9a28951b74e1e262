#include "runtime/ps.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static struct cor_err err;

/* Filter a copy of @output; the result is to be freed. */
static char *filter(const char *output, const pid_t *pids, size_t n)
{
        auto_str copy = cor_strdup(output);
        struct cor_text t = COR_TEXT_INIT;

        memset(&err, 0, sizeof err);
        if (ps_filter(copy, pids, n, &t, &err) < 0) {
                cor_text_done(&t);
                return NULL;
        }
        return cor_text_take(&t);
}

static void only_lines_of_the_container_are_kept(void **state)
{
        const pid_t pids[] = { 12, 1200 };
        auto_str s = filter("UID   PID  PPID CMD\n"
                            "root    1     0 init\n"
                            "root   12     1 sh 120\n"
                            "root  120    12 other\n"
                            "root 1200    12 sleep 12\n",
                            pids, 2);

        assert_string_equal(s, "UID   PID  PPID CMD\nroot   12     1 sh 120\nroot 1200    12 sleep 12\n");
}

static void the_column_may_be_anywhere(void **state)
{
        const pid_t pids[] = { 7 };
        auto_str s = filter("  PPID  SPID\tPID CMD\n   1   7  7 a\n   7  1  1 b\n", pids, 1);

        assert_string_equal(s, "  PPID  SPID\tPID CMD\n   1   7  7 a\n");
}

static void without_processes_the_heading_remains(void **state)
{
        auto_str s = filter("PID CMD\n1 init\n", NULL, 0);

        assert_string_equal(s, "PID CMD\n");
}

static void without_the_column_there_is_no_telling(void **state)
{
        const pid_t pids[] = { 1 };

        assert_null(filter("CMD\ninit\n", pids, 1));
        assert_int_equal(err.kind, COR_INVALID);
        assert_non_null(strstr(err.msg, "couldn't find PID field in ps output"));
        assert_null(filter("", pids, 1));
        assert_null(filter("SPID PIDS\n", pids, 1));
}

static void odd_lines_are_left_out(void **state)
{
        const pid_t pids[] = { 1 };
        auto_str s = filter("A PID\nx\n\nx one\nx 1\nx 99999999999999999999999999\nx -1", pids, 1);

        assert_string_equal(s, "A PID\nx 1\n");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(only_lines_of_the_container_are_kept),
                cmocka_unit_test(the_column_may_be_anywhere),
                cmocka_unit_test(without_processes_the_heading_remains),
                cmocka_unit_test(without_the_column_there_is_no_telling),
                cmocka_unit_test(odd_lines_are_left_out),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

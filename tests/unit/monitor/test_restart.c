#include "monitor/restart.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct restart_policy always = { .when = RESTART_ALWAYS };

static void the_delay_doubles_up_to_a_minute(void **state)
{
        const struct restart_end failed = { .code = 1, .ran_ms = 5 };
        struct restart r = { 0 };
        int64_t expected = 100;

        for (int i = 0; i < 20; i++) {
                assert_int_equal(restart_decide(&r, &always, &failed), expected);
                expected = expected * 2 > 60000 ? 60000 : expected * 2;
        }
        assert_int_equal(r.count, 20);
}

static void ten_seconds_of_running_begin_anew(void **state)
{
        const struct restart_end early = { .code = 1, .ran_ms = 9999 }, late = { .code = 1, .ran_ms = 10000 };
        struct restart r = { 0 };

        assert_int_equal(restart_decide(&r, &always, &early), 100);
        assert_int_equal(restart_decide(&r, &always, &early), 200);
        assert_int_equal(restart_decide(&r, &always, &late), 100);
        assert_int_equal(restart_decide(&r, &always, &early), 200);
}

static void each_policy_has_its_reasons(void **state)
{
        static const struct {
                struct restart_policy policy;
                struct restart_end end;
                bool again;
        } cases[] = {
                { { RESTART_NO, 0 }, { .code = 1 }, false },
                { { RESTART_ALWAYS, 0 }, { .code = 0 }, true },
                { { RESTART_ALWAYS, 0 }, { .code = 0, .stopped = true }, true },
                { { RESTART_UNLESS_STOPPED, 0 }, { .code = 0 }, true },
                { { RESTART_UNLESS_STOPPED, 0 }, { .code = 1, .stopped = true }, false },
                { { RESTART_ON_FAILURE, 0 }, { .code = 0 }, false },
                { { RESTART_ON_FAILURE, 0 }, { .code = 137 }, true },
        };

        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                struct restart r = { 0 };

                assert_int_equal(restart_decide(&r, &cases[i].policy, &cases[i].end) >= 0, cases[i].again);
                assert_int_equal(r.count, cases[i].again);
        }
}

static void on_failure_gives_up_after_its_number(void **state)
{
        const struct restart_policy p = { RESTART_ON_FAILURE, 2 };
        const struct restart_end failed = { .code = 3 };
        struct restart r = { 0 };

        assert_true(restart_decide(&r, &p, &failed) > 0);
        assert_true(restart_decide(&r, &p, &failed) > 0);
        assert_int_equal(restart_decide(&r, &p, &failed), -1);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_delay_doubles_up_to_a_minute),
                cmocka_unit_test(ten_seconds_of_running_begin_anew),
                cmocka_unit_test(each_policy_has_its_reasons),
                cmocka_unit_test(on_failure_gives_up_after_its_number),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

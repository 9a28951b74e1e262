#include "base/err.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void a_new_error_has_kind_and_text(void **state)
{
        struct cor_err err = { 0 };

        assert_int_equal(cor_fail(&err, COR_NOT_FOUND, "no %s here", "cat"), -1);
        assert_int_equal(err.kind, COR_NOT_FOUND);
        assert_int_equal(err.sys, 0);
        assert_string_equal(err.msg, "no cat here");
}

static void an_error_from_errno_keeps_the_number_and_says_why(void **state)
{
        struct cor_err err = { 0 };

        errno = ENOENT;
        assert_int_equal(cor_fail_errno(&err, "open %s", "/x"), -1);
        assert_int_equal(err.kind, COR_NOT_FOUND);
        assert_int_equal(err.sys, ENOENT);
        assert_string_equal(err.msg, "open /x: No such file or directory");
}

static void wrapping_puts_context_in_front(void **state)
{
        struct cor_err err = { 0 };

        cor_fail(&err, COR_INVALID, "not an integer");
        assert_int_equal(cor_wrap(&err, "config.json: %s", "process.user"), -1);
        assert_int_equal(err.kind, COR_INVALID);
        assert_string_equal(err.msg, "config.json: process.user: not an integer");
}

static void a_long_message_is_cut_and_ends(void **state)
{
        struct cor_err err = { 0 };
        char long_text[2000];

        memset(long_text, 'x', sizeof long_text - 1);
        long_text[sizeof long_text - 1] = 0;
        cor_fail(&err, COR_SYSTEM, "%s", long_text);
        cor_wrap(&err, "%s", long_text);
        assert_true(strnlen(err.msg, sizeof err.msg) < sizeof err.msg);
}

static void nobody_has_to_listen(void **state)
{
        assert_int_equal(cor_fail(NULL, COR_SYSTEM, "lost"), -1);
        assert_int_equal(cor_fail_errno(NULL, "lost"), -1);
        assert_int_equal(cor_wrap(NULL, "lost"), -1);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_new_error_has_kind_and_text),
                cmocka_unit_test(an_error_from_errno_keeps_the_number_and_says_why),
                cmocka_unit_test(wrapping_puts_context_in_front),
                cmocka_unit_test(a_long_message_is_cut_and_ends),
                cmocka_unit_test(nobody_has_to_listen),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

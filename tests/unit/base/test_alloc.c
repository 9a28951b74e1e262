#include "base/alloc.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static void memory_is_zeroed(void **state)
{
        auto_str p = cor_alloc(4096);

        for (size_t i = 0; i < 4096; i++)
                assert_int_equal(p[i], 0);
}

static void a_size_from_outside_meets_its_limit(void **state)
{
        struct cor_err err = { 0 };
        auto_str fits = cor_alloc_limited(100, 100, "header", &err);

        assert_non_null(fits);
        assert_null(cor_alloc_limited(101, 100, "header", &err));
        assert_int_equal(err.kind, COR_INVALID);
        assert_string_equal(err.msg, "header: 101 bytes, more than the limit of 100");
}

static void growing_keeps_items_and_zeroes_new_ones(void **state)
{
        struct item {
                int a, b;
        } *items = NULL;
        size_t n_items = 0;

        for (int i = 0; i < 1000; i++) {
                struct item *it = COR_GROW(items, n_items);

                assert_int_equal(it->a, 0);
                assert_int_equal(it->b, 0);
                it->a = i;
                it->b = -1;
        }
        assert_int_equal(n_items, 1000);
        for (int i = 0; i < 1000; i++)
                assert_int_equal(items[i].a, i);
        free(items);
}

static void string_lists_end_with_null(void **state)
{
        auto_strv v = { 0 };

        cor_strv_add(&v, "a");
        cor_strv_take(&v, cor_printf("%d", 7));
        assert_int_equal(v.n_items, 2);
        assert_string_equal(v.items[0], "a");
        assert_string_equal(v.items[1], "7");
        assert_null(v.items[2]);
        cor_strv_done(&v);
        assert_int_equal(v.n_items, 0);
        assert_null(v.items);
}

static void copies_of_null_are_null(void **state)
{
        auto_str part = cor_strndup("abc", 2);

        assert_null(cor_strdup(NULL));
        assert_null(cor_strndup(NULL, 3));
        assert_string_equal(part, "ab");
}

static void a_size_that_overflows_ends_the_process(void **state)
{
        int status;
        pid_t pid = fork();

        assert_true(pid >= 0);
        if (pid == 0) {
                close(STDERR_FILENO);
                free(cor_realloc_array(NULL, SIZE_MAX / 2, 4));
                _exit(0);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 1);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(memory_is_zeroed),
                cmocka_unit_test(a_size_from_outside_meets_its_limit),
                cmocka_unit_test(growing_keeps_items_and_zeroes_new_ones),
                cmocka_unit_test(string_lists_end_with_null),
                cmocka_unit_test(copies_of_null_are_null),
                cmocka_unit_test(a_size_that_overflows_ends_the_process),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "linux/bitlist.h"

#include "child.h"

static void numbers_and_ranges_become_bits(void **state)
{
        struct cor_err err = { 0 };
        struct bitlist b;

        assert_int_equal(bitlist_parse(" 0-3 , 7,64\n", "cpus", &b, &err), 0);
        for (unsigned i = 0; i < 100; i++)
                assert_int_equal(bitlist_has(&b, i), i <= 3 || i == 7 || i == 64);
        assert_int_equal(b.n_bits, 65);
        assert_int_equal(bitlist_parse(",1,,", "cpus", &b, &err), 0);
        assert_int_equal(b.n_bits, 2);
        assert_int_equal(bitlist_parse("8191", "cpus", &b, &err), 0);
        assert_true(bitlist_has(&b, 8191));
        assert_false(bitlist_has(&b, 8192));
}

static void what_is_no_list_is_refused_by_name(void **state)
{
        static const char *const bad[] = { "",     " ",   ",",     "a",        "-1",
                                           "1-",   "3-1", "8192",  "0-8192",   "1 2",
                                           "1--2", "0x1", "1-2-3", "0-15:2/4", "18446744073709551616" };

        for (size_t i = 0; i < COR_COUNT(bad); i++) {
                struct bitlist b = { .n_bits = 77 };
                struct cor_err err = { 0 };

                if (bitlist_parse(bad[i], "cpus", &b, &err) != -1)
                        fail_msg("\"%s\" was taken", bad[i]);
                assert_int_equal(err.kind, COR_INVALID);
                assert_memory_equal(err.msg, "cpus: ", 6);
                assert_int_equal(b.n_bits, 77);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(numbers_and_ranges_become_bits),
                cmocka_unit_test(what_is_no_list_is_refused_by_name),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

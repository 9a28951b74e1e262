/* Keys that detach: their names, and finding them in what is typed. */
#include "cli/coracle/detach.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void names_are_those_of_docker(void **state)
{
        struct cor_err err = { 0 };
        struct detach d;

        assert_int_equal(detach_parse(NULL, &d, &err), 0);
        assert_int_equal(d.n, 2);
        assert_memory_equal(d.keys, "\x10\x11", 2);
        assert_int_equal(detach_parse("ctrl-@,ctrl-a,a,A,DEL,ctrl-[,ctrl-\\,ctrl-_", &d, &err), 0);
        assert_int_equal(d.n, 8);
        assert_memory_equal(d.keys,
                            "\0\x01"
                            "aA\x7f\x1b\x1c\x1f",
                            8);
        assert_int_equal(detach_parse("ctrl-p,foo", &d, &err), -1);
        assert_string_equal(err.msg, "Unknown character: 'foo'");
        assert_int_equal(detach_parse("ctrl-A", &d, &err), -1);
        assert_int_equal(detach_parse("a,,b", &d, &err), -1);
}

/* @typed in pieces of @step bytes; what goes on is compared */
static void expect(const char *keys, const char *typed, size_t step, const char *passed, bool detached)
{
        char out[256], part[128];
        struct cor_err err = { 0 };
        struct detach d;
        bool found = false;
        size_t len = strlen(typed), n = 0;

        assert_int_equal(detach_parse(keys, &d, &err), 0);
        for (size_t i = 0; i < len && !found; i += step) {
                size_t got = 0;

                found = detach_filter(&d, typed + i, len - i < step ? len - i : step, part, &got);
                memcpy(out + n, part, got);
                n += got;
        }
        out[n] = '\0';
        assert_string_equal(out, passed);
        assert_int_equal(found, detached);
}

static void sequences_are_found_wherever_they_are_cut(void **state)
{
        for (size_t step = 1; step < 8; step++) {
                expect("a,b,c", "xxabcyy", step, "xx", true);
                expect("a,b,c", "abxabc", step, "abx", true);
                expect("a,b,c", "ababc", step, "ab", true);
                expect("a,a,b", "aaab", step, "a", true);
                expect("a,a,b,a,a,c", "aabaabaac", step, "aab", true);
                expect("a,b,c", "xab", step, "x", false); /* held back: it may go on */
                expect("q", "typed", step, "typed", false);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(names_are_those_of_docker),
                cmocka_unit_test(sequences_are_found_wherever_they_are_cut),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

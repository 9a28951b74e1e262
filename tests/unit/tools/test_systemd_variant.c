/* Values of org.systemd.property annotations. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tools/systemd/variant.h"
#include <string.h>

static struct variant parsed(const char *text, const char *type)
{
        struct cor_err err = { 0 };
        struct variant v;

        if (variant_parse(text, &v, &err) < 0)
                fail_msg("%s: %s", text, err.msg);
        assert_string_equal(v.type, type);
        return v;
}

static void values_have_types(void **state)
{
        static const struct {
                const char *text, *type;
        } good[] = {
                { "true", "b" },
                { " false ", "b" },
                { "5", "i" },
                { "-5", "i" },
                { "0x10", "i" },
                { "1.5", "d" },
                { "uint64 5", "t" },
                { "byte 255", "y" },
                { "int64 -9223372036854775808", "x" },
                { "'a'", "s" },
                { "\"a\"", "s" },
                { "objectpath '/a'", "o" },
                { "['a', 'b']", "as" },
                { "@as []", "as" },
                { "[uint64 1, 2]", "at" },
                { "[1, 2.5]", "ad" },
                { "('a', true, 3)", "(sbi)" },
                { "[('a', 'b')]", "a(ss)" },
                { "@a(st) [('a', 1)]", "a(st)" },
                { "[[1],[2]]", "aai" },
                { "@t 7", "t" },
                { "[[], ['a']]", "aas" },
        };

        for (size_t i = 0; i < COR_COUNT(good); i++) {
                auto_variant v = parsed(good[i].text, good[i].type);
        }
}

static void strings_have_escapes(void **state)
{
        auto_variant v = parsed("'a\\'b\\n\\\\'", "s");

        assert_string_equal(v.text, "a'b\n\\");
}

static void untyped_numbers_take_the_type_of_their_array(void **state)
{
        auto_variant v = parsed("[1, uint64 18446744073709551615]", "at");

        assert_string_equal(v.items[0].type, "t");
        assert_true(v.items[1].number == UINT64_MAX);
}

static void nonsense_is_refused(void **state)
{
        static const char *const bad[] = {
                "",
                "'a",
                "[1,",
                "[1 2]",
                "(",
                "()",
                "[[]]",
                "[[1,[]]]",
                "[]",
                "@as",
                "@zz 1",
                "uint64",
                "uint64 -1",
                "byte 256",
                "int32 2147483648",
                "2147483648",
                "[1,'x']",
                "{'a':1}",
                "<1>",
                "1 2",
                "nope",
                "'\\u0041'",
                "@as [1]",
                "@(ss) ('a',)",
                "[byte 1, uint64 2]",
                "'a'b",
                "uint64 uint32 5",
                "1e",
                "--5",
                "@a [1]",
                "@a{sv} []",
                "(1,'a'",
                "@(s ('a')",
                "18446744073709551616",
        };

        for (size_t i = 0; i < COR_COUNT(bad); i++) {
                struct cor_err err = { 0 };
                struct variant v;

                if (variant_parse(bad[i], &v, &err) == 0)
                        fail_msg("taken: %s", bad[i]);
                assert_int_equal(err.kind, COR_INVALID);
                assert_true(err.msg[0] != '\0');
        }
}

static void depth_is_bounded(void **state)
{
        char text[2 * 100000 + 1];
        struct cor_err err = { 0 };
        struct variant v;

        memset(text, '[', 100000);
        memset(text + 100000, ']', 100000);
        text[200000] = '\0';
        assert_int_equal(variant_parse(text, &v, &err), -1);
        assert_non_null(strstr(err.msg, "too deep"));
}

static void expect_usec(const char *text, uint64_t usec)
{
        struct cor_err err = { 0 };
        auto_variant v = { .type = NULL };

        assert_int_equal(variant_parse(text, &v, &err), 0);
        if (variant_seconds(&v, &err) < 0)
                fail_msg("%s: %s", text, err.msg);
        assert_string_equal(v.type, "t");
        assert_true(v.number == usec);
}

static void seconds_become_microseconds(void **state)
{
        static const char *const bad[] = { "-1", "'1'", "uint64 18446744073709551615", "true" };

        expect_usec("5", 5000000);
        expect_usec("uint64 7", 7000000);
        expect_usec("1.5", 1500000);
        expect_usec("0", 0);
        for (size_t i = 0; i < COR_COUNT(bad); i++) {
                auto_variant v = { .type = NULL };

                assert_int_equal(variant_parse(bad[i], &v, NULL), 0);
                assert_int_equal(variant_seconds(&v, NULL), -1);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(values_have_types),
                cmocka_unit_test(strings_have_escapes),
                cmocka_unit_test(untyped_numbers_take_the_type_of_their_array),
                cmocka_unit_test(nonsense_is_refused),
                cmocka_unit_test(depth_is_bounded),
                cmocka_unit_test(seconds_become_microseconds),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

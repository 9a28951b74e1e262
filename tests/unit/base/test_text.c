#include "base/text.h"
#include <jansson.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void a_buffer_grows_and_stays_terminated(void **state)
{
        auto_text t = COR_TEXT_INIT;

        for (int i = 0; i < 1000; i++) {
                cor_text_add(&t, "ab");
                cor_text_add_c(&t, 'c');
                assert_int_equal(strlen(t.s), t.len);
        }
        assert_int_equal(t.len, 3000);
        cor_text_printf(&t, "%0500d%s", 7, "end");
        assert_int_equal(t.len, 3503);
        assert_string_equal(t.s + 3499, "7end");
        assert_true(t.room > t.len);
}

static void a_buffer_holds_nul_bytes(void **state)
{
        auto_text t = COR_TEXT_INIT;

        cor_text_add_n(&t, "a\0b", 3);
        cor_text_add_n(&t, NULL, 0);
        assert_int_equal(t.len, 3);
        assert_memory_equal(t.s, "a\0b", 4);
}

static void taking_an_empty_buffer_gives_an_empty_string(void **state)
{
        auto_text t = COR_TEXT_INIT;
        auto_str s = cor_text_take(&t);
        auto_str again = NULL;

        assert_string_equal(s, "");
        cor_text_add(&t, "x");
        again = cor_text_take(&t);
        assert_string_equal(again, "x");
        assert_null(t.s);
        assert_int_equal(t.len, 0);
}

static void check_json(const char *raw, const char *expected)
{
        auto_text t = COR_TEXT_INIT;

        cor_text_add_json(&t, raw);
        assert_string_equal(t.s, expected);
}

static void json_escapes_what_json_forbids(void **state)
{
        check_json("", "\"\"");
        check_json("plain", "\"plain\"");
        check_json("a\"b\\c", "\"a\\\"b\\\\c\"");
        check_json("\b\f\n\r\t", "\"\\b\\f\\n\\r\\t\"");
        check_json("\x01\x1f\x7f", "\"\\u0001\\u001f\\u007f\"");
        check_json("\xc3\xa9\xe2\x82\xac\xf0\x9f\x9b\xb6", "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x9b\xb6\"");
}

#define REPLACED "\xef\xbf\xbd"

static void json_replaces_what_is_not_utf8(void **state)
{
        check_json("\xff", "\"" REPLACED "\"");
        check_json("a\x80z", "\"a" REPLACED "z\"");
        check_json("\xc0\xaf", "\"" REPLACED REPLACED "\"");              /* overlong */
        check_json("\xe0\x9f\xbf", "\"" REPLACED REPLACED REPLACED "\""); /* overlong */
        check_json("\xed\xa0\x80", "\"" REPLACED REPLACED REPLACED "\""); /* a surrogate */
        check_json("\xf4\x90\x80\x80", "\"" REPLACED REPLACED REPLACED REPLACED "\"");
        check_json("\xf5\x80", "\"" REPLACED REPLACED "\"");
        check_json("\xe2\x82", "\"" REPLACED REPLACED "\""); /* cut short by the end */
        check_json("\xf0\x9f\x9b", "\"" REPLACED REPLACED REPLACED "\"");
        check_json("\xe2\x82\"", "\"" REPLACED REPLACED "\\\"\"");
}

static void json_of_any_byte_is_read_back_by_a_json_library(void **state)
{
        for (int a = 1; a < 256; a++)
                for (int b = 1; b < 256; b++) {
                        char raw[] = { (char)a, (char)b, 'x', 0 };
                        auto_text t = COR_TEXT_INIT;
                        json_t *value;

                        cor_text_add_json(&t, raw);
                        value = json_loads(t.s, JSON_DECODE_ANY, NULL);
                        assert_non_null(value);
                        if (a < 128 && b < 128)
                                assert_string_equal(json_string_value(value), raw);
                        json_decref(value);
                }
}

static void unsigned_numbers_are_whole_strings(void **state)
{
        static const char *const bad[] = { "",
                                           " ",
                                           "-",
                                           "+",
                                           "-0",
                                           "-1",
                                           "+1",
                                           " 1",
                                           "1 ",
                                           "1\n",
                                           "0x10",
                                           "1e3",
                                           "1.0",
                                           "1a",
                                           "\xd9\xa1",
                                           "18446744073709551616",
                                           "99999999999999999999",
                                           "184467440737095516150",
                                           "100000000000000000000000000000000000000000" };
        uint64_t n = 42;

        for (size_t i = 0; i < COR_COUNT(bad); i++)
                assert_int_equal(cor_parse_u64(bad[i], &n), -1);
        assert_int_equal(cor_parse_u64(NULL, &n), -1);
        assert_int_equal(n, 42);
        assert_int_equal(cor_parse_u64("18446744073709551615", &n), 0);
        assert_true(n == UINT64_MAX);
        assert_int_equal(cor_parse_u64("0", &n), 0);
        assert_true(n == 0);
        assert_int_equal(cor_parse_u64("00000000000000000000000000000007", &n), 0);
        assert_true(n == 7);
}

static void numbers_have_a_base(void **state)
{
        uint64_t n = 42;

        assert_int_equal(cor_parse_u64_base("777", 8, &n), 0);
        assert_true(n == 0777);
        assert_int_equal(cor_parse_u64_base("fF", 16, &n), 0);
        assert_true(n == 255);
        assert_int_equal(cor_parse_u64_base("0X1f", 0, &n), 0);
        assert_true(n == 31);
        assert_int_equal(cor_parse_u64_base("010", 0, &n), 0);
        assert_true(n == 8);
        assert_int_equal(cor_parse_u64_base("10", 0, &n), 0);
        assert_true(n == 10);
        assert_int_equal(cor_parse_u64_base("0", 0, &n), 0);
        assert_true(n == 0);
        assert_int_equal(cor_parse_u64_base("ffffffffffffffff", 16, &n), 0);
        assert_true(n == UINT64_MAX);
        n = 42;
        assert_int_equal(cor_parse_u64_base("8", 8, &n), -1);
        assert_int_equal(cor_parse_u64_base("08", 0, &n), -1);
        assert_int_equal(cor_parse_u64_base("0x", 0, &n), -1);
        assert_int_equal(cor_parse_u64_base("0x0x1", 0, &n), -1);
        assert_int_equal(cor_parse_u64_base("0x1", 16, &n), -1);
        assert_int_equal(cor_parse_u64_base("g", 16, &n), -1);
        assert_int_equal(cor_parse_u64_base("10000000000000000", 16, &n), -1);
        assert_int_equal(cor_parse_u64_base("2000000000000000000000", 8, &n), -1);
        assert_int_equal(cor_parse_u64_base("1", 7, &n), -1);
        assert_true(n == 42);
}

static void signed_numbers_keep_to_their_range(void **state)
{
        int64_t n = 42;

        assert_int_equal(cor_parse_i64("-9223372036854775808", &n), 0);
        assert_true(n == INT64_MIN);
        assert_int_equal(cor_parse_i64("9223372036854775807", &n), 0);
        assert_true(n == INT64_MAX);
        assert_int_equal(cor_parse_i64("+5", &n), 0);
        assert_true(n == 5);
        assert_int_equal(cor_parse_i64("-0", &n), 0);
        assert_true(n == 0);
        n = 42;
        assert_int_equal(cor_parse_i64("9223372036854775808", &n), -1);
        assert_int_equal(cor_parse_i64("-9223372036854775809", &n), -1);
        assert_int_equal(cor_parse_i64("--1", &n), -1);
        assert_int_equal(cor_parse_i64("+-1", &n), -1);
        assert_int_equal(cor_parse_i64("-", &n), -1);
        assert_int_equal(cor_parse_i64("", &n), -1);
        assert_int_equal(cor_parse_i64(NULL, &n), -1);
        assert_true(n == 42);
}

static void small_numbers_do_not_wrap(void **state)
{
        uint32_t u = 42;
        int32_t i = 42;

        assert_int_equal(cor_parse_u32("4294967296", &u), -1);
        assert_int_equal(cor_parse_u32("-1", &u), -1);
        assert_int_equal(u, 42);
        assert_int_equal(cor_parse_u32("4294967295", &u), 0);
        assert_true(u == UINT32_MAX);
        assert_int_equal(cor_parse_i32("2147483648", &i), -1);
        assert_int_equal(cor_parse_i32("-2147483649", &i), -1);
        assert_int_equal(cor_parse_i32("4294967297", &i), -1);
        assert_int_equal(i, 42);
        assert_int_equal(cor_parse_i32("-2147483648", &i), 0);
        assert_int_equal(i, INT32_MIN);
        assert_int_equal(cor_parse_i32("2147483647", &i), 0);
        assert_int_equal(i, INT32_MAX);
}

static void sizes_have_units(void **state)
{
        static const struct {
                const char *text;
                uint64_t bytes;
        } good[] = {
                { "0", 0 },
                { "10", 10 },
                { "10b", 10 },
                { "1k", 1024 },
                { "1K", 1024 },
                { "2kb", 2048 },
                { "2KiB", 2048 },
                { "3m", 3 << 20 },
                { "3MB", 3 << 20 },
                { "1g", 1 << 30 },
                { "5T", 5ULL << 40 },
                { "5tib", 5ULL << 40 },
                { "18446744073709551615", UINT64_MAX },
                { "16777215t", 16777215ULL << 40 },
        };
        static const char *const bad[] = { "",   "k",   "1 k",       "-1",   "1kk",      "1bb", "1ib",
                                           "1i", "1ki", "16777216t", "1.5g", "1p",       "1x",  "1k ",
                                           "b",  "1bk", "0x10",      "+1",   "1\xe2\x82" };
        uint64_t n;

        for (size_t i = 0; i < COR_COUNT(good); i++) {
                assert_int_equal(cor_parse_size(good[i].text, &n), 0);
                assert_true(n == good[i].bytes);
        }
        n = 42;
        for (size_t i = 0; i < COR_COUNT(bad); i++)
                assert_int_equal(cor_parse_size(bad[i], &n), -1);
        assert_int_equal(cor_parse_size(NULL, &n), -1);
        assert_true(n == 42);
}

static void durations_are_those_of_go(void **state)
{
        static const struct {
                const char *text;
                uint64_t ms;
        } good[] = {
                { "0", 0 },
                { "10", 10000 },
                { "1.5", 1500 },
                { "1h2m3.5s", 3723500 },
                { "300ms", 300 },
                { "1h", 3600000 },
                { "2m", 120000 },
                { "1m30ms", 60030 },
                { ".5s", 500 },
                { "1.s", 1000 },
                { "0.001s", 1 },
                { "1us", 1 }, /* rounded up: not "no time-out" */
                { "1ns", 1 },
                { "0ns", 0 },
                { "1000us", 1 },
                { "1000\xc2\xb5s", 1 },
                { "1001\xce\xbcs", 2 },
                { "1.000000000000000000000000000000s", 1000 },
                { "5124095h", 5124095ULL * 3600000 },
        };
        static const char *const bad[] = { "",
                                           " ",
                                           "s",
                                           ".",
                                           ".s",
                                           "-1s",
                                           "+1s",
                                           "1h30",
                                           "1x",
                                           "1 s",
                                           "1s ",
                                           "1ss",
                                           "1..5s",
                                           "h1",
                                           "1e3",
                                           "1.2.3s",
                                           "5124096h",
                                           "99999999999999999999s",
                                           "18446744073709551615h",
                                           "18446744074" };
        uint64_t n;

        for (size_t i = 0; i < COR_COUNT(good); i++) {
                assert_int_equal(cor_parse_duration(good[i].text, &n), 0);
                assert_int_equal(n, good[i].ms);
        }
        n = 42;
        for (size_t i = 0; i < COR_COUNT(bad); i++)
                assert_int_equal(cor_parse_duration(bad[i], &n), -1);
        assert_int_equal(cor_parse_duration(NULL, &n), -1);
        assert_true(n == 42);
}

static void ends_of_strings_are_compared(void **state)
{
        assert_true(cor_starts_with("abc", ""));
        assert_true(cor_starts_with("abc", "ab"));
        assert_false(cor_starts_with("ab", "abc"));
        assert_true(cor_ends_with("abc", ""));
        assert_true(cor_ends_with("abc", "bc"));
        assert_false(cor_ends_with("bc", "abc"));
        assert_true(cor_streq(NULL, NULL));
        assert_false(cor_streq("", NULL));
        assert_false(cor_streq(NULL, ""));
        assert_true(cor_streq("a", "a"));
}

static void words_are_found_both_ways(void **state)
{
        static const struct cor_word table[] = { { "one", 1 }, { "uno", 1 }, { "minus", -1 }, { NULL, 0 } };

        assert_ptr_equal(cor_word_find(table, "uno"), &table[1]);
        assert_null(cor_word_find(table, "On"));
        assert_null(cor_word_find(table, ""));
        assert_null(cor_word_find(table, NULL));
        assert_string_equal(cor_word_of(table, 1), "one");
        assert_string_equal(cor_word_of(table, -1), "minus");
        assert_null(cor_word_of(table, 0));
}

static void splitting_returns_empty_pieces(void **state)
{
        char text[] = ",a,,b,", *cursor = text;
        char empty[] = "", *none = NULL;

        assert_string_equal(cor_split_next(&cursor, ','), "");
        assert_string_equal(cor_split_next(&cursor, ','), "a");
        assert_string_equal(cor_split_next(&cursor, ','), "");
        assert_string_equal(cor_split_next(&cursor, ','), "b");
        assert_string_equal(cor_split_next(&cursor, ','), "");
        assert_null(cor_split_next(&cursor, ','));
        assert_null(cor_split_next(&cursor, ','));
        cursor = empty;
        assert_string_equal(cor_split_next(&cursor, ','), "");
        assert_null(cor_split_next(&cursor, ','));
        assert_null(cor_split_next(&none, ','));
}

static void times_are_written_as_go_does_it(void **state)
{
        static const struct {
                int64_t ns;
                const char *text;
        } cases[] = {
                { 0, "0001-01-01T00:00:00Z" },
                { -5, "0001-01-01T00:00:00Z" },
                { 1, "1970-01-01T00:00:00.000000001Z" },
                { 1000000000, "1970-01-01T00:00:01Z" },
                { 951782400000000000, "2000-02-29T00:00:00Z" },
                { 1709251199120000000, "2024-02-29T23:59:59.12Z" },
                { 4102444800000000000, "2100-01-01T00:00:00Z" },
        };

        for (size_t i = 0; i < COR_COUNT(cases); i++) {
                auto_text t = COR_TEXT_INIT;

                cor_text_add_time(&t, cases[i].ns);
                assert_string_equal(t.s, cases[i].text);
        }
}

static void random_digits_are_as_many_as_asked_for_and_differ(void **state)
{
        auto_str a = cor_random_hex(32);
        auto_str b = cor_random_hex(32);
        auto_str most = cor_random_hex(256);
        auto_str none = cor_random_hex(0);

        assert_int_equal(strlen(a), 64);
        assert_int_equal(strspn(a, "0123456789abcdef"), 64);
        assert_string_not_equal(a, b);
        assert_int_equal(strspn(most, "0123456789abcdef"), 512);
        assert_string_equal(none, "");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(times_are_written_as_go_does_it),
                cmocka_unit_test(random_digits_are_as_many_as_asked_for_and_differ),
                cmocka_unit_test(a_buffer_grows_and_stays_terminated),
                cmocka_unit_test(a_buffer_holds_nul_bytes),
                cmocka_unit_test(taking_an_empty_buffer_gives_an_empty_string),
                cmocka_unit_test(json_escapes_what_json_forbids),
                cmocka_unit_test(json_replaces_what_is_not_utf8),
                cmocka_unit_test(json_of_any_byte_is_read_back_by_a_json_library),
                cmocka_unit_test(unsigned_numbers_are_whole_strings),
                cmocka_unit_test(numbers_have_a_base),
                cmocka_unit_test(signed_numbers_keep_to_their_range),
                cmocka_unit_test(small_numbers_do_not_wrap),
                cmocka_unit_test(sizes_have_units),
                cmocka_unit_test(durations_are_those_of_go),
                cmocka_unit_test(ends_of_strings_are_compared),
                cmocka_unit_test(words_are_found_both_ways),
                cmocka_unit_test(splitting_returns_empty_pieces),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

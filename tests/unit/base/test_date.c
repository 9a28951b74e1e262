#include "base/date.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

struct example {
        const char *text;
        int64_t seconds;
        long ns;
};

static void rfc3339(void **state)
{
        static const struct example right[] = {
                { "1970-01-01T00:00:00Z", 0, 0 },
                { "1969-12-31T23:59:59.5Z", -1, 500000000 },
                { "2024-02-29T23:59:59.123456789+01:00", 1709247599, 123456789 },
                { "2000-02-29T00:00:00-00:30", 951784200, 0 },
                { "2000-03-01t00:00:00z", 951868800, 0 },
                { "0001-01-01T00:00:00Z", -62135596800, 0 },
                { "9999-12-31T23:59:59.9999999999Z", 253402300799, 999999999 },
                { "2016-12-31T23:59:60Z", 1483228800, 0 },
                { "1900-03-01T00:00:00Z", -2203891200, 0 },
        };
        static const char *const wrong[] = {
                "",
                "now",
                "2024-02-30T00:00:00Z",
                "2023-02-29T00:00:00Z",
                "1900-02-29T00:00:00Z",
                "2024-13-01T00:00:00Z",
                "2024-00-01T00:00:00Z",
                "2024-01-00T00:00:00Z",
                "0000-01-01T00:00:00Z",
                "2024-01-01T24:00:00Z",
                "2024-01-01T00:60:00Z",
                "2024-01-01T00:00:61Z",
                "2024-01-01T00:00:00",
                "2024-01-01T00:00Z",
                "2024-01-01",
                "2024-01-01T00:00:00.Z",
                "2024-01-01T00:00:00Zx",
                "2024-01-01T00:00:00+1:00",
                "2024-01-01T00:00:00+24:00",
                "2024-01-01T00:00:00+01:60",
                " 2024-01-01T00:00:00Z",
                "24-01-01T00:00:00Z",
        };

        for (size_t i = 0; i < sizeof right / sizeof *right; i++) {
                struct timespec t = { 1, 1 };

                if (cor_time_parse(right[i].text, &t) < 0)
                        fail_msg("%s is refused", right[i].text);
                assert_int_equal(t.tv_sec, right[i].seconds);
                assert_int_equal(t.tv_nsec, right[i].ns);
        }
        for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
                struct timespec t = { 1, 1 };

                if (cor_time_parse(wrong[i], &t) == 0)
                        fail_msg("%s is taken", wrong[i]);
                assert_int_equal(t.tv_sec, 1);
        }
}

static void as_people_write_it(void **state)
{
        static const struct example right[] = {
                { "0", 0, 0 },
                { "1709247599", 1709247599, 0 },
                { "1709247599.5", 1709247599, 500000000 },
                { "2024-01-01", 1704067200 - 3600, 0 },
                { "2024-07-01", 1719792000 - 7200, 0 },
                { "2024-01-01T12", 1704110400 - 3600, 0 },
                { "2024-01-01T12:30", 1704112200 - 3600, 0 },
                { "2024-01-01T12:30:01.25", 1704112201 - 3600, 250000000 },
                { "2024-01-01Z", 1704067200, 0 },
                { "2024-01-01T12:30Z", 1704112200, 0 },
                { "2024-01-01T12:30:01+02:00", 1704112201 - 7200, 0 },
        };
        static const char *const wrong[] = {
                "", "x", "1.", "-1", ".5", "1709247599x", "2024-01", "2024-01-01T", "2024-01-01x", "1234567890123456789"
        };

        setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
        tzset();
        for (size_t i = 0; i < sizeof right / sizeof *right; i++) {
                struct timespec t = { 1, 1 };

                if (cor_time_parse_loose(right[i].text, &t) < 0)
                        fail_msg("%s is refused", right[i].text);
                if (t.tv_sec != right[i].seconds)
                        fail_msg("%s is %lld", right[i].text, (long long)t.tv_sec);
                assert_int_equal(t.tv_nsec, right[i].ns);
        }
        for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
                struct timespec t;

                if (cor_time_parse_loose(wrong[i], &t) == 0)
                        fail_msg("%s is taken", wrong[i]);
        }
}

static void moments(void **state)
{
        static const struct {
                const char *text;
                int64_t ns;
        } right[] = {
                { "0", 0 },
                { "1709247599.5", 1709247599500000000 },
                { "1969-12-31T23:59:58.5Z", -1500000000 },
                { "9223372036", 9223372036000000000 },
                { "9223372036.854775807", INT64_MAX },
                { "9223372036.854775808", INT64_MAX },
                { "9223372037", INT64_MAX },
                { "999999999999999999", INT64_MAX },
                { "9999-12-31T23:59:59Z", INT64_MAX },
                { "1677-01-01T00:00:00Z", INT64_MIN },
                { "0001-01-01T00:00:00Z", INT64_MIN },
                { "5000000h", INT64_MIN },
                { "18446744073s", INT64_MIN },
        };
        static const char *const wrong[] = {
                "", "x", "1.", "-1", "10x", "1h30", "99999999999999999999h", "2024-13-01"
        };

        for (size_t i = 0; i < sizeof right / sizeof *right; i++) {
                int64_t ns = 1;

                if (cor_moment_parse(right[i].text, &ns) < 0)
                        fail_msg("%s is refused", right[i].text);
                if (ns != right[i].ns)
                        fail_msg("%s is %lld", right[i].text, (long long)ns);
        }
        for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
                int64_t ns;

                if (cor_moment_parse(wrong[i], &ns) == 0)
                        fail_msg("%s is taken", wrong[i]);
        }
}

static void a_duration_is_so_long_ago(void **state)
{
        const int64_t ago = 5400 * INT64_C(1000000000);
        int64_t before = cor_wall_ns(), then;

        assert_int_equal(cor_moment_parse("1h30m", &then), 0);
        assert_true(then >= before - ago && then <= cor_wall_ns() - ago);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(rfc3339),
                cmocka_unit_test(as_people_write_it),
                cmocka_unit_test(moments),
                cmocka_unit_test(a_duration_is_so_long_ago),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

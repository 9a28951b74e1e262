/* Tables, sizes, times, bars: as docker's command line shows them. */
#include "cli/format.h"
#include "cli/progress.h"
#include "cli/tabular.h"
#include "cli/units.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void expect_table(const char *text, const char *expected)
{
        auto_text t = COR_TEXT_INIT;

        tabular_add(text, strlen(text), &t);
        assert_string_equal(t.s, expected);
}

static void columns_are_as_wide_as_their_widest_cell(void **state)
{
        expect_table("A\tB\tC\nlonger than ten\tx\ty\n",
                     "A                 B         C\nlonger than ten   x         y\n");
        expect_table("é\tb\n", "é         b\n");
        expect_table("\t\tx\n", "                    x\n");
        expect_table("no cells\na\tb\n", "no cells\na         b\n");
        expect_table("last\t\n", "last      \n");
}

/* As text/tabwriter has it: a column ends where a line has no cell for it */
static void a_line_without_the_cell_parts_columns(void **state)
{
        expect_table("a very long cell\tx\nbreak\nb\tx\n", "a very long cell   x\nbreak\nb         x\n");
}

static void expect_size(int64_t bytes, int digits, const char *expected)
{
        auto_text t = COR_TEXT_INIT;

        units_size(bytes, digits, &t);
        assert_string_equal(t.s, expected);
}

static void sizes_have_docker_s_roundings(void **state)
{
        expect_size(0, 3, "0B");
        expect_size(999, 3, "999B");
        expect_size(1000, 3, "1kB");
        expect_size(123456789, 3, "123MB");
        expect_size(123456789, 4, "123.5MB");
        expect_size(999999, 3, "1e+03kB"); /* as docker has it */
        expect_size(999999, 4, "1000kB");
        expect_size(INT64_MAX, 4, "9.223EB");
}

static void expect_duration(int64_t seconds, const char *expected)
{
        auto_text t = COR_TEXT_INIT;

        units_duration(seconds, &t);
        assert_string_equal(t.s, expected);
}

static void durations_are_told_roughly(void **state)
{
        expect_duration(-5, "Less than a second");
        expect_duration(1, "1 second");
        expect_duration(59, "59 seconds");
        expect_duration(60, "About a minute");
        expect_duration(3599, "59 minutes");
        expect_duration(3600, "About an hour");
        expect_duration(5400, "2 hours");
        expect_duration(47 * 3600, "47 hours");
        expect_duration(48 * 3600, "2 days");
        expect_duration(14 * 86400, "2 weeks");
        expect_duration(60 * 86400, "2 months");
        expect_duration(730 * 86400, "2 years");
}

static const struct format_heading headings[] = { { "ID", "IMAGE ID" }, { "Tag", "TAG" } };

static char *format(const char *given, bool *ret_ok)
{
        const struct format f = {
                .given = given, .standard = "{{.ID}}\t{{.Tag}}", .headings = headings, .n_headings = 2
        };
        auto_value_pool p = value_pool_new(SIZE_MAX);
        struct value *row = value_struct(p, "*formatter.imageContext");
        const struct value *rows[] = { row, row };
        struct cor_text out = COR_TEXT_INIT;
        struct cor_err err = { 0 };

        row->html = true;
        value_field_text(p, row, "ID", "abc");
        value_field_text(p, row, "Tag", "<none>");
        *ret_ok = format_rows(&f, rows, 2, &out, &err) == 0;
        if (!*ret_ok) {
                cor_text_done(&out);
                return cor_strdup(err.msg);
        }
        return cor_text_take(&out);
}

static void expect_format(const char *given, const char *expected)
{
        bool ok;
        auto_str got = format(given, &ok);

        assert_string_equal(got, expected);
}

static void formats_are_tables_templates_or_json(void **state)
{
        static const char table[] = "IMAGE ID   TAG\nabc        <none>\nabc        <none>\n";

        expect_format(NULL, table);
        expect_format("", table);
        expect_format("table", table);
        expect_format("table {{.Tag}}\\t{{.ID | upper}}", "TAG       IMAGE ID\n<none>    ABC\n<none>    ABC\n");
        expect_format("{{.ID}}\\t{{.Tag}}", "abc\t<none>\nabc\t<none>\n");
        expect_format(
                "json",
                "{\"ID\":\"abc\",\"Tag\":\"\\u003cnone\\u003e\"}\n{\"ID\":\"abc\",\"Tag\":\"\\u003cnone\\u003e\"}\n");
        expect_format("  {{.ID}}  ", "abc\nabc\n");
        expect_format("{{.Foo}}",
                      "template parsing error: template: :1:2: executing \"\" at <.Foo>: can't evaluate field "
                      "Foo in type *formatter.imageContext");
        expect_format("{{.ID", "template parsing error: template: :1: unclosed action");
}

static void expect_bar(int64_t current, int64_t total, unsigned width, const char *expected)
{
        auto_text t = COR_TEXT_INIT;

        progress_bar(current, total, width, &t);
        assert_string_equal(t.s ? t.s : "", expected);
}

static void bars_are_drawn_where_there_is_room(void **state)
{
        expect_bar(500000, 1000000, 130, "[=========================>                         ]    500kB/1MB");
        expect_bar(1000000, 1000000, 130, "[==================================================>]      1MB/1MB");
        expect_bar(0, 1000000, 80, "      0B/1MB");
        expect_bar(2000000, 1000000, 80, "     2MB");
        expect_bar(5, 0, 130, "");
        expect_bar(-1, 5, 130, "");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(columns_are_as_wide_as_their_widest_cell),
                cmocka_unit_test(a_line_without_the_cell_parts_columns),
                cmocka_unit_test(sizes_have_docker_s_roundings),
                cmocka_unit_test(durations_are_told_roughly),
                cmocka_unit_test(formats_are_tables_templates_or_json),
                cmocka_unit_test(bars_are_drawn_where_there_is_room),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

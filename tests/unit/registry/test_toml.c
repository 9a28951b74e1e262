#include "base/text.h"
#include "registry/toml.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void print_value(struct cor_text *t, const struct toml_value *v)
{
        switch (v->type) {
        case TOML_STRING:
                cor_text_printf(t, "'%s'", v->string);
                break;
        case TOML_BOOL:
                cor_text_add(t, v->boolean ? "true" : "false");
                break;
        case TOML_INTEGER:
                cor_text_printf(t, "%lld", (long long)v->integer);
                break;
        case TOML_ARRAY:
                cor_text_add_c(t, '[');
                for (size_t i = 0; i < v->n_items; i++) {
                        cor_text_add(t, i ? " " : "");
                        print_value(t, &v->items[i]);
                }
                cor_text_add_c(t, ']');
        }
}

static int print(void *context, const struct toml_entry *e, struct cor_err *err)
{
        struct cor_text *t = context;

        for (size_t i = 0; i < e->n_path; i++)
                cor_text_printf(t, "%s%s", i ? "|" : "", e->path[i]);
        if (e->value) {
                cor_text_add_c(t, '=');
                print_value(t, e->value);
        }
        cor_text_add_c(t, ';');
        return 0;
}

static void expect(const char *text, const char *expected)
{
        auto_text t = COR_TEXT_INIT;
        struct cor_err err = { 0 };

        cor_text_add(&t, "");
        assert_int_equal(toml_read(text, strlen(text), print, &t, &err), 0);
        assert_string_equal(t.s ? t.s : "", expected);
}

static void expect_error(const char *text, const char *expected)
{
        auto_text t = COR_TEXT_INIT;
        struct cor_err err = { 0 };

        assert_int_equal(toml_read(text, strlen(text), print, &t, &err), -1);
        assert_int_equal(err.kind, COR_INVALID);
        assert_string_equal(err.msg, expected);
}

static void keys_and_values(void **state)
{
        expect("", "");
        expect("# nothing\n\n", "");
        expect("a = \"b\" # c", "a='b';");
        expect("a.'b.c' . \"d e\"=1\r\nf = -5\ng = true\nh=false\n", "a|b.c|d e=1;f=-5;g=true;h=false;");
        expect("\xef\xbb\xbf"
               "a = 'C:\\x'",
               "a='C:\\x';");
        expect("a = \"\\t\\\"\\\\ \\u00e9 \\U0001F600\"", "a='\t\"\\ \xc3\xa9 \xf0\x9f\x98\x80';");
}

static void tables_arrays_and_tables_in_a_line(void **state)
{
        expect("x = 1\n[t]\nx = 2\n[ t . \"u\" ]\ny = 3", "x=1;t;t|x=2;t|u;t|u|y=3;");
        expect("a = [ 1, # one\n 'b',\n [true],[]\n ,]", "a=[1 'b' [true] []];");
        expect("[t]\nh = { a = 'b', c.d = [1] }\ne = {}", "t;t|h;t|h|a='b';t|h|c|d=[1];t|e;");
}

static void what_is_wrong_is_said_with_its_line(void **state)
{
        expect_error("a = 1\n\nb = \"x\n", "line 3: the string has no end on this line");
        expect_error("a", "line 1: expected '=' after the key");
        expect_error("= 1", "line 1: expected a key");
        expect_error("a = 1 b = 2", "line 1: expected the end of the line");
        expect_error("a = [\n1\n2]", "line 3: expected ',' or ']' in an array");
        expect_error("[a", "line 1: expected ']' after the name of the table");
        expect_error("[[a]]", "line 1: arrays of tables ([[…]]) are not understood here");
        expect_error("a = 1.5", "line 1: floats and dates are not understood here");
        expect_error("a = 1979-05-27T07:32:00Z", "line 1: floats and dates are not understood here");
        expect_error("a = \"\"\"x\"\"\"", "line 1: strings over several lines are not understood here");
        expect_error("a = yes", "line 1: expected a value: a string in quotes, true, false, an integer or an array");
        expect_error("a = 1\na = 2", "line 2: 'a' is given twice");
        expect_error("a = \"\\q\"", "line 1: unknown escape in a string");
        expect_error("a = \"\\ud800\"", "line 1: \\u and \\U need the hexadecimal digits of a character");
        expect_error("a = \"\\u12\"", "line 1: the string has no end");
        expect_error("a = [[[[[[[[[[1]]]]]]]]]]", "line 1: too many arrays within each other");
}

static void keys_that_look_alike_are_two(void **state)
{
        expect("a.b = 1\n\"a.b\" = 2", "a|b=1;a.b=2;");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(keys_and_values),
                cmocka_unit_test(tables_arrays_and_tables_in_a_line),
                cmocka_unit_test(what_is_wrong_is_said_with_its_line),
                cmocka_unit_test(keys_that_look_alike_are_two),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

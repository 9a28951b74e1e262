/* The template engine. What it has to give was taken from docker's command line: template_vectors.txt. */
#include "base/file.h"
#include "cli/template.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char object[] =
        "{\"zzz\":\"\",\"s\":\"hello\",\"S2\":\"Hello World foo-bar\",\"e\":\"\",\"n\":5,\"neg\":-3,\"f\":1.5,"
        "\"big\":12345678901234567890,\"t\":true,\"fa\":false,\"nil\":null,\"l\":[\"a\",\"b\",\"c\"],\"el\":[],"
        "\"nums\":[1,2,3],\"m\":{\"b\":\"2\",\"a\":\"1\",\"c\":{\"x\":\"y\"}},\"em\":{},"
        "\"mixed\":[1,\"x\",null,true,{\"k\":\"v\"}],\"u\":\"gr\\u00fc\\u00dfe <&> \\\"q\\\" '\\u00e9\\u2028\","
        "\"deep\":{\"a\":{\"b\":{\"c\":[\"z\"]}}},\"Id\":\"sha256:abc\"}";

/* The output, or "! " and the error; free() */
static char *run(const char *text, const struct value *data, unsigned flags)
{
        struct cor_err err = { 0 };
        auto_template t = NULL;
        auto_text out = COR_TEXT_INIT;

        if (template_parse(text, &t, &err) < 0 || template_run(t, data, flags, &out, &err) < 0) {
                assert_int_equal(err.kind, COR_INVALID);
                return cor_printf("! %s", err.msg);
        }
        return cor_printf("= %s", out.s ? out.s : "");
}

static const struct value *parse(struct value_pool *pool, const char *json)
{
        struct cor_err err = { 0 };
        const struct value *v;

        if (value_from_json(pool, json, strlen(json), "test", &v, &err) < 0)
                fail_msg("%s", err.msg);
        return v;
}

static void expect(const char *text, const char *json, const char *expected)
{
        auto_value_pool pool = value_pool_new(SIZE_MAX);
        auto_str got = run(text, parse(pool, json), 0);

        assert_string_equal(got, expected);
}

static void unescape(char *s)
{
        char *to = s;

        for (; *s; s++)
                *to++ = *s != '\\' ? *s : *++s == 'n' ? '\n' : *s;
        *to = '\0';
}

static void templates_are_what_docker_makes_of_them(void **state)
{
        auto_str path = cor_printf("%s/tests/unit/cli/template_vectors.txt", getenv("CORACLE_SOURCE"));
        auto_value_pool pool = value_pool_new(SIZE_MAX);
        const struct value *data = parse(pool, object);
        struct cor_err err = { 0 };
        auto_str text = NULL;
        char *cursor, *line;
        size_t n = 0;

        if (cor_read_file(path, 1 << 20, &text, NULL, &err) < 0)
                fail_msg("%s", err.msg);
        for (cursor = text; (line = cor_split_next(&cursor, '\n')) != NULL && *line;) {
                char *expected;

                if (*line == '#')
                        continue;
                expected = cor_split_next(&cursor, '\n');
                unescape(line);
                unescape(expected);

                /* the key zzz is there for docker to look at the object as plain JSON */
                auto_str asked = cor_printf("%s{{.zzz}}", line);
                auto_str got = run(asked, data, TEMPLATE_MISSING);

                if (strncmp(got, expected, 495) != 0) /* our errors have an end */
                        fail_msg("%s\n  expected %s\n  found    %s", line, expected, got);
                n++;
        }
        assert_true(n > 400);
}

static void a_missing_key_is_no_value_unless_asked_for(void **state)
{
        expect("{{.a}} {{.a.b}}", "{}", "= <no value> <no value>");
        expect("{{if .a}}x{{else}}y{{end}}{{range .a}}z{{end}}", "{}", "= y");
        expect("{{.a.b}}", "{\"a\": null}",
               "! template: :1:4: executing \"\" at <.a.b>: nil pointer evaluating interface {}.b");
}

static void newer_forms_are_understood(void **state)
{
        expect("{{range 3}}{{.}}{{end}}", "{}", "= 012");
        expect("{{with .a}}{{.}}{{else with .b}}{{.}}{{end}}", "{\"b\": \"B\"}", "= B");
}

static void a_struct_has_the_names_of_go_and_of_json(void **state)
{
        auto_value_pool pool = value_pool_new(SIZE_MAX);
        struct value *s = value_struct(pool, "*formatter.imageContext");

        value_field(pool, s, "ID", "Id", value_string(pool, "sha256:1"));
        value_field(pool, s, "Hidden", "-", value_int(pool, 5));
        value_field_text(pool, s, "Tag", "12");

        auto_str fields = run("{{.ID}} {{.Id}} {{.Hidden}} {{.Tag}} {{json .}} {{.}}", s, 0);
        auto_str missing = run("{{.Foo}}", s, 0);

        assert_string_equal(fields, "= sha256:1 sha256:1 5 12 {\"Id\":\"sha256:1\",\"Tag\":\"12\"} {sha256:1 5 12}");
        assert_string_equal(missing, "! template: :1:2: executing \"\" at <.Foo>: can't evaluate field Foo in type "
                                     "*formatter.imageContext");
}

static void expect_duration(int64_t ns, const char *expected)
{
        auto_value_pool pool = value_pool_new(SIZE_MAX);
        struct value *v = value_int(pool, ns);

        v->type = VALUE_DURATION;

        auto_str got = run("{{.}}", v, 0);

        assert_string_equal(got, expected);
}

static void a_duration_is_shown_as_go_shows_it(void **state)
{
        expect_duration(0, "= 0s");
        expect_duration(1, "= 1ns");
        expect_duration(1500, "= 1.5µs");
        expect_duration(300000000, "= 300ms");
        expect_duration(5000000000, "= 5s");
        expect_duration(90500000000, "= 1m30.5s");
        expect_duration(3605000000000, "= 1h0m5s");
        expect_duration(-1000000001, "= -1.000000001s");
        expect_duration(INT64_MIN, "= -2562047h47m16.854775808s");
}

static void headings_pass_through_functions(void **state)
{
        auto_value_pool pool = value_pool_new(SIZE_MAX);
        struct value *s = value_struct(pool, "header");

        value_field_text(pool, s, "ID", "IMAGE ID");

        auto_str got = run("{{truncate .ID 3}} {{lower .ID}} {{json .ID}} {{title .ID}}", s, TEMPLATE_HEADER);

        assert_string_equal(got, "= IMAGE ID IMAGE ID IMAGE ID IMAGE ID");
}

static char *repeat(const char *s, size_t n, const char *tail)
{
        struct cor_text t = COR_TEXT_INIT;

        for (size_t i = 0; i < n; i++)
                cor_text_add(&t, s);
        cor_text_add(&t, tail);
        return cor_text_take(&t);
}

static void expect_bound(const char *text, const char *what)
{
        auto_value_pool pool = value_pool_new(SIZE_MAX);
        auto_str got = run(text, parse(pool, "{\"l\": [1,2,3,4,5,6,7,8,9,0]}"), 0);

        if (got[0] != '!' || !strstr(got, what))
                fail_msg("%.80s: expected \"%s\", found %.200s", text, what, got);
}

static void what_would_never_end_has_an_end(void **state)
{
        auto_str parens = repeat("(", 1000, "");
        auto_str nested = repeat("{{if 1}}", 1000, "");
        auto_str ranges = repeat("{{range $.l}}", 12, "");
        auto_str loops = repeat("{{end}}", 12, "");
        auto_str all = cor_printf("%s%s", ranges, loops);
        auto_str doubled = cor_printf("{{$x := \"12345678\"}}{{range 60}}{{$x = print $x $x}}{{end}}");
        auto_str long_text = repeat("x", TEMPLATE_MAX_BYTES, "x");

        expect_bound(nested, "nested too deeply");
        auto_str opened = cor_printf("{{%s", parens);

        expect_bound(opened, "nested too deeply");
        expect_bound(all, "takes too long");
        expect_bound(doubled, "needs too much memory");
        expect_bound("{{define \"a\"}}{{template \"a\"}}{{end}}{{template \"a\"}}", "exceeded maximum template depth");
        expect_bound("{{range 1000000}}{{printf \"%1000000d\" 1}}{{end}}", "too much memory");
        expect_bound("{{$x := printf \"%100000d\" 1}}{{range 1000}}{{$x}}{{end}}", "writes too much");
        expect_bound("{{pad \"x\" 9999999999999 0}}", "too many spaces");
        expect_bound(long_text, "longer than");
}

static void json_is_written_as_go_writes_it(void **state)
{
        auto_value_pool pool = value_pool_new(SIZE_MAX);
        const struct value *v = parse(pool, "{\"b\":[],\"a\":{},\"c\":[1,{\"d\":null}]}");
        auto_text flat = COR_TEXT_INIT, deep = COR_TEXT_INIT;

        value_to_json(v, 0, &flat);
        value_to_json(v, 4, &deep);
        assert_string_equal(flat.s, "{\"a\":{},\"b\":[],\"c\":[1,{\"d\":null}]}");
        assert_string_equal(deep.s, "{\n    \"a\": {},\n    \"b\": [],\n    \"c\": [\n        1,\n        {\n"
                                    "            \"d\": null\n        }\n    ]\n}");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(templates_are_what_docker_makes_of_them),
                cmocka_unit_test(a_missing_key_is_no_value_unless_asked_for),
                cmocka_unit_test(newer_forms_are_understood),
                cmocka_unit_test(a_struct_has_the_names_of_go_and_of_json),
                cmocka_unit_test(a_duration_is_shown_as_go_shows_it),
                cmocka_unit_test(headings_pass_through_functions),
                cmocka_unit_test(what_would_never_end_has_an_end),
                cmocka_unit_test(json_is_written_as_go_writes_it),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

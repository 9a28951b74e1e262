#include "base/json.h"

#include "../json_quotes.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum colour { RED = 1, GREEN = 2 };

static const struct cor_word colours[] = { { "red", RED }, { "green", GREEN }, { NULL, 0 } };

struct inner {
        const char *key; /* when in a map */
        const char *name;
        int64_t n;
        const char *extra;
};

struct outer {
        bool flag;
        struct cor_opt_bool opt_flag;
        int64_t i64;
        int32_t i32;
        uint64_t u64;
        uint32_t u32;
        struct cor_opt_i64 opt_i64;
        struct cor_opt_u64 opt_u64, opt_u32, opt_u16;
        const char *str, *raw, *extra;
        int word;
        struct inner *obj;
        struct inner in;
        const char **strs;
        uint32_t *numbers;
        int *words;
        struct inner *objs, *map_objs;
        struct cor_pair *map;
        size_t n_strs, n_numbers, n_words, n_objs, n_map_objs, n_map;
        int64_t def_n;
        uint32_t def_u32;
        bool def_flag;
        const char *def_str;
        int def_word;
};

static int check_inner(void *object, struct cor_err *err)
{
        const struct inner *i = object;

        if (i->n == 13)
                return cor_fail(err, COR_INVALID, ".n: 13 brings bad luck");
        return i->n == 14 ? cor_fail(err, COR_EXISTS, "14 is taken") : 0;
}

static const struct cor_json_field inner_fields[] = {
        COR_FIELD("name", STR, struct inner, name, COR_JSON_REQUIRED),
        COR_FIELD("n", I64, struct inner, n, 0),
};
static const struct cor_json_doc inner_doc = {
        .size = sizeof(struct inner),
        .fields = inner_fields,
        .n_fields = COR_COUNT(inner_fields),
        .check = check_inner,
        .keep_extra = true,
        .extra_offset = offsetof(struct inner, extra),
};
static const struct cor_json_field embedded_fields[] = {
        COR_FIELD("n", I64, struct inner, n, 0),
};
static const struct cor_json_doc embedded_doc = COR_DOC(struct inner, embedded_fields, NULL);

static const struct cor_json_field outer_fields[] = {
        COR_FIELD("flag", BOOL, struct outer, flag, 0),
        COR_FIELD("optFlag", OPT_BOOL, struct outer, opt_flag, 0),
        COR_FIELD("i64", I64, struct outer, i64, 0),
        COR_FIELD("i32", I32, struct outer, i32, 0),
        COR_FIELD("u64", U64, struct outer, u64, 0),
        COR_FIELD("u32", U32, struct outer, u32, 0),
        COR_FIELD("optI64", OPT_I64, struct outer, opt_i64, 0),
        COR_FIELD("optU64", OPT_U64, struct outer, opt_u64, 0),
        COR_FIELD("optU32", OPT_U32, struct outer, opt_u32, 0),
        COR_FIELD("optU16", OPT_U16, struct outer, opt_u16, 0),
        COR_FIELD("str", STR, struct outer, str, 0),
        COR_FIELD("raw", RAW, struct outer, raw, 0),
        COR_FIELD_WORD("word", struct outer, word, colours, 0),
        COR_FIELD_OBJ("obj", OBJ, struct outer, obj, &inner_doc, 0),
        COR_FIELD_OBJ("in", INLINE, struct outer, in, &embedded_doc, 0),
        COR_FIELD_LIST("strs", LIST_STR, struct outer, strs, n_strs, 0),
        COR_FIELD_LIST("numbers", LIST_U32, struct outer, numbers, n_numbers, 0),
        COR_FIELD_LIST_WORD("words", struct outer, words, n_words, colours, 0),
        COR_FIELD_LIST_OF("objs", LIST_OBJ, struct outer, objs, n_objs, &inner_doc, 0),
        COR_FIELD_LIST_OF("mapObjs", MAP_OBJ, struct outer, map_objs, n_map_objs, &inner_doc, 0),
        COR_FIELD_LIST("map", MAP_STR, struct outer, map, n_map, 0),
        COR_FIELD_DEF("defN", I64, struct outer, def_n, -7),
        COR_FIELD_DEF("defU32", U32, struct outer, def_u32, 4000000000),
        COR_FIELD_DEF("defFlag", BOOL, struct outer, def_flag, true),
        { .key = "defStr", .type = COR_JSON_STR, .offset = offsetof(struct outer, def_str), .def_text = "none" },
        { .key = "defWord",
          .type = COR_JSON_WORD,
          .offset = offsetof(struct outer, def_word),
          .words = colours,
          .def = GREEN },
};
static const struct cor_json_doc outer_doc = {
        .size = sizeof(struct outer),
        .fields = outer_fields,
        .n_fields = COR_COUNT(outer_fields),
        .keep_extra = true,
        .extra_offset = offsetof(struct outer, extra),
};

static struct outer *parse(const char *text)
{
        auto_str quoted = json_quotes(text);
        struct outer *o = NULL;
        struct cor_err err = { 0 };

        if (cor_json_parse(&outer_doc, quoted, strlen(quoted), "doc", &o, &err) < 0)
                fail_msg("%s: %s", text, err.msg);
        return o;
}

static void refused_n(const char *text, size_t len, const char *expected)
{
        struct outer *o = (void *)0x1;
        struct cor_err err = { 0 };

        if (cor_json_parse(&outer_doc, text, len, "doc", &o, &err) >= 0)
                fail_msg("%s: accepted, expected %s", text, expected);
        assert_string_equal(err.msg, expected);
        assert_int_equal(err.kind, COR_INVALID);
        assert_ptr_equal(o, (void *)0x1);
        assert_int_equal(cor_json_parse(&outer_doc, text, len, "doc", &o, NULL), -1);
}

static void refused(const char *text, const char *expected)
{
        auto_str quoted = json_quotes(text);

        refused_n(quoted, strlen(quoted), expected);
}

static void every_type_is_read(void **state)
{
        auto_json struct outer *o = parse(
                "{'flag':true,'optFlag':false,'i64':-9223372036854775808,'i32':-2147483648,"
                "'u64':18446744073709551615,'u32':4294967295,'optI64':0,'optU64':18446744073709551615,'optU32':0,"
                "'optU16':65535,'str':'h\\u00e9','raw':[1,{'a':null},'x'],'word':'green','obj':{'name':'o','n':3},"
                "'in':{'n':4},'strs':['a','b'],'numbers':[1,4294967295],'words':['red','green'],"
                "'objs':[{'name':'p'},{'name':'q'}],'mapObjs':{'k':{'name':'r'}},'map':{'a':'1','b':''}}");

        assert_true(o->flag);
        assert_true(o->opt_flag.set && !o->opt_flag.value);
        assert_true(o->i64 == INT64_MIN && o->i32 == INT32_MIN);
        assert_true(o->u64 == UINT64_MAX && o->u32 == UINT32_MAX);
        assert_true(o->opt_i64.set && o->opt_i64.value == 0);
        assert_true(o->opt_u64.set && o->opt_u64.value == UINT64_MAX);
        assert_true(o->opt_u32.set && o->opt_u32.value == 0);
        assert_true(o->opt_u16.set && o->opt_u16.value == 65535);
        assert_string_equal(o->str, "h\xc3\xa9");
        assert_string_equal(o->raw, "[1,{\"a\":null},\"x\"]");
        assert_int_equal(o->word, GREEN);
        assert_string_equal(o->obj->name, "o");
        assert_int_equal(o->obj->n, 3);
        assert_int_equal(o->in.n, 4);
        assert_int_equal(o->n_strs, 2);
        assert_string_equal(o->strs[1], "b");
        assert_null(o->strs[2]);
        assert_int_equal(o->n_numbers, 2);
        assert_true(o->numbers[1] == UINT32_MAX);
        assert_int_equal(o->n_words, 2);
        assert_int_equal(o->words[0], RED);
        assert_int_equal(o->n_objs, 2);
        assert_string_equal(o->objs[1].name, "q");
        assert_int_equal(o->n_map_objs, 1);
        assert_string_equal(o->map_objs[0].key, "k");
        assert_string_equal(o->map_objs[0].name, "r");
        assert_int_equal(o->n_map, 2);
        assert_string_equal(o->map[1].key, "b");
        assert_string_equal(o->map[1].value, "");
}

static void what_is_absent_is_zero_or_its_default(void **state)
{
        auto_json struct outer *o = parse("{}");

        assert_false(o->flag || o->opt_flag.set || o->opt_i64.set || o->opt_u16.set);
        assert_true(!o->str && !o->raw && !o->obj && !o->strs && !o->objs && !o->map && !o->extra);
        assert_true(o->n_strs == 0 && o->n_map == 0 && o->i64 == 0 && o->in.n == 0);
        assert_true(o->def_n == -7 && o->def_u32 == 4000000000 && o->def_flag);
        assert_string_equal(o->def_str, "none");
        assert_int_equal(o->def_word, GREEN);
}

static void null_is_absent(void **state)
{
        auto_json struct outer *o =
                parse("{'flag':null,'str':null,'obj':null,'in':null,'strs':null,'defN':null,'map':null,'u32':null}");

        assert_true(!o->flag && !o->str && !o->obj && !o->strs && !o->map && o->u32 == 0 && o->def_n == -7);
        refused("{'obj':{'name':null}}", "doc: obj.name: required, but missing");
}

static void the_last_of_two_holds(void **state)
{
        auto_json struct outer *o = parse("{'str':'a','map':{'x':'1','x':'2'},'str':'b'}");

        assert_string_equal(o->str, "b");
        assert_int_equal(o->n_map, 1);
        assert_string_equal(o->map[0].value, "2");
}

static void keys_may_come_in_any_order(void **state)
{
        auto_json struct outer *o = parse("{'map':{},'word':'red','zzz':1,'i32':5,'flag':true,'defStr':'x','str':'s'}");

        assert_true(o->flag && o->i32 == 5 && o->word == RED);
        assert_string_equal(o->str, "s");
        assert_string_equal(o->def_str, "x");
}

static void unknown_members_are_kept_where_the_table_says_so(void **state)
{
        auto_json struct outer *o =
                parse("{'x':1,'flag':true,'y':{'a':[1.5,true,null,-3,1e3]},'obj':{'name':'n','z':'<'},"
                      "'in':{'dropped':1}}");

        assert_string_equal(o->extra, "\"x\":1,\"y\":{\"a\":[1.5,true,null,-3,1000.0]}");
        assert_string_equal(o->obj->extra, "\"z\":\"\\u003c\"");
        assert_null(o->in.extra);
}

static void unknown_numbers_of_any_size_are_kept_as_they_are(void **state)
{
        auto_json struct outer *o = parse("{'x':123456789012345678901234567890,'y':1e999,'z':'\\u00001','w':-0.1}");

        assert_string_equal(o->extra, "\"x\":123456789012345678901234567890,\"y\":1e999,\"z\":\"\\u00001\",\"w\":-0.1");
}

static void an_error_names_the_place(void **state)
{
        refused("{'str':1}", "doc: str: expected a string, found an integer");
        refused("{'flag':'yes'}", "doc: flag: expected true or false, found a string");
        refused("{'optFlag':0}", "doc: optFlag: expected true or false, found an integer");
        refused("{'obj':[]}", "doc: obj: expected an object, found a list");
        refused("{'in':{'n':true}}", "doc: in.n: expected an integer, found true");
        refused("{'strs':['a',{}]}", "doc: strs[1]: expected a string, found an object");
        refused("{'strs':[null]}", "doc: strs[0]: expected a string, found null");
        refused("{'strs':'a'}", "doc: strs: expected a list of strings, found a string");
        refused("{'numbers':{}}", "doc: numbers: expected a list of integers, found an object");
        refused("{'words':1}", "doc: words: expected a list of words, found an integer");
        refused("{'objs':false}", "doc: objs: expected a list of objects, found false");
        refused("{'map':[]}", "doc: map: expected an object of strings, found a list");
        refused("{'mapObjs':''}", "doc: mapObjs: expected an object of objects, found a string");
        refused("{'objs':[{'name':'a'},{'n':1}]}", "doc: objs[1].name: required, but missing");
        refused("{'map':{'net.core':2}}", "doc: map[\"net.core\"]: expected a string, found an integer");
        refused("{'mapObjs':{'a b':null}}", "doc: mapObjs[\"a b\"]: expected an object, found null");
        refused("{'mapObjs':{'k':{'name':1}}}", "doc: mapObjs[\"k\"].name: expected a string, found an integer");
}

static void words_are_a_closed_set(void **state)
{
        refused("{'word':'blue'}", "doc: word: expected one of red, green, found \"blue\"");
        refused("{'word':'Red'}", "doc: word: expected one of red, green, found \"Red\"");
        refused("{'words':['red','']}", "doc: words[1]: expected one of red, green, found \"\"");
        refused("{'word':1}", "doc: word: expected a string, found an integer");
}

static void numbers_must_fit(void **state)
{
        refused("{'i32':2147483648}", "doc: i32: expected an integer from -2147483648 to 2147483647, found 2147483648");
        refused("{'u32':-1}", "doc: u32: expected an integer from 0 to 4294967295, found -1");
        refused("{'u32':4294967296}", "doc: u32: expected an integer from 0 to 4294967295, found 4294967296");
        refused("{'optU16':65536}", "doc: optU16: expected an integer from 0 to 65535, found 65536");
        refused("{'u64':-1}", "doc: u64: expected an integer from 0 to 18446744073709551615, found -1");
        refused("{'u64':18446744073709551616}",
                "doc: u64: expected an integer from 0 to 18446744073709551615, found 18446744073709551616");
        refused("{'i64':9223372036854775808}", "doc: i64: expected an integer from -9223372036854775808 to "
                                               "9223372036854775807, found 9223372036854775808");
        refused("{'i64':-9223372036854775809}", "doc: i64: expected an integer from -9223372036854775808 to "
                                                "9223372036854775807, found -9223372036854775809");
        refused("{'numbers':[0,-1]}", "doc: numbers[1]: expected an integer from 0 to 4294967295, found -1");
}

static void integers_have_neither_fraction_nor_exponent(void **state)
{
        refused("{'i64':1.0}", "doc: i64: expected an integer, found a number with fraction or exponent");
        refused("{'u32':1e3}", "doc: u32: expected an integer, found a number with fraction or exponent");
        refused("{'u64':1e999}", "doc: u64: expected an integer, found a number with fraction or exponent");
        refused("{'u64':18446744073709551615.0}",
                "doc: u64: expected an integer, found a number with fraction or exponent");
}

static void a_big_number_is_no_string(void **state)
{
        refused("{'str':18446744073709551615}", "doc: str: expected a string, found an integer");
        refused("{'str':1e999}", "doc: str: expected a string, found a number with fraction or exponent");
        refused("{'word':18446744073709551615}", "doc: word: expected a string, found an integer");
}

static void a_string_with_nul_is_no_big_number(void **state)
{
        refused("{'u64':'\\u00001'}", "doc: u64: expected an integer, found a string");
        refused("{'x':1e999,'u64':'\\u00001'}", "doc: u64: expected an integer, found a string");
        refused("{'x':1e999,'u64':'\\u0000\\u00001'}", "doc: u64: expected an integer, found a string");
}

static void strings_hold_no_nul(void **state)
{
        refused("{'str':'a\\u0000b'}", "doc: str: expected a string without NUL characters");
        refused("{'str':'\\u0000'}", "doc: str: expected a string without NUL characters");
        refused("{'x':1e999,'str':'\\u00001'}", "doc: str: expected a string without NUL characters");
        refused("{'map':{'k':'\\u0000'}}", "doc: map[\"k\"]: expected a string without NUL characters");
}

static void checks_add_to_the_place(void **state)
{
        auto_str text = json_quotes("{'objs':[{'name':'x','n':14}]}");
        struct cor_err err = { 0 };
        struct outer *o;

        refused("{'obj':{'name':'x','n':13}}", "doc: obj.n: 13 brings bad luck");
        refused("{'objs':[{'name':'x','n':13}]}", "doc: objs[0].n: 13 brings bad luck");
        assert_int_equal(cor_json_parse(&outer_doc, text, strlen(text), NULL, &o, &err), -1);
        assert_string_equal(err.msg, "objs[0]: 14 is taken");
        assert_int_equal(err.kind, COR_EXISTS);
}

static void a_check_of_the_root_has_no_place(void **state)
{
        struct cor_err err = { 0 };
        auto_str text = json_quotes("{'name':'x','n':13}");
        struct inner *i;

        assert_int_equal(cor_json_parse(&inner_doc, text, strlen(text), "doc", &i, &err), -1);
        assert_string_equal(err.msg, "doc: n: 13 brings bad luck");
        assert_int_equal(cor_json_parse(&inner_doc, text, strlen(text), NULL, &i, &err), -1);
        assert_string_equal(err.msg, "n: 13 brings bad luck");
}

static void syntax_errors_name_line_and_column(void **state)
{
        refused("", "doc: line 1, column 1: unexpected token near end of file");
        refused("{", "doc: line 1, column 1: string or '}' expected near end of file");
        refused("{'a':}", "doc: line 1, column 6: unexpected token near '}'");
        refused("{\n'a': 1,\n  }", "doc: line 3, column 3: string or '}' expected near '}'");
        refused("{'a':01}", "doc: line 1, column 6: invalid token near '0'");
        refused("{'a':1}{", "doc: line 1, column 8: end of file expected near '{'");
        refused("{'a':1}\n\n x", "doc: line 3, column 2: end of file expected near 'x'");
        refused("[]", "doc: expected an object, found a list");
        refused("1", "doc: expected an object, found an integer");
        refused("null", "doc: expected an object, found null");
}

static void the_position_is_right_after_big_numbers(void **state)
{
        refused("{'x':18446744073709551615,\n 'y': 1e999, 'z':}", "doc: line 2, column 18: unexpected token near '}'");
        refused("{'x':1e999,'y':'\\u0000','z':}", "doc: line 1, column 29: unexpected token near '}'");
        refused("{'x':18446744073709551615,'y':'\\q'}", "doc: line 1, column 33: invalid escape near '\"\\q'");
}

static void bytes_that_are_no_text_are_refused(void **state)
{
        static const char bom[] = "\xef\xbb\xbf{}", nul[] = "{}\0", inner_nul[] = "{\"a\0\":1}",
                          bad[] = "{\"a\":\"\xff\"}", escape[] = "{\"\033[1m\":1}";

        refused_n(bom, sizeof bom - 1, "doc: starts with a byte order mark, which JSON does not allow");
        refused_n(nul, 3, "doc: line 1, column 3: unexpected NUL character");
        refused_n(inner_nul, sizeof inner_nul - 1, "doc: line 1, column 3: control character 0x0 near '\"a'");
        refused_n(bad, sizeof bad - 1, "doc: line 1, column 6: unable to decode byte 0xff near '\"'");
        refused_n(escape, sizeof escape - 1, "doc: line 1, column 2: control character 0x1b near '\"'");
        refused("{'str':'\\ud800'}", "doc: line 1, column 15: invalid Unicode '\\uD800' near '\"\\ud800\"'");
}

static void errors_carry_no_control_characters(void **state)
{
        refused("{'map':{'\\u001b[2J\\n':1}}", "doc: map[\"?[2J?\"]: expected a string, found an integer");
        refused("{'word':'\\u001b'}", "doc: word: expected one of red, green, found \"?\"");
}

static void deep_nesting_is_an_error_and_no_crash(void **state)
{
        auto_text t = COR_TEXT_INIT, ok = COR_TEXT_INIT;
        struct cor_err err = { 0 };
        struct outer *o = NULL;

        cor_text_add(&t, "{\"x\":");
        for (int i = 0; i < 1000000; i++)
                cor_text_add_c(&t, '[');
        assert_int_equal(cor_json_parse(&outer_doc, t.s, t.len, "doc", &o, &err), -1);
        assert_non_null(strstr(err.msg, "maximum parsing depth reached"));

        cor_text_add(&ok, "{\"x\":"); /* kept as text, by recursion */
        for (int i = 0; i < 2000; i++)
                cor_text_add_c(&ok, '[');
        for (int i = 0; i < 2000; i++)
                cor_text_add_c(&ok, ']');
        cor_text_add_c(&ok, '}');
        assert_int_equal(cor_json_parse(&outer_doc, ok.s, ok.len, "doc", &o, &err), 0);
        assert_int_equal(strlen(o->extra), 4004);
        cor_json_free(o);
}

static void a_text_cannot_take_more_memory_than_its_share(void **state)
{
        auto_text t = COR_TEXT_INIT;
        struct cor_err err = { 0 };
        struct outer *o = NULL;

        cor_text_add(&t, "{\"x\":[");
        for (int i = 0; i < 1000000; i++)
                cor_text_add(&t, i > 0 ? ",{}" : "{}");
        cor_text_add(&t, "]}");
        assert_int_equal(cor_json_parse(&outer_doc, t.s, t.len, "doc", &o, &err), -1);
        assert_string_equal(err.msg, "doc: needs more memory than a document of this size may");
}

static void memory_lives_as_long_as_the_root(void **state)
{
        struct outer *o = parse("{'str':'abc'}");
        char *big = cor_json_alloc(o, 1 << 20), *small = cor_json_alloc(o, 3), *s = cor_json_strdup(o, "copy");

        for (size_t i = 0; i < 1 << 20; i++)
                assert_int_equal(big[i], 0);
        memset(big, 1, 1 << 20);
        memset(small, 1, 3);
        assert_true((uintptr_t)small % 8 == 0 && (uintptr_t)big % 8 == 0);
        assert_string_equal(s, "copy");
        assert_string_equal(o->str, "abc");
        o->str = s;
        cor_json_free(o);
        cor_json_free(NULL);
}

static void a_text_need_not_be_terminated(void **state)
{
        char *exact = malloc(2); /* sanitizers see a read past its end */
        struct outer *o = NULL;
        struct cor_err err;

        memcpy(exact, "{}", 2);
        assert_int_equal(cor_json_parse(&outer_doc, exact, 2, NULL, &o, &err), 0);
        cor_json_free(o);
        assert_int_equal(cor_json_parse(&outer_doc, exact, 1, NULL, &o, &err), -1);
        free(exact);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(every_type_is_read),
                cmocka_unit_test(what_is_absent_is_zero_or_its_default),
                cmocka_unit_test(null_is_absent),
                cmocka_unit_test(the_last_of_two_holds),
                cmocka_unit_test(keys_may_come_in_any_order),
                cmocka_unit_test(unknown_members_are_kept_where_the_table_says_so),
                cmocka_unit_test(unknown_numbers_of_any_size_are_kept_as_they_are),
                cmocka_unit_test(an_error_names_the_place),
                cmocka_unit_test(words_are_a_closed_set),
                cmocka_unit_test(numbers_must_fit),
                cmocka_unit_test(integers_have_neither_fraction_nor_exponent),
                cmocka_unit_test(a_big_number_is_no_string),
                cmocka_unit_test(a_string_with_nul_is_no_big_number),
                cmocka_unit_test(strings_hold_no_nul),
                cmocka_unit_test(checks_add_to_the_place),
                cmocka_unit_test(a_check_of_the_root_has_no_place),
                cmocka_unit_test(syntax_errors_name_line_and_column),
                cmocka_unit_test(the_position_is_right_after_big_numbers),
                cmocka_unit_test(bytes_that_are_no_text_are_refused),
                cmocka_unit_test(errors_carry_no_control_characters),
                cmocka_unit_test(deep_nesting_is_an_error_and_no_crash),
                cmocka_unit_test(a_text_cannot_take_more_memory_than_its_share),
                cmocka_unit_test(memory_lives_as_long_as_the_root),
                cmocka_unit_test(a_text_need_not_be_terminated),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

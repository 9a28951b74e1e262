#include "base/json.h"

#include "../json_quotes.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct cor_word colours[] = { { "none", 0 }, { "red", 1 }, { "rouge", 1 }, { NULL, 0 } };

struct part {
        const char *key;
        uint32_t n;
};
struct thing {
        bool flag, always_flag, def_flag;
        struct cor_opt_bool opt_flag;
        int64_t i64, required;
        uint64_t u64;
        struct cor_opt_u64 opt;
        const char *str, *always_str, *def_str, *raw, *always_raw, *extra;
        int word, always_word;
        struct part *obj, *always_obj, in;
        const char **strs, **always_strs;
        size_t n_strs, n_always_strs;
        uint32_t *numbers;
        size_t n_numbers;
        int *words;
        size_t n_words;
        struct part *parts, *map_parts;
        size_t n_parts, n_map_parts;
        struct cor_pair *map;
        size_t n_map;
};

static const struct cor_json_field part_fields[] = { COR_FIELD("n", U32, struct part, n, 0) };
static const struct cor_json_doc part_doc = COR_DOC(struct part, part_fields, NULL);

static const struct cor_json_field thing_fields[] = {
        COR_FIELD("flag", BOOL, struct thing, flag, 0),
        COR_FIELD("optFlag", OPT_BOOL, struct thing, opt_flag, 0),
        COR_FIELD("i64", I64, struct thing, i64, 0),
        COR_FIELD("u64", U64, struct thing, u64, 0),
        COR_FIELD("opt", OPT_U64, struct thing, opt, 0),
        COR_FIELD("str", STR, struct thing, str, 0),
        COR_FIELD("raw", RAW, struct thing, raw, 0),
        COR_FIELD_WORD("word", struct thing, word, colours, 0),
        COR_FIELD_OBJ("obj", OBJ, struct thing, obj, &part_doc, 0),
        COR_FIELD_OBJ("in", INLINE, struct thing, in, &part_doc, 0),
        COR_FIELD_LIST("strs", LIST_STR, struct thing, strs, n_strs, 0),
        COR_FIELD_LIST("numbers", LIST_U32, struct thing, numbers, n_numbers, 0),
        COR_FIELD_LIST_WORD("words", struct thing, words, n_words, colours, 0),
        COR_FIELD_LIST_OF("parts", LIST_OBJ, struct thing, parts, n_parts, &part_doc, 0),
        COR_FIELD_LIST_OF("mapParts", MAP_OBJ, struct thing, map_parts, n_map_parts, &part_doc, 0),
        COR_FIELD_LIST("map", MAP_STR, struct thing, map, n_map, 0),
        COR_FIELD_DEF("defFlag", BOOL, struct thing, def_flag, true),
        { .key = "defStr", .type = COR_JSON_STR, .offset = offsetof(struct thing, def_str), .def_text = "x" },
};
static const struct cor_json_doc thing_doc = {
        .size = sizeof(struct thing),
        .fields = thing_fields,
        .n_fields = COR_COUNT(thing_fields),
        .keep_extra = true,
        .extra_offset = offsetof(struct thing, extra),
};

static const struct cor_json_field always_fields[] = {
        COR_FIELD("flag", BOOL, struct thing, always_flag, COR_JSON_ALWAYS),
        COR_FIELD("n", I64, struct thing, required, COR_JSON_REQUIRED),
        COR_FIELD("str", STR, struct thing, always_str, COR_JSON_ALWAYS),
        COR_FIELD("raw", RAW, struct thing, always_raw, COR_JSON_ALWAYS),
        COR_FIELD_WORD("word", struct thing, always_word, colours, COR_JSON_ALWAYS),
        COR_FIELD_OBJ("obj", OBJ, struct thing, always_obj, &part_doc, COR_JSON_ALWAYS),
        COR_FIELD_LIST("strs", LIST_STR, struct thing, always_strs, n_always_strs, COR_JSON_ALWAYS),
};
static const struct cor_json_doc always_doc = COR_DOC(struct thing, always_fields, NULL);

static void prints(const struct cor_json_doc *doc, const struct thing *t, enum cor_json_style style,
                   const char *expected)
{
        auto_str quoted = json_quotes(expected);
        auto_text out = COR_TEXT_INIT;

        cor_json_print(doc, t, style, &out);
        assert_string_equal(out.s, quoted);
}

static void what_is_empty_is_left_out(void **state)
{
        struct thing t = { .str = "", .def_flag = true, .def_str = "x" };

        prints(&thing_doc, &t, COR_JSON_COMPACT, "{'in':{}}");
        prints(&thing_doc, &t, COR_JSON_TABS, "{\n\t'in': {}\n}");
}

static void what_differs_from_its_default_is_not(void **state)
{
        struct thing t = { .opt_flag.set = true, .opt.set = true, .def_str = "" };

        prints(&thing_doc, &t, COR_JSON_COMPACT, "{'optFlag':false,'opt':0,'in':{},'defFlag':false,'defStr':''}");
}

static void what_is_always_printed(void **state)
{
        struct thing t = { 0 };

        prints(&always_doc, &t, COR_JSON_COMPACT,
               "{'flag':false,'n':0,'str':'','raw':null,'word':'none','obj':null,'strs':[]}");
        prints(&always_doc, &t, COR_JSON_TWO_SPACES,
               "{\n  'flag': false,\n  'n': 0,\n  'str': '',\n  'raw': null,\n  'word': 'none',\n  'obj': null,\n"
               "  'strs': []\n}");
}

static void every_type_is_printed(void **state)
{
        struct part part = { .key = "k", .n = 7 }, parts[] = { { .n = 1 }, { .key = "b" } };
        const char *strs[] = { "a", "b", NULL };
        struct cor_pair map[] = { { "k", "v" }, { "", "" } };
        struct thing t = {
                .flag = true,
                .opt_flag = { true, true },
                .i64 = INT64_MIN,
                .u64 = UINT64_MAX,
                .opt = { true, UINT64_MAX },
                .str = "s",
                .raw = "[1,2]",
                .word = 1,
                .obj = &part,
                .in.n = UINT32_MAX,
                .strs = strs,
                .n_strs = 2,
                .numbers = (uint32_t[]){ 0, UINT32_MAX },
                .n_numbers = 2,
                .words = (int[]){ 0, 1 },
                .n_words = 2,
                .parts = parts,
                .n_parts = 2,
                .map_parts = &part,
                .n_map_parts = 1,
                .map = map,
                .n_map = 2,
                .def_flag = true,
                .def_str = "x",
                .extra = "\"more\":null",
        };

        prints(&thing_doc, &t, COR_JSON_COMPACT,
               "{'flag':true,'optFlag':true,'i64':-9223372036854775808,'u64':18446744073709551615,"
               "'opt':18446744073709551615,'str':'s','raw':[1,2],'word':'red','obj':{'n':7},'in':{'n':4294967295},"
               "'strs':['a','b'],'numbers':[0,4294967295],'words':['none','red'],'parts':[{'n':1},{}],"
               "'mapParts':{'k':{'n':7}},'map':{'k':'v','':''},'more':null}");
}

static void indentation_is_as_go_does_it(void **state)
{
        struct part parts[] = { { .n = 1 }, { .n = 0 } };
        const char *strs[] = { "a", "b", NULL };
        struct cor_pair map[] = { { "k", "v" } };
        struct thing t = { .in.n = 2,
                           .strs = strs,
                           .n_strs = 2,
                           .parts = parts,
                           .n_parts = 2,
                           .map = map,
                           .n_map = 1,
                           .def_flag = true,
                           .def_str = "x" };

        prints(&thing_doc, &t, COR_JSON_TABS,
               "{\n\t'in': {\n\t\t'n': 2\n\t},\n\t'strs': [\n\t\t'a',\n\t\t'b'\n\t],\n\t'parts': [\n\t\t{\n\t\t\t'n': "
               "1\n"
               "\t\t},\n\t\t{}\n\t],\n\t'map': {\n\t\t'k': 'v'\n\t}\n}");
}

/* A value as it stands in the printed text, without its quotes */
static void string_prints(const char *s, const char *expected)
{
        struct thing t = { .str = s, .def_flag = true, .def_str = "x" };
        auto_text out = COR_TEXT_INIT;
        auto_str wanted = cor_printf("{\"str\":\"%s\",\"in\":{}}", expected);

        cor_json_print(&thing_doc, &t, COR_JSON_COMPACT, &out);
        assert_string_equal(out.s, wanted);
}

static void strings_are_escaped_as_go_does_it(void **state)
{
        string_prints("a/b'c", "a/b'c");
        string_prints("\"\\", "\\\"\\\\");
        string_prints("\b\f\n\r\t", "\\b\\f\\n\\r\\t");
        string_prints("\x01\x1f\x7f", "\\u0001\\u001f\x7f");
        string_prints("<a>&", "\\u003ca\\u003e\\u0026");
        string_prints("h\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80", "h\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80");
        string_prints("\xe2\x80\xa8\xe2\x80\xa9\xe2\x80\xaa", "\\u2028\\u2029\xe2\x80\xaa");
}

static void what_is_not_utf8_is_replaced(void **state)
{
        string_prints("a\xff", "a\\ufffd");
        string_prints("\xc3", "\\ufffd");
        string_prints("\xc3(", "\\ufffd(");
        string_prints("\xc0\x80", "\\ufffd\\ufffd");
        string_prints("\xe0\x80\x80", "\\ufffd\\ufffd\\ufffd");
        string_prints("\xed\xa0\x80", "\\ufffd\\ufffd\\ufffd");
        string_prints("\xf4\x90\x80\x80", "\\ufffd\\ufffd\\ufffd\\ufffd");
        string_prints("\xf8\x88\x80\x80\x80", "\\ufffd\\ufffd\\ufffd\\ufffd\\ufffd");
        string_prints("\xe2\x82", "\\ufffd\\ufffd");
        string_prints("\x80", "\\ufffd");
}

/* Go's nil, its empty list, and lists in lists */
struct bag {
        const char *key;
        const char **items;
        size_t n_items;
};
struct nulls {
        const char **strs;
        size_t n_strs;
        struct bag *bags, *map;
        size_t n_bags, n_map;
        struct cor_opt_bool flag;
        struct cor_opt_u64 number;
        uint32_t pair[2];
};
static const struct cor_json_field bag_fields[] = {
        COR_FIELD_LIST("", LIST_STR, struct bag, items, n_items, COR_JSON_NULL),
};
static const struct cor_json_doc bag_doc = {
        .size = sizeof(struct bag),
        .fields = bag_fields,
        .n_fields = 1,
        .bare = true,
};
static const struct cor_json_field nulls_fields[] = {
        COR_FIELD_LIST("strs", LIST_STR, struct nulls, strs, n_strs, COR_JSON_NULL),
        COR_FIELD_LIST_OF("bags", LIST_OBJ, struct nulls, bags, n_bags, &bag_doc, COR_JSON_NULL),
        COR_FIELD_LIST_OF("map", MAP_OBJ, struct nulls, map, n_map, &bag_doc, COR_JSON_NULL),
        COR_FIELD("flag", OPT_BOOL, struct nulls, flag, COR_JSON_NULL),
        COR_FIELD("number", OPT_U64, struct nulls, number, COR_JSON_NULL),
        COR_FIELD_ARRAY("pair", ARRAY_U32, struct nulls, pair, COR_JSON_ALWAYS),
};
static const struct cor_json_doc nulls_doc = COR_DOC(struct nulls, nulls_fields, NULL);

static void prints_nulls(const struct nulls *n, enum cor_json_style style, const char *expected)
{
        auto_str quoted = json_quotes(expected);
        auto_text out = COR_TEXT_INIT;

        cor_json_print(&nulls_doc, n, style, &out);
        assert_string_equal(out.s, quoted);
}

static void none_and_empty_are_two_things(void **state)
{
        const char *two[] = { "a<", "b", NULL };
        struct bag bags[] = { { "z", two, 2 }, { "m", NULL, 0 }, { "a", COR_JSON_NONE_YET, 0 } };
        struct nulls none = { 0 },
                     empty = { .strs = COR_JSON_NONE_YET, .bags = COR_JSON_NONE_YET, .map = COR_JSON_NONE_YET },
                     full = { .bags = bags, .n_bags = 3, .map = bags, .n_map = 3, .flag.set = true, .pair = { 0, 7 } };

        prints_nulls(&none, COR_JSON_COMPACT,
                     "{'strs':null,'bags':null,'map':null,'flag':null,'number':null,'pair':[0,0]}");
        prints_nulls(&empty, COR_JSON_COMPACT, "{'strs':[],'bags':[],'map':{},'flag':null,'number':null,'pair':[0,0]}");
        prints_nulls(&full, COR_JSON_COMPACT,
                     "{'strs':null,'bags':[['a\\u003c','b'],null,[]],'map':{'z':['a\\u003c','b'],'m':null,'a':[]},"
                     "'flag':false,'number':null,'pair':[0,7]}");
        prints_nulls(&full, COR_JSON_COMPACT | COR_JSON_API,
                     "{'strs':null,'bags':[['a<','b'],null,[]],'map':{'a':[],'m':null,'z':['a<','b']},"
                     "'flag':false,'number':null,'pair':[0,7]}");
        empty.map = bags;
        empty.n_map = 1;
        prints_nulls(&empty, COR_JSON_FOUR_SPACES,
                     "{\n    'strs': [],\n    'bags': [],\n    'map': {\n        'z': [\n            'a\\u003c',\n"
                     "            'b'\n        ]\n    },\n    'flag': null,\n    'number': null,\n    'pair': [\n"
                     "        0,\n        0\n    ]\n}");
}

static void none_and_empty_read_back(void **state)
{
        auto_str text = json_quotes("{'strs':[],'bags':[['a'],null,[]],'map':{'k':null},'pair':[1,2,3]}");
        auto_json struct nulls *n = NULL;
        struct cor_err err = { 0 };

        assert_int_equal(cor_json_parse(&nulls_doc, text, strlen(text), NULL, &n, &err), 0);
        prints_nulls(n, COR_JSON_COMPACT,
                     "{'strs':[],'bags':[['a'],null,[]],'map':{'k':null},'flag':null,'number':null,'pair':[1,2]}");
}

static void printing_adds_to_what_is_there(void **state)
{
        struct thing t = { .def_flag = true, .def_str = "x" };
        auto_text out = COR_TEXT_INIT;

        cor_text_add(&out, "x=");
        cor_json_print(&thing_doc, &t, COR_JSON_COMPACT, &out);
        assert_string_equal(out.s, "x={\"in\":{}}");
}

static void what_was_printed_reads_back(void **state)
{
        auto_str text = json_quotes("{'flag':true,'opt':18446744073709551615,'i64':-5,'str':'<\\u2028\\n\\u00e9',"
                                    "'raw':{'a':[1e400,'\\u00001']},'word':'red','obj':{},'in':{'n':1},'strs':['']"
                                    ",'mapParts':{'':{'n':3}},'map':{'<':'>'},'defFlag':false,'zz':[0.1,{}]}");
        enum cor_json_style styles[] = { COR_JSON_COMPACT, COR_JSON_TABS, COR_JSON_TWO_SPACES };
        auto_json struct thing *first = NULL;
        auto_text compact = COR_TEXT_INIT;
        struct cor_err err = { 0 };

        assert_int_equal(cor_json_parse(&thing_doc, text, strlen(text), NULL, &first, &err), 0);
        cor_json_print(&thing_doc, first, COR_JSON_COMPACT, &compact);
        assert_non_null(strstr(compact.s, "\"raw\":{\"a\":[1e400,\"\\u00001\"]}"));
        assert_non_null(strstr(compact.s, "\"zz\":[0.1,{}]"));
        for (size_t i = 0; i < COR_COUNT(styles); i++) {
                auto_json struct thing *again = NULL;
                auto_text styled = COR_TEXT_INIT, compact_again = COR_TEXT_INIT;

                cor_json_print(&thing_doc, first, styles[i], &styled);
                assert_int_equal(cor_json_parse(&thing_doc, styled.s, styled.len, NULL, &again, &err), 0);
                cor_json_print(&thing_doc, again, COR_JSON_COMPACT, &compact_again);
                assert_string_equal(compact_again.s, compact.s);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(what_is_empty_is_left_out),    cmocka_unit_test(what_differs_from_its_default_is_not),
                cmocka_unit_test(what_is_always_printed),       cmocka_unit_test(every_type_is_printed),
                cmocka_unit_test(indentation_is_as_go_does_it), cmocka_unit_test(strings_are_escaped_as_go_does_it),
                cmocka_unit_test(what_is_not_utf8_is_replaced), cmocka_unit_test(printing_adds_to_what_is_there),
                cmocka_unit_test(what_was_printed_reads_back),  cmocka_unit_test(none_and_empty_are_two_things),
                cmocka_unit_test(none_and_empty_read_back),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

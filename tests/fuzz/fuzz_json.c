/* A document with a member of every type, which keeps what it does not know. */
#include "base/json.h"

#include "document.h"

struct part {
        const char *key, *name;
        int64_t n;
        const char *extra;
};

struct bag {
        const char *key;
        const char **items;
        size_t n_items;
};

struct whole {
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
        struct whole *obj;
        struct part in, *parts, *map_parts;
        const char **strs;
        uint32_t *numbers;
        int *words;
        struct cor_pair *map, *null_map;
        struct bag *bags, *bag_map;
        uint32_t pair[2];
        struct cor_opt_i64 null_opt;
        size_t n_parts, n_map_parts, n_strs, n_numbers, n_words, n_map, n_null_map, n_bags, n_bag_map;
};

static const struct cor_word words[] = { { "one", 1 }, { "two", 2 }, { NULL, 0 } };

static const struct cor_json_field part_fields[] = {
        COR_FIELD("name", STR, struct part, name, COR_JSON_ALWAYS),
        COR_FIELD_DEF("n", I64, struct part, n, -1),
};
static const struct cor_json_doc part_doc = {
        .size = sizeof(struct part),
        .fields = part_fields,
        .n_fields = COR_COUNT(part_fields),
        .keep_extra = true,
        .extra_offset = offsetof(struct part, extra),
};

static const struct cor_json_field bag_fields[] = {
        COR_FIELD_LIST("", LIST_STR, struct bag, items, n_items, COR_JSON_NULL | COR_JSON_ONE),
};
static const struct cor_json_doc bag_doc = {
        .size = sizeof(struct bag),
        .fields = bag_fields,
        .n_fields = 1,
        .bare = true,
};

static const struct cor_json_doc whole_doc;
static const struct cor_json_field whole_fields[] = {
        COR_FIELD("flag", BOOL, struct whole, flag, 0),
        COR_FIELD("optFlag", OPT_BOOL, struct whole, opt_flag, 0),
        COR_FIELD("i64", I64, struct whole, i64, 0),
        COR_FIELD("i32", I32, struct whole, i32, COR_JSON_ALWAYS),
        COR_FIELD("u64", U64, struct whole, u64, 0),
        COR_FIELD("u32", U32, struct whole, u32, 0),
        COR_FIELD("optI64", OPT_I64, struct whole, opt_i64, 0),
        COR_FIELD("optU64", OPT_U64, struct whole, opt_u64, 0),
        COR_FIELD("optU32", OPT_U32, struct whole, opt_u32, 0),
        COR_FIELD("optU16", OPT_U16, struct whole, opt_u16, 0),
        COR_FIELD("str", STR, struct whole, str, 0),
        COR_FIELD("raw", RAW, struct whole, raw, 0),
        { .key = "word", .type = COR_JSON_WORD, .offset = offsetof(struct whole, word), .words = words, .def = 1 },
        COR_FIELD_OBJ("obj", OBJ, struct whole, obj, &whole_doc, 0),
        COR_FIELD_OBJ("in", INLINE, struct whole, in, &part_doc, 0),
        COR_FIELD_LIST_OF("parts", LIST_OBJ, struct whole, parts, n_parts, &part_doc, 0),
        COR_FIELD_LIST_OF("mapParts", MAP_OBJ, struct whole, map_parts, n_map_parts, &part_doc, 0),
        COR_FIELD_LIST("strs", LIST_STR, struct whole, strs, n_strs, 0),
        COR_FIELD_LIST("numbers", LIST_U32, struct whole, numbers, n_numbers, 0),
        COR_FIELD_LIST_WORD("words", struct whole, words, n_words, words, 0),
        COR_FIELD_LIST("map", MAP_STR, struct whole, map, n_map, 0),
        COR_FIELD_LIST("nullMap", MAP_STR, struct whole, null_map, n_null_map, COR_JSON_NULL),
        COR_FIELD_LIST_OF("bags", LIST_OBJ, struct whole, bags, n_bags, &bag_doc, COR_JSON_NULL),
        COR_FIELD_LIST_OF("bagMap", MAP_OBJ, struct whole, bag_map, n_bag_map, &bag_doc, 0),
        COR_FIELD_ARRAY("pair", ARRAY_U32, struct whole, pair, 0),
        COR_FIELD("nullOpt", OPT_I64, struct whole, null_opt, COR_JSON_NULL),
};
static const struct cor_json_doc whole_doc = {
        .size = sizeof(struct whole),
        .fields = whole_fields,
        .n_fields = COR_COUNT(whole_fields),
        .keep_extra = true,
        .extra_offset = offsetof(struct whole, extra),
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        return document_fuzz(&whole_doc, data, size);
}

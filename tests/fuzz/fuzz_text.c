/* The readers of numbers, sizes, durations and paths, and the writer of JSON strings. */
#include "base/file.h"
#include "base/text.h"

#include <assert.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What was read as a number is that number, written out. */
static void check_numbers(const char *s)
{
        char back[32];
        const char *digits = s + (s[0] == '-' || s[0] == '+');
        uint64_t u, same;
        uint32_t u32;
        int64_t i;
        int32_t i32;

        while (digits[0] == '0' && digits[1])
                digits++;
        if (cor_parse_u64(s, &u) == 0) {
                snprintf(back, sizeof back, "%" PRIu64, u);
                assert(strcmp(back, digits) == 0);
                assert(cor_parse_u64_base(s, 10, &same) == 0 && same == u);
        }
        assert((cor_parse_u32(s, &u32) == 0) == (cor_parse_u64(s, &u) == 0 && u <= UINT32_MAX));
        if (cor_parse_i64(s, &i) == 0) {
                snprintf(back, sizeof back, "%" PRIi64, i);
                assert(strcmp(back + (i < 0), digits) == 0);
        }
        assert((cor_parse_i32(s, &i32) == 0) == (cor_parse_i64(s, &i) == 0 && i >= INT32_MIN && i <= INT32_MAX));
        for (int base = 0; base <= 17; base++)
                if (cor_parse_u64_base(s, base, &u) == 0)
                        assert(base == 0 || base == 8 || base == 10 || base == 16);
}

static void check_units(const char *s)
{
        uint64_t n, plain;

        if (cor_parse_size(s, &n) == 0)
                assert(s[0] >= '0' && s[0] <= '9');
        if (cor_parse_u64(s, &plain) == 0)
                assert(cor_parse_size(s, &n) == 0 && n == plain);
        if (cor_parse_duration(s, &n) == 0)
                assert(n <= UINT64_MAX / 1000000 + 1);
}

/* A JSON library takes what we write, and gives back what was put in if that was text at all. */
static void check_json(const char *s)
{
        auto_text written = COR_TEXT_INIT;
        json_t *read, *original = json_string(s);

        cor_text_add_json(&written, s);
        assert(strlen(written.s) == written.len);
        read = json_loads(written.s, JSON_DECODE_ANY, NULL);
        assert(read);
        if (original)
                assert(strcmp(json_string_value(read), s) == 0);
        json_decref(read);
        json_decref(original);
}

static void check_path(const char *s)
{
        auto_str clean = cor_path_clean(s);
        auto_str again = cor_path_clean(clean);
        auto_str pieces = cor_strdup(clean + 1);
        char *cursor = pieces;

        assert(clean[0] == '/' && strcmp(clean, again) == 0);
        if (!clean[1])
                return;
        for (const char *piece; (piece = cor_split_next(&cursor, '/'));)
                assert(*piece && strcmp(piece, ".") != 0 && strcmp(piece, "..") != 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        auto_str s = cor_strndup((const char *)data, size);

        check_numbers(s);
        check_units(s);
        check_json(s);
        check_path(s);
        return 0;
}

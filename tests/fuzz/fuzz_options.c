/*
 * Command lines. The first byte chooses dialect and order; the rest
 * is words, each ended by a NUL. Whatever they are, parsing ends, and stays inside of its struct.
 */
#include "base/json.h"
#include "cli/option.h"

#include <assert.h>
#include <string.h>

struct given {
        uint64_t fence;
        bool flag;
        int constant, word, count;
        const char *text, *filled;
        const char **list;
        size_t n_list;
        struct cor_opt_u64 u64;
        struct cor_opt_i64 i64, size;
        uint64_t duration, fence_behind;
};

#define ROW(NAME, LETTER, TYPE, M, VALUE, FLAGS) OPTION_ROW(NAME, LETTER, TYPE, struct given, M, VALUE, FLAGS, "Help")

static const struct option rows[] = {
        ROW("flag", 'f', FLAG, flag, "", 0),
        ROW("flagship", 0, FLAG, flag, "", 0),
        OPTION_ROW_CONST("constant", struct given, constant, 7, "Help"),
        ROW("word", 'w', WORD, word, "table|json|x", 0),
        ROW("count", 'c', COUNT, count, "N", 0),
        ROW("text", 't', TEXT, text, "TEXT", 0),
        ROW("filled", 0, TEXT, filled, "TEXT", OPTION_FILLED),
        OPTION_ROW_LIST("list", 'l', struct given, list, n_list, "ITEM", "Help"),
        ROW("u64", 'u', U64, u64, "N", 0),
        ROW("i64", 'i', I64, i64, "N", 0),
        ROW("size", 's', SIZE, size, "BYTES", 0),
        ROW("duration", 'd', DURATION, duration, "TIME", 0),
        OPTION_ROW_ASK("version", 'v', VERSION, 0, "Help"),
};

enum { WORDS_MAX = 64, FENCE = 0x5a };

static void check(const struct given *g, int outcome, size_t n, size_t left, const struct cor_err *err)
{
        assert(g->fence == FENCE && g->fence_behind == FENCE);
        assert(g->word >= 0 && g->word <= 3);
        assert(g->count >= 0);
        assert(g->constant == 0 || g->constant == 7);
        assert(!g->text || *g->text);
        assert(!g->filled || *g->filled);
        assert(g->n_list <= n);
        assert((outcome < 0) == (err->kind == COR_INVALID));
        if (outcome == OPTION_OUTCOME_OK)
                assert(left <= n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct given g = { .fence = FENCE, .fence_behind = FENCE };
        struct option_set set = { .items = rows, .n_items = COR_COUNT(rows) };
        char *words[WORDS_MAX + 1];
        struct cor_err err = { 0 };
        size_t n = 0, left = 0;
        int outcome;

        if (size < 1)
                return 0;
        set.dialect = (enum option_dialect)(data[0] % 3);
        set.in_order = data[0] & 0x80;
        auto_str text = cor_alloc(size);
        memcpy(text, data + 1, size - 1);
        for (char *c = text; c < text + size - 1 && n < WORDS_MAX; c += strlen(c) + 1)
                words[n++] = c;
        words[n] = NULL;
        outcome = options_parse(&set, words, n, &g, &left, &err);
        check(&g, outcome, n, left, &err);
        options_done(&set, &g);
        return 0;
}

#include "cli/option.h"

#include "base/json.h"

#include <limits.h>
#include <string.h>

#define MEMBER(type, into, offset) ((type *)(void *)((char *)(into) + (offset)))

static int wrong(const struct option *o, const char *value, const char *expected, struct cor_err *err)
{
        return cor_fail(err, COR_INVALID, "option --%s: expected %s, found \"%.100s\"", o->name, expected, value);
}

static int read_bool(const struct option *o, const char *value, bool *ret, struct cor_err *err)
{
        static const struct {
                char word[7];
                bool value;
        } words[] = { { "true", true },   { "1", true },  { "t", true },  { "yes", true },
                      { "false", false }, { "0", false }, { "f", false }, { "no", false } };

        *ret = true;
        if (!value)
                return 0;
        for (size_t i = 0; i < COR_COUNT(words); i++)
                if (strcasecmp(value, words[i].word) == 0) {
                        *ret = words[i].value;
                        return 0;
                }
        return wrong(o, value, "true or false", err);
}

static int store_flag(const struct option *o, const char *value, void *into, struct cor_err *err)
{
        bool on;

        if (read_bool(o, value, &on, err) < 0)
                return -1;
        if (o->type == OPTION_FLAG)
                *MEMBER(bool, into, o->offset) = on != ((o->flags & OPTION_OFF) != 0);
        else if (o->type == OPTION_OPT_FLAG)
                *MEMBER(struct cor_opt_bool, into, o->offset) = (struct cor_opt_bool){ .set = true, .value = on };
        else
                *MEMBER(int, into, o->offset) = on ? o->n_offset : 0;
        return 0;
}

const char *option_word(const struct option *o, size_t i, char *buf)
{
        const char *start = o->value, *end;

        for (;; start = end + 1) {
                end = strchrnul(start, '|');
                if (i-- == 0)
                        break;
                if (!*end)
                        return NULL;
        }
        memcpy(buf, start, (size_t)(end - start));
        buf[end - start] = '\0';
        return buf;
}

static int store_word(const struct option *o, const char *value, void *into, struct cor_err *err)
{
        char word[sizeof o->value], expected[sizeof o->value + 8] = "one of ";

        for (size_t i = 0; option_word(o, i, word); i++)
                if (strcmp(word, value) == 0) {
                        *MEMBER(int, into, o->offset) = (int)i + 1;
                        return 0;
                }
        memcpy(expected + strlen(expected), o->value, strlen(o->value) + 1);
        return wrong(o, value, expected, err);
}

static int store_count(const struct option *o, const char *value, void *into, struct cor_err *err)
{
        uint32_t n;

        if (cor_parse_u32(value, &n) < 0 || n > INT_MAX)
                return wrong(o, value, "a number, at least 0", err);
        *MEMBER(int, into, o->offset) = (int)n;
        return 0;
}

static int read_signed(const struct option *o, const char *value, int64_t *ret, struct cor_err *err)
{
        uint64_t size;

        if (o->type == OPTION_I64)
                return cor_parse_i64(value, ret) < 0 ? wrong(o, value, "a whole number", err) : 0;
        if (strcmp(value, "-1") == 0) {
                *ret = -1;
                return 0;
        }
        if (cor_parse_size(value, &size) < 0 || size > INT64_MAX)
                return wrong(o, value, "a number of bytes (k, m, g or t may follow), or -1", err);
        *ret = (int64_t)size;
        return 0;
}

static int store_signed(const struct option *o, const char *value, void *into, struct cor_err *err)
{
        struct cor_opt_i64 n = { .set = *value != '\0' };

        if (n.set && read_signed(o, value, &n.value, err) < 0)
                return -1;
        *MEMBER(struct cor_opt_i64, into, o->offset) = n;
        return 0;
}

static int store_unsigned(const struct option *o, const char *value, void *into, struct cor_err *err)
{
        struct cor_opt_u64 n = { .set = *value != '\0' };

        if (n.set && cor_parse_u64(value, &n.value) < 0)
                return wrong(o, value, "a whole number, at least 0", err);
        *MEMBER(struct cor_opt_u64, into, o->offset) = n;
        return 0;
}

static int store_duration(const struct option *o, const char *value, void *into, struct cor_err *err)
{
        uint64_t ms;

        if (cor_parse_duration(value, &ms) < 0 || ms == 0)
                return wrong(o, value, "a time above 0, such as 5s, 300ms or 1m30s", err);
        *MEMBER(uint64_t, into, o->offset) = ms;
        return 0;
}

static int store_text(const struct option *o, const char *value, void *into, struct cor_err *err)
{
        if (!*value && (o->flags & OPTION_FILLED))
                return wrong(o, value, "a value", err);
        *MEMBER(const char *, into, o->offset) = *value ? value : NULL;
        return 0;
}

static void store_list(const struct option *o, const char *value, void *into)
{
        const char ***items = MEMBER(const char **, into, o->offset);
        size_t *n = MEMBER(size_t, into, o->n_offset);

        *COR_GROW(*items, *n) = value;
}

int option_store(const struct option *o, const char *value, void *into, struct cor_err *err)
{
        switch ((enum option_type)o->type) {
        case OPTION_FLAG:
        case OPTION_OPT_FLAG:
        case OPTION_CONST:
                return store_flag(o, value, into, err);
        case OPTION_TEXT:
                return store_text(o, value, into, err);
        case OPTION_LIST:
                store_list(o, value, into);
                return 0;
        case OPTION_WORD:
                return store_word(o, value, into, err);
        case OPTION_COUNT:
                return store_count(o, value, into, err);
        case OPTION_U64:
                return store_unsigned(o, value, into, err);
        case OPTION_I64:
        case OPTION_SIZE:
                return store_signed(o, value, into, err);
        case OPTION_DURATION:
                return store_duration(o, value, into, err);
        case OPTION_ASK:
                if (value)
                        return cor_fail(err, COR_INVALID, "option --%s takes no value", o->name);
                return o->n_offset;
        }
        return 0;
}

void options_done(const struct option_set *set, void *into)
{
        for (size_t i = 0; i < set->n_items; i++)
                if (set->items[i].type == OPTION_LIST) {
                        char **items = *MEMBER(char **, into, set->items[i].offset);

                        free(items);
                        *MEMBER(char **, into, set->items[i].offset) = NULL;
                        *MEMBER(size_t, into, set->items[i].n_offset) = 0;
                }
}

#include "spec/userns.h"

#include "base/text.h"

#include <string.h>

#define CONTAINER "container:"

static int bad_mode(const char *text, const char *why, struct cor_err *err)
{
        return cor_fail(err, COR_INVALID, "invalid USER mode: %.100s%s%s", text, why ? ": " : "", why ? why : "");
}

/* "KEY=NUMBER,…" of @options into those of @keys; -1 if it is something else */
static int parse_numbers(const char *options, const char *const *keys, int64_t *const *values, size_t n)
{
        auto_str copy = cor_strdup(options);
        char *cursor = copy, *word;

        while ((word = cor_split_next(&cursor, ','))) {
                char *value = strchr(word, '=');
                uint32_t number;
                size_t i = 0;

                if (!value)
                        return -1;
                *value++ = '\0';
                while (i < n && strcmp(keys[i], word) != 0)
                        i++;
                if (i == n || cor_parse_u32(value, &number) < 0 || number > INT32_MAX)
                        return -1;
                *values[i] = number;
        }
        return 0;
}

static int parse_auto(const char *text, const char *options, struct userns_mode *m, struct cor_err *err)
{
        int64_t size = 0;

        m->kind = USERNS_AUTO;
        if (*options &&
            (parse_numbers(options + 1, (const char *const[]){ "size" }, (int64_t *const[]){ &size }, 1) < 0 ||
             size == 0))
                return bad_mode(text, "expected auto or auto:size=NUMBER", err);
        m->size = (uint32_t)size;
        return 0;
}

static int parse_keep_id(const char *text, const char *options, struct userns_mode *m, struct cor_err *err)
{
        m->kind = USERNS_KEEP_ID;
        if (*options && parse_numbers(options + 1, (const char *const[]){ "uid", "gid" },
                                      (int64_t *const[]){ &m->uid, &m->gid }, 2) < 0)
                return bad_mode(text, "expected keep-id or keep-id:uid=NUMBER,gid=NUMBER", err);
        return 0;
}

static bool is_word(const char *text, const char *word)
{
        size_t n = strlen(word);

        return strncmp(text, word, n) == 0 && (text[n] == '\0' || text[n] == ':');
}

int userns_mode_parse(const char *text, struct userns_mode *ret, struct cor_err *err)
{
        struct userns_mode m = { .kind = USERNS_DEFAULT, .uid = -1, .gid = -1 };

        *ret = m;
        if (!text || !*text)
                return 0;
        if (cor_starts_with(text, CONTAINER) && text[strlen(CONTAINER)]) {
                ret->kind = USERNS_CONTAINER;
                ret->container = text + strlen(CONTAINER);
        } else if (strcmp(text, "host") == 0)
                ret->kind = USERNS_HOST;
        else if (strcmp(text, "nomap") == 0)
                ret->kind = USERNS_NOMAP;
        else if (is_word(text, "auto"))
                return parse_auto(text, text + strlen("auto"), ret, err);
        else if (is_word(text, "keep-id"))
                return parse_keep_id(text, text + strlen("keep-id"), ret, err);
        else
                return bad_mode(text, NULL, err);
        return 0;
}

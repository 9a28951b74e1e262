#ifndef CORACLE_TESTS_UNIT_JSON_QUOTES_H
#define CORACLE_TESTS_UNIT_JSON_QUOTES_H
/* JSON in C source is easier to read with ' for ". */
#include "base/text.h"

/* json_quotes() - a copy of @s with each ' as "; free() */
static inline char *json_quotes(const char *s)
{
        char *copy = cor_strdup(s);

        for (char *c = copy; *c; c++)
                if (*c == '\'')
                        *c = '"';
        return copy;
}

/* json_filled() - @frame with its one $ replaced by @s, quotes as above; free() */
static inline char *json_filled(const char *frame, const char *s)
{
        const char *gap = __builtin_strchr(frame, '$');
        auto_text t = COR_TEXT_INIT;

        cor_text_add_n(&t, frame, (size_t)(gap - frame));
        cor_text_add(&t, s);
        cor_text_add(&t, gap + 1);
        return json_quotes(t.s);
}

#endif

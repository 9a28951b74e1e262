#include "monitor/log_tag.h"

#include "base/text.h"

#include <ctype.h>
#include <string.h>
#include <unistd.h>

/* An action, between its braces: words, each at a time. */
struct words {
        const char *at, *end;
};

/* The next word, or quoted text without its quotes; NULL at the end, or for what is neither. free() */
static char *next_word(struct words *w)
{
        const char *start;

        while (w->at < w->end && *w->at == ' ')
                w->at++;
        start = w->at;
        if (start == w->end)
                return NULL;
        if (*start == '"') {
                const char *close = memchr(start + 1, '"', (size_t)(w->end - start - 1));

                if (!close || memchr(start, '\\', (size_t)(close - start)))
                        return NULL;
                w->at = close + 1;
                return cor_strndup(start + 1, (size_t)(close - start - 1));
        }
        if (*start == '|') {
                w->at++;
                return cor_strdup("|");
        }
        while (w->at < w->end && *w->at != ' ' && *w->at != '|' && *w->at != '"')
                w->at++;
        return cor_strndup(start, (size_t)(w->at - start));
}

static const char *value_of(const struct cor_strv *list, const char *key)
{
        size_t n = strlen(key);

        for (size_t i = 0; list && i < list->n_items; i++)
                if (strncmp(list->items[i], key, n) == 0 && list->items[i][n] == '=')
                        return list->items[i] + n + 1;
        return "";
}

/* NULL: none that is known. free() */
static char *field(const char *word, const struct log_names *n)
{
        const char *image_id = strchr(n->image_id, ':') ? strchr(n->image_id, ':') + 1 : n->image_id;
        char hostname[256] = "";
        const struct {
                const char *field, *value;
                int digits;
        } fields[] = {
                { ".ID", n->id, 12 },
                { ".FullID", n->id, 64 },
                { ".ContainerID", n->id, 64 },
                { ".Name", n->name, 255 },
                { ".ImageID", image_id, 12 },
                { ".ImageFullID", n->image_id, 255 },
                { ".ContainerImageID", n->image_id, 255 },
                { ".ImageName", n->image, 4096 },
                { ".ContainerImageName", n->image, 4096 },
                { ".DaemonName", "coracle", 255 },
                { ".Hostname", hostname, 255 },
        };

        (void)!gethostname(hostname, sizeof hostname - 1);
        if (strcmp(word, ".ContainerName") == 0)
                return cor_printf("/%s", n->name);
        for (size_t i = 0; i < COR_COUNT(fields); i++)
                if (strcmp(fields[i].field, word) == 0)
                        return cor_strndup(fields[i].value, (size_t)fields[i].digits);
        return NULL;
}

static char *operand(struct words *w, const struct log_names *n)
{
        auto_str word = next_word(w);
        auto_str map = NULL;
        auto_str key = NULL;

        if (!word)
                return NULL;
        if (strcmp(word, "index") != 0)
                return field(word, n);
        map = next_word(w);
        key = next_word(w);
        return key && strcmp(map, ".ContainerLabels") == 0 ? cor_strdup(value_of(n->labels, key)) : NULL;
}

static bool change_case(char *value, const char *function)
{
        bool lower = strcmp(function, "lower") == 0;

        if (!lower && strcmp(function, "upper") != 0)
                return false;
        for (; *value; value++)
                *value = (char)(lower ? tolower((unsigned char)*value) : toupper((unsigned char)*value));
        return true;
}

/* What the action of @w makes; NULL if it is not understood. free() */
static char *run_action(struct words *w, const struct log_names *n)
{
        auto_str value = operand(w, n);

        while (value) {
                auto_str bar = next_word(w);
                auto_str function = bar ? next_word(w) : NULL;

                if (!bar)
                        return w->at == w->end ? COR_TAKE(value) : NULL;
                if (strcmp(bar, "|") != 0 || !function || !change_case(value, function))
                        return NULL;
        }
        return NULL;
}

/* Bytes of the action that @tag begins with; 0: none that is known */
static size_t take_action(const char *tag, const struct log_names *n, struct cor_text *out)
{
        const char *close = strstr(tag, "}}");
        struct words w = { tag + 2, close };
        auto_str value = close ? run_action(&w, n) : NULL;

        if (!value)
                return 0;
        cor_text_add(out, value);
        return (size_t)(close + 2 - tag);
}

int log_tag(const char *tag, const struct log_names *names, char **ret, struct cor_err *err)
{
        auto_text out = COR_TEXT_INIT;

        while (*tag) {
                size_t n = 1;

                if (!cor_starts_with(tag, "{{")) {
                        cor_text_add_c(&out, *tag);
                } else {
                        n = take_action(tag, names, &out);
                        if (n == 0)
                                return cor_fail(err, COR_INVALID,
                                                "log opt tag: '%.100s': expected {{.ID}}, {{.FullID}}, {{.Name}}, "
                                                "{{.ImageID}}, {{.ImageFullID}}, {{.ImageName}}, {{.DaemonName}}, "
                                                "{{.Hostname}} or {{index .ContainerLabels \"KEY\"}}",
                                                tag);
                }
                tag += n;
        }
        *ret = cor_text_take(&out);
        return 0;
}

#include "monitor/log_attrs.h"

#include "monitor/log_settings.h"
#include "monitor/log_tag.h"

#include <regex.h>
#include <string.h>

enum { PATTERN_MAX_BYTES = 1024, REPEATS_MAX = 1000 };

void log_attrs_done(struct log_attrs *a)
{
        for (size_t i = 0; i < a->n_items; i++) {
                free((char *)(uintptr_t)a->items[i].key);
                free((char *)(uintptr_t)a->items[i].value);
        }
        free(a->items);
        *a = (struct log_attrs){ 0 };
}

/* Takes @key; one that is there gets the new value. */
static void set(struct log_attrs *a, char *key, const char *value)
{
        for (size_t i = 0; i < a->n_items; i++)
                if (strcmp(a->items[i].key, key) == 0) {
                        free(key);
                        free((char *)(uintptr_t)a->items[i].value);
                        a->items[i].value = cor_strdup(value);
                        return;
                }
        *COR_GROW(a->items, a->n_items) = (struct cor_pair){ key, cor_strdup(value) };
}

static void add_named(struct log_attrs *a, const struct cor_strv *wanted, const struct cor_strv *from)
{
        for (size_t i = 0; i < wanted->n_items; i++)
                for (size_t k = 0; k < from->n_items; k++) {
                        size_t n = strlen(wanted->items[i]);

                        if (strncmp(from->items[k], wanted->items[i], n) == 0 && from->items[k][n] == '=')
                                set(a, cor_strdup(wanted->items[i]), from->items[k] + n + 1);
                }
}

/* --- patterns ----------------------------------------------------------------------------------------------------- */

/* One character of @p, or an escape, to POSIX's words; bytes that were read, 0 for what it has no words for */
static size_t translate_one(const char *p, bool in_brackets, struct cor_text *out)
{
        if (*p == '\\' && p[1] == 'd')
                cor_text_add(out, in_brackets ? "0-9" : "[0-9]");
        else if (*p == '\\' && p[1] == 'D' && !in_brackets)
                cor_text_add(out, "[^0-9]");
        else if (*p == '\\' && p[1] && strchr("wWsSbB", p[1]) && !in_brackets)
                cor_text_printf(out, "\\%c", p[1]);
        else if (*p == '\\' && p[1] && strchr("\\.+*?()|[]{}^$-/_", p[1]))
                cor_text_printf(out, in_brackets ? "%c" : "\\%c", p[1]);
        else if (*p == '\\')
                return 0;
        else if (p[0] == '(' && p[1] == '?' && !in_brackets) {
                if (p[2] != ':')
                        return 0;
                cor_text_add_c(out, '(');
                return 3;
        } else {
                cor_text_add_c(out, *p);
                return 1;
        }
        return 2;
}

/* glibc takes a copy of the automaton for each repeat. */
static bool has_large_repeat(const char *p)
{
        unsigned long product = 1;

        for (p = strchr(p, '{'); p; p = strchr(p + 1, '{')) {
                char *end;
                unsigned long low = strtoul(p + 1, &end, 10), high = *end == ',' ? strtoul(end + 1, NULL, 10) : low;

                product *= low > high ? low + 1 : high + 1;
                if (low > REPEATS_MAX || high > REPEATS_MAX || product > REPEATS_MAX)
                        return true;
        }
        return false;
}

static int compile(const char *pattern, regex_t *ret)
{
        auto_text out = COR_TEXT_INIT;
        int flags = REG_EXTENDED | REG_NOSUB;
        bool in_brackets = false;

        if (strlen(pattern) > PATTERN_MAX_BYTES || has_large_repeat(pattern))
                return -1;
        if (cor_starts_with(pattern, "(?i)")) {
                flags |= REG_ICASE;
                pattern += 4;
        }
        cor_text_add(&out, "");
        while (*pattern) {
                size_t n = translate_one(pattern, in_brackets, &out);

                if (n == 0)
                        return -1;
                if (n == 1 && *pattern == '[')
                        in_brackets = true;
                else if (n == 1 && *pattern == ']')
                        in_brackets = false;
                pattern += n;
        }
        return regcomp(ret, out.s, flags) == 0 ? 0 : -1;
}

int log_pattern_check(const char *option, const char *pattern, struct cor_err *err)
{
        regex_t regex;

        if (compile(pattern, &regex) < 0)
                return cor_fail(err, COR_INVALID, "log opt %s: '%.100s': not a regular expression that is understood",
                                option, pattern);
        regfree(&regex);
        return 0;
}

static int add_matching(struct log_attrs *a, const char *option, const char *pattern, const struct cor_strv *from,
                        struct cor_err *err)
{
        regex_t regex;

        if (!pattern || !*pattern)
                return 0;
        if (compile(pattern, &regex) < 0)
                return log_pattern_check(option, pattern, err);
        for (size_t i = 0; i < from->n_items; i++) {
                const char *equals = strchr(from->items[i], '=');
                auto_str key = equals ? cor_strndup(from->items[i], (size_t)(equals - from->items[i])) : NULL;

                if (key && regexec(&regex, key, 0, NULL, 0) == 0)
                        set(a, COR_TAKE(key), equals + 1);
        }
        regfree(&regex);
        return 0;
}

/* --- all of it ---------------------------------------------------------------------------------------------------- */

int log_attrs_tag(const struct log_options *o, const struct log_settings *s, const char *standard, char **ret,
                  struct cor_err *err)
{
        const struct log_names names = {
                .id = o->id, .name = o->name, .image = o->image, .image_id = o->image_id, .labels = o->labels
        };

        return log_tag(s->tag && *s->tag ? s->tag : standard, &names, ret, err);
}

static int by_key(const void *a, const void *b)
{
        const struct cor_pair *x = a, *y = b;

        return strcmp(x->key, y->key);
}

int log_attrs_make(const struct log_options *o, const struct log_settings *s, bool with_tag, struct log_attrs *ret,
                   struct cor_err *err)
{
        auto_log_attrs a = { 0 };
        auto_str tag = NULL;

        add_named(&a, &s->labels, o->labels);
        if (add_matching(&a, "labels-regex", s->labels_regex, o->labels, err) < 0)
                return -1;
        add_named(&a, &s->env, o->env);
        if (add_matching(&a, "env-regex", s->env_regex, o->env, err) < 0)
                return -1;
        if (with_tag && log_attrs_tag(o, s, "", &tag, err) < 0)
                return -1;
        if (tag && *tag)
                set(&a, cor_strdup("tag"), tag);
        if (a.n_items)
                qsort(a.items, a.n_items, sizeof *a.items, by_key);
        *ret = a;
        a = (struct log_attrs){ 0 };
        return 0;
}

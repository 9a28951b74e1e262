/* Finding options in a command line; what is done with their values is option_value.c. */
#include "cli/option.h"

#include "base/alloc.h"
#include "cli/suggest.h"

#include <string.h>

const struct option options_common[OPTIONS_N_COMMON] = {
        OPTION_ROW_ASK("help", 'h', HELP, 0, "Show what can be given here, and end"),
        OPTION_ROW_ASK("usage", 0, USAGE, OPTION_HIDDEN, "Show the same in a line, and end"),
};

/* Walks over the words of a command line, gathering those that are no options at the beginning. */
struct walk {
        const struct option_set *set;
        char **argv;
        size_t n, next, n_left;
        void *into;
};

static const struct option *row(const struct option_set *set, size_t i)
{
        if (i < set->n_items)
                return &set->items[i];
        i -= set->n_items;
        return i < OPTIONS_N_COMMON ? &options_common[i] : NULL;
}

static const struct option *find_letter(const struct option_set *set, char letter)
{
        const struct option *o;

        if (letter == '?' && set->dialect != OPTION_DIALECT_PFLAG)
                letter = 'h';
        else if (letter == 'V' && set->dialect != OPTION_DIALECT_PFLAG)
                letter = 'v';
        for (size_t i = 0; (o = row(set, i)) != NULL; i++)
                if (o->letter == letter)
                        return o;
        return NULL;
}

/* The row named by the first @len bytes of @name, or, if @shortened, the only one that starts so. */
static int find_name(const struct option_set *set, const char *name, size_t len, bool shortened,
                     const struct option **ret, struct cor_err *err)
{
        const struct option *o, *found = NULL;

        *ret = NULL;
        for (size_t i = 0; len > 0 && (o = row(set, i)) != NULL; i++) {
                if (strncmp(o->name, name, len) != 0)
                        continue;
                if (o->name[len] == '\0') {
                        *ret = o;
                        return 0;
                }
                if (!shortened)
                        continue;
                if (found)
                        return cor_fail(err, COR_INVALID, "option --%.*s is not clear: --%s or --%s?", (int)len, name,
                                        found->name, o->name);
                found = o;
        }
        *ret = found;
        return 0;
}

/* In docker's words, and with a name that looks like it */
static int unknown_flag(const struct option_set *set, const char *word, struct cor_err *err)
{
        auto_str name = cor_strndup(word, strcspn(word, "="));
        struct suggest s = SUGGEST_INIT(name + 2);
        const struct option *o;

        for (size_t i = 0; (o = row(set, i)) != NULL; i++)
                if (!(o->flags & OPTION_HIDDEN))
                        suggest_offer(&s, o->name);
        if (s.best)
                return cor_fail(err, COR_INVALID, "unknown flag: %s\n\nDid you mean --%s?", name, s.best);
        return cor_fail(err, COR_INVALID, "unknown flag: %s", name);
}

/* @letter: the one in @word that is unknown, or NULL */
static int unknown(const struct option_set *set, const char *word, const char *letter, struct cor_err *err)
{
        if (set->dialect == OPTION_DIALECT_PFLAG && letter)
                return cor_fail(err, COR_INVALID, "unknown shorthand flag: '%c' in -%s", *letter, letter);
        if (set->dialect == OPTION_DIALECT_PFLAG)
                return unknown_flag(set, word, err);
        return cor_fail(err, COR_INVALID, "unknown option %.*s", (int)strcspn(word, "="), word);
}

/* Store @o, its value being @attached or, if it needs one, the next word. */
static int take(struct walk *w, const struct option *o, const char *attached, struct cor_err *err)
{
        if (!attached && option_takes_value(o)) {
                if (w->next >= w->n && w->set->dialect == OPTION_DIALECT_PFLAG)
                        return cor_fail(err, COR_INVALID, "flag needs an argument: --%s", o->name);
                if (w->next >= w->n)
                        return cor_fail(err, COR_INVALID, "option --%s needs a value (%s)", o->name, o->value);
                attached = w->argv[w->next++];
        }
        return option_store(o, attached, w->into, err);
}

/* -n VALUE, -nVALUE, -abc */
static int take_letters(struct walk *w, const char *word, struct cor_err *err)
{
        bool equals_is_value = w->set->dialect == OPTION_DIALECT_ARGP;

        for (const char *c = word + 1; *c; c++) {
                const struct option *o = find_letter(w->set, *c);
                int r;

                if (!o)
                        return unknown(w->set, word, c, err);
                if (c[1] && (option_takes_value(o) || c[1] == '='))
                        return take(w, o, c[1] == '=' && !(equals_is_value && option_takes_value(o)) ? c + 2 : c + 1,
                                    err);
                r = take(w, o, NULL, err);
                if (r != 0)
                        return r;
        }
        return 0;
}

static int take_option(struct walk *w, const char *word, struct cor_err *err)
{
        bool two = word[1] == '-', pflag = w->set->dialect == OPTION_DIALECT_PFLAG;
        bool shortened = two && w->set->dialect != OPTION_DIALECT_GO && !pflag;
        const char *name = word + (two ? 2 : 1);
        const char *equals = strchr(name, '=');
        size_t len = equals ? (size_t)(equals - name) : strlen(name);
        const struct option *o = NULL;

        if (!two && w->set->dialect == OPTION_DIALECT_ARGP && find_letter(w->set, *name))
                return take_letters(w, word, err);
        if ((two || (len > 1 && !pflag)) && find_name(w->set, name, len, shortened, &o, err) < 0)
                return -1;
        if (!o && two && len == 1 && !pflag) /* Go: --e is -e */
                o = find_letter(w->set, *name);
        if (o)
                return take(w, o, equals ? equals + 1 : NULL, err);
        return two ? unknown(w->set, word, NULL, err) : take_letters(w, word, err);
}

int options_parse(const struct option_set *set, char **argv, size_t n, void *into, size_t *ret_left,
                  struct cor_err *err)
{
        struct walk w = { .set = set, .argv = argv, .n = n, .into = into };
        int r = 0;

        while (w.next < n && r == 0) {
                char *word = argv[w.next++];

                if (strcmp(word, "--") == 0)
                        break;
                if (word[0] == '-' && word[1]) {
                        r = take_option(&w, word, err);
                } else {
                        argv[w.n_left++] = word;
                        if (set->in_order)
                                break;
                }
        }
        if (r < 0)
                return -1;
        while (w.next < n)
                argv[w.n_left++] = argv[w.next++];
        *ret_left = w.n_left;
        return r;
}

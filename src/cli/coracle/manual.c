/* The lists of coracle(1), in mdoc(7). `completion manual` prints them; a test compares docs/man. */
#include "cli/coracle/help.h"

#include <string.h>

/* Text as a line of its own: nothing in it is a request, and a backslash is one */
static void add_line(const char *s, struct cor_text *out)
{
        if (*s == '.' || *s == '\'')
                cor_text_add(out, "\\&");
        for (; *s; s++)
                cor_text_add(out, *s == '\\' ? "\\e" : (char[]){ *s, '\0' });
        cor_text_add(out, ".\n");
}

static void add_options(const struct option *items, size_t n, struct cor_text *out)
{
        if (n == 0)
                return;
        cor_text_add(out, ".Bl -tag -width Ds\n");
        for (size_t i = 0; i < n; i++) {
                if (items[i].flags & OPTION_HIDDEN)
                        continue;
                cor_text_add(out, ".It");
                if (items[i].letter)
                        cor_text_printf(out, " Fl %c ,", items[i].letter);
                cor_text_printf(out, " Fl Fl %s", items[i].name);
                if (option_takes_value(&items[i]))
                        cor_text_printf(out, " Ar %s", items[i].value);
                cor_text_add_c(out, '\n');
                add_line(items[i].help, out);
        }
        cor_text_add(out, ".El\n");
}

static bool is_first(const struct verb_place *p)
{
        for (const struct verb_place *o = verb_places; o < p; o++)
                if (o->verb == p->verb)
                        return false;
        return true;
}

/* "images, image ls, image list" */
static void add_names(const struct verb *v, struct cor_text *out)
{
        bool any = false;

        for (size_t i = 0; i < verb_n_places; i++) {
                const struct verb_place *p = &verb_places[i];

                if (p->verb != v)
                        continue;
                cor_text_printf(out, "%s%s%s%s", any ? ", " : "", p->group, p->group[0] ? " " : "", p->name);
                if (p->alias[0])
                        cor_text_printf(out, ", %s %s", p->group, p->alias);
                any = true;
        }
}

static void add_verb(const struct verb *v, struct cor_text *out)
{
        cor_text_add(out, ".Ss ");
        add_names(v, out);
        cor_text_printf(out, "%s%s%s\n", v->n_options > 0 ? " [OPTIONS]" : "", v->arguments[0] ? " " : "",
                        v->arguments);
        add_line(v->summary, out);
        add_options(v->options, v->n_options, out);
}

void manual_print(struct cor_text *out)
{
        cor_text_add(out, ".Sh GLOBAL OPTIONS\nThey stand before the command.\n");
        add_options(globals_options, globals_n_options, out);
        cor_text_add(out, ".Sh COMMANDS\nEach knows\n.Fl Fl help ,\ntoo.\n");
        for (size_t i = 0; i < verb_n_places; i++)
                if (is_first(&verb_places[i]))
                        add_verb(verb_places[i].verb, out);
}

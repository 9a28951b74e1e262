#include "cli/coracle/help.h"

#include <stdio.h>
#include <string.h>

enum { HELP_WIDTH = 80 };

/* Of "  -f, --filter filter" */
static size_t spelling_width(const struct option *o)
{
        return strlen("  -f, --") + strlen(o->name) + (o->value[0] ? 1 + strlen(o->value) : 0);
}

/* The text from @column on, broken between words */
static void add_wrapped(const char *s, size_t column, struct cor_text *out)
{
        size_t used = column;

        while (*s) {
                size_t n = strcspn(s, " ");

                if (used > column && used + 1 + n > HELP_WIDTH) {
                        cor_text_printf(out, "\n%*s", (int)column, "");
                        used = column;
                } else if (used > column) {
                        cor_text_add_c(out, ' ');
                        used++;
                }
                cor_text_add_n(out, s, n);
                used += n;
                s += n + strspn(s + n, " ");
        }
        cor_text_add_c(out, '\n');
}

static void add_options(const char *title, const struct option *items, size_t n, struct cor_text *out)
{
        size_t width = 0, shown = 0;

        for (size_t i = 0; i < n; i++)
                if (!(items[i].flags & OPTION_HIDDEN)) {
                        width = spelling_width(&items[i]) > width ? spelling_width(&items[i]) : width;
                        shown++;
                }
        if (shown == 0)
                return;
        cor_text_printf(out, "\n%s:\n", title);
        for (size_t i = 0; i < n; i++) {
                const struct option *o = &items[i];

                if (o->flags & OPTION_HIDDEN)
                        continue;
                if (o->letter)
                        cor_text_printf(out, "  -%c, --%s", o->letter, o->name);
                else
                        cor_text_printf(out, "      --%s", o->name);
                cor_text_printf(out, "%s%s%*s", o->value[0] ? " " : "", o->value, (int)(width - spelling_width(o) + 3),
                                "");
                add_wrapped(o->help, width + 3, out);
        }
}

void help_usage(const struct verb_place *p, struct cor_text *out)
{
        auto_str path = verb_path(p);

        cor_text_printf(out, "Usage:  %s%s%s%s\n", path, p->verb->n_options > 0 ? " [OPTIONS]" : "",
                        p->verb->arguments[0] ? " " : "", p->verb->arguments);
}

/* All places of the verb, if it has more than one name */
static void add_aliases(const struct verb_place *p, struct cor_text *out)
{
        size_t n = 0;

        for (size_t i = 0; i < verb_n_places; i++)
                if (verb_places[i].verb == p->verb)
                        n += verb_places[i].alias[0] ? 2 : 1;
        if (n < 2)
                return;
        cor_text_add(out, "\nAliases:\n  ");
        for (size_t i = 0, shown = 0; i < verb_n_places; i++) {
                const struct verb_place *o = &verb_places[i];
                auto_str path = verb_path(o);

                if (o->verb != p->verb)
                        continue;
                cor_text_printf(out, "%s%s", shown++ > 0 ? ", " : "", path);
                if (o->alias[0])
                        cor_text_printf(out, ", coracle %s %s", o->group, o->alias);
        }
        cor_text_add_c(out, '\n');
}

void help_verb(const struct verb_place *p, struct cor_text *out)
{
        help_usage(p, out);
        cor_text_printf(out, "\n%s\n", p->verb->summary);
        add_aliases(p, out);
        add_options("Options", p->verb->options, p->verb->n_options, out);
}

static void add_verbs(const char *group, struct cor_text *out)
{
        for (size_t i = 0; i < verb_n_places; i++)
                if (strcmp(verb_places[i].group, group) == 0)
                        cor_text_printf(out, "  %-11s %s\n", verb_places[i].name, verb_places[i].verb->summary);
}

void help_group(const struct verb_group *g, struct cor_text *out)
{
        cor_text_printf(out, "Usage:  coracle %s COMMAND\n\n%s\n\nCommands:\n", g->name, g->summary);
        add_verbs(g->name, out);
        cor_text_printf(out, "\nRun 'coracle %s COMMAND --help' for more information on a command.\n", g->name);
}

void help_program(struct cor_text *out)
{
        cor_text_add(out, "Usage:  coracle [OPTIONS] COMMAND\n\nContainers and their images, without a daemon\n"
                          "\nManagement Commands:\n");
        for (size_t i = 0; i < verb_n_groups; i++)
                cor_text_printf(out, "  %-11s %s\n", verb_groups[i].name, verb_groups[i].summary);
        cor_text_add(out, "\nCommands:\n");
        add_verbs("", out);
        add_options("Global Options", globals_options, globals_n_options, out);
        cor_text_add(out, "\nRun 'coracle COMMAND --help' for more information on a command.\n");
}

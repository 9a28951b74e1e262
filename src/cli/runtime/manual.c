/* The option lists of coracle-runtime(8), in mdoc(7). `completion manual` prints them; a test compares docs/man. */
#include "cli/runtime/help.h"

#include "cli/runtime/globals.h"

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

static void add_option(const struct option *o, struct cor_text *out)
{
        cor_text_add(out, ".It");
        if (o->letter)
                cor_text_printf(out, " Fl %c ,", o->letter);
        cor_text_printf(out, " Fl Fl %s", o->name);
        if (option_takes_value(o))
                cor_text_printf(out, " Ar %s", o->value);
        cor_text_add_c(out, '\n');
        add_line(o->help, out);
}

static void add_options(const struct option *items, size_t n, struct cor_text *out)
{
        for (size_t i = 0; i < n; i++)
                add_option(&items[i], out);
}

static void add_command(const struct command *c, struct cor_text *out)
{
        cor_text_printf(out, ".Ss %s%s%s%s\n", c->name, c->n_options > 0 ? " [OPTION...]" : "",
                        c->arguments[0] ? " " : "", c->arguments);
        add_line(c->summary, out);
        if (c->n_options == 0)
                return;
        cor_text_add(out, ".Bl -tag -width Ds\n");
        add_options(c->options, c->n_options, out);
        cor_text_add(out, ".El\n");
}

void manual_print(struct cor_text *out)
{
        cor_text_add(out, ".Sh GLOBAL OPTIONS\nThey stand before the command.\n.Bl -tag -width Ds\n");
        add_options(globals_options, globals_n_options, out);
        add_options(options_common, OPTIONS_N_COMMON, out);
        cor_text_add(out, ".El\n.Sh COMMANDS\nEach knows\n.Fl Fl help ,\ntoo.\n");
        for (size_t i = 0; commands[i]; i++)
                if (!(commands[i]->flags & COMMAND_HIDDEN))
                        add_command(commands[i], out);
}

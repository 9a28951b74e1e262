/* The option lists of coracle-runtime(8). `completion manual` prints them; docs/man holds them, and a test compares. */
#include "cli/help.h"

#include "cli/globals.h"

#include <string.h>

/* Text for roff: a minus that is one when copied, and no line that starts as a request */
static void add_roff(const char *s, struct cor_text *out)
{
        for (; *s; s++) {
                if (*s == '\\')
                        cor_text_add(out, "\\e");
                else if (*s == '-')
                        cor_text_add(out, "\\-");
                else if (*s == '`')
                        cor_text_add(out, "\\(aq");
                else
                        cor_text_add_c(out, *s);
        }
}

static void add_option(const struct option *o, struct cor_text *out)
{
        cor_text_add(out, ".TP\n");
        if (o->letter)
                cor_text_printf(out, "\\fB\\-%c\\fR, ", o->letter);
        cor_text_add(out, "\\fB\\-\\-");
        add_roff(o->name, out);
        cor_text_add(out, "\\fR");
        if (option_takes_value(o)) {
                cor_text_add(out, " \\fI");
                add_roff(o->value, out);
                cor_text_add(out, "\\fR");
        }
        cor_text_add_c(out, '\n');
        add_roff(o->help, out);
        cor_text_add(out, ".\n");
}

static void add_options(const struct option *items, size_t n, struct cor_text *out)
{
        for (size_t i = 0; i < n; i++)
                add_option(&items[i], out);
}

static void add_command(const struct command *c, struct cor_text *out)
{
        cor_text_printf(out, ".SS %s", c->name);
        cor_text_add(out, c->n_options > 0 ? " [OPTION...]" : "");
        if (c->arguments[0])
                cor_text_printf(out, " %s", c->arguments);
        cor_text_add_c(out, '\n');
        add_roff(c->summary, out);
        cor_text_add(out, ".\n");
        add_options(c->options, c->n_options, out);
}

void manual_print(struct cor_text *out)
{
        cor_text_add(out, ".SH GLOBAL OPTIONS\n");
        add_options(globals_options, globals_n_options, out);
        add_options(options_common, OPTIONS_N_COMMON, out);
        cor_text_add(out, ".SH COMMANDS\n");
        for (size_t i = 0; commands[i]; i++)
                if (!(commands[i]->flags & COMMAND_HIDDEN))
                        add_command(commands[i], out);
}

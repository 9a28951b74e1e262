#include "cli/runtime/help.h"

#include "cli/runtime/globals.h"
#include "cli/runtime/program.h"

#include <string.h>

enum { OPTION_WIDTH = 34 };

static void add_option(const struct option *o, struct cor_text *out)
{
        size_t start = out->len;

        if (o->flags & OPTION_HIDDEN)
                return;
        if (o->letter)
                cor_text_printf(out, "  -%c, --%s", o->letter, o->name);
        else
                cor_text_printf(out, "      --%s", o->name);
        if (option_takes_value(o))
                cor_text_printf(out, " %s", o->value);
        if (out->len - start + 2 > OPTION_WIDTH) {
                cor_text_add_c(out, '\n');
                start = out->len;
        }
        cor_text_printf(out, "%*s%s\n", (int)(OPTION_WIDTH - (out->len - start)), "", o->help);
}

static void add_options(const char *title, const struct option *items, size_t n, struct cor_text *out)
{
        cor_text_printf(out, "\n%s:\n", title);
        for (size_t i = 0; i < n; i++)
                add_option(&items[i], out);
        for (size_t i = 0; i < OPTIONS_N_COMMON; i++)
                add_option(&options_common[i], out);
}

void help_usage(const struct command *c, struct cor_text *out)
{
        cor_text_printf(out, "usage: %s", program_name());
        if (c)
                cor_text_printf(out, " %s%s%s%s\n", c->name, c->n_options > 0 ? " [OPTION...]" : "",
                                c->arguments[0] ? " " : "", c->arguments);
        else
                cor_text_add(out, " [OPTION...] COMMAND [OPTION...] [ARGUMENT...]\n");
}

void help_command(const struct command *c, struct cor_text *out)
{
        help_usage(c, out);
        cor_text_printf(out, "\n%s.\n", c->summary);
        add_options("Options", c->options, c->n_options, out);
}

void help_program(struct cor_text *out)
{
        help_usage(NULL, out);
        cor_text_add(out, "\nRun containers described by the Open Container Initiative's runtime specification.\n"
                          "\nCommands:\n");
        for (size_t i = 0; commands[i]; i++)
                if (!(commands[i]->flags & COMMAND_HIDDEN))
                        cor_text_printf(out, "  %-12s %s\n", commands[i]->name, commands[i]->summary);
        add_options("Options", globals_options, globals_n_options, out);
        cor_text_printf(out, "\n`%s COMMAND --help` says more about a command.\n", program_name());
}

/*
 * Completion scripts. Each is a list of what the tables know (commands, their options, what an option's value is) and a
 * few lines of shell that look it up. Container ids are asked of the program itself: `list --quiet`.
 */
#include "cli/runtime/help.h"

#include "cli/runtime/globals.h"
#include "cli/runtime/program.h"

#include <stdio.h>
#include <string.h>

static void add_option_words(const struct option *items, size_t n, struct cor_text *out)
{
        for (size_t i = 0; i < n; i++) {
                if (items[i].flags & OPTION_HIDDEN)
                        continue;
                cor_text_printf(out, " --%s", items[i].name);
                if (items[i].letter)
                        cor_text_printf(out, " -%c", items[i].letter);
        }
}

/* "--root=dir --log=file --log-format=text|json": what follows an option; "any" if nothing is known about it */
static void add_option_values(const struct option *items, size_t n, struct cor_text *out)
{
        for (size_t i = 0; i < n; i++) {
                const struct option *o = &items[i];
                const char *kind = o->type == OPTION_WORD   ? o->value
                                   : o->flags & OPTION_DIR  ? "dir"
                                   : o->flags & OPTION_FILE ? "file"
                                                            : "any";

                if ((o->flags & OPTION_HIDDEN) || !option_takes_value(o))
                        continue;
                cor_text_printf(out, " --%s=%s", o->name, kind);
                if (o->letter)
                        cor_text_printf(out, " -%c=%s", o->letter, kind);
        }
}

static void add_command_names(struct cor_text *out)
{
        for (size_t i = 0; commands[i]; i++)
                if (!(commands[i]->flags & COMMAND_HIDDEN))
                        cor_text_printf(out, " %s", commands[i]->name);
}

/* "add|remove CONTAINER": the words to choose from, " add remove"; nothing if there is no choice */
static void add_choices(const char *arguments, struct cor_text *out)
{
        size_t n = strcspn(arguments, " ");

        if (!memchr(arguments, '|', n))
                return;
        cor_text_add_c(out, ' ');
        for (size_t i = 0; i < n; i++)
                cor_text_add_c(out, arguments[i] == '|' ? ' ' : arguments[i]);
}

/* bash and zsh (by its bashcompinit) share one script: two case tables, options and values of each command. */
static void add_case(const char *name, const struct option *items, size_t n, const char *arguments,
                     struct cor_text *out)
{
        cor_text_printf(out, "        %s)\n                options=\"", name);
        add_option_words(items, n, out);
        add_option_words(options_common, OPTIONS_N_COMMON, out);
        cor_text_add(out, "\"\n                values=\"");
        add_option_values(items, n, out);
        cor_text_add(out, " \"\n                choices=\"");
        add_choices(arguments, out);
        cor_text_add(out, "\"\n                ;;\n");
}

/* clang-format off: lines of a script */
static const char bash_head[] =
        "_coracle_runtime() {\n"
        "        local cur=${COMP_WORDS[COMP_CWORD]} prev= command= first= root=() options values choices kind i word\n"
        "        COMPREPLY=()\n";

/* Which command is it, and which word stands before the one to complete? */
static const char bash_find[] = "        for ((i = 1; i < COMP_CWORD; i++)); do\n"
                                "                word=${COMP_WORDS[i]} prev=$word\n"
                                "                if [[ -n $command ]]; then\n"
                                "                        [[ $word == -* ]] || first=$word\n"
                                "                elif [[ $word != -* ]]; then\n"
                                "                        command=$word\n"
                                "                elif [[ $values == *\" $word=\"* ]] && ((i + 1 < COMP_CWORD)); then\n"
                                "                        ((++i))\n"
                                "                        [[ $word != --root ]] || root=(--root \"${COMP_WORDS[i]}\")\n"
                                "                        prev=\n"
                                "                fi\n"
                                "        done\n";

static const char bash_tail[] = "        if [[ $prev == -* && $values == *\" $prev=\"* ]]; then\n"
                                "                kind=${values#*\" $prev=\"}\n"
                                "                kind=${kind%% *}\n"
                                "                case $kind in\n"
                                "                dir) COMPREPLY=($(compgen -d -- \"$cur\")) ;;\n"
                                "                file) COMPREPLY=($(compgen -f -- \"$cur\")) ;;\n"
                                "                any) ;;\n"
                                "                *) COMPREPLY=($(compgen -W \"${kind//|/ }\" -- \"$cur\")) ;;\n"
                                "                esac\n"
                                "        elif [[ $cur == -* ]]; then\n"
                                "                COMPREPLY=($(compgen -W \"$options\" -- \"$cur\"))\n"
                                "        elif [[ -z $command ]]; then\n"
                                "                COMPREPLY=($(compgen -W \"$commands\" -- \"$cur\"))\n"
                                "        elif [[ -n $choices && -z $first ]]; then\n"
                                "                COMPREPLY=($(compgen -W \"$choices\" -- \"$cur\"))\n"
                                "        elif [[ \" $takes_container \" == *\" $command \"* ]]; then\n"
                                "                word=$(\"${COMP_WORDS[0]}\" \"${root[@]}\" list --quiet 2>/dev/null)\n"
                                "                COMPREPLY=($(compgen -W \"$word\" -- \"$cur\"))\n"
                                "        fi\n"
                                "}\n"
                                "complete -o filenames -F _coracle_runtime coracle-runtime\n";
/* clang-format on */

static void add_takers(struct cor_text *out)
{
        for (size_t i = 0; commands[i]; i++)
                if (strstr(commands[i]->arguments, "CONTAINER"))
                        cor_text_printf(out, " %s", commands[i]->name);
}

static void print_bash(struct cor_text *out)
{
        cor_text_add(out, bash_head);
        cor_text_add(out, "        local commands=\"");
        add_command_names(out);
        cor_text_add(out, "\" takes_container=\"");
        add_takers(out);
        cor_text_add(out, "\"\n        values=\"");
        add_option_values(globals_options, globals_n_options, out);
        cor_text_add(out, " \"\n");
        cor_text_add(out, bash_find);
        cor_text_add(out, "        case $command in\n");
        add_case("''", globals_options, globals_n_options, "", out);
        for (size_t i = 0; commands[i]; i++)
                add_case(commands[i]->name, commands[i]->options, commands[i]->n_options, commands[i]->arguments, out);
        cor_text_add(out, "        esac\n");
        cor_text_add(out, bash_tail);
}

static void print_zsh(struct cor_text *out)
{
        cor_text_add(out, "#compdef coracle-runtime\nautoload -U +X bashcompinit && bashcompinit\n");
        print_bash(out);
}

static void add_fish_quoted(const char *s, struct cor_text *out)
{
        cor_text_add_c(out, '\'');
        for (; *s; s++) {
                if (*s == '\'' || *s == '\\')
                        cor_text_add_c(out, '\\');
                cor_text_add_c(out, *s);
        }
        cor_text_add_c(out, '\'');
}

static void add_fish_options(const char *condition, const struct option *items, size_t n, struct cor_text *out)
{
        for (size_t i = 0; i < n; i++) {
                const struct option *o = &items[i];

                if (o->flags & OPTION_HIDDEN)
                        continue;
                cor_text_printf(out, "complete -c coracle-runtime -n '%s' -l %s", condition, o->name);
                if (o->letter)
                        cor_text_printf(out, " -s %c", o->letter);
                if (o->type == OPTION_WORD) {
                        cor_text_add(out, " -x -a '");
                        for (const char *c = o->value; *c; c++)
                                cor_text_add_c(out, *c == '|' ? ' ' : *c);
                        cor_text_add_c(out, '\'');
                } else if (option_takes_value(o)) {
                        cor_text_add(out, o->flags & OPTION_DIR    ? " -x -a '(__fish_complete_directories)'"
                                          : o->flags & OPTION_FILE ? " -r -F"
                                                                   : " -x");
                }
                cor_text_add(out, " -d ");
                add_fish_quoted(o->help, out);
                cor_text_add_c(out, '\n');
        }
}

static void add_fish_choices(const char *condition, const char *arguments, struct cor_text *out)
{
        auto_text choices = COR_TEXT_INIT;

        add_choices(arguments, &choices);
        if (choices.len > 0)
                cor_text_printf(out, "complete -c coracle-runtime -n '%s' -a '%s'\n", condition, choices.s + 1);
}

static void print_fish(struct cor_text *out)
{
        cor_text_add(out, "complete -c coracle-runtime -f\n");
        add_fish_options("__fish_use_subcommand", globals_options, globals_n_options, out);
        for (size_t i = 0; commands[i]; i++) {
                const struct command *c = commands[i];
                char condition[64];

                if (c->flags & COMMAND_HIDDEN)
                        continue;
                cor_text_printf(out, "complete -c coracle-runtime -n __fish_use_subcommand -a %s -d ", c->name);
                add_fish_quoted(c->summary, out);
                cor_text_add_c(out, '\n');
                snprintf(condition, sizeof condition, "__fish_seen_subcommand_from %s", c->name);
                add_fish_options(condition, c->options, c->n_options, out);
                add_fish_choices(condition, c->arguments, out);
                if (strstr(c->arguments, "CONTAINER"))
                        cor_text_printf(
                                out, "complete -c coracle-runtime -n '%s' -a '(coracle-runtime list -q 2>/dev/null)'\n",
                                condition);
        }
        add_fish_options("true", options_common, OPTIONS_N_COMMON, out);
}

int completion_print(const char *shell, struct cor_text *out, struct cor_err *err)
{
        if (strcmp(shell, "bash") == 0)
                print_bash(out);
        else if (strcmp(shell, "zsh") == 0)
                print_zsh(out);
        else if (strcmp(shell, "fish") == 0)
                print_fish(out);
        else
                return cor_fail(err, COR_INVALID, "no completions for %s: expected bash, zsh or fish", shell);
        return 0;
}

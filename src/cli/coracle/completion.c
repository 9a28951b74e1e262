/*
 * Completion. The scripts ask the program itself what may come next (`completion words -- WORD...`), so that the
 * grammar is read in one place, and names of images come from the store. An answer that begins with a colon is for the
 * script.
 */
#include "cli/coracle/help.h"

#include "image/reference.h"
#include "store/container.h"
#include "store/network.h"
#include "store/volume.h"

#include <ctype.h>
#include <string.h>
#include <unistd.h>

/* clang-format off: scripts */
static const char bash_script[] =
        "_coracle() {\n"
        "        local IFS=$' \\t\\n' words cur line=${COMP_LINE:0:COMP_POINT}\n"
        "        read -ra words <<<\"$line\"\n"
        "        [[ $line != *[[:space:]] ]] || words+=(\"\")\n"
        "        cur=${words[${#words[@]}-1]}\n"
        "        IFS=$'\\n'\n"
        "        COMPREPLY=($(\"${words[0]}\" completion words -- \"${words[@]:1}\" 2>/dev/null))\n"
        "        case ${COMPREPLY[0]} in\n"
        "        :files) COMPREPLY=($(compgen -f -- \"$cur\")) ;;\n"
        "        :dirs) COMPREPLY=($(compgen -d -- \"$cur\")) ;;\n"
        "        esac\n"
        "        # a colon ends a word for bash: what stands before it is not to be given again\n"
        "        if [[ $cur == *:* && $COMP_WORDBREAKS == *:* ]]; then\n"
        "                COMPREPLY=(\"${COMPREPLY[@]#\"${cur%\"${cur##*:}\"}\"}\")\n"
        "        fi\n"
        "}\n"
        "complete -o filenames -F _coracle coracle\n";

static const char zsh_script[] =
        "#compdef coracle\n"
        "_coracle() {\n"
        "        local -a found\n"
        "        found=(\"${(@f)$(\"${words[1]}\" completion words -- \"${(@)words[2,CURRENT]}\" 2>/dev/null)}\")\n"
        "        case $found[1] in\n"
        "        :files) _files ;;\n"
        "        :dirs) _files -/ ;;\n"
        "        ?*) compadd -- \"${found[@]}\" ;;\n"
        "        esac\n"
        "}\n"
        "if [[ $funcstack[1] == _coracle ]]; then _coracle \"$@\"; else compdef _coracle coracle; fi\n";

static const char fish_script[] =
        "function __coracle_complete\n"
        "        set -l cur (commandline -ct)\n"
        "        set -l before (commandline -opc)\n"
        "        set -l found ($before[1] completion words -- $before[2..-1] $cur 2>/dev/null)\n"
        "        switch \"$found[1]\"\n"
        "        case :files\n"
        "                __fish_complete_path $cur\n"
        "        case :dirs\n"
        "                __fish_complete_directories $cur\n"
        "        case '*'\n"
        "                printf '%s\\n' $found\n"
        "        end\n"
        "end\n"
        "complete -c coracle -f -a '(__coracle_complete)'\n";
/* clang-format on */

int completion_print(const char *shell, struct cor_text *out, struct cor_err *err)
{
        const char *script = strcmp(shell, "bash") == 0   ? bash_script
                             : strcmp(shell, "zsh") == 0  ? zsh_script
                             : strcmp(shell, "fish") == 0 ? fish_script
                                                          : NULL;

        if (!script)
                return cor_fail(err, COR_INVALID, "no completions for %s: expected bash, zsh or fish", shell);
        cor_text_add(out, script);
        return 0;
}

/* ---- what may come next ---- */

struct completer {
        const char *cur; /* what there is of the word */
        const char *root;
        struct cor_text *out;
};

static void offer(struct completer *c, const char *word)
{
        if (cor_starts_with(word, c->cur))
                cor_text_printf(c->out, "%s\n", word);
}

static void offer_options(struct completer *c, const struct option *items, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                char name[sizeof items[i].name + 3] = "--";

                if (items[i].flags & OPTION_HIDDEN)
                        continue;
                memcpy(name + 2, items[i].name, sizeof items[i].name);
                offer(c, name);
        }
        offer(c, "--help");
}

/* The option that @word spells and whose value is the next word; NULL if there is none */
static const struct option *awaits_value(const struct option *items, size_t n, const char *word)
{
        for (size_t i = 0; i < n; i++) {
                const struct option *o = &items[i];

                if (option_takes_value(o) && ((word[0] == '-' && word[1] == '-' && strcmp(word + 2, o->name) == 0) ||
                                              (o->letter && word[0] == '-' && word[1] == o->letter && !word[2])))
                        return o;
        }
        return NULL;
}

/* "a|b|c" */
static void offer_choices(struct completer *c, const char *choices)
{
        auto_str copy = cor_strdup(choices);
        char *cursor = copy, *word;

        while ((word = cor_split_next(&cursor, '|')) != NULL)
                offer(c, word);
}

static void offer_networks(struct completer *c);

static void offer_value(struct completer *c, const struct option *o)
{
        if (o->type == OPTION_WORD)
                offer_choices(c, o->value);
        else if (strcmp(o->name, "network") == 0)
                offer_networks(c);
        else if (o->flags & OPTION_DIR)
                cor_text_add(c->out, ":dirs\n");
        else if (o->flags & OPTION_FILE)
                cor_text_add(c->out, ":files\n");
}

/* Whether there is a store to look into; *ret has to be ended then */
static bool open_store(const struct completer *c, struct engine *ret)
{
        auto_str path = cor_strdup(c->root);
        struct cor_err err = { 0 };

        if (!path && store_default_path(&path, &err) < 0)
                return false;
        return access(path, X_OK) == 0 && engine_open(path, ret, &err) == 0;
}

/* Those of the store, if there is one: to complete a word makes none. */
static void offer_images(struct completer *c)
{
        const struct image_filter all = { 0 };
        struct cor_err err = { 0 };
        auto_image_list list = { 0 };
        auto_engine e = { 0 };

        if (!open_store(c, &e) || engine_images(&e, &all, NULL, &list, &err) < 0)
                return;
        for (size_t i = 0; i < list.n_items; i++)
                for (size_t n = 0; n < list.items[i].names.n_items; n++) {
                        auto_reference r = { 0 };
                        auto_str name = NULL;

                        if (reference_parse(list.items[i].names.items[n], &r, &err) < 0)
                                continue;
                        name = reference_familiar(&r);
                        offer(c, name);
                }
}

static void offer_containers(struct completer *c)
{
        auto_container_rows rows = { 0 };
        struct cor_err err = { 0 };
        auto_engine e = { 0 };

        if (!open_store(c, &e) || container_row_all(e.store, false, &rows, &err) < 0)
                return;
        for (size_t i = 0; i < rows.n_items; i++)
                offer(c, rows.items[i].name);
}

static void offer_volumes(struct completer *c)
{
        auto_volume_rows rows = { 0 };
        struct cor_err err = { 0 };
        auto_engine e = { 0 };

        if (!open_store(c, &e) || volume_row_all(e.store, &rows, &err) < 0)
                return;
        for (size_t i = 0; i < rows.n_items; i++)
                offer(c, rows.items[i].name);
}

static void offer_networks(struct completer *c)
{
        auto_network_rows rows = { 0 };
        struct cor_err err = { 0 };
        auto_engine e = { 0 };

        if (!open_store(c, &e) || network_row_all(e.store, &rows, &err) < 0)
                return;
        for (size_t i = 0; i < rows.n_items; i++)
                offer(c, rows.items[i].name);
}

/* "NETWORK CONTAINER": which of them the words before, some of which may be options, have left */
static bool wants_network(const struct verb *v, char *const *words, size_t n)
{
        size_t given = 0;

        for (size_t i = 0; i < n; i++)
                given += words[i][0] != '-' && (i == 0 || !awaits_value(v->options, v->n_options, words[i - 1]));
        return cor_starts_with(v->arguments, "NETWORK") && (given == 0 || !strstr(v->arguments, "CONTAINER"));
}

static void complete_verb(struct completer *c, const struct verb *v, char *const *words, size_t n)
{
        const struct option *o = n > 0 ? awaits_value(v->options, v->n_options, words[n - 1]) : NULL;

        if (o)
                offer_value(c, o);
        else if (c->cur[0] == '-')
                offer_options(c, v->options, v->n_options);
        else if (strchr(v->arguments, '|') && islower((unsigned char)v->arguments[0]))
                offer_choices(c, v->arguments);
        else if (strncmp(v->arguments, "file", 4) == 0)
                cor_text_add(c->out, ":files\n");
        else if (wants_network(v, words, n))
                offer_networks(c);
        else if (strstr(v->arguments, "CONTAINER"))
                offer_containers(c);
        else if (strstr(v->arguments, "VOLUME"))
                offer_volumes(c);
        else if (strstr(v->arguments, "IMAGE") || strstr(v->arguments, "NAME") || strstr(v->arguments, "REPOSITORY"))
                offer_images(c);
}

static void offer_names(struct completer *c, const char *group)
{
        for (size_t i = 0; i < verb_n_places; i++)
                if (strcmp(verb_places[i].group, group) == 0)
                        offer(c, verb_places[i].name);
        for (size_t i = 0; !*group && i < verb_n_groups; i++)
                offer(c, verb_groups[i].name);
}

/* How many words the global options take; *@ret: the one whose value is being typed */
static size_t skip_globals(struct completer *c, char *const *words, size_t n, const struct option **ret)
{
        size_t i = 0;

        for (*ret = NULL; i < n && words[i][0] == '-'; i++) {
                const struct option *o = awaits_value(globals_options, globals_n_options, words[i]);

                if (cor_starts_with(words[i], "--root="))
                        c->root = words[i] + strlen("--root=");
                if (!o)
                        continue;
                if (i + 1 == n) {
                        *ret = o;
                        return n;
                }
                i++;
                if (strcmp(o->name, "root") == 0)
                        c->root = words[i];
        }
        return i;
}

void completion_words(char *const *words, size_t n, struct cor_text *out)
{
        struct completer c = { .cur = n > 0 ? words[n - 1] : "", .out = out };
        size_t before = n > 0 ? n - 1 : 0, i;
        const struct option *global;
        const struct verb_place *p;
        const char *group = "";

        i = skip_globals(&c, words, before, &global);
        if (i < before && verb_group_find(words[i]))
                group = words[i++];
        if (global) {
                offer_value(&c, global);
        } else if (i == before && c.cur[0] == '-' && !*group) {
                offer_options(&c, globals_options, globals_n_options);
        } else if (i == before) {
                offer_names(&c, group);
        } else {
                p = verb_find(group, words[i]);
                if (p)
                        complete_verb(&c, p->verb, words + i + 1, before - i - 1);
        }
}

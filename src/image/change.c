#include "image/change.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct word_list {
        const char **items;
        size_t n_items;
};
/* A list on its own is no object, which is all that the binding reads. */
static const struct cor_json_field word_list_fields[] = {
        COR_FIELD_LIST("words", LIST_STR, struct word_list, items, n_items, COR_JSON_REQUIRED),
};
static const struct cor_json_doc word_list_doc = COR_DOC(struct word_list, word_list_fields, NULL);

/* Keep a string for as long as the change. */
static const char *own(struct image_change *c, char *s)
{
        cor_strv_take(&c->strings, s);
        return s;
}

static void add(struct image_change *c, const char ***items, size_t *n_items, char *s)
{
        *items = cor_realloc_array(*items, *n_items + 2, sizeof **items);
        (*items)[(*n_items)++] = own(c, s);
        (*items)[*n_items] = NULL;
}

static void clear(const char ***items, size_t *n_items)
{
        free(*items);
        *items = NULL;
        *n_items = 0;
}

/* --------------------------------------------------------------------------------------------------- forms of words */

/* ["a", "b"]: 1 taken, 0 the text has not that form. */
static int add_json(struct image_change *c, const char *text, const char ***items, size_t *n_items)
{
        auto_json struct word_list *list = NULL;
        auto_str object = cor_printf("{\"words\":%s}", text);

        if (text[0] != '[' || cor_json_parse(&word_list_doc, object, strlen(object), NULL, &list, NULL) < 0)
                return 0;
        for (size_t i = 0; i < list->n_items; i++)
                add(c, items, n_items, cor_strdup(list->items[i]));
        return 1;
}

/* The exec form as it is, the shell form for a shell. */
static void set_command(struct image_change *c, const char *text, const char ***items, size_t *n_items)
{
        clear(items, n_items);
        if (add_json(c, text, items, n_items))
                return;
        add(c, items, n_items, cor_strdup("/bin/sh"));
        add(c, items, n_items, cor_strdup("-c"));
        add(c, items, n_items, cor_strdup(text));
}

/* The next word of *@s: quotes and backslashes as a shell has them. NULL at the end; a quote without an end runs to it.
 */
static char *next_word(const char **s)
{
        auto_text word = COR_TEXT_INIT;
        const char *p = *s + strspn(*s, " \t");
        char quote = '\0';

        if (!*p)
                return NULL;
        for (; *p && (quote || (*p != ' ' && *p != '\t')); p++) {
                if (quote ? *p == quote : (*p == '"' || *p == '\'')) {
                        quote = quote ? '\0' : *p;
                } else if (*p == '\\' && p[1] && quote != '\'') {
                        cor_text_add_c(&word, *++p);
                } else {
                        cor_text_add_c(&word, *p);
                }
        }
        *s = p;
        return cor_text_take(&word);
}

/* KEY=VALUE pairs, or KEY and the rest of the line; @take gets each. */
static int each_pair(struct image_change *c, const char *name, const char *text,
                     void (*take)(struct image_change *c, const char *key, const char *value), struct cor_err *err)
{
        size_t key = strcspn(text, "= \t");

        if (text[key] == ' ' || text[key] == '\t') {
                auto_str k = cor_strndup(text, key);
                const char *value = text + key + strspn(text + key, " \t");

                take(c, k, value);
                return 0;
        }
        for (char *word; (word = next_word(&text));) {
                auto_str owned = word;
                char *equals = strchr(owned, '=');

                if (!equals || equals == owned)
                        return cor_fail(err, COR_INVALID, "%s: expected KEY=VALUE, found '%.100s'", name, owned);
                *equals = '\0';
                take(c, owned, equals + 1);
        }
        return 0;
}

/* ----------------------------------------------------------------------------------------------------- instructions */

static void take_env(struct image_change *c, const char *key, const char *value)
{
        struct image_config_run *run = &c->config;
        size_t n = strlen(key);

        for (size_t i = 0; i < run->n_env; i++)
                if (strncmp(run->env[i], key, n) == 0 && run->env[i][n] == '=') {
                        run->env[i] = own(c, cor_printf("%s=%s", key, value));
                        return;
                }
        add(c, &run->env, &run->n_env, cor_printf("%s=%s", key, value));
}

static void take_label(struct image_change *c, const char *key, const char *value)
{
        for (size_t i = 0; i < c->config.n_labels; i++)
                if (strcmp(c->config.labels[i].key, key) == 0) {
                        c->config.labels[i].value = own(c, cor_strdup(value));
                        return;
                }
        *COR_GROW(c->config.labels, c->config.n_labels) =
                (struct cor_pair){ .key = own(c, cor_strdup(key)), .value = own(c, cor_strdup(value)) };
}

static bool port_ok(const char *s)
{
        uint32_t first, last;
        auto_str copy = cor_strdup(s);
        char *protocol = strchr(copy, '/'), *dash;

        if (protocol) {
                *protocol++ = '\0';
                if (strcmp(protocol, "tcp") != 0 && strcmp(protocol, "udp") != 0 && strcmp(protocol, "sctp") != 0)
                        return false;
        }
        dash = strchr(copy, '-');
        if (dash)
                *dash++ = '\0';
        return cor_parse_u32(copy, &first) == 0 && first <= UINT16_MAX &&
               (!dash || (cor_parse_u32(dash, &last) == 0 && last <= UINT16_MAX && last >= first));
}

static int take_ports(struct image_change *c, const char *text, struct cor_err *err)
{
        for (char *word; (word = next_word(&text));) {
                auto_str port = word;

                if (!port_ok(port))
                        return cor_fail(err, COR_INVALID, "EXPOSE: expected PORT[/tcp|/udp|/sctp], found '%.60s'",
                                        port);
                COR_GROW(c->config.exposed_ports, c->config.n_exposed_ports)->key =
                        own(c, cor_printf("%s%s", port, strchr(port, '/') ? "" : "/tcp"));
        }
        return 0;
}

static int take_volumes(struct image_change *c, const char *text, struct cor_err *err)
{
        const char **list = NULL;
        size_t n = 0;

        if (!add_json(c, text, &list, &n))
                for (char *word; (word = next_word(&text));)
                        add(c, &list, &n, word);
        for (size_t i = 0; i < n; i++)
                COR_GROW(c->config.volumes, c->config.n_volumes)->key = list[i];
        free(list);
        return n > 0 ? 0 : cor_fail(err, COR_INVALID, "VOLUME: expected a path");
}

int image_change_apply(struct image_change *c, const char *instruction, struct cor_err *err)
{
        const char *text = instruction + strspn(instruction, " \t");
        size_t n = strcspn(text, " \t");
        auto_str name = cor_strndup(text, n);
        struct image_config_run *run = &c->config;

        text += n;
        text += strspn(text, " \t");
        if (!*text)
                return cor_fail(err, COR_INVALID, "change '%.100s': expected an instruction with its arguments",
                                instruction);
        if (strcasecmp(name, "CMD") == 0)
                set_command(c, text, &run->cmd, &run->n_cmd);
        else if (strcasecmp(name, "ENTRYPOINT") == 0)
                set_command(c, text, &run->entrypoint, &run->n_entrypoint);
        else if (strcasecmp(name, "ENV") == 0)
                return each_pair(c, "ENV", text, take_env, err);
        else if (strcasecmp(name, "LABEL") == 0)
                return each_pair(c, "LABEL", text, take_label, err);
        else if (strcasecmp(name, "EXPOSE") == 0)
                return take_ports(c, text, err);
        else if (strcasecmp(name, "VOLUME") == 0)
                return take_volumes(c, text, err);
        else if (strcasecmp(name, "ONBUILD") == 0)
                add(c, &run->on_build, &run->n_on_build, cor_strdup(text));
        else if (strcasecmp(name, "STOPSIGNAL") == 0)
                run->stop_signal = own(c, cor_strdup(text));
        else if (strcasecmp(name, "USER") == 0)
                run->user = own(c, cor_strdup(text));
        else if (strcasecmp(name, "WORKDIR") == 0)
                run->working_dir = own(c, cor_strdup(text));
        else
                return cor_fail(err, COR_INVALID, "change '%.60s': %s is not a valid change command", instruction,
                                name);
        return 0;
}

static void add_all(struct image_change *c, const char ***items, size_t *n_items, const char *const *from, size_t n)
{
        for (size_t i = 0; i < n; i++)
                add(c, items, n_items, cor_strdup(from[i]));
}

void image_change_begin(struct image_change *c, const struct image_config_run *from)
{
        struct image_config_run *run = &c->config;

        *run = (struct image_config_run){ .user = from->user,
                                          .working_dir = from->working_dir,
                                          .stop_signal = from->stop_signal,
                                          .healthcheck = from->healthcheck,
                                          .stop_timeout = from->stop_timeout,
                                          .args_escaped = from->args_escaped,
                                          .shell = from->shell,
                                          .n_shell = from->n_shell };
        add_all(c, &run->env, &run->n_env, from->env, from->n_env);
        add_all(c, &run->entrypoint, &run->n_entrypoint, from->entrypoint, from->n_entrypoint);
        add_all(c, &run->cmd, &run->n_cmd, from->cmd, from->n_cmd);
        add_all(c, &run->on_build, &run->n_on_build, from->on_build, from->n_on_build);
        for (size_t i = 0; i < from->n_exposed_ports; i++)
                *COR_GROW(run->exposed_ports, run->n_exposed_ports) = from->exposed_ports[i];
        for (size_t i = 0; i < from->n_volumes; i++)
                *COR_GROW(run->volumes, run->n_volumes) = from->volumes[i];
        for (size_t i = 0; i < from->n_labels; i++)
                *COR_GROW(run->labels, run->n_labels) = from->labels[i];
}

struct image_config_run *image_change_config(struct image_change *c)
{
        return &c->config;
}

void image_change_done(struct image_change *c)
{
        struct image_config_run *run = &c->config;

        free(run->cmd);
        free(run->entrypoint);
        free(run->env);
        free(run->on_build);
        free(run->labels);
        free(run->exposed_ports);
        free(run->volumes);
        cor_strv_done(&c->strings);
        *c = (struct image_change){ 0 };
}

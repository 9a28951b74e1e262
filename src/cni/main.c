/*
 * coracle-cni: every CNI plugin. The name it is called by says which (links made by `make install`); as coracle-cni its
 * first word does. It runs in the runtime's network namespace, usually as root, for one command and has one thread.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/text.h"
#include "cni/call.h"
#include "linux/link_message.h"
#include "linux/namespace.h"
#include "linux/netns.h"

#define PROGRAM "coracle-cni"
enum { INPUT_MAX_BYTES = 4 << 20 };

/* ------------------------------------------------------------------------------------------------------- the answer */

static int print(const struct cor_text *out)
{
        struct cor_err err = { 0 };

        return cor_write_full(STDOUT_FILENO, out->s, out->len, &err) < 0 ? 1 : 0;
}

static int print_error(const struct cni_call *c, const struct cor_err *err)
{
        auto_text out = COR_TEXT_INIT;
        auto_str msg = c->config && c->config->name
                               ? cor_printf("network %s: %s: %s", c->config->name, c->plugin, err->msg)
                               : cor_printf("%s: %s", c->plugin, err->msg);
        struct cni_error e = { .code = (uint32_t)cni_code_of(c, err), .msg = msg };

        e.cni_version = c->version >= 0 ? cni_versions[c->version] : "1.1.0";
        cor_json_print(&cni_error_doc, &e, COR_JSON_FOUR_SPACES, &out);
        cor_text_add_c(&out, '\n');
        (void)!print(&out);
        return 1;
}

static int print_versions(void)
{
        auto_text out = COR_TEXT_INIT;

        cor_text_add(&out, "{\"cniVersion\":\"1.1.0\",\"supportedVersions\":[");
        for (int i = 0; cni_versions[i]; i++)
                cor_text_printf(&out, "%s\"%s\"", i ? "," : "", cni_versions[i]);
        cor_text_add(&out, "]}\n");
        return print(&out);
}

/* -------------------------------------------------------------------------------------------------- the environment */

/* A letter or digit first, then these and '_', '.', '-': safe as a part of a path. */
static bool is_name(const char *s)
{
        static const char alphanumeric[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

        if (!*s || !strchr(alphanumeric, *s))
                return false;
        for (; *s; s++)
                if (!strchr(alphanumeric, *s) && !strchr("_.-", *s))
                        return false;
        return true;
}

static int check_names(struct cni_call *c, struct cor_err *err)
{
        if (c->container_id[0] && !is_name(c->container_id))
                return cni_fail(c, CNI_CODE_ENVIRONMENT, err, "CNI_CONTAINERID: \"%.100s\" is no valid id",
                                c->container_id);
        if (c->ifname[0] && !link_name_valid(c->ifname))
                return cni_fail(c, CNI_CODE_ENVIRONMENT, err, "CNI_IFNAME: \"%.100s\" is no valid name of an interface",
                                c->ifname);
        return 0;
}

static int take_environment(struct cni_call *c, struct cor_err *err)
{
        const bool attached = c->verb == CNI_ADD || c->verb == CNI_DEL || c->verb == CNI_CHECK;
        const struct {
                const char *name, **value;
                bool needed;
        } variables[] = {
                { "CNI_CONTAINERID", &c->container_id, attached },
                { "CNI_NETNS", &c->netns, c->verb == CNI_ADD || c->verb == CNI_CHECK },
                { "CNI_IFNAME", &c->ifname, attached },
                { "CNI_ARGS", &c->args, false },
                { "CNI_PATH", &c->path, false },
        };
        auto_text missing = COR_TEXT_INIT;

        for (size_t i = 0; i < COR_COUNT(variables); i++) {
                const char *value = getenv(variables[i].name);

                *variables[i].value = value ? value : "";
                if (variables[i].needed && (!value || !*value))
                        cor_text_printf(&missing, "%s%s", missing.len ? "," : "", variables[i].name);
        }
        if (missing.len)
                return cni_fail(c, CNI_CODE_ENVIRONMENT, err, "required env variables [%s] missing", missing.s);
        return attached ? check_names(c, err) : 0;
}

static int take_verb(struct cni_call *c, const char *word, struct cor_err *err)
{
        for (int i = 0; cni_verb_words[i]; i++)
                if (strcmp(cni_verb_words[i], word) == 0) {
                        c->verb = (enum cni_verb)i;
                        return 0;
                }
        return cni_fail(c, CNI_CODE_ENVIRONMENT, err, "CNI_COMMAND: unknown command \"%.64s\"", word);
}

/* ------------------------------------------------------------------------------------------------ the configuration */

static int check_version(struct cni_call *c, struct cor_err *err)
{
        const char *version = c->config->cni_version && c->config->cni_version[0] ? c->config->cni_version : "0.1.0";
        const int oldest[] = { [CNI_CHECK] = CNI_0_4_0, [CNI_STATUS] = CNI_1_1_0, [CNI_GC] = CNI_1_1_0 };

        c->version = cni_version_index(version);
        if (c->version < 0)
                return cni_fail(c, CNI_CODE_VERSION, err,
                                "incompatible CNI versions: cniVersion is \"%.64s\", this plugin has 0.1.0 to 1.1.0",
                                version);
        if (c->version < oldest[c->verb])
                return cni_fail(c, CNI_CODE_VERSION, err, "cniVersion: version %s does not have %s", version,
                                cni_verb_words[c->verb]);
        return 0;
}

/* Which attachments are valid has to be said, be it null: else all would be taken for stale. */
static int choose_attachments(struct cni_call *c, struct cni_config *config, struct cor_err *err)
{
        if (config->attachments)
                return 0;
        config->attachments = config->old_attachments;
        config->n_attachments = config->n_old_attachments;
        if (config->attachments || strstr(c->input, "\"cni.dev/valid-attachments\"") ||
            strstr(c->input, "\"cni.dev/attachments\""))
                return 0;
        return cni_fail(c, CNI_CODE_CONFIG, err, "cni.dev/valid-attachments: required key is missing");
}

static int take_config(struct cni_call *c, struct cni_config **ret, struct cor_err *err)
{
        if (cor_json_parse(&cni_config_doc, c->input, c->input_len, NULL, ret, err) < 0) {
                c->code = CNI_CODE_DECODE;
                return cor_wrap(err, "network configuration");
        }
        c->config = *ret;
        if (!c->config->name || !c->config->name[0])
                return cni_fail(c, CNI_CODE_CONFIG, err, "name: missing network name");
        if (!is_name(c->config->name))
                return cni_fail(c, CNI_CODE_CONFIG, err,
                                "name: \"%.100s\" has characters that a network's name may not have", c->config->name);
        if (check_version(c, err) < 0)
                return -1;
        return c->verb == CNI_GC ? choose_attachments(c, *ret, err) : 0;
}

/*
 * A container whose namespace is the plugin's own is a mistake that would have the host's interfaces changed, unless
 * CNI_NETNS_OVERRIDE says that it is meant. Managers of addresses do not look at it.
 */
static int check_namespace(const struct cni_plugin *p, struct cni_call *c, struct cor_err *err)
{
        const char *meant = getenv("CNI_NETNS_OVERRIDE");
        auto_fd own = -1;
        auto_fd other = -1;

        if (p->ipam || !c->netns[0] || (meant && (strcmp(meant, "1") == 0 || strcasecmp(meant, "true") == 0)))
                return 0;
        other = namespace_open(c->netns, CLONE_NEWNET, NULL);
        if (other < 0)
                return 0; /* whether that matters depends on the verb */
        own = netns_open_own(err);
        if (own < 0)
                return -1;
        if (namespace_same(own, other, err) == 1)
                return cni_fail(c, CNI_CODE_NETNS, err,
                                "CNI_NETNS: %.200s is the network namespace of the plugin itself", c->netns);
        return 0;
}

static int serve(const struct cni_plugin *p, struct cni_call *c, struct cor_text *out, struct cni_config **ret_config,
                 char **ret_input, struct cor_err *err)
{
        auto_json struct cni_result *r = NULL;

        if (take_environment(c, err) < 0)
                return -1;
        if (cor_read_fd(STDIN_FILENO, "standard input", INPUT_MAX_BYTES, ret_input, &c->input_len, err) < 0) {
                c->code = CNI_CODE_IO;
                return -1;
        }
        c->input = *ret_input;
        if (take_config(c, ret_config, err) < 0 || check_namespace(p, c, err) < 0 || cni_plugin_run(p, c, &r, err) < 0)
                return -1;
        if (!r)
                return 0;
        if (cni_result_print(c->version, r, out, err) < 0)
                return -1;
        cor_text_add_c(out, '\n');
        return 0;
}

static int run(const struct cni_plugin *p, const char *command)
{
        struct cni_call c = { .plugin = p->name, .version = -1, .container_id = "", .netns = "", .ifname = "" };
        auto_json struct cni_config *config = NULL;
        auto_text out = COR_TEXT_INIT;
        auto_str input = NULL;
        struct cor_err err = { 0 };

        if (strcmp(command, "VERSION") == 0)
                return print_versions();
        if (take_verb(&c, command, &err) < 0 || serve(p, &c, &out, &config, &input, &err) < 0)
                return print_error(&c, &err);
        return out.len ? print(&out) : 0;
}

/* ------------------------------------------------------------------------------------------------------ the program */

static int about(const char *name)
{
        fprintf(stderr, "CNI %s plugin " PROGRAM " " CORACLE_VERSION "\nCNI protocol versions supported:", name);
        for (int i = 0; cni_versions[i]; i++)
                fprintf(stderr, "%s %s", i ? "," : "", cni_versions[i]);
        fputc('\n', stderr);
        return 0;
}

static int help(void)
{
        printf("Usage: " PROGRAM " PLUGIN\n\n"
               "CNI plugins. Runtimes call them by their names: " PROGRAM
               " is to be linked to under each of these in a\n"
               "folder of CNI_PATH. A call is described by the environment (CNI_COMMAND, ...) and by a network\n"
               "configuration on standard input. \"dhcp daemon\" keeps the leases of the plugin dhcp.\n\nPlugins:\n");
        for (const struct cni_plugin *p = cni_plugins; p->name; p++)
                printf("  %-12s %s\n", p->name, p->what);
        return 0;
}

int main(int argc, char **argv)
{
        const char *name = argc > 0 ? cor_base_name(argv[0]) : PROGRAM;
        const char *command = getenv("CNI_COMMAND");
        const struct cni_plugin *p;
        int word = 1; /* behind the name */

        p = cni_plugin_find(name);
        if (!p && argc > 1) {
                name = argv[1];
                p = cni_plugin_find(name);
                word = 2;
        }
        if (!p && (argc < 2 || strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0))
                return help();
        if (!p && strcmp(name, "--version") == 0) {
                puts(PROGRAM " version " CORACLE_VERSION);
                return 0;
        }
        if (!p) {
                fprintf(stderr, PROGRAM ": there is no plugin \"%s\"; %s --help lists them\n", name, PROGRAM);
                return 1;
        }
        if (p->daemon && argc > word && strcmp(argv[word], "daemon") == 0)
                return p->daemon(argc - word, argv + word);
        return command && *command ? run(p, command) : about(p->name);
}

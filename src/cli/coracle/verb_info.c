/* info: the store and the machine, in docker's document and docker's lines. There is no server to ask. */
#include "cli/coracle/verb.h"
#include "cli/units.h"
#include "cli/value_doc.h"
#include "engine/system.h"

#include <string.h>

struct info_options {
        const char *format;
};

/* --- for templates ------------------------------------------------------------------------------------------------ */

/* What docker's client says of itself, after what the server says */
static const struct value *client(struct value_pool *p)
{
        struct value *s = value_struct(p, "*main.clientInfo"), *warnings = value_list(p);

        warnings->null = true;
        value_field(p, s, "Debug", NULL, &value_false);
        value_field_text(p, s, "Version", CORACLE_VERSION);
        value_field_text(p, s, "Context", "default");
        value_field(p, s, "Plugins", NULL, value_list(p));
        value_field(p, s, "Warnings", NULL, warnings);
        return s;
}

static int print_template(const char *format, const struct docker_info *i, struct cor_text *out, struct cor_err *err)
{
        auto_value_pool p = value_pool_new(SIZE_MAX);
        struct value *s = value_from_doc(p, &docker_info_doc, i);
        const struct value *v = s;

        s->type = "system.dockerInfo";
        value_field(p, s, "ClientInfo", NULL, client(p));
        return format_inspect(strcmp(format, "json") == 0 ? "{{json .}}" : format, &v, 1, out, err);
}

/* --- for people --------------------------------------------------------------------------------------------------- */

static void add_words(struct cor_text *t, const char *head, const char *const *items, size_t n)
{
        cor_text_add(t, head);
        for (size_t k = 0; k < n; k++)
                cor_text_printf(t, " %s", items[k]);
        cor_text_add_c(t, '\n');
}

static void add_lines(struct cor_text *t, const char *head, const char *const *items, size_t n)
{
        if (n > 0)
                cor_text_printf(t, " %s:\n", head);
        for (size_t k = 0; k < n; k++)
                cor_text_printf(t, "  %s\n", items[k]);
}

static void add_store(struct cor_text *t, const struct docker_info *i)
{
        cor_text_printf(t, " Containers: %lld\n  Running: %lld\n  Paused: %lld\n  Stopped: %lld\n Images: %lld\n",
                        (long long)i->containers, (long long)i->running, (long long)i->paused, (long long)i->stopped,
                        (long long)i->images);
        cor_text_printf(t, " Server Version: %s\n Storage Driver: %s\n", i->server_version, i->driver);
        for (size_t k = 0; k < i->n_driver_status; k++)
                cor_text_printf(t, "  %s: %s\n", i->driver_status[k].items[0], i->driver_status[k].items[1]);
}

/* "name=seccomp,profile=builtin" */
static void add_security(struct cor_text *t, const char *option)
{
        auto_str copy = cor_strdup(option);
        char *cursor = copy, *part;

        while ((part = cor_split_next(&cursor, ',')) != NULL)
                if (cor_starts_with(part, "name="))
                        cor_text_printf(t, "  %s\n", part + strlen("name="));
                else if (cor_starts_with(part, "profile="))
                        cor_text_printf(t, "   Profile: %s\n", part + strlen("profile="));
}

static void add_parts(struct cor_text *t, const struct docker_info *i)
{
        cor_text_printf(t, " Logging Driver: %s\n Cgroup Driver: %s\n Cgroup Version: %s\n Plugins:\n",
                        i->logging_driver, i->cgroup_driver, i->cgroup_version);
        add_words(t, "  Volume:", i->plugins.volume, i->plugins.n_volume);
        add_words(t, "  Network:", i->plugins.network, i->plugins.n_network);
        add_words(t, "  Log:", i->plugins.log, i->plugins.n_log);
        add_lines(t, "CDI spec directories", i->cdi_dirs, i->n_cdi_dirs);
        cor_text_printf(t, " Swarm: %s\n Runtimes:", i->swarm.state);
        for (size_t k = 0; k < i->n_runtimes; k++)
                cor_text_printf(t, " %s", i->runtimes[k].name);
        cor_text_printf(t, "\n Default Runtime: %s\n Init Binary: %s\n Security Options:\n", i->default_runtime,
                        i->init_binary);
        for (size_t k = 0; k < i->n_security_options; k++)
                add_security(t, i->security_options[k]);
}

static void add_machine(struct cor_text *t, const struct docker_info *i)
{
        cor_text_printf(t, " Kernel Version: %s\n Operating System: %s\n OSType: %s\n Architecture: %s\n CPUs: %lld\n",
                        i->kernel_version, i->operating_system, i->os_type, i->architecture, (long long)i->n_cpu);
        cor_text_add(t, " Total Memory: ");
        units_binary((double)i->memory, t);
        cor_text_printf(t, "\n Name: %s\n ID: %s\n Docker Root Dir: %s\n Debug Mode: false\n", i->name, i->id,
                        i->root_dir);
}

static void add_registries(struct cor_text *t, const struct docker_info *i)
{
        if (*i->http_proxy)
                cor_text_printf(t, " HTTP Proxy: %s\n", i->http_proxy);
        if (*i->https_proxy)
                cor_text_printf(t, " HTTPS Proxy: %s\n", i->https_proxy);
        if (*i->no_proxy)
                cor_text_printf(t, " No Proxy: %s\n", i->no_proxy);
        cor_text_add(t, " Experimental: false\n Insecure Registries:\n");
        for (size_t k = 0; k < i->registries.n_indexes; k++)
                if (!i->registries.indexes[k].secure)
                        cor_text_printf(t, "  %s\n", i->registries.indexes[k].name);
        for (size_t k = 0; k < i->registries.n_insecure; k++)
                cor_text_printf(t, "  %s\n", i->registries.insecure[k]);
        add_lines(t, "Registry Mirrors", i->registries.mirrors, i->registries.n_mirrors);
        if (i->n_pools > 0)
                cor_text_add(t, " Default Address Pools:\n");
        for (size_t k = 0; k < i->n_pools; k++)
                cor_text_printf(t, "   Base: %s, Size: %u\n", i->pools[k].base, i->pools[k].size);
        cor_text_printf(t, " Live Restore Enabled: true\n Firewall Backend: %s\n", i->firewall.driver);
}

static int run_info(struct invocation *in, struct cor_err *err)
{
        const struct info_options *o = in->options;
        auto_json struct docker_info *i = NULL;
        auto_text t = COR_TEXT_INIT;
        auto_engine e = { 0 };

        if (verb_engine(in, &e, err) < 0 || engine_info(&e, &i, err) < 0)
                return -1;
        if (o->format)
                return print_template(o->format, i, &t, err) < 0 ? -1 : verb_print(&t, err);
        cor_text_printf(&t, "Client:\n Version:    %s\n Context:    default\n Debug Mode: false\n\nServer:\n",
                        CORACLE_VERSION);
        add_store(&t, i);
        add_parts(&t, i);
        add_machine(&t, i);
        add_registries(&t, i);
        if (verb_print(&t, err) < 0)
                return -1;
        for (size_t k = 0; k < i->n_warnings; k++)
                verb_say("%s", i->warnings[k]);
        return 0;
}

static const struct option info_rows[] = {
        OPTION_ROW("format", 'f', TEXT, struct info_options, format, "string", 0, "A Go template, or 'json'"),
};

const struct verb verb_info = {
        .summary = "Show the store and the machine",
        .options_size = sizeof(struct info_options),
        .options = info_rows,
        .n_options = COR_COUNT(info_rows),
        .run = run_info,
};

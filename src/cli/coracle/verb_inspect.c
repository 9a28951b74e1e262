/*
 * inspect: objects as docker's API describes them, images here. Templates see Go's names (ID, Os), and where these do
 * not fit those of the JSON form (Id).
 */
#include "cli/coracle/verb_container.h"

#include "cli/value_doc.h"
#include "engine/container_inspect.h"
#include "engine/network.h"
#include "image/reference.h"
#include "store/volume.h"

#include <string.h>

enum { EXIT_BAD_TEMPLATE = 64 }; /* docker's */

struct inspect_options {
        const char *format, *type;
        bool size, verbose;
};

static struct value *texts(struct value_pool *p, const char *const *items, size_t n)
{
        struct value *list = value_strings(p, items, n);

        list->null = n == 0;
        return list;
}

static struct value *pairs(struct value_pool *p, const struct cor_pair *items, size_t n)
{
        struct value *map = value_map(p);

        map->type = "map[string]string";
        map->null = n == 0;
        for (size_t i = 0; i < n; i++)
                value_append(p, map, items[i].key, value_string(p, items[i].value));
        value_sort(map);
        return map;
}

/* { "80/tcp": {} } */
static struct value *set(struct value_pool *p, const struct image_set_item *items, size_t n)
{
        struct value *map = value_map(p);

        map->null = n == 0;
        for (size_t i = 0; i < n; i++)
                value_append(p, map, items[i].key, value_struct(p, "struct {}"));
        value_sort(map);
        return map;
}

static void field_texts(struct value_pool *p, struct value *s, const char *name, const char **items, size_t n)
{
        value_field(p, s, name, NULL, texts(p, items, n));
}

/* Left out of the JSON form when it is empty */
static void field_optional(struct value_pool *p, struct value *s, const char *name, const struct value *v)
{
        value_field(p, s, name, value_truth(v) ? NULL : "-", v);
}

static void field_time(struct value_pool *p, struct value *s, const char *name, int64_t ns)
{
        struct value *v = value_int(p, ns);

        v->type = VALUE_DURATION;
        field_optional(p, s, name, v);
}

static const struct value *healthcheck(struct value_pool *p, const struct image_healthcheck *h)
{
        struct value *s;

        if (!h)
                return &value_nil;
        s = value_struct(p, "container.HealthConfig");
        field_optional(p, s, "Test", texts(p, h->test, h->n_test));
        field_time(p, s, "Interval", h->interval);
        field_time(p, s, "Timeout", h->timeout);
        field_time(p, s, "StartPeriod", h->start_period);
        field_time(p, s, "StartInterval", h->start_interval);
        field_optional(p, s, "Retries", value_int(p, h->retries));
        return s;
}

static void run_flags(struct value_pool *p, struct value *s, const char *const *names, size_t n)
{
        for (size_t i = 0; i < n; i++)
                value_field(p, s, names[i], NULL, &value_false);
}

/* The order is docker's. */
static struct value *run_config(struct value_pool *p, const struct image_config_run *given)
{
        static const struct image_config_run nothing;
        static const char *const attach[] = { "AttachStdin", "AttachStdout", "AttachStderr" };
        static const char *const terminal[] = { "Tty", "OpenStdin", "StdinOnce" };
        const struct image_config_run *c = given ? given : &nothing;
        struct value *s = value_struct(p, "*container.Config");

        value_field_text(p, s, "Hostname", c->hostname);
        value_field_text(p, s, "Domainname", c->domainname);
        value_field_text(p, s, "User", c->user);
        run_flags(p, s, attach, COR_COUNT(attach));
        field_optional(p, s, "ExposedPorts", set(p, c->exposed_ports, c->n_exposed_ports));
        run_flags(p, s, terminal, COR_COUNT(terminal));
        field_texts(p, s, "Env", c->env, c->n_env);
        field_texts(p, s, "Cmd", c->cmd, c->n_cmd);
        field_optional(p, s, "Healthcheck", healthcheck(p, c->healthcheck));
        field_optional(p, s, "ArgsEscaped", value_bool(c->args_escaped));
        value_field_text(p, s, "Image", "");
        value_field(p, s, "Volumes", NULL, set(p, c->volumes, c->n_volumes));
        value_field_text(p, s, "WorkingDir", c->working_dir);
        field_texts(p, s, "Entrypoint", c->entrypoint, c->n_entrypoint);
        field_texts(p, s, "OnBuild", c->on_build, c->n_on_build);
        value_field(p, s, "Labels", NULL, pairs(p, c->labels, c->n_labels));
        field_optional(p, s, "StopSignal", value_string(p, c->stop_signal));
        if (c->stop_timeout.set)
                value_field(p, s, "StopTimeout", NULL, value_int(p, c->stop_timeout.value));
        field_optional(p, s, "Shell", texts(p, c->shell, c->n_shell));
        return s;
}

/* Where the unpacked layers are: what overlayfs is told of them, the uppermost first */
static struct value *graph_driver(struct value_pool *p, const char *store, const struct image_row *i)
{
        struct value *driver = value_struct(p, "storage.DriverData"), *data = value_map(p);
        auto_text lower = COR_TEXT_INIT;

        data->type = "map[string]string";
        for (size_t l = i->n_layers; l-- > 0;) {
                auto_str path = cor_printf("%s/layers/%s/diff", store, digest_hex(&i->layers[l].name));

                if (l + 1 == i->n_layers)
                        value_append(p, data, "UpperDir", value_string(p, path));
                else
                        cor_text_printf(&lower, "%s%s", lower.len > 0 ? ":" : "", path);
        }
        if (lower.len > 0)
                value_append(p, data, "LowerDir", value_string(p, lower.s));
        value_sort(data);
        value_field(p, driver, "Data", NULL, data);
        value_field_text(p, driver, "Name", "overlay");
        return driver;
}

static struct value *rootfs(struct value_pool *p, const struct image_rootfs *r)
{
        struct value *s = value_struct(p, "image.RootFS");

        value_field_text(p, s, "Type", r->type ? r->type : "layers");
        field_optional(p, s, "Layers", texts(p, r->diff_ids, r->n_diff_ids));
        return s;
}

/* Names as people write them */
static struct value *names(struct value_pool *p, const struct cor_strv *full)
{
        struct value *list = value_list(p);

        list->type = "[]string";
        for (size_t i = 0; i < full->n_items; i++) {
                auto_reference r = { 0 };
                auto_str familiar = NULL;

                if (reference_parse(full->items[i], &r, NULL) == 0)
                        familiar = reference_familiar(&r);
                value_add(p, list, value_string(p, familiar ? familiar : full->items[i]));
        }
        return list;
}

static struct value *image(struct value_pool *p, const char *store, const struct image_row *i,
                           const struct image_config *c)
{
        struct value *s = value_struct(p, "*image.InspectResponse"), *metadata = value_struct(p, "image.Metadata");

        value_field(p, s, "ID", "Id", value_string(p, i->id.text));
        value_field(p, s, "RepoTags", NULL, names(p, &i->names));
        value_field(p, s, "RepoDigests", NULL, names(p, &i->repo_digests));
        value_field_text(p, s, "Parent", "");
        value_field_text(p, s, "Comment", c->comment);
        field_optional(p, s, "Created", value_string(p, c->created));
        value_field_text(p, s, "DockerVersion", c->docker_version);
        value_field_text(p, s, "Author", c->author);
        value_field(p, s, "Config", NULL, run_config(p, c->config));
        value_field_text(p, s, "Architecture", c->architecture);
        field_optional(p, s, "Variant", value_string(p, c->variant));
        value_field_text(p, s, "Os", c->os);
        field_optional(p, s, "OsVersion", value_string(p, c->os_version));
        value_field(p, s, "Size", NULL, value_int(p, i->size));
        value_field(p, s, "VirtualSize", NULL, value_int(p, i->size));
        value_field(p, s, "GraphDriver", NULL, graph_driver(p, store, i));
        value_field(p, s, "RootFS", NULL, rootfs(p, &c->rootfs));
        value_field_text(p, metadata, "LastTagTime", "0001-01-01T00:00:00Z"); /* is not recorded */
        value_field(p, s, "Metadata", NULL, metadata);
        return s;
}

static int inspect_image(struct engine *e, const char *name, struct value_pool *p, const struct value **ret,
                         struct cor_err *err)
{
        auto_json struct image_config *config = NULL;
        auto_image_row i = { 0 };

        if (engine_image(e, name, &i, err) < 0 || engine_image_config(e, &i, &config, NULL, err) < 0)
                return -1;
        *ret = image(p, store_path(e->store), &i, config);
        return 0;
}

static int inspect_container(struct engine *e, const char *name, bool size, struct value_pool *p,
                             const struct value **ret, struct cor_err *err)
{
        auto_json struct docker_container *c = NULL;

        if (engine_inspect_container(e, name, size, &c, err) < 0)
                return -1;
        *ret = value_from_doc(p, &docker_container_doc, c);
        return 0;
}

static int inspect_volume(struct engine *e, const char *name, struct value_pool *p, const struct value **ret,
                          struct cor_err *err)
{
        auto_volume_row v = { 0 };

        if (volume_row_find(e->store, name, &v, err) < 0)
                return -1;
        *ret = verb_volume_document(p, e->store, &v);
        return 0;
}

static int inspect_network(struct engine *e, const char *name, struct value_pool *p, const struct value **ret,
                           struct cor_err *err)
{
        auto_json struct docker_network *d = NULL;

        if (engine_inspect_network(e, name, &d, err) < 0)
                return -1;
        *ret = value_from_doc(p, &docker_network_doc, d);
        return 0;
}

/* By type, or, without one, the first that has the name: a container, an image, a network, a volume */
static int inspect_one(struct engine *e, const struct inspect_options *o, const char *type, const char *name,
                       struct value_pool *p, const struct value **ret, struct cor_err *err)
{
        static const char types[][10] = { "container", "image", "network", "volume" };

        for (size_t i = 0; i < COR_COUNT(types); i++) {
                int r;

                if (type && strcmp(type, types[i]) != 0)
                        continue;
                r = i == 0   ? inspect_container(e, name, o->size, p, ret, err)
                    : i == 1 ? inspect_image(e, name, p, ret, err)
                    : i == 2 ? inspect_network(e, name, p, ret, err)
                             : inspect_volume(e, name, p, ret, err);
                if (r == 0 || (err->kind != COR_NOT_FOUND && (type || err->kind != COR_INVALID)))
                        return r;
        }
        err->kind = COR_NOT_FOUND;
        return -1;
}

/* Those that are there are shown, and those that are not are told of afterwards. */
static int inspect(struct invocation *in, const char *type, struct cor_err *err)
{
        const struct inspect_options *o = in->options;
        auto_value_pool p = value_pool_new(SIZE_MAX);
        auto_free const struct value **found = cor_alloc((in->n_args + 1) * sizeof(const struct value *));
        auto_text out = COR_TEXT_INIT, failures = COR_TEXT_INIT;
        auto_engine e = { 0 };
        size_t n = 0;
        int r;

        if (format_check(o->format, err) < 0) {
                in->code = EXIT_BAD_TEMPLATE;
                return -1;
        }
        if (verb_engine(in, &e, err) < 0)
                return -1;
        for (size_t i = 0; i < in->n_args; i++) {
                struct cor_err one = { 0 };

                if (inspect_one(&e, o, type, in->args[i], p, &found[n], &one) == 0)
                        n++;
                else if (one.kind == COR_NOT_FOUND && !cor_streq(type, "volume") && !cor_streq(type, "network"))
                        cor_text_printf(&failures, "Error: No such %s: %s\n", type ? type : "object", in->args[i]);
                else
                        cor_text_printf(&failures, "Error: %s\n", one.msg);
        }
        r = format_inspect(o->format, found, n, &out, err);
        if (verb_print(&out, r < 0 ? NULL : err) < 0 || r < 0)
                return -1;
        if (failures.len == 0)
                return 0;
        failures.s[failures.len - 1] = '\0';
        verb_say("%s", failures.s);
        in->code = 1;
        return 0;
}

static int run_image_inspect(struct invocation *in, struct cor_err *err)
{
        return inspect(in, "image", err);
}

static int run_inspect(struct invocation *in, struct cor_err *err)
{
        const struct inspect_options *o = in->options;

        if (o->type && strcmp(o->type, "image") != 0 && strcmp(o->type, "container") != 0 &&
            strcmp(o->type, "volume") != 0 && strcmp(o->type, "network") != 0)
                return cor_fail(
                        err, COR_INVALID,
                        "\"%s\" is not a valid value for --type: there are container, image, network and volume",
                        o->type);
        return inspect(in, o->type, err);
}

static int run_container_inspect(struct invocation *in, struct cor_err *err)
{
        return inspect(in, "container", err);
}

static int run_network_inspect(struct invocation *in, struct cor_err *err)
{
        return inspect(in, "network", err);
}

static int run_volume_inspect(struct invocation *in, struct cor_err *err)
{
        return inspect(in, "volume", err);
}

#define FORMAT_ROW                                                                                                     \
        OPTION_ROW("format", 'f', TEXT, struct inspect_options, format, "string", 0,                                   \
                   "A Go template for each object, or 'json' for JSON in one line")

#define SIZE_ROW                                                                                                       \
        OPTION_ROW("size", 's', FLAG, struct inspect_options, size, "", 0, "Show what containers take up on disk")

static const struct option format_rows_only[] = { FORMAT_ROW };

const struct verb verb_image_inspect = {
        .summary = "Show all that is known of images",
        .arguments = "IMAGE [IMAGE...]",
        .min_args = 1,
        .max_args = VERB_ARGS_ANY,
        .options_size = sizeof(struct inspect_options),
        .options = format_rows_only,
        .n_options = COR_COUNT(format_rows_only),
        .run = run_image_inspect,
};

static const struct option inspect_rows[] = {
        FORMAT_ROW,
        SIZE_ROW,
        OPTION_ROW("type", 0, TEXT, struct inspect_options, type, "string", 0,
                   "Only objects of this type: container, image, network or volume"),
};

static const struct option container_inspect_rows[] = { FORMAT_ROW, SIZE_ROW };

const struct verb verb_container_inspect = {
        .summary = "Show all that is known of containers",
        .arguments = "CONTAINER [CONTAINER...]",
        .min_args = 1,
        .max_args = VERB_ARGS_ANY,
        .options_size = sizeof(struct inspect_options),
        .options = container_inspect_rows,
        .n_options = COR_COUNT(container_inspect_rows),
        .run = run_container_inspect,
};

static const struct option network_inspect_rows[] = {
        FORMAT_ROW,
        OPTION_ROW("verbose", 'v', FLAG, struct inspect_options, verbose, "", 0,
                   "Nothing more: there are no services of a swarm"),
};

const struct verb verb_network_inspect = {
        .summary = "Show all that is known of networks",
        .arguments = "NETWORK [NETWORK...]",
        .min_args = 1,
        .max_args = VERB_ARGS_ANY,
        .options_size = sizeof(struct inspect_options),
        .options = network_inspect_rows,
        .n_options = COR_COUNT(network_inspect_rows),
        .run = run_network_inspect,
};

const struct verb verb_volume_inspect = {
        .summary = "Show all that is known of volumes",
        .arguments = "VOLUME [VOLUME...]",
        .min_args = 1,
        .max_args = VERB_ARGS_ANY,
        .options_size = sizeof(struct inspect_options),
        .options = format_rows_only,
        .n_options = COR_COUNT(format_rows_only),
        .run = run_volume_inspect,
};

const struct verb verb_inspect = {
        .summary = "Show all that is known of objects",
        .arguments = "NAME|ID [NAME|ID...]",
        .min_args = 1,
        .max_args = VERB_ARGS_ANY,
        .options_size = sizeof(struct inspect_options),
        .options = inspect_rows,
        .n_options = COR_COUNT(inspect_rows),
        .run = run_inspect,
};

/* network ls, rm, prune, connect, disconnect; create is verb_network_create.c, and inspect is verb_inspect.c. */
#include "cli/coracle/settings.h"
#include "cli/coracle/verb_container.h"

#include "engine/network.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum { SHORT_ID = 12 };

/* ---- ls ---- */

struct ls_options {
        bool quiet, no_trunc;
        const char *format;
        char **filters;
        size_t n_filters;
};

static const struct format_heading headings[] = {
        { "ID", "NETWORK ID" },     { "Name", "NAME" },     { "Driver", "DRIVER" },
        { "Scope", "SCOPE" },       { "IPv4", "IPV4" },     { "IPv6", "IPV6" },
        { "Internal", "INTERNAL" }, { "Labels", "LABELS" }, { "CreatedAt", "CREATED AT" },
};

/* As Go prints a time */
static void add_time(int64_t ns, struct cor_text *out)
{
        time_t seconds = (time_t)(ns / 1000000000);
        char date[32] = "", fraction[16];
        struct tm tm;
        size_t n;

        gmtime_r(&seconds, &tm);
        strftime(date, sizeof date, "%Y-%m-%d %H:%M:%S", &tm);
        snprintf(fraction, sizeof fraction, ".%09d", (int)(ns % 1000000000));
        for (n = strlen(fraction); n > 0 && (fraction[n - 1] == '0' || fraction[n - 1] == '.'); n--)
                fraction[n - 1] = '\0';
        cor_text_printf(out, "%s%s +0000 UTC", date, fraction);
}

static const char *truth(bool b)
{
        return b ? "true" : "false";
}

static struct value *make_row(struct value_pool *p, const struct ls_options *o, const struct network_row *r,
                              const struct docker_network *d)
{
        struct value *row = value_struct(p, "*formatter.networkContext");
        auto_text created = COR_TEXT_INIT, labels = COR_TEXT_INIT;
        auto_str id = cor_strndup(r->id, o->no_trunc ? strlen(r->id) : SHORT_ID);

        add_time(r->created, &created);
        for (size_t i = 0; i < d->n_labels; i++)
                cor_text_printf(&labels, "%s%s=%s", i > 0 ? "," : "", d->labels[i].key, d->labels[i].value);
        row->html = true;
        value_field_text(p, row, "CreatedAt", created.s);
        value_field_text(p, row, "Driver", r->driver);
        value_field_text(p, row, "ID", id);
        value_field_text(p, row, "IPv4", truth(d->enable_ipv4));
        value_field_text(p, row, "IPv6", truth(d->enable_ipv6));
        value_field_text(p, row, "Internal", truth(d->internal));
        value_field_text(p, row, "Labels", labels.s);
        value_field_text(p, row, "Name", r->name);
        value_field_text(p, row, "Scope", "local");
        return row;
}

static struct format format_of(const struct ls_options *o, const char *given)
{
        struct format f = { .given = given,
                            .standard = "{{.ID}}\t{{.Name}}\t{{.Driver}}\t{{.Scope}}",
                            .headings = headings,
                            .n_headings = COR_COUNT(headings) };

        if (given && strcmp(given, "raw") == 0)
                f.given = o->quiet ? "network_id: {{.ID}}"
                                   : "network_id: {{.ID}}\nname: {{.Name}}\ndriver: {{.Driver}}\nscope: {{.Scope}}\n";
        else if (o->quiet && (!given || strcmp(given, "table") == 0))
                f.given = "{{.ID}}";
        return f;
}

static int compare_names(const void *a, const void *b)
{
        const struct network_row *x = a, *y = b;

        return strverscmp(x->name, y->name);
}

static int list(struct engine *e, const struct ls_options *o, const char *given, struct cor_err *err)
{
        const struct format f = format_of(o, given);
        auto_value_pool p = value_pool_new(SIZE_MAX);
        const struct network_filter filter = { .items = verb_filter_pairs(p, o->filters, o->n_filters),
                                               .n_items = o->n_filters };
        auto_free const struct value **shown = NULL;
        auto_network_rows rows = { 0 };
        auto_text out = COR_TEXT_INIT;

        if (engine_networks(e, &filter, &rows, err) < 0)
                return -1;
        if (rows.n_items > 1)
                qsort(rows.items, rows.n_items, sizeof *rows.items, compare_names);
        shown = cor_alloc((rows.n_items + 1) * sizeof(const struct value *));
        for (size_t i = 0; i < rows.n_items; i++) {
                auto_json struct docker_network *d = NULL;

                if (network_row_document(&rows.items[i], &d, err) < 0)
                        return -1;
                shown[i] = make_row(p, o, &rows.items[i], d);
        }
        return format_rows(&f, shown, rows.n_items, &out, err) < 0 ? -1 : verb_print(&out, err);
}

static const struct option ls_rows[] = {
        OPTION_ROW_LIST("filter", 'f', struct ls_options, filters, n_filters, "filter",
                        "Only networks for which KEY=VALUE holds: dangling, driver, id, label, name, scope, type"),
        OPTION_ROW("format", 0, TEXT, struct ls_options, format, "string", 0,
                   "A Go template for each row, 'table TEMPLATE', 'json' or 'raw'"),
        OPTION_ROW("no-trunc", 0, FLAG, struct ls_options, no_trunc, "", 0, "Show whole ids"),
        OPTION_ROW("quiet", 'q', FLAG, struct ls_options, quiet, "", 0, "Show ids only"),
};

static int run_ls(struct invocation *in, struct cor_err *err)
{
        const struct ls_options *o = in->options;
        auto_json struct settings *settings = NULL;
        auto_engine e = { 0 };

        if (verb_filters(&ls_rows[0], o->filters, o->n_filters, err) < 0) {
                in->code = 125;
                return -1;
        }
        if (settings_load(&settings, err) < 0 || verb_engine(in, &e, err) < 0)
                return -1;
        return list(&e, o, o->format || o->quiet ? o->format : settings->networks_format, err);
}

const struct verb verb_network_ls = {
        .summary = "List networks",
        .options_size = sizeof(struct ls_options),
        .options = ls_rows,
        .n_options = COR_COUNT(ls_rows),
        .run = run_ls,
};

/* ---- rm ---- */

struct rm_options {
        bool force;
};

static int remove_one(struct engine *e, const void *options, const char *name, struct cor_err *err)
{
        const struct rm_options *o = options;

        if (engine_remove_network(e, name, NULL, err) == 0)
                return 0;
        return o->force && err->kind == COR_NOT_FOUND ? 1 : -1;
}

static int run_rm(struct invocation *in, struct cor_err *err)
{
        return verb_each(in, remove_one, in->options, err);
}

static const struct option rm_rows[] = {
        OPTION_ROW("force", 'f', FLAG, struct rm_options, force, "", 0, "One that is not there is no error"),
};

const struct verb verb_network_rm = {
        .summary = "Remove networks",
        .arguments = "NETWORK [NETWORK...]",
        .min_args = 1,
        .max_args = VERB_ARGS_ANY,
        .options_size = sizeof(struct rm_options),
        .options = rm_rows,
        .n_options = COR_COUNT(rm_rows),
        .run = run_rm,
};

/* ---- prune ---- */

struct prune_options {
        bool force;
        char **filters;
        size_t n_filters;
};

static const struct option prune_rows[] = {
        OPTION_ROW_LIST("filter", 0, struct prune_options, filters, n_filters, "filter",
                        "Only networks for which KEY=VALUE holds: label, label!, until"),
        OPTION_ROW("force", 'f', FLAG, struct prune_options, force, "", 0, "Do not ask"),
};

int verb_prune_networks(struct engine *e, char *const *filters, size_t n_filters, struct cor_strv *removed,
                        struct cor_err *err)
{
        auto_value_pool p = value_pool_new(SIZE_MAX);
        const struct network_filter filter = { .items = verb_filter_pairs(p, filters, n_filters),
                                               .n_items = n_filters,
                                               .prune = true };

        return engine_prune_networks(e, &filter, removed, err);
}

static int run_prune(struct invocation *in, struct cor_err *err)
{
        const struct prune_options *o = in->options;
        auto_text out = COR_TEXT_INIT;
        auto_strv removed = { 0 };
        auto_engine e = { 0 };
        int yes;

        if (verb_filters(&prune_rows[0], o->filters, o->n_filters, err) < 0) {
                in->code = 125;
                return -1;
        }
        yes = o->force ? 1
                       : verb_confirm("WARNING! This will remove all custom networks not used by at least one "
                                      "container.\n",
                                      err);
        if (yes <= 0)
                return yes;
        if (verb_engine(in, &e, err) < 0 || verb_prune_networks(&e, o->filters, o->n_filters, &removed, err) < 0)
                return -1;
        if (removed.n_items > 0)
                cor_text_add(&out, "Deleted Networks:\n");
        for (size_t i = 0; i < removed.n_items; i++)
                cor_text_printf(&out, "%s\n", removed.items[i]);
        if (removed.n_items > 0)
                cor_text_add_c(&out, '\n');
        return verb_print(&out, err);
}

const struct verb verb_network_prune = {
        .summary = "Remove networks that nobody uses",
        .options_size = sizeof(struct prune_options),
        .options = prune_rows,
        .n_options = COR_COUNT(prune_rows),
        .run = run_prune,
};

/* ---- connect, disconnect ---- */

struct connect_options {
        const char *ip, *ip6;
        struct cor_opt_i64 gw_priority;
        char **aliases, **driver_opts, **links, **link_local_ips;
        size_t n_aliases, n_driver_opts, n_links, n_link_local_ips;
};

static int read_driver_opts(const struct connect_options *o, struct cor_pair *ret, struct cor_err *err)
{
        for (size_t i = 0; i < o->n_driver_opts; i++) {
                char *value = strchr(o->driver_opts[i], '=');

                if (!value || value == o->driver_opts[i])
                        return cor_fail(err, COR_INVALID, "invalid key/value pair format in driver options");
                *value++ = '\0';
                ret[i] = (struct cor_pair){ o->driver_opts[i], value };
        }
        return 0;
}

static int run_connect(struct invocation *in, struct cor_err *err)
{
        const struct connect_options *o = in->options;
        auto_free struct cor_pair *driver_opts = cor_alloc((o->n_driver_opts + 1) * sizeof *driver_opts);
        struct docker_ipam_config ipam = { .ipv4_address = o->ip,
                                           .ipv6_address = o->ip6,
                                           .link_local_ips = (const char **)o->link_local_ips,
                                           .n_link_local_ips = o->n_link_local_ips };
        struct docker_endpoint e = { .ipam_config = o->ip || o->ip6 || o->n_link_local_ips ? &ipam : NULL,
                                     .links = (const char **)o->links,
                                     .n_links = o->n_links,
                                     .aliases = (const char **)o->aliases,
                                     .n_aliases = o->n_aliases,
                                     .driver_opts = driver_opts,
                                     .n_driver_opts = o->n_driver_opts,
                                     .gw_priority = o->gw_priority.value };
        auto_engine engine = { 0 };

        if (o->n_driver_opts == 0)
                e.driver_opts = NULL;
        if (read_driver_opts(o, driver_opts, err) < 0 || verb_engine(in, &engine, err) < 0)
                return -1;
        return engine_connect_network(&engine, in->args[0], in->args[1], &e, err);
}

#define O struct connect_options
static const struct option connect_rows[] = {
        OPTION_ROW_LIST("alias", 0, O, aliases, n_aliases, "strings", "One more name for the container in the network"),
        OPTION_ROW_LIST("driver-opt", 0, O, driver_opts, n_driver_opts, "strings",
                        "An option of the driver, KEY=VALUE"),
        OPTION_ROW("gw-priority", 0, I64, O, gw_priority, "int", 0,
                   "The network with the highest one has the default route"),
        OPTION_ROW("ip", 0, TEXT, O, ip, "string", 0, "Its IPv4 address"),
        OPTION_ROW("ip6", 0, TEXT, O, ip6, "string", 0, "Its IPv6 address"),
        OPTION_ROW_LIST("link", 0, O, links, n_links, "list", "CONTAINER:NAME: what it calls another container"),
        OPTION_ROW_LIST("link-local-ip", 0, O, link_local_ips, n_link_local_ips, "strings",
                        "One more address, link-local"),
};
#undef O

const struct verb verb_network_connect = {
        .summary = "Connect a container with a network",
        .arguments = "NETWORK CONTAINER",
        .min_args = 2,
        .max_args = 2,
        .options_size = sizeof(struct connect_options),
        .options = connect_rows,
        .n_options = COR_COUNT(connect_rows),
        .run = run_connect,
};

static int run_disconnect(struct invocation *in, struct cor_err *err)
{
        const struct rm_options *o = in->options;
        auto_engine e = { 0 };

        return verb_engine(in, &e, err) < 0 ? -1
                                            : engine_disconnect_network(&e, in->args[0], in->args[1], o->force, err);
}

static const struct option disconnect_rows[] = {
        OPTION_ROW("force", 'f', FLAG, struct rm_options, force, "", 0, "It is no error if they are not connected"),
};

const struct verb verb_network_disconnect = {
        .summary = "Disconnect a container from a network",
        .arguments = "NETWORK CONTAINER",
        .min_args = 2,
        .max_args = 2,
        .options_size = sizeof(struct rm_options),
        .options = disconnect_rows,
        .n_options = COR_COUNT(disconnect_rows),
        .run = run_disconnect,
};

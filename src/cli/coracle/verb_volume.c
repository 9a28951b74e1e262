/* volume create, ls, rm, prune. */
#include "cli/coracle/settings.h"
#include "cli/coracle/verb_container.h"

#include "cli/units.h"
#include "engine/volume.h"

#include <stdio.h>
#include <string.h>

/* ---- create ---- */

struct create_options {
        const char *driver, *name;
        char **labels, **opts;
        size_t n_labels, n_opts;
};

/* Each key once: the last value holds. */
static void add_pair(struct cor_strv *list, const char *word)
{
        size_t key = strcspn(word, "=");
        char *pair = word[key] ? cor_strdup(word) : cor_printf("%s=", word);

        for (size_t i = 0; i < list->n_items; i++)
                if (strncmp(list->items[i], pair, key + 1) == 0) {
                        free(list->items[i]);
                        list->items[i] = pair;
                        return;
                }
        cor_strv_take(list, pair);
}

static int read_labels(const struct create_options *o, struct cor_strv *ret, struct cor_err *err)
{
        for (size_t i = 0; i < o->n_labels; i++) {
                const char *word = o->labels[i];
                size_t key = strcspn(word, "=");

                if (key == 0)
                        return cor_fail(
                                err, COR_INVALID,
                                "invalid argument \"%.100s\" for \"--label\" flag: invalid label '%.100s': empty "
                                "name",
                                word, word);
                if (strcspn(word, " \t") < key)
                        return cor_fail(err, COR_INVALID,
                                        "invalid argument \"%.100s\" for \"--label\" flag: label '%.*s' contains "
                                        "whitespaces",
                                        word, (int)(key < 100 ? key : 100), word);
                add_pair(ret, word);
        }
        return 0;
}

static int run_create(struct invocation *in, struct cor_err *err)
{
        const struct create_options *o = in->options;
        auto_strv options = { 0 }, labels = { 0 };
        const struct volume_new n = { .name = in->n_args > 0 ? in->args[0] : o->name,
                                      .driver = o->driver,
                                      .options = &options,
                                      .labels = &labels };
        auto_text out = COR_TEXT_INIT;
        auto_engine e = { 0 };
        auto_str name = NULL;

        if (in->n_args > 0 && o->name)
                return cor_fail(err, COR_INVALID,
                                "conflicting options: cannot specify a volume-name through both --name and as a "
                                "positional arg");
        if (read_labels(o, &labels, err) < 0) {
                in->code = 125;
                return -1;
        }
        for (size_t i = 0; i < o->n_opts; i++)
                add_pair(&options, o->opts[i]);
        if (verb_engine(in, &e, err) < 0 || engine_create_volume(e.store, &n, &name, err) < 0)
                return -1;
        cor_text_printf(&out, "%s\n", name);
        return verb_print(&out, err);
}

static const struct option create_rows[] = {
        OPTION_ROW("driver", 'd', TEXT, struct create_options, driver, "string", 0, "Its driver: local"),
        OPTION_ROW_LIST("label", 0, struct create_options, labels, n_labels, "list", "A label, KEY=VALUE"),
        OPTION_ROW("name", 0, TEXT, struct create_options, name, "string", OPTION_HIDDEN, "Its name"),
        OPTION_ROW_LIST("opt", 'o', struct create_options, opts, n_opts, "map",
                        "An option of the driver: type, device or o, as mount(8) has them"),
};

const struct verb verb_volume_create = {
        .summary = "Make a volume",
        .arguments = "[VOLUME]",
        .max_args = 1,
        .options_size = sizeof(struct create_options),
        .options = create_rows,
        .n_options = COR_COUNT(create_rows),
        .run = run_create,
};

/* ---- filters ---- */

struct volume_filter {
        char *const *items; /* "KEY=VALUE" */
        size_t n_items;
};

static bool has_label(const struct volume_row *v, const char *wanted)
{
        size_t n = strlen(wanted);

        for (size_t i = 0; i < v->labels.n_items; i++)
                if (strncmp(v->labels.items[i], wanted, n) == 0 &&
                    (!v->labels.items[i][n] || (v->labels.items[i][n] == '=' && !strchr(wanted, '='))))
                        return true;
        return false;
}

static int check_filters(const struct volume_filter *f, bool prune, struct cor_err *err)
{
        for (size_t i = 0; i < f->n_items; i++) {
                const char *item = f->items[i], *value = strchr(item, '=') + 1;
                size_t key = (size_t)(value - 1 - item);
                bool known = (key == 5 && strncmp(item, "label", key) == 0) ||
                             (prune ? (key == 6 && strncmp(item, "label!", key) == 0) ||
                                              (key == 3 && strncmp(item, "all", key) == 0)
                                    : (key == 8 && strncmp(item, "dangling", key) == 0) ||
                                              (key == 4 && strncmp(item, "name", key) == 0) ||
                                              (key == 6 && strncmp(item, "driver", key) == 0));
                bool boolean = *item == 'd' && item[1] == 'a';

                if (!known)
                        return cor_fail(err, COR_INVALID, "invalid filter '%.*s'", (int)(key < 50 ? key : 50), item);
                if ((boolean || *item == 'a') && strcmp(value, "true") != 0 && strcmp(value, "false") != 0 &&
                    strcmp(value, "1") != 0 && strcmp(value, "0") != 0)
                        return cor_fail(err, COR_INVALID, "invalid filter '%.*s=[%.50s]'", (int)key, item, value);
        }
        return 0;
}

/* Of one key any of its values may fit, but labels have to fit all. */
static bool fits(const struct volume_row *v, const void *arg)
{
        const struct volume_filter *f = arg;
        bool asked_name = false, name = false, asked_driver = false, driver = false;

        for (size_t i = 0; i < f->n_items; i++) {
                const char *item = f->items[i], *value = strchr(item, '=') + 1;

                if (cor_starts_with(item, "label=") && !has_label(v, value))
                        return false;
                if (cor_starts_with(item, "label!=") && has_label(v, value))
                        return false;
                if (cor_starts_with(item, "dangling=") && (v->users == 0) != (*value == 't' || *value == '1'))
                        return false;
                if (cor_starts_with(item, "name=")) {
                        asked_name = true;
                        name = name || strstr(v->name, value);
                }
                if (cor_starts_with(item, "driver=")) {
                        asked_driver = true;
                        driver = driver || strcmp(v->driver, value) == 0;
                }
        }
        return asked_name == name && asked_driver == driver;
}

/* ---- ls ---- */

struct ls_options {
        bool quiet, cluster;
        const char *format;
        char **filters;
        size_t n_filters;
};

static const struct format_heading headings[] = {
        { "Name", "VOLUME NAME" }, { "Driver", "DRIVER" }, { "Scope", "SCOPE" }, { "Mountpoint", "MOUNTPOINT" },
        { "Labels", "LABELS" },    { "Links", "LINKS" },   { "Size", "SIZE" },   { "Availability", "AVAILABILITY" },
        { "Group", "GROUP" },      { "Status", "STATUS" },
};

static struct value *make_row(struct value_pool *p, const struct store *s, const struct volume_row *v)
{
        struct value *row = value_struct(p, "*formatter.volumeContext");
        auto_str path = volume_folder_path(s, v->name);
        auto_text labels = COR_TEXT_INIT;

        for (size_t i = 0; i < v->labels.n_items; i++)
                cor_text_printf(&labels, "%s%s", i > 0 ? "," : "", v->labels.items[i]);
        row->html = true;
        value_field_text(p, row, "Availability", "N/A");
        value_field_text(p, row, "Driver", v->driver);
        value_field_text(p, row, "Group", "N/A");
        value_field_text(p, row, "Labels", labels.s);
        value_field_text(p, row, "Links", "N/A");
        value_field_text(p, row, "Mountpoint", path);
        value_field_text(p, row, "Name", v->name);
        value_field_text(p, row, "Scope", "local");
        value_field_text(p, row, "Size", "N/A");
        value_field_text(p, row, "Status", "N/A");
        return row;
}

static int compare_names(const void *a, const void *b)
{
        const struct volume_row *x = a, *y = b;

        return strverscmp(x->name, y->name);
}

static struct format format_of(const struct ls_options *o, const char *given)
{
        struct format f = { .given = given,
                            .standard = "{{.Driver}}\t{{.Name}}",
                            .headings = headings,
                            .n_headings = COR_COUNT(headings) };

        if (given && strcmp(given, "raw") == 0)
                f.given = o->quiet ? "name: {{.Name}}" : "name: {{.Name}}\ndriver: {{.Driver}}\n";
        else if (o->quiet && (!given || strcmp(given, "table") == 0))
                f.given = "{{.Name}}";
        return f;
}

static const struct option ls_rows[] = {
        OPTION_ROW_LIST("filter", 'f', struct ls_options, filters, n_filters, "filter",
                        "Only volumes for which KEY=VALUE holds: dangling, driver, label, name"),
        OPTION_ROW("cluster", 0, FLAG, struct ls_options, cluster, "", 0, "Refused: there are no cluster volumes"),
        OPTION_ROW("format", 0, TEXT, struct ls_options, format, "string", 0,
                   "A Go template for each row, 'table TEMPLATE', 'json' or 'raw'"),
        OPTION_ROW("quiet", 'q', FLAG, struct ls_options, quiet, "", 0, "Show names only"),
};

static int list(struct engine *e, const struct ls_options *o, const char *given, struct cor_err *err)
{
        const struct volume_filter filter = { .items = o->filters, .n_items = o->n_filters };
        const struct format f = format_of(o, given);
        auto_value_pool p = value_pool_new(SIZE_MAX);
        auto_volume_rows rows = { 0 };
        auto_free const struct value **shown = NULL;
        auto_text out = COR_TEXT_INIT;
        size_t n = 0;

        if (volume_row_all(e->store, &rows, err) < 0)
                return -1;
        if (rows.n_items > 1)
                qsort(rows.items, rows.n_items, sizeof *rows.items, compare_names);
        shown = cor_alloc((rows.n_items + 1) * sizeof(const struct value *));
        for (size_t i = 0; i < rows.n_items; i++)
                if (fits(&rows.items[i], &filter))
                        shown[n++] = make_row(p, e->store, &rows.items[i]);
        return format_rows(&f, shown, n, &out, err) < 0 ? -1 : verb_print(&out, err);
}

static int run_ls(struct invocation *in, struct cor_err *err)
{
        const struct ls_options *o = in->options;
        const struct volume_filter filter = { .items = o->filters, .n_items = o->n_filters };
        auto_json struct settings *settings = NULL;
        auto_engine e = { 0 };

        if (verb_filters(&ls_rows[0], o->filters, o->n_filters, err) < 0) {
                in->code = 125;
                return -1;
        }
        if (o->cluster)
                return cor_fail(err, COR_UNSUPPORTED, "--cluster: there are no cluster volumes");
        if (check_filters(&filter, false, err) < 0 || settings_load(&settings, err) < 0 || verb_engine(in, &e, err) < 0)
                return -1;
        return list(&e, o, o->format || o->quiet ? o->format : settings->volumes_format, err);
}

const struct verb verb_volume_ls = {
        .summary = "List volumes",
        .options_size = sizeof(struct ls_options),
        .options = ls_rows,
        .n_options = COR_COUNT(ls_rows),
        .run = run_ls,
};

/* ---- as inspect shows it ---- */

/* NULL, and not {}, where there is nothing */
static struct value *pairs(struct value_pool *p, const struct cor_strv *list)
{
        struct value *m = value_map(p);

        m->type = "map[string]string";
        m->null = list->n_items == 0;
        for (size_t i = 0; i < list->n_items; i++) {
                auto_str key = cor_strndup(list->items[i], strcspn(list->items[i], "="));
                const char *value = list->items[i] + strlen(key);

                value_append(p, m, key, value_string(p, *value ? value + 1 : ""));
        }
        value_sort(m);
        return m;
}

struct value *verb_volume_document(struct value_pool *p, const struct store *s, const struct volume_row *v)
{
        struct value *d = value_struct(p, "volume.Volume");
        auto_str path = volume_folder_path(s, v->name);
        auto_text created = COR_TEXT_INIT;

        units_rfc3339(v->created / 1000000000, &created);
        value_field_text(p, d, "CreatedAt", created.s);
        value_field_text(p, d, "Driver", v->driver);
        value_field(p, d, "Labels", NULL, pairs(p, &v->labels));
        value_field_text(p, d, "Mountpoint", path);
        value_field_text(p, d, "Name", v->name);
        value_field(p, d, "Options", NULL, pairs(p, &v->options));
        value_field_text(p, d, "Scope", "local");
        return d;
}

/* ---- rm ---- */

struct rm_options {
        bool force;
};

static int remove_one(struct engine *e, const void *options, const char *name, struct cor_err *err)
{
        const struct rm_options *o = options;

        return engine_remove_volume(e->store, name, o->force, err);
}

static int run_rm(struct invocation *in, struct cor_err *err)
{
        return verb_each(in, remove_one, in->options, err);
}

static const struct option rm_rows[] = {
        OPTION_ROW("force", 'f', FLAG, struct rm_options, force, "", 0, "A volume that is not there is no failure"),
};

const struct verb verb_volume_rm = {
        .summary = "Remove volumes that no container uses",
        .arguments = "VOLUME [VOLUME...]",
        .min_args = 1,
        .max_args = VERB_ARGS_ANY,
        .options_size = sizeof(struct rm_options),
        .options = rm_rows,
        .n_options = COR_COUNT(rm_rows),
        .run = run_rm,
};

/* ---- prune ---- */

struct prune_options {
        bool all, force;
        char **filters;
        size_t n_filters;
};

static const struct option prune_rows[] = {
        OPTION_ROW_LIST("filter", 0, struct prune_options, filters, n_filters, "filter",
                        "Only volumes for which KEY=VALUE holds: label, label!"),
        OPTION_ROW("all", 'a', FLAG, struct prune_options, all, "", 0,
                   "All that nobody uses, and not only anonymous ones"),
        OPTION_ROW("force", 'f', FLAG, struct prune_options, force, "", 0, "Do not ask"),
};

static bool is_wanted(const struct volume_row *v, void *arg)
{
        return fits(v, arg);
}

static bool asks_for_all(const struct volume_filter *f)
{
        for (size_t i = 0; i < f->n_items; i++)
                if (strcmp(f->items[i], "all=true") == 0 || strcmp(f->items[i], "all=1") == 0)
                        return true;
        return false;
}

int verb_prune_volumes(struct engine *e, char *const *filters, size_t n_filters, bool all, struct volume_pruned *ret,
                       struct cor_err *err)
{
        struct volume_filter filter = { .items = filters, .n_items = n_filters };

        if (check_filters(&filter, true, err) < 0)
                return -1;
        return engine_prune_volumes(e->store, all || asks_for_all(&filter), is_wanted, &filter, ret, err);
}

static int run_prune(struct invocation *in, struct cor_err *err)
{
        const struct prune_options *o = in->options;
        const struct volume_filter filter = { .items = o->filters, .n_items = o->n_filters };
        auto_volume_pruned pruned = { 0 };
        auto_text out = COR_TEXT_INIT;
        auto_engine e = { 0 };
        bool all;
        int yes;

        if (verb_filters(&prune_rows[0], o->filters, o->n_filters, err) < 0) {
                in->code = 125;
                return -1;
        }
        if (check_filters(&filter, true, err) < 0)
                return -1;
        all = o->all || asks_for_all(&filter);
        yes = o->force ? 1
                       : verb_confirm(all ? "WARNING! This will remove all local volumes not used by at least one "
                                            "container.\n"
                                          : "WARNING! This will remove anonymous local volumes not used by at least "
                                            "one container.\n",
                                      err);
        if (yes <= 0)
                return yes;
        if (verb_engine(in, &e, err) < 0 || verb_prune_volumes(&e, o->filters, o->n_filters, all, &pruned, err) < 0)
                return -1;
        if (pruned.names.n_items > 0)
                cor_text_add(&out, "Deleted Volumes:\n");
        for (size_t i = 0; i < pruned.names.n_items; i++)
                cor_text_printf(&out, "%s\n", pruned.names.items[i]);
        cor_text_printf(&out, "%sTotal reclaimed space: ", pruned.names.n_items > 0 ? "\n" : "");
        units_size((int64_t)pruned.bytes, 4, &out);
        cor_text_add_c(&out, '\n');
        return verb_print(&out, err);
}

const struct verb verb_volume_prune = {
        .summary = "Remove volumes that nobody uses",
        .options_size = sizeof(struct prune_options),
        .options = prune_rows,
        .n_options = COR_COUNT(prune_rows),
        .run = run_prune,
};

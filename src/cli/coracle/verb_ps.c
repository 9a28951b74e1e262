/* ps: a row for each container, in docker's form. */
#include "cli/coracle/settings.h"
#include "cli/coracle/verb_container.h"

#include "base/log.h"
#include "cli/rune.h"
#include "cli/units.h"
#include "engine/container_filter.h"
#include "engine/container_inspect.h"
#include "engine/network.h"
#include "image/reference.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum { COMMAND_WIDTH = 20, MOUNT_WIDTH = 15 };
static const int64_t SECOND = 1000000000;

struct ps_options {
        bool all, latest, no_trunc, quiet;
        struct cor_opt_bool size;
        const char *format, *last;
        char **filters;
        size_t n_filters;
};

static const struct format_heading headings[] = {
        { "ID", "CONTAINER ID" },
        { "Names", "NAMES" },
        { "Image", "IMAGE" },
        { "Command", "COMMAND" },
        { "CreatedAt", "CREATED AT" },
        { "RunningFor", "CREATED" },
        { "Ports", "PORTS" },
        { "State", "STATE" },
        { "Status", "STATUS" },
        { "Size", "SIZE" },
        { "Labels", "LABELS" },
        { "Mounts", "MOUNTS" },
        { "LocalVolumes", "LOCAL VOLUMES" },
        { "Networks", "NETWORKS" },
};

#define RAW                                                                                                            \
        "container_id: {{.ID}}\nimage: {{.Image}}\ncommand: {{.Command}}\ncreated_at: {{.CreatedAt}}\n"                \
        "state: {{- pad .State 1 0}}\nstatus: {{- pad .Status 1 0}}\nnames: {{.Names}}\n"                              \
        "labels: {{- pad .Labels 1 0}}\nports: {{- pad .Ports 1 0}}\n"
static const char raw[] = RAW, raw_sized[] = RAW "size: {{.Size}}\n";

struct lister {
        struct engine *engine;
        const struct ps_options *options;
        struct value_pool *pool;
        struct format format;
        bool own;               /* our own table, which shows few fields */
        bool size;              /* is shown, which takes a walk over all files */
        const int64_t *written; /* unless this is known */
        struct {
                const char *name; /* of an image, borrowed; many containers have the same one */
                struct cor_text shown;
        } image;
};

static void set_text(struct lister *l, struct value *row, const char *field, struct cor_text *t)
{
        value_field_text(l->pool, row, field, t->s ? t->s : "");
        t->len = 0;
        if (t->s)
                *t->s = '\0';
}

/* At most @width characters, the last of which tells that there is more */
static void add_cut(const char *s, size_t width, struct cor_text *out)
{
        size_t n = strlen(s), runes = 0, i = 0;
        uint32_t rune;

        if (rune_count(s, n) <= width) {
                cor_text_add(out, s);
                return;
        }
        while (runes++ < width - 1)
                i += rune_next(s + i, n - i, &rune);
        cor_text_add_n(out, s, i);
        cor_text_add(out, "…");
}

/* ---- what became of it ---- */

static void add_state(const struct container_row *r, struct cor_text *out)
{
        static const char *const health[] = { "", " (health: starting)", " (healthy)", " (unhealthy)" };
        const struct container_now *n = &r->now;

        switch (n->phase) {
        case CONTAINER_PHASE_RUNNING:
        case CONTAINER_PHASE_PAUSED:
                cor_text_add(out, "Up ");
                units_duration((int64_t)time(NULL) - n->started / SECOND, out);
                cor_text_add(out, n->phase == CONTAINER_PHASE_PAUSED ? " (Paused)" : health[n->health]);
                break;
        case CONTAINER_PHASE_RESTARTING:
                cor_text_printf(out, "Restarting (%d) ", n->exit_code);
                units_since(n->finished / SECOND, out);
                break;
        case CONTAINER_PHASE_REMOVING:
                cor_text_add(out, "Removal In Progress");
                break;
        case CONTAINER_PHASE_DEAD:
                cor_text_add(out, "Dead");
                break;
        case CONTAINER_PHASE_CREATED:
                cor_text_add(out, "Created");
                break;
        case CONTAINER_PHASE_EXITED:
                if (n->finished == 0)
                        break;
                cor_text_printf(out, "Exited (%d) ", n->exit_code);
                units_since(n->finished / SECOND, out);
                break;
        }
}

static void show_name(const char *image, struct cor_text *out)
{
        auto_reference ref = { 0 };

        if (reference_parse(image, &ref, NULL) == 0) {
                auto_str name = reference_familiar_name(&ref);

                cor_text_printf(out, "%s%s%s", name, ref.tag ? ":" : "", ref.tag ? ref.tag : "");
        } else {
                cor_text_add(out, image);
        }
}

/* As docker shows it: an id is cut, a digest behind a tag is left away. */
static void add_image(struct lister *l, const struct container_row *r, struct cor_text *out)
{
        const char *hex = cor_starts_with(r->image, "sha256:") ? r->image + 7 : r->image;
        char id[13];

        if (!*r->image) {
                cor_text_add(out, "<no image>");
        } else if (l->options->no_trunc) {
                cor_text_add(out, r->image);
        } else if (strncmp(verb_short_id(&r->image_id, id), hex, 12) == 0) {
                cor_text_add(out, id);
        } else {
                if (!cor_streq(l->image.name, r->image)) {
                        l->image.name = r->image;
                        l->image.shown.len = 0;
                        show_name(r->image, &l->image.shown);
                }
                cor_text_add_n(out, l->image.shown.s, l->image.shown.len);
        }
}

static void add_command(const struct lister *l, const struct container_row *r, struct cor_text *out)
{
        auto_text cut = COR_TEXT_INIT;
        const char *command = r->command ? r->command : "";

        if (l->options->no_trunc)
                cor_text_add(&cut, command);
        else
                add_cut(command, COMMAND_WIDTH, &cut);
        rune_quote(cut.s ? cut.s : "", cut.len, false, out);
}

/* ---- from documents ---- */

static void add_mounts(const struct lister *l, const struct container_row *r, struct cor_text *out, unsigned *ret_local)
{
        auto_json struct docker_mount_points *points = NULL;
        struct cor_err ignored;

        *ret_local = 0;
        if (!r->mounts ||
            cor_json_parse(&docker_mount_points_doc, r->mounts, strlen(r->mounts), NULL, &points, &ignored) < 0)
                return;
        for (size_t i = 0; i < points->n_items; i++) {
                const struct docker_mount_point *m = &points->items[i];
                const char *name = m->name && *m->name ? m->name : m->source ? m->source : "";

                *ret_local += cor_streq(m->driver, "local");
                if (i > 0)
                        cor_text_add_c(out, ',');
                if (l->options->no_trunc)
                        cor_text_add(out, name);
                else
                        add_cut(name, MOUNT_WIDTH, out);
        }
}

/* Those that it is or would be connected with, if that is more than the mode says; whether there are such */
static bool add_listed_networks(const struct container_row *r, struct cor_text *out)
{
        auto_json struct docker_networking_config *c = NULL;

        if (!r->networking ||
            cor_json_parse(&docker_networking_config_doc, r->networking, strlen(r->networking), NULL, &c, NULL) < 0)
                return false;
        for (size_t i = 0; i < c->n_endpoints; i++)
                cor_text_printf(out, "%s%s", i > 0 ? "," : "", c->endpoints[i].name);
        return c->n_endpoints > 0;
}

static void add_networks(const struct container_row *r, struct cor_text *out)
{
        auto_json struct docker_host_config *h = NULL;
        struct cor_err ignored;

        if (add_listed_networks(r, out))
                return;
        if (!r->host_config ||
            cor_json_parse(&docker_host_config_doc, r->host_config, strlen(r->host_config), NULL, &h, &ignored) < 0)
                return;
        if (!h->network_mode || !*h->network_mode || strcmp(h->network_mode, "default") == 0)
                cor_text_add(out, "bridge");
        else if (!cor_starts_with(h->network_mode, "container:"))
                cor_text_add(out, h->network_mode);
}

static int compare_texts(const void *a, const void *b)
{
        return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void add_labels(const struct container_row *r, struct cor_text *out)
{
        auto_free const char **sorted = cor_alloc((r->labels.n_items + 1) * sizeof(const char *));

        for (size_t i = 0; i < r->labels.n_items; i++)
                sorted[i] = r->labels.items[i];
        if (r->labels.n_items > 1)
                qsort(sorted, r->labels.n_items, sizeof *sorted, compare_texts);
        for (size_t i = 0; i < r->labels.n_items; i++)
                cor_text_printf(out, "%s%s", i > 0 ? "," : "", sorted[i]);
}

/* "12kB (virtual 2MB)": what it has written, and all that it sees */
static void add_size(const struct lister *l, const struct container_row *r, struct cor_text *out)
{
        int64_t written = 0, all = 0;
        struct cor_err err = { 0 };

        if (engine_container_size(l->engine, r, &written, &all, &err) < 0)
                cor_debug("size of container %s: %s", r->id, err.msg);
        units_size(written, 3, out);
        if (all <= 0)
                return;
        cor_text_add(out, " (virtual ");
        units_size(all, 3, out);
        cor_text_add_c(out, ')');
}

/* ---- rows: their fields are in the order of the alphabet, as in the JSON form ---- */

static struct value *make_row(struct lister *l, const struct container_row *r)
{
        struct value *row = value_struct(l->pool, "*formatter.ContainerContext");
        auto_text t = COR_TEXT_INIT;
        unsigned local = 0;
        char number[12];

        row->html = true;
        add_command(l, r, &t);
        set_text(l, row, "Command", &t);
        if (!l->own) {
                units_time(r->created / SECOND, &t);
                set_text(l, row, "CreatedAt", &t);
        }
        cor_text_add_n(&t, r->id, l->options->no_trunc ? strlen(r->id) : 12);
        set_text(l, row, "ID", &t);
        add_image(l, r, &t);
        set_text(l, row, "Image", &t);
        if (!l->own) {
                add_labels(r, &t);
                set_text(l, row, "Labels", &t);
                add_mounts(l, r, &t, &local);
                snprintf(number, sizeof number, "%u", local);
                value_field_text(l->pool, row, "LocalVolumes", number);
                set_text(l, row, "Mounts", &t);
        }
        value_field_text(l->pool, row, "Names", r->name);
        if (!l->own) {
                add_networks(r, &t);
                set_text(l, row, "Networks", &t);
        }
        value_field_text(l->pool, row, "Ports", r->ports && container_phase_runs(r->now.phase) ? r->ports : "");
        units_since(r->created / SECOND, &t);
        set_text(l, row, "RunningFor", &t);
        if (l->written)
                units_size(*l->written, 3, &t);
        else if (l->size)
                add_size(l, r, &t);
        else
                cor_text_add(&t, "0B");
        set_text(l, row, "Size", &t);
        if (!l->own)
                value_field_text(l->pool, row, "State", container_phase_name(r->now.phase));
        add_state(r, &t);
        set_text(l, row, "Status", &t);
        return row;
}

struct value *verb_container_row(struct value_pool *p, const struct container_row *r, int64_t written)
{
        static const struct ps_options plain;
        struct lister l = { .options = &plain, .pool = p, .written = &written };

        struct value *row = make_row(&l, r);

        cor_text_done(&l.image.shown);
        return row;
}

/* ---- which ---- */

struct choice {
        struct container_match match;
        bool all;
        size_t limit; /* 0: none */
};

static int read_choice(struct engine *e, const struct ps_options *o, struct choice *ret, struct cor_err *err)
{
        int32_t last = o->latest ? 1 : -1;

        if (o->last && cor_parse_i32(o->last, &last) < 0)
                return cor_fail(err, COR_INVALID,
                                "invalid argument \"%.50s\" for \"-n, --last\" flag: strconv.ParseInt: parsing "
                                "\"%.50s\": invalid syntax",
                                o->last, o->last);
        if (container_match_parse(e, o->filters, o->n_filters, CONTAINER_FILTER_LIST, &ret->match, err) < 0)
                return -1;
        ret->limit = last > 0 ? (size_t)last : 0;
        ret->all = o->all || last > 0 || ret->match.phases || ret->match.n_codes > 0 || ret->match.has_before ||
                   ret->match.has_since;
        return 0;
}

static int show_rows(struct engine *e, const struct ps_options *o, const struct choice *c,
                     const struct container_rows *rows, struct lister *l, struct cor_err *err)
{
        auto_format_list list = { 0 };
        auto_text out = COR_TEXT_INIT;
        size_t n = 0;

        if (format_begin(&l->format, &list, err) < 0)
                return -1;
        for (size_t i = 0; i < rows->n_items && (c->limit == 0 || n < c->limit); i++) {
                int fits = !c->all && !container_phase_runs(rows->items[i].now.phase)
                                   ? 0
                                   : container_match_fits(e, &c->match, &rows->items[i], err);

                if (fits < 0 || (fits && format_row(&list, make_row(l, &rows->items[i]), err) < 0))
                        return -1;
                value_pool_clear(l->pool);
                n += fits != 0;
        }
        return format_end(&list, &out, err) < 0 ? -1 : verb_print(&out, err);
}

static struct format format_of(const struct ps_options *o, const char *given)
{
        static const char table[] =
                "{{.ID}}\t{{.Image}}\t{{.Command}}\t{{.RunningFor}}\t{{.Status}}\t{{.Ports}}\t{{.Names}}";
        static const char sized[] = "{{.ID}}\t{{.Image}}\t{{.Command}}\t{{.RunningFor}}\t{{.Status}}\t{{.Ports}}\t"
                                    "{{.Names}}\t{{.Size}}";
        struct format f = {
                .given = given,
                .standard = o->size.value ? sized : table,
                .headings = headings,
                .n_headings = COR_COUNT(headings),
        };

        if (given && strcmp(given, "raw") == 0)
                f.given = o->quiet ? "container_id: {{.ID}}" : o->size.value ? raw_sized : raw;
        else if (o->quiet)
                f.given = "{{.ID}}";
        return f;
}

#define ROW(NAME, LETTER, TYPE, M, VALUE, FLAGS, HELP)                                                                 \
        OPTION_ROW(NAME, LETTER, TYPE, struct ps_options, M, VALUE, FLAGS, HELP)

static const struct option ps_rows[] = {
        ROW("all", 'a', FLAG, all, "", 0, "Show those that do not run, too"),
        OPTION_ROW_LIST(
                "filter", 'f', struct ps_options, filters, n_filters, "filter",
                "Only those for which KEY=VALUE holds: id, name, label, status, exited, ancestor, before, since, "
                "volume, network, health, …"),
        ROW("format", 0, TEXT, format, "string", 0, "A Go template for each row, 'table TEMPLATE', 'json' or 'raw'"),
        ROW("last", 'n', TEXT, last, "int", 0, "Show the last ones that were created, whatever their state"),
        ROW("latest", 'l', FLAG, latest, "", 0, "Show the last one that was created, whatever its state"),
        ROW("no-trunc", 0, FLAG, no_trunc, "", 0, "Show everything in full"),
        ROW("quiet", 'q', FLAG, quiet, "", 0, "Show ids only"),
        ROW("size", 's', OPT_FLAG, size, "", 0, "Show what they take up on disk"),
};

static int run_ps(struct invocation *in, struct cor_err *err)
{
        const struct ps_options *o = in->options;
        auto_value_pool pool = value_pool_new(SIZE_MAX);
        auto_json struct settings *settings = NULL;
        auto_container_rows rows = { 0 };
        struct choice choice = { .limit = 0 };
        struct lister l = { .options = o, .pool = pool };
        auto_engine e = { 0 };
        int r = -1;

        if (verb_filters(&ps_rows[1], o->filters, o->n_filters, err) < 0) {
                in->code = 125;
                return -1;
        }
        if (settings_load(&settings, err) < 0)
                return -1;
        if (o->format && o->quiet)
                verb_say("WARNING: Ignoring custom format, because both --format and --quiet are set.");
        l.format = format_of(o, o->format ? o->format : settings->ps_format);
        l.own = !l.format.given || strcmp(l.format.given, "table") == 0 || o->quiet;
        l.engine = &e;
        l.size = !o->quiet && (o->size.set ? o->size.value : format_names(&l.format, "Size"));
        if (verb_engine(in, &e, err) == 0 && read_choice(&e, o, &choice, err) == 0 &&
            engine_containers(&e, choice.match.documents || !l.own || l.size, &rows, err) == 0) {
                engine_restore_firewall(&e);
                r = show_rows(&e, o, &choice, &rows, &l, err);
        }
        container_match_done(&choice.match);
        cor_text_done(&l.image.shown);
        return r;
}

const struct verb verb_ps = {
        .summary = "List containers",
        .options_size = sizeof(struct ps_options),
        .options = ps_rows,
        .n_options = COR_COUNT(ps_rows),
        .run = run_ps,
};

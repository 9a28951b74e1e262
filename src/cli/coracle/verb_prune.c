/* image prune, system prune. */
#include "cli/coracle/verb_container.h"
#include "cli/rune.h"
#include "cli/units.h"
#include "engine/volume.h"

struct prune_options {
        bool all, force, volumes;
        char **filters;
        size_t n_filters;
};

#define FILTER_ROW(HELP) OPTION_ROW_LIST("filter", 0, struct prune_options, filters, n_filters, "filter", HELP)
#define ALL_ROW                                                                                                        \
        OPTION_ROW("all", 'a', FLAG, struct prune_options, all, "", 0,                                                 \
                   "All images that no container uses, and not only those without a name")
#define FORCE_ROW OPTION_ROW("force", 'f', FLAG, struct prune_options, force, "", 0, "Do not ask")

static const struct option prune_rows[] = {
        FILTER_ROW("Only images for which KEY=VALUE holds: until, label, label!"),
        ALL_ROW,
        FORCE_ROW,
};

static const struct option system_prune_rows[] = {
        FILTER_ROW("Only what KEY=VALUE holds for: until, label, label!"),
        ALL_ROW,
        FORCE_ROW,
        OPTION_ROW("volumes", 0, FLAG, struct prune_options, volumes, "", 0, "Anonymous volumes, too"),
};

static void add_removed(const struct image_removed *r, struct cor_text *out)
{
        if (r->lines.n_items > 0)
                cor_text_add(out, "Deleted Images:\n");
        for (size_t i = 0; i < r->lines.n_items; i++) {
                const char *line = r->lines.items[i];

                cor_text_add_c(out, (char)rune_lower((uint8_t)line[0])); /* as docker's prune has it */
                cor_text_printf(out, "%s\n", line + 1);
        }
        if (r->lines.n_items > 0)
                cor_text_add_c(out, '\n');
        cor_text_add(out, "Total reclaimed space: ");
        units_size(r->bytes, 4, out);
        cor_text_add_c(out, '\n');
}

static int prune(struct invocation *in, const char *warning, struct cor_err *err)
{
        const struct prune_options *o = in->options;
        const struct image_filter filter = { .items = o->filters, .n_items = o->n_filters };
        auto_image_removed removed = { 0 };
        auto_text out = COR_TEXT_INIT;
        auto_engine e = { 0 };
        int yes;

        if (verb_filters(&prune_rows[0], o->filters, o->n_filters, err) < 0) {
                in->code = 125;
                return -1;
        }
        yes = o->force ? 1 : verb_confirm(warning, err);
        if (yes <= 0)
                return yes;
        if (verb_engine(in, &e, err) < 0 || engine_prune_images(&e, o->all, &filter, &removed, err) < 0)
                return -1;
        add_removed(&removed, &out);
        return verb_print(&out, err);
}

static int run_image_prune(struct invocation *in, struct cor_err *err)
{
        const struct prune_options *o = in->options;

        return prune(
                in,
                o->all ? "WARNING! This will remove all images without at least one container associated to them.\n"
                       : "WARNING! This will remove all dangling images.\n",
                err);
}

const struct verb verb_image_prune = {
        .summary = "Remove images that nobody uses",
        .options_size = sizeof(struct prune_options),
        .options = prune_rows,
        .n_options = COR_COUNT(prune_rows),
        .run = run_image_prune,
};

/* ---- system prune: containers, volumes if asked for, then images, which containers may have used ---- */

static void add_lines(const char *title, const struct cor_strv *lines, struct cor_text *out)
{
        if (lines->n_items > 0)
                cor_text_printf(out, "%s:\n", title);
        for (size_t i = 0; i < lines->n_items; i++)
                cor_text_printf(out, "%s\n", lines->items[i]);
        if (lines->n_items > 0)
                cor_text_add_c(out, '\n');
}

/* Volumes have no time of their last use: `until` is not for them. */
static int prune_volumes(struct engine *e, const struct prune_options *o, struct volume_pruned *ret,
                         struct cor_err *err)
{
        auto_free char **filters = cor_alloc((o->n_filters + 1) * sizeof(char *));
        size_t n = 0;

        for (size_t i = 0; i < o->n_filters; i++)
                if (!cor_starts_with(o->filters[i], "until="))
                        filters[n++] = o->filters[i];
        return verb_prune_volumes(e, filters, n, false, ret, err);
}

static int system_prune(struct engine *e, const struct prune_options *o, struct cor_err *err)
{
        const struct image_filter filter = { .items = o->filters, .n_items = o->n_filters };
        auto_image_removed removed = { 0 };
        auto_volume_pruned volumes = { 0 };
        auto_strv containers = { 0 }, networks = { 0 };
        auto_text out = COR_TEXT_INIT;
        int64_t bytes = 0;

        if (verb_prune_containers(e, o->filters, o->n_filters, &containers, &bytes, err) < 0)
                return -1;
        add_lines("Deleted Containers", &containers, &out);
        if (verb_prune_networks(e, o->filters, o->n_filters, &networks, err) < 0)
                return -1;
        add_lines("Deleted Networks", &networks, &out);
        if (o->volumes && prune_volumes(e, o, &volumes, err) < 0)
                return -1;
        add_lines("Deleted Volumes", &volumes.names, &out);
        if (engine_prune_images(e, o->all, &filter, &removed, err) < 0)
                return -1;
        removed.bytes += bytes + (int64_t)volumes.bytes;
        add_removed(&removed, &out);
        return verb_print(&out, err);
}

static int run_system_prune(struct invocation *in, struct cor_err *err)
{
        const struct prune_options *o = in->options;
        auto_text warning = COR_TEXT_INIT;
        auto_engine e = { 0 };
        int yes;

        if (verb_filters(&system_prune_rows[0], o->filters, o->n_filters, err) < 0) {
                in->code = 125;
                return -1;
        }
        cor_text_printf(
                &warning,
                "WARNING! This will remove:\n  - all stopped containers\n  - all networks not used by at least one "
                "container\n%s  - all %s\n\n",
                o->volumes ? "  - all anonymous volumes not used by at least one container\n" : "",
                o->all ? "images without at least one container associated to them" : "dangling images");
        yes = o->force ? 1 : verb_confirm(warning.s, err);
        if (yes <= 0)
                return yes;
        return verb_engine(in, &e, err) < 0 ? -1 : system_prune(&e, o, err);
}

const struct verb verb_system_prune = {
        .summary = "Remove what nobody uses",
        .options_size = sizeof(struct prune_options),
        .options = system_prune_rows,
        .n_options = COR_COUNT(system_prune_rows),
        .run = run_system_prune,
};

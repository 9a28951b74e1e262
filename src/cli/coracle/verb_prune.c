/* image prune, system prune. */
#include "cli/coracle/verb.h"
#include "cli/rune.h"
#include "cli/units.h"

struct prune_options {
        bool all, force;
        char **filters;
        size_t n_filters;
};

static const struct option prune_rows[] = {
        OPTION_ROW_LIST("filter", 0, struct prune_options, filters, n_filters, "filter",
                        "Only images for which KEY=VALUE holds: until, label, label!"),
        OPTION_ROW("all", 'a', FLAG, struct prune_options, all, "", 0,
                   "All images that no container uses, and not only those without a name"),
        OPTION_ROW("force", 'f', FLAG, struct prune_options, force, "", 0, "Do not ask"),
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

/* What there is so far: images. */
static int run_system_prune(struct invocation *in, struct cor_err *err)
{
        const struct prune_options *o = in->options;

        return prune(in,
                     o->all ? "WARNING! This will remove:\n"
                              "  - all images without at least one container associated to them\n\n"
                            : "WARNING! This will remove:\n  - all dangling images\n\n",
                     err);
}

const struct verb verb_system_prune = {
        .summary = "Remove what nobody uses",
        .options_size = sizeof(struct prune_options),
        .options = prune_rows,
        .n_options = COR_COUNT(prune_rows),
        .run = run_system_prune,
};

/* rmi, tag, history, and what removes what nobody uses: image prune, system prune. */
#include "base/date.h"
#include "cli/coracle/verb.h"
#include "cli/rune.h"
#include "cli/units.h"

#include <stdio.h>
#include <string.h>

/* ---- rmi ---- */

struct rmi_options {
        bool force, no_prune;
        const char *platform;
};

static void add_removed(const struct image_removed *r, bool lower, struct cor_text *out)
{
        for (size_t i = 0; i < r->lines.n_items; i++) {
                size_t start = out->len;

                cor_text_printf(out, "%s\n", r->lines.items[i]);
                if (lower) /* docker's prune begins these with a small letter */
                        out->s[start] = (char)rune_lower((uint8_t)out->s[start]);
        }
}

static int remove_one(struct engine *e, const struct rmi_options *o, const char *name, struct cor_err *err)
{
        auto_image_removed removed = { 0 };
        auto_text out = COR_TEXT_INIT;

        if (engine_remove_image(e, name, o->platform, o->force, o->no_prune, &removed, err) < 0)
                return -1;
        add_removed(&removed, false, &out);
        return verb_print(&out, err);
}

/* One that cannot be removed does not save the others. */
static int run_rmi(struct invocation *in, struct cor_err *err)
{
        const struct rmi_options *o = in->options;
        auto_engine e = { 0 };

        if (verb_engine(in, &e, err) < 0)
                return -1;
        for (size_t i = 0; i < in->n_args; i++) {
                struct cor_err one = { 0 };

                if (remove_one(&e, o, in->args[i], &one) == 0)
                        continue;
                verb_say("Error: %s", one.msg);
                if (one.kind != COR_NOT_FOUND || !o->force)
                        in->code = 1;
        }
        return 0;
}

static const struct option rmi_rows[] = {
        OPTION_ROW("force", 'f', FLAG, struct rmi_options, force, "", 0,
                   "Remove an image by its id although several names lead to it; one that is not there is no failure"),
        OPTION_ROW("no-prune", 0, FLAG, struct rmi_options, no_prune, "", 0, "Accepted; there are no untagged parents"),
        OPTION_ROW("platform", 0, TEXT, struct rmi_options, platform, "string", 0,
                   "Remove the image only if it is of this platform"),
};

const struct verb verb_rmi = {
        .summary = "Remove images and their names",
        .arguments = "IMAGE [IMAGE...]",
        .min_args = 1,
        .max_args = VERB_ARGS_ANY,
        .options_size = sizeof(struct rmi_options),
        .options = rmi_rows,
        .n_options = COR_COUNT(rmi_rows),
        .run = run_rmi,
};

/* ---- tag ---- */

static int run_tag(struct invocation *in, struct cor_err *err)
{
        auto_engine e = { 0 };

        return verb_engine(in, &e, err) < 0 ? -1 : engine_tag(&e, in->args[0], in->args[1], err);
}

const struct verb verb_tag = {
        .summary = "Give an image one more name",
        .arguments = "SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]",
        .min_args = 2,
        .max_args = 2,
        .run = run_tag,
};

/* ---- history ---- */

struct history_options {
        const char *format;
        bool plain, no_trunc, quiet; /* plain: sizes in bytes, points in time */
};

enum { CREATED_BY_SHOWN = 45 };
static const int64_t NO_TIME = -62135596800; /* Go's zero time, in the year 1 */

static const struct format_heading history_headings[] = {
        { "ID", "IMAGE" },  { "CreatedSince", "CREATED" }, { "CreatedAt", "CREATED AT" }, { "CreatedBy", "CREATED BY" },
        { "Size", "SIZE" }, { "Comment", "COMMENT" },
};

/* Blanks instead of tabs, and at most 45 letters */
static void add_created_by(const char *s, bool whole, struct cor_text *out)
{
        size_t n = strlen(s), end = 0, start = out->len;
        uint32_t rune;

        if (!whole && rune_count(s, n) > CREATED_BY_SHOWN) {
                for (int i = 0; i < CREATED_BY_SHOWN - 1; i++)
                        end += rune_next(s + end, n - end, &rune);
                n = end;
        }
        verb_add_foreign(s, n, out);
        for (size_t i = start; i < out->len; i++)
                if (out->s[i] == '\t')
                        out->s[i] = ' ';
        if (end > 0)
                cor_text_add(out, "…");
}

static const struct value *history_row(struct value_pool *p, const struct history_options *o,
                                       const struct image_history *h, const char *id, int64_t size)
{
        struct value *row = value_struct(p, "*image.historyContext");
        auto_text at = COR_TEXT_INIT, by = COR_TEXT_INIT, since = COR_TEXT_INIT, bytes = COR_TEXT_INIT;
        auto_text comment = COR_TEXT_INIT;
        struct timespec when = { .tv_sec = NO_TIME };

        if (h->created && cor_time_parse(h->created, &when) < 0)
                when.tv_sec = NO_TIME;
        units_rfc3339(when.tv_sec, &at);
        if (when.tv_sec > 0)
                units_since(when.tv_sec, &since);
        else
                cor_text_add(&since, "N/A"); /* as newer docker shows what builds without times leave */
        add_created_by(h->created_by ? h->created_by : "", o->no_trunc, &by);
        if (!o->plain)
                units_size(size, 3, &bytes);
        else
                cor_text_printf(&bytes, "%lld", (long long)size);
        row->html = true;
        verb_add_foreign(h->comment ? h->comment : "", h->comment ? strlen(h->comment) : 0, &comment);
        value_field_text(p, row, "Comment", comment.s);
        value_field_text(p, row, "CreatedAt", at.s);
        value_field_text(p, row, "CreatedBy", by.s);
        value_field_text(p, row, "CreatedSince", o->plain ? at.s : since.s);
        value_field_text(p, row, "ID", id);
        value_field_text(p, row, "Size", bytes.s);
        return row;
}

/* The newest first. Only the newest is the image itself; what lies below has no id of its own. */
static int show_history(const struct history_options *o, const struct image_row *i, const struct image_config *c,
                        struct cor_err *err)
{
        const struct format f = {
                .given = o->quiet && !o->format ? "{{.ID}}" : o->format,
                .standard = o->plain ? "{{.ID}}\t{{.CreatedAt}}\t{{.CreatedBy}}\t{{.Size}}\t{{.Comment}}"
                                     : "{{.ID}}\t{{.CreatedSince}}\t{{.CreatedBy}}\t{{.Size}}\t{{.Comment}}",
                .headings = history_headings,
                .n_headings = COR_COUNT(history_headings),
        };
        auto_value_pool pool = value_pool_new(SIZE_MAX);
        auto_free const struct value **rows = cor_alloc((c->n_history + 1) * sizeof(const struct value *));
        auto_text out = COR_TEXT_INIT;
        size_t layer = 0;
        char id[13];

        verb_short_id(&i->id, id);
        for (size_t h = 0; h < c->n_history; h++) {
                bool newest = h + 1 == c->n_history, empty = c->history[h].empty_layer || layer >= i->n_layers;

                rows[c->n_history - 1 - h] = history_row(pool, o, &c->history[h],
                                                         !newest       ? "<missing>"
                                                         : o->no_trunc ? i->id.text
                                                                       : id,
                                                         empty ? 0 : i->layers[layer].size);
                layer += !c->history[h].empty_layer;
        }
        return format_rows(&f, rows, c->n_history, &out, err) < 0 ? -1 : verb_print(&out, err);
}

static int run_history(struct invocation *in, struct cor_err *err)
{
        auto_json struct image_config *config = NULL;
        auto_image_row i = { 0 };
        auto_engine e = { 0 };

        if (verb_engine(in, &e, err) < 0 || engine_image(&e, in->args[0], &i, err) < 0 ||
            engine_image_config(&e, &i, &config, NULL, err) < 0)
                return -1;
        return show_history(in->options, &i, config, err);
}

static const struct option history_rows[] = {
        OPTION_ROW("format", 0, TEXT, struct history_options, format, "string", 0,
                   "A Go template for each row, 'table TEMPLATE' or 'json'"),
        OPTION_ROW("human", 'H', FLAG, struct history_options, plain, "", OPTION_OFF,
                   "Sizes and times for people (default true)"),
        OPTION_ROW("no-trunc", 0, FLAG, struct history_options, no_trunc, "", 0, "Show ids and commands in full"),
        OPTION_ROW("quiet", 'q', FLAG, struct history_options, quiet, "", 0, "Show ids only"),
};

const struct verb verb_history = {
        .summary = "Show how an image was made",
        .arguments = "IMAGE",
        .min_args = 1,
        .max_args = 1,
        .options_size = sizeof(struct history_options),
        .options = history_rows,
        .n_options = COR_COUNT(history_rows),
        .run = run_history,
};

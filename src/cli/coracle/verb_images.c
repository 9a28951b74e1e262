/* images: a row for each name of an image, in docker's order and with its rules for digests. */
#include "cli/coracle/verb.h"

#include "cli/tabular.h"
#include "cli/units.h"
#include "image/platform.h"
#include "image/reference.h"

#include <stdio.h>
#include <string.h>

struct images_options {
        bool all, digests, no_trunc, quiet, tree;
        const char *format;
        char **filters;
        size_t n_filters;
};

static const struct format_heading headings[] = {
        { "ID", "IMAGE ID" },
        { "Repository", "REPOSITORY" },
        { "Tag", "TAG" },
        { "Digest", "DIGEST" },
        { "CreatedSince", "CREATED" },
        { "CreatedAt", "CREATED AT" },
        { "Size", "SIZE" },
        { "Containers", "CONTAINERS" },
        { "VirtualSize", "SIZE" },
        { "SharedSize", "SHARED SIZE" },
        { "UniqueSize", "UNIQUE SIZE" },
};

struct lister {
        const struct images_options *options;
        struct value_pool *pool;
        struct format format;
        bool digests;       /* are shown or asked for */
        bool own;           /* the format is one of ours, and shows few fields: the others need not be made */
        struct value *rows; /* a list */
};

/* A name taken apart; `done`: it has been shown */
struct name {
        char *repository, *rest; /* rest: tag or digest */
        bool done;
};

struct names {
        struct name *items;
        size_t n_items;
};

static void names_done(struct names *n)
{
        for (size_t i = 0; i < n->n_items; i++) {
                free(n->items[i].repository);
                free(n->items[i].rest);
        }
        free(n->items);
}
#define auto_names COR_CLEANUP(names_done) struct names

static void names_read(const struct cor_strv *full, bool digests, struct names *ret)
{
        for (size_t i = 0; i < full->n_items; i++) {
                auto_reference r = { 0 };
                const char *rest;

                if (reference_parse(full->items[i], &r, NULL) < 0)
                        continue;
                rest = digests ? r.digest.text : r.tag;
                if (rest && *rest)
                        *COR_GROW(ret->items, ret->n_items) =
                                (struct name){ .repository = reference_familiar_name(&r), .rest = cor_strdup(rest) };
        }
}

static void set_text(struct lister *l, struct value *row, const char *field, struct cor_text *t)
{
        value_field_text(l->pool, row, field, t->s);
        t->len = 0;
}

/* Fields in the order of the alphabet: so they stand in the JSON form. */
static void add_row(struct lister *l, const struct image_row *i, const char *repository, const char *tag,
                    const char *digest)
{
        struct value *row = value_struct(l->pool, "*formatter.imageContext");
        auto_text t = COR_TEXT_INIT;
        char id[13];

        row->html = true;
        if (!l->own) {
                value_field_text(l->pool, row, "Containers", "N/A");
                units_time(i->created, &t);
                set_text(l, row, "CreatedAt", &t);
        }
        units_since(i->created, &t);
        set_text(l, row, "CreatedSince", &t);
        value_field_text(l->pool, row, "Digest", digest);
        value_field_text(l->pool, row, "ID", l->options->no_trunc ? i->id.text : verb_short_id(&i->id, id));
        value_field_text(l->pool, row, "Repository", repository);
        if (!l->own)
                value_field_text(l->pool, row, "SharedSize", "N/A");
        units_size(i->size, 3, &t);
        set_text(l, row, "Size", &t);
        value_field_text(l->pool, row, "Tag", tag);
        if (!l->own) {
                value_field_text(l->pool, row, "UniqueSize", "N/A");
                units_size(i->size, 4, &t);
                set_text(l, row, "VirtualSize", &t);
        }
        value_add(l->pool, l->rows, row);
}

/* One tag: with digests, a row for each digest of its repository */
static void add_tag(struct lister *l, const struct image_row *i, const struct name *tag, struct names *digests)
{
        size_t shown = 0;

        for (size_t d = 0; d < digests->n_items; d++) {
                if (strcmp(digests->items[d].repository, tag->repository) != 0)
                        continue;
                digests->items[d].done = true; /* not once more as a row without a tag */
                if (!l->digests)
                        continue;
                shown++;
                add_row(l, i, tag->repository, tag->rest, digests->items[d].rest);
        }
        if (shown == 0)
                add_row(l, i, tag->repository, tag->rest, "<none>");
}

/* What is left has no tag in its repository. */
static void add_digests(struct lister *l, const struct image_row *i, struct names *digests)
{
        for (size_t d = 0; d < digests->n_items; d++) {
                struct name *n = &digests->items[d];

                if (n->done)
                        continue;
                add_row(l, i, n->repository, "<none>", l->digests ? n->rest : "");
                for (size_t other = d; other < digests->n_items; other++)
                        if (!l->digests && strcmp(digests->items[other].repository, n->repository) == 0)
                                digests->items[other].done = true;
        }
}

/* Tags of one repository follow each other. */
static void add_image(struct lister *l, const struct image_row *i)
{
        auto_names tags = { 0 }, digests = { 0 };

        names_read(&i->names, false, &tags);
        names_read(&i->repo_digests, true, &digests);
        if (tags.n_items == 0 && digests.n_items == 0)
                add_row(l, i, "<none>", "<none>", "<none>");
        for (size_t t = 0; t < tags.n_items; t++) {
                if (tags.items[t].done)
                        continue;
                for (size_t other = t; other < tags.n_items; other++) {
                        if (tags.items[other].done ||
                            strcmp(tags.items[other].repository, tags.items[t].repository) != 0)
                                continue;
                        tags.items[other].done = true;
                        add_tag(l, i, &tags.items[other], &digests);
                }
        }
        add_digests(l, i, &digests);
}

static const char raw[] = "repository: {{.Repository}}\ntag: {{.Tag}}\nimage_id: {{.ID}}\ncreated_at: {{.CreatedAt}}\n"
                          "virtual_size: {{.Size}}\n";
static const char raw_digests[] = "repository: {{.Repository}}\ntag: {{.Tag}}\ndigest: {{.Digest}}\nimage_id: {{.ID}}\n"
                                  "created_at: {{.CreatedAt}}\nvirtual_size: {{.Size}}\n";

static struct format format_of(const struct images_options *o)
{
        bool table = !o->format || strcmp(o->format, "table") == 0;
        struct format f = {
                .given = o->format,
                .standard = o->digests ? "{{.Repository}}\t{{.Tag}}\t{{.Digest}}\t{{.ID}}\t{{.CreatedSince}}\t{{.Size}}"
                                       : "{{.Repository}}\t{{.Tag}}\t{{.ID}}\t{{.CreatedSince}}\t{{.Size}}",
                .headings = headings,
                .n_headings = COR_COUNT(headings),
        };

        if (o->quiet && table)
                f.given = "{{.ID}}";
        else if (o->format && strcmp(o->format, "raw") == 0)
                f.given = o->quiet ? "image_id: {{.ID}}" : o->digests ? raw_digests : raw;
        return f;
}

/* ---- --tree ---- */

static void add_branch(const struct image_row *i, struct cor_text *out)
{
        int64_t content = 0;
        char id[13];

        for (size_t b = 0; b < i->n_blobs; b++)
                if (!i->blobs[b].optional || i->blobs[b].kind == IMAGE_BLOB_LAYER)
                        content += i->blobs[b].size;
        cor_text_printf(out, "└─ %s/%s%s%s\t%s\t", i->os ? i->os : "unknown",
                        i->architecture ? i->architecture : "unknown", i->variant && *i->variant ? "/" : "",
                        i->variant ? i->variant : "", verb_short_id(&i->manifest, id));
        units_size(i->size, 3, out);
        cor_text_add_c(out, '\t');
        units_size(content, 3, out);
        cor_text_add_c(out, '\n');
}

static void add_tree_names(const struct image_row *i, struct cor_text *out)
{
        auto_names tags = { 0 };
        char id[13];

        names_read(&i->names, false, &tags);
        for (size_t t = 0; t < tags.n_items; t++)
                cor_text_printf(out, "%s:%s\t%s\t\t\n", tags.items[t].repository, tags.items[t].rest,
                                verb_short_id(&i->id, id));
        if (tags.n_items == 0)
                cor_text_printf(out, "<untagged>\t%s\t\t\n", verb_short_id(&i->id, id));
}

/* Below the names of an image stands what they lead to: a platform, its manifest, and both of its sizes. */
static int show_tree(struct engine *e, const struct image_list *list, struct cor_err *err)
{
        auto_text t = COR_TEXT_INIT, out = COR_TEXT_INIT;

        cor_text_add(&t, "IMAGE\tID\tDISK USAGE\tCONTENT SIZE\n");
        for (size_t i = 0; i < list->n_items; i++) {
                auto_image_row full = { 0 };

                if (engine_image(e, list->items[i].id.text, &full, err) < 0) {
                        if (err->kind != COR_NOT_FOUND) /* removed meanwhile */
                                return -1;
                        cor_err_clear(err);
                        continue;
                }
                add_tree_names(&full, &t);
                add_branch(&full, &t);
        }
        tabular_add(t.s, t.len, &out);
        return verb_print(&out, err);
}

/* ---- the verb ---- */

static int show_rows(const struct images_options *o, const struct image_list *list, struct cor_err *err)
{
        auto_value_pool pool = value_pool_new(SIZE_MAX);
        struct lister l = { .options = o, .pool = pool, .format = format_of(o), .rows = value_list(pool) };
        auto_text out = COR_TEXT_INIT;

        l.own = !o->format || strcmp(o->format, "table") == 0;
        l.digests = o->digests || format_names(&l.format, "Digest");
        for (size_t i = 0; i < list->n_items; i++)
                add_image(&l, &list->items[i]);
        return format_rows(&l.format, l.rows->items, l.rows->n, &out, err) < 0 ? -1 : verb_print(&out, err);
}

#define ROW(NAME, LETTER, TYPE, M, VALUE, FLAGS, HELP)                                                                 \
        OPTION_ROW(NAME, LETTER, TYPE, struct images_options, M, VALUE, FLAGS, HELP)

static const struct option images_rows[] = {
        ROW("all", 'a', FLAG, all, "", 0, "Show all images; there are no hidden ones"),
        OPTION_ROW_LIST("filter", 'f', struct images_options, filters, n_filters, "filter",
                        "Only images for which KEY=VALUE holds: dangling, label, before, since, until, reference"),
        ROW("digests", 0, FLAG, digests, "", 0, "Show digests as well"),
        ROW("format", 0, TEXT, format, "string", 0, "A Go template for each row, 'table TEMPLATE', 'json' or 'raw'"),
        ROW("no-trunc", 0, FLAG, no_trunc, "", 0, "Show ids in full"),
        ROW("quiet", 'q', FLAG, quiet, "", 0, "Show ids only"),
        ROW("tree", 0, FLAG, tree, "", 0, "Show the platform and the content below each image"),
};

static int run_images(struct invocation *in, struct cor_err *err)
{
        const struct images_options *o = in->options;
        const struct image_filter filter = { .items = o->filters, .n_items = o->n_filters };
        auto_image_list list = { 0 };
        auto_engine e = { 0 };

        if (o->tree && (o->format || o->quiet || o->no_trunc || o->digests))
                return cor_fail(err, COR_INVALID, "--tree has a form of its own: it goes with --filter and --all only");
        if (verb_filters(&images_rows[1], o->filters, o->n_filters, err) < 0) {
                in->code = 125;
                return -1;
        }
        if (verb_engine(in, &e, err) < 0 ||
            engine_images(&e, &filter, in->n_args > 0 ? in->args[0] : NULL, &list, err) < 0)
                return -1;
        return o->tree ? show_tree(&e, &list, err) : show_rows(o, &list, err);
}

const struct verb verb_images = {
        .summary = "List images",
        .arguments = "[REPOSITORY[:TAG]]",
        .max_args = 1,
        .options_size = sizeof(struct images_options),
        .options = images_rows,
        .n_options = COR_COUNT(images_rows),
        .run = run_images,
};

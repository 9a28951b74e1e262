/* system df: what the store holds on disk. A layer that several images have counts once. */
#include "cli/coracle/verb.h"

#include "cli/units.h"
#include "engine/container.h"
#include "engine/container_inspect.h"
#include "engine/volume.h"
#include "image/reference.h"

#include <stdio.h>
#include <string.h>

struct df_options {
        bool verbose;
        const char *format;
};

struct layer_use {
        const struct image_layer *layer;
        size_t images; /* that have it */
        bool used;     /* by a container */
};

struct object_use {
        size_t n, active;
        int64_t bytes, reclaimable;
};

struct usage {
        struct object_use containers, volumes;
        size_t active_images;
        int64_t used;             /* bytes of layers that containers use */
        struct image_list images; /* with their layers */
        struct layer_use *layers;
        size_t n_layers;
        int64_t bytes; /* of all layers */
};

static void usage_done(struct usage *u)
{
        image_list_done(&u->images);
        free(u->layers);
}
#define auto_usage COR_CLEANUP(usage_done) struct usage

static int compare_layers(const void *a, const void *b)
{
        const struct layer_use *x = a, *y = b;

        return strcmp(x->layer->name.text, y->layer->name.text);
}

/* Sorted, each once */
static void count_layers(struct usage *u)
{
        size_t n = 0;

        for (size_t i = 0; i < u->images.n_items; i++)
                for (size_t l = 0; l < u->images.items[i].n_layers; l++)
                        *COR_GROW(u->layers, u->n_layers) =
                                (struct layer_use){ .layer = &u->images.items[i].layers[l], .images = 1 };
        if (u->n_layers > 1)
                qsort(u->layers, u->n_layers, sizeof *u->layers, compare_layers);
        for (size_t i = 0; i < u->n_layers; i++) {
                if (n > 0 && compare_layers(&u->layers[n - 1], &u->layers[i]) == 0) {
                        u->layers[n - 1].images++;
                        continue;
                }
                u->layers[n++] = u->layers[i];
                u->bytes += u->layers[i].layer->size;
        }
        u->n_layers = n;
}

static bool is_used(const struct image_row *i, const struct container_rows *rows)
{
        for (size_t c = 0; c < rows->n_items; c++)
                if (strcmp(rows->items[c].image_id.text, i->id.text) == 0)
                        return true;
        return false;
}

static struct layer_use *find_layer(const struct usage *u, const struct image_layer *layer)
{
        const struct layer_use key = { .layer = layer };

        return bsearch(&key, u->layers, u->n_layers, sizeof *u->layers, compare_layers);
}

/* Layers of images that containers have cannot be given back. */
static void count_used(struct usage *u, const struct container_rows *rows)
{
        for (size_t i = 0; i < u->images.n_items; i++) {
                const struct image_row *image = &u->images.items[i];

                if (!is_used(image, rows))
                        continue;
                u->active_images++;
                for (size_t l = 0; l < image->n_layers; l++) {
                        struct layer_use *found = find_layer(u, &image->layers[l]);

                        if (!found || found->used)
                                continue;
                        found->used = true;
                        u->used += image->layers[l].size;
                }
        }
}

static bool runs(const struct container_row *r)
{
        return r->now.phase == CONTAINER_PHASE_RUNNING || r->now.phase == CONTAINER_PHASE_PAUSED ||
               r->now.phase == CONTAINER_PHASE_RESTARTING;
}

static int count_containers(struct engine *e, struct usage *u, struct cor_err *err)
{
        auto_container_rows rows = { 0 };

        if (engine_containers(e, true, &rows, err) < 0)
                return -1;
        for (size_t i = 0; i < rows.n_items; i++) {
                int64_t written = 0, all;
                struct cor_err ignored;

                if (engine_container_size(e, &rows.items[i], &written, &all, &ignored) < 0)
                        written = 0; /* it went meanwhile */
                u->containers.active += runs(&rows.items[i]);
                u->containers.bytes += written;
                u->containers.reclaimable += runs(&rows.items[i]) ? 0 : written;
        }
        u->containers.n = rows.n_items;
        count_used(u, &rows);
        return 0;
}

static int count_volumes(struct engine *e, struct usage *u, struct cor_err *err)
{
        auto_volume_rows rows = { 0 };

        if (volume_row_all(e->store, &rows, err) < 0)
                return -1;
        for (size_t i = 0; i < rows.n_items; i++) {
                struct cor_err ignored;
                uint64_t bytes = 0;

                if (engine_volume_size(e->store, rows.items[i].name, &bytes, &ignored) < 0)
                        bytes = 0;
                u->volumes.active += rows.items[i].users > 0;
                u->volumes.bytes += (int64_t)bytes;
                u->volumes.reclaimable += rows.items[i].users > 0 ? 0 : (int64_t)bytes;
        }
        u->volumes.n = rows.n_items;
        return 0;
}

static int usage_read(struct engine *e, struct usage *ret, struct cor_err *err)
{
        if (image_all(e->store, true, &ret->images, err) < 0)
                return -1;
        count_layers(ret);
        return count_containers(e, ret, err) < 0 ? -1 : count_volumes(e, ret, err);
}

static int64_t shared_bytes(const struct usage *u, const struct image_row *i)
{
        int64_t bytes = 0;

        for (size_t l = 0; l < i->n_layers; l++) {
                const struct layer_use *found = find_layer(u, &i->layers[l]);

                if (found && found->images > 1)
                        bytes += i->layers[l].size;
        }
        return bytes;
}

static void set_size(struct value_pool *p, struct value *row, const char *field, int64_t bytes)
{
        auto_text t = COR_TEXT_INIT;

        units_size(bytes, 4, &t);
        value_field_text(p, row, field, t.s);
}

/* ---- the summary ---- */

static const struct format_heading headings[] = {
        { "Type", "TYPE" }, { "TotalCount", "TOTAL" },        { "Active", "ACTIVE" },
        { "Size", "SIZE" }, { "Reclaimable", "RECLAIMABLE" },
};

static struct value *summary_row(struct value_pool *p, const char *type, const struct object_use *u)
{
        struct value *row = value_struct(p, "*formatter.diskUsageContext");
        auto_text t = COR_TEXT_INIT;
        char total[24], active[24];

        snprintf(total, sizeof total, "%zu", u->n);
        snprintf(active, sizeof active, "%zu", u->active);
        units_size(u->reclaimable, 4, &t);
        if (u->bytes > 0)
                cor_text_printf(&t, " (%lld%%)", (long long)(u->reclaimable * 100 / u->bytes));
        row->html = true;
        value_field_text(p, row, "Active", active);
        value_field_text(p, row, "Reclaimable", t.s);
        set_size(p, row, "Size", u->bytes);
        value_field_text(p, row, "TotalCount", total);
        value_field_text(p, row, "Type", type);
        return row;
}

static int show_summary(const struct df_options *o, const struct usage *u, struct cor_err *err)
{
        const struct format f = {
                .given = o->format,
                .standard = "{{.Type}}\t{{.TotalCount}}\t{{.Active}}\t{{.Size}}\t{{.Reclaimable}}",
                .headings = headings,
                .n_headings = COR_COUNT(headings),
        };
        const struct object_use nothing = { .n = 0 }, images = {
                .n = u->images.n_items, .active = u->active_images, .bytes = u->bytes, .reclaimable = u->bytes - u->used
        };
        auto_value_pool p = value_pool_new(SIZE_MAX);
        const struct value *rows[] = {
                summary_row(p, "Images", &images), summary_row(p, "Containers", &u->containers),
                summary_row(p, "Local Volumes", &u->volumes),
                summary_row(p, "Build Cache", &nothing), /* there is none yet */
        };
        auto_text out = COR_TEXT_INIT;

        return format_rows(&f, rows, COR_COUNT(rows), &out, err) < 0 ? -1 : verb_print(&out, err);
}

/* ---- -v ---- */

static const struct format_heading image_headings[] = {
        { "Repository", "REPOSITORY" },
        { "Tag", "TAG" },
        { "ID", "IMAGE ID" },
        { "CreatedSince", "CREATED" },
        { "Size", "SIZE" },
        { "SharedSize", "SHARED SIZE" },
        { "UniqueSize", "UNIQUE SIZE" },
        { "Containers", "CONTAINERS" },
};

/* The first name stands for all. */
static void set_name(struct value_pool *p, struct value *row, const struct image_row *i)
{
        auto_reference r = { 0 };
        auto_str repository = NULL;

        if (i->names.n_items > 0 && reference_parse(i->names.items[0], &r, NULL) == 0)
                repository = reference_familiar_name(&r);
        value_field_text(p, row, "Repository", repository ? repository : "<none>");
        value_field_text(p, row, "Tag", repository && r.tag ? r.tag : "<none>");
}

static struct value *image_usage(struct value_pool *p, const struct usage *u, const struct image_row *i)
{
        struct value *row = value_struct(p, "*formatter.imageContext");
        auto_text since = COR_TEXT_INIT, size = COR_TEXT_INIT;
        int64_t shared = shared_bytes(u, i);
        char id[13];

        units_since(i->created, &since);
        units_size(i->size, 3, &size);
        row->html = true;
        value_field_text(p, row, "Containers", "0");
        value_field_text(p, row, "CreatedSince", since.s);
        value_field_text(p, row, "ID", verb_short_id(&i->id, id));
        set_name(p, row, i);
        set_size(p, row, "SharedSize", shared);
        value_field_text(p, row, "Size", size.s);
        set_size(p, row, "UniqueSize", i->size - shared);
        return row;
}

static int show_images(const struct df_options *o, const struct usage *u, struct cor_err *err)
{
        const struct format f = {
                .given = o->format,
                .standard = "{{.Repository}}\t{{.Tag}}\t{{.ID}}\t{{.CreatedSince}}\t{{.Size}}\t{{.SharedSize}}\t"
                            "{{.UniqueSize}}\t{{.Containers}}",
                .headings = image_headings,
                .n_headings = COR_COUNT(image_headings),
        };
        auto_value_pool p = value_pool_new(SIZE_MAX);
        auto_free const struct value **rows = cor_alloc((u->images.n_items + 1) * sizeof(const struct value *));
        auto_text out = COR_TEXT_INIT;

        if (!o->format || strncmp(o->format, "table", 5) == 0)
                cor_text_add(&out, "Images space usage:\n\n");
        for (size_t i = 0; i < u->images.n_items; i++)
                rows[i] = image_usage(p, u, &u->images.items[i]);
        return format_rows(&f, rows, u->images.n_items, &out, err) < 0 ? -1 : verb_print(&out, err);
}

static int run_df(struct invocation *in, struct cor_err *err)
{
        const struct df_options *o = in->options;
        auto_engine e = { 0 };
        auto_usage u = { 0 };

        if (verb_engine(in, &e, err) < 0 || usage_read(&e, &u, err) < 0)
                return -1;
        return o->verbose ? show_images(o, &u, err) : show_summary(o, &u, err);
}

static const struct option df_rows[] = {
        OPTION_ROW("format", 0, TEXT, struct df_options, format, "string", 0,
                   "A Go template for each row, 'table TEMPLATE' or 'json'"),
        OPTION_ROW("verbose", 'v', FLAG, struct df_options, verbose, "", 0, "Show each image"),
};

const struct verb verb_df = {
        .summary = "Show what the store holds on disk",
        .options_size = sizeof(struct df_options),
        .options = df_rows,
        .n_options = COR_COUNT(df_rows),
        .run = run_df,
};

/* system df: what the store holds on disk. A layer that several images have counts once. */
#include "cli/coracle/verb_container.h"

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
        int64_t used; /* bytes of layers that containers use */
        struct container_rows rows;
        struct volume_rows volume_rows;
        int64_t *written, *volume_bytes; /* of each of these */
        struct image_list images;        /* with their layers */
        struct layer_use *layers;
        size_t n_layers;
        int64_t bytes; /* of all layers */
};

static void usage_done(struct usage *u)
{
        image_list_done(&u->images);
        container_rows_done(&u->rows);
        volume_rows_done(&u->volume_rows);
        free(u->layers);
        free(u->written);
        free(u->volume_bytes);
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

static size_t containers_of(const struct usage *u, const struct image_row *i)
{
        size_t n = 0;

        for (size_t c = 0; c < u->rows.n_items; c++)
                n += strcmp(u->rows.items[c].image_id.text, i->id.text) == 0;
        return n;
}

static struct layer_use *find_layer(const struct usage *u, const struct image_layer *layer)
{
        const struct layer_use key = { .layer = layer };

        return bsearch(&key, u->layers, u->n_layers, sizeof *u->layers, compare_layers);
}

/* Layers of images that containers have cannot be given back. */
static void count_used(struct usage *u)
{
        for (size_t i = 0; i < u->images.n_items; i++) {
                const struct image_row *image = &u->images.items[i];

                if (containers_of(u, image) == 0)
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

static int count_containers(struct engine *e, struct usage *u, struct cor_err *err)
{
        if (engine_containers(e, true, &u->rows, err) < 0)
                return -1;
        u->written = cor_alloc((u->rows.n_items + 1) * sizeof *u->written);
        for (size_t i = 0; i < u->rows.n_items; i++) {
                const struct container_row *r = &u->rows.items[i];
                struct cor_err ignored;
                int64_t all;

                if (engine_container_size(e, r, &u->written[i], &all, &ignored) < 0)
                        u->written[i] = 0; /* it went meanwhile */
                u->containers.active += container_phase_runs(r->now.phase);
                u->containers.bytes += u->written[i];
                u->containers.reclaimable += container_phase_runs(r->now.phase) ? 0 : u->written[i];
        }
        u->containers.n = u->rows.n_items;
        count_used(u);
        return 0;
}

static int count_volumes(struct engine *e, struct usage *u, struct cor_err *err)
{
        if (volume_row_all(e->store, &u->volume_rows, err) < 0)
                return -1;
        u->volume_bytes = cor_alloc((u->volume_rows.n_items + 1) * sizeof *u->volume_bytes);
        for (size_t i = 0; i < u->volume_rows.n_items; i++) {
                const struct volume_row *v = &u->volume_rows.items[i];
                struct cor_err ignored;
                uint64_t bytes = 0;

                if (engine_volume_size(e->store, v->name, &bytes, &ignored) < 0)
                        bytes = 0;
                u->volume_bytes[i] = (int64_t)bytes;
                u->volumes.active += v->users > 0;
                u->volumes.bytes += (int64_t)bytes;
                u->volumes.reclaimable += v->users > 0 ? 0 : (int64_t)bytes;
        }
        u->volumes.n = u->volume_rows.n_items;
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
        char id[13], containers[24];

        units_since(i->created, &since);
        units_size(i->size, 3, &size);
        snprintf(containers, sizeof containers, "%zu", containers_of(u, i));
        row->html = true;
        value_field_text(p, row, "Containers", containers);
        value_field_text(p, row, "CreatedSince", since.s);
        value_field_text(p, row, "ID", verb_short_id(&i->id, id));
        set_name(p, row, i);
        set_size(p, row, "SharedSize", shared);
        value_field_text(p, row, "Size", size.s);
        set_size(p, row, "UniqueSize", i->size - shared);
        return row;
}

static int add_images(const struct df_options *o, const struct usage *u, struct value_pool *p, struct cor_text *out,
                      struct cor_err *err)
{
        const struct format f = {
                .given = o->format,
                .standard = "{{.Repository}}\t{{.Tag}}\t{{.ID}}\t{{.CreatedSince}}\t{{.Size}}\t{{.SharedSize}}\t"
                            "{{.UniqueSize}}\t{{.Containers}}",
                .headings = image_headings,
                .n_headings = COR_COUNT(image_headings),
        };
        auto_free const struct value **rows = cor_alloc((u->images.n_items + 1) * sizeof(const struct value *));

        if (!o->format || strncmp(o->format, "table", 5) == 0)
                cor_text_add(out, "Images space usage:\n\n");
        for (size_t i = 0; i < u->images.n_items; i++)
                rows[i] = image_usage(p, u, &u->images.items[i]);
        return format_rows(&f, rows, u->images.n_items, out, err);
}

static const struct format_heading container_headings[] = {
        { "ID", "CONTAINER ID" }, { "Image", "IMAGE" },
        { "Command", "COMMAND" }, { "LocalVolumes", "LOCAL VOLUMES" },
        { "Size", "SIZE" },       { "RunningFor", "CREATED" },
        { "Status", "STATUS" },   { "Names", "NAMES" },
};

static int add_containers(const struct usage *u, struct value_pool *p, struct cor_text *out, struct cor_err *err)
{
        const struct format f = {
                .standard = "{{.ID}}\t{{.Image}}\t{{.Command}}\t{{.LocalVolumes}}\t{{.Size}}\t{{.RunningFor}}\t"
                            "{{.Status}}\t{{.Names}}",
                .headings = container_headings,
                .n_headings = COR_COUNT(container_headings),
        };
        auto_free const struct value **rows = cor_alloc((u->rows.n_items + 1) * sizeof(const struct value *));

        cor_text_add(out, "\nContainers space usage:\n\n");
        for (size_t i = 0; i < u->rows.n_items; i++)
                rows[i] = verb_container_row(p, &u->rows.items[i], u->written[i]);
        return format_rows(&f, rows, u->rows.n_items, out, err);
}

static const struct format_heading volume_headings[] = {
        { "Name", "VOLUME NAME" },
        { "Links", "LINKS" },
        { "Size", "SIZE" },
};

static int add_volumes(const struct usage *u, struct value_pool *p, struct cor_text *out, struct cor_err *err)
{
        const struct format f = {
                .standard = "{{.Name}}\t{{.Links}}\t{{.Size}}",
                .headings = volume_headings,
                .n_headings = COR_COUNT(volume_headings),
        };
        auto_free const struct value **rows = cor_alloc((u->volume_rows.n_items + 1) * sizeof(const struct value *));

        cor_text_add(out, "\nLocal Volumes space usage:\n\n");
        for (size_t i = 0; i < u->volume_rows.n_items; i++) {
                const struct volume_row *v = &u->volume_rows.items[i];
                struct value *row = value_struct(p, "*formatter.volumeContext");
                char links[24];

                snprintf(links, sizeof links, "%lld", (long long)v->users);
                value_field_text(p, row, "Links", links);
                value_field_text(p, row, "Name", v->name);
                set_size(p, row, "Size", u->volume_bytes[i]);
                rows[i] = row;
        }
        return format_rows(&f, rows, u->volume_rows.n_items, out, err);
}

/* A format of the user's own is for images. */
static int show_objects(const struct df_options *o, const struct usage *u, struct cor_err *err)
{
        auto_value_pool p = value_pool_new(SIZE_MAX);
        auto_text out = COR_TEXT_INIT;

        if (add_images(o, u, p, &out, err) < 0 ||
            (!o->format && (add_containers(u, p, &out, err) < 0 || add_volumes(u, p, &out, err) < 0)))
                return -1;
        return verb_print(&out, err);
}

static int run_df(struct invocation *in, struct cor_err *err)
{
        const struct df_options *o = in->options;
        auto_engine e = { 0 };
        auto_usage u = { 0 };

        if (verb_engine(in, &e, err) < 0 || usage_read(&e, &u, err) < 0)
                return -1;
        return o->verbose ? show_objects(o, &u, err) : show_summary(o, &u, err);
}

static const struct option df_rows[] = {
        OPTION_ROW("format", 0, TEXT, struct df_options, format, "string", 0,
                   "A Go template for each row, 'table TEMPLATE' or 'json'"),
        OPTION_ROW("verbose", 'v', FLAG, struct df_options, verbose, "", 0, "Show each image, container and volume"),
};

const struct verb verb_df = {
        .summary = "Show what the store holds on disk",
        .options_size = sizeof(struct df_options),
        .options = df_rows,
        .n_options = COR_COUNT(df_rows),
        .run = run_df,
};

/*
 * `system check`: read every blob, count every layer, let SQLite look at its file, and see whether each image has what
 * it needs. Repairing takes away what is damaged and pulls the images that need it again by their digest, which fetches
 * just what is missing. What came from an archive, or was made here, cannot be fetched: then the finding says so, and
 * nothing is taken away.
 *
 * Others go on working meanwhile: what has gone when its turn comes is passed over.
 */
#include "engine/container_check.h"
#include "engine/image.h"
#include "engine/network.h"
#include "image/reference.h"
#include "spec/image.h"
#include "store/blob.h"
#include "store/check.h"
#include "store/layer.h"

#include <string.h>

void check_report_done(struct check_report *r)
{
        for (size_t i = 0; i < r->n_items; i++)
                free(r->items[i].what);
        free(r->items);
        *r = (struct check_report){ 0 };
}

/* What is damaged, and in how many findings of images it was named. */
struct damage {
        struct digest digest;
        bool layer, used, repaired;
        size_t finding;
};

struct checking {
        struct engine *e;
        bool repair;
        const struct engine_progress *progress;
        struct check_report report;
        struct damage *damages;
        size_t n_damages;
        char short_id[13]; /* what is being read */
        int64_t total;
};

static void checking_done(struct checking *c)
{
        check_report_done(&c->report);
        free(c->damages);
}

static size_t note(struct checking *c, char *what)
{
        COR_GROW(c->report.items, c->report.n_items)->what = what;
        return c->report.n_items - 1;
}

static void note_damage(struct checking *c, const struct digest *d, bool layer, char *what)
{
        struct damage *damage = COR_GROW(c->damages, c->n_damages);

        damage->digest = *d;
        damage->layer = layer;
        damage->finding = note(c, what);
}

static void tell(void *context, int64_t done)
{
        struct checking *c = context;
        const struct transfer_progress p = {
                .id = c->short_id, .status = "Verifying", .current = done, .total = c->total
        };

        if (c->progress && c->progress->update)
                c->progress->update(c->progress->context, &p);
}

static void tell_about(struct checking *c, const struct digest *d, int64_t total)
{
        snprintf(c->short_id, sizeof c->short_id, "%.12s", digest_hex(d));
        c->total = total;
}

static int look_at_blob(const struct digest *d, int64_t size, void *context, struct cor_err *err)
{
        struct checking *c = context;
        int r;

        tell_about(c, d, size);
        r = check_blob(c->e->store, d, tell, c, err);
        if (r < 0)
                return err->kind == COR_NOT_FOUND ? 0 : -1;
        c->report.blobs++;
        if (r == 0)
                note_damage(c, d, false, cor_printf("blob %s: its bytes have another digest", d->text));
        return 0;
}

static int look_at_layer(const struct digest *name, int64_t size, void *context, struct cor_err *err)
{
        struct checking *c = context;
        char why[128];
        int r;

        tell_about(c, name, 0);
        tell(c, 0);
        r = check_layer(c->e->store, name, why, err);
        if (r < 0)
                return err->kind == COR_NOT_FOUND ? 0 : -1;
        c->report.layers++;
        if (r == 0)
                note_damage(c, name, true, cor_printf("layer %s: %s", name->text, why));
        return 0;
}

static void look_at_database(void *context, const char *what)
{
        note(context, cor_printf("database: %s", what));
}

static struct damage *damage_of(struct checking *c, const struct digest *d, bool layer)
{
        for (size_t i = 0; i < c->n_damages; i++)
                if (c->damages[i].layer == layer && digest_eq(&c->damages[i].digest, d))
                        return &c->damages[i];
        return NULL;
}

/* How people call the image. free() */
static char *image_called(const struct image_row *i)
{
        auto_reference r = { 0 };
        const char *name = i->names.n_items          ? i->names.items[0]
                           : i->repo_digests.n_items ? i->repo_digests.items[0]
                                                     : NULL;

        if (name && reference_parse(name, &r, NULL) == 0)
                return reference_familiar(&r);
        return cor_printf("%.12s", digest_hex(&i->id));
}

/* What one image lacks: findings from @first on are about it. */
struct lack {
        size_t first, n_missing, n_damaged;
};

static void need(struct checking *c, struct lack *lack, const struct digest *d, bool layer, bool there, const char *who)
{
        struct damage *damage = damage_of(c, d, layer);

        if (damage) {
                damage->used = true;
                lack->n_damaged += !damage->repaired;
        } else if (!there) {
                note(c, cor_printf("image %s: %s %s is missing", who, layer ? "layer" : "blob", d->text));
                lack->n_missing++;
        }
}

static struct lack look_at_needs(struct checking *c, const struct image_row *i, const char *who)
{
        struct lack lack = { .first = c->report.n_items };

        for (size_t n = 0; n < i->n_blobs; n++)
                need(c, &lack, &i->blobs[n].digest, false,
                     i->blobs[n].optional || blob_find(c->e->store, &i->blobs[n].digest) >= 0, who);
        for (size_t n = 0; n < i->n_layers; n++)
                need(c, &lack, &i->layers[n].name, true, layer_size(c->e->store, &i->layers[n].name) >= 0, who);
        return lack;
}

static bool is_broken(struct checking *c, const struct digest *d, bool layer)
{
        const struct damage *damage = damage_of(c, d, layer);

        return damage && !damage->repaired;
}

/* Take away what is damaged of @i, so that a pull fetches it. */
static int take_damaged(struct checking *c, const struct image_row *i, struct cor_err *err)
{
        for (size_t n = 0; n < i->n_blobs; n++)
                if (is_broken(c, &i->blobs[n].digest, false) && blob_remove(c->e->store, &i->blobs[n].digest, err) < 0)
                        return -1;
        for (size_t n = 0; n < i->n_layers; n++)
                if (is_broken(c, &i->layers[n].name, true) && layer_remove(c->e->store, &i->layers[n].name, err) < 0)
                        return -1;
        return 0;
}

static void mark_repaired(struct checking *c, const struct image_row *i, const struct lack *lack)
{
        for (size_t n = 0; n < i->n_blobs + i->n_layers; n++) {
                bool layer = n >= i->n_blobs;
                struct damage *damage =
                        damage_of(c, layer ? &i->layers[n - i->n_blobs].name : &i->blobs[n].digest, layer);

                if (damage) {
                        damage->repaired = true;
                        c->report.items[damage->finding].repaired = true;
                }
        }
        for (size_t n = 0; n < lack->n_missing; n++)
                c->report.items[lack->first + n].repaired = true;
}

/* Its layers are kept in their unpacked form only. */
static bool is_discarded(const struct image_row *i)
{
        for (size_t n = 0; n < i->n_blobs; n++)
                if (i->blobs[n].kind == IMAGE_BLOB_LAYER && i->blobs[n].optional)
                        return true;
        return false;
}

static int pull_again(struct checking *c, const struct image_row *i, struct cor_err *err)
{
        auto_str platform = cor_printf("%s/%s%s%s", i->os ? i->os : "linux", i->architecture ? i->architecture : "",
                                       i->variant && *i->variant ? "/" : "", i->variant ? i->variant : "");
        const struct image_pull pull = { .reference = i->repo_digests.items[0],
                                         .platform = i->architecture && *i->architecture ? platform : NULL,
                                         .discard = is_discarded(i) };
        struct image_pulled pulled = { 0 };

        if (take_damaged(c, i, err) < 0 || engine_pull(c->e, &pull, c->progress, &pulled, err) < 0)
                return -1;
        free(pulled.full);
        return 0;
}

/* That it does not succeed is part of the report, not a failure of the check. */
static void repair_image(struct checking *c, const struct image_row *i, const char *who, const struct lack *lack)
{
        struct cor_err err = { 0 };

        if (i->repo_digests.n_items == 0)
                note(c, cor_printf("image %s: no registry is known to fetch it from; load or build it again", who));
        else if (pull_again(c, i, &err) < 0)
                note(c, cor_printf("image %s: repair: %s", who, err.msg));
        else
                mark_repaired(c, i, lack);
}

static int look_at_image(struct checking *c, const struct image_row *i, struct cor_err *err)
{
        auto_str who = image_called(i);
        auto_image_row now = { 0 };
        struct lack lack;

        if (image_find(c->e->store, i->id.text, &now, err) < 0) /* removed meanwhile? */
                return err->kind == COR_NOT_FOUND ? 0 : -1;
        c->report.images++;
        lack = look_at_needs(c, i, who);
        if (c->repair && (lack.n_missing || lack.n_damaged))
                repair_image(c, i, who, &lack);
        return 0;
}

static int look_at_images(struct checking *c, struct cor_err *err)
{
        auto_image_list list = { 0 };

        if (image_all(c->e->store, true, &list, err) < 0)
                return -1;
        for (size_t n = 0; n < list.n_items; n++)
                if (look_at_image(c, &list.items[n], err) < 0)
                        return -1;
        return 0;
}

/* What is damaged and belongs to no image goes. */
static int drop_unused(struct checking *c, struct cor_err *err)
{
        for (size_t n = 0; n < c->n_damages; n++) {
                struct damage *d = &c->damages[n];

                if (d->used)
                        continue;
                if ((d->layer ? layer_remove(c->e->store, &d->digest, err)
                              : blob_remove(c->e->store, &d->digest, err)) < 0)
                        return -1;
                c->report.items[d->finding].repaired = true;
        }
        return 0;
}

static void found_of_container(void *context, const char *what, bool repaired)
{
        struct checking *c = context;

        size_t n = note(c, cor_strdup(what));

        c->report.items[n].repaired = repaired;
}

int engine_check(struct engine *e, bool repair, const struct engine_progress *progress, struct check_report *ret,
                 struct cor_err *err)
{
        COR_CLEANUP(checking_done) struct checking c = { .e = e, .repair = repair, .progress = progress };
        struct cor_err ignored;

        if (!err)
                err = &ignored; /* kinds are looked at below */
        if (check_database(e->store, look_at_database, &c, err) < 0 || blob_each(e->store, look_at_blob, &c, err) < 0 ||
            layer_each(e->store, look_at_layer, &c, err) < 0 || look_at_images(&c, err) < 0 ||
            (repair && drop_unused(&c, err) < 0) ||
            engine_check_containers(e, repair, found_of_container, &c, &c.report.containers, err) < 0 ||
            engine_check_networks(e, repair, found_of_container, &c, err) < 0)
                return -1;
        *ret = c.report;
        c.report = (struct check_report){ 0 };
        return 0;
}

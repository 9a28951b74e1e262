/* The verbs that look into the store only: find, list, tag, and the configuration of an image. */
#include "engine/image.h"
#include "engine/image_filter.h"
#include "image/reference.h"
#include "store/blob.h"
#include "store/event.h"
#include "store/image.h"

#include <string.h>

static bool is_hex_id(const char *s)
{
        return strlen(s) == 64 && strspn(s, "0123456789abcdef") == 64;
}

/* "No such image: x:latest": the name as docker completes it. */
static int no_such_image(struct reference *r, struct cor_err *err)
{
        auto_str familiar = NULL;

        reference_default_tag(r);
        familiar = reference_familiar(r);
        return cor_fail(err, COR_NOT_FOUND, "No such image: %s", familiar);
}

static int find_id(struct engine *e, const char *id, struct image_row *ret, struct cor_err *err)
{
        if (image_find(e->store, id, ret, err) == 0)
                return 0;
        if (err->kind == COR_NOT_FOUND)
                cor_fail(err, COR_NOT_FOUND, "No such image: %s%s", strchr(id, ':') ? "" : "sha256:", id);
        return -1;
}

/* A digest leads further than a tag beside it, whose content may have changed. */
static int find_name(struct engine *e, const char *name, struct reference *r, struct image_row *ret,
                     struct cor_err *err)
{
        auto_str full = digest_set(&r->digest) ? reference_digested(r, &r->digest) : reference_tagged(r);

        if (image_find(e->store, full, ret, err) == 0)
                return 0;
        return err->kind == COR_NOT_FOUND ? image_find(e->store, name, ret, err) : -1; /* a beginning of an id? */
}

int engine_image(struct engine *e, const char *name, struct image_row *ret, struct cor_err *err)
{
        auto_reference r = { 0 };

        if (is_hex_id(name) || digest_is(name))
                return find_id(e, name, ret, err);
        if (reference_parse(name, &r, err) < 0)
                return -1;
        reference_default_tag(&r);
        if (find_name(e, name, &r, ret, err) == 0)
                return 0;
        return err->kind == COR_NOT_FOUND ? no_such_image(&r, err) : -1;
}

int engine_image_config(struct engine *e, const struct image_row *i, struct image_config **ret, char **ret_text,
                        struct cor_err *err)
{
        auto_str text = NULL;
        size_t n;

        if (blob_read(e->store, &i->id, IMAGE_CONFIG_MAX_BYTES, &text, &n, err) < 0 ||
            image_config_parse(text, n, "image configuration", ret, err) < 0)
                return cor_wrap(err, "image %s", i->id.text);
        if (ret_text)
                *ret_text = COR_TAKE(text);
        return 0;
}

/* Without tags an image dangles, if it was asked for; with `dangling=false` what has no name at all is left out. */
static bool is_listed(const struct image_match *m, const struct image_row *i)
{
        if (!m->has_dangling)
                return true;
        if (m->dangling)
                return i->names.n_items == 0;
        return i->names.n_items > 0 || i->repo_digests.n_items > 0;
}

/* 1 it is wanted, 0 not. */
static int pick(const struct image_match *m, struct image_row *i, struct cor_err *err)
{
        int named;

        if (!image_match_fits(m, i))
                return 0;
        named = image_match_names(m, i, err);
        return named > 0 ? is_listed(m, i) : named;
}

int engine_images(struct engine *e, const struct image_filter *filter, const char *reference, struct image_list *ret,
                  struct cor_err *err)
{
        auto_image_match m = { 0 };
        auto_image_list all = { 0 };
        size_t kept = 0;

        if (image_match_parse(e, filter, IMAGE_FILTER_LIST, &m, err) < 0 || image_all(e->store, false, &all, err) < 0)
                return -1;
        if (reference)
                cor_strv_add(&m.references, reference);
        for (size_t i = 0; i < all.n_items; i++) {
                int r = pick(&m, &all.items[i], err);
                struct image_row row = all.items[i];

                if (r < 0)
                        return -1;
                all.items[i] = (struct image_row){ 0 };
                if (r > 0)
                        all.items[kept++] = row;
                else
                        image_row_done(&row);
        }
        all.n_items = kept;
        *ret = all;
        all = (struct image_list){ 0 };
        return 0;
}

static int bad_reference(const char *s, struct cor_err *err)
{
        return cor_wrap(err, "Error parsing reference: \"%s\" is not a valid repository/tag", s);
}

/* The full name that @target stands for; docker's refusals. */
static int parse_target(const char *target, char **ret, struct cor_err *err)
{
        auto_reference r = { 0 };
        auto_str bare = NULL;

        if (reference_parse(target, &r, err) < 0)
                return bad_reference(target, err);
        if (digest_set(&r.digest))
                return cor_fail(err, COR_INVALID, "refusing to create a tag with a digest reference");
        bare = reference_familiar_name(&r);
        if (strcmp(bare, "sha256") == 0)
                return cor_fail(err, COR_INVALID, "refusing to create an ambiguous tag using digest algorithm as name");
        reference_default_tag(&r);
        *ret = reference_tagged(&r);
        return 0;
}

int engine_tag(struct engine *e, const char *source, const char *target, struct cor_err *err)
{
        auto_image_row i = { 0 };
        auto_reference r = { 0 };
        auto_str full = NULL;

        if (!is_hex_id(source) && !digest_is(source) && reference_parse(source, &r, err) < 0)
                return bad_reference(source, err);
        if (parse_target(target, &full, err) < 0 || engine_image(e, source, &i, err) < 0)
                return -1;
        if (image_tag(e->store, &i.id, full, err) < 0)
                return -1;
        engine_image_event(e, &i, "tag", full);
        return 0;
}

void engine_image_event(struct engine *e, const struct image_row *i, const char *action, const char *full)
{
        auto_reference r = { 0 };
        auto_str familiar = NULL;

        if (full && reference_parse(full, &r, NULL) == 0)
                familiar = reference_familiar(&r);
        event_write_image(e->store, i, action, NULL, familiar ? familiar : full ? full : i->id.text);
}

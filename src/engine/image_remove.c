/*
 * rmi and prune, with docker's rules: a name given is untagged; when its last tag in a repository goes, so do the
 * digests of that repository; when no name is left, the image goes. An id given removes the image if all its names are
 * in one repository with one tag at most, or if it is forced.
 *
 * An image that containers use, be it as what they stand on or mounted in them: one that runs keeps it, whatever is
 * said; one that does not keeps it unless it is forced. With its name alone it is only untagged, which has to be forced
 * if that is its last name.
 */
#include "engine/container.h"
#include "engine/image_filter.h"
#include "engine/image_platform.h"
#include "image/reference.h"
#include "store/event.h"
#include "store/hash.h"

#include <stdio.h>
#include <string.h>

void image_removed_done(struct image_removed *r)
{
        cor_strv_done(&r->lines);
}

static bool is_digested(const char *name)
{
        return strchr(name, '@') != NULL;
}

/* Bytes of @name that are the repository. */
static size_t repository_len(const char *name)
{
        const char *at = strchr(name, '@'), *slash = strrchr(name, '/');
        const char *colon = at ? NULL : strchr(slash ? slash : name, ':');

        return at ? (size_t)(at - name) : colon ? (size_t)(colon - name) : strlen(name);
}

static bool same_repository(const char *a, const char *b)
{
        size_t n = repository_len(a);

        return n == repository_len(b) && strncmp(a, b, n) == 0;
}

/* Docker's "single reference": at most one tag, and digests of its repository only. */
static bool is_single(const struct image_row *i)
{
        const char *first = i->names.n_items          ? i->names.items[0]
                            : i->repo_digests.n_items ? i->repo_digests.items[0]
                                                      : NULL;

        if (i->names.n_items > 1)
                return false;
        for (size_t d = 0; d < i->repo_digests.n_items; d++)
                if (!same_repository(first, i->repo_digests.items[d]))
                        return false;
        return true;
}

static bool has_name(const struct image_row *i, const char *full)
{
        for (size_t n = 0; n < i->names.n_items; n++)
                if (strcmp(i->names.items[n], full) == 0)
                        return true;
        for (size_t n = 0; n < i->repo_digests.n_items; n++)
                if (strcmp(i->repo_digests.items[n], full) == 0)
                        return true;
        return false;
}

/* The full name that @given stands for, if it is one of the image; else it is an id or a beginning of one: NULL. free()
 */
static char *name_of(const struct image_row *i, const char *given)
{
        auto_reference ref = { 0 };
        auto_str full = NULL;

        if (reference_parse(given, &ref, NULL) < 0)
                return NULL;
        reference_default_tag(&ref);
        full = digest_set(&ref.digest) ? reference_digested(&ref, &ref.digest) : reference_tagged(&ref);
        return has_name(i, full) ? COR_TAKE(full) : NULL;
}

/* The names that go with @full: itself, and the digests of its repository if it was the last tag there. */
static void names_with(const struct image_row *i, const char *full, struct cor_strv *ret)
{
        cor_strv_add(ret, full);
        if (is_digested(full))
                return;
        for (size_t n = 0; n < i->names.n_items; n++)
                if (strcmp(i->names.items[n], full) != 0 && same_repository(i->names.items[n], full))
                        return;
        for (size_t n = 0; n < i->repo_digests.n_items; n++)
                if (same_repository(i->repo_digests.items[n], full))
                        cor_strv_add(ret, i->repo_digests.items[n]);
}

static void all_names(const struct image_row *i, struct cor_strv *ret)
{
        for (size_t n = 0; n < i->names.n_items; n++)
                cor_strv_add(ret, i->names.items[n]);
        for (size_t n = 0; n < i->repo_digests.n_items; n++)
                cor_strv_add(ret, i->repo_digests.items[n]);
}

static void say_untagged(struct image_removed *r, const struct cor_strv *names)
{
        for (size_t n = 0; n < names->n_items; n++) {
                auto_reference ref = { 0 };
                auto_str familiar = NULL;

                if (reference_parse(names->items[n], &ref, NULL) == 0)
                        familiar = reference_familiar(&ref);
                cor_strv_take(&r->lines, cor_printf("Untagged: %s", familiar ? familiar : names->items[n]));
        }
}

/* Whether @d was collected; what was told of once is not told again for another image. */
static bool take_collected(struct collected *c, const struct digest *d)
{
        for (size_t n = 0; n < c->n_items; n++)
                if (digest_eq(&c->items[n], d)) {
                        c->items[n] = DIGEST_NONE;
                        return true;
                }
        return false;
}

/* As docker tells it: the image, then those of its layers that went, the uppermost first, by chain id. */
static void say_deleted(struct image_removed *r, const struct image_row *i, struct collected *c)
{
        struct digest *chain = cor_realloc_array(NULL, i->n_layers + 1, sizeof *chain);

        cor_strv_take(&r->lines, cor_printf("Deleted: %s", i->id.text));
        for (size_t n = 0; n < i->n_layers; n++)
                chain[n] = hash_chain(n ? &chain[n - 1] : NULL, &i->layers[n].diff_id);
        for (size_t n = i->n_layers; n-- > 0;)
                if (take_collected(c, &i->layers[n].name))
                        cor_strv_take(&r->lines, cor_printf("Deleted: %s", chain[n].text));
        free(chain);
}

/* Forget @names and, if it is to go, the image; say what was done. */
static int forget(struct engine *e, const struct image_row *i, const struct cor_strv *names, enum image_forgetting what,
                  struct image_removed *r, struct cor_err *err)
{
        auto_collected c = { 0 };
        int gone = image_forget(e->store, &i->id, names, what, err);

        if (gone < 0)
                return -1;
        say_untagged(r, names);
        for (size_t n = 0; n < names->n_items; n++)
                engine_image_event(e, i, "untag", NULL);
        if (!gone)
                return 0;
        engine_image_event(e, i, "delete", NULL);
        if (store_collect(e->store, &c, err) < 0)
                return -1;
        say_deleted(r, i, &c);
        r->bytes += c.bytes;
        return 0;
}

/* Two of the containers that use an image, as far as there are: ids, short as docker shows them. */
struct image_users {
        char running[13], stopped[13];
};

/* It is mounted in container @number. */
static bool is_mounted(const struct container_image_uses *uses, int64_t number, const struct digest *id)
{
        for (size_t n = 0; n < uses->n_items; n++)
                if (uses->items[n].container == number && digest_eq(&uses->items[n].image, id))
                        return true;
        return false;
}

static int find_users(struct engine *e, const struct digest *id, struct image_users *ret, struct cor_err *err)
{
        auto_container_image_uses uses = { 0 };
        auto_container_rows rows = { 0 };

        *ret = (struct image_users){ 0 };
        if (engine_containers(e, false, &rows, err) < 0 || container_image_uses(e->store, &uses, err) < 0)
                return -1;
        for (size_t n = 0; n < rows.n_items; n++) {
                const struct container_row *c = &rows.items[n];
                bool runs = container_phase_runs(c->now.phase);

                if (digest_eq(&c->image_id, id) || is_mounted(&uses, c->number, id))
                        snprintf(runs ? ret->running : ret->stopped, sizeof ret->running, "%.12s", c->id);
        }
        return 0;
}

static int check_users(const struct image_users *u, const struct image_row *i, bool force, struct cor_err *err)
{
        if (u->running[0])
                return cor_fail(err, COR_BUSY,
                                "conflict: unable to delete %.12s (cannot be forced) - image is being used by running "
                                "container %s",
                                digest_hex(&i->id), u->running);
        if (u->stopped[0] && !force)
                return cor_fail(err, COR_BUSY,
                                "conflict: unable to delete %.12s (must be forced) - image is being used by stopped "
                                "container %s",
                                digest_hex(&i->id), u->stopped);
        return 0;
}

static int remove_by_id(struct engine *e, const struct image_row *i, bool force, struct image_removed *r,
                        struct cor_err *err)
{
        struct image_users users;
        auto_strv names = { 0 };

        if (find_users(e, &i->id, &users, err) < 0 || check_users(&users, i, force, err) < 0)
                return -1;
        if (!force && !is_single(i))
                return cor_fail(err, COR_BUSY,
                                "conflict: unable to delete %.12s (must be forced) - image is referenced in multiple "
                                "repositories",
                                digest_hex(&i->id));
        all_names(i, &names);
        return forget(e, i, &names, force ? IMAGE_FORGET_ALL : IMAGE_FORGET_UNLESS_NAMED, r, err);
}

static int remove_by_name(struct engine *e, const struct image_row *i, const char *given, const char *full, bool force,
                          struct image_removed *r, struct cor_err *err)
{
        struct image_users users;
        auto_strv names = { 0 };
        const char *user;

        if (find_users(e, &i->id, &users, err) < 0)
                return -1;
        user = users.running[0] ? users.running : users.stopped;
        if (user[0] && !force && is_single(i))
                return cor_fail(err, COR_BUSY,
                                "conflict: unable to remove repository reference \"%s\" (must force) - container %s is "
                                "using its referenced image %.12s",
                                given, user, digest_hex(&i->id));
        names_with(i, full, &names);
        return forget(e, i, &names,
                      users.running[0] || (users.stopped[0] && !force) ? IMAGE_FORGET_NAMES : IMAGE_FORGET_UNLESS_NAMED,
                      r, err);
}

int engine_remove_image(struct engine *e, const char *name, const char *platform, bool force, bool no_prune,
                        struct image_removed *ret, struct cor_err *err)
{
        auto_image_row i = { 0 };
        auto_image_removed r = { 0 };
        auto_str full = NULL;

        if (engine_image(e, name, &i, err) < 0 || image_require_platform(&i, platform, name, err) < 0)
                return -1;
        full = name_of(&i, name);
        if ((full ? remove_by_name(e, &i, name, full, force, &r, err) : remove_by_id(e, &i, force, &r, err)) < 0)
                return -1;
        *ret = r;
        r = (struct image_removed){ 0 };
        return 0;
}

static bool is_used(const struct container_rows *users, const struct container_image_uses *uses,
                    const struct digest *id)
{
        for (size_t n = 0; n < uses->n_items; n++)
                if (digest_eq(&uses->items[n].image, id))
                        return true;
        for (size_t n = 0; n < users->n_items; n++)
                if (digest_eq(&users->items[n].image_id, id))
                        return true;
        return false;
}

/* Keep in @list what is to go. */
static void pick_prunable(const struct image_match *m, bool all, const struct container_rows *users,
                          const struct container_image_uses *uses, struct image_list *list)
{
        size_t kept = 0;

        for (size_t n = 0; n < list->n_items; n++) {
                struct image_row row = list->items[n];

                list->items[n] = (struct image_row){ 0 };
                if (image_match_fits(m, &row) && (all || row.names.n_items == 0) && !is_used(users, uses, &row.id))
                        list->items[kept++] = row;
                else
                        image_row_done(&row);
        }
        list->n_items = kept;
}

int engine_prune_images(struct engine *e, bool all, const struct image_filter *filter, struct image_removed *ret,
                        struct cor_err *err)
{
        auto_image_match m = { 0 };
        auto_container_image_uses uses = { 0 };
        auto_container_rows users = { 0 };
        auto_image_list list = { 0 };
        auto_image_removed r = { 0 };
        auto_collected c = { 0 };
        bool *gone auto_free = NULL;

        if (image_match_parse(e, filter, IMAGE_FILTER_PRUNE, &m, err) < 0 ||
            image_all(e->store, true, &list, err) < 0 || container_row_all(e->store, false, &users, err) < 0 ||
            container_image_uses(e->store, &uses, err) < 0)
                return -1;
        pick_prunable(&m, m.has_dangling ? !m.dangling : all, &users, &uses, &list);
        gone = cor_alloc(list.n_items + 1);
        if (image_forget_list(e->store, &list, gone, err) < 0 || store_collect(e->store, &c, err) < 0)
                return -1;
        for (size_t n = 0; n < list.n_items; n++) {
                auto_strv names = { 0 };

                if (!gone[n])
                        continue;
                all_names(&list.items[n], &names);
                say_untagged(&r, &names);
                say_deleted(&r, &list.items[n], &c);
                for (size_t k = 0; k < names.n_items; k++)
                        engine_image_event(e, &list.items[n], "untag", NULL);
                engine_image_event(e, &list.items[n], "delete", NULL);
        }
        r.bytes = c.bytes;
        event_write_prune(e->store, "image", (int64_t)c.bytes);
        *ret = r;
        r = (struct image_removed){ 0 };
        return 0;
}

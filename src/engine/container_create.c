/* Making a container: nothing runs yet, but all that can be wrong with it is said now. */
#include "engine/container_internal.h"

#include "base/date.h"
#include "base/fd.h"
#include "engine/image.h"
#include "engine/image_platform.h"
#include "engine/network.h"
#include "engine/spec.h"
#include "engine/spec_userns.h"
#include "store/event.h"
#include "store/snapshot.h"

#include <string.h>

enum { ID_BYTES = 32, NAME_ATTEMPTS = 20 };

/* That of the monitor that was started ahead, but for one container only. */
static char *make_id(const struct engine *e)
{
        auto_container_row row = { 0 };
        struct cor_err ignored;

        if (!e->ahead_id || container_row_find(e->store, e->ahead_id, &row, &ignored) == 0)
                return container_make_id();
        return cor_strdup(e->ahead_id);
}

char *container_make_id(void)
{
        return cor_random_hex(ID_BYTES);
}

static char *print(const struct cor_json_doc *doc, const void *object)
{
        struct cor_text t = COR_TEXT_INIT;

        cor_json_print(doc, object, COR_JSON_COMPACT, &t);
        return cor_text_take(&t);
}

/* The program and its arguments in one line: entrypoint, then command. */
static char *command_line(const struct docker_config *c)
{
        struct cor_text t = COR_TEXT_INIT;

        for (size_t i = 0; i < c->n_entrypoint; i++)
                cor_text_printf(&t, "%s%s", t.len ? " " : "", c->entrypoint[i]);
        for (size_t i = 0; i < c->n_cmd; i++)
                cor_text_printf(&t, "%s%s", t.len ? " " : "", c->cmd[i]);
        return cor_text_take(&t);
}

static void take_image(const struct image_row *image, struct container_row *r)
{
        r->image_id = image->id;
        r->n_layers = image->n_layers;
        r->layers = cor_alloc((image->n_layers + 1) * sizeof *r->layers);
        for (size_t i = 0; i < image->n_layers; i++)
                r->layers[i] = image->layers[i].name;
}

static void take_documents(const struct spec_documents *d, struct container_row *r)
{
        r->created = cor_wall_ns();
        r->image = cor_strdup(d->config->image ? d->config->image : "");
        r->config = print(&docker_config_doc, d->config);
        r->host_config = print(&docker_host_config_doc, d->host_config);
        r->command = command_line(d->config);
        r->auto_remove = d->host_config->auto_remove;
        for (size_t i = 0; i < d->config->n_labels; i++)
                cor_strv_take(&r->labels, cor_printf("%s=%s", d->config->labels[i].key, d->config->labels[i].value));
}

/* A made-up name may be taken: try others. */
static int add_row(struct engine *e, const char *name, struct container_row *r, struct volume_rows *volumes,
                   struct cor_err *err)
{
        if (name) {
                r->name = cor_strdup(name);
                return container_row_add_with(e->store, r, volumes, err);
        }
        for (unsigned i = 0; i < NAME_ATTEMPTS; i++) {
                free(r->name);
                r->name = name_random(i);
                if (container_row_add_with(e->store, r, volumes, err) == 0)
                        return 0;
                if (err->kind != COR_EXISTS)
                        return -1;
        }
        return -1;
}

/* --storage-opt size=…, which spec_prepare() has looked at; 0: no limit */
static uint64_t layer_size(const struct docker_host_config *h)
{
        uint64_t size = 0;

        for (size_t i = 0; i < h->n_storage_opt; i++)
                if (strcmp(h->storage_opt[i].key, "size") == 0 && cor_parse_size(h->storage_opt[i].value, &size) < 0)
                        size = 0;
        return size;
}

/* The image's root filesystem, where somebody wants to see it; *ret stays -1 where nobody does. */
static int look_at_image(struct engine *e, const struct spec_documents *d, const struct container_row *r, int *ret,
                         struct cor_err *err)
{
        struct snapshot look = SNAPSHOT_INIT;

        look.layers = r->layers;
        look.n_layers = r->n_layers;
        if (!spec_wants_volumes(d) && !spec_userns_wants_root(d))
                return 0;
        *ret = snapshot_mount(e->store, &look, err);
        return *ret < 0 ? -1 : 0;
}

/*
 * The ids and the volumes, which want to see what the image has at their places, and the writable layer: beside their
 * places, which they get with the row. So there is all of it or nothing, whenever this is interrupted.
 */
static int add(struct engine *e, const struct container_new *n, const struct spec_documents *d, struct container_row *r,
               struct cor_err *err)
{
        auto_spec_mounts mounts = { .json = NULL };
        auto_spec_ids ids = { .map = NULL };
        auto_store_new folder = STORE_NEW_INIT;
        auto_fd root = -1;
        int done;

        if (look_at_image(e, d, r, &root, err) < 0 || spec_userns_make(e->store, d, root, &ids, err) < 0 ||
            spec_mounts_create(e->store, r->id, d, root, &mounts, err) < 0)
                return -1;
        r->id_map = COR_TAKE(ids.map);
        r->mounts = cor_strdup(mounts.json);
        for (size_t i = 0; i < mounts.volumes.n_items; i++)
                cor_strv_add(&r->volumes, mounts.volumes.items[i]);
        r->images = COR_TAKE(mounts.images);
        r->n_images = mounts.n_images;
        mounts.n_images = 0;
        if (container_folder_new(e->store, &folder, err) < 0 ||
            snapshot_make(e->store, folder.fd, r->layers, r->n_layers, layer_size(d->host_config), err) < 0)
                return -1;
        r->pool = ids.pool.size > 0 ? &ids.pool : NULL;
        r->folder = &folder;
        done = add_row(e, n->name, r, &mounts.made, err);
        r->pool = NULL;
        r->folder = NULL;
        for (size_t i = 0; done == 0 && i < mounts.made.n_items; i++)
                if (mounts.made.items[i].made)
                        event_write_volume(e->store, mounts.made.items[i].name, "create", NULL, NULL, 0);
        return done;
}

/* A user who has not asked for another machine's image hears that it is one; whether it runs is up to binfmt_misc. */
static void compare_platform(const struct image_config *c, struct cor_strv *warnings)
{
        const struct image_platform have = { .architecture = c->architecture, .os = c->os, .variant = c->variant };
        struct platform image = platform_of(&have), host = platform_host();
        auto_str its = platform_format(&image);
        auto_str ours = platform_format(&host);

        if (warnings && c->architecture && *c->architecture && platform_rank(&host, &image) < 0)
                cor_strv_take(warnings,
                              cor_printf("The requested image's platform (%s) does not match the detected host "
                                         "platform (%s) and no specific platform was requested",
                                         its, ours));
}

int engine_create_container(struct engine *e, const struct container_new *n, struct cor_strv *warnings, char **ret_id,
                            struct cor_err *err)
{
        COR_CLEANUP(cor_json_free_p) struct image_config *image_config = NULL;
        auto_spec_documents d = { .config = NULL };
        auto_container_row row = { .number = 0 };
        auto_image_row image = { .n_layers = 0 };
        struct spec_new spec = { .config = n->config, .host_config = n->host_config };
        const char *name = n->name && n->name[0] == '/' ? n->name + 1 : n->name;
        struct container_new bare = *n;

        bare.name = name;
        if (name && name_check(name, "container", err) < 0)
                return -1;
        if (!n->config->image || !*n->config->image)
                return cor_fail(err, COR_INVALID, "no image is named: expected its name or id");
        if (engine_image(e, n->config->image, &image, err) < 0 ||
            (n->platform && *n->platform && image_require_platform(&image, n->platform, n->config->image, err) < 0) ||
            engine_image_config(e, &image, &image_config, NULL, err) < 0)
                return -1;
        row.id = make_id(e);
        if (!n->platform || !*n->platform)
                compare_platform(image_config, warnings);
        spec.id = row.id;
        spec.image = image_config->config;
        if (spec_prepare(e->store, &spec, &d, warnings, err) < 0)
                return -1;
        if (engine_settle_networks(e, d.host_config, n->networking, &row.networking, err) < 0)
                return -1;
        take_image(&image, &row);
        take_documents(&d, &row);
        if (add(e, &bare, &d, &row, err) < 0)
                return -1;
        event_write_container(e->store, &row, "create", NULL, 0);
        *ret_id = COR_TAKE(row.id);
        return 0;
}

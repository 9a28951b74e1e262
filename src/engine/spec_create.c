/* At `create`: which mounts a container has, and the volumes for them. */
#include "engine/spec_point.h"

#include "base/fd.h"
#include "base/file.h"
#include "engine/volume.h"
#include "runtime/rootfs.h"
#include "store/image.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct creation {
        struct store *store;
        void *memory; /* the root that strings live with */
        const struct docker_config *config;
        const struct docker_host_config *host;
        struct spec_point *points;
        size_t n_points;
        struct spec_mounts *out;
};

static struct spec_point *find_point(struct creation *c, const char *destination)
{
        for (size_t i = 0; i < c->n_points; i++)
                if (strcmp(c->points[i].destination, destination) == 0)
                        return &c->points[i];
        return NULL;
}

static bool is_tmpfs(const struct docker_host_config *h, const char *destination)
{
        for (size_t i = 0; i < h->n_tmpfs; i++) {
                auto_str path = cor_path_clean(h->tmpfs[i].key);

                if (strcmp(path, destination) == 0)
                        return true;
        }
        return false;
}

/* What comes later replaces what other containers lend; of the user's own there is one at a place. */
static int put_point(struct creation *c, const struct spec_point *p, struct cor_err *err)
{
        struct spec_point *same = find_point(c, p->destination);

        if (!p->inherited && ((same && !same->inherited) || is_tmpfs(c->host, p->destination)))
                return cor_fail(err, COR_INVALID, "Duplicate mount point: %.300s", p->destination);
        if (same)
                *same = *p;
        else
                *SPEC_GROW(c->memory, c->points, c->n_points) = *p;
        return 0;
}

/* --- --volumes-from ---------------------------------------------------------------------------------------------- */

static int inherit(struct creation *c, const char *text, struct cor_err *err)
{
        auto_container_row other = { 0 };
        auto_str name = NULL;
        struct spec_point *points = NULL;
        size_t n = 0;
        bool rw;

        if (spec_point_parse_from(text, &name, &rw, err) < 0 || container_row_find(c->store, name, &other, err) < 0 ||
            spec_points_parse(c->memory, other.mounts, &points, &n, err) < 0)
                return -1;
        for (size_t i = 0; i < n; i++) {
                points[i].inherited = true;
                points[i].no_copy = true;
                points[i].rw = points[i].rw && rw;
                if (put_point(c, &points[i], err) < 0)
                        return -1;
        }
        return 0;
}

/* --- what the documents say -------------------------------------------------------------------------------------- */

static int collect(struct creation *c, struct cor_err *err)
{
        struct spec_point p;

        for (size_t i = 0; i < c->host->n_volumes_from; i++)
                if (inherit(c, c->host->volumes_from[i], err) < 0)
                        return -1;
        for (size_t i = 0; i < c->host->n_binds; i++)
                if (spec_point_parse_bind(c->memory, c->host->binds[i], c->host->volume_driver, &p, err) < 0 ||
                    put_point(c, &p, err) < 0)
                        return -1;
        for (size_t i = 0; i < c->host->n_mounts; i++)
                if (spec_point_from_mount(c->memory, &c->host->mounts[i], true, &p, err) < 0 ||
                    put_point(c, &p, err) < 0)
                        return -1;
        return 0;
}

/* Volumes that the image or the user names by their place only. */
static int collect_anonymous(struct creation *c, int root, struct cor_err *err)
{
        for (size_t i = 0; i < c->config->n_volumes; i++) {
                auto_str path = cor_path_clean(c->config->volumes[i].key);
                auto_fd there = -1;
                struct stat st;

                if (strcmp(path, "/") == 0 || find_point(c, path) || is_tmpfs(c->host, path))
                        continue;
                if (root >= 0)
                        there = cor_root_open(root, path, O_PATH, 0, NULL);
                if (there >= 0 && fstat(there, &st) == 0 && !S_ISDIR(st.st_mode))
                        return cor_fail(err, COR_INVALID, "cannot mount volume over existing file, file exists %s",
                                        path);
                *SPEC_GROW(c->memory, c->points, c->n_points) = (struct spec_point){
                        .type = "volume",
                        .destination = spec_copy(c->memory, path),
                        .driver = spec_empty(c->host->volume_driver) ? "local" : c->host->volume_driver,
                        .mode = "",
                        .propagation = "",
                        .rw = true,
                        .anonymous = true,
                };
        }
        return 0;
}

/* --- volumes ----------------------------------------------------------------------------------------------------- */

static void add_pairs(struct cor_strv *to, const struct cor_pair *pairs, size_t n)
{
        for (size_t i = 0; i < n; i++)
                cor_strv_take(to, cor_printf("%s=%s", pairs[i].key, pairs[i].value));
}

static struct volume_row *find_made(struct creation *c, const char *name)
{
        for (size_t i = 0; i < c->out->made.n_items; i++)
                if (cor_streq(c->out->made.items[i].name, name))
                        return &c->out->made.items[i];
        return NULL;
}

/* 1: the store has it, or will have it with this container; 0: it has to be made; -1 */
static int is_there(struct creation *c, const struct volume_row *wanted, struct cor_err *err)
{
        auto_volume_row there = { 0 };
        struct cor_err own = { 0 };

        if (wanted->anonymous)
                return 0;
        if (find_made(c, wanted->name) || volume_row_find(c->store, wanted->name, &there, &own) == 0)
                return 1;
        if (own.kind == COR_NOT_FOUND)
                return 0;
        *err = own;
        return -1;
}

static int make_volume(struct creation *c, struct spec_point *p, struct cor_err *err)
{
        auto_strv options = { 0 }, labels = { 0 };
        auto_volume_row row = { 0 };
        auto_str path = NULL;
        struct volume_new n = { .name = p->name, .driver = p->driver, .options = &options, .labels = &labels };
        struct store_new folder;
        int there;

        if (p->volume) {
                add_pairs(&labels, p->volume->labels, p->volume->n_labels);
                if (p->volume->driver_config)
                        add_pairs(&options, p->volume->driver_config->options, p->volume->driver_config->n_options);
        }
        if (volume_prepare(&n, &row, err) < 0)
                return -1;
        there = is_there(c, &row, err);
        if (there < 0 || (there == 0 && volume_prepare_folder(c->store, &row, &folder, err) < 0))
                return -1;
        path = volume_folder_path(c->store, row.name);
        p->name = spec_copy(c->memory, row.name);
        p->source = spec_copy(c->memory, path);
        if (there == 0) {
                c->out->folders = cor_realloc_array(c->out->folders, c->out->made.n_items + 1, sizeof folder);
                c->out->folders[c->out->made.n_items] = folder;
                *COR_GROW(c->out->made.items, c->out->made.n_items) = row;
                row = (struct volume_row){ 0 };
        }
        return 0;
}

/* --- what the image has at a volume's place ---------------------------------------------------------------------- */

static bool is_empty(int folder)
{
        int copy = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR *dir = copy < 0 ? NULL : fdopendir(copy);
        struct dirent *e;
        bool empty = dir != NULL;

        while (empty && (e = readdir(dir)) != NULL)
                empty = strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0;
        if (dir)
                closedir(dir);
        else if (copy >= 0)
                close(copy);
        return empty;
}

/* Its _data, or -1; *ret_mounted: what it stands for is mounted only where it is used */
static int open_volume(struct creation *c, const char *name, bool *ret_mounted, struct cor_err *err)
{
        const struct volume_row *made = find_made(c, name);
        auto_volume_row row = { 0 };
        auto_fd folder = -1;
        int fd;

        if (!made && volume_row_find(c->store, name, &row, err) < 0)
                return -1;
        *ret_mounted = volume_option(made ? &made->options : &row.options, "type") != NULL;
        if (!made)
                folder = volume_folder_open(c->store, name, err);
        else
                folder = openat(c->out->folders[made - c->out->made.items].fd, "_data",
                                O_PATH | O_DIRECTORY | O_CLOEXEC);
        fd = folder < 0 ? -1 : openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        return fd < 0 && err->kind == COR_OK ? cor_fail_errno(err, "volume %s", name) : fd;
}

/* What a power cut leaves of a volume has to be all of it: one that is not empty is not filled again. */
static int settle_files(struct creation *c, const char *name, int folder, struct cor_err *err)
{
        const struct volume_row *made = find_made(c, name);

        if (c->host->auto_remove && made && made->anonymous)
                return 0;
        return syncfs(folder) < 0 ? cor_fail_errno(err, "volume %s", name) : 0;
}

static int populate(struct creation *c, const struct spec_point *p, int root, struct cor_err *err)
{
        auto_fd from = -1, to = -1;
        bool mounted = false;

        if (p->no_copy || p->inherited || root < 0)
                return 0;
        from = cor_root_open(root, p->destination, O_RDONLY | O_DIRECTORY, 0, NULL);
        if (from < 0) /* the image has nothing there */
                return 0;
        to = open_volume(c, p->name, &mounted, err);
        if (to < 0)
                return -1;
        if (mounted || !is_empty(to) || is_empty(from))
                return 0;
        if (rootfs_copy_up(from, to, err) < 0)
                return cor_wrap(err, "failed to populate volume %s from %s", p->name, p->destination);
        return settle_files(c, p->name, to, err);
}

static void use_volume(struct creation *c, const char *name)
{
        for (size_t i = 0; i < c->out->volumes.n_items; i++)
                if (strcmp(c->out->volumes.items[i], name) == 0)
                        return;
        cor_strv_add(&c->out->volumes, name);
}

/* As it was found, also what another container lends: the name may mean another image by now. */
static int use_image(struct creation *c, const struct spec_point *p, struct cor_err *err)
{
        struct container_image i = { .n_layers = 0 };

        if (!p->source || digest_parse(p->source, &i.id, err) < 0)
                return -1;
        for (size_t k = 0; k < p->n_layers; k++)
                if (digest_parse(p->layers[k], COR_GROW(i.layers, i.n_layers), err) < 0) {
                        free(i.layers);
                        return -1;
                }
        *COR_GROW(c->out->images, c->out->n_images) = i;
        return 0;
}

static int settle(struct creation *c, int root, struct cor_err *err)
{
        for (size_t i = 0; i < c->n_points; i++) {
                struct spec_point *p = &c->points[i];

                if (strcmp(p->type, "image") == 0 && !p->inherited && spec_image_point(c->store, c->memory, p, err) < 0)
                        return -1;
                if (strcmp(p->type, "image") == 0 && use_image(c, p, err) < 0)
                        return -1;
                if (strcmp(p->type, "volume") != 0)
                        continue;
                if ((!p->inherited && make_volume(c, p, err) < 0) || populate(c, p, root, err) < 0)
                        return -1;
                use_volume(c, p->name);
        }
        return 0;
}

int spec_mounts_create(struct store *s, const char *id, const struct spec_documents *d, int root,
                       struct spec_mounts *ret, struct cor_err *err)
{
        auto_spec_mounts out = { 0 };
        auto_text text = COR_TEXT_INIT;
        struct creation c = {
                .store = s, .memory = d->config, .config = d->config, .host = d->host_config, .out = &out
        };

        (void)id;
        if (collect(&c, err) < 0 || collect_anonymous(&c, root, err) < 0)
                return -1;
        if (settle(&c, root, err) < 0)
                return -1;
        for (size_t i = 0; i < out.made.n_items; i++)
                out.made.items[i].folder = &out.folders[i];
        spec_points_print(c.points, c.n_points, &text);
        out.json = cor_text_take(&text);
        *ret = out;
        out = (struct spec_mounts){ 0 };
        return 0;
}

bool spec_wants_volumes(const struct spec_documents *d)
{
        if (d->config->n_volumes > 0)
                return true;
        for (size_t i = 0; i < d->host_config->n_binds; i++)
                if (d->host_config->binds[i][0] != '/')
                        return true;
        for (size_t i = 0; i < d->host_config->n_mounts; i++)
                if (spec_is(d->host_config->mounts[i].type, "volume"))
                        return true;
        return false;
}

void spec_mounts_done(struct spec_mounts *m)
{
        free(m->json);
        cor_strv_done(&m->volumes);
        for (size_t i = 0; i < m->made.n_items; i++)
                store_new_done(&m->folders[i]);
        volume_rows_done(&m->made);
        free(m->folders);
        for (size_t i = 0; i < m->n_images; i++)
                free(m->images[i].layers);
        free(m->images);
        *m = (struct spec_mounts){ 0 };
}

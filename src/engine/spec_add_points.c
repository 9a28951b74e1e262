/* The container's own mounts: volumes, binds, tmpfs, images, and the files that every container gets. */
#include "engine/spec_internal.h"

#include "base/fd.h"
#include "base/file.h"
#include "engine/spec_point.h"
#include "engine/volume.h"
#include "linux/mount.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- bind -------------------------------------------------------------------------------------------------------- */

/* Our runtime has a way on any kernel. Of another one docker asks it where the kernel has the call for it. */
static bool can_recursive_ro(const struct spec *s)
{
        return !spec_other_runtime(s) || mount_has_setattr();
}

int spec_bind_options(struct spec *s, struct oci_mount *m, const struct spec_point *p, struct cor_err *err)
{
        bool recursive = can_recursive_ro(s);

        spec_mount_option(s, m, p->non_recursive ? "bind" : "rbind");
        if (!p->rw && p->ro_force_recursive && !recursive)
                return cor_fail(err, COR_UNSUPPORTED, "rro is not supported: kernel is older than 5.12");
        if (!p->rw && spec_other_runtime(s)) /* it may not know the other word */
                spec_mount_option(s, m, "ro");
        if (!p->rw)
                spec_mount_option(s, m, recursive && !p->ro_non_recursive ? "rro" : "ro");
        if (!spec_empty(p->propagation))
                spec_mount_option(s, m, p->propagation);
        if (p->idmap && s->mapped && s->rootless && strcmp(p->type, "bind") == 0)
                return cor_fail(err, COR_UNSUPPORTED, "%s: ids of mounts are mapped for root only", p->destination);
        if (p->idmap)
                spec_map_mount(s, m);
        return 0;
}

static int make_source(const struct spec_point *p, struct cor_err *err)
{
        struct stat st;

        if (!p->create_source || stat(p->source, &st) == 0)
                return 0;
        if (cor_mkdirs(p->source, 0755, err) < 0)
                return cor_wrap(err, "error while creating mount source path '%s'", p->source);
        return 0;
}

static int add_bind(struct spec *s, const struct spec_point *p, struct cor_err *err)
{
        if (make_source(p, err) < 0 || spec_propagate(s, p, err) < 0)
                return -1;
        return spec_bind_options(s, spec_mount_add(s, p->destination, "bind", p->source), p, err);
}

/* --- tmpfs ------------------------------------------------------------------------------------------------------- */

static int add_tmpfs(struct spec *s, const char *destination, const char *options, struct cor_err *err)
{
        struct oci_mount *m = spec_mount_add(s, destination, "tmpfs", "tmpfs");

        if (spec_tmpfs_options(s->c, options, &m->options, &m->n_options, err) < 0)
                return cor_wrap(err, "tmpfs at %s", destination);
        return 0;
}

static void tmpfs_points(struct spec *s, struct spec_point **items, size_t *n)
{
        for (size_t i = 0; i < s->host->n_tmpfs; i++) {
                auto_str path = cor_path_clean(s->host->tmpfs[i].key);

                *SPEC_GROW(s->c, *items, *n) = (struct spec_point){ .type = "tmpfs",
                                                                    .destination = spec_strdup(s, path),
                                                                    .data = s->host->tmpfs[i].value };
        }
}

/* --- the files of every container -------------------------------------------------------------------------------- */

static int file_points(struct spec *s, struct spec_point **items, size_t *n, struct cor_err *err)
{
        static const struct {
                const char *file, *destination;
        } files[] = {
                { "resolv.conf", "/etc/resolv.conf" },
                { "hostname", "/etc/hostname" },
                { "hosts", "/etc/hosts" },
        };
        const char *other = spec_container_of(s->host->network_mode);
        auto_str id = cor_strdup(s->id); /* who shares another's network, shares its names */
        auto_str folder = NULL;

        if (s->config->network_disabled)
                return 0;
        if (other) {
                auto_str other_id = NULL;

                if (spec_other(s, other, NULL, &other_id, NULL, err) < 0)
                        return -1;
                free(id);
                id = COR_TAKE(other_id);
        }
        folder = container_folder_path(s->store, id);
        for (size_t i = 0; i < COR_COUNT(files); i++)
                *SPEC_GROW(s->c, *items, *n) =
                        (struct spec_point){ .type = "file",
                                             .destination = files[i].destination,
                                             .source = spec_printf(s, "%s/%s", folder, files[i].file),
                                             .rw = !s->host->readonly_rootfs,
                                             .idmap = true,
                                             .propagation = "rprivate" };
        return 0;
}

/* What others may share is what was made to be shared. */
static int check_shareable(struct spec *s, const char *name, struct cor_err *err)
{
        auto_json struct docker_host_config *host = NULL;
        auto_container_row other = { 0 };

        if (container_row_find(s->store, name, &other, err) < 0 ||
            cor_json_parse(&docker_host_config_doc, other.host_config, strlen(other.host_config), "HostConfig", &host,
                           err) < 0)
                return -1;
        if (!spec_empty(host->ipc_mode) && !spec_is(host->ipc_mode, "private") && !spec_is(host->ipc_mode, "none"))
                return 0;
        return cor_fail(err, COR_INVALID,
                        "container %s: non-shareable IPC (hint: use IpcMode:shareable for the donor container)", name);
}

static int shm_point(struct spec *s, struct spec_point **items, size_t *n, struct cor_err *err)
{
        const char *other = spec_container_of(s->host->ipc_mode), *source = "/dev/shm";

        if (!other && !spec_is(s->host->ipc_mode, "host"))
                return 0;
        if (other &&
            (spec_other(s, other, "root/dev/shm", NULL, &source, err) < 0 || check_shareable(s, other, err) < 0))
                return cor_wrap(err, "failed to join IPC namespace");
        if (!other && access(source, F_OK) < 0)
                return cor_fail(err, COR_INVALID, "/dev/shm is not mounted, but must be for --ipc=host");
        *SPEC_GROW(s->c, *items, *n) = (struct spec_point){
                .type = "file", .destination = "/dev/shm", .source = source, .rw = true, .propagation = "rprivate"
        };
        return 0;
}

/* --- all of them ------------------------------------------------------------------------------------------------- */

static int add_point(struct spec *s, const struct spec_point *p, struct cor_err *err)
{
        if (strcmp(p->type, "tmpfs") == 0)
                return add_tmpfs(s, p->destination, p->data, err);
        if (strcmp(p->type, "volume") == 0)
                return spec_add_volume(s, p, err);
        if (strcmp(p->type, "image") == 0)
                return spec_add_image(s, p, err);
        if (strcmp(p->type, "file") == 0)
                return spec_bind_options(s, spec_mount_add(s, p->destination, "bind", p->source), p, err);
        return add_bind(s, p, err);
}

static size_t depth(const struct spec_point *p)
{
        size_t n = 0;

        for (const char *c = p->destination; *c; c++)
                n += *c == '/';
        return n;
}

/* Shorter paths first, so that none covers another; among equals as they were asked for. */
static void sort_points(struct spec_point *items, size_t n)
{
        for (size_t i = 1; i < n; i++) {
                struct spec_point p = items[i];
                size_t k = i;

                for (; k > 0 && depth(&items[k - 1]) > depth(&p); k--)
                        items[k] = items[k - 1];
                items[k] = p;
        }
}

static bool is_covered(const struct spec_point *items, size_t n, const char *destination)
{
        for (size_t i = 0; i < n; i++)
                if (strcmp(items[i].destination, destination) == 0)
                        return true;
        return false;
}

/* What the user has put at a place comes before what all have there. */
static void append_missing(struct spec *s, const struct spec_point *more, size_t n_more)
{
        for (size_t i = 0; i < n_more; i++)
                if (!is_covered(s->points, s->n_points, more[i].destination))
                        *SPEC_GROW(s->c, s->points, s->n_points) = more[i];
}

int spec_collect_points(struct spec *s, struct cor_err *err)
{
        struct spec_point *more = NULL;
        size_t n_more = 0;

        if (spec_points_parse(s->c, s->row->mounts, &s->points, &s->n_points, err) < 0)
                return -1;
        tmpfs_points(s, &more, &n_more);
        if (file_points(s, &more, &n_more, err) < 0 || shm_point(s, &more, &n_more, err) < 0)
                return -1;
        append_missing(s, more, n_more);
        sort_points(s->points, s->n_points);
        return 0;
}

int spec_add_points(struct spec *s, struct cor_err *err)
{
        for (size_t i = 0; i < s->n_points; i++)
                if (add_point(s, &s->points[i], err) < 0)
                        return -1;
        return 0;
}

#include "runtime/plan_mounts.h"

#include "base/fd.h"
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

void plan_mounts_done(struct plan *p)
{
        for (size_t i = 0; p->mounts && i < p->config->n_mounts; i++) {
                mount_options_done(&p->mounts[i].options);
                cor_fd_close(&p->mounts[i].tree);
        }
        free(p->mounts);
        p->mounts = NULL;
        cor_fd_close(&p->root_tree);
}

/* --- crun's idmap= option ----------------------------------------------------------------------------------------- */

static int parse_range(char *text, bool relative, const struct oci_id_map *base, size_t n_base, struct oci_id_map *ret,
                       struct cor_err *err)
{
        char *cursor = text, *part[3] = { NULL };

        for (int i = 0; i < 3; i++)
                part[i] = cor_split_next(&cursor, '-');
        if (!part[0] || !part[1] || !part[2] || cursor || cor_parse_u32(part[0], &ret->container_id) < 0 ||
            cor_parse_u32(part[1], &ret->host_id) < 0 || cor_parse_u32(part[2], &ret->size) < 0 || ret->size == 0)
                return cor_fail(err, COR_INVALID, "idmap: expected ID-HOSTID-LENGTH");
        if (relative && !idmap_to_host(base, n_base, ret->host_id, &ret->host_id))
                return cor_fail(err, COR_INVALID, "idmap: %u is not mapped in the container", ret->host_id);
        return 0;
}

static int parse_ranges(char *text, const struct oci_id_map *base, size_t n_base, struct oci_id_map **items,
                        size_t *n_items, struct cor_err *err)
{
        bool relative = text[0] == '@';
        char *cursor = text + relative, *word;

        while ((word = cor_split_next(&cursor, '#')) != NULL)
                if (parse_range(word, relative, base, n_base, COR_GROW(*items, *n_items), err) < 0)
                        return -1;
        return 0;
}

int plan_mount_idmap(const char *text, const struct idmap *base, struct idmap *ret, struct cor_err *err)
{
        auto_str copy = cor_strdup(text);
        char *cursor = copy, *word;
        struct idmap m = { 0 };

        while ((word = cor_split_next(&cursor, ';')) != NULL) {
                int r;

                if (cor_starts_with(word, "uids="))
                        r = parse_ranges(word + 5, base->uids, base->n_uids, &m.uids, &m.n_uids, err);
                else if (cor_starts_with(word, "gids="))
                        r = parse_ranges(word + 5, base->gids, base->n_gids, &m.gids, &m.n_gids, err);
                else
                        r = cor_fail(err, COR_INVALID, "idmap: \"%.40s\": expected uids=… or gids=…", word);
                if (r < 0) {
                        idmap_done(&m);
                        return -1;
                }
        }
        if (m.n_uids == 0 || m.n_gids == 0) {
                idmap_done(&m);
                return cor_fail(err, COR_INVALID, "idmap: both uids and gids are needed");
        }
        *ret = m;
        return 0;
}

/* --- one mount ---------------------------------------------------------------------------------------------------- */

static bool is_bind(const struct oci_mount *m, const struct mount_options *o)
{
        return o->bind || o->rbind || cor_streq(m->type, "bind");
}

/* The user namespace that says how ids of the mount are mapped: the mount's own maps, or the container's. */
static int idmap_namespace(const struct plan *p, const struct oci_mount *m, const struct mount_options *o,
                           struct cor_err *err)
{
        struct idmap map = {
                .uids = m->uid_mappings,
                .gids = m->gid_mappings,
                .n_uids = m->n_uid_mappings,
                .n_gids = m->n_gid_mappings,
        };
        bool made = false;
        int fd;

        if (map.n_uids == 0 && o->idmap_maps) {
                if (plan_mount_idmap(o->idmap_maps, &p->idmap, &map, err) < 0)
                        return -1;
                made = true;
        } else if (map.n_uids == 0) {
                for (size_t i = 0; i < p->n_joins; i++)
                        if (p->joins[i].type == CLONE_NEWUSER)
                                return fcntl(p->joins[i].fd, F_DUPFD_CLOEXEC, 3);
                if (!p->userns)
                        return cor_fail(err, COR_INVALID,
                                        "idmap: the container has no user namespace, and the mount no mappings");
                map = p->idmap;
        }
        fd = idmap_userns_fd(p->procfs, &map, err);
        if (made)
                idmap_done(&map);
        return fd;
}

/* A part of @folder, which containers may write to: their links lead nowhere but to other parts of it. */
static int clone_beneath(const char *folder, const char *source, bool recursive, struct cor_err *err)
{
        auto_fd dir = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC), fd = -1;
        size_t n = strlen(folder);

        if (!cor_starts_with(source, folder) || source[n] != '/')
                return cor_fail(err, COR_INVALID, "x-beneath: %s is not below %s", source, folder);
        if (dir < 0)
                return cor_fail_errno(err, "open %s", folder);
        fd = cor_root_open(dir, source + n, O_PATH, 0, err);
        return fd < 0 ? -1 : mount_clone(fd, "", recursive, false, err);
}

/* Peers of the host's mounts must not be made in the container: a clone taken here has to be a slave, as it would be
 * had init made it. */
static int clone_here(const char *source, const struct mount_options *o, bool recursive, struct cor_err *err)
{
        static const struct mount_attrs slave = { .propagation = MS_SLAVE };
        auto_fd tree = -1;

        if (o && o->beneath)
                tree = clone_beneath(o->beneath, source, recursive, err);
        else if (mount_is_elsewhere(source))
                tree = mount_clone_elsewhere(source, recursive, err);
        else
                tree = mount_clone(AT_FDCWD, source, recursive, o && o->src_nofollow, err);
        if (tree < 0 || mount_change(tree, &slave, true, err) < 0)
                return -1;
        return cor_fd_take(&tree);
}

static int open_tree_here(struct plan *p, const struct oci_mount *m, struct plan_mount *pm, struct cor_err *err)
{
        const struct mount_options *o = &pm->options;
        bool recursive = o->rbind || (!o->bind && cor_streq(m->type, "bind"));
        bool idmapped = o->idmap || o->ridmap || m->n_uid_mappings || m->n_gid_mappings;
        auto_fd userns = -1;

        if (!idmapped && !p->clone_all && !o->beneath && !mount_is_elsewhere(m->source))
                return 0;
        if (idmapped) {
                userns = idmap_namespace(p, m, o, err);
                if (userns < 0)
                        return -1;
        }
        pm->tree = clone_here(m->source, o, recursive, err);
        if (pm->tree < 0)
                return -1;
        return idmapped ? mount_idmap(pm->tree, userns, o->ridmap, err) : 0;
}

static int plan_mount(struct plan *p, struct oci_mount *m, struct plan_mount *pm, struct cor_err *err)
{
        const struct mount_options *o = &pm->options;

        if (!is_bind(m, o)) {
                if (o->idmap || o->ridmap || m->n_uid_mappings)
                        return cor_fail(err, COR_UNSUPPORTED, "idmapped mounts: only for bind mounts");
                return 0;
        }
        if (!m->source)
                return o->remount ? 0 : cor_fail(err, COR_INVALID, "source: required for a bind mount");
        if (m->source[0] != '/') {
                auto_str path = cor_printf("%s/%s", p->bundle, m->source);

                m->source = cor_json_strdup(p->config, path);
        }
        if (o->remount || o->copy_symlink)
                return 0;
        return open_tree_here(p, m, pm, err);
}

int plan_mount_open(struct plan *p, size_t index, struct cor_err *err)
{
        struct oci_mount *m = &p->config->mounts[index];

        if (plan_mount(p, m, &p->mounts[index], err) < 0)
                return cor_wrap(err, "mounts[%zu] (%s)", index, m->destination);
        return 0;
}

int plan_mount_sources(struct plan *p, struct cor_err *err)
{
        size_t n = p->config->n_mounts;

        p->mounts = cor_realloc_array(NULL, n, sizeof *p->mounts);
        memset(p->mounts, 0, n * sizeof *p->mounts);
        for (size_t i = 0; i < n; i++)
                p->mounts[i].tree = -1;
        for (size_t i = 0; i < n; i++) {
                struct oci_mount *m = &p->config->mounts[i];

                mount_options_parse(m->options, m->n_options, &p->mounts[i].options);
                if (!(p->notify && i == n - 1) && plan_mount_open(p, i, err) < 0)
                        return -1;
        }
        return 0;
}

int plan_mounts(struct plan *p, struct cor_err *err)
{
        const struct create_given *given = p->options->given;

        p->clone_all = p->userns && geteuid() == 0;
        if (plan_mount_sources(p, err) < 0)
                return -1;
        if (given && given->root >= 0) {
                p->root_tree = fcntl(given->root, F_DUPFD_CLOEXEC, 3);
                if (p->root_tree < 0)
                        return cor_fail_errno(err, "the root filesystem");
        } else if (p->clone_all) {
                p->root_tree = clone_here(p->rootfs, NULL, true, err);
                if (p->root_tree < 0)
                        return cor_wrap(err, "root.path");
        }
        return 0;
}

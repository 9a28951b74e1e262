#include "engine/spec_userns.h"

#include "base/file.h"
#include "engine/rootless.h"
#include "engine/spec_internal.h"
#include "engine/spec_user.h"
#include "registry/config.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* No image gets fewer ids; "nobody" and what is above it are not believed to be needed. */
enum { SIZE_MIN = 1024, NOBODY = 65534, MAP_MAX_BYTES = 65536 };
#define AUTO_USER  "containers"
#define REMAP_USER "dockremap" /* of "userns-remap": "default" */

/* --- ordinary users ---------------------------------------------------------------------------------------------- */

/* How many ids the namespace that all containers of the user share has: they begin with 0, who is the user. */
static int count_ids(const char *file, uint32_t *ret_ids, uint32_t *ret_user, struct cor_err *err)
{
        auto_str text = NULL;
        char *cursor, *line;
        uint64_t n = 0;

        *ret_user = 0;
        if (cor_read_file(file, MAP_MAX_BYTES, &text, NULL, err) < 0)
                return -1;
        for (cursor = text; (line = cor_split_next(&cursor, '\n'));) {
                unsigned inside, outside, size;

                if (sscanf(line, "%u %u %u", &inside, &outside, &size) != 3 || inside != n)
                        continue;
                if (inside == 0)
                        *ret_user = outside;
                n += size;
        }
        if (n < 2 || n > UINT32_MAX)
                return cor_fail(err, COR_UNSUPPORTED, "--userns: this user has no subordinate ids");
        *ret_ids = (uint32_t)n;
        return 0;
}

static void add_range(struct oci_id_map **items, size_t *n, uint32_t inside, uint32_t outside, uint32_t size)
{
        if (size > 0)
                *COR_GROW(*items, *n) = (struct oci_id_map){ inside, outside, size };
}

/* The user, 0 outside, is @user inside, the others around it; with @user -1 he is not there. */
static void lay_around(int64_t user, uint32_t n_ids, struct oci_id_map **items, size_t *n)
{
        uint32_t others = n_ids - 1, before = user < 0 || user > others ? others : (uint32_t)user;

        add_range(items, n, 0, 1, before);
        if (user >= 0)
                add_range(items, n, (uint32_t)user, 0, 1);
        add_range(items, n, before + 1, before + 1, others - before);
}

static int lay_user(const char *file, bool keep, int64_t asked, struct oci_id_map **items, size_t *n,
                    struct cor_err *err)
{
        uint32_t ids, user;

        if (count_ids(file, &ids, &user, err) < 0)
                return -1;
        lay_around(!keep ? -1 : asked >= 0 ? asked : (int64_t)user, ids, items, n);
        return 0;
}

static int make_around(const struct userns_mode *m, struct spec_ids *i, struct cor_err *err)
{
        bool keep = m->kind == USERNS_KEEP_ID;
        struct idmap map;

        if (!rootless_entered())
                return cor_fail(err, COR_UNSUPPORTED, "--userns=%s is for ordinary users: root has all ids",
                                keep ? "keep-id" : "nomap");
        if (lay_user("/proc/self/uid_map", keep, m->uid, &i->uids, &i->pool.n_uids, err) < 0 ||
            lay_user("/proc/self/gid_map", keep, m->gid, &i->gids, &i->pool.n_gids, err) < 0)
                return -1;
        map = (struct idmap){ i->uids, i->gids, i->pool.n_uids, i->pool.n_gids };
        i->map = idmap_format(&map);
        return 0;
}

/* Everything but the user himself. */
static int find_own(struct spec_ids *i, struct cor_err *err)
{
        uint32_t uids, gids, user;

        if (count_ids("/proc/self/uid_map", &uids, &user, err) < 0 ||
            count_ids("/proc/self/gid_map", &gids, &user, err) < 0)
                return -1;
        i->pool.owner = "this user";
        add_range(&i->uids, &i->pool.n_uids, 0, 1, uids - 1);
        add_range(&i->gids, &i->pool.n_gids, 0, 1, gids - 1);
        return 1;
}

/* --- auto -------------------------------------------------------------------------------------------------------- */

static uint32_t highest(uint32_t a, uint32_t b)
{
        return b < NOBODY && b > a ? b : a;
}

/* As many ids as the image and the flags speak of. */
static uint32_t guess_size(const struct spec_documents *d, int root)
{
        const struct docker_host_config *h = d->host_config;
        auto_spec_user u = { 0 };
        struct cor_err ignored;
        uint32_t top = spec_user_highest(root);

        /* a user who is not there is refused at the start, where it may have come into being */
        if (spec_user_find(root, d->config->user, h->group_add, h->n_group_add, &u, &ignored) == 0) {
                top = highest(highest(top, u.uid), u.gid);
                for (size_t i = 0; i < u.n_gids; i++)
                        top = highest(top, u.gids[i]);
        }
        return top < SIZE_MIN ? SIZE_MIN : top + 1;
}

/* The ranges of user @name, in both files; 1 they are there, 0 they are not */
static int find_ranges(const char *user, const char *group, struct spec_ids *i, struct cor_err *err)
{
        if (idmap_sub_of(user, false, &i->uids, &i->pool.n_uids, err) < 0 ||
            idmap_sub_of(group, true, &i->gids, &i->pool.n_gids, err) < 0)
                return -1;
        return i->pool.n_uids > 0 && i->pool.n_gids > 0;
}

static int find_auto(struct spec_ids *i, struct cor_err *err)
{
        int found;

        if (rootless_entered())
                return find_own(i, err);
        i->pool.owner = AUTO_USER;
        found = find_ranges(AUTO_USER, AUTO_USER, i, err);
        if (found != 0)
                return found;
        i->pool.owner = "root";
        return find_ranges("root", "root", i, err);
}

static int make_auto(const struct spec_documents *d, uint32_t size, int root, struct spec_ids *i, struct cor_err *err)
{
        int found = find_auto(i, err);

        if (found < 0)
                return -1;
        if (found == 0)
                return cor_fail(err, COR_NOT_FOUND,
                                "--userns=auto: neither the user " AUTO_USER " nor root has ids for containers: add a "
                                "line like " AUTO_USER ":1000000:1000000000 to /etc/subuid and to /etc/subgid");
        i->pool.uids = i->uids;
        i->pool.gids = i->gids;
        i->pool.size = size ? size : guess_size(d, root);
        return 0;
}

/* --- userns-remap ------------------------------------------------------------------------------------------------ */

/* One range after the other, from 0 on. */
static void lay_out(struct oci_id_map *map, size_t n)
{
        uint32_t next = 0;

        for (size_t i = 0; i < n; i++) {
                map[i].container_id = next;
                next += map[i].size;
        }
}

static int make_remap(const char *setting, struct spec_ids *i, struct cor_err *err)
{
        auto_str user = cor_strdup(strcmp(setting, "default") == 0 ? REMAP_USER : setting);
        char *group = strchr(user, ':');
        struct idmap m;
        int found;

        if (group)
                *group++ = '\0';
        found = find_ranges(user, group ? group : user, i, err);
        if (found < 0)
                return cor_wrap(err, "userns-remap");
        if (found == 0)
                return cor_fail(err, COR_NOT_FOUND,
                                "userns-remap: %.100s of daemon.json has no ids: no line of /etc/sub%s is theirs",
                                setting, i->pool.n_uids ? "gid" : "uid");
        lay_out(i->uids, i->pool.n_uids);
        lay_out(i->gids, i->pool.n_gids);
        m = (struct idmap){ i->uids, i->gids, i->pool.n_uids, i->pool.n_gids };
        if (idmap_check(m.uids, m.n_uids, "userns-remap: /etc/subuid", err) < 0 ||
            idmap_check(m.gids, m.n_gids, "userns-remap: /etc/subgid", err) < 0)
                return -1;
        i->map = idmap_format(&m);
        return 0;
}

static int make_default(struct spec_ids *i, struct cor_err *err)
{
        auto_registry_config c = { 0 };

        if (rootless_entered())
                return 0;
        if (registry_config_load(&c, err) < 0)
                return -1;
        return spec_empty(c.userns_remap) ? 0 : make_remap(c.userns_remap, i, err);
}

/* --- container:NAME ---------------------------------------------------------------------------------------------- */

static int take_over(struct store *s, const char *name, struct spec_ids *i, struct cor_err *err)
{
        auto_container_row other = { 0 };

        if (container_row_find(s, name, &other, err) < 0)
                return -1;
        i->map = COR_TAKE(other.id_map);
        return 0;
}

/* --- all of them ------------------------------------------------------------------------------------------------- */

/* Docker's words for what a user namespace makes impossible. */
static int check_conflicts(const struct docker_host_config *h, struct cor_err *err)
{
        if (h->privileged)
                return cor_fail(err, COR_INVALID,
                                "privileged mode is incompatible with user namespaces.  You must run the container in "
                                "the host namespace when running privileged mode");
        if (spec_is(h->network_mode, "host"))
                return cor_fail(err, COR_INVALID,
                                "cannot share the host's network namespace when user namespaces are enabled");
        if (spec_is(h->pid_mode, "host"))
                return cor_fail(err, COR_INVALID,
                                "cannot share the host PID namespace when user namespaces are enabled");
        return 0;
}

/* The root filesystem is handed to our own by descriptor; others would have to get at its path with their new ids. */
static int check_runtime(const struct docker_host_config *h, struct cor_err *err)
{
        if (spec_empty(h->runtime) || h->runtime[0] != '/')
                return 0;
        return cor_fail(err, COR_UNSUPPORTED, "--runtime=%.200s: user namespaces are for containers of our own runtime",
                        h->runtime);
}

static int make(struct store *s, const struct userns_mode *m, const struct spec_documents *d, int root,
                struct spec_ids *i, struct cor_err *err)
{
        switch (m->kind) {
        case USERNS_DEFAULT:
                return make_default(i, err);
        case USERNS_AUTO:
                return make_auto(d, m->size, root, i, err);
        case USERNS_CONTAINER:
                return take_over(s, m->container, i, err);
        case USERNS_KEEP_ID:
        case USERNS_NOMAP:
                return make_around(m, i, err);
        case USERNS_HOST:
                break;
        }
        return 0;
}

int spec_userns_make(struct store *s, const struct spec_documents *d, int root, struct spec_ids *ret,
                     struct cor_err *err)
{
        auto_spec_ids i = { .map = NULL };
        struct userns_mode m;

        if (userns_mode_parse(d->host_config->userns_mode, &m, err) < 0 || make(s, &m, d, root, &i, err) < 0)
                return -1;
        if ((i.map || i.pool.size > 0) && (check_runtime(d->host_config, err) < 0 ||
                                           (!rootless_entered() && check_conflicts(d->host_config, err) < 0)))
                return -1;
        *ret = i;
        i = (struct spec_ids){ .map = NULL };
        return 0;
}

bool spec_userns_wants_root(const struct spec_documents *d)
{
        struct userns_mode m;

        return userns_mode_parse(d->host_config->userns_mode, &m, NULL) == 0 && m.kind == USERNS_AUTO && m.size == 0;
}

void spec_ids_done(struct spec_ids *i)
{
        free(i->map);
        free(i->uids);
        free(i->gids);
        *i = (struct spec_ids){ .map = NULL };
}

/* Where a container's cgroup will be: pure computation on the request and the host's layout. */
#include "linux/cgroup_priv.h"

#include "base/file.h"
#include <string.h>
#include <unistd.h>

const struct cor_word cgroup_manager_words[] = {
        { "cgroupfs", CGROUP_CGROUPFS },
        { "systemd", CGROUP_SYSTEMD },
        { "disabled", CGROUP_DISABLED },
        { NULL, 0 },
};

static const struct cor_word mode_words[] = {
        { "v1", CGROUP_V1 },
        { "hybrid", CGROUP_HYBRID },
        { "v2", CGROUP_V2 },
        { NULL, 0 },
};

static const struct cor_json_field place_fields[] = {
        COR_FIELD("name", STR, struct cgroup_place, name, COR_JSON_REQUIRED | COR_JSON_ALWAYS),
        COR_FIELD("path", STR, struct cgroup_place, path, COR_JSON_REQUIRED),
};
static const struct cor_json_doc place_doc = COR_DOC(struct cgroup_place, place_fields, NULL);

static const struct cor_json_field where_fields[] = {
        COR_FIELD_WORD("manager", struct cgroup_where, manager, cgroup_manager_words,
                       COR_JSON_REQUIRED | COR_JSON_ALWAYS),
        COR_FIELD_WORD("mode", struct cgroup_where, mode, mode_words, COR_JSON_REQUIRED | COR_JSON_ALWAYS),
        COR_FIELD("rootless", BOOL, struct cgroup_where, rootless, 0),
        COR_FIELD("path", STR, struct cgroup_where, path, 0),
        COR_FIELD_LIST_OF("places", LIST_OBJ, struct cgroup_where, places, n_places, &place_doc, 0),
        COR_FIELD("slice", STR, struct cgroup_where, slice, 0),
        COR_FIELD("unit", STR, struct cgroup_where, unit, 0),
        COR_FIELD("subgroup", STR, struct cgroup_where, subgroup, 0),
        COR_FIELD("delegate", STR, struct cgroup_where, delegate, 0),
};
const struct cor_json_doc cgroup_where_doc = COR_DOC(struct cgroup_where, where_fields, NULL);

/* Strings of a plan are its own; the const of the struct is for the readers of a parsed document. */
static void free_str(const char *s)
{
        free((void *)(uintptr_t)s);
}

void cgroup_where_free(struct cgroup_where *w)
{
        if (!w)
                return;
        for (size_t i = 0; i < w->n_places; i++) {
                free_str(w->places[i].name);
                free_str(w->places[i].path);
        }
        free(w->places);
        free_str(w->path);
        free_str(w->slice);
        free_str(w->unit);
        free_str(w->subgroup);
        free_str(w->delegate);
        free(w);
}

struct cgroup_where *cgroup_where_copy(const struct cgroup_where *w)
{
        struct cgroup_where *copy = cor_alloc(sizeof *copy);

        *copy = *w;
        copy->path = cor_strdup(w->path);
        copy->slice = cor_strdup(w->slice);
        copy->unit = cor_strdup(w->unit);
        copy->subgroup = cor_strdup(w->subgroup);
        copy->delegate = cor_strdup(w->delegate);
        copy->places = w->n_places ? cor_realloc_array(NULL, w->n_places, sizeof *w->places) : NULL;
        for (size_t i = 0; i < w->n_places; i++) {
                copy->places[i].name = cor_strdup(w->places[i].name);
                copy->places[i].path = cor_strdup(w->places[i].path);
        }
        return copy;
}

const char *cgroup_where_path(const struct cgroup_where *w, const char *name)
{
        for (size_t i = 0; i < w->n_places; i++)
                if (strcmp(w->places[i].name, name) == 0)
                        return w->places[i].path;
        return w->path;
}

static const char *annotation(const struct cgroup_request *req, const char *key)
{
        for (size_t i = 0; i < req->n_annotations; i++)
                if (strcmp(req->annotations[i].key, key) == 0)
                        return req->annotations[i].value;
        return NULL;
}

/* @a and @b joined; "/" is the neutral element. */
static char *join(const char *a, const char *b)
{
        return cor_printf("%s%s", strcmp(a, "/") == 0 ? "" : a, strcmp(b, "/") == 0 ? "" : b);
}

/* --- cgroupfs ---------------------------------------------------------------------------------------------------- */

/* Where a relative path counts from in hierarchy @h. */
static int base_of(const struct cgroup_layout *l, const struct cgroup_hierarchy *h, char **ret, struct cor_err *err)
{
        char *slash;

        if (cgroup_own_path(l, h, ret, err) < 0)
                return -1;
        if (l->mode == CGROUP_V2) { /* our own cgroup has processes: it cannot give controllers to children */
                slash = strrchr(*ret, '/');
                slash[slash == *ret] = '\0';
        }
        return 0;
}

static int plan_relative(const struct cgroup_layout *l, const char *inner, struct cgroup_where *w, struct cor_err *err)
{
        for (size_t i = 0; i < l->n_hs; i++) {
                auto_str base = NULL, *path = NULL;
                struct cgroup_place *place;

                if (base_of(l, &l->hs[i], &base, err) < 0)
                        return -1;
                path = join(base, inner);
                if (!w->path) {
                        w->path = COR_TAKE(path);
                        continue;
                }
                if (strcmp(w->path, path) == 0)
                        continue;
                place = COR_GROW(w->places, w->n_places);
                place->name = cor_strdup(l->hs[i].name);
                place->path = COR_TAKE(path);
        }
        return 0;
}

static int plan_cgroupfs(const struct cgroup_request *req, const struct cgroup_layout *l, struct cgroup_where *w,
                         struct cor_err *err)
{
        const char *path = req->path && *req->path ? req->path : req->id;
        auto_str inner = cor_path_clean(path);

        if (strcmp(inner, "/") == 0)
                return cor_fail(err, COR_INVALID, "linux.cgroupsPath: '%s' is the root of all cgroups", path);
        if (*path == '/') {
                w->path = COR_TAKE(inner);
                return 0;
        }
        return plan_relative(l, inner, w, err);
}

/* --- systemd ----------------------------------------------------------------------------------------------------- */

int cgroup_slice_path(const char *slice, char **ret, struct cor_err *err)
{
        size_t len = strlen(slice), stem = len >= 6 ? len - 6 : 0;
        auto_text path = COR_TEXT_INIT;

        if (!cor_ends_with(slice, ".slice") || stem == 0 || len > 255 || strchr(slice, '/'))
                return cor_fail(err, COR_INVALID, "'%s' is not the name of a systemd slice", slice);
        if (strcmp(slice, "-.slice") == 0) {
                *ret = cor_strdup("");
                return 0;
        }
        for (size_t i = 0; i <= stem; i++) {
                if (i < stem && slice[i] != '-')
                        continue;
                if (i == 0 || slice[i - 1] == '-')
                        return cor_fail(err, COR_INVALID, "'%s' is not the name of a systemd slice", slice);
                cor_text_add_c(&path, '/');
                cor_text_add_n(&path, slice, i);
                cor_text_add(&path, ".slice");
        }
        *ret = cor_text_take(&path);
        return 0;
}

static bool is_unit_name(const char *s)
{
        size_t len = strlen(s);

        return len > 0 && len <= 255 &&
               strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:-_.\\@") == len;
}

/* "slice:prefix:name" */
static int split_systemd(const struct cgroup_request *req, struct cgroup_where *w, struct cor_err *err)
{
        bool given = req->path && *req->path;
        auto_str copy = given ? cor_strdup(req->path) : cor_printf(":coracle:%s", req->id);
        char *cursor = copy;
        const char *slice = cor_split_next(&cursor, ':'), *prefix = cor_split_next(&cursor, ':'),
                   *name = cor_split_next(&cursor, ':');

        if (!name || !*name || cor_split_next(&cursor, ':'))
                return cor_fail(err, COR_INVALID,
                                "linux.cgroupsPath: expected \"slice:prefix:name\" for systemd cgroups, found '%s'",
                                given ? req->path : "");
        w->slice = cor_strdup(*slice ? slice : req->rootless ? "user.slice" : "system.slice");
        w->unit = cor_printf("%s%s%s.scope", prefix, *prefix ? "-" : "", name);
        if (!is_unit_name(w->unit))
                return cor_fail(err, COR_INVALID, "linux.cgroupsPath: '%s' cannot be the name of a systemd unit",
                                w->unit);
        return 0;
}

static int check_properties(const struct cgroup_request *req, struct cor_err *err)
{
        static const char prefix[] = "org.systemd.property.";

        for (size_t i = 0; i < req->n_annotations; i++) {
                const char *key = req->annotations[i].key, *name = key + sizeof prefix - 1;

                if (!cor_starts_with(key, prefix))
                        continue;
                if (strlen(name) < 3 ||
                    name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")] != '\0')
                        return cor_fail(err, COR_INVALID, "annotation %s: '%s' cannot be the name of a property", key,
                                        name);
        }
        return 0;
}

static int plan_systemd(const struct cgroup_request *req, struct cgroup_where *w, struct cor_err *err)
{
        const char *sub = annotation(req, "run.oci.systemd.subgroup");
        auto_str slice = NULL, *clean = NULL;

        if (!cgroup_host.made_up && access("/run/systemd/system", F_OK) < 0)
                return cor_fail(err, COR_UNSUPPORTED, "systemd cgroups were asked for, but systemd is not running");
        if (split_systemd(req, w, err) < 0 || check_properties(req, err) < 0)
                return -1;
        if (cgroup_slice_path(w->slice, &slice, err) < 0)
                return cor_wrap(err, "linux.cgroupsPath");
        clean = cor_path_clean(sub ? sub : "");
        if (strcmp(clean, "/") != 0)
                w->subgroup = cor_strdup(clean + 1);
        w->path = cor_printf("%s/%s%s%s", slice, w->unit, w->subgroup ? "/" : "", w->subgroup ? w->subgroup : "");
        return 0;
}

/* ------------------------------------------------------------------------------------------------------------------ */

static int plan_delegate(const struct cgroup_request *req, struct cgroup_where *w, struct cor_err *err)
{
        const char *sub = annotation(req, "run.oci.delegate-cgroup");
        auto_str clean = cor_path_clean(sub ? sub : "");

        if (strcmp(clean, "/") == 0)
                return 0;
        if (w->mode != CGROUP_V2)
                return cor_fail(err, COR_UNSUPPORTED, "annotation run.oci.delegate-cgroup: needs cgroup version 2");
        w->delegate = cor_strdup(clean + 1);
        return 0;
}

int cgroup_plan(const struct cgroup_request *req, struct cgroup_where **ret, struct cor_err *err)
{
        auto_cgroup_where w = cor_alloc(sizeof *w);
        struct cgroup_layout l = { .root_fd = -1 };
        int r;

        w->manager = req->manager;
        w->rootless = req->rootless;
        if (w->manager == CGROUP_DISABLED) {
                *ret = COR_TAKE(w);
                return 0;
        }
        if ((req->path && strchr(req->path, '\n')) || strchr(req->id, '\n'))
                return cor_fail(err, COR_INVALID, "linux.cgroupsPath: a name cannot have a line break");
        if (cgroup_layout_read(&l, err) < 0)
                return -1;
        w->mode = (int)l.mode;
        r = w->manager == CGROUP_SYSTEMD ? plan_systemd(req, w, err) : plan_cgroupfs(req, &l, w, err);
        cgroup_layout_keep(&l);
        if (r < 0 || plan_delegate(req, w, err) < 0)
                return -1;
        *ret = COR_TAKE(w);
        return 0;
}

#include "engine/cdi.h"

#include "base/fd.h"
#include "base/file.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_MAX_BYTES = 4 << 20, FILES_MAX = 1024 };

/* --- the document ------------------------------------------------------------------------------------------------ */

#define S struct cdi_node
static const struct cor_json_field node_fields[] = {
        COR_FIELD("path", STR, S, path, COR_JSON_REQUIRED),
        COR_FIELD("hostPath", STR, S, host_path, 0),
        COR_FIELD("type", STR, S, type, 0),
        COR_FIELD("major", OPT_I64, S, major, 0),
        COR_FIELD("minor", OPT_I64, S, minor, 0),
        COR_FIELD("fileMode", OPT_U32, S, file_mode, 0),
        COR_FIELD("permissions", STR, S, permissions, 0),
        COR_FIELD("uid", OPT_U32, S, uid, 0),
        COR_FIELD("gid", OPT_U32, S, gid, 0),
};
#undef S

static int check_node(void *object, struct cor_err *err)
{
        const struct cdi_node *d = object;

        if (d->path[0] != '/' || (d->host_path && *d->host_path && d->host_path[0] != '/'))
                return cor_fail(err, COR_INVALID, ".path: expected absolute paths");
        if (d->type && *d->type && (strlen(d->type) != 1 || !strchr("bcup", *d->type)))
                return cor_fail(err, COR_INVALID, ".type: expected b, c, u or p, found \"%.20s\"", d->type);
        if (d->permissions && strspn(d->permissions, "rwm") != strlen(d->permissions))
                return cor_fail(err, COR_INVALID, ".permissions: expected letters of rwm, found \"%.20s\"",
                                d->permissions);
        return 0;
}
static const struct cor_json_doc node_doc = COR_DOC(struct cdi_node, node_fields, check_node);

#define S struct cdi_mount
static const struct cor_json_field mount_fields[] = {
        COR_FIELD("hostPath", STR, S, host_path, COR_JSON_REQUIRED),
        COR_FIELD("containerPath", STR, S, container_path, COR_JSON_REQUIRED),
        COR_FIELD("type", STR, S, type, 0),
        COR_FIELD_LIST("options", LIST_STR, S, options, n_options, 0),
};
#undef S
static const struct cor_json_doc mount_doc = COR_DOC(struct cdi_mount, mount_fields, NULL);

#define S struct cdi_hook
static const struct cor_json_field hook_fields[] = {
        COR_FIELD("hookName", STR, S, hook_name, COR_JSON_REQUIRED),
        COR_FIELD("path", STR, S, hook.path, COR_JSON_REQUIRED),
        COR_FIELD_LIST("args", LIST_STR, S, hook.args, hook.n_args, 0),
        COR_FIELD_LIST("env", LIST_STR, S, hook.env, hook.n_env, 0),
        COR_FIELD("timeout", OPT_I64, S, hook.timeout, 0),
};
#undef S
static const struct cor_json_doc hook_doc = COR_DOC(struct cdi_hook, hook_fields, NULL);

#define S struct cdi_net_device
static const struct cor_json_field net_fields[] = {
        COR_FIELD("hostInterfaceName", STR, S, host_interface_name, COR_JSON_REQUIRED),
        COR_FIELD("name", STR, S, name, 0),
};
#undef S
static const struct cor_json_doc net_doc = COR_DOC(struct cdi_net_device, net_fields, NULL);

#define S struct cdi_edits
static const struct cor_json_field edits_fields[] = {
        COR_FIELD_LIST("env", LIST_STR, S, env, n_env, 0),
        COR_FIELD_LIST_OF("deviceNodes", LIST_OBJ, S, device_nodes, n_device_nodes, &node_doc, 0),
        COR_FIELD_LIST_OF("mounts", LIST_OBJ, S, mounts, n_mounts, &mount_doc, 0),
        COR_FIELD_LIST_OF("hooks", LIST_OBJ, S, hooks, n_hooks, &hook_doc, 0),
        COR_FIELD_LIST_OF("netDevices", LIST_OBJ, S, net_devices, n_net_devices, &net_doc, 0),
        COR_FIELD_LIST("additionalGids", LIST_U32, S, additional_gids, n_additional_gids, 0),
};
#undef S

static int check_edits(void *object, struct cor_err *err)
{
        const struct cdi_edits *e = object;

        for (size_t i = 0; i < e->n_env; i++)
                if (!strchr(e->env[i], '=') || e->env[i][0] == '=')
                        return cor_fail(err, COR_INVALID, ".env[%zu]: expected NAME=VALUE, found \"%.100s\"", i,
                                        e->env[i]);
        return 0;
}
static const struct cor_json_doc edits_doc = COR_DOC(struct cdi_edits, edits_fields, check_edits);

#define S struct cdi_device
static const struct cor_json_field device_fields[] = {
        COR_FIELD("name", STR, S, name, COR_JSON_REQUIRED),
        COR_FIELD_OBJ("containerEdits", INLINE, S, edits, &edits_doc, 0),
};
#undef S
static const struct cor_json_doc device_doc = COR_DOC(struct cdi_device, device_fields, NULL);

#define S struct cdi_spec
static const struct cor_json_field spec_fields[] = {
        COR_FIELD("cdiVersion", STR, S, cdi_version, COR_JSON_REQUIRED),
        COR_FIELD("kind", STR, S, kind, COR_JSON_REQUIRED),
        COR_FIELD_LIST_OF("devices", LIST_OBJ, S, devices, n_devices, &device_doc, 0),
        COR_FIELD_OBJ("containerEdits", INLINE, S, edits, &edits_doc, 0),
};
#undef S

static int check_spec(void *object, struct cor_err *err)
{
        const struct cdi_spec *s = object;

        if (!cor_starts_with(s->cdi_version, "0.") && !cor_starts_with(s->cdi_version, "1."))
                return cor_fail(err, COR_UNSUPPORTED, ".cdiVersion: expected a version up to 1.x, found \"%.20s\"",
                                s->cdi_version);
        if (!strchr(s->kind, '/'))
                return cor_fail(err, COR_INVALID, ".kind: expected VENDOR/CLASS, found \"%.100s\"", s->kind);
        return 0;
}
static const struct cor_json_doc spec_doc = COR_DOC(struct cdi_spec, spec_fields, check_spec);

int cdi_spec_parse(const char *text, size_t n, bool yaml, const char *what, struct cdi_spec **ret, struct cor_err *err)
{
        auto_str json = NULL;

        if (!yaml)
                return cor_json_parse(&spec_doc, text, n, what, ret, err);
        if (cdi_yaml_to_json(text, n, &json, err) < 0)
                return cor_wrap(err, "%s", what);
        return cor_json_parse(&spec_doc, json, strlen(json), what, ret, err);
}

/* --- the folders ------------------------------------------------------------------------------------------------- */

static void note(struct cdi_registry *r, const struct cor_err *err)
{
        if (r->problem.kind == COR_OK)
                r->problem = *err;
}

static void read_one(struct cdi_registry *r, const char *folder, const char *name, size_t index)
{
        auto_str path = cor_printf("%s/%s", folder, name);
        auto_str text = NULL;
        struct cdi_spec *spec = NULL;
        struct cor_err err = { 0 };
        size_t n;

        if (cor_read_file(path, FILE_MAX_BYTES, &text, &n, &err) < 0 ||
            cdi_spec_parse(text, n, !cor_ends_with(name, ".json"), path, &spec, &err) < 0) {
                note(r, &err);
                return;
        }
        spec->folder = index;
        *COR_GROW(r->items, r->n_items) = spec;
}

static int is_spec(const struct dirent *e)
{
        return e->d_name[0] != '.' && (cor_ends_with(e->d_name, ".json") || cor_ends_with(e->d_name, ".yaml") ||
                                       cor_ends_with(e->d_name, ".yml"));
}

static void read_folder(struct cdi_registry *r, const char *folder, size_t index)
{
        struct dirent **names = NULL;
        int n = scandir(folder, &names, is_spec, alphasort);

        for (int i = 0; i < n; i++) {
                if (i < FILES_MAX)
                        read_one(r, folder, names[i]->d_name, index);
                free(names[i]);
        }
        free(names);
}

const char *cdi_folders(void)
{
        const char *folders = getenv("CORACLE_CDI");

        return folders && *folders ? folders : "/etc/cdi:/var/run/cdi";
}

void cdi_registry_read(struct cdi_registry *ret)
{
        auto_str copy = cor_strdup(cdi_folders());
        char *cursor = copy, *folder;

        *ret = (struct cdi_registry){ 0 };
        for (size_t i = 0; (folder = cor_split_next(&cursor, ':')) != NULL; i++)
                read_folder(ret, folder, i);
}

void cdi_registry_done(struct cdi_registry *r)
{
        for (size_t i = 0; i < r->n_items; i++)
                cor_json_free(r->items[i]);
        free(r->items);
        *r = (struct cdi_registry){ 0 };
}

/* --- look-up ----------------------------------------------------------------------------------------------------- */

bool cdi_has_kind(const struct cdi_registry *r, const char *kind)
{
        for (size_t i = 0; i < r->n_items; i++)
                if (strcmp(r->items[i]->kind, kind) == 0)
                        return true;
        return false;
}

static const struct cdi_device *device_of(const struct cdi_spec *s, const char *name)
{
        const char *device = strchr(name, '=');
        size_t n = device ? (size_t)(device - name) : 0;

        if (!device || strlen(s->kind) != n || strncmp(s->kind, name, n) != 0)
                return NULL;
        for (size_t i = 0; i < s->n_devices; i++)
                if (strcmp(s->devices[i].name, device + 1) == 0)
                        return &s->devices[i];
        return NULL;
}

int cdi_find(const struct cdi_registry *r, const char *name, const struct cdi_spec **ret_spec,
             const struct cdi_device **ret, struct cor_err *err)
{
        const struct cdi_spec *found = NULL;
        bool twice = false;

        for (size_t i = 0; i < r->n_items; i++) {
                const struct cdi_spec *s = r->items[i];

                if (!device_of(s, name) || (found && s->folder < found->folder))
                        continue;
                twice = found && s->folder == found->folder;
                found = s;
        }
        if (twice)
                return cor_fail(err, COR_INVALID,
                                "CDI device injection failed: two files of one folder describe device %.200s", name);
        if (!found)
                return cor_fail(
                        err, COR_NOT_FOUND, "CDI device injection failed: unresolvable CDI devices %.200s%s%s%s", name,
                        r->problem.kind ? " (" : "", r->problem.kind ? r->problem.msg : "", r->problem.kind ? ")" : "");
        *ret_spec = found;
        *ret = device_of(found, name);
        return 0;
}

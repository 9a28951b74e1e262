/* config.json as a whole: root, mounts, hooks, and the ways in. Spec: config.md. */
#include "spec/oci_internal.h"

#include <string.h>

static const struct cor_json_field root_fields[] = {
        COR_FIELD("path", STR, struct oci_root, path, COR_JSON_REQUIRED),
        COR_FIELD("readonly", BOOL, struct oci_root, readonly, 0),
};

static int check_root(void *object, struct cor_err *err)
{
        const struct oci_root *r = object;

        return r->path[0] ? 0 : cor_fail(err, COR_INVALID, ".path: expected a path, found an empty string");
}
const struct cor_json_doc oci_root_doc = COR_DOC(struct oci_root, root_fields, check_root);

static const struct cor_json_field mount_fields[] = {
        COR_FIELD("destination", STR, struct oci_mount, destination, COR_JSON_REQUIRED),
        COR_FIELD("type", STR, struct oci_mount, type, 0),
        COR_FIELD("source", STR, struct oci_mount, source, 0),
        COR_FIELD_LIST("options", LIST_STR, struct oci_mount, options, n_options, 0),
        COR_FIELD_LIST_OF("uidMappings", LIST_OBJ, struct oci_mount, uid_mappings, n_uid_mappings, &oci_id_map_doc, 0),
        COR_FIELD_LIST_OF("gidMappings", LIST_OBJ, struct oci_mount, gid_mappings, n_gid_mappings, &oci_id_map_doc, 0),
};

static int check_mount(void *object, struct cor_err *err)
{
        const struct oci_mount *m = object;

        if (m->destination[0] == '\0')
                return cor_fail(err, COR_INVALID, ".destination: expected a path, found an empty string");
        if ((m->n_uid_mappings == 0) != (m->n_gid_mappings == 0))
                return cor_fail(err, COR_INVALID, ".%s: required beside %s, but missing",
                                m->n_uid_mappings == 0 ? "uidMappings" : "gidMappings",
                                m->n_uid_mappings == 0 ? "gidMappings" : "uidMappings");
        return 0;
}
const struct cor_json_doc oci_mount_doc = COR_DOC(struct oci_mount, mount_fields, check_mount);

static const struct cor_json_field hook_fields[] = {
        COR_FIELD("path", STR, struct oci_hook, path, COR_JSON_REQUIRED),
        COR_FIELD_LIST("args", LIST_STR, struct oci_hook, args, n_args, 0),
        COR_FIELD_LIST("env", LIST_STR, struct oci_hook, env, n_env, 0),
        COR_FIELD("timeout", OPT_I64, struct oci_hook, timeout, 0),
};

static int check_hook(void *object, struct cor_err *err)
{
        const struct oci_hook *h = object;

        if (h->path[0] != '/')
                return cor_fail(err, COR_INVALID, ".path: expected an absolute path, found \"%.200s\"", h->path);
        if (h->timeout.set && h->timeout.value <= 0)
                return cor_fail(err, COR_INVALID, ".timeout: expected at least 1 second, found %lld",
                                (long long)h->timeout.value);
        return 0;
}
static const struct cor_json_doc hook_doc = COR_DOC(struct oci_hook, hook_fields, check_hook);

#define HOOKS(KEY, M) COR_FIELD_LIST_OF(KEY, LIST_OBJ, struct oci_hooks, M, n_##M, &hook_doc, 0)
static const struct cor_json_field hooks_fields[] = {
        HOOKS("prestart", prestart),
        HOOKS("createRuntime", create_runtime),
        HOOKS("createContainer", create_container),
        HOOKS("startContainer", start_container),
        HOOKS("poststart", poststart),
        HOOKS("poststop", poststop),
};
const struct cor_json_doc oci_hooks_doc = COR_DOC(struct oci_hooks, hooks_fields, NULL);

static const struct cor_json_field config_fields[] = {
        COR_FIELD("ociVersion", STR, struct oci_config, oci_version, COR_JSON_REQUIRED),
        COR_FIELD_OBJ("process", OBJ, struct oci_config, process, &oci_process_doc, 0),
        COR_FIELD_OBJ("root", OBJ, struct oci_config, root, &oci_root_doc, COR_JSON_REQUIRED),
        COR_FIELD("hostname", STR, struct oci_config, hostname, 0),
        COR_FIELD("domainname", STR, struct oci_config, domainname, 0),
        COR_FIELD_LIST_OF("mounts", LIST_OBJ, struct oci_config, mounts, n_mounts, &oci_mount_doc, 0),
        COR_FIELD_OBJ("hooks", OBJ, struct oci_config, hooks, &oci_hooks_doc, 0),
        COR_FIELD_LIST("annotations", MAP_STR, struct oci_config, annotations, n_annotations, 0),
        COR_FIELD_OBJ("linux", OBJ, struct oci_config, linux_, &oci_linux_doc, 0),
};

/* A destination without a leading slash is against the spec, but engines of old wrote it and meant one. */
static void make_destinations_absolute(struct oci_config *c)
{
        for (size_t i = 0; i < c->n_mounts; i++) {
                const char *relative = c->mounts[i].destination;
                size_t n = strlen(relative) + 1;
                char *absolute;

                if (relative[0] == '/')
                        continue;
                absolute = cor_json_alloc(c, n + 1);
                absolute[0] = '/';
                memcpy(absolute + 1, relative, n);
                c->mounts[i].destination = absolute;
        }
}

static int check_config(void *object, struct cor_err *err)
{
        struct oci_config *c = object;

        if (!c->linux_)
                c->linux_ = cor_json_alloc(c, sizeof *c->linux_);
        make_destinations_absolute(c);
        return oci_check_config(c, err);
}

const struct cor_json_doc oci_config_doc = COR_DOC(struct oci_config, config_fields, check_config);

static int parse(const struct cor_json_doc *doc, const char *text, size_t len, const char *what, void *ret,
                 struct cor_err *err)
{
        if (len > OCI_CONFIG_MAX_BYTES)
                return cor_fail(err, COR_INVALID, "%s: %zu bytes, more than the limit of %d", what ? what : "document",
                                len, (int)OCI_CONFIG_MAX_BYTES);
        return cor_json_parse(doc, text, len, what, ret, err);
}

int oci_config_parse(const char *text, size_t len, const char *what, struct oci_config **ret, struct cor_err *err)
{
        return parse(&oci_config_doc, text, len, what, ret, err);
}

int oci_process_parse(const char *text, size_t len, const char *what, struct oci_process **ret, struct cor_err *err)
{
        return parse(&oci_process_doc, text, len, what, ret, err);
}

int oci_resources_parse(const char *text, size_t len, const char *what, struct oci_resources **ret, struct cor_err *err)
{
        return parse(&oci_resources_doc, text, len, what, ret, err);
}

const char *oci_annotation(const struct oci_config *c, const char *key)
{
        for (size_t i = 0; i < c->n_annotations; i++)
                if (strcmp(c->annotations[i].key, key) == 0)
                        return c->annotations[i].value;
        return NULL;
}

const struct oci_namespace *oci_namespace_find(const struct oci_config *c, int type)
{
        for (size_t i = 0; i < c->linux_->n_namespaces; i++)
                if (c->linux_->namespaces[i].type == type)
                        return &c->linux_->namespaces[i];
        return NULL;
}

bool oci_namespace_new(const struct oci_config *c, int type)
{
        const struct oci_namespace *n = oci_namespace_find(c, type);

        return n && !n->path;
}

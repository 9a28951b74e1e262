/* The state document: runtime-spec, "State", and what runc adds to it (rootfs, created, owner). */
#include "runtime/list.h"

#include "base/file.h"
#include "base/log.h"

#include <string.h>
#include <sys/stat.h>

enum { PASSWD_MAX_BYTES = 1 << 20 };

struct document {
        const char *oci_version, *id, *status, *bundle, *rootfs, *created, *owner;
        int32_t pid;
        struct cor_pair *annotations;
        size_t n_annotations;
};

static const struct cor_json_field document_fields[] = {
        COR_FIELD("ociVersion", STR, struct document, oci_version, COR_JSON_ALWAYS),
        COR_FIELD("id", STR, struct document, id, COR_JSON_ALWAYS),
        COR_FIELD("pid", I32, struct document, pid, COR_JSON_ALWAYS),
        COR_FIELD("status", STR, struct document, status, COR_JSON_ALWAYS),
        COR_FIELD("bundle", STR, struct document, bundle, COR_JSON_ALWAYS),
        COR_FIELD("rootfs", STR, struct document, rootfs, COR_JSON_ALWAYS),
        COR_FIELD("created", STR, struct document, created, COR_JSON_ALWAYS),
        COR_FIELD_LIST("annotations", MAP_STR, struct document, annotations, n_annotations, 0),
        COR_FIELD("owner", STR, struct document, owner, COR_JSON_ALWAYS),
};
static const struct cor_json_doc document_doc = COR_DOC(struct document, document_fields, NULL);

/* The name of @uid by the host's /etc/passwd (a static program has no NSS), or "#UID" */
static char *owner_name(uint32_t uid)
{
        auto_str text = NULL;
        char *cursor, *line;
        size_t n;

        if (cor_read_file("/etc/passwd", PASSWD_MAX_BYTES, &text, &n, NULL) < 0)
                return cor_printf("#%u", uid);
        cursor = text;
        while ((line = cor_split_next(&cursor, '\n')) != NULL) {
                char *name = cor_split_next(&line, ':'), *id;
                uint32_t number;

                (void)cor_split_next(&line, ':');
                id = line ? cor_split_next(&line, ':') : NULL;
                if (id && cor_parse_u32(id, &number) == 0 && number == uid)
                        return cor_strdup(name);
        }
        return cor_printf("#%u", uid);
}

/* The folder's owner, as the reader's user namespace sees it: the record holds what its writer saw. */
static char *owner_of(const struct container *c)
{
        struct stat st;

        return owner_name(fstat(c->dirfd, &st) == 0 ? st.st_uid : c->record->owner);
}

static void copy_annotations(const struct container *c, struct container_info *ret)
{
        auto_json struct oci_config *config = NULL;
        struct cor_err err = { 0 };

        if (container_config(c, &config, &err) < 0) {
                cor_debug("%s", err.msg); /* the state is of use without them, too */
                return;
        }
        for (size_t i = 0; i < config->n_annotations; i++) {
                struct cor_pair *pair = COR_GROW(ret->annotations, ret->n_annotations);

                pair->key = cor_strdup(config->annotations[i].key);
                pair->value = cor_strdup(config->annotations[i].value);
        }
}

int container_describe(const struct container *c, struct container_info *ret, struct cor_err *err)
{
        const struct container_record *r = c->record;
        enum container_status status = container_status(c);

        if (!r)
                return cor_fail(err, COR_NOT_FOUND, "container %s was never completed: delete --force removes it",
                                c->id);
        *ret = (struct container_info){
                .id = cor_strdup(c->id),
                .oci_version = cor_strdup(r->oci_version ? r->oci_version : OCI_VERSION),
                .bundle = cor_strdup(r->bundle),
                .rootfs = cor_strdup(r->rootfs),
                .created = cor_strdup(r->created),
                .owner = owner_of(c),
                .status = container_status_name(status),
                .pid = status == CONTAINER_STOPPED ? 0 : r->pid,
        };
        copy_annotations(c, ret);
        return 0;
}

void container_describe_done(struct container_info *info)
{
        for (size_t i = 0; i < info->n_annotations; i++) {
                free((char *)info->annotations[i].key);
                free((char *)info->annotations[i].value);
        }
        free(info->annotations);
        free(info->id);
        free(info->oci_version);
        free(info->bundle);
        free(info->rootfs);
        free(info->created);
        free(info->owner);
}

void container_describe_json(const struct container_info *info, enum cor_json_style style, struct cor_text *out)
{
        struct document d = {
                .oci_version = info->oci_version,
                .id = info->id,
                .status = info->status,
                .bundle = info->bundle,
                .rootfs = info->rootfs,
                .created = info->created,
                .owner = info->owner,
                .pid = info->pid,
                .annotations = info->annotations,
                .n_annotations = info->n_annotations,
        };

        cor_json_print(&document_doc, &d, style, out);
}

int container_state_json(const struct runtime_context *ctx, const char *id, struct cor_text *out, struct cor_err *err)
{
        auto_container c = CONTAINER_INIT;
        struct container_info info;

        if (container_open(ctx, id, &c, err) < 0 || container_describe(&c, &info, err) < 0)
                return -1;
        container_describe_json(&info, COR_JSON_TWO_SPACES, out);
        cor_text_add_c(out, '\n');
        container_describe_done(&info);
        return 0;
}

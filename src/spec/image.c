/* The tables of image documents. Specs: image-spec descriptor.md, manifest.md, image-index.md, config.md. */
#include "spec/image.h"

#include "base/date.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static const struct cor_json_field platform_fields[] = {
        COR_FIELD("architecture", STR, struct image_platform, architecture, 0),
        COR_FIELD("os", STR, struct image_platform, os, 0),
        COR_FIELD("os.version", STR, struct image_platform, os_version, 0),
        COR_FIELD_LIST("os.features", LIST_STR, struct image_platform, os_features, n_os_features, 0),
        COR_FIELD("variant", STR, struct image_platform, variant, 0),
};
static const struct cor_json_doc platform_doc = COR_DOC(struct image_platform, platform_fields, NULL);

static const struct cor_json_field descriptor_fields[] = {
        COR_FIELD("mediaType", STR, struct image_descriptor, media_type, 0),
        COR_FIELD("digest", STR, struct image_descriptor, digest, COR_JSON_REQUIRED),
        COR_FIELD("size", U64, struct image_descriptor, size, COR_JSON_REQUIRED | COR_JSON_ALWAYS),
        COR_FIELD_LIST("urls", LIST_STR, struct image_descriptor, urls, n_urls, 0),
        COR_FIELD_LIST("annotations", MAP_STR, struct image_descriptor, annotations, n_annotations, 0),
        COR_FIELD("data", STR, struct image_descriptor, data, 0),
        COR_FIELD_OBJ("platform", OBJ, struct image_descriptor, platform, &platform_doc, 0),
        COR_FIELD("artifactType", STR, struct image_descriptor, artifact_type, 0),
};

static int check_descriptor(void *object, struct cor_err *err)
{
        const struct image_descriptor *d = object;

        if (!digest_is(d->digest))
                return cor_fail(err, COR_INVALID,
                                ".digest: '%.150s' is not a digest: expected sha256: and 64 hexadecimal digits",
                                d->digest);
        if (d->size > INT64_MAX)
                return cor_fail(err, COR_INVALID, ".size: expected at most %lld", (long long)INT64_MAX);
        return 0;
}
const struct cor_json_doc image_descriptor_doc = COR_DOC(struct image_descriptor, descriptor_fields, check_descriptor);

static const struct cor_json_field manifest_fields[] = {
        COR_FIELD("schemaVersion", U32, struct image_manifest, schema_version, COR_JSON_REQUIRED),
        COR_FIELD("mediaType", STR, struct image_manifest, media_type, 0),
        COR_FIELD("artifactType", STR, struct image_manifest, artifact_type, 0),
        COR_FIELD_OBJ("config", OBJ, struct image_manifest, config, &image_descriptor_doc, 0),
        COR_FIELD_LIST_OF("layers", LIST_OBJ, struct image_manifest, layers, n_layers, &image_descriptor_doc, 0),
        COR_FIELD_LIST_OF("manifests", LIST_OBJ, struct image_manifest, manifests, n_manifests, &image_descriptor_doc,
                          0),
        COR_FIELD_OBJ("subject", OBJ, struct image_manifest, subject, &image_descriptor_doc, 0),
        COR_FIELD_LIST("annotations", MAP_STR, struct image_manifest, annotations, n_annotations, 0),
};

static int check_manifest(void *object, struct cor_err *err)
{
        struct image_manifest *m = object;

        if (m->schema_version == 1)
                return cor_fail(
                        err, COR_UNSUPPORTED,
                        ".schemaVersion: 1 is Docker's old image format, which registries and clients have given "
                        "up; expected 2");
        if (m->schema_version != 2)
                return cor_fail(err, COR_INVALID, ".schemaVersion: expected 2, found %u", (unsigned)m->schema_version);
        if (m->media_type && m->media_type[0] == '\0')
                m->media_type = NULL;
        if (m->manifests && (m->config || m->layers))
                return cor_fail(err, COR_INVALID,
                                ": both an index (manifests) and a manifest (config, layers): expected one of them");
        if (!m->manifests && !m->config && !(m->media_type && media_is_index(m->media_type)))
                return cor_fail(err, COR_INVALID, ": neither manifests nor config: not an image manifest or index");
        if (m->media_type && m->manifests && media_is_manifest(m->media_type))
                return cor_fail(err, COR_INVALID, ".mediaType: '%.100s', but it lists manifests", m->media_type);
        if (m->media_type && m->config && media_is_index(m->media_type))
                return cor_fail(err, COR_INVALID, ".mediaType: '%.100s', but it has a config", m->media_type);
        if (m->n_layers > IMAGE_MAX_LAYERS || m->n_manifests > IMAGE_MAX_LAYERS)
                return cor_fail(err, COR_INVALID, ".%s: %zu entries, more than the limit of %d",
                                m->n_layers > IMAGE_MAX_LAYERS ? "layers" : "manifests",
                                m->n_layers > IMAGE_MAX_LAYERS ? m->n_layers : m->n_manifests, (int)IMAGE_MAX_LAYERS);
        return 0;
}
const struct cor_json_doc image_manifest_doc = COR_DOC(struct image_manifest, manifest_fields, check_manifest);

/* ---------------------------------------------------------------------------------------------------- configuration */

static const struct cor_json_field healthcheck_fields[] = {
        COR_FIELD_LIST("Test", LIST_STR, struct image_healthcheck, test, n_test, 0),
        COR_FIELD("Interval", I64, struct image_healthcheck, interval, 0),
        COR_FIELD("Timeout", I64, struct image_healthcheck, timeout, 0),
        COR_FIELD("StartPeriod", I64, struct image_healthcheck, start_period, 0),
        COR_FIELD("StartInterval", I64, struct image_healthcheck, start_interval, 0),
        COR_FIELD("Retries", I64, struct image_healthcheck, retries, 0),
};
const struct cor_json_doc image_healthcheck_doc = COR_DOC(struct image_healthcheck, healthcheck_fields, NULL);
const struct cor_json_doc image_set_item_doc = { .size = sizeof(struct image_set_item), .nullable = true };

static const struct cor_json_field run_fields[] = {
        COR_FIELD("Hostname", STR, struct image_config_run, hostname, 0),
        COR_FIELD("Domainname", STR, struct image_config_run, domainname, 0),
        COR_FIELD("User", STR, struct image_config_run, user, 0),
        COR_FIELD_LIST_OF("ExposedPorts", MAP_OBJ, struct image_config_run, exposed_ports, n_exposed_ports,
                          &image_set_item_doc, 0),
        COR_FIELD_LIST("Env", LIST_STR, struct image_config_run, env, n_env, 0),
        COR_FIELD_LIST("Cmd", LIST_STR, struct image_config_run, cmd, n_cmd, 0),
        COR_FIELD_OBJ("Healthcheck", OBJ, struct image_config_run, healthcheck, &image_healthcheck_doc, 0),
        COR_FIELD("ArgsEscaped", BOOL, struct image_config_run, args_escaped, 0),
        COR_FIELD_LIST_OF("Volumes", MAP_OBJ, struct image_config_run, volumes, n_volumes, &image_set_item_doc, 0),
        COR_FIELD("WorkingDir", STR, struct image_config_run, working_dir, 0),
        COR_FIELD_LIST("Entrypoint", LIST_STR, struct image_config_run, entrypoint, n_entrypoint, 0),
        COR_FIELD_LIST("OnBuild", LIST_STR, struct image_config_run, on_build, n_on_build, 0),
        COR_FIELD_LIST("Labels", MAP_STR, struct image_config_run, labels, n_labels, 0),
        COR_FIELD("StopSignal", STR, struct image_config_run, stop_signal, 0),
        COR_FIELD("StopTimeout", OPT_I64, struct image_config_run, stop_timeout, 0),
        COR_FIELD_LIST("Shell", LIST_STR, struct image_config_run, shell, n_shell, 0),
};
const struct cor_json_doc image_config_run_doc = COR_DOC(struct image_config_run, run_fields, NULL);

static const struct cor_json_field rootfs_fields[] = {
        COR_FIELD("type", STR, struct image_rootfs, type, 0),
        COR_FIELD_LIST("diff_ids", LIST_STR, struct image_rootfs, diff_ids, n_diff_ids, COR_JSON_ALWAYS),
};

static int check_rootfs(void *object, struct cor_err *err)
{
        const struct image_rootfs *r = object;

        if (r->n_diff_ids > IMAGE_MAX_LAYERS)
                return cor_fail(err, COR_INVALID, ".diff_ids: %zu entries, more than the limit of %d", r->n_diff_ids,
                                (int)IMAGE_MAX_LAYERS);
        for (size_t i = 0; i < r->n_diff_ids; i++)
                if (!digest_is(r->diff_ids[i]))
                        return cor_fail(err, COR_INVALID, ".diff_ids[%zu]: '%.150s' is not a digest", i,
                                        r->diff_ids[i]);
        return 0;
}
static const struct cor_json_doc rootfs_doc = COR_DOC(struct image_rootfs, rootfs_fields, check_rootfs);

static const struct cor_json_field history_fields[] = {
        COR_FIELD("created", STR, struct image_history, created, 0),
        COR_FIELD("created_by", STR, struct image_history, created_by, 0),
        COR_FIELD("author", STR, struct image_history, author, 0),
        COR_FIELD("comment", STR, struct image_history, comment, 0),
        COR_FIELD("empty_layer", BOOL, struct image_history, empty_layer, 0),
};
static const struct cor_json_doc history_doc = COR_DOC(struct image_history, history_fields, NULL);

static const struct cor_json_field config_fields[] = {
        COR_FIELD("created", STR, struct image_config, created, 0),
        COR_FIELD("author", STR, struct image_config, author, 0),
        COR_FIELD("comment", STR, struct image_config, comment, 0),
        COR_FIELD("docker_version", STR, struct image_config, docker_version, 0),
        COR_FIELD("architecture", STR, struct image_config, architecture, COR_JSON_ALWAYS),
        COR_FIELD("os", STR, struct image_config, os, COR_JSON_ALWAYS),
        COR_FIELD("os.version", STR, struct image_config, os_version, 0),
        COR_FIELD_LIST("os.features", LIST_STR, struct image_config, os_features, n_os_features, 0),
        COR_FIELD("variant", STR, struct image_config, variant, 0),
        COR_FIELD_OBJ("config", OBJ, struct image_config, config, &image_config_run_doc, 0),
        COR_FIELD_OBJ("rootfs", INLINE, struct image_config, rootfs, &rootfs_doc, COR_JSON_ALWAYS),
        COR_FIELD_LIST_OF("history", LIST_OBJ, struct image_config, history, n_history, &history_doc, 0),
};
const struct cor_json_doc image_config_doc = COR_DOC(struct image_config, config_fields, NULL);

static int parse(const struct cor_json_doc *doc, const char *text, size_t len, size_t limit, const char *what,
                 void *ret, struct cor_err *err)
{
        if (len > limit)
                return cor_fail(err, COR_INVALID, "%s: %zu bytes, more than the limit of %zu", what, len, limit);
        return cor_json_parse(doc, text, len, what, ret, err);
}

int image_manifest_parse(const char *text, size_t len, const char *what, struct image_manifest **ret,
                         struct cor_err *err)
{
        return parse(&image_manifest_doc, text, len, IMAGE_MANIFEST_MAX_BYTES, what, ret, err);
}

int image_config_parse(const char *text, size_t len, const char *what, struct image_config **ret, struct cor_err *err)
{
        return parse(&image_config_doc, text, len, IMAGE_CONFIG_MAX_BYTES, what, ret, err);
}

int64_t image_time(const char *s, int64_t *ret_ns)
{
        struct timespec t = { 0 };

        if (s && cor_time_parse(s, &t) < 0)
                t = (struct timespec){ 0 };
        *ret_ns = t.tv_nsec;
        return t.tv_sec;
}

/* ------------------------------------------------------------------------------------------------------ media types */

bool image_manifest_is_index(const struct image_manifest *m)
{
        return !m->config;
}

bool media_is_index(const char *media_type)
{
        return cor_streq(media_type, MEDIA_OCI_INDEX) || cor_streq(media_type, MEDIA_DOCKER_LIST);
}

bool media_is_manifest(const char *media_type)
{
        return cor_streq(media_type, MEDIA_OCI_MANIFEST) || cor_streq(media_type, MEDIA_DOCKER_MANIFEST);
}

bool media_is_layer(const char *media_type)
{
        static const char *const prefixes[] = {
                MEDIA_OCI_LAYER,
                MEDIA_DOCKER_LAYER,
                "application/vnd.oci.image.layer.nondistributable.v1.tar",
                "application/vnd.docker.image.rootfs.foreign.diff.tar",
        };

        for (size_t i = 0; media_type && i < COR_COUNT(prefixes); i++) {
                const char *rest = media_type + strlen(prefixes[i]);

                if (cor_starts_with(media_type, prefixes[i]) && (*rest == '\0' || *rest == '+' || *rest == '.'))
                        return true;
        }
        return false;
}

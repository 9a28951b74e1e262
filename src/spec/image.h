#ifndef CORACLE_SPEC_IMAGE_H
#define CORACLE_SPEC_IMAGE_H
/*
 * The documents of an image: OCI image-spec 1.1 and Docker's "image manifest version 2, schema 2", which differ in
 * media types and hardly in keys. A digest covers their bytes: they are kept as they came and never printed anew; the
 * tables print only what is made here.
 */
#include "base/json.h"
#include "spec/digest.h"

#define MEDIA_OCI_MANIFEST    "application/vnd.oci.image.manifest.v1+json"
#define MEDIA_OCI_INDEX       "application/vnd.oci.image.index.v1+json"
#define MEDIA_OCI_CONFIG      "application/vnd.oci.image.config.v1+json"
#define MEDIA_OCI_LAYER       "application/vnd.oci.image.layer.v1.tar" /* also +gzip, +zstd */
#define MEDIA_OCI_EMPTY       "application/vnd.oci.empty.v1+json"
#define MEDIA_DOCKER_MANIFEST "application/vnd.docker.distribution.manifest.v2+json"
#define MEDIA_DOCKER_LIST     "application/vnd.docker.distribution.manifest.list.v2+json"
#define MEDIA_DOCKER_CONFIG   "application/vnd.docker.container.image.v1+json"
#define MEDIA_DOCKER_LAYER    "application/vnd.docker.image.rootfs.diff.tar" /* also .gzip */

enum {
        IMAGE_MANIFEST_MAX_BYTES = 4 << 20, /* as the distribution specification advises registries */
        IMAGE_CONFIG_MAX_BYTES = 8 << 20,
        IMAGE_MAX_LAYERS = 4096, /* overlayfs takes 500; more is an attack or an accident */
};

struct image_platform {
        const char *architecture, *os, *variant, *os_version; /* Go's names: amd64, linux, v8 */
        const char **os_features;
        size_t n_os_features;
};

struct image_descriptor {
        const char *media_type;
        const char *digest; /* checked to be one by the table */
        uint64_t size;      /* bytes; fits int64_t */
        struct image_platform *platform;
        struct cor_pair *annotations;
        size_t n_annotations;
        const char *artifact_type;
        const char *data; /* base64 */
        const char **urls;
        size_t n_urls;
};

/* A manifest (config and layers) or an index (manifests); `media_type` may be missing in OCI documents. */
struct image_manifest {
        uint32_t schema_version;
        const char *media_type, *artifact_type;
        struct image_descriptor *config;
        struct image_descriptor *layers, *manifests;
        size_t n_layers, n_manifests;
        struct image_descriptor *subject;
        struct cor_pair *annotations;
        size_t n_annotations;
};

struct image_healthcheck { /* durations in nanoseconds */
        const char **test;
        size_t n_test;
        int64_t interval, timeout, start_period, start_interval, retries;
};

/* One entry of an object that is used as a set: { "80/tcp": {} } */
struct image_set_item {
        const char *key;
};

/* What a container inherits. */
struct image_config_run {
        const char *user, *working_dir, *stop_signal, *domainname, *hostname;
        const char **env, **entrypoint, **cmd, **shell, **on_build;
        size_t n_env, n_entrypoint, n_cmd, n_shell, n_on_build;
        struct image_set_item *exposed_ports, *volumes;
        size_t n_exposed_ports, n_volumes;
        struct cor_pair *labels;
        size_t n_labels;
        struct image_healthcheck *healthcheck;
        struct cor_opt_i64 stop_timeout; /* seconds */
        bool args_escaped;
};

struct image_history {
        const char *created, *created_by, *author, *comment;
        bool empty_layer;
};

struct image_rootfs {
        const char *type;      /* "layers" */
        const char **diff_ids; /* each a digest */
        size_t n_diff_ids;
};

struct image_config {
        const char *created, *author, *architecture, *os, *variant, *os_version;
        const char **os_features;
        size_t n_os_features;
        struct image_config_run *config; /* NULL when absent */
        struct image_rootfs rootfs;
        struct image_history *history;
        size_t n_history;
        const char *docker_version, *comment; /* Docker's own */
};

extern const struct cor_json_doc image_descriptor_doc, image_manifest_doc, image_config_doc, image_config_run_doc,
        image_healthcheck_doc, image_set_item_doc;

/*
 * image_manifest_parse() / image_config_parse() - read @len bytes and check them; cor_json_free() *ret. A manifest has
 * a config and layers, or manifests, never both (INVALID: an ambiguous document, CVE-2021-41190); schema 1 is
 * UNSUPPORTED, with its name said.
 */
int image_manifest_parse(const char *text, size_t len, const char *what, struct image_manifest **ret,
                         struct cor_err *err) COR_MUST_CHECK;
int image_config_parse(const char *text, size_t len, const char *what, struct image_config **ret, struct cor_err *err)
        COR_MUST_CHECK;
/* image_manifest_is_index() - it lists manifests */
bool image_manifest_is_index(const struct image_manifest *m);
/* image_time() - seconds since 1970 of an RFC 3339 time ("2024-01-02T03:04:05.6Z"), and its fraction; 0 for NULL and
 * what is none */
int64_t image_time(const char *s, int64_t *ret_ns);
/* media_is_index(), media_is_manifest(), media_is_layer() - what a media type of either family stands for */
bool media_is_index(const char *media_type);
bool media_is_manifest(const char *media_type);
bool media_is_layer(const char *media_type);

#endif

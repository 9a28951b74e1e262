/*
 * Load: images of an archive into the store. An OCI layout is taken as it is, digests and all; docker's older form gets
 * the manifest that it lacks.
 */
#include "image/archive.h"
#include "image/job.h"
#include "image/platform.h"

#include <stdlib.h>
#include <string.h>

enum { INDEX_MAX_DEPTH = 4 };

#define ANNOTATION_NAME "io.containerd.image.name"
#define ANNOTATION_REF  "org.opencontainers.image.ref.name"

/* One image of docker's manifest.json. */
struct docker_image {
        const char *config, **tags, **layers;
        size_t n_tags, n_layers;
};
struct docker_list {
        struct docker_image *items;
        size_t n_items;
};

static const struct cor_json_field docker_image_fields[] = {
        COR_FIELD("Config", STR, struct docker_image, config, COR_JSON_REQUIRED),
        COR_FIELD_LIST("RepoTags", LIST_STR, struct docker_image, tags, n_tags, 0),
        COR_FIELD_LIST("Layers", LIST_STR, struct docker_image, layers, n_layers, 0),
};
static const struct cor_json_doc docker_image_doc = COR_DOC(struct docker_image, docker_image_fields, NULL);
/* The document is a list, the binding reads objects: the list is put into one. */
static const struct cor_json_field docker_list_fields[] = {
        COR_FIELD_LIST_OF("images", LIST_OBJ, struct docker_list, items, n_items, &docker_image_doc, COR_JSON_REQUIRED),
};
static const struct cor_json_doc docker_list_doc = COR_DOC(struct docker_list, docker_list_fields, NULL);

struct load {
        struct transfer_job *job;
        struct archive *archive;
        struct docker_list *docker; /* manifest.json; NULL: there is none */
        size_t n_loaded;
};

/* ------------------------------------------------------------------------------------------------ what receive asks */

static struct blob_ingest *take_blob(void *context, const struct digest *d)
{
        struct load *l = context;
        struct archive_file *f = archive_find_blob(l->archive, d);

        return f ? COR_TAKE(f->ingest) : NULL;
}

static int fetch_blob(void *context, struct receive_layer *layer, const struct image_descriptor *d, struct cor_err *err)
{
        return cor_fail(err, COR_INVALID, "the archive lacks %s", d->digest);
}

static struct receive *start_receive(struct load *l)
{
        const struct receive_options options = {
                .channel = l->job->channel,
                .store = l->job->store,
                .unpacker = l->job->unpacker,
                .source = { .fetch = fetch_blob, .take = take_blob, .context = l },
                .discard = l->job->request->discard,
        };

        return receive_new(&options);
}

/* ------------------------------------------------------------------------------------------------------------ names */

static void add_name(struct cor_strv *names, const char *text)
{
        auto_reference ref = { 0 };

        if (reference_parse(text, &ref, NULL) < 0)
                return;
        reference_default_tag(&ref);
        if (ref.tag) {
                auto_str full = reference_tagged(&ref);

                for (size_t i = 0; i < names->n_items; i++)
                        if (strcmp(names->items[i], full) == 0)
                                return;
                cor_strv_add(names, full);
        }
}

static const char *annotation(const struct image_descriptor *d, const char *key)
{
        for (size_t i = 0; i < d->n_annotations; i++)
                if (strcmp(d->annotations[i].key, key) == 0)
                        return d->annotations[i].value;
        return NULL;
}

/* What an entry of index.json is called; a bare tag ("latest") names nothing. */
static void names_of(const struct image_descriptor *d, struct cor_strv *names)
{
        const char *name = annotation(d, ANNOTATION_NAME), *ref = annotation(d, ANNOTATION_REF);

        if (name)
                add_name(names, name);
        else if (ref && strpbrk(ref, "/:"))
                add_name(names, ref);
}

/* docker's manifest.json may know more names of the image with this configuration. */
static void names_of_docker(struct load *l, const struct digest *config, struct cor_strv *names)
{
        for (size_t i = 0; l->docker && i < l->docker->n_items; i++) {
                const struct docker_image *d = &l->docker->items[i];
                const struct archive_file *f = archive_find(l->archive, d->config);

                for (size_t k = 0; f && digest_eq(&f->digest, config) && k < d->n_tags; k++)
                        add_name(names, d->tags[k]);
        }
}

/* The line that docker prints, for each name or for the image. */
static int say_loaded(struct load *l, const struct cor_strv *names, const struct digest *id, struct cor_err *err)
{
        for (size_t i = 0; i < names->n_items; i++) {
                auto_reference ref = { 0 };
                auto_str familiar = NULL;
                auto_str line = NULL;
                struct transfer_message m = { .type = TRANSFER_TEXT };

                if (reference_parse(names->items[i], &ref, err) < 0)
                        return -1;
                familiar = reference_familiar(&ref);
                m.text = line = cor_printf("Loaded image: %s\n", familiar);
                if (transfer_send(l->job->channel, &m, err) < 0)
                        return -1;
        }
        if (names->n_items == 0) {
                auto_str line = cor_printf("Loaded image ID: %s\n", id->text);
                struct transfer_message m = { .type = TRANSFER_TEXT, .text = line };

                return transfer_send(l->job->channel, &m, err);
        }
        return 0;
}

/* -------------------------------------------------------------------------------------------------------- one image */

/* Configuration, layers, record: what comes after the manifest in both forms. */
static int load_rest(struct load *l, struct receive *r, struct cor_strv *names, struct cor_err *err)
{
        const struct image_descriptor *d = receive_config_descriptor(r);
        struct archive_file *f;
        struct digest id;
        auto_str config = NULL;
        size_t n;

        if (digest_parse(d->digest, &id, err) < 0)
                return -1;
        f = archive_find_blob(l->archive, &id);
        if (f && f->ingest ? archive_file_text(f, &config, &n, err) < 0
                           : blob_read(l->job->store, &id, IMAGE_CONFIG_MAX_BYTES, &config, &n, err) < 0)
                return cor_wrap(err, "image config %s", id.text);
        names_of_docker(l, &id, names);
        if (receive_config(r, config, n, err) < 0 ||
            receive_require_platform(r, l->job->request->platform, names->n_items > 0 ? names->items[0] : id.text,
                                     err) < 0 ||
            receive_layers(r, err) < 0 || receive_done(r, names, NULL, err) < 0)
                return -1;
        l->n_loaded++;
        return say_loaded(l, names, &id, err);
}

static int load_manifest(struct load *l, const struct image_descriptor *d, struct receive *r, struct cor_strv *names,
                         struct cor_err *err)
{
        auto_str text = NULL;
        size_t n;
        struct digest digest;
        struct archive_file *f;

        if (digest_parse(d->digest, &digest, err) < 0)
                return -1;
        f = archive_find_blob(l->archive, &digest);
        if (!f)
                return cor_fail(err, COR_INVALID, "the archive lacks the manifest %s", d->digest);
        if (archive_file_text(f, &text, &n, err) < 0)
                return -1;
        if (receive_manifest(r, text, n, d->media_type ? d->media_type : MEDIA_OCI_MANIFEST, err) < 0)
                return -1;
        return load_rest(l, r, names, err);
}

/* An entry that is an index: the platform asked for, or ours, or the first one that the archive holds. */
static int load_index(struct load *l, const struct image_descriptor *d, struct cor_strv *names, struct cor_err *err)
{
        auto_json struct image_manifest *index = NULL;
        auto_receive r = start_receive(l);
        struct platform want = platform_host();
        struct digest digest;
        struct archive_file *f;
        auto_str text = NULL;
        size_t n;
        int i;

        if (digest_parse(d->digest, &digest, err) < 0)
                return -1;
        f = archive_find_blob(l->archive, &digest);
        if (!f)
                return cor_fail(err, COR_INVALID, "the archive lacks the index %s", d->digest);
        if (archive_file_text(f, &text, &n, err) < 0 || image_manifest_parse(text, n, "index", &index, err) < 0)
                return -1;
        if (l->job->request->platform && platform_parse(l->job->request->platform, &want, err) < 0)
                return -1;
        i = platform_choose(index, &want, err);
        if (i < 0)
                return -1;
        if (receive_index(r, text, n, d->media_type ? d->media_type : MEDIA_OCI_INDEX, err) < 0)
                return -1;
        return load_manifest(l, &index->manifests[i], r, names, err);
}

static int load_entry(struct load *l, const struct image_descriptor *d, struct cor_err *err)
{
        auto_strv names = { 0 };
        auto_receive r = NULL;

        names_of(d, &names);
        if (media_is_index(d->media_type))
                return load_index(l, d, &names, err);
        r = start_receive(l);
        return load_manifest(l, d, r, &names, err);
}

/* ----------------------------------------------------------------------------------------------------- both formats */

static int load_layout(struct load *l, struct cor_err *err)
{
        auto_json struct image_manifest *index = NULL;
        auto_str text = NULL;
        size_t n;

        if (archive_text(l->archive, "index.json", &text, &n, err) < 0 ||
            image_manifest_parse(text, n, "index.json", &index, err) < 0)
                return -1;
        for (size_t i = 0; i < index->n_manifests; i++)
                if (load_entry(l, &index->manifests[i], err) < 0)
                        return -1;
        return 0;
}

static const char *layer_media_type(const struct archive_file *f)
{
        switch (f->compression) {
        case COMPRESSION_GZIP:
                return MEDIA_OCI_LAYER "+gzip";
        case COMPRESSION_ZSTD:
                return MEDIA_OCI_LAYER "+zstd";
        default:
                return MEDIA_OCI_LAYER;
        }
}

/* The manifest that docker's form lacks. */
static int make_manifest(struct load *l, const struct docker_image *image, struct cor_text *out, struct cor_err *err)
{
        struct image_descriptor config = { .media_type = MEDIA_OCI_CONFIG }, *layers = NULL;
        struct image_manifest m = { .schema_version = 2, .media_type = MEDIA_OCI_MANIFEST, .config = &config };
        const struct archive_file *f = archive_find(l->archive, image->config);

        if (!f)
                return cor_fail(err, COR_INVALID, "manifest.json: the archive lacks the config %.200s", image->config);
        config.digest = f->digest.text;
        config.size = (uint64_t)f->size;
        for (size_t i = 0; i < image->n_layers; i++) {
                struct image_descriptor *d = COR_GROW(layers, m.n_layers);

                f = archive_find(l->archive, image->layers[i]);
                if (!f) {
                        free(layers);
                        return cor_fail(err, COR_INVALID, "manifest.json: the archive lacks the layer %.200s",
                                        image->layers[i]);
                }
                *d = (struct image_descriptor){ .media_type = layer_media_type(f),
                                                .digest = f->digest.text,
                                                .size = (uint64_t)f->size };
        }
        m.layers = layers;
        cor_json_print(&image_manifest_doc, &m, COR_JSON_COMPACT, out);
        free(layers);
        return 0;
}

static int load_docker_image(struct load *l, const struct docker_image *image, struct cor_err *err)
{
        auto_text manifest = COR_TEXT_INIT;
        auto_strv names = { 0 };
        auto_receive r = start_receive(l);

        if (make_manifest(l, image, &manifest, err) < 0 ||
            receive_manifest(r, manifest.s, manifest.len, MEDIA_OCI_MANIFEST, err) < 0)
                return -1;
        return load_rest(l, r, &names, err);
}

static int read_docker_list(struct load *l, struct cor_err *err)
{
        auto_text object = COR_TEXT_INIT;
        auto_str text = NULL;
        size_t n;

        if (!archive_find(l->archive, "manifest.json"))
                return 0;
        if (archive_text(l->archive, "manifest.json", &text, &n, err) < 0)
                return -1;
        cor_text_add(&object, "{\"images\":");
        cor_text_add_n(&object, text, n);
        cor_text_add(&object, "}");
        return cor_json_parse(&docker_list_doc, object.s, object.len, "manifest.json", &l->docker, err);
}

static int load_all(struct load *l, struct cor_err *err)
{
        if (read_docker_list(l, err) < 0)
                return -1;
        if (archive_find(l->archive, "index.json"))
                return load_layout(l, err);
        if (!l->docker)
                return cor_fail(err, COR_INVALID,
                                "neither an OCI image layout (index.json) nor a docker archive (manifest.json)");
        for (size_t i = 0; i < l->docker->n_items; i++)
                if (load_docker_image(l, &l->docker->items[i], err) < 0)
                        return -1;
        return 0;
}

int job_load(struct transfer_job *job, struct cor_err *err)
{
        struct load l = { .job = job };
        const struct image_limits limits = image_limits_of(&job->config);
        int r = archive_read(job->store, job->input, &limits, &l.archive, err);

        if (r == 0)
                r = load_all(&l, err);
        if (r == 0 && l.n_loaded == 0)
                r = cor_fail(err, COR_INVALID, "the archive holds no image");
        cor_json_free(l.docker);
        archive_free(l.archive);
        return r;
}

#include "image/commit.h"
#include "base/text.h"
#include "image/change.h"

#include <string.h>

struct commit_base {
        struct image_manifest *manifest;
        struct image_config *config;
        bool docker; /* of docker's family of media types */
};

void commit_base_free(struct commit_base *b)
{
        if (!b)
                return;
        cor_json_free(b->manifest);
        cor_json_free(b->config);
        free(b);
}

static int read_blob(const struct transfer_job *job, const char *text, size_t limit, char **ret, size_t *ret_n,
                     struct cor_err *err)
{
        struct digest d;

        return digest_parse(text, &d, err) < 0 ? -1 : blob_read(job->store, &d, limit, ret, ret_n, err);
}

static int read_documents(const struct transfer_job *job, struct commit_base *b, struct cor_err *err)
{
        const struct transfer_image *image = job->request->images;
        auto_str manifest = NULL;
        auto_str config = NULL;
        size_t n;

        if (read_blob(job, image->manifest, IMAGE_MANIFEST_MAX_BYTES, &manifest, &n, err) < 0 ||
            image_manifest_parse(manifest, n, "manifest", &b->manifest, err) < 0 ||
            read_blob(job, image->id, IMAGE_CONFIG_MAX_BYTES, &config, &n, err) < 0 ||
            image_config_parse(config, n, "config", &b->config, err) < 0)
                return -1;
        b->docker = cor_streq(b->manifest->media_type, MEDIA_DOCKER_MANIFEST);
        if (image_manifest_is_index(b->manifest) || b->manifest->n_layers != b->config->rootfs.n_diff_ids)
                return cor_fail(err, COR_INVALID, "its manifest and its configuration do not have the same layers");
        return 0;
}

int commit_base_open(const struct transfer_job *job, struct commit_base **ret, struct cor_err *err)
{
        struct commit_base *b;

        if (job->request->n_images != 1)
                return cor_fail(err, COR_INVALID, "the request names no image to stand on");
        b = cor_alloc(sizeof *b);
        if (read_documents(job, b, err) < 0) {
                commit_base_free(b);
                return cor_wrap(err, "image %s", job->request->images->id);
        }
        *ret = b;
        return 0;
}

const char *commit_media_type(const struct commit_base *b)
{
        return b->docker ? MEDIA_DOCKER_MANIFEST : MEDIA_OCI_MANIFEST;
}

/* What a container was run with, and what is to be changed of that */
static int make_run(const struct transfer_request *request, struct image_change *change, void **ret_from,
                    struct cor_err *err)
{
        struct image_config_run *from = NULL;

        if (request->config) {
                if (cor_json_parse(&image_config_run_doc, request->config, strlen(request->config), "Config", &from,
                                   err) < 0)
                        return -1;
                image_change_begin(change, from);
                *ret_from = from;
        }
        for (size_t n = 0; n < request->n_changes; n++)
                if (image_change_apply(change, request->changes[n], err) < 0)
                        return -1;
        return 0;
}

static void print_config(const struct commit_base *b, const struct transfer_request *request,
                         const struct commit_layer *layer, struct image_config_run *run, struct cor_text *out)
{
        size_t n_layers = b->config->rootfs.n_diff_ids, n_history = b->config->n_history;
        auto_free const char **diff_ids = cor_realloc_array(NULL, n_layers + 2, sizeof *diff_ids);
        auto_free struct image_history *history = cor_realloc_array(NULL, n_history + 1, sizeof *history);
        struct image_config config = *b->config;
        auto_text now = COR_TEXT_INIT;

        cor_text_add_now(&now, true);
        if (n_layers)
                memcpy(diff_ids, b->config->rootfs.diff_ids, n_layers * sizeof *diff_ids);
        diff_ids[n_layers] = layer->diff_id->text;
        diff_ids[n_layers + 1] = NULL;
        if (n_history)
                memcpy(history, b->config->history, n_history * sizeof *history);
        history[n_history] = (struct image_history){
                .created = now.s, .created_by = request->command, .author = request->author, .comment = request->message
        };
        config.created = now.s;
        config.author = request->author ? request->author : config.author;
        config.comment = request->message;
        config.config = run;
        config.rootfs.diff_ids = diff_ids;
        config.rootfs.n_diff_ids = n_layers + 1;
        config.history = history;
        config.n_history = n_history + 1;
        cor_json_print(&image_config_doc, &config, COR_JSON_COMPACT, out);
}

int commit_config(const struct commit_base *b, const struct transfer_request *request, const struct commit_layer *layer,
                  struct cor_text *out, struct cor_err *err)
{
        struct image_change change = { 0 };
        void *from = NULL;
        int r = make_run(request, &change, &from, err);

        if (r == 0)
                print_config(b, request, layer, image_change_config(&change), out);
        image_change_done(&change);
        cor_json_free(from);
        return r;
}

void commit_manifest(const struct commit_base *b, const struct commit_layer *layer, const struct digest *config,
                     size_t config_size, struct cor_text *out)
{
        size_t n = b->manifest->n_layers;
        auto_free struct image_descriptor *layers = cor_realloc_array(NULL, n + 1, sizeof *layers);
        struct image_descriptor d = { .media_type = b->docker ? MEDIA_DOCKER_CONFIG : MEDIA_OCI_CONFIG,
                                      .digest = config->text,
                                      .size = config_size };
        struct image_manifest m = { .schema_version = 2,
                                    .media_type = commit_media_type(b),
                                    .config = &d,
                                    .layers = layers,
                                    .n_layers = n + 1 };

        if (n)
                memcpy(layers, b->manifest->layers, n * sizeof *layers);
        layers[n] = (struct image_descriptor){ .media_type = b->docker ? MEDIA_DOCKER_LAYER : layer->media_type,
                                               .digest = layer->blob->text,
                                               .size = (uint64_t)layer->size };
        cor_json_print(&image_manifest_doc, &m, COR_JSON_COMPACT, out);
}

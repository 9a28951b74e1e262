/*
 * Push: what the registry lacks of an image, and then its manifest. A layer that is stored as plain tar (from `load`,
 * say) is compressed on the way, as docker does it; the manifest then names the compressed one.
 */
#include "image/job.h"

#include "base/fd.h"
#include "base/process.h"
#include "image/pack.h"
#include "image/transfer_message.h"
#include "store/hash.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SHORT_ID = 12, PROGRESS_MS = 100 };

/* One blob on its way out. */
struct push_blob {
        struct push *push;
        struct digest digest;
        int64_t size, shown_ms;
        char id[SHORT_ID + 1]; /* empty: not shown */
        int fd;                /* owned, or borrowed from `packed` */
        struct blob_ingest *packed;
        bool done;
};

struct push {
        struct transfer_job *job;
        const struct transfer_image *image;
        struct image_manifest *manifest;
        char *manifest_text; /* the stored bytes */
        size_t manifest_len;
        char *media_type;
        bool rewritten;
        struct push_blob *layers; /* as many as the manifest has */
        struct push_blob config;
        bool failed;
        struct cor_err why;
};

static void blob_done(struct push_blob *b)
{
        if (!b->packed)
                cor_fd_close(&b->fd);
        blob_ingest_end(b->packed);
}

static void push_done(struct push *p)
{
        for (size_t i = 0; p->layers && i < p->manifest->n_layers; i++)
                blob_done(&p->layers[i]);
        blob_done(&p->config);
        free(p->layers);
        cor_json_free(p->manifest);
        free(p->manifest_text);
        free(p->media_type);
}

static void show(struct push_blob *b, const char *status, int64_t current)
{
        struct push *p = b->push;

        if (!p->failed && b->id[0] &&
            receive_progress(p->job->channel, b->id, status, current, current >= 0 ? b->size : 0, &p->why) < 0)
                p->failed = true;
}

/* ------------------------------------------------------------------------------------------------------ compressing */

static bool is_plain(const char *media_type)
{
        return media_is_layer(media_type) && !strstr(media_type, "gzip") && !strstr(media_type, "zstd");
}

/* What packing a layer needs while it runs. */
struct packing {
        struct pack_layer *items;
        size_t *numbers, n; /* which layers of the image they are */
};

static void packing_done(struct packing *k)
{
        for (size_t i = 0; i < k->n; i++)
                cor_fd_close(&k->items[i].fd);
        free(k->items);
        free(k->numbers);
}

static int packing_add(struct packing *k, struct push *p, size_t number, struct cor_err *err)
{
        struct push_blob *b = &p->layers[number];
        size_t n = k->n;

        if (blob_ingest_new(p->job->store, INT64_MAX, &b->packed, err) < 0)
                return -1;
        *COR_GROW(k->numbers, n) = number;
        *COR_GROW(k->items, k->n) = (struct pack_layer){ .fd = cor_fd_take(&b->fd), .into = b->packed };
        return 0;
}

/* Put the compressed form in the place of the blob and of its descriptor. */
static int take_packed(struct push *p, size_t number, struct cor_err *err)
{
        struct push_blob *b = &p->layers[number];
        struct image_descriptor *d = &p->manifest->layers[number];

        if (blob_ingest_finish(b->packed, &b->digest, err) < 0)
                return -1;
        b->fd = blob_ingest_fd(b->packed);
        b->size = blob_ingest_offset(b->packed);
        d->digest = b->digest.text;
        d->size = (uint64_t)b->size;
        d->media_type = cor_starts_with(d->media_type, MEDIA_DOCKER_LAYER) ? MEDIA_DOCKER_LAYER ".gzip"
                                                                           : MEDIA_OCI_LAYER "+gzip";
        p->rewritten = true;
        return 0;
}

/* All plain layers, side by side. */
static int pack_plain(struct push *p, struct cor_err *err)
{
        COR_CLEANUP(packing_done) struct packing k = { .n = 0 };

        for (size_t i = 0; i < p->manifest->n_layers; i++)
                if (p->layers[i].fd >= 0 && is_plain(p->manifest->layers[i].media_type) &&
                    packing_add(&k, p, i, err) < 0)
                        return -1;
        if (k.n > 0 && pack_layers(k.items, k.n, p->job->channel->fd, err) < 0)
                return -1;
        for (size_t i = 0; i < k.n; i++)
                if (take_packed(p, k.numbers[i], err) < 0)
                        return -1;
        return 0;
}

/* -------------------------------------------------------------------------------------------------------- uploading */

static ssize_t on_read(void *context, int64_t offset, void *buf, size_t n, struct cor_err *err)
{
        struct push_blob *b = context;
        ssize_t got;

        do
                got = pread(b->fd, buf, n, offset);
        while (got < 0 && errno == EINTR);
        return got >= 0 ? got : cor_fail_errno(err, "read %s", b->digest.text);
}

static void on_progress(void *context, int64_t sent)
{
        struct push_blob *b = context;
        int64_t now = cor_now_ms();

        if (now - b->shown_ms < PROGRESS_MS)
                return;
        b->shown_ms = now;
        show(b, "Pushing", sent);
}

static void on_done(void *context, struct cor_err *error)
{
        struct push_blob *b = context;
        struct push *p = b->push;

        b->done = true;
        if (!error) {
                show(b, "Pushed", -1);
        } else if (!p->failed) {
                p->failed = true;
                p->why = *error;
                cor_wrap(&p->why, "%s", b->digest.text);
        }
}

/* Another repository of the same registry that is known to have the image: 1 mounted. */
static int mount_from_elsewhere(struct push_blob *b, struct cor_err *err)
{
        struct push *p = b->push;

        for (size_t i = 0; i < p->image->n_repo_digests && !b->packed; i++) {
                auto_reference ref = { 0 };
                auto_str status = NULL;
                int mounted;

                if (reference_parse(p->image->repo_digests[i], &ref, NULL) < 0 ||
                    strcmp(ref.domain, p->job->reference.domain) != 0 || strcmp(ref.path, p->job->reference.path) == 0)
                        continue;
                mounted = registry_mount_blob(p->job->registry, &b->digest, ref.path, err);
                if (mounted < 0)
                        return -1;
                status = cor_printf("Mounted from %s", ref.path);
                if (mounted == 1)
                        show(b, status, -1);
                if (mounted == 1)
                        return 1;
        }
        return 0;
}

static int offer(struct push_blob *b, struct cor_err *err)
{
        struct push *p = b->push;
        struct registry_upload upload = { .digest = b->digest,
                                          .size = b->size,
                                          .read = on_read,
                                          .progress = on_progress,
                                          .done = on_done,
                                          .context = b };
        int64_t size;
        int there = registry_blob_exists(p->job->registry, &b->digest, &size, err);

        if (there < 0)
                return -1;
        if (there == 1) {
                show(b, "Layer already exists", -1);
                return 0;
        }
        there = mount_from_elsewhere(b, err);
        if (there != 0)
                return there < 0 ? -1 : 0;
        return registry_upload(p->job->registry, &upload, err);
}

static int run_uploads(struct push *p, struct cor_err *err)
{
        int r = registry_run(p->job->registry, p->job->channel->fd, err);

        if (r == 1) { /* the engine says nothing unasked: it is gone */
                registry_cancel(p->job->registry);
                return cor_fail(err, COR_BUSY, "interrupted");
        }
        if (r < 0)
                return -1;
        if (p->failed && err)
                *err = p->why;
        return p->failed ? -1 : 0;
}

/* -------------------------------------------------------------------------------------------------------- the image */

static int open_blob(struct push_blob *b, struct cor_err *err)
{
        struct push *p = b->push;

        b->fd = blob_open(p->job->store, &b->digest, err);
        b->size = blob_find(p->job->store, &b->digest);
        if (b->fd >= 0)
                return 0;
        return cor_fail(err, COR_NOT_FOUND,
                        "%s is not in the store: it was unpacked and discarded, pull the image again to push it",
                        b->digest.text);
}

static const char *diff_id_of(const struct push *p, size_t i)
{
        struct digest d;

        if (i >= p->image->n_layers || digest_parse(p->image->layers[i].diff_id, &d, NULL) < 0)
                return NULL;
        return p->image->layers[i].diff_id;
}

/* Layers that stand twice in the image are opened once. */
static int open_layer(struct push *p, size_t i, struct cor_err *err)
{
        struct push_blob *b = &p->layers[i];
        const struct image_descriptor *d = &p->manifest->layers[i];
        const char *shown = diff_id_of(p, i);

        snprintf(b->id, sizeof b->id, "%.*s", (int)SHORT_ID, strchr(shown ? shown : d->digest, ':') + 1);
        if (digest_parse(d->digest, &b->digest, err) < 0)
                return -1;
        for (size_t k = 0; k < i; k++)
                if (strcmp(p->manifest->layers[k].digest, d->digest) == 0)
                        return 0;
        show(b, "Preparing", -1);
        return open_blob(b, err);
}

static int read_manifest(struct push *p, struct cor_err *err)
{
        struct digest d;

        if (digest_parse(p->image->manifest, &d, err) < 0 ||
            blob_read(p->job->store, &d, IMAGE_MANIFEST_MAX_BYTES, &p->manifest_text, &p->manifest_len, err) < 0 ||
            image_manifest_parse(p->manifest_text, p->manifest_len, "manifest", &p->manifest, err) < 0)
                return -1;
        for (size_t i = 0; i < p->image->n_blobs; i++)
                if (p->image->blobs[i].kind == IMAGE_BLOB_MANIFEST)
                        p->media_type = cor_strdup(p->image->blobs[i].media_type);
        if (!p->media_type)
                p->media_type = cor_strdup(p->manifest->media_type ? p->manifest->media_type : MEDIA_OCI_MANIFEST);
        p->layers = cor_alloc((p->manifest->n_layers + 1) * sizeof *p->layers);
        for (size_t i = 0; i < p->manifest->n_layers; i++)
                p->layers[i] = (struct push_blob){ .push = p, .fd = -1 };
        return 0;
}

/* A layer that stands twice in the image is named twice in the manifest, too, once it is compressed. */
static void repeat_packed(struct push *p, const char *const *before)
{
        for (size_t i = 0; i < p->manifest->n_layers; i++)
                for (size_t k = 0; k < i; k++)
                        if (strcmp(before[k], before[i]) == 0)
                                p->manifest->layers[i] = p->manifest->layers[k];
}

static int push_blobs(struct push *p, struct cor_err *err)
{
        const char **before = cor_alloc((p->manifest->n_layers + 1) * sizeof *before);
        int r = 0;

        for (size_t i = 0; i < p->manifest->n_layers; i++)
                before[i] = p->manifest->layers[i].digest;
        for (size_t i = 0; i < p->manifest->n_layers && r == 0; i++)
                r = open_layer(p, i, err);
        if (r == 0)
                r = pack_plain(p, err);
        for (size_t i = 0; i < p->manifest->n_layers && r == 0; i++)
                r = p->layers[i].fd >= 0 ? offer(&p->layers[i], err) : 0;
        repeat_packed(p, before);
        free(before);
        if (r < 0 || digest_parse(p->manifest->config->digest, &p->config.digest, err) < 0 ||
            open_blob(&p->config, err) < 0 || offer(&p->config, err) < 0)
                return -1;
        return run_uploads(p, err);
}

/* Tell what was pushed, and let the engine know that the repository has it. */
static int report(struct push *p, const struct digest *digest, size_t size, const char *tag, struct cor_err *err)
{
        auto_image_row row = { 0 };
        auto_str line = cor_printf("digest: %s size: %zu", digest->text, size);
        struct transfer_image image;
        struct transfer_message m = { .type = TRANSFER_IMAGE, .image = &image };
        int r;

        if (receive_progress(p->job->channel, tag, line, 0, 0, err) < 0 ||
            transfer_image_to_row(p->image, &row, err) < 0)
                return -1;
        cor_strv_take(&row.repo_digests, reference_digested(&p->job->reference, digest));
        transfer_image_from_row(&row, &image);
        r = transfer_ask(p->job->channel, &m, err);
        transfer_image_done(&image);
        return r;
}

static int push_manifest(struct push *p, const char *tag, struct cor_err *err)
{
        auto_text text = COR_TEXT_INIT;
        struct digest digest;

        if (p->rewritten)
                cor_json_print(&image_manifest_doc, p->manifest, COR_JSON_COMPACT, &text);
        else
                cor_text_add_n(&text, p->manifest_text, p->manifest_len);
        digest = hash_bytes(text.s, text.len);
        if (registry_put_manifest(p->job->registry, tag, p->media_type, text.s, text.len, err) < 0)
                return -1;
        return report(p, &digest, text.len, tag, err);
}

static int push_image(struct transfer_job *job, const struct transfer_image *image, const char *tag,
                      struct cor_err *err)
{
        struct push p = { .job = job, .image = image, .config = { .fd = -1 } };
        int r;

        p.config.push = &p;
        r = read_manifest(&p, err);
        if (r == 0)
                r = push_blobs(&p, err);
        if (r == 0)
                r = push_manifest(&p, tag, err);
        if (r < 0)
                registry_cancel(job->registry); /* before what it reads goes */
        push_done(&p);
        return r;
}

int job_push(struct transfer_job *job, struct cor_err *err)
{
        auto_str name = reference_name(&job->reference);
        auto_str line = cor_printf("The push refers to repository [%s]", name);

        if (receive_progress(job->channel, NULL, line, 0, 0, err) < 0)
                return -1;
        for (size_t i = 0; i < job->request->n_images; i++) {
                const struct transfer_image *image = &job->request->images[i];
                auto_reference ref = { 0 };

                if (image->n_names != 1)
                        return cor_fail(err, COR_INVALID, "an image to push has to have one name");
                if (reference_parse(image->names[0], &ref, err) < 0)
                        return -1;
                if (push_image(job, image, ref.tag, err) < 0)
                        return -1;
        }
        return 0;
}

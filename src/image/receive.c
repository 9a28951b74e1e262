/* An image's documents on their way into the store, and the record that is made of them when its layers are there. */
#include "image/receive_internal.h"

#include "base/fd.h"
#include "image/platform.h"
#include "store/hash.h"
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct receive *receive_new(const struct receive_options *o)
{
        struct receive *r = cor_alloc(sizeof *r);

        r->o = *o;
        r->wake_fd = -1;
        return r;
}

void receive_free(struct receive *r)
{
        if (!r)
                return;
        for (size_t i = 0; i < r->n_layers; i++)
                receive_layer_done(&r->layers[i]);
        for (size_t i = 0; i < r->n_documents; i++)
                blob_ingest_end(r->documents[i]);
        cor_fd_close(&r->wake_fd);
        cor_json_free(r->manifest);
        cor_json_free(r->config);
        free(r->layers);
        free(r->index_type);
        free(r->manifest_type);
        free(r);
}

/* -------------------------------------------------------------------------------------------------- with the engine */

int receive_progress(struct transfer_channel *c, const char *id, const char *status, int64_t current, int64_t total,
                     struct cor_err *err)
{
        struct transfer_message m = {
                .type = TRANSFER_PROGRESS, .id = id, .status = status, .current = current, .total = total
        };

        return transfer_send(c, &m, err);
}

int receive_lease(struct transfer_channel *c, const struct digest *items, size_t n_items, struct cor_err *err)
{
        struct transfer_message m = { .type = TRANSFER_LEASE };
        int r;

        for (size_t i = 0; i < n_items; i++)
                *COR_GROW(m.digests, m.n_digests) = items[i].text;
        r = transfer_ask(c, &m, err);
        free(m.digests);
        return r;
}

/* -------------------------------------------------------------------------------------------------------- documents */

/* Write it, but leave it without its name: the one sync for the layers will do for it as well. */
static int put(struct receive *r, const char *bytes, size_t n, const struct digest *d, struct cor_err *err)
{
        auto_blob_ingest ingest = NULL;

        if (blob_find(r->o.store, d) == (int64_t)n)
                return 0;
        if (blob_ingest_new(r->o.store, (int64_t)n, &ingest, err) < 0 || blob_ingest_write(ingest, bytes, n, err) < 0 ||
            blob_ingest_finish(ingest, NULL, err) < 0)
                return -1;
        assert(r->n_documents < DOCUMENTS_MAX);
        r->documents[r->n_documents++] = COR_TAKE(ingest);
        return 0;
}

static int put_leased(struct receive *r, const char *bytes, size_t n, struct digest *ret, struct cor_err *err)
{
        *ret = hash_bytes(bytes, n);
        return receive_lease(r->o.channel, ret, 1, err) < 0 ? -1 : put(r, bytes, n, ret, err);
}

int receive_place_documents(struct receive *r, bool synced, struct cor_err *err)
{
        for (; r->n_documents > 0; r->n_documents--) {
                struct blob_ingest **last = &r->documents[r->n_documents - 1];

                if (blob_ingest_commit(*last, synced, err) < 0)
                        return -1;
                blob_ingest_end(*last);
        }
        return 0;
}

int receive_index(struct receive *r, const char *bytes, size_t n, const char *media_type, struct cor_err *err)
{
        r->index_type = cor_strdup(media_type);
        r->index_size = (int64_t)n;
        return put_leased(r, bytes, n, &r->index_digest, err);
}

static void layer_id(struct receive_layer *l)
{
        snprintf(l->id, sizeof l->id, "%.*s", (int)SHORT_ID, digest_hex(&l->blob));
}

int receive_manifest(struct receive *r, const char *bytes, size_t n, const char *media_type, struct cor_err *err)
{
        struct digest *leased = NULL;
        size_t n_leased = 0;
        int result;

        if (image_manifest_parse(bytes, n, "manifest", &r->manifest, err) < 0)
                return -1;
        if (image_manifest_is_index(r->manifest))
                return cor_fail(err, COR_INVALID, "manifest: an index where a manifest of one platform was expected");
        r->manifest_type = cor_strdup(media_type);
        r->manifest_size = (int64_t)n;
        if (put_leased(r, bytes, n, &r->manifest_digest, err) < 0 ||
            digest_parse(r->manifest->config->digest, &r->config_digest, err) < 0)
                return -1;
        r->n_layers = r->manifest->n_layers;
        r->layers = cor_alloc((r->n_layers + 1) * sizeof *r->layers);
        *COR_GROW(leased, n_leased) = r->config_digest;
        for (size_t i = 0; i < r->n_layers; i++) {
                struct receive_layer *l = &r->layers[i];

                *l = (struct receive_layer){ .receive = r, .number = (unsigned)i, .lock = -1, .wake = -1 };
                l->descriptor = &r->manifest->layers[i];
                (void)!digest_parse(l->descriptor->digest, &l->blob, err); /* checked by the table */
                layer_id(l);
                *COR_GROW(leased, n_leased) = l->blob;
        }
        result = receive_lease(r->o.channel, leased, n_leased, err);
        free(leased);
        return result;
}

const struct image_descriptor *receive_config_descriptor(const struct receive *r)
{
        return r->manifest->config;
}

int receive_require_platform(const struct receive *r, const char *wanted, const char *reference, struct cor_err *err)
{
        const struct image_config *c = r->config;
        const struct image_platform have = { .os = c->os, .architecture = c->architecture, .variant = c->variant };

        return platform_require(wanted, &have, reference, err);
}

/* An earlier layer with the same archive, or NULL. */
static struct receive_layer *same_before(struct receive *r, size_t i)
{
        for (size_t k = 0; k < i; k++)
                if (digest_eq(&r->layers[k].blob, &r->layers[i].blob))
                        return &r->layers[k];
        return NULL;
}

static int know_layers(struct receive *r, struct cor_err *err)
{
        struct digest *leased = NULL, parent = DIGEST_NONE;
        size_t n_leased = 0;
        int result;

        for (size_t i = 0; i < r->n_layers; i++) {
                struct receive_layer *l = &r->layers[i];

                (void)!digest_parse(r->config->rootfs.diff_ids[i], &l->diff_id, err);
                parent = hash_chain(&parent, &l->diff_id);
                l->leaning = hash_chain(&parent, &l->diff_id);
                l->same = same_before(r, i);
                *COR_GROW(leased, n_leased) = l->diff_id;
                *COR_GROW(leased, n_leased) = l->leaning;
        }
        result = n_leased > 0 ? receive_lease(r->o.channel, leased, n_leased, err) : 0;
        free(leased);
        return result;
}

int receive_config(struct receive *r, const char *bytes, size_t n, struct cor_err *err)
{
        struct digest d = hash_bytes(bytes, n);

        if (!digest_eq(&d, &r->config_digest))
                return cor_fail(err, COR_INVALID, "image config: expected digest %s, found %s", r->config_digest.text,
                                d.text);
        if (image_config_parse(bytes, n, "image config", &r->config, err) < 0)
                return -1;
        if (r->config->rootfs.n_diff_ids != r->n_layers)
                return cor_fail(err, COR_INVALID, "image config: %zu diff_ids for the %zu layers of the manifest",
                                r->config->rootfs.n_diff_ids, r->n_layers);
        return put(r, bytes, n, &d, err) < 0 ? -1 : know_layers(r, err);
}

/* ---------------------------------------------------------------------------------------------------------- the end */

static void add_blob(struct image_row *row, const struct digest *d, enum image_blob_kind kind, int64_t size,
                     const char *media_type, bool optional)
{
        *COR_GROW(row->blobs, row->n_blobs) =
                (struct image_blob){ .digest = *d,
                                     .kind = kind,
                                     .size = size,
                                     .media_type = cor_strdup(media_type ? media_type : ""),
                                     .optional = optional };
}

static void add_content(struct receive *r, struct image_row *row)
{
        if (digest_set(&r->index_digest))
                add_blob(row, &r->index_digest, IMAGE_BLOB_INDEX, r->index_size, r->index_type, false);
        add_blob(row, &r->manifest_digest, IMAGE_BLOB_MANIFEST, r->manifest_size, r->manifest_type, false);
        add_blob(row, &r->config_digest, IMAGE_BLOB_CONFIG, (int64_t)r->manifest->config->size,
                 r->manifest->config->media_type, false);
        for (size_t i = 0; i < r->n_layers; i++) {
                const struct receive_layer *l = &r->layers[i];
                int64_t size = layer_size(r->o.store, &l->name);

                add_blob(row, &l->blob, IMAGE_BLOB_LAYER, (int64_t)l->descriptor->size, l->descriptor->media_type,
                         r->o.discard);
                *COR_GROW(row->layers, row->n_layers) =
                        (struct image_layer){ .diff_id = l->diff_id, .name = l->name, .size = size };
                row->size += size > 0 ? size : 0;
        }
}

static void add_words(struct receive *r, const struct cor_strv *names, const struct cor_strv *repo_digests,
                      struct image_row *row)
{
        const struct image_config_run *run = r->config->config;

        for (size_t i = 0; names && i < names->n_items; i++)
                cor_strv_add(&row->names, names->items[i]);
        for (size_t i = 0; repo_digests && i < repo_digests->n_items; i++)
                cor_strv_add(&row->repo_digests, repo_digests->items[i]);
        for (size_t i = 0; run && i < run->n_labels; i++)
                cor_strv_take(&row->labels, cor_printf("%s=%s", run->labels[i].key, run->labels[i].value));
}

int receive_done(struct receive *r, const struct cor_strv *names, const struct cor_strv *repo_digests,
                 struct cor_err *err)
{
        auto_image_row row = { .id = r->config_digest, .manifest = r->manifest_digest };
        struct transfer_image image;
        struct transfer_message m = { .type = TRANSFER_IMAGE, .image = &image };
        int result;

        if (r->n_documents > 0 && (receive_place_documents(r, false, err) < 0 || blob_sync_folder(r->o.store, err) < 0))
                return -1;
        row.architecture = cor_strdup(r->config->architecture ? r->config->architecture : "");
        row.os = cor_strdup(r->config->os ? r->config->os : "");
        row.variant = cor_strdup(r->config->variant ? r->config->variant : "");
        row.created = image_time(r->config->created, &row.created_ns);
        add_content(r, &row);
        add_words(r, names, repo_digests, &row);
        transfer_image_from_row(&row, &image);
        result = transfer_ask(r->o.channel, &m, err);
        transfer_image_done(&image);
        return result;
}

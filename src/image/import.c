/*
 * Import: a tar of a root filesystem becomes an image of one layer, with the configuration that --change asks for.
 * Commit: the tar is a layer more on top of another image (commit.c).
 */
#include "base/process.h"
#include "image/archive.h"
#include "image/change.h"
#include "image/commit.h"
#include "image/compress.h"
#include "image/job.h"
#include "image/platform.h"
#include "store/hash.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { CHUNK_BYTES = 256 << 10, PROGRESS_MS = 100 };

struct import {
        struct transfer_job *job;
        struct blob_ingest *ingest; /* the layer's blob, until it is taken */
        struct digest blob, diff_id;
        int64_t size, shown_ms;
        const char *media_type;
        struct commit_base *base; /* NULL: it is an image of its own */
};

static struct blob_ingest *take_blob(void *context, const struct digest *d)
{
        struct import *i = context;

        return digest_eq(d, &i->blob) ? COR_TAKE(i->ingest) : NULL;
}

static int fetch_blob(void *context, struct receive_layer *layer, const struct image_descriptor *d, struct cor_err *err)
{
        return cor_fail(err, COR_INVALID, "%s is not what was imported", d->digest);
}

static int on_write(void *context, const void *bytes, size_t n, struct cor_err *err)
{
        struct import *i = context;

        return blob_ingest_write(i->ingest, bytes, n, err);
}

static int on_restart(void *context, struct cor_err *err)
{
        struct import *i = context;

        return blob_ingest_restart(i->ingest, err);
}

static void on_progress(void *context, int64_t got, int64_t total)
{
        struct import *i = context;
        int64_t now = cor_now_ms();

        if (now - i->shown_ms < PROGRESS_MS)
                return;
        i->shown_ms = now;
        (void)!receive_progress(i->job->channel, "archive", "Downloading", got, total,
                                NULL); /* its end shows by itself */
}

static int fetch_input(struct import *i, struct cor_err *err)
{
        const struct registry_fetch wanted = { .url = i->job->request->url,
                                               .limit = i->job->config.image_bytes,
                                               .limit_name = "image-max-layer-size in daemon.json",
                                               .write = on_write,
                                               .restart = on_restart,
                                               .progress = on_progress,
                                               .context = i };
        auto_str line = cor_printf("Downloading from %s", wanted.url);

        if (receive_progress(i->job->channel, NULL, line, 0, 0, err) < 0)
                return -1;
        return registry_fetch(i->job->registry, &wanted, err);
}

static int copy_input(struct import *i, struct cor_err *err)
{
        auto_free char *buf = cor_alloc(CHUNK_BYTES);
        ssize_t n;

        while ((n = read(i->job->input, buf, CHUNK_BYTES)) != 0) {
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return cor_fail_errno(err, "read the archive");
                if (blob_ingest_write(i->ingest, buf, (size_t)n, err) < 0)
                        return -1;
        }
        return 0;
}

/* The archive as it comes, whole, into an ingest. */
static int spool(struct import *i, struct cor_err *err)
{
        if (blob_ingest_new(i->job->store, INT64_MAX, &i->ingest, err) < 0 ||
            (i->job->request->url ? fetch_input(i, err) : copy_input(i, err)) < 0)
                return -1;
        i->size = blob_ingest_offset(i->ingest);
        if (i->size == 0)
                return cor_fail(err, COR_INVALID, "the archive is empty");
        return blob_ingest_finish(i->ingest, &i->blob, err);
}

struct spooled {
        int fd;
        int64_t at;
};

static ssize_t read_spooled(void *context, void *buf, size_t n, struct cor_err *err)
{
        struct spooled *s = context;
        ssize_t got = pread(s->fd, buf, n, s->at);

        if (got < 0)
                return cor_fail_errno(err, "read the archive");
        s->at += got;
        return got;
}

/* What layers may not be compressed with is unpacked into another ingest, which then is the layer's blob. */
static int unpack_foreign(struct import *i, struct cor_err *err)
{
        auto_blob_ingest compressed = COR_TAKE(i->ingest);
        struct spooled s = { .fd = blob_ingest_fd(compressed) };
        auto_inflater inflater = inflater_new(read_spooled, &s, 0, i->job->config.image_ratio);
        auto_free char *buf = cor_alloc(CHUNK_BYTES);
        ssize_t n;

        inflater_accept_foreign(inflater);
        if (blob_ingest_new(i->job->store, INT64_MAX, &i->ingest, err) < 0)
                return -1;
        while ((n = inflater_read(inflater, buf, CHUNK_BYTES, err)) > 0)
                if (blob_ingest_write(i->ingest, buf, (size_t)n, err) < 0)
                        return -1;
        i->size = blob_ingest_offset(i->ingest);
        return n < 0 ? -1 : blob_ingest_finish(i->ingest, &i->blob, err);
}

/* The diff id is that of the tar inside; what is not compressed is its own. */
static int hash_inside(struct import *i, struct cor_err *err)
{
        struct spooled s = { .fd = blob_ingest_fd(i->ingest) };
        auto_inflater inflater = inflater_new(read_spooled, &s, 0, i->job->config.image_ratio);
        auto_free char *buf = cor_alloc(CHUNK_BYTES);
        auto_hash hash = hash_new(DIGEST_SHA256);
        ssize_t n;

        while ((n = inflater_read(inflater, buf, CHUNK_BYTES, err)) > 0)
                hash_add(hash, buf, (size_t)n);
        i->diff_id = hash_digest(hash);
        return (int)n;
}

static int know_layer(struct import *i, struct cor_err *err)
{
        char head[6] = "";
        ssize_t n = pread(blob_ingest_fd(i->ingest), head, sizeof head, 0);

        if (compression_foreign(head, n > 0 ? (size_t)n : 0) && unpack_foreign(i, err) < 0)
                return -1;
        i->diff_id = i->blob;
        i->media_type = MEDIA_OCI_LAYER;
        switch (compression_guess(head, n > 0 ? (size_t)n : 0)) {
        case COMPRESSION_GZIP:
                i->media_type = MEDIA_OCI_LAYER "+gzip";
                return hash_inside(i, err);
        case COMPRESSION_ZSTD:
                i->media_type = MEDIA_OCI_LAYER "+zstd";
                return hash_inside(i, err);
        default:
                return 0;
        }
}

static int make_config(const struct import *i, struct cor_text *out, struct cor_err *err)
{
        const struct transfer_request *request = i->job->request;
        struct commit_layer layer = { &i->diff_id, &i->blob, i->size, i->media_type };
        auto_text now = COR_TEXT_INIT;
        const char *diff_ids[] = { i->diff_id.text, NULL };
        struct image_history history = { .comment = request->message ? request->message : "Imported from -" };
        struct platform platform = platform_host();
        struct image_config config = { .rootfs = { .type = "layers", .diff_ids = diff_ids, .n_diff_ids = 1 },
                                       .history = &history,
                                       .n_history = 1 };
        struct image_change change = { 0 };
        int r = 0;

        if (i->base)
                return commit_config(i->base, request, &layer, out, err);
        if (request->platform && platform_parse(request->platform, &platform, err) < 0)
                return -1;
        cor_text_add_now(&now, true);
        config.created = history.created = now.s;
        config.comment = history.comment;
        config.os = platform.os;
        config.architecture = platform.architecture;
        config.variant = platform.variant[0] ? platform.variant : NULL;
        for (size_t n = 0; n < request->n_changes && r == 0; n++)
                r = image_change_apply(&change, request->changes[n], err);
        config.config = image_change_config(&change);
        if (r == 0)
                cor_json_print(&image_config_doc, &config, COR_JSON_COMPACT, out);
        image_change_done(&change);
        return r;
}

static void make_manifest(const struct import *i, const struct digest *config, size_t config_size, struct cor_text *out)
{
        const struct commit_layer committed = { &i->diff_id, &i->blob, i->size, i->media_type };
        struct image_descriptor d = { .media_type = MEDIA_OCI_CONFIG, .digest = config->text, .size = config_size };
        struct image_descriptor layer = { .media_type = i->media_type,
                                          .digest = i->blob.text,
                                          .size = (uint64_t)i->size };
        struct image_manifest m = {
                .schema_version = 2, .media_type = MEDIA_OCI_MANIFEST, .config = &d, .layers = &layer, .n_layers = 1
        };

        if (i->base)
                commit_manifest(i->base, &committed, config, config_size, out);
        else
                cor_json_print(&image_manifest_doc, &m, COR_JSON_COMPACT, out);
}

static int record(struct import *i, struct cor_err *err)
{
        const struct receive_options options = { .channel = i->job->channel,
                                                 .store = i->job->store,
                                                 .unpacker = i->job->unpacker,
                                                 .source = { .fetch = fetch_blob, .take = take_blob, .context = i },
                                                 .discard = i->job->request->discard };
        auto_receive r = receive_new(&options);
        auto_text config = COR_TEXT_INIT, manifest = COR_TEXT_INIT;
        auto_strv names = { 0 };
        struct digest id;

        if (make_config(i, &config, err) < 0)
                return -1;
        id = hash_bytes(config.s, config.len);
        make_manifest(i, &id, config.len, &manifest);
        if (i->job->reference.path)
                cor_strv_take(&names, reference_tagged(&i->job->reference));
        if (receive_manifest(r, manifest.s, manifest.len, i->base ? commit_media_type(i->base) : MEDIA_OCI_MANIFEST,
                             err) < 0 ||
            receive_config(r, config.s, config.len, err) < 0 || receive_layers(r, err) < 0)
                return -1;
        return receive_done(r, &names, NULL, err);
}

int job_import(struct transfer_job *job, struct cor_err *err)
{
        struct import i = { .job = job };
        int r;

        if (job->request->verb == TRANSFER_COMMIT && commit_base_open(job, &i.base, err) < 0)
                return -1;
        r = spool(&i, err) < 0 || know_layer(&i, err) < 0 || record(&i, err) < 0 ? -1 : 0;

        blob_ingest_end(i.ingest);
        commit_base_free(i.base);
        return r;
}

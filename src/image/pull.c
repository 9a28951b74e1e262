/* Pull: from a tag or digest to a recorded image. */
#include "image/job.h"
#include "image/platform.h"
#include "store/hash.h"

#include <stdlib.h>
#include <string.h>

/* ----------------------------------------------------------------------------------------- layers from the registry */

/* The layer stays the context of each download: receive.h's functions take it. */
static int on_write(void *context, const void *bytes, size_t n, struct cor_err *err)
{
        return receive_write(context, bytes, n, err);
}

static int on_check(void *context, struct cor_err *err)
{
        return receive_check(context, err);
}

static int on_restart(void *context, struct cor_err *err)
{
        return receive_restart(context, err);
}

static void on_done(void *context, struct cor_err *error)
{
        if (error)
                receive_failed(context, error);
        else
                receive_whole(context);
}

static int fetch_layer(void *context, struct receive_layer *l, const struct image_descriptor *d, struct cor_err *err)
{
        struct transfer_job *job = context;
        struct registry_download download = { .size = (int64_t)d->size,
                                              .offset = receive_offset(l),
                                              .urls = d->n_urls > 0 ? (const char *const *)d->urls : NULL,
                                              .write = on_write,
                                              .restart = on_restart,
                                              .check = on_check,
                                              .done = on_done,
                                              .context = l };

        if (digest_parse(d->digest, &download.digest, err) < 0)
                return -1;
        return registry_download(job->registry, &download, err);
}

static int run_downloads(void *context, int wake_fd, struct cor_err *err)
{
        struct transfer_job *job = context;

        return registry_run(job->registry, wake_fd, err);
}

/* ------------------------------------------------------------------------------------------------ the configuration */

/* A small blob fetched whole into memory. */
struct small {
        struct cor_text text;
        struct digest digest;
        size_t limit;
        bool done;
        struct cor_err err;
};

static int small_write(void *context, const void *bytes, size_t n, struct cor_err *err)
{
        struct small *s = context;

        if (s->text.len + n > s->limit)
                return cor_fail(err, COR_INVALID, "over %zu bytes", s->limit);
        cor_text_add_n(&s->text, bytes, n);
        return 0;
}

static int small_restart(void *context, struct cor_err *err)
{
        struct small *s = context;

        s->text.len = 0;
        return 0;
}

static int small_check(void *context, struct cor_err *err)
{
        const struct small *s = context;
        struct digest found = hash_bytes(s->text.s ? s->text.s : "", s->text.len);

        if (digest_eq(&found, &s->digest))
                return 0;
        return cor_fail(err, COR_INVALID, "expected digest %s, found %s", s->digest.text, found.text);
}

static void small_done(void *context, struct cor_err *error)
{
        struct small *s = context;

        s->done = true;
        if (error)
                s->err = *error;
}

static int fetch_small(struct transfer_job *job, const struct image_descriptor *d, struct small *s, struct cor_err *err)
{
        struct registry_download download = { .size = (int64_t)d->size,
                                              .write = small_write,
                                              .restart = small_restart,
                                              .check = small_check,
                                              .done = small_done,
                                              .context = s };
        int r;

        if (d->size > s->limit)
                return cor_fail(err, COR_INVALID, "%llu bytes, more than the limit of %zu", (unsigned long long)d->size,
                                s->limit);
        if (digest_parse(d->digest, &download.digest, err) < 0)
                return -1;
        s->digest = download.digest;
        if (registry_download(job->registry, &download, err) < 0)
                return -1;
        while ((r = registry_run(job->registry, job->channel->fd, err)) == 1) {
                registry_cancel(job->registry);
                return cor_fail(err, COR_BUSY, "interrupted");
        }
        if (r < 0)
                return -1;
        if (s->err.kind == COR_OK)
                return 0;
        *err = s->err;
        return -1;
}

int job_fetch_small(struct transfer_job *job, const struct image_descriptor *d, size_t limit, char **ret, size_t *ret_n,
                    struct cor_err *err)
{
        struct small s = { .limit = limit };
        int r = fetch_small(job, d, &s, err);

        if (r == 0) {
                *ret_n = s.text.len;
                *ret = cor_text_take(&s.text);
        }
        cor_text_done(&s.text);
        return r;
}

static int pull_config(struct transfer_job *job, struct receive *r, struct cor_err *err)
{
        const struct image_descriptor *d = receive_config_descriptor(r);
        struct small s = { .limit = IMAGE_CONFIG_MAX_BYTES };
        struct digest digest;
        auto_str stored = NULL;
        size_t n;
        int result;

        if (digest_parse(d->digest, &digest, err) < 0)
                return -1;
        if (blob_find(job->store, &digest) >= 0 &&
            blob_read(job->store, &digest, IMAGE_CONFIG_MAX_BYTES, &stored, &n, NULL) == 0)
                return receive_config(r, stored, n, err);
        result = fetch_small(job, d, &s, err) < 0 ? -1 : receive_config(r, s.text.s ? s.text.s : "", s.text.len, err);
        cor_text_done(&s.text);
        return result < 0 ? cor_wrap(err, "image config %s", d->digest) : 0;
}

/* -------------------------------------------------------------------------------------------------------- manifests */

static int wanted_platform(const struct transfer_job *job, struct platform *ret, struct cor_err *err)
{
        *ret = platform_host();
        return job->request->platform ? platform_parse(job->request->platform, ret, err) : 0;
}

/* The manifest that an index has for us. */
static int choose(struct transfer_job *job, struct receive *r, const struct registry_manifest *index,
                  const struct image_manifest *parsed, struct cor_err *err)
{
        auto_registry_manifest chosen = { 0 };
        struct platform want;
        int i;

        if (wanted_platform(job, &want, err) < 0 || (i = platform_choose(parsed, &want, err)) < 0)
                return -1;
        if (receive_index(r, index->bytes, index->n, index->media_type, err) < 0)
                return -1;
        if (registry_get_manifest(job->registry, parsed->manifests[i].digest, &chosen, err) < 0)
                return -1;
        return receive_manifest(r, chosen.bytes, chosen.n, chosen.media_type, err);
}

static int take_manifest(struct transfer_job *job, struct receive *r, const struct registry_manifest *m,
                         struct cor_err *err)
{
        auto_json struct image_manifest *parsed = NULL;

        if (image_manifest_parse(m->bytes, m->n, "manifest", &parsed, err) < 0)
                return -1;
        if (image_manifest_is_index(parsed))
                return choose(job, r, m, parsed, err);
        return receive_manifest(r, m->bytes, m->n, m->media_type, err);
}

static int pull_one(struct transfer_job *job, const char *tag_or_digest, struct cor_err *err)
{
        const struct receive_options options = {
                .channel = job->channel,
                .store = job->store,
                .unpacker = job->unpacker,
                .source = { .fetch = fetch_layer,
                            .run = run_downloads,
                            .context = job,
                            .several = registry_n_pull_hosts(job->registry) > 1 },
                .discard = job->request->discard,
        };
        auto_receive r = receive_new(&options);
        auto_registry_manifest m = { 0 };
        auto_strv names = { 0 }, digests = { 0 };
        struct reference tagged = job->reference;

        if (registry_get_manifest(job->registry, tag_or_digest, &m, err) < 0 || take_manifest(job, r, &m, err) < 0 ||
            pull_config(job, r, err) < 0 ||
            receive_require_platform(r, job->request->platform, job->request->reference, err) < 0 ||
            receive_layers(r, err) < 0)
                return -1;
        if (!digest_is(tag_or_digest)) {
                tagged.tag = (char *)(uintptr_t)tag_or_digest;
                cor_strv_take(&names, reference_tagged(&tagged));
        }
        cor_strv_take(&digests, reference_digested(&job->reference, &m.digest));
        return receive_done(r, &names, &digests, err);
}

static int pull_named(struct transfer_job *job, const char *what, struct cor_err *err)
{
        auto_str status = cor_printf("Pulling from %s", job->reference.path);

        return receive_progress(job->channel, what, status, 0, 0, err) < 0 ? -1 : pull_one(job, what, err);
}

int job_pull(struct transfer_job *job, struct cor_err *err)
{
        const struct reference *ref = &job->reference;
        auto_strv tags = { 0 };

        if (!job->request->all_tags)
                return pull_named(job, digest_set(&ref->digest) ? ref->digest.text : ref->tag, err);
        if (registry_list_tags(job->registry, &tags, err) < 0)
                return -1;
        for (size_t i = 0; i < tags.n_items; i++)
                if (pull_named(job, tags.items[i], err) < 0)
                        return -1;
        return 0;
}

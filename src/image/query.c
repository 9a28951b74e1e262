/* Questions to a registry: what a manifest says, whether credentials are good, what can be found. */
#include "image/job.h"
#include "spec/image.h"

#include <stdlib.h>
#include <string.h>

static int answer(struct transfer_job *job, const char *text, size_t n, struct cor_err *err)
{
        auto_str copy = cor_strndup(text, n);
        struct transfer_message m = { .type = TRANSFER_TEXT, .text = copy };

        if (strlen(copy) != n)
                return cor_fail(err, COR_INVALID, "the registry's answer is no text");
        return transfer_send(job->channel, &m, err);
}

/* The configuration that a manifest of an image names. */
static int add_config(struct transfer_job *job, const struct registry_manifest *m, struct cor_text *out,
                      struct cor_err *err)
{
        auto_json struct image_manifest *parsed = NULL;
        auto_str config = NULL;
        size_t n;

        if (image_manifest_parse(m->bytes, m->n, "manifest", &parsed, err) < 0)
                return -1;
        if (!parsed->config)
                return 0;
        if (job_fetch_small(job, parsed->config, IMAGE_CONFIG_MAX_BYTES, &config, &n, err) < 0)
                return cor_wrap(err, "image config %s", parsed->config->digest);
        cor_text_add_n(out, config, n);
        return 0;
}

/* The bytes of a manifest, after a line with media type, digest and size; its image's configuration behind them. */
int job_manifest(struct transfer_job *job, struct cor_err *err)
{
        const struct reference *ref = &job->reference;
        auto_registry_manifest m = { 0 };
        auto_text head = COR_TEXT_INIT;

        if (registry_get_manifest(job->registry, digest_set(&ref->digest) ? ref->digest.text : ref->tag, &m, err) < 0)
                return -1;
        cor_text_printf(&head, "%s %s %zu\n", *m.media_type ? m.media_type : MEDIA_OCI_MANIFEST, m.digest.text, m.n);
        cor_text_add_n(&head, m.bytes, m.n);
        if (job->request->with_config && add_config(job, &m, &head, err) < 0)
                return -1;
        return answer(job, head.s, head.len, err);
}

/* The answer is the identity token, if the registry gave one. */
int job_login(struct transfer_job *job, struct cor_err *err)
{
        const struct transfer_request *q = job->request;
        auto_str token = NULL;

        if (!q->user || !q->password)
                return cor_fail(err, COR_INVALID, "a login needs a user and a password");
        if (registry_login(job->registry, q->user, q->password, &token, err) < 0)
                return -1;
        return token ? answer(job, token, strlen(token), err) : 0;
}

int job_search(struct transfer_job *job, struct cor_err *err)
{
        const struct transfer_request *q = job->request;
        auto_str text = NULL;
        size_t n;

        if (!q->term)
                return cor_fail(err, COR_INVALID, "a search needs a term");
        if (registry_search(job->registry, q->term, (int)q->limit, &text, &n, err) < 0)
                return -1;
        return answer(job, text, n, err);
}

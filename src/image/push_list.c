/*
 * Push of a list of manifests that was put together by hand: what it names has to be in the list's own repository, so
 * manifests of others of the same registry come along, and their blobs are mounted.
 */
#include "image/job.h"

#include "store/hash.h"
#include <stdlib.h>
#include <string.h>

static int say(struct transfer_job *job, char *line, struct cor_err *err)
{
        auto_str owned = line;
        struct transfer_message m = { .type = TRANSFER_TEXT, .text = owned };

        return transfer_send(job->channel, &m, err);
}

static int bring_blob(struct transfer_job *job, const struct image_descriptor *d, const struct reference *from,
                      struct cor_err *err)
{
        struct digest digest;
        int64_t size;
        int there;

        if (digest_parse(d->digest, &digest, err) < 0)
                return -1;
        there = registry_blob_exists(job->registry, &digest, &size, err);
        if (there == 0)
                there = registry_mount_blob(job->registry, &digest, from->path, err);
        if (there < 0)
                return -1;
        if (there == 0)
                return cor_fail(err, COR_UNSUPPORTED, "failed to mount blob %s from %s: the registry wants it uploaded",
                                digest.text, from->path);
        return 0;
}

static int bring_manifest(struct transfer_job *job, const struct transfer_manifest *m, const struct reference *from,
                          struct cor_err *err)
{
        struct digest digest = hash_bytes(m->text, strlen(m->text));
        auto_json struct image_manifest *parsed = NULL;
        auto_str name = reference_digested(&job->reference, &digest);

        if (image_manifest_parse(m->text, strlen(m->text), m->reference, &parsed, err) < 0)
                return -1;
        if (parsed->config && bring_blob(job, parsed->config, from, err) < 0)
                return -1;
        for (size_t i = 0; i < parsed->n_layers; i++)
                if (bring_blob(job, &parsed->layers[i], from, err) < 0)
                        return -1;
        if (registry_put_manifest(job->registry, digest.text, m->media_type, m->text, strlen(m->text), err) < 0)
                return -1;
        return say(job, cor_printf("Pushed ref %s with digest: %s\n", name, digest.text), err);
}

int job_push_list(struct transfer_job *job, struct cor_err *err)
{
        const struct transfer_request *q = job->request;
        struct digest digest;

        if (!q->list || !q->list->text || !q->list->media_type)
                return cor_fail(err, COR_INVALID, "the request has no list of manifests");
        for (size_t i = 0; i < q->n_manifests; i++) {
                const struct transfer_manifest *m = &q->manifests[i];
                auto_reference from = { 0 };

                if (reference_parse(m->reference, &from, err) < 0)
                        return -1;
                if (strcmp(from.domain, job->reference.domain) != 0)
                        return cor_fail(err, COR_INVALID,
                                        "cannot use source images from a different registry than the target image: %s "
                                        "!= %s",
                                        from.domain, job->reference.domain);
                if (strcmp(from.path, job->reference.path) != 0 && bring_manifest(job, m, &from, err) < 0)
                        return cor_wrap(err, "%s", m->reference);
        }
        if (registry_put_manifest(job->registry, job->reference.tag ? job->reference.tag : "latest",
                                  q->list->media_type, q->list->text, strlen(q->list->text), err) < 0)
                return -1;
        digest = hash_bytes(q->list->text, strlen(q->list->text));
        return say(job, cor_printf("%s\n", digest.text), err);
}

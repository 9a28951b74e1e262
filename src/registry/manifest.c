#include "base/log.h"
#include "registry/encode.h"
#include "registry/internal.h"
#include "spec/image.h"
#include "store/hash.h"

#include <stdio.h>
#include <string.h>

static char accept_manifests[] =
        "Accept: " MEDIA_OCI_INDEX ", " MEDIA_OCI_MANIFEST ", " MEDIA_DOCKER_LIST ", " MEDIA_DOCKER_MANIFEST ", */*";

void registry_manifest_done(struct registry_manifest *m)
{
        free(m->bytes);
        free(m->media_type);
        *m = (struct registry_manifest){ 0 };
}

/* "debian:12", "debian@sha256:…" */
static char *reference(const struct registry *r, const char *tag_or_digest)
{
        return cor_printf("%s%c%s", r->name, digest_is(tag_or_digest) ? '@' : ':', tag_or_digest);
}

/* The error of a call about a manifest, as docker says it. */
static int manifest_failed(const struct registry *r, const char *tag_or_digest, const struct outcome *o,
                           struct cor_err *err)
{
        auto_str name = reference(r, tag_or_digest);

        if (o->answer.status == 404)
                return cor_fail(err, COR_NOT_FOUND, "manifest for %s not found: %s", name,
                                o->answer.n ? o->err.msg : "manifest unknown: manifest unknown");
        if (o->err.kind == COR_DENIED && (o->answer.status == 401 || o->answer.status == 403))
                return registry_denied(r, &o->err, false, err);
        if (err)
                *err = o->err;
        return -1;
}

static struct digest digest_of(enum digest_algorithm algorithm, const void *bytes, size_t n)
{
        auto_hash h = hash_new(algorithm);

        hash_add(h, bytes, n);
        return hash_digest(h);
}

/* The media type without parameters, in lower case as it is registered. */
static char *media_type(const struct http_answer *a)
{
        const char *s = a->headers[HTTP_CONTENT_TYPE] ?: "";

        return cor_strndup(s, strcspn(s, "; \t"));
}

/* The bytes are those that were asked for, or those that the registry says it sends. */
static int verify(const char *tag_or_digest, const struct outcome *o, struct digest *ret, struct cor_err *err)
{
        const char *said = o->answer.headers[HTTP_DOCKER_CONTENT_DIGEST];
        const char *expected = digest_is(tag_or_digest) ? tag_or_digest : said;
        struct digest d = DIGEST_NONE;
        enum digest_algorithm algorithm = DIGEST_SHA256;

        if (expected && digest_is(expected)) {
                if (digest_parse(expected, &d, err) < 0)
                        return -1;
                algorithm = digest_algorithm(&d);
        }
        *ret = digest_of(algorithm, o->answer.body ?: "", o->answer.n);
        if (digest_set(&d) && !digest_eq(&d, ret))
                return cor_fail(err, COR_INVALID, "the manifest's bytes have the digest %s, not %s as they should",
                                ret->text, d.text);
        return 0;
}

int registry_get_manifest(struct registry *r, const char *tag_or_digest, struct registry_manifest *ret,
                          struct cor_err *err)
{
        auto_str path = cor_printf("%s/manifests/%s", r->path, tag_or_digest);
        char *headers[] = { accept_manifests, NULL };
        struct call_spec spec = {
                .method = "GET",
                .need = digest_is(tag_or_digest) ? CALL_PULL : CALL_RESOLVE,
                .path = path,
                .headers = headers,
                .body_max = IMAGE_MANIFEST_MAX_BYTES,
        };
        auto_outcome o = { 0 };
        struct digest d;

        if (registry_ask(r, &spec, &o, err) < 0)
                return -1;
        if (o.err.kind != COR_OK)
                return manifest_failed(r, tag_or_digest, &o, err);
        if (problem_is_html(o.answer.body, o.answer.n))
                return cor_fail(err, COR_INVALID,
                                "%s answered with an HTML page, not with a manifest (a proxy, or not a registry)",
                                o.url);
        if (verify(tag_or_digest, &o, &d, err) < 0)
                return cor_wrap(err, "%s:%s", r->name, tag_or_digest);
        *ret = (struct registry_manifest){ .n = o.answer.n, .media_type = media_type(&o.answer), .digest = d };
        ret->bytes = o.answer.body ? COR_TAKE(o.answer.body) : cor_strdup("");
        return 0;
}

/* A registry without the headers of the specification is asked for the whole manifest. */
static int head_by_get(struct registry *r, const char *tag_or_digest, struct digest *ret, int64_t *ret_size,
                       struct cor_err *err)
{
        auto_registry_manifest m = { 0 };

        if (registry_get_manifest(r, tag_or_digest, &m, err) < 0)
                return -1;
        *ret = m.digest;
        *ret_size = (int64_t)m.n;
        return 0;
}

int registry_head_manifest(struct registry *r, const char *tag_or_digest, struct digest *ret, int64_t *ret_size,
                           struct cor_err *err)
{
        auto_str path = cor_printf("%s/manifests/%s", r->path, tag_or_digest);
        char *headers[] = { accept_manifests, NULL };
        struct call_spec spec = { .method = "HEAD", .need = CALL_RESOLVE, .path = path, .headers = headers };
        auto_outcome o = { 0 };
        struct digest d;
        uint64_t size;

        if (registry_ask(r, &spec, &o, err) < 0)
                return -1;
        if (o.answer.status == 405 || o.answer.status == 501)
                return head_by_get(r, tag_or_digest, ret, ret_size, err);
        if (o.err.kind != COR_OK)
                return manifest_failed(r, tag_or_digest, &o, err);
        if (digest_parse(o.answer.headers[HTTP_DOCKER_CONTENT_DIGEST] ?: "", &d, NULL) < 0 ||
            cor_parse_u64(o.answer.headers[HTTP_CONTENT_LENGTH] ?: "", &size) < 0 || size > IMAGE_MANIFEST_MAX_BYTES)
                return head_by_get(r, tag_or_digest, ret, ret_size, err);
        if (digest_is(tag_or_digest) && !cor_streq(tag_or_digest, d.text))
                return cor_fail(err, COR_INVALID, "%s@%s: the registry answers with the digest %s", r->name,
                                tag_or_digest, d.text);
        *ret = d;
        *ret_size = (int64_t)size;
        return 0;
}

int registry_blob_exists(struct registry *r, const struct digest *d, int64_t *ret_size, struct cor_err *err)
{
        auto_str path = cor_printf("%s/blobs/%s", r->path, d->text);
        struct call_spec spec = { .method = "HEAD", .need = CALL_PUSH, .path = path };
        auto_outcome o = { 0 };
        uint64_t size = 0;

        if (registry_ask(r, &spec, &o, err) < 0)
                return -1;
        if (o.answer.status == 404)
                return 0;
        if (o.err.kind != COR_OK) {
                if (err)
                        *err = o.err;
                return -1;
        }
        if (cor_parse_u64(o.answer.headers[HTTP_CONTENT_LENGTH] ?: "", &size) < 0 || size > INT64_MAX)
                return cor_fail(err, COR_INVALID, "%s: HEAD of blob %s without a usable Content-Length", r->name,
                                d->text);
        if (ret_size)
                *ret_size = (int64_t)size;
        return 1;
}

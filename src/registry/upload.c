/*
 * Blobs on their way out (distribution-spec, "Pushing blobs"). A small one goes in one PUT; a large one by PATCH, all
 * of it in one request unless the registry refuses that, and after a cut from where the registry says it has come to.
 *
 *      begin ── POST ──► small: whole ── PUT ──────────────────────────► done
 *        ▲               large: send ── PATCH … ──► commit ── PUT ─────► done
 *        │                        ▲ cut │              │ cut
 *        │                        └─ ask (GET)         └─► look (HEAD): there after all ► done
 *        └────────────── the registry knows nothing of it any more, or refuses PATCH
 */
#include "base/log.h"
#include "base/text.h"
#include "registry/address.h"
#include "registry/encode.h"
#include "registry/internal.h"
#include "registry/redirect.h"

#include <stdio.h>
#include <string.h>

enum {
        WHOLE_MAX_BYTES = 4 << 20,
        CHUNK_FIRST_BYTES = 64 << 20, /* after "too large", then a quarter each time */
        CHUNK_MIN_BYTES = 1 << 20,
        COMMIT_MS = 15 * 60 * 1000, /* a registry may hash or move it before it answers */
        PROGRESS_BYTES = 64 * 1024,
        DELAY_MS = 500,
};

struct upload {
        struct job job;
        struct registry_upload u;
        char *location;
        int64_t offset; /* that the registry has */
        int64_t top;    /* the most it ever had */
        int64_t chunk;  /* 0: as much as there is */
        int failures;   /* in a row, without progress */
        bool no_patch;
        bool mixed_up; /* what it got had another digest */
        struct call *call;
        struct cor_err err; /* of the last failure */
};

static void begin(struct upload *p);
static void send(struct upload *p);

static void upload_free(struct upload *p)
{
        free(p->location);
        free(p);
}

static void upload_end(struct upload *p, struct cor_err *error)
{
        struct registry_upload owner = p->u;
        struct cor_err err = error ? *error : (struct cor_err){ 0 };

        job_remove(&p->job);
        upload_free(p);
        owner.done(owner.context, error ? &err : NULL);
}

static void upload_drop(struct job *j)
{
        struct upload *p = (struct upload *)j;

        if (p->call)
                call_drop(p->call);
        upload_free(p);
}

static void upload_cancel(struct job *j, struct cor_err *error)
{
        struct upload *p = (struct upload *)j;

        if (p->call)
                call_drop(p->call);
        upload_end(p, error);
}

/* --------------------------------------------------------------------------------------------------------- failures */

/* What trying again will not change. */
static bool is_final(const struct http_answer *a)
{
        return a->end == HTTP_REFUSED || a->end == HTTP_UNTRUSTED || a->status == 401 || a->status == 403;
}

static int delay_of(const struct upload *p)
{
        return p->failures > 1 ? DELAY_MS << (p->failures < 6 ? p->failures - 2 : 4) : 0;
}

/* Count a failure; false if it was the last one, and the upload has ended. */
static bool may_go_on(struct upload *p, const struct http_answer *a, const struct cor_err *error)
{
        p->err = *error;
        if (p->offset >= p->top + PROGRESS_BYTES) {
                p->top = p->offset;
                p->failures = 0;
        }
        p->failures++;
        if (p->failures < p->job.registry->attempts && !is_final(a)) {
                cor_debug("registry: upload of %s: %s", p->u.digest.text, error->msg);
                return true;
        }
        upload_end(p, &p->err);
        return false;
}

/* --------------------------------------------------------------------------------------------------------- location */

/*
 * Where the registry wants the next request. Behind a proxy that ends TLS, one that was not told so names itself by
 * http: the same host is asked by https all the same.
 */
static int take_location(struct upload *p, const struct http_answer *a, const char *url, struct cor_err *err)
{
        char *next = NULL, *safe;
        bool downgrade = false;

        if (!a->headers[HTTP_LOCATION])
                return p->location ? 0 : cor_fail(err, COR_INVALID, "the registry does not say where to upload to");
        if (redirect_resolve(url, a->headers[HTTP_LOCATION], &next, err) < 0)
                return -1;
        if (address_same_origin(url, next, &downgrade) && downgrade) {
                safe = cor_printf("https:%s", next + strlen("http:"));
                free(next);
                next = safe;
        } else if (downgrade) {
                cor_fail(err, COR_DENIED, "the registry wants an upload without encryption, to '%.100s': refused",
                         next);
                free(next);
                return -1;
        }
        free(p->location);
        p->location = next;
        return 0;
}

static char *with_digest(const struct upload *p)
{
        auto_text t = COR_TEXT_INIT;

        cor_text_printf(&t, "%s%cdigest=", p->location, strchr(p->location, '?') ? '&' : '?');
        percent_add(&t, p->u.digest.text, "");
        return cor_text_take(&t);
}

/* "0-1023" is 1024 bytes; -1 if it is not of that form or not possible */
static int64_t bytes_of_range(const struct upload *p, const char *range)
{
        long long first = -1, last = -1;

        if (!range || sscanf(range + (cor_starts_with(range, "bytes=") ? 6 : 0), "%lld-%lld", &first, &last) != 2 ||
            first != 0 || last < 0 || last >= p->u.size)
                return -1;
        return last == 0 ? 0 : last + 1; /* nothing yet is said as 0-0 */
}

/* ----------------------------------------------------------------------------------------------------------- course */

static ssize_t on_read(void *context, int64_t offset, void *buf, size_t n, struct cor_err *err)
{
        struct upload *p = context;
        ssize_t got = p->u.read(p->u.context, offset, buf, n, err);

        if (got > 0 && p->u.progress)
                p->u.progress(p->u.context, offset + got);
        return got;
}

static void looked(void *context, const struct http_answer *a, const char *url, const struct cor_err *error)
{
        struct upload *p = context;

        p->call = NULL;
        if (!error)
                upload_end(p, NULL);
        else if (may_go_on(p, a, &p->err))
                begin(p);
}

/* The last word of an upload was lost: it may have come about. */
static void look(struct upload *p)
{
        auto_str path = cor_printf("%s/blobs/%s", p->job.registry->path, p->u.digest.text);
        struct call_spec spec = {
                .method = "HEAD", .need = CALL_PUSH, .path = path, .delay_ms = delay_of(p), .done = looked, .context = p
        };

        p->call = call_new(p->job.registry, &spec);
}

static void committed(void *context, const struct http_answer *a, const char *url, const struct cor_err *error)
{
        struct upload *p = context;

        p->call = NULL;
        if (!error) {
                upload_end(p, NULL);
                return;
        }
        p->err = *error;
        if (a->status == 400 && !p->mixed_up) { /* its bytes are not ours: once more */
                p->mixed_up = true;
                if (may_go_on(p, a, error))
                        begin(p);
        } else if (is_final(a) || a->status == 400) {
                upload_end(p, &p->err);
        } else {
                look(p);
        }
}

/* PUT: with the bytes that are left if @n > 0, else only the digest. */
static void put(struct upload *p, int64_t n)
{
        static char type[] = "Content-Type: application/octet-stream";
        char *headers[] = { type, NULL };
        auto_str url = with_digest(p);
        struct call_spec spec = {
                .method = "PUT",
                .need = CALL_PUSH,
                .url = url,
                .headers = headers,
                .read = n > 0 ? on_read : NULL,
                .offset = p->offset,
                .n_read = n,
                .answer_ms = COMMIT_MS,
                .once = true,
                .delay_ms = delay_of(p),
                .done = committed,
                .context = p,
        };

        p->call = call_new(p->job.registry, &spec);
}

static void asked(void *context, const struct http_answer *a, const char *url, const struct cor_err *error)
{
        struct upload *p = context;
        int64_t there = bytes_of_range(p, a->headers[HTTP_RANGE]);

        p->call = NULL;
        if (!error && take_location(p, a, url, &p->err) == 0 && there >= 0) {
                p->offset = there;
                send(p);
                return;
        }
        if (may_go_on(p, a, error ? error : &p->err))
                begin(p);
}

/* Where the registry has come to. */
static void ask(struct upload *p)
{
        struct call_spec spec = { .method = "GET",
                                  .need = CALL_PUSH,
                                  .url = p->location,
                                  .delay_ms = delay_of(p),
                                  .done = asked,
                                  .context = p };

        p->call = call_new(p->job.registry, &spec);
}

static void refuse_size(struct upload *p, int64_t was)
{
        p->chunk = p->chunk == 0 ? CHUNK_FIRST_BYTES : p->chunk / 4;
        while (p->chunk >= was && p->chunk > CHUNK_MIN_BYTES)
                p->chunk /= 4;
        if (p->chunk < CHUNK_MIN_BYTES)
                p->chunk = CHUNK_MIN_BYTES;
}

static int64_t next_size(const struct upload *p)
{
        int64_t left = p->u.size - p->offset;

        return p->chunk && left > p->chunk ? p->chunk : left;
}

static void sent(void *context, const struct http_answer *a, const char *url, const struct cor_err *error)
{
        struct upload *p = context;
        int64_t n = next_size(p), there = bytes_of_range(p, a->headers[HTTP_RANGE]);

        p->call = NULL;
        if (!error && take_location(p, a, url, &p->err) < 0) {
                upload_end(p, &p->err);
        } else if (!error) {
                p->offset = there > p->offset ? there : p->offset + n;
                p->failures = 0;
                send(p);
        } else if (a->status == 413 && n > CHUNK_MIN_BYTES) {
                refuse_size(p, n);
                if (may_go_on(p, a, error))
                        ask(p);
        } else if (a->status == 404 || a->status == 405 || a->status == 501) {
                p->no_patch |= a->status != 404;
                if (may_go_on(p, a, error))
                        begin(p);
        } else if (may_go_on(p, a, error)) {
                ask(p);
        }
}

static void patch(struct upload *p)
{
        static char type[] = "Content-Type: application/octet-stream";
        int64_t n = next_size(p);
        auto_str range = cor_printf("Content-Range: %lld-%lld", (long long)p->offset, (long long)(p->offset + n - 1));
        char *headers[] = { type, NULL, NULL };
        struct call_spec spec = {
                .method = "PATCH",
                .need = CALL_PUSH,
                .url = p->location,
                .headers = headers,
                .read = on_read,
                .offset = p->offset,
                .n_read = n,
                .answer_ms = COMMIT_MS,
                .once = true,
                .delay_ms = delay_of(p),
                .done = sent,
                .context = p,
        };

        if (n < p->u.size) /* docker's stream of a whole blob has none, and every registry understands that */
                headers[1] = range;
        p->call = call_new(p->job.registry, &spec);
}

static void send(struct upload *p)
{
        if (p->offset == p->u.size)
                put(p, 0);
        else if (p->offset == 0 && (p->no_patch || p->u.size <= WHOLE_MAX_BYTES))
                put(p, p->u.size);
        else
                patch(p);
}

static void begun(void *context, const struct http_answer *a, const char *url, const struct cor_err *error)
{
        struct upload *p = context;

        p->call = NULL;
        if (!error && a->status == 201) { /* it was there already */
                upload_end(p, NULL);
                return;
        }
        if (error || take_location(p, a, url, &p->err) < 0) {
                upload_end(p, error ? (p->err = *error, &p->err) : &p->err);
                return;
        }
        send(p);
}

static void begin(struct upload *p)
{
        struct registry *r = p->job.registry;
        auto_str path = cor_printf("%s/blobs/uploads/", r->path);
        struct call_spec spec = {
                .method = "POST", .need = CALL_PUSH, .path = path, .delay_ms = delay_of(p), .done = begun, .context = p
        };

        p->offset = 0;
        free(p->location);
        p->location = NULL;
        p->call = call_new(r, &spec);
}

static void upload_start(struct job *j)
{
        struct upload *p = (struct upload *)j;

        if (p->location)
                send(p);
        else
                begin(p);
}

int registry_upload(struct registry *r, const struct registry_upload *wanted, struct cor_err *err)
{
        struct upload *p;

        if (wanted->size < 0)
                return cor_fail(err, COR_INVALID, "%s: an upload of %lld bytes", wanted->digest.text,
                                (long long)wanted->size);
        p = cor_alloc(sizeof *p);
        p->u = *wanted;
        p->job =
                (struct job){ .kind = JOB_UPLOAD, .start = upload_start, .drop = upload_drop, .cancel = upload_cancel };
        if (cor_streq(r->mounting_digest, p->u.digest.text)) { /* a refused mount has begun it */
                p->location = COR_TAKE(r->mounting_url);
                free(COR_TAKE(r->mounting_digest));
        }
        job_add(r, &p->job);
        return 0;
}

int registry_mount_blob(struct registry *r, const struct digest *d, const char *from, struct cor_err *err)
{
        auto_str path = cor_printf("%s/blobs/uploads/", r->path);
        auto_str scope = cor_printf("repository:%s:pull", from);
        auto_text query = COR_TEXT_INIT;
        struct call_spec spec = { .method = "POST", .need = CALL_PUSH, .path = path, .scope = scope };
        auto_outcome o = { 0 };
        struct upload p = { .location = NULL };

        cor_text_add(&query, "mount=");
        percent_add(&query, d->text, "");
        cor_text_add(&query, "&from=");
        percent_add(&query, from, "");
        spec.query = query.s;
        if (registry_ask(r, &spec, &o, err) < 0)
                return -1;
        if (o.err.kind != COR_OK && o.answer.status / 100 != 4) {
                if (err)
                        *err = o.err;
                return -1;
        }
        if (o.err.kind !=
            COR_OK) /* we may not read there, or there are no mounts: an upload says what is wrong, if it is */
                return 0;
        if (o.answer.status == 201)
                return 1;
        if (take_location(&p, &o.answer, o.url, NULL) == 0) { /* registry_upload() goes on there */
                free(r->mounting_digest);
                free(r->mounting_url);
                r->mounting_digest = cor_strdup(d->text);
                r->mounting_url = p.location;
        }
        return 0;
}

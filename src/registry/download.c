/*
 * Blobs on their way in. A download is one call that begins again where it was cut off; a server that cannot continue
 * sends all from the start, and the owner is told to start over. Length is checked here; the digest is checked by who
 * keeps the bytes (`check`), before or after: nothing is trusted until then.
 */
#include "base/log.h"
#include "base/text.h"
#include "registry/internal.h"

#include <stdio.h>
#include <string.h>

struct download {
        struct job job;
        struct registry_download d;
        char **urls; /* still to be tried */
        size_t n_urls, url;
        int64_t offset; /* next byte wanted */
        int64_t top;    /* most bytes there ever were */
        bool wrong;     /* the digest was not right: what comes is no progress any more */
        bool again;     /* begun anew after "range not satisfiable" */
        struct call *call;
};

static void download_start(struct job *j);

static void download_free(struct download *d)
{
        for (size_t i = 0; i < d->n_urls; i++)
                free(d->urls[i]);
        free(d->urls);
        free(d);
}

/* Out of the queue, owner told, gone. */
static void download_end(struct download *d, struct cor_err *error)
{
        struct registry_download owner = d->d;

        job_remove(&d->job);
        download_free(d);
        owner.done(owner.context, error);
}

static void download_drop(struct job *j)
{
        struct download *d = (struct download *)j;

        if (d->call)
                call_drop(d->call);
        download_free(d);
}

static void download_cancel(struct job *j, struct cor_err *error)
{
        struct download *d = (struct download *)j;

        if (d->call)
                call_drop(d->call);
        download_end(d, error);
}

/* ------------------------------------------------------------------------------------------------ hooks of the call */

static int64_t from(void *context)
{
        const struct download *d = context;

        return d->offset;
}

static int64_t progress(void *context)
{
        const struct download *d = context;

        return d->wrong ? 0 : d->top;
}

static int restart(struct download *d, struct cor_err *err)
{
        if (d->offset == 0)
                return 0;
        if (d->d.restart(d->d.context, err) < 0)
                return -1;
        d->offset = 0;
        return 0;
}

/* "bytes 100-199/200" has to begin where we asked, and to be of as many bytes as there should be. */
static int check_range(const struct download *d, const char *range, struct cor_err *err)
{
        long long first = -1, last = -1, total = d->d.size;
        int n = range ? sscanf(range, "bytes %lld-%lld/%lld", &first, &last, &total) : 0;

        if (n < 2 || first != d->offset || total != d->d.size)
                return cor_fail(err, COR_INVALID, "%s: asked for bytes from %lld of %lld on, the answer is of '%.60s'",
                                d->d.digest.text, (long long)d->offset, (long long)d->d.size, range ? range : "none");
        return 0;
}

static int head(void *context, const struct http_answer *a, struct cor_err *err)
{
        struct download *d = context;
        const char *length = a->headers[HTTP_CONTENT_LENGTH];
        uint64_t n;

        if (a->status == 206)
                return check_range(d, a->headers[HTTP_CONTENT_RANGE], err) < 0 ? -1 : 1;
        if (length && cor_parse_u64(length, &n) == 0 && n != (uint64_t)d->d.size)
                return cor_fail(err, COR_INVALID, "%s: expected %lld bytes, the registry has %s", d->d.digest.text,
                                (long long)d->d.size, length);
        return restart(d, err) < 0 ? -1 : 1;
}

static int data(void *context, const void *bytes, size_t n, struct cor_err *err)
{
        struct download *d = context;

        if ((int64_t)n > d->d.size - d->offset)
                return cor_fail(err, COR_INVALID, "%s: the registry sends more than its %lld bytes", d->d.digest.text,
                                (long long)d->d.size);
        if (d->d.write(d->d.context, bytes, n, err) < 0)
                return -1;
        d->offset += (int64_t)n;
        if (d->offset > d->top)
                d->top = d->offset;
        return 0;
}

/* Bytes that an earlier attempt left may be the wrong ones: then, and once, this host is worth another try. */
static int wrong(struct download *d, struct cor_err *err)
{
        bool again = d->d.offset > 0 && !d->wrong;

        d->wrong = true;
        return restart(d, err) < 0 || !again ? CALL_CHECK_FINAL : CALL_CHECK_AGAIN;
}

static int check(void *context, const struct http_answer *a, struct cor_err *err)
{
        struct download *d = context;

        if (d->offset < d->d.size) {
                cor_fail(err, COR_SYSTEM, "%s: only %lld of %lld bytes came", d->d.digest.text, (long long)d->offset,
                         (long long)d->d.size);
                return CALL_CHECK_AGAIN;
        }
        return d->d.check && d->d.check(d->d.context, err) < 0 ? wrong(d, err) : 0;
}

/* ----------------------------------------------------------------------------------------------------------- course */

static void done(void *context, const struct http_answer *a, const char *url, const struct cor_err *error)
{
        struct download *d = context;
        struct cor_err err;

        d->call = NULL;
        if (!error) {
                download_end(d, NULL);
                return;
        }
        err = *error;
        if (a->status == 416 && d->offset > 0 && !d->again && restart(d, &err) == 0) {
                d->again = true;
                download_start(&d->job);
                return;
        }
        if (d->url < d->n_urls) {
                cor_debug("registry: %s", err.msg);
                d->url++;
                download_start(&d->job);
                return;
        }
        if (a->status == 404)
                cor_wrap(&err, "%s: blob %s", d->job.registry->name, d->d.digest.text);
        else if (err.kind == COR_DENIED)
                registry_denied(d->job.registry, error, false, &err);
        download_end(d, &err);
}

/* What is empty, or was whole when the last attempt died, needs no request. */
static bool is_whole(struct download *d)
{
        struct cor_err err = { 0 };

        if (d->offset < d->d.size)
                return false;
        if (!d->d.check || d->d.check(d->d.context, &err) == 0) {
                download_end(d, NULL);
        } else if (d->d.size == 0 || restart(d, &err) < 0) {
                download_end(d, &err);
        } else {
                d->wrong = true;
                return false;
        }
        return true;
}

static void download_start(struct job *j)
{
        struct download *d = (struct download *)j;
        bool foreign = d->url < d->n_urls;
        auto_str path = cor_printf("%s/blobs/%s", j->registry->path, d->d.digest.text);
        struct call_spec spec = {
                .method = "GET",
                .need = CALL_PULL,
                .path = path,
                .url = foreign ? d->urls[d->url] : NULL,
                .foreign = foreign,
                .from = from,
                .head = head,
                .data = data,
                .check = check,
                .progress = progress,
                .done = done,
                .context = d,
        };

        if (!is_whole(d))
                d->call = call_new(j->registry, &spec);
}

int registry_download(struct registry *r, const struct registry_download *wanted, struct cor_err *err)
{
        struct download *d;

        if (wanted->size < 0 || wanted->offset < 0 || wanted->offset > wanted->size)
                return cor_fail(err, COR_INVALID, "%s: no part of %lld bytes begins at %lld", wanted->digest.text,
                                (long long)wanted->size, (long long)wanted->offset);
        d = cor_alloc(sizeof *d);
        d->d = *wanted;
        d->offset = d->top = wanted->offset;
        for (const char *const *u = wanted->urls; u && *u; u++)
                *COR_GROW(d->urls, d->n_urls) = cor_strdup(*u);
        d->d.urls = NULL;
        d->job = (struct job){
                .kind = JOB_DOWNLOAD, .start = download_start, .drop = download_drop, .cancel = download_cancel
        };
        job_add(r, &d->job);
        return 0;
}

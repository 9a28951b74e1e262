/* A file from any address: nothing of what is known about registries goes there. A try that is cut off begins anew. */
#include "base/text.h"
#include "registry/address.h"
#include "registry/internal.h"

enum { FETCH_ATTEMPTS = 3 };

struct fetch {
        struct outcome outcome; /* comes first: the call hands it to all hooks */
        const struct registry_fetch *wanted;
        int64_t got, total; /* total 0: not said */
};

static int too_long(const struct fetch *f, struct cor_err *err)
{
        return cor_fail(err, COR_INVALID, "it has more than the %lld bytes of %s", (long long)f->wanted->limit,
                        f->wanted->limit_name);
}

static int head(void *context, const struct http_answer *a, struct cor_err *err)
{
        struct fetch *f = context;
        const char *length = a->headers[HTTP_CONTENT_LENGTH];
        int64_t limit = f->wanted->limit;
        uint64_t n = 0;

        if (length && cor_parse_u64(length, &n) == 0 && limit > 0 && n > (uint64_t)limit)
                return too_long(f, err);
        if (f->got > 0 && f->wanted->restart(f->wanted->context, err) < 0)
                return -1;
        f->got = 0;
        f->total = n > INT64_MAX ? 0 : (int64_t)n;
        return 1;
}

static int data(void *context, const void *bytes, size_t n, struct cor_err *err)
{
        struct fetch *f = context;

        if (f->wanted->limit > 0 && (int64_t)n > f->wanted->limit - f->got)
                return too_long(f, err);
        if (f->wanted->write(f->wanted->context, bytes, n, err) < 0)
                return -1;
        f->got += (int64_t)n;
        if (f->wanted->progress)
                f->wanted->progress(f->wanted->context, f->got, f->total);
        return 0;
}

int registry_fetch(struct registry *r, const struct registry_fetch *wanted, struct cor_err *err)
{
        struct fetch f = { .wanted = wanted };
        struct call_spec spec = {
                .method = "GET", .need = CALL_PULL, .url = wanted->url, .foreign = true, .head = head, .data = data
        };

        int result;

        r->attempts = FETCH_ATTEMPTS;
        result = registry_ask(r, &spec, &f.outcome, err);
        if (result == 0 && f.outcome.err.kind != COR_OK) {
                if (err)
                        *err = f.outcome.err;
                result = cor_wrap(err, "fetch %s", wanted->url);
        }
        outcome_done(&f.outcome);
        return result;
}

int registry_fetch_domain(const char *url, char **ret, struct cor_err *err)
{
        auto_address a = ADDRESS_INIT;

        if (address_of_url(url, &a) < 0)
                return cor_fail(err, COR_INVALID,
                                "'%.200s' is no address to fetch from: expected http://HOST/… or "
                                "https://HOST/…, without a user's name",
                                url);
        *ret = address_format(&a);
        return 0;
}

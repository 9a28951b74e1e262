#include "base/log.h"
#include "registry/address.h"
#include "registry/call_internal.h"
#include "registry/encode.h"

#include <string.h>

enum {
        ANSWER_MAX_BYTES = 64 * 1024, /* of a document, unless the call says otherwise */
        TOKEN_ANSWER_MAX_BYTES = 256 * 1024,
};

/* -------------------------------------------------------------------------------------------------- birth and death */

struct call *call_new(struct registry *r, const struct call_spec *spec)
{
        struct call *c = cor_alloc(sizeof *c), **end = &r->calls;

        c->registry = r;
        c->spec = *spec;
        c->method = cor_strdup(spec->method);
        c->path = cor_strdup(spec->path);
        c->query = cor_strdup(spec->query);
        c->given_url = cor_strdup(spec->url);
        c->scope = cor_strdup(spec->scope);
        for (char *const *h = spec->headers; h && *h; h++)
                cor_strv_add(&c->headers, *h);
        c->progress = spec->progress ? spec->progress(spec->context) : 0;
        c->host = SIZE_MAX; /* the first one is looked for when it starts */
        c->wake_at = http_now(r->http) + spec->delay_ms;
        while (*end) /* in the order in which they were made */
                end = &(*end)->next;
        *end = c;
        return c;
}

static void call_free(struct call *c)
{
        struct call **at = &c->registry->calls;

        while (*at != c)
                at = &(*at)->next;
        *at = c->next;
        free(c->method);
        free(c->path);
        free(c->query);
        free(c->given_url);
        free(c->scope);
        cor_strv_done(&c->headers);
        free(c->url);
        free(c->used_authorization);
        token_request_done(&c->token);
        challenges_done(&c->challenges);
        free(c);
}

void call_drop(struct call *c)
{
        if (c->transfer)
                http_abort(c->transfer);
        call_free(c);
}

void call_finish(struct call *c, const struct http_answer *a, bool good)
{
        struct http_answer none = { .end = HTTP_CUT };
        struct cor_err err = c->err;

        c->spec.done(c->spec.context, a ? a : &none, c->url ? c->url : "", good ? NULL : &err);
        call_free(c);
}

/* ------------------------------------------------------------------------------------------------------------ hosts */

static bool host_serves(const struct call *c, const struct host *h)
{
        if (c->spec.need == CALL_PUSH)
                return h->settings.push;
        return c->spec.need == CALL_RESOLVE ? h->settings.resolve : h->settings.pull;
}

struct host *call_host(const struct call *c)
{
        return c->host < c->registry->n_hosts ? &c->registry->hosts[c->host] : NULL;
}

/* The next host after the present one that serves this; one that is down only if there is no other. */
bool call_next_host(struct call *c)
{
        const struct registry *r = c->registry;
        size_t from = c->host == SIZE_MAX ? 0 : c->host + 1;

        if (c->given_url && from > 0)
                return false;
        for (int down = 0; down < (c->host == SIZE_MAX ? 2 : 1); down++)
                for (size_t i = from; i < r->n_hosts; i++)
                        if (host_serves(c, &r->hosts[i]) && (down || !r->hosts[i].down)) {
                                c->host = i;
                                c->attempts = c->redirects = c->auth_tries = 0;
                                return true;
                        }
        return false;
}

/* An upload's location stands for the host that gave it. */
static bool host_by_url(struct call *c)
{
        for (size_t i = 0; i < c->registry->n_hosts; i++) {
                struct host *h = &c->registry->hosts[i];
                bool downgrade;

                if (host_serves(c, h) && address_same_origin(h->root, c->given_url, &downgrade) && !downgrade) {
                        c->host = i;
                        return true;
                }
        }
        return false;
}

static bool first_host(struct call *c)
{
        if (!c->given_url)
                return call_next_host(c);
        if (!c->spec.foreign && host_by_url(c))
                return true;
        c->elsewhere = true;
        c->host = c->registry->n_hosts;
        return true;
}

/* --------------------------------------------------------------------------------------------------------- requests */

static char *first_url(const struct call *c)
{
        const struct host *h = call_host(c);
        auto_text t = COR_TEXT_INIT;
        char separator = '?';

        if (c->given_url)
                return cor_strdup(c->given_url);
        cor_text_printf(&t, "%.*s/", (int)strlen(h->root) - (c->spec.v1 && cor_ends_with(h->root, "/v2") ? 3 : 0),
                        h->root);
        cor_text_add(&t, c->spec.v1 ? "v1/" : "");
        percent_add(&t, c->path, "/:@");
        if (c->query) {
                cor_text_printf(&t, "?%s", c->query);
                separator = '&';
        }
        if (h->settings.name_space) {
                cor_text_printf(&t, "%cns=", separator);
                percent_add(&t, c->registry->domain, "");
        }
        return cor_text_take(&t);
}

static bool token_is_usable(const struct call *c, const struct host *h)
{
        if (!h->authorization)
                return false;
        if (!h->token)
                return true;
        return http_now(c->registry->http) < h->token_until && (h->token_push || c->spec.need != CALL_PUSH);
}

/* What goes to the registry itself, and to nobody else. */
static void add_own_headers(struct call *c, struct host *h, struct cor_strv *headers)
{
        for (size_t i = 0; i < h->settings.headers.n_items; i++)
                cor_strv_add(headers, h->settings.headers.items[i]);
        if (token_is_usable(c, h)) {
                free(c->used_authorization);
                c->used_authorization = cor_strdup(h->authorization);
                cor_strv_take(headers, cor_printf("Authorization: %s", h->authorization));
        }
}

/* The hooks of a call have a context of their own. */
static int on_head(void *context, const struct http_answer *a, struct cor_err *err)
{
        struct call *c = context;

        if (!c->spec.data || a->status / 100 != 2)
                return 0;
        return c->spec.head ? c->spec.head(c->spec.context, a, err) : 1;
}

static int on_data(void *context, const void *bytes, size_t n, struct cor_err *err)
{
        struct call *c = context;

        return c->spec.data(c->spec.context, bytes, n, err);
}

static ssize_t on_read(void *context, int64_t offset, void *buf, size_t n, struct cor_err *err)
{
        struct call *c = context;

        return c->spec.read(c->spec.context, offset, buf, n, err);
}

static void collect_headers(struct call *c, struct cor_strv *headers)
{
        int64_t from = c->spec.from ? c->spec.from(c->spec.context) : 0;
        struct host *h = call_host(c);

        for (size_t i = 0; i < c->headers.n_items; i++)
                cor_strv_add(headers, c->headers.items[i]);
        if (from > 0)
                cor_strv_take(headers, cor_printf("Range: bytes=%lld-", (long long)from));
        free(c->used_authorization);
        c->used_authorization = NULL;
        if (h && !c->elsewhere)
                add_own_headers(c, h, headers);
}

void call_ask(struct call *c)
{
        struct host *h = call_host(c);
        auto_strv headers = { 0 };
        struct http_request q = {
                .method = c->method,
                .trust = h ? &h->trust : NULL,
                .body = c->spec.body,
                .n_body = c->spec.n_body,
                .read = c->spec.read ? on_read : NULL,
                .offset = c->spec.offset,
                .n_read = c->spec.n_read,
                .answer_ms = c->spec.answer_ms,
                .body_max = c->spec.body_max ? c->spec.body_max : ANSWER_MAX_BYTES,
                .head = on_head,
                .data = on_data,
                .done = call_answered,
                .context = c,
        };

        if (!c->url)
                c->url = first_url(c);
        collect_headers(c, &headers);
        q.url = c->url;
        q.headers = headers.items;
        cor_debug("registry: %s %s", c->method, c->url);
        c->state = CALL_ASKING;
        c->transfer = http_start(c->registry->http, &q);
}

void call_ask_token(struct call *c)
{
        struct host *h = call_host(c);
        auto_str authorization =
                c->token.authorization ? cor_printf("Authorization: %s", c->token.authorization) : NULL;
        char *headers[] = { authorization, NULL };
        struct http_request q = {
                .method = c->token.post ? "POST" : "GET",
                .url = c->token.url,
                .headers = headers,
                .trust = &h->trust,
                .body = c->token.form,
                .n_body = c->token.form ? strlen(c->token.form) : 0,
                .body_max = TOKEN_ANSWER_MAX_BYTES,
                .done = call_token_answered,
                .context = c,
        };

        cor_debug("registry: token from %.*s", (int)strcspn(c->token.url, "?"), c->token.url);
        c->state = CALL_TOKEN;
        c->transfer = http_start(c->registry->http, &q);
}

/* --------------------------------------------------------------------------------------------------------- the loop */

static void begin(struct call *c)
{
        if (c->state == CALL_WAITING && !first_host(c)) {
                cor_fail(&c->err, COR_UNSUPPORTED,
                         "none of the configured hosts of %s may be used for this (capabilities)", c->registry->domain);
                call_finish(c, NULL, false);
                return;
        }
        call_ask(c);
}

/* The first call that has to begin now, or NULL; *wait_ms is made shorter to reach the next one that will. */
static struct call *due(struct registry *r, int *wait_ms)
{
        int64_t now = http_now(r->http);

        for (struct call *c = r->calls; c; c = c->next) {
                /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): a call that is freed is not in the list */
                if (c->state != CALL_WAITING && c->state != CALL_LATER)
                        continue;
                if (c->wake_at <= now)
                        return c;
                if (c->wake_at - now < *wait_ms)
                        *wait_ms = (int)(c->wake_at - now);
        }
        return NULL;
}

int calls_step(struct registry *r, int max_ms)
{
        for (struct call *c; (c = due(r, &max_ms));)
                begin(c);
        return max_ms;
}

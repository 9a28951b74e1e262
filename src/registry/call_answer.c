/*
 * What an answer leads to. Rules of safety: credentials and headers of ours go to the host they are for only (not along
 * a redirect to another one, not to a foreign URL); a redirect leads to http or https, and never from https to http on
 * the same host; the number of redirects, of answers to 401 and of tries is bounded.
 */
#include "base/log.h"
#include "base/text.h"
#include "registry/address.h"
#include "registry/call_internal.h"
#include "registry/problem.h"
#include "registry/redirect.h"

#include <ctype.h>
#include <string.h>
#include <time.h>

enum {
        REDIRECTS_MAX = 10,
        AUTH_TRIES_MAX = 2,
        BACKOFF_MS = 500,
        BACKOFF_MAX_MS = 8000,
        RETRY_AFTER_MAX_MS = 60 * 1000, /* who wants longer is not waited for */
        PROGRESS_BYTES = 64 * 1024,     /* that much more than before, and tries are counted anew */
};

/* A URL for people, as Go writes it: Get "https://…". Queries hold signatures. */
static void name_url(struct call *c)
{
        auto_str verb = cor_strdup(c->method);

        for (char *v = verb + 1; *v; v++)
                *v = (char)tolower((unsigned char)*v);
        cor_wrap(&c->err, "%s \"%.*s\"", verb, (int)strcspn(c->url, "?"), c->url);
}

/* ---------------------------------------------------------------------------------------------------------- retries */

static bool has_progressed(struct call *c)
{
        int64_t now = c->spec.progress ? c->spec.progress(c->spec.context) : 0;
        bool more = now - c->progress >= PROGRESS_BYTES;

        if (more)
                c->progress = now;
        return more;
}

static void begin_anew(struct call *c)
{
        free(c->url);
        c->url = NULL; /* a redirect may have been valid for a moment only */
        c->redirects = 0;
        c->elsewhere = c->given_url && !call_host(c);
}

static void later(struct call *c, int64_t wait_ms)
{
        int64_t backoff = BACKOFF_MS << (c->attempts < 5 ? c->attempts : 5);

        if (backoff > BACKOFF_MAX_MS)
                backoff = BACKOFF_MAX_MS;
        if (wait_ms < backoff / 2)
                wait_ms = backoff / 2;
        c->auth_tries = 0;
        cor_debug("registry: %s (next try in %lld ms)", c->err.msg, (long long)wait_ms);
        begin_anew(c);
        c->state = CALL_LATER;
        c->wake_at = http_now(c->registry->http) + wait_ms;
}

static bool has_next(const struct call *c)
{
        struct call look = *c; /* call_next_host() changes numbers only */

        return call_next_host(&look);
}

static void go_on_with_next(struct call *c)
{
        cor_debug("registry: %s: the next host is asked", c->err.msg);
        call_next_host(c);
        begin_anew(c);
        call_ask(c);
}

void call_fail(struct call *c, const struct http_answer *a, int64_t wait_ms)
{
        bool progressed = has_progressed(c);

        if (progressed)
                c->attempts = 0;
        else
                c->attempts++;
        if (wait_ms > RETRY_AFTER_MAX_MS)
                c->attempts = c->registry->attempts;
        if (!progressed && has_next(c))
                go_on_with_next(c);
        else if (c->attempts < c->registry->attempts && !c->spec.once)
                later(c, wait_ms);
        else
                call_finish(c, a, false);
}

/* What no further try at this host would change. */
static void call_refused(struct call *c, const struct http_answer *a)
{
        if (has_next(c))
                go_on_with_next(c);
        else
                call_finish(c, a, false);
}

/* Seconds, or a date. */
static int64_t retry_after_ms(const struct http_answer *a)
{
        const char *s = a->headers[HTTP_RETRY_AFTER];
        uint32_t seconds;
        time_t until;

        if (!s)
                return 0;
        if (cor_parse_u32(s, &seconds) == 0)
                return (int64_t)seconds * 1000;
        until = redirect_date(s);
        return until > time(NULL) ? (int64_t)(until - time(NULL)) * 1000 : 0;
}

static bool is_passing(int status)
{
        return status == 408 || status == 429 || status == 500 || status == 502 || status == 503 || status == 504;
}

/* ------------------------------------------------------------------------------------------------------ credentials */

static void refuse_access(struct call *c, const struct http_answer *a, const char *why)
{
        struct host *h = call_host(c);

        cor_fail(&c->err, COR_DENIED, "%s%s%s", why, h && h->auth_problem[0] ? "; " : "", h ? h->auth_problem : "");
        call_refused(c, a);
}

static void ask_with(struct call *c, struct host *h, char *authorization, bool token)
{
        free(h->authorization);
        h->authorization = authorization;
        h->token = token;
        begin_anew(c);
        call_ask(c);
}

/* The scopes of a token: what the registry names, and what all calls of this kind need. */
static void add_scopes(const struct call *c, const struct challenge *ch, struct cor_strv *scopes)
{
        const struct registry *r = c->registry;
        auto_str own =
                r->path ? cor_printf("repository:%s:%s", r->path, c->spec.need == CALL_PUSH ? "pull,push" : "pull")
                        : NULL;

        if (own)
                cor_strv_add(scopes, own);
        if (ch->scope && *ch->scope && !cor_streq(ch->scope, own))
                cor_strv_add(scopes, ch->scope);
        if (c->scope)
                cor_strv_add(scopes, c->scope);
}

static void get_token(struct call *c, const struct http_answer *a, struct host *h, const struct challenge *ch)
{
        const struct registry *r = c->registry;
        auto_strv scopes = { 0 };

        if (h->has_auth && h->auth.registry_token) {
                ask_with(c, h, cor_printf("Bearer %s", h->auth.registry_token), false);
                return;
        }
        add_scopes(c, ch, &scopes);
        token_request_done(&c->token);
        if (token_request_make(ch, h->has_auth ? &h->auth : NULL, h->root, &scopes, r->offline, &c->token, &c->err) <
            0) {
                call_refused(c, a);
                return;
        }
        c->token_push = c->spec.need == CALL_PUSH;
        call_ask_token(c);
}

static void challenged(struct call *c, const struct http_answer *a)
{
        struct host *h = call_host(c);
        struct problem p = problem_read(a->status, a->body, a->n);
        auto_challenges all = { 0 };
        const struct challenge *ch;

        if (!h || c->elsewhere) {
                cor_fail(&c->err, COR_DENIED, "%.100s asks for credentials, which are for the registry alone", c->url);
                call_refused(c, a);
                return;
        }
        if (h->authorization && !cor_streq(h->authorization, c->used_authorization) && c->auth_tries == 0 &&
            (!h->token || h->token_push || c->spec.need != CALL_PUSH)) { /* got by another call meanwhile */
                c->auth_tries++;
                begin_anew(c);
                call_ask(c);
                return;
        }
        if (++c->auth_tries > AUTH_TRIES_MAX) {
                refuse_access(c, a, p.text);
                return;
        }
        challenges_parse(a->headers[HTTP_WWW_AUTHENTICATE] ?: "", &all);
        ch = challenges_choose(&all);
        host_credentials(c->registry->config, c->registry->broker, h);
        if (ch && ch->scheme == CHALLENGE_BEARER)
                get_token(c, a, h, ch);
        else if (ch && (!h->has_auth || !h->auth.user))
                refuse_access(c, a, "no basic auth credentials");
        else if (!ch || c->used_authorization)
                refuse_access(c, a, p.text);
        else
                ask_with(c, h, auth_basic(&h->auth), false);
}

static void token_refused(struct call *c, const struct http_answer *a)
{
        struct problem p = problem_read(a->status, a->body, a->n);

        cor_fail(&c->err, p.kind, "%s", p.text);
        if (is_passing(a->status))
                call_fail(c, a, retry_after_ms(a));
        else
                call_refused(c, a);
}

/* A token server that sends elsewhere is followed without the password, and from https to https only. */
static bool follow_token(struct call *c, const struct http_answer *a)
{
        bool downgrade = false, same;
        char *next = NULL;

        if (a->status < 301 || a->status > 308 || c->token.post || ++c->redirects > REDIRECTS_MAX ||
            !a->headers[HTTP_LOCATION] || redirect_resolve(c->token.url, a->headers[HTTP_LOCATION], &next, &c->err) < 0)
                return false;
        same = address_same_origin(c->token.url, next, &downgrade);
        if (downgrade) {
                free(next);
                return false;
        }
        if (!same) {
                free(c->token.authorization);
                c->token.authorization = NULL;
        }
        free(c->token.url);
        c->token.url = next;
        call_ask_token(c);
        return true;
}

void call_token_answered(void *context, const struct http_answer *a, const struct cor_err *error)
{
        struct call *c = context;
        struct host *h = call_host(c);
        char *token = NULL, *refresh = NULL;
        int64_t seconds;

        c->transfer = NULL;
        if (error) {
                c->err = *error;
                cor_wrap(&c->err, "Get \"%.*s\"", (int)strcspn(c->token.url, "?"), c->token.url);
                call_fail(c, NULL, 0);
        } else if (follow_token(c, a)) {
                return;
        } else if (a->status != 200) {
                token_refused(c, a);
        } else if (token_read(a->body, a->n, &token, &seconds, &refresh, &c->err) < 0) {
                call_refused(c, a);
        } else {
                h->token_until = http_now(c->registry->http) + seconds * 1000;
                h->token_push = c->token_push;
                if (refresh) {
                        free(c->registry->refresh_token);
                        c->registry->refresh_token = refresh;
                }
                ask_with(c, h, cor_printf("Bearer %s", token), true);
                free(token);
        }
}

/* ---------------------------------------------------------------------------------------------------------- answers */

static bool may_redirect(const struct call *c, int status)
{
        bool reads = strcmp(c->method, "GET") == 0 || strcmp(c->method, "HEAD") == 0;

        return status == 307 || status == 308 || (reads && (status == 301 || status == 302 || status == 303));
}

static void redirected(struct call *c, const struct http_answer *a)
{
        const struct host *h = call_host(c);
        bool downgrade = false, same;
        char *next = NULL;

        if (++c->redirects > REDIRECTS_MAX)
                cor_fail(&c->err, COR_INVALID, "more than %d redirects", REDIRECTS_MAX);
        else if (!a->headers[HTTP_LOCATION])
                cor_fail(&c->err, COR_INVALID, "a redirect to nowhere (no Location)");
        else if (redirect_resolve(c->url, a->headers[HTTP_LOCATION], &next, &c->err) == 0) {
                same = address_same_origin(c->url, next, &downgrade);
                if (!downgrade || (h && h->trust.skip_verify)) {
                        c->elsewhere |= !same || downgrade;
                        free(c->url);
                        c->url = next;
                        call_ask(c);
                        return;
                }
                cor_fail(&c->err, COR_DENIED, "a redirect from https to plain http (%.*s) is not followed",
                         (int)strcspn(next, "?") > 150 ? 150 : (int)strcspn(next, "?"), next);
                free(next);
        }
        name_url(c);
        call_refused(c, a);
}

static void succeeded(struct call *c, const struct http_answer *a)
{
        int bad = c->spec.check ? c->spec.check(c->spec.context, a, &c->err) : 0;

        if (bad == 0)
                call_finish(c, a, true);
        else if (bad == CALL_CHECK_FINAL)
                call_refused(c, a);
        else
                call_fail(c, a, 0);
}

/* An insecure registry may speak plain http. */
static bool try_plain(struct call *c, const struct http_answer *a)
{
        struct host *h = call_host(c);
        char *plain;

        if ((a->end != HTTP_NOT_TLS && a->end != HTTP_UNREACHABLE) || !h || c->elsewhere || !h->settings.plain_fallback)
                return false;
        if (cor_starts_with(h->root, "https:")) { /* unless another call has found out meanwhile */
                plain = cor_printf("http:%s", h->root + strlen("https:"));
                free(h->root);
                h->root = plain;
        } else if (cor_starts_with(c->url, "http:")) {
                return false;
        }
        begin_anew(c);
        call_ask(c);
        return true;
}

/* What a person can do about a registry that is not trusted. */
static void add_advice(struct call *c, const struct http_answer *a)
{
        auto_address host = ADDRESS_INIT;
        struct cor_err was = c->err;
        auto_str name = address_of_url(c->url, &host) == 0 ? address_format(&host) : NULL;

        if (!name || c->elsewhere)
                return;
        if (a->end == HTTP_UNTRUSTED)
                cor_fail(&c->err, was.kind,
                         "%.250s (to trust it, put the certificate of its authority into certs.d/%.100s/ca.crt)",
                         was.msg, name);
        else if (a->end == HTTP_NOT_TLS && cor_starts_with(was.msg, "http: "))
                cor_fail(&c->err, was.kind,
                         "%.250s (to allow that, list %.100s under insecure-registries in daemon.json)", was.msg, name);
}

/* A host that never answered is tried twice: most of the time nobody is there, and a person waits. */
static bool is_not_there(const struct call *c, const struct http_answer *a)
{
        const struct host *h = call_host(c);

        return a->end == HTTP_UNREACHABLE && h && !h->answered && !c->elsewhere && !c->spec.data && c->attempts > 0;
}

static void failed(struct call *c, const struct http_answer *a, const struct cor_err *error)
{
        struct host *h = call_host(c);

        c->err = *error;
        if (try_plain(c, a))
                return;
        if (a->end == HTTP_REFUSED && c->err.kind != COR_INVALID) { /* by our own side, the disk say */
                call_finish(c, a, false);
                return;
        }
        add_advice(c, a);
        name_url(c);
        if (a->end == HTTP_UNREACHABLE && h && !c->elsewhere)
                h->down = true;
        if (a->end == HTTP_REFUSED || a->end == HTTP_UNTRUSTED || a->end == HTTP_NOT_TLS || is_not_there(c, a))
                call_refused(c, a);
        else
                call_fail(c, a, 0);
}

void call_answered(void *context, const struct http_answer *a, const struct cor_err *error)
{
        struct call *c = context;
        struct host *h = call_host(c);
        struct problem p;

        c->transfer = NULL;
        if (h && !c->elsewhere && a->end == HTTP_WHOLE)
                h->answered = true;
        if (a->end != HTTP_WHOLE) {
                failed(c, a, error);
        } else if (a->status / 100 == 2) {
                succeeded(c, a);
        } else if (a->status == 401) {
                challenged(c, a);
        } else if (may_redirect(c, a->status)) {
                redirected(c, a);
        } else {
                p = problem_read(a->status, a->body, a->n);
                cor_fail(&c->err, p.kind, "%s", p.text);
                if (is_passing(a->status))
                        call_fail(c, a, retry_after_ms(a));
                else
                        call_refused(c, a);
        }
}

/* What concerns a registry as a whole: are these credentials good, and docker's old search. */
#include "base/text.h"
#include "registry/address.h"
#include "registry/encode.h"
#include "registry/internal.h"

#include <string.h>

enum { SEARCH_MAX_BYTES = 4 << 20, SEARCH_MAX = 100 };

static void ask_no_mirror(struct registry *r)
{
        for (size_t i = 0; i + 1 < r->n_hosts; i++)
                r->hosts[i].settings.push = false;
        r->hosts[r->n_hosts - 1].settings.push = true;
}

int registry_login(struct registry *r, const char *user, const char *password, char **ret_token, struct cor_err *err)
{
        struct call_spec spec = { .method = "GET", .need = CALL_PUSH, .path = "" };
        auto_outcome o = { 0 };
        struct host *h = &r->hosts[r->n_hosts - 1];

        ask_no_mirror(r);
        h->auth_known = h->has_auth = true;
        h->auth = (struct registry_auth){ .user = cor_strdup(user), .password = cor_strdup(password) };
        r->offline = true;
        if (registry_ask(r, &spec, &o, err) < 0)
                return -1;
        if (o.err.kind != COR_OK && err)
                *err = o.err;
        if (o.err.kind == COR_DENIED && o.answer.status == 401)
                return cor_wrap(err, "Get \"%.*s\"", (int)strcspn(o.url, "?"), o.url);
        if (o.err.kind != COR_OK)
                return -1;
        if (problem_is_html(o.answer.body, o.answer.n))
                return cor_fail(err, COR_INVALID, "%s answered with an HTML page: it is not a registry", o.url);
        *ret_token = COR_TAKE(r->refresh_token);
        return 0;
}

int registry_search(struct registry *r, const char *term, int limit, char **ret, size_t *ret_n, struct cor_err *err)
{
        static char accept[] = "Accept: application/json";
        char *headers[] = { accept, NULL };
        auto_text query = COR_TEXT_INIT;
        auto_str url = NULL;
        auto_outcome o = { 0 };
        struct call_spec spec = {
                .method = "GET",
                .need = CALL_PUSH,
                .v1 = true,
                .path = "search",
                .headers = headers,
                .body_max = SEARCH_MAX_BYTES,
        };

        if (limit < 1 || limit > SEARCH_MAX)
                return cor_fail(err, COR_INVALID, "limit %d is outside the range of [1, %d]", limit, SEARCH_MAX);
        ask_no_mirror(r);
        cor_text_printf(&query, "n=%d&q=", limit);
        percent_add(&query, term, "");
        spec.query = query.s;
        if (cor_streq(r->domain, "docker.io")) /* its index is a host of its own */
                spec.url = url = cor_printf("https://index.docker.io/v1/search?%s", query.s);
        if (registry_ask(r, &spec, &o, err) < 0)
                return -1;
        if (o.err.kind == COR_OK && o.answer.n && o.answer.body[strspn(o.answer.body, " \t\r\n")] == '{') {
                *ret_n = o.answer.n;
                *ret = COR_TAKE(o.answer.body);
                return 0;
        }
        if (o.err.kind == COR_OK || o.answer.status == 404 || o.answer.status == 405 || o.answer.status == 400)
                return cor_fail(err, COR_UNSUPPORTED, "registry %s offers no search (docker's API v1): %s", r->domain,
                                o.err.kind == COR_OK ? "its answer is not JSON" : o.err.msg);
        if (err)
                *err = o.err;
        return -1;
}

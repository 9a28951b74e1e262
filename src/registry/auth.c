#include "registry/auth.h"
#include "registry/address.h"
#include "registry/broker.h"
#include "registry/encode.h"
#include "spec/registry.h"
#include <stdio.h>
#include <string.h>

enum {
        TOKEN_MAX_BYTES = 64 * 1024,
        TOKEN_SECONDS = 60, /* how long one lasts when its server does not say */
        TOKEN_MARGIN_SECONDS = 10,
};

void token_request_done(struct token_request *t)
{
        free(t->url);
        free(t->form);
        free(t->authorization);
        *t = (struct token_request){ 0 };
}

char *host_domain(const struct host *h)
{
        auto_address a = ADDRESS_INIT;
        auto_str domain = NULL;

        if (address_of_url(h->settings.url, &a) < 0)
                return NULL;
        domain = address_format(&a);
        return cor_strdup(strcmp(domain, "registry-1.docker.io") == 0 ? "docker.io" : domain);
}

void host_credentials(const struct registry_config *config, struct broker *broker, struct host *h)
{
        auto_str domain = h->auth_known ? NULL : host_domain(h);
        struct cor_err err = { 0 };
        int found;

        if (!domain)
                return;
        h->auth_known = true;
        found = broker ? broker_credentials(broker, domain, &h->auth, &err)
                       : registry_auth_find(config, domain, &h->auth, &err);
        h->has_auth = found > 0;
        if (found < 0)
                snprintf(h->auth_problem, sizeof h->auth_problem, "%.190s", err.msg);
}

char *auth_basic(const struct registry_auth *a)
{
        auto_str pair = cor_printf("%s:%s", a->user ? a->user : "", a->password ? a->password : "");
        auto_str encoded = base64_encode(pair, strlen(pair));

        explicit_bzero(pair, strlen(pair));
        return cor_printf("Basic %s", encoded);
}

static void add_pair(struct cor_text *t, const char *key, const char *value)
{
        if (t->len && t->s[t->len - 1] != '?')
                cor_text_add_c(t, '&');
        cor_text_printf(t, "%s=", key);
        percent_add(t, value, "");
}

/* Identity tokens are exchanged by POST (OAuth 2). */
static void make_post(const struct challenge *c, const struct registry_auth *auth, const struct cor_strv *scopes,
                      struct token_request *ret)
{
        auto_text scope = COR_TEXT_INIT, form = COR_TEXT_INIT;

        for (size_t i = 0; i < scopes->n_items; i++)
                cor_text_printf(&scope, "%s%s", i ? " " : "", scopes->items[i]);
        add_pair(&form, "grant_type", "refresh_token");
        add_pair(&form, "service", c->service ? c->service : "");
        add_pair(&form, "client_id", "coracle");
        if (scope.len)
                add_pair(&form, "scope", scope.s);
        add_pair(&form, "refresh_token", auth->identity_token);
        ret->post = true;
        ret->url = cor_strdup(c->realm);
        ret->form = cor_text_take(&form);
}

static void make_get(const struct challenge *c, const struct registry_auth *auth, const struct cor_strv *scopes,
                     bool offline, struct token_request *ret)
{
        auto_text url = COR_TEXT_INIT;

        cor_text_add_n(&url, c->realm, strcspn(c->realm, "#"));
        cor_text_add(&url, strchr(c->realm, '?') ? "" : "?");
        if (auth && auth->user)
                add_pair(&url, "account", auth->user);
        if (c->service)
                add_pair(&url, "service", c->service);
        for (size_t i = 0; i < scopes->n_items; i++)
                add_pair(&url, "scope", scopes->items[i]);
        if (offline) {
                add_pair(&url, "offline_token", "true");
                add_pair(&url, "client_id", "coracle");
        }
        if (auth && auth->user && auth->password)
                ret->authorization = auth_basic(auth);
        ret->url = cor_text_take(&url);
}

int token_request_make(const struct challenge *c, const struct registry_auth *auth, const char *registry_url,
                       const struct cor_strv *scopes, bool offline, struct token_request *ret, struct cor_err *err)
{
        auto_address realm = ADDRESS_INIT;

        if (address_of_url(c->realm, &realm) < 0)
                return cor_fail(err, COR_DENIED,
                                "the registry sends for a token to '%.100s', which is not an http or https URL",
                                c->realm);
        if (auth && cor_starts_with(registry_url, "https:") && !cor_starts_with(c->realm, "https:"))
                return cor_fail(err, COR_DENIED,
                                "the registry asks to send the password without encryption, to %.100s: refused",
                                c->realm);
        if (auth && auth->identity_token)
                make_post(c, auth, scopes, ret);
        else
                make_get(c, auth, scopes, offline, ret);
        return 0;
}

/* Visible ASCII: anything else would break out of the header. */
static bool fits_header(const char *s)
{
        size_t n = strlen(s);

        for (size_t i = 0; i < n; i++)
                if ((unsigned char)s[i] <= ' ' || (unsigned char)s[i] >= 0x7f)
                        return false;
        return n > 0 && n <= TOKEN_MAX_BYTES;
}

int token_read(const char *body, size_t n, char **ret_token, int64_t *ret_seconds, char **ret_refresh,
               struct cor_err *err)
{
        auto_json struct token_answer *a = NULL;
        const char *token;

        if (cor_json_parse(&token_answer_doc, body, n, "the answer of the token server", &a, err) < 0)
                return -1;
        token = a->token && *a->token ? a->token : a->access_token;
        if (!token || !fits_header(token))
                return cor_fail(err, COR_INVALID, "the answer of the token server holds no usable token");
        *ret_token = cor_strdup(token);
        *ret_seconds = TOKEN_SECONDS;
        if (a->expires_in.set && a->expires_in.value > 0 && a->expires_in.value < 366 * 86400)
                *ret_seconds = a->expires_in.value;
        if (*ret_seconds > 2 * TOKEN_MARGIN_SECONDS)
                *ret_seconds -= TOKEN_MARGIN_SECONDS;
        if (ret_refresh && a->refresh_token)
                *ret_refresh = cor_strdup(a->refresh_token);
        return 0;
}

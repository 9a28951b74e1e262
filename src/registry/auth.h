#ifndef CORACLE_REGISTRY_AUTH_H
#define CORACLE_REGISTRY_AUTH_H
/* Answers to a 401: what to send to a token server, and what comes back. Distribution, "Token Authentication". */
#include "registry/call.h"
#include "registry/challenge.h"

/* A request for a token. */
struct token_request {
        bool post; /* by OAuth 2, with an identity token */
        char *url;
        char *form;          /* body of a POST */
        char *authorization; /* NULL: anonymous */
};
void token_request_done(struct token_request *t);

/* host_domain() - what a host is called in docker's config.json, or NULL; free() */
char *host_domain(const struct host *h);
/* host_credentials() - look them up once, by @broker if there is one; a problem is kept in h->auth_problem */
void host_credentials(const struct registry_config *config, struct broker *broker, struct host *h);
/* auth_basic() - "Basic …" of user and password; free() */
char *auth_basic(const struct registry_auth *a);
/**
 * token_request_make() - what to ask for
 * @registry_url: who wants the token: its https is not left for http with a password in hand (DENIED)
 * @offline:      ask for a token that lasts, too (login)
 */
int token_request_make(const struct challenge *c, const struct registry_auth *auth, const char *registry_url,
                       const struct cor_strv *scopes, bool offline, struct token_request *ret, struct cor_err *err)
        COR_MUST_CHECK;
/* token_read() - the token of an answer, checked to be fit for a header; *ret_refresh (may be NULL) the lasting one */
int token_read(const char *body, size_t n, char **ret_token, int64_t *ret_seconds, char **ret_refresh,
               struct cor_err *err) COR_MUST_CHECK;

#endif

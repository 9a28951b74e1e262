#ifndef CORACLE_REGISTRY_CALL_INTERNAL_H
#define CORACLE_REGISTRY_CALL_INTERNAL_H
/* What call.c (hosts, requests) and call_answer.c (what answers lead to) share. */
#include "registry/auth.h"
#include "registry/internal.h"

enum call_state { CALL_WAITING, CALL_ASKING, CALL_TOKEN, CALL_LATER };

struct call {
        struct registry *registry;
        struct call *next;
        struct call_spec spec; /* its texts are ours: */
        char *method, *path, *query, *given_url, *scope;
        struct cor_strv headers;
        enum call_state state;
        size_t host;
        char *url;      /* of the request under way, after redirects */
        bool elsewhere; /* redirected to another host: nothing of ours goes there */
        int attempts, redirects, auth_tries;
        int64_t progress; /* at the last failure */
        int64_t wake_at;
        char *used_authorization;
        struct token_request token;
        struct challenges challenges;
        bool token_push;
        struct http_transfer *transfer;
        struct cor_err err;
};

/* call.c: */
struct host *call_host(const struct call *c);
void call_ask(struct call *c);       /* send the request (again) */
void call_ask_token(struct call *c); /* ask the token server, as c->token says */
bool call_next_host(struct call *c); /* after the present one; false: there is none */
/* the end: `done`, with c->err, or without an error if @good; frees the call */
void call_finish(struct call *c, const struct http_answer *a, bool good);
/* call_answer.c: */
void call_answered(void *context, const struct http_answer *a, const struct cor_err *error);
void call_token_answered(void *context, const struct http_answer *a, const struct cor_err *error);
/* call_fail() - a try has failed with c->err: the next one, or the next host, or the end */
void call_fail(struct call *c, const struct http_answer *a, int64_t wait_ms);

#endif

#ifndef CORACLE_REGISTRY_CALL_H
#define CORACLE_REGISTRY_CALL_H
/*
 * One call of the API with all it takes: the hosts in turn, credentials when they are asked for, redirects, and
 * retries. Inside registry/ only. A call lives from call_new() until its `done`, which is called from the loop exactly
 * once (or never, after call_drop()); it is freed after that.
 *
 *      waiting ──► asking ──► done                  asking: a request is under way
 *         ▲          │ 401 ──► token ──► asking     token: the token server is asked
 *         └── later ◄┘ retry                        later: back-off, or Retry-After
 *
 * What is known about a host (its token, that it speaks plain http, that it is down) stays with the handle for later
 * calls.
 */
#include "registry/http.h"
#include "registry/registry.h"

/* What is known about one host. */
struct host {
        struct registry_host settings;
        struct http_trust trust;
        char *root;    /* URL in front of "/REPOSITORY/…": "https://mirror.example/v2" */
        bool down;     /* it could not be reached: only asked again if there is nobody else */
        bool answered; /* it was reached before */
        bool auth_known;
        bool has_auth;
        struct registry_auth auth;
        char auth_problem[200]; /* why credentials could not be had */
        char *authorization;    /* the header's value, once asked for */
        bool token;             /* it is a bearer token: */
        int64_t token_until;    /* by http_now() */
        bool token_push;        /* it was got for pushing, too */
};

enum call_need { CALL_RESOLVE, CALL_PULL, CALL_PUSH };

/* What is wrong with an answer might be right the next time, or only at the next host. */
enum call_check { CALL_CHECK_AGAIN = -1, CALL_CHECK_FINAL = -2 };

struct call;
struct call_spec {
        const char *method;
        enum call_need need;
        bool v1;              /* path is below /v1/ (docker's search) */
        const char *path;     /* below /v2/, "library/debian/manifests/latest"; "" is /v2/ itself */
        const char *query;    /* "from=x&mount=y", or NULL */
        const char *url;      /* in place of path: as a server gave it (an upload's location) */
        bool foreign;         /* url belongs to somebody else: no credentials, no headers of ours */
        const char *scope;    /* further scope of the token, or NULL */
        char *const *headers; /* NULL-terminated */
        const void *body;     /* as in http_request; body stays with the caller */
        size_t n_body;
        ssize_t (*read)(void *context, int64_t offset, void *buf, size_t n, struct cor_err *err);
        int64_t offset, n_read;
        int answer_ms;
        int delay_ms;    /* before it begins */
        size_t body_max; /* 0: 64 KiB */
        bool once;       /* no retry after a cut: the caller finds out first what arrived */
        /* before each request: the position to ask from, 0 for no Range */
        int64_t (*from)(void *context);
        int (*head)(void *context, const struct http_answer *a, struct cor_err *err);
        int (*data)(void *context, const void *bytes, size_t n, struct cor_err *err);
        /* a 2xx answer has ended: 0, or with an error one of enum call_check */
        int (*check)(void *context, const struct http_answer *a, struct cor_err *err);
        /* bytes that are kept so far, which only grows: attempts are counted anew when it did. May be NULL */
        int64_t (*progress)(void *context);
        /* @error is NULL after a 2xx. a->status is 0 if no host answered. @url: who answered last */
        void (*done)(void *context, const struct http_answer *a, const char *url, const struct cor_err *error);
        void *context;
};

/* call_new() - everything but the body and the context is copied; it starts with the next step of the loop */
struct call *call_new(struct registry *r, const struct call_spec *spec);
/* call_drop() - end it without `done` */
void call_drop(struct call *c);

#endif

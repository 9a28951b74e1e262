#ifndef CORACLE_REGISTRY_HTTP_H
#define CORACLE_REGISTRY_HTTP_H
/*
 * HTTP over libcurl's multi interface: requests side by side in one loop, each with bounds in size and time. What is
 * not here is on purpose: redirects, credentials and retries are the caller's (registry/call.h), who alone knows which
 * host may see what. A connection is kept and used again; HTTP/2 is used where https offers it. The program ignores
 * SIGPIPE.
 */
#include "base/alloc.h"
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Whom to trust, and how to get there; everything is text, read before rights are shed. */
struct http_trust {
        bool skip_verify;
        char *ca;         /* certificates in PEM, in addition to the system's */
        char *cert, *key; /* the client's, in PEM */
        char *proxy;      /* NULL: by the environment */
        int dial_ms;      /* 0: 30 s */
};
void http_trust_done(struct http_trust *t);

/* Headers of an answer that somebody asks for. */
enum http_header {
        HTTP_CONTENT_TYPE,
        HTTP_CONTENT_LENGTH,
        HTTP_CONTENT_RANGE,
        HTTP_DOCKER_CONTENT_DIGEST,
        HTTP_LINK,
        HTTP_LOCATION,
        HTTP_OCI_CHUNK_MIN_LENGTH,
        HTTP_OCI_FILTERS_APPLIED,
        HTTP_OCI_SUBJECT,
        HTTP_RANGE,
        HTTP_RETRY_AFTER,
        HTTP_WWW_AUTHENTICATE, /* several are joined by ", " */
        HTTP_HEADERS,
};

/* How an exchange ended. */
enum http_end {
        HTTP_WHOLE,       /* the answer is here, whatever its status */
        HTTP_UNREACHABLE, /* no such host, refused, no route, proxy, dial timeout */
        HTTP_NOT_TLS,     /* the other side does not speak TLS */
        HTTP_UNTRUSTED,   /* its certificate is not good */
        HTTP_CUT,         /* ended early, or stalled */
        HTTP_REFUSED,     /* by us: a callback failed, or the answer passed a bound */
};

struct http_answer {
        enum http_end end;
        int status;                  /* 0: none came */
        char *headers[HTTP_HEADERS]; /* NULL: not there */
        char *body;                  /* unless it was streamed; terminated */
        size_t n;
};

struct http_request {
        const char *method, *url;
        char *const *headers; /* "Name: value", NULL-terminated, or NULL */
        const struct http_trust *trust;
        const void *body; /* @n_body bytes to send, or, with `read`, n_read bytes from offset on */
        size_t n_body;
        ssize_t (*read)(void *context, int64_t offset, void *buf, size_t n, struct cor_err *err);
        int64_t offset, n_read;
        int answer_ms;   /* how long the head of the answer may take once all is sent; 0: the stall limit */
        size_t body_max; /* of an answer that is not streamed */
        /* the head of an answer has come: 1 `data` takes its body, 0 it is collected, -1 refused */
        int (*head)(void *context, const struct http_answer *a, struct cor_err *err);
        int (*data)(void *context, const void *bytes, size_t n, struct cor_err *err);
        /* the end, from http_step(); @error is set unless a->end is HTTP_WHOLE. The answer is the callee's to read
         * only. */
        void (*done)(void *context, const struct http_answer *a, const struct cor_err *error);
        void *context;
};

struct http;
struct http_transfer;
struct broker;

/* http_new() - @stall_ms: a transfer in which nothing moves for so long has ended (CUT) */
int http_new(int stall_ms, struct http **ret, struct cor_err *err) COR_MUST_CHECK;
void http_free(struct http *h);
/* http_use_broker() - names are looked up by @b, which is borrowed; to be called before the first transfer */
void http_use_broker(struct http *h, struct broker *b);
/* http_start() - everything of @request is copied but what `body` and `trust` point to */
struct http_transfer *http_start(struct http *h, const struct http_request *request);
/* http_abort() - forget a transfer; its `done` is not called. Not from within `head` or `data`. */
void http_abort(struct http_transfer *t);
/* http_now() - the loop's clock in ms: it stands still while callbacks work for long */
int64_t http_now(const struct http *h);
/**
 * http_step() - let transfers go on, wait for something to happen, call `done` where they ended
 * @wake_fd: also wait for this to be readable; -1: none
 * @max_ms:  wait no longer
 *
 * Returns 1 if @wake_fd is readable, else 0.
 */
int http_step(struct http *h, int wake_fd, int max_ms, struct cor_err *err) COR_MUST_CHECK;

#endif

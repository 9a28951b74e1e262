/*
 * One transfer is one easy handle. Its life: started (in the list; names are looked up), added to the multi handle,
 * head (status and headers have come; the caller decided whether it streams), body, ended (taken out, `done` called,
 * freed). Callbacks of libcurl must not end transfers: they note an error and return a short count, and libcurl ends
 * the transfer by itself.
 *
 * Time: http_now() advances by at most a second a step, so that a callback that blocks (a slow disk) does not make the
 * other transfers look stalled. A transfer has stalled when in a whole window fewer than WINDOW_BYTES moved.
 */
#include "registry/http.h"
#include "base/log.h"
#include "base/process.h"
#include "base/text.h"
#include "registry/http_setup.h"
#include "registry/names.h"

#include <curl/curl.h>
#include <string.h>
#include <strings.h>

enum {
        HEADERS_MAX_BYTES = 256 * 1024, /* of all headers of one exchange */
        WINDOW_BYTES = 256,
        COLLECT_MAX_MS = 600 * 1000, /* for a document to arrive, however it trickles */
        STEP_MAX_MS = 1000,
        POLL_MAX_MS = 500,
        DIAL_MS = 30000,
};

struct http {
        CURLM *multi;
        struct names *names; /* NULL: libcurl looks names up by itself */
        struct http_transfer *first;
        int stall_ms;
        int64_t now, real; /* the loop's clock, and the machine's at the last step */
        bool changed;      /* a transfer began or ended in this step: there may be more to do than to wait */
};

struct http_transfer {
        struct http *http;
        struct http_transfer *next;
        struct http_request request;
        CURL *easy;
        struct curl_slist *headers, *addresses;
        char *url, *proxy; /* until names are known */
        struct http_answer answer;
        struct cor_text body;
        struct cor_err err; /* noted by a callback */
        char curl_text[CURL_ERROR_SIZE];
        size_t header_bytes;
        int64_t sent;   /* bytes that were read for sending */
        int64_t window; /* bytes moved when the window began */
        int64_t window_at, started_at;
        bool head_done, streams;
        bool refused; /* by a callback: err says why */
};

static const char *const header_names[HTTP_HEADERS] = {
        [HTTP_CONTENT_TYPE] = "content-type",
        [HTTP_CONTENT_LENGTH] = "content-length",
        [HTTP_CONTENT_RANGE] = "content-range",
        [HTTP_DOCKER_CONTENT_DIGEST] = "docker-content-digest",
        [HTTP_LINK] = "link",
        [HTTP_LOCATION] = "location",
        [HTTP_OCI_CHUNK_MIN_LENGTH] = "oci-chunk-min-length",
        [HTTP_OCI_FILTERS_APPLIED] = "oci-filters-applied",
        [HTTP_OCI_SUBJECT] = "oci-subject",
        [HTTP_RANGE] = "range",
        [HTTP_RETRY_AFTER] = "retry-after",
        [HTTP_WWW_AUTHENTICATE] = "www-authenticate",
};

void http_trust_done(struct http_trust *t)
{
        free(t->ca);
        free(t->cert);
        free(t->key);
        free(t->proxy);
        *t = (struct http_trust){ 0 };
}

/* --------------------------------------------------------------------------------------------- callbacks of libcurl */

static size_t refuse(struct http_transfer *t)
{
        t->refused = true;
        return 0; /* a short count: libcurl ends the transfer */
}

static void forget_headers(struct http_answer *a)
{
        for (size_t i = 0; i < HTTP_HEADERS; i++) {
                free(a->headers[i]);
                a->headers[i] = NULL;
        }
}

static void keep_header(struct http_answer *a, const char *line, size_t n)
{
        const char *colon = memchr(line, ':', n);
        const char *value, *end = line + n;

        if (!colon)
                return;
        value = colon + 1;
        while (value < end && (*value == ' ' || *value == '\t'))
                value++;
        while (end > value && (end[-1] == ' ' || end[-1] == '\t'))
                end--;
        for (size_t i = 0; i < HTTP_HEADERS; i++) {
                if (strlen(header_names[i]) != (size_t)(colon - line) ||
                    strncasecmp(header_names[i], line, (size_t)(colon - line)) != 0)
                        continue;
                if (!a->headers[i]) {
                        a->headers[i] = cor_strndup(value, (size_t)(end - value));
                } else if (i == HTTP_WWW_AUTHENTICATE || i == HTTP_LINK) {
                        char *joined = cor_printf("%s, %.*s", a->headers[i], (int)(end - value), value);

                        free(a->headers[i]);
                        a->headers[i] = joined;
                }
                return;
        }
}

/* All headers of an answer are here (not of a 1xx, which another one follows). */
static size_t head_has_come(struct http_transfer *t, size_t n)
{
        long status = 0;
        int r;

        curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
        if (status < 200)
                return n;
        t->answer.status = (int)status;
        t->head_done = true;
        r = t->request.head ? t->request.head(t->request.context, &t->answer, &t->err) : 0;
        t->streams = r > 0;
        return r < 0 ? refuse(t) : n;
}

static size_t on_header(char *line, size_t one, size_t n, void *context)
{
        struct http_transfer *t = context;
        size_t len = n;

        t->header_bytes += n;
        if (t->header_bytes > HEADERS_MAX_BYTES) {
                cor_fail(&t->err, COR_INVALID, "more than %d bytes of headers", HEADERS_MAX_BYTES);
                return refuse(t);
        }
        while (len && (line[len - 1] == '\n' || line[len - 1] == '\r'))
                len--;
        if (t->head_done) /* a trailer */
                return n;
        if (len == 0)
                return head_has_come(t, n);
        if (len > 5 && strncmp(line, "HTTP/", 5) == 0)
                forget_headers(&t->answer);
        else
                keep_header(&t->answer, line, len);
        return n;
}

static size_t on_data(char *bytes, size_t one, size_t n, void *context)
{
        struct http_transfer *t = context;

        if (t->streams)
                return t->request.data(t->request.context, bytes, n, &t->err) < 0 ? refuse(t) : n;
        if (n > t->request.body_max - t->body.len) {
                cor_fail(&t->err, COR_INVALID, "the answer is longer than %zu bytes", t->request.body_max);
                return refuse(t);
        }
        cor_text_add_n(&t->body, bytes, n);
        return n;
}

static size_t on_read(char *buf, size_t one, size_t n, void *context)
{
        struct http_transfer *t = context;
        int64_t left = t->request.n_read - t->sent;
        ssize_t got;

        if ((int64_t)n > left)
                n = (size_t)left;
        if (n == 0)
                return 0;
        got = t->request.read(t->request.context, t->request.offset + t->sent, buf, n, &t->err);
        if (got <= 0) {
                if (got == 0)
                        cor_fail(&t->err, COR_INVALID, "what is to be sent is shorter than it was said to be");
                t->refused = true;
                return CURL_READFUNC_ABORT;
        }
        t->sent += got;
        return (size_t)got;
}

/* ---------------------------------------------------------------------------------------------------- start and end */

static void set_body(struct http_transfer *t)
{
        const struct http_request *q = &t->request;
        CURL *e = t->easy;

        if (q->read) {
                curl_easy_setopt(e, CURLOPT_UPLOAD, 1L);
                curl_easy_setopt(e, CURLOPT_READFUNCTION, on_read);
                curl_easy_setopt(e, CURLOPT_READDATA, t);
                /*
                 * On a connection that was kept, libcurl would by itself send all again when the other side has closed
                 * it meanwhile; a registry that got a part of it before would then have that part twice.
                 */
                curl_easy_setopt(e, CURLOPT_FRESH_CONNECT, 1L);
                curl_easy_setopt(e, CURLOPT_INFILESIZE_LARGE, (curl_off_t)q->n_read);
                curl_easy_setopt(e, CURLOPT_UPLOAD_BUFFERSIZE, 512L * 1024);
        } else if (strcmp(q->method, "HEAD") == 0) {
                curl_easy_setopt(e, CURLOPT_NOBODY, 1L);
        } else if (strcmp(q->method, "GET") != 0) {
                curl_easy_setopt(e, CURLOPT_POSTFIELDS, q->body ? q->body : "");
                curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)q->n_body);
        }
        if (strcmp(q->method, "GET") != 0 && strcmp(q->method, "HEAD") != 0)
                curl_easy_setopt(e, CURLOPT_CUSTOMREQUEST, q->method);
}

static void set_headers(struct http_transfer *t)
{
        for (char *const *h = t->request.headers; h && *h; h++)
                t->headers = curl_slist_append(t->headers, *h);
        t->headers =
                curl_slist_append(t->headers, "Expect:"); /* who needs credentials has said so before a body is sent */
        curl_easy_setopt(t->easy, CURLOPT_HTTPHEADER, t->headers);
}

struct http_transfer *http_start(struct http *h, const struct http_request *request)
{
        struct http_transfer *t = cor_alloc(sizeof *t);
        CURL *e = curl_easy_init();

        t->http = h;
        t->request = *request;
        t->easy = e;
        t->window_at = t->started_at = h->now;
        http_setup(e, request->url, request->trust);
        curl_easy_setopt(e, CURLOPT_ERRORBUFFER, t->curl_text);
        curl_easy_setopt(e, CURLOPT_PRIVATE, t);
        curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, on_header);
        curl_easy_setopt(e, CURLOPT_HEADERDATA, t);
        curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_data);
        curl_easy_setopt(e, CURLOPT_WRITEDATA, t);
        set_body(t);
        set_headers(t);
        t->request.headers = NULL; /* copied, as libcurl has the url and the method */
        t->request.url = t->request.method = NULL;
        t->next = h->first;
        h->first = t;
        h->changed = true;
        if (h->names) {
                t->url = cor_strdup(request->url);
                t->proxy = http_setup_proxy(request->url, request->trust);
        } else {
                curl_multi_add_handle(h->multi, e);
        }
        return t;
}

/* Out of the loop: nothing is called for it any more. */
static void stop(struct http_transfer *t)
{
        struct http_transfer **at = &t->http->first;

        while (*at != t)
                at = &(*at)->next;
        *at = t->next;
        curl_multi_remove_handle(t->http->multi, t->easy);
}

static void release(struct http_transfer *t)
{
        curl_easy_cleanup(t->easy);
        curl_slist_free_all(t->headers);
        curl_slist_free_all(t->addresses);
        free(t->url);
        free(t->proxy);
        forget_headers(&t->answer);
        cor_text_done(&t->body);
        free(t);
}

void http_abort(struct http_transfer *t)
{
        stop(t);
        release(t);
}

static void end(struct http_transfer *t, enum http_end how)
{
        stop(t);
        t->http->changed = true;
        t->answer.end = how;
        t->answer.body = t->body.s;
        t->answer.n = t->body.len;
        t->request.done(t->request.context, &t->answer, how == HTTP_WHOLE ? NULL : &t->err);
        release(t);
}

static enum cor_kind end_kind(enum http_end how, CURLcode code)
{
        if (how == HTTP_REFUSED)
                return COR_INVALID;
        return code == CURLE_OPERATION_TIMEDOUT ? COR_TIMEOUT : how == HTTP_UNTRUSTED ? COR_DENIED : COR_SYSTEM;
}

static void log_answer(struct http_transfer *t)
{
        long version = 0;

        curl_easy_getinfo(t->easy, CURLINFO_HTTP_VERSION, &version);
        cor_debug("registry: HTTP/%s %d", version == CURL_HTTP_VERSION_2_0 ? "2" : "1", t->answer.status);
}

static void end_by_curl(struct http_transfer *t, CURLcode code)
{
        enum http_end how = http_setup_end(code);

        if (t->refused) {
                how = HTTP_REFUSED;
        } else if (how != HTTP_WHOLE) {
                const char *text = t->curl_text[0] ? t->curl_text : curl_easy_strerror(code);

                if (how == HTTP_NOT_TLS && (strstr(text, "wrong version number") || strstr(text, "http request")))
                        text = "http: server gave HTTP response to HTTPS client";
                cor_fail(&t->err, end_kind(how, code), "%s", text);
        }
        log_answer(t);
        end(t, how);
}

/* --------------------------------------------------------------------------------------------------------- the loop */

int http_new(int stall_ms, struct http **ret, struct cor_err *err)
{
        struct http *h;

        if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
                return cor_fail(err, COR_SYSTEM, "libcurl cannot be used");
        h = cor_alloc(sizeof *h);
        h->multi = curl_multi_init();
        h->stall_ms = stall_ms > 0 ? stall_ms : 30000;
        h->real = cor_now_ms();
        curl_multi_setopt(h->multi, CURLMOPT_PIPELINING, CURLPIPE_MULTIPLEX);
        *ret = h;
        return 0;
}

void http_free(struct http *h)
{
        if (!h)
                return;
        for (struct http_transfer *t = h->first, *next; t; t = next) {
                next = t->next;
                curl_multi_remove_handle(h->multi, t->easy);
                release(t);
        }
        curl_multi_cleanup(h->multi);
        curl_global_cleanup();
        names_free(h->names);
        free(h);
}

void http_use_broker(struct http *h, struct broker *b)
{
        h->names = names_new(b);
}

int64_t http_now(const struct http *h)
{
        return h->now;
}

static void advance(struct http *h)
{
        int64_t real = cor_now_ms(), passed = real - h->real;

        h->real = real;
        h->now += passed < STEP_MAX_MS ? passed : STEP_MAX_MS;
}

/* Nothing moves in @t, or not enough; how long it may. */
static bool has_stalled(struct http_transfer *t, int64_t *ret_limit_ms)
{
        curl_off_t down = 0, up = 0;
        int64_t moved;

        curl_easy_getinfo(t->easy, CURLINFO_SIZE_DOWNLOAD_T, &down);
        curl_easy_getinfo(t->easy, CURLINFO_SIZE_UPLOAD_T, &up);
        moved = down + up + (int64_t)t->header_bytes;
        if (moved - t->window >= WINDOW_BYTES || t->http->now == t->window_at) {
                t->window = moved;
                t->window_at = t->http->now;
        }
        *ret_limit_ms = t->http->stall_ms;
        if (!t->head_done && t->request.answer_ms && (!t->request.read || t->sent == t->request.n_read))
                *ret_limit_ms = t->request.answer_ms;
        if (!t->streams && !t->request.read && t->http->now - t->started_at > COLLECT_MAX_MS)
                return true;
        return t->http->now - t->window_at > *ret_limit_ms;
}

static void end_stalled(struct http *h)
{
        for (struct http_transfer *t = h->first; t;) {
                int64_t limit;

                /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): a transfer that is freed is not in the list */
                if (!has_stalled(t, &limit)) {
                        t = t->next;
                        continue;
                }
                cor_fail(&t->err, COR_TIMEOUT, "no answer, or nothing more of it, within %lld ms", (long long)limit);
                end(t, HTTP_CUT);
                t = h->first; /* `done` may have changed the list */
        }
}

static void end_finished(struct http *h)
{
        int left;

        for (CURLMsg *m; (m = curl_multi_info_read(h->multi, &left));) {
                struct http_transfer *t = NULL;

                if (m->msg != CURLMSG_DONE)
                        continue;
                curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&t);
                end_by_curl(t, m->data.result);
        }
}

/* A transfer whose names are known begins; true if it has ended in place of that. */
static bool begin(struct http *h, struct http_transfer *t)
{
        int dial_ms = t->request.trust && t->request.trust->dial_ms > 0 ? t->request.trust->dial_ms : DIAL_MS;
        int r = names_find(h->names, t->url, t->proxy, h->now, &t->addresses, &t->err);

        if (r == 0 && h->now - t->started_at > dial_ms)
                r = cor_fail(&t->err, COR_TIMEOUT, "Resolving timed out after %d ms", dial_ms);
        if (r < 0) {
                end(t, HTTP_UNREACHABLE);
                return true;
        }
        if (r == 1) {
                if (t->addresses)
                        curl_easy_setopt(t->easy, CURLOPT_RESOLVE, t->addresses);
                curl_multi_add_handle(h->multi, t->easy);
                free(t->url);
                t->url = NULL;
        }
        return false;
}

static int begin_all(struct http *h, struct cor_err *err)
{
        if (!h->names)
                return 0;
        if (names_step(h->names, h->now, err) < 0)
                return -1;
        for (struct http_transfer *t = h->first; t;) {
                /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): a transfer that is freed is not in the list */
                t = t->url && begin(h, t) ? h->first : t->next; /* `done` may have changed the list */
        }
        return 0;
}

int http_step(struct http *h, int wake_fd, int max_ms, struct cor_err *err)
{
        struct curl_waitfd wake[2] = { { .fd = wake_fd, .events = CURL_WAIT_POLLIN } };
        unsigned n_wake = wake_fd >= 0 ? 1 : 0, n_fds = n_wake;
        int running = 0, limit = h->stall_ms / 4 + 1;
        CURLMcode code;

        if (limit > POLL_MAX_MS)
                limit = POLL_MAX_MS;
        h->changed = false;
        if (begin_all(h, err) < 0)
                return -1;
        if (h->names)
                wake[n_fds++] = (struct curl_waitfd){ .fd = names_fd(h->names), .events = CURL_WAIT_POLLIN };
        code = curl_multi_perform(h->multi, &running);
        if (code == CURLM_OK) {
                end_finished(h);
                limit = h->changed ? 0 : max_ms < limit ? max_ms : limit;
                code = curl_multi_poll(h->multi, wake, n_fds, limit, NULL);
        }
        if (code != CURLM_OK)
                return cor_fail(err, COR_SYSTEM, "wait for the network: %s", curl_multi_strerror(code));
        advance(h);
        end_stalled(h);
        return n_wake && wake[0].revents ? 1 : 0;
}

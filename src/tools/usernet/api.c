#include "tools/usernet/api.h"

#include "base/fd.h"
#include "base/process.h"
#include "base/text.h"
#include "tools/usernet/request.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum {
        CLIENTS_MAX = 16,    /* more wait in the socket's queue */
        CLIENT_MS = 10000,   /* from the first byte that is waited for to the last */
        ENTRIES_MAX = 65536, /* ports; descriptors run out first */
};

/*
 * A client is read until it has shut down its side, then written to, then read again until it closes: were it closed
 * with bytes unread, the answer could be lost on its way.
 */
enum stage { STAGE_READ, STAGE_WRITE, STAGE_DRAIN, STAGE_END };

struct client {
        enum stage stage;
        int fd;
        int64_t due_ms;
        size_t poll_at;
        size_t n, sent;
        char request[REQUEST_MAX];
        struct cor_text answer;
};

struct api {
        int listening;
        size_t poll_at;
        struct stack *stack; /* borrowed */
        struct ip guest, guest6;
        struct client *clients[CLIENTS_MAX];
        size_t n_clients;
        int64_t last_id;
        struct request_entry *entries;
        size_t n_entries;
};

/* --------------------------------------------------------------------------------------------------------- requests */

static void add(struct api *a, const struct stack_forward *f, struct cor_text *out)
{
        struct cor_err err = { 0 };

        if (a->n_entries >= ENTRIES_MAX)
                cor_fail(&err, COR_BUSY, "there are %d ports already", ENTRIES_MAX);
        if (err.kind || stack_forward_add(a->stack, f, &err) < 0) {
                cor_wrap(&err, "bad request: add_hostfwd");
                request_answer_error(err.msg, out);
                return;
        }
        *COR_GROW(a->entries, a->n_entries) = (struct request_entry){ .id = ++a->last_id, .forward = *f };
        request_answer_added(a->last_id, out);
}

static void remove_entry(struct api *a, int64_t id, struct cor_text *out)
{
        struct cor_err err = { 0 };
        size_t i = 0;

        while (i < a->n_entries && a->entries[i].id != id)
                i++;
        if (i == a->n_entries) {
                cor_fail(&err, COR_NOT_FOUND, "bad request: remove_hostfwd: bad arguments.id: there is no %lld",
                         (long long)id);
        } else if (stack_forward_remove(a->stack, &a->entries[i].forward, &err) < 0) {
                cor_wrap(&err, "bad request: remove_hostfwd");
        } else {
                memmove(&a->entries[i], &a->entries[i + 1], (a->n_entries - i - 1) * sizeof *a->entries);
                a->n_entries--;
                request_answer_done(out);
                return;
        }
        request_answer_error(err.msg, out);
}

static void answer(struct api *a, const char *text, size_t n, struct cor_text *out)
{
        struct cor_err err = { 0 };
        struct request r;

        if (request_parse(text, n, &a->guest, &a->guest6, &r, &err) < 0)
                request_answer_error(err.msg, out);
        else if (r.kind == REQUEST_ADD)
                add(a, &r.forward, out);
        else if (r.kind == REQUEST_REMOVE)
                remove_entry(a, r.id, out);
        else
                request_answer_list(a->entries, a->n_entries, out);
}

/* ---------------------------------------------------------------------------------------------------------- clients */

static bool is_pause(ssize_t n)
{
        return n < 0 && (errno == EAGAIN || errno == EINTR);
}

static void read_request(struct api *a, struct client *c)
{
        ssize_t n = recv(c->fd, c->request + c->n, sizeof c->request - c->n, 0);

        if (is_pause(n))
                return;
        if (n < 0) {
                c->stage = STAGE_END;
                return;
        }
        c->n += (size_t)n;
        if (n > 0 && c->n < sizeof c->request)
                return;
        answer(a, c->request, c->n, &c->answer);
        c->stage = STAGE_WRITE;
}

static void write_answer(struct client *c)
{
        ssize_t n = send(c->fd, c->answer.s + c->sent, c->answer.len - c->sent, MSG_NOSIGNAL);

        if (is_pause(n))
                return;
        if (n < 0) {
                c->stage = STAGE_END;
                return;
        }
        c->sent += (size_t)n;
        if (c->sent < c->answer.len)
                return;
        c->stage = shutdown(c->fd, SHUT_WR) < 0 ? STAGE_END : STAGE_DRAIN;
}

static void drain(struct client *c)
{
        char waste[REQUEST_MAX];
        ssize_t n = recv(c->fd, waste, sizeof waste, 0);

        if (n <= 0 && !is_pause(n))
                c->stage = STAGE_END;
}

static void step(struct api *a, struct client *c)
{
        if (c->stage == STAGE_READ)
                read_request(a, c);
        if (c->stage == STAGE_WRITE)
                write_answer(c);
        if (c->stage == STAGE_DRAIN)
                drain(c);
}

static void client_free(struct client *c)
{
        cor_fd_close(&c->fd);
        cor_text_done(&c->answer);
        free(c);
}

static void accept_client(struct api *a)
{
        struct client *c;
        int fd = accept4(a->listening, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

        if (fd < 0)
                return;
        c = cor_alloc(sizeof *c);
        c->fd = fd;
        c->due_ms = cor_now_ms() + CLIENT_MS;
        a->clients[a->n_clients++] = c;
        step(a, c);
}

void api_prepare(struct api *a, struct polls *p)
{
        a->poll_at = polls_add(p, a->n_clients < CLIENTS_MAX ? a->listening : -1, POLLIN);
        for (size_t i = 0; i < a->n_clients; i++) {
                struct client *c = a->clients[i];

                c->poll_at = polls_add(p, c->fd, c->stage == STAGE_WRITE ? POLLOUT : POLLIN);
                polls_due(p, c->due_ms);
        }
}

void api_run(struct api *a, const struct polls *p)
{
        int64_t now = a->n_clients ? cor_now_ms() : 0;
        size_t kept = 0;

        for (size_t i = 0; i < a->n_clients; i++) {
                struct client *c = a->clients[i];

                if (p->items[c->poll_at].revents)
                        step(a, c);
                if (c->stage == STAGE_END || now >= c->due_ms)
                        client_free(c);
                else
                        a->clients[kept++] = c;
        }
        a->n_clients = kept;
        if (p->items[a->poll_at].revents)
                accept_client(a);
}

/* ---------------------------------------------------------------------------------------------------- begin and end */

/* Whether nobody is behind the socket at @address any more. */
static bool is_abandoned(const struct sockaddr_un *address)
{
        auto_fd sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

        return sock >= 0 && connect(sock, (const struct sockaddr *)address, sizeof *address) < 0 &&
               errno == ECONNREFUSED;
}

static int bind_alone(int sock, const struct sockaddr_un *address)
{
        mode_t before = umask(0177);
        int r = bind(sock, (const struct sockaddr *)address, sizeof *address);

        umask(before);
        return r;
}

int api_listen(const char *path, struct cor_err *err)
{
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        auto_fd sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        struct stat st;
        int r;

        if (sock < 0)
                return cor_fail_errno(err, "make a socket");
        if (strlen(path) >= sizeof address.sun_path)
                return cor_fail(err, COR_INVALID, "API socket %.60s…: a path is at most %zu bytes long", path,
                                sizeof address.sun_path - 1);
        snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
        r = bind_alone(sock, &address);
        if (r < 0 && errno == EADDRINUSE && lstat(path, &st) == 0 && S_ISSOCK(st.st_mode) && is_abandoned(&address) &&
            unlink(path) == 0)
                r = bind_alone(sock, &address);
        if (r < 0 || listen(sock, SOMAXCONN) < 0)
                return cor_fail_errno(err, "API socket: listen at %s", path);
        return cor_fd_take(&sock);
}

struct api *api_new(int listening, struct stack *s, struct ip guest, struct ip guest6)
{
        struct api *a = cor_alloc(sizeof *a);

        a->listening = listening;
        a->stack = s;
        a->guest = guest;
        a->guest6 = guest6;
        return a;
}

void api_free(struct api *a)
{
        if (!a)
                return;
        for (size_t i = 0; i < a->n_clients; i++)
                client_free(a->clients[i]);
        cor_fd_close(&a->listening);
        free(a->entries);
        free(a);
}

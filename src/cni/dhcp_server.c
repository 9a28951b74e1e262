#include "cni/dhcp_server.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "cni/call.h"

enum {
        CLIENTS_MAX = 1024,
        READ_MS = 10 * 1000,  /* a request has to be there by then */
        PAUSE_MS = 1000,      /* before the next try when nobody could be let in */
        SEND_BYTES = 1 << 18, /* room for an answer, which is sent at once or not at all */
};

struct client {
        int fd;
        struct cor_text in;
        int64_t until;            /* the request has to be there; INT64_MAX: it is */
        struct dhcp_lease *lease; /* that is waited for, or NULL */
        short events;
        bool over;
};
struct server {
        struct dhcp_leases *leases;
        struct client **clients;
        size_t n_clients;
        int listener, signals, timer;
        int64_t closed_until; /* nobody is let in */
};

/* ---------------------------------------------------------------------------------------------------------- answers */

static void send_text(struct client *c, const char *text, size_t len)
{
        int room = SEND_BYTES;

        (void)setsockopt(c->fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
        (void)!send(c->fd, text, len, MSG_NOSIGNAL | MSG_DONTWAIT);
        c->over = true;
}

static void answer(struct client *c, const struct dhcp_reply *r)
{
        auto_text text = COR_TEXT_INIT;

        cor_json_print(&dhcp_reply_doc, r, COR_JSON_COMPACT, &text);
        send_text(c, text.s, text.len);
}

static void answer_error(struct client *c, const struct cor_err *err)
{
        const struct cni_call none = { .code = 0 };

        answer(c, &(struct dhcp_reply){ .code = (uint32_t)cni_code_of(&none, err), .msg = err->msg });
}

static void answer_lease(struct client *c, const struct dhcp_lease *l)
{
        auto_json struct cni_result *r = NULL;
        auto_text text = COR_TEXT_INIT;
        struct cor_err err = { 0 };

        if (dhcp_lease_result(l, &r, &err) < 0 || cni_result_print(CNI_1_1_0, r, &text, &err) < 0)
                answer_error(c, &err);
        else
                answer(c, &(struct dhcp_reply){ .result = text.s });
}

/* Called for a lease that is granted, or that there will not be. */
static void ended(void *data, struct dhcp_lease *l, const struct cor_err *why)
{
        struct server *s = data;

        for (size_t i = 0; i < s->n_clients; i++) {
                struct client *c = s->clients[i];

                if (c->lease != l)
                        continue;
                c->lease = NULL;
                if (why)
                        answer_error(c, why);
                else
                        answer_lease(c, l);
        }
}

/* --------------------------------------------------------------------------------------------------------- requests */

static int serve(struct server *s, struct client *c, struct cor_err *err)
{
        auto_json struct dhcp_request *q = NULL;
        struct dhcp_lease *l = NULL;
        int done;

        if (cor_json_parse(&dhcp_request_doc, c->in.s, c->in.len, "request", &q, err) < 0)
                return -1;
        done = dhcp_leases_serve(s->leases, q, &l, err);
        if (done < 0)
                return -1;
        if (done > 0)
                c->lease = l;
        else if (l)
                answer_lease(c, l);
        else
                answer(c, &(struct dhcp_reply){ .code = 0 });
        return 0;
}

/* The reference plugin begins like HTTP. It shall not wait for an answer that it cannot read. */
static bool is_foreign(const struct client *c)
{
        return c->in.len >= 8 && memcmp(c->in.s, "CONNECT ", 8) == 0;
}

static void refuse_foreign(struct client *c)
{
        static const char text[] = "HTTP/1.0 501 this daemon is coracle-cni's, and is for its plugin dhcp only\n\n";

        send_text(c, text, sizeof text - 1);
}

static void read_request(struct server *s, struct client *c)
{
        struct cor_err err = { 0 };
        char buf[4096];
        ssize_t n;

        while ((n = recv(c->fd, buf, sizeof buf, MSG_DONTWAIT)) > 0) {
                cor_text_add_n(&c->in, buf, (size_t)n);
                if (is_foreign(c)) {
                        refuse_foreign(c);
                        return;
                }
                if (c->in.len > DHCP_REQUEST_MAX_BYTES) {
                        (void)cor_fail(&err, COR_INVALID, "the request is longer than %d bytes",
                                       DHCP_REQUEST_MAX_BYTES);
                        answer_error(c, &err);
                        return;
                }
        }
        if (n < 0) {
                c->over = errno != EAGAIN && errno != EINTR;
                return;
        }
        c->until = INT64_MAX;
        if (c->in.len == 0) /* somebody wanted to know whether we are there */
                c->over = true;
        else if (serve(s, c, &err) < 0)
                answer_error(c, &err);
}

/* ---------------------------------------------------------------------------------------------------------- clients */

static void free_client(struct client *c)
{
        cor_fd_close(&c->fd);
        cor_text_done(&c->in);
        free(c);
}

/* Only the user that we run as, and root: whoever asks has interfaces of any namespace set up. */
static bool is_allowed(int fd)
{
        struct ucred who;
        socklen_t len = sizeof who;

        return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) == 0 && (who.uid == 0 || who.uid == geteuid());
}

static void let_in(struct server *s)
{
        while (s->n_clients < CLIENTS_MAX) {
                int fd = accept4(s->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
                struct client *c;

                if (fd < 0) {
                        if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
                                s->closed_until = dhcp_now_ms() + PAUSE_MS;
                        return;
                }
                if (!is_allowed(fd)) {
                        cor_fd_close(&fd);
                        continue;
                }
                c = cor_alloc(sizeof *c);
                c->fd = fd;
                c->until = dhcp_now_ms() + READ_MS;
                *COR_GROW(s->clients, s->n_clients) = c;
        }
}

static void step_clients(struct server *s)
{
        int64_t now = dhcp_now_ms();

        for (size_t i = 0; i < s->n_clients; i++) {
                struct client *c = s->clients[i];

                if (c->over)
                        continue;
                if (c->lease && c->events & (POLLHUP | POLLERR)) {
                        struct dhcp_lease *l = c->lease;

                        c->lease = NULL;
                        c->over = true;
                        dhcp_leases_drop(s->leases, l);
                } else if (!c->lease && c->events)
                        read_request(s, c);
                else if (now >= c->until)
                        c->over = true;
        }
}

static void sweep(struct server *s)
{
        size_t n = 0;

        for (size_t i = 0; i < s->n_clients; i++) {
                if (s->clients[i]->over)
                        free_client(s->clients[i]);
                else
                        s->clients[n++] = s->clients[i];
        }
        s->n_clients = n;
}

/* --------------------------------------------------------------------------------------------------------- the loop */

static int set_timer(struct server *s, struct cor_err *err)
{
        int64_t due = dhcp_leases_due(s->leases);
        struct itimerspec t = { .it_value.tv_nsec = 0 };

        for (size_t i = 0; i < s->n_clients; i++)
                due = s->clients[i]->until < due ? s->clients[i]->until : due;
        if (s->closed_until && s->closed_until < due)
                due = s->closed_until;
        if (due != INT64_MAX) {
                due = due < 1 ? 1 : due; /* 0 would be never */
                t.it_value = (struct timespec){ .tv_sec = due / 1000, .tv_nsec = due % 1000 * 1000000 };
        }
        if (timerfd_settime(s->timer, TFD_TIMER_ABSTIME, &t, NULL) < 0)
                return cor_fail_errno(err, "timer");
        return 0;
}

enum { AT_SIGNALS, AT_TIMER, AT_LISTENER, AT_CLIENTS };

static size_t collect(struct server *s, struct pollfd *fds)
{
        size_t n = AT_CLIENTS;
        bool open = s->n_clients < CLIENTS_MAX && !s->closed_until;

        fds[AT_SIGNALS] = (struct pollfd){ .fd = s->signals, .events = POLLIN };
        fds[AT_TIMER] = (struct pollfd){ .fd = s->timer, .events = POLLIN };
        fds[AT_LISTENER] = (struct pollfd){ .fd = open ? s->listener : -1, .events = POLLIN };
        for (size_t i = 0; i < s->n_clients; i++) /* that one who waits has shut his side down is no news */
                fds[n++] = (struct pollfd){ .fd = s->clients[i]->fd, .events = s->clients[i]->lease ? 0 : POLLIN };
        for (size_t i = 0; i < s->leases->n_items; i++)
                if (s->leases->items[i]->sock >= 0)
                        fds[n++] = (struct pollfd){ .fd = s->leases->items[i]->sock, .events = POLLIN };
        return n;
}

static int wait_for_news(struct server *s, bool *ret_stop, bool *ret_new, struct cor_err *err)
{
        struct pollfd *fds auto_free =
                cor_alloc((AT_CLIENTS + s->n_clients + s->leases->n_items) * sizeof(struct pollfd));
        size_t n = collect(s, fds);
        uint64_t ticks;

        if (poll(fds, n, -1) < 0)
                return errno == EINTR ? 0 : cor_fail_errno(err, "poll");
        (void)!read(s->timer, &ticks, sizeof ticks);
        for (size_t i = 0; i < s->n_clients; i++)
                s->clients[i]->events = fds[AT_CLIENTS + i].revents;
        *ret_stop = fds[AT_SIGNALS].revents != 0;
        *ret_new = fds[AT_LISTENER].revents != 0;
        return 0;
}

static int step(struct server *s, bool *ret_stop, struct cor_err *err)
{
        bool someone = false;

        if (s->closed_until && dhcp_now_ms() >= s->closed_until)
                s->closed_until = 0;
        if (set_timer(s, err) < 0 || wait_for_news(s, ret_stop, &someone, err) < 0)
                return -1;
        step_clients(s);
        dhcp_leases_step(s->leases);
        if (someone)
                let_in(s);
        sweep(s);
        return 0;
}

static void tell_the_end(struct server *s)
{
        struct cor_err err = { 0 };

        (void)cor_fail(&err, COR_BUSY, "the DHCP daemon was told to end");
        for (size_t i = 0; i < s->n_clients; i++) {
                if (s->clients[i]->lease)
                        answer_error(s->clients[i], &err);
                free_client(s->clients[i]);
        }
        free(s->clients);
}

int dhcp_server_run(struct dhcp_leases *leases, int listener, int signals, struct cor_err *err)
{
        auto_fd timer = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);
        struct server *s auto_free = cor_alloc(sizeof *s);
        bool stop = false;
        int result = 0;

        if (timer < 0)
                return cor_fail_errno(err, "timer");
        *s = (struct server){ .leases = leases, .listener = listener, .signals = signals, .timer = timer };
        leases->ended = ended;
        leases->data = s;
        while (!stop && result == 0)
                result = step(s, &stop, err);
        tell_the_end(s);
        leases->ended = NULL;
        leases->data = NULL;
        return result;
}

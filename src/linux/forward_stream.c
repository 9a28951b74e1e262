/*
 * Connections: two ends, and between them two flows, one each way. The kernel tells of each end once when something has
 * changed there (edge-triggered), so that it is remembered what an end can do until it says that it cannot.
 *
 *      from ──splice──> pipe ──splice──> to
 *
 * A flow has a pipe only while there is something in it. Its states: open, then `ended` (no more comes from `from`),
 * then, when the pipe is empty, `shut` (and that was told to `to`). Both shut: the connection is over. Any error: both
 * ends are reset at once.
 */
#include "linux/forward_internal.h"

#include "base/alloc.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

enum {
        ACCEPTS_A_STEP = 64,
        ROUNDS_A_STEP = 16, /* of one flow, before the others have their turn */
        PIECE_BYTES = 1 << 20,
};

struct forward_connection;
struct end {
        struct forward_item item;
        struct forward_connection *connection;
        bool readable, writable, connected;
};
struct flow {
        struct end *from, *to;
        struct forward_pipe pipe;
        size_t held; /* bytes in the pipe */
        struct forward_message *message;
        bool ended, shut;
};
struct forward_connection {
        struct forward_link link, busy;
        int protocol;
        bool is_busy, is_dead;
        struct end end[2]; /* the client's, the server's */
        struct flow flow[2];
};

static struct forward_connection *of_link(struct forward_link *l)
{
        return (void *)((char *)l - offsetof(struct forward_connection, link));
}

static struct forward_connection *of_busy(struct forward_link *l)
{
        return (void *)((char *)l - offsetof(struct forward_connection, busy));
}

/* ------------------------------------------------------------------------------------------------------- begin, end */

static void reset_on_close(int fd)
{
        const struct linger now = { .l_onoff = 1 };

        (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

static void end_connection(struct forward *f, struct forward_connection *c, bool failed)
{
        if (c->is_dead)
                return;
        for (int i = 0; i < 2; i++) {
                struct flow *w = &c->flow[i];

                forward_pipe_put(f, &w->pipe, w->held == 0);
                free(w->message);
                w->message = NULL;
                if (c->end[i].item.fd < 0)
                        continue;
                if (failed)
                        reset_on_close(c->end[i].item.fd);
                close(c->end[i].item.fd);
                c->end[i].item.fd = -1;
        }
        if (c->is_busy)
                forward_link_remove(&c->busy);
        c->is_busy = false;
        c->is_dead = true;
        forward_link_remove(&c->link);
        forward_link_add(&f->dead, &c->link);
        f->n_connections--;
}

void forward_stream_bury(struct forward *f)
{
        struct forward_link *next;

        for (struct forward_link *l = f->dead.after; l != &f->dead; l = next) {
                next = l->after;
                free(of_link(l));
        }
        forward_link_init(&f->dead);
}

void forward_stream_done(struct forward *f)
{
        while (!forward_link_empty(&f->connections))
                end_connection(f, of_link(f->connections.after), true);
        forward_stream_bury(f);
}

/* ------------------------------------------------------------------------------------------------------------ flows */

static void flow_shut(struct flow *w)
{
        w->shut = true;
        (void)shutdown(w->to->item.fd, SHUT_WR);
}

/* 1: something was moved, 0: nothing can be for now, -1: an error */
static int flow_fill(struct forward *f, struct flow *w)
{
        ssize_t n;

        if (w->held > 0 || w->ended || !w->from->readable || !w->from->connected)
                return 0; /* what the other end does not take yet may as well wait in the socket */
        if (w->pipe.fd[0] < 0 && forward_pipe_get(f, &w->pipe) < 0)
                return -1;
        n = splice(w->from->item.fd, NULL, w->pipe.fd[1], NULL, PIECE_BYTES, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
        if (n > 0) {
                w->held += (size_t)n;
                return 1;
        }
        if (n == 0) {
                w->ended = true;
                return 1;
        }
        if (errno == EINTR)
                return 1;
        if (errno != EAGAIN)
                return -1;
        w->from->readable = false;
        return 0;
}

static int flow_drain(struct flow *w)
{
        ssize_t n;

        if (w->held == 0 || !w->to->writable || !w->to->connected)
                return 0;
        n = splice(w->pipe.fd[0], NULL, w->to->item.fd, NULL, w->held, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
        if (n > 0) {
                w->held -= (size_t)n;
                return 1;
        }
        if (n == 0 || errno == EINTR)
                return 1;
        if (errno != EAGAIN)
                return -1;
        w->to->writable = false;
        return 0;
}

/* The same of whole messages, which a pipe does not know. */
static int flow_pass_message(struct flow *w)
{
        struct forward_message *m = w->message;
        int r;

        if (!m)
                m = w->message = cor_alloc(sizeof *m);
        if (m->n == 0) {
                if (w->ended || !w->from->readable || !w->from->connected)
                        return 0;
                r = forward_sctp_read(w->from->item.fd, m);
                if (r == 0)
                        w->from->readable = false;
                w->ended = w->ended || r == 2;
                return r < 0 ? -1 : r != 0;
        }
        if (!w->to->writable || !w->to->connected)
                return 0;
        r = forward_sctp_write(w->to->item.fd, m);
        if (r == 0)
                w->to->writable = false;
        return r;
}

static bool flow_is_empty(const struct flow *w)
{
        return w->held == 0 && (!w->message || w->message->n == 0);
}

/* 1: there is more to be done at once, 0: not before the next event, -1 */
static int flow_run(struct forward *f, struct forward_connection *c, struct flow *w)
{
        for (int i = 0; i < ROUNDS_A_STEP; i++) {
                int in = 0, out;

                if (w->shut)
                        return 0;
                if (c->protocol == IPPROTO_SCTP) {
                        out = flow_pass_message(w);
                } else {
                        in = flow_fill(f, w);
                        out = in < 0 ? -1 : flow_drain(w);
                }
                if (out < 0)
                        return -1;
                if (w->ended && flow_is_empty(w)) {
                        if (!w->to->connected)
                                return 0;
                        flow_shut(w);
                }
                if (w->pipe.fd[0] >= 0 && w->held == 0)
                        forward_pipe_put(f, &w->pipe, true);
                if (in == 0 && out == 0)
                        return 0;
        }
        return 1;
}

static void run(struct forward *f, struct forward_connection *c)
{
        int more = 0;

        for (int i = 0; i < 2 && more >= 0; i++) {
                int r = flow_run(f, c, &c->flow[i]);

                more = r < 0 ? -1 : more | r;
        }
        if (more < 0 || (c->flow[0].shut && c->flow[1].shut)) {
                end_connection(f, c, more < 0);
                return;
        }
        if (more && !c->is_busy)
                forward_link_add(&f->busy, &c->busy);
        if (!more && c->is_busy)
                forward_link_remove(&c->busy);
        c->is_busy = more;
}

void forward_stream_step(struct forward *f)
{
        struct forward_link turn;

        /* those that are busy now, each once: what becomes busy meanwhile has its turn in the next step */
        if (forward_link_empty(&f->busy))
                return;
        turn = f->busy;
        turn.after->before = turn.before->after = &turn;
        forward_link_init(&f->busy);
        while (!forward_link_empty(&turn)) {
                struct forward_connection *c = of_busy(turn.after);

                forward_link_remove(&c->busy);
                c->is_busy = false;
                run(f, c);
        }
}

/* --------------------------------------------------------------------------------------------------------- the ends */

static void tune(int fd, int protocol)
{
        const int on = 1;

        (void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on); /* a peer that has vanished is noticed */
        if (protocol == IPPROTO_TCP)
                (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        else
                forward_sctp_prepare(fd);
}

static bool has_failed(int fd)
{
        int error = 0;
        socklen_t n = sizeof error;

        return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &n) < 0 || error != 0;
}

void forward_stream_event(struct forward *f, struct forward_item *item, uint32_t events)
{
        struct end *e = (struct end *)item;
        struct forward_connection *c = e->connection;

        if (events & EPOLLERR && has_failed(item->fd)) {
                end_connection(f, c, true);
                return;
        }
        if (events & (EPOLLOUT | EPOLLHUP))
                e->connected = true;
        e->writable = e->writable || events & (EPOLLOUT | EPOLLHUP);
        e->readable = e->readable || events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP);
        run(f, c);
}

static void begin(struct forward *f, const struct forward_port *p, int client, int server)
{
        struct forward_connection *c = cor_alloc(sizeof *c);
        const int fds[2] = { client, server };

        c->protocol = p->protocol;
        for (int i = 0; i < 2; i++) {
                c->end[i] = (struct end){ .item = { FORWARD_END, fds[i] }, .connection = c, .connected = i == 0 };
                c->flow[i] = (struct flow){ .from = &c->end[i], .to = &c->end[1 - i], .pipe = { { -1, -1 } } };
                tune(fds[i], p->protocol);
        }
        forward_link_init(&c->busy);
        forward_link_add(&f->connections, &c->link);
        f->n_connections++;
        for (int i = 0; i < 2; i++) {
                if (forward_watch(f, &c->end[i].item, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET) < 0) {
                        end_connection(f, c, true);
                        return;
                }
        }
}

static bool is_lack(int error)
{
        return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

void forward_stream_accept(struct forward *f, struct forward_port *p)
{
        for (int i = 0; i < ACCEPTS_A_STEP; i++) {
                struct forward_address from = { .len = sizeof from.sa };
                int server, client = forward_own(f, accept4(p->item.fd, (struct sockaddr *)&from.sa, &from.len,
                                                            SOCK_CLOEXEC | SOCK_NONBLOCK));

                if (client < 0) {
                        if (is_lack(errno))
                                forward_lack(f);
                        if (errno == EINTR || errno == ECONNABORTED)
                                continue;
                        return;
                }
                server = forward_connect(f, p, &from);
                if (server >= 0) {
                        begin(f, p, client, server);
                        continue;
                }
                if (is_lack(errno))
                        forward_lack(f);
                reset_on_close(client);
                close(client);
        }
}

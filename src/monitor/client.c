#include "monitor/client.h"

#include "base/alloc.h"
#include "base/fd.h"
#include "base/process.h"
#include "monitor/monitor.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct reply {
        struct reply *next;
        enum monitor_packet type;
        size_t n;
        char content[];
};

static char packet[MONITOR_PACKET_MAX];

void client_add(struct monitor *m, int fd)
{
        int flags = fcntl(fd, F_GETFL);

        if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 || m->n_clients >= CLIENTS_MAX) {
                close(fd);
                return;
        }
        *COR_GROW(m->clients, m->n_clients) = (struct client){ .fd = fd, .number = ++m->client_numbers };
}

void client_accept(struct monitor *m)
{
        int fd = accept4(m->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

        if (fd >= 0)
                client_add(m, fd);
}

struct client *client_numbered(struct monitor *m, uint64_t number)
{
        for (size_t i = 0; i < m->n_clients; i++)
                if (m->clients[i].number == number && m->clients[i].fd >= 0)
                        return &m->clients[i];
        return NULL;
}

static void free_replies(struct client *c)
{
        while (c->first) {
                struct reply *r = c->first;

                c->first = r->next;
                free(r);
        }
        c->last = NULL;
        c->n_replies = 0;
}

void client_drop(struct monitor *m, struct client *c)
{
        if (c->fd < 0)
                return;
        cor_fd_close(&c->fd);
        free_replies(c);
        if (c->in && m->settings.stdin_once && !m->settings.tty)
                input_end(m);
        for (int i = 0; i < 2; i++)
                if (c->owed[i]) {
                        c->owed[i] = false;
                        output_settled(m, i);
                }
}

void clients_forget(struct monitor *m)
{
        size_t kept = 0;

        for (size_t i = 0; i < m->n_clients; i++)
                if (m->clients[i].fd >= 0)
                        m->clients[kept++] = m->clients[i];
        m->n_clients = kept;
        if (kept == 0) {
                free(m->clients);
                m->clients = NULL;
        }
}

void clients_done(struct monitor *m)
{
        for (size_t i = 0; i < m->n_clients; i++)
                client_drop(m, &m->clients[i]);
        clients_forget(m);
}

/* 1 sent, 0 not now, -1 the client is gone (and dropped) */
static int try_send(struct monitor *m, struct client *c, enum monitor_packet type, const void *content, size_t n)
{
        struct cor_err err = { 0 };

        if (monitor_send(c->fd, type, content, n, &err) == 0) {
                m->progress_ms = cor_now_ms();
                return 1;
        }
        if (err.kind == COR_BUSY)
                return 0;
        client_drop(m, c);
        return -1;
}

static bool has_to_wait(const struct client *c)
{
        return c->owed[0] || c->owed[1] || c->first;
}

void client_tell(struct monitor *m, struct client *c, enum monitor_packet type, const void *content, size_t n)
{
        struct reply *r;

        if (c->fd < 0 || (!has_to_wait(c) && try_send(m, c, type, content, n) != 0))
                return;
        r = cor_alloc(sizeof *r + n);
        r->type = type;
        r->n = n;
        if (n)
                memcpy(r->content, content, n);
        if (c->last)
                c->last->next = r;
        else
                c->first = r;
        c->last = r;
        c->n_replies++;
}

void client_fail(struct monitor *m, struct client *c, const struct cor_err *err)
{
        client_tell(m, c, MONITOR_ERROR, err, sizeof *err);
}

void clients_send_output(struct monitor *m, int which, enum monitor_packet type)
{
        for (size_t i = 0; i < m->n_clients; i++) {
                struct client *c = &m->clients[i];

                if (c->fd < 0 || !c->out[m->out[which].is_tty ? 0 : which])
                        continue;
                if (has_to_wait(c) || try_send(m, c, type, output_bytes(which), m->out[which].n) == 0)
                        c->owed[which] = c->fd >= 0;
        }
}

short client_events(const struct monitor *m, const struct client *c)
{
        bool held = (c->in && m->in.n > 0) || c->n_replies >= REPLIES_MAX; /* its next words have nowhere to go */

        return (short)((held ? 0 : POLLIN) | (has_to_wait(c) ? POLLOUT : 0));
}

static enum monitor_packet output_packet(const struct monitor *m, int which)
{
        return which == 0 || m->out[which].is_tty ? MONITOR_STDOUT : MONITOR_STDERR;
}

/* Output first: what has to come after all of it, EXIT, is said when no more will follow. */
static void catch_up(struct monitor *m, struct client *c)
{
        for (int i = 0; i < 2; i++) {
                if (!client_is_owed(c, i))
                        continue;
                if (try_send(m, c, output_packet(m, i), output_bytes(i), m->out[i].n) <= 0)
                        return;
                c->owed[i] = false;
                output_settled(m, i);
        }
        while (c->fd >= 0 && c->first) {
                struct reply *r = c->first;

                if (try_send(m, c, r->type, r->content, r->n) <= 0)
                        return;
                c->first = r->next;
                c->n_replies--;
                if (!c->first)
                        c->last = NULL;
                free(r);
        }
}

static void receive(struct monitor *m, struct client *c)
{
        struct cor_err err = { 0 };
        auto_fd fd = -1;
        size_t n = 0;
        int type = monitor_receive_fd(c->fd, packet, &n, &fd, &err);

        if (type < 0 && err.kind == COR_BUSY)
                return;
        if (type <= 0)
                client_drop(m, c);
        else
                monitor_request(m, c, type, packet + 1, n, fd);
}

void client_step(struct monitor *m, struct client *c, short events)
{
        if (c->fd >= 0 && (events & POLLOUT))
                catch_up(m, c);
        if (c->fd >= 0 && (events & (POLLIN | POLLHUP | POLLERR)))
                receive(m, c);
}

bool clients_are_owed(const struct monitor *m)
{
        for (size_t i = 0; i < m->n_clients; i++)
                if (m->clients[i].fd >= 0 && has_to_wait(&m->clients[i]))
                        return true;
        return false;
}

bool clients_hold(const struct monitor *m)
{
        for (size_t i = 0; i < m->n_clients; i++)
                if (m->clients[i].fd >= 0 && m->clients[i].holds)
                        return true;
        return false;
}

#include "linux/forward_internal.h"

#include "base/alloc.h"
#include "base/fd.h"
#include "base/process.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

enum { EVENTS_A_STEP = 64, RESUME_MS = 100, PIPE_BYTES = 1 << 20 };

/* ------------------------------------------------------------------------------------------------------------ lists */

void forward_link_init(struct forward_link *l)
{
        l->before = l->after = l;
}

void forward_link_add(struct forward_link *head, struct forward_link *l)
{
        l->before = head->before;
        l->after = head;
        head->before->after = l;
        head->before = l;
}

void forward_link_remove(struct forward_link *l)
{
        l->before->after = l->after;
        l->after->before = l->before;
        forward_link_init(l);
}

/* ----------------------------------------------------------------------------------------------------- what all use */

void forward_use_from(struct forward *f, int first)
{
        f->first = first;
}

int forward_own(const struct forward *f, int fd)
{
        int own;

        if (fd < 0 || fd >= f->first)
                return fd;
        own = fcntl(fd, F_DUPFD_CLOEXEC, f->first);
        cor_fd_close(&fd);
        return own;
}

int forward_watch(struct forward *f, struct forward_item *item, uint32_t events)
{
        struct epoll_event e = { .events = events, .data.ptr = item };

        return epoll_ctl(f->epoll, EPOLL_CTL_ADD, item->fd, &e);
}

void forward_lack(struct forward *f)
{
        struct epoll_event e = { .events = 0 };

        f->paused = true;
        f->resume_at = f->now + RESUME_MS;
        for (struct forward_port *p = f->ports; p; p = p->next) {
                e.data.ptr = &p->item;
                (void)epoll_ctl(f->epoll, EPOLL_CTL_MOD, p->item.fd, &e);
        }
}

static void resume(struct forward *f)
{
        struct epoll_event e = { .events = EPOLLIN };

        f->paused = false;
        for (struct forward_port *p = f->ports; p; p = p->next) {
                e.data.ptr = &p->item;
                (void)epoll_ctl(f->epoll, EPOLL_CTL_MOD, p->item.fd, &e);
        }
}

char *forward_buffer(struct forward *f)
{
        if (!f->buffer)
                f->buffer = cor_alloc(FORWARD_BUFFER_BYTES);
        return f->buffer;
}

int forward_pipe_get(struct forward *f, struct forward_pipe *ret)
{
        if (f->n_pipes > 0) {
                *ret = f->pipes[--f->n_pipes];
                return 0;
        }
        if (pipe2(ret->fd, O_CLOEXEC | O_NONBLOCK) < 0)
                return -1;
        for (int i = 0; i < 2; i++)
                ret->fd[i] = forward_own(f, ret->fd[i]);
        if (ret->fd[0] < 0 || ret->fd[1] < 0) {
                cor_fd_close(&ret->fd[0]);
                cor_fd_close(&ret->fd[1]);
                return -1;
        }
        (void)fcntl(ret->fd[0], F_SETPIPE_SZ, PIPE_BYTES); /* as it is, where the user has too many */
        return 0;
}

void forward_pipe_put(struct forward *f, struct forward_pipe *p, bool empty)
{
        if (p->fd[0] < 0)
                return;
        if (empty && f->n_pipes < FORWARD_PIPES_KEPT) {
                f->pipes[f->n_pipes++] = *p;
        } else {
                close(p->fd[0]);
                close(p->fd[1]);
        }
        p->fd[0] = p->fd[1] = -1;
}

/* --------------------------------------------------------------------------------------------------------- its life */

int forward_new(struct forward **ret, struct cor_err *err)
{
        int fd = epoll_create1(EPOLL_CLOEXEC);
        struct forward *f;

        if (fd < 0)
                return cor_fail_errno(err, "make an epoll descriptor");
        f = cor_alloc(sizeof *f);
        f->epoll = fd;
        forward_link_init(&f->connections);
        forward_link_init(&f->busy);
        forward_link_init(&f->dead);
        forward_link_init(&f->associations);
        *ret = f;
        return 0;
}

void forward_free(struct forward *f)
{
        struct forward_port *next;

        if (!f)
                return;
        forward_stream_done(f);
        forward_datagram_done(f);
        for (struct forward_port *p = f->ports; p; p = next) {
                next = p->next;
                close(p->item.fd);
                free(p);
        }
        while (f->n_pipes > 0) {
                f->n_pipes--;
                close(f->pipes[f->n_pipes].fd[0]);
                close(f->pipes[f->n_pipes].fd[1]);
        }
        close(f->epoll);
        free(f->buffer);
        free(f);
}

int forward_address(const char *ip, uint16_t port, struct forward_address *ret, struct cor_err *err)
{
        struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons(port) };
        struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };

        memset(ret, 0, sizeof *ret);
        if (inet_pton(AF_INET, ip, &v4.sin_addr) == 1) {
                memcpy(&ret->sa, &v4, sizeof v4);
                ret->len = sizeof v4;
        } else if (inet_pton(AF_INET6, ip, &v6.sin6_addr) == 1) {
                memcpy(&ret->sa, &v6, sizeof v6);
                ret->len = sizeof v6;
        } else {
                return cor_fail(err, COR_INVALID, "invalid IP address: %.60s", ip);
        }
        return 0;
}

int forward_listen(int protocol, const struct forward_address *at, struct cor_err *err)
{
        auto_fd fd = socket(at->sa.ss_family, forward_type(protocol) | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);
        const int on = 1;

        if (fd < 0)
                return cor_fail_errno(err, "make a socket");
        if (at->sa.ss_family == AF_INET6)
                (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
        /* connections of the one before, which the kernel still remembers, keep nobody from the port */
        if (protocol != IPPROTO_UDP)
                (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        if (bind(fd, (const struct sockaddr *)&at->sa, at->len) < 0 ||
            (protocol != IPPROTO_UDP && listen(fd, SOMAXCONN) < 0)) {
                if (errno == EADDRINUSE) {
                        cor_fail(err, COR_BUSY, "address already in use");
                        if (err)
                                err->sys = EADDRINUSE;
                        return -1;
                }
                return cor_fail_errno(err, "bind");
        }
        return cor_fd_take(&fd);
}

int forward_add(struct forward *f, int protocol, int fd, const struct forward_address *to, struct cor_err *err)
{
        struct forward_port *p;
        int flags;

        fd = forward_own(f, fd);
        if (fd < 0)
                return cor_fail_errno(err, "open a port");
        flags = fcntl(fd, F_GETFL);
        p = cor_alloc(sizeof *p);
        *p = (struct forward_port){ .item = { FORWARD_PORT, fd }, .protocol = protocol, .to = *to, .next = f->ports };
        if (protocol == IPPROTO_UDP)
                forward_datagram_prepare(fd);
        if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 || forward_watch(f, &p->item, EPOLLIN) < 0) {
                cor_fail_errno(err, "watch a port");
                close(fd);
                free(p);
                return -1;
        }
        f->ports = p;
        return 0;
}

/* --------------------------------------------------------------------------------------------------------- the loop */

int forward_fd(const struct forward *f)
{
        return f->epoll;
}

size_t forward_count(const struct forward *f)
{
        return f->n_connections + f->n_associations;
}

int64_t forward_due(const struct forward *f)
{
        int64_t at = forward_datagram_due(f);

        if (!forward_link_empty(&f->busy))
                return 0;
        return f->paused && (at < 0 || f->resume_at < at) ? f->resume_at : at;
}

static void take(struct forward *f, const struct epoll_event *e)
{
        struct forward_item *item = e->data.ptr;
        struct forward_port *p;

        if (item->fd < 0) /* closed in this round */
                return;
        switch (item->kind) {
        case FORWARD_PORT:
                p = (struct forward_port *)item;
                if (p->protocol == IPPROTO_UDP)
                        forward_datagram_arrive(f, p);
                else
                        forward_stream_accept(f, p);
                break;
        case FORWARD_END:
                forward_stream_event(f, item, e->events);
                break;
        case FORWARD_ASSOCIATION:
                forward_datagram_answer(f, item);
                break;
        }
}

void forward_step(struct forward *f)
{
        struct epoll_event events[EVENTS_A_STEP];
        int n = epoll_wait(f->epoll, events, EVENTS_A_STEP, 0);

        f->now = cor_now_ms();
        for (int i = 0; i < n; i++)
                take(f, &events[i]);
        forward_stream_step(f);
        forward_stream_bury(f);
        forward_datagram_expire(f);
        if (f->paused && f->now >= f->resume_at)
                resume(f);
}

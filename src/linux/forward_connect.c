/*
 * Sockets towards the servers. With the client's port as well, if nobody has it there: two connections of a client from
 * one port go to different ports, or one of them is of yesterday and the kernel remembers it.
 */
#include "linux/forward_internal.h"

#include "base/fd.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

int forward_type(int protocol)
{
        return protocol == IPPROTO_UDP ? SOCK_DGRAM : SOCK_STREAM;
}

void forward_keep_sources(struct forward *f, uint32_t mark, forward_may_fn *may, void *data)
{
        f->may_keep = may;
        f->may_keep_data = data;
        f->mark = mark;
}

static bool keeps(const struct forward *f, const struct forward_port *p, const struct forward_address *client)
{
        return f->may_keep && p->protocol != IPPROTO_SCTP && client->sa.ss_family == p->to.sa.ss_family &&
               f->may_keep(f->may_keep_data, client);
}

static void forget_port(struct forward_address *a)
{
        struct sockaddr_in6 v6;
        struct sockaddr_in v4;

        if (a->sa.ss_family == AF_INET) {
                memcpy(&v4, &a->sa, sizeof v4);
                v4.sin_port = 0;
                memcpy(&a->sa, &v4, sizeof v4);
        } else {
                memcpy(&v6, &a->sa, sizeof v6);
                v6.sin6_port = 0;
                memcpy(&a->sa, &v6, sizeof v6);
        }
}

static int bind_as(int fd, const struct forward *f, const struct forward_address *source)
{
        const int on = 1;
        bool six = source->sa.ss_family == AF_INET6;

        if (setsockopt(fd, six ? IPPROTO_IPV6 : IPPROTO_IP, six ? IPV6_TRANSPARENT : IP_TRANSPARENT, &on, sizeof on) <
                    0 ||
            setsockopt(fd, SOL_SOCKET, SO_MARK, &f->mark, sizeof f->mark) < 0 ||
            setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0)
                return -1;
        return bind(fd, (const struct sockaddr *)&source->sa, source->len);
}

/* @source: NULL for an address of this host */
static int connect_from(const struct forward *f, const struct forward_port *p, const struct forward_address *source)
{
        int type = forward_type(p->protocol) | SOCK_CLOEXEC | SOCK_NONBLOCK;
        auto_fd fd = forward_own(f, socket(p->to.sa.ss_family, type, p->protocol));
        int error;

        if (fd < 0)
                return -1;
        if ((!source || bind_as(fd, f, source) == 0) &&
            (connect(fd, (const struct sockaddr *)&p->to.sa, p->to.len) == 0 || errno == EINPROGRESS))
                return cor_fd_take(&fd);
        error = errno;
        cor_fd_close(&fd);
        errno = error;
        return -1;
}

int forward_connect(const struct forward *f, const struct forward_port *p, const struct forward_address *client)
{
        struct forward_address source = *client;
        int fd;

        if (keeps(f, p, client)) {
                fd = connect_from(f, p, &source);
                if (fd < 0 && (errno == EADDRINUSE || errno == EADDRNOTAVAIL)) {
                        forget_port(&source);
                        fd = connect_from(f, p, &source);
                }
                if (fd >= 0)
                        return fd;
        }
        return connect_from(f, p, NULL);
}

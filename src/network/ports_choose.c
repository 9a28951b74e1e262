/*
 * Which ports of the host a container gets. This runs in the only transaction that writes (store/port.h), and every
 * choice is bound at once: what is chosen belongs to us, as far as rows and as far as the kernel are concerned.
 */
#include "network/ports_internal.h"

#include "base/alloc.h"
#include "base/fd.h"
#include "base/file.h"
#include "linux/ip.h"
#include "store/container.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { EPHEMERAL_FIRST = 32768, EPHEMERAL_LAST = 60999, FAMILIES = 2 };
#define ANY4 "0.0.0.0"
#define ANY6 "::"

static bool is_six(const char *ip)
{
        return strchr(ip, ':') != NULL;
}

static bool is_any(const char *ip)
{
        return strcmp(ip, ANY4) == 0 || strcmp(ip, ANY6) == 0;
}

/* The kernel's own range, which it takes ports of outgoing connections from. */
static void read_range(struct ports_chooser *c)
{
        char text[64];
        unsigned first, last;

        c->first = EPHEMERAL_FIRST;
        c->last = EPHEMERAL_LAST;
        if (cor_read_at(AT_FDCWD, "/proc/sys/net/ipv4/ip_local_port_range", text, sizeof text, NULL) > 0 &&
            sscanf(text, "%u %u", &first, &last) == 2 && first > 0 && first <= last && last <= UINT16_MAX) {
                c->first = (uint16_t)first;
                c->last = (uint16_t)last;
        }
}

int ports_chooser_init(struct ports_chooser *c, struct cor_err *err)
{
        struct forward_address any;
        auto_fd fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);

        read_range(c);
        if (forward_address(ANY6, 0, &any, err) < 0)
                return -1;
        c->six = fd >= 0 && bind(fd, (struct sockaddr *)&any.sa, any.len) == 0;
        return 0;
}

/* ------------------------------------------------------------------------------------------------------- who has it */

/* @ip is one of the host; what is only opened is found by exactly its address */
static bool overlap(const struct port_row *row, int protocol, const char *ip, uint16_t port, bool routed)
{
        if (row->dropped || row->protocol != protocol || row->host_port != port || is_six(row->host_ip) != is_six(ip) ||
            port_row_is_routed(row) != routed)
                return false;
        return is_any(ip) || is_any(row->host_ip) || strcmp(ip, row->host_ip) == 0;
}

/* 1: another container, that lives; the rows of dead ones are dropped */
static int has_owner(struct ports_chooser *c, struct port_rows *others, int protocol, const char *ip, uint16_t port,
                     bool routed, struct cor_err *err)
{
        for (size_t i = 0; i < others->n_items; i++) {
                struct port_row *row = &others->items[i];
                int lives;

                if (!overlap(row, protocol, ip, port, routed))
                        continue;
                lives = container_row_locked(c->store, row->container, CONTAINER_LOCK_MONITOR, err);
                if (lives < 0)
                        return -1;
                if (lives) {
                        c->owner = row->container;
                        return 1;
                }
                row->dropped = true;
        }
        return 0;
}

static bool is_own(const struct port_rows *own, int protocol, const char *ip, uint16_t port, bool routed)
{
        for (size_t i = 0; i < own->n_items; i++)
                if (overlap(&own->items[i], protocol, ip, port, routed))
                        return true;
        return false;
}

/* ----------------------------------------------------------------------------------------------------------- taking */

/* A port of one address, bound. */
struct taken {
        struct port_row row;
        int fd;
};

static int fail_taken(const char *ip, uint16_t port, struct cor_err *err)
{
        bool six = is_six(ip);

        return cor_fail(err, COR_BUSY, "Bind for %s%s%s:%u failed: port is already allocated", six ? "[" : "", ip,
                        six ? "]" : "", port);
}

/* Where the container is, by the family of the host's address if it has one of that, else by the other. "": nowhere */
static const char *target_of(const struct ports_request *r, const char *host_ip)
{
        const char *four = r->place.routed4 ? "" : r->place.ip4, *six = r->place.routed6 ? "" : r->place.ip6;
        const char *own = is_six(host_ip) ? six : four, *other = is_six(host_ip) ? four : six;

        return *own ? own : other;
}

static bool is_direct(const struct ports_chooser *c, const struct port_row *row)
{
        struct ip ip;

        return (!c->guard || c->request->direct) && is_six(row->host_ip) == is_six(row->container_ip) &&
               (ip_parse(row->host_ip, &ip) < 0 || ip_is_4(&ip) || !ip_is_loopback(&ip));
}

/* 0, or -1 with BUSY if somebody has it */
static int take(struct ports_chooser *c, struct port_rows *others, const struct port_rows *own,
                const struct port_wish *wish, const char *ip, uint16_t port, struct taken *ret, struct cor_err *err)
{
        struct forward_address at;
        int owned = has_owner(c, others, wish->protocol, ip, port, false, err);

        if (owned < 0)
                return -1;
        if (owned || is_own(own, wish->protocol, ip, port, false))
                return fail_taken(ip, port, err);
        *ret = (struct taken){ .row = { .protocol = wish->protocol, .host_port = port, .container_port = wish->port } };
        snprintf(ret->row.host_ip, sizeof ret->row.host_ip, "%s", ip);
        snprintf(ret->row.container_ip, sizeof ret->row.container_ip, "%s", target_of(c->request, ip));
        ret->row.direct = is_direct(c, &ret->row);
        if (forward_address(ip, port, &at, err) < 0)
                return -1;
        ret->fd = host_sockets_listen(c->request->host, wish->protocol, &at, err);
        if (ret->fd >= 0)
                return 0;
        if (err->sys == EPROTONOSUPPORT && ret->row.direct) /* the kernel passes it on, and cannot listen to it */
                return 0;
        return cor_wrap(err, "failed to bind host port %s:%u/%s%s", ip, port, port_protocol_name(wish->protocol),
                        err->sys == EACCES ? " (see the sysctl net.ipv4.ip_unprivileged_port_start)" : "");
}

/* The container's own port, of one family, whatever the host's was to be. */
static int open_one(struct ports_chooser *c, struct port_rows *others, struct port_rows *own,
                    const struct port_wish *wish, const char *ip, struct cor_err *err)
{
        struct port_row row = { .protocol = wish->protocol, .host_port = wish->port, .container_port = wish->port };
        int owned = has_owner(c, others, wish->protocol, ip, wish->port, true, err);

        if (owned)
                return owned < 0 ? -1 : fail_taken(ip, wish->port, err);
        if (is_own(own, wish->protocol, ip, wish->port, true))
                return 0;
        snprintf(row.host_ip, sizeof row.host_ip, "%s", ip);
        snprintf(row.container_ip, sizeof row.container_ip, "%s", ip);
        *COR_GROW(own->items, own->n_items) = row;
        return 0;
}

static int open_routed(struct ports_chooser *c, struct port_rows *others, struct port_rows *own,
                       const struct port_wish *wish, struct cor_err *err)
{
        const struct ports_place *p = &c->request->place;

        if ((p->routed4 && *p->ip4 && open_one(c, others, own, wish, p->ip4, err) < 0) ||
            (p->routed6 && *p->ip6 && open_one(c, others, own, wish, p->ip6, err) < 0))
                return -1;
        return 0;
}

/* A routed network has its own addresses in place of those of the host; the other family may be forwarded still. */
static bool is_wanted(const struct ports_request *r, const char *host_ip)
{
        bool routed = is_six(host_ip) ? r->place.routed6 : r->place.routed4;
        const char *own = is_six(host_ip) ? r->place.ip6 : r->place.ip4;

        return !(routed && *own) && *target_of(r, host_ip);
}

/* All addresses that the wish means, or none. */
static int take_all(struct ports_chooser *c, struct port_rows *others, struct port_rows *own,
                    const struct port_wish *wish, uint16_t port, struct cor_err *err)
{
        const char *given = *wish->ip ? wish->ip : c->request->place.host_ip;
        const char *ips[FAMILIES] = { *given ? given : ANY4, !*given && c->six ? ANY6 : NULL };
        struct taken taken[FAMILIES];
        size_t n = 0;

        c->owner = 0;
        for (size_t i = 0; i < FAMILIES && ips[i]; i++) {
                if (!is_wanted(c->request, ips[i]))
                        continue;
                if (take(c, others, own, wish, ips[i], port, &taken[n], err) < 0)
                        goto failed;
                n++;
        }
        for (size_t i = 0; i < n; i++) {
                struct forward_address to;

                if (taken[i].fd >= 0 &&
                    (forward_address(taken[i].row.container_ip, wish->port, &to, err) < 0 ||
                     forward_add(c->published->forward, wish->protocol, cor_fd_take(&taken[i].fd), &to, err) < 0))
                        goto failed;
                *COR_GROW(own->items, own->n_items) = taken[i].row;
        }
        return 0;
failed:
        while (n > 0)
                cor_fd_close(&taken[--n].fd);
        return -1;
}

static int number_of(int protocol)
{
        return protocol == IPPROTO_TCP ? 0 : protocol == IPPROTO_UDP ? 1 : 2;
}

static int choose_one(struct ports_chooser *c, struct port_rows *others, struct port_rows *own,
                      const struct port_wish *wish, struct cor_err *err)
{
        bool any = wish->first == 0 && wish->last == 0;
        uint32_t first = any ? c->first : wish->first, last = any ? c->last : wish->last, n = last - first + 1;
        uint32_t *next = &c->next[number_of(wish->protocol)];

        for (uint32_t i = 0; i < n; i++) {
                uint32_t port = first + (any ? (*next + i) % n : i);

                if (take_all(c, others, own, wish, (uint16_t)port, err) == 0) {
                        if (any)
                                *next = port - first + 1;
                        return 0;
                }
                if (err->kind != COR_BUSY || first == last)
                        return -1;
        }
        return cor_fail(err, COR_BUSY, "Bind for %s:%u-%u failed: all ports are allocated", *wish->ip ? wish->ip : ANY4,
                        first, last);
}

int ports_choose(void *data, struct port_rows *others, struct port_rows *own, struct cor_err *err)
{
        struct ports_chooser *c = data;
        const struct port_wishes *w = c->request->wishes;

        /* ports of one's own choice last, so that none of them takes what another one asks for */
        for (int any = 0; any < 2; any++)
                for (size_t i = 0; i < w->n_items; i++) {
                        const struct port_wish *wish = &w->items[i];

                        if (wish->published && !any && open_routed(c, others, own, wish, err) < 0)
                                return -1;
                        if (wish->published && (wish->first == 0 && wish->last == 0) == any &&
                            choose_one(c, others, own, wish, err) < 0)
                                return -1;
                }
        c->published->rows.items = cor_realloc_array(NULL, own->n_items + 1, sizeof *own->items);
        memcpy(c->published->rows.items, own->items, own->n_items * sizeof *own->items);
        c->published->rows.n_items = own->n_items;
        return 0;
}

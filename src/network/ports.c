#include "network/ports_internal.h"

#include "base/alloc.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/text.h"
#include "linux/conntrack.h"
#include "network/bridge.h"
#include "network/host_firewall.h"
#include "network/realm.h"
#include "network/source.h"
#include "store/container.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netfilter.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

static void published_free(struct published *p)
{
        if (!p)
                return;
        forward_free(p->forward);
        cor_fd_close(&p->routes);
        port_rows_done(&p->rows);
        free(p);
}

struct forward *ports_forward(const struct published *p)
{
        return p->forward;
}

bool ports_are_at(const struct published *p, const struct ports_place *place)
{
        return p->place.routed4 == place->routed4 && p->place.routed6 == place->routed6 &&
               strcmp(p->place.ip4, place->ip4) == 0 && strcmp(p->place.ip6, place->ip6) == 0 &&
               strcmp(p->place.host_ip, place->host_ip) == 0;
}

/* -------------------------------------------------------------------------------------------------- in the firewall */

struct elements {
        struct firewall_port *items;
        size_t n_items;
};

static void elements_done(struct elements *e)
{
        free(e->items);
}
#define auto_elements COR_CLEANUP(elements_done) struct elements

static void add_elements(struct elements *e, const struct port_rows *rows)
{
        for (size_t i = 0; i < rows->n_items; i++) {
                const struct port_row *row = &rows->items[i];
                struct firewall_port p = { .protocol = (uint8_t)row->protocol,
                                           .host_port = row->host_port,
                                           .container_port = row->container_port,
                                           .direct = row->direct,
                                           .routed = port_row_is_routed(row) };

                p.family = strchr(row->host_ip, ':') ? NFPROTO_IPV6 : NFPROTO_IPV4;
                if (inet_pton(p.family == NFPROTO_IPV6 ? AF_INET6 : AF_INET, row->host_ip, p.host_ip) == 1 &&
                    inet_pton(strchr(row->container_ip, ':') ? AF_INET6 : AF_INET, row->container_ip, p.container_ip) ==
                            1)
                        *COR_GROW(e->items, e->n_items) = p;
        }
}

int ports_fill_firewall(struct nft_change *c, struct store *s, struct cor_err *err)
{
        auto_port_rows rows = { .items = NULL };
        auto_elements e = { .items = NULL };

        if (port_all(s, 0, &rows, err) < 0)
                return -1;
        add_elements(&e, &rows);
        firewall_empty_ports(c);
        firewall_add_ports(c, e.items, e.n_items);
        return 0;
}

static int put_all(struct store *s, int sock, struct cor_err *err)
{
        auto_nft_change c = { .family = 0 };

        firewall_begin(&c);
        return ports_fill_firewall(&c, s, err) < 0 ? -1 : nft_change_commit(&c, sock, err);
}

/* Only the new ones, unless somebody has emptied the table, or the remains of a dead container are in it. */
static int put(struct store *s, int sock, const struct port_rows *rows, struct cor_err *err)
{
        auto_nft_change c = { .family = 0 };
        auto_elements e = { .items = NULL };
        int there = firewall_has_ports(sock, err);

        if (there < 0)
                return -1;
        if (!there)
                return put_all(s, sock, err);
        add_elements(&e, rows);
        firewall_begin(&c);
        firewall_add_ports(&c, e.items, e.n_items);
        if (nft_change_commit(&c, sock, err) == 0)
                return 0;
        return err->sys == EEXIST || err->sys == ENOENT ? put_all(s, sock, err) : -1;
}

/* The table itself, should that be gone; that it is filled is seen by the ports. */
static int ensure_table(struct store *s, int sock, struct cor_err *err)
{
        const struct firewall_content content = { .fill = bridge_fill_firewall, .data = s };
        auto_fd run = store_run_open(s, err), held = -1;

        held = run < 0 ? -1 : network_lock(run, err);
        return held < 0 || firewall_ensure(sock, &content, err) < 0 ? -1 : 0;
}

int ports_restore(struct store *s, struct cor_err *err)
{
        auto_fd sock = -1;
        int there = endpoint_any(s, err);

        if (there <= 0)
                return there;
        there = realm_there(err);
        if (there <= 0)
                return there;
        sock = realm_socket(NETLINK_NETFILTER, err);
        there = sock < 0 ? -1 : firewall_has_ports(sock, err);
        if (there != 0)
                return there < 0 ? -1 : 0;
        if (ensure_table(s, sock, err) == 0 && put_all(s, sock, err) == 0)
                return 1;
        return cor_wrap(err, "the firewall of networks and ports");
}

/* -------------------------------------------------------------------------------------------- what the kernel keeps */

static bool is_ours(const struct conntrack_entry *e, void *data)
{
        const struct elements *all = data;
        static const uint8_t any[16];

        for (size_t i = 0; e->protocol == IPPROTO_UDP && i < all->n_items; i++) {
                const struct firewall_port *p = &all->items[i];
                size_t n = p->family == NFPROTO_IPV6 ? 16 : 4;

                if (p->protocol == IPPROTO_UDP && p->host_port == e->to_port &&
                    (p->family == NFPROTO_IPV6) == (e->family == AF_INET6) &&
                    (memcmp(p->host_ip, any, n) == 0 || memcmp(p->host_ip, e->to, n) == 0))
                        return true;
        }
        return false;
}

/* Clients of UDP that go on speaking are to be heard by who has the port now. */
static void forget_flows(int sock, const struct port_rows *rows)
{
        auto_elements e = { .items = NULL };
        struct cor_err err = { 0 };
        bool udp = false;

        for (size_t i = 0; i < rows->n_items; i++)
                udp = udp || rows->items[i].protocol == IPPROTO_UDP;
        if (!udp)
                return;
        add_elements(&e, rows);
        if (conntrack_forget(sock, AF_INET, is_ours, &e, &err) < 0 ||
            conntrack_forget(sock, AF_INET6, is_ours, &e, &err) < 0)
                cor_warn("published ports: %s", err.msg);
}

/* ------------------------------------------------------------------------------------------------- their whole life */

static int open_ways(struct store *s, const struct ports_request *r, struct published *p, int sock, struct cor_err *err)
{
        for (size_t i = 0; i < p->rows.n_items; i++) {
                const struct port_row *row = &p->rows.items[i];

                if (row->direct && !strchr(row->host_ip, ':')) {
                        if (ports_route_localhost(row->container_ip, err) < 0)
                                return -1;
                        break;
                }
        }
        if (ports_let_turn_back(r->pid, err) < 0 || put(s, sock, &p->rows, err) < 0)
                return -1;
        forget_flows(sock, &p->rows);
        return 0;
}

/* Who has it: another container, or a process that we know nothing of. */
static int tell_owner(struct store *s, const struct ports_chooser *c, struct cor_err *err)
{
        auto_container_row row = { 0 };
        struct cor_err ignored;
        size_t n = strlen(err->msg);

        if (err->kind != COR_BUSY)
                return -1;
        if (c->owner && container_row_get(s, c->owner, &row, &ignored) == 0)
                snprintf(err->msg + n, sizeof err->msg - n, " to container %s", row.name);
        else if (err->sys == EADDRINUSE)
                snprintf(err->msg + n, sizeof err->msg - n, " by a process that is not a container's");
        return -1;
}

static bool any_published(const struct port_wishes *w)
{
        for (size_t i = 0; i < w->n_items; i++)
                if (w->items[i].published)
                        return true;
        return false;
}

/* In the network of a user; without it, the containers see the bridge's address. */
static void keep_sources(struct published *p)
{
        struct cor_err err = { 0 };

        if (!realm_is_own())
                return;
        p->routes = realm_socket(NETLINK_ROUTE, &err);
        if (p->routes < 0 || source_keep(p->forward, &p->routes, &err) < 0)
                cor_warn("published ports: the addresses of clients are not kept: %s", err.msg);
}

static int publish(struct store *s, const struct ports_request *r, struct published *p, struct cor_err *err)
{
        auto_fd sock = realm_socket(NETLINK_NETFILTER, err);
        struct ports_chooser c = { .store = s, .request = r, .published = p };
        struct cor_err ignored;

        if (sock < 0 || ports_chooser_init(&c, err) < 0 || forward_new(&p->forward, err) < 0)
                return -1;
        forward_use_from(p->forward, r->first_fd);
        keep_sources(p);
        c.guard = host_firewall(sock);
        if (port_take(s, r->number, ports_choose, &c, err) < 0)
                return tell_owner(s, &c, err);
        if (open_ways(s, r, p, sock, err) == 0)
                return 0;
        (void)!port_drop(s, r->number, NULL, &ignored);
        return -1;
}

int ports_publish(struct store *s, const struct ports_request *r, struct published **ret, struct cor_err *err)
{
        struct published *p;

        *ret = NULL;
        if (!any_published(r->wishes) || (!*r->place.ip4 && !*r->place.ip6))
                return 0;
        p = cor_alloc(sizeof *p);
        p->routes = -1;
        p->place = r->place;
        if (publish(s, r, p, err) < 0) {
                published_free(p);
                return -1;
        }
        *ret = p;
        return 0;
}

void ports_withdraw(struct store *s, int64_t number, struct published *p)
{
        published_free(p);
        ports_forget(s, number);
}

/* Where one is missing, somebody has been at the table: it is filled anew, unless it is to be filled anyway. */
static int remove_elements(struct store *s, int64_t number, int sock, const struct elements *e, struct cor_err *err)
{
        int r = firewall_remove_ports(sock, e->items, e->n_items, err), there;

        if (r < 0 && err->kind != COR_NOT_FOUND)
                return -1;
        if (port_drop(s, number, NULL, err) < 0)
                return -1;
        if (r == 0)
                return 0;
        there = firewall_has_ports(sock, err);
        return there <= 0 ? there : put_all(s, sock, err);
}

/* The rows go last: as long as there are some, somebody knows what may have to be cleared away. */
void ports_forget(struct store *s, int64_t number)
{
        auto_port_rows rows = { .items = NULL };
        auto_elements e = { .items = NULL };
        struct cor_err err = { 0 };
        auto_fd sock = -1;

        if (port_all(s, number, &rows, &err) == 0 && rows.n_items == 0)
                return;
        if (realm_there(&err) == 0) { /* with the namespace all went that was made in it */
                if (port_drop(s, number, NULL, &err) < 0)
                        cor_warn("the ports of container number %lld: %s", (long long)number, err.msg);
                return;
        }
        add_elements(&e, &rows);
        sock = realm_socket(NETLINK_NETFILTER, &err);
        if (sock < 0 || remove_elements(s, number, sock, &e, &err) < 0)
                cor_warn("the ports of container number %lld: %s", (long long)number, err.msg);
        if (sock >= 0)
                forget_flows(sock, &rows);
}

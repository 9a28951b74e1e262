/*
 * The order of things: what a network stands on (which may have to be made), the endpoints with their addresses in one
 * transaction, the interfaces, the routes. Endpoints without interfaces are what somebody who is killed leaves; they go
 * with the start of the container that comes next, or with the container.
 */
#include "network/connect.h"

#include "base/alloc.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/text.h"
#include "linux/link.h"
#include "linux/namespace.h"
#include "linux/netns.h"
#include "linux/procfs.h"
#include "network/bridge.h"
#include "network/connect_internal.h"
#include "network/realm.h"
#include "store/event.h"

#include <fcntl.h>
#include <linux/netlink.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#define ENDPOINT_INTERFACE "com.docker.network.endpoint.ifname"
enum { ID_BYTES = 32, SHORT_ID = 12 };

const char *network_name_of(const char *mode)
{
        return !mode || !*mode || strcmp(mode, "default") == 0 ? NETWORK_DEFAULT : mode;
}

bool network_has(const char *mode)
{
        return network_wanted(mode) && (strcmp(network_name_of(mode), NETWORK_DEFAULT) != 0 || realm_possible());
}

bool network_wanted(const char *mode)
{
        const char *name = network_name_of(mode);

        return strcmp(name, "host") != 0 && strcmp(name, "none") != 0 && strcmp(name, "container") != 0 &&
               !cor_starts_with(name, "container:");
}

int network_find_wanted(struct store *s, const struct docker_endpoint *e, struct network_row *ret, struct cor_err *err)
{
        return network_row_find(s, e->network_id && *e->network_id ? e->network_id : network_name_of(e->name), ret,
                                err);
}

/* --------------------------------------------------------------------------------------------------- what is wanted */

/* 02:42 and the IPv4 address: locally administered, and nobody else's on this network. */
static void complete(struct endpoint_new *e)
{
        struct connection *n = (void *)((char *)e - offsetof(struct connection, endpoint));
        const struct ip *a = &e->row.ip[0].ip;
        char text[LINK_MAC_TEXT_BYTES];

        if (n->network->driver == NETWORK_IPVLAN)
                return; /* it has its parent's */
        if (!n->mac_asked) {
                (void)!getrandom(n->mac, sizeof n->mac, 0);
                n->mac[0] = 0x02;
                n->mac[1] = 0x42;
                if (a->len == 4)
                        memcpy(n->mac + 2, a->bytes, 4);
        }
        e->row.mac = cor_strdup(link_mac_text(n->mac, sizeof n->mac, text));
}

static void add_name(struct cor_strv *names, const char *name)
{
        for (size_t i = 0; i < names->n_items; i++)
                if (strcmp(names->items[i], name) == 0)
                        return;
        if (*name)
                cor_strv_add(names, name);
}

/* Docker's order; the default network has no names. */
static void add_names(const struct network_container *c, struct connection *n)
{
        struct cor_strv *names = &n->endpoint.row.names;
        char id[SHORT_ID + 1];

        if (n->network->is_default)
                return;
        snprintf(id, sizeof id, "%s", c->id);
        add_name(names, c->name);
        for (size_t i = 0; i < n->asked->n_aliases; i++)
                add_name(names, n->asked->aliases[i]);
        add_name(names, id);
        add_name(names, c->hostname ? c->hostname : "");
}

static int read_wanted(struct connection *n, struct cor_err *err)
{
        const struct docker_ipam_config *i = n->asked->ipam_config;
        const char *texts[] = { i ? i->ipv4_address : NULL, i ? i->ipv6_address : NULL };

        for (int f = 0; f < ENDPOINT_FAMILIES; f++) {
                n->endpoint.has[f] = n->network->has[f];
                if (!texts[f] || !*texts[f])
                        continue;
                if (ip_parse(texts[f], &n->endpoint.wanted[f]) < 0 || n->endpoint.wanted[f].len != (f == 0 ? 4 : 16))
                        return cor_fail(err, COR_INVALID, "invalid IPv%d address: %.60s", f == 0 ? 4 : 6, texts[f]);
                if (!n->network->has[f])
                        return cor_fail(err, COR_INVALID, "network %s has no IPv%d addresses", n->network->name,
                                        f == 0 ? 4 : 6);
        }
        if (n->mac_asked && link_mac_parse(n->mac_asked, n->mac) < 0)
                return cor_fail(err, COR_INVALID, "invalid MAC address: %.40s", n->mac_asked);
        return 0;
}

static bool is_used(const struct connecting *c, const struct endpoint_rows *rows, const char *name)
{
        for (size_t i = 0; i < rows->n_items; i++)
                if (strcmp(rows->items[i].interface, name) == 0)
                        return true;
        for (size_t i = 0; i < c->n_items; i++)
                if (cor_streq(c->items[i].endpoint.row.interface, name))
                        return true;
        return false;
}

static int name_interface(const struct connecting *c, const struct endpoint_rows *rows, struct connection *n,
                          struct cor_err *err)
{
        char name[LINK_NAME_BYTES];

        for (size_t i = 0; i < n->asked->n_driver_opts; i++) {
                const struct cor_pair *o = &n->asked->driver_opts[i];

                if (strcmp(o->key, ENDPOINT_INTERFACE) != 0)
                        continue;
                if (!link_name_valid(o->value) || is_used(c, rows, o->value))
                        return cor_fail(err, COR_INVALID,
                                        ENDPOINT_INTERFACE ": %.40s: no name for an interface, or taken", o->value);
                n->endpoint.row.interface = cor_strdup(o->value);
                return 0;
        }
        for (unsigned i = 0; !n->endpoint.row.interface; i++) {
                snprintf(name, sizeof name, "%.11s%u", n->network->prefix, i);
                if (!is_used(c, rows, name))
                        n->endpoint.row.interface = cor_strdup(name);
        }
        return 0;
}

static int open_network(const struct network_container *c, const struct docker_endpoint *e, struct network **ret,
                        struct cor_err *err)
{
        auto_network_row row = { 0 };
        auto_network n = NULL;

        if (network_find_wanted(c->store, e, &row, err) < 0 || network_parse(&row, &n, err) < 0)
                return -1;
        if (n->driver == NETWORK_HOST || n->driver == NETWORK_NULL)
                return cor_fail(err, COR_INVALID,
                                "container cannot be connected to multiple networks with one of the networks in "
                                "private (none) mode or in host mode");
        *ret = COR_TAKE(n);
        return 0;
}

static int prepare(struct connecting *c, const struct endpoint_rows *rows, const struct docker_endpoint *asked,
                   struct cor_err *err)
{
        const struct network_container *k = c->container;
        struct connection *n = &c->items[c->n_items];
        struct endpoint_new *e = &n->endpoint;
        char name[LINK_NAME_BYTES];

        n->asked = asked;
        if (open_network(k, asked, &n->network, err) < 0)
                return -1;
        n->mac_asked = asked->mac_address && *asked->mac_address                      ? asked->mac_address
                       : c->n_items == 0 && rows->n_items == 0 && k->mac && k->mac[0] ? k->mac
                                                                                      : NULL;
        if (read_wanted(n, err) < 0 || name_interface(c, rows, n, err) < 0)
                return -1;
        e->row.network = n->network->number;
        e->row.container = k->number;
        e->row.id = cor_random_hex(ID_BYTES);
        e->network_name = n->network->name;
        e->complete = complete;
        e->n_pools = n->network->n_subnets;
        e->pools = cor_alloc((e->n_pools + 1) * sizeof *e->pools);
        for (size_t i = 0; i < e->n_pools; i++)
                ((struct endpoint_pool *)(uintptr_t)e->pools)[i] = n->network->subnets[i].pool;
        if (n->network->driver == NETWORK_BRIDGE) {
                if (link_random_name("veth", name, err) < 0)
                        return -1;
                e->row.host_interface = cor_strdup(name);
        }
        add_names(k, n);
        return 0;
}

/* --------------------------------------------------------------------------------------------------------- doing it */

static void connecting_done(struct connecting *c)
{
        for (size_t i = 0; i < c->n_items; i++) {
                endpoint_row_done(&c->items[i].endpoint.row);
                free((struct endpoint_pool *)(uintptr_t)c->items[i].endpoint.pools);
                network_free(c->items[i].network);
        }
        free(c->items);
        cor_fd_close(&c->run);
        cor_fd_close(&c->netns);
        cor_fd_close(&c->sock);
        cor_fd_close(&c->inside);
}

static int open_sockets(struct connecting *c, struct cor_err *err)
{
        auto_fd procfs = procfs_open(err);

        c->run = procfs < 0 ? -1 : store_run_open(c->container->store, err);
        if (c->run < 0)
                return -1;
        c->netns = namespace_open_pid(procfs, c->container->pid, CLONE_NEWNET, err);
        c->sock = c->netns < 0 ? -1 : realm_socket(NETLINK_ROUTE, err);
        c->inside = c->sock < 0 ? -1 : netns_socket(c->netns, NETLINK_ROUTE, err);
        return c->inside < 0 ? -1 : 0;
}

static int record(struct connecting *c, struct cor_err *err)
{
        auto_free struct endpoint_new **items = cor_alloc((c->n_items + 1) * sizeof(struct endpoint_new *));

        for (size_t i = 0; i < c->n_items; i++)
                items[i] = &c->items[i].endpoint;
        return endpoint_rows_add(c->container->store, items, c->n_items, err);
}

static void undo(struct connecting *c, bool recorded)
{
        struct cor_err ignored;

        for (size_t i = 0; i < c->n_items; i++) {
                connect_undo(c, &c->items[i]);
                if (recorded)
                        (void)!endpoint_row_remove(c->container->store, c->container->number,
                                                   c->items[i].endpoint.row.network, &ignored);
        }
}

static void tell(const struct network_container *c, const char *action, const char *network_id, const char *name,
                 const char *driver)
{
        const struct cor_pair attributes[] = { { "container", c->id }, { "name", name }, { "type", driver } };

        event_write(c->store, "network", action, network_id, attributes, COR_COUNT(attributes));
}

static int make(struct connecting *c, struct docker_network_settings *now, struct cor_err *err)
{
        size_t before = now->n_networks;

        for (size_t i = 0; i < c->n_items; i++)
                if (connect_parent(c, &c->items[i], err) < 0)
                        return -1;
        if (record(c, err) < 0)
                return -1;
        for (size_t i = 0; i < c->n_items; i++) {
                if (connect_link(c, &c->items[i], err) < 0)
                        goto failed;
                connect_describe(&c->items[i], now);
        }
        if (connect_routes(c->inside, c->container->store, c->container->number, now, err) == 0)
                return 0;
failed:
        undo(c, true);
        while (now->n_networks > before)
                connect_forget(now, now->networks[now->n_networks - 1].network_id);
        return -1;
}

static const char *driver_name(const struct network *n)
{
        return n->driver == NETWORK_BRIDGE ? "bridge" : n->driver == NETWORK_MACVLAN ? "macvlan" : "ipvlan";
}

int network_connect(const struct network_container *k, const struct docker_endpoint *wanted, size_t n,
                    struct docker_network_settings *now, struct cor_err *err)
{
        COR_CLEANUP(connecting_done)
        struct connecting c = { .container = k, .run = -1, .netns = -1, .sock = -1, .inside = -1 };
        auto_endpoint_rows rows = { 0 };

        c.items = cor_alloc((n + 1) * sizeof *c.items);
        if (now->n_networks && endpoint_rows_find(k->store, 0, k->number, false, &rows, err) < 0)
                return -1;
        for (size_t i = 0; i < n; i++) {
                int r = prepare(&c, &rows, &wanted[i], err);

                c.n_items++;
                if (r < 0)
                        return cor_wrap(err, "failed to set up container networking");
        }
        if (open_sockets(&c, err) < 0 || make(&c, now, err) < 0)
                return cor_wrap(err, "failed to set up container networking");
        for (size_t i = 0; i < c.n_items; i++)
                tell(k, "connect", c.items[i].network->id, c.items[i].network->name, driver_name(c.items[i].network));
        return 0;
}

/* ------------------------------------------------------------------------------------------------------ and undoing */

static const struct endpoint_row *row_of(const struct endpoint_rows *rows, const struct docker_network_settings *now,
                                         const char *network_id)
{
        for (size_t i = 0; i < now->n_networks; i++)
                for (size_t r = 0; r < rows->n_items; r++)
                        if (cor_streq(now->networks[i].network_id, network_id) &&
                            cor_streq(now->networks[i].endpoint_id, rows->items[r].id))
                                return &rows->items[r];
        return NULL;
}

static bool has_mac(const struct link *l, const char *mac)
{
        char text[LINK_MAC_TEXT_BYTES];

        return mac && l->mac_len == LINK_MAC_BYTES && strcmp(link_mac_text(l->mac, l->mac_len, text), mac) == 0;
}

/*
 * Of a pair the end that is here, as the container may have given its own another name; should somebody have done so
 * here, the other. 1, with the socket of its namespace, or 0
 */
static int find_interface(const struct connecting *c, const struct endpoint_row *row, int *ret_sock, struct link *ret,
                          struct cor_err *err)
{
        int found = row->host_interface ? link_find(c->sock, row->host_interface, ret, err) : 0;
        auto_free struct link *list = NULL;
        size_t n = 0;

        *ret_sock = found ? c->sock : c->inside;
        if (found == 0)
                found = link_find(c->inside, row->interface, ret, err);
        if (found < 0 || *ret_sock == c->sock || !row->mac || (found > 0 && has_mac(ret, row->mac)))
                return found;
        if (link_list(c->inside, 0, &list, &n, err) < 0)
                return -1;
        for (size_t i = 0; i < n; i++)
                if (has_mac(&list[i], row->mac)) {
                        *ret = list[i];
                        return 1;
                }
        return found;
}

int network_disconnect(const struct network_container *k, const char *network_id, struct docker_network_settings *now,
                       struct cor_err *err)
{
        COR_CLEANUP(connecting_done)
        struct connecting c = { .container = k, .run = -1, .netns = -1, .sock = -1, .inside = -1 };
        auto_endpoint_rows rows = { 0 };
        auto_network_row network = { 0 };
        const struct endpoint_row *row;
        struct link l;

        if (open_sockets(&c, err) < 0 || endpoint_rows_find(k->store, 0, k->number, false, &rows, err) < 0)
                return -1;
        row = row_of(&rows, now, network_id);
        if (row) {
                int sock, found = find_interface(&c, row, &sock, &l, err);

                if (found < 0 || (found > 0 && link_remove(sock, l.index, err) < 0) ||
                    endpoint_row_remove(k->store, k->number, row->network, err) < 0)
                        return -1;
                if (network_row_get(k->store, row->network, &network, NULL) == 0)
                        tell(k, "disconnect", network.id, network.name, network.driver);
        }
        connect_forget(now, network_id);
        return connect_routes(c.inside, k->store, k->number, now, err);
}

void network_release(struct store *s, int64_t number, const char *id)
{
        const struct network_container k = { .store = s, .number = number, .id = id };
        auto_endpoint_rows rows = { 0 };
        struct cor_err err = { 0 };

        if (endpoint_rows_find(s, 0, number, false, &rows, &err) < 0 ||
            (rows.n_items && endpoint_row_remove(s, number, 0, &err) < 0))
                cor_warn("the addresses of container %.12s: %s", id, err.msg);
        for (size_t i = 0; i < rows.n_items; i++) {
                auto_network_row network = { 0 };

                if (network_row_get(s, rows.items[i].network, &network, NULL) == 0)
                        tell(&k, "disconnect", network.id, network.name, network.driver);
        }
}

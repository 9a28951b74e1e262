/*
 * Which networks a container is to be connected with: what is asked for when it is made, and changed later. That is a
 * document of its row; the monitor of one that runs is told to read it again, and if it cannot do what it says, the
 * document becomes what it was.
 */
#include "engine/network.h"

#include "base/fd.h"
#include "base/text.h"
#include "engine/container_internal.h"
#include "engine/network_config.h"
#include "linux/link_message.h"
#include "network/connect.h"

#include <string.h>

/* ----------------------------------------------------------------------------------------------------------- checks */

/* What is asked of one network, against what that is; its id and name are filled in. */
static int check_addresses(const struct network *n, const struct docker_network *d, const struct docker_endpoint *e,
                           struct cor_err *err)
{
        const struct docker_ipam_config *i = e->ipam_config;
        const char *const texts[] = { i ? i->ipv4_address : NULL, i ? i->ipv6_address : NULL };

        for (int f = 0; f < ENDPOINT_FAMILIES; f++) {
                bool inside = false;
                struct ip a;

                if (!texts[f] || !*texts[f])
                        continue;
                if (ip_parse(texts[f], &a) < 0 || a.len != (f == 0 ? 4 : 16))
                        return cor_fail(err, COR_INVALID, "invalid IPv%d address: %.60s", f == 0 ? 4 : 6, texts[f]);
                if (n->is_default)
                        return cor_fail(err, COR_INVALID,
                                        "invalid config for network %s: invalid endpoint settings: user specified IP "
                                        "address is supported on user defined networks only",
                                        n->name);
                if (f == 0 && d->automatic)
                        return cor_fail(err, COR_INVALID,
                                        "invalid config for network %s: invalid endpoint settings: user specified IP "
                                        "address is supported only when connecting to networks with user configured "
                                        "subnets",
                                        n->name);
                for (size_t s = 0; s < n->n_subnets; s++)
                        inside = inside || (n->subnets[s].subnet.ip.len == a.len &&
                                            ip_prefix_contains(&n->subnets[s].subnet, &a));
                if (!inside)
                        return cor_fail(err, COR_INVALID,
                                        "invalid config for network %s: invalid endpoint settings: no configured "
                                        "subnet contains IP address %.60s",
                                        n->name, texts[f]);
        }
        return 0;
}

static int check_endpoint(struct engine *e, struct docker_endpoint *p, void *root, struct cor_err *err)
{
        auto_json struct docker_network *d = NULL;
        auto_network_row row = { 0 };
        auto_network n = NULL;
        uint8_t mac[LINK_MAC_BYTES];

        if (network_find_wanted(e->store, p, &row, err) < 0 || network_parse(&row, &n, err) < 0 ||
            cor_json_parse(&docker_network_doc, row.document, strlen(row.document), row.name, &d, err) < 0)
                return -1;
        if (n->config_only)
                return cor_fail(err, COR_DENIED, "cannot create endpoint on configuration-only network");
        if (n->driver == NETWORK_HOST || n->driver == NETWORK_NULL)
                return cor_fail(
                        err, COR_INVALID,
                        "container cannot be connected to multiple networks with one of the networks in %s mode",
                        n->driver == NETWORK_HOST ? "host" : "private (none)");
        if (n->is_default && p->n_aliases)
                return cor_fail(err, COR_INVALID,
                                "invalid config for network %s: invalid endpoint settings: network-scoped aliases are "
                                "only supported for user-defined networks",
                                n->name);
        if (p->mac_address && *p->mac_address && link_mac_parse(p->mac_address, mac) < 0)
                return cor_fail(err, COR_INVALID, "invalid MAC address: %.60s", p->mac_address);
        if (check_addresses(n, d, p, err) < 0)
                return -1;
        p->name = cor_json_strdup(root, row.name);
        p->network_id = cor_json_strdup(root, row.id);
        return 0;
}

/* -------------------------------------------------------------------------------------------------------- documents */

static char *print(const struct docker_networking_config *c)
{
        struct cor_text t = COR_TEXT_INIT;

        cor_json_print(&docker_networking_config_doc, c, COR_JSON_COMPACT, &t);
        return cor_text_take(&t);
}

static int parse(const char *text, struct docker_networking_config **ret, struct cor_err *err)
{
        const char *json = text ? text : "{}";

        return cor_json_parse(&docker_networking_config_doc, json, strlen(json), "NetworkingConfig", ret, err);
}

/* One more, at the beginning or the end */
static void add(struct docker_networking_config *c, const struct docker_endpoint *e, bool first)
{
        struct docker_endpoint *list = cor_json_alloc(c, (c->n_endpoints + 1) * sizeof *list);

        if (c->n_endpoints)
                memcpy(list + (first ? 1 : 0), c->endpoints, c->n_endpoints * sizeof *list);
        list[first ? 0 : c->n_endpoints] = *e;
        c->endpoints = list;
        c->n_endpoints++;
}

static bool is_same(const struct network_row *row, const struct docker_endpoint *e)
{
        return cor_streq(e->network_id, row->id) || strcmp(network_name_of(e->name), row->name) == 0 ||
               (*e->name && strlen(e->name) >= 12 && cor_starts_with(row->id, e->name));
}

/* The network of NetworkMode is the first; it is one of them, whether it is listed or not. */
static int put_first(struct engine *e, const char *mode, struct docker_networking_config *c, struct cor_err *err)
{
        struct docker_endpoint first = { .name = cor_json_strdup(c, network_name_of(mode)) };
        auto_network_row row = { 0 };
        size_t kept = 0;

        if (network_find_wanted(e->store, &first, &row, err) < 0)
                return -1;
        for (size_t i = 0; i < c->n_endpoints; i++) {
                if (is_same(&row, &c->endpoints[i]))
                        first = c->endpoints[i];
                else
                        c->endpoints[kept++] = c->endpoints[i];
        }
        c->n_endpoints = kept;
        add(c, &first, true);
        return 0;
}

static int settle(struct engine *e, const char *mode, struct docker_networking_config *c, struct cor_err *err)
{
        if (put_first(e, mode, c, err) < 0)
                return -1;
        for (size_t i = 0; i < c->n_endpoints; i++) {
                if (check_endpoint(e, &c->endpoints[i], c, err) < 0)
                        return -1;
                for (size_t k = 0; k < i; k++)
                        if (cor_streq(c->endpoints[k].network_id, c->endpoints[i].network_id))
                                return cor_fail(err, COR_INVALID, "network \"%s\" is specified multiple times",
                                                c->endpoints[i].name);
        }
        return 0;
}

int engine_settle_networks(struct engine *e, const struct docker_host_config *host,
                           const struct docker_networking_config *asked, char **ret, struct cor_err *err)
{
        auto_json struct docker_networking_config *c = NULL;
        static const struct docker_networking_config none;
        auto_str text = print(asked ? asked : &none);
        bool plain = strcmp(network_name_of(host->network_mode), NETWORK_DEFAULT) == 0;

        /* the default network alone needs no looking up */
        if (!network_wanted(host->network_mode) || (plain && (!asked || asked->n_endpoints == 0))) {
                *ret = COR_TAKE(text);
                return 0;
        }
        if (parse(text, &c, err) < 0 || settle(e, host->network_mode, c, err) < 0)
                return -1;
        *ret = print(c);
        return 0;
}

static bool has_default(const struct docker_networking_config *c, const char *mode)
{
        if (!c->endpoints)
                return strcmp(network_name_of(mode), NETWORK_DEFAULT) == 0;
        for (size_t i = 0; i < c->n_endpoints; i++)
                if (strcmp(c->endpoints[i].name, NETWORK_DEFAULT) == 0)
                        return true;
        return false;
}

int engine_prepare_networks(struct engine *e, const struct container_row *row, const char *mode, struct cor_err *err)
{
        auto_json struct docker_networking_config *c = NULL;

        if (!network_has(mode))
                return 0;
        if (parse(row->networking, &c, err) < 0)
                return -1;
        return has_default(c, mode) ? network_config_default(e, err) : 0;
}

/* ------------------------------------------------------------------------------------------- connect and disconnect */

/* What a change of a container's networks has in hand. */
struct changing {
        struct engine *e;
        struct container_row row;
        int lock;
        char *before;
        struct docker_networking_config *config;
        struct network_row network;
};

static void changing_done(struct changing *c)
{
        container_row_done(&c->row);
        network_row_done(&c->network);
        cor_fd_close(&c->lock);
        cor_json_free(c->config);
        free(c->before);
}
#define auto_changing COR_CLEANUP(changing_done) struct changing

static int check_mode(const struct docker_host_config *h, const struct network_row *n, struct cor_err *err)
{
        const char *mode = h->network_mode ? h->network_mode : "";

        if (strcmp(mode, "host") == 0 || strcmp(n->name, "host") == 0)
                return cor_fail(err, COR_BUSY,
                                "container cannot be disconnected from host network or connected to host network");
        if (cor_starts_with(mode, "container:"))
                return cor_fail(err, COR_BUSY,
                                "container sharing network namespace with another container or host cannot be "
                                "connected to any other network");
        if (strcmp(mode, "none") == 0 || strcmp(n->name, "none") == 0)
                return cor_fail(err, COR_BUSY,
                                "container cannot be connected to multiple networks with one of the networks in "
                                "private (none) mode");
        return 0;
}

static int begin(struct engine *e, const char *network, const char *name, struct changing *c, struct cor_err *err)
{
        auto_json struct docker_host_config *host = NULL;

        c->e = e;
        if (network_row_find(e->store, network, &c->network, err) < 0)
                return -1;
        c->lock = container_work(e, name, &c->row, err);
        if (c->lock < 0 ||
            cor_json_parse(&docker_host_config_doc, c->row.host_config, strlen(c->row.host_config), c->row.name, &host,
                           err) < 0 ||
            check_mode(host, &c->network, err) < 0 || parse(c->row.networking, &c->config, err) < 0)
                return -1;
        c->before = cor_strdup(c->row.networking);
        /* that it was connected with nothing but the default is said from now on; with nothing is an empty list */
        if (!c->config->endpoints)
                return settle(e, host->network_mode, c->config, err);
        for (size_t i = 0; i < c->config->n_endpoints; i++)
                if (!c->config->endpoints[i].network_id &&
                    check_endpoint(e, &c->config->endpoints[i], c->config, err) < 0)
                        return -1;
        return 0;
}

static int commit(struct changing *c, struct cor_err *err)
{
        struct cor_err ignored;

        free(c->row.networking);
        c->row.networking = print(c->config);
        if (container_row_save(c->e->store, &c->row, err) < 0)
                return -1;
        if (!container_phase_runs(c->row.now.phase) || c->row.now.phase == CONTAINER_PHASE_RESTARTING)
                return 0;
        if (container_monitor_ask(c->e, &c->row, MONITOR_NETWORKS, NULL, 0, MONITOR_DONE, err) == 0)
                return 0;
        free(c->row.networking);
        c->row.networking = COR_TAKE(c->before);
        (void)!container_row_save(c->e->store, &c->row, &ignored);
        return -1;
}

static const struct docker_endpoint *find(const struct changing *c)
{
        for (size_t i = 0; i < c->config->n_endpoints; i++)
                if (is_same(&c->network, &c->config->endpoints[i]))
                        return &c->config->endpoints[i];
        return NULL;
}

int engine_connect_network(struct engine *e, const char *network, const char *name, const struct docker_endpoint *asked,
                           struct cor_err *err)
{
        auto_changing c = { .lock = -1 };
        struct docker_endpoint p = { 0 };

        if (begin(e, network, name, &c, err) < 0)
                return -1;
        if (find(&c))
                return cor_fail(err, COR_EXISTS, "endpoint with name %s already exists in network %s", c.row.name,
                                c.network.name);
        if (asked)
                p = *asked;
        p.name = c.network.name;
        p.network_id = c.network.id;
        if ((strcmp(c.network.name, NETWORK_DEFAULT) == 0 && network_config_default(e, err) < 0) ||
            check_endpoint(e, &p, c.config, err) < 0)
                return -1;
        add(c.config, &p, false);
        return commit(&c, err);
}

int engine_disconnect_network(struct engine *e, const char *network, const char *name, bool force, struct cor_err *err)
{
        auto_changing c = { .lock = -1 };
        size_t kept = 0;

        if (begin(e, network, name, &c, err) < 0)
                return -1;
        if (!find(&c))
                return force ? 0
                             : cor_fail(err, COR_NOT_FOUND, "container %s is not connected to network %s", c.row.id,
                                        c.network.name);
        for (size_t i = 0; i < c.config->n_endpoints; i++)
                if (!is_same(&c.network, &c.config->endpoints[i]))
                        c.config->endpoints[kept++] = c.config->endpoints[i];
        c.config->n_endpoints = kept;
        return commit(&c, err);
}

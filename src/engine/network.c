/* Networks: made, removed, shown. */
#include "engine/network.h"

#include "base/date.h"
#include "base/fd.h"
#include "base/text.h"
#include "engine/container.h"
#include "engine/network_config.h"
#include "engine/network_from.h"
#include "linux/link.h"
#include "linux/route.h"
#include "network/bridge.h"
#include "network/realm.h"
#include "network/subnet.h"
#include "runtime/context.h"
#include "store/event.h"

#include <fcntl.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>

enum { ID_BYTES = 32, NAME_MAX_BYTES = 255 };

static void tell(struct engine *e, const struct network_row *r, const char *action)
{
        const struct cor_pair attributes[] = { { "name", r->name }, { "type", r->driver } };

        event_write(e->store, "network", action, r->id, attributes, COR_COUNT(attributes));
}

/* ----------------------------------------------------------------------------------------------------------- create */

#define ALPHANUMERIC "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

static int check_name(const char *name, struct cor_err *err)
{
        if (!*name)
                return cor_fail(err, COR_INVALID, "invalid network name: name is empty");
        if (!strchr(ALPHANUMERIC, name[0]) || name[strspn(name, ALPHANUMERIC "_.-")])
                return cor_fail(err, COR_INVALID,
                                "invalid network name: %.100s: only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed", name);
        if (strlen(name) > NAME_MAX_BYTES)
                return cor_fail(err, COR_INVALID, "invalid network name: %zu characters, at most %d are allowed",
                                strlen(name), NAME_MAX_BYTES);
        if (network_is_predefined(name) || strcmp(name, "default") == 0 || strcmp(name, "container") == 0)
                return cor_fail(err, COR_DENIED, "operation is not permitted on predefined %s network", name);
        return 0;
}

static int check_asked(const struct docker_network *a, struct cor_err *err)
{
        const char *driver = a->driver ? a->driver : "";

        if (check_name(a->name ? a->name : "", err) < 0)
                return -1;
        if (!a->config_only && (strcmp(driver, "host") == 0 || strcmp(driver, "null") == 0))
                return cor_fail(err, COR_DENIED, "only one instance of \"%s\" network is allowed", driver);
        if (a->ipam.driver && *a->ipam.driver && strcmp(a->ipam.driver, "default") != 0)
                return cor_fail(err, COR_NOT_FOUND, "plugin \"%.60s\" not found", a->ipam.driver);
        if (a->scope && *a->scope && strcmp(a->scope, "local") != 0)
                return cor_fail(err, COR_UNSUPPORTED, "scope %.30s: there is no swarm", a->scope);
        if (network_from_check(a, err) < 0)
                return -1;
        return a->ingress ? cor_fail(err, COR_UNSUPPORTED, "networks of a swarm are not supported") : 0;
}

static char *print(const struct docker_network *d)
{
        struct cor_text t = COR_TEXT_INIT;

        cor_json_print(&docker_network_doc, d, COR_JSON_COMPACT, &t);
        return cor_text_take(&t);
}

/* A bridge that was there before, with its addresses. */
struct foreign {
        bool is;
        struct cor_strv addresses;
};

static void foreign_done(struct foreign *f)
{
        cor_strv_done(&f->addresses);
}

static void fill_row(const struct docker_network *a, const struct foreign *foreign, struct network_row *r)
{
        struct docker_network d = *a;

        r->id = cor_random_hex(ID_BYTES);
        r->name = cor_strdup(a->name);
        r->driver = cor_strdup(a->config_only ? "null" : a->driver && *a->driver ? a->driver : "bridge");
        r->created = cor_wall_ns();
        d.name = d.id = d.created = d.driver = d.scope = NULL; /* of the row */
        d.containers = NULL;
        d.n_containers = 0;
        d.automatic = false;
        d.foreign_bridge = foreign->is;
        d.foreign_addresses = (const char **)foreign->addresses.items;
        d.n_foreign_addresses = foreign->addresses.n_items;
        d.ipam.driver = "default";
        if (!d.options)
                d.options = COR_JSON_NONE_YET;
        if (!d.labels)
                d.labels = COR_JSON_NONE_YET;
        r->document = print(&d);
}

/* A socket, and the folder that holds the lock of networks. */
struct tools {
        int run, sock;
};

static void tools_done(struct tools *t)
{
        cor_fd_close(&t->run);
        cor_fd_close(&t->sock);
}
#define auto_tools COR_CLEANUP(tools_done) struct tools

static int tools_open(struct engine *e, struct tools *ret, struct cor_err *err)
{
        ret->run = store_run_open(e->store, err);
        ret->sock = ret->run < 0 ? -1 : realm_socket(NETLINK_ROUTE, err);
        return ret->sock < 0 ? -1 : 0;
}

static int make_bridge(struct engine *e, const struct network_row *row, struct cor_err *err)
{
        auto_tools t = { .run = -1, .sock = -1 };
        auto_network n = NULL;
        struct cor_err ignored;
        int index;

        if (network_parse(row, &n, err) < 0)
                return -1;
        if (n->driver != NETWORK_BRIDGE || realm_is_own()) /* which a user's first container makes */
                return 0;
        if (tools_open(e, &t, err) < 0)
                return -1;
        if (bridge_open(e->store, t.run, t.sock, n, &index, err) == 0)
                return 0;
        (void)!bridge_remove(t.run, t.sock, n, &ignored);
        return -1;
}

/* A bridge that somebody has made, and that is to be used: it is not ours to remove. */
static int find_foreign(const char *bridge, struct foreign *ret, struct cor_err *err)
{
        auto_free struct address *list = NULL;
        auto_fd sock = -1;
        struct link l;
        size_t n = 0;
        int found = realm_there(err);

        if (found <= 0)
                return found;
        sock = realm_socket(NETLINK_ROUTE, err);
        found = sock < 0 ? -1 : link_find(sock, bridge, &l, err);
        if (found <= 0)
                return found;
        if (address_list(sock, l.index, AF_UNSPEC, &list, &n, err) < 0)
                return -1;
        ret->is = true;
        for (size_t i = 0; i < n; i++) {
                char text[IP_TEXT_BYTES];

                cor_strv_add(&ret->addresses, ip_text(&list[i].ip.ip, text));
        }
        return 0;
}

/* ---- what daemon.json adds ---- */

static const char *option_of(const struct docker_network *d, const char *key)
{
        for (size_t i = 0; i < d->n_options; i++)
                if (strcmp(d->options[i].key, key) == 0)
                        return d->options[i].value;
        return NULL;
}

/* What is wrong with the file is no fault of who asks for a network. */
static int check_defaults(const struct docker_network *a, const struct network_config *c,
                          const struct daemon_driver_options *o, struct cor_err *err)
{
        struct docker_network d = {
                .enable_ipv4 = true, .internal = a->internal, .options = o->items, .n_options = o->n_items
        };
        auto_network_row row = { .id = cor_random_hex(ID_BYTES),
                                 .name = cor_strdup(a->name),
                                 .driver = cor_strdup(o->driver),
                                 .document = print(&d) };
        auto_network n = NULL;

        return network_parse(&row, &n, err) < 0 ? cor_wrap(err, "%s: default-network-opts.%s", c->file, o->driver) : 0;
}

/* The options get a list of their own, with those that nobody has said. */
static int add_defaults(struct docker_network *a, const struct network_config *c, struct cor_pair **list,
                        struct cor_err *err)
{
        const char *driver = a->driver && *a->driver ? a->driver : "bridge";
        const struct daemon_driver_options *o = network_config_options(c, driver);
        size_t n = 0;

        if (o && check_defaults(a, c, o, err) < 0)
                return -1;
        for (size_t i = 0; i < a->n_options; i++)
                *COR_GROW(*list, n) = a->options[i];
        for (size_t i = 0; o && i < o->n_items; i++)
                if (!option_of(a, o->items[i].key))
                        *COR_GROW(*list, n) = o->items[i];
        a->options = *list;
        a->n_options = n;
        return 0;
}

static void drop_option(struct docker_network *a, const char *key)
{
        size_t kept = 0;

        for (size_t i = 0; i < a->n_options; i++)
                if (strcmp(a->options[i].key, key) != 0)
                        a->options[kept++] = a->options[i];
        a->n_options = kept;
}

/* The flag, or the option of the same meaning, which is not kept beside a flag */
static int settle_family(struct docker_network *a, const char *key, const struct cor_opt_bool *asked, bool otherwise,
                         bool *ret, struct cor_err *err)
{
        const char *option = option_of(a, key);

        *ret = asked->set ? asked->value : otherwise;
        if (asked->set)
                drop_option(a, key);
        else if (option && network_bool_parse(option, ret) < 0)
                return cor_fail(err, COR_INVALID, "driver-opt \"%s\" is not a valid bool", key);
        return 0;
}

static int settle_families(struct docker_network *a, struct cor_err *err)
{
        if (settle_family(a, "com.docker.network.enable_ipv4", &a->asked_ipv4, true, &a->enable_ipv4, err) < 0 ||
            settle_family(a, "com.docker.network.enable_ipv6", &a->asked_ipv6, false, &a->enable_ipv6, err) < 0)
                return -1;
        return a->enable_ipv4 || a->enable_ipv6 ? 0 : cor_fail(err, COR_INVALID, "IPv4 or IPv6 must be enabled");
}

int engine_create_network(struct engine *e, const struct docker_network *wanted, char **ret_id, struct cor_err *err)
{
        auto_network_config config = { .file = NULL };
        struct docker_network asked = *wanted;
        auto_json struct docker_network *from = NULL;
        auto_free struct cor_pair *options = NULL;
        auto_network_row row = { 0 };
        struct cor_err ignored;
        COR_CLEANUP(foreign_done) struct foreign foreign = { .is = false };
        const char *bridge;

        if (realm_is_own() && (cor_streq(wanted->driver, "macvlan") || cor_streq(wanted->driver, "ipvlan")))
                return cor_fail(err, COR_DENIED,
                                "driver %s takes an interface of the host, which an ordinary user has none of",
                                wanted->driver);
        if (check_asked(&asked, err) < 0 || network_config_load(&config, err) < 0)
                return -1;
        if (asked.config_from.network && *asked.config_from.network
                    ? network_from_take(e, &asked, &from, err) < 0
                    : add_defaults(&asked, &config, &options, err) < 0 || settle_families(&asked, err) < 0)
                return -1;
        bridge = asked.config_only ? NULL : option_of(&asked, "com.docker.network.bridge.name");
        if (bridge && find_foreign(bridge, &foreign, err) < 0)
                return -1;
        fill_row(&asked, &foreign, &row);
        if (network_subnet_add(e->store, &row, &config.pools, err) < 0)
                return -1;
        if (make_bridge(e, &row, err) < 0) {
                (void)!network_row_remove(e->store, &row, &ignored);
                return -1;
        }
        tell(e, &row, "create");
        *ret_id = COR_TAKE(row.id);
        return 0;
}

/* ----------------------------------------------------------------------------------------------------------- remove */

/* The containers of monitors that died are connected with nothing; whoever looks at them finds that out. */
static int bury_dead(struct engine *e, struct cor_err *err)
{
        auto_container_rows rows = { 0 };

        return engine_containers(e, false, &rows, err);
}

/*
 * The bridge goes first: who is killed in between leaves a network without one, which can be removed again. Somebody
 * may connect with it meanwhile, and then it stays.
 */
static int remove_row(struct engine *e, const struct network_row *row, struct cor_err *err)
{
        auto_tools t = { .run = -1, .sock = -1 };
        struct cor_err ignored;
        auto_network n = NULL;
        int index, there;

        if (network_parse(row, &n, err) < 0)
                return -1;
        there = realm_there(err);
        if (there < 0)
                return -1;
        if (there && n->driver == NETWORK_BRIDGE && row->users == 0 &&
            (tools_open(e, &t, err) < 0 || bridge_remove(t.run, t.sock, n, err) < 0))
                return -1;
        if (network_row_remove(e->store, row, err) < 0) {
                if (t.sock >= 0 && !realm_is_own() && err->kind == COR_BUSY)
                        (void)!bridge_open(e->store, t.run, t.sock, n, &index, &ignored);
                return -1;
        }
        tell(e, row, "destroy");
        return 0;
}

int engine_remove_network(struct engine *e, const char *name, char **ret_name, struct cor_err *err)
{
        auto_network_row row = { 0 };

        if (bury_dead(e, err) < 0 || network_row_find(e->store, name, &row, err) < 0)
                return -1;
        if (network_is_predefined(row.name))
                return cor_fail(err, COR_DENIED, "%s is a pre-defined network and cannot be removed", row.name);
        if (network_from_unused(e, &row, err) < 0 || remove_row(e, &row, err) < 0)
                return -1;
        if (ret_name)
                *ret_name = COR_TAKE(row.name);
        return 0;
}

int engine_prune_networks(struct engine *e, const struct network_filter *f, struct cor_strv *removed,
                          struct cor_err *err)
{
        auto_network_rows rows = { 0 };

        if (bury_dead(e, err) < 0 || engine_networks(e, f, &rows, err) < 0)
                return -1;
        for (size_t i = 0; i < rows.n_items; i++) {
                struct cor_err own = { 0 };

                if (rows.items[i].users > 0 || network_is_predefined(rows.items[i].name) ||
                    strcmp(rows.items[i].driver, "null") == 0) /* a configuration */
                        continue;
                if (remove_row(e, &rows.items[i], &own) == 0) {
                        cor_strv_add(removed, rows.items[i].name);
                        continue;
                }
                if (own.kind == COR_BUSY || own.kind == COR_NOT_FOUND) /* somebody was faster */
                        continue;
                *err = own;
                return -1;
        }
        event_write(e->store, "network", "prune", "", (const struct cor_pair[]){ { "reclaimed", "0" } }, 1);
        return 0;
}

/* ------------------------------------------------------------------------------------------------------------ shown */

static const char *time_text(struct docker_network *d, int64_t ns)
{
        auto_text t = COR_TEXT_INIT;

        cor_text_add_time(&t, ns);
        return cor_json_strdup(d, t.s);
}

int network_row_document(const struct network_row *r, struct docker_network **ret, struct cor_err *err)
{
        auto_json struct docker_network *d = NULL;

        if (cor_json_parse(&docker_network_doc, r->document, strlen(r->document), r->name, &d, err) < 0)
                return -1;
        d->name = cor_json_strdup(d, r->name);
        d->id = cor_json_strdup(d, r->id);
        d->created = time_text(d, r->created);
        d->scope = "local";
        d->driver = cor_json_strdup(d, r->driver);
        d->automatic = d->foreign_bridge = false;
        d->n_foreign_addresses = 0;
        d->configured = NULL;
        if (!d->containers)
                d->containers = COR_JSON_NONE_YET;
        if (!d->ipam.config)
                d->ipam.config = COR_JSON_NONE_YET;
        if (!d->ipam.options && !network_is_predefined(r->name))
                d->ipam.options = COR_JSON_NONE_YET;
        *ret = COR_TAKE(d);
        return 0;
}

static int add_containers(struct engine *e, const struct network_row *r, struct docker_network *d, struct cor_err *err)
{
        auto_endpoint_rows rows = { 0 };
        char text[IP_TEXT_BYTES];

        if (endpoint_rows_find(e->store, r->number, 0, false, &rows, err) < 0)
                return -1;
        if (rows.n_items == 0)
                return 0;
        d->containers = cor_json_alloc(d, rows.n_items * sizeof *d->containers);
        d->n_containers = rows.n_items;
        for (size_t i = 0; i < rows.n_items; i++) {
                const struct endpoint_row *from = &rows.items[i];

                d->containers[i] = (struct docker_network_container){
                        .id = cor_json_strdup(d, from->container_id),
                        .name = cor_json_strdup(d, from->container_name),
                        .endpoint_id = cor_json_strdup(d, from->id),
                        .mac_address = cor_json_strdup(d, from->mac ? from->mac : ""),
                };
                d->containers[i].ipv4_address = cor_json_strdup(d, ip_prefix_text(&from->ip[0], text));
                d->containers[i].ipv6_address = cor_json_strdup(d, ip_prefix_text(&from->ip[1], text));
        }
        return 0;
}

int engine_inspect_network(struct engine *e, const char *name, struct docker_network **ret, struct cor_err *err)
{
        auto_json struct docker_network *d = NULL;
        auto_network_row row = { 0 };

        if (bury_dead(e, err) < 0 || network_row_find(e->store, name, &row, err) < 0 ||
            network_row_document(&row, &d, err) < 0 || add_containers(e, &row, d, err) < 0)
                return -1;
        *ret = COR_TAKE(d);
        return 0;
}

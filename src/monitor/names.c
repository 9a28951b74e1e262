#include "monitor/names.h"

#include "base/fd.h"
#include "base/file.h"
#include "base/log.h"
#include "linux/namespace.h"
#include "linux/procfs.h"
#include "monitor/monitor.h"
#include "network/resolver.h"
#include "spec/docker.h"
#include "store/endpoint.h"
#include "store/network.h"

#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

enum { FILE_MAX_BYTES = 1 << 20 };

/* One network that knows names. */
struct known_network {
        int64_t number;
        char *name;
        struct cor_strv links; /* "CONTAINER:NAME", of this container only */
};

struct names {
        struct monitor *monitor;
        struct resolver *resolver;
        struct known_network *networks;
        size_t n_networks;
        struct ip servers[RESOLVER_SERVERS_MAX]; /* that the container would ask without us */
        size_t n_servers;
        bool noted; /* resolv.conf has our address; the servers are those that were there before */
};

/* ---------------------------------------------------------------------------------------------------------- looking */

/* @name without ".NETWORK" at its end, if it has that; free() */
static char *without_network(const char *name, const char *network)
{
        size_t n = strlen(name), end = strlen(network);

        if (n <= end + 1 || name[n - end - 1] != '.' || strcasecmp(name + n - end, network) != 0)
                return NULL;
        return cor_strndup(name, n - end - 1);
}

static const char *linked(const struct known_network *n, const char *name, char **ret)
{
        for (size_t i = 0; i < n->links.n_items; i++) {
                const char *link = n->links.items[i], *colon = strchr(link, ':');

                if (strcasecmp(colon ? colon + 1 : link, name) != 0)
                        continue;
                *ret = cor_strndup(link, strcspn(link, ":"));
                return *ret;
        }
        return name;
}

static int look_in(struct monitor *m, const struct known_network *n, const char *name, struct endpoint_addresses *found,
                   bool *known, struct cor_err *err)
{
        auto_str own = NULL;
        auto_str target = NULL;
        const char *wanted = linked(n, name, &target);

        if (endpoint_lookup(m->store, n->number, wanted, found, known, err) < 0 || *known)
                return *known ? 0 : -1;
        own = without_network(name, n->name);
        return own ? endpoint_lookup(m->store, n->number, own, found, known, err) : 0;
}

static int look_up_name(struct names *n, const char *name, struct resolver_found *ret, struct cor_err *err)
{
        struct endpoint_addresses found = { .items = NULL };
        bool known = false;

        for (size_t i = 0; i < n->n_networks && !known; i++)
                if (look_in(n->monitor, &n->networks[i], name, &found, &known, err) < 0) {
                        free(found.items);
                        return -1;
                }
        ret->ips = found.items;
        ret->n_ips = found.n_items;
        return known;
}

static int look_up_address(struct names *n, const struct ip *a, struct resolver_found *ret, struct cor_err *err)
{
        for (size_t i = 0; i < n->n_networks; i++) {
                auto_str name = NULL;
                int found = endpoint_name_of(n->monitor->store, n->networks[i].number, a, &name, err);

                if (found < 0)
                        return -1;
                if (found == 0)
                        continue;
                ret->name = cor_printf("%s.%s", name, n->networks[i].name);
                return 1;
        }
        return 0;
}

static int look_up(void *data, const struct dns_question *q, struct resolver_found *ret)
{
        struct names *n = data;
        struct cor_err err = { 0 };
        struct ip a;
        int r;

        if (monitor_open_store(n->monitor, &err) < 0)
                r = -1;
        else if (q->type == DNS_PTR && dns_reverse(q->name, &a))
                r = look_up_address(n, &a, ret, &err);
        else
                r = look_up_name(n, q->name, ret, &err);
        if (r < 0)
                cor_warn("look up %.80s: %s", q->name, err.msg);
        return r;
}

/* --------------------------------------------------------------------------------------------------------- networks */

static void forget_networks(struct names *n)
{
        for (size_t i = 0; i < n->n_networks; i++) {
                free(n->networks[i].name);
                cor_strv_done(&n->networks[i].links);
        }
        free(n->networks);
        n->networks = NULL;
        n->n_networks = 0;
}

static int take_networks(struct names *n, const struct docker_network_settings *now, struct cor_err *err)
{
        forget_networks(n);
        for (size_t i = 0; i < now->n_networks; i++) {
                const struct docker_endpoint *e = &now->networks[i];
                auto_network_row row = { 0 };
                struct known_network *k;

                if (e->n_dns_names == 0)
                        continue;
                if (network_row_find(n->monitor->store, e->network_id, &row, err) < 0)
                        return -1;
                k = COR_GROW(n->networks, n->n_networks);
                k->number = row.number;
                k->name = COR_TAKE(row.name);
                for (size_t l = 0; l < e->n_links; l++)
                        cor_strv_add(&k->links, e->links[l]);
        }
        return 0;
}

/* A container that gets nowhere asks nobody elsewhere: names of an internal network stay in it. */
static bool has_way_out(const struct docker_network_settings *now)
{
        for (size_t i = 0; i < now->n_networks; i++) {
                const struct docker_endpoint *e = &now->networks[i];

                if ((e->gateway && *e->gateway) || (e->ipv6_gateway && *e->ipv6_gateway))
                        return true;
        }
        return false;
}

/* ------------------------------------------------------------------------------------------------------ resolv.conf */

/* Those on the loopback are asked on the host's, which a program that names one itself is not to reach. */
static bool may_ask(const struct names *n, const struct ip *server)
{
        return n->n_servers < RESOLVER_SERVERS_MAX && !(n->monitor->has_run && ip_is_loopback(server));
}

/* The servers that are there are ours to ask; everything else stays. */
static void rewrite(struct names *n, char *text, struct cor_text *out)
{
        bool has_ndots = false;
        char *line;

        cor_text_add(out, "nameserver " RESOLVER_ADDRESS "\n");
        while ((line = cor_split_next(&text, '\n')) != NULL) {
                struct ip a;

                if (cor_starts_with(line, "nameserver ")) {
                        if (ip_parse(line + strlen("nameserver "), &a) == 0 && may_ask(n, &a))
                                n->servers[n->n_servers++] = a;
                } else if (cor_starts_with(line, "options ")) {
                        has_ndots = true;
                        cor_text_printf(out, "%s%s\n", line, strstr(line, "ndots:") ? "" : " ndots:0");
                } else if (*line) {
                        cor_text_printf(out, "%s\n", line);
                }
        }
        if (!has_ndots)
                cor_text_add(out, "options ndots:0\n");
}

/* The container has the file itself: its content is replaced. */
static int note(struct names *n, struct cor_err *err)
{
        const struct monitor *m = n->monitor;
        auto_fd folder = container_folder_open(m->store, m->id, err), fd = -1;
        auto_text out = COR_TEXT_INIT;
        auto_str text = NULL;

        if (n->noted)
                return 0;
        if (folder < 0 || cor_own_read(folder, "resolv.conf", FILE_MAX_BYTES, &text, NULL, err) < 0)
                return -1;
        rewrite(n, text, &out);
        fd = cor_own_open(folder, "resolv.conf", O_WRONLY | O_TRUNC | O_CLOEXEC, 0, err);
        if (fd < 0 || cor_write_full(fd, out.s, out.len, err) < 0)
                return -1;
        n->noted = true;
        return 0;
}

/* -------------------------------------------------------------------------------------------------------------- all */

static int begin(struct names *n, struct cor_err *err)
{
        const struct resolver_source source = { .lookup = look_up, .data = n };
        auto_fd procfs = procfs_open(err);
        auto_fd netns = procfs < 0 ? -1 : namespace_open_pid(procfs, n->monitor->life.pid, CLONE_NEWNET, err);

        return netns < 0 ? -1 : resolver_open(netns, &source, &n->resolver, err);
}

static bool knows_names(const struct docker_network_settings *now)
{
        for (size_t i = 0; i < now->n_networks; i++)
                if (now->networks[i].n_dns_names)
                        return true;
        return false;
}

int names_update(struct monitor *m, const struct docker_network_settings *now, bool fresh, struct cor_err *err)
{
        struct names *n = m->names;

        if (fresh)
                names_close(m);
        if (!n && !knows_names(now))
                return 0;
        if (!n) {
                n = m->names = cor_alloc(sizeof *n);
                n->monitor = m;
        }
        if (take_networks(n, now, err) < 0 || note(n, err) < 0 || (!n->resolver && begin(n, err) < 0))
                return cor_wrap(err, "names of networks");
        resolver_set_servers(n->resolver, n->servers, has_way_out(now) ? n->n_servers : 0);
        return 0;
}

void names_close(struct monitor *m)
{
        if (!m->names)
                return;
        resolver_close(m->names->resolver);
        m->names->resolver = NULL;
        forget_networks(m->names);
}

void names_free(struct names *n)
{
        free(n);
}

int names_fd(const struct monitor *m)
{
        return m->names && m->names->resolver ? resolver_fd(m->names->resolver) : -1;
}

int64_t names_due(const struct monitor *m)
{
        return m->names && m->names->resolver ? resolver_due(m->names->resolver) : -1;
}

void names_step(struct monitor *m)
{
        if (m->names && m->names->resolver)
                resolver_step(m->names->resolver);
}

/* What docker shows of a container's networks. All of it lies in the memory of the document. */
#include "base/text.h"
#include "network/connect_internal.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>

int network_settings_new(struct docker_network_settings **ret, struct cor_err *err)
{
        return cor_json_parse(&docker_network_settings_doc, "{}", 2, "NetworkSettings", ret, err);
}

static const char **copy_list(void *root, const char *const *items, size_t n)
{
        const char **copy = cor_json_alloc(root, (n + 1) * sizeof *copy);

        for (size_t i = 0; i < n; i++)
                copy[i] = cor_json_strdup(root, items[i]);
        return items ? copy : NULL;
}

static struct cor_pair *copy_pairs(void *root, const struct cor_pair *items, size_t n)
{
        struct cor_pair *copy = cor_json_alloc(root, (n + 1) * sizeof *copy);

        for (size_t i = 0; i < n; i++) {
                copy[i].key = cor_json_strdup(root, items[i].key);
                copy[i].value = cor_json_strdup(root, items[i].value ? items[i].value : "");
        }
        return items ? copy : NULL;
}

static const char *text_or_null(void *root, const char *s)
{
        return s ? cor_json_strdup(root, s) : NULL;
}

static void copy_asked(void *root, const struct docker_endpoint *asked, struct docker_endpoint *e)
{
        if (asked->ipam_config) {
                const struct docker_ipam_config *i = asked->ipam_config;

                e->ipam_config = cor_json_alloc(root, sizeof *e->ipam_config);
                e->ipam_config->ipv4_address = text_or_null(root, i->ipv4_address);
                e->ipam_config->ipv6_address = text_or_null(root, i->ipv6_address);
                e->ipam_config->link_local_ips = copy_list(root, i->link_local_ips, i->n_link_local_ips);
                e->ipam_config->n_link_local_ips = i->n_link_local_ips;
        }
        e->links = copy_list(root, asked->links, asked->n_links);
        e->n_links = asked->n_links;
        e->aliases = copy_list(root, asked->aliases, asked->n_aliases);
        e->n_aliases = asked->n_aliases;
        e->driver_opts = copy_pairs(root, asked->driver_opts, asked->n_driver_opts);
        e->n_driver_opts = asked->n_driver_opts;
        e->gw_priority = asked->gw_priority;
}

/* A network that leads nowhere has gateways that are of no use. */
static const char *gateway_text(const struct connection *n, int family, void *root)
{
        const struct network_subnet *s = network_subnet_of(n->network, family);
        char text[IP_TEXT_BYTES] = "";

        if (s && (s->router.len || s->gateway.len) && !n->network->internal && n->endpoint.has[family] &&
            n->network->gateway[family] != GATEWAY_ISOLATED)
                ip_text(s->router.len ? &s->router : &s->gateway, text);
        return cor_json_strdup(root, text);
}

static void fill(const struct connection *n, struct docker_endpoint *e, void *root)
{
        const struct endpoint_row *r = &n->endpoint.row;
        char text[IP_TEXT_BYTES];

        copy_asked(root, n->asked, e);
        e->name = cor_json_strdup(root, n->network->name);
        e->mac_address = cor_json_strdup(root, r->mac ? r->mac : "");
        e->network_id = cor_json_strdup(root, n->network->id);
        e->endpoint_id = cor_json_strdup(root, r->id);
        e->gateway = gateway_text(n, 0, root);
        e->ip_address = cor_json_strdup(root, ip_text(&r->ip[0].ip, text));
        e->ip_prefix_len = r->ip[0].bits;
        e->ipv6_gateway = gateway_text(n, 1, root);
        e->global_ipv6_address = cor_json_strdup(root, ip_text(&r->ip[1].ip, text));
        e->global_ipv6_prefix_len = r->ip[1].bits;
        e->dns_names = r->names.n_items ? copy_list(root, (const char *const *)r->names.items, r->names.n_items) : NULL;
        e->n_dns_names = r->names.n_items;
}

/* The members that are older than networks tell of the default one. */
static void fill_old(struct docker_network_settings *now)
{
        static const struct docker_endpoint none = { .name = "" };
        const struct docker_endpoint *e = &none;

        for (size_t i = 0; i < now->n_networks; i++)
                if (strcmp(now->networks[i].name, NETWORK_DEFAULT) == 0)
                        e = &now->networks[i];
        now->endpoint_id = e->endpoint_id;
        now->gateway = e->gateway;
        now->ip_address = e->ip_address;
        now->ip_prefix_len = e->ip_prefix_len;
        now->mac_address = e->mac_address;
        now->ipv6_gateway = e->ipv6_gateway;
        now->global_ipv6_address = e->global_ipv6_address;
        now->global_ipv6_prefix_len = e->global_ipv6_prefix_len;
}

void connect_describe(const struct connection *n, struct docker_network_settings *now)
{
        struct docker_endpoint *list = cor_json_alloc(now, (now->n_networks + 1) * sizeof *list);

        if (now->n_networks)
                memcpy(list, now->networks, now->n_networks * sizeof *list);
        fill(n, &list[now->n_networks++], now);
        now->networks = list;
        fill_old(now);
}

void connect_forget(struct docker_network_settings *now, const char *network_id)
{
        size_t kept = 0;

        for (size_t i = 0; i < now->n_networks; i++)
                if (!cor_streq(now->networks[i].network_id, network_id))
                        now->networks[kept++] = now->networks[i];
        now->n_networks = kept;
        fill_old(now);
}

/* Which of a container's addresses its published ports lead to. */
#include "network/ports.h"

#include "base/text.h"
#include "network/network.h"

#include <stdio.h>
#include <string.h>

static const char *text_of(const char *s)
{
        return s ? s : "";
}

static const char *gateway_of(const struct docker_endpoint *e, int family)
{
        return text_of(family == 0 ? e->gateway : e->ipv6_gateway);
}

/* As default routes are chosen: the highest priority; of the same, the first by name. */
static const struct docker_endpoint *first_of(const struct docker_network_settings *now, int family)
{
        const struct docker_endpoint *best = NULL;

        for (size_t i = 0; i < now->n_networks; i++) {
                const struct docker_endpoint *e = &now->networks[i];

                if (*gateway_of(e, family) &&
                    (!best || e->gw_priority > best->gw_priority ||
                     (e->gw_priority == best->gw_priority && strcmp(e->name, best->name) < 0)))
                        best = e;
        }
        return best;
}

static int find_place(struct store *s, const struct docker_endpoint *e, int family, struct ports_place *ret,
                      struct cor_err *err)
{
        const char *ip = text_of(family == 0 ? e->ip_address : e->global_ipv6_address);
        auto_network_row row = { 0 };
        auto_network n = NULL;
        char text[IP_TEXT_BYTES];

        if (network_row_find(s, text_of(e->network_id), &row, err) < 0 || network_parse(&row, &n, err) < 0)
                return -1;
        if (n->driver != NETWORK_BRIDGE)
                return 0;
        *(family == 0 ? &ret->routed4 : &ret->routed6) = n->gateway[family] == GATEWAY_ROUTED;
        snprintf(family == 0 ? ret->ip4 : ret->ip6, PORT_IP_BYTES, "%s", ip);
        if (n->host_binding.len && !ip_is_zero(&n->host_binding) && !*ret->host_ip)
                snprintf(ret->host_ip, PORT_IP_BYTES, "%.*s", PORT_IP_BYTES - 1, ip_text(&n->host_binding, text));
        return 0;
}

int ports_place(struct store *s, const struct docker_network_settings *now, struct ports_place *ret,
                struct cor_err *err)
{
        struct ports_place place = { .ip4 = "" };

        for (int family = 0; family < ENDPOINT_FAMILIES; family++) {
                const struct docker_endpoint *e = first_of(now, family);

                if (e && find_place(s, e, family, &place, err) < 0)
                        return cor_wrap(err, "network %s", e->name);
        }
        *ret = place;
        return 0;
}

#include "network/network.h"

#include "base/fd.h"
#include "base/process.h"
#include "base/text.h"
#include "linux/link_message.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define BRIDGE  "com.docker.network.bridge."
#define ROUTER4 "DefaultGatewayIPv4" /* docker's names of auxiliary addresses that mean something */
#define ROUTER6 "DefaultGatewayIPv6"
enum {
        LOCK_MS = 10000,
        LOCK_STEP_US = 2000,
        MTU_MAX = 65535,
        MTU_MIN = 68,
        MTU_MIN6 = 1280,
        VLAN_MAX = 4094,
        BRIDGE_DIGITS = 12
};

void network_free(struct network *n)
{
        if (!n)
                return;
        for (size_t i = 0; i < n->n_subnets; i++)
                free((struct ip *)(uintptr_t)n->subnets[i].pool.not );
        free(n->subnets);
        free(n->kept);
        free(n->name);
        free(n);
}

const struct network_subnet *network_subnet_of(const struct network *n, int family)
{
        for (size_t i = 0; i < n->n_subnets; i++)
                if (n->subnets[i].subnet.ip.len == (family == 0 ? 4 : 16))
                        return &n->subnets[i];
        return NULL;
}

struct firewall_network network_firewall(const struct network *n)
{
        struct firewall_network w = { .bridge = n->bridge, .internal = n->internal, .together = n->together };

        for (int i = 0; i < ENDPOINT_FAMILIES; i++) {
                w.mode[i] = n->gateway[i] == GATEWAY_OPEN     ? FIREWALL_OPEN
                            : n->gateway[i] == GATEWAY_ROUTED ? FIREWALL_ROUTED
                                                              : FIREWALL_NAT;
                w.masquerade[i] = n->masquerade && !n->internal && n->has[i] && n->gateway[i] != GATEWAY_ROUTED &&
                                  n->gateway[i] != GATEWAY_ISOLATED;
        }
        return w;
}

int network_lock(int run, struct cor_err *err)
{
        auto_fd fd = openat(run, "network.lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
        int64_t end = cor_now_ms() + LOCK_MS;

        while (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0) {
                if ((errno != EWOULDBLOCK && errno != EINTR) || cor_now_ms() > end)
                        return cor_fail_errno(err, "lock network.lock");
                usleep(LOCK_STEP_US);
        }
        return fd < 0 ? cor_fail_errno(err, "open network.lock") : cor_fd_take(&fd);
}

/* ---------------------------------------------------------------------------------------------------------- subnets */

static int read_address(const char *text, const char *what, const struct ip_prefix *within, struct ip *ret,
                        struct cor_err *err)
{
        struct ip_prefix p;

        if (ip_parse_maybe_prefix(text, &p) < 0)
                return cor_fail(err, COR_INVALID, "invalid %s address %.60s: expected an IP address", what, text);
        if (p.ip.len != within->ip.len || !ip_prefix_contains(within, &p.ip)) {
                char subnet[IP_TEXT_BYTES];

                return cor_fail(err, COR_INVALID, "invalid %s address %.60s: it is not in subnet %s", what, text,
                                ip_prefix_text(within, subnet));
        }
        *ret = p.ip;
        return 0;
}

/* From the first to the last address that containers may have; the subnet's own first and last are nobody's. */
static int read_range(const struct docker_ipam_pool *d, struct network_subnet *s, struct cor_err *err)
{
        struct ip_prefix range = s->subnet;

        if (d->ip_range && *d->ip_range) {
                if (ip_prefix_parse(d->ip_range, &range) < 0)
                        return cor_fail(err, COR_INVALID, "invalid ip-range %.60s: expected an address and its bits",
                                        d->ip_range);
                if (range.ip.len != s->subnet.ip.len || range.bits < s->subnet.bits ||
                    !ip_prefix_contains(&s->subnet, &range.ip))
                        return cor_fail(err, COR_INVALID, "invalid ip-range %.60s: it is not in subnet %.60s",
                                        d->ip_range, d->subnet);
        }
        s->pool = (struct endpoint_pool){
                .subnet = s->subnet,
                .first = ip_prefix_network(&range),
                .last = ip_prefix_last(&range),
        };
        return 0;
}

static void exclude(struct network_subnet *s, struct ip **list, const struct ip *a)
{
        if (a->len)
                *COR_GROW(*list, s->pool.n_not) = *a;
        s->pool.not = *list;
}

static int read_subnet(const struct docker_ipam_pool *d, struct network *n, struct cor_err *err)
{
        struct network_subnet *s = COR_GROW(n->subnets, n->n_subnets);
        struct ip *list = NULL, a;
        bool small;

        if (!d->subnet || ip_prefix_parse(d->subnet, &s->subnet) < 0)
                return cor_fail(err, COR_INVALID, "invalid subnet %.60s: expected an address and its bits",
                                d->subnet ? d->subnet : "");
        s->subnet.ip = ip_prefix_network(&s->subnet);
        if (read_range(d, s, err) < 0 ||
            (d->gateway && *d->gateway && read_address(d->gateway, "gateway", &s->subnet, &s->gateway, err) < 0))
                return -1;
        small = s->subnet.bits + 1 >= s->subnet.ip.len * 8; /* point to point: both ends are addresses */
        exclude(s, &list, &s->gateway);
        if (!small) {
                a = ip_prefix_network(&s->subnet);
                exclude(s, &list, &a);
                a = ip_prefix_last(&s->subnet);
                if (ip_is_4(&a))
                        exclude(s, &list, &a);
        }
        for (size_t i = 0; i < d->n_auxiliary; i++) {
                if (read_address(d->auxiliary[i].value, "auxiliary", &s->subnet, &a, err) < 0)
                        return -1;
                if (n->driver == NETWORK_BRIDGE && strcmp(d->auxiliary[i].key, ip_is_4(&a) ? ROUTER4 : ROUTER6) == 0)
                        s->router = a;
                exclude(s, &list, &a);
        }
        return 0;
}

/* ---------------------------------------------------------------------------------------------------------- options */

int network_bool_parse(const char *text, bool *ret)
{
        static const char *const words[2][6] = { { "0", "f", "F", "false", "FALSE", "False" },
                                                 { "1", "t", "T", "true", "TRUE", "True" } };

        for (int i = 0; i < 2; i++)
                for (size_t w = 0; w < COR_COUNT(words[i]); w++)
                        if (strcmp(text, words[i][w]) == 0) {
                                *ret = i == 1;
                                return 0;
                        }
        return -1;
}

static int read_bool(const struct cor_pair *o, bool *ret, struct cor_err *err)
{
        return network_bool_parse(o->value, ret) == 0
                       ? 0
                       : cor_fail(err, COR_INVALID,
                                  "invalid value for '%s': strconv.ParseBool: parsing \"%.60s\": invalid syntax",
                                  o->key, o->value);
}

static int read_interface(const struct cor_pair *o, char *ret, size_t size, struct cor_err *err)
{
        if (strlen(o->value) >= size || (*o->value && !link_name_valid(o->value)))
                return cor_fail(err, COR_INVALID, "invalid value for '%s': %.60s is no name of an interface", o->key,
                                o->value);
        snprintf(ret, size, "%s", o->value);
        return 0;
}

static int read_mtu(const struct cor_pair *o, struct network *n, struct cor_err *err)
{
        if (cor_parse_u32(o->value, &n->mtu) < 0 || n->mtu > MTU_MAX || (n->mtu && n->mtu < MTU_MIN))
                return cor_fail(err, COR_INVALID, "invalid value for '%s': %.60s: expected a number from %d to %d",
                                o->key, o->value, MTU_MIN, MTU_MAX);
        return 0;
}

static int read_gateway_mode(const struct cor_pair *o, enum network_gateway *ret, struct cor_err *err)
{
        static const struct cor_word words[] = { { "nat", GATEWAY_NAT },           { "", GATEWAY_NAT },
                                                 { "routed", GATEWAY_ROUTED },     { "nat-unprotected", GATEWAY_OPEN },
                                                 { "isolated", GATEWAY_ISOLATED }, { NULL, 0 } };
        const struct cor_word *w = cor_word_find(words, o->value);

        if (!w)
                return cor_fail(err, COR_INVALID,
                                "unknown gateway mode %.60s: expected nat, nat-unprotected, routed or "
                                "isolated",
                                o->value);
        *ret = (enum network_gateway)w->value;
        return 0;
}

static int read_binding(const struct cor_pair *o, struct network *n, struct cor_err *err)
{
        if (ip_parse(o->value, &n->host_binding) < 0)
                return cor_fail(err, COR_INVALID, "invalid value for '%s': %.60s is no IP address", o->key, o->value);
        return 0;
}

static int read_word(const struct cor_pair *o, const struct cor_word *words, struct network *n, struct cor_err *err)
{
        const struct cor_word *w = cor_word_find(words, o->value);

        if (!w)
                return cor_fail(err, COR_INVALID, "unknown %s %.60s", o->key, o->value);
        n->mode = (uint32_t)w->value;
        return 0;
}

static int bridge_option(const struct cor_pair *o, struct network *n, struct cor_err *err)
{
        const char *key = cor_starts_with(o->key, BRIDGE) ? o->key + strlen(BRIDGE) : "";

        if (strcmp(key, "name") == 0)
                return read_interface(o, n->bridge, sizeof n->bridge, err);
        if (strcmp(key, "enable_icc") == 0)
                return read_bool(o, &n->together, err);
        if (strcmp(key, "enable_ip_masquerade") == 0)
                return read_bool(o, &n->masquerade, err);
        if (strcmp(key, "inhibit_ipv4") == 0)
                return read_bool(o, &n->inhibit[0], err);
        if (strcmp(key, "gateway_mode_ipv4") == 0)
                return read_gateway_mode(o, &n->gateway[0], err);
        if (strcmp(key, "gateway_mode_ipv6") == 0)
                return read_gateway_mode(o, &n->gateway[1], err);
        if (strcmp(key, "host_binding_ipv4") == 0)
                return read_binding(o, n, err);
        if (strcmp(o->key, "com.docker.network.container_iface_prefix") == 0)
                return read_interface(o, n->prefix, sizeof n->prefix - 3, err);
        return 0; /* what docker does not know it keeps, too */
}

static int macvlan_option(const struct cor_pair *o, struct network *n, struct cor_err *err)
{
        static const struct cor_word words[] = {
                { "", MACVLAN_MODE_BRIDGE },           { "bridge", MACVLAN_MODE_BRIDGE },
                { "private", MACVLAN_MODE_PRIVATE },   { "vepa", MACVLAN_MODE_VEPA },
                { "passthru", MACVLAN_MODE_PASSTHRU }, { NULL, 0 }
        };

        if (strcmp(o->key, "parent") == 0)
                return read_interface(o, n->parent, sizeof n->parent, err);
        return strcmp(o->key, "macvlan_mode") == 0 ? read_word(o, words, n, err) : 0;
}

static int ipvlan_option(const struct cor_pair *o, struct network *n, struct cor_err *err)
{
        static const struct cor_word words[] = {
                { "", IPVLAN_MODE_L2 },
                { "l2", IPVLAN_MODE_L2 },
                { "l3", IPVLAN_MODE_L3 },
                { "l3s", IPVLAN_MODE_L3S },
                { NULL, 0 },
        };

        if (strcmp(o->key, "parent") == 0)
                return read_interface(o, n->parent, sizeof n->parent, err);
        return strcmp(o->key, "ipvlan_mode") == 0 ? read_word(o, words, n, err) : 0;
}

static int read_options(const struct docker_network *d, struct network *n, struct cor_err *err)
{
        for (size_t i = 0; i < d->n_options; i++) {
                const struct cor_pair *o = &d->options[i];
                int r = strcmp(o->key, "com.docker.network.driver.mtu") == 0 ? read_mtu(o, n, err)
                        : n->driver == NETWORK_BRIDGE                        ? bridge_option(o, n, err)
                        : n->driver == NETWORK_MACVLAN                       ? macvlan_option(o, n, err)
                        : n->driver == NETWORK_IPVLAN                        ? ipvlan_option(o, n, err)
                                                                             : 0;

                if (r < 0)
                        return -1;
        }
        return 0;
}

/* "eth0.10": VLAN 10 of eth0 */
static int read_vlan(struct network *n, struct cor_err *err)
{
        const char *dot = strrchr(n->parent, '.');
        uint32_t id;

        if (!dot)
                return 0;
        if (cor_parse_u32(dot + 1, &id) < 0)
                return 0; /* an interface with a dot in its name */
        if (id == 0 || id > VLAN_MAX)
                return cor_fail(err, COR_INVALID, "vlan id must be between 1-4094, received: %u", id);
        n->vlan = (uint16_t)id;
        return 0;
}

static int check(const struct network *n, struct cor_err *err)
{
        for (int i = 0; n->driver == NETWORK_BRIDGE && i < ENDPOINT_FAMILIES; i++)
                if (n->gateway[i] == GATEWAY_ISOLATED && !n->internal)
                        return cor_fail(err, COR_INVALID,
                                        "gateway mode 'isolated' can only be used for an internal "
                                        "network");
        if (n->has[1] && n->mtu && n->mtu < MTU_MIN6)
                return cor_fail(err, COR_INVALID,
                                "invalid value for 'com.docker.network.driver.mtu': %u: IPv6 needs %d", n->mtu,
                                MTU_MIN6);
        return 0;
}

static int fill(const struct docker_network *d, struct network *n, struct cor_err *err)
{
        static const struct cor_word drivers[] = { { "bridge", NETWORK_BRIDGE }, { "macvlan", NETWORK_MACVLAN },
                                                   { "ipvlan", NETWORK_IPVLAN }, { "host", NETWORK_HOST },
                                                   { "null", NETWORK_NULL },     { NULL, 0 } };
        const struct cor_word *w = cor_word_find(drivers, d->driver ? d->driver : "");

        if (!w)
                return cor_fail(err, COR_NOT_FOUND, "plugin \"%.60s\" not found", d->driver ? d->driver : "");
        n->driver = (enum network_driver)w->value;
        n->internal = d->internal;
        n->config_only = d->config_only;
        n->foreign = d->foreign_bridge;
        for (size_t i = 0; i < d->n_foreign_addresses; i++)
                if (ip_parse(d->foreign_addresses[i], COR_GROW(n->kept, n->n_kept)) < 0)
                        return cor_fail(err, COR_INVALID, "ForeignAddresses: %.60s is no IP address",
                                        d->foreign_addresses[i]);
        n->has[0] = d->enable_ipv4;
        n->has[1] = d->enable_ipv6;
        n->mode = n->driver == NETWORK_MACVLAN ? MACVLAN_MODE_BRIDGE : IPVLAN_MODE_L2;
        n->together = n->masquerade = true;
        n->is_default = n->driver == NETWORK_BRIDGE && strcmp(n->name, "bridge") == 0;
        snprintf(n->prefix, sizeof n->prefix, "eth");
        snprintf(n->bridge, sizeof n->bridge, "br-%.*s", BRIDGE_DIGITS, n->id);
        if (read_options(d, n, err) < 0 || read_vlan(n, err) < 0 || check(n, err) < 0)
                return -1;
        for (size_t i = 0; i < d->ipam.n_config; i++)
                if (read_subnet(&d->ipam.config[i], n, err) < 0)
                        return -1;
        return 0;
}

int network_parse(const struct network_row *row, struct network **ret, struct cor_err *err)
{
        auto_json struct docker_network *d = NULL;
        auto_network n = cor_alloc(sizeof *n);

        if (cor_json_parse(&docker_network_doc, row->document, strlen(row->document), row->name, &d, err) < 0)
                return -1;
        n->number = row->number;
        n->name = cor_strdup(row->name);
        snprintf(n->id, sizeof n->id, "%s", row->id);
        d->driver = row->driver;
        if (fill(d, n, err) < 0)
                return -1;
        *ret = COR_TAKE(n);
        return 0;
}

#include "cni/dhcp_terms.h"

#include <linux/rtnetlink.h>
#include <string.h>

enum {
        LEASE_DEFAULT_S = 3600, /* where the server says nothing, as the reference has it */
        LEASE_MIN_S = 2,        /* so that one who grants a moment does not keep us busy */
        FOR_EVER = UINT32_MAX,
        ROUTES_MAX = 256,
        NAMES_MAX = 32,
        NAME_MAX_BYTES = 253,
        LABEL_MAX_BYTES = 63,
        JUMPS_MAX = 16,
};

/* -------------------------------------------------------------------------------------------------------- addresses */

/* One that a host may have: not of 0.0.0.0/8, 127.0.0.0/8, nor from 224.0.0.0 on (groups, reserved, broadcast). */
static bool is_host(const struct ip *a)
{
        return a->len == 4 && a->bytes[0] != 0 && a->bytes[0] != 127 && a->bytes[0] < 224;
}

static struct ip address_of(const uint8_t *p)
{
        struct ip a = { .len = 4 };

        memcpy(a.bytes, p, 4);
        return a;
}

static int read_mask(const struct dhcp_message *m, uint8_t *ret_bits, struct cor_err *err)
{
        struct ip mask;

        if (!dhcp_option_address(m, DHCP_SUBNET_MASK, &mask))
                return cor_fail(err, COR_INVALID, "option %d (subnet mask) is not there, or no mask", DHCP_SUBNET_MASK);
        for (uint8_t bits = 1; bits <= 32; bits++) {
                struct ip whole = ip_mask(4, bits);

                if (ip_equal(&whole, &mask)) {
                        *ret_bits = bits;
                        return 0;
                }
        }
        return cor_fail(err, COR_INVALID, "option %d (subnet mask) is no mask", DHCP_SUBNET_MASK);
}

static int read_address(const struct dhcp_message *m, struct ip_prefix *ret, struct cor_err *err)
{
        char text[IP_TEXT_BYTES];
        struct ip first, last;

        if (!is_host(&m->yours))
                return cor_fail(err, COR_INVALID, "address %s is none for a host",
                                m->yours.len ? ip_text(&m->yours, text) : "0.0.0.0");
        ret->ip = m->yours;
        if (read_mask(m, &ret->bits, err) < 0)
                return -1;
        first = ip_prefix_network(ret);
        last = ip_prefix_last(ret);
        if (ret->bits < 31 && (ip_equal(&first, &ret->ip) || ip_equal(&last, &ret->ip)))
                return cor_fail(err, COR_INVALID, "address %s is none for a host in its network",
                                ip_prefix_text(ret, text));
        return 0;
}

/* ------------------------------------------------------------------------------------------------------------ times */

static void read_times(const struct dhcp_message *m, struct dhcp_terms *ret)
{
        uint32_t lease = LEASE_DEFAULT_S, renew, rebind;

        (void)dhcp_option_seconds(m, DHCP_LEASE_TIME, &lease);
        if (lease == FOR_EVER) {
                ret->lease_ms = ret->renew_ms = ret->rebind_ms = -1;
                return;
        }
        lease = lease < LEASE_MIN_S ? LEASE_MIN_S : lease;
        ret->lease_ms = (int64_t)lease * 1000;
        ret->renew_ms = ret->lease_ms / 2;
        ret->rebind_ms = ret->lease_ms * 7 / 8;
        /* The server's own are taken if they make sense together. */
        if (dhcp_option_seconds(m, DHCP_RENEWAL_TIME, &renew) && renew > 0 && (int64_t)renew * 1000 < ret->rebind_ms)
                ret->renew_ms = (int64_t)renew * 1000;
        if (dhcp_option_seconds(m, DHCP_REBINDING_TIME, &rebind) && (int64_t)rebind * 1000 > ret->renew_ms &&
            rebind < lease)
                ret->rebind_ms = (int64_t)rebind * 1000;
}

int dhcp_terms_read(const struct dhcp_message *m, bool dns, struct dhcp_terms *ret, struct cor_err *err)
{
        auto_json struct cni_result *r = NULL;
        struct dhcp_terms t = { .lease_ms = 0 };

        if (!dhcp_option_address(m, DHCP_SERVER, &t.server) || !is_host(&t.server))
                return cor_fail(err, COR_INVALID, "option %d (server) is not there, or no address", DHCP_SERVER);
        if (read_address(m, &t.address, err) < 0 || dhcp_result(m, 0, dns, &r, err) < 0)
                return -1;
        read_times(m, &t);
        *ret = t;
        return 0;
}

/* ----------------------------------------------------------------------------------------------------------- routes */

static int add_route(struct cni_result *r, const struct ip_prefix *dst, const struct ip *gateway, uint32_t priority,
                     int code, struct cor_err *err)
{
        struct ip_prefix network = { ip_prefix_network(dst), dst->bits };
        char text[IP_TEXT_BYTES];
        struct cni_route *route;
        bool direct = ip_is_zero(gateway);

        if ((dst->bits >= 8 && !is_host(&dst->ip)) || (!direct && !is_host(gateway)) || r->n_routes >= ROUTES_MAX)
                return cor_fail(err, COR_INVALID, "option %d: a route that cannot be: to %s", code,
                                ip_prefix_text(&network, text));
        route = cni_result_add_route(r);
        route->dst = cor_json_strdup(r, ip_prefix_text(&network, text));
        route->gw = cor_json_strdup(r, ip_text(gateway, text));
        route->priority = priority;
        if (direct)
                route->scope = (struct cor_opt_u64){ .set = true, .value = RT_SCOPE_LINK };
        return 0;
}

/* Bits of the destination, as many bytes of it as these need, the router. */
static int add_classless(struct cni_result *r, const uint8_t *p, size_t n, uint32_t priority, struct cor_err *err)
{
        for (size_t at = 0; at < n;) {
                struct ip_prefix dst = { .ip.len = 4, .bits = p[at] };
                size_t bytes = (dst.bits + 7u) / 8u;
                struct ip gateway;

                if (dst.bits > 32 || n - at < 1 + bytes + 4)
                        return cor_fail(err, COR_INVALID, "option %d (routes): is cut off", DHCP_CLASSLESS_ROUTES);
                memcpy(dst.ip.bytes, p + at + 1, bytes);
                gateway = address_of(p + at + 1 + bytes);
                if (add_route(r, &dst, &gateway, priority, DHCP_CLASSLESS_ROUTES, err) < 0)
                        return -1;
                at += 1 + bytes + 4;
        }
        return 0;
}

static uint8_t class_bits(const struct ip *a)
{
        return a->bytes[0] < 128 ? 8 : a->bytes[0] < 192 ? 16 : 24;
}

static int add_static(struct cni_result *r, const uint8_t *p, size_t n, uint32_t priority, struct cor_err *err)
{
        if (n % 8)
                return cor_fail(err, COR_INVALID, "option %d (routes): is cut off", DHCP_STATIC_ROUTES);
        for (size_t at = 0; at < n; at += 8) {
                struct ip_prefix dst = { .ip = address_of(p + at) };
                struct ip gateway = address_of(p + at + 4);

                dst.bits = class_bits(&dst.ip);
                if (!is_host(&dst.ip) || !is_host(&gateway))
                        return cor_fail(err, COR_INVALID, "option %d: a route that cannot be", DHCP_STATIC_ROUTES);
                if (add_route(r, &dst, &gateway, priority, DHCP_STATIC_ROUTES, err) < 0)
                        return -1;
        }
        return 0;
}

static int read_gateway(const struct dhcp_message *m, struct ip *ret, struct cor_err *err)
{
        size_t n;
        const uint8_t *p = dhcp_option(m, DHCP_ROUTERS, &n);

        if (!p)
                return 0;
        if (n == 0 || n % 4)
                return cor_fail(err, COR_INVALID, "option %d (routers): %zu bytes", DHCP_ROUTERS, n);
        *ret = address_of(p);
        return is_host(ret) ? 0 : cor_fail(err, COR_INVALID, "option %d (routers): no address", DHCP_ROUTERS);
}

/* Where there are classless routes the others, and the routers, do not count: RFC 3442. */
static int add_routes(const struct dhcp_message *m, const struct ip *gateway, uint32_t priority, struct cni_result *r,
                      struct cor_err *err)
{
        const struct ip_prefix everywhere = { .ip.len = 4 };
        size_t n;
        const uint8_t *p = dhcp_option(m, DHCP_CLASSLESS_ROUTES, &n);

        if (p && n)
                return add_classless(r, p, n, priority, err);
        p = dhcp_option(m, DHCP_STATIC_ROUTES, &n);
        if (p && add_static(r, p, n, priority, err) < 0)
                return -1;
        return gateway->len ? add_route(r, &everywhere, gateway, priority, DHCP_ROUTERS, err) : 0;
}

/* ------------------------------------------------------------------------------------------------------------ names */

struct name {
        char text[NAME_MAX_BYTES + 1];
        size_t len;
};

/* It ends up in a resolv.conf: letters, digits, '-' and '_', nothing else. */
static bool add_label(struct name *name, const uint8_t *label, size_t n)
{
        if (n == 0 || n > LABEL_MAX_BYTES || name->len + n + 1 > NAME_MAX_BYTES)
                return false;
        if (name->len)
                name->text[name->len++] = '.';
        for (size_t i = 0; i < n; i++) {
                uint8_t c = label[i];

                if (!((c | 0x20) >= 'a' && (c | 0x20) <= 'z') && !(c >= '0' && c <= '9') && c != '-' && c != '_')
                        return false;
                name->text[name->len++] = (char)c;
        }
        name->text[name->len] = '\0';
        return true;
}

/* Labels as in DNS, the rest of a name may stand further ahead. *at is behind it afterwards. */
static bool read_labels(const uint8_t *p, size_t n, size_t *at, struct name *name)
{
        size_t here = *at, jumps = 0;

        while (here < n && p[here] != 0) {
                if ((p[here] & 0xc0) == 0xc0) {
                        if (n - here < 2 || ++jumps > JUMPS_MAX)
                                return false;
                        *at = jumps == 1 ? here + 2 : *at;
                        here = (p[here] & 0x3fu) << 8 | p[here + 1];
                        continue;
                }
                if (p[here] > n - here - 1 || !add_label(name, p + here + 1, p[here]))
                        return false;
                here += 1u + p[here];
        }
        if (here >= n)
                return false;
        if (jumps == 0)
                *at = here + 1;
        return name->len > 0;
}

static int add_search(const struct dhcp_message *m, struct cni_result *r, struct cor_err *err)
{
        size_t n;
        const uint8_t *p = dhcp_option(m, DHCP_DOMAIN_SEARCH, &n);

        if (!p)
                return 0;
        r->dns.search = cor_json_alloc(r, (NAMES_MAX + 1) * sizeof *r->dns.search);
        for (size_t at = 0; at < n;) {
                struct name name = { .len = 0 };

                if (r->dns.n_search == NAMES_MAX || !read_labels(p, n, &at, &name))
                        return cor_fail(err, COR_INVALID, "option %d (domain search): no list of names",
                                        DHCP_DOMAIN_SEARCH);
                r->dns.search[r->dns.n_search++] = cor_json_strdup(r, name.text);
        }
        return 0;
}

/* Some servers count the zero byte behind the text, and some write the dot of the root. */
static int add_domain(const struct dhcp_message *m, struct cni_result *r, struct cor_err *err)
{
        struct name name = { .len = 0 };
        size_t n, start = 0;
        const uint8_t *p = dhcp_option(m, DHCP_DOMAIN_NAME, &n);

        while (p && n && (p[n - 1] == 0 || p[n - 1] == '.'))
                n--;
        if (!p || n == 0)
                return 0;
        for (size_t at = 0; at <= n; at++) {
                if (at < n && p[at] != '.')
                        continue;
                if (!add_label(&name, p + start, at - start))
                        return cor_fail(err, COR_INVALID, "option %d (domain name): no name", DHCP_DOMAIN_NAME);
                start = at + 1;
        }
        r->dns.domain = cor_json_strdup(r, name.text);
        return 0;
}

static int add_servers(const struct dhcp_message *m, struct cni_result *r, struct cor_err *err)
{
        size_t n;
        const uint8_t *p = dhcp_option(m, DHCP_NAME_SERVERS, &n);

        if (!p)
                return 0;
        if (n % 4)
                return cor_fail(err, COR_INVALID, "option %d (name servers): %zu bytes", DHCP_NAME_SERVERS, n);
        r->dns.nameservers = cor_json_alloc(r, (n / 4 + 1) * sizeof *r->dns.nameservers);
        for (size_t at = 0; at < n; at += 4) {
                struct ip a = address_of(p + at);
                char text[IP_TEXT_BYTES];

                if (!is_host(&a))
                        return cor_fail(err, COR_INVALID, "option %d (name servers): no address", DHCP_NAME_SERVERS);
                r->dns.nameservers[r->dns.n_nameservers++] = cor_json_strdup(r, ip_text(&a, text));
        }
        return 0;
}

/* ----------------------------------------------------------------------------------------------------------- result */

int dhcp_result(const struct dhcp_message *m, uint32_t priority, bool dns, struct cni_result **ret, struct cor_err *err)
{
        auto_json struct cni_result *r = cni_result_new();
        struct ip_prefix address = { .bits = 0 };
        struct ip gateway = { .len = 0 };
        char text[IP_TEXT_BYTES];
        struct cni_ip *ip;

        if (read_address(m, &address, err) < 0 || read_gateway(m, &gateway, err) < 0 ||
            add_routes(m, &gateway, priority, r, err) < 0)
                return -1;
        if (dns && (add_servers(m, r, err) < 0 || add_domain(m, r, err) < 0 || add_search(m, r, err) < 0))
                return -1;
        ip = cni_result_add_ip(r);
        ip->address = cor_json_strdup(r, ip_prefix_text(&address, text));
        ip->gateway = gateway.len ? cor_json_strdup(r, ip_text(&gateway, text)) : NULL;
        *ret = COR_TAKE(r);
        return 0;
}

/*
 * Results have had three shapes. Up to 0.2.0 there is one address of each family, with its routes in it. 0.3.0 has
 * lists of interfaces, addresses and routes, each address with its version; 1.0.0 drops that; 1.1.0 adds keys to
 * interfaces and routes.
 */
#include "spec/cni.h"

#include <string.h>

/* -------------------------------------------------------------------------------------------------- 0.3.0 and later */

static const struct cor_json_field interface_fields[] = {
        { .key = "name",
          .type = COR_JSON_STR,
          .flags = COR_JSON_ALWAYS,
          .offset = offsetof(struct cni_interface, name),
          .def_text = "" },
        COR_FIELD("mac", STR, struct cni_interface, mac, 0),
        COR_FIELD("mtu", U32, struct cni_interface, mtu, 0),
        COR_FIELD("sandbox", STR, struct cni_interface, sandbox, 0),
        COR_FIELD("socketPath", STR, struct cni_interface, socket_path, 0),
        COR_FIELD("pciID", STR, struct cni_interface, pci_id, 0),
};
static const struct cor_json_doc interface_doc = COR_DOC(struct cni_interface, interface_fields, NULL);

static const struct cor_json_field ip_fields[] = {
        COR_FIELD("version", STR, struct cni_ip, version, 0),
        COR_FIELD("interface", OPT_U32, struct cni_ip, interface, 0),
        COR_FIELD("address", STR, struct cni_ip, address, COR_JSON_REQUIRED),
        COR_FIELD("gateway", STR, struct cni_ip, gateway, 0),
};
static const struct cor_json_doc ip_doc = COR_DOC(struct cni_ip, ip_fields, NULL);

static const struct cor_json_field route_fields[] = {
        COR_FIELD("dst", STR, struct cni_route, dst, COR_JSON_REQUIRED),
        COR_FIELD("gw", STR, struct cni_route, gw, 0),
        COR_FIELD("mtu", U32, struct cni_route, mtu, 0),
        COR_FIELD("advmss", U32, struct cni_route, advmss, 0),
        COR_FIELD("priority", U32, struct cni_route, priority, 0),
        COR_FIELD("table", OPT_U32, struct cni_route, table, 0),
        COR_FIELD("scope", OPT_U32, struct cni_route, scope, 0),
};
static int check_route(void *object, struct cor_err *err)
{
        const struct cni_route *r = object;

        if (r->scope.set && r->scope.value > UINT8_MAX)
                return cor_fail(err, COR_INVALID, ".scope: %llu is no number from 0 to 255",
                                (unsigned long long)r->scope.value);
        return 0;
}
const struct cor_json_doc cni_route_doc = COR_DOC(struct cni_route, route_fields, check_route);

static const struct cor_json_field result_fields[] = {
        COR_FIELD("cniVersion", STR, struct cni_result, cni_version, 0),
        COR_FIELD_LIST_OF("interfaces", LIST_OBJ, struct cni_result, interfaces, n_interfaces, &interface_doc, 0),
        COR_FIELD_LIST_OF("ips", LIST_OBJ, struct cni_result, ips, n_ips, &ip_doc, 0),
        COR_FIELD_LIST_OF("routes", LIST_OBJ, struct cni_result, routes, n_routes, &cni_route_doc, 0),
        COR_FIELD_OBJ("dns", INLINE, struct cni_result, dns, &cni_dns_doc, 0),
};
const struct cor_json_doc cni_result_doc = COR_DOC(struct cni_result, result_fields, NULL);

/* In 1.1.0 there is no "dns" without anything in it; before it is always there. The key is the last. */
static const struct cor_json_doc result_doc_without_dns = { .size = sizeof(struct cni_result),
                                                            .fields = result_fields,
                                                            .n_fields = COR_COUNT(result_fields) - 1 };

/* ------------------------------------------------------------------------------------------------------ up to 0.2.0 */

struct old_ip {
        const char *ip, *gateway;
        struct cni_route *routes;
        size_t n_routes;
};
struct old_result {
        const char *cni_version;
        struct old_ip *ip4, *ip6;
        struct cni_dns dns;
};

static const struct cor_json_field old_ip_fields[] = {
        COR_FIELD("ip", STR, struct old_ip, ip, COR_JSON_REQUIRED),
        COR_FIELD("gateway", STR, struct old_ip, gateway, 0),
        COR_FIELD_LIST_OF("routes", LIST_OBJ, struct old_ip, routes, n_routes, &cni_route_doc, 0),
};
static const struct cor_json_doc old_ip_doc = COR_DOC(struct old_ip, old_ip_fields, NULL);

static const struct cor_json_field old_result_fields[] = {
        COR_FIELD("cniVersion", STR, struct old_result, cni_version, 0),
        COR_FIELD_OBJ("ip4", OBJ, struct old_result, ip4, &old_ip_doc, 0),
        COR_FIELD_OBJ("ip6", OBJ, struct old_result, ip6, &old_ip_doc, 0),
        COR_FIELD_OBJ("dns", INLINE, struct old_result, dns, &cni_dns_doc, COR_JSON_ALWAYS),
};
static const struct cor_json_doc old_result_doc = COR_DOC(struct old_result, old_result_fields, NULL);

static bool is_6(const char *address)
{
        return strchr(address, ':') != NULL;
}

/* --------------------------------------------------------------------------------------------------------- building */

struct cni_result *cni_result_new(void)
{
        void *r = NULL;
        struct cor_err err;

        if (cor_json_parse(&cni_result_doc, "{}", 2, NULL, &r, &err) < 0)
                abort(); /* an empty object is always one */
        return r;
}

/* Twice the room when there is none left: what is outgrown stays in the arena. */
static void *one_more(struct cni_result *r, void *items, size_t *n_items, size_t *room, size_t size)
{
        if (!items || *n_items >= *room) {
                char *grown = cor_json_alloc(r, (2 * *n_items + 4) * size);

                if (items)
                        memcpy(grown, items, *n_items * size);
                items = grown;
                *room = 2 * *n_items + 4;
        }
        (*n_items)++;
        return items;
}

struct cni_interface *cni_result_add_interface(struct cni_result *r)
{
        r->interfaces = one_more(r, r->interfaces, &r->n_interfaces, &r->room_interfaces, sizeof *r->interfaces);
        return &r->interfaces[r->n_interfaces - 1];
}

struct cni_ip *cni_result_add_ip(struct cni_result *r)
{
        r->ips = one_more(r, r->ips, &r->n_ips, &r->room_ips, sizeof *r->ips);
        return &r->ips[r->n_ips - 1];
}

struct cni_route *cni_result_add_route(struct cni_result *r)
{
        r->routes = one_more(r, r->routes, &r->n_routes, &r->room_routes, sizeof *r->routes);
        return &r->routes[r->n_routes - 1];
}

/* ---------------------------------------------------------------------------------------------------------- reading */

static const char *copy(struct cni_result *r, const char *s)
{
        return s ? cor_json_strdup(r, s) : NULL;
}

static void take_list(struct cni_result *r, const char **from, size_t n, const char ***to, size_t *ret_n)
{
        if (n == 0)
                return;
        *to = cor_json_alloc(r, (n + 1) * sizeof **to);
        for (size_t i = 0; i < n; i++)
                (*to)[i] = copy(r, from[i]);
        *ret_n = n;
}

static void take_old_ip(struct cni_result *r, const struct old_ip *old, const char *version)
{
        struct cni_ip *ip;

        if (!old)
                return;
        ip = cni_result_add_ip(r);
        *ip = (struct cni_ip){ .version = version, .address = copy(r, old->ip), .gateway = copy(r, old->gateway) };
        for (size_t i = 0; i < old->n_routes; i++) {
                struct cni_route *route = cni_result_add_route(r);

                route->dst = copy(r, old->routes[i].dst);
                route->gw = copy(r, old->routes[i].gw);
        }
}

static int parse_old(const char *text, size_t len, const char *what, struct cni_result **ret, struct cor_err *err)
{
        auto_json struct old_result *old = NULL;
        struct cni_result *r;

        if (cor_json_parse(&old_result_doc, text, len, what, &old, err) < 0)
                return -1;
        r = cni_result_new();
        take_old_ip(r, old->ip4, "4");
        take_old_ip(r, old->ip6, "6");
        r->dns.domain = copy(r, old->dns.domain);
        take_list(r, old->dns.nameservers, old->dns.n_nameservers, &r->dns.nameservers, &r->dns.n_nameservers);
        take_list(r, old->dns.search, old->dns.n_search, &r->dns.search, &r->dns.n_search);
        take_list(r, old->dns.options, old->dns.n_options, &r->dns.options, &r->dns.n_options);
        *ret = r;
        return 0;
}

int cni_result_parse(int version, const char *text, size_t len, const char *what, struct cni_result **ret,
                     struct cor_err *err)
{
        struct cni_result *r = NULL;

        if (version <= CNI_0_2_0)
                return parse_old(text, len, what, ret, err);
        if (cor_json_parse(&cni_result_doc, text, len, what, &r, err) < 0)
                return -1;
        for (size_t i = 0; i < r->n_ips; i++)
                if (r->ips[i].interface.set && r->ips[i].interface.value >= r->n_interfaces && r->n_interfaces) {
                        cor_fail(err, COR_INVALID, "%s: ips[%zu].interface: there is no interfaces[%llu]", what, i,
                                 (unsigned long long)r->ips[i].interface.value);
                        cor_json_free(r);
                        return -1;
                }
        *ret = r;
        return 0;
}

/* --------------------------------------------------------------------------------------------------------- printing */

static void fill_old_ip(const struct cni_result *r, bool six, struct old_ip *ip, struct old_ip **ret)
{
        for (size_t i = 0; i < r->n_ips && !ip->ip; i++)
                if (is_6(r->ips[i].address) == six) {
                        ip->ip = r->ips[i].address;
                        ip->gateway = r->ips[i].gateway;
                }
        if (!ip->ip)
                return;
        ip->routes = cor_alloc((r->n_routes + 1) * sizeof *ip->routes);
        for (size_t i = 0; i < r->n_routes; i++)
                if (is_6(r->routes[i].dst) == six)
                        ip->routes[ip->n_routes++] =
                                (struct cni_route){ .dst = r->routes[i].dst, .gw = r->routes[i].gw };
        *ret = ip;
}

static int print_old(int version, const struct cni_result *r, struct cor_text *out, struct cor_err *err)
{
        struct old_result old = { .cni_version = cni_versions[version], .dns = r->dns };
        struct old_ip ip4 = { 0 }, ip6 = { 0 };

        fill_old_ip(r, false, &ip4, &old.ip4);
        fill_old_ip(r, true, &ip6, &old.ip6);
        if (!old.ip4 && !old.ip6)
                return cor_fail(err, COR_INVALID, "a result of version %s needs an address, and there is none",
                                cni_versions[version]);
        cor_json_print(&old_result_doc, &old, COR_JSON_FOUR_SPACES, out);
        free(ip4.routes);
        free(ip6.routes);
        return 0;
}

/* Without the keys that @version does not have. */
static void strip(int version, struct cni_result *r)
{
        for (size_t i = 0; i < r->n_ips; i++)
                r->ips[i].version = version >= CNI_1_0_0 ? NULL : is_6(r->ips[i].address) ? "6" : "4";
        if (version >= CNI_1_1_0)
                return;
        for (size_t i = 0; i < r->n_interfaces; i++)
                r->interfaces[i] = (struct cni_interface){ .name = r->interfaces[i].name,
                                                           .mac = r->interfaces[i].mac,
                                                           .sandbox = r->interfaces[i].sandbox };
        for (size_t i = 0; i < r->n_routes; i++)
                r->routes[i] = (struct cni_route){ .dst = r->routes[i].dst, .gw = r->routes[i].gw };
}

static void *duplicate(const void *items, size_t n, size_t size)
{
        void *copied = cor_alloc((n + 1) * size);

        if (n)
                memcpy(copied, items, n * size);
        return copied;
}

int cni_result_print(int version, const struct cni_result *r, struct cor_text *out, struct cor_err *err)
{
        struct cni_result shown = *r;

        if (version <= CNI_0_2_0)
                return print_old(version, r, out, err);
        shown.cni_version = cni_versions[version];
        shown.interfaces = duplicate(r->interfaces, r->n_interfaces, sizeof *r->interfaces);
        shown.ips = duplicate(r->ips, r->n_ips, sizeof *r->ips);
        shown.routes = duplicate(r->routes, r->n_routes, sizeof *r->routes);
        strip(version, &shown);
        cor_json_print(version < CNI_1_1_0 || cni_dns_is_set(&r->dns) ? &cni_result_doc : &result_doc_without_dns,
                       &shown, COR_JSON_FOUR_SPACES, out);
        free(shown.interfaces);
        free(shown.ips);
        free(shown.routes);
        return 0;
}

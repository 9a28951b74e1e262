/* Flags of the network: --network in both forms, ports, names, addresses. */
#include "cli/coracle/container_words.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

bool container_network_is_own(const char *name)
{
        static const char words[][8] = { "default", "bridge", "host", "none" };

        for (size_t i = 0; i < COR_COUNT(words); i++)
                if (strcmp(name, words[i]) == 0)
                        return false;
        return strcmp(name, "container") != 0 && !cor_starts_with(name, "container:");
}

/* ---- ports ---- */

struct port_range {
        uint32_t start, end;
};

static int read_port(const char *s, size_t n, uint32_t *ret)
{
        auto_str copy = cor_strndup(s, n);

        return cor_parse_u32(copy, ret) < 0 || *ret > UINT16_MAX ? -1 : 0;
}

/* "80", "80-90"; *ret_why: what is wrong with it */
static int read_range(const char *s, struct port_range *ret, struct cor_err *err)
{
        size_t len = strcspn(s, "-");

        if (!*s)
                return cor_fail(err, COR_INVALID, "empty string specified for ports");
        if (read_port(s, len, &ret->start) < 0)
                return cor_fail(err, COR_INVALID, "strconv.ParseUint: parsing \"%.*s\": invalid syntax",
                                (int)(len < 50 ? len : 50), s);
        ret->end = ret->start;
        if (s[len] && read_port(s + len + 1, strcspn(s + len + 1, "-"), &ret->end) < 0)
                return cor_fail(err, COR_INVALID, "strconv.ParseUint: parsing \"%.50s\": invalid syntax", s + len + 1);
        if (ret->end < ret->start)
                return cor_fail(err, COR_INVALID, "invalid range specified for port: %.50s", s);
        return 0;
}

/*
 * Where each port stands in the lists, plus one: ranges are long, and a port may be named again. Protocols that have no
 * row here are looked for in the whole list.
 */
enum { PORT_PROTOCOLS = 3, PORT_NUMBERS = UINT16_MAX + 1 };
struct port_places {
        uint32_t exposed[PORT_PROTOCOLS][PORT_NUMBERS], bound[PORT_PROTOCOLS][PORT_NUMBERS];
};

struct port_reader {
        struct container_request *request;
        struct port_places *places;
};

static int protocol_number(const char *protocol)
{
        static const char words[PORT_PROTOCOLS][5] = { "tcp", "udp", "sctp" };

        for (int i = 0; i < PORT_PROTOCOLS; i++)
                if (strcmp(words[i], protocol) == 0)
                        return i;
        return -1;
}

static void expose(const struct port_reader *p, uint32_t number, const char *protocol)
{
        struct docker_config *c = &p->request->config;
        const char *port = request_printf(p->request, "%u/%s", number, protocol);
        int row = protocol_number(protocol);

        if (row >= 0 && p->places->exposed[row][number])
                return;
        for (size_t i = 0; row < 0 && i < c->n_exposed_ports; i++)
                if (strcmp(c->exposed_ports[i].key, port) == 0)
                        return;
        REQUEST_GROW(p->request, c->exposed_ports, c->n_exposed_ports)->key = port;
        if (row >= 0)
                p->places->exposed[row][number] = (uint32_t)c->n_exposed_ports;
}

static void bind_port(const struct port_reader *p, uint32_t number, const char *protocol,
                      const struct docker_port_binding *b)
{
        struct docker_host_config *h = &p->request->host;
        uint32_t *place = &p->places->bound[protocol_number(protocol)][number];
        struct docker_port_bindings *found;

        if (*place == 0) {
                found = REQUEST_GROW(p->request, h->port_bindings, h->n_port_bindings);
                found->port = request_printf(p->request, "%u/%s", number, protocol);
                *place = (uint32_t)h->n_port_bindings;
        }
        found = &h->port_bindings[*place - 1];
        *REQUEST_GROW(p->request, found->items, found->n_items) = *b;
}

struct port_spec {
        const char *ip, *host, *container;
        char protocol[8];
};

/* "IP:HOST:CONTAINER/PROTOCOL", from behind: an IPv6 address has colons, too */
static int cut_port_spec(struct container_request *r, const char *word, struct port_spec *ret, struct cor_err *err)
{
        char *copy = request_text(r, word, strlen(word)), *colon = strrchr(copy, ':'), *slash;
        char *container = colon ? colon + 1 : copy;

        *ret = (struct port_spec){ .ip = "", .host = "", .container = container, .protocol = "tcp" };
        if (colon) {
                *colon = '\0';
                ret->host = copy;
                colon = strrchr(copy, ':');
        }
        if (colon) {
                *colon = '\0';
                ret->host = colon + 1;
                ret->ip = copy;
        }
        slash = strchr(container, '/');
        if (slash) {
                *slash = '\0';
                if (strlen(slash + 1) >= sizeof ret->protocol)
                        return cor_fail(err, COR_INVALID, "invalid proto: %.50s", slash + 1);
                for (size_t i = 0; slash[1 + i]; i++)
                        ret->protocol[i] = (char)tolower((unsigned char)slash[1 + i]);
                ret->protocol[slash[1] ? strlen(slash + 1) : 3] = '\0';
        }
        if (!*container)
                return cor_fail(err, COR_INVALID, "no port specified: %.100s<empty>", word);
        if (strcmp(ret->protocol, "tcp") != 0 && strcmp(ret->protocol, "udp") != 0 &&
            strcmp(ret->protocol, "sctp") != 0)
                return cor_fail(err, COR_INVALID, "invalid proto: %s", ret->protocol);
        return 0;
}

static int check_ip(struct container_request *r, struct port_spec *p, struct cor_err *err)
{
        size_t len = strlen(p->ip);

        if (*p->ip == '[' && p->ip[len - 1] != ']')
                return cor_fail(err, COR_INVALID, "invalid IP address %.100s: missing ']' in address", p->ip);
        if (*p->ip == '[')
                p->ip = request_text(r, p->ip + 1, len - 2);
        if (*p->ip && !words_are_ip(p->ip))
                return cor_fail(err, COR_INVALID, "invalid IP address: %.100s", p->ip);
        return 0;
}

static int publish(const struct port_reader *reader, const char *word, struct cor_err *err)
{
        struct container_request *r = reader->request;
        struct port_range inside, outside = { 0 };
        struct port_spec p;

        if (cut_port_spec(r, word, &p, err) < 0 || check_ip(r, &p, err) < 0)
                return -1;
        if (read_range(p.container, &inside, NULL) < 0)
                return cor_fail(err, COR_INVALID, "invalid containerPort: %.100s", p.container);
        if (*p.host && read_range(p.host, &outside, NULL) < 0)
                return cor_fail(err, COR_INVALID, "invalid hostPort: %.100s", p.host);
        if (*p.host && inside.end != inside.start && inside.end - inside.start != outside.end - outside.start)
                return cor_fail(err, COR_INVALID,
                                "invalid ranges specified for container and host Ports: %.50s and %.50s", p.container,
                                p.host);
        for (uint32_t i = 0; i <= inside.end - inside.start; i++) {
                struct docker_port_binding b = { .host_ip = p.ip, .host_port = "" };

                if (*p.host && inside.start == inside.end && outside.start != outside.end)
                        b.host_port = request_printf(r, "%u-%u", outside.start, outside.end);
                else if (*p.host)
                        b.host_port = request_printf(r, "%u", outside.start + i);
                expose(reader, inside.start + i, p.protocol);
                bind_port(reader, inside.start + i, p.protocol, &b);
        }
        return 0;
}

/* "published=8080,target=80,protocol=tcp" in the short form */
static int publish_long(const struct port_reader *reader, const char *word, struct cor_err *err)
{
        struct container_request *r = reader->request;
        char *cursor = request_text(r, word, strlen(word)), *field;
        const char *published = "", *target = "", *protocol = "tcp";

        while ((field = cor_split_next(&cursor, ',')) != NULL) {
                char *value = strchr(field, '=');

                if (!value || value == field)
                        return cor_fail(err, COR_INVALID,
                                        "invalid publish opts format (should be name=value but got '%.100s')", field);
                *value++ = '\0';
                if (strcmp(field, "published") == 0)
                        published = value;
                else if (strcmp(field, "target") == 0)
                        target = value;
                else if (strcmp(field, "protocol") == 0)
                        protocol = value;
        }
        return publish(reader, request_printf(r, "%s:%s/%s", published, target, protocol), err);
}

static int expose_range(const struct port_reader *reader, const char *word, struct cor_err *err)
{
        struct container_request *r = reader->request;
        const char *protocol, *ports = request_cut(r, word, '/', &protocol);
        struct cor_err why = { 0 };
        struct port_range range;

        if (strchr(word, ':'))
                return cor_fail(err, COR_INVALID, "invalid port format for --expose: %.100s", word);
        if (read_range(ports, &range, &why) < 0)
                return cor_fail(err, COR_INVALID, "invalid range format for --expose: %.100s, error: %s", word,
                                why.msg);
        for (uint32_t i = range.start; i <= range.end; i++)
                expose(reader, i, protocol && *protocol ? protocol : "tcp");
        return 0;
}

static int ports(struct container_request *r, const struct container_flags *f, struct cor_err *err)
{
        auto_free struct port_places *places = NULL;
        struct port_reader reader = { .request = r };

        r->host.publish_all_ports = f->publish_all;
        if (f->publish.n_items == 0 && f->expose.n_items == 0)
                return 0;
        reader.places = places = cor_alloc(sizeof *places);
        for (size_t i = 0; i < f->publish.n_items; i++) {
                const char *word = f->publish.items[i];

                if ((strchr(word, '=') ? publish_long(&reader, word, err) : publish(&reader, word, err)) < 0)
                        return -1;
        }
        for (size_t i = 0; i < f->expose.n_items; i++)
                if (expose_range(&reader, f->expose.items[i], err) < 0)
                        return -1;
        return 0;
}

/* ---- names ---- */

static bool is_label(const char *s, size_t n)
{
        for (size_t i = 0; i < n; i++)
                if (!isalnum((unsigned char)s[i]) && (s[i] != '-' || i == 0 || i == n - 1))
                        return false;
        return n > 0;
}

/* A domain without what may surround it, or NULL */
static const char *domain(struct container_request *r, const char *s)
{
        size_t n, len = strlen(s);
        bool letter = false;

        while (*s == ' ') {
                s++;
                len--;
        }
        while (len > 0 && strchr(" \t\n\v\f\r", s[len - 1]))
                len--;
        if (len == 1 && *s == '.')
                return ".";
        len -= len > 0 && s[len - 1] == '.';
        for (size_t i = 0; i < len; i += n + 1) {
                n = strcspn(s + i, ".");
                n = i + n > len ? len - i : n;
                if (!is_label(s + i, n))
                        return NULL;
                for (size_t c = 0; c < n; c++)
                        letter = letter || isalpha((unsigned char)s[i + c]);
        }
        return letter && len < 255 && s[len - 1] != '.' ? request_text(r, s, len) : NULL;
}

/* As addresses are written; NULL: it is none */
static const char *address(struct container_request *r, const char *s)
{
        char text[INET6_ADDRSTRLEN];
        uint8_t a[sizeof(struct in6_addr)];
        auto_str trimmed = NULL;

        s += strspn(s, " \t\n");
        trimmed = cor_strndup(s, strcspn(s, " \t\n"));
        for (int i = 0; i < 2; i++) {
                int family = i == 0 ? AF_INET : AF_INET6;

                if (inet_pton(family, trimmed, a) == 1 && inet_ntop(family, a, text, sizeof text))
                        return request_text(r, text, strlen(text));
        }
        return NULL;
}

static int host_lines(struct container_request *r, const struct flag_list *l, struct cor_err *err)
{
        for (size_t i = 0; i < l->n_items; i++) {
                const char *word = l->items[i], *value, *name;
                size_t len;

                name = request_cut(r, word, strchr(word, '=') ? '=' : ':', &value);
                if (!value || !*name || strchr(name, ':'))
                        return container_flag_wrong(err, "add-host", word, "bad format for add-host: \"%.100s\"", word);
                len = strlen(value);
                if (len > 2 && value[0] == '[' && value[len - 1] == ']')
                        value = request_text(r, value + 1, len - 2);
                if (strcmp(value, "host-gateway") != 0 && !address(r, value))
                        return container_flag_wrong(err, "add-host", word, "invalid IP address in add-host: \"%.100s\"",
                                                    value);
                request_add(r, &r->host.extra_hosts, &r->host.n_extra_hosts, request_printf(r, "%s:%s", name, value));
        }
        return 0;
}

static int names(struct container_request *r, const struct container_flags *f, struct cor_err *err)
{
        struct docker_host_config *h = &r->host;

        for (size_t i = 0; i < f->dns.n_items; i++) {
                const char *a = address(r, f->dns.items[i]);

                if (!a)
                        return container_flag_wrong(err, "dns", f->dns.items[i],
                                                    "IP address is not correctly formatted: %.100s", f->dns.items[i]);
                request_add(r, &h->dns, &h->n_dns, a);
        }
        for (size_t i = 0; i < f->dns_search.n_items; i++) {
                const char *d = domain(r, f->dns_search.items[i]);

                if (!d)
                        return container_flag_wrong(err, "dns-search", f->dns_search.items[i],
                                                    "%.100s is not a valid domain", f->dns_search.items[i]);
                request_add(r, &h->dns_search, &h->n_dns_search, d);
        }
        request_add_all(r, &h->dns_options, &h->n_dns_options, &f->dns_option);
        return host_lines(r, &f->add_host, err);
}

static int links(const struct flag_list *l, struct cor_err *err)
{
        for (size_t i = 0; i < l->n_items; i++) {
                const char *word = l->items[i], *colon = strchr(word, ':');

                if (!*word)
                        return container_flag_wrong(err, "link", word, "empty string specified for links");
                if (colon && strchr(colon + 1, ':'))
                        return container_flag_wrong(err, "link", word, "bad format for links: %.100s", word);
        }
        return 0;
}

/* ---- networks ---- */

static int driver_option(struct container_request *r, struct docker_endpoint *e, const char *value, struct cor_err *err)
{
        if (!strchr(value, '=') || *value == '=')
                return cor_fail(err, COR_INVALID, "invalid key value pair format in driver options");
        request_set_word(r, &e->driver_opts, &e->n_driver_opts, value);
        return 0;
}

static struct docker_ipam_config *ipam_of(struct container_request *r, struct docker_endpoint *e)
{
        if (!e->ipam_config)
                e->ipam_config = request_take(r, sizeof *e->ipam_config);
        return e->ipam_config;
}

static int network_key(struct container_request *r, struct docker_endpoint *e, const char *key, const char *value,
                       struct cor_err *err)
{
        struct cor_err why = { 0 };
        const char *reason;

        if (strcmp(key, "name") == 0) {
                e->name = value;
        } else if (strcmp(key, "alias") == 0) {
                request_add(r, &e->aliases, &e->n_aliases, value);
        } else if (strcmp(key, "ip") == 0) {
                ipam_of(r, e)->ipv4_address = value;
        } else if (strcmp(key, "ip6") == 0) {
                ipam_of(r, e)->ipv6_address = value;
        } else if (strcmp(key, "mac-address") == 0) {
                e->mac_address = value;
        } else if (strcmp(key, "link-local-ip") == 0) {
                struct docker_ipam_config *i = ipam_of(r, e);

                request_add(r, &i->link_local_ips, &i->n_link_local_ips, value);
        } else if (strcmp(key, "driver-opt") == 0) {
                return driver_option(r, e, value, err);
        } else if (strcmp(key, "gw-priority") == 0) {
                if (words_i64(value, "Atoi", 64, &e->gw_priority, &why) == 0)
                        return 0;
                reason = strrchr(why.msg, ':');
                return cor_fail(err, COR_INVALID, "invalid gw-priority (%.50s):%s", value, reason ? reason + 1 : "");
        } else {
                return cor_fail(err, COR_INVALID, "invalid field key %.100s", key);
        }
        return 0;
}

static char *trimmed_lower(struct container_request *r, const char *s)
{
        char *copy;
        size_t n;

        s += strspn(s, " \t");
        n = strlen(s);
        while (n > 0 && (s[n - 1] == ' ' || s[n - 1] == '\t'))
                n--;
        copy = request_text(r, s, n);
        for (char *c = copy; *c; c++)
                *c = (char)tolower((unsigned char)*c);
        return copy;
}

static bool is_word(char c)
{
        return isalnum((unsigned char)c) || c == '_';
}

static int read_network(struct container_request *r, const char *word, struct docker_endpoint *ret, struct cor_err *err)
{
        const char **fields = NULL, *equals = word;
        size_t n = 0;

        /* "x=y" anywhere: it is the long form */
        while ((equals = strchr(equals, '=')) != NULL &&
               (equals == word || !is_word(equals[-1]) || !is_word(equals[1])))
                equals++;
        if (!equals) {
                ret->name = word;
                return 0;
        }
        ret->name = NULL;
        if (words_csv(r, word, &fields, &n, err) < 0)
                return -1;
        for (size_t i = 0; i < n; i++) {
                const char *value, *key = request_cut(r, fields[i], '=', &value);

                if (!value || !*key)
                        return cor_fail(err, COR_INVALID, "invalid field %.100s", fields[i]);
                if (network_key(r, ret, trimmed_lower(r, key), trimmed_lower(r, value), err) < 0)
                        return -1;
        }
        return ret->name && *ret->name ? 0 : cor_fail(err, COR_INVALID, "network name/id is not specified");
}

static int conflict(const char *flag, const char *what, struct cor_err *err)
{
        return cor_fail(err, COR_INVALID, "conflicting options: cannot specify both --%s and per-network %s", flag,
                        what);
}

/* The flags of addresses and names are for the first network. */
static int apply_flags(struct container_request *r, const struct container_flags *f, struct docker_endpoint *e,
                       struct cor_err *err)
{
        const struct docker_ipam_config *i = e->ipam_config;

        if (e->n_aliases > 0 && f->network_alias.n_items > 0)
                return conflict("network-alias", "alias", err);
        if (i && i->ipv4_address && f->ip)
                return conflict("ip", "IPv4 address", err);
        if (i && i->ipv6_address && f->ip6)
                return conflict("ip6", "IPv6 address", err);
        if (e->mac_address && f->mac_address)
                return conflict("mac-address", "MAC address", err);
        if (i && i->n_link_local_ips > 0 && f->link_local_ip.n_items > 0)
                return conflict("link-local-ip", "link-local IP addresses", err);
        request_add_all(r, &e->aliases, &e->n_aliases, &f->network_alias);
        if (container_network_is_own(e->name))
                request_add_all(r, &e->links, &e->n_links, &f->link);
        if (f->ip)
                ipam_of(r, e)->ipv4_address = f->ip;
        if (f->ip6)
                ipam_of(r, e)->ipv6_address = f->ip6;
        if (f->mac_address)
                e->mac_address = f->mac_address;
        if (f->link_local_ip.n_items > 0)
                request_add_all(r, &ipam_of(r, e)->link_local_ips, &ipam_of(r, e)->n_link_local_ips, &f->link_local_ip);
        return 0;
}

static int check_endpoint(const struct docker_endpoint *e, struct cor_err *err)
{
        if (!e->name[strspn(e->name, " \t")])
                return cor_fail(err, COR_INVALID, "no name set for network");
        if (!container_network_is_own(e->name) && e->n_aliases > 0)
                return cor_fail(err, COR_INVALID,
                                "network-scoped aliases are only supported for user-defined networks");
        if (e->mac_address && !words_are_mac(e->mac_address))
                return cor_fail(err, COR_INVALID, "%.100s is not a valid mac address", e->mac_address);
        return 0;
}

static bool is_plain(const struct docker_endpoint *e)
{
        return !e->ipam_config && e->n_links == 0 && e->n_aliases == 0 && !e->mac_address && e->n_driver_opts == 0 &&
               e->gw_priority == 0;
}

static int add_network(struct container_request *r, const struct docker_endpoint *e, bool alone, struct cor_err *err)
{
        struct docker_networking_config *n = &r->networking;

        if (check_endpoint(e, err) < 0)
                return -1;
        for (size_t i = 0; i < n->n_endpoints; i++)
                if (strcmp(n->endpoints[i].name, e->name) == 0)
                        return cor_fail(err, COR_INVALID, "network \"%.100s\" is specified multiple times", e->name);
        if (!alone || !is_plain(e))
                *REQUEST_GROW(r, n->endpoints, n->n_endpoints) = *e;
        return 0;
}

static int networks(struct container_request *r, const struct container_flags *f, struct cor_err *err)
{
        bool own = false, other = false;
        size_t n = f->network.n_items > 0 ? f->network.n_items : 1;

        for (size_t i = 0; i < n; i++) {
                struct docker_endpoint e = { .name = "default" };
                struct cor_err why = { 0 };

                if (f->network.n_items > 0 && read_network(r, f->network.items[i], &e, &why) < 0)
                        return container_flag_wrong(err, "network", f->network.items[i], "%s", why.msg);
                if (i == 0) {
                        r->host.network_mode = e.name;
                        if (apply_flags(r, f, &e, err) < 0)
                                return -1;
                }
                own = own || container_network_is_own(e.name);
                other = other || !container_network_is_own(e.name);
                if (add_network(r, &e, n == 1, err) < 0)
                        return -1;
        }
        if (own && other)
                return cor_fail(err, COR_INVALID,
                                "conflicting options: cannot attach both user-defined and non-user-defined "
                                "network-modes");
        return 0;
}

int container_network(struct container_request *r, const struct container_flags *f, struct cor_err *err)
{
        if (links(&f->link, err) < 0)
                return -1;
        request_add_all(r, &r->host.links, &r->host.n_links, &f->link);
        return ports(r, f, err) < 0 || names(r, f, err) < 0 ? -1 : networks(r, f, err);
}

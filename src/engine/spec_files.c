/* hostname, hosts and resolv.conf of containers/<id>/, which are bound into the container. */
#include "engine/spec_internal.h"

#include "base/fd.h"
#include "base/file.h"
#include "network/connect.h"
#include "network/realm.h"
#include "store/endpoint.h"
#include "store/network.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum { HOST_FILE_MAX_BYTES = 1 << 20, FILE_MODE = 0644 };

/* --- hosts ------------------------------------------------------------------------------------------------------- */

static const char localhost[] = "127.0.0.1\tlocalhost\n"
                                "::1\tlocalhost ip6-localhost ip6-loopback\n"
                                "fe00::\tip6-localnet\n"
                                "ff00::\tip6-mcastprefix\n"
                                "ff02::1\tip6-allnodes\n"
                                "ff02::2\tip6-allrouters\n";

static void add_extra_hosts(const struct spec *s, struct cor_text *t)
{
        for (size_t i = 0; i < s->host->n_extra_hosts; i++) {
                const char *entry = s->host->extra_hosts[i], *ip = strchr(entry, ':');

                if (!ip)
                        continue;
                ip++;
                /* elsewhere the address of the host is known once there is a network: the monitor replaces the word */
                if (strcmp(ip, "host-gateway") == 0 && spec_is(s->host->network_mode, "host"))
                        ip = "127.0.0.1";
                cor_text_printf(t, "%s\t%.*s\n", ip, (int)strcspn(entry, ":"), entry);
        }
}

/* In networks that know names the monitor asks the servers, and reaches those of the host's loopback, too. */
static bool has_names(const char *mode)
{
        return network_wanted(mode) && strcmp(network_name_of(mode), NETWORK_DEFAULT) != 0;
}

/* The address of a container in the default network, which knows no names: "CONTAINER:ALIAS" is a line. */
static int add_link(const struct spec *s, const struct network_row *network, const char *link, struct cor_text *t,
                    struct cor_err *err)
{
        auto_str name = cor_strndup(link, strcspn(link, ":"));
        const char *alias = link[strlen(name)] ? link + strlen(name) + 1 : name;
        auto_container_row other = { 0 };
        auto_endpoint_rows rows = { 0 };
        char text[IP_TEXT_BYTES];

        if (container_row_find(s->store, name, &other, err) < 0)
                return cor_wrap(err, "could not get container for %.64s", name);
        if (endpoint_rows_find(s->store, network->number, other.number, false, &rows, err) < 0)
                return -1;
        if (rows.n_items == 0)
                return cor_fail(err, COR_BUSY, "Cannot link to a non running container: /%s AS /%.12s/%.64s",
                                other.name, s->id, alias);
        cor_text_printf(t, "%s\t%s %.12s %s\n", ip_text(&rows.items[0].ip[0].ip, text), alias, other.id, other.name);
        return 0;
}

static int add_links(const struct spec *s, struct cor_text *t, struct cor_err *err)
{
        auto_network_row network = { 0 };

        if (s->host->n_links == 0 || has_names(s->host->network_mode) || !network_wanted(s->host->network_mode))
                return 0;
        if (network_row_find(s->store, NETWORK_DEFAULT, &network, err) < 0)
                return -1;
        for (size_t i = 0; i < s->host->n_links; i++)
                if (add_link(s, &network, s->host->links[i], t, err) < 0)
                        return -1;
        return 0;
}

static int hosts_text(const struct spec *s, struct cor_text *t, struct cor_err *err)
{
        /* the host's names hold in the host's network, unless some are to be different */
        if (spec_is(s->host->network_mode, "host") && s->host->n_extra_hosts == 0) {
                auto_str text = NULL;
                size_t n;

                if (access("/etc/hosts", F_OK) == 0) {
                        if (cor_read_file("/etc/hosts", HOST_FILE_MAX_BYTES, &text, &n, err) < 0)
                                return -1;
                        cor_text_add_n(t, text, n);
                        if (n > 0 && text[n - 1] != '\n')
                                cor_text_add_c(t, '\n');
                }
        } else {
                cor_text_add(t, localhost);
        }
        add_extra_hosts(s, t);
        return add_links(s, t, err);
}

/* --- resolv.conf ------------------------------------------------------------------------------------------------- */

struct resolver {
        struct cor_strv servers, search, options;
        struct cor_text other; /* lines of unknown meaning, kept as they are */
};

static void resolver_done(struct resolver *r)
{
        cor_strv_done(&r->servers);
        cor_strv_done(&r->search);
        cor_strv_done(&r->options);
        cor_text_done(&r->other);
}

static void add_words(struct cor_strv *to, char *words)
{
        for (char *end; *(words += strspn(words, " \t\r")); words = end) {
                end = words + strcspn(words, " \t\r");
                if (*end)
                        *end++ = '\0';
                cor_strv_add(to, words);
        }
}

static void read_line(struct resolver *r, char *line)
{
        size_t n;
        char *rest;

        line += strspn(line, " \t");
        n = strcspn(line, " \t\r");
        if (*line == '#' || *line == ';' || n == 0)
                return;
        rest = line + n + (line[n] != '\0');
        if (n == 10 && strncmp(line, "nameserver", n) == 0) {
                rest += strspn(rest, " \t");
                rest[strcspn(rest, " \t\r")] = '\0'; /* one a line */
                add_words(&r->servers, rest);
        } else if (n == 6 && (strncmp(line, "search", n) == 0 || strncmp(line, "domain", n) == 0)) {
                cor_strv_done(&r->search); /* the last one holds */
                r->search = (struct cor_strv){ 0 };
                add_words(&r->search, rest);
        } else if (n == 7 && strncmp(line, "options", n) == 0)
                add_words(&r->options, rest);
        else
                cor_text_printf(&r->other, "%s\n", line);
}

/* systemd-resolved's own server is on the host's loopback; what it asks itself is in its other file. */
static const char *host_resolv_conf(void)
{
        static const char upstream[] = "/run/systemd/resolve/resolv.conf";
        auto_str text = NULL;
        auto_str copy = NULL;
        struct resolver r = { 0 };
        char *cursor, *line;
        bool stub;
        size_t n;

        if (cor_read_file("/etc/resolv.conf", HOST_FILE_MAX_BYTES, &text, &n, NULL) < 0)
                return "/etc/resolv.conf";
        cursor = text;
        while ((line = cor_split_next(&cursor, '\n')) != NULL)
                read_line(&r, line);
        stub = r.servers.n_items == 1 && strcmp(r.servers.items[0], "127.0.0.53") == 0;
        resolver_done(&r);
        return stub && access(upstream, R_OK) == 0 ? upstream : "/etc/resolv.conf";
}

/* From a bridge of IPv4 addresses only such servers can be reached, and none on the host's loopback. */
static bool can_reach(const char *server)
{
        struct in_addr a;

        return inet_pton(AF_INET, server, &a) == 1 && (ntohl(a.s_addr) >> 24) != 127;
}

static void filter_servers(struct resolver *r)
{
        auto_strv kept = { 0 };

        for (size_t i = 0; i < r->servers.n_items; i++)
                if (can_reach(r->servers.items[i]))
                        cor_strv_add(&kept, r->servers.items[i]);
        if (kept.n_items == 0) { /* as docker does without any that could work */
                cor_strv_add(&kept, "8.8.8.8");
                cor_strv_add(&kept, "8.8.4.4");
        }
        cor_strv_done(&r->servers);
        r->servers = kept;
        kept = (struct cor_strv){ 0 };
}

static void override(struct cor_strv *to, const char *const *items, size_t n)
{
        if (n == 0)
                return;
        cor_strv_done(to);
        *to = (struct cor_strv){ 0 };
        for (size_t i = 0; i < n; i++)
                cor_strv_add(to, items[i]);
}

static void print_words(struct cor_text *t, const char *key, const struct cor_strv *words)
{
        if (words->n_items == 0 || (words->n_items == 1 && strcmp(words->items[0], ".") == 0))
                return;
        cor_text_add(t, key);
        for (size_t i = 0; i < words->n_items; i++)
                cor_text_printf(t, " %s", words->items[i]);
        cor_text_add_c(t, '\n');
}

static int resolv_text(const struct spec *s, struct cor_text *t, struct cor_err *err)
{
        const struct docker_host_config *h = s->host;
        bool shares_host = spec_is(h->network_mode, "host");
        COR_CLEANUP(resolver_done) struct resolver r = { 0 };
        auto_str text = NULL;
        const char *path = shares_host ? "/etc/resolv.conf" : host_resolv_conf();
        char *cursor, *line;
        size_t n;

        if (access(path, F_OK) == 0 && cor_read_file(path, HOST_FILE_MAX_BYTES, &text, &n, err) < 0)
                return -1;
        cursor = text;
        while (cursor && (line = cor_split_next(&cursor, '\n')) != NULL)
                read_line(&r, line);
        if (realm_is_own() && network_has(h->network_mode)) /* the host's may be out of reach from there */
                override(&r.servers, (const char *const[]){ REALM_DNS }, 1);
        override(&r.servers, h->dns, h->n_dns);
        override(&r.search, h->dns_search, h->n_dns_search);
        override(&r.options, h->dns_options, h->n_dns_options);
        if (h->n_dns == 0 && !shares_host && !spec_is(h->network_mode, "none") && !has_names(h->network_mode))
                filter_servers(&r);
        for (size_t i = 0; i < r.servers.n_items; i++)
                cor_text_printf(t, "nameserver %s\n", r.servers.items[i]);
        print_words(t, "search", &r.search);
        print_words(t, "options", &r.options);
        cor_text_add(t, r.other.s ? r.other.s : "");
        return 0;
}

/* --- all three --------------------------------------------------------------------------------------------------- */

/* The container may have opened what is there: the file itself stays, its content is new. */
static int write_file(int folder, const char *name, const struct cor_text *t, struct cor_err *err)
{
        auto_fd fd = cor_own_open(folder, name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, FILE_MODE, err);

        if (fd < 0 || fchmod(fd, FILE_MODE) < 0)
                return fd < 0 ? -1 : cor_fail_errno(err, "%s", name);
        return cor_write_full(fd, t->s ? t->s : "", t->len, err);
}

int spec_write_files(struct spec *s, int folder, struct cor_err *err)
{
        auto_text hostname = COR_TEXT_INIT, hosts = COR_TEXT_INIT, resolv = COR_TEXT_INIT;

        if (s->config->network_disabled || spec_container_of(s->host->network_mode))
                return 0;
        cor_text_printf(&hostname, "%s\n", s->config->hostname ? s->config->hostname : "");
        if (hosts_text(s, &hosts, err) < 0 || resolv_text(s, &resolv, err) < 0 ||
            write_file(folder, "hostname", &hostname, err) < 0 || write_file(folder, "hosts", &hosts, err) < 0 ||
            write_file(folder, "resolv.conf", &resolv, err) < 0)
                return cor_wrap(err, "container %.12s", s->id);
        return 0;
}

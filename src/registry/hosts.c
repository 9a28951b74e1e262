/*
 * Where a registry is asked. A folder certs.d/NAME belongs to the registry NAME ("host", "host:5000"; containerd also
 * writes "host_5000_"). hosts.toml in it decides all; without one it holds docker's certificates: *.crt to trust,
 * NAME.cert with NAME.key to show.
 */
#include "base/file.h"
#include "base/text.h"
#include "registry/address.h"
#include "registry/host.h"
#include "registry/hosts_toml.h"
#include "registry/proxy.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <netdb.h>
#include <string.h>
#include <unistd.h>

void registry_hosts_free(struct registry_host *hosts, size_t n)
{
        for (size_t i = 0; i < n; i++)
                registry_host_done(&hosts[i]);
        free(hosts);
}

void registry_host_done(struct registry_host *h)
{
        free(h->url);
        cor_strv_done(&h->ca);
        free(h->client_cert);
        free(h->client_key);
        free(h->proxy);
        cor_strv_done(&h->headers);
}

/* ---------------------------------------------------------------------------------------------- insecure registries */

static bool addresses_in(const char *network, const char *host)
{
        struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *all = NULL;
        bool inside = false;

        if (getaddrinfo(host, NULL, &hints, &all) != 0)
                return false;
        for (struct addrinfo *a = all; a && !inside; a = a->ai_next) {
                char text[NI_MAXHOST];

                inside = getnameinfo(a->ai_addr, a->ai_addrlen, text, sizeof text, NULL, 0, NI_NUMERICHOST) == 0 &&
                         network_holds(network, text);
        }
        freeaddrinfo(all);
        return inside;
}

static bool entry_covers(const char *entry, const struct address *a)
{
        auto_address e = ADDRESS_INIT;

        if (strchr(entry, '/'))
                return network_holds(entry, a->host) || addresses_in(entry, a->host);
        return address_split(entry, &e) == 0 && strcmp(e.host, a->host) == 0 && (e.port == 0 || e.port == a->port);
}

static bool is_insecure(const struct registry_config *c, const struct address *a)
{
        for (size_t i = 0; i < c->insecure.n_items; i++)
                if (entry_covers(c->insecure.items[i], a))
                        return true;
        return host_is_loopback(a->host);
}

/* ----------------------------------------------------------------------------------------------------- certificates */

static int take_pair(const char *folder, const char *file, const char *stem, struct registry_host *h,
                     struct cor_err *err)
{
        bool is_cert = cor_ends_with(file, ".cert");
        auto_str other = cor_printf("%s/%s%s", folder, stem, is_cert ? ".key" : ".cert");

        if (access(other, F_OK) < 0)
                return cor_fail(err, COR_INVALID, "%s/%s: there is no %s beside it", folder, file, other);
        if (!is_cert || h->client_cert) /* libcurl shows one: the first */
                return 0;
        h->client_cert = cor_printf("%s/%s", folder, file);
        h->client_key = COR_TAKE(other);
        return 0;
}

static int take_file(const char *folder, const char *file, struct registry_host *h, struct cor_err *err)
{
        if (cor_ends_with(file, ".crt")) {
                cor_strv_take(&h->ca, cor_printf("%s/%s", folder, file));
                return 0;
        }
        if (cor_ends_with(file, ".cert") || cor_ends_with(file, ".key")) {
                auto_str stem = cor_strndup(file, (size_t)(strrchr(file, '.') - file));

                return take_pair(folder, file, stem, h, err);
        }
        return 0;
}

/* The certificates of certs.d/@name, in order of their names. */
static int take_certificates(const struct registry_config *c, const char *name, struct registry_host *h,
                             struct cor_err *err)
{
        for (size_t i = 0; i < c->certs_dirs.n_items; i++) {
                auto_str folder = cor_printf("%s/%s", c->certs_dirs.items[i], name);
                struct dirent **files = NULL;
                int n = scandir(folder, &files, NULL, alphasort), r = 0;

                if (n < 0)
                        continue;
                for (int k = 0; k < n; k++) {
                        if (r == 0)
                                r = take_file(folder, files[k]->d_name, h, err);
                        free(files[k]);
                }
                free(files);
                return r;
        }
        return 0;
}

/* ------------------------------------------------------------------------------------------------------- the places */

int registry_host_init(const struct registry_config *c, const char *url, struct registry_host *ret, struct cor_err *err)
{
        auto_address a = ADDRESS_INIT;
        auto_str name = NULL;

        if (address_of_url(url, &a) < 0)
                return cor_fail(err, COR_INVALID, "'%.150s' is not a registry: expected HOST or HOST:PORT", url);
        *ret = (struct registry_host){ .url = cor_strdup(url), .pull = true, .resolve = true, .push = true };
        while (cor_ends_with(ret->url, "/"))
                ret->url[strlen(ret->url) - 1] = '\0';
        ret->skip_verify = is_insecure(c, &a);
        ret->plain_fallback = ret->skip_verify && cor_starts_with(url, "https:");
        name = address_format(&a);
        if (take_certificates(c, name, ret, err) == 0)
                return 0;
        registry_host_done(ret);
        return -1;
}

static struct registry_host *add_host(struct registry_host **hosts, size_t *n)
{
        return COR_GROW(*hosts, *n);
}

static int add_url(const struct registry_config *c, const char *url, bool mirror, struct registry_host **hosts,
                   size_t *n, struct cor_err *err)
{
        struct registry_host h;

        if (registry_host_init(c, url, &h, err) < 0)
                return -1;
        h.push = !mirror;
        *add_host(hosts, n) = h;
        return 0;
}

char *registry_default_url(const char *domain)
{
        return cor_streq(domain, "docker.io") ? cor_strdup("https://registry-1.docker.io")
                                              : cor_printf("https://%s", domain);
}

static int docker_hosts(const struct registry_config *c, const char *domain, struct registry_host **hosts, size_t *n,
                        struct cor_err *err)
{
        auto_str url = registry_default_url(domain);

        for (size_t i = 0; cor_streq(domain, "docker.io") && i < c->mirrors.n_items; i++)
                if (add_url(c, c->mirrors.items[i], true, hosts, n, err) < 0)
                        return -1;
        return add_url(c, url, false, hosts, n, err);
}

static bool has_file(const struct registry_config *c, const char *name, const char *file, char **ret)
{
        for (size_t i = 0; i < c->certs_dirs.n_items; i++) {
                auto_str path = cor_printf("%s/%s%s", c->certs_dirs.items[i], name, file);

                if (access(path, F_OK) < 0)
                        continue;
                if (ret)
                        *ret = COR_TAKE(path);
                return true;
        }
        return false;
}

/* The hosts.toml that decides for @domain, or NULL. The one of _default is for those without a folder of their own. */
static char *find_toml(const struct registry_config *c, const char *domain)
{
        const char *colon = domain[0] == '[' ? NULL : strchr(domain, ':');
        auto_str spelled = colon ? cor_printf("%.*s_%s_", (int)(colon - domain), domain, colon + 1) : NULL;
        char *path = NULL;

        if ((spelled && has_file(c, spelled, "/hosts.toml", &path)) || has_file(c, domain, "/hosts.toml", &path))
                return path;
        if (!has_file(c, domain, "", NULL) && has_file(c, "_default", "/hosts.toml", &path))
                return path;
        return NULL;
}

int registry_config_hosts(const struct registry_config *c, const char *domain, struct registry_host **ret,
                          size_t *ret_n, struct cor_err *err)
{
        struct registry_host *hosts = NULL;
        auto_address a = ADDRESS_INIT;
        auto_str toml = NULL;
        size_t n = 0;
        int r;

        if (address_split(domain, &a) < 0 || domain[0] == '.')
                return cor_fail(err, COR_INVALID, "'%.150s' is not a registry: expected HOST or HOST:PORT", domain);
        toml = find_toml(c, domain);
        r = toml ? hosts_toml_load(c, toml, domain, &hosts, &n, err) : docker_hosts(c, domain, &hosts, &n, err);
        if (r < 0) {
                registry_hosts_free(hosts, n);
                return cor_wrap(err, "registry %s", domain);
        }
        *ret = hosts;
        *ret_n = n;
        return 0;
}

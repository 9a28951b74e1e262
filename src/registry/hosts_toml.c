#include "registry/hosts_toml.h"
#include "base/file.h"
#include "base/text.h"
#include "registry/address.h"
#include "registry/host.h"
#include "registry/toml.h"

#include <string.h>

enum { TOML_MAX_BYTES = 1 << 20, HOSTS_MAX = 64, DIAL_MAX_MS = 600 * 1000 };

struct parse {
        const struct registry_config *config;
        const char *folder, *domain;
        struct registry_host *hosts;
        size_t n_hosts;
        char *server;                 /* as the file says, or NULL */
        struct registry_host of_root; /* settings at the root, which are the server's */
};

/* ----------------------------------------------------------------------------------------------------------- values */

static int expect(const struct toml_value *v, enum toml_type type, const char *what, struct cor_err *err)
{
        return v->type == type ? 0 : cor_fail(err, COR_INVALID, "expected %s", what);
}

static char *file_name(const struct parse *p, const char *name)
{
        return *name == '/' ? cor_strdup(name) : cor_printf("%s/%s", p->folder, name);
}

static int take_capabilities(struct parse *p, const struct toml_value *v, struct registry_host *h, struct cor_err *err)
{
        if (expect(v, TOML_ARRAY, "a list of \"pull\", \"resolve\" and \"push\"", err) < 0)
                return -1;
        h->pull = h->resolve = h->push = v->n_items == 0; /* none named: all, as in containerd */
        for (size_t i = 0; i < v->n_items; i++) {
                const char *s = v->items[i].string;

                if (cor_streq(s, "pull"))
                        h->pull = true;
                else if (cor_streq(s, "resolve"))
                        h->resolve = true;
                else if (cor_streq(s, "push"))
                        h->push = true;
                else
                        return cor_fail(err, COR_INVALID, "expected \"pull\", \"resolve\" or \"push\", found '%.60s'",
                                        s ? s : "something else");
        }
        return 0;
}

static int take_ca(struct parse *p, const struct toml_value *v, struct registry_host *h, struct cor_err *err)
{
        if (v->type == TOML_STRING) {
                cor_strv_take(&h->ca, file_name(p, v->string));
                return 0;
        }
        if (expect(v, TOML_ARRAY, "a file or a list of files", err) < 0)
                return -1;
        for (size_t i = 0; i < v->n_items; i++) {
                if (expect(&v->items[i], TOML_STRING, "a file or a list of files", err) < 0)
                        return -1;
                cor_strv_take(&h->ca, file_name(p, v->items[i].string));
        }
        return 0;
}

static int client_pair(struct parse *p, const struct toml_value *v, struct registry_host *h, struct cor_err *err)
{
        static const char *const what = "a file, a list of files, or a list of pairs [\"CERTIFICATE\", \"KEY\"]";
        const char *cert, *key;

        if (v->type == TOML_STRING) {
                cert = key = v->string;
        } else if (v->type == TOML_ARRAY && (v->n_items == 1 || v->n_items == 2) && v->items[0].type == TOML_STRING &&
                   v->items[v->n_items - 1].type == TOML_STRING) {
                cert = v->items[0].string;
                key = v->items[v->n_items - 1].string;
        } else {
                return cor_fail(err, COR_INVALID, "expected %s", what);
        }
        if (!*cert)
                return cor_fail(err, COR_INVALID, "expected %s, found an empty name", what);
        if (h->client_cert) /* libcurl shows one: the first */
                return 0;
        h->client_cert = file_name(p, cert);
        h->client_key = file_name(p, *key ? key : cert);
        return 0;
}

static int take_client(struct parse *p, const struct toml_value *v, struct registry_host *h, struct cor_err *err)
{
        if (v->type != TOML_ARRAY)
                return client_pair(p, v, h, err);
        for (size_t i = 0; i < v->n_items; i++)
                if (client_pair(p, &v->items[i], h, err) < 0)
                        return -1;
        return 0;
}

static int take_skip_verify(struct parse *p, const struct toml_value *v, struct registry_host *h, struct cor_err *err)
{
        h->skip_verify = v->boolean;
        return expect(v, TOML_BOOL, "true or false", err);
}

static int take_override_path(struct parse *p, const struct toml_value *v, struct registry_host *h, struct cor_err *err)
{
        h->override_path = v->boolean;
        return expect(v, TOML_BOOL, "true or false", err);
}

static int take_dial_timeout(struct parse *p, const struct toml_value *v, struct registry_host *h, struct cor_err *err)
{
        uint64_t ms;

        if (v->type != TOML_STRING || cor_parse_duration(v->string, &ms) < 0 || ms == 0 || ms > DIAL_MAX_MS)
                return cor_fail(err, COR_INVALID, "expected a duration such as \"30s\", at most \"10m\"");
        h->dial_ms = (int)ms;
        return 0;
}

static int take_proxy(struct parse *p, const struct toml_value *v, struct registry_host *h, struct cor_err *err)
{
        static const char *const schemes[] = { "http://", "https://", "socks5://", "socks5h://" };

        for (size_t i = 0; v->type == TOML_STRING && i < COR_COUNT(schemes); i++) {
                const char *rest = v->string + strlen(schemes[i]);

                if (!cor_starts_with(v->string, schemes[i]) || !*rest || *rest == '/')
                        continue;
                rest += strcspn(rest, "/?#");
                if (*rest && !cor_streq(rest, "/"))
                        break;
                free(h->proxy);
                h->proxy = cor_strdup(v->string);
                return 0;
        }
        return cor_fail(err, COR_INVALID,
                        "expected http://, https://, socks5:// or socks5h:// and a host, without a path");
}

static const struct setting {
        const char *key;
        int (*take)(struct parse *p, const struct toml_value *v, struct registry_host *h, struct cor_err *err);
} settings[] = {
        { "capabilities", take_capabilities },
        { "ca", take_ca },
        { "client", take_client },
        { "skip_verify", take_skip_verify },
        { "override_path", take_override_path },
        { "dial_timeout", take_dial_timeout },
        { "proxy", take_proxy },
};

static bool is_header_name(const char *s)
{
        return *s &&
               s[strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$%&'*+-.^_`|~")] == '\0';
}

static int add_header(struct registry_host *h, const char *name, const struct toml_value *v, struct cor_err *err)
{
        if (expect(v, TOML_STRING, "a string or a list of strings", err) < 0)
                return -1;
        for (const char *s = v->string; *s; s++)
                if (((unsigned char)*s < ' ' && *s != '\t') || *s == 0x7f)
                        return cor_fail(err, COR_INVALID, "a header holds no control characters");
        cor_strv_take(&h->headers, cor_printf("%s: %s", name, v->string));
        return 0;
}

static int take_header(struct registry_host *h, const char *name, const struct toml_value *v, struct cor_err *err)
{
        if (!is_header_name(name))
                return cor_fail(err, COR_INVALID, "'%.60s' cannot be the name of a header", name);
        if (v->type != TOML_ARRAY)
                return add_header(h, name, v, err);
        for (size_t i = 0; i < v->n_items; i++)
                if (add_header(h, name, &v->items[i], err) < 0)
                        return -1;
        return 0;
}

/* ---------------------------------------------------------------------------------------------------------- entries */

/* "host:5000/path" is https; docker.io is served by another name. */
static int check_url(const char *s, char **ret, struct cor_err *err)
{
        auto_str url = strstr(s, "://") ? cor_strdup(s) : cor_printf("https://%s", s);
        auto_address a = ADDRESS_INIT;

        if (address_of_url(url, &a) < 0 || strpbrk(url, "?# \t"))
                return cor_fail(err, COR_INVALID, "expected http://HOST or https://HOST, found '%.100s'", s);
        while (cor_ends_with(url, "/"))
                url[strlen(url) - 1] = '\0';
        *ret = cor_streq(url, "https://docker.io") ? cor_strdup("https://registry-1.docker.io") : COR_TAKE(url);
        return 0;
}

static int find_host(struct parse *p, const char *name, struct registry_host **ret, struct cor_err *err)
{
        auto_str url = NULL;

        if (check_url(name, &url, err) < 0)
                return -1;
        for (size_t i = 0; i < p->n_hosts; i++)
                if (cor_streq(p->hosts[i].url, url)) {
                        *ret = &p->hosts[i];
                        return 0;
                }
        if (p->n_hosts == HOSTS_MAX)
                return cor_fail(err, COR_INVALID, "more than %d hosts", HOSTS_MAX);
        *ret = COR_GROW(p->hosts, p->n_hosts);
        (*ret)->url = COR_TAKE(url);
        (*ret)->pull = (*ret)->resolve = (*ret)->push = true;
        return 0;
}

/* A key of one host, or of the root: KEY, or header.NAME */
static int take_setting(struct parse *p, struct registry_host *h, char *const *path, size_t n,
                        const struct toml_value *v, struct cor_err *err)
{
        if (cor_streq(path[0], "header")) {
                if (n == 1 && !v)
                        return 0;
                if (n != 2 || !v)
                        return cor_fail(err, COR_INVALID, "expected a table of names and values");
                return take_header(h, path[1], v, err);
        }
        for (size_t i = 0; i < COR_COUNT(settings); i++)
                if (cor_streq(path[0], settings[i].key))
                        return n == 1 && v ? settings[i].take(p, v, h, err)
                                           : cor_fail(err, COR_INVALID, "expected a value, not a table");
        return cor_fail(err, COR_INVALID,
                        "unknown key; there are server, capabilities, ca, client, skip_verify, header, override_path, "
                        "dial_timeout, proxy and host.\"URL\"");
}

static int take_server(struct parse *p, const struct toml_entry *e, struct cor_err *err)
{
        if (e->n_path != 1 || !e->value)
                return cor_fail(err, COR_INVALID, "expected a URL");
        if (expect(e->value, TOML_STRING, "a URL", err) < 0)
                return -1;
        free(p->server);
        p->server = NULL;
        return check_url(e->value->string, &p->server, err);
}

static int take_entry(struct parse *p, const struct toml_entry *e, struct cor_err *err)
{
        struct registry_host *h = NULL;

        if (cor_streq(e->path[0], "server"))
                return take_server(p, e, err);
        if (!cor_streq(e->path[0], "host"))
                return take_setting(p, &p->of_root, e->path, e->n_path, e->value, err);
        if (e->n_path == 1)
                return e->value ? cor_fail(err, COR_INVALID, "expected a table for each host: [host.\"https://…\"]")
                                : 0;
        if (find_host(p, e->path[1], &h, err) < 0)
                return -1;
        if (e->n_path == 2)
                return e->value ? cor_fail(err, COR_INVALID, "expected a table") : 0;
        return take_setting(p, h, e->path + 2, e->n_path - 2, e->value, err);
}

static int on_entry(void *context, const struct toml_entry *e, struct cor_err *err)
{
        auto_text name = COR_TEXT_INIT;

        if (take_entry(context, e, err) == 0)
                return 0;
        for (size_t i = 0; i < e->n_path; i++)
                cor_text_printf(&name, "%s%.60s", i ? "." : "", e->path[i]);
        return cor_wrap(err, "%s", name.s);
}

/* ----------------------------------------------------------------------------------------------------------- result */

/* The registry is asked for in its own name where it is not itself that is asked. */
static void set_name_space(const struct parse *p, struct registry_host *h)
{
        auto_address a = ADDRESS_INIT;
        auto_str name = address_of_url(h->url, &a) == 0 ? address_format(&a) : NULL;

        h->name_space = !cor_streq(name, p->domain) &&
                        !(cor_streq(p->domain, "docker.io") && cor_streq(name, "registry-1.docker.io"));
}

/* The server: what the file says at its root over what would be without the file. */
static int add_server(struct parse *p, struct cor_err *err)
{
        auto_str url = p->server ? cor_strdup(p->server) : registry_default_url(p->domain);
        struct registry_host h;

        if (p->server) {
                h = p->of_root;
                h.url = COR_TAKE(url);
        } else {
                struct registry_host plain;

                if (registry_host_init(p->config, url, &plain, err) < 0)
                        return -1;
                h = p->of_root;
                h.url = COR_TAKE(plain.url);
                h.plain_fallback = plain.plain_fallback;
                h.skip_verify |= plain.skip_verify;
                if (h.ca.n_items == 0) {
                        h.ca = plain.ca;
                        plain.ca = (struct cor_strv){ 0 };
                }
                if (!h.client_cert) {
                        h.client_cert = COR_TAKE(plain.client_cert);
                        h.client_key = COR_TAKE(plain.client_key);
                }
                registry_host_done(&plain);
        }
        p->of_root = (struct registry_host){ 0 };
        *COR_GROW(p->hosts, p->n_hosts) = h;
        return 0;
}

int hosts_toml_parse(const struct registry_config *c, const char *text, size_t n, const char *folder,
                     const char *domain, struct registry_host **ret, size_t *ret_n, struct cor_err *err)
{
        struct parse p = { .config = c,
                           .folder = folder,
                           .domain = domain,
                           .of_root = { .pull = true, .resolve = true, .push = true } };
        int r = toml_read(text, n, on_entry, &p, err);

        if (r == 0)
                r = add_server(&p, err);
        registry_host_done(&p.of_root);
        free(p.server);
        if (r < 0) {
                registry_hosts_free(p.hosts, p.n_hosts);
                return -1;
        }
        for (size_t i = 0; i < p.n_hosts; i++)
                set_name_space(&p, &p.hosts[i]);
        *ret = p.hosts;
        *ret_n = p.n_hosts;
        return 0;
}

int hosts_toml_load(const struct registry_config *c, const char *path, const char *domain, struct registry_host **ret,
                    size_t *ret_n, struct cor_err *err)
{
        auto_str text = NULL;
        auto_str folder = cor_strndup(path, (size_t)(strrchr(path, '/') - path));
        size_t n;

        if (cor_read_file(path, TOML_MAX_BYTES, &text, &n, err) < 0)
                return -1;
        if (hosts_toml_parse(c, text, n, folder, domain, ret, ret_n, err) < 0)
                return cor_wrap(err, "%s", path);
        return 0;
}

/*
 * docker's config.json. Keys of "auths" are hosts, or URLs from older times; docker.io's is DOCKER_KEY. What is not
 * ours in the file is written back as it was.
 */
#include "base/file.h"
#include "base/lock.h"
#include "base/text.h"
#include "registry/config.h"
#include "registry/encode.h"
#include "registry/helper.h"
#include "spec/registry.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"

#define DOCKER_KEY "https://index.docker.io/v1/"
enum { CONFIG_MAX_BYTES = 4 << 20, LOCK_MS = 30000 };

static const char *key_of(const char *domain)
{
        return cor_streq(domain, "docker.io") || cor_streq(domain, "index.docker.io") ||
                               cor_streq(domain, "registry-1.docker.io")
                       ? DOCKER_KEY
                       : domain;
}

/* The host of a key: "https://host:5000/v1/" means host:5000. */
static bool key_means(const char *key, const char *domain)
{
        const char *host = cor_starts_with(key, "https://") ? key + 8 : cor_starts_with(key, "http://") ? key + 7 : key;
        size_t n = strcspn(host, "/");
        auto_str name = cor_strndup(host, n);

        return cor_streq(key_of(name), key_of(domain));
}

/* 1 read, 0 there is no file */
static int load(const struct registry_config *c, struct docker_client **ret, struct cor_err *err)
{
        auto_str path = c->client_config ? cor_printf("%s/config.json", c->client_config) : NULL;
        auto_str text = NULL;
        struct cor_err problem = { 0 };
        size_t n;

        if (!path)
                return 0;
        if (cor_read_file(path, CONFIG_MAX_BYTES, &text, &n, &problem) < 0) {
                if (problem.kind == COR_NOT_FOUND)
                        return 0;
                if (err)
                        *err = problem;
                return -1;
        }
        if (strspn(text, " \t\r\n") == n) /* empty, as docker takes it */
                return 0;
        return cor_json_parse(&docker_client_doc, text, n, path, ret, err) < 0 ? -1 : 1;
}

/* ---------------------------------------------------------------------------------------------------------- finding */

static const char *helper_for(const struct docker_client *d, const char *domain)
{
        for (size_t i = 0; i < d->n_cred_helpers; i++)
                if (key_means(d->cred_helpers[i].key, domain) && *d->cred_helpers[i].value)
                        return d->cred_helpers[i].value;
        return d->creds_store && *d->creds_store ? d->creds_store : NULL;
}

/* The entry of @domain: the exact key first. */
static const struct docker_auth *entry_for(const struct docker_client *d, const char *domain)
{
        for (size_t i = 0; i < d->n_auths; i++)
                if (cor_streq(d->auths[i].key, key_of(domain)))
                        return &d->auths[i];
        for (size_t i = 0; i < d->n_auths; i++)
                if (key_means(d->auths[i].key, domain))
                        return &d->auths[i];
        return NULL;
}

/* "auth" is USER:PASSWORD in base64. */
static int take_pair(const char *encoded, struct registry_auth *ret)
{
        char *pair = NULL, *colon;
        size_t n;

        if (base64_decode(encoded, &pair, &n) < 0)
                return -1;
        while (n && pair[n - 1] == '\0')
                n--;
        colon = memchr(pair, ':', n);
        if (!colon || memchr(pair, '\0', n)) {
                free(pair);
                return -1;
        }
        ret->user = cor_strndup(pair, (size_t)(colon - pair));
        ret->password = cor_strndup(colon + 1, n - (size_t)(colon + 1 - pair));
        explicit_bzero(pair, n);
        free(pair);
        return 0;
}

static int take_entry(const struct docker_auth *e, struct registry_auth *ret, struct cor_err *err)
{
        auto_registry_auth a = { 0 };

        if (e->auth && *e->auth) {
                if (take_pair(e->auth, &a) < 0)
                        return cor_fail(err, COR_INVALID,
                                        "config.json: auths.%s.auth: expected USER:PASSWORD in base64", e->key);
        } else if (e->username && e->password) {
                a.user = cor_strdup(e->username);
                a.password = cor_strdup(e->password);
        }
        if (e->identity_token && *e->identity_token)
                a.identity_token = cor_strdup(e->identity_token);
        if (e->registry_token && *e->registry_token)
                a.registry_token = cor_strdup(e->registry_token);
        if (!a.user && !a.identity_token && !a.registry_token)
                return 0;
        *ret = a;
        a = (struct registry_auth){ 0 };
        return 1;
}

int registry_auth_find(const struct registry_config *c, const char *domain, struct registry_auth *ret,
                       struct cor_err *err)
{
        auto_json struct docker_client *d = NULL;
        const struct docker_auth *entry;
        const char *helper;
        int r = load(c, &d, err);

        if (r <= 0)
                return r;
        helper = helper_for(d, domain);
        r = helper ? helper_get(helper, key_of(domain), ret, err) : 0;
        if (r != 0)
                return r;
        entry = entry_for(d, domain);
        return entry ? take_entry(entry, ret, err) : 0;
}

/* --------------------------------------------------------------------------------------------------------- changing */

/* What is read and written as one: the folder is the lock, and links (people keep this file elsewhere) are followed. */
struct change {
        int dir;    /* of the file itself, locked */
        char *name; /* in it */
        struct docker_client *config;
};

static void change_done(struct change *ch)
{
        cor_fd_close(&ch->dir);
        free(ch->name);
        cor_json_free(ch->config);
}
#define auto_change COR_CLEANUP(change_done) struct change

static int change_begin(const struct registry_config *c, struct change *ch, struct cor_err *err)
{
        auto_str path = NULL;
        char real[PATH_MAX];
        char *slash;
        int held;

        if (!c->client_config)
                return cor_fail(err, COR_INVALID, "no place for credentials: set HOME or DOCKER_CONFIG");
        if (cor_mkdirs(c->client_config, 0700, err) < 0)
                return -1;
        path = cor_printf("%s/config.json", c->client_config);
        if (!realpath(path, real))
                snprintf(real, sizeof real, "%s", path);
        slash = strrchr(real, '/');
        ch->name = cor_strdup(slash + 1);
        *slash = '\0';
        ch->dir = open(*real ? real : "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (ch->dir < 0)
                return cor_fail_errno(err, "open %s", *real ? real : "/");
        held = cor_flock(ch->dir, LOCK_MS, err);
        if (held <= 0)
                return held < 0 ? -1 : cor_fail(err, COR_BUSY, "another process keeps %s locked", *real ? real : "/");
        return load(c, &ch->config, err) < 0 ? -1 : 0;
}

static int change_write(struct change *ch, struct cor_err *err)
{
        auto_text text = COR_TEXT_INIT;
        struct stat st;
        mode_t mode = fstatat(ch->dir, ch->name, &st, 0) == 0 ? st.st_mode & 0777 : 0600;
        int r;

        cor_json_print(&docker_client_doc, ch->config, COR_JSON_TABS, &text);
        r = cor_own_write(ch->dir, ch->name, text.s, text.len, mode, true, err);
        explicit_bzero(text.s, text.len);
        return r;
}

/* The entry of @key, made if need be; valid until the next one is made. */
static struct docker_auth *entry_make(struct docker_client *d, const char *key)
{
        struct docker_auth *grown;

        for (size_t i = 0; i < d->n_auths; i++)
                if (cor_streq(d->auths[i].key, key))
                        return &d->auths[i];
        grown = cor_json_alloc(d, (d->n_auths + 1) * sizeof *grown);
        if (d->n_auths)
                memcpy(grown, d->auths, d->n_auths * sizeof *grown);
        d->auths = grown;
        d->auths[d->n_auths].key = cor_json_strdup(d, key);
        return &d->auths[d->n_auths++];
}

int registry_auth_store(const struct registry_config *c, const char *domain, const struct registry_auth *auth,
                        struct cor_err *err)
{
        auto_change ch = { .dir = -1 };
        struct docker_auth *e;
        const char *helper;

        if (change_begin(c, &ch, err) < 0)
                return -1;
        if (!ch.config && cor_json_parse(&docker_client_doc, "{}", 2, NULL, &ch.config, err) < 0)
                return -1;
        e = entry_make(ch.config, key_of(domain));
        e->auth = e->username = e->password = e->identity_token = e->registry_token = NULL;
        helper = helper_for(ch.config, domain);
        if (helper) {
                if (helper_store(helper, key_of(domain), auth, err) < 0)
                        return -1;
        } else {
                /* with an identity token the password is not kept */
                auto_str pair = cor_printf("%s:%s", auth->user ?: "", auth->identity_token ? "" : auth->password ?: "");
                auto_str encoded = base64_encode(pair, strlen(pair));

                e->auth = cor_json_strdup(ch.config, encoded);
                e->identity_token = auth->identity_token ? cor_json_strdup(ch.config, auth->identity_token) : NULL;
        }
        return change_write(&ch, err);
}

int registry_auth_erase(const struct registry_config *c, const char *domain, struct cor_err *err)
{
        auto_change ch = { .dir = -1 };
        const char *helper;
        size_t kept = 0;

        if (!c->client_config || change_begin(c, &ch, err) < 0)
                return c->client_config ? -1 : 0;
        if (!ch.config)
                return 0;
        helper = helper_for(ch.config, domain);
        if (helper && helper_erase(helper, key_of(domain), err) < 0)
                return -1;
        for (size_t i = 0; i < ch.config->n_auths; i++)
                if (!key_means(ch.config->auths[i].key, domain))
                        ch.config->auths[kept++] = ch.config->auths[i];
        ch.config->n_auths = kept;
        return change_write(&ch, err);
}

#include "registry/config.h"
#include "base/file.h"
#include "registry/address.h"
#include "spec/registry.h"
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
        DAEMON_JSON_MAX_BYTES = 1 << 20,
        DOWNLOADS = 3, /* docker's defaults */
        UPLOADS = 5,
        ATTEMPTS = 5,
        AT_ONCE_MAX = 128,
        ATTEMPTS_MAX = 100,
        IMAGE_RATIO = 1000,
        IMAGE_ENTRIES = 4000000,
};

void registry_config_done(struct registry_config *c)
{
        cor_strv_done(&c->mirrors);
        cor_strv_done(&c->insecure);
        cor_strv_done(&c->certs_dirs);
        free(c->userns_remap);
        free(c->client_config);
        *c = (struct registry_config){ 0 };
}

void registry_auth_done(struct registry_auth *a)
{
        char *secrets[] = { a->user, a->password, a->identity_token, a->registry_token };

        for (size_t i = 0; i < COR_COUNT(secrets); i++) {
                if (secrets[i])
                        explicit_bzero(secrets[i], strlen(secrets[i]));
                free(secrets[i]);
        }
        *a = (struct registry_auth){ 0 };
}

/* The caller's home, or NULL. No look-up by user id: static programs cannot. */
static const char *home(void)
{
        const char *s = getenv("HOME");

        if (s && *s == '/')
                return s;
        return geteuid() == 0 ? "/root" : NULL;
}

/* The root of a user namespace is an ordinary user (engine/rootless.h), whose map is not that of the whole machine. */
static bool is_root(void)
{
        char map[128];
        unsigned inside, outside;
        uint32_t count;

        if (geteuid() != 0)
                return false;
        return cor_read_at(AT_FDCWD, "/proc/self/uid_map", map, sizeof map, NULL) < 0 ||
               sscanf(map, "%u %u %u", &inside, &outside, &count) != 3 || (outside == 0 && count == UINT32_MAX);
}

/* Folders that may hold daemon.json and certs.d of @owner ("coracle", "docker"). */
static void add_folders(struct cor_strv *folders, const char *owner)
{
        const char *config = getenv("XDG_CONFIG_HOME");
        bool user = !is_root();

        if (user && config && *config == '/')
                cor_strv_take(folders, cor_printf("%s/%s", config, owner));
        else if (user && home())
                cor_strv_take(folders, cor_printf("%s/.config/%s", home(), owner));
        cor_strv_take(folders, cor_printf("/etc/%s", owner));
}

static int take_mirrors(struct registry_config *c, const struct daemon_config *d, struct cor_err *err)
{
        for (size_t i = 0; i < d->n_mirrors; i++) {
                auto_address a = ADDRESS_INIT;
                size_t n = strlen(d->mirrors[i]);

                if (address_of_url(d->mirrors[i], &a) < 0 || strpbrk(d->mirrors[i], "?#"))
                        return cor_fail(err, COR_INVALID,
                                        "registry-mirrors[%zu]: expected http://HOST or https://HOST, found '%.100s'",
                                        i, d->mirrors[i]);
                while (n && d->mirrors[i][n - 1] == '/')
                        n--;
                cor_strv_take(&c->mirrors, cor_strndup(d->mirrors[i], n));
        }
        return 0;
}

/* An entry is HOST[:PORT] or a network; a scheme in front, which people write, means nothing. */
static int take_insecure(struct registry_config *c, const struct daemon_config *d, struct cor_err *err)
{
        for (size_t i = 0; i < d->n_insecure; i++) {
                auto_address a = ADDRESS_INIT;
                const char *s = d->insecure[i];

                s += cor_starts_with(s, "http://") ? 7 : cor_starts_with(s, "https://") ? 8 : 0;
                if (!*s || (!strchr(s, '/') && address_split(s, &a) < 0))
                        return cor_fail(
                                err, COR_INVALID,
                                "insecure-registries[%zu]: expected HOST[:PORT] or NETWORK/BITS, found '%.100s'", i,
                                d->insecure[i]);
                cor_strv_add(&c->insecure, s);
        }
        return 0;
}

/* Docker takes 0 for "as many as there are". */
static int at_once(const struct cor_opt_u64 *n, int otherwise)
{
        if (!n->set)
                return otherwise;
        return n->value == 0 || n->value > AT_ONCE_MAX ? AT_ONCE_MAX : (int)n->value;
}

static int take_image_limits(struct registry_config *c, const struct daemon_config *d, struct cor_err *err)
{
        uint64_t bytes = 0;

        if (d->image_bytes && (cor_parse_size(d->image_bytes, &bytes) < 0 || bytes > INT64_MAX))
                return cor_fail(err, COR_INVALID, "image-max-layer-size: expected a size (\"20g\"), found '%.60s'",
                                d->image_bytes);
        if (d->image_entries.set && d->image_entries.value > INT64_MAX)
                return cor_fail(err, COR_INVALID, "image-max-entries: %llu is too large",
                                (unsigned long long)d->image_entries.value);
        if (d->image_ratio.set)
                c->image_ratio = (unsigned)d->image_ratio.value;
        if (d->image_entries.set)
                c->image_entries = (int64_t)d->image_entries.value;
        c->image_bytes = (int64_t)bytes;
        return 0;
}

static int take_daemon(struct registry_config *c, const struct daemon_config *d, struct cor_err *err)
{
        if (take_mirrors(c, d, err) < 0 || take_insecure(c, d, err) < 0)
                return -1;
        c->max_downloads = at_once(&d->max_downloads, DOWNLOADS);
        c->max_uploads = at_once(&d->max_uploads, UPLOADS);
        if (d->max_attempts.set && (d->max_attempts.value < 1 || d->max_attempts.value > ATTEMPTS_MAX))
                return cor_fail(err, COR_INVALID, "max-download-attempts: expected 1 to %d, found %llu", ATTEMPTS_MAX,
                                (unsigned long long)d->max_attempts.value);
        if (d->max_attempts.set)
                c->max_attempts = (int)d->max_attempts.value;
        c->userns_remap = cor_strdup(d->userns_remap);
        return take_image_limits(c, d, err);
}

static void find_folders(struct cor_strv *folders)
{
        const char *only = getenv("COR_CONFIG");

        if (only && *only) {
                cor_strv_add(folders, only);
                return;
        }
        add_folders(folders, "coracle");
        add_folders(folders, "containerd");
        add_folders(folders, "docker");
}

/* As docker: an empty file says nothing. */
static int find_daemon(const struct cor_strv *folders, char **ret_path, char **ret_text, size_t *ret_n,
                       struct cor_err *err)
{
        for (size_t i = 0; i < folders->n_items; i++) {
                auto_str path = cor_printf("%s/daemon.json", folders->items[i]);
                struct cor_err problem = { 0 };

                if (cor_ends_with(folders->items[i], "/containerd"))
                        continue;
                if (cor_read_file(path, DAEMON_JSON_MAX_BYTES, ret_text, ret_n, &problem) == 0) {
                        *ret_path = COR_TAKE(path);
                        return *ret_n > 0;
                }
                if (problem.kind != COR_NOT_FOUND && problem.kind != COR_DENIED) {
                        if (err)
                                *err = problem;
                        return -1;
                }
        }
        return 0;
}

int daemon_json_read(char **ret_path, char **ret_text, size_t *ret_n, struct cor_err *err)
{
        auto_strv folders = { 0 };

        find_folders(&folders);
        return find_daemon(&folders, ret_path, ret_text, ret_n, err);
}

static int load_daemon(struct registry_config *c, const struct cor_strv *folders, struct cor_err *err)
{
        auto_json struct daemon_config *d = NULL;
        auto_str path = NULL;
        auto_str text = NULL;
        size_t n = 0;
        int found = find_daemon(folders, &path, &text, &n, err);

        if (found <= 0)
                return found;
        if (cor_json_parse(&daemon_config_doc, text, n, path, &d, err) < 0)
                return -1;
        return take_daemon(c, d, err) < 0 ? cor_wrap(err, "%s", path) : 0;
}

static int load_folders(struct registry_config *c, const struct cor_strv *folders, struct cor_err *err)
{
        if (load_daemon(c, folders, err) < 0)
                return -1;
        for (size_t i = 0; i < folders->n_items; i++)
                cor_strv_take(&c->certs_dirs, cor_printf("%s/certs.d", folders->items[i]));
        return 0;
}

int registry_config_load(struct registry_config *ret, struct cor_err *err)
{
        auto_registry_config c = { .max_downloads = DOWNLOADS,
                                   .max_uploads = UPLOADS,
                                   .max_attempts = ATTEMPTS,
                                   .image_ratio = IMAGE_RATIO,
                                   .image_entries = IMAGE_ENTRIES };
        const char *docker = getenv("DOCKER_CONFIG");
        auto_strv folders = { 0 };
        struct cor_err problem = { 0 };

        find_folders(&folders);
        if (load_folders(&c, &folders, &problem) < 0) {
                if (err)
                        *err = problem;
                return -1;
        }
        if (docker && *docker)
                c.client_config = cor_strdup(docker);
        else if (home())
                c.client_config = cor_printf("%s/.docker", home());
        *ret = c;
        c = (struct registry_config){ 0 };
        return 0;
}

/*
 * Drives src/registry for the tests: registry COMMAND ARGUMENT... (see the table at the end). Prints results on stdout,
 * an error on stderr with status 1. Environment: STALL_MS, ATTEMPTS, and
 * what registry_config_load() looks at.
 */
#include "registry/registry.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "store/hash.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct context {
        struct registry_config config;
        const char *domain, *path;
        struct registry *registry;
};

/* DOMAIN/PATH */
static int open_registry(struct context *c, char *name, struct cor_err *err)
{
        char *slash = strchr(name, '/');

        if (!slash)
                return cor_fail(err, COR_INVALID, "expected DOMAIN/PATH");
        *slash = '\0';
        c->domain = name;
        c->path = slash + 1;
        if (registry_new(&c->config, c->domain, c->path, &c->registry, err) < 0)
                return -1;
        return registry_detach(c->registry, err);
}

static int do_manifest(struct context *c, char **args, struct cor_err *err)
{
        auto_registry_manifest m = { 0 };

        if (open_registry(c, args[0], err) < 0 || registry_get_manifest(c->registry, args[1], &m, err) < 0)
                return -1;
        fprintf(stderr, "%s %s\n", m.digest.text, m.media_type);
        fwrite(m.bytes, 1, m.n, stdout);
        return 0;
}

static int do_head(struct context *c, char **args, struct cor_err *err)
{
        struct digest d;
        int64_t size;

        if (open_registry(c, args[0], err) < 0 || registry_head_manifest(c->registry, args[1], &d, &size, err) < 0)
                return -1;
        printf("%s %lld\n", d.text, (long long)size);
        return 0;
}

/* -------------------------------------------------------------------------------------------------------- downloads */

struct file {
        int fd;
        struct digest expected;
        struct hash *hash;
        bool failed;
        int restarts;
        struct cor_err err;
};

static int file_write(void *context, const void *bytes, size_t n, struct cor_err *err)
{
        struct file *f = context;

        hash_add(f->hash, bytes, n);
        return cor_write_full(f->fd, bytes, n, err);
}

static int file_restart(void *context, struct cor_err *err)
{
        struct file *f = context;

        f->restarts++;
        hash_digest(f->hash);
        if (ftruncate(f->fd, 0) < 0 || lseek(f->fd, 0, SEEK_SET) < 0)
                return cor_fail_errno(err, "start over");
        return 0;
}

static int file_check(void *context, struct cor_err *err)
{
        struct file *f = context;
        struct digest d = hash_digest(f->hash);

        if (digest_eq(&d, &f->expected))
                return 0;
        return cor_fail(err, COR_INVALID, "the bytes have the digest %s, not %s", d.text, f->expected.text);
}

static void file_done(void *context, struct cor_err *error)
{
        struct file *f = context;

        f->failed = error != NULL;
        if (error)
                f->err = *error;
}

/* What is in the file already is continued. */
static int file_open(struct file *f, const char *path, int64_t *ret_offset, struct cor_err *err)
{
        char buf[65536];
        ssize_t n;

        f->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
        if (f->fd < 0)
                return cor_fail_errno(err, "open %s", path);
        f->hash = hash_new(DIGEST_SHA256);
        for (*ret_offset = 0; (n = read(f->fd, buf, sizeof buf)) > 0; *ret_offset += n)
                hash_add(f->hash, buf, (size_t)n);
        return 0;
}

/* blob DOMAIN/PATH (DIGEST SIZE FILE [URL])... */
static int do_blobs(struct context *c, char **args, struct cor_err *err)
{
        struct file files[64] = { { 0 } };
        int n = 0, r = 0;

        if (open_registry(c, *args++, err) < 0)
                return -1;
        for (; args[0] && args[1] && args[2] && n < 64; args += 3, n++) {
                const char *urls[] = { NULL, NULL };
                struct registry_download d = { .write = file_write,
                                               .restart = file_restart,
                                               .check = file_check,
                                               .done = file_done,
                                               .context = &files[n] };

                if (digest_parse(args[0], &d.digest, err) < 0 || cor_parse_i64(args[1], &d.size) < 0 ||
                    file_open(&files[n], args[2], &d.offset, err) < 0)
                        return -1;
                if (args[3] && strstr(args[3], "://")) {
                        urls[0] = args++[3];
                        d.urls = urls;
                }
                files[n].expected = d.digest;
                if (registry_download(c->registry, &d, err) < 0)
                        return -1;
        }
        if (registry_run(c->registry, -1, err) < 0)
                return -1;
        for (int i = 0; i < n; i++) {
                hash_free(files[i].hash);
                close(files[i].fd);
                if (files[i].restarts)
                        fprintf(stderr, "restarts: %d\n", files[i].restarts);
                if (files[i].failed) {
                        *err = files[i].err;
                        r = -1;
                }
        }
        return r;
}

/* ---------------------------------------------------------------------------------------------------------- uploads */

static ssize_t up_read(void *context, int64_t offset, void *buf, size_t n, struct cor_err *err)
{
        struct file *f = context;
        ssize_t got = pread(f->fd, buf, n, offset);

        return got >= 0 ? got : cor_fail_errno(err, "read");
}

/* upload DOMAIN/PATH FILE... */
static int do_upload(struct context *c, char **args, struct cor_err *err)
{
        struct file files[64] = { { 0 } };
        int n = 0, r = 0;

        if (open_registry(c, *args++, err) < 0)
                return -1;
        for (; *args && n < 64; args++, n++) {
                struct registry_upload u = { .read = up_read, .done = file_done, .context = &files[n] };

                if (file_open(&files[n], *args, &u.size, err) < 0)
                        return -1;
                u.digest = hash_digest(files[n].hash);
                printf("%s %lld\n", u.digest.text, (long long)u.size);
                if (registry_upload(c->registry, &u, err) < 0)
                        return -1;
        }
        if (registry_run(c->registry, -1, err) < 0)
                return -1;
        for (int i = 0; i < n; i++) {
                hash_free(files[i].hash);
                close(files[i].fd);
                if (files[i].failed) {
                        *err = files[i].err;
                        r = -1;
                }
        }
        return r;
}

/* mount DOMAIN/PATH DIGEST FROM [FILE]: FILE is uploaded if the registry wants that */
static int do_mount(struct context *c, char **args, struct cor_err *err)
{
        struct digest d;
        int r;

        if (open_registry(c, args[0], err) < 0 || digest_parse(args[1], &d, err) < 0)
                return -1;
        r = registry_mount_blob(c->registry, &d, args[2], err);
        if (r < 0)
                return -1;
        printf("%d\n", r);
        if (r == 0 && args[3]) {
                struct file f = { 0 };
                struct registry_upload u = { .read = up_read, .done = file_done, .context = &f, .digest = d };

                if (file_open(&f, args[3], &u.size, err) < 0 || registry_upload(c->registry, &u, err) < 0 ||
                    registry_run(c->registry, -1, err) < 0)
                        return -1;
                hash_free(f.hash);
                close(f.fd);
                if (f.failed) {
                        *err = f.err;
                        return -1;
                }
        }
        return 0;
}

/* put DOMAIN/PATH REFERENCE TYPE FILE */
static int do_put(struct context *c, char **args, struct cor_err *err)
{
        auto_str bytes = NULL;
        size_t n;

        if (open_registry(c, args[0], err) < 0 || cor_read_file(args[3], 1 << 23, &bytes, &n, err) < 0)
                return -1;
        return registry_put_manifest(c->registry, args[1], args[2], bytes, n, err);
}

static int do_referrers(struct context *c, char **args, struct cor_err *err)
{
        auto_str text = NULL;
        struct digest d;
        size_t n;

        if (open_registry(c, args[0], err) < 0 || digest_parse(args[1], &d, err) < 0 ||
            registry_referrers(c->registry, &d, args[2], &text, &n, err) < 0)
                return -1;
        puts(text);
        return 0;
}

/* login DOMAIN USER PASSWORD: also stores what it got */
static int do_login(struct context *c, char **args, struct cor_err *err)
{
        auto_registry_auth auth = { .user = cor_strdup(args[1]), .password = cor_strdup(args[2]) };

        if (registry_new(&c->config, args[0], NULL, &c->registry, err) < 0 ||
            registry_login(c->registry, args[1], args[2], &auth.identity_token, err) < 0)
                return -1;
        return registry_auth_store(&c->config, args[0], &auth, err);
}

static int do_logout(struct context *c, char **args, struct cor_err *err)
{
        return registry_auth_erase(&c->config, args[0], err);
}

static int do_auth(struct context *c, char **args, struct cor_err *err)
{
        auto_registry_auth a = { 0 };
        int r = registry_auth_find(&c->config, args[0], &a, err);

        if (r > 0)
                printf("%s %s %s\n", a.user ? a.user : "-", a.password ? a.password : "-",
                       a.identity_token ? a.identity_token : "-");
        return r < 0 ? -1 : 0;
}

static int do_search(struct context *c, char **args, struct cor_err *err)
{
        auto_str text = NULL;
        size_t n;

        if (registry_new(&c->config, args[0], NULL, &c->registry, err) < 0 ||
            registry_search(c->registry, args[1], 25, &text, &n, err) < 0)
                return -1;
        puts(text);
        return 0;
}

static int do_exists(struct context *c, char **args, struct cor_err *err)
{
        struct digest d;
        int64_t size = 0;
        int r;

        if (open_registry(c, args[0], err) < 0 || digest_parse(args[1], &d, err) < 0)
                return -1;
        r = registry_blob_exists(c->registry, &d, &size, err);
        if (r < 0)
                return -1;
        printf("%d %lld\n", r, (long long)size);
        return 0;
}

static int do_hosts(struct context *c, char **args, struct cor_err *err)
{
        struct registry_host *hosts;
        size_t n;

        if (registry_config_hosts(&c->config, args[0], &hosts, &n, err) < 0)
                return -1;
        for (size_t i = 0; i < n; i++)
                printf("%s%s%s%s%s%s%s\n", hosts[i].url, hosts[i].pull ? " pull" : "",
                       hosts[i].resolve ? " resolve" : "", hosts[i].push ? " push" : "",
                       hosts[i].skip_verify ? " skip_verify" : "", hosts[i].plain_fallback ? " plain" : "",
                       hosts[i].override_path ? " override" : "");
        registry_hosts_free(hosts, n);
        return 0;
}

static const struct {
        const char *name;
        int n_args; /* at least */
        int (*run)(struct context *c, char **args, struct cor_err *err);
} commands[] = {
        { "auth", 1, do_auth },     { "blobs", 4, do_blobs },         { "exists", 2, do_exists },
        { "head", 2, do_head },     { "hosts", 1, do_hosts },         { "login", 3, do_login },
        { "logout", 1, do_logout }, { "manifest", 2, do_manifest },   { "mount", 3, do_mount },
        { "put", 4, do_put },       { "referrers", 2, do_referrers }, { "search", 2, do_search },
        { "upload", 2, do_upload },
};

static int env_number(const char *name, int *ret)
{
        return getenv(name) ? cor_parse_i32(getenv(name), ret) : 0;
}

int main(int argc, char **argv)
{
        struct context c = { 0 };
        struct cor_err err = { 0 };
        int r = -1;

        signal(SIGPIPE, SIG_IGN);
        if (getenv("DEBUG") && cor_log_open(NULL, COR_LOG_TEXT, COR_LOG_DEBUG, &err) < 0)
                return 1;
        if (registry_config_load(&c.config, &err) < 0 || env_number("STALL_MS", &c.config.stall_ms) < 0 ||
            env_number("ATTEMPTS", &c.config.max_attempts) < 0) {
                fprintf(stderr, "%s\n", err.msg);
                return 1;
        }
        for (size_t i = 0; argc > 1 && i < COR_COUNT(commands); i++)
                if (strcmp(argv[1], commands[i].name) == 0 && argc - 2 >= commands[i].n_args)
                        r = commands[i].run(&c, argv + 2, &err);
        if (r < 0)
                fprintf(stderr, "error %d: %s\n", (int)err.kind,
                        err.kind ? err.msg : "usage: registry COMMAND ARGUMENT...");
        registry_free(c.registry);
        registry_config_done(&c.config);
        return r < 0 ? 1 : 0;
}

/*
 * Drives src/registry for the tests: registry COMMAND ARGUMENT... (see the table at the end). Prints results on stdout,
 * an error on stderr with status 1. Environment: STALL_MS, ATTEMPTS, and what registry_config_load() looks at.
 */
#include "registry/registry.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/text.h"
#include "store/hash.h"

#include <errno.h>
#include <fcntl.h>
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
        return registry_new(&c->config, c->domain, c->path, &c->registry, err);
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

/* ------------------------------------------------------------------------------------------------------------
 * downloads */

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
        { "manifest", 2, do_manifest }, { "head", 2, do_head },   { "blobs", 4, do_blobs },
        { "exists", 2, do_exists },     { "hosts", 1, do_hosts },
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

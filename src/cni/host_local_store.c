#include "cni/host_local.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/lock.h"

#define DATA_DIR "/var/lib/cni/networks"
#define BREAK    "\r\n" /* between container id and interface */
enum { LOCK_MS = 60000, FILE_MAX_BYTES = 256 << 10 /* more than a variable of the environment may have */ };

void address_store_done(struct address_store *s)
{
        cor_fd_close(&s->lock);
        cor_fd_close(&s->dir);
}

int address_store_open(struct address_store *s, const char *data_dir, const char *network, bool make,
                       struct cor_err *err)
{
        auto_str path = cor_printf("%s/%s", data_dir && *data_dir ? data_dir : DATA_DIR, network);

        if (make && cor_mkdirs(path, 0755, err) < 0)
                return cor_wrap(err, "ipam.dataDir");
        s->dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (s->dir < 0)
                return errno == ENOENT && !make ? 0 : cor_fail_errno(err, "ipam.dataDir: open %s", path);
        s->lock = cor_lock_file(s->dir, "lock", LOCK_MS, err);
        return s->lock < 0 ? cor_wrap(err, "ipam.dataDir: %s", path) : 1;
}

static bool is_used(struct address_store *s, const char *file)
{
        struct stat st;

        return fstatat(s->dir, file, &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_size > 0;
}

bool address_store_is_free(struct address_store *s, const struct ip *a)
{
        char file[IP_TEXT_BYTES];

        return !is_used(s, ip_text(a, file));
}

static void last_name(size_t pool, char *buf, size_t size)
{
        snprintf(buf, size, "last_reserved_ip.%zu", pool);
}

int address_store_reserve(struct address_store *s, size_t pool, const struct ip *a, const char *container_id,
                          const char *ifname, struct cor_err *err)
{
        auto_str owner = cor_printf("%s" BREAK "%s", container_id, ifname);
        char file[IP_TEXT_BYTES];
        char last[64];

        if (is_used(s, ip_text(a, file)))
                return 0;
        if (cor_own_write(s->dir, file, owner, strlen(owner), 0600, false, err) < 0)
                return cor_wrap(err, "ipam.dataDir");
        last_name(pool, last, sizeof last);
        if (cor_own_write(s->dir, last, file, strlen(file), 0600, false, err) < 0)
                return cor_wrap(err, "ipam.dataDir");
        return 1;
}

bool address_store_last(struct address_store *s, size_t pool, struct ip *ret)
{
        auto_str text = NULL;
        char name[64];
        size_t n;

        last_name(pool, name, sizeof name);
        return cor_own_read(s->dir, name, FILE_MAX_BYTES, &text, &n, NULL) == 0 && ip_parse(text, ret) == 0;
}

/* The two lines of a file, as far as they are there, without what is around them. */
static void split_owner(char *text, const char **ret_id, const char **ret_ifname)
{
        char *end = text + strlen(text);
        char *brk;

        while (end > text && strchr(" \t\r\n", end[-1]))
                *--end = '\0';
        brk = strstr(text, BREAK);
        *ret_ifname = brk ? brk + strlen(BREAK) : NULL;
        if (brk)
                *brk = '\0';
        *ret_id = text;
}

static int visit(struct address_store *s, const char *file, address_store_fn *fn, void *data, struct cor_err *err)
{
        auto_str text = NULL;
        const char *id, *ifname;
        struct ip a;
        size_t n;

        /* One that cannot be read is not ours to judge. */
        if (ip_parse(file, &a) < 0 || cor_own_read(s->dir, file, FILE_MAX_BYTES, &text, &n, NULL) < 0 || n == 0)
                return 0;
        split_owner(text, &id, &ifname);
        return fn(s, file, &a, id, ifname, data, err);
}

static void close_dir(DIR **d)
{
        if (*d)
                closedir(*d);
}

int address_store_each(struct address_store *s, address_store_fn *fn, void *data, struct cor_err *err)
{
        auto_fd copy = openat(s->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        COR_CLEANUP(close_dir) DIR *d = copy < 0 ? NULL : fdopendir(copy);

        if (!d)
                return cor_fail_errno(err, "ipam.dataDir: list its files");
        (void)cor_fd_take(&copy);
        for (;;) {
                const struct dirent *e;

                errno = 0;
                e = readdir(d);
                if (!e)
                        return errno ? cor_fail_errno(err, "ipam.dataDir: list its files") : 0;
                if (visit(s, e->d_name, fn, data, err) < 0)
                        return -1;
        }
}

struct release {
        const char *container_id, *ifname; /* ifname NULL: files of very old versions */
        int n;
};

static int release(struct address_store *s, const char *file, const struct ip *a, const char *container_id,
                   const char *ifname, void *data, struct cor_err *err)
{
        struct release *r = data;

        (void)a;
        if (strcmp(container_id, r->container_id) != 0 || !cor_streq(ifname, r->ifname))
                return 0;
        if (unlinkat(s->dir, file, 0) < 0 && errno != ENOENT)
                return cor_fail_errno(err, "ipam.dataDir: remove %s", file);
        r->n++;
        return 0;
}

int address_store_release(struct address_store *s, const char *container_id, const char *ifname, struct cor_err *err)
{
        struct release r = { .container_id = container_id, .ifname = ifname };

        if (address_store_each(s, release, &r, err) < 0)
                return -1;
        if (r.n > 0)
                return r.n;
        r.ifname = NULL;
        return address_store_each(s, release, &r, err) < 0 ? -1 : r.n;
}

/* Devices of the host, and who may use them: `linux.devices`, `linux.resources.devices`. */
#include "engine/spec_internal.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

enum { DEVICES_MAX = 65536, DEPTH_MAX = 16 };

/* What all containers may use: full, null, urandom, random, tty, console; and never fuse. */
static const struct {
        bool allow;
        int major, minor;
} default_rules[] = {
        { true, 1, 5 }, { true, 1, 3 }, { true, 1, 9 },     { true, 1, 8 },
        { true, 5, 0 }, { true, 5, 1 }, { false, 10, 229 },
};

void spec_add_device_rule(struct spec *s, bool allow, int type, int64_t major, int64_t minor, const char *access)
{
        struct oci_resources *r = s->c->linux_->resources;
        struct oci_device_rule *rule = SPEC_GROW(s->c, r->devices, r->n_devices);

        *rule = (struct oci_device_rule){ .allow = allow, .type = type, .access = access };
        if (type != 'a' || major >= 0)
                rule->major = (struct cor_opt_i64){ true, major };
        if (type != 'a' || minor >= 0)
                rule->minor = (struct cor_opt_i64){ true, minor };
}

static void add_default_rules(struct spec *s)
{
        spec_add_device_rule(s, false, 'a', -1, -1, "rwm");
        for (size_t i = 0; i < COR_COUNT(default_rules); i++)
                spec_add_device_rule(s, default_rules[i].allow, 'c', default_rules[i].major, default_rules[i].minor,
                                     "rwm");
}

/* --- devices of the host ----------------------------------------------------------------------------------------- */

/* Devices that the runtime gives to every container. */
static bool is_given(const char *path)
{
        static const char *const given[] = { "/dev/null", "/dev/zero",    "/dev/full", "/dev/random",
                                             "/dev/tty",  "/dev/urandom", "/dev/ptmx", "/dev/console" };

        for (size_t i = 0; i < COR_COUNT(given); i++)
                if (strcmp(given[i], path) == 0)
                        return true;
        return false;
}

/* Without the right to make devices they are bound from the host. */
static void bind_device(struct spec *s, const char *from, const char *to)
{
        struct oci_mount *m = spec_mount_add(s, to, "bind", from);

        spec_mount_option(s, m, "bind");
        spec_mount_option(s, m, "nosuid");
        spec_mount_option(s, m, "noexec");
}

static int add_device(struct spec *s, const char *from, const char *to, const char *access, const struct stat *st,
                      struct cor_err *err)
{
        struct oci_linux *l = s->c->linux_;
        int type = S_ISBLK(st->st_mode) ? 'b' : 'c';
        struct oci_device *d;

        if (l->n_devices >= DEVICES_MAX)
                return cor_fail(err, COR_INVALID, "more than %d devices", (int)DEVICES_MAX);
        if (access)
                spec_add_device_rule(s, true, type, major(st->st_rdev), minor(st->st_rdev), access);
        if ((s->rootless || s->mapped) && is_given(to))
                return 0;
        if (s->rootless || s->mapped) {
                bind_device(s, spec_strdup(s, from), spec_strdup(s, to));
                return 0;
        }
        d = SPEC_GROW(s->c, l->devices, l->n_devices);
        *d = (struct oci_device){
                .path = spec_strdup(s, to),
                .type = (int)(st->st_mode & S_IFMT),
                .major = major(st->st_rdev),
                .minor = minor(st->st_rdev),
                .file_mode = { true, st->st_mode & 07777 },
                .uid = { true, st->st_uid },
                .gid = { true, st->st_gid },
        };
        return 0;
}

static bool is_device(const struct stat *st)
{
        return S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode);
}

typedef bool skip_fn(const char *name);

/* All devices in @from and below it; what comes and goes meanwhile is none. */
static int add_folder(struct spec *s, const char *from, const char *to, const char *access, skip_fn *skip, int depth,
                      struct cor_err *err)
{
        DIR *dir = opendir(from);
        struct dirent *e;
        int r = 0;

        while (dir && r == 0 && (e = readdir(dir)) != NULL) {
                auto_str below = cor_printf("%s/%s", from, e->d_name);
                auto_str target = cor_printf("%s/%s", to, e->d_name);
                struct stat st;

                if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0 || (skip && skip(e->d_name)) ||
                    lstat(below, &st) < 0)
                        continue;
                if (S_ISDIR(st.st_mode) && depth < DEPTH_MAX)
                        r = add_folder(s, below, target, access, skip, depth + 1, err);
                else if (is_device(&st))
                        r = add_device(s, below, target, access, &st, err);
        }
        if (dir)
                closedir(dir);
        return r;
}

int spec_add_device(struct spec *s, const char *from, const char *to, const char *access, struct cor_err *err)
{
        struct oci_linux *l = s->c->linux_;
        size_t before = l->n_devices + s->c->n_mounts;
        struct stat st;

        if (stat(from, &st) < 0) /* links are followed: /dev/disk/by-id/… */
                return cor_fail_errno(err, "error gathering device information while adding custom device \"%s\"",
                                      from);
        if (is_device(&st))
                return add_device(s, from, to, access, &st, err);
        if (S_ISDIR(st.st_mode) && add_folder(s, from, to, access, NULL, 0, err) < 0)
                return -1;
        if (l->n_devices + s->c->n_mounts == before)
                return cor_fail(err, COR_INVALID,
                                "error gathering device information while adding custom device \"%s\": not a device "
                                "node",
                                from);
        return 0;
}

/* What a privileged container gets its own of, or has no use for. */
static bool skip_private(const char *name)
{
        static const char *const own[] = { "pts", "shm", "fd", "mqueue", ".lxc", ".lxd-mounts", ".udev", "console" };

        for (size_t i = 0; i < COR_COUNT(own); i++)
                if (strcmp(name, own[i]) == 0)
                        return true;
        return false;
}

static int add_privileged(struct spec *s, struct cor_err *err)
{
        struct oci_resources *r = s->c->linux_->resources;

        if (add_folder(s, "/dev", "/dev", NULL, skip_private, 0, err) < 0)
                return -1;
        for (size_t i = 0; i < s->host->n_devices; i++) {
                const struct docker_device *d = &s->host->devices[i];

                if (!cor_streq(d->path_on_host, d->path_in_container) &&
                    spec_add_device(s, d->path_on_host, d->path_in_container, NULL, err) < 0)
                        return -1;
        }
        r->n_devices = 0;
        spec_add_device_rule(s, true, 'a', -1, -1, "rwm");
        return 0;
}

/* --- --device-cgroup-rule ---------------------------------------------------------------------------------------- */

/* "c 1:3 rwm", "a *:* m" */
int spec_parse_device_rule(const char *text, struct oci_device_rule *ret, struct cor_err *err)
{
        auto_str copy = cor_strdup(text);
        char *cursor = copy, *type = cor_split_next(&cursor, ' '), *major = cor_split_next(&cursor, ':'),
             *minor = cor_split_next(&cursor, ' '), *access = cursor;
        struct oci_device_rule r = { .allow = true, .major = { true, -1 }, .minor = { true, -1 } };
        size_t n = access ? strlen(access) : 0;

        if (!type || strlen(type) != 1 || !strchr("acb", *type) || !major || !minor || n < 1 || n > 3 ||
            strspn(access, "rwm") != n)
                return cor_fail(err, COR_INVALID, "invalid device cgroup rule format: '%.200s'", text);
        r.type = (unsigned char)*type;
        if (strcmp(major, "*") != 0 && (cor_parse_i64(major, &r.major.value) < 0 || r.major.value < 0))
                return cor_fail(err, COR_INVALID, "invalid major value in device cgroup rule format: '%.200s'", text);
        if (strcmp(minor, "*") != 0 && (cor_parse_i64(minor, &r.minor.value) < 0 || r.minor.value < 0))
                return cor_fail(err, COR_INVALID, "invalid minor value in device cgroup rule format: '%.200s'", text);
        r.access = strchr(access, 'r')   ? strchr(access, 'w')   ? strchr(access, 'm') ? "rwm" : "rw"
                                           : strchr(access, 'm') ? "rm"
                                                                 : "r"
                   : strchr(access, 'w') ? strchr(access, 'm') ? "wm" : "w"
                                         : "m";
        *ret = r;
        return 0;
}

static int add_cgroup_rules(struct spec *s, struct cor_err *err)
{
        struct oci_resources *r = s->c->linux_->resources;

        for (size_t i = 0; i < s->host->n_device_cgroup_rules; i++)
                if (spec_parse_device_rule(s->host->device_cgroup_rules[i], SPEC_GROW(s->c, r->devices, r->n_devices),
                                           err) < 0)
                        return -1;
        return 0;
}

static int add_devices(struct spec *s, struct cor_err *err)
{
        for (size_t i = 0; i < s->host->n_devices; i++) {
                const struct docker_device *d = &s->host->devices[i];

                if (spec_add_device(s, d->path_on_host, d->path_in_container, d->cgroup_permissions, err) < 0)
                        return -1;
        }
        return add_cgroup_rules(s, err);
}

int spec_make_devices(struct spec *s, struct cor_err *err)
{
        add_default_rules(s);
        if ((s->host->privileged ? add_privileged(s, err) : add_devices(s, err)) < 0)
                return -1;
        if (spec_make_requested_devices(s, err) < 0)
                return -1;
        if (s->rootless) /* nobody but root limits devices, nor does anybody need to: none can be made */
                s->c->linux_->resources->n_devices = 0;
        return 0;
}

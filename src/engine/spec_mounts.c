/* `mounts` of config.json: what all containers have, then what this one asks for. */
#include "engine/spec_internal.h"

#include "base/process.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

enum { TTY_GROUP = 5 };

static const char *const proc[] = { "nosuid", "noexec", "nodev" };
static const char *const dev[] = { "nosuid", "strictatime", "mode=755", "size=65536k" };
static const char *const pts[] = { "nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5" };
static const char *const sys[] = { "nosuid", "noexec", "nodev", "ro" };
static const char *const cgroup[] = { "ro", "nosuid", "noexec", "nodev" };
static const char *const mqueue[] = { "nosuid", "noexec", "nodev" };
static const char *const shm[] = { "nosuid", "noexec", "nodev", "mode=1777" };

#define OPTIONS(LIST) (LIST), COR_COUNT(LIST)
static const struct {
        const char *destination, *type, *source;
        const char *const *options;
        size_t n_options;
} defaults[] = {
        { "/proc", "proc", "proc", OPTIONS(proc) },
        { "/dev", "tmpfs", "tmpfs", OPTIONS(dev) },
        { "/dev/pts", "devpts", "devpts", OPTIONS(pts) },
        { "/sys", "sysfs", "sysfs", OPTIONS(sys) },
        { "/sys/fs/cgroup", "cgroup", "cgroup", OPTIONS(cgroup) },
        { "/dev/mqueue", "mqueue", "mqueue", OPTIONS(mqueue) },
        { "/dev/shm", "tmpfs", "shm", OPTIONS(shm) },
};

struct oci_mount *spec_mount_add(struct spec *s, const char *destination, const char *type, const char *source)
{
        struct oci_mount *m = SPEC_GROW(s->c, s->c->mounts, s->c->n_mounts);

        *m = (struct oci_mount){ .destination = destination, .type = type, .source = source };
        return m;
}

void spec_mount_option(struct spec *s, struct oci_mount *m, const char *option)
{
        spec_add(s, &m->options, &m->n_options, option);
}

void spec_map_mount(struct spec *s, struct oci_mount *m)
{
        if (!s->mapped || s->rootless)
                return;
        m->uid_mappings = s->ids.uids;
        m->n_uid_mappings = s->ids.n_uids;
        m->gid_mappings = s->ids.gids;
        m->n_gid_mappings = s->ids.n_gids;
}

static bool has_option(const struct oci_mount *m, const char *option)
{
        for (size_t i = 0; i < m->n_options; i++)
                if (strcmp(m->options[i], option) == 0)
                        return true;
        return false;
}

static void drop_option(struct oci_mount *m, const char *option)
{
        size_t n = 0;

        for (size_t i = 0; i < m->n_options; i++)
                if (strcmp(m->options[i], option) != 0)
                        m->options[n++] = m->options[i];
        m->n_options = n;
}

/* Something of the user's is at @path. */
static bool is_users(const struct spec *s, const char *path)
{
        for (size_t i = 0; i < s->n_points; i++)
                if (strcmp(s->points[i].destination, path) == 0)
                        return true;
        return false;
}

static bool is_wanted(const struct spec *s, const char *path)
{
        if (is_users(s, path) || (cor_starts_with(path, "/dev/") && is_users(s, "/dev")))
                return false;
        return strcmp(path, "/dev/shm") != 0 || !spec_is(s->host->ipc_mode, "none");
}

/*
 * Of namespaces that belong to the host a user can make no file systems: what the host has mounted is bound in their
 * place.
 */
static bool needs_host_mount(const struct spec *s, const char *type)
{
        const struct docker_host_config *h = s->host;

        if (!s->rootless && !s->mapped)
                return false;
        return (strcmp(type, "sysfs") == 0 && spec_is(h->network_mode, "host")) ||
               (strcmp(type, "proc") == 0 && spec_is(h->pid_mode, "host")) ||
               (strcmp(type, "mqueue") == 0 && spec_is(h->ipc_mode, "host"));
}

static void bind_host_mount(struct spec *s, struct oci_mount *m)
{
        m->source = m->destination;
        m->type = "bind";
        spec_mount_option(s, m, "rbind");
}

static void add_defaults(struct spec *s)
{
        for (size_t i = 0; i < COR_COUNT(defaults); i++) {
                struct oci_mount *m;

                if (!is_wanted(s, defaults[i].destination) ||
                    (needs_host_mount(s, defaults[i].type) && access(defaults[i].destination, F_OK) < 0))
                        continue;
                m = spec_mount_add(s, defaults[i].destination, defaults[i].type, defaults[i].source);
                for (size_t k = 0; k < defaults[i].n_options; k++)
                        spec_mount_option(s, m, defaults[i].options[k]);
                if (needs_host_mount(s, defaults[i].type))
                        bind_host_mount(s, m);
                if (strcmp(m->destination, "/dev/shm") == 0)
                        spec_mount_option(s, m, spec_printf(s, "size=%" PRId64, s->host->shm_size));
                if (strcmp(m->destination, "/dev/pts") == 0 && s->mapped &&
                    !idmap_to_host(s->ids.gids, s->ids.n_gids, TTY_GROUP, &(uint32_t){ 0 }))
                        drop_option(m, "gid=5");
        }
}

/* An init of our own in front makes sense only where the container's processes have no other. */
bool spec_wants_init(const struct spec *s)
{
        return s->host->init.set && s->host->init.value && !spec_is(s->host->pid_mode, "host") &&
               !spec_container_of(s->host->pid_mode);
}

static int add_init(struct spec *s, struct cor_err *err)
{
        auto_str path = cor_libexec_path("coracle-init");
        struct oci_mount *m;

        if (access(path, X_OK) < 0)
                return cor_fail_errno(err, "--init: %s", path);
        m = spec_mount_add(s, SPEC_INIT, "bind", spec_strdup(s, path));
        spec_mount_option(s, m, "bind");
        spec_mount_option(s, m, "ro");
        return 0;
}

/* What is the system's own becomes read-only with the root; where programs have to write stays as it is. */
static void make_readonly(struct spec *s)
{
        static const char *const writable[] = { "/proc", "/dev/pts", "/dev/shm", "/dev/mqueue", "/dev" };

        for (size_t i = 0; i < s->c->n_mounts; i++) {
                struct oci_mount *m = &s->c->mounts[i];
                bool keep = is_users(s, m->destination) || has_option(m, "ro");

                for (size_t k = 0; k < COR_COUNT(writable); k++)
                        keep = keep || strcmp(m->destination, writable[k]) == 0;
                if (!keep)
                        spec_mount_option(s, m, "ro");
        }
}

static int make_writable(struct spec *s, struct cor_err *err)
{
        bool cgroups = s->host->privileged;

        if (s->security.writable_cgroups_set) {
                if (s->rootless || s->mapped)
                        return cor_fail(err, COR_INVALID,
                                        "option WritableCgroups conflicts with user namespaces and rootless mode");
                cgroups = s->security.writable_cgroups;
        }
        for (size_t i = 0; i < s->c->n_mounts; i++) {
                struct oci_mount *m = &s->c->mounts[i];

                if ((s->host->privileged && strcmp(m->destination, "/sys") == 0) ||
                    (cgroups && cor_streq(m->type, "cgroup")))
                        drop_option(m, "ro");
        }
        return 0;
}

int spec_make_mounts(struct spec *s, struct cor_err *err)
{
        add_defaults(s);
        if (spec_wants_init(s) && add_init(s, err) < 0)
                return -1;
        if (spec_add_points(s, err) < 0)
                return -1;
        if (s->host->readonly_rootfs)
                make_readonly(s);
        return make_writable(s, err);
}

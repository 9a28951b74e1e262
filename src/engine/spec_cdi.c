/* Devices of CDI, and requests for processors of graphics, which are such devices: their edits of config.json. */
#include "engine/spec_internal.h"

#include "engine/cdi.h"

#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

/* --- one edit ---------------------------------------------------------------------------------------------------- */

static void edit_env(struct spec *s, const char *entry)
{
        struct oci_process *p = s->c->process;
        size_t name = strcspn(entry, "=");

        for (size_t i = 0; i < p->n_env; i++)
                if (strncmp(p->env[i], entry, name + 1) == 0) {
                        p->env[i] = spec_strdup(s, entry);
                        return;
                }
        spec_add(s, &p->env, &p->n_env, spec_strdup(s, entry));
}

/* Type and numbers that the file does not tell are the host's. */
static int look_up(const struct cdi_node *n, struct oci_device *d, struct cor_err *err)
{
        const char *path = spec_empty(n->host_path) ? n->path : n->host_path;
        struct stat st;

        if (!spec_empty(n->type) && (n->major.set || *n->type == 'p')) {
                d->type = *n->type == 'b' ? S_IFBLK : *n->type == 'p' ? S_IFIFO : S_IFCHR;
                d->major = n->major.value;
                d->minor = n->minor.value;
                return 0;
        }
        if (stat(path, &st) < 0)
                return cor_fail_errno(err, "CDI device injection failed: %s", path);
        if (!S_ISCHR(st.st_mode) && !S_ISBLK(st.st_mode))
                return cor_fail(err, COR_INVALID, "CDI device injection failed: %s is no device", path);
        d->type = (int)(st.st_mode & S_IFMT);
        d->major = major(st.st_rdev);
        d->minor = minor(st.st_rdev);
        return 0;
}

static void put_device(struct spec *s, const struct oci_device *d)
{
        struct oci_linux *l = s->c->linux_;

        for (size_t i = 0; i < l->n_devices; i++)
                if (strcmp(l->devices[i].path, d->path) == 0) {
                        l->devices[i] = *d;
                        return;
                }
        *SPEC_GROW(s->c, l->devices, l->n_devices) = *d;
}

static int edit_node(struct spec *s, const struct cdi_node *n, struct cor_err *err)
{
        const struct oci_user *u = &s->c->process->user;
        struct oci_device d = { .file_mode = n->file_mode, .uid = n->uid, .gid = n->gid };
        const char *access = spec_empty(n->permissions) ? "rwm" : spec_strdup(s, n->permissions);

        if (s->rootless || s->mapped)
                return spec_add_device(s, spec_empty(n->host_path) ? n->path : n->host_path, n->path,
                                       s->rootless ? NULL : access, err);
        if (look_up(n, &d, err) < 0)
                return -1;
        d.path = spec_strdup(s, n->path);
        if (!d.uid.set && u->uid > 0)
                d.uid = (struct cor_opt_u64){ true, u->uid };
        if (!d.gid.set && u->gid > 0)
                d.gid = (struct cor_opt_u64){ true, u->gid };
        put_device(s, &d);
        if (d.type != S_IFIFO)
                spec_add_device_rule(s, true, d.type == S_IFBLK ? 'b' : 'c', d.major, d.minor, access);
        return 0;
}

static void edit_mount(struct spec *s, const struct cdi_mount *m)
{
        const char *to = spec_strdup(s, m->container_path);
        struct oci_mount *mount = NULL;

        for (size_t i = 0; i < s->c->n_mounts; i++)
                if (strcmp(s->c->mounts[i].destination, to) == 0)
                        mount = &s->c->mounts[i];
        if (!mount)
                mount = spec_mount_add(s, to, NULL, NULL);
        *mount = (struct oci_mount){ .destination = to };
        mount->source = spec_strdup(s, m->host_path);
        mount->type = spec_empty(m->type) ? "bind" : spec_strdup(s, m->type);
        for (size_t i = 0; i < m->n_options; i++)
                spec_mount_option(s, mount, spec_strdup(s, m->options[i]));
}

static void copy_words(struct spec *s, const char *const *from, size_t n, const char ***items, size_t *n_items)
{
        for (size_t i = 0; i < n; i++)
                spec_add(s, items, n_items, spec_strdup(s, from[i]));
}

static int edit_hook(struct spec *s, const struct cdi_hook *h, struct cor_err *err)
{
        struct oci_hooks *hooks = s->c->hooks ? s->c->hooks : cor_json_alloc(s->c, sizeof *hooks);
        struct oci_hook hook = { .path = spec_strdup(s, h->hook.path), .timeout = h->hook.timeout };

        copy_words(s, h->hook.args, h->hook.n_args, &hook.args, &hook.n_args);
        copy_words(s, h->hook.env, h->hook.n_env, &hook.env, &hook.n_env);
        s->c->hooks = hooks;
#define PUT(NAME, M)                                                                                                   \
        if (strcmp(h->hook_name, NAME) == 0) {                                                                         \
                *SPEC_GROW(s->c, hooks->M, hooks->n_##M) = hook;                                                       \
                return 0;                                                                                              \
        }
        PUT("prestart", prestart)
        PUT("createRuntime", create_runtime)
        PUT("createContainer", create_container)
        PUT("startContainer", start_container)
        PUT("poststart", poststart)
        PUT("poststop", poststop)
#undef PUT
        return cor_fail(err, COR_INVALID, "CDI device injection failed: there is no hook named \"%.60s\"",
                        h->hook_name);
}

static void edit_gids(struct spec *s, const struct cdi_edits *e)
{
        struct oci_user *u = &s->c->process->user;
        uint32_t *all = cor_json_alloc(s->c, (u->n_additional_gids + e->n_additional_gids) * sizeof *all);

        if (u->n_additional_gids > 0)
                memcpy(all, u->additional_gids, u->n_additional_gids * sizeof *all);
        for (size_t i = 0; i < e->n_additional_gids; i++)
                all[u->n_additional_gids + i] = e->additional_gids[i];
        u->additional_gids = all;
        u->n_additional_gids += e->n_additional_gids;
}

static int apply(struct spec *s, const struct cdi_edits *e, struct cor_err *err)
{
        struct oci_linux *l = s->c->linux_;

        for (size_t i = 0; i < e->n_env; i++)
                edit_env(s, e->env[i]);
        for (size_t i = 0; i < e->n_device_nodes; i++)
                if (edit_node(s, &e->device_nodes[i], err) < 0)
                        return -1;
        for (size_t i = 0; i < e->n_mounts; i++)
                edit_mount(s, &e->mounts[i]);
        for (size_t i = 0; i < e->n_hooks; i++)
                if (edit_hook(s, &e->hooks[i], err) < 0)
                        return -1;
        for (size_t i = 0; i < e->n_net_devices; i++)
                *SPEC_GROW(s->c, l->net_devices, l->n_net_devices) = (struct oci_net_device){
                        .host_name = spec_strdup(s, e->net_devices[i].host_interface_name),
                        .name = spec_copy(s->c, e->net_devices[i].name),
                };
        edit_gids(s, e);
        return 0;
}

/* --- requests ---------------------------------------------------------------------------------------------------- */

struct injection {
        struct cdi_registry registry;
        const struct cdi_spec **seen; /* what holds for all devices of a file holds once */
        size_t n_seen;
};

static int inject(struct spec *s, struct injection *in, const char *name, struct cor_err *err)
{
        const struct cdi_device *device;
        const struct cdi_spec *file;
        bool seen = false;

        if (cdi_find(&in->registry, name, &file, &device, err) < 0)
                return -1;
        for (size_t i = 0; i < in->n_seen; i++)
                seen = seen || in->seen[i] == file;
        if (!seen) {
                *COR_GROW(in->seen, in->n_seen) = file;
                if (apply(s, &file->edits, err) < 0)
                        return -1;
        }
        return apply(s, &device->edits, err);
}

static bool wants_gpu(const struct docker_device_request *r)
{
        for (size_t i = 0; i < r->n_capabilities; i++)
                for (size_t k = 0; k < r->capabilities[i].n_items; k++)
                        if (strcmp(r->capabilities[i].items[k], "gpu") == 0)
                                return true;
        return false;
}

/* The words of docker's error: [[gpu utility] [x]] */
static int no_driver(const struct docker_device_request *r, struct cor_err *err)
{
        auto_text t = COR_TEXT_INIT;

        for (size_t i = 0; i < r->n_capabilities; i++) {
                cor_text_add(&t, i ? " [" : "[");
                for (size_t k = 0; k < r->capabilities[i].n_items; k++)
                        cor_text_printf(&t, "%s%s", k ? " " : "", r->capabilities[i].items[k]);
                cor_text_add_c(&t, ']');
        }
        return cor_fail(err, COR_NOT_FOUND, "could not select device driver \"%.40s\" with capabilities: [%.200s]",
                        r->driver ? r->driver : "", t.s ? t.s : "");
}

static int inject_gpus(struct spec *s, struct injection *in, const struct docker_device_request *r, struct cor_err *err)
{
        static const char *const kinds[] = { "nvidia.com/gpu", "amd.com/gpu" };
        const char *kind = NULL;

        for (size_t i = 0; i < COR_COUNT(kinds) && !kind; i++)
                if (cdi_has_kind(&in->registry, kinds[i]))
                        kind = kinds[i];
        if (!kind)
                return no_driver(r, err);
        for (size_t i = 0; i < r->n_device_ids; i++)
                if (inject(s, in, spec_printf(s, "%s=%s", kind, r->device_ids[i]), err) < 0)
                        return -1;
        if (r->n_device_ids == 0 && r->count < 0)
                return inject(s, in, spec_printf(s, "%s=all", kind), err);
        for (int64_t i = 0; r->n_device_ids == 0 && i < r->count; i++)
                if (inject(s, in, spec_printf(s, "%s=%" PRId64, kind, i), err) < 0)
                        return -1;
        return 0;
}

static int handle(struct spec *s, struct injection *in, const struct docker_device_request *r, struct cor_err *err)
{
        if (!spec_is(r->driver, "cdi")) {
                bool known = spec_empty(r->driver) || spec_is(r->driver, "nvidia") || spec_is(r->driver, "amd");

                return known && wants_gpu(r) ? inject_gpus(s, in, r, err) : no_driver(r, err);
        }
        if (r->count != 0)
                return cor_fail(err, COR_INVALID, "unexpected count in CDI device request");
        if (r->n_options > 0)
                return cor_fail(err, COR_INVALID, "unexpected options in CDI device request");
        for (size_t i = 0; i < r->n_device_ids; i++)
                if (inject(s, in, r->device_ids[i], err) < 0)
                        return -1;
        return 0;
}

int spec_make_requested_devices(struct spec *s, struct cor_err *err)
{
        struct injection in = { .n_seen = 0 };
        int r = 0;

        if (s->host->n_device_requests == 0)
                return 0;
        cdi_registry_read(&in.registry);
        if (in.registry.problem.kind != COR_OK)
                spec_warn(s->warnings, "CDI: %s", in.registry.problem.msg);
        for (size_t i = 0; r == 0 && i < s->host->n_device_requests; i++)
                r = handle(s, &in, &s->host->device_requests[i], err);
        cdi_registry_done(&in.registry);
        free(in.seen);
        return r;
}

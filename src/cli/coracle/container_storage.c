/* Flags of storage: -v, --mount, --tmpfs, --volumes-from, --storage-opt. */
#include "cli/coracle/container_words.h"

#include "base/file.h"
#include "cli/rune.h"

#include <ctype.h>
#include <string.h>

/* ---- -v ---- */

static int spec_wrong(const char *spec, const char *why, struct cor_err *err)
{
        return cor_fail(err, COR_INVALID, "invalid spec: %.200s: %s", spec, why);
}

/* The first colon that parts: one behind a single letter belongs to a drive of Windows, as docker's client reads it. */
static const char *next_colon(const char *s)
{
        const char *colon = strchr(s, ':');

        if (colon == s + 1 && isalpha((unsigned char)*s))
                colon = strchr(colon + 1, ':');
        return colon;
}

/* SOURCE:TARGET[:OPTIONS], or a target alone; *ret_target NULL: it is one */
static int cut_spec(const char *spec, const char **ret_target, struct cor_err *err)
{
        const char *colon, *c = spec;
        unsigned parts = 1;

        *ret_target = NULL;
        if (strlen(spec) <= 2)
                return *spec ? 0 : cor_fail(err, COR_INVALID, "invalid empty volume spec");
        for (;; c = colon + 1, parts++) {
                colon = next_colon(c);
                if (!*c || colon == c)
                        return spec_wrong(spec, "empty section between colons", err);
                if (parts == 2)
                        *ret_target = c;
                if (!colon)
                        return 0;
                if (parts == 3)
                        return spec_wrong(spec, "too many colons", err);
        }
}

static bool has_string(const char **items, size_t n, const char *s)
{
        for (size_t i = 0; i < n; i++)
                if (strcmp(items[i], s) == 0)
                        return true;
        return false;
}

static int add_volume(struct container_request *r, const char *spec, struct cor_err *err)
{
        struct docker_host_config *h = &r->host;
        struct docker_config *c = &r->config;
        const char *target;

        if (cut_spec(spec, &target, err) < 0)
                return -1;
        if (!target) {
                for (size_t i = 0; i < c->n_volumes; i++)
                        if (strcmp(c->volumes[i].key, spec) == 0)
                                return 0;
                REQUEST_GROW(r, c->volumes, c->n_volumes)->key = spec;
                return 0;
        }
        if (*spec == '.') { /* of the caller's folder */
                auto_str source = cor_strndup(spec, (size_t)(target - 1 - spec));
                auto_str path = NULL;

                if (cor_path_absolute(source, &path, err) < 0)
                        return -1;
                spec = request_printf(r, "%s:%s", path, target);
        }
        if (!has_string(h->binds, h->n_binds, spec))
                request_add(r, &h->binds, &h->n_binds, spec);
        return 0;
}

/* ---- --mount ---- */

struct mount_reader {
        struct container_request *request;
        struct docker_mount *mount;
        struct cor_err *err;
};

static int value_wrong(const struct mount_reader *m, const char *key, const char *value)
{
        return cor_fail(m->err, COR_INVALID, "invalid value for %s: %.100s", key, value);
}

static struct docker_mount_bind *bind_of(const struct mount_reader *m)
{
        if (!m->mount->bind_options)
                m->mount->bind_options = request_take(m->request, sizeof *m->mount->bind_options);
        return m->mount->bind_options;
}

static struct docker_mount_volume *volume_of(const struct mount_reader *m)
{
        if (!m->mount->volume_options)
                m->mount->volume_options = request_take(m->request, sizeof *m->mount->volume_options);
        return m->mount->volume_options;
}

static struct docker_mount_driver *driver_of(const struct mount_reader *m)
{
        struct docker_mount_volume *v = volume_of(m);

        if (!v->driver_config)
                v->driver_config = request_take(m->request, sizeof *v->driver_config);
        return v->driver_config;
}

static struct docker_mount_tmpfs *tmpfs_of(const struct mount_reader *m)
{
        if (!m->mount->tmpfs_options)
                m->mount->tmpfs_options = request_take(m->request, sizeof *m->mount->tmpfs_options);
        return m->mount->tmpfs_options;
}

static const char *lowered(struct container_request *r, const char *s)
{
        char *copy = request_text(r, s, strlen(s));

        for (char *c = copy; *c; c++)
                *c = (char)tolower((unsigned char)*c);
        return copy;
}

static int set_type(const struct mount_reader *m, const char *key, const char *value)
{
        (void)key;
        m->mount->type = lowered(m->request, value);
        return 0;
}

static int set_source(const struct mount_reader *m, const char *key, const char *value)
{
        auto_str path = NULL;

        (void)key;
        m->mount->source = value;
        if (*value != '.')
                return 0;
        if (cor_path_absolute(value, &path, m->err) < 0)
                return -1;
        m->mount->source = request_text(m->request, path, strlen(path));
        return 0;
}

static int set_target(const struct mount_reader *m, const char *key, const char *value)
{
        (void)key;
        m->mount->target = value;
        return 0;
}

static int set_readonly(const struct mount_reader *m, const char *key, const char *value)
{
        return words_bool(value, &m->mount->read_only) < 0 ? value_wrong(m, key, value) : 0;
}

static int set_consistency(const struct mount_reader *m, const char *key, const char *value)
{
        (void)key;
        m->mount->consistency = lowered(m->request, value);
        return 0;
}

static int set_propagation(const struct mount_reader *m, const char *key, const char *value)
{
        (void)key;
        bind_of(m)->propagation = lowered(m->request, value);
        return 0;
}

static int set_nonrecursive(const struct mount_reader *m, const char *key, const char *value)
{
        return words_bool(value, &bind_of(m)->non_recursive) < 0 ? value_wrong(m, key, value) : 0;
}

static int set_recursive(const struct mount_reader *m, const char *key, const char *value)
{
        if (strcmp(value, "enabled") == 0)
                return 0;
        if (strcmp(value, "disabled") == 0)
                bind_of(m)->non_recursive = true;
        else if (strcmp(value, "writable") == 0)
                bind_of(m)->read_only_non_recursive = true;
        else if (strcmp(value, "readonly") == 0)
                bind_of(m)->read_only_force_recursive = true;
        else
                return cor_fail(m->err, COR_INVALID,
                                "invalid value for %s: %.100s (must be \"enabled\", \"disabled\", \"writable\", or "
                                "\"readonly\")",
                                key, value);
        return 0;
}

static int set_create(const struct mount_reader *m, const char *key, const char *value)
{
        return words_bool(value, &bind_of(m)->create_mountpoint) < 0 ? value_wrong(m, key, value) : 0;
}

static int set_idmap(const struct mount_reader *m, const char *key, const char *value)
{
        return words_bool(value, &bind_of(m)->idmap) < 0 ? value_wrong(m, key, value) : 0;
}

static int set_volume_subpath(const struct mount_reader *m, const char *key, const char *value)
{
        (void)key;
        volume_of(m)->subpath = value;
        return 0;
}

static int set_nocopy(const struct mount_reader *m, const char *key, const char *value)
{
        return words_bool(value, &volume_of(m)->no_copy) < 0 ? value_wrong(m, key, value) : 0;
}

static int set_volume_label(const struct mount_reader *m, const char *key, const char *value)
{
        struct docker_mount_volume *v = volume_of(m);

        (void)key;
        if (*value && *value != '=')
                request_set_word(m->request, &v->labels, &v->n_labels, value);
        return 0;
}

static int set_volume_driver(const struct mount_reader *m, const char *key, const char *value)
{
        (void)key;
        driver_of(m)->name = value;
        return 0;
}

static int set_volume_option(const struct mount_reader *m, const char *key, const char *value)
{
        struct docker_mount_driver *d = driver_of(m);

        (void)key;
        if (*value && *value != '=')
                request_set_word(m->request, &d->options, &d->n_options, value);
        return 0;
}

static int set_image_subpath(const struct mount_reader *m, const char *key, const char *value)
{
        (void)key;
        if (!m->mount->image_options)
                m->mount->image_options = request_take(m->request, sizeof *m->mount->image_options);
        m->mount->image_options->subpath = value;
        return 0;
}

static int set_tmpfs_size(const struct mount_reader *m, const char *key, const char *value)
{
        return words_bytes(value, &tmpfs_of(m)->size_bytes, NULL) < 0 ? value_wrong(m, key, value) : 0;
}

static int set_tmpfs_mode(const struct mount_reader *m, const char *key, const char *value)
{
        uint64_t mode;

        if (words_u64(value, 8, 32, &mode, NULL) < 0)
                return value_wrong(m, key, value);
        tmpfs_of(m)->mode = (uint32_t)mode;
        return 0;
}

/* Keys; those of which the name alone will do stand for "true" then. */
static const struct mount_key {
        char name[18];
        bool alone;
        int (*set)(const struct mount_reader *m, const char *key, const char *value);
} mount_keys[] = {
        { "type", false, set_type },
        { "source", false, set_source },
        { "src", false, set_source },
        { "target", false, set_target },
        { "dst", false, set_target },
        { "destination", false, set_target },
        { "readonly", true, set_readonly },
        { "ro", true, set_readonly },
        { "consistency", false, set_consistency },
        { "bind-propagation", false, set_propagation },
        { "bind-nonrecursive", true, set_nonrecursive },
        { "bind-recursive", false, set_recursive },
        { "bind-create-src", true, set_create },
        { "idmap", true, set_idmap },
        { "volume-subpath", false, set_volume_subpath },
        { "volume-nocopy", true, set_nocopy },
        { "volume-label", false, set_volume_label },
        { "volume-driver", false, set_volume_driver },
        { "volume-opt", false, set_volume_option },
        { "image-subpath", false, set_image_subpath },
        { "tmpfs-size", false, set_tmpfs_size },
        { "tmpfs-mode", false, set_tmpfs_mode },
};

static int mount_field(const struct mount_reader *m, const char *field)
{
        const char *value, *key = lowered(m->request, request_cut(m->request, field, '=', &value));

        for (size_t i = 0; i < COR_COUNT(mount_keys); i++) {
                if (strcmp(mount_keys[i].name, key) != 0)
                        continue;
                if (!value && !mount_keys[i].alone)
                        break;
                return mount_keys[i].set(m, key, value ? value : "true");
        }
        if (!value)
                return cor_fail(m->err, COR_INVALID, "invalid field '%.100s' must be a key=value pair", field);
        return cor_fail(m->err, COR_INVALID, "unexpected key '%.100s' in '%.100s'", key, field);
}

static int check_kinds(const struct docker_mount *m, struct cor_err *err)
{
        const struct {
                bool given;
                char name[8];
        } kinds[] = { { m->volume_options != NULL, "volume" },
                      { m->image_options != NULL, "image" },
                      { m->bind_options != NULL, "bind" },
                      { m->tmpfs_options != NULL, "tmpfs" } };

        if (!*m->type)
                return cor_fail(err, COR_INVALID, "type is required");
        if (!m->target || !*m->target)
                return cor_fail(err, COR_INVALID, "target is required");
        for (size_t i = 0; i < COR_COUNT(kinds); i++)
                if (kinds[i].given && strcmp(m->type, kinds[i].name) != 0)
                        return cor_fail(err, COR_INVALID, "cannot mix '%s-*' options with mount type '%.50s'",
                                        kinds[i].name, m->type);
        return 0;
}

static int check_mount(const struct docker_mount *m, struct cor_err *err)
{
        const struct docker_mount_bind *b = m->bind_options;

        if (check_kinds(m, err) < 0)
                return -1;
        if (b && (b->read_only_non_recursive || b->read_only_force_recursive) && !m->read_only)
                return cor_fail(err, COR_INVALID,
                                "option 'bind-recursive=%s' requires 'readonly' to be specified in conjunction",
                                b->read_only_non_recursive ? "writable" : "readonly");
        if (b && b->read_only_force_recursive && !cor_streq(b->propagation, "rprivate"))
                return cor_fail(err, COR_INVALID,
                                "option 'bind-recursive=readonly' requires 'bind-propagation=rprivate' to be specified "
                                "in conjunction");
        return 0;
}

static int read_mount(struct container_request *r, const char *word, struct docker_mount *ret, struct cor_err *err)
{
        const struct mount_reader m = { .request = r, .mount = ret, .err = err };
        const char **fields = NULL;
        size_t n = 0;

        ret->type = "volume";
        if (words_csv(r, word, &fields, &n, err) < 0)
                return -1;
        for (size_t i = 0; i < n; i++)
                if (mount_field(&m, fields[i]) < 0)
                        return -1;
        return check_mount(ret, err);
}

/* ---- all of it ---- */

int container_storage(struct container_request *r, const struct container_flags *f, struct cor_err *err)
{
        struct docker_host_config *h = &r->host;

        for (size_t i = 0; i < f->volume.n_items; i++)
                if (add_volume(r, f->volume.items[i], err) < 0)
                        return -1;
        for (size_t i = 0; i < f->mount.n_items; i++) {
                struct docker_mount m = { 0 };
                struct cor_err why = { 0 };

                if (read_mount(r, f->mount.items[i], &m, &why) < 0)
                        return container_flag_wrong(err, "mount", f->mount.items[i], "%s", why.msg);
                *REQUEST_GROW(r, h->mounts, h->n_mounts) = m;
        }
        for (size_t i = 0; i < f->tmpfs.n_items; i++) {
                const char *options, *path = request_cut(r, f->tmpfs.items[i], ':', &options);

                request_set(r, &h->tmpfs, &h->n_tmpfs, path, options ? options : "");
        }
        for (size_t i = 0; i < f->storage_opt.n_items; i++) {
                if (!strchr(f->storage_opt.items[i], '='))
                        return cor_fail(err, COR_INVALID, "invalid storage option");
                request_set_word(r, &h->storage_opt, &h->n_storage_opt, f->storage_opt.items[i]);
        }
        request_add_all(r, &h->volumes_from, &h->n_volumes_from, &f->volumes_from);
        h->volume_driver = f->volume_driver;
        h->readonly_rootfs = f->read_only;
        return 0;
}

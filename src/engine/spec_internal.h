#ifndef CORACLE_ENGINE_SPEC_INTERNAL_H
#define CORACLE_ENGINE_SPEC_INTERNAL_H
/*
 * Shared by spec_*.c. Everything that a configuration in the making points to lives as long as its root, `c`; the
 * helpers below allocate there.
 */
#include "engine/spec.h"
#include "linux/idmap.h"
#include "spec/oci.h"

struct spec_security {
        bool no_new_privileges, writable_cgroups, writable_cgroups_set;
        const char *apparmor, *seccomp;         /* NULL: the default one */
        const char *user, *role, *type, *level; /* of the SELinux label; NULL: not given */
        bool label_disable;
};

#define SPEC_INIT "/sbin/docker-init" /* where --init has it in the container */

/* One thing that is mounted in a container: docker_mount_point, with what else a start has to know. */
struct spec_point {
        const char *type, *name, *source, *destination, *driver, *mode, *propagation;
        bool rw;
        bool no_copy, non_recursive, create_source, ro_non_recursive, ro_force_recursive;
        bool idmap; /* its ids are those of the image */
        const char *subpath;
        const char *data;    /* tmpfs: its options */
        const char **layers; /* image: folders of its layers, lowest first */
        size_t n_layers;
        bool anonymous;                           /* its volume's name is made up; not kept */
        const struct docker_mount_volume *volume; /* how to make it; not kept */
        bool inherited;                           /* --volumes-from; not kept */
};

struct spec {
        struct store *store;
        const struct container_row *row;
        const char *id;
        const struct docker_config *config;
        const struct docker_host_config *host;
        int root;             /* the container's root filesystem, or -1 */
        struct oci_config *c; /* the root of what is made */
        struct spec_security security;
        struct cor_strv *warnings; /* may be NULL */
        bool rootless;             /* not root of the initial user namespace */
        bool mapped;               /* the container has a user namespace beside ours; its map: */
        struct idmap ids;
        bool unified;              /* version 2 cgroups */
        uint64_t caps;             /* what the program gets */
        struct spec_point *points; /* of the container, in the order they were asked for */
        size_t n_points;
};

/* spec_other_runtime() - --runtime PATH: the container is not made by ours */
static inline bool spec_other_runtime(const struct spec *s)
{
        return s->host->runtime && s->host->runtime[0] == '/';
}

/* --- memory of the configuration --- */
char *spec_printf(struct spec *s, const char *fmt, ...) COR_PRINTF(2, 3) __attribute__((returns_nonnull));
const char *spec_strdup(struct spec *s, const char *text);
/* spec_copy() - @text in the memory of document @root; NULL for NULL */
char *spec_copy(void *root, const char *text);
/* spec_add() - append to a list of strings; @text is not copied */
void spec_add(struct spec *s, const char ***items, size_t *n, const char *text);
void *spec_grow(void *root, void *items, size_t n, size_t size) __attribute__((returns_nonnull));
/* SPEC_GROW() - like COR_GROW(), in the memory of document @root */
#define SPEC_GROW(root, items, n_items)                                                                                \
        ({                                                                                                             \
                (items) = spec_grow((root), (items), (n_items), sizeof *(items));                                      \
                &(items)[(n_items)++];                                                                                 \
        })
void spec_warn(struct cor_strv *warnings, const char *fmt, ...) COR_PRINTF(2, 3);

/* --- words --- */
/* spec_container_of() - NAME of "container:NAME", or NULL */
const char *spec_container_of(const char *mode);
static inline bool spec_is(const char *mode, const char *word)
{
        return cor_streq(mode, word);
}
static inline bool spec_empty(const char *s)
{
        return !s || !*s;
}
/* spec_parse_bool() - Go's words for it; -1 for others */
int spec_parse_bool(const char *s, bool *ret) COR_MUST_CHECK;

/* --- spec_check*.c, spec_merge.c --- */
int spec_merge_image(struct docker_config *c, const struct image_config_run *image, struct cor_err *err) COR_MUST_CHECK;
int spec_check_config(struct docker_config *c, struct cor_err *err) COR_MUST_CHECK;
int spec_check_host(const struct docker_config *c, struct docker_host_config *h, struct cor_strv *warnings,
                    struct cor_err *err) COR_MUST_CHECK;
int spec_check_resources(struct docker_host_config *h, bool update, struct cor_strv *warnings, struct cor_err *err)
        COR_MUST_CHECK;
int spec_check_network(const struct docker_config *c, const struct docker_host_config *h, struct cor_err *err)
        COR_MUST_CHECK;
int spec_check_restart(const struct docker_host_config *h, struct cor_err *err) COR_MUST_CHECK;
/* spec_mask_defaults() - masked and read-only paths of a container that is not privileged, if none were given */
void spec_mask_defaults(struct docker_host_config *h);

/* --- spec_security.c --- */
int spec_security_parse(const struct docker_host_config *h, void *memory, struct spec_security *ret,
                        struct cor_err *err) COR_MUST_CHECK;
/* spec_caps() - the capabilities that default, added and dropped ones give */
int spec_caps(const struct docker_host_config *h, uint64_t *ret, struct cor_err *err) COR_MUST_CHECK;
int spec_make_security(struct spec *s, struct cor_err *err) COR_MUST_CHECK;
int spec_make_seccomp(struct spec *s, struct cor_err *err) COR_MUST_CHECK; /* after the capabilities */

/* --- the parts of config.json --- */
int spec_make_process(struct spec *s, struct cor_err *err) COR_MUST_CHECK;
int spec_make_namespaces(struct spec *s, struct cor_err *err) COR_MUST_CHECK;
int spec_make_mounts(struct spec *s, struct cor_err *err) COR_MUST_CHECK;
struct oci_mount *spec_mount_add(struct spec *s, const char *destination, const char *type, const char *source)
        __attribute__((returns_nonnull));
void spec_mount_option(struct spec *s, struct oci_mount *m, const char *option);
bool spec_wants_init(const struct spec *s);
/* spec_collect_points() - s->points from row, documents, and what all have */
int spec_collect_points(struct spec *s, struct cor_err *err) COR_MUST_CHECK;
int spec_add_volume(struct spec *s, const struct spec_point *p, struct cor_err *err) COR_MUST_CHECK;
int spec_add_image(struct spec *s, const struct spec_point *p, struct cor_err *err) COR_MUST_CHECK;
/* spec_bind_options() - how @p is bound: recursively or not, read-only, propagation */
int spec_bind_options(struct spec *s, struct oci_mount *m, const struct spec_point *p, struct cor_err *err)
        COR_MUST_CHECK;
/*
 * spec_map_mount() - a bind of what lies in the store, or what is asked to be seen so: its ids are those of the image,
 * and become the container's. Nothing where it has no user namespace.
 */
void spec_map_mount(struct spec *s, struct oci_mount *m);
/* spec_propagate() - shared and slave binds: whether the source's mount allows it, and what the root has to be */
int spec_propagate(struct spec *s, const struct spec_point *p, struct cor_err *err) COR_MUST_CHECK;
/* spec_add_points() - the container's own mounts, shorter paths first */
int spec_add_points(struct spec *s, struct cor_err *err) COR_MUST_CHECK;
int spec_make_resources(struct spec *s, struct cor_err *err) COR_MUST_CHECK;
int spec_make_devices(struct spec *s, struct cor_err *err) COR_MUST_CHECK;
/* spec_add_device() - a device of the host, or all in a folder; @access "rwm", NULL: no rule for it */
int spec_add_device(struct spec *s, const char *from, const char *to, const char *access, struct cor_err *err)
        COR_MUST_CHECK;
void spec_add_device_rule(struct spec *s, bool allow, int type, int64_t major, int64_t minor, const char *access);
/* spec_make_requested_devices() - DeviceRequests: CDI devices, and gpus, which are such */
int spec_make_requested_devices(struct spec *s, struct cor_err *err) COR_MUST_CHECK;
int spec_parse_device_rule(const char *text, struct oci_device_rule *ret, struct cor_err *err) COR_MUST_CHECK;
/* spec_build() - all of them: config.json; s->c is the caller's to cor_json_free(), also after an error */
int spec_build(struct spec *s, struct cor_text *ret, struct cor_err *err) COR_MUST_CHECK;
/* spec_other() - the row of container @name, which has to run; its first process's /proc/PID/@file is *ret */
int spec_other(struct spec *s, const char *name, const char *file, char **ret_id, const char **ret, struct cor_err *err)
        COR_MUST_CHECK;

/* --- spec_files.c --- */
int spec_write_files(struct spec *s, int folder, struct cor_err *err) COR_MUST_CHECK;

#endif

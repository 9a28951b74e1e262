#ifndef CORACLE_ENGINE_CDI_H
#define CORACLE_ENGINE_CDI_H
/*
 * The Container Device Interface: vendors describe in JSON or YAML files what has to be changed in a container's
 * configuration for it to use a device ("vendor.com/class=name"). Spec: cncf-tags/container-device-interface, SPEC.md.
 */
#include "base/err.h"
#include "spec/oci.h"

struct cdi_node {
        const char *path, *host_path, *type, *permissions; /* type: "c", "b", "p", or empty: as the host's */
        struct cor_opt_i64 major, minor;
        struct cor_opt_u64 file_mode, uid, gid;
};
struct cdi_mount {
        const char *host_path, *container_path, *type;
        const char **options;
        size_t n_options;
};
struct cdi_hook {
        const char *hook_name;
        struct oci_hook hook;
};
struct cdi_net_device {
        const char *host_interface_name, *name;
};
struct cdi_edits {
        const char **env;
        size_t n_env;
        struct cdi_node *device_nodes;
        size_t n_device_nodes;
        struct cdi_mount *mounts;
        size_t n_mounts;
        struct cdi_hook *hooks;
        size_t n_hooks;
        struct cdi_net_device *net_devices;
        size_t n_net_devices;
        uint32_t *additional_gids;
        size_t n_additional_gids;
};
struct cdi_device {
        const char *name;
        struct cdi_edits edits;
};
struct cdi_spec {
        const char *cdi_version, *kind; /* "vendor.com/class" */
        struct cdi_device *devices;
        size_t n_devices;
        struct cdi_edits edits;
        size_t folder; /* where it was found: later ones come before earlier ones */
};

/* All files of /etc/cdi and /run/cdi ($CORACLE_CDI: other folders, separated by colons). */
struct cdi_registry {
        struct cdi_spec **items; /* each a root */
        size_t n_items;
        struct cor_err problem; /* the first file that cannot be read */
};
void cdi_registry_read(struct cdi_registry *ret);
void cdi_registry_done(struct cdi_registry *r);
#define auto_cdi_registry COR_CLEANUP(cdi_registry_done) struct cdi_registry

/* cdi_folders() - those that are looked into, separated by colons */
const char *cdi_folders(void);
/* cdi_find() - the device of that qualified name, and its file's spec; NOT_FOUND, INVALID if two files have it */
int cdi_find(const struct cdi_registry *r, const char *name, const struct cdi_spec **ret_spec,
             const struct cdi_device **ret, struct cor_err *err) COR_MUST_CHECK;
/* cdi_has_kind() - some file describes devices of that kind */
bool cdi_has_kind(const struct cdi_registry *r, const char *kind);

/* cdi_spec_parse() - one file; *ret is a root. @yaml: its name says that it is YAML */
int cdi_spec_parse(const char *text, size_t n, bool yaml, const char *what, struct cdi_spec **ret, struct cor_err *err)
        COR_MUST_CHECK;
/* cdi_yaml_to_json() - the same document as JSON, free() *ret; UNSUPPORTED where this build has no libyaml */
int cdi_yaml_to_json(const char *text, size_t n, char **ret, struct cor_err *err) COR_MUST_CHECK;

#endif

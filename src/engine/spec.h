#ifndef CORACLE_ENGINE_SPEC_H
#define CORACLE_ENGINE_SPEC_H
/*
 * From docker's documents to an OCI bundle, as dockerd does it.
 *
 * At `create`, spec_prepare() checks what was asked for, fills in defaults and merges what the image says: its two
 * documents are what is stored and shown by `inspect`. spec_mounts_create() then decides what will be mounted and makes
 * the volumes. At each `start`, spec_write() makes the files of containers/<id>/: config.json, hostname, hosts,
 * resolv.conf.
 */
#include "spec/docker.h"
#include "store/container.h"
#include "store/volume.h"

struct spec_documents {
        struct docker_config *config; /* both are roots: cor_json_free() */
        struct docker_host_config *host_config;
};
void spec_documents_done(struct spec_documents *d);
#define auto_spec_documents COR_CLEANUP(spec_documents_done) struct spec_documents

struct spec_new {
        const char *id;                               /* of the container: 64 digits */
        const struct docker_config *config;           /* as the user asked; borrowed until it returns */
        const struct docker_host_config *host_config; /* the same */
        const struct image_config_run *image;         /* what the image says, or NULL */
};
/*
 * spec_prepare() - check the whole of it (INVALID, NOT_FOUND in docker's words), and make the documents that count.
 * @warnings gets docker's; limits that this kernel does not have are taken out with one.
 */
int spec_prepare(struct store *s, const struct spec_new *n, struct spec_documents *ret, struct cor_strv *warnings,
                 struct cor_err *err) COR_MUST_CHECK;
/*
 * spec_check_update() - the limits and the restart policy of `update`: what of @change is set is put into @now, a root,
 * if that gives a container that can be
 */
int spec_check_update(struct docker_host_config *now, const struct docker_host_config *change,
                      struct cor_strv *warnings, struct cor_err *err) COR_MUST_CHECK;

/* What is mounted in a container beside what all have. */
struct spec_mounts {
        char *json;              /* for container_row.mounts: docker_mount_point, with what else a start has to know */
        struct cor_strv volumes; /* names, for container_row.volumes */
        struct volume_rows made; /* those of them that are to come into being with it */
        struct store_new *folders;      /* theirs, in their order */
        struct container_image *images; /* that are mounted, for container_row.images */
        size_t n_images;
};
void spec_mounts_done(struct spec_mounts *m);
#define auto_spec_mounts COR_CLEANUP(spec_mounts_done) struct spec_mounts
/*
 * spec_mounts_create() - decide it, and prepare the volumes that are not there yet, for container_row_add_with().
 * Volumes that are empty get what the image has at their place. @root: the container's root filesystem, for reading; -1
 * if there is none.
 */
int spec_mounts_create(struct store *s, const char *id, const struct spec_documents *d, int root,
                       struct spec_mounts *ret, struct cor_err *err) COR_MUST_CHECK;
/* spec_documents_parse() - those of a row; spec_documents_done() *ret */
int spec_documents_parse(const struct container_row *row, struct spec_documents *ret, struct cor_err *err)
        COR_MUST_CHECK;
/* spec_wants_volumes() - some of them may want to see what the image has at their places: @root is of use */
bool spec_wants_volumes(const struct spec_documents *d);

struct spec_start {
        const struct container_row *row;
        const struct spec_documents *documents;
        int root; /* the container's root filesystem, for reading; borrowed */
};
/*
 * spec_write() - the files of containers/<id>/ for the next start. What the configuration leans on is looked up now:
 * users in the image, devices of the host, containers whose namespaces are to be joined (BUSY if they do not run).
 */
int spec_write(struct store *s, const struct spec_start *start, struct cor_strv *warnings, struct cor_err *err)
        COR_MUST_CHECK;

/*
 * spec_limits() - what `update` gives to a container that runs: a configuration of which only linux.resources means
 * something; cor_json_free() *ret
 */
struct oci_config;
int spec_limits(struct store *s, const struct container_row *row, const struct docker_host_config *host,
                struct oci_config **ret, struct cor_err *err) COR_MUST_CHECK;

/* Which limits this machine can hold: docker's names for them. */
struct spec_abilities {
        bool memory, swap, oom_kill_disable, cpu_period, cpu_quota, cpu_shares, cpuset, pids;
};
void spec_abilities(struct spec_abilities *ret);
/* spec_host_is_unified() - cgroups of version 2 only */
bool spec_host_is_unified(void);
/* spec_has_systemd() - cgroups are systemd's to make, a user's by that of the user */
bool spec_has_systemd(void);

#endif

#ifndef CORACLE_RUNTIME_CHECKPOINT_H
#define CORACLE_RUNTIME_CHECKPOINT_H
/*
 * Checkpoint and restore by criu(8). The processes, their memory, namespaces and new file systems go into criu's
 * images; the root file system and what is bound into the container are not copied: restore finds them by the bundle
 * again.
 *
 * In the folder of images lies also descriptors.json, as runc and crun have it: what fds 0-2 of the container were, so
 * that restore can put its own in their place.
 */
#include "runtime/context.h"
#include <stddef.h>

/* How the cgroups of the processes are treated: criu(8), --manage-cgroups. */
enum checkpoint_cgroups {
        CHECKPOINT_CGROUPS_DEFAULT,
        CHECKPOINT_SOFT,
        CHECKPOINT_FULL,
        CHECKPOINT_STRICT,
        CHECKPOINT_IGNORE
};
/* What keeps packets of established connections out meanwhile. */
enum checkpoint_network_lock { CHECKPOINT_LOCK_DEFAULT, CHECKPOINT_IPTABLES, CHECKPOINT_NFTABLES, CHECKPOINT_SKIP };

/* What both take. */
struct criu_options {
        const char *image_path; /* folder of the images; NULL: "checkpoint" in the working directory */
        const char *work_path;  /* folder of criu's log and statistics; NULL: that of the images */
        int manage_cgroups;     /* enum checkpoint_cgroups */
        int network_lock;       /* enum checkpoint_network_lock */
        bool tcp_established, ext_unix_sk, shell_job, file_locks, link_remap, auto_dedup, lazy_pages;
        char *const *empty_ns; /* namespaces to be left empty: "network", and nothing else; it always is */
        size_t n_empty_ns;
};

struct checkpoint_options {
        const char *id;
        struct criu_options criu;
        const char *parent_path; /* images of the pre-dump before this one, relative to those of this one */
        const char *page_server; /* ADDRESS:PORT that takes the memory instead of a file */
        bool leave_running, pre_dump, tcp_skip_in_flight;
        int status_fd; /* gets a zero byte when the server of lazy pages is ready; 0: none */
};

/*
 * container_checkpoint() - write the images; afterwards the container is gone, as for delete, unless it was to be left
 * running, or it was a pre-dump
 */
int container_checkpoint(const struct runtime_context *ctx, const struct checkpoint_options *o, struct cor_err *err)
        COR_MUST_CHECK;

struct restore_options {
        const char *id;
        const char *bundle; /* NULL: the working directory */
        struct criu_options criu;
        const char *console_socket, *pid_file;
        const char *lsm_profile, *lsm_mount_context;
        bool detach, no_subreaper, no_pivot, tcp_close;
};

/*
 * container_restore() - make a container from images and the bundle; without o->detach wait for its end and delete it,
 * as container_run() does
 */
int container_restore(const struct runtime_context *ctx, const struct restore_options *o, int *ret_code,
                      struct cor_err *err) COR_MUST_CHECK;

#endif

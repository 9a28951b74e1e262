#ifndef CORACLE_RUNTIME_RECORD_H
#define CORACLE_RUNTIME_RECORD_H
/*
 * What a container leaves on disk while it exists: ROOT/ID/ with
 *
 *   record.json   what another invocation needs: bundle, cgroup, … Written before anything else is made
 *   init          pid and start time of the first process; there once it is ready to be started
 *   config.json   the configuration the container was made from, byte for byte (the bundle's may change later)
 *   start         a Unix socket, there from `create` until `start`; init listens on it
 *   notify/       sd_notify proxy, if asked for
 *   mounts        what was bound into it after its start (mounts_added.h)
 *
 * The folder itself is the lock: flock on its descriptor, held while a container is made, started or removed, and
 * released by the kernel when the holder dies. A record is there before the first process and the first cgroup are
 * made, so whatever moment the runtime is killed at, `delete --force` finds what to remove. A new file is written in
 * one write(): a reader finds it empty, which counts as absent, or whole. One that changes is written beside and
 * renamed. Nothing is synced to disk: after a reboot the container is gone anyway.
 *
 * creating  no `init` yet                                   (creator holds the lock)
 * created   init alive, `start` is there
 * running   init alive, no `start`
 * paused    created or running, and its cgroup is frozen
 * stopped   init gone or a zombie
 */
#include "base/json.h"
#include "base/process.h"
#include "linux/cgroup.h"
#include "runtime/context.h"
#include "spec/oci.h"

#define CONTAINER_START_SOCKET "start"

enum container_status {
        CONTAINER_CREATING,
        CONTAINER_CREATED,
        CONTAINER_RUNNING,
        CONTAINER_PAUSED,
        CONTAINER_STOPPED,
};
/* container_status_name() - "creating", "created", "running", "paused", "stopped" (runtime-spec, "State") */
const char *container_status_name(enum container_status status);

struct container_record {
        const char *version;     /* of the program that wrote it */
        const char *oci_version; /* of the configuration */
        const char *id, *bundle, *rootfs;
        const char *created;            /* RFC 3339 with nanoseconds, UTC */
        int32_t pid;                    /* of init in the runtime's pid namespace, 0 before there is one */
        uint64_t start_time;            /* of that pid, clock ticks since boot */
        uint32_t owner;                 /* uid that created it */
        bool rootless, terminal, ready; /* ready: creation came to its end */
        const char *clos;               /* resctrl group that was made for it, to be removed; or NULL */
        const char **descriptors;       /* what fds 0-2 of init were (checkpoint needs to name them) */
        size_t n_descriptors;
        struct cgroup_where cgroup;
};

/* An opened container folder. */
struct container {
        int dirfd;
        char *id;
        struct container_record *record; /* NULL when the folder holds none (its creator died very early) */
        bool locked;                     /* by us */
};
#define CONTAINER_INIT                                                                                                 \
        {                                                                                                              \
                .dirfd = -1                                                                                            \
        }
void container_done(struct container *c);
#define auto_container COR_CLEANUP(container_done) struct container

/* container_id_check() - INVALID unless [A-Za-z0-9_+.-]+, not "." or "..", at most 1024 bytes */
int container_id_check(const char *id, struct cor_err *err) COR_MUST_CHECK;

/* container_make() - make the folder and lock it; EXISTS if the id is taken */
int container_make(const struct runtime_context *ctx, const char *id, struct container *ret, struct cor_err *err)
        COR_MUST_CHECK;
/* container_open() - open it and read the record; NOT_FOUND ("container does not exist") if there is none */
int container_open(const struct runtime_context *ctx, const char *id, struct container *ret, struct cor_err *err)
        COR_MUST_CHECK;
/* container_open_folder() - the same without the record, for one whose record cannot be read */
int container_open_folder(const struct runtime_context *ctx, const char *id, struct container *ret, struct cor_err *err)
        COR_MUST_CHECK;
/* How long `start` and `delete` wait for others who look at the container, or end with it. */
enum { CONTAINER_LOCK_MS = 500 };

/*
 * container_lock() - take the lock, waiting at most @timeout_ms, and read the record afresh; BUSY when another process
 * keeps it, NOT_FOUND when the container was removed meanwhile, even if there is a new one of that name
 */
int container_lock(struct container *c, int timeout_ms, struct cor_err *err) COR_MUST_CHECK;
/* container_unlock() - give it up before the container is closed, to wait for something */
void container_unlock(struct container *c);
/* container_begin() - write the first record.json, and @config of @n bytes as config.json */
int container_begin(struct container *c, const struct container_record *record, const char *config, size_t n,
                    struct cor_err *err) COR_MUST_CHECK;
/* container_ready() - write who init is: the container is complete */
int container_ready(struct container *c, const struct cor_procid *init, struct cor_err *err) COR_MUST_CHECK;
/* container_save() - replace record.json by @record */
int container_save(struct container *c, const struct container_record *record, struct cor_err *err) COR_MUST_CHECK;
/* container_config() - the stored configuration; cor_json_free() */
int container_config(const struct container *c, struct oci_config **ret, struct cor_err *err) COR_MUST_CHECK;
/* container_remove() - remove the folder with all in it; absence is success */
int container_remove(const struct runtime_context *ctx, struct container *c, struct cor_err *err) COR_MUST_CHECK;
/* container_ids() - the ids of all containers below ctx->root, sorted; none if the directory is not there */
int container_ids(const struct runtime_context *ctx, struct cor_strv *ret, struct cor_err *err) COR_MUST_CHECK;

struct cor_procid container_init_process(const struct container *c);
/* container_status() - looked up afresh; opens the cgroup to see whether it is frozen */
enum container_status container_status(const struct container *c);
/* container_cgroup() - open the container's cgroup */
int container_cgroup(const struct container *c, struct cgroup **ret, struct cor_err *err) COR_MUST_CHECK;

#endif

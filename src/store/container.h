#ifndef CORACLE_STORE_CONTAINER_H
#define CORACLE_STORE_CONTAINER_H
/*
 * Containers in the database: what was asked for, and what became of it. Their files are in containers/<id>/ of the
 * store:
 *
 *      upper, work                      the writable layer, and overlayfs's own folder beside it
 *      config.json                      the OCI configuration of the present or last start
 *      hostname, hosts, resolv.conf     bound into the container
 *      <id>-json.log, …                 what it printed (monitor/log.h)
 *
 * Who runs is not to be believed from the database alone: a container that is said to run does so while its monitor
 * holds the container's MONITOR lock, which the kernel drops with it. Whoever changes a container holds its WORK lock.
 * Both are bytes of containers/.lock that the row's number names.
 */
#include "base/alloc.h"
#include "store/new.h"
#include "store/store.h"

enum container_phase {
        CONTAINER_PHASE_CREATED,
        CONTAINER_PHASE_RUNNING,
        CONTAINER_PHASE_PAUSED,
        CONTAINER_PHASE_RESTARTING, /* it ended, and its monitor waits to start it again */
        CONTAINER_PHASE_REMOVING,
        CONTAINER_PHASE_EXITED,
        CONTAINER_PHASE_DEAD, /* its removal failed half-way */
};
/* container_phase_name() - docker's word: "created", "running", … */
const char *container_phase_name(enum container_phase phase);
/* container_phase_alive() - its program is there, frozen perhaps */
static inline bool container_phase_alive(enum container_phase phase)
{
        return phase == CONTAINER_PHASE_RUNNING || phase == CONTAINER_PHASE_PAUSED;
}
/* container_phase_runs() - or will be again without anybody's doing: what docker calls running */
static inline bool container_phase_runs(enum container_phase phase)
{
        return container_phase_alive(phase) || phase == CONTAINER_PHASE_RESTARTING;
}

enum container_health { CONTAINER_HEALTH_NONE, CONTAINER_HEALTH_STARTING, CONTAINER_HEALTH_GOOD, CONTAINER_HEALTH_BAD };

/* What changes while a container lives. Times are nanoseconds since 1970, 0: never. */
struct container_now {
        enum container_phase phase;
        int32_t pid, monitor_pid;                    /* of this boot; 0: none */
        uint64_t pid_start_time, monitor_start_time; /* base/process.h */
        int64_t started, finished;
        int32_t exit_code;
        bool oom_killed;
        bool stopped; /* by a user: the restart policies "unless-stopped" and "on-failure" leave it so */
        int64_t restart_count;
        enum container_health health;
        char *error; /* why it could not start, or NULL */
};

/* An image that is mounted in a container: its id, and its layers. */
struct container_image {
        struct digest id, *layers;
        size_t n_layers;
};

/* Where ids for a user namespace are taken from: @size of each kind, one after another, that no container has. */
struct id_pool {
        const struct oci_id_map *uids, *gids; /* container_id means nothing */
        size_t n_uids, n_gids;
        uint32_t size;
        const char *owner; /* whose they are, for the error */
};

struct container_row {
        int64_t number; /* names its locks; never used twice */
        char *id;       /* 64 hexadecimal digits */
        char *name;     /* without a slash */
        char *image;    /* as the user wrote it */
        struct digest image_id;
        int64_t created;            /* nanoseconds since 1970 */
        char *config, *host_config; /* JSON: spec/docker.h */
        char *networking;           /* JSON: docker_networking_config; what the user asked for */
        char *endpoints;            /* JSON: docker_network_settings of the present or last start, or NULL */
        char *mounts;               /* JSON: a list of docker_mount_point, once known */
        char *command;              /* the program and its arguments in one line, for lists */
        char *ports;                /* as `ps` shows them, or NULL */
        bool auto_remove;
        struct cor_strv labels; /* "KEY=VALUE" */
        struct digest *layers;  /* names of its image's layers, lowest first: kept as long as the container is */
        size_t n_layers;
        struct cor_strv volumes; /* names of the volumes it uses */
        char *id_map;            /* idmap_format() of its user namespace, or NULL: it has none */
        /* for container_row_add() only: what becomes its folder, or NULL for an empty one; ids to take for id_map, or
         * NULL; both borrowed. Images to keep */
        const struct store_new *folder;
        const struct id_pool *pool;
        struct container_image *images;
        size_t n_images;
        struct container_now now;
};
void container_row_done(struct container_row *r);
#define auto_container_row COR_CLEANUP(container_row_done) struct container_row

struct container_rows {
        struct container_row *items;
        size_t n_items;
};
void container_rows_done(struct container_rows *l);
#define auto_container_rows COR_CLEANUP(container_rows_done) struct container_rows

/*
 * container_row_add() - record a container and make its folder; r->number is filled in. Synced when it returns, unless
 * r->auto_remove. EXISTS in docker's words if the name is taken; NOT_FOUND if r->image_id is no image any more: whether
 * it is, is looked at in the same transaction, so that its layers are either gone or kept.
 */
int container_row_add(struct store *s, struct container_row *r, struct cor_err *err) COR_MUST_CHECK;
/*
 * container_row_add_with() - the same, with volumes that come into being with it: all of them, or none; their ->made is
 * true then, and false for one whose name a volume has already. They are not removed with the row.
 */
struct volume_rows;
int container_row_add_with(struct store *s, struct container_row *r, struct volume_rows *volumes, struct cor_err *err)
        COR_MUST_CHECK;
/*
 * container_row_find() - by id, name (with or without a slash) or beginning of an id, as docker looks for it; NOT_FOUND
 * "No such container: x"; INVALID "Multiple IDs found with provided prefix: x"
 */
int container_row_find(struct store *s, const char *name_or_id, struct container_row *ret, struct cor_err *err)
        COR_MUST_CHECK;
/* container_row_get() - by its number; NOT_FOUND */
int container_row_get(struct store *s, int64_t number, struct container_row *ret, struct cor_err *err) COR_MUST_CHECK;
/* container_row_all() - newest first; @full: with documents, layers and volumes, else what a list shows */
int container_row_all(struct store *s, bool full, struct container_rows *ret, struct cor_err *err) COR_MUST_CHECK;
/* container_row_save_now() - what changed; @durable: synced when it returns. NOT_FOUND if the container is gone */
int container_row_save_now(struct store *s, int64_t number, const struct container_now *now, bool durable,
                           struct cor_err *err) COR_MUST_CHECK;
/* container_row_save() - name and documents, synced; EXISTS if the name is taken */
int container_row_save(struct store *s, const struct container_row *r, struct cor_err *err) COR_MUST_CHECK;
/* container_row_save_endpoints() - r->endpoints alone; a start makes it anew, so that it may be lost with the power */
int container_row_save_endpoints(struct store *s, int64_t number, const char *endpoints, struct cor_err *err)
        COR_MUST_CHECK;
/* container_row_remove() - forget it; the folder is the caller's work before: container_folder_remove() */
int container_row_remove(struct store *s, int64_t number, bool durable, struct cor_err *err) COR_MUST_CHECK;

/* Who has which image mounted in it. */
struct container_image_use {
        struct digest image;
        int64_t container; /* its number */
};
struct container_image_uses {
        struct container_image_use *items;
        size_t n_items;
};
void container_image_uses_done(struct container_image_uses *u);
#define auto_container_image_uses COR_CLEANUP(container_image_uses_done) struct container_image_uses
int container_image_uses(struct store *s, struct container_image_uses *ret, struct cor_err *err) COR_MUST_CHECK;

/* container_row_sweep() - remove folders that no row has; how many */
int container_row_sweep(struct store *s, struct cor_err *err) COR_MUST_CHECK;

/* container_folder_open() - containers/<id>, O_PATH; container_folder_path(): free() */
int container_folder_open(const struct store *s, const char *id, struct cor_err *err) COR_MUST_CHECK;
char *container_folder_path(const struct store *s, const char *id) __attribute__((returns_nonnull));
/*
 * container_folder_remove() - all that is in it, whatever a container has left there; it is no error if it is not
 * there. From the first moment on it is not there any more under its name; what a killed process leaves of it goes with
 * the next container.
 */
int container_folder_remove(struct store *s, const char *id, struct cor_err *err) COR_MUST_CHECK;
/*
 * The two halves of it. container_folder_drop() - it is not there any more under its name (*ret is CONTAINER_GONE_NONE
 * if it was not before); container_folder_clear() - nor is what was in it. As long as a process is between the two, it
 * is left to that one.
 */
struct container_gone {
        int lock;   /* the folder, locked; -1: nothing to be done */
        char *name; /* in .work */
};
#define CONTAINER_GONE_NONE                                                                                            \
        {                                                                                                              \
                .lock = -1                                                                                             \
        }
void container_gone_done(struct container_gone *g);
#define auto_container_gone COR_CLEANUP(container_gone_done) struct container_gone
int container_folder_drop(struct store *s, const char *id, struct container_gone *ret, struct cor_err *err)
        COR_MUST_CHECK;
int container_folder_clear(struct store *s, struct container_gone *gone, struct cor_err *err) COR_MUST_CHECK;

enum container_lock_kind { CONTAINER_LOCK_MONITOR, CONTAINER_LOCK_WORK };
/* container_row_lock() - the descriptor is the lock; waits up to @wait_ms (-1: for ever), then BUSY */
int container_row_lock(const struct store *s, int64_t number, enum container_lock_kind kind, int wait_ms,
                       struct cor_err *err) COR_MUST_CHECK;
/* container_row_locked() - somebody else holds it: 1, 0 */
int container_row_locked(const struct store *s, int64_t number, enum container_lock_kind kind, struct cor_err *err)
        COR_MUST_CHECK;

#endif

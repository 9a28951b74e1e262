#ifndef CORACLE_LINUX_CGROUP_H
#define CORACLE_LINUX_CGROUP_H
/*
 * Cgroups of a container: version 1, hybrid and version 2 (unified), made by ourselves (cgroupfs) or by systemd.
 *
 * Life of one: cgroup_plan() decides where it will be (pure computation, plain data for state.json); cgroup_create()
 * makes the directories and writes every limit while nobody is inside; cgroup_entry_open() opens what a new process
 * needs to get in; and much later another process finds it again by cgroup_open(). With the systemd manager
 * cgroup_create() makes nothing yet: cgroup_attach() asks systemd for the scope once there is a process to put into it.
 *
 * A `struct cgroup` belongs to one process and thread. It holds one O_PATH descriptor per hierarchy, and all files
 * are reached below these. Every wait has an end. Nothing here depends on the container's own view of its cgroups.
 */
#include "base/json.h"
#include <sys/types.h>

struct oci_resources;

enum cgroup_manager { CGROUP_CGROUPFS, CGROUP_SYSTEMD, CGROUP_DISABLED };
enum cgroup_mode { CGROUP_V1, CGROUP_HYBRID, CGROUP_V2 }; /* hybrid: version 1, with a version 2 mount beside it */
extern const struct cor_word cgroup_manager_words[];      /* "cgroupfs", "systemd", "disabled" */

enum { CGROUP_MAX_HIERARCHIES = 24 };

/* One hierarchy's own place, where it differs from the common one. */
struct cgroup_place {
        const char *name; /* the controllers as /proc/self/cgroup spells them: "cpu,cpuacct"; "" is version 2 */
        const char *path; /* absolute below the mount */
};

/*
 * Where a container's cgroup is; lives in state.json by way of cgroup_where_doc, so that another process can open it.
 * Strings belong to the document it was parsed from, or to the plan (cgroup_where_free()).
 */
struct cgroup_where {
        int manager;                 /* enum cgroup_manager */
        int mode;                    /* enum cgroup_mode when it was planned */
        bool rootless;               /* failing to make or change it is fine as long as no limit was asked for */
        const char *path;            /* absolute below the mount of each hierarchy; includes the subgroup */
        struct cgroup_place *places; /* hierarchies of version 1 whose path is another one */
        size_t n_places;
        const char *slice, *unit; /* systemd: "machine.slice", "libpod-abc.scope"; else NULL */
        const char *subgroup;     /* last component(s) of `path` below the scope, or NULL */
        const char *delegate;     /* below `path`: where the payload itself is put (version 2), or NULL */
};
extern const struct cor_json_doc cgroup_where_doc;

/* What the container asks for. What it points to is borrowed, until cgroup_attach() in the case of systemd. */
struct cgroup_request {
        enum cgroup_manager manager;
        bool rootless;                         /* not root on the host: euid != 0, or root of a user namespace */
        const char *id;                        /* container id, checked by the caller */
        const char *path;                      /* linux.cgroupsPath, or NULL */
        const struct oci_resources *resources; /* linux.resources, or NULL */
        const struct cor_pair *annotations;    /* org.systemd.property.*, run.oci.systemd.subgroup, … */
        size_t n_annotations;
};

/**
 * cgroup_plan() - decide where the container's cgroup will be; makes nothing
 *
 * cgroupfs: an absolute path counts from the mounts' roots; a relative one, or none (then it is the id), is put below
 * the caller's own cgroup on version 1 and beside it on version 2 (a cgroup with processes cannot have children that
 * have controllers). ".." is resolved lexically and never leads above the root. systemd: "slice:prefix:name" gives
 * the unit prefix-name.scope in the slice; defaults: system.slice, or user.slice if
 * rootless, and the prefix "coracle".
 *
 * INVALID for a path or annotation that cannot be meant; UNSUPPORTED where there are no cgroups, or no systemd.
 */
int cgroup_plan(const struct cgroup_request *req, struct cgroup_where **ret, struct cor_err *err) COR_MUST_CHECK;
void cgroup_where_free(struct cgroup_where *where);
static inline void cgroup_where_free_p(struct cgroup_where **p)
{
        cgroup_where_free(*p);
}
#define auto_cgroup_where COR_CLEANUP(cgroup_where_free_p) struct cgroup_where *

struct cgroup;

/**
 * cgroup_create() - make the planned cgroup with all its limits
 *
 * cgroupfs: everything is in place when this returns, and removed again if it fails. EXISTS/BUSY if the cgroup is there
 * already and has processes or is frozen; an empty one is taken over. systemd: only checks; see cgroup_attach().
 * Rootless and not allowed: succeeds with a cgroup that has no directories if no limit was asked for, DENIED otherwise.
 */
int cgroup_create(const struct cgroup_request *req, const struct cgroup_where *where, struct cgroup **ret,
                  struct cor_err *err) COR_MUST_CHECK;
/* cgroup_open() - an existing one; directories that are gone are simply not there (see cgroup_exists()) */
int cgroup_open(const struct cgroup_where *where, struct cgroup **ret, struct cor_err *err) COR_MUST_CHECK;
void cgroup_close(struct cgroup *cg);
static inline void cgroup_close_p(struct cgroup **p)
{
        cgroup_close(*p);
}
#define auto_cgroup COR_CLEANUP(cgroup_close_p) struct cgroup *

/* cgroup_where() - where it really is: systemd may have put it elsewhere than planned, so store this after attaching */
const struct cgroup_where *cgroup_where(const struct cgroup *cg);
bool cgroup_exists(const struct cgroup *cg);

/*
 * How a new process gets in. With clone_fd >= 0 give it to clone3(CLONE_INTO_CGROUP); if that fails the version 2
 * cgroup is also the first of `fds`, and cgroup_entry_join() is told so. All descriptors are close-on-exec.
 */
struct cgroup_entry {
        int clone_fd; /* directory of the version 2 cgroup, or -1 */
        int fds[CGROUP_MAX_HIERARCHIES];
        const char *names[CGROUP_MAX_HIERARCHIES]; /* of the hierarchies, for errors; valid while the cgroup is open */
        size_t n_fds;
        size_t n_v2; /* how many of the first fds (0 or 1) are what clone_fd does as well */
        char *place; /* of version 2: "", or the path below the container's cgroup; NULL where there is none */
};
#define CGROUP_ENTRY_INIT                                                                                              \
        {                                                                                                              \
                .clone_fd = -1                                                                                         \
        }

/**
 * cgroup_entry_open() - open what a process needs to get into the cgroup
 * @init:   0 for the container's first process. For `exec`: the container's init, whose present cgroup is taken where
 *          the container's own one takes no processes any more (version 2: it has children with controllers)
 * @subs:   `exec --cgroup`: "PATH" below the container's cgroup for all hierarchies, or on version 1
 *          "controller[,controller]:PATH" for some; NULL for none. NOT_FOUND, INVALID if it is no cgroup of the
 * container
 *
 * With systemd and @init 0 the entry is empty: cgroup_attach() moves the process.
 */
int cgroup_entry_open(const struct cgroup *cg, pid_t init, const char *const *subs, size_t n_subs,
                      struct cgroup_entry *ret, struct cor_err *err) COR_MUST_CHECK;
/*
 * cgroup_entry_join() - move the calling process in; it must have one thread only (version 1 is joined by `tasks`,
 * which skips a wait of the kernel). @cloned: CLONE_INTO_CGROUP did the version 2 part. Makes no allocation; may run
 * in the child, also in a new user namespace (the kernel looks at who opened the files). DENIED: see
 * cgroup_entry_attach().
 */
int cgroup_entry_join(const struct cgroup_entry *e, bool cloned, struct cor_err *err) COR_MUST_CHECK;
/*
 * cgroup_entry_attach() - have systemd move process @pid in, which must wait for it
 *
 * A user may only move what is below a cgroup of the user's own already: the kernel asks for the right to write to the
 * cgroup.procs of the nearest cgroup above both. Those of a login session are below the system's slice of that user,
 * and systemd moves them. UNSUPPORTED if the cgroup is none of systemd's.
 */
int cgroup_entry_attach(const struct cgroup *cg, const struct cgroup_entry *e, pid_t pid, struct cor_err *err)
        COR_MUST_CHECK;
void cgroup_entry_done(struct cgroup_entry *e);
#define auto_cgroup_entry COR_CLEANUP(cgroup_entry_done) struct cgroup_entry

/**
 * cgroup_attach() - move process @pid in from outside
 *
 * cgroupfs: the slow way of cgroup_entry_join(). systemd, first process: starts the transient scope that holds @pid,
 * waits for systemd to say it is done, makes the sub-cgroup, writes all limits and moves @pid to it; afterwards
 * cgroup_where() is final. @pid must still be waiting for us.
 */
int cgroup_attach(struct cgroup *cg, pid_t pid, struct cor_err *err) COR_MUST_CHECK;

/*
 * cgroup_delegate() - run.oci.delegate-cgroup: make the payload's own sub-cgroup (owned by @uid:@gid on the host) and
 * move @pid there; call it when @pid has made its cgroup namespace. Does nothing if none was asked for.
 */
int cgroup_delegate(struct cgroup *cg, pid_t pid, uid_t uid, gid_t gid, struct cor_err *err) COR_MUST_CHECK;
/* cgroup_chown() - give a version 2 cgroup to the root of the container's user namespace (runc's conditions) */
int cgroup_chown(struct cgroup *cg, uid_t uid, gid_t gid, struct cor_err *err) COR_MUST_CHECK;

/**
 * cgroup_update() - change limits; what is not set in @r stays
 *
 * Memory and swap are written in the order the kernel accepts. checkBeforeUpdate: BUSY if the new memory limit is below
 * the present usage. Device rules, if there are any, replace the present ones. An error names file and value.
 */
int cgroup_update(struct cgroup *cg, const struct oci_resources *r, struct cor_err *err) COR_MUST_CHECK;
/* cgroup_check_resources() - values that can be refused without touching the system; cgroup_create() does it as well */
int cgroup_check_resources(int mode, const struct oci_resources *r, struct cor_err *err) COR_MUST_CHECK;

/* cgroup_freeze() - freeze or thaw and wait until it is so; on TIMEOUT while freezing it is thawed again */
int cgroup_freeze(struct cgroup *cg, bool frozen, int timeout_ms, struct cor_err *err) COR_MUST_CHECK;
/* cgroup_is_frozen() - 1, 0, or -1; a cgroup without a freezer is never frozen */
int cgroup_is_frozen(struct cgroup *cg, struct cor_err *err) COR_MUST_CHECK;

/* cgroup_stands_still() - whether what is in it is frozen now, be it by a cgroup above */
bool cgroup_stands_still(struct cgroup *cg);

/* cgroup_pids() - all processes in it and below, sorted; free() *ret */
int cgroup_pids(struct cgroup *cg, pid_t **ret, size_t *ret_n, struct cor_err *err) COR_MUST_CHECK;
/*
 * cgroup_signal_all() - signal every process in it and below; none left to signal is success. SIGKILL also reaches
 * what forks meanwhile and what is frozen (cgroup.kill, else freeze, signal, thaw, until it is empty or @timeout_ms).
 */
int cgroup_signal_all(struct cgroup *cg, int sig, int timeout_ms, struct cor_err *err) COR_MUST_CHECK;

/**
 * cgroup_destroy() - remove it and all below it; absence is success
 *
 * Waits, at most @timeout_ms, for exiting processes to leave. BUSY names the directory that still has processes.
 * systemd: the scope ends when it is empty, or is stopped then.
 */
int cgroup_destroy(struct cgroup *cg, int timeout_ms, struct cor_err *err) COR_MUST_CHECK;

/* One hierarchy of a container, for cgroup mounts inside it. */
struct cgroup_mount {
        const char *name;   /* directory in /sys/fs/cgroup: "memory", "cpu,cpuacct", "systemd", "unified"; "" pure v2 */
        const char *option; /* the version 1 mount option: "memory", "cpu,cpuacct", "name=systemd"; NULL on version 2 */
        const char *source; /* where it is mounted on the host */
        const char *path;   /* the container's cgroup below it; starts with '/' */
};
/* cgroup_mounts() - all of them, in /proc/self/cgroup's order; they live as long as @cg */
size_t cgroup_mounts(const struct cgroup *cg, const struct cgroup_mount **ret);

/* --- statistics -------------------------------------------------------------------------------------------------- */

struct cgroup_psi_line {
        double avg10, avg60, avg300;
        uint64_t total_us;
};
struct cgroup_psi {
        bool set;
        struct cgroup_psi_line some, full;
};
struct cgroup_memory_entry {
        uint64_t usage, max, failcnt, limit;
};
struct cgroup_blkio_entry {
        uint64_t major, minor, value;
        char op[16];
};
struct cgroup_blkio_list {
        struct cgroup_blkio_entry *items;
        size_t n_items;
};
enum cgroup_blkio_kind {
        CGROUP_BLKIO_SERVICE_BYTES,
        CGROUP_BLKIO_SERVICED,
        CGROUP_BLKIO_QUEUED,
        CGROUP_BLKIO_SERVICE_TIME,
        CGROUP_BLKIO_WAIT_TIME,
        CGROUP_BLKIO_MERGED,
        CGROUP_BLKIO_TIME,
        CGROUP_BLKIO_SECTORS,
        CGROUP_BLKIO_COST_USAGE,
        CGROUP_BLKIO_COST_WAIT,
        CGROUP_BLKIO_COST_INDEBT,
        CGROUP_BLKIO_COST_INDELAY,
        CGROUP_BLKIO_KINDS
};
struct cgroup_hugetlb_stats {
        char page_size[16]; /* "2MB" */
        uint64_t usage, max, failcnt;
};
struct cgroup_rdma_stats {
        char device[64];
        bool limit; /* else current use */
        uint32_t hca_handles, hca_objects;
};
struct cgroup_raw {
        char name[48];
        uint64_t value;
};

struct cgroup_stats {
        struct {
                uint64_t total_ns, kernel_ns, user_ns;
                uint64_t *percpu, *percpu_kernel, *percpu_user; /* version 1 only, n_percpu each, NULL if not known */
                size_t n_percpu;
                uint64_t periods, throttled_periods, throttled_ns, bursts, burst_ns;
                struct cgroup_psi psi;
        } cpu;
        struct { /* version 1 only */
                bool set;
                uint32_t *cpus, *mems;
                size_t n_cpus, n_mems;
                uint64_t cpu_exclusive, mem_hardwall, mem_exclusive, memory_migrate, memory_spread_page,
                        memory_spread_slab, memory_pressure, sched_load_balance;
                int64_t sched_relax_domain_level;
        } cpuset;
        struct {
                uint64_t cache;
                struct cgroup_memory_entry usage, swap, kernel, kernel_tcp; /* swap: memory+swap, as runc */
                struct cgroup_memory_entry swap_only;
                struct cgroup_raw *raw; /* memory.stat */
                size_t n_raw;
                struct cgroup_psi psi;
        } memory;
        struct {
                uint64_t current, limit; /* limit 0: none */
        } pids;
        struct {
                struct cgroup_blkio_list lists[CGROUP_BLKIO_KINDS];
                struct cgroup_psi psi;
        } blkio;
        struct cgroup_hugetlb_stats *hugetlb;
        size_t n_hugetlb;
        struct cgroup_rdma_stats *rdma;
        size_t n_rdma;
        uint64_t oom, oom_kill;
};

/* cgroup_stats() - read all there is; a controller that is not there leaves zeroes. @ret is filled from zero. */
int cgroup_stats(struct cgroup *cg, struct cgroup_stats *ret, struct cor_err *err) COR_MUST_CHECK;
void cgroup_stats_done(struct cgroup_stats *s);
/*
 * cgroup_stats_print() - append the object of `events --stats` ("data" in runc's output); @more, if not NULL, is JSON
 * text of further members that is put at the end (`"intel_rdt":{}`)
 */
void cgroup_stats_print(const struct cgroup_stats *s, const char *more, struct cor_text *out);

/* --- out of memory ----------------------------------------------------------------------------------------------- */

struct cgroup_oom;
/* cgroup_oom_open() - start watching; UNSUPPORTED without a memory controller */
int cgroup_oom_open(struct cgroup *cg, struct cgroup_oom **ret, struct cor_err *err) COR_MUST_CHECK;
/* cgroup_oom_fd() - becomes readable (poll) when cgroup_oom_check() has something to say */
int cgroup_oom_fd(const struct cgroup_oom *o);
/* cgroup_oom_check() - how many OOM events since last time (0 is normal); *ret_gone: the cgroup was removed */
int cgroup_oom_check(struct cgroup_oom *o, uint64_t *ret_events, bool *ret_gone, struct cor_err *err) COR_MUST_CHECK;
void cgroup_oom_close(struct cgroup_oom *o);

#endif

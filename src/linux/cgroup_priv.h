#ifndef CORACLE_LINUX_CGROUP_PRIV_H
#define CORACLE_LINUX_CGROUP_PRIV_H
/*
 * What the files of the cgroup code share; nobody else includes this (tests do). The parts: cgroup_layout.c finds what
 * the host has mounted, cgroup_where.c plans, cgroup.c makes and opens, cgroup_resources.c asks cgroup_set_v1.c and
 * cgroup_set_v2.c to write limits, the rest is one verb per file.
 */
#include "linux/cgroup.h"
#include "spec/oci.h"

/* Controllers that we know by name. A hierarchy without any of them (name=systemd) is joined all the same. */
enum cgroup_ctl {
        CTL_CPU,
        CTL_CPUACCT,
        CTL_CPUSET,
        CTL_MEMORY,
        CTL_DEVICES,
        CTL_FREEZER,
        CTL_BLKIO, /* "io" on version 2 */
        CTL_PIDS,
        CTL_HUGETLB,
        CTL_NET_CLS,
        CTL_NET_PRIO,
        CTL_RDMA,
        CTL_COUNT
};

/* One hierarchy that is mounted on the host. */
struct cgroup_hierarchy {
        bool v2;
        unsigned ctls;   /* bits of enum cgroup_ctl */
        char *name;      /* as in /proc/self/cgroup: "cpu,cpuacct", "name=systemd"; "" is version 2 */
        char *dir;       /* mount point relative to the layout's root, "." for unified cgroups; or absolute */
        char *own;       /* the caller's own cgroup, below the mount point */
        char *available; /* its cgroup.controllers, if that was read */
};

struct cgroup_layout {
        enum cgroup_mode mode;
        int root_fd;      /* /sys/fs/cgroup */
        const char *root; /* its name */
        struct cgroup_hierarchy hs[CGROUP_MAX_HIERARCHIES];
        size_t n_hs;
};

/* Where the layout is read from. Tests put a made-up tree in the place of /sys/fs/cgroup. */
struct cgroup_host {
        const char *root;
        const char *self_cgroup, *mountinfo; /* files in the form of /proc/self/cgroup and /proc/self/mountinfo */
        bool made_up;                        /* plain directories: file system types are not asked for */
        enum cgroup_mode mode;               /* only if made_up */
};
extern struct cgroup_host cgroup_host;

int cgroup_layout_read(struct cgroup_layout *ret, struct cor_err *err) COR_MUST_CHECK;
void cgroup_layout_done(struct cgroup_layout *l);
/* cgroup_layout_keep() - take *l, for the next cgroup_layout_read(), which is soon */
void cgroup_layout_keep(struct cgroup_layout *l);
/* cgroup_layout_v2() - the version 2 hierarchy, or NULL */
const struct cgroup_hierarchy *cgroup_layout_v2(const struct cgroup_layout *l);
/* cgroup_own_path() - @h->own with a mount of a subtree (container in a container) taken into account; free() *ret */
int cgroup_own_path(const struct cgroup_layout *l, const struct cgroup_hierarchy *h, char **ret, struct cor_err *err)
        COR_MUST_CHECK;
/* cgroup_ctls_of() - the bits of a list of names */
unsigned cgroup_ctls_of(const char *names, char separator);
/*
 * cgroup_proc_path() - find a hierarchy's path in the text of a /proc/PID/cgroup; @name as in struct cgroup_hierarchy.
 * NULL if absent; free()
 */
char *cgroup_proc_path(const char *text, const char *name);

/* The container's directory in one hierarchy. */
struct cgroup_dir {
        const struct cgroup_hierarchy *h;
        char *path; /* absolute below the mount */
        char *full; /* relative to the layout's root (or absolute, as h->dir is) */
        int fd;     /* O_PATH, or -1 if it is not there */
        bool tried; /* opened at first use: most verbs need one or two of the hierarchies */
};

struct cgroup {
        struct cgroup_layout layout;
        struct cgroup_where *where;
        struct cgroup_dir dirs[CGROUP_MAX_HIERARCHIES];
        size_t n_dirs;
        struct cgroup_mount mounts[CGROUP_MAX_HIERARCHIES];
        bool pending;                  /* systemd has not been asked yet; then this is what it is to be asked for: */
        struct cgroup_request request; /* (what it points to is the caller's) */
        struct cor_strv made;          /* directories to remove again on failure, in the order of making */
};

/* cgroup_dir_of() - the directory with a controller, NULL if there is none */
struct cgroup_dir *cgroup_dir_of(struct cgroup *cg, enum cgroup_ctl ctl);
/* cgroup_dir_v2() - the directory in the version 2 hierarchy, or NULL */
struct cgroup_dir *cgroup_dir_v2(struct cgroup *cg);
/* cgroup_dir_main() - the one whose processes are the container's; NULL if none exists */
struct cgroup_dir *cgroup_dir_main(struct cgroup *cg);

struct cgroup_where *cgroup_where_copy(const struct cgroup_where *w);
/* cgroup_where_path() - the path of hierarchy @name */
const char *cgroup_where_path(const struct cgroup_where *w, const char *name);
/* cgroup_slice_path() - "a-b.slice" -> "/a.slice/a-b.slice", "-.slice" -> ""; free() *ret */
int cgroup_slice_path(const char *slice, char **ret, struct cor_err *err) COR_MUST_CHECK;

/*
 * cgroup_make_dirs() - make and open all directories; what was made is noted in cg->made. @empty: it is BUSY for one
 * that exists to have processes
 */
int cgroup_make_dirs(struct cgroup *cg, bool empty, struct cor_err *err) COR_MUST_CHECK;
/* cgroup_unmake_dirs() - remove what was noted */
void cgroup_unmake_dirs(struct cgroup *cg);
/* cgroup_set_paths() - (re)build cg->dirs from the layout and cg->where */
void cgroup_set_paths(struct cgroup *cg);
/* cgroup_dir_open() - whether the directory is there; it is open then */
bool cgroup_dir_open(struct cgroup *cg, struct cgroup_dir *d);
/* cgroup_enable_controllers() - every controller of the version 2 root down to the parent of @d */
void cgroup_enable_controllers(struct cgroup *cg, struct cgroup_dir *d);
int cgroup_write_pid(struct cgroup_dir *d, pid_t pid, struct cor_err *err) COR_MUST_CHECK;

/* --- files ------------------------------------------------------------------------------------------------------- */

enum { CGROUP_FILE_MAX = 1 << 20 };
/* cgroup_write() - one write() of @value; the error names file, directory and value and has `sys` */
int cgroup_write(const struct cgroup_dir *d, const char *file, const char *value, struct cor_err *err) COR_MUST_CHECK;
int cgroup_write_i64(const struct cgroup_dir *d, const char *file, int64_t value, struct cor_err *err) COR_MUST_CHECK;
int cgroup_write_u64(const struct cgroup_dir *d, const char *file, uint64_t value, struct cor_err *err) COR_MUST_CHECK;
/* cgroup_write_max() - the same, -1 written as "max" */
int cgroup_write_max(const struct cgroup_dir *d, const char *file, int64_t value, struct cor_err *err) COR_MUST_CHECK;
/* cgroup_read() - a whole small file, final newline cut; its length, or -1 */
ssize_t cgroup_read(const struct cgroup_dir *d, const char *file, char *buf, size_t size, struct cor_err *err)
        COR_MUST_CHECK;
/* cgroup_read_all() - a file of any size up to CGROUP_FILE_MAX; NULL and errno if it cannot be read; free() */
char *cgroup_read_all(const struct cgroup_dir *d, const char *file);
/* cgroup_read_u64() - a number, "max" is UINT64_MAX; 0, or -1 without an error text when it is absent or no number */
int cgroup_read_u64(const struct cgroup_dir *d, const char *file, uint64_t *ret);
bool cgroup_has_file(const struct cgroup_dir *d, const char *file);
/* cgroup_next_line() / cgroup_next_word() - walk a text in place; NULL at the end; words are separated by blanks */
char *cgroup_next_line(char **cursor);
char *cgroup_next_word(char **cursor);
/* cgroup_parse_u64() - digits at *s, which moves behind them; false if there are none or too many */
bool cgroup_parse_u64(char **s, uint64_t *ret);

/* --- numbers ----------------------------------------------------------------------------------------------------- */

uint64_t cgroup_weight_of_shares(uint64_t shares);   /* cpu.shares [2-262144] -> cpu.weight [1-10000], 0 -> 0 */
uint64_t cgroup_io_weight_of_blkio(uint64_t weight); /* blkio weight [10-1000] -> io.weight [1-10000], 0 -> 0 */
/* cgroup_swap_of() - memory.swap.max from memory+swap and memory, -1 "max"; 1 if it is to be written, 0 if not */
int cgroup_swap_of(const struct oci_memory *m, int64_t *ret, struct cor_err *err) COR_MUST_CHECK;
/* cgroup_cpulist_bits() - "0-3,7" as a little-endian bit map; the number of bytes, at most @size */
ssize_t cgroup_cpulist_bits(const char *list, uint8_t *bits, size_t size, struct cor_err *err) COR_MUST_CHECK;

/* --- limits ------------------------------------------------------------------------------------------------------ */

/* cgroup_apply() - write all limits of @r (may be NULL); @update: processes are inside already */
int cgroup_apply(struct cgroup *cg, const struct oci_resources *r, bool update, struct cor_err *err) COR_MUST_CHECK;
/* cgroup_wants_limits() - @r asks for something besides device rules */
bool cgroup_wants_limits(const struct oci_resources *r);

typedef int cgroup_setter(struct cgroup_dir *d, const struct oci_resources *r, struct cor_err *err);
cgroup_setter cgroup_v1_cpu, cgroup_v1_cpuset, cgroup_v1_memory, cgroup_v1_blkio, cgroup_v1_pids, cgroup_v1_hugetlb,
        cgroup_v1_net_cls, cgroup_v1_net_prio, cgroup_v1_rdma;
cgroup_setter cgroup_v2_cpu, cgroup_v2_cpuset, cgroup_v2_memory, cgroup_v2_io, cgroup_v2_pids, cgroup_v2_hugetlb,
        cgroup_v2_unified;
/* cgroup_v2_check_usage() - refuse limits below what is used, where checkBeforeUpdate asks for that */
int cgroup_v2_check_usage(struct cgroup_dir *d, const struct oci_memory *m, struct cor_err *err) COR_MUST_CHECK;
int cgroup_set_rdma(struct cgroup_dir *d, const struct oci_resources *r, struct cor_err *err) COR_MUST_CHECK;
int cgroup_set_pids(struct cgroup_dir *d, const struct oci_resources *r, struct cor_err *err) COR_MUST_CHECK;
/*
 * cgroup_v1_cpuset_inherit() - give an empty cpuset what its parent has; both relative to the layout's root. @fresh: it
 * was just made and is known to be empty
 */
int cgroup_v1_cpuset_inherit(int root_fd, const char *parent, const char *child, bool fresh, struct cor_err *err)
        COR_MUST_CHECK;

/* --- devices ----------------------------------------------------------------------------------------------------- */

enum { DEV_READ = 1, DEV_WRITE = 2, DEV_MKNOD = 4, DEV_ALL = 7 };
struct device_rule {
        bool allow;
        char type;            /* 'b' or 'c', 'a' for both */
        int64_t major, minor; /* -1: any */
        unsigned access;      /* DEV_… */
};
/* What is allowed: without @items @allow decides; the items are exceptions from it, in order, the last match holds. */
struct device_policy {
        bool allow;
        struct device_rule *items;
        size_t n_items;
};
void device_policy_done(struct device_policy *p);
/*
 * device_policy_make() - the rules of config.json, then what every container may use: mknod of anything, and null,
 * zero, full, random, urandom, tty, ptmx and pts; all else is denied unless a rule says otherwise
 */
int device_policy_make(const struct oci_resources *r, struct device_policy *ret, struct cor_err *err) COR_MUST_CHECK;
/* device_policy_parse_list() - the text of a version 1 devices.list */
int device_policy_parse_list(char *text, struct device_policy *ret, struct cor_err *err) COR_MUST_CHECK;
/* device_policy_flat() - no exception from an exception left (what version 1 and systemd can express) */
int device_policy_flat(const struct device_policy *p, struct device_policy *ret, struct cor_err *err) COR_MUST_CHECK;
void device_rule_format(const struct device_rule *rule, char *buf, size_t size);
int cgroup_v1_devices(struct cgroup_dir *d, const struct device_policy *p, bool update, struct cor_err *err)
        COR_MUST_CHECK;

/* --- systemd ----------------------------------------------------------------------------------------------------- */

int cgroup_systemd_start(struct cgroup *cg, const struct cgroup_request *req, pid_t pid, struct cor_err *err)
        COR_MUST_CHECK;
/* cgroup_systemd_attach() - move @pid to the cgroup @place below the container's, or with "" to that one */
int cgroup_systemd_attach(const struct cgroup *cg, const char *place, pid_t pid, struct cor_err *err) COR_MUST_CHECK;
int cgroup_systemd_update(struct cgroup *cg, const struct oci_resources *r, struct cor_err *err) COR_MUST_CHECK;
int cgroup_systemd_stop(struct cgroup *cg, struct cor_err *err) COR_MUST_CHECK;

/* cgroup_remove_tree() - one try to remove @full and what is below it; 0, or -1 with errno */
int cgroup_remove_tree(int root_fd, const char *full);
/* cgroup_nap() - wait a little longer each time (0.1 to 10 ms); false once @deadline_ms is over */
bool cgroup_nap(unsigned *round, int64_t deadline_ms);

#endif

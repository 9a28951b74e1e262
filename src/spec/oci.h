#ifndef CORACLE_SPEC_OCI_H
#define CORACLE_SPEC_OCI_H
/*
 * config.json: the OCI runtime configuration, runtime-spec 1.3.0, for Linux. Structs mirror the document; a section
 * that may be absent is a pointer. Names that are a closed set are integers of the kernel's own kind where there is one
 * (CLONE_NEW…, SCHED_…), so that code below never compares strings.
 */
#include "base/json.h"

#define OCI_VERSION "1.3.0" /* of the specification that is implemented */

struct oci_id_map {
        uint32_t container_id, host_id, size;
};

struct oci_user {
        uint32_t uid, gid;
        struct cor_opt_u64 umask;
        uint32_t *additional_gids;
        size_t n_additional_gids;
};

struct oci_caps { /* names as given ("CAP_CHOWN"); linux/caps.h turns them into bits */
        const char **bounding, **effective, **inheritable, **permitted, **ambient;
        size_t n_bounding, n_effective, n_inheritable, n_permitted, n_ambient;
};

struct oci_rlimit {
        int resource; /* RLIMIT_… */
        uint64_t hard, soft;
};

struct oci_scheduler {
        int policy; /* SCHED_… */
        int32_t nice, priority;
        int *flags; /* SCHED_FLAG_…, to be or-ed */
        size_t n_flags;
        uint64_t runtime, deadline, period; /* ns */
};

struct oci_io_priority {
        int class_; /* IOPRIO_CLASS_… */
        int32_t priority;
};

struct oci_cpu_affinity {
        const char *initial, *final; /* cpu lists, "0-3,7" */
};

struct oci_box {
        uint32_t height, width;
};

struct oci_process {
        bool terminal, no_new_privileges;
        struct oci_box *console_size;
        struct oci_user user;
        const char **args, **env;
        size_t n_args, n_env;
        const char *cwd;
        struct oci_caps *capabilities;
        struct oci_rlimit *rlimits;
        size_t n_rlimits;
        const char *apparmor_profile, *selinux_label;
        struct cor_opt_i64 oom_score_adj;
        struct oci_scheduler *scheduler;
        struct oci_io_priority *io_priority;
        struct oci_cpu_affinity *exec_cpu_affinity;
};

struct oci_root {
        const char *path;
        bool readonly;
};

struct oci_mount {
        const char *destination, *type, *source;
        const char **options;
        size_t n_options;
        struct oci_id_map *uid_mappings, *gid_mappings;
        size_t n_uid_mappings, n_gid_mappings;
};

struct oci_hook {
        const char *path;
        const char **args, **env;
        size_t n_args, n_env;
        struct cor_opt_i64 timeout; /* seconds, > 0 */
};

struct oci_hooks {
        struct oci_hook *prestart, *create_runtime, *create_container, *start_container, *poststart, *poststop;
        size_t n_prestart, n_create_runtime, n_create_container, n_start_container, n_poststart, n_poststop;
};

struct oci_namespace {
        int type; /* CLONE_NEW… */
        const char *path;
};

struct oci_device {
        const char *path;
        int type; /* S_IFCHR, S_IFBLK or S_IFIFO */
        int64_t major, minor;
        struct cor_opt_u64 file_mode, uid, gid;
};

struct oci_net_device {
        const char *host_name; /* the key */
        const char *name;      /* in the container; NULL keeps the host's */
};

struct oci_time_offset {
        const char *clock; /* the key: "monotonic" or "boottime" */
        int64_t secs;
        uint32_t nanosecs;
};

struct oci_device_rule {
        bool allow;
        int type;                        /* 'a', 'b' or 'c' */
        struct cor_opt_i64 major, minor; /* unset or -1: any */
        const char *access;              /* of "rwm"; NULL or "" means all */
};

struct oci_memory {
        struct cor_opt_i64 limit, reservation, swap, kernel, kernel_tcp; /* bytes; -1 means no limit */
        struct cor_opt_u64 swappiness;
        struct cor_opt_bool disable_oom_killer, use_hierarchy, check_before_update;
};

struct oci_cpu {
        struct cor_opt_u64 shares, burst, period, rt_period; /* times in µs */
        struct cor_opt_i64 quota, rt_runtime, idle;
        const char *cpus, *mems;
};

struct oci_pids {
        struct cor_opt_i64 limit; /* <= 0 or absent: no limit, but see linux/cgroup.h */
};

struct oci_weight_device {
        int64_t major, minor;
        struct cor_opt_u64 weight, leaf_weight;
};

struct oci_throttle_device {
        int64_t major, minor;
        uint64_t rate;
};

struct oci_block_io {
        struct cor_opt_u64 weight, leaf_weight;
        struct oci_weight_device *weight_devices;
        struct oci_throttle_device *read_bps, *write_bps, *read_iops, *write_iops;
        size_t n_weight_devices, n_read_bps, n_write_bps, n_read_iops, n_write_iops;
};

struct oci_hugepage_limit {
        const char *page_size; /* "2MB" */
        uint64_t limit;
};

struct oci_interface_priority {
        const char *name;
        uint32_t priority;
};

struct oci_network {
        struct cor_opt_u64 class_id;
        struct oci_interface_priority *priorities;
        size_t n_priorities;
};

struct oci_rdma {
        const char *device; /* the key */
        struct cor_opt_u64 hca_handles, hca_objects;
};

struct oci_resources {
        struct oci_device_rule *devices;
        size_t n_devices;
        struct oci_memory *memory;
        struct oci_cpu *cpu;
        struct oci_pids *pids;
        struct oci_block_io *block_io;
        struct oci_hugepage_limit *hugepage_limits;
        size_t n_hugepage_limits;
        struct oci_network *network;
        struct oci_rdma *rdma;
        size_t n_rdma;
        struct cor_pair *unified;
        size_t n_unified;
};

struct oci_seccomp_arg {
        uint32_t index;
        uint64_t value, value_two;
        const char *op; /* SCMP_CMP_… */
};

struct oci_seccomp_rule {
        const char **names;
        size_t n_names;
        const char *action; /* SCMP_ACT_… */
        struct cor_opt_u64 errno_ret;
        struct oci_seccomp_arg *args;
        size_t n_args;
};

struct oci_seccomp {
        const char *default_action;
        struct cor_opt_u64 default_errno_ret;
        const char **architectures, **flags;
        size_t n_architectures, n_flags;
        const char *listener_path, *listener_metadata;
        struct oci_seccomp_rule *syscalls;
        size_t n_syscalls;
};

struct oci_intel_rdt {
        const char *clos_id;
        const char **schemata;
        size_t n_schemata;
        const char *l3_cache_schema, *mem_bw_schema;
        bool enable_monitoring;
};

struct oci_memory_policy {
        int mode; /* MPOL_… */
        const char *nodes;
        int *flags; /* MPOL_F_…, to be or-ed */
        size_t n_flags;
};

struct oci_personality {
        int domain; /* PER_LINUX or PER_LINUX32 */
        const char **flags;
        size_t n_flags;
};

struct oci_linux {
        struct oci_id_map *uid_mappings, *gid_mappings;
        size_t n_uid_mappings, n_gid_mappings;
        struct cor_pair *sysctl;
        size_t n_sysctl;
        struct oci_resources *resources;
        const char *cgroups_path;
        struct oci_namespace *namespaces;
        size_t n_namespaces;
        struct oci_device *devices;
        size_t n_devices;
        struct oci_net_device *net_devices;
        size_t n_net_devices;
        struct oci_seccomp *seccomp;
        const char *
                rootfs_propagation; /* "", shared, rshared, slave, rslave, private, rprivate, unbindable, runbindable */
        const char **masked_paths, **readonly_paths;
        size_t n_masked_paths, n_readonly_paths;
        const char *mount_label;
        struct oci_intel_rdt *intel_rdt;
        struct oci_memory_policy *memory_policy;
        struct oci_personality *personality;
        struct oci_time_offset *time_offsets;
        size_t n_time_offsets;
};

struct oci_config {
        const char *oci_version;
        struct oci_process *process;
        struct oci_root *root;
        const char *hostname, *domainname;
        struct oci_mount *mounts;
        size_t n_mounts;
        struct oci_hooks *hooks;
        struct cor_pair *annotations;
        size_t n_annotations;
        struct oci_linux *linux_; /* never NULL after oci_config_parse() */
};

/* Tables, for documents that hold a part of config.json on its own. */
extern const struct cor_json_doc oci_config_doc, oci_process_doc, oci_resources_doc, oci_seccomp_doc, oci_mount_doc;
/* Words of closed sets: "pid" <-> CLONE_NEWPID, "RLIMIT_NOFILE" <-> RLIMIT_NOFILE, ... */
extern const struct cor_word oci_namespace_words[], oci_rlimit_words[], oci_scheduler_words[],
        oci_scheduler_flag_words[], oci_ioprio_words[], oci_mempolicy_words[], oci_mempolicy_flag_words[];

enum { OCI_CONFIG_MAX_BYTES = 16 << 20 };

/**
 * oci_config_parse() - read and check config.json
 *
 * Everything that can be judged without looking at the system is checked here: required keys, types, ranges, absolute
 * paths, duplicates, namespaces that settings depend on. Unknown properties are ignored (runtime-spec,
 * "Extensibility"); wrong ones are INVALID with file and key path.
 */
int oci_config_parse(const char *text, size_t len, const char *what, struct oci_config **ret, struct cor_err *err)
        COR_MUST_CHECK;
/* oci_process_parse() - process.json of `exec --process` */
int oci_process_parse(const char *text, size_t len, const char *what, struct oci_process **ret, struct cor_err *err)
        COR_MUST_CHECK;
/* oci_resources_parse() - the document of `update --resources` */
int oci_resources_parse(const char *text, size_t len, const char *what, struct oci_resources **ret, struct cor_err *err)
        COR_MUST_CHECK;

/* oci_annotation() - the value of annotation @key, or NULL */
const char *oci_annotation(const struct oci_config *c, const char *key);
/* oci_namespace_find() - the entry of CLONE_NEW… @type, or NULL */
const struct oci_namespace *oci_namespace_find(const struct oci_config *c, int type);
/* oci_namespace_new() - the container gets a new namespace of this type (listed without a path) */
bool oci_namespace_new(const struct oci_config *c, int type);

#endif

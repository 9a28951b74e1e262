#ifndef CORACLE_SPEC_DOCKER_H
#define CORACLE_SPEC_DOCKER_H
/*
 * Documents of the Docker Engine API (1.51) that describe a container: what was asked for (Config, HostConfig), what
 * became of it (State, Mounts, NetworkSettings) and the two together as `inspect` shows them. Names of members are
 * those of the API; the tables print each document as docker does, with the keys that it always has.
 *
 * Config and HostConfig are also what is kept in the store: a container is made again from them at each start.
 *
 * Go's nil and its empty list or map look different in these documents (null and [] or {}), and so they do here: items
 * that are NULL, or items that are not with n 0 (COR_JSON_NONE_YET).
 */
#include "base/json.h"
#include "spec/image.h"

/* ----------------------------------------------------------------------------------------------------------- Config */

struct docker_config {
        const char *hostname, *domainname, *user;
        bool attach_stdin, attach_stdout, attach_stderr;
        struct image_set_item *exposed_ports; /* "80/tcp" */
        size_t n_exposed_ports;
        bool tty, open_stdin, stdin_once;
        const char **env;
        size_t n_env;
        const char **cmd;
        size_t n_cmd;
        struct image_healthcheck *healthcheck;
        bool args_escaped;
        const char *image;              /* as the user wrote it */
        struct image_set_item *volumes; /* anonymous ones, by path */
        size_t n_volumes;
        const char *working_dir;
        const char **entrypoint;
        size_t n_entrypoint;
        bool network_disabled;
        const char *mac_address;
        const char **on_build;
        size_t n_on_build;
        struct cor_pair *labels;
        size_t n_labels;
        const char *stop_signal;
        struct cor_opt_i64 stop_timeout; /* seconds; negative: wait for ever */
        const char **shell;
        size_t n_shell;
};

/* ------------------------------------------------------------------------------------------------------- HostConfig */

struct docker_log_config {
        const char *type;        /* "json-file" */
        struct cor_pair *config; /* options */
        size_t n_config;
};

struct docker_port_binding {
        const char *host_ip, *host_port; /* host_port may be a range, or empty: any */
};
struct docker_port_bindings {
        const char *port; /* the key: "80/tcp" */
        struct docker_port_binding *items;
        size_t n_items;
};

struct docker_restart_policy {
        const char *name; /* "", no, always, unless-stopped, on-failure */
        int64_t maximum_retry_count;
};

struct docker_weight_device {
        const char *path;
        uint32_t weight;
};
struct docker_throttle_device {
        const char *path;
        uint64_t rate;
};
struct docker_device {
        const char *path_on_host, *path_in_container, *cgroup_permissions;
};
struct docker_strings {
        const char **items;
        size_t n_items;
};
struct docker_device_request {
        const char *driver;
        int64_t count; /* -1: all */
        const char **device_ids;
        size_t n_device_ids;
        struct docker_strings *capabilities; /* a list of lists: an OR of ANDs */
        size_t n_capabilities;
        struct cor_pair *options;
        size_t n_options;
};
struct docker_ulimit {
        const char *name;
        int64_t hard, soft;
};

struct docker_mount_bind {
        const char *propagation;
        bool non_recursive, create_mountpoint, read_only_non_recursive, read_only_force_recursive;
        bool idmap; /* not docker's: what it shows has the ids of the container's user namespace */
};
struct docker_mount_driver {
        const char *name;
        struct cor_pair *options;
        size_t n_options;
};
struct docker_mount_volume {
        bool no_copy;
        struct cor_pair *labels;
        size_t n_labels;
        struct docker_mount_driver *driver_config;
        const char *subpath;
};
struct docker_mount_image {
        const char *subpath;
};
struct docker_mount_tmpfs {
        int64_t size_bytes;
        uint32_t mode;
        struct docker_strings *options; /* each one or two words: a flag, or a key and its value */
        size_t n_options;
};
struct docker_mount {
        const char *type; /* bind, volume, tmpfs, image */
        const char *source, *target;
        bool read_only;
        const char *consistency;
        struct docker_mount_bind *bind_options;
        struct docker_mount_volume *volume_options;
        struct docker_mount_image *image_options;
        struct docker_mount_tmpfs *tmpfs_options;
};

struct docker_host_config {
        const char **binds; /* "SOURCE:TARGET[:OPTIONS]" */
        size_t n_binds;
        const char *container_id_file;
        const char *pid_file; /* not docker's: absolute; the pid of the first process, at each start */
        struct docker_log_config log_config;
        const char *network_mode; /* default, bridge, host, none, container:ID, or a network's name */
        struct docker_port_bindings *port_bindings;
        size_t n_port_bindings;
        struct docker_restart_policy restart_policy;
        bool auto_remove;
        const char *volume_driver;
        const char **volumes_from; /* "ID[:ro|rw]" */
        size_t n_volumes_from;
        uint32_t console_size[2]; /* rows, columns */
        struct cor_pair *annotations;
        size_t n_annotations;

        const char **cap_add, **cap_drop;
        size_t n_cap_add, n_cap_drop;
        const char *cgroupns_mode; /* "", private, host */
        const char **dns, **dns_options, **dns_search, **extra_hosts, **group_add;
        size_t n_dns, n_dns_options, n_dns_search, n_extra_hosts, n_group_add;
        const char *ipc_mode; /* "", none, private, shareable, host, container:ID */
        const char *cgroup;
        const char **links;
        size_t n_links;
        int64_t oom_score_adj;
        const char *pid_mode; /* "", host, container:ID */
        bool privileged, publish_all_ports, readonly_rootfs;
        const char **security_opt;
        size_t n_security_opt;
        struct cor_pair *storage_opt, *tmpfs, *sysctls;
        size_t n_storage_opt, n_tmpfs, n_sysctls;
        const char *uts_mode, *userns_mode; /* "", host */
        int64_t shm_size;
        const char *runtime, *isolation;

        int64_t cpu_shares, memory, nano_cpus; /* nano_cpus: billionths of a processor */
        const char *cgroup_parent;
        uint32_t blkio_weight;
        struct docker_weight_device *blkio_weight_device;
        size_t n_blkio_weight_device;
        struct docker_throttle_device *blkio_device_read_bps, *blkio_device_write_bps, *blkio_device_read_iops,
                *blkio_device_write_iops;
        size_t n_blkio_device_read_bps, n_blkio_device_write_bps, n_blkio_device_read_iops, n_blkio_device_write_iops;
        int64_t cpu_period, cpu_quota, cpu_realtime_period, cpu_realtime_runtime; /* µs */
        const char *cpuset_cpus, *cpuset_mems;
        struct docker_device *devices;
        size_t n_devices;
        const char **device_cgroup_rules;
        size_t n_device_cgroup_rules;
        struct docker_device_request *device_requests;
        size_t n_device_requests;
        int64_t memory_reservation, memory_swap; /* memory_swap: memory and swap together, -1: no limit */
        struct cor_opt_i64 memory_swappiness;
        struct cor_opt_bool oom_kill_disable;
        struct cor_opt_i64 pids_limit; /* 0, -1: none */
        struct docker_ulimit *ulimits;
        size_t n_ulimits;
        int64_t cpu_count, cpu_percent, io_maximum_iops, io_maximum_bandwidth; /* of Windows */
        struct docker_mount *mounts;
        size_t n_mounts;
        const char **masked_paths, **readonly_paths; /* NULL: the default ones; empty lists (n 0): none */
        size_t n_masked_paths, n_readonly_paths;
        struct cor_opt_bool init;
        int64_t kernel_memory, kernel_memory_tcp; /* of old clients */
};

/* ---------------------------------------------------------------------------------------------------------- network */

struct docker_ipam_config {
        const char *ipv4_address, *ipv6_address;
        const char **link_local_ips;
        size_t n_link_local_ips;
};
/* One network that a container is, or is to be, connected with. */
struct docker_endpoint {
        const char *name; /* the key: of the network */
        struct docker_ipam_config *ipam_config;
        const char **links, **aliases;
        size_t n_links, n_aliases;
        const char *mac_address;
        struct cor_pair *driver_opts;
        size_t n_driver_opts;
        int64_t gw_priority;
        const char *network_id, *endpoint_id, *gateway, *ip_address;
        int64_t ip_prefix_len;
        const char *ipv6_gateway, *global_ipv6_address;
        int64_t global_ipv6_prefix_len;
        const char **dns_names;
        size_t n_dns_names;
};
struct docker_networking_config {
        struct docker_endpoint *endpoints;
        size_t n_endpoints;
};
struct docker_address {
        const char *addr;
        int64_t prefix_len;
};
struct docker_network_settings {
        const char *bridge, *sandbox_id, *sandbox_key;
        struct docker_port_bindings *ports; /* null in JSON where nothing is published */
        size_t n_ports;
        const char *endpoint_id, *gateway, *global_ipv6_address, *ip_address, *ipv6_gateway, *mac_address;
        int64_t global_ipv6_prefix_len, ip_prefix_len;
        struct docker_endpoint *networks;
        size_t n_networks;
        /* never set any more, and always printed */
        bool hairpin_mode;
        const char *link_local_ipv6_address;
        int64_t link_local_ipv6_prefix_len;
        struct docker_address *secondary_ip_addresses, *secondary_ipv6_addresses;
        size_t n_secondary_ip_addresses, n_secondary_ipv6_addresses;
};

/* ------------------------------------------------------------------------------------------------------ a container */

struct docker_health_result {
        const char *start, *end; /* RFC 3339 */
        int64_t exit_code;
        const char *output;
};
struct docker_health {
        const char *status; /* none, starting, healthy, unhealthy */
        int64_t failing_streak;
        struct docker_health_result *log;
        size_t n_log;
};
struct docker_state {
        const char *status; /* created, running, paused, restarting, removing, exited, dead */
        bool running, paused, restarting, oom_killed, dead;
        int64_t pid, exit_code;
        const char *error, *started_at, *finished_at;
        struct docker_health *health;
};
struct docker_mount_point {
        const char *type, *name, *source, *destination, *driver, *mode;
        bool rw;
        const char *propagation;
};

struct docker_mount_points { /* a list as a document of its own */
        struct docker_mount_point *items;
        size_t n_items;
};
struct docker_graph_driver {
        struct cor_pair *data;
        size_t n_data;
        const char *name; /* "overlay2" */
};

/* The container document, as `inspect` shows it. */
struct docker_container {
        const char *id, *created, *path;
        const char **args;
        size_t n_args;
        struct docker_state *state;
        const char *image;                                                           /* digest of its config */
        const char *resolv_conf_path, *hostname_path, *hosts_path, *log_path, *name; /* name: with a slash */
        int64_t restart_count;
        const char *driver, *platform, *mount_label, *process_label, *app_armor_profile;
        const char **exec_ids;
        size_t n_exec_ids;
        struct docker_host_config *host_config;
        struct docker_graph_driver *graph_driver;
        struct cor_opt_i64 size_rw, size_root_fs;
        struct docker_mount_point *mounts;
        size_t n_mounts;
        struct docker_config *config;
        struct docker_network_settings *network_settings;
};

extern const struct cor_json_doc docker_config_doc, docker_host_config_doc, docker_networking_config_doc,
        docker_network_settings_doc, docker_endpoint_doc, docker_state_doc, docker_health_doc, docker_mount_point_doc,
        docker_mount_points_doc, docker_port_bindings_doc, docker_strings_doc, docker_container_doc;

#endif

#ifndef CORACLE_SPEC_DOCKER_SYSTEM_H
#define CORACLE_SPEC_DOCKER_SYSTEM_H
/* SystemInfo of the Docker Engine API (1.51): what `info` shows. */
#include "spec/docker.h"

struct docker_plugins { /* NULL lists are null in JSON */
        const char **volume, **network, **authorization, **log;
        size_t n_volume, n_network, n_authorization, n_log;
};
struct docker_index {
        const char *key, *name; /* both are the registry's name */
        const char **mirrors;
        size_t n_mirrors;
        bool secure, official;
};
struct docker_registries {
        const char **insecure; /* networks in CIDR notation; names are in `indexes` */
        size_t n_insecure;
        struct docker_index *indexes;
        size_t n_indexes;
        const char **mirrors;
        size_t n_mirrors;
};
struct docker_runtime {
        const char *name, *path;
};
struct docker_swarm {
        const char *node_id, *node_addr, *state;
        bool control_available;
        const char *error;
};
struct docker_commit {
        const char *id;
};
struct docker_firewall {
        const char *driver;
};
struct docker_address_pool {
        const char *base;
        uint32_t size;
};
struct docker_info {
        const char *id;
        int64_t containers, running, paused, stopped, images;
        const char *driver;
        struct docker_strings *driver_status; /* each a name and a value */
        size_t n_driver_status;
        struct docker_plugins plugins;
        bool memory_limit, swap_limit, cpu_period, cpu_quota, cpu_shares, cpuset, pids_limit, oom_kill_disable;
        bool ipv4_forwarding, debug;
        int64_t n_fd, n_goroutines, n_events_listener;
        const char *system_time; /* RFC 3339 */
        const char *logging_driver, *cgroup_driver, *cgroup_version;
        const char *kernel_version, *operating_system, *os_version, *os_type, *architecture;
        const char *index_server;
        struct docker_registries registries;
        int64_t n_cpu, memory;
        const char *root_dir, *http_proxy, *https_proxy, *no_proxy, *name;
        const char **labels;
        size_t n_labels;
        bool experimental;
        const char *server_version;
        struct docker_runtime *runtimes;
        size_t n_runtimes;
        const char *default_runtime;
        struct docker_swarm swarm;
        bool live_restore;
        const char *isolation, *init_binary;
        struct docker_commit containerd_commit, runc_commit, init_commit;
        const char **security_options, **cdi_dirs, **warnings;
        size_t n_security_options, n_cdi_dirs, n_warnings;
        struct docker_address_pool *pools; /* those that daemon.json names */
        size_t n_pools;
        struct docker_firewall firewall;
};

extern const struct cor_json_doc docker_info_doc;

#endif

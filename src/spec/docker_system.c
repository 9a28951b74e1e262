/* Table of SystemInfo (API 1.51), in the order of docker's documents. */
#include "spec/docker_system.h"

#define C struct docker_plugins
static const struct cor_json_field plugins_fields[] = {
        COR_FIELD_LIST("Volume", LIST_STR, C, volume, n_volume, COR_JSON_NULL),
        COR_FIELD_LIST("Network", LIST_STR, C, network, n_network, COR_JSON_NULL),
        COR_FIELD_LIST("Authorization", LIST_STR, C, authorization, n_authorization, COR_JSON_NULL),
        COR_FIELD_LIST("Log", LIST_STR, C, log, n_log, COR_JSON_NULL),
};
#undef C
static const struct cor_json_doc plugins_doc = COR_DOC(struct docker_plugins, plugins_fields, NULL);

#define C struct docker_index
static const struct cor_json_field index_fields[] = {
        COR_FIELD("Name", STR, C, name, COR_JSON_ALWAYS),
        COR_FIELD_LIST("Mirrors", LIST_STR, C, mirrors, n_mirrors, COR_JSON_ALWAYS),
        COR_FIELD("Secure", BOOL, C, secure, COR_JSON_ALWAYS),
        COR_FIELD("Official", BOOL, C, official, COR_JSON_ALWAYS),
};
#undef C
static const struct cor_json_doc index_doc = COR_DOC(struct docker_index, index_fields, NULL);

#define C struct docker_registries
static const struct cor_json_field registries_fields[] = {
        COR_FIELD_LIST("InsecureRegistryCIDRs", LIST_STR, C, insecure, n_insecure, COR_JSON_ALWAYS),
        COR_FIELD_LIST_OF("IndexConfigs", MAP_OBJ, C, indexes, n_indexes, &index_doc, COR_JSON_ALWAYS),
        COR_FIELD_LIST("Mirrors", LIST_STR, C, mirrors, n_mirrors, COR_JSON_NULL),
};
#undef C
static const struct cor_json_doc registries_doc = COR_DOC(struct docker_registries, registries_fields, NULL);

#define C struct docker_runtime
static const struct cor_json_field runtime_fields[] = {
        COR_FIELD("path", STR, C, path, 0),
};
#undef C
static const struct cor_json_doc runtime_doc = COR_DOC(struct docker_runtime, runtime_fields, NULL);

#define C struct docker_swarm
static const struct cor_json_field swarm_fields[] = {
        COR_FIELD("NodeID", STR, C, node_id, COR_JSON_ALWAYS),
        COR_FIELD("NodeAddr", STR, C, node_addr, COR_JSON_ALWAYS),
        COR_FIELD("LocalNodeState", STR, C, state, COR_JSON_ALWAYS),
        COR_FIELD("ControlAvailable", BOOL, C, control_available, COR_JSON_ALWAYS),
        COR_FIELD("Error", STR, C, error, COR_JSON_ALWAYS),
};
#undef C
static const struct cor_json_doc swarm_doc = COR_DOC(struct docker_swarm, swarm_fields, NULL);

static const struct cor_json_field commit_fields[] = {
        COR_FIELD("ID", STR, struct docker_commit, id, COR_JSON_ALWAYS),
};
static const struct cor_json_doc commit_doc = COR_DOC(struct docker_commit, commit_fields, NULL);

static const struct cor_json_field firewall_fields[] = {
        COR_FIELD("Driver", STR, struct docker_firewall, driver, COR_JSON_ALWAYS),
};
static const struct cor_json_doc firewall_doc = COR_DOC(struct docker_firewall, firewall_fields, NULL);

#define C struct docker_address_pool
static const struct cor_json_field pool_fields[] = {
        COR_FIELD("Base", STR, C, base, COR_JSON_ALWAYS),
        COR_FIELD("Size", U32, C, size, COR_JSON_ALWAYS),
};
#undef C
static const struct cor_json_doc pool_doc = COR_DOC(struct docker_address_pool, pool_fields, NULL);

#define C struct docker_info
static const struct cor_json_field info_fields[] = {
        COR_FIELD("ID", STR, C, id, COR_JSON_ALWAYS),
        COR_FIELD("Containers", I64, C, containers, COR_JSON_ALWAYS),
        COR_FIELD("ContainersRunning", I64, C, running, COR_JSON_ALWAYS),
        COR_FIELD("ContainersPaused", I64, C, paused, COR_JSON_ALWAYS),
        COR_FIELD("ContainersStopped", I64, C, stopped, COR_JSON_ALWAYS),
        COR_FIELD("Images", I64, C, images, COR_JSON_ALWAYS),
        COR_FIELD("Driver", STR, C, driver, COR_JSON_ALWAYS),
        COR_FIELD_LIST_OF("DriverStatus", LIST_OBJ, C, driver_status, n_driver_status, &docker_strings_doc,
                          COR_JSON_NULL),
        COR_FIELD_OBJ("Plugins", INLINE, C, plugins, &plugins_doc, COR_JSON_ALWAYS),
        COR_FIELD("MemoryLimit", BOOL, C, memory_limit, COR_JSON_ALWAYS),
        COR_FIELD("SwapLimit", BOOL, C, swap_limit, COR_JSON_ALWAYS),
        COR_FIELD("CpuCfsPeriod", BOOL, C, cpu_period, COR_JSON_ALWAYS),
        COR_FIELD("CpuCfsQuota", BOOL, C, cpu_quota, COR_JSON_ALWAYS),
        COR_FIELD("CPUShares", BOOL, C, cpu_shares, COR_JSON_ALWAYS),
        COR_FIELD("CPUSet", BOOL, C, cpuset, COR_JSON_ALWAYS),
        COR_FIELD("PidsLimit", BOOL, C, pids_limit, COR_JSON_ALWAYS),
        COR_FIELD("IPv4Forwarding", BOOL, C, ipv4_forwarding, COR_JSON_ALWAYS),
        COR_FIELD("Debug", BOOL, C, debug, COR_JSON_ALWAYS),
        COR_FIELD("NFd", I64, C, n_fd, COR_JSON_ALWAYS),
        COR_FIELD("OomKillDisable", BOOL, C, oom_kill_disable, COR_JSON_ALWAYS),
        COR_FIELD("NGoroutines", I64, C, n_goroutines, COR_JSON_ALWAYS),
        COR_FIELD("SystemTime", STR, C, system_time, COR_JSON_ALWAYS),
        COR_FIELD("LoggingDriver", STR, C, logging_driver, COR_JSON_ALWAYS),
        COR_FIELD("CgroupDriver", STR, C, cgroup_driver, COR_JSON_ALWAYS),
        COR_FIELD("CgroupVersion", STR, C, cgroup_version, 0),
        COR_FIELD("NEventsListener", I64, C, n_events_listener, COR_JSON_ALWAYS),
        COR_FIELD("KernelVersion", STR, C, kernel_version, COR_JSON_ALWAYS),
        COR_FIELD("OperatingSystem", STR, C, operating_system, COR_JSON_ALWAYS),
        COR_FIELD("OSVersion", STR, C, os_version, COR_JSON_ALWAYS),
        COR_FIELD("OSType", STR, C, os_type, COR_JSON_ALWAYS),
        COR_FIELD("Architecture", STR, C, architecture, COR_JSON_ALWAYS),
        COR_FIELD("IndexServerAddress", STR, C, index_server, COR_JSON_ALWAYS),
        COR_FIELD_OBJ("RegistryConfig", INLINE, C, registries, &registries_doc, COR_JSON_ALWAYS),
        COR_FIELD("NCPU", I64, C, n_cpu, COR_JSON_ALWAYS),
        COR_FIELD("MemTotal", I64, C, memory, COR_JSON_ALWAYS),
        COR_FIELD("DockerRootDir", STR, C, root_dir, COR_JSON_ALWAYS),
        COR_FIELD("HttpProxy", STR, C, http_proxy, COR_JSON_ALWAYS),
        COR_FIELD("HttpsProxy", STR, C, https_proxy, COR_JSON_ALWAYS),
        COR_FIELD("NoProxy", STR, C, no_proxy, COR_JSON_ALWAYS),
        COR_FIELD("Name", STR, C, name, COR_JSON_ALWAYS),
        COR_FIELD_LIST("Labels", LIST_STR, C, labels, n_labels, COR_JSON_ALWAYS),
        COR_FIELD("ExperimentalBuild", BOOL, C, experimental, COR_JSON_ALWAYS),
        COR_FIELD("ServerVersion", STR, C, server_version, COR_JSON_ALWAYS),
        COR_FIELD_LIST_OF("Runtimes", MAP_OBJ, C, runtimes, n_runtimes, &runtime_doc, COR_JSON_ALWAYS),
        COR_FIELD("DefaultRuntime", STR, C, default_runtime, COR_JSON_ALWAYS),
        COR_FIELD_OBJ("Swarm", INLINE, C, swarm, &swarm_doc, COR_JSON_ALWAYS),
        COR_FIELD("LiveRestoreEnabled", BOOL, C, live_restore, COR_JSON_ALWAYS),
        COR_FIELD("Isolation", STR, C, isolation, COR_JSON_ALWAYS),
        COR_FIELD("InitBinary", STR, C, init_binary, COR_JSON_ALWAYS),
        COR_FIELD_OBJ("ContainerdCommit", INLINE, C, containerd_commit, &commit_doc, COR_JSON_ALWAYS),
        COR_FIELD_OBJ("RuncCommit", INLINE, C, runc_commit, &commit_doc, COR_JSON_ALWAYS),
        COR_FIELD_OBJ("InitCommit", INLINE, C, init_commit, &commit_doc, COR_JSON_ALWAYS),
        COR_FIELD_LIST("SecurityOptions", LIST_STR, C, security_options, n_security_options, COR_JSON_ALWAYS),
        COR_FIELD_LIST_OF("DefaultAddressPools", LIST_OBJ, C, pools, n_pools, &pool_doc, 0),
        COR_FIELD_OBJ("FirewallBackend", INLINE, C, firewall, &firewall_doc, COR_JSON_ALWAYS),
        COR_FIELD_LIST("CDISpecDirs", LIST_STR, C, cdi_dirs, n_cdi_dirs, COR_JSON_ALWAYS),
        COR_FIELD_LIST("Warnings", LIST_STR, C, warnings, n_warnings, COR_JSON_NULL),
};
#undef C
const struct cor_json_doc docker_info_doc = COR_DOC(struct docker_info, info_fields, NULL);

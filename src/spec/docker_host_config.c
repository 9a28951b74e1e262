/*
 * HostConfig: what a container asks of the machine it runs on. Which keys are always there, and which are null when
 * nothing is set, is docker's (API 1.51).
 */
#include "spec/docker.h"

#define C struct docker_log_config
static const struct cor_json_field log_config_fields[] = {
        COR_FIELD("Type", STR, C, type, COR_JSON_ALWAYS),
        COR_FIELD_LIST("Config", MAP_STR, C, config, n_config, COR_JSON_NULL),
};
#undef C
static const struct cor_json_doc log_config_doc = COR_DOC(struct docker_log_config, log_config_fields, NULL);

#define C struct docker_restart_policy
static const struct cor_json_field restart_policy_fields[] = {
        COR_FIELD("Name", STR, C, name, COR_JSON_ALWAYS),
        COR_FIELD("MaximumRetryCount", I64, C, maximum_retry_count, COR_JSON_ALWAYS),
};
#undef C
static const struct cor_json_doc restart_policy_doc =
        COR_DOC(struct docker_restart_policy, restart_policy_fields, NULL);

#define C struct docker_port_binding
static const struct cor_json_field port_binding_fields[] = {
        COR_FIELD("HostIp", STR, C, host_ip, COR_JSON_ALWAYS),
        COR_FIELD("HostPort", STR, C, host_port, COR_JSON_ALWAYS),
};
#undef C
static const struct cor_json_doc port_binding_doc = { .size = sizeof(struct docker_port_binding),
                                                      .fields = port_binding_fields,
                                                      .n_fields = COR_COUNT(port_binding_fields),
                                                      .nullable = true };

#define C struct docker_port_bindings
static const struct cor_json_field port_bindings_fields[] = {
        COR_FIELD_LIST_OF("", LIST_OBJ, C, items, n_items, &port_binding_doc, COR_JSON_NULL),
};
#undef C
const struct cor_json_doc docker_port_bindings_doc = { .size = sizeof(struct docker_port_bindings),
                                                       .fields = port_bindings_fields,
                                                       .n_fields = COR_COUNT(port_bindings_fields),
                                                       .bare = true };

#define C struct docker_strings
static const struct cor_json_field strings_fields[] = {
        COR_FIELD_LIST("", LIST_STR, C, items, n_items, COR_JSON_NULL),
};
#undef C
const struct cor_json_doc docker_strings_doc = { .size = sizeof(struct docker_strings),
                                                 .fields = strings_fields,
                                                 .n_fields = COR_COUNT(strings_fields),
                                                 .bare = true };

/* -------------------------------------------------------------------------------------------------------- resources */

#define C struct docker_weight_device
static const struct cor_json_field weight_device_fields[] = {
        COR_FIELD("Path", STR, C, path, COR_JSON_ALWAYS),
        COR_FIELD("Weight", U32, C, weight, COR_JSON_ALWAYS),
};
#undef C
static const struct cor_json_doc weight_device_doc = COR_DOC(struct docker_weight_device, weight_device_fields, NULL);

#define C struct docker_throttle_device
static const struct cor_json_field throttle_device_fields[] = {
        COR_FIELD("Path", STR, C, path, COR_JSON_ALWAYS),
        COR_FIELD("Rate", U64, C, rate, COR_JSON_ALWAYS),
};
#undef C
static const struct cor_json_doc throttle_device_doc =
        COR_DOC(struct docker_throttle_device, throttle_device_fields, NULL);

#define C struct docker_device
static const struct cor_json_field device_fields[] = {
        COR_FIELD("PathOnHost", STR, C, path_on_host, COR_JSON_ALWAYS),
        COR_FIELD("PathInContainer", STR, C, path_in_container, COR_JSON_ALWAYS),
        COR_FIELD("CgroupPermissions", STR, C, cgroup_permissions, COR_JSON_ALWAYS),
};
#undef C
static const struct cor_json_doc device_doc = COR_DOC(struct docker_device, device_fields, NULL);

#define C struct docker_device_request
static const struct cor_json_field device_request_fields[] = {
        COR_FIELD("Driver", STR, C, driver, COR_JSON_ALWAYS),
        COR_FIELD("Count", I64, C, count, COR_JSON_ALWAYS),
        COR_FIELD_LIST("DeviceIDs", LIST_STR, C, device_ids, n_device_ids, COR_JSON_NULL),
        COR_FIELD_LIST_OF("Capabilities", LIST_OBJ, C, capabilities, n_capabilities, &docker_strings_doc,
                          COR_JSON_NULL),
        COR_FIELD_LIST("Options", MAP_STR, C, options, n_options, COR_JSON_NULL),
};
#undef C
static const struct cor_json_doc device_request_doc =
        COR_DOC(struct docker_device_request, device_request_fields, NULL);

#define C struct docker_ulimit
static const struct cor_json_field ulimit_fields[] = {
        COR_FIELD("Name", STR, C, name, COR_JSON_ALWAYS),
        COR_FIELD("Hard", I64, C, hard, COR_JSON_ALWAYS),
        COR_FIELD("Soft", I64, C, soft, COR_JSON_ALWAYS),
};
#undef C
static const struct cor_json_doc ulimit_doc = COR_DOC(struct docker_ulimit, ulimit_fields, NULL);

/* ----------------------------------------------------------------------------------------------------------- mounts */

#define C struct docker_mount_bind
static const struct cor_json_field mount_bind_fields[] = {
        COR_FIELD("Propagation", STR, C, propagation, 0),
        COR_FIELD("NonRecursive", BOOL, C, non_recursive, 0),
        COR_FIELD("CreateMountpoint", BOOL, C, create_mountpoint, 0),
        COR_FIELD("ReadOnlyNonRecursive", BOOL, C, read_only_non_recursive, 0),
        COR_FIELD("ReadOnlyForceRecursive", BOOL, C, read_only_force_recursive, 0),
        COR_FIELD("IDMap", BOOL, C, idmap, 0),
};
#undef C
static const struct cor_json_doc mount_bind_doc = COR_DOC(struct docker_mount_bind, mount_bind_fields, NULL);

#define C struct docker_mount_driver
static const struct cor_json_field mount_driver_fields[] = {
        COR_FIELD("Name", STR, C, name, 0),
        COR_FIELD_LIST("Options", MAP_STR, C, options, n_options, 0),
};
#undef C
static const struct cor_json_doc mount_driver_doc = COR_DOC(struct docker_mount_driver, mount_driver_fields, NULL);

#define C struct docker_mount_volume
static const struct cor_json_field mount_volume_fields[] = {
        COR_FIELD("NoCopy", BOOL, C, no_copy, 0),
        COR_FIELD_LIST("Labels", MAP_STR, C, labels, n_labels, 0),
        COR_FIELD("Subpath", STR, C, subpath, 0),
        COR_FIELD_OBJ("DriverConfig", OBJ, C, driver_config, &mount_driver_doc, 0),
};
#undef C
static const struct cor_json_doc mount_volume_doc = COR_DOC(struct docker_mount_volume, mount_volume_fields, NULL);

#define C struct docker_mount_image
static const struct cor_json_field mount_image_fields[] = {
        COR_FIELD("Subpath", STR, C, subpath, 0),
};
#undef C
static const struct cor_json_doc mount_image_doc = COR_DOC(struct docker_mount_image, mount_image_fields, NULL);

#define C struct docker_mount_tmpfs
static const struct cor_json_field mount_tmpfs_fields[] = {
        COR_FIELD("SizeBytes", I64, C, size_bytes, 0),
        COR_FIELD("Mode", U32, C, mode, 0),
        COR_FIELD_LIST_OF("Options", LIST_OBJ, C, options, n_options, &docker_strings_doc, 0),
};
#undef C
static const struct cor_json_doc mount_tmpfs_doc = COR_DOC(struct docker_mount_tmpfs, mount_tmpfs_fields, NULL);

#define C struct docker_mount
static const struct cor_json_field mount_fields[] = {
        COR_FIELD("Type", STR, C, type, 0),
        COR_FIELD("Source", STR, C, source, 0),
        COR_FIELD("Target", STR, C, target, 0),
        COR_FIELD("ReadOnly", BOOL, C, read_only, 0),
        COR_FIELD("Consistency", STR, C, consistency, 0),
        COR_FIELD_OBJ("BindOptions", OBJ, C, bind_options, &mount_bind_doc, 0),
        COR_FIELD_OBJ("VolumeOptions", OBJ, C, volume_options, &mount_volume_doc, 0),
        COR_FIELD_OBJ("ImageOptions", OBJ, C, image_options, &mount_image_doc, 0),
        COR_FIELD_OBJ("TmpfsOptions", OBJ, C, tmpfs_options, &mount_tmpfs_doc, 0),
};
#undef C
static const struct cor_json_doc mount_doc = COR_DOC(struct docker_mount, mount_fields, NULL);

/* ----------------------------------------------------------------------------------------------------- the document */

#define C struct docker_host_config
static const struct cor_json_field host_config_fields[] = {
        COR_FIELD_LIST("Binds", LIST_STR, C, binds, n_binds, COR_JSON_NULL),
        COR_FIELD("ContainerIDFile", STR, C, container_id_file, COR_JSON_ALWAYS),
        COR_FIELD("PidFile", STR, C, pid_file, 0),
        COR_FIELD_OBJ("LogConfig", INLINE, C, log_config, &log_config_doc, COR_JSON_ALWAYS),
        COR_FIELD("NetworkMode", STR, C, network_mode, COR_JSON_ALWAYS),
        COR_FIELD_LIST_OF("PortBindings", MAP_OBJ, C, port_bindings, n_port_bindings, &docker_port_bindings_doc,
                          COR_JSON_NULL),
        COR_FIELD_OBJ("RestartPolicy", INLINE, C, restart_policy, &restart_policy_doc, COR_JSON_ALWAYS),
        COR_FIELD("AutoRemove", BOOL, C, auto_remove, COR_JSON_ALWAYS),
        COR_FIELD("VolumeDriver", STR, C, volume_driver, COR_JSON_ALWAYS),
        COR_FIELD_LIST("VolumesFrom", LIST_STR, C, volumes_from, n_volumes_from, COR_JSON_NULL),
        COR_FIELD_ARRAY("ConsoleSize", ARRAY_U32, C, console_size, COR_JSON_ALWAYS),
        COR_FIELD_LIST("Annotations", MAP_STR, C, annotations, n_annotations, 0),
        COR_FIELD_LIST("CapAdd", LIST_STR, C, cap_add, n_cap_add, COR_JSON_NULL | COR_JSON_ONE),
        COR_FIELD_LIST("CapDrop", LIST_STR, C, cap_drop, n_cap_drop, COR_JSON_NULL | COR_JSON_ONE),
        COR_FIELD("CgroupnsMode", STR, C, cgroupns_mode, COR_JSON_ALWAYS),
        COR_FIELD_LIST("Dns", LIST_STR, C, dns, n_dns, COR_JSON_NULL),
        COR_FIELD_LIST("DnsOptions", LIST_STR, C, dns_options, n_dns_options, COR_JSON_NULL),
        COR_FIELD_LIST("DnsSearch", LIST_STR, C, dns_search, n_dns_search, COR_JSON_NULL),
        COR_FIELD_LIST("ExtraHosts", LIST_STR, C, extra_hosts, n_extra_hosts, COR_JSON_NULL),
        COR_FIELD_LIST("GroupAdd", LIST_STR, C, group_add, n_group_add, COR_JSON_NULL),
        COR_FIELD("IpcMode", STR, C, ipc_mode, COR_JSON_ALWAYS),
        COR_FIELD("Cgroup", STR, C, cgroup, COR_JSON_ALWAYS),
        COR_FIELD_LIST("Links", LIST_STR, C, links, n_links, COR_JSON_NULL),
        COR_FIELD("OomScoreAdj", I64, C, oom_score_adj, COR_JSON_ALWAYS),
        COR_FIELD("PidMode", STR, C, pid_mode, COR_JSON_ALWAYS),
        COR_FIELD("Privileged", BOOL, C, privileged, COR_JSON_ALWAYS),
        COR_FIELD("PublishAllPorts", BOOL, C, publish_all_ports, COR_JSON_ALWAYS),
        COR_FIELD("ReadonlyRootfs", BOOL, C, readonly_rootfs, COR_JSON_ALWAYS),
        COR_FIELD_LIST("SecurityOpt", LIST_STR, C, security_opt, n_security_opt, COR_JSON_NULL),
        COR_FIELD_LIST("StorageOpt", MAP_STR, C, storage_opt, n_storage_opt, 0),
        COR_FIELD_LIST("Tmpfs", MAP_STR, C, tmpfs, n_tmpfs, 0),
        COR_FIELD("UTSMode", STR, C, uts_mode, COR_JSON_ALWAYS),
        COR_FIELD("UsernsMode", STR, C, userns_mode, COR_JSON_ALWAYS),
        COR_FIELD("ShmSize", I64, C, shm_size, COR_JSON_ALWAYS),
        COR_FIELD_LIST("Sysctls", MAP_STR, C, sysctls, n_sysctls, 0),
        COR_FIELD("Runtime", STR, C, runtime, 0),
        COR_FIELD("Isolation", STR, C, isolation, COR_JSON_ALWAYS),
        COR_FIELD("CpuShares", I64, C, cpu_shares, COR_JSON_ALWAYS),
        COR_FIELD("Memory", I64, C, memory, COR_JSON_ALWAYS),
        COR_FIELD("NanoCpus", I64, C, nano_cpus, COR_JSON_ALWAYS),
        COR_FIELD("CgroupParent", STR, C, cgroup_parent, COR_JSON_ALWAYS),
        COR_FIELD("BlkioWeight", U32, C, blkio_weight, COR_JSON_ALWAYS),
        COR_FIELD_LIST_OF("BlkioWeightDevice", LIST_OBJ, C, blkio_weight_device, n_blkio_weight_device,
                          &weight_device_doc, COR_JSON_NULL),
        COR_FIELD_LIST_OF("BlkioDeviceReadBps", LIST_OBJ, C, blkio_device_read_bps, n_blkio_device_read_bps,
                          &throttle_device_doc, COR_JSON_NULL),
        COR_FIELD_LIST_OF("BlkioDeviceWriteBps", LIST_OBJ, C, blkio_device_write_bps, n_blkio_device_write_bps,
                          &throttle_device_doc, COR_JSON_NULL),
        COR_FIELD_LIST_OF("BlkioDeviceReadIOps", LIST_OBJ, C, blkio_device_read_iops, n_blkio_device_read_iops,
                          &throttle_device_doc, COR_JSON_NULL),
        COR_FIELD_LIST_OF("BlkioDeviceWriteIOps", LIST_OBJ, C, blkio_device_write_iops, n_blkio_device_write_iops,
                          &throttle_device_doc, COR_JSON_NULL),
        COR_FIELD("CpuPeriod", I64, C, cpu_period, COR_JSON_ALWAYS),
        COR_FIELD("CpuQuota", I64, C, cpu_quota, COR_JSON_ALWAYS),
        COR_FIELD("CpuRealtimePeriod", I64, C, cpu_realtime_period, COR_JSON_ALWAYS),
        COR_FIELD("CpuRealtimeRuntime", I64, C, cpu_realtime_runtime, COR_JSON_ALWAYS),
        COR_FIELD("CpusetCpus", STR, C, cpuset_cpus, COR_JSON_ALWAYS),
        COR_FIELD("CpusetMems", STR, C, cpuset_mems, COR_JSON_ALWAYS),
        COR_FIELD_LIST_OF("Devices", LIST_OBJ, C, devices, n_devices, &device_doc, COR_JSON_NULL),
        COR_FIELD_LIST("DeviceCgroupRules", LIST_STR, C, device_cgroup_rules, n_device_cgroup_rules, COR_JSON_NULL),
        COR_FIELD_LIST_OF("DeviceRequests", LIST_OBJ, C, device_requests, n_device_requests, &device_request_doc,
                          COR_JSON_NULL),
        COR_FIELD("KernelMemory", I64, C, kernel_memory, 0),
        COR_FIELD("KernelMemoryTCP", I64, C, kernel_memory_tcp, 0),
        COR_FIELD("MemoryReservation", I64, C, memory_reservation, COR_JSON_ALWAYS),
        COR_FIELD("MemorySwap", I64, C, memory_swap, COR_JSON_ALWAYS),
        COR_FIELD("MemorySwappiness", OPT_I64, C, memory_swappiness, COR_JSON_NULL),
        COR_FIELD("OomKillDisable", OPT_BOOL, C, oom_kill_disable, COR_JSON_NULL),
        COR_FIELD("PidsLimit", OPT_I64, C, pids_limit, COR_JSON_NULL),
        COR_FIELD_LIST_OF("Ulimits", LIST_OBJ, C, ulimits, n_ulimits, &ulimit_doc, COR_JSON_NULL),
        COR_FIELD("CpuCount", I64, C, cpu_count, COR_JSON_ALWAYS),
        COR_FIELD("CpuPercent", I64, C, cpu_percent, COR_JSON_ALWAYS),
        COR_FIELD("IOMaximumIOps", I64, C, io_maximum_iops, COR_JSON_ALWAYS),
        COR_FIELD("IOMaximumBandwidth", I64, C, io_maximum_bandwidth, COR_JSON_ALWAYS),
        COR_FIELD_LIST_OF("Mounts", LIST_OBJ, C, mounts, n_mounts, &mount_doc, 0),
        COR_FIELD_LIST("MaskedPaths", LIST_STR, C, masked_paths, n_masked_paths, COR_JSON_NULL),
        COR_FIELD_LIST("ReadonlyPaths", LIST_STR, C, readonly_paths, n_readonly_paths, COR_JSON_NULL),
        COR_FIELD("Init", OPT_BOOL, C, init, 0),
};
#undef C
const struct cor_json_doc docker_host_config_doc = COR_DOC(struct docker_host_config, host_config_fields, NULL);

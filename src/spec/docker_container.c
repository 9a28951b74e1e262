/* What became of a container: its networks, its state, and the document that shows all of it (API 1.51). */
#include "spec/docker.h"

#define C struct docker_ipam_config
static const struct cor_json_field ipam_fields[] = {
        COR_FIELD("IPv4Address", STR, C, ipv4_address, 0),
        COR_FIELD("IPv6Address", STR, C, ipv6_address, 0),
        COR_FIELD_LIST("LinkLocalIPs", LIST_STR, C, link_local_ips, n_link_local_ips, 0),
};
#undef C
static const struct cor_json_doc ipam_doc = COR_DOC(struct docker_ipam_config, ipam_fields, NULL);

#define C struct docker_endpoint
static const struct cor_json_field endpoint_fields[] = {
        COR_FIELD_OBJ("IPAMConfig", OBJ, C, ipam_config, &ipam_doc, COR_JSON_ALWAYS),
        COR_FIELD_LIST("Links", LIST_STR, C, links, n_links, COR_JSON_NULL),
        COR_FIELD_LIST("Aliases", LIST_STR, C, aliases, n_aliases, COR_JSON_NULL),
        COR_FIELD("MacAddress", STR, C, mac_address, COR_JSON_ALWAYS),
        COR_FIELD_LIST("DriverOpts", MAP_STR, C, driver_opts, n_driver_opts, COR_JSON_NULL),
        COR_FIELD("GwPriority", I64, C, gw_priority, COR_JSON_ALWAYS),
        COR_FIELD("NetworkID", STR, C, network_id, COR_JSON_ALWAYS),
        COR_FIELD("EndpointID", STR, C, endpoint_id, COR_JSON_ALWAYS),
        COR_FIELD("Gateway", STR, C, gateway, COR_JSON_ALWAYS),
        COR_FIELD("IPAddress", STR, C, ip_address, COR_JSON_ALWAYS),
        COR_FIELD("IPPrefixLen", I64, C, ip_prefix_len, COR_JSON_ALWAYS),
        COR_FIELD("IPv6Gateway", STR, C, ipv6_gateway, COR_JSON_ALWAYS),
        COR_FIELD("GlobalIPv6Address", STR, C, global_ipv6_address, COR_JSON_ALWAYS),
        COR_FIELD("GlobalIPv6PrefixLen", I64, C, global_ipv6_prefix_len, COR_JSON_ALWAYS),
        COR_FIELD_LIST("DNSNames", LIST_STR, C, dns_names, n_dns_names, COR_JSON_NULL),
};
#undef C
const struct cor_json_doc docker_endpoint_doc = { .size = sizeof(struct docker_endpoint),
                                                  .fields = endpoint_fields,
                                                  .n_fields = COR_COUNT(endpoint_fields),
                                                  .nullable = true };

#define C struct docker_networking_config
static const struct cor_json_field networking_config_fields[] = {
        COR_FIELD_LIST_OF("EndpointsConfig", MAP_OBJ, C, endpoints, n_endpoints, &docker_endpoint_doc, COR_JSON_NULL),
};
#undef C
const struct cor_json_doc docker_networking_config_doc =
        COR_DOC(struct docker_networking_config, networking_config_fields, NULL);

#define C struct docker_address
static const struct cor_json_field address_fields[] = {
        COR_FIELD("Addr", STR, C, addr, COR_JSON_ALWAYS),
        COR_FIELD("PrefixLen", I64, C, prefix_len, COR_JSON_ALWAYS),
};
#undef C
static const struct cor_json_doc address_doc = COR_DOC(struct docker_address, address_fields, NULL);

#define C struct docker_network_settings
static const struct cor_json_field network_settings_fields[] = {
        COR_FIELD("Bridge", STR, C, bridge, COR_JSON_ALWAYS),
        COR_FIELD("SandboxID", STR, C, sandbox_id, COR_JSON_ALWAYS),
        COR_FIELD("SandboxKey", STR, C, sandbox_key, COR_JSON_ALWAYS),
        COR_FIELD_LIST_OF("Ports", MAP_OBJ, C, ports, n_ports, &docker_port_bindings_doc, COR_JSON_NULL),
        COR_FIELD("HairpinMode", BOOL, C, hairpin_mode, COR_JSON_ALWAYS),
        COR_FIELD("LinkLocalIPv6Address", STR, C, link_local_ipv6_address, COR_JSON_ALWAYS),
        COR_FIELD("LinkLocalIPv6PrefixLen", I64, C, link_local_ipv6_prefix_len, COR_JSON_ALWAYS),
        COR_FIELD_LIST_OF("SecondaryIPAddresses", LIST_OBJ, C, secondary_ip_addresses, n_secondary_ip_addresses,
                          &address_doc, COR_JSON_NULL),
        COR_FIELD_LIST_OF("SecondaryIPv6Addresses", LIST_OBJ, C, secondary_ipv6_addresses, n_secondary_ipv6_addresses,
                          &address_doc, COR_JSON_NULL),
        COR_FIELD("EndpointID", STR, C, endpoint_id, COR_JSON_ALWAYS),
        COR_FIELD("Gateway", STR, C, gateway, COR_JSON_ALWAYS),
        COR_FIELD("GlobalIPv6Address", STR, C, global_ipv6_address, COR_JSON_ALWAYS),
        COR_FIELD("GlobalIPv6PrefixLen", I64, C, global_ipv6_prefix_len, COR_JSON_ALWAYS),
        COR_FIELD("IPAddress", STR, C, ip_address, COR_JSON_ALWAYS),
        COR_FIELD("IPPrefixLen", I64, C, ip_prefix_len, COR_JSON_ALWAYS),
        COR_FIELD("IPv6Gateway", STR, C, ipv6_gateway, COR_JSON_ALWAYS),
        COR_FIELD("MacAddress", STR, C, mac_address, COR_JSON_ALWAYS),
        COR_FIELD_LIST_OF("Networks", MAP_OBJ, C, networks, n_networks, &docker_endpoint_doc, COR_JSON_NULL),
};
#undef C
const struct cor_json_doc docker_network_settings_doc =
        COR_DOC(struct docker_network_settings, network_settings_fields, NULL);

#define C struct docker_health_result
static const struct cor_json_field health_result_fields[] = {
        COR_FIELD("Start", STR, C, start, COR_JSON_ALWAYS),
        COR_FIELD("End", STR, C, end, COR_JSON_ALWAYS),
        COR_FIELD("ExitCode", I64, C, exit_code, COR_JSON_ALWAYS),
        COR_FIELD("Output", STR, C, output, COR_JSON_ALWAYS),
};
#undef C
static const struct cor_json_doc health_result_doc = COR_DOC(struct docker_health_result, health_result_fields, NULL);

#define C struct docker_health
static const struct cor_json_field health_fields[] = {
        COR_FIELD("Status", STR, C, status, COR_JSON_ALWAYS),
        COR_FIELD("FailingStreak", I64, C, failing_streak, COR_JSON_ALWAYS),
        COR_FIELD_LIST_OF("Log", LIST_OBJ, C, log, n_log, &health_result_doc, COR_JSON_ALWAYS),
};
#undef C
const struct cor_json_doc docker_health_doc = COR_DOC(struct docker_health, health_fields, NULL);

#define C struct docker_state
static const struct cor_json_field state_fields[] = {
        COR_FIELD("Status", STR, C, status, COR_JSON_ALWAYS),
        COR_FIELD("Running", BOOL, C, running, COR_JSON_ALWAYS),
        COR_FIELD("Paused", BOOL, C, paused, COR_JSON_ALWAYS),
        COR_FIELD("Restarting", BOOL, C, restarting, COR_JSON_ALWAYS),
        COR_FIELD("OOMKilled", BOOL, C, oom_killed, COR_JSON_ALWAYS),
        COR_FIELD("Dead", BOOL, C, dead, COR_JSON_ALWAYS),
        COR_FIELD("Pid", I64, C, pid, COR_JSON_ALWAYS),
        COR_FIELD("ExitCode", I64, C, exit_code, COR_JSON_ALWAYS),
        COR_FIELD("Error", STR, C, error, COR_JSON_ALWAYS),
        COR_FIELD("StartedAt", STR, C, started_at, COR_JSON_ALWAYS),
        COR_FIELD("FinishedAt", STR, C, finished_at, COR_JSON_ALWAYS),
        COR_FIELD_OBJ("Health", OBJ, C, health, &docker_health_doc, 0),
};
#undef C
const struct cor_json_doc docker_state_doc = COR_DOC(struct docker_state, state_fields, NULL);

#define C struct docker_mount_point
static const struct cor_json_field mount_point_fields[] = {
        COR_FIELD("Type", STR, C, type, 0),
        COR_FIELD("Name", STR, C, name, 0),
        COR_FIELD("Source", STR, C, source, COR_JSON_ALWAYS),
        COR_FIELD("Destination", STR, C, destination, COR_JSON_ALWAYS),
        COR_FIELD("Driver", STR, C, driver, 0),
        COR_FIELD("Mode", STR, C, mode, COR_JSON_ALWAYS),
        COR_FIELD("RW", BOOL, C, rw, COR_JSON_ALWAYS),
        COR_FIELD("Propagation", STR, C, propagation, COR_JSON_ALWAYS),
};
#undef C
const struct cor_json_doc docker_mount_point_doc = COR_DOC(struct docker_mount_point, mount_point_fields, NULL);

#define C struct docker_mount_points
static const struct cor_json_field mount_points_fields[] = {
        COR_FIELD_LIST_OF("", LIST_OBJ, C, items, n_items, &docker_mount_point_doc, COR_JSON_ALWAYS),
};
#undef C
const struct cor_json_doc docker_mount_points_doc = { .size = sizeof(struct docker_mount_points),
                                                      .fields = mount_points_fields,
                                                      .n_fields = COR_COUNT(mount_points_fields),
                                                      .bare = true };

#define C struct docker_graph_driver
static const struct cor_json_field graph_driver_fields[] = {
        COR_FIELD_LIST("Data", MAP_STR, C, data, n_data, COR_JSON_NULL),
        COR_FIELD("Name", STR, C, name, COR_JSON_ALWAYS),
};
#undef C
static const struct cor_json_doc graph_driver_doc = COR_DOC(struct docker_graph_driver, graph_driver_fields, NULL);

#define C struct docker_container
static const struct cor_json_field container_fields[] = {
        COR_FIELD("Id", STR, C, id, COR_JSON_ALWAYS),
        COR_FIELD("Created", STR, C, created, COR_JSON_ALWAYS),
        COR_FIELD("Path", STR, C, path, COR_JSON_ALWAYS),
        COR_FIELD_LIST("Args", LIST_STR, C, args, n_args, COR_JSON_ALWAYS),
        COR_FIELD_OBJ("State", OBJ, C, state, &docker_state_doc, COR_JSON_ALWAYS),
        COR_FIELD("Image", STR, C, image, COR_JSON_ALWAYS),
        COR_FIELD("ResolvConfPath", STR, C, resolv_conf_path, COR_JSON_ALWAYS),
        COR_FIELD("HostnamePath", STR, C, hostname_path, COR_JSON_ALWAYS),
        COR_FIELD("HostsPath", STR, C, hosts_path, COR_JSON_ALWAYS),
        COR_FIELD("LogPath", STR, C, log_path, COR_JSON_ALWAYS),
        COR_FIELD("Name", STR, C, name, COR_JSON_ALWAYS),
        COR_FIELD("RestartCount", I64, C, restart_count, COR_JSON_ALWAYS),
        COR_FIELD("Driver", STR, C, driver, COR_JSON_ALWAYS),
        COR_FIELD("Platform", STR, C, platform, COR_JSON_ALWAYS),
        COR_FIELD("MountLabel", STR, C, mount_label, COR_JSON_ALWAYS),
        COR_FIELD("ProcessLabel", STR, C, process_label, COR_JSON_ALWAYS),
        COR_FIELD("AppArmorProfile", STR, C, app_armor_profile, COR_JSON_ALWAYS),
        COR_FIELD_LIST("ExecIDs", LIST_STR, C, exec_ids, n_exec_ids, COR_JSON_NULL),
        COR_FIELD_OBJ("HostConfig", OBJ, C, host_config, &docker_host_config_doc, COR_JSON_ALWAYS),
        COR_FIELD_OBJ("GraphDriver", OBJ, C, graph_driver, &graph_driver_doc, COR_JSON_ALWAYS),
        COR_FIELD("SizeRw", OPT_I64, C, size_rw, 0),
        COR_FIELD("SizeRootFs", OPT_I64, C, size_root_fs, 0),
        COR_FIELD_LIST_OF("Mounts", LIST_OBJ, C, mounts, n_mounts, &docker_mount_point_doc, COR_JSON_ALWAYS),
        COR_FIELD_OBJ("Config", OBJ, C, config, &docker_config_doc, COR_JSON_ALWAYS),
        COR_FIELD_OBJ("NetworkSettings", OBJ, C, network_settings, &docker_network_settings_doc, COR_JSON_ALWAYS),
};
#undef C
const struct cor_json_doc docker_container_doc = COR_DOC(struct docker_container, container_fields, NULL);

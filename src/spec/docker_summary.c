/* Tables of lists, statistics and processes (API 1.51). */
#include "spec/docker_summary.h"

#define C struct docker_port
static const struct cor_json_field port_fields[] = {
        COR_FIELD("IP", STR, C, ip, 0),
        COR_FIELD("PrivatePort", U32, C, private_port, COR_JSON_ALWAYS),
        COR_FIELD("PublicPort", U32, C, public_port, 0),
        COR_FIELD("Type", STR, C, type, COR_JSON_ALWAYS),
};
#undef C
static const struct cor_json_doc port_doc = COR_DOC(struct docker_port, port_fields, NULL);

#define C struct docker_summary_host_config
static const struct cor_json_field host_config_fields[] = {
        COR_FIELD("NetworkMode", STR, C, network_mode, 0),
        COR_FIELD_LIST("Annotations", MAP_STR, C, annotations, n_annotations, 0),
};
#undef C
static const struct cor_json_doc host_config_doc = COR_DOC(struct docker_summary_host_config, host_config_fields, NULL);

#define C struct docker_summary_networks
static const struct cor_json_field networks_fields[] = {
        COR_FIELD_LIST_OF("Networks", MAP_OBJ, C, networks, n_networks, &docker_endpoint_doc, COR_JSON_NULL),
};
#undef C
static const struct cor_json_doc networks_doc = COR_DOC(struct docker_summary_networks, networks_fields, NULL);

#define C struct docker_summary
static const struct cor_json_field summary_fields[] = {
        COR_FIELD("Id", STR, C, id, COR_JSON_ALWAYS),
        COR_FIELD_LIST("Names", LIST_STR, C, names, n_names, COR_JSON_ALWAYS),
        COR_FIELD("Image", STR, C, image, COR_JSON_ALWAYS),
        COR_FIELD("ImageID", STR, C, image_id, COR_JSON_ALWAYS),
        COR_FIELD("Command", STR, C, command, COR_JSON_ALWAYS),
        COR_FIELD("Created", I64, C, created, COR_JSON_ALWAYS),
        COR_FIELD_LIST_OF("Ports", LIST_OBJ, C, ports, n_ports, &port_doc, COR_JSON_ALWAYS),
        COR_FIELD("SizeRw", I64, C, size_rw, 0),
        COR_FIELD("SizeRootFs", I64, C, size_root_fs, 0),
        COR_FIELD_LIST("Labels", MAP_STR, C, labels, n_labels, COR_JSON_ALWAYS),
        COR_FIELD("State", STR, C, state, COR_JSON_ALWAYS),
        COR_FIELD("Status", STR, C, status, COR_JSON_ALWAYS),
        COR_FIELD_OBJ("HostConfig", INLINE, C, host_config, &host_config_doc, COR_JSON_ALWAYS),
        COR_FIELD_OBJ("NetworkSettings", INLINE, C, network_settings, &networks_doc, COR_JSON_ALWAYS),
        COR_FIELD_LIST_OF("Mounts", LIST_OBJ, C, mounts, n_mounts, &docker_mount_point_doc, COR_JSON_ALWAYS),
};
#undef C
const struct cor_json_doc docker_summary_doc = COR_DOC(struct docker_summary, summary_fields, NULL);

#define C struct docker_summaries
static const struct cor_json_field summaries_fields[] = {
        COR_FIELD_LIST_OF("", LIST_OBJ, C, items, n_items, &docker_summary_doc, COR_JSON_ALWAYS),
};
#undef C
const struct cor_json_doc docker_summaries_doc = { .size = sizeof(struct docker_summaries),
                                                   .fields = summaries_fields,
                                                   .n_fields = COR_COUNT(summaries_fields),
                                                   .bare = true };

/* ------------------------------------------------------------------------------------------------------------ stats */

#define C struct docker_pids_stats
static const struct cor_json_field pids_fields[] = {
        COR_FIELD("current", U64, C, current, 0),
        COR_FIELD("limit", U64, C, limit, 0),
};
#undef C
static const struct cor_json_doc pids_doc = COR_DOC(struct docker_pids_stats, pids_fields, NULL);

#define C struct docker_blkio_entry
static const struct cor_json_field blkio_entry_fields[] = {
        COR_FIELD("major", U64, C, major, COR_JSON_ALWAYS),
        COR_FIELD("minor", U64, C, minor, COR_JSON_ALWAYS),
        COR_FIELD("op", STR, C, op, COR_JSON_ALWAYS),
        COR_FIELD("value", U64, C, value, COR_JSON_ALWAYS),
};
#undef C
static const struct cor_json_doc blkio_entry_doc = COR_DOC(struct docker_blkio_entry, blkio_entry_fields, NULL);

#define C struct docker_blkio_stats
static const struct cor_json_field blkio_fields[] = {
        COR_FIELD_LIST_OF("io_service_bytes_recursive", LIST_OBJ, C, service_bytes, n_service_bytes, &blkio_entry_doc,
                          COR_JSON_NULL),
        COR_FIELD_LIST_OF("io_serviced_recursive", LIST_OBJ, C, serviced, n_serviced, &blkio_entry_doc, COR_JSON_NULL),
        COR_FIELD_LIST_OF("io_queue_recursive", LIST_OBJ, C, queued, n_queued, &blkio_entry_doc, COR_JSON_NULL),
        COR_FIELD_LIST_OF("io_service_time_recursive", LIST_OBJ, C, service_time, n_service_time, &blkio_entry_doc,
                          COR_JSON_NULL),
        COR_FIELD_LIST_OF("io_wait_time_recursive", LIST_OBJ, C, wait_time, n_wait_time, &blkio_entry_doc,
                          COR_JSON_NULL),
        COR_FIELD_LIST_OF("io_merged_recursive", LIST_OBJ, C, merged, n_merged, &blkio_entry_doc, COR_JSON_NULL),
        COR_FIELD_LIST_OF("io_time_recursive", LIST_OBJ, C, time, n_time, &blkio_entry_doc, COR_JSON_NULL),
        COR_FIELD_LIST_OF("sectors_recursive", LIST_OBJ, C, sectors, n_sectors, &blkio_entry_doc, COR_JSON_NULL),
};
#undef C
static const struct cor_json_doc blkio_doc = COR_DOC(struct docker_blkio_stats, blkio_fields, NULL);

#define C struct docker_cpu_usage
static const struct cor_json_field cpu_usage_fields[] = {
        COR_FIELD("total_usage", U64, C, total, COR_JSON_ALWAYS),
        COR_FIELD("percpu_usage", RAW, C, percpu, 0),
        COR_FIELD("usage_in_kernelmode", U64, C, kernel, COR_JSON_ALWAYS),
        COR_FIELD("usage_in_usermode", U64, C, user, COR_JSON_ALWAYS),
};
#undef C
static const struct cor_json_doc cpu_usage_doc = COR_DOC(struct docker_cpu_usage, cpu_usage_fields, NULL);

#define C struct docker_throttling
static const struct cor_json_field throttling_fields[] = {
        COR_FIELD("periods", U64, C, periods, COR_JSON_ALWAYS),
        COR_FIELD("throttled_periods", U64, C, throttled_periods, COR_JSON_ALWAYS),
        COR_FIELD("throttled_time", U64, C, throttled_time, COR_JSON_ALWAYS),
};
#undef C
static const struct cor_json_doc throttling_doc = COR_DOC(struct docker_throttling, throttling_fields, NULL);

#define C struct docker_cpu_stats
static const struct cor_json_field cpu_fields[] = {
        COR_FIELD_OBJ("cpu_usage", INLINE, C, usage, &cpu_usage_doc, COR_JSON_ALWAYS),
        COR_FIELD("system_cpu_usage", U64, C, system, 0),
        COR_FIELD("online_cpus", U32, C, online, 0),
        COR_FIELD_OBJ("throttling_data", INLINE, C, throttling, &throttling_doc, COR_JSON_ALWAYS),
};
#undef C
static const struct cor_json_doc cpu_doc = COR_DOC(struct docker_cpu_stats, cpu_fields, NULL);

#define C struct docker_memory_stats
static const struct cor_json_field memory_fields[] = {
        COR_FIELD("usage", U64, C, usage, 0), COR_FIELD("max_usage", U64, C, max_usage, 0),
        COR_FIELD("stats", RAW, C, stats, 0), COR_FIELD("failcnt", U64, C, failcnt, 0),
        COR_FIELD("limit", U64, C, limit, 0),
};
#undef C
static const struct cor_json_doc memory_doc = COR_DOC(struct docker_memory_stats, memory_fields, NULL);

#define C struct docker_storage_stats
static const struct cor_json_field storage_fields[] = {
        COR_FIELD("read_count_normalized", U64, C, read_count_normalized, 0),
        COR_FIELD("read_size_bytes", U64, C, read_size_bytes, 0),
        COR_FIELD("write_count_normalized", U64, C, write_count_normalized, 0),
        COR_FIELD("write_size_bytes", U64, C, write_size_bytes, 0),
};
#undef C
static const struct cor_json_doc storage_doc = COR_DOC(struct docker_storage_stats, storage_fields, NULL);

#define C struct docker_network_stats
static const struct cor_json_field network_fields[] = {
        COR_FIELD("rx_bytes", U64, C, rx_bytes, COR_JSON_ALWAYS),
        COR_FIELD("rx_packets", U64, C, rx_packets, COR_JSON_ALWAYS),
        COR_FIELD("rx_errors", U64, C, rx_errors, COR_JSON_ALWAYS),
        COR_FIELD("rx_dropped", U64, C, rx_dropped, COR_JSON_ALWAYS),
        COR_FIELD("tx_bytes", U64, C, tx_bytes, COR_JSON_ALWAYS),
        COR_FIELD("tx_packets", U64, C, tx_packets, COR_JSON_ALWAYS),
        COR_FIELD("tx_errors", U64, C, tx_errors, COR_JSON_ALWAYS),
        COR_FIELD("tx_dropped", U64, C, tx_dropped, COR_JSON_ALWAYS),
};
#undef C
static const struct cor_json_doc network_doc = COR_DOC(struct docker_network_stats, network_fields, NULL);

#define C struct docker_stats
static const struct cor_json_field stats_fields[] = {
        COR_FIELD("name", STR, C, name, 0),
        COR_FIELD("id", STR, C, id, 0),
        COR_FIELD("read", STR, C, read, COR_JSON_ALWAYS),
        COR_FIELD("preread", STR, C, preread, COR_JSON_ALWAYS),
        COR_FIELD_OBJ("pids_stats", INLINE, C, pids, &pids_doc, COR_JSON_ALWAYS),
        COR_FIELD_OBJ("blkio_stats", INLINE, C, blkio, &blkio_doc, COR_JSON_ALWAYS),
        COR_FIELD("num_procs", U32, C, num_procs, COR_JSON_ALWAYS),
        COR_FIELD_OBJ("storage_stats", INLINE, C, storage, &storage_doc, COR_JSON_ALWAYS),
        COR_FIELD_OBJ("cpu_stats", INLINE, C, cpu, &cpu_doc, COR_JSON_ALWAYS),
        COR_FIELD_OBJ("precpu_stats", INLINE, C, precpu, &cpu_doc, COR_JSON_ALWAYS),
        COR_FIELD_OBJ("memory_stats", INLINE, C, memory, &memory_doc, COR_JSON_ALWAYS),
        COR_FIELD_LIST_OF("networks", MAP_OBJ, C, networks, n_networks, &network_doc, 0),
};
#undef C
const struct cor_json_doc docker_stats_doc = COR_DOC(struct docker_stats, stats_fields, NULL);

/* -------------------------------------------------------------------------------------------------------------- top */

#define C struct docker_top
static const struct cor_json_field top_fields[] = {
        COR_FIELD_LIST_OF("Processes", LIST_OBJ, C, processes, n_processes, &docker_strings_doc, COR_JSON_NULL),
        COR_FIELD_LIST("Titles", LIST_STR, C, titles, n_titles, COR_JSON_NULL),
};
#undef C
const struct cor_json_doc docker_top_doc = COR_DOC(struct docker_top, top_fields, NULL);

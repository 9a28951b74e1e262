#ifndef CORACLE_SPEC_DOCKER_SUMMARY_H
#define CORACLE_SPEC_DOCKER_SUMMARY_H
/* What lists of containers show, what containers use, and their processes: documents of the Docker Engine API (1.51).
 */
#include "spec/docker.h"

struct docker_port {
        const char *ip; /* NULL: not published */
        uint32_t private_port, public_port;
        const char *type; /* tcp, udp, sctp */
};
struct docker_summary_host_config {
        const char *network_mode;
        struct cor_pair *annotations;
        size_t n_annotations;
};
struct docker_summary_networks {
        struct docker_endpoint *networks;
        size_t n_networks;
};
struct docker_summary {
        const char *id;
        const char **names; /* each with a slash */
        size_t n_names;
        const char *image; /* as the user wrote it, or its id if that name stands for another one by now */
        const char *image_id, *command;
        int64_t created; /* seconds since 1970 */
        struct docker_port *ports;
        size_t n_ports;
        int64_t size_rw, size_root_fs; /* 0: not asked for */
        struct cor_pair *labels;
        size_t n_labels;
        const char *state, *status; /* "running", "Up 5 minutes (healthy)" */
        struct docker_summary_host_config host_config;
        struct docker_summary_networks network_settings;
        struct docker_mount_point *mounts;
        size_t n_mounts;
};
struct docker_summaries { /* a list as a document of its own */
        struct docker_summary *items;
        size_t n_items;
};

/* ------------------------------------------------------------------------------------------------------------ stats */

struct docker_pids_stats {
        uint64_t current, limit;
};
struct docker_blkio_entry {
        uint64_t major, minor;
        const char *op;
        uint64_t value;
};
struct docker_blkio_stats { /* NULL lists are null in JSON: not known to this kernel */
        struct docker_blkio_entry *service_bytes, *serviced, *queued, *service_time, *wait_time, *merged, *time,
                *sectors;
        size_t n_service_bytes, n_serviced, n_queued, n_service_time, n_wait_time, n_merged, n_time, n_sectors;
};
struct docker_cpu_usage {
        uint64_t total;     /* ns */
        const char *percpu; /* a list of integers as JSON, or NULL */
        uint64_t kernel, user;
};
struct docker_throttling {
        uint64_t periods, throttled_periods, throttled_time;
};
struct docker_cpu_stats {
        struct docker_cpu_usage usage;
        uint64_t system; /* ns of all processors of the machine, since it was started */
        uint32_t online;
        struct docker_throttling throttling;
};
struct docker_memory_stats {
        uint64_t usage, max_usage;
        const char *stats; /* memory.stat as a JSON object, or NULL */
        uint64_t failcnt, limit;
};
struct docker_storage_stats {
        uint64_t read_count_normalized, read_size_bytes, write_count_normalized, write_size_bytes; /* of Windows */
};
struct docker_network_stats {
        const char *name; /* the key: eth0 */
        uint64_t rx_bytes, rx_packets, rx_errors, rx_dropped, tx_bytes, tx_packets, tx_errors, tx_dropped;
};
struct docker_stats {
        const char *name, *id;      /* name: with a slash */
        const char *read, *preread; /* RFC 3339 */
        struct docker_pids_stats pids;
        struct docker_blkio_stats blkio;
        uint32_t num_procs;
        struct docker_storage_stats storage;
        struct docker_cpu_stats cpu, precpu;
        struct docker_memory_stats memory;
        struct docker_network_stats *networks;
        size_t n_networks;
};

/* -------------------------------------------------------------------------------------------------------------- top */

struct docker_top {
        struct docker_strings *processes;
        size_t n_processes;
        const char **titles;
        size_t n_titles;
};

extern const struct cor_json_doc docker_summary_doc, docker_summaries_doc, docker_stats_doc, docker_top_doc;

#endif

#ifndef CORACLE_CLI_CORACLE_CONTAINER_FLAGS_H
#define CORACLE_CLI_CORACLE_CONTAINER_FLAGS_H
/*
 * The flags of `run`, `create` and `update`, and the documents that they make. The table stores words; from these
 * container_request_make() makes what docker's client would send, with its rules and in its words. Values that depend
 * on the caller (variables, relative paths, files of variables, labels and system calls) are taken from here.
 */
#include "cli/option.h"
#include "spec/docker.h"

struct flag_list {
        char **items;
        size_t n_items;
};

struct container_flags {
        /* of the command, not of the container */
        bool detach, no_sig_proxy, quiet, use_api_socket, verify_image;
        const char *detach_keys, *name, *pull, *platform;

        struct flag_list attach, env, env_file, label, label_file, annotation, entrypoint, group_add;
        const char *hostname, *domainname, *user, *workdir, *cidfile, *pidfile, *stop_signal, *stop_timeout, *restart,
                *runtime;
        bool interactive, tty, rm, publish_all;
        struct cor_opt_bool init;

        bool privileged, read_only, no_healthcheck;
        struct flag_list cap_add, cap_drop, security_opt, sysctl;
        const char *cgroupns, *ipc, *pid, *userns, *uts, *isolation, *cgroup_parent;

        struct flag_list volume, mount, tmpfs, volumes_from, storage_opt, log_opt;
        const char *volume_driver, *log_driver, *shm_size;

        struct flag_list network, network_alias, link, link_local_ip, publish, expose, add_host, dns, dns_option,
                dns_search;
        const char *ip, *ip6, *mac_address;

        const char *health_cmd, *health_interval, *health_retries, *health_timeout, *health_start_period,
                *health_start_interval;

        struct flag_list device, device_cgroup_rule, gpus, ulimit, blkio_weight_device, device_read_bps,
                device_read_iops, device_write_bps, device_write_iops;
        const char *blkio_weight, *cpu_count, *cpu_percent, *cpu_period, *cpu_quota, *cpu_rt_period, *cpu_rt_runtime,
                *cpu_shares, *cpus, *cpuset_cpus, *cpuset_mems, *io_maxbandwidth, *io_maxiops, *kernel_memory, *memory,
                *memory_reservation, *memory_swap, *memory_swappiness, *oom_score_adj, *pids_limit;
        bool oom_kill_disable;
};

/* Rows of `run`; the first CONTAINER_RUN_ONLY of them `create` has not. */
enum { CONTAINER_RUN_ONLY = 3, CONTAINER_N_ROWS = 107 };
extern const struct option container_rows[CONTAINER_N_ROWS];

struct container_request {
        struct docker_config config;
        struct docker_host_config host;
        struct docker_networking_config networking;
};
void container_request_free(struct container_request *r);
static inline void container_request_free_p(struct container_request **r)
{
        container_request_free(*r);
}
#define auto_container_request COR_CLEANUP(container_request_free_p) struct container_request *

/*
 * container_request_make() - @args: the image, and the command if there is one. Texts may point into flags, words and
 * environment. INVALID in docker's words: 'invalid argument "x" for "-e, --env" flag: …', or what does not go together.
 */
int container_request_make(const struct container_flags *f, char **args, size_t n_args, struct container_request **ret,
                           struct cor_err *err) COR_MUST_CHECK;
/* container_request_update() - `update`: resources and restart policy only; what was not given is zero */
int container_request_update(const struct container_flags *f, struct container_request **ret, struct cor_err *err)
        COR_MUST_CHECK;
/*
 * container_flags_refuse() - UNSUPPORTED if a flag was given that is understood and would have no effect; the message
 * names it and says why
 */
int container_flags_refuse(const struct container_flags *f, struct cor_err *err) COR_MUST_CHECK;
/* container_env() - variables of files, then those of --env, with values from the environment: for `exec`, too */
int container_env(struct container_request *r, const struct flag_list *files, const struct flag_list *env,
                  const char ***ret, size_t *ret_n, struct cor_err *err) COR_MUST_CHECK;
/* container_request_new() - an empty one, as memory for container_env() */
struct container_request *container_request_new(void) __attribute__((returns_nonnull));

#endif

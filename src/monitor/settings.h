#ifndef CORACLE_MONITOR_SETTINGS_H
#define CORACLE_MONITOR_SETTINGS_H
/*
 * What a monitor needs to know of its container for as long as that runs: a few words out of the two documents of its
 * row, which are large and let go of at once.
 */
#include "base/alloc.h"
#include "network/port_wish.h"
#include <stdbool.h>
#include <stdint.h>

struct container_row;

enum restart_when { RESTART_NO, RESTART_ALWAYS, RESTART_UNLESS_STOPPED, RESTART_ON_FAILURE };
struct restart_policy {
        enum restart_when when;
        int64_t max_retries; /* of RESTART_ON_FAILURE; 0: no limit */
};

/* On an annotation of the container: "all": a stop signals all processes; "first", or none: the first, as docker does
 */
#define SETTINGS_STOP_ANNOTATION "coracle.stop"

struct health_settings {
        struct cor_strv command; /* empty: there is no health check */
        int64_t interval_ms, timeout_ms, start_period_ms, start_interval_ms;
        int retries;
};

struct settings {
        bool tty, open_stdin, stdin_once, auto_remove;
        bool stop_all;       /* a stop signals every process */
        int stop_signal;     /* 0: none of its own */
        int stop_timeout_ms; /* -1: for ever */
        struct restart_policy restart;
        char *pid_file;     /* where the pid of each first process goes, or NULL */
        char *runtime;      /* path of another OCI runtime, or NULL: ours */
        char *network_mode; /* "" where it is the default */
        char *mac_address;  /* of its interface, or NULL */
        char *networking;   /* JSON: docker_networking_config, or NULL */
        char *hostname;
        bool network_disabled;
        struct port_wishes ports;
        bool ports_direct;                        /* past a firewall of the host */
        char *log_type;                           /* "json-file" */
        struct cor_strv log_options, labels, env; /* KEY=VALUE */
        struct health_settings health;
        char *id, *name, *image, *image_id; /* for a log's tag */
        int64_t created;
};

/* settings_read() - from a row that was read with its documents */
int settings_read(const struct container_row *row, struct settings *ret, struct cor_err *err) COR_MUST_CHECK;
void settings_done(struct settings *s);
#define auto_settings COR_CLEANUP(settings_done) struct settings

#endif

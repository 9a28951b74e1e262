#ifndef CORACLE_MONITOR_HEALTH_H
#define CORACLE_MONITOR_HEALTH_H
/*
 * The health check, as docker does it: a command in the container now and then; so many failures in a row make it
 * unhealthy, one success healthy; failures in the time it has to come up do not count. The last results are in
 * containers/<id>/health.json (docker_health_doc), the outcome in the row.
 *
 * A helper process enters the container and waits for the command, so that a container that makes this slow keeps
 * nobody else waiting. Its pipe brings the command's output; it ends with the command's exit code, or by a signal if
 * there was none.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct monitor;

struct health {
        pid_t helper; /* 0: none */
        int fd;       /* its output, or -1 */
        char *output;
        size_t n;
        int64_t due;               /* of the next check, or of the helper's end; cor_now_ms(); -1: never */
        int64_t started, begun_ms; /* the check: nanoseconds since 1970, cor_now_ms() */
        bool timed_out;
        int streak; /* failures in a row */
};

#define HEALTH_FILE "health.json"

void health_init(struct monitor *m);
/* health_begin() - the container runs */
void health_begin(struct monitor *m);
/* health_end() - it does not any more */
void health_end(struct monitor *m);
int health_fd(const struct monitor *m);
int64_t health_due(const struct monitor *m);
void health_step(struct monitor *m);
void health_read(struct monitor *m);
/* health_reaped() - a child was collected; perhaps ours */
void health_reaped(struct monitor *m, pid_t pid, int status);

#endif

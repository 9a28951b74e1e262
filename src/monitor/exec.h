#ifndef CORACLE_MONITOR_EXEC_H
#define CORACLE_MONITOR_EXEC_H
/*
 * Processes that were started in the container for somebody who does not stay: `exec --detach`. They are children of
 * the monitor, which tells of their end. A helper starts each; one with a terminal keeps it, to read what is printed
 * there.
 */
#include "base/err.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct client;
struct monitor;

struct detached;
struct execs {
        struct detached *items;
        size_t n_items;
        int answers[2]; /* a pipe: of all helpers */
};

void execs_init(struct monitor *m);
/* execs_begin() - start what descriptor @process (borrowed) describes; @c is told DONE or ERROR later */
void execs_begin(struct monitor *m, struct client *c, const char *content, int process);
/* What to wait for: a descriptor, and cor_now_ms() or -1 */
int execs_fd(const struct monitor *m);
int64_t execs_due(const struct monitor *m);
void execs_read(struct monitor *m);
/* execs_step() - helpers that take too long are killed */
void execs_step(struct monitor *m);
/* execs_reaped() - a child has ended: whether it was one of these */
bool execs_reaped(struct monitor *m, pid_t pid, int status);

#endif

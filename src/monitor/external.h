#ifndef CORACLE_MONITOR_EXTERNAL_H
#define CORACLE_MONITOR_EXTERNAL_H
/*
 * A container made by another OCI runtime (crun, runc, …), by its command line: create, start, pause, resume, kill,
 * exec, delete. The root filesystem is mounted at RUN/<id>/rootfs in a mount namespace that only the monitor and the
 * runtime are in. What the runtime leaves, the container's first process, becomes a child of the monitor, which is the
 * subreaper.
 */
#include "base/err.h"
#include <stdbool.h>

struct cor_strv;
struct monitor;

int external_start(struct monitor *m, int root, struct cor_err *err) COR_MUST_CHECK;
int external_freeze(struct monitor *m, bool frozen, struct cor_err *err) COR_MUST_CHECK;
void external_kill(struct monitor *m);
void external_end(struct monitor *m);
/* external_exec() - become the runtime's `exec` of @command, with @output as stdout and stderr */
void external_exec(const struct monitor *m, const struct cor_strv *command, int output) __attribute__((noreturn));

#endif

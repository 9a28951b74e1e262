#ifndef CORACLE_ENGINE_CONTAINER_INTERNAL_H
#define CORACLE_ENGINE_CONTAINER_INTERNAL_H
/* What the files container_*.c share. */
#include "engine/container.h"
#include "linux/cgroup.h"
#include "runtime/context.h"
#include "spec/oci.h"

/* How long one that changes a container waits for another that does. */
enum { CONTAINER_WORK_MS = 30000 };

/* The runtime as this engine uses it: its records lie in RUN/runtime. */
struct engine_runtime {
        struct runtime_context context;
        char *root;
};
int engine_runtime_open(struct engine *e, struct engine_runtime *ret, struct cor_err *err) COR_MUST_CHECK;
void engine_runtime_done(struct engine_runtime *r);
#define auto_engine_runtime COR_CLEANUP(engine_runtime_done) struct engine_runtime

/* container_config_read() - the config.json that was written for the container's last start */
int container_config_read(struct engine *e, const char *id, struct oci_config **ret, struct cor_err *err)
        COR_MUST_CHECK;

/* The other runtime that runs a container; with ours all is NULL. */
struct container_other {
        char *program, *run; /* run: RUN/<id> */
};
int container_other(struct engine *e, const char *id, struct container_other *ret, struct cor_err *err) COR_MUST_CHECK;
void container_other_done(struct container_other *o);
#define auto_container_other COR_CLEANUP(container_other_done) struct container_other
/* container_cgroup_of() - of a container that runs, whoever runs it; cgroup_close() */
int container_cgroup_of(struct engine *e, const char *id, struct cgroup **ret, struct cor_err *err) COR_MUST_CHECK;

/* container_runs() - container_phase_runs() of a row */
static inline bool container_runs(const struct container_row *r)
{
        return container_phase_runs(r->now.phase);
}
/* container_not_running() - BUSY "container ID is not running" */
int container_not_running(const struct container_row *r, struct cor_err *err);
/*
 * container_work() - take the WORK lock of the container that @name stands for, and its row as it is then; the
 * descriptor is the lock
 */
int container_work(struct engine *e, const char *name, struct container_row *ret, struct cor_err *err) COR_MUST_CHECK;

/* container_monitor_connect() - a socket of its monitor; NOT_FOUND if there is none that listens */
int container_monitor_connect(struct engine *e, const struct container_row *r, struct cor_err *err) COR_MUST_CHECK;
/* container_monitor_ask() - send it a packet, and wait for @answer; NOT_FOUND if it ended without one */
int container_monitor_ask(struct engine *e, const struct container_row *r, enum monitor_packet packet,
                          const void *content, size_t n, enum monitor_packet answer, struct cor_err *err)
        COR_MUST_CHECK;
/* container_monitor_exec() - have it start what @process, process.json, says */
int container_monitor_exec(struct engine *e, const struct container_row *r, const struct monitor_exec *x,
                           const char *process, struct cor_err *err) COR_MUST_CHECK;
/* container_await() - packets of @sock until one of type @wanted came (content at *ret_content, *ret_n bytes, in @buf)
 */
int container_await(int sock, char *buf, enum monitor_packet wanted, size_t *ret_n, struct cor_err *err) COR_MUST_CHECK;

/* container_make_id() - 64 digits that nobody has; free() */
char *container_make_id(void) __attribute__((returns_nonnull));

/* name_random() - a name made of two words, "brave_otter"; with @attempt above 0 a digit more; free() */
char *name_random(unsigned attempt) __attribute__((returns_nonnull));
/* name_check() - what a user may call a container or volume; @what: "container" */
int name_check(const char *name, const char *what, struct cor_err *err) COR_MUST_CHECK;

#endif

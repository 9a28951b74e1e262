#ifndef CORACLE_RUNTIME_SPAWN_H
#define CORACLE_RUNTIME_SPAWN_H
/*
 * Containers and processes in them as children of a program that stays with them (coracle-monitor): what `create`,
 * `start` and `exec` do, in pieces, with descriptors in place of paths. The caller is single-threaded and waits for its
 * children itself.
 */
#include "runtime/create.h"
#include "runtime/exec.h"

struct spawn_stdio {
        int fd[3]; /* of the process; -1: the container's /dev/null. Not used with a terminal */
};

/* A container in the making or running. Opaque but for what the caller waits on. */
struct spawned;

/*
 * container_spawn() - up to the point where only the user's program is missing: namespaces are there, and can be
 * reached by the pid. @root: a detached mount that becomes the root filesystem, or -1: config.json's. It stays the
 * caller's. spawned_free()
 */
int container_spawn(const struct runtime_context *ctx, const struct create_options *o, int root,
                    const struct spawn_stdio *stdio, struct spawned **ret, struct cor_err *err) COR_MUST_CHECK;
pid_t spawned_pid(const struct spawned *s);
/* spawned_master() - the terminal, borrowed; -1 without one */
int spawned_master(const struct spawned *s);
/* spawned_start() - run the program; the error is that of hooks or exec, and all that was made is gone then */
int spawned_start(struct spawned *s, struct cor_err *err) COR_MUST_CHECK;
/* spawned_cgroup() - borrowed, until spawned_end() */
struct cgroup *spawned_cgroup(const struct spawned *s);
/*
 * spawned_end() - remove all that was made, with every process that is left. The first one was waited for by the caller
 * if @reaped; otherwise it is killed and waited for here.
 */
void spawned_end(struct spawned *s, bool reaped);
/* spawned_free() - let go of it; the container stays */
void spawned_free(struct spawned *s);
static inline void spawned_free_p(struct spawned **s)
{
        spawned_free(*s);
}
#define auto_spawned COR_CLEANUP(spawned_free_p) struct spawned *

/* exec_spawn() - start a process in container o->id; *ret_master: its terminal, or -1. The caller waits for *ret_pid */
int exec_spawn(const struct runtime_context *ctx, const struct exec_options *o, const struct spawn_stdio *stdio,
               pid_t *ret_pid, int *ret_master, struct cor_err *err) COR_MUST_CHECK;

#endif

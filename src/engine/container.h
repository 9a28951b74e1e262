#ifndef CORACLE_ENGINE_CONTAINER_H
#define CORACLE_ENGINE_CONTAINER_H
/* What can be done with containers. Errors have docker's words; names are names, ids or beginnings of ids. */
#include "engine/engine.h"
#include "monitor/protocol.h"
#include "spec/docker.h"
#include "store/container.h"
#include <sys/types.h>

struct container_new {
        const char *name; /* NULL: one is made up */
        const char *platform;
        const struct docker_config *config;
        const struct docker_host_config *host_config;
        const struct docker_networking_config *networking; /* may be NULL */
};
/*
 * engine_create_container() - from an image that is here (NOT_FOUND "No such image: x" else; the caller pulls). Checks
 * everything that can be checked without starting it. @warnings gets docker's, may be NULL. *ret_id: 64 digits; free()
 */
int engine_create_container(struct engine *e, const struct container_new *n, struct cor_strv *warnings, char **ret_id,
                            struct cor_err *err) COR_MUST_CHECK;
/*
 * engine_start_ahead() - a container is about to be made, and started then: a monitor for it gets ready meanwhile. The
 * next that is made gets it. Should it fail, the start says why. engine_forget_ahead() - it will take long until then
 */
void engine_start_ahead(struct engine *e);
void engine_forget_ahead(struct engine *e);
/*
 * engine_start_container() - *ret_sock (may be NULL): the starter's socket of the monitor, attached as @attach says;
 * close() does not end the container. The error may be EXEC_MISSING or EXEC_REFUSED (exit codes 127, 126).
 */
int engine_start_container(struct engine *e, const char *name, const struct monitor_attach *attach,
                           const struct monitor_size *size, int *ret_sock, struct cor_err *err) COR_MUST_CHECK;
/*
 * engine_attach_container() - a socket of its monitor, attached; BUSY if it does not run. With attach->logs the
 * container is held back until the caller, who reads the log first (engine/logs.h), sends the real ATTACH
 */
int engine_attach_container(struct engine *e, const char *name, const struct monitor_attach *attach, int *ret_sock,
                            struct cor_err *err) COR_MUST_CHECK;
/* engine_stop_container() - @signal 0: its own; @timeout s: -1 for ever, INT32_MIN: its own. Not running is no error */
int engine_stop_container(struct engine *e, const char *name, int signal, int timeout, struct cor_err *err)
        COR_MUST_CHECK;
int engine_restart_container(struct engine *e, const char *name, int signal, int timeout, struct cor_err *err)
        COR_MUST_CHECK;
int engine_kill_container(struct engine *e, const char *name, int signal, struct cor_err *err) COR_MUST_CHECK;
int engine_pause_container(struct engine *e, const char *name, bool pause, struct cor_err *err) COR_MUST_CHECK;
int engine_rename_container(struct engine *e, const char *name, const char *to, struct cor_err *err) COR_MUST_CHECK;
int engine_remove_container(struct engine *e, const char *name, bool force, bool volumes, struct cor_err *err)
        COR_MUST_CHECK;
/* engine_update_container() - members that are set replace those of the container's; names as in docker_host_config */
int engine_update_container(struct engine *e, const char *name, const struct docker_host_config *change,
                            struct cor_strv *warnings, struct cor_err *err) COR_MUST_CHECK;

enum container_wait { CONTAINER_WAIT_NOT_RUNNING, CONTAINER_WAIT_REMOVED };
int engine_wait_container(struct engine *e, const char *name, enum container_wait condition, int *ret_code,
                          struct cor_err *err) COR_MUST_CHECK;

struct container_exec {
        const char *const *args; /* n_args of them */
        size_t n_args;
        const char *user, *working_dir; /* NULL: the container's */
        const char *const *env;         /* added; n_env of them */
        size_t n_env;
        bool tty, privileged, detach, in; /* in: stdin is passed on */
        struct monitor_size size;         /* of the terminal; 0: as it is */
};
struct exec_note;
/* A process in a container, a child of the caller. Descriptors it was not given are -1. */
struct exec_process {
        pid_t pid;
        int pidfd;
        int terminal;           /* the pty's master, or -1: then */
        int in, out, err;       /* our ends of its pipes */
        struct exec_note *note; /* for events; the engine has to be there as long */
};
void exec_process_done(struct exec_process *p); /* it goes on */
#define auto_exec_process COR_CLEANUP(exec_process_done) struct exec_process
/*
 * engine_exec() - start it; with x->detach nothing is left to do (and *ret is empty). The relaying is the caller's
 * work. EXEC_MISSING (127) and EXEC_REFUSED (126); BUSY "container ID is not running", "Container ID is paused, unpause
 * the container before exec"
 */
int engine_exec(struct engine *e, const char *name, const struct container_exec *x, struct exec_process *ret,
                struct cor_err *err) COR_MUST_CHECK;
/* engine_exec_wait() - until it has ended; *ret_code: its exit code, or 128 + signal */
int engine_exec_wait(struct exec_process *p, int *ret_code, struct cor_err *err) COR_MUST_CHECK;
/* engine_exec_detached() - the user has left it; it goes on */
void engine_exec_detached(const struct exec_process *p);

struct boot_report {
        void (*each)(void *context, const struct container_row *r, const struct cor_err *failure); /* NULL: done */
        void *context;
};
/*
 * engine_boot() - the machine has started: start what its restart policy wants to run. Those that fail are reported and
 * keep nobody else from starting
 */
int engine_boot(struct engine *e, const struct boot_report *report, struct cor_err *err) COR_MUST_CHECK;
/*
 * engine_shut_down() - the machine is about to end: stop all that runs, side by side, each with its own signal and
 * timeout. Nobody has stopped them: engine_boot() brings back what has a policy
 */
int engine_shut_down(struct engine *e, const struct boot_report *report, struct cor_err *err) COR_MUST_CHECK;

/*
 * engine_container() - the row, with what is said to run made sure of: a container whose monitor is gone has ended, and
 * what is left of it is cleaned away.
 */
int engine_container(struct engine *e, const char *name, bool full, struct container_row *ret, struct cor_err *err)
        COR_MUST_CHECK;
int engine_containers(struct engine *e, bool full, struct container_rows *ret, struct cor_err *err) COR_MUST_CHECK;

#endif

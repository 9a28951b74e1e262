#ifndef CORACLE_RUNTIME_EXEC_H
#define CORACLE_RUNTIME_EXEC_H
/* A further process in a running container. */
#include "runtime/context.h"
#include <stddef.h>

struct exec_options {
        const char *id;
        const char *process; /* process.json, or NULL: the fields below change what the container's own process has */
        const char *process_json; /* the document itself, where there is no @process; or NULL */
        char *const *args;        /* n_args of them */
        size_t n_args;
        const char *cwd, *user; /* user: UID[:GID] */
        char *const *env;       /* added */
        size_t n_env;
        char *const *caps; /* added to every set but inheritable */
        size_t n_caps;
        char *const *additional_gids; /* each one or more numbers, comma separated */
        size_t n_additional_gids;
        const char *process_label, *apparmor;
        char *const *cgroups; /* PATH, or CONTROLLER[,…]:PATH on v1; below the container's */
        size_t n_cgroups;
        const int *stdio; /* of exec_spawn() only: struct spawn_stdio's */
        bool tty, no_new_privs, detach, ignore_paused, no_subreaper;
        const char *console_socket, *pid_file, *pidfd_socket;
        int preserve_fds;
};

/* container_exec() - *ret_code: exit code of the process (128+n for a signal), 0 when detached */
int container_exec(const struct runtime_context *ctx, const struct exec_options *o, int *ret_code, struct cor_err *err)
        COR_MUST_CHECK;

#endif

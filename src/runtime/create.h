#ifndef CORACLE_RUNTIME_CREATE_H
#define CORACLE_RUNTIME_CREATE_H
/* Making and starting containers. These verbs clone: the caller must be single-threaded. */
#include "runtime/context.h"

/* What a container gets by descriptor; all are borrowed. */
struct create_given {
        int root;     /* a detached mount that becomes the root filesystem, attached at root.path; -1: what is there */
        int stdio[3]; /* of the first process; -1: the container's /dev/null. Not used with a terminal */
};

struct create_options {
        const char *id;
        const char *bundle;         /* NULL: the working directory */
        const char *config;         /* NULL: config.json in the bundle */
        const char *console_socket; /* Unix socket that receives the pty master, or NULL */
        const char *pid_file, *pidfd_socket;
        int preserve_fds; /* this many descriptors from 3 on are passed to the container, beside those of LISTEN_FDS */
        bool no_pivot, no_new_keyring;
        const struct create_given *given; /* NULL: nothing; the first process has our own stdio */
        /* of run only */
        bool detach, keep, no_subreaper;
};

/* container_create() - up to the point where only `start` is missing; leaves nothing behind when it fails */
int container_create(const struct runtime_context *ctx, const struct create_options *o, struct cor_err *err)
        COR_MUST_CHECK;
/* container_start() - run the user's program; the error is that of hooks or exec if these fail */
int container_start(const struct runtime_context *ctx, const char *id, struct cor_err *err) COR_MUST_CHECK;
/*
 * container_run() - create and start; without o->detach wait for the end, forwarding signals and the terminal, then
 * delete the container unless o->keep. *ret_code is the exit code (128+n for a signal; 0 when detached).
 */
int container_run(const struct runtime_context *ctx, const struct create_options *o, int *ret_code, struct cor_err *err)
        COR_MUST_CHECK;

#endif

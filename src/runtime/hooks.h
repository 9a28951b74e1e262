#ifndef CORACLE_RUNTIME_HOOKS_H
#define CORACLE_RUNTIME_HOOKS_H
/*
 * Hooks: programs of the bundle's author that run at fixed points of a container's life, in order, with the state
 * document on stdin. Spec: runtime-spec, config.md "POSIX-platform Hooks".
 */
#include "spec/oci.h"
#include <sys/types.h>

struct hook_state {
        const char *id, *bundle, *rootfs, *status;
        pid_t pid; /* 0: none */
};

/*
 * hooks_run() - run @n hooks; the first that fails (exit status, signal, timeout) ends it: the error names @kind,
 * index, path and what it wrote. Hooks get the environment of the configuration only. @tolerant: failures are logged
 * instead and the rest still runs (poststart, poststop).
 */
int hooks_run(const char *kind, const struct oci_hook *hooks, size_t n, const struct oci_config *config,
              const struct hook_state *state, bool tolerant, struct cor_err *err) COR_MUST_CHECK;
/* hooks_state_json() - the state document that hooks and seccomp agents get */
char *hooks_state_json(const struct oci_config *config, const struct hook_state *state);

#endif

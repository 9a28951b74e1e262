#ifndef CORACLE_RUNTIME_START_H
#define CORACLE_RUNTIME_START_H
/* The last steps of a start, shared by create, run, start and exec. */
#include "linux/seccomp.h"
#include "runtime/hooks.h"
#include "runtime/watch.h"

/* start_announce() - write the pid file and send a pidfd, where asked for (either may be NULL) */
int start_announce(const char *pid_file, const char *pidfd_socket, pid_t pid, struct cor_err *err) COR_MUST_CHECK;
/*
 * start_drive_exec() - follow a process that was told START until its exec, which shows as end of file; fetches the
 * seccomp listener meanwhile if there is one. @watch is over the process. The error is the process's own.
 */
int start_drive_exec(struct watch *watch, int sock, const struct oci_config *config,
                     const struct seccomp_program *program, const struct hook_state *state, struct cor_err *err)
        COR_MUST_CHECK;
/* start_poststart() - run the poststart hooks; their failures are only logged */
int start_poststart(const struct oci_config *config, struct hook_state state, struct cor_err *err) COR_MUST_CHECK;

#endif

#ifndef CORACLE_BASE_PROCESS_H
#define CORACLE_BASE_PROCESS_H
/*
 * Processes, held by pidfd. A pid alone can be recycled; what is stored on disk is a pid with its start time
 * (/proc/PID/stat field 22, clock ticks since boot), which together name one process until reboot.
 */
#include "base/err.h"
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/wait.h>

struct cor_procid {
        pid_t pid;           /* 0: none */
        uint64_t start_time; /* clock ticks since boot */
};

/* cor_procid_get() - the start time and state letter of @pid; NOT_FOUND if it is gone */
int cor_procid_get(pid_t pid, struct cor_procid *ret, char *ret_state, struct cor_err *err) COR_MUST_CHECK;
/* cor_procid_alive() - the process is still the same one and not a zombie */
bool cor_procid_alive(const struct cor_procid *id);
/* cor_procid_open() - a pidfd for exactly that process; NOT_FOUND if it is gone */
int cor_procid_open(const struct cor_procid *id, struct cor_err *err) COR_MUST_CHECK;

/* cor_process_look() - the state letter of @pid and the processor time that it has used, in clock ticks */
int cor_process_look(pid_t pid, char *ret_state, uint64_t *ret_ticks, struct cor_err *err) COR_MUST_CHECK;

int cor_pidfd_open(pid_t pid, struct cor_err *err) COR_MUST_CHECK;
int cor_pidfd_signal(int pidfd, int sig, struct cor_err *err) COR_MUST_CHECK;
/* cor_pidfd_wait_gone() - wait until the process ended, at most @timeout_ms (-1 for ever); 1 gone, 0 timed out */
int cor_pidfd_wait_gone(int pidfd, int timeout_ms, struct cor_err *err) COR_MUST_CHECK;

/*
 * cor_child_wait() - collect child @pid, at most @timeout_ms (-1 for ever); 1 collected (*ret_status, may be NULL, is 0
 * if somebody else did), 0 if it does not end: one that is frozen, or stuck in the kernel, does not even die of SIGKILL
 */
int cor_child_wait(pid_t pid, int timeout_ms, int *ret_status);

/*
 * cor_child_serve() - fork a child that calls @serve, which does not return, with @context and one end of a
 * SOCK_SEQPACKET pair; the other end. The child ends when it finds that closed
 */
int cor_child_serve(void (*serve)(void *context, int socket), void *context, pid_t *ret_pid, struct cor_err *err)
        COR_MUST_CHECK;

/*
 * cor_child_fd() - the descriptor that @make returns in a child, which may go to other namespaces for it; the error
 * that @make has otherwise. TIMEOUT after a minute
 */
int cor_child_fd(int (*make)(void *context, struct cor_err *err), void *context, struct cor_err *err) COR_MUST_CHECK;

/* cor_environment_with() - @envp (may be NULL) and @word behind it; free() the array: what it points to is borrowed */
char **cor_environment_with(char *const *envp, char *word) __attribute__((returns_nonnull));

/* A helper program to run to its end. */
struct cor_spawn {
        const char *path;                /* absolute, or looked up in PATH if it has no slash */
        char *const *argv, *const *envp; /* envp NULL: ours */
        const char *input;               /* text for its stdin, or NULL for /dev/null */
        size_t input_len;
        int stdout_fd, stderr_fd; /* -1: captured into the output */
        int timeout_ms;           /* -1: none; past it the process group is killed and the error is TIMEOUT */
};
/*
 * cor_spawn_run() - run it; *ret_status is a wait status; *ret_output (may be NULL) up to 64 KiB of captured text.
 * A caller that has blocked INT, TERM, HUP or QUIT is interrupted by them all the same: the child's process group is
 * killed, and the error is BUSY.
 */
int cor_spawn_run(const struct cor_spawn *s, int *ret_status, char **ret_output, struct cor_err *err) COR_MUST_CHECK;

/*
 * cor_fail_start() - a new error: posix_spawn(3) of @path gave @sys. The C library makes its child by clone3(2), and
 * has no other way where a seccomp profile answers that with anything but ENOSYS.
 */
int cor_fail_start(struct cor_err *err, const char *path, int sys);

/*
 * cor_program_find() - the first file called @name in our PATH that can be executed; free() *ret. EXEC_MISSING, or
 * EXEC_REFUSED if there are only others
 */
int cor_program_find(const char *name, char **ret, struct cor_err *err) COR_MUST_CHECK;
bool cor_program_there(const char *name); /* whether there is one */

/*
 * cor_libexec_path() - where @program is that only ours start: in $CORACLE_LIBEXEC (absolute), or the installed libexec
 * folder; free()
 */
char *cor_libexec_path(const char *program) __attribute__((returns_nonnull));

/* cor_status_code() - shell's number for a wait status: exit code, or 128 + signal */
int cor_status_code(int status);

/* Signals by name: "TERM", "SIGTERM", "15", "RTMIN+3", any case; 0 for "0"; -1 and INVALID otherwise */
int cor_signal_parse(const char *s, struct cor_err *err) COR_MUST_CHECK;
const char *cor_signal_name(int sig); /* "SIGTERM", or NULL */
/* cor_signals_all() - all of them but those that a fault of our own raises, which have to act */
void cor_signals_all(sigset_t *ret);
/* cor_signals_take() - block @set and read it from a non-blocking signalfd; *ret_before (may be NULL) was blocked
 * before */
int cor_signals_take(const sigset_t *set, sigset_t *ret_before, struct cor_err *err) COR_MUST_CHECK;

/* cor_now_ms() - the monotonic clock */
int64_t cor_now_ms(void);

#endif

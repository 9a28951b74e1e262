#ifndef CORACLE_RUNTIME_FOREGROUND_H
#define CORACLE_RUNTIME_FOREGROUND_H
/*
 * Waiting for a process in the foreground (`run`, `exec`): signals go on to it, the terminal is relayed, its exit code
 * becomes ours. Signals are blocked from foreground_init() on and read from a descriptor, so none is lost between the
 * start and the wait; children reset their mask before exec.
 */
#include "base/err.h"
#include "linux/terminal.h"
#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

struct notify;

struct foreground {
        int signals; /* signalfd, or -1 */
        int master;  /* borrowed, or -1 */
        struct terminal_relay *relay;
        struct notify *notify; /* borrowed: where the container says that it is ready; or NULL */
        sigset_t saved;
};
#define FOREGROUND_INIT                                                                                                \
        {                                                                                                              \
                .signals = -1, .master = -1                                                                            \
        }

/* foreground_init() - block and collect signals; @subreaper: orphans of the container become our children */
int foreground_init(struct foreground *f, bool subreaper, struct cor_err *err) COR_MUST_CHECK;
/*
 * foreground_terminal() - prepare a relay between our stdio and pty @master (-1: none), which gets our size; @master
 * stays the caller's
 */
int foreground_terminal(struct foreground *f, int master, struct cor_err *err) COR_MUST_CHECK;
/* foreground_raw() - from here on keys are the container's, and Ctrl-C is no signal to us */
int foreground_raw(struct foreground *f, struct cor_err *err) COR_MUST_CHECK;
/* foreground_wait() - until child @pid ended; *ret_code is its exit code or 128 + signal */
int foreground_wait(struct foreground *f, pid_t pid, int *ret_code, struct cor_err *err) COR_MUST_CHECK;
/* foreground_done() - the terminal and the signal mask as they were */
void foreground_done(struct foreground *f);

#endif

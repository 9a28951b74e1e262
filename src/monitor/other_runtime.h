#ifndef CORACLE_MONITOR_OTHER_RUNTIME_H
#define CORACLE_MONITOR_OTHER_RUNTIME_H
/*
 * The command line of another OCI runtime (crun, runc, …) for one container, whose state it keeps in RUN/<id>. What it
 * leaves running becomes a child of the caller's, if that is a subreaper.
 */
#include "base/cleanup.h"
#include "base/err.h"
#include <stdbool.h>
#include <sys/types.h>

/* In RUN/<id>: a link to the program, and where that keeps its state. */
#define OTHER_RUNTIME_LINK  "runtime-program"
#define OTHER_RUNTIME_STATE "oci"

/* All borrowed. */
struct other_runtime {
        const char *program; /* absolute */
        const char *run;     /* RUN/<id> */
        const char *log;     /* the path of a file for its own words, of which the last line is told when it fails */
};

/* other_runtime_become() - for a child: execute it with @words; descriptors of @stdio that are -1 stay as they are */
void other_runtime_become(const struct other_runtime *o, const char *const *words, const int stdio[3])
        __attribute__((noreturn));
/*
 * other_runtime_run() - the same in a child of its own, to its end; TIMEOUT after a minute. EXEC_MISSING and
 * EXEC_REFUSED: it says that the container's program is not there, or may not be executed
 */
int other_runtime_run(const struct other_runtime *o, const char *const *words, const int stdio[3], struct cor_err *err)
        COR_MUST_CHECK;
/* other_runtime_pid() - what it wrote to its --pid-file @path */
int other_runtime_pid(const struct other_runtime *o, const char *path, pid_t *ret, struct cor_err *err) COR_MUST_CHECK;

/* A process in the container, by its `exec`. */
struct other_exec {
        const char *program, *run; /* as above */
        const char *id;            /* of the container */
        const char *name;          /* what no other exec has in its first 12 characters */
        const char *process;       /* process.json */
        int stdio[3];              /* -1: /dev/null */
        bool tty;
};
/*
 * other_runtime_exec() - start it, detached from the runtime: it becomes a child of the caller, who is made a
 * subreaper. *ret_master: its terminal, or -1
 */
int other_runtime_exec(const struct other_exec *x, pid_t *ret_pid, int *ret_master, struct cor_err *err) COR_MUST_CHECK;

/* Its --console-socket, at a path that is short enough for an address: RUN/<id> may not be. */
struct other_console {
        int sock;
        char *path;
};
#define OTHER_CONSOLE_INIT                                                                                             \
        {                                                                                                              \
                .sock = -1                                                                                             \
        }
/* other_console_listen() - at RUN/tty-@name */
int other_console_listen(const struct other_runtime *o, const char *name, struct other_console *ret,
                         struct cor_err *err) COR_MUST_CHECK;
/* other_console_take() - the terminal that it sent: a descriptor */
int other_console_take(const struct other_runtime *o, struct other_console *c, struct cor_err *err) COR_MUST_CHECK;
void other_console_done(struct other_console *c);
#define auto_other_console COR_CLEANUP(other_console_done) struct other_console

#endif

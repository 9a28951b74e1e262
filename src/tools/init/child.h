#ifndef CORACLE_TOOLS_INIT_CHILD_H
#define CORACLE_TOOLS_INIT_CHILD_H
/*
 * The main child: the program that was asked for. It leads a process group of its own, to which the terminal is handed
 * if this process has it in the foreground, and starts with the signal mask and dispositions that coracle-init was
 * started with.
 */
#include "base/err.h"
#include "tools/init/signals.h"

#include <stdbool.h>
#include <sys/types.h>

/* What the child gets back that coracle-init changed for itself. */
struct child_inheritance {
        signal_mask mask;
        struct sigaction on_child_end; /* of SIGCHLD */
};

struct child {
        pid_t pid;         /* also the process group */
        bool has_terminal; /* the terminal was handed over */
};

/*
 * child_spawn() - start @command. All signals must be blocked. Its process group exists when this returns. What keeps
 * the program from being executed the child itself reports: on standard error, and by its exit code, which is 127 if
 * the program, or the interpreter that it names, was not found and 126 if it cannot be executed.
 */
int child_spawn(char **command, const struct child_inheritance *inheritance, struct child *ret, struct cor_err *err)
        COR_MUST_CHECK;

/* child_take_terminal_back() - be the foreground process group again, after the child has ended */
void child_take_terminal_back(struct child *c);

#endif

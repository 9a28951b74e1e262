#ifndef CORACLE_TESTS_UNIT_LINUX_CHILD_H
#define CORACLE_TESTS_UNIT_LINUX_CHILD_H
/*
 * Tests of kernel behaviour change the process they run in, so each runs in a child of its own: CHECK() there ends the
 * child, and the test fails with what it printed.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/err.h"

#define CHECK(condition)                                                                                               \
        do {                                                                                                           \
                if (!(condition)) {                                                                                    \
                        dprintf(2, "# %s:%d: %s (errno %d)\n", __FILE__, __LINE__, #condition, errno);                 \
                        _exit(1);                                                                                      \
                }                                                                                                      \
        } while (0)

/* CHECK_OK() - a call that takes &err succeeds */
#define CHECK_OK(call)                                                                                                 \
        do {                                                                                                           \
                struct cor_err err = { 0 };                                                                            \
                if ((call) < 0) {                                                                                      \
                        dprintf(2, "# %s:%d: %s: %s\n", __FILE__, __LINE__, #call, err.msg);                           \
                        _exit(1);                                                                                      \
                }                                                                                                      \
        } while (0)

/* in_child() - exit code of @fn(@data) run in a forked child, 255 if it was killed */
static inline int in_child(void (*fn)(void *), void *data)
{
        int status;
        pid_t pid;

        fflush(NULL);
        pid = fork();
        if (pid == 0) {
                alarm(60);
                fn(data);
                _exit(0);
        }
        if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
                return 255;
        return WEXITSTATUS(status);
}

#define NEED_ROOT()                                                                                                    \
        do {                                                                                                           \
                if (geteuid() != 0) {                                                                                  \
                        print_message("skipped: needs root: runs where the suite is started by root\n");               \
                        skip();                                                                                        \
                }                                                                                                      \
        } while (0)

#endif

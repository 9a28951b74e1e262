#ifndef CORACLE_RUNTIME_WATCH_H
#define CORACLE_RUNTIME_WATCH_H
/*
 * Waiting for what another process has to say, which may never come: it was stopped, its cgroup or one above was
 * frozen, or it hangs in the kernel. A wait for a container's first process, for one of `exec`, or for criu looks at
 * the process once a second, and gives up when it stood still for ten seconds, or neither spoke nor used the processor
 * for ten minutes. Time that passes while we stand still ourselves does not count.
 */
#include "linux/cgroup.h"
#include <stdint.h>
#include <sys/types.h>

struct foreground;

struct watch {
        const char *who; /* for the error: "the container's first process" */
        pid_t pid;
        struct cgroup *cgroup;       /* borrowed; NULL: not looked at */
        const struct foreground *fg; /* borrowed; NULL: signals are not ours to look at */
        bool may_freeze;             /* the caller knows that it is frozen, and waits for its thaw */
        bool may_idle;               /* hooks or servers, which may take as long as they like */
        int tick_ms, still_ms, idle_ms;
        /* its own */
        int still_for_ms, idle_for_ms;
        uint64_t ticks;
};
#define WATCH_INIT                                                                                                     \
        {                                                                                                              \
                .tick_ms = 1000, .still_ms = 10 * 1000, .idle_ms = 10 * 60 * 1000                                      \
        }

/*
 * watch_wait() - until @sock has something to read. TIMEOUT when nothing will come; BUSY if a signal that asks us to
 * end (INT, TERM, HUP, QUIT) comes first: the user has had enough of a container that does not get ready.
 */
int watch_wait(struct watch *w, int sock, struct cor_err *err) COR_MUST_CHECK;

#endif

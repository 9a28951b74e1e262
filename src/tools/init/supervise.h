#ifndef CORACLE_TOOLS_INIT_SUPERVISE_H
#define CORACLE_TOOLS_INIT_SUPERVISE_H
/*
 * The loop of coracle-init: it sleeps in sigtimedwait(2) with every signal blocked, so none is lost between looking and
 * sleeping, and wakes for signals alone. SIGCHLD makes it reap; every other signal is passed on.
 *
 *   RUNNING    the main child lives; signals go to it, to its process group (-g), or to all (--signal-all).
 *              It ends: without --wait-all that is the end of the loop, else
 *   LEAVING    the terminal is ours again; the descendants that are left have got SIGTERM, and signals go to all of
 *              them. Ends when none is left, or with the grace time (which may be infinite: then no SIGTERM either):
 *   KILLING    SIGKILL to all, again after each death, for a tree that forks while it is being killed. Ends when none
 *              is left or, for those that SIGKILL does not reach (other users' processes, disk sleep), after a time.
 *
 * The exit status is the main child's throughout.
 */
#include "tools/init/child.h"
#include "tools/init/options.h"

/* supervise() - serve @main_child to its end; its wait status in *@ret_status. All signals must be blocked. */
int supervise(const struct options *options, struct child *main_child, int *ret_status, struct cor_err *err)
        COR_MUST_CHECK;

#endif

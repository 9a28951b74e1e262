#ifndef CORACLE_TOOLS_INIT_DESCENDANTS_H
#define CORACLE_TOOLS_INIT_DESCENDANTS_H
/*
 * Signals to all descendants. As pid 1 that is every other process of the pid namespace, and the kernel does it in one
 * step. Otherwise it is the tree below this process, which is read from /proc; this process must be a child subreaper,
 * or what is orphaned drops out of the tree.
 *
 * Reading a tree that changes meanwhile: processes are told apart by pid and start time, so that a recycled pid is
 * never taken for a descendant; and when a process of the tree ended during a reading, its children have moved, so the
 * tree is read again. A process forked after the reading does not get the signal, but its parent does.
 */
#include "base/err.h"
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* descendants_check() - whether descendants_signal() can work here; UNSUPPORTED with the reason if not */
int descendants_check(struct cor_err *err) COR_MUST_CHECK;

/*
 * descendants_signal() - send @sig to all descendants. Returns how many got it; as pid 1 the kernel tells only whether
 * anybody did, 1 or 0. Descendants that may not be signalled are warned about.
 */
int descendants_signal(int sig, struct cor_err *err) COR_MUST_CHECK;

/* What /proc/PID/stat says of a process. */
struct process_stat {
        char state;
        pid_t parent;
        uint64_t start_time; /* clock ticks since boot; with the pid, it names one process */
};

/* process_stat_parse() - the text of /proc/PID/stat, in which the process chose the second field; -1 if it is not one
 */
int process_stat_parse(const char *text, struct process_stat *ret) COR_MUST_CHECK;

/*
 * pid_reader_feed() - the pids of a text that comes in pieces, such as /proc/PID/task/TID/children: calls @found for
 * each that is complete, with @context. The last one is complete only after a space: the kernel writes one.
 */
struct pid_reader {
        uint64_t value; /* digits read so far; 0: none */
};
void pid_reader_feed(struct pid_reader *r, const char *text, size_t len, void (*found)(pid_t pid, void *context),
                     void *context);

#endif

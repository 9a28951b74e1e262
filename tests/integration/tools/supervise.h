#ifndef CORACLE_TOOLS_SUPERVISE_H
#define CORACLE_TOOLS_SUPERVISE_H
/*
 * A seccomp filter that a program and all its descendants are under, and a process that is asked about what the filter
 * does not decide (seccomp_unotify(2)). It lives until the last who has the filter has ended:
 *
 *      the caller                 its grandchild
 *      loads the filter
 *      number of listener ->      takes the listener
 *                         <-      taken
 *      executes a program         serves
 */
#include <seccomp.h>
#include <stdbool.h>

/* supervise_die() - say @what went wrong, with the words for @error unless that is 0, and exit with 125 */
_Noreturn void supervise_die(const char *what, int error);
/* supervise_call() - the number of a system call by its name; one that this machine does not have is negative */
int supervise_call(const char *name);
/* supervise_load() - @serve gets the listener, and returns when nobody is left to ask; NULL: nobody is asked */
void supervise_load(scmp_filter_ctx filter, void (*serve)(int listener));

/* For @serve: what is asked, and what is answered. */
struct supervise {
        int listener;
        struct seccomp_notif *question;
        struct seccomp_notif_resp *reply;
};
/* supervise_begin() - false if memory is gone */
bool supervise_begin(struct supervise *s, int listener);
/* supervise_next() - 1: there is a question; 0: none within @timeout_ms (-1: no end), or who asked is gone; -1: all are
 */
int supervise_next(struct supervise *s, int timeout_ms);
/* supervise_answer() - to the question of that id: the call fails with @error, or (0) is carried out */
void supervise_answer(struct supervise *s, uint64_t id, int error);

#endif

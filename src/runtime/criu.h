#ifndef CORACLE_RUNTIME_CRIU_H
#define CORACLE_RUNTIME_CRIU_H
/*
 * criu(8), the program that does the work of checkpoint and restore. It is started as our child (`criu swrk 3`) and
 * asked over a socket, in the protocol of criu_wire.h: one request, then any number of notifications, each of which it
 * waits for us to answer, then one reply. It ends when the socket is closed. Needed are criu 3.11 or newer and, as a
 * rule, root.
 */
#include "runtime/criu_wire.h"
#include "runtime/watch.h"
#include <sys/types.h>

enum { CRIU_FIRST_FD = 4 }; /* number in criu of the first descriptor that is passed on; 3 is the socket */

struct criu {
        pid_t pid;
        int sock;
        struct watch watch; /* over criu; the caller may change how it is */
        bool hangs;         /* it gave no answer, and need not be waited for */
        bool failed;        /* a call failed because criu did, and its log says why; not because of us */
};
#define CRIU_INIT                                                                                                      \
        {                                                                                                              \
                .sock = -1, .watch = WATCH_INIT                                                                        \
        }

struct criu_start {
        const int *fds; /* descriptors 4 and up of criu */
        size_t n_fds;
        bool stdio; /* it gets ours, for the processes that it restores; otherwise only stderr */
        /* runs in the child before criu does; may be NULL */
        int (*prepare)(void *arg, struct cor_err *err);
        void *arg;
};

/* criu_start() - NOT_FOUND if there is no criu in PATH; @ret is CRIU_INIT, with its watch as the caller wants it */
int criu_start(const struct criu_start *s, struct criu *ret, struct cor_err *err) COR_MUST_CHECK;
/* criu_done() - let it end, or make it */
void criu_done(struct criu *c);
#define auto_criu COR_CLEANUP(criu_done) struct criu

/* What happens meanwhile: called for each notification, with the descriptor that came along, or -1. */
typedef int (*criu_notify_fn)(void *arg, const struct criu_reply *what, int fd, struct cor_err *err);

/* criu_call() - one request; @ret is the last reply. A failure of criu's own is COR_SYSTEM. */
int criu_call(struct criu *c, enum criu_type type, const struct cor_text *opts, criu_notify_fn notify, void *arg,
              struct criu_reply *ret, struct cor_err *err) COR_MUST_CHECK;

#endif

#ifndef CORACLE_RUNTIME_NOTIFY_H
#define CORACLE_RUNTIME_NOTIFY_H
/*
 * sd_notify(3) for containers. A service manager puts NOTIFY_SOCKET into the environment of `create` and `start`, or of
 * `run`. The socket itself stays on the host: the container sees a socket of our own, in ROOT/ID/notify, mounted
 * read-only at /run/notify, and learns of it by its own NOTIFY_SOCKET.
 *
 * What arrives there is written by the container, so that nothing is passed on as it came. A line READY=1 makes us say
 * READY=1, once, together with the MAINPID that is right outside of the container; all else is dropped. Detached, the
 * command waits for that, or for the container's end; in the foreground the loop of foreground.h listens meanwhile.
 * A manager that cannot be reached is a warning: it is no reason to stop a container that runs.
 */
#include "runtime/plan.h"

struct notify {
        int sock; /* what the container writes to, or -1 */
        bool ready;
};
#define NOTIFY_INIT                                                                                                    \
        {                                                                                                              \
                .sock = -1                                                                                             \
        }
void notify_done(struct notify *n);
#define auto_notify COR_CLEANUP(notify_done) struct notify

/* notify_plan() - if the caller has a NOTIFY_SOCKET, one more of config->mounts (the last), and the variable */
void notify_plan(struct plan *p);
/* notify_make() - the folder that is mounted, as soon as the container's own folder exists */
int notify_make(struct plan *p, struct cor_err *err) COR_MUST_CHECK;
/*
 * notify_listen() - make the socket in the container's folder @dirfd, before the container runs. Does nothing if the
 * caller has no NOTIFY_SOCKET, or had none when the container was created.
 */
int notify_listen(int dirfd, struct notify *n, struct cor_err *err) COR_MUST_CHECK;
/* notify_step() - take one message, if there is one; @main_pid is what the manager is told to watch */
void notify_step(struct notify *n, pid_t main_pid);
/*
 * notify_wait() - until the container has said that it is ready, or its @init has ended; and until the manager has read
 * it, as it looks at who the sender was. The lock on the container is given up meanwhile.
 */
int notify_wait(struct notify *n, struct container *c, const struct cor_procid *init, struct cor_err *err)
        COR_MUST_CHECK;

#endif

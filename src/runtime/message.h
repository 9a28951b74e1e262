#ifndef CORACLE_RUNTIME_MESSAGE_H
#define CORACLE_RUNTIME_MESSAGE_H
/*
 * What the runtime (parent) and the container's first process (init) say to each other over one SOCK_SEQPACKET pair.
 * Both ends are close-on-exec: end of file at the parent means that exec worked, or that init is gone. `start` speaks
 * the last part of the same protocol over a connection to the container's start socket.
 *
 *      parent                          init
 *      SETUP        ->                 id maps are written, cgroup and limits hold; only when the plan waits for it
 *                   <-  MAP            by the intermediate process: its new user namespace wants maps; waits for SETUP
 *                   <-  PID            by the intermediate process, which ends then: the pid of init; that waits for
 *                                      SETUP, so as not to be heard before this
 *                   <-  CGROUP         exec: the new process may not enter the cgroup by itself; waits for SETUP
 *                   <-  DELEGATE       init has its cgroup namespace; waits for SETUP
 *                   <-  CONSOLE+fd     the pty master; goes to the console socket or the foreground relay
 *                   <-  MOUNTED        all mounts made, root not yet changed; waits
 *      HOOKS_DONE   ->                 prestart and createRuntime hooks ran
 *                   <-  READY          all is done but START; waits
 *      START        ->                 the record says so: go. create sends RECORDED instead, and init listens on the
 *                                      start socket, to get START from there
 *                   <-  SECCOMP n      filter installed, its listener is descriptor n of init, or comes along; waits
 *      SECCOMP_DONE ->                 the listener has been fetched
 *                   <-  ERROR          a struct cor_err; init exits after it
 */
#include "base/err.h"
#include <stdint.h>

enum message_type {
        MSG_SETUP = 1,
        MSG_MAP,
        MSG_PID,
        MSG_CGROUP,
        MSG_DELEGATE,
        MSG_CONSOLE,
        MSG_MOUNTED,
        MSG_HOOKS_DONE,
        MSG_READY,
        MSG_RECORDED,
        MSG_START,
        MSG_SECCOMP,
        MSG_SECCOMP_DONE,
        MSG_ERROR,
        MSG_EOF = -1, /* the other side is gone */
};

struct message {
        int32_t type;
        int32_t value; /* PID: the pid; SECCOMP: the descriptor's number */
};

/* message_pair() - *ret_parent and *ret_child, both close-on-exec */
int message_pair(int *ret_parent, int *ret_child, struct cor_err *err) COR_MUST_CHECK;
int message_send(int sock, enum message_type type, int value, struct cor_err *err) COR_MUST_CHECK;
/* message_send_fd() - @type with descriptor @fd */
int message_send_fd(int sock, enum message_type type, int fd, struct cor_err *err) COR_MUST_CHECK;
/* message_send_error() - best effort: there is nobody else to tell */
void message_send_error(int sock, const struct cor_err *error);
/*
 * message_receive() - the next message; MSG_EOF is not an error here. An ERROR becomes this function's own error.
 * *ret_fd is the descriptor that came along or -1; NULL: none is expected, one that comes is closed.
 */
int message_receive(int sock, struct message *ret, int *ret_fd, struct cor_err *err) COR_MUST_CHECK;
/* message_expect() - the next message must be of @type; EOF says "the other process ended" */
int message_expect(int sock, enum message_type type, struct cor_err *err) COR_MUST_CHECK;

#endif

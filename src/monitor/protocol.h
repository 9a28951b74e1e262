#ifndef CORACLE_MONITOR_PROTOCOL_H
#define CORACLE_MONITOR_PROTOCOL_H
/*
 * What a container's monitor and those who speak with it say to each other: packets (SOCK_SEQPACKET) over the socket
 * RUN/<id>/monitor (store_run_path()), or over the pair that the starter of the monitor gave it as descriptor 3. A
 * packet is one byte, enum monitor_packet, and its content. Who may open the socket may do all of it.
 *
 *      client                        monitor
 *      TAKE                  ->      (starter only, first) the container's row is there: take its lock, make ready. A
 *                                    monitor may be started before there is a container; without this word START says
 *                                    the same
 *      ATTACH                ->      from now on a copy of what the container prints, and its stdin if asked for. To
 *                                    the starter it comes before START, so that nothing is missed
 *                            <-      DONE, if it says `logs`: until its next ATTACH, which says the rest, the container
 * is held back, so that it can read the log first and miss nothing START                 ->      (starter only, once)
 * make the container and run its program. A descriptor comes along: its root filesystem, mounted
 *                            <-      STARTED, or ERROR and the end: nothing of it runs, and its row says why (error,
 *                                    exit code); one with --rm is gone
 *      STDIN, STDIN_END      ->      bytes for the program; a full pipe holds the sender back
 *                            <-      STDOUT, STDERR: bytes of the program (all STDOUT with a terminal)
 *      RESIZE                ->      the terminal's size
 *      STOP                  ->      signal, then after the time given SIGKILL, to the program and all its descendants;
 *                                    the restart policy is off
 *                            <-      STOPPED, or ERROR
 *      SHUT_DOWN             ->      stop as the container has it, because the machine ends and not a user wants it
 *                            <-      STOPPED, or ERROR
 *      RESTART               ->      stop the same way, and start again
 *                            <-      STARTED, or ERROR
 *      KILL                  ->      a signal to the program only; as in docker, one without a stop signal of its own,
 *                                    or with just this one, is not started again after it
 *      PAUSE, RESUME         ->      freeze it, or go on
 *      UPDATE                ->      read the container's row again: the restart policy (limits are the cgroup's, and
 *                                    set by whoever changes them)
 *      NETWORKS              ->      read the networks of the container's row again, connect with those that are new
 * and disconnect from those that are gone
 *                            <-      DONE, or ERROR
 *      EXEC                  ->      start one more process, for nobody: its end is an event. A descriptor comes along:
 *                                    process.json
 *                            <-      DONE, or ERROR
 *      DETACH                ->      the user leaves what ATTACH gave
 *      WAIT                  ->      tell me about the next end
 *                            <-      EXIT: the program ended; with `last` it is not started again and the monitor ends.
 *                                    Those who are attached get it as well, after all output
 *
 * While a monitor lives, it alone writes the row's container_now: whoever wants it changed asks the monitor.
 *
 * A client that does not read is waited for while it is attached to stdout or stderr, as docker does; one that is gone
 * is forgotten.
 */
#include "base/err.h"
#include <stdbool.h>
#include <stdint.h>

enum monitor_packet {
        MONITOR_ATTACH = 1, /* struct monitor_attach */
        MONITOR_START,
        MONITOR_STDIN,
        MONITOR_STDIN_END,
        MONITOR_RESIZE,  /* struct monitor_size */
        MONITOR_STOP,    /* struct monitor_stop */
        MONITOR_RESTART, /* struct monitor_stop */
        MONITOR_KILL,    /* struct monitor_stop */
        MONITOR_PAUSE,
        MONITOR_RESUME,
        MONITOR_UPDATE,
        MONITOR_WAIT,
        MONITOR_TAKE,
        MONITOR_DETACH,
        MONITOR_SHUT_DOWN,
        MONITOR_NETWORKS,
        MONITOR_EXEC, /* struct monitor_exec */

        MONITOR_STARTED = 64,
        MONITOR_STDOUT,
        MONITOR_STDERR,
        MONITOR_STOPPED,
        MONITOR_DONE,
        MONITOR_EXIT,  /* struct monitor_exit */
        MONITOR_ERROR, /* struct cor_err */
};

enum { MONITOR_PACKET_MAX = 32 * 1024 + 1, MONITOR_STARTER_FD = 3, MONITOR_EXEC_ID = 64 };
#define MONITOR_SOCKET "monitor" /* in the container's folder below store_run_path() */

struct monitor_attach {
        bool in, out, err;
        bool logs; /* hold the container back: the client reads the log meanwhile, and attaches then */
};
struct monitor_size {
        uint16_t rows, columns;
};
struct monitor_stop {
        int32_t signal;     /* 0: the container's own */
        int32_t timeout_ms; /* -1: no SIGKILL; MONITOR_STOP_OWN_TIMEOUT: the container's own, or 10 s */
};
enum { MONITOR_STOP_OWN_TIMEOUT = -2 };
struct monitor_exec {
        char id[MONITOR_EXEC_ID]; /* hexadecimal digits: what events call it */
        bool tty;
};
struct monitor_exit {
        int32_t code;
        bool oom_killed;
        bool last;
        bool removed; /* --rm: the container is gone */
};

/*
 * monitor_send() - one packet; waits while the socket is full unless it is non-blocking (then BUSY). NOT_FOUND: the
 * other side has ended, perhaps before it has heard of us
 */
int monitor_send(int sock, enum monitor_packet type, const void *content, size_t n, struct cor_err *err) COR_MUST_CHECK;
/*
 * monitor_receive() - one packet into @buf of MONITOR_PACKET_MAX bytes: its type, 0 at the end; content from buf + 1
 * on, *ret_n bytes. A packet that is too short for its type, or of no type, is INVALID.
 */
int monitor_receive(int sock, char *buf, size_t *ret_n, struct cor_err *err) COR_MUST_CHECK;

/* monitor_send_start() - START, with the container's root filesystem (monitor/root.h) that the starter has looked into
 */
int monitor_send_start(int sock, int root, struct cor_err *err) COR_MUST_CHECK;
/* monitor_send_exec() - EXEC of the process in file @process */
int monitor_send_exec(int sock, const struct monitor_exec *x, int process, struct cor_err *err) COR_MUST_CHECK;
/* monitor_receive_fd() - the same as monitor_receive() with a descriptor that came along, or -1 */
int monitor_receive_fd(int sock, char *buf, size_t *ret_n, int *ret_fd, struct cor_err *err) COR_MUST_CHECK;

#endif

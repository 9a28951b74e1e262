#ifndef CORACLE_LINUX_TERMINAL_H
#define CORACLE_LINUX_TERMINAL_H
/*
 * Terminals: a pty pair made inside a container's devpts, handed over to whoever asked for it, and the relay between a
 * person's terminal and the pty for containers in the foreground.
 */
#include "base/err.h"
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <termios.h>

struct terminal_pty {
        int master, slave;
        unsigned number; /* N of pts/N */
};
#define TERMINAL_PTY_INIT                                                                                              \
        {                                                                                                              \
                .master = -1, .slave = -1                                                                              \
        }
void terminal_pty_done(struct terminal_pty *p);
#define auto_terminal_pty COR_CLEANUP(terminal_pty_done) struct terminal_pty

/**
 * terminal_open() - a new pty of the devpts whose root is @devpts
 * @devpts: directory descriptor (O_PATH will do); must be the root of a devpts
 *
 * Both ends come from the devpts itself: `ptmx` is opened without following links or crossing mounts, and the slave is
 * asked of the master, not looked up by path (CVE-2025-52565). No allocation.
 */
int terminal_open(int devpts, struct terminal_pty *ret, struct cor_err *err) COR_MUST_CHECK;
/* terminal_chown() - make @slave the user's, group stays; EROFS and the like of a foreign devpts are errors */
int terminal_chown(int slave, uid_t uid, struct cor_err *err) COR_MUST_CHECK;
/* terminal_set_size() - nothing is done for 0 by 0 */
int terminal_set_size(int fd, unsigned rows, unsigned columns, struct cor_err *err) COR_MUST_CHECK;
/* terminal_send() - the master over a connected console socket, with the name that engines expect as payload */
int terminal_send(int sock, int master, struct cor_err *err) COR_MUST_CHECK;
/* terminal_make_stdio() - @slave becomes controlling terminal (after setsid) and descriptors 0, 1, 2. No allocation. */
int terminal_make_stdio(int slave, struct cor_err *err) COR_MUST_CHECK;

/*
 * The relay. Owned by one event loop: it asks what to wait for, and hands back what happened.
 *
 *      terminal_relay_init(&r, 0, 1, master)
 *      terminal_relay_raw(&r)                     if descriptor 0 is a terminal
 *      for (;;) {
 *              n = terminal_relay_poll(&r, fds)   + the loop's own: signalfd, pidfd
 *              poll(fds, ...)
 *              terminal_relay_resize(&r)          on SIGWINCH
 *              terminal_relay_step(&r, fds, n)    until it returns 0: the container closed its end
 *      }
 *      terminal_relay_done(&r)                    user's terminal as it was
 */
enum { TERMINAL_RELAY_FDS = 3, TERMINAL_RELAY_BYTES = 8192 };
struct terminal_flow {
        int from, to;
        size_t start, end;
        bool eof;
        char bytes[TERMINAL_RELAY_BYTES];
};
struct terminal_relay {
        int in, out, master; /* borrowed */
        struct terminal_flow to_master, from_master;
        struct termios saved;
        bool raw, in_is_tty;
};
void terminal_relay_init(struct terminal_relay *r, int in, int out, int master);
/* terminal_relay_raw() - raw mode on the user's terminal, remembered for _done(); nothing if `in` is not a terminal */
int terminal_relay_raw(struct terminal_relay *r, struct cor_err *err) COR_MUST_CHECK;
/* terminal_relay_resize() - the pty gets the size of the user's terminal; nothing if `in` is not a terminal */
int terminal_relay_resize(struct terminal_relay *r, struct cor_err *err) COR_MUST_CHECK;
/* terminal_relay_poll() - fill @fds (room for TERMINAL_RELAY_FDS), return how many */
int terminal_relay_poll(const struct terminal_relay *r, struct pollfd *fds);
/*
 * terminal_relay_step() - move what can be moved without waiting; 1: go on, 0: all output of the container was written
 * and its end is closed
 */
int terminal_relay_step(struct terminal_relay *r, const struct pollfd *fds, int n_fds, struct cor_err *err)
        COR_MUST_CHECK;
/*
 * terminal_relay_drain() - the container's process is gone: write what it left in the pty, waiting at most @timeout_ms
 * for the reader
 */
int terminal_relay_drain(struct terminal_relay *r, int timeout_ms, struct cor_err *err) COR_MUST_CHECK;
/* terminal_relay_done() - give the user's terminal its settings back; may be called twice */
void terminal_relay_done(struct terminal_relay *r);

#endif

#ifndef CORACLE_CLI_CORACLE_ATTACH_H
#define CORACLE_CLI_CORACLE_ATTACH_H
/*
 * The user's side of a container: what is typed goes in, what it prints comes out, signals are handed on, and the
 * terminal is given back as it was, whatever happens.
 *
 *      attach_begin()     before the container starts: from here on signals wait
 *      attach_monitor()   or attach_exec()
 *      attach_end()       the terminal and the signals are as they were; harmless when called twice
 */
#include "cli/coracle/detach.h"
#include "engine/container.h"

#include <signal.h>
#include <termios.h>

struct attach {
        bool tty;      /* the container's program has a terminal */
        bool in;       /* what is typed here is for it */
        bool out, err; /* what it prints is shown */
        bool proxy;    /* signals are handed on; otherwise those that end programs end this one */
        struct detach detach;

        int signals; /* descriptor */
        sigset_t before;
        bool raw;
};

enum attach_outcome {
        ATTACH_ENDED,    /* *ret_code */
        ATTACH_DETACHED, /* it goes on without us */
};

/* attach_check() - docker's "the input device is not a TTY" */
int attach_check(bool tty, bool in, struct cor_err *err) COR_MUST_CHECK;
/* attach_size() - of the user's terminal; 0 by 0 if there is none */
struct monitor_size attach_size(void);

/* attach_begin() - the members above are set; attach_end() */
int attach_begin(struct attach *a, struct cor_err *err) COR_MUST_CHECK;
void attach_end(struct attach *a);
#define auto_attach COR_CLEANUP(attach_end) struct attach

/* attach_monitor() - with the monitor of container @id behind @sock, until its program ends; an enum attach_outcome */
int attach_monitor(struct attach *a, struct engine *e, const char *id, int sock, int *ret_code, struct cor_err *err)
        COR_MUST_CHECK;
/* attach_exec() - with a process that engine_exec() started; who detaches from one leaves somebody with its terminal */
int attach_exec(struct attach *a, struct exec_process *p, int *ret_code, struct cor_err *err) COR_MUST_CHECK;

#endif

#include "runtime/foreground.h"

#include "base/alloc.h"
#include "base/fd.h"
#include "base/process.h"
#include "runtime/notify.h"

#include <errno.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum { DRAIN_TIMEOUT_MS = 2000 };

int foreground_init(struct foreground *f, bool subreaper, struct cor_err *err)
{
        sigset_t all;

        cor_signals_all(&all);
        f->signals = cor_signals_take(&all, &f->saved, err);
        if (f->signals < 0)
                return -1;
        if (subreaper && prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0)
                return cor_fail_errno(err, "become a subreaper");
        return 0;
}

int foreground_terminal(struct foreground *f, int master, struct cor_err *err)
{
        if (master < 0)
                return 0;
        f->relay = cor_alloc(sizeof *f->relay);
        f->master = master;
        terminal_relay_init(f->relay, 0, 1, master);
        return terminal_relay_resize(f->relay, err);
}

int foreground_raw(struct foreground *f, struct cor_err *err)
{
        return f->relay ? terminal_relay_raw(f->relay, err) : 0;
}

/* Collect children: 1 if @pid was among them. Others are orphans of the container. */
static bool reap(pid_t pid, int *ret_status)
{
        bool found = false;
        int status;
        pid_t one;

        while ((one = waitpid(-1, &status, WNOHANG)) > 0) {
                if (one == pid) {
                        *ret_status = status;
                        found = true;
                }
        }
        return found || (one < 0 && errno == ECHILD);
}

static bool take_signals(struct foreground *f, pid_t pid, int *ret_status)
{
        struct signalfd_siginfo info;
        struct cor_err ignored;
        bool gone = false;

        while (read(f->signals, &info, sizeof info) == sizeof info) {
                int sig = (int)info.ssi_signo;

                if (sig == SIGCHLD)
                        gone = reap(pid, ret_status) || gone;
                else if (sig == SIGWINCH && f->relay)
                        (void)!terminal_relay_resize(f->relay, &ignored);
                else if (sig != SIGPIPE && !gone)
                        kill(pid, sig);
        }
        return gone;
}

static int step(struct foreground *f, pid_t pid, bool *gone, int *status, bool *relaying, struct cor_err *err)
{
        struct pollfd fds[2 + TERMINAL_RELAY_FDS] = {
                { .fd = f->signals, .events = POLLIN },
                { .fd = f->notify ? f->notify->sock : -1, .events = POLLIN }, /* poll() skips what is -1 */
        };
        int n = *relaying ? terminal_relay_poll(f->relay, fds + 2) : 0;

        if (poll(fds, 2 + (nfds_t)n, -1) < 0)
                return errno == EINTR ? 0 : cor_fail_errno(err, "poll");
        if (fds[1].revents)
                notify_step(f->notify, getpid()); /* we stay, and pass on signals: the one to watch is us */
        if (*relaying) {
                int r = terminal_relay_step(f->relay, fds + 2, n, err);

                if (r < 0)
                        return -1;
                *relaying = r > 0;
        }
        *gone = take_signals(f, pid, status);
        return 0;
}

int foreground_wait(struct foreground *f, pid_t pid, int *ret_code, struct cor_err *err)
{
        bool relaying = f->relay != NULL, gone = false;
        int status = 0;

        gone = reap(pid, &status); /* a SIGCHLD of before is merged with others */
        while (!gone)
                if (step(f, pid, &gone, &status, &relaying, err) < 0)
                        return -1;
        if (relaying && terminal_relay_drain(f->relay, DRAIN_TIMEOUT_MS, err) < 0)
                return -1;
        *ret_code = cor_status_code(status);
        return 0;
}

void foreground_done(struct foreground *f)
{
        if (f->relay)
                terminal_relay_done(f->relay);
        free(f->relay);
        f->relay = NULL;
        if (f->signals >= 0)
                sigprocmask(SIG_SETMASK, &f->saved, NULL);
        cor_fd_close(&f->signals);
}

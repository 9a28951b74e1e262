#include "cli/coracle/attach.h"

#include "base/alloc.h"
#include "base/fd.h"
#include "base/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
        CHUNK = 4096, /* a pipe or a terminal that is ready takes it without waiting */
        TYPED_MAX = 16 * 1024,
        LEFT_MS = 250, /* for what an ended process left in its pipes, when others hold them open */
};

/* ---- the terminal ---- */

static struct termios terminal_before;
static bool terminal_is_raw;

static void restore_terminal(void)
{
        if (terminal_is_raw)
                tcsetattr(STDIN_FILENO, TCSADRAIN, &terminal_before);
        terminal_is_raw = false;
}

static int make_raw(struct cor_err *err)
{
        static bool registered;
        struct termios t;

        if (tcgetattr(STDIN_FILENO, &terminal_before) < 0)
                return cor_fail_errno(err, "settings of the terminal");
        if (!registered && atexit(restore_terminal) != 0)
                return cor_fail(err, COR_SYSTEM, "cannot promise to give the terminal back");
        registered = true;
        t = terminal_before;
        cfmakeraw(&t);
        terminal_is_raw = true;
        if (tcsetattr(STDIN_FILENO, TCSADRAIN, &t) < 0)
                return cor_fail_errno(err, "settings of the terminal");
        return 0;
}

int attach_check(bool tty, bool in, struct cor_err *err)
{
        return tty && in && !isatty(STDIN_FILENO) ? cor_fail(err, COR_INVALID, "the input device is not a TTY") : 0;
}

struct monitor_size attach_size(void)
{
        struct winsize w = { 0 };

        if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) < 0 && ioctl(STDIN_FILENO, TIOCGWINSZ, &w) < 0)
                return (struct monitor_size){ .rows = 0 };
        return (struct monitor_size){ .rows = w.ws_row, .columns = w.ws_col };
}

/* ---- signals ---- */

/* Who proxies hands on all that a program can be sent; who does not is ended by those that end programs. */
static void signals_of(const struct attach *a, sigset_t *set)
{
        static const int ending[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM };
        static const int never[] = { SIGCHLD, SIGPIPE, SIGURG,  SIGTTIN, SIGTTOU, SIGSEGV, SIGBUS,
                                     SIGILL,  SIGFPE,  SIGABRT, SIGTRAP, SIGSYS,  SIGKILL, SIGSTOP };

        if (a->proxy) {
                sigfillset(set);
                for (size_t i = 0; i < COR_COUNT(never); i++)
                        sigdelset(set, never[i]);
                return;
        }
        sigemptyset(set);
        sigaddset(set, SIGWINCH);
        for (size_t i = 0; i < COR_COUNT(ending); i++)
                sigaddset(set, ending[i]);
}

int attach_begin(struct attach *a, struct cor_err *err)
{
        sigset_t set;

        a->raw = a->tty && a->in && isatty(STDIN_FILENO) && !getenv("NORAW");
        a->signals = -1;
        signals_of(a, &set);
        a->signals = cor_signals_take(&set, &a->before, err);
        return a->signals < 0 ? -1 : 0;
}

void attach_end(struct attach *a)
{
        restore_terminal();
        if (a->signals > 0) {
                cor_fd_close(&a->signals);
                sigprocmask(SIG_SETMASK, &a->before, NULL);
        }
        a->signals = -1;
}

/* ---- the loop ---- */

/* Bytes on their way; they go as the other side takes them. */
struct flow {
        int from, to; /* -1: closed */
        char *bytes;
        size_t start, end;
};

struct relay {
        struct attach *a;
        struct engine *engine; /* of a container */
        const char *id;
        int sock;
        struct exec_process *process; /* or of an exec */

        struct flow typed, shown[2]; /* shown: stdout, stderr */
        char *packet;
        bool typed_all, detached, ended, broken; /* broken: the monitor is gone without a word */
        int code, ending_signal, write_error;    /* write_error: errno of what could not be shown */
};

static bool is_pending(const struct flow *f)
{
        return f->end > f->start;
}

/* As much as goes without waiting: 1, 0 not now, -1 the other side is closed */
static int flow_write(struct flow *f)
{
        struct stat st;
        size_t n = f->end - f->start;
        ssize_t written;

        if (n > CHUNK && (fstat(f->to, &st) < 0 || !S_ISREG(st.st_mode)))
                n = CHUNK;
        written = write(f->to, f->bytes + f->start, n);
        if (written < 0)
                return errno == EINTR || errno == EAGAIN ? 0 : -1;
        f->start += (size_t)written;
        if (f->start == f->end)
                f->start = f->end = 0;
        return 1;
}

/* ---- what is typed ---- */

static void end_of_typing(struct relay *r)
{
        struct cor_err ignored;

        r->typed_all = true;
        r->typed.from = -1;
        if (r->sock >= 0)
                (void)!monitor_send(r->sock, MONITOR_STDIN_END, NULL, 0, &ignored);
        else if (r->process->terminal < 0)
                cor_fd_close(&r->process->in);
}

static void read_typed(struct relay *r)
{
        struct flow *f = &r->typed;
        char buf[TYPED_MAX];
        ssize_t n = read(f->from, buf, sizeof buf);

        if (n < 0 && (errno == EINTR || errno == EAGAIN))
                return;
        if (n <= 0) {
                f->from = -1; /* the end is said once all before it has gone */
                return;
        }
        f->start = 0;
        if (r->a->tty) {
                r->detached = detach_filter(&r->a->detach, buf, (size_t)n, f->bytes, &f->end);
        } else {
                memcpy(f->bytes, buf, (size_t)n);
                f->end = (size_t)n;
        }
}

static void send_typed(struct relay *r)
{
        struct flow *f = &r->typed;
        struct cor_err err = { 0 };

        if (r->sock < 0) {
                if (flow_write(f) < 0) {
                        f->start = f->end = 0;
                        end_of_typing(r);
                }
                return;
        }
        if (monitor_send(r->sock, MONITOR_STDIN, f->bytes + f->start, f->end - f->start, &err) < 0 &&
            err.kind == COR_BUSY)
                return;
        f->start = f->end = 0;
}

/* ---- what it prints ---- */

static void keep_output(struct relay *r, int which, const char *bytes, size_t n)
{
        struct flow *f = &r->shown[which];

        if (f->to < 0 || n == 0)
                return;
        memcpy(f->bytes, bytes, n);
        f->start = 0;
        f->end = n;
}

static int monitor_says(struct relay *r, struct cor_err *err)
{
        struct cor_err theirs;
        struct monitor_exit end;
        size_t n;
        int type = monitor_receive(r->sock, r->packet, &n, err);

        if (type < 0)
                return err->kind == COR_BUSY ? 0 : -1;
        if (type == 0) {
                r->broken = r->ended = true;
        } else if (type == MONITOR_STDOUT || type == MONITOR_STDERR) {
                keep_output(r, type == MONITOR_STDERR, r->packet + 1, n);
        } else if (type == MONITOR_EXIT) {
                memcpy(&end, r->packet + 1, sizeof end);
                r->code = end.code;
                r->ended = true;
        } else if (type == MONITOR_ERROR) {
                memcpy(&theirs, r->packet + 1, sizeof theirs);
                return cor_fail(err, theirs.kind, "%s", theirs.msg);
        }
        return 0;
}

static void read_output(struct flow *f)
{
        ssize_t n = read(f->from, f->bytes, MONITOR_PACKET_MAX);

        if (n < 0 && (errno == EINTR || errno == EAGAIN))
                return;
        if (n <= 0) { /* a terminal whose other end is closed says EIO */
                f->from = -1;
                return;
        }
        f->start = 0;
        f->end = (size_t)n;
}

/* ---- signals ---- */

static void resize(struct relay *r)
{
        struct monitor_size size = attach_size();
        struct winsize w = { .ws_row = size.rows, .ws_col = size.columns };
        struct cor_err ignored;

        if (!r->a->tty || size.rows == 0)
                return;
        if (r->sock >= 0)
                (void)!monitor_send(r->sock, MONITOR_RESIZE, &size, sizeof size, &ignored);
        else if (r->process)
                ioctl(r->process->terminal, TIOCSWINSZ, &w);
}

static void handle_signal(struct relay *r)
{
        struct signalfd_siginfo s;
        struct cor_err ignored;

        if (read(r->a->signals, &s, sizeof s) != sizeof s)
                return;
        if (s.ssi_signo == SIGWINCH) {
                resize(r);
                return;
        }
        if (!r->a->proxy)
                r->ending_signal = (int)s.ssi_signo;
        else if (r->id)
                (void)!engine_kill_container(r->engine, r->id, (int)s.ssi_signo, &ignored);
}

/* ---- waiting ---- */

enum { POLL_SIGNALS, POLL_TYPED, POLL_TO, POLL_FROM, POLL_FROM_2, POLL_SHOWN, POLL_SHOWN_2, POLL_PROCESS, POLL_N };

static void set_poll(struct pollfd *p, int fd, short events, bool wanted)
{
        *p = (struct pollfd){ .fd = wanted && fd >= 0 ? fd : -1, .events = events };
}

static void choose(const struct relay *r, struct pollfd *p)
{
        bool shows = is_pending(&r->shown[0]) || is_pending(&r->shown[1]);

        set_poll(&p[POLL_SIGNALS], r->a->signals, POLLIN, true);
        set_poll(&p[POLL_TYPED], r->typed.from, POLLIN, !is_pending(&r->typed) && !r->typed_all);
        set_poll(&p[POLL_TO], r->sock >= 0 ? r->sock : r->typed.to, POLLOUT, is_pending(&r->typed));
        if (r->sock >= 0) {
                set_poll(&p[POLL_FROM], r->sock, POLLIN, !shows);
                set_poll(&p[POLL_FROM_2], -1, 0, false);
        } else {
                set_poll(&p[POLL_FROM], r->shown[0].from, POLLIN, !is_pending(&r->shown[0]));
                set_poll(&p[POLL_FROM_2], r->shown[1].from, POLLIN, !is_pending(&r->shown[1]));
        }
        set_poll(&p[POLL_SHOWN], r->shown[0].to, POLLOUT, is_pending(&r->shown[0]));
        set_poll(&p[POLL_SHOWN_2], r->shown[1].to, POLLOUT, is_pending(&r->shown[1]));
        set_poll(&p[POLL_PROCESS], r->process ? r->process->pidfd : -1, POLLIN, !r->ended);
}

/* Where nobody reads any more, this program ends as others do: by SIGPIPE. */
static void show(struct relay *r, struct flow *f)
{
        if (flow_write(f) >= 0)
                return;
        if (errno == EPIPE)
                r->ending_signal = SIGPIPE;
        else
                r->write_error = errno;
        f->start = f->end = 0;
}

static int react(struct relay *r, const struct pollfd *p, struct cor_err *err)
{
        if (p[POLL_SIGNALS].revents)
                handle_signal(r);
        if (p[POLL_TYPED].revents)
                read_typed(r);
        if (p[POLL_TO].revents)
                send_typed(r);
        if (r->typed.from < 0 && !r->typed_all && !is_pending(&r->typed) && r->a->in)
                end_of_typing(r);
        if (p[POLL_FROM].revents && r->sock >= 0 && monitor_says(r, err) < 0)
                return -1;
        if (p[POLL_FROM].revents && r->sock < 0)
                read_output(&r->shown[0]);
        if (p[POLL_FROM_2].revents)
                read_output(&r->shown[1]);
        if (p[POLL_SHOWN].revents)
                show(r, &r->shown[0]);
        if (p[POLL_SHOWN_2].revents)
                show(r, &r->shown[1]);
        if (p[POLL_PROCESS].revents)
                r->ended = true;
        return 0;
}

/* What an ended program printed is still on its way. */
static bool is_over(const struct relay *r)
{
        if (r->ending_signal || r->write_error || (r->detached && !is_pending(&r->typed)))
                return true;
        if (!r->ended || is_pending(&r->shown[0]) || is_pending(&r->shown[1]))
                return false;
        return r->sock >= 0 || (r->shown[0].from < 0 && r->shown[1].from < 0);
}

static int relay_loop(struct relay *r, struct cor_err *err)
{
        while (!is_over(r)) {
                struct pollfd p[POLL_N];
                bool draining = r->ended && r->sock < 0 && !is_pending(&r->shown[0]) && !is_pending(&r->shown[1]);
                int n;

                choose(r, p);
                n = poll(p, POLL_N, draining ? LEFT_MS : -1);
                if (n < 0 && errno != EINTR)
                        return cor_fail_errno(err, "poll");
                if (n == 0 && draining)
                        return 0;
                if (n > 0 && react(r, p, err) < 0)
                        return -1;
        }
        return 0;
}

static int run_relay(struct relay *r, struct cor_err *err)
{
        auto_free char *typed = cor_alloc(TYPED_MAX + DETACH_KEYS_MAX);
        auto_free char *out = cor_alloc(MONITOR_PACKET_MAX);
        auto_free char *err_out = cor_alloc(MONITOR_PACKET_MAX);
        auto_free char *packet = cor_alloc(MONITOR_PACKET_MAX);

        r->typed.bytes = typed;
        r->shown[0].bytes = out;
        r->shown[1].bytes = err_out;
        r->packet = packet;
        r->typed.from = r->a->in ? STDIN_FILENO : -1;
        r->typed_all = !r->a->in;
        r->shown[0].to = r->a->out ? STDOUT_FILENO : -1;
        r->shown[1].to = r->a->err ? STDERR_FILENO : -1;
        if (r->a->raw && make_raw(err) < 0)
                return -1;
        signal(SIGPIPE, SIG_IGN); /* a process that does not read what is typed is no reason to end */
        resize(r);
        if (relay_loop(r, err) < 0)
                return -1;
        errno = r->write_error;
        return errno ? cor_fail_errno(err, "write what the container printed") : 0;
}

static int outcome(struct relay *r, int *ret_code)
{
        attach_end(r->a);
        if (r->detached)
                return ATTACH_DETACHED;
        *ret_code = r->ending_signal ? 128 + r->ending_signal : r->code;
        return ATTACH_ENDED;
}

/* The monitor is gone without a word: whoever asks now learns what became of the container. */
static int ask_code(struct relay *r, struct cor_err *err)
{
        if (engine_wait_container(r->engine, r->id, CONTAINER_WAIT_NOT_RUNNING, &r->code, err) == 0)
                return 0;
        if (err->kind != COR_NOT_FOUND) /* with --rm it is gone, and its code with it */
                return -1;
        r->code = 128 + SIGKILL;
        return 0;
}

/* By its keys: what its monitor tells of, as docker does, of one whose connection breaks there is nothing to tell. */
static void say_detached(const struct relay *r)
{
        struct cor_err ignored;

        if (r->detached)
                (void)!monitor_send(r->sock, MONITOR_DETACH, NULL, 0, &ignored);
}

int attach_monitor(struct attach *a, struct engine *e, const char *id, int sock, int *ret_code, struct cor_err *err)
{
        struct relay r = { .a = a, .engine = e, .id = id, .sock = sock };
        int flags = fcntl(sock, F_GETFL);

        if (flags < 0 || fcntl(sock, F_SETFL, flags | O_NONBLOCK) < 0)
                return cor_fail_errno(err, "socket of the monitor");
        r.shown[0].from = r.shown[1].from = r.typed.to = -1;
        if (!a->in && !a->out && !a->err && monitor_send(sock, MONITOR_WAIT, NULL, 0, err) < 0)
                return -1;
        if (run_relay(&r, err) < 0 || (r.broken && ask_code(&r, err) < 0)) {
                attach_end(a);
                return -1;
        }
        say_detached(&r);
        return outcome(&r, ret_code);
}

/* ---- exec ---- */

/* A terminal that nobody holds hangs up: a process of its own reads on and drops what it reads. */
static void leave_terminal(int master)
{
        char buf[CHUNK];
        pid_t pid = fork();
        ssize_t n;

        if (pid != 0)
                return;
        setsid();
        if (dup3(master, 3, O_CLOEXEC) < 0 && master != 3)
                _exit(1);
        (void)!cor_fds_close(4, ~0U, NULL);
        (void)!cor_fds_close(0, 2, NULL);
        do
                n = read(3, buf, sizeof buf);
        while (n > 0 || (n < 0 && errno == EINTR));
        _exit(0);
}

int attach_exec(struct attach *a, struct exec_process *p, int *ret_code, struct cor_err *err)
{
        struct relay r = { .a = a, .sock = -1, .process = p };
        int result;

        r.shown[0].from = p->terminal >= 0 ? p->terminal : p->out;
        r.shown[1].from = p->err;
        r.typed.to = p->terminal >= 0 ? p->terminal : p->in;
        result = run_relay(&r, err);
        if (result == 0 && r.ended)
                result = engine_exec_wait(p, &r.code, err);
        if (result < 0) {
                attach_end(a);
                return -1;
        }
        if (r.detached) {
                engine_exec_detached(p);
                leave_terminal(p->terminal);
        }
        return outcome(&r, ret_code);
}

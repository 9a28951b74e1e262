/*
 * The relay has two flows, each with one buffer: it is read into only when empty, so a reader that stalls stalls its
 * writer and nobody else. The master does not block; the user's descriptors are shared with other programs (their
 * shell) and stay as they are: they are touched only when poll() said so, with no more than a pipe takes at once.
 */
#include "linux/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/process.h"

static bool is_empty(const struct terminal_flow *f)
{
        return f->start == f->end;
}

void terminal_relay_init(struct terminal_relay *r, int in, int out, int master)
{
        int flags = fcntl(master, F_GETFL);

        if (flags >= 0)
                (void)fcntl(master, F_SETFL, flags | O_NONBLOCK);
        r->in = in;
        r->out = out;
        r->master = master;
        r->to_master = (struct terminal_flow){ .from = in, .to = master };
        r->from_master = (struct terminal_flow){ .from = master, .to = out };
        r->raw = false;
        r->in_is_tty = isatty(in) == 1;
}

int terminal_relay_raw(struct terminal_relay *r, struct cor_err *err)
{
        struct termios raw;

        if (!r->in_is_tty || r->raw)
                return 0;
        if (tcgetattr(r->in, &r->saved) < 0)
                return cor_fail_errno(err, "read the settings of your terminal");
        raw = r->saved;
        cfmakeraw(&raw);
        if (tcsetattr(r->in, TCSANOW, &raw) < 0)
                return cor_fail_errno(err, "make your terminal raw");
        r->raw = true;
        return 0;
}

int terminal_relay_resize(struct terminal_relay *r, struct cor_err *err)
{
        struct winsize size;

        if (!r->in_is_tty)
                return 0;
        if (ioctl(r->in, TIOCGWINSZ, &size) < 0)
                return cor_fail_errno(err, "ask for the size of your terminal");
        if (ioctl(r->master, TIOCSWINSZ, &size) < 0)
                return cor_fail_errno(err, "set the size of the container's terminal");
        return 0;
}

int terminal_relay_poll(const struct terminal_relay *r, struct pollfd *fds)
{
        short master = 0;
        int n = 0;

        if (!r->to_master.eof && is_empty(&r->to_master))
                fds[n++] = (struct pollfd){ .fd = r->in, .events = POLLIN };
        if (!is_empty(&r->from_master))
                fds[n++] = (struct pollfd){ .fd = r->out, .events = POLLOUT };
        if (!is_empty(&r->to_master))
                master |= POLLOUT;
        if (!r->from_master.eof && is_empty(&r->from_master))
                master |= POLLIN;
        if (master)
                fds[n++] = (struct pollfd){ .fd = r->master, .events = master };
        return n;
}

/* A side that fails has ended: EIO is how a pty says that its other end is closed. */
static void flow_read(struct terminal_flow *f)
{
        ssize_t n;

        if (f->eof || !is_empty(f))
                return;
        n = read(f->from, f->bytes, sizeof f->bytes);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
                return;
        f->start = 0;
        f->end = n > 0 ? (size_t)n : 0;
        f->eof = n <= 0;
}

static int flow_write(struct terminal_flow *f, struct cor_err *err)
{
        size_t len = f->end - f->start;
        ssize_t n;

        if (len == 0)
                return 0;
        n = write(f->to, f->bytes + f->start, len < PIPE_BUF ? len : PIPE_BUF);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
                return 0;
        if (n < 0 && (errno == EPIPE || errno == EIO)) { /* nobody listens any more: the writer need not know */
                f->start = f->end = 0;
                return 0;
        }
        if (n < 0)
                return cor_fail_errno(err, "pass on terminal data");
        f->start += (size_t)n;
        return 0;
}

static short events_of(int fd, const struct pollfd *fds, int n_fds, short wanted)
{
        short events = 0;

        for (int i = 0; i < n_fds; i++)
                if (fds[i].fd == fd && fds[i].events & wanted)
                        events |= fds[i].revents & (short)(wanted | POLLHUP | POLLERR | POLLNVAL);
        return events;
}

int terminal_relay_step(struct terminal_relay *r, const struct pollfd *fds, int n_fds, struct cor_err *err)
{
        if (events_of(r->out, fds, n_fds, POLLOUT) && flow_write(&r->from_master, err) < 0)
                return -1;
        if (events_of(r->master, fds, n_fds, POLLOUT) && flow_write(&r->to_master, err) < 0)
                return -1;
        if (events_of(r->master, fds, n_fds, POLLIN))
                flow_read(&r->from_master);
        if (events_of(r->in, fds, n_fds, POLLIN))
                flow_read(&r->to_master);
        return !(r->from_master.eof && is_empty(&r->from_master));
}

int terminal_relay_drain(struct terminal_relay *r, int timeout_ms, struct cor_err *err)
{
        int64_t end = cor_now_ms() + timeout_ms;

        for (;;) {
                int64_t left = end - cor_now_ms();
                struct pollfd out = { .fd = r->out, .events = POLLOUT };

                flow_read(&r->from_master);
                if (is_empty(&r->from_master)) /* nothing left, whoever else may still hold the other end */
                        return 0;
                if (left < 0 || (poll(&out, 1, (int)left) < 0 && errno != EINTR))
                        return left < 0 ? cor_fail(err, COR_TIMEOUT, "nobody reads the container's output")
                                        : cor_fail_errno(err, "wait for the reader of the container's output");
                if (out.revents && flow_write(&r->from_master, err) < 0)
                        return -1;
        }
}

void terminal_relay_done(struct terminal_relay *r)
{
        if (r->raw)
                (void)tcsetattr(r->in, TCSANOW, &r->saved);
        r->raw = false;
}

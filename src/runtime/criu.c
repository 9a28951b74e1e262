#include "runtime/criu.h"

#include "base/fd.h"
#include "base/log.h"
#include "base/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { SOCKET_FD = 3, REPLY_MAX_BYTES = 64 * 1024, END_TIMEOUT_MS = 10000, IDLE_LIMIT_MS = 60 * 60 * 1000 };

/* --- the process -------------------------------------------------------------------------------------------------- */

static void reset_signals(void)
{
        struct sigaction def = { .sa_handler = SIG_DFL };
        sigset_t none;

        for (int sig = 1; sig < 32; sig++)
                if (sig != SIGKILL && sig != SIGSTOP)
                        sigaction(sig, &def, NULL);
        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Put the descriptors where criu wants them. All are moved out of the way first, so that none hits another. */
static int place_descriptors(const struct criu_start *s, int sock, int *report, struct cor_err *err)
{
        int last = CRIU_FIRST_FD + (int)s->n_fds;
        auto_free int *high = cor_realloc_array(NULL, s->n_fds + 1, sizeof *high);

        high[s->n_fds] = fcntl(sock, F_DUPFD_CLOEXEC, last + 1);
        *report = fcntl(*report, F_DUPFD_CLOEXEC, last + 1);
        if (high[s->n_fds] < 0 || *report < 0)
                return cor_fail_errno(err, "move a descriptor");
        for (size_t i = 0; i < s->n_fds; i++) {
                high[i] = fcntl(s->fds[i], F_DUPFD_CLOEXEC, last + 1);
                if (high[i] < 0)
                        return cor_fail_errno(err, "move a descriptor");
        }
        if (dup2(high[s->n_fds], SOCKET_FD) < 0)
                return cor_fail_errno(err, "move a descriptor");
        for (size_t i = 0; i < s->n_fds; i++)
                if (dup2(high[i], CRIU_FIRST_FD + (int)i) < 0)
                        return cor_fail_errno(err, "move a descriptor");
        return cor_fds_cloexec_from((unsigned)last, err);
}

static int silence(struct cor_err *err)
{
        auto_fd null = open("/dev/null", O_RDWR | O_CLOEXEC);

        if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0)
                return cor_fail_errno(err, "open /dev/null");
        return 0;
}

static void run_child(const struct criu_start *s, int sock, int *report, struct cor_err *err)
{
        char *const argv[] = { (char *)"criu", (char *)"swrk", (char *)"3", NULL };

        reset_signals();
        if ((s->prepare && s->prepare(s->arg, err) < 0) || (!s->stdio && silence(err) < 0) ||
            place_descriptors(s, sock, report, err) < 0)
                return;
        execvp(argv[0], argv);
        if (errno == ENOENT)
                cor_fail(err, COR_NOT_FOUND, "there is no program criu in PATH: install the package criu");
        else
                cor_fail_errno(err, "execute criu");
}

static int await(struct criu *c, int fd, struct cor_err *err)
{
        c->watch.who = "criu";
        c->watch.pid = c->pid;
        c->watch.idle_ms = IDLE_LIMIT_MS; /* much may be done by its children */
        c->hangs = watch_wait(&c->watch, fd, err) < 0;
        return c->hangs ? -1 : 0;
}

/* End of file means that criu runs. */
static int await_exec(struct criu *c, int report, struct cor_err *err)
{
        struct cor_err theirs;
        ssize_t n = await(c, report, err) < 0 ? -1 : cor_read_full(report, &theirs, sizeof theirs, err);

        if (n == 0)
                return 0;
        if (n == (ssize_t)sizeof theirs) {
                theirs.msg[sizeof theirs.msg - 1] = '\0';
                *err = theirs;
        } else if (n > 0) {
                cor_fail(err, COR_SYSTEM, "criu could not be started");
        }
        return -1;
}

int criu_start(const struct criu_start *s, struct criu *ret, struct cor_err *err)
{
        auto_criu c = CRIU_INIT;
        auto_fd theirs = -1, report = -1, report_theirs = -1;
        int pair[2];

        c.watch = ret->watch;
        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
                return cor_fail_errno(err, "socketpair");
        c.sock = pair[0];
        theirs = pair[1];
        if (pipe2(pair, O_CLOEXEC) < 0)
                return cor_fail_errno(err, "pipe");
        report = pair[0];
        report_theirs = pair[1];
        c.pid = fork();
        if (c.pid < 0)
                return cor_fail_errno(err, "make a process");
        if (c.pid == 0) {
                struct cor_err why = { 0 };

                run_child(s, theirs, &report_theirs, &why);
                (void)!write(report_theirs, &why, sizeof why);
                _exit(127);
        }
        cor_fd_close(&report_theirs);
        if (await_exec(&c, report, err) < 0)
                return -1;
        *ret = c;
        c = (struct criu)CRIU_INIT;
        return 0;
}

void criu_done(struct criu *c)
{
        struct cor_err ignored;
        auto_fd pidfd = c->pid > 0 ? cor_pidfd_open(c->pid, &ignored) : -1;

        cor_fd_close(&c->sock);
        if (c->pid <= 0)
                return;
        if (pidfd < 0 || cor_pidfd_wait_gone(pidfd, c->hangs ? 0 : END_TIMEOUT_MS, &ignored) != 1)
                kill(c->pid, SIGKILL);
        if (cor_child_wait(c->pid, END_TIMEOUT_MS, NULL) == 0)
                cor_warn("criu (pid %d) does not end", (int)c->pid);
        c->pid = 0;
}

/* --- the talk ----------------------------------------------------------------------------------------------------- */

static int send_request(const struct criu *c, const struct cor_text *t, struct cor_err *err)
{
        ssize_t n;

        do
                n = send(c->sock, t->s, t->len, MSG_NOSIGNAL);
        while (n < 0 && errno == EINTR);
        return n < 0 ? cor_fail_errno(err, "send a request to criu") : 0;
}

static int receive_reply(const struct criu *c, struct criu_reply *ret, int *ret_fd, struct cor_err *err)
{
        auto_free char *bytes = cor_alloc(REPLY_MAX_BYTES);
        int fd = -1;
        union {
                struct cmsghdr align;
                char bytes[CMSG_SPACE(sizeof(int))];
        } control;
        struct iovec iov = { .iov_base = bytes, .iov_len = REPLY_MAX_BYTES };
        struct msghdr msg = {
                .msg_iov = &iov,
                .msg_iovlen = 1,
                .msg_control = &control,
                .msg_controllen = sizeof control,
        };
        const struct cmsghdr *first;
        ssize_t got;

        got = cor_recvmsg(c->sock, &msg, MSG_CMSG_CLOEXEC);
        if (got < 0)
                return cor_fail_errno(err, "receive a reply of criu");
        if (got == 0)
                return cor_fail(err, COR_SYSTEM, "criu ended without a reply");
        first = CMSG_FIRSTHDR(&msg);
        if (first && first->cmsg_level == SOL_SOCKET && first->cmsg_type == SCM_RIGHTS)
                memcpy(&fd, CMSG_DATA(first), sizeof fd);
        *ret_fd = fd;
        if (msg.msg_flags & MSG_TRUNC)
                return cor_fail(err, COR_INVALID, "criu: a reply of more than %d bytes", REPLY_MAX_BYTES);
        return criu_reply_parse(bytes, (size_t)got, ret, err);
}

static int fail_reply(const struct criu_reply *r, struct cor_err *err)
{
        if (r->message[0])
                return cor_fail(err, COR_SYSTEM, "criu failed: %s", r->message);
        if (r->sys)
                return cor_fail(err, COR_SYSTEM, "criu failed: %s", strerror(r->sys));
        return cor_fail(err, COR_SYSTEM, "criu failed");
}

int criu_call(struct criu *c, enum criu_type type, const struct cor_text *opts, criu_notify_fn notify, void *arg,
              struct criu_reply *ret, struct cor_err *err)
{
        auto_text request = COR_TEXT_INIT;
        auto_text go_on = COR_TEXT_INIT;

        criu_request(&request, type, opts);
        criu_request_notified(&go_on);
        if (send_request(c, &request, err) < 0)
                return -1;
        for (;;) {
                auto_fd fd = -1;

                if (await(c, c->sock, err) < 0)
                        return -1;
                c->failed = receive_reply(c, ret, &fd, err) < 0 || (!ret->success && fail_reply(ret, err) < 0);
                if (c->failed)
                        return -1;
                if (ret->type == (int)type)
                        return 0;
                if (ret->type != CRIU_NOTIFY)
                        return cor_fail(err, COR_SYSTEM, "criu: a reply of type %d to a request of type %d", ret->type,
                                        (int)type);
                if (notify(arg, ret, fd, err) < 0 || send_request(c, &go_on, err) < 0)
                        return -1;
        }
}

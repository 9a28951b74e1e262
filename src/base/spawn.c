/*
 * Helper programs run to their end. The child gets a process group of its own, default signal handling, and three
 * descriptors; the parent feeds its stdin, drains its output and watches its pidfd in one poll loop, so that neither
 * waits for the other. A grandchild that keeps the output open does not hold us up: the end of the child is the end.
 */
#include "base/fd.h"
#include "base/process.h"
#include "base/spawn_rest.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define OUTPUT_MAX_BYTES (64U * 1024)
#define KILL_WAIT_MS     10000 /* for a killed child to be gone; longer only if it is stuck in the kernel */

struct run {
        const char *path;
        pid_t pid;
        int pidfd;
        int in, out; /* our ends of its stdin and output */
        const char *input;
        size_t input_len;
        struct cor_text output;
};

static void run_done(struct run *run)
{
        cor_fd_close(&run->pidfd);
        cor_fd_close(&run->in);
        cor_fd_close(&run->out);
        cor_text_done(&run->output);
}

char *cor_libexec_path(const char *program)
{
        const char *dir = getenv("CORACLE_LIBEXEC");

        return cor_printf("%s/%s", dir && *dir == '/' ? dir : CORACLE_LIBEXECDIR, program);
}

int cor_program_find(const char *name, char **ret, struct cor_err *err)
{
        auto_str dirs = cor_strdup(getenv("PATH") ?: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
        bool refused = false;
        char *cursor = dirs;

        for (const char *dir; (dir = cor_split_next(&cursor, ':'));) {
                auto_str path = cor_printf("%s/%s", *dir ? dir : ".", name);
                struct stat st;

                if (stat(path, &st) < 0 || !S_ISREG(st.st_mode))
                        continue;
                if (access(path, X_OK) == 0) {
                        *ret = COR_TAKE(path);
                        return 0;
                }
                refused = true;
        }
        if (refused)
                return cor_fail(err, COR_EXEC_REFUSED, "%s: found in PATH, but may not be executed", name);
        return cor_fail(err, COR_EXEC_MISSING, "%s: not found in PATH", name);
}

bool cor_program_there(const char *name)
{
        auto_str path = NULL;

        return cor_program_find(name, &path, NULL) == 0;
}

/* A copy of @fd (or /dev/null if negative) that is clear of 0 to 2, where the child's own are put. */
static int clear_of_stdio(int fd, struct cor_err *err)
{
        auto_fd null = -1;
        int copy;

        if (fd < 0)
                fd = null = open("/dev/null", O_RDWR | O_CLOEXEC);
        if (fd < 0)
                return cor_fail_errno(err, "open /dev/null");
        if (null > STDERR_FILENO)
                return cor_fd_take(&null);
        copy = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
        return copy >= 0 ? copy : cor_fail_errno(err, "duplicate descriptor %d", fd);
}

/* A pipe whose end @ours (0 or 1) does not block. */
static int open_pipe(int ours, int *ret_ours, int *ret_theirs, struct cor_err *err)
{
        int ends[2];

        if (pipe2(ends, O_CLOEXEC) < 0)
                return cor_fail_errno(err, "pipe");
        *ret_ours = ends[ours];
        *ret_theirs = ends[!ours];
        if (fcntl(ends[ours], F_SETFL, O_NONBLOCK) < 0)
                return cor_fail_errno(err, "pipe");
        return 0;
}

int cor_fail_start(struct cor_err *err, const char *path, int sys)
{
        bool refused =
                sys == EPERM && syscall(SYS_clone3, NULL, 0) < 0 && errno == EPERM; /* asked for nothing: EINVAL */

        errno = sys;
        if (!refused)
                return cor_fail_errno(err, "start %s", path);
        cor_fail_refused(err, "clone3", "5.3");
        return cor_wrap(err, "start %s", path);
}

static int start_failed(const char *path, int sys, struct cor_err *err)
{
        if (sys == EPERM)
                return cor_fail_start(err, path, sys);
        cor_fail(err, sys == ENOENT || sys == ENOTDIR ? COR_EXEC_MISSING : COR_EXEC_REFUSED, "run %s: %s", path,
                 strerror(sys));
        if (err)
                err->sys = sys;
        return -1;
}

static int start(struct run *run, const struct cor_spawn *s, const int stdio[3], struct cor_err *err)
{
        posix_spawn_file_actions_t actions;
        posix_spawnattr_t attr;
        sigset_t set;
        int r;

        posix_spawn_file_actions_init(&actions);
        posix_spawnattr_init(&attr);
        posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
        posix_spawnattr_setpgroup(&attr, 0);
        sigemptyset(&set);
        posix_spawnattr_setsigmask(&attr, &set);
        sigfillset(&set);
        posix_spawnattr_setsigdefault(&attr, &set);
        r = 0;
        for (int i = 0; i < 3 && r == 0; i++)
                r = posix_spawn_file_actions_adddup2(&actions, stdio[i], i);
        if (r == 0)
                r = spawn_closes_rest(&actions);
        if (r == 0)
                r = posix_spawn(&run->pid, run->path, &actions, &attr, s->argv, s->envp ? s->envp : environ);
        posix_spawnattr_destroy(&attr);
        posix_spawn_file_actions_destroy(&actions);
        return r ? start_failed(run->path, r, err) : 0;
}

/* Descriptors for both sides, and the child. What is the child's alone is closed on return. */
static int open_and_start(struct run *run, const struct cor_spawn *s, bool capture, struct cor_err *err)
{
        auto_fd in = -1, out = -1, child_in = -1, child_out = -1, child_err = -1;
        bool to_pipe = capture && (s->stdout_fd < 0 || s->stderr_fd < 0);

        if (s->input && open_pipe(1, &run->in, &in, err) < 0)
                return -1;
        if (to_pipe && open_pipe(0, &run->out, &out, err) < 0)
                return -1;
        child_in = clear_of_stdio(in, err);
        child_out = child_in < 0 ? -1 : clear_of_stdio(s->stdout_fd >= 0 ? s->stdout_fd : out, err);
        child_err = child_out < 0 ? -1 : clear_of_stdio(s->stderr_fd >= 0 ? s->stderr_fd : out, err);
        if (child_err < 0 || start(run, s, (int[]){ child_in, child_out, child_err }, err) < 0)
                return -1;
        run->pidfd = cor_pidfd_open(run->pid, err);
        return run->pidfd < 0 ? -1 : 0;
}

static void feed(struct run *run)
{
        ssize_t n = run->input_len ? write(run->in, run->input, run->input_len) : 0;

        if (n < 0 && (errno == EAGAIN || errno == EINTR))
                return;
        if (n > 0) {
                run->input += n;
                run->input_len -= (size_t)n;
        }
        if (n < 0 || run->input_len == 0) /* EPIPE: it does not want the rest */
                cor_fd_close(&run->in);
}

/* What is in the pipe now; what goes over the limit is read and dropped, so that the child can go on. */
static bool drain(struct run *run)
{
        char bytes[4096];
        ssize_t n = read(run->out, bytes, sizeof bytes);
        size_t left = OUTPUT_MAX_BYTES - run->output.len;

        if (n > 0)
                cor_text_add_n(&run->output, bytes, (size_t)n < left ? (size_t)n : left);
        else if (n == 0 || (errno != EAGAIN && errno != EINTR))
                cor_fd_close(&run->out);
        return n > 0;
}

/* What the caller has blocked of the signals that ask to end, as a descriptor; -1 if that is nothing. */
static int open_interrupts(void)
{
        static const int asking[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
        sigset_t blocked, wanted;
        bool any = false;

        sigemptyset(&wanted);
        pthread_sigmask(SIG_BLOCK, NULL, &blocked);
        for (size_t i = 0; i < COR_COUNT(asking); i++) {
                if (!sigismember(&blocked, asking[i]))
                        continue;
                sigaddset(&wanted, asking[i]);
                any = true;
        }
        return any ? signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK) : -1;
}

static int interrupted(const struct run *run, int signals, struct cor_err *err)
{
        struct signalfd_siginfo info;

        if (read(signals, &info, sizeof info) != sizeof info)
                return 0;
        return cor_fail(err, COR_BUSY, "%s was interrupted by %s", run->path, cor_signal_name((int)info.ssi_signo));
}

/* Serve the child until it has ended; 1 ended, 0 the deadline came first. */
static int serve(struct run *run, int timeout_ms, struct cor_err *err)
{
        int64_t end = timeout_ms >= 0 ? cor_now_ms() + timeout_ms : INT64_MAX;
        auto_fd signals = open_interrupts();

        for (;;) {
                struct pollfd p[] = { { .fd = run->pidfd, .events = POLLIN },
                                      { .fd = run->in, .events = POLLOUT },
                                      { .fd = run->out, .events = POLLIN },
                                      { .fd = signals, .events = POLLIN } };
                int64_t left = timeout_ms >= 0 ? end - cor_now_ms() : -1;

                if (timeout_ms >= 0 && left < 0)
                        left = 0;
                if (poll(p, COR_COUNT(p), (int)left) < 0 && errno != EINTR)
                        return cor_fail_errno(err, "wait for %s", run->path);
                if (p[0].revents)
                        break;
                if (p[3].revents && interrupted(run, signals, err) < 0)
                        return -1;
                if (left == 0)
                        return 0;
                if (p[1].revents)
                        feed(run);
                if (p[2].revents)
                        drain(run);
        }
        while (run->out >= 0 && run->output.len < OUTPUT_MAX_BYTES && drain(run))
                ;
        return 1;
}

/* The child's status. One that cannot die (stuck in the kernel) is left to init rather than waited for. */
static int reap(struct run *run, int timeout_ms, int *ret_status, struct cor_err *err)
{
        int gone = run->pidfd >= 0 ? cor_pidfd_wait_gone(run->pidfd, timeout_ms, err) : 1;

        if (gone < 0)
                return -1;
        if (gone == 0)
                return cor_fail(err, COR_TIMEOUT, "%s does not end", run->path);
        while (waitpid(run->pid, ret_status, 0) < 0)
                if (errno != EINTR)
                        return cor_fail_errno(err, "wait for %s", run->path);
        return 0;
}

/* A child that does not read its input must not end us: SIGPIPE is blocked, and one that came of it is eaten. */
static int serve_without_sigpipe(struct run *run, int timeout_ms, struct cor_err *err)
{
        sigset_t pipe_only, pending, before;
        int r;

        sigemptyset(&pipe_only);
        sigaddset(&pipe_only, SIGPIPE);
        sigpending(&pending);
        pthread_sigmask(SIG_BLOCK, &pipe_only, &before);
        r = serve(run, timeout_ms, err);
        if (!sigismember(&pending, SIGPIPE))
                while (sigtimedwait(&pipe_only, NULL, &(struct timespec){ 0 }) < 0 && errno == EINTR)
                        ;
        pthread_sigmask(SIG_SETMASK, &before, NULL);
        return r;
}

int cor_spawn_run(const struct cor_spawn *s, int *ret_status, char **ret_output, struct cor_err *err)
{
        COR_CLEANUP(run_done)
        struct run run = { .pidfd = -1, .in = -1, .out = -1, .input = s->input, .input_len = s->input_len };
        auto_str found = NULL;
        int ended = -1, status = 0;

        if (!strchr(s->path, '/') && cor_program_find(s->path, &found, err) < 0)
                return -1;
        run.path = found ? found : s->path;
        if (open_and_start(&run, s, ret_output != NULL, err) == 0)
                ended = serve_without_sigpipe(&run, s->timeout_ms, err);
        if (run.pid == 0)
                return -1;
        if (ended <= 0)
                kill(-run.pid, SIGKILL);
        if (reap(&run, ended > 0 ? -1 : KILL_WAIT_MS, &status, ended < 0 ? NULL : err) < 0)
                return -1;
        if (ended == 0)
                return cor_fail(err, COR_TIMEOUT, "%s did not end within %d ms and was killed", run.path,
                                s->timeout_ms);
        if (ended < 0)
                return -1;
        *ret_status = status;
        if (ret_output)
                *ret_output = cor_text_take(&run.output);
        return 0;
}

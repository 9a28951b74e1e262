#include "base/process.h"
#include "base/fd.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define STAT_BYTES      1024 /* more than pid, the longest name and 22 numbers */
#define STAT_STATE      3
#define STAT_USER_TIME  14
#define STAT_OWN_TIME   15
#define STAT_START_TIME 22

/* What we want to know of /proc/PID/stat. */
struct look {
        char state;
        uint64_t ticks, start_time;
};

int64_t cor_now_ms(void)
{
        struct timespec now;

        clock_gettime(CLOCK_MONOTONIC, &now);
        return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* The name in the line, "(NAME)", may hold anything, ")" included. */
static int parse_stat(char *line, struct look *ret)
{
        char *cursor = strrchr(line, ')'), *piece;
        uint64_t ticks;

        if (!cursor || cursor[1] != ' ')
                return -1;
        cursor += 2;
        for (int field = STAT_STATE; (piece = cor_split_next(&cursor, ' ')); field++) {
                if (field == STAT_STATE)
                        ret->state = *piece;
                if ((field == STAT_USER_TIME || field == STAT_OWN_TIME) && cor_parse_u64(piece, &ticks) == 0)
                        ret->ticks += ticks;
                if (field == STAT_START_TIME)
                        return cor_parse_u64(piece, &ret->start_time);
        }
        return -1;
}

static int look_at(pid_t pid, struct look *ret, struct cor_err *err)
{
        char path[32], line[STAT_BYTES];
        struct look look = { .state = '?' };
        auto_fd fd = -1;
        ssize_t len;

        if (pid <= 0)
                return cor_fail(err, COR_NOT_FOUND, "process %d: not a process id", pid);
        snprintf(path, sizeof path, "/proc/%d/stat", pid);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return cor_fail_errno(err, "process %d", pid);
        len = cor_read_full(fd, line, sizeof line - 1, err);
        if (len < 0)
                return cor_wrap(err, "process %d", pid);
        line[len] = '\0';
        if (parse_stat(line, &look) < 0)
                return cor_fail(err, COR_SYSTEM, "process %d: %s has no start time", pid, path);
        *ret = look;
        return 0;
}

int cor_procid_get(pid_t pid, struct cor_procid *ret, char *ret_state, struct cor_err *err)
{
        struct look look;

        if (look_at(pid, &look, err) < 0)
                return -1;
        *ret = (struct cor_procid){ .pid = pid, .start_time = look.start_time };
        if (ret_state)
                *ret_state = look.state;
        return 0;
}

int cor_process_look(pid_t pid, char *ret_state, uint64_t *ret_ticks, struct cor_err *err)
{
        struct look look;

        if (look_at(pid, &look, err) < 0)
                return -1;
        *ret_state = look.state;
        *ret_ticks = look.ticks;
        return 0;
}

/*
 * Whether a process whose first thread is in @state has ended. A first thread that left while others still run looks
 * like a zombie; the pidfd knows better, it becomes readable when the last one is gone.
 */
static bool ended(int pidfd, char state)
{
        return strchr("ZXx", state) && cor_wait_readable(pidfd, 0, NULL) != 0;
}

int cor_procid_open(const struct cor_procid *id, struct cor_err *err)
{
        struct cor_procid now;
        auto_fd pidfd = -1;
        char state;

        if (id->pid <= 0)
                return cor_fail(err, COR_NOT_FOUND, "process %d: not a process id", id->pid);
        /* First the pidfd, then the look: a process found to be the right one now was so when it was opened. */
        pidfd = cor_pidfd_open(id->pid, err);
        if (pidfd < 0 || cor_procid_get(id->pid, &now, &state, err) < 0)
                return -1;
        if (now.start_time != id->start_time || ended(pidfd, state))
                return cor_fail(err, COR_NOT_FOUND, "process %d: gone", id->pid);
        return cor_fd_take(&pidfd);
}

bool cor_procid_alive(const struct cor_procid *id)
{
        struct cor_err err = { 0 };
        struct cor_procid now;
        auto_fd pidfd = -1;
        char state;

        if (id->pid <= 0)
                return false;
        if (cor_procid_get(id->pid, &now, &state, &err) == 0) {
                if (now.start_time != id->start_time)
                        return false;
                if (!strchr("ZXx", state))
                        return true;
                pidfd = cor_procid_open(id, &err);
        }
        /* What could not be looked at (no descriptors left, say) must not be reported as dead. */
        return pidfd >= 0 || (err.kind != COR_NOT_FOUND && (kill(id->pid, 0) == 0 || errno == EPERM));
}

int cor_pidfd_open(pid_t pid, struct cor_err *err)
{
        int fd = (int)syscall(SYS_pidfd_open, pid, 0);

        if (fd < 0 && (errno == ENOSYS || errno == EPERM)) /* by itself it asks for no right */
                return cor_fail_refused(err, "pidfd_open", "5.3");
        return fd >= 0 ? fd : cor_fail_errno(err, "process %d", pid);
}

int cor_pidfd_signal(int pidfd, int sig, struct cor_err *err)
{
        if (syscall(SYS_pidfd_send_signal, pidfd, sig, NULL, 0) == 0)
                return 0;
        return errno == ENOSYS ? cor_fail_refused(err, "pidfd_send_signal", "5.1")
                               : cor_fail_errno(err, "send signal %d", sig);
}

int cor_pidfd_wait_gone(int pidfd, int timeout_ms, struct cor_err *err)
{
        return cor_wait_readable(pidfd, timeout_ms, err);
}

/* Without a pidfd, by naps: whether @pid has ended, or is no child any more. It stays a zombie. */
static bool child_ends(pid_t pid, int timeout_ms)
{
        const struct timespec nap = { .tv_nsec = 5000000 };
        const int64_t deadline = cor_now_ms() + timeout_ms;
        siginfo_t info = { 0 };

        while (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == 0) {
                if (cor_now_ms() >= deadline)
                        return false;
                nanosleep(&nap, NULL);
        }
        return true;
}

int cor_child_wait(pid_t pid, int timeout_ms, int *ret_status)
{
        auto_fd pidfd = timeout_ms < 0 ? -1 : cor_pidfd_open(pid, NULL);
        int status = 0, r;

        if (timeout_ms >= 0 &&
            (pidfd >= 0 ? cor_pidfd_wait_gone(pidfd, timeout_ms, NULL) == 0 : !child_ends(pid, timeout_ms)))
                return 0;
        do
                r = waitpid(pid, &status, 0);
        while (r < 0 && errno == EINTR);
        if (ret_status)
                *ret_status = r == pid ? status : 0;
        return 1;
}

int cor_child_serve(void (*serve)(void *context, int socket), void *context, pid_t *ret_pid, struct cor_err *err)
{
        auto_fd ours = -1;
        auto_fd theirs = -1;
        int pair[2];
        pid_t pid;

        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
                return cor_fail_errno(err, "make a socket pair");
        ours = pair[0];
        theirs = pair[1];
        pid = fork();
        if (pid < 0)
                return cor_fail_errno(err, "start a process");
        if (pid == 0) {
                cor_fd_close(&ours);
                serve(context, theirs);
                _exit(1);
        }
        *ret_pid = pid;
        return cor_fd_take(&ours);
}

char **cor_environment_with(char *const *envp, char *word)
{
        char **env;
        size_t n = 0;

        while (envp && envp[n])
                n++;
        env = cor_realloc_array(NULL, n + 2, sizeof *env);
        for (size_t i = 0; i < n; i++)
                env[i] = envp[i];
        env[n] = word;
        env[n + 1] = NULL;
        return env;
}

int cor_status_code(int status)
{
        if (WIFEXITED(status))
                return WEXITSTATUS(status);
        return 128 + (WIFSIGNALED(status) ? WTERMSIG(status) : WSTOPSIG(status));
}

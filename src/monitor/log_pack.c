#include "monitor/log_pack.h"

#include "base/fd.h"

#include <fcntl.h>
#include <signal.h>
#include <stdnoreturn.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>

enum { PIECE = 32 * 1024, FROM = 3, TO, DONE, FIRST_TO_CLOSE, NICE = 10 };

static bool pack(void)
{
        static char piece[PIECE];
        gzFile out = gzdopen(TO, "wb6");
        ssize_t n = -1;

        while (out && (n = read(FROM, piece, sizeof piece)) > 0)
                if (gzwrite(out, piece, (unsigned)n) != n)
                        break;
        return out && n == 0 && gzclose(out) == Z_OK;
}

/* The container's lock, its pipes and the clients are not for it to hold. */
static noreturn void child(pid_t parent, int from, int to, int done)
{
        int at[] = { from, to, done };
        sigset_t none;

        for (size_t i = 0; i < COR_COUNT(at); i++)
                if ((at[i] = fcntl(at[i], F_DUPFD, FIRST_TO_CLOSE)) < 0)
                        _exit(1);
        for (size_t i = 0; i < COR_COUNT(at); i++)
                if (dup2(at[i], FROM + (int)i) < 0)
                        _exit(1);
        if (cor_fds_close(FIRST_TO_CLOSE, ~0U, NULL) < 0)
                _exit(1);
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        prctl(PR_SET_NAME, "coracle-pack");
        if (getppid() != parent)
                _exit(1);
        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, NULL);
        (void)setpriority(PRIO_PROCESS, 0, NICE);
        _exit(pack() && write(DONE, "", 1) == 1 ? 0 : 1);
}

int log_pack_begin(struct log_pack *p, int from, int to, struct cor_err *err)
{
        pid_t parent = getpid();
        int ends[2];
        auto_fd ours = -1, its = -1;

        if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
                return cor_fail_errno(err, "pipe");
        ours = ends[0];
        its = ends[1];
        p->pid = fork();
        if (p->pid == 0)
                child(parent, from, to, its);
        if (p->pid < 0) {
                p->pid = 0;
                return cor_fail_errno(err, "start a process that compresses a log");
        }
        p->pipe = cor_fd_take(&ours);
        return 0;
}

bool log_pack_end(struct log_pack *p, int timeout_ms)
{
        bool whole;
        char byte;

        if (p->pid == 0)
                return false;
        if (cor_wait_readable(p->pipe, timeout_ms, NULL) <= 0)
                kill(p->pid, SIGKILL); /* not collected yet: its pipe would be at its end */
        whole = read(p->pipe, &byte, 1) == 1;
        cor_fd_close(&p->pipe);
        (void)waitpid(p->pid, NULL, 0); /* its last word was said; unless the loop has collected it before us */
        p->pid = 0;
        return whole;
}

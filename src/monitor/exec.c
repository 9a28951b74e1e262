#include "monitor/exec.h"

#include "base/fd.h"
#include "base/file.h"
#include "base/log.h"
#include "base/process.h"
#include "monitor/client.h"
#include "monitor/monitor.h"
#include "monitor/other_runtime.h"
#include "runtime/context.h"
#include "spec/oci.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

enum { HELPER_MS = 60 * 1000, FD_ANSWER = 3, FD_PROCESS = 4, FD_OTHERS = 5 };

struct detached {
        char id[MONITOR_EXEC_ID + 1];
        pid_t helper;   /* 0: it has ended */
        pid_t pid;      /* whose end is that of the process: its own, or the helper's; 0: it is not there yet */
        uint64_t asker; /* who waits to hear of that */
        int64_t due;    /* cor_now_ms() */
};

/* What a helper says, once. */
struct answer {
        pid_t helper, pid; /* pid 0: the error is why */
        struct cor_err err;
};
_Static_assert(sizeof(struct answer) <= PIPE_BUF, "answers are written whole");

void execs_init(struct monitor *m)
{
        m->execs = (struct execs){ .answers = { -1, -1 } };
}

int execs_fd(const struct monitor *m)
{
        return m->execs.n_items > 0 ? m->execs.answers[0] : -1;
}

static struct detached *find(struct monitor *m, pid_t pid, bool helper)
{
        for (size_t i = 0; pid > 0 && i < m->execs.n_items; i++) {
                struct detached *d = &m->execs.items[i];

                if ((helper ? d->helper : d->pid) == pid)
                        return d;
        }
        return NULL;
}

static void forget(struct monitor *m, struct detached *d)
{
        struct execs *x = &m->execs;

        *d = x->items[--x->n_items];
        if (x->n_items > 0)
                return;
        free(x->items);
        x->items = NULL;
        cor_fd_close(&x->answers[0]);
        cor_fd_close(&x->answers[1]);
}

/* --- the helper --------------------------------------------------------------------------------------------------- */

/* Of the monitor it keeps the way to answer and the process's document; least of all the lock. */
static int helper_keep(int answers, int process, struct cor_err *err)
{
        answers = fcntl(answers, F_DUPFD, FD_OTHERS);
        process = fcntl(process, F_DUPFD, FD_OTHERS);
        if (dup3(answers, FD_ANSWER, O_CLOEXEC) < 0 || dup3(process, FD_PROCESS, O_CLOEXEC) < 0)
                return cor_fail_errno(err, "keep what a helper needs");
        return cor_fds_close(FD_OTHERS, ~0U, err);
}

static int spawn(const struct monitor *m, const struct monitor_exec *how, const char *id, pid_t *ret_pid,
                 int *ret_master, struct cor_err *err)
{
        const struct runtime_context ctx = { .root = m->life.root, .rootless = runtime_default_rootless() };
        const struct spawn_stdio none = { { -1, -1, -1 } };
        auto_str process = NULL;
        size_t n;

        if (lseek(FD_PROCESS, 0, SEEK_SET) < 0)
                return cor_fail_errno(err, "process.json");
        if (cor_read_fd(FD_PROCESS, "process.json", OCI_CONFIG_MAX_BYTES, &process, &n, err) < 0)
                return -1;
        if (m->settings.runtime)
                return other_runtime_exec(&(struct other_exec){ .program = m->settings.runtime,
                                                                .run = m->run,
                                                                .id = m->id,
                                                                .name = id,
                                                                .process = process,
                                                                .stdio = { -1, -1, -1 },
                                                                .tty = how->tty },
                                          ret_pid, ret_master, err);
        return exec_spawn(&ctx, &(struct exec_options){ .id = m->id, .process_json = process }, &none, ret_pid,
                          ret_master, err);
}

static void __attribute__((noreturn)) hold_terminal(int master, pid_t pid)
{
        char buf[512];
        int status = 0;
        ssize_t n;

        while ((n = read(master, buf, sizeof buf)) > 0 || (n < 0 && errno == EINTR))
                ;
        cor_child_wait(pid, -1, &status);
        _exit(cor_status_code(status));
}

static void __attribute__((noreturn))
helper_run(const struct monitor *m, const struct monitor_exec *how, const char *id, int process)
{
        struct answer a = { .helper = getpid() };
        int master = -1;
        pid_t pid = 0;

        prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
        if (helper_keep(m->execs.answers[1], process, &a.err) < 0)
                _exit(1);
        if (spawn(m, how, id, &pid, &master, &a.err) == 0)
                a.pid = master >= 0 ? a.helper : pid;
        if (write(FD_ANSWER, &a, sizeof a) != sizeof a)
                _exit(1);
        if (master >= 0)
                hold_terminal(master, pid);
        _exit(0);
}

/* --- its answer --------------------------------------------------------------------------------------------------- */

static void tell(struct monitor *m, const struct detached *d, const struct cor_err *err)
{
        struct client *c = client_numbered(m, d->asker);

        if (!c)
                return;
        if (err->kind == COR_OK)
                client_tell(m, c, MONITOR_DONE, NULL, 0);
        else
                client_fail(m, c, err);
}

void execs_read(struct monitor *m)
{
        struct answer a;

        while (m->execs.answers[0] >= 0 && read(m->execs.answers[0], &a, sizeof a) == sizeof a) {
                struct detached *d = find(m, a.helper, true);

                if (!d || d->pid)
                        continue;
                d->pid = a.pid;
                tell(m, d, &a.err);
                if (!d->pid)
                        forget(m, d);
        }
}

/* An answer is written before the end of who wrote it, and before a process becomes ours. */
bool execs_reaped(struct monitor *m, pid_t pid, int status)
{
        struct cor_err err = { 0 };
        struct detached *d;

        execs_read(m);
        d = find(m, pid, false);
        if (d) {
                monitor_event_exec_die(m, d->id, cor_status_code(status));
                forget(m, d);
                return true;
        }
        d = find(m, pid, true);
        if (!d)
                return false;
        d->helper = 0;
        if (!d->pid) {
                cor_fail(&err, COR_SYSTEM, "who was to start the process has ended with code %d",
                         cor_status_code(status));
                tell(m, d, &err);
                forget(m, d);
        }
        return true;
}

/* --- time --------------------------------------------------------------------------------------------------------- */

int64_t execs_due(const struct monitor *m)
{
        int64_t due = -1;

        for (size_t i = 0; i < m->execs.n_items; i++) {
                const struct detached *d = &m->execs.items[i];

                if (!d->pid && d->due >= 0 && (due < 0 || d->due < due))
                        due = d->due;
        }
        return due;
}

void execs_step(struct monitor *m)
{
        int64_t now = cor_now_ms();

        for (size_t i = 0; i < m->execs.n_items; i++) {
                struct detached *d = &m->execs.items[i];

                if (d->pid || d->due < 0 || now < d->due)
                        continue;
                kill(d->helper, SIGKILL);
                d->due = -1;
        }
}

/* --- beginning ---------------------------------------------------------------------------------------------------- */

static int begin(struct monitor *m, const struct client *c, const struct monitor_exec *how, const char *id, int process,
                 struct cor_err *err)
{
        struct execs *x = &m->execs;
        struct detached *d;
        pid_t pid;

        if (m->state != STATE_RUNNING || m->life.frozen)
                return cor_fail(err, COR_BUSY, "container %s is %s", m->id,
                                m->state == STATE_RUNNING ? "paused" : "not running");
        if (process < 0)
                return cor_fail(err, COR_INVALID, "no process came along");
        if (x->answers[0] < 0 && pipe2(x->answers, O_CLOEXEC | O_NONBLOCK) < 0)
                return cor_fail_errno(err, "make a pipe");
        if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0) /* what a helper leaves is ours */
                return cor_fail_errno(err, "become a subreaper");
        pid = fork();
        if (pid == 0)
                helper_run(m, how, id, process);
        if (pid < 0)
                return cor_fail_errno(err, "make a process that starts another");
        d = COR_GROW(x->items, x->n_items);
        *d = (struct detached){ .helper = pid, .asker = c->number, .due = cor_now_ms() + HELPER_MS };
        memcpy(d->id, id, sizeof d->id);
        return 0;
}

void execs_begin(struct monitor *m, struct client *c, const char *content, int process)
{
        char id[MONITOR_EXEC_ID + 1] = { 0 };
        struct monitor_exec how = { 0 };
        struct cor_err err = { 0 };

        memcpy(id, content, MONITOR_EXEC_ID);
        how.tty = content[offsetof(struct monitor_exec, tty)] != 0;
        if (strspn(id, "0123456789abcdef") != MONITOR_EXEC_ID)
                cor_fail(&err, COR_INVALID, "the id of a process has %d hexadecimal digits", MONITOR_EXEC_ID);
        else if (begin(m, c, &how, id, process, &err) == 0)
                return;
        client_fail(m, c, &err);
}

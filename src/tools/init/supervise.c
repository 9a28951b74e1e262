#include "tools/init/supervise.h"

#include "base/process.h"
#include "tools/init/descendants.h"
#include "tools/init/say.h"

#include <errno.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define KILL_PAUSE_MS 5000  /* so long without the end of anybody: who is left cannot be killed */
#define KILL_LIMIT_MS 60000 /* or makes new ones for ever */
#define NO_DEADLINE   (-1)

enum phase { RUNNING, LEAVING, KILLING, FINISHED };

struct supervisor {
        const struct options *options;
        struct child *main_child;
        enum phase phase;
        int main_status;
        bool terminated;     /* all descendants were sent SIGTERM */
        int64_t deadline_ms; /* of this phase, on the monotonic clock */
        int64_t killing_ms;  /* since when all are killed */
};

static int64_t now_ms(void)
{
        struct timespec t;

        clock_gettime(CLOCK_MONOTONIC, &t);
        return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void signal_all(struct supervisor *s, int sig)
{
        struct cor_err err;
        int n = descendants_signal(sig, &err);

        if (n < 0)
                say(SAY_WARNING, "%s for all descendants: %s", cor_signal_name(sig), err.msg);
        else
                say(SAY_DEBUG, "sent %s to all descendants", cor_signal_name(sig));
        if (sig == SIGTERM)
                s->terminated = true;
}

/*
 * kill_all() - and from then on some have to end: finding them all takes longer than that on a slow machine. Others may
 * have come meanwhile.
 */
static void kill_all(struct supervisor *s)
{
        signal_all(s, SIGKILL);
        s->deadline_ms = now_ms() + KILL_PAUSE_MS;
        if (s->deadline_ms > s->killing_ms + KILL_LIMIT_MS)
                s->deadline_ms = s->killing_ms + KILL_LIMIT_MS;
}

static void start_killing(struct supervisor *s)
{
        say(SAY_INFO, "killing the remaining descendants");
        s->phase = KILLING;
        s->killing_ms = now_ms();
        kill_all(s);
}

static void start_leaving(struct supervisor *s)
{
        int64_t grace_ms = s->options->grace_ms;

        say(SAY_INFO, "waiting for the remaining descendants");
        s->phase = LEAVING;
        if (grace_ms == GRACE_INFINITE)
                return;
        if (grace_ms == 0) {
                start_killing(s);
                return;
        }
        s->deadline_ms = now_ms() + grace_ms;
        if (!s->terminated) /* once is enough: to many programs a second SIGTERM means "at once" */
                signal_all(s, SIGTERM);
}

static void main_child_ended(struct supervisor *s, int status)
{
        if (WIFSIGNALED(status))
                say(SAY_INFO, "the main child was ended by signal %d (%s)", WTERMSIG(status),
                    cor_signal_name(WTERMSIG(status)));
        else
                say(SAY_INFO, "the main child ended with code %d", WEXITSTATUS(status));
        s->main_status = status;
        child_take_terminal_back(s->main_child);
        s->phase = s->options->wait_all ? LEAVING : FINISHED;
}

/* reap() - collect every child that has ended, ours and adopted ones; what follows from that */
static int reap(struct supervisor *s, struct cor_err *err)
{
        enum phase before = s->phase;
        bool some = false;
        int status;
        pid_t pid;

        for (; (pid = waitpid(-1, &status, WNOHANG)) > 0; some = true) {
                if (s->phase == RUNNING && pid == s->main_child->pid)
                        main_child_ended(s, status);
                else
                        say(s->options->warn_on_reap ? SAY_WARNING : SAY_DEBUG, "reaped orphaned process %ld",
                            (long)pid);
        }
        if (pid < 0 && errno != ECHILD)
                return cor_fail_errno(err, "wait for children");
        if (pid < 0 && s->phase == RUNNING)
                return cor_fail(err, COR_SYSTEM, "the main child %ld was lost", (long)s->main_child->pid);

        if (pid < 0)
                s->phase = FINISHED;
        else if (before == RUNNING && s->phase == LEAVING)
                start_leaving(s);
        else if (s->phase == KILLING && some)
                kill_all(s);
        else if (s->phase == KILLING)
                signal_all(s, SIGKILL);
        return 0;
}

/* forward() - pass @sig on to whom the options and the phase say */
static void forward(struct supervisor *s, int sig)
{
        pid_t pid = s->main_child->pid;

        if (s->phase == LEAVING || (s->phase == RUNNING && s->options->signal_all)) {
                signal_all(s, sig);
                return;
        }
        if (s->phase != RUNNING)
                return;
        say(SAY_DEBUG, "passing on signal %d (%s)", sig, cor_signal_name(sig));
        /* The child is not reaped yet, so the pid is its own, even if it has just ended. */
        if (kill(s->options->process_group ? -pid : pid, sig) < 0)
                say(errno == ESRCH ? SAY_DEBUG : SAY_WARNING, "cannot pass on signal %d (%s): %s", sig,
                    cor_signal_name(sig), strerror(errno));
}

static void deadline_passed(struct supervisor *s)
{
        if (s->phase == LEAVING) {
                start_killing(s);
                return;
        }
        say(SAY_WARNING, "some descendants cannot be killed; not waiting for them any longer");
        s->phase = FINISHED;
}

/* sleep_and_handle() - take one signal, or notice that the phase has lasted long enough */
static int sleep_and_handle(struct supervisor *s, struct cor_err *err)
{
        int64_t left_ms = -1;
        siginfo_t info;
        int sig;

        if (s->deadline_ms != NO_DEADLINE) {
                left_ms = s->deadline_ms - now_ms();
                if (left_ms <= 0) {
                        deadline_passed(s);
                        return 0;
                }
        }
        sig = signal_wait(left_ms, &info, err);
        if (sig < 0)
                return -1;
        if (sig == 0 || sig == SIGCHLD)
                return 0;
        if (sig == SIGPIPE && info.si_pid == getpid()) /* nobody reads our own messages any more */
                return 0;
        /* Of several signals the lowest number comes first, and that of a child is high: it may have ended already. */
        if (reap(s, err) < 0)
                return -1;
        if (s->phase != FINISHED)
                forward(s, sig);
        return 0;
}

int supervise(const struct options *options, struct child *main_child, int *ret_status, struct cor_err *err)
{
        struct supervisor s = { .options = options, .main_child = main_child, .deadline_ms = NO_DEADLINE };

        for (;;) {
                if (reap(&s, err) < 0)
                        return -1;
                if (s.phase == FINISHED)
                        break;
                if (sleep_and_handle(&s, err) < 0)
                        return -1;
        }
        *ret_status = s.main_status;
        return 0;
}

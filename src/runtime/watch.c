#include "runtime/watch.h"

#include "base/process.h"
#include "runtime/foreground.h"

#include <errno.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

static bool asks_to_end(int sig)
{
        return sig == SIGINT || sig == SIGTERM || sig == SIGHUP || sig == SIGQUIT;
}

static int take_signals(int signals, struct cor_err *err)
{
        struct signalfd_siginfo info;

        while (read(signals, &info, sizeof info) == sizeof info)
                if (asks_to_end((int)info.ssi_signo))
                        return cor_fail(err, COR_BUSY, "interrupted by %s", cor_signal_name((int)info.ssi_signo));
        return 0;
}

/* Another second without a word. */
static int look(struct watch *w, struct cor_err *err)
{
        struct cor_err ignored;
        bool frozen = w->cgroup && cgroup_stands_still(w->cgroup);
        uint64_t ticks;
        char state;

        if (cor_process_look(w->pid, &state, &ticks, &ignored) < 0)
                return 0; /* gone: the end of file is under way */
        w->idle_for_ms = ticks == w->ticks ? w->idle_for_ms + w->tick_ms : 0;
        w->ticks = ticks;
        w->still_for_ms = frozen || state == 'T' ? w->still_for_ms + w->tick_ms : 0;
        if (w->still_for_ms >= w->still_ms && state == 'T')
                return cor_fail(err, COR_TIMEOUT, "%s (pid %d) was stopped by a signal and does not go on", w->who,
                                (int)w->pid);
        if (w->still_for_ms >= w->still_ms && !w->may_freeze)
                return cor_fail(err, COR_TIMEOUT, "%s (pid %d) does not go on: cgroup %s, or one above it, is frozen",
                                w->who, (int)w->pid, cgroup_where(w->cgroup)->path);
        if (w->idle_for_ms >= w->idle_ms && !w->may_idle && !frozen)
                return cor_fail(err, COR_TIMEOUT, "%s (pid %d) has done nothing for %d s", w->who, (int)w->pid,
                                w->idle_ms / 1000);
        return 0;
}

int watch_wait(struct watch *w, int sock, struct cor_err *err)
{
        struct pollfd fds[2] = {
                { .fd = sock, .events = POLLIN },
                { .fd = w->fg ? w->fg->signals : -1, .events = POLLIN },
        };

        w->still_for_ms = w->idle_for_ms = 0;
        for (;;) {
                int n = poll(fds, 2, w->tick_ms);

                if (n < 0 && errno != EINTR)
                        return cor_fail_errno(err, "poll");
                if (n < 0)
                        continue;
                if (fds[0].revents)
                        return 0;
                if (n == 0 && look(w, err) < 0)
                        return -1;
                if (w->fg && fds[1].revents && take_signals(w->fg->signals, err) < 0)
                        return -1;
        }
}

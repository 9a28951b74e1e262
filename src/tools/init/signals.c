#include "tools/init/signals.h"

#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int signal_mask_set(signal_mask mask, signal_mask *ret_old, struct cor_err *err)
{
        signal_mask old;

        if (syscall(SYS_rt_sigprocmask, SIG_SETMASK, &mask, &old, sizeof mask) < 0)
                return cor_fail_errno(err, "set the signal mask");
        if (ret_old)
                *ret_old = old;
        return 0;
}

int signal_wait(int64_t timeout_ms, siginfo_t *ret_info, struct cor_err *err)
{
        const signal_mask all = SIGNAL_MASK_ALL;
        struct timespec limit = { .tv_sec = timeout_ms / 1000, .tv_nsec = (long)(timeout_ms % 1000) * 1000000 };
        sigset_t set;
        int sig;

        memset(&set, 0, sizeof set);
        memcpy(&set, &all, sizeof all);
        sig = sigtimedwait(&set, ret_info, timeout_ms < 0 ? NULL : &limit);
        if (sig > 0)
                return sig;
        if (errno == EAGAIN || errno == EINTR) /* EINTR: stopped and continued; the caller looks at its clock again */
                return 0;
        return cor_fail_errno(err, "wait for a signal");
}

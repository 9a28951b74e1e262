#include "base/process.h"
#include "base/text.h"

#include <signal.h>
#include <strings.h>
#include <sys/signalfd.h>

#define SIGNAL_MAX 64

/* Where a number has several names, the usual one comes first. */
static const struct cor_word signals[] = {
        { "SIGHUP", SIGHUP },
        { "SIGINT", SIGINT },
        { "SIGQUIT", SIGQUIT },
        { "SIGILL", SIGILL },
        { "SIGTRAP", SIGTRAP },
        { "SIGABRT", SIGABRT },
        { "SIGBUS", SIGBUS },
        { "SIGFPE", SIGFPE },
        { "SIGKILL", SIGKILL },
        { "SIGUSR1", SIGUSR1 },
        { "SIGSEGV", SIGSEGV },
        { "SIGUSR2", SIGUSR2 },
        { "SIGPIPE", SIGPIPE },
        { "SIGALRM", SIGALRM },
        { "SIGTERM", SIGTERM },
        { "SIGSTKFLT", SIGSTKFLT },
        { "SIGCHLD", SIGCHLD },
        { "SIGCONT", SIGCONT },
        { "SIGSTOP", SIGSTOP },
        { "SIGTSTP", SIGTSTP },
        { "SIGTTIN", SIGTTIN },
        { "SIGTTOU", SIGTTOU },
        { "SIGURG", SIGURG },
        { "SIGXCPU", SIGXCPU },
        { "SIGXFSZ", SIGXFSZ },
        { "SIGVTALRM", SIGVTALRM },
        { "SIGPROF", SIGPROF },
        { "SIGWINCH", SIGWINCH },
        { "SIGIO", SIGIO },
        { "SIGPWR", SIGPWR },
        { "SIGSYS", SIGSYS },
        { "SIGIOT", SIGIOT },
        { "SIGCLD", SIGCHLD },
        { "SIGPOLL", SIGPOLL },
        { "SIGUNUSED", SIGSYS },
        { "SIGRTMIN", 34 },
        { "SIGRTMIN+1", 35 },
        { "SIGRTMIN+2", 36 },
        { "SIGRTMIN+3", 37 },
        { "SIGRTMIN+4", 38 },
        { "SIGRTMIN+5", 39 },
        { "SIGRTMIN+6", 40 },
        { "SIGRTMIN+7", 41 },
        { "SIGRTMIN+8", 42 },
        { "SIGRTMIN+9", 43 },
        { "SIGRTMIN+10", 44 },
        { "SIGRTMIN+11", 45 },
        { "SIGRTMIN+12", 46 },
        { "SIGRTMIN+13", 47 },
        { "SIGRTMIN+14", 48 },
        { "SIGRTMIN+15", 49 },
        { "SIGRTMAX-14", 50 },
        { "SIGRTMAX-13", 51 },
        { "SIGRTMAX-12", 52 },
        { "SIGRTMAX-11", 53 },
        { "SIGRTMAX-10", 54 },
        { "SIGRTMAX-9", 55 },
        { "SIGRTMAX-8", 56 },
        { "SIGRTMAX-7", 57 },
        { "SIGRTMAX-6", 58 },
        { "SIGRTMAX-5", 59 },
        { "SIGRTMAX-4", 60 },
        { "SIGRTMAX-3", 61 },
        { "SIGRTMAX-2", 62 },
        { "SIGRTMAX-1", 63 },
        { "SIGRTMAX", 64 },
        { NULL, 0 },
};

/*
 * The real-time signals as an offset. 34 is where glibc lets them begin, and so does everyone who names them; musl,
 * which coracle-init is built with, begins at 35.
 */
static int parse_real_time(const char *s)
{
        bool from_max = strncasecmp(s, "RTMAX-", 6) == 0;
        uint32_t n;

        if ((!from_max && strncasecmp(s, "RTMIN+", 6) != 0) || cor_parse_u32(s + 6, &n) < 0 || n > 30)
                return -1;
        return from_max ? 64 - (int)n : 34 + (int)n;
}

int cor_signal_parse(const char *s, struct cor_err *err)
{
        const char *name = s;
        uint32_t number;
        int sig;

        if (cor_parse_u32(s, &number) == 0 && number <= SIGNAL_MAX)
                return (int)number;
        if (strncasecmp(name, "SIG", 3) == 0)
                name += 3;
        for (const struct cor_word *w = signals; w->word; w++)
                if (strcasecmp(w->word + 3, name) == 0)
                        return (int)w->value;
        sig = parse_real_time(name);
        return sig > 0 ? sig : cor_fail(err, COR_INVALID, "\"%s\" is not a signal (a name like TERM or a number)", s);
}

const char *cor_signal_name(int sig)
{
        return cor_word_of(signals, sig);
}

void cor_signals_all(sigset_t *ret)
{
        static const int faults[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT };

        sigfillset(ret);
        for (size_t i = 0; i < COR_COUNT(faults); i++)
                sigdelset(ret, faults[i]);
}

int cor_signals_take(const sigset_t *set, sigset_t *ret_before, struct cor_err *err)
{
        sigset_t before;
        int fd;

        if (sigprocmask(SIG_BLOCK, set, &before) < 0)
                return cor_fail_errno(err, "block signals");
        fd = signalfd(-1, set, SFD_CLOEXEC | SFD_NONBLOCK);
        if (fd < 0) {
                cor_fail_errno(err, "signalfd");
                sigprocmask(SIG_SETMASK, &before, NULL);
                return -1;
        }
        if (ret_before)
                *ret_before = before;
        return fd;
}

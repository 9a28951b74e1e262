#include "supervise.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

_Noreturn void supervise_die(const char *what, int error)
{
        fprintf(stderr, "%s: %s%s%s\n", program_invocation_short_name, what, error ? ": " : "",
                error ? strerror(error) : "");
        exit(125);
}

int supervise_call(const char *name)
{
        int n = seccomp_syscall_resolve_name(name);

        if (n == __NR_SCMP_ERROR)
                supervise_die(name, ENOSYS);
        return n;
}

/*
 * What the caller does under the filter may be asked about already, so the two speak by memory: -1 until there is a
 * listener, its number in the caller, then TAKEN.
 */
enum { NONE = -1, TAKEN = -2, FAILED = -3 };

static void pause_a_little(void)
{
        (void)nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
}

static int take_listener(pid_t from, atomic_int *word)
{
        int pidfd = (int)syscall(SYS_pidfd_open, from, 0), number;

        while ((number = atomic_load(word)) == NONE && kill(from, 0) == 0)
                pause_a_little();
        return number < 0 ? -1 : (int)syscall(SYS_pidfd_getfd, pidfd, number, 0);
}

/* Of nobody's family, and with nobody's descriptors: who waits for an end of file must not wait for it. */
static _Noreturn void helper_run(pid_t caller, atomic_int *word, void (*serve)(int listener))
{
        int listener, null = open("/dev/null", O_RDWR);

        if (fork() != 0 || setsid() < 0 || null < 0)
                _exit(0);
        listener = take_listener(caller, word);
        if (listener < 0 || dup2(listener, 3) < 0) {
                atomic_store(word, FAILED);
                _exit(1);
        }
        for (int fd = 0; fd < 3; fd++)
                if (dup2(null, fd) < 0)
                        _exit(1);
        for (int fd = 4; fd < 1024; fd++)
                close(fd);
        (void)!chdir("/");
        atomic_store(word, TAKEN);
        serve(3);
        _exit(0);
}

static atomic_int *helper_start(void (*serve)(int listener))
{
        atomic_int *word = mmap(NULL, sizeof *word, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        pid_t pid, caller = getpid();

        if (word == MAP_FAILED)
                supervise_die("share memory", errno);
        atomic_store(word, NONE);
        pid = fork();
        if (pid < 0)
                supervise_die("start a process", errno);
        if (pid == 0)
                helper_run(caller, word, serve);
        (void)waitpid(pid, NULL, 0);
        return word;
}

void supervise_load(scmp_filter_ctx filter, void (*serve)(int listener))
{
        atomic_int *word = serve ? helper_start(serve) : NULL;
        int listener, r = seccomp_load(filter);

        if (r < 0)
                supervise_die("load the filter", -r);
        if (!serve)
                return;
        listener = seccomp_notify_fd(filter);
        atomic_store(word, listener);
        while (atomic_load(word) == listener)
                pause_a_little();
        close(listener);
        if (atomic_load(word) != TAKEN)
                supervise_die("the helper did not get the listener", 0);
}

bool supervise_begin(struct supervise *s, int listener)
{
        s->listener = listener;
        return seccomp_notify_alloc(&s->question, &s->reply) == 0;
}

int supervise_next(struct supervise *s, int timeout_ms)
{
        struct pollfd p = { .fd = s->listener, .events = POLLIN };
        int n = poll(&p, 1, timeout_ms);

        if (n <= 0 || (p.revents & (POLLHUP | POLLERR)))
                return n == 0 ? 0 : -1;
        memset(s->question, 0, sizeof *s->question);
        return seccomp_notify_receive(s->listener, s->question) == 0;
}

void supervise_answer(struct supervise *s, uint64_t id, int error)
{
        *s->reply = (struct seccomp_notif_resp){ .id = id, .error = -error };
        if (error == 0)
                s->reply->flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
        (void)seccomp_notify_respond(s->listener, s->reply);
}

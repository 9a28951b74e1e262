/* In the container's process, but for help(), which is a process of its own. */
#include "runtime/listener.h"

#include "base/fd.h"
#include "base/process.h"
#include "runtime/message.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The sibling: it has the process's descriptors, those that come later included, and ends with it. */
static _Noreturn void help(int hears, int process, int sync)
{
        struct pollfd fds[] = { { .fd = hears, .events = POLLIN }, { .fd = process, .events = POLLIN } };
        struct cor_err err = { 0 };
        int fd;

        while (poll(fds, 2, -1) < 0 && errno == EINTR)
                ;
        if ((fds[0].revents & POLLIN) && read(hears, &fd, sizeof fd) == sizeof fd &&
            message_send_fd(sync, MSG_SECCOMP, fd, &err) < 0)
                message_send_error(sync, &err);
        _exit(0);
}

int listener_prepare(struct listener_way *way, int sync, struct cor_err *err)
{
        auto_fd process = -1;
        int ends[2];
        long pid;

        if (getpid() == 1)
                return prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) < 0 ? cor_fail_errno(err, "become dumpable") : 0;
        if (pipe2(ends, O_CLOEXEC) < 0)
                return cor_fail_errno(err, "make a pipe for the seccomp listener");
        way->hears = ends[0];
        way->tell = ends[1];
        process = cor_pidfd_open(getpid(), err);
        if (process < 0)
                return -1;
        pid = syscall(SYS_clone, (unsigned long)(CLONE_PARENT | CLONE_FILES | SIGCHLD), NULL, NULL, NULL, NULL);
        if (pid < 0)
                return cor_fail_errno(err, "make a process that sends the seccomp listener");
        if (pid == 0)
                help(way->hears, process, sync);
        (void)cor_fd_take(&process); /* the sibling's; executing the program closes ours */
        return 0;
}

int listener_hand_over(const struct listener_way *way, int sync, int fd, struct cor_err *err)
{
        struct message m = { 0 };

        if (way->tell < 0) {
                if (message_send(sync, MSG_SECCOMP, fd, err) < 0)
                        return -1;
        } else if (write(way->tell, &fd, sizeof fd) != sizeof fd) {
                return cor_fail_errno(err, "tell the number of the seccomp listener");
        }
        if (read(sync, &m, sizeof m) < (ssize_t)sizeof m || m.type != MSG_SECCOMP_DONE)
                return cor_fail(err, COR_SYSTEM, "the seccomp listener was not taken");
        return 0;
}

void listener_way_done(struct listener_way *way)
{
        cor_fd_close(&way->tell);
        cor_fd_close(&way->hears);
}

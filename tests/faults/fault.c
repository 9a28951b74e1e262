/*
 * Run a command and let one of its system calls that change the disk go wrong.
 *
 *      fault [-o REPORT] WHAT [N] COMMAND [ARGUMENT...]
 *
 *      count       let all of them happen
 *      kill N      kill the process that is about to make the N-th call (SIGKILL), and let the others go on
 *      kill-all N  kill all processes of the command at that moment
 *      eio N       let the N-th call fail with EIO; so enospc N
 *      full N      let it and all later calls that need room fail with ENOSPC
 *
 * Calls are counted from 1 over all processes of the command, in the order in which they are made. REPORT gets the
 * lines "calls COUNT", "reached 0|1", "status WAIT-STATUS", and for a call that went wrong "call NAME".
 *
 * How: a seccomp filter sends these calls to us as notifications (SECCOMP_RET_USER_NOTIF), and we answer each: go on,
 * or an error, or a signal in place of an answer. The filter passes on to all children; nothing of it can be seen by
 * the command but the fault. Writes count only when they go to regular files, opens only when they may create or
 * truncate.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/openat2.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PIDS_MAX = 4096 };

enum rule {
        ALWAYS,     /* it changes the disk */
        ON_FD,      /* if the first argument is a regular file */
        ON_FD_OUT,  /* if the third argument is one (copy_file_range) */
        OPEN_FLAGS, /* if the third argument has O_CREAT, O_TRUNC or O_TMPFILE */
        OPEN_HOW,   /* the same, in struct open_how */
};

static const struct call {
        int number;
        const char *name;
        enum rule rule;
        bool needs_room;
} calls[] = {
#define CALL(name, rule, room)                                                                                         \
        {                                                                                                              \
                SYS_##name, #name, rule, room                                                                          \
        }
        CALL(write, ON_FD, true),
        CALL(pwrite64, ON_FD, true),
        CALL(writev, ON_FD, true),
        CALL(pwritev, ON_FD, true),
        CALL(pwritev2, ON_FD, true),
        CALL(sendfile, ON_FD, true),
        CALL(copy_file_range, ON_FD_OUT, true),
        CALL(splice, ON_FD_OUT, true),
        CALL(openat, OPEN_FLAGS, true),
        CALL(openat2, OPEN_HOW, true),
        CALL(ftruncate, ON_FD, false),
        CALL(truncate, ALWAYS, false),
        CALL(fallocate, ON_FD, true),
        CALL(renameat2, ALWAYS, true),
        CALL(unlinkat, ALWAYS, false),
        CALL(mkdirat, ALWAYS, true),
        CALL(mknodat, ALWAYS, true),
        CALL(linkat, ALWAYS, true),
        CALL(symlinkat, ALWAYS, true),
        CALL(fchmod, ALWAYS, false),
        CALL(fchmodat, ALWAYS, false),
        CALL(fchown, ALWAYS, false),
        CALL(fchownat, ALWAYS, false),
        CALL(utimensat, ALWAYS, false),
        CALL(setxattr, ALWAYS, true),
        CALL(lsetxattr, ALWAYS, true),
        CALL(fsetxattr, ALWAYS, true),
        CALL(removexattr, ALWAYS, false),
        CALL(fremovexattr, ALWAYS, false),
        CALL(fsync, ALWAYS, true),
        CALL(fdatasync, ALWAYS, true),
        CALL(syncfs, ALWAYS, true),
        CALL(msync, ALWAYS, true),
#ifdef SYS_renameat
        CALL(renameat, ALWAYS, true),
#endif
#ifdef SYS_open
        CALL(rename, ALWAYS, true),
        CALL(unlink, ALWAYS, false),
        CALL(rmdir, ALWAYS, false),
        CALL(mkdir, ALWAYS, true),
        CALL(link, ALWAYS, true),
        CALL(symlink, ALWAYS, true),
        CALL(chmod, ALWAYS, false),
        CALL(chown, ALWAYS, false),
        CALL(lchown, ALWAYS, false),
        CALL(utimes, ALWAYS, false),
#endif
#undef CALL
};
#define N_CALLS (sizeof calls / sizeof *calls)

enum what { COUNT, KILL, KILL_ALL, FAIL, FULL };

static struct {
        enum what what;
        int error;
        uint64_t n, count;
        bool reached;
        const char *call;
        pid_t pids[PIDS_MAX]; /* that made calls */
        size_t n_pids;
} job;

static _Noreturn void die(const char *what)
{
        fprintf(stderr, "fault: %s: %s\n", what, strerror(errno));
        exit(125);
}

/* -------------------------------------------------------------------------------------------------------- the child */

static int install_filter(void)
{
        struct sock_filter code[2 * N_CALLS + 8];
        struct sock_fprog program = { .filter = code };
        size_t n = 0;

        code[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
        for (size_t i = 0; i < N_CALLS; i++) {
                code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)calls[i].number, 0, 1);
                code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF);
        }
        code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
        program.len = (unsigned short)n;
        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
                return -1;
        return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);
}

static void send_fd(int sock, int fd)
{
        union {
                char buf[CMSG_SPACE(sizeof fd)];
                struct cmsghdr align;
        } control = { 0 };
        char none = 0;
        struct iovec byte = { &none, 1 };
        struct msghdr m = {
                .msg_iov = &byte, .msg_iovlen = 1, .msg_control = control.buf, .msg_controllen = sizeof control.buf
        };
        struct cmsghdr *c = CMSG_FIRSTHDR(&m);

        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof fd);
        memcpy(CMSG_DATA(c), &fd, sizeof fd);
        if (sendmsg(sock, &m, 0) != 1)
                die("send the listener");
}

static int receive_fd(int sock)
{
        union {
                char buf[CMSG_SPACE(sizeof(int))];
                struct cmsghdr align;
        } control;
        char byte;
        struct iovec in = { &byte, 1 };
        struct msghdr m = {
                .msg_iov = &in, .msg_iovlen = 1, .msg_control = control.buf, .msg_controllen = sizeof control.buf
        };
        int fd;

        if (recvmsg(sock, &m, MSG_CMSG_CLOEXEC) != 1 || !CMSG_FIRSTHDR(&m)) {
                errno = EPROTO;
                die("receive the listener");
        }
        memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof fd);
        return fd;
}

/* Sends the listener before it makes any call that the filter knows, then becomes the command. */
static _Noreturn void child_run(int sock, char **argv)
{
        int listener = install_filter();

        if (listener < 0)
                die("install the filter");
        send_fd(sock, listener);
        close(listener);
        close(sock);
        execvp(argv[0], argv);
        die(argv[0]);
}

/* ------------------------------------------------------------------------------------------------------ the answers */

static bool is_regular(pid_t pid, int fd)
{
        char path[64];
        struct stat st;

        snprintf(path, sizeof path, "/proc/%d/fd/%d", pid, fd);
        return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

static bool makes(uint64_t flags)
{
        return flags & (O_CREAT | O_TRUNC) || (flags & O_TMPFILE) == O_TMPFILE;
}

static bool counts(const struct call *c, const struct seccomp_notif *n)
{
        const __u64 *args = n->data.args;
        struct open_how how = { 0 };
        struct iovec here = { &how, sizeof how }, there = { (void *)(uintptr_t)args[2], sizeof how };

        switch (c->rule) {
        case ON_FD:
                return is_regular((pid_t)n->pid, (int)args[0]);
        case ON_FD_OUT:
                return is_regular((pid_t)n->pid, (int)args[2]);
        case OPEN_FLAGS:
                return makes(args[2]);
        case OPEN_HOW:
                return process_vm_readv((pid_t)n->pid, &here, 1, &there, 1, 0) > 0 && makes(how.flags);
        default:
                return true;
        }
}

static const struct call *call_of(int number)
{
        for (size_t i = 0; i < N_CALLS; i++)
                if (calls[i].number == number)
                        return &calls[i];
        return NULL;
}

static void remember(pid_t pid)
{
        for (size_t i = 0; i < job.n_pids; i++)
                if (job.pids[i] == pid)
                        return;
        if (job.n_pids < PIDS_MAX)
                job.pids[job.n_pids++] = pid;
}

/* All below @root, which stay while they are stopped in calls or we are their subreaper. */
static void kill_tree(pid_t root)
{
        char path[64], line[512];
        FILE *f;

        kill(root, SIGSTOP); /* it makes no more children */
        snprintf(path, sizeof path, "/proc/%d/task/%d/children", root, root);
        f = fopen(path, "re");
        if (f && fgets(line, sizeof line, f)) {
                char *end = line;
                long pid;

                while ((pid = strtol(end, &end, 10)) > 0)
                        kill_tree((pid_t)pid);
        }
        if (f)
                fclose(f);
        kill(root, SIGKILL);
}

static pid_t command; /* the first process */

/* What happens to call @c: an errno, 0 to let it happen, -1 if its process was killed. */
static int judge(const struct call *c, pid_t pid)
{
        bool now;

        job.count++;
        remember(pid);
        now = job.what != COUNT && (job.count == job.n || (job.what == FULL && job.count > job.n));
        if (!now || (job.what == FULL && !c->needs_room))
                return 0;
        if (!job.reached)
                job.call = c->name;
        job.reached = true;
        if (job.what == KILL)
                kill(pid, SIGKILL);
        else if (job.what == KILL_ALL)
                kill_tree(command);
        else
                return job.error;
        return -1;
}

static void answer(int listener)
{
        struct seccomp_notif n;
        struct seccomp_notif_resp r;
        const struct call *c;
        int error;

        memset(&n, 0, sizeof n);
        if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &n) < 0) {
                if (errno == ENOENT || errno == EINTR) /* the process has died meanwhile */
                        return;
                die("receive a notification");
        }
        c = call_of(n.data.nr);
        error = c && counts(c, &n) ? judge(c, (pid_t)n.pid) : 0;
        if (error < 0)
                return;
        memset(&r, 0, sizeof r);
        r.id = n.id;
        r.error = -error;
        r.flags = error ? 0 : SECCOMP_USER_NOTIF_FLAG_CONTINUE;
        if (ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &r) < 0 && errno != ENOENT)
                die("answer a notification");
}

/* Until nobody uses the filter any more. */
static int serve(int listener)
{
        struct pollfd p = { .fd = listener, .events = POLLIN };
        int status = -1, s;
        pid_t pid;

        for (;;) {
                int ready = poll(&p, 1, 100);

                if (ready < 0 && errno != EINTR)
                        die("wait");
                while ((pid = waitpid(-1, &s, WNOHANG)) > 0)
                        if (pid == command)
                                status = s;
                if (ready > 0 && (p.revents & POLLIN))
                        answer(listener);
                else if (ready > 0 && (p.revents & (POLLHUP | POLLERR)))
                        break;
        }
        while ((pid = waitpid(-1, &s, 0)) > 0)
                if (pid == command)
                        status = s;
        return status;
}

/* ---------------------------------------------------------------------------------------------------- the beginning */

static const struct {
        const char *word;
        enum what what;
        int error;
} words[] = {
        { "count", COUNT, 0 }, { "kill", KILL, 0 },        { "kill-all", KILL_ALL, 0 },
        { "eio", FAIL, EIO },  { "enospc", FAIL, ENOSPC }, { "full", FULL, ENOSPC },
};

static void parse_what(char ***argv)
{
        char *end = NULL;

        for (size_t i = 0; **argv && i < sizeof words / sizeof *words; i++) {
                if (strcmp(**argv, words[i].word) != 0)
                        continue;
                job.what = words[i].what;
                job.error = words[i].error;
                (*argv)++;
                if (job.what == COUNT)
                        return;
                job.n = **argv ? strtoull(**argv, &end, 10) : 0;
                if (job.n > 0 && !*end) {
                        (*argv)++;
                        return;
                }
        }
        fprintf(stderr,
                "usage: fault [-o REPORT] count | kill N | kill-all N | eio N | enospc N | full N COMMAND...\n");
        exit(2);
}

static void report(const char *path, int status)
{
        FILE *f = path ? fopen(path, "we") : stderr;

        if (!f)
                die(path);
        fprintf(f, "calls %llu\nreached %d\nstatus %d\n", (unsigned long long)job.count, job.reached, status);
        if (job.call)
                fprintf(f, "call %s\n", job.call);
        if (path && fclose(f) != 0)
                die(path);
}

int main(int argc, char **argv)
{
        const char *path = NULL;
        int sock[2], status;

        argv++;
        if (argv[0] && strcmp(argv[0], "-o") == 0 && argv[1]) {
                path = argv[1];
                argv += 2;
        }
        parse_what(&argv);
        if (!*argv) {
                fprintf(stderr, "fault: which command?\n");
                return 2;
        }
        if (prctl(PR_SET_CHILD_SUBREAPER, 1) < 0 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sock) < 0)
                die("prepare");
        command = fork();
        if (command == 0) {
                close(sock[0]);
                child_run(sock[1], argv);
        }
        if (command < 0)
                die("fork");
        close(sock[1]);
        status = serve(receive_fd(sock[0]));
        report(path, status);
        if (WIFSIGNALED(status))
                return 128 + WTERMSIG(status);
        return WIFEXITED(status) ? WEXITSTATUS(status) : 125;
}

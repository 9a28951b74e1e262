/*
 * bench-minimal: the least that a container start can cost on this kernel. It makes the kernel calls that the bundle
 * of `runc spec` cannot do without, and nothing else: no JSON, no checks of what was mounted, no locks, no log. A
 * yardstick for OCI runtimes, not a runtime: it trusts its root file system entirely.
 *
 *      bench-minimal run    [-c GROUP] [-p] [-s FILTER] ROOTFS COMMAND...
 *      bench-minimal create [-c GROUP] [-p] [-s FILTER] STATE ROOTFS COMMAND...
 *      bench-minimal start  STATE
 *      bench-minimal exec   [-c GROUP] [-p] [-s FILTER] STATE COMMAND...
 *      bench-minimal delete [-c GROUP] STATE
 *
 *      -c GROUP   path of the cgroup below the root of each hierarchy (its parent exists); none without it
 *      -p         join version 1 groups through cgroup.procs instead of tasks: waits for an RCU grace period
 *      -s FILTER  load this seccomp filter, an array of struct sock_filter (bench-filter writes one)
 *      STATE      a directory made by create and removed by delete; it holds the pid and the FIFO that start opens
 *
 * The same steps as a runtime, in this order. Parent: make the cgroups with their device rules, clone3. Child: join the
 * cgroups (version 2: born there), mounts, pivot_root, masked and read-only paths, network loopback, capabilities,
 * filter, exec. Parent: wait, remove the cgroups. Left out: the eBPF device program of version 2. Needs Linux 5.12.
 */
#include "minimal.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <linux/filter.h>
#include <linux/keyctl.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { EXIT_BROKEN = 125 };

_Noreturn void die(const char *what, const char *which)
{
        fprintf(stderr, "bench-minimal: %s %s: %s\n", what, which, strerror(errno));
        _exit(EXIT_BROKEN);
}

void path_format(char *buf, size_t size, const char *a, const char *b, const char *c)
{
        if ((size_t)snprintf(buf, size, "%s/%s/%s", a, b, c) >= size) {
                errno = ENAMETOOLONG;
                die("path", a);
        }
}

void file_write(const char *path, const char *text, size_t n)
{
        int fd = open(path, O_WRONLY | O_CLOEXEC);

        if (fd < 0 || write(fd, text, n) != (ssize_t)n)
                die("write", path);
        close(fd);
}

size_t file_read(const char *path, char *buf, size_t size)
{
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        ssize_t n = fd < 0 ? -1 : read(fd, buf, size - 1);

        if (n < 0)
                die("read", path);
        close(fd);
        buf[n] = 0;
        return (size_t)n;
}

static void loopback_up(void)
{
        struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };
        int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

        if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &request) < 0)
                die("start", "loopback");
        close(fd);
}

static void capabilities_limit(void)
{
        const uint32_t keep = 1u << CAP_AUDIT_WRITE | 1u << CAP_KILL | 1u << CAP_NET_BIND_SERVICE;
        struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
        struct __user_cap_data_struct sets[2] = { { .permitted = keep, .effective = keep } };
        unsigned long cap;

        for (cap = 0; cap < 64; cap++)
                if ((cap > 31 || !(keep >> cap & 1)) && prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0) {
                        if (errno != EINVAL) /* the first number past the kernel's last capability */
                                die("drop", "capability");
                        break;
                }
        if (syscall(SYS_capset, &header, sets) < 0)
                die("set", "capabilities");
}

static void filter_load(int fd)
{
        static struct sock_filter code[BPF_MAXINSNS];
        struct sock_fprog program = { .filter = code };
        ssize_t n = read(fd, code, sizeof code);

        if (n < (ssize_t)sizeof code[0])
                die("read", "filter");
        program.len = (unsigned short)((size_t)n / sizeof code[0]);
        if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) < 0)
                die("load", "filter");
}

/* What `process` of the bundle asks for. */
static void process_limit(void)
{
        struct rlimit files = { 1024, 1024 };

        if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, "bench-minimal") < 0)
                die("join", "a session keyring");
        if (setrlimit(RLIMIT_NOFILE, &files) < 0)
                die("set", "RLIMIT_NOFILE");
        if (syscall(SYS_setgroups, 0, NULL) < 0)
                die("drop", "supplementary groups");
        umask(022);
        capabilities_limit();
        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
                die("set", "no_new_privs");
}

static _Noreturn void process_exec(const struct options *opt, char *const *argv)
{
        static char path[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", term[] = "TERM=xterm";
        char *const env[] = { path, term, NULL };

        if (syscall(SYS_close_range, 3u, ~0u, CLOSE_RANGE_CLOEXEC) < 0)
                die("close", "descriptors");
        process_limit();
        if (opt->filter_fd >= 0)
                filter_load(opt->filter_fd);
        execve(argv[0], argv, env);
        die("exec", argv[0]);
}

static pid_t process_clone(uint64_t flags, const struct cgroups *cg)
{
        struct clone_args args = { .flags = flags, .exit_signal = SIGCHLD };
        pid_t pid;

        if (cg->unified_fd >= 0) {
                args.flags |= CLONE_INTO_CGROUP;
                args.cgroup = (uint64_t)cg->unified_fd;
        }
        pid = (pid_t)syscall(SYS_clone3, &args, sizeof args);
        if (pid < 0)
                die("clone3", "the container");
        return pid;
}

static int process_wait(pid_t pid)
{
        int status;

        if (waitpid(pid, &status, 0) != pid)
                die("wait for", "the container");
        return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* What create leaves for start, exec and delete. */
struct state {
        char pid_path[256], go_path[256];
        int go_fd;    /* the FIFO, or -1: do not wait for a start */
        int ready_fd; /* the child writes a byte here when all is made */
};
#define STATE_NONE                                                                                                     \
        {                                                                                                              \
                .go_fd = -1, .ready_fd = -1                                                                            \
        }

static void state_name(const char *dir, struct state *state)
{
        path_format(state->pid_path, sizeof state->pid_path, dir, ".", "pid");
        path_format(state->go_path, sizeof state->go_path, dir, ".", "go");
}

static pid_t state_pid(const struct state *state)
{
        char text[32];

        file_read(state->pid_path, text, sizeof text);
        return (pid_t)atoi(text);
}

static int pidfd_of(pid_t pid)
{
        int fd = (int)syscall(SYS_pidfd_open, pid, 0);

        if (fd < 0)
                die("pidfd_open", "the container");
        return fd;
}

/* Opening a FIFO for writing waits for its reader, which is start; exec closes it, which tells start that it worked. */
static void start_await(const struct state *state)
{
        char path[64];

        if (write(state->ready_fd, "", 1) != 1)
                die("tell", "create");
        close(state->ready_fd);
        snprintf(path, sizeof path, "/proc/self/fd/%d", state->go_fd);
        if (open(path, O_WRONLY | O_CLOEXEC) < 0)
                die("open", path);
}

static pid_t container_clone(const struct options *opt, const struct cgroups *cg, const struct state *state,
                             const char *rootfs, char *const *argv)
{
        const uint64_t flags = CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNS;
        pid_t pid = process_clone(flags | (cg->unified ? CLONE_NEWCGROUP : 0), cg);

        if (pid > 0)
                return pid;
        cgroups_join(opt, cg);
        setsid();
        mounts_make(rootfs, opt, cg);
        loopback_up();
        if (sethostname("runc", 4) < 0)
                die("set", "hostname");
        root_enter();
        if (state->go_fd >= 0)
                start_await(state);
        process_exec(opt, argv);
}

static int command_run(const struct options *opt, int argc, char **argv)
{
        struct state state = STATE_NONE;
        struct cgroups cg = { 0 };
        int code;

        cgroups_make(opt, &cg);
        code = process_wait(container_clone(opt, &cg, &state, argv[0], argv + 1));
        cgroups_remove(opt, &cg);
        return code;
}

static int command_create(const struct options *opt, int argc, char **argv)
{
        struct state state = STATE_NONE;
        struct cgroups cg = { 0 };
        int ready[2], len;
        char text[32];
        pid_t pid;

        state_name(argv[0], &state);
        if (mkdir(argv[0], 0700) < 0 || mkfifo(state.go_path, 0600) < 0 || pipe2(ready, O_CLOEXEC) < 0)
                die("make", argv[0]);
        state.ready_fd = ready[1];
        state.go_fd = open(state.go_path, O_PATH | O_CLOEXEC);
        cgroups_make(opt, &cg);
        pid = container_clone(opt, &cg, &state, argv[1], argv + 2);
        close(ready[1]);
        if (read(ready[0], text, 1) != 1)
                return EXIT_BROKEN; /* the child said why */
        len = snprintf(text, sizeof text, "%d", pid);
        close(open(state.pid_path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
        file_write(state.pid_path, text, (size_t)len);
        return 0;
}

static int command_start(const struct options *opt, int argc, char **argv)
{
        struct state state = STATE_NONE;
        char byte;
        int fd;

        state_name(argv[0], &state);
        fd = open(state.go_path, O_RDONLY | O_CLOEXEC);
        if (fd < 0 || read(fd, &byte, 1) != 0)
                die("start", argv[0]);
        return 0;
}

static int command_exec(const struct options *opt, int argc, char **argv)
{
        const int flags = CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNS;
        struct state state = STATE_NONE;
        struct cgroups cg = { 0 };
        pid_t pid;
        int fd;

        state_name(argv[0], &state);
        fd = pidfd_of(state_pid(&state));
        cgroups_find(opt, &cg);
        cgroups_open(opt, &cg);
        if (setns(fd, CLONE_NEWPID) < 0)
                die("join", "pid namespace");
        pid = process_clone(0, &cg);
        if (pid > 0)
                return process_wait(pid);
        cgroups_join(opt, &cg);
        setsid();
        if (setns(fd, flags | (cg.unified ? CLONE_NEWCGROUP : 0)) < 0)
                die("join", "namespaces");
        process_exec(opt, argv + 1);
}

static int command_delete(const struct options *opt, int argc, char **argv)
{
        struct state state = STATE_NONE;
        struct cgroups cg = { 0 };
        struct pollfd gone = { .events = POLLIN };

        state_name(argv[0], &state);
        gone.fd = (int)syscall(SYS_pidfd_open, state_pid(&state), 0);
        if (gone.fd >= 0) {
                syscall(SYS_pidfd_send_signal, gone.fd, SIGKILL, NULL, 0);
                poll(&gone, 1, 10000);
        }
        cgroups_find(opt, &cg);
        cgroups_remove(opt, &cg);
        if (unlink(state.pid_path) < 0 || unlink(state.go_path) < 0 || rmdir(argv[0]) < 0)
                die("remove", argv[0]);
        return 0;
}

static int usage(void)
{
        fputs("usage: bench-minimal run [-c GROUP] [-p] [-s FILTER] ROOTFS COMMAND...\n"
              "       bench-minimal create [-c GROUP] [-p] [-s FILTER] STATE ROOTFS COMMAND...\n"
              "       bench-minimal start STATE\n"
              "       bench-minimal exec [-c GROUP] [-p] [-s FILTER] STATE COMMAND...\n"
              "       bench-minimal delete [-c GROUP] STATE\n",
              stderr);
        return 2;
}

int main(int argc, char **argv)
{
        static const struct {
                const char *name;
                int args_min;
                int (*run)(const struct options *opt, int argc, char **argv);
        } commands[] = { { "run", 2, command_run },
                         { "create", 3, command_create },
                         { "start", 1, command_start },
                         { "exec", 2, command_exec },
                         { "delete", 1, command_delete } };
        struct options opt = { .filter_fd = -1 };
        size_t i;
        int c;

        if (argc < 2)
                return usage();
        for (i = 0; i < COUNT(commands) && strcmp(commands[i].name, argv[1]) != 0; i++)
                ;
        argc--, argv++;
        while ((c = getopt(argc, argv, "+c:ps:")) != -1)
                if (c == 'c')
                        opt.group = optarg;
                else if (c == 'p')
                        opt.by_procs = true;
                else if (c != 's')
                        return usage();
                else if ((opt.filter_fd = open(optarg, O_RDONLY | O_CLOEXEC)) < 0)
                        die("open", optarg);
        if (i == COUNT(commands) || argc - optind < commands[i].args_min)
                return usage();
        return commands[i].run(&opt, argc - optind, argv + optind);
}

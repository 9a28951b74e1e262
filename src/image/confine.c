#include "image/confine.h"

#include "base/fd.h"
#include "linux/caps.h"
#include "linux/seccomp_allow.h"

#include <errno.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef __has_feature
#define __has_feature(x) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
enum { SANITIZED = true };
#else
enum { SANITIZED = false };
#endif

enum { KEEP_MAX = 600 }; /* as many layers as overlayfs takes, and some more */

/* What a filter lets through beyond files and threads. */
enum { MAY_WAIT = 1, MAY_CONNECT = 2 };

#define BIT(n) (1ULL << (n))

static const char *calls[] = {
        /* files and their content */
        "close", "close_range", "copy_file_range", "dup", "dup3", "fadvise64", "fallocate", "fcntl", "fdatasync",
        "flock", "fstat", "fstatfs", "fsync", "ftruncate", "getdents64", "lseek", "newfstatat", "openat", "openat2",
        "pipe2", "pread64", "preadv", "pwrite64", "pwritev", "read", "readahead", "readlinkat", "readv", "sendfile",
        "splice", "statx", "sync_file_range", "syncfs", "write", "writev",
        /* what is made of them */
        "faccessat", "faccessat2", "fchmod", "fchmodat", "fchmodat2", "fchown", "fchownat", "linkat", "mkdirat",
        "mknodat", "renameat", "renameat2", "symlinkat", "umask", "unlinkat", "utimensat", "fgetxattr", "flistxattr",
        "fremovexattr", "fsetxattr", "getxattr", "getxattrat", "lgetxattr", "listxattr", "listxattrat", "llistxattr",
        "lremovexattr", "lsetxattr", "removexattr", "removexattrat", "setxattr", "setxattrat",
        /* speaking over what is open */
        "epoll_create1", "epoll_ctl", "epoll_pwait", "epoll_wait", "eventfd2", "getsockopt", "poll", "ppoll",
        "pselect6", "recvfrom", "recvmsg", "sendmsg", "sendto", "shutdown",
        /* memory, threads, time, signals */
        "brk", "clock_getres", "clock_gettime", "clock_nanosleep", "exit", "exit_group", "futex", "futex_waitv",
        "getcpu", "getegid", "geteuid", "getgid", "getpid", "getppid", "getrandom", "getrusage", "gettid",
        "gettimeofday", "getuid", "madvise", "membarrier", "mremap", "munmap", "nanosleep", "restart_syscall",
        "riscv_flush_icache", "riscv_hwprobe", "rseq", "rt_sigaction", "rt_sigpending", "rt_sigprocmask",
        "rt_sigreturn", "rt_sigtimedwait", "sched_getaffinity", "sched_yield", "set_robust_list", "set_tid_address",
        "sigaltstack", "sysinfo", "uname"
};

static const char *waits[] = { "wait4", "waitid" };
static const char *connects[] = { "connect", "getpeername", "getsockname", "setsockopt" };
static const char *sockets[] = { "socket" }, *maps[] = { "mmap", "mprotect" }, *clones[] = { "clone" },
                  *clone3s[] = { "clone3" }, *prctls[] = { "prctl" }, *kills[] = { "tgkill" };

/* Some calls are let through with some arguments only. */
static int filter(unsigned may, struct cor_err *err)
{
        struct oci_seccomp_arg not_executable[] = { { 2, PROT_EXEC, 0, "SCMP_CMP_MASKED_EQ" } };
        struct oci_seccomp_arg a_thread[] = { { 0, CLONE_THREAD, CLONE_THREAD, "SCMP_CMP_MASKED_EQ" } };
        struct oci_seccomp_arg a_name[] = { { 0, PR_SET_NAME, 0, "SCMP_CMP_EQ" } };
        struct oci_seccomp_arg ourselves[] = { { 0, (uint64_t)getpid(), 0, "SCMP_CMP_EQ" } };
        struct oci_seccomp_arg ip[] = { { 0, AF_INET, 0, "SCMP_CMP_EQ" } },
                               ip6[] = { { 0, AF_INET6, 0, "SCMP_CMP_EQ" } };
        struct oci_seccomp_rule rules[10] = {
                SECCOMP_ALLOW(calls),
                SECCOMP_ALLOW_IF(maps, not_executable),
                SECCOMP_ALLOW_IF(clones, a_thread),
                SECCOMP_ALLOW_IF(prctls, a_name),
                SECCOMP_ALLOW_IF(kills, ourselves),
                /* whose flags a filter cannot see: glibc then takes clone */
                { .names = clone3s, .n_names = 1, .action = "SCMP_ACT_ERRNO", .errno_ret = { true, ENOSYS } },
        };
        size_t n = 6;

        if (may & MAY_WAIT)
                rules[n++] = (struct oci_seccomp_rule)SECCOMP_ALLOW(waits);
        if (may & MAY_CONNECT) {
                rules[n++] = (struct oci_seccomp_rule)SECCOMP_ALLOW(connects);
                rules[n++] = (struct oci_seccomp_rule)SECCOMP_ALLOW_IF(sockets, ip);
                rules[n++] = (struct oci_seccomp_rule)SECCOMP_ALLOW_IF(sockets, ip6);
        }
        return seccomp_allow_only(rules, n, err);
}

static uint64_t file_caps(const char *overlay_prefix)
{
        uint64_t keep = BIT(CAP_CHOWN) | BIT(CAP_DAC_OVERRIDE) | BIT(CAP_FOWNER) | BIT(CAP_FSETID) | BIT(CAP_MKNOD) |
                        BIT(CAP_SETFCAP);

        if (strncmp(overlay_prefix, "trusted.", sizeof "trusted." - 1) == 0)
                keep |= BIT(CAP_SYS_ADMIN);
        return keep;
}

/* Keep what there is of @keep; what is executed later gets nothing. */
static int keep_caps(uint64_t keep, struct cor_err *err)
{
        struct caps caps = { .effective = keep, .permitted = keep };

        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
                return cor_fail_errno(err, "give up new privileges");
        if (caps_drop_bounding(0, err) < 0)
                return -1;
        return caps_apply(&caps, NULL, err);
}

static int confine(const struct landlock_rule *rules, size_t n_rules, uint64_t caps, unsigned may, struct cor_err *err)
{
        struct rlimit no_core = { 0, 0 };

        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || setrlimit(RLIMIT_CORE, &no_core) < 0)
                return cor_fail_errno(err, "confine the process");
        if (!SANITIZED && landlock_confine(rules, n_rules, may & MAY_CONNECT, err) < 0)
                return -1;
        if (keep_caps(caps, err) < 0)
                return -1;
        return SANITIZED ? 0 : filter(may, err);
}

int unpack_confine(const int *folders, size_t n_folders, const char *overlay_prefix, struct cor_err *err)
{
        struct landlock_rule rules[KEEP_MAX];

        if (n_folders > COR_COUNT(rules))
                return cor_fail(err, COR_INVALID, "%zu folders to keep are too many", n_folders);
        for (size_t i = 0; i < n_folders; i++)
                rules[i] = (struct landlock_rule){ .fd = folders[i], .right = LANDLOCK_WRITE };
        return confine(rules, n_folders, file_caps(overlay_prefix), 0, err);
}

int confine_inflater(struct cor_err *err)
{
        return confine(NULL, 0, 0, 0, err);
}

int confine_broker(struct cor_err *err)
{
        return keep_caps(0, err);
}

int confine_network(const struct landlock_rule *rules, size_t n_rules, bool speaks, struct cor_err *err)
{
        return confine(rules, n_rules, 0, speaks ? MAY_WAIT | MAY_CONNECT : MAY_WAIT, err);
}

int confine_unpacker(const char *overlay_prefix, struct cor_err *err)
{
        return keep_caps(file_caps(overlay_prefix), err);
}

static int by_number(const void *a, const void *b)
{
        const int *x = a, *y = b;

        return (*x > *y) - (*x < *y);
}

int confine_descriptors(const int *fds, size_t n_fds, struct cor_err *err)
{
        int sorted[KEEP_MAX], n = 0;
        unsigned from = 0;

        if (n_fds >= COR_COUNT(sorted))
                return cor_fail(err, COR_INVALID, "%zu descriptors to keep are too many", n_fds);
        sorted[n++] = STDERR_FILENO;
        for (size_t i = 0; i < n_fds; i++)
                if (fds[i] > STDERR_FILENO)
                        sorted[n++] = fds[i];
        qsort(sorted, (size_t)n, sizeof *sorted, by_number);
        for (int i = 0; i <= n; i++) {
                unsigned end = i < n ? (unsigned)sorted[i] : ~0U; /* the first that stays, or past them all */

                if (end > from && cor_fds_close(from, end - 1, err) < 0)
                        return cor_wrap(err, "close descriptors");
                from = end + 1;
        }
        return 0;
}

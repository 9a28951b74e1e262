#include "image/confine.h"

#include "linux/caps.h"
#include "linux/landlock.h"
#include "linux/seccomp.h"

#include <errno.h>
#include <linux/capability.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#ifndef __has_feature
#define __has_feature(x) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
enum { SANITIZED = true };
#else
enum { SANITIZED = false };
#endif

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

#define RULE(NAMES, ARGS)                                                                                              \
        {                                                                                                              \
                .names = (NAMES), .n_names = COR_COUNT(NAMES), .action = "SCMP_ACT_ALLOW", .args = (ARGS),             \
                .n_args = COR_COUNT(ARGS)                                                                              \
        }

/* calls that are let through with some arguments only */
static int filter(struct cor_err *err)
{
        static const char *maps[] = { "mmap", "mprotect" }, *clones[] = { "clone" }, *clone3s[] = { "clone3" },
                          *prctls[] = { "prctl" }, *kills[] = { "tgkill" };
        struct oci_seccomp_arg not_executable[] = { { 2, PROT_EXEC, 0, "SCMP_CMP_MASKED_EQ" } };
        struct oci_seccomp_arg a_thread[] = { { 0, CLONE_THREAD, CLONE_THREAD, "SCMP_CMP_MASKED_EQ" } };
        struct oci_seccomp_arg a_name[] = { { 0, PR_SET_NAME, 0, "SCMP_CMP_EQ" } };
        struct oci_seccomp_arg ourselves[] = { { 0, (uint64_t)getpid(), 0, "SCMP_CMP_EQ" } };
        struct oci_seccomp_rule rules[] = {
                { .names = calls, .n_names = COR_COUNT(calls), .action = "SCMP_ACT_ALLOW" },
                RULE(maps, not_executable),
                RULE(clones, a_thread),
                RULE(prctls, a_name),
                RULE(kills, ourselves),
                /* whose flags a filter cannot see: glibc then takes clone */
                { .names = clone3s, .n_names = 1, .action = "SCMP_ACT_ERRNO", .errno_ret = { true, ENOSYS } },
        };
        const struct oci_seccomp profile = { .default_action = "SCMP_ACT_ERRNO",
                                             .default_errno_ret = { true, EPERM },
                                             .syscalls = rules,
                                             .n_syscalls = COR_COUNT(rules) };
        const struct seccomp_options options = SECCOMP_OPTIONS_INIT;
        auto_seccomp_program program = SECCOMP_PROGRAM_INIT;
        int notify = -1;

        if (seccomp_program_make(&profile, &options, &program, err) < 0)
                return -1;
        return seccomp_program_install(&program, &notify, err);
}

static int drop_caps(const char *overlay_prefix, struct cor_err *err)
{
        uint64_t keep = BIT(CAP_CHOWN) | BIT(CAP_DAC_OVERRIDE) | BIT(CAP_FOWNER) | BIT(CAP_FSETID) | BIT(CAP_MKNOD) |
                        BIT(CAP_SETFCAP);
        struct caps caps = { 0 };

        if (strncmp(overlay_prefix, "trusted.", sizeof "trusted." - 1) == 0)
                keep |= BIT(CAP_SYS_ADMIN);
        caps.effective = caps.permitted = keep;
        if (caps_drop_bounding(0, err) < 0)
                return -1;
        return caps_apply(&caps, NULL, err);
}

int unpack_confine(const int *folders, size_t n_folders, const char *overlay_prefix, struct cor_err *err)
{
        struct rlimit no_core = { 0, 0 };

        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || setrlimit(RLIMIT_CORE, &no_core) < 0)
                return cor_fail_errno(err, "confine the process that unpacks");
        if (!SANITIZED && landlock_confine(folders, n_folders, false, err) < 0)
                return -1;
        if (drop_caps(overlay_prefix, err) < 0)
                return -1;
        return SANITIZED ? 0 : filter(err);
}

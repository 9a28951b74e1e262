#include "tools/usernet/sandbox.h"

#include "linux/seccomp.h"
#include "spec/oci.h"

#include <asm/ioctls.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

/* No file is made or changed, nothing is executed, no process is made or reached, no socket but those of IP is made. */
static const char *calls[] = {
        /* sockets */
        "accept", "accept4", "bind", "connect", "getpeername", "getsockname", "getsockopt", "listen", "recvfrom",
        "recvmmsg", "recvmsg", "sendmmsg", "sendmsg", "sendto", "setsockopt", "shutdown",
        /* what is open */
        "close", "dup", "dup3", "fcntl", "fstat", "lseek", "newfstatat", "poll", "ppoll", "pselect6", "read", "readv",
        "statx", "write", "writev",
        /* memory, time, signals */
        "brk", "clock_getres", "clock_gettime", "clock_nanosleep", "exit", "exit_group", "futex", "getegid", "geteuid",
        "getgid", "getpid", "getppid", "getrandom", "gettid", "gettimeofday", "getuid", "madvise", "mremap", "munmap",
        "nanosleep", "restart_syscall", "riscv_flush_icache", "riscv_hwprobe", "rseq", "rt_sigaction", "rt_sigprocmask",
        "rt_sigreturn", "sched_yield", "sigaltstack", "uname"
};
static const char *sockets[] = { "socket" }, *maps[] = { "mmap", "mprotect" }, *opens[] = { "openat" },
                  *controls[] = { "ioctl" }, *kills[] = { "tgkill" };

#define RULE(NAMES)                                                                                                    \
        {                                                                                                              \
                .names = (NAMES), .n_names = COR_COUNT(NAMES), .action = "SCMP_ACT_ALLOW"                              \
        }
#define RULE_IF(NAMES, ARGS)                                                                                           \
        {                                                                                                              \
                .names = (NAMES), .n_names = COR_COUNT(NAMES), .action = "SCMP_ACT_ALLOW", .args = (ARGS),             \
                .n_args = COR_COUNT(ARGS)                                                                              \
        }

int sandbox_filter(struct cor_err *err)
{
        struct oci_seccomp_arg not_executable[] = { { 2, PROT_EXEC, 0, "SCMP_CMP_MASKED_EQ" } };
        struct oci_seccomp_arg to_read[] = { { 2, O_ACCMODE | O_CREAT | O_TRUNC, O_RDONLY, "SCMP_CMP_MASKED_EQ" } };
        struct oci_seccomp_arg ourselves[] = { { 0, (uint64_t)getpid(), 0, "SCMP_CMP_EQ" } };
        struct oci_seccomp_arg ip[] = { { 0, AF_INET, 0, "SCMP_CMP_EQ" } },
                               ip6[] = { { 0, AF_INET6, 0, "SCMP_CMP_EQ" } };
        struct oci_seccomp_arg unread[] = { { 1, FIONREAD, 0, "SCMP_CMP_EQ" } },
                               nonblock[] = { { 1, FIONBIO, 0, "SCMP_CMP_EQ" } };
        struct oci_seccomp_rule rules[] = {
                RULE(calls),
                RULE_IF(maps, not_executable),
                RULE_IF(opens, to_read),
                RULE_IF(kills, ourselves),
                RULE_IF(sockets, ip),
                RULE_IF(sockets, ip6),
                RULE_IF(controls, unread),
                RULE_IF(controls, nonblock),
        };
        struct oci_seccomp profile = {
                .default_action = "SCMP_ACT_ERRNO",
                .default_errno_ret = { true, 1 }, /* EPERM */
                .syscalls = rules,
                .n_syscalls = COR_COUNT(rules),
        };
        const struct seccomp_options options = SECCOMP_OPTIONS_INIT;
        auto_seccomp_program program = SECCOMP_PROGRAM_INIT;
        int notify = -1;

        if (seccomp_program_make(&profile, &options, &program, err) < 0)
                return -1;
        return seccomp_program_install(&program, &notify, err);
}

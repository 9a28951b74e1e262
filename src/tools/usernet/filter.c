#include "tools/usernet/sandbox.h"

#include "linux/seccomp_allow.h"

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
                SECCOMP_ALLOW(calls),
                SECCOMP_ALLOW_IF(maps, not_executable),
                SECCOMP_ALLOW_IF(opens, to_read),
                SECCOMP_ALLOW_IF(kills, ourselves),
                SECCOMP_ALLOW_IF(sockets, ip),
                SECCOMP_ALLOW_IF(sockets, ip6),
                SECCOMP_ALLOW_IF(controls, unread),
                SECCOMP_ALLOW_IF(controls, nonblock),
        };

        return seccomp_allow_only(rules, COR_COUNT(rules), err);
}

/*
 * The profile as a table: a line is what docker's default.json has as one entry of "syscalls". Everything that no line
 * allows fails with EPERM.
 */
#include "engine/default_seccomp.h"

#include "base/text.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

enum { CLONE_NEW_ANY = 0x7e020000, VSOCK = 40 };
#define PERSONALITY_ASK 0xffffffffU

struct rule {
        const char *names;        /* separated by blanks */
        const char *arches;       /* only on these, NULL: on all */
        const char *not_arches;   /* never on these */
        unsigned kernel;          /* from this version on: major * 1000 + minor */
        signed char cap, not_cap; /* one more than its number; 0: does not matter */
        short errno_ret;          /* 0: the calls are allowed */
        const char *op;           /* one argument decides, or NULL */
        uint32_t arg;
        uint64_t value;
};

#define NEEDS(CAP)   .cap = (CAP) + 1
#define WITHOUT(CAP) .not_cap = (CAP) + 1

/* clang-format off */
static const struct rule rules[] = {
        { .names = "_llseek _newselect accept accept4 access adjtimex alarm bind brk cachestat capget capset chdir "
          "chmod chown chown32 clock_adjtime clock_adjtime64 clock_getres clock_getres_time64 clock_gettime "
          "clock_gettime64 clock_nanosleep clock_nanosleep_time64 close close_range connect copy_file_range "
          "creat dup dup2 dup3 epoll_create epoll_create1 epoll_ctl epoll_ctl_old epoll_pwait epoll_pwait2 "
          "epoll_wait epoll_wait_old eventfd eventfd2 execve execveat exit exit_group faccessat faccessat2 "
          "fadvise64 fadvise64_64 fallocate fanotify_mark fchdir fchmod fchmodat fchmodat2 fchown fchown32 "
          "fchownat fcntl fcntl64 fdatasync fgetxattr flistxattr flock fork fremovexattr fsetxattr fstat "
          "fstat64 fstatat64 fstatfs fstatfs64 fsync ftruncate ftruncate64 futex futex_requeue futex_time64 "
          "futex_wait futex_waitv futex_wake futimesat get_robust_list get_thread_area getcpu getcwd getdents "
          "getdents64 getegid getegid32 geteuid geteuid32 getgid getgid32 getgroups getgroups32 getitimer "
          "getpeername getpgid getpgrp getpid getppid getpriority getrandom getresgid getresgid32 getresuid "
          "getresuid32 getrlimit getrusage getsid getsockname getsockopt gettid gettimeofday getuid getuid32 "
          "getxattr getxattrat inotify_add_watch inotify_init inotify_init1 inotify_rm_watch io_cancel "
          "io_destroy io_getevents io_pgetevents io_pgetevents_time64 io_setup io_submit ioctl ioprio_get "
          "ioprio_set ipc kill landlock_add_rule landlock_create_ruleset landlock_restrict_self lchown "
          "lchown32 lgetxattr link linkat listen listmount listxattr listxattrat llistxattr lremovexattr "
          "lseek lsetxattr lstat lstat64 madvise map_shadow_stack membarrier memfd_create memfd_secret "
          "mincore mkdir mkdirat mknod mknodat mlock mlock2 mlockall mmap mmap2 mprotect mq_getsetattr "
          "mq_notify mq_open mq_timedreceive mq_timedreceive_time64 mq_timedsend mq_timedsend_time64 "
          "mq_unlink mremap mseal msgctl msgget msgrcv msgsnd msync munlock munlockall munmap "
          "name_to_handle_at nanosleep newfstatat open openat openat2 pause pidfd_open pidfd_send_signal pipe "
          "pipe2 pkey_alloc pkey_free pkey_mprotect poll ppoll ppoll_time64 prctl pread64 preadv preadv2 "
          "prlimit64 process_mrelease pselect6 pselect6_time64 pwrite64 pwritev pwritev2 read readahead "
          "readlink readlinkat readv recv recvfrom recvmmsg recvmmsg_time64 recvmsg remap_file_pages "
          "removexattr removexattrat rename renameat renameat2 restart_syscall riscv_hwprobe rmdir rseq "
          "rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend "
          "rt_sigtimedwait rt_sigtimedwait_time64 rt_tgsigqueueinfo sched_get_priority_max "
          "sched_get_priority_min sched_getaffinity sched_getattr sched_getparam sched_getscheduler "
          "sched_rr_get_interval sched_rr_get_interval_time64 sched_setaffinity sched_setattr sched_setparam "
          "sched_setscheduler sched_yield seccomp select semctl semget semop semtimedop semtimedop_time64 "
          "send sendfile sendfile64 sendmmsg sendmsg sendto set_robust_list set_thread_area set_tid_address "
          "setfsgid setfsgid32 setfsuid setfsuid32 setgid setgid32 setgroups setgroups32 setitimer setpgid "
          "setpriority setregid setregid32 setresgid setresgid32 setresuid setresuid32 setreuid setreuid32 "
          "setrlimit setsid setsockopt setuid setuid32 setxattr setxattrat shmat shmctl shmdt shmget shutdown "
          "sigaltstack signalfd signalfd4 sigprocmask sigreturn socketcall socketpair splice stat stat64 "
          "statfs statfs64 statmount statx symlink symlinkat sync sync_file_range syncfs sysinfo tee tgkill "
          "time timer_create timer_delete timer_getoverrun timer_gettime timer_gettime64 timer_settime "
          "timer_settime64 timerfd_create timerfd_gettime timerfd_gettime64 timerfd_settime timerfd_settime64 "
          "times tkill truncate truncate64 ugetrlimit umask uname unlink unlinkat uretprobe utime utimensat "
          "utimensat_time64 utimes vfork vmsplice wait4 waitid waitpid write writev" },
        { .names = "process_vm_readv process_vm_writev ptrace", .kernel = 4008 },
        { .names = "socket", .op = "SCMP_CMP_NE", .arg = 0, .value = VSOCK },
        { .names = "personality", .op = "SCMP_CMP_EQ", .arg = 0, .value = 0 },
        { .names = "personality", .op = "SCMP_CMP_EQ", .arg = 0, .value = 8 },
        { .names = "personality", .op = "SCMP_CMP_EQ", .arg = 0, .value = 0x20000 },
        { .names = "personality", .op = "SCMP_CMP_EQ", .arg = 0, .value = 0x20008 },
        { .names = "personality", .op = "SCMP_CMP_EQ", .arg = 0, .value = PERSONALITY_ASK },
        { .names = "sync_file_range2 swapcontext", .arches = "ppc64le" },
        { .names = "arm_fadvise64_64 arm_sync_file_range sync_file_range2 breakpoint cacheflush set_tls", .arches = "arm arm64" },
        { .names = "arch_prctl", .arches = "amd64 x32" },
        { .names = "modify_ldt", .arches = "amd64 x32 x86" },
        { .names = "s390_pci_mmio_read s390_pci_mmio_write s390_runtime_instr", .arches = "s390 s390x" },
        { .names = "riscv_flush_icache", .arches = "riscv64" },
        { .names = "open_by_handle_at", NEEDS(CAP_DAC_READ_SEARCH) },
        { .names = "bpf clone clone3 fanotify_init fsconfig fsmount fsopen fspick lookup_dcookie lsm_get_self_attr "
          "lsm_list_modules lsm_set_self_attr mount mount_setattr move_mount open_tree perf_event_open "
          "quotactl quotactl_fd setdomainname sethostname setns syslog umount umount2 unshare", NEEDS(CAP_SYS_ADMIN) },
        { .names = "clone", .not_arches = "s390 s390x", WITHOUT(CAP_SYS_ADMIN), .op = "SCMP_CMP_MASKED_EQ", .arg = 0, .value = CLONE_NEW_ANY },
        { .names = "clone", .arches = "s390 s390x", WITHOUT(CAP_SYS_ADMIN), .op = "SCMP_CMP_MASKED_EQ", .arg = 1, .value = CLONE_NEW_ANY },
        { .names = "clone3", WITHOUT(CAP_SYS_ADMIN), .errno_ret = ENOSYS },
        { .names = "reboot", NEEDS(CAP_SYS_BOOT) },
        { .names = "chroot", NEEDS(CAP_SYS_CHROOT) },
        { .names = "delete_module init_module finit_module", NEEDS(CAP_SYS_MODULE) },
        { .names = "acct", NEEDS(CAP_SYS_PACCT) },
        { .names = "kcmp pidfd_getfd process_madvise process_vm_readv process_vm_writev ptrace", NEEDS(CAP_SYS_PTRACE) },
        { .names = "iopl ioperm", NEEDS(CAP_SYS_RAWIO) },
        { .names = "settimeofday stime clock_settime clock_settime64", NEEDS(CAP_SYS_TIME) },
        { .names = "vhangup", NEEDS(CAP_SYS_TTY_CONFIG) },
        { .names = "get_mempolicy mbind set_mempolicy set_mempolicy_home_node", NEEDS(CAP_SYS_NICE) },
        { .names = "syslog", NEEDS(CAP_SYSLOG) },
        { .names = "bpf", NEEDS(CAP_BPF) },
        { .names = "perf_event_open", NEEDS(CAP_PERFMON) },
};
/* clang-format on */

/* The architectures whose programs run on each. */
static const struct {
        const char *name;
        const char *archs[4];
} machines[] = {
        { "amd64", { "SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32" } },
        { "arm64", { "SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM" } },
        { "mips64", { "SCMP_ARCH_MIPS64", "SCMP_ARCH_MIPS", "SCMP_ARCH_MIPS64N32" } },
        { "mipsel64", { "SCMP_ARCH_MIPSEL64", "SCMP_ARCH_MIPSEL", "SCMP_ARCH_MIPSEL64N32" } },
        { "s390x", { "SCMP_ARCH_S390X", "SCMP_ARCH_S390" } },
        { "riscv64", { "SCMP_ARCH_RISCV64" } },
};

static const char *here(void)
{
#if defined __x86_64__
        return "amd64";
#elif defined __aarch64__
        return "arm64";
#elif defined __riscv
        return "riscv64";
#elif defined __s390x__
        return "s390x";
#elif defined __powerpc64__ && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
        return "ppc64le";
#elif defined __arm__
        return "arm";
#elif defined __i386__
        return "x86";
#elif defined __mips64 && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
        return "mipsel64";
#elif defined __mips64
        return "mips64";
#else
        return "";
#endif
}

void seccomp_target_here(uint64_t caps, struct seccomp_target *ret)
{
        struct utsname u;

        *ret = (struct seccomp_target){ .arch = here(), .caps = caps };
        if (uname(&u) == 0)
                (void)sscanf(u.release, "%u.%u", &ret->kernel, &ret->kernel_minor);
}

void seccomp_target_archs(void *root, const struct seccomp_target *t, struct oci_seccomp *p)
{
        for (size_t i = 0; i < COR_COUNT(machines); i++) {
                if (strcmp(machines[i].name, t->arch) != 0)
                        continue;
                p->architectures = cor_json_alloc(root, sizeof machines[i].archs);
                memcpy(p->architectures, machines[i].archs, sizeof machines[i].archs);
                while (p->n_architectures < COR_COUNT(machines[i].archs) && p->architectures[p->n_architectures])
                        p->n_architectures++;
        }
}

/* Is @word among the words of @list? */
static bool has_word(const char *list, const char *word)
{
        size_t n = strlen(word);

        for (const char *s = list; s && *s; s += strcspn(s, " "), s += strspn(s, " "))
                if (strncmp(s, word, n) == 0 && (s[n] == ' ' || s[n] == '\0'))
                        return true;
        return false;
}

static bool applies(const struct rule *r, const struct seccomp_target *t)
{
        if (r->cap && !(t->caps & 1ULL << (r->cap - 1)))
                return false;
        if (r->not_cap && (t->caps & 1ULL << (r->not_cap - 1)))
                return false;
        if (r->arches && !has_word(r->arches, t->arch))
                return false;
        return !has_word(r->not_arches, t->arch) && t->kernel * 1000 + t->kernel_minor >= r->kernel;
}

static void split_names(void *root, const char *names, struct oci_seccomp_rule *to)
{
        char *cursor = cor_json_strdup(root, names), *name;
        size_t n = 1;

        for (const char *s = names; *s; s++)
                n += *s == ' ';
        to->names = cor_json_alloc(root, n * sizeof *to->names);
        while ((name = cor_split_next(&cursor, ' ')) != NULL)
                to->names[to->n_names++] = name;
}

static void add_rule(void *root, const struct rule *r, struct oci_seccomp_rule *to)
{
        split_names(root, r->names, to);
        to->action = r->errno_ret ? "SCMP_ACT_ERRNO" : "SCMP_ACT_ALLOW";
        if (r->errno_ret)
                to->errno_ret = (struct cor_opt_u64){ true, (uint64_t)r->errno_ret };
        if (r->op) {
                to->args = cor_json_alloc(root, sizeof *to->args);
                to->n_args = 1;
                *to->args = (struct oci_seccomp_arg){ .index = r->arg, .value = r->value, .op = r->op };
        }
}

struct oci_seccomp *default_seccomp(void *root, const struct seccomp_target *t)
{
        struct oci_seccomp *p = cor_json_alloc(root, sizeof *p);

        p->default_action = "SCMP_ACT_ERRNO";
        p->default_errno_ret = (struct cor_opt_u64){ true, EPERM };
        seccomp_target_archs(root, t, p);
        p->syscalls = cor_json_alloc(root, COR_COUNT(rules) * sizeof *p->syscalls);
        for (size_t i = 0; i < COR_COUNT(rules); i++)
                if (applies(&rules[i], t))
                        add_rule(root, &rules[i], &p->syscalls[p->n_syscalls++]);
        return p;
}

/* The words of config.json that stand for numbers of the kernel. */
#include "spec/oci.h"

#include <sched.h>
#include <sys/resource.h>

/* Of the kernel's headers, some numbers are newer than the oldest C library we build with; they never change. */
enum {
        CLONE_NEWTIME_ = 0x80,
        SCHED_ISO_ = 4,
        SCHED_DEADLINE_ = 6,
        IOPRIO_RT = 1,
        IOPRIO_BE = 2,
        IOPRIO_IDLE = 3,
};

const struct cor_word oci_namespace_words[] = {
        { "pid", CLONE_NEWPID },       { "network", CLONE_NEWNET }, { "mount", CLONE_NEWNS },
        { "ipc", CLONE_NEWIPC },       { "uts", CLONE_NEWUTS },     { "user", CLONE_NEWUSER },
        { "cgroup", CLONE_NEWCGROUP }, { "time", CLONE_NEWTIME_ },  { NULL, 0 },
};

const struct cor_word oci_rlimit_words[] = {
        { "RLIMIT_CPU", RLIMIT_CPU },
        { "RLIMIT_FSIZE", RLIMIT_FSIZE },
        { "RLIMIT_DATA", RLIMIT_DATA },
        { "RLIMIT_STACK", RLIMIT_STACK },
        { "RLIMIT_CORE", RLIMIT_CORE },
        { "RLIMIT_RSS", RLIMIT_RSS },
        { "RLIMIT_NPROC", RLIMIT_NPROC },
        { "RLIMIT_NOFILE", RLIMIT_NOFILE },
        { "RLIMIT_MEMLOCK", RLIMIT_MEMLOCK },
        { "RLIMIT_AS", RLIMIT_AS },
        { "RLIMIT_LOCKS", RLIMIT_LOCKS },
        { "RLIMIT_SIGPENDING", RLIMIT_SIGPENDING },
        { "RLIMIT_MSGQUEUE", RLIMIT_MSGQUEUE },
        { "RLIMIT_NICE", RLIMIT_NICE },
        { "RLIMIT_RTPRIO", RLIMIT_RTPRIO },
        { "RLIMIT_RTTIME", RLIMIT_RTTIME },
        { NULL, 0 },
};

const struct cor_word oci_scheduler_words[] = {
        { "SCHED_OTHER", SCHED_OTHER },
        { "SCHED_FIFO", SCHED_FIFO },
        { "SCHED_RR", SCHED_RR },
        { "SCHED_BATCH", SCHED_BATCH },
        { "SCHED_ISO", SCHED_ISO_ },
        { "SCHED_IDLE", SCHED_IDLE },
        { "SCHED_DEADLINE", SCHED_DEADLINE_ },
        { NULL, 0 },
};

const struct cor_word oci_scheduler_flag_words[] = {
        { "SCHED_FLAG_RESET_ON_FORK", 0x01 },  { "SCHED_FLAG_RECLAIM", 0x02 },
        { "SCHED_FLAG_DL_OVERRUN", 0x04 },     { "SCHED_FLAG_KEEP_POLICY", 0x08 },
        { "SCHED_FLAG_KEEP_PARAMS", 0x10 },    { "SCHED_FLAG_UTIL_CLAMP_MIN", 0x20 },
        { "SCHED_FLAG_UTIL_CLAMP_MAX", 0x40 }, { NULL, 0 },
};

const struct cor_word oci_ioprio_words[] = {
        { "IOPRIO_CLASS_RT", IOPRIO_RT },
        { "IOPRIO_CLASS_BE", IOPRIO_BE },
        { "IOPRIO_CLASS_IDLE", IOPRIO_IDLE },
        { NULL, 0 },
};

const struct cor_word oci_mempolicy_words[] = {
        { "MPOL_DEFAULT", 0 },
        { "MPOL_PREFERRED", 1 },
        { "MPOL_BIND", 2 },
        { "MPOL_INTERLEAVE", 3 },
        { "MPOL_LOCAL", 4 },
        { "MPOL_PREFERRED_MANY", 5 },
        { "MPOL_WEIGHTED_INTERLEAVE", 6 },
        { NULL, 0 },
};

const struct cor_word oci_mempolicy_flag_words[] = {
        { "MPOL_F_NUMA_BALANCING", 1 << 13 },
        { "MPOL_F_RELATIVE_NODES", 1 << 14 },
        { "MPOL_F_STATIC_NODES", 1 << 15 },
        { NULL, 0 },
};

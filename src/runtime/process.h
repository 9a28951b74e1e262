#ifndef CORACLE_RUNTIME_PROCESS_H
#define CORACLE_RUNTIME_PROCESS_H
/*
 * The last steps before the user's program, the same for a container's init and for `exec`: they run in the child, in
 * the container's namespaces and root, first with full rights and in the end with exactly those of the configuration.
 *
 *      1  process_limits()    scheduling, policies, labels                        full rights
 *      2  process_close()     every descriptor that the program is not to have, but the sockets to the runtime
 *      3  process_become()    rlimits, user, groups, capabilities, cwd, program found      rights drop here
 *      4  (wait for START; startContainer hooks)
 *      5  process_exec()      seccomp, no_new_privs, execve
 *
 * Between 3 and 5 one right more than configured may stay permitted, but not effective: CAP_SYS_ADMIN, which is raised
 * if a seccomp filter is to be installed without no_new_privs. It is gone before execve, which is the only call but
 * capset() that the filter then has to allow.
 */
#include "linux/caps.h"
#include "linux/seccomp.h"
#include "spec/oci.h"

struct process_plan {
        const struct oci_process *process;
        struct caps caps;
        const struct seccomp_program *seccomp; /* NULL: none */
        int procfs;                            /* verified, of the runtime's pid namespace */
        unsigned n_fds;                        /* 0 … n_fds-1 are passed to the program, all others closed */
        unsigned n_listen_fds;                 /* of these, from 3 on: LISTEN_FDS of the program; 0: not set */
        bool userns;           /* in a user namespace that is not the runtime's: limits are the parent's job */
        bool shut;             /* the runtime cannot look into the process: a user's, with a namespace of other ids */
        bool keep_groups;      /* run.oci.keep_original_groups */
        bool setgroups_denied; /* supplementary groups cannot be changed */
        bool groups_fixed;     /* nor could the caller: they stay, whatever additionalGids says */
        const struct oci_memory_policy *memory_policy;
        const struct oci_personality *personality;
        const char *notify_socket; /* NOTIFY_SOCKET for the program, or NULL */
};

/* What the child works out in the steps before. */
struct process_image {
        char *path;            /* of the program, found */
        struct cor_strv env;   /* complete */
        struct caps final;     /* as set, minus what was not to be had */
        bool final_pending;    /* rights are still to be changed to these */
        bool setgroups_denied; /* by the user namespace that init is in, as it found out there */
};

/* process_plan_init() - the parent's part: look everything up. Warnings about unknown capabilities are logged. */
int process_plan_init(struct process_plan *plan, const struct oci_process *process, struct cor_err *err) COR_MUST_CHECK;

/*
 * process_groups_fixed() - whether the runtime itself is in a user namespace that denies setgroups, as root. An engine
 * that has only the caller's own id makes one, and takes additionalGids from the image all the same.
 */
bool process_groups_fixed(int procfs);

/* process_setgroups_denied() - whether the user namespace that the caller is in by now denies setgroups */
bool process_setgroups_denied(int procfs);

/*
 * process_lend_stdio() - in the parent: pipes that become descriptors 0 to 2 of a process in a user namespace of its
 * own belong to its user, who could not take them (to open /dev/stdout)
 */
void process_lend_stdio(const int stdio[3], const struct oci_linux *l, uint32_t uid);
/*
 * process_stdio() - descriptors 0 to 2 become those of @stdio, or the /dev/null of the root that the caller is in where
 * it says -1. None of them may be one of 0 to 2 itself.
 */
int process_stdio(const int stdio[3], struct cor_err *err) COR_MUST_CHECK;
int process_limits(const struct process_plan *plan, struct cor_err *err) COR_MUST_CHECK;
/*
 * process_close() - close all descriptors but the program's own and those in @keep, which get new numbers right behind
 * them (and stay close-on-exec). From here on a path of the image, such as a cwd or a program of /proc/self/fd/N/…,
 * finds nothing of the host behind any number (CVE-2024-21626). Nothing is logged afterwards: the log is closed as
 * well.
 */
int process_close(const struct process_plan *plan, int *const keep[], size_t n_keep, struct cor_err *err)
        COR_MUST_CHECK;
int process_become(const struct process_plan *plan, struct process_image *ret, struct cor_err *err) COR_MUST_CHECK;
/*
 * process_exec() - does not return unless it fails. @sync: where to ask for the seccomp listener to be fetched; closed
 * by a successful execve.
 */
int process_exec(const struct process_plan *plan, struct process_image *image, int sync, struct cor_err *err)
        COR_MUST_CHECK;

/* process_parent_limits() - what the parent does for a child in a user namespace: rlimits by prlimit(2) */
int process_parent_limits(const struct process_plan *plan, pid_t pid, struct cor_err *err) COR_MUST_CHECK;
/* process_set_oom_score() - write oom_score_adj of @pid (0: the caller); @tolerate: refusal is not an error */
int process_set_oom_score(int procfs, pid_t pid, int64_t value, bool tolerate, struct cor_err *err) COR_MUST_CHECK;

#endif

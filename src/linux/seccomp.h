#ifndef CORACLE_LINUX_SECCOMP_H
#define CORACLE_LINUX_SECCOMP_H
/*
 * System call filters: `linux.seccomp` of config.json becomes a program for seccomp(2).
 *
 * The parent makes the program before it clones (libseccomp, memory, files: all of that happens here); the child only
 * installs it, with one system call and no allocation. Programs are cached by content: a hit reads one small file.
 *
 *   parent: seccomp_program_make() ─ clone ─┬─ child: …, seccomp_program_install(), report, exec
 *                                           └─ parent: seccomp_notify_take(), seccomp_notify_send()  (if it notifies)
 *
 * Notify: seccomp(2) gives the child a listener descriptor, close-on-exec. The child tells its number to the parent by
 * write(2) (make() refuses profiles that notify on write, or by default: nobody would be there to answer yet) and waits
 * until the parent has taken a copy and sent it on; only then it may exec.
 *
 * Calls newer than the profile fail with ENOSYS, not with the default action, so that programs fall back to older calls
 * (see seccomp_front.c).
 */
#include "base/err.h"
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct cor_pair;
struct oci_seccomp;
struct sock_filter;

/* What decides, beside `linux.seccomp`, how a program is made. */
struct seccomp_options {
        int cache_dirfd;           /* directory of compiled programs, see seccomp_cache_open(); -1: no cache */
        bool fail_unknown;         /* an unknown name of a system call is an error instead of ignored */
        const char *bpf_base64;    /* a ready program in base64 instead of the rules of the profile, or NULL */
        const char *listener_path; /* where the listener goes if the profile has no listenerPath, or NULL */
};
#define SECCOMP_OPTIONS_INIT                                                                                           \
        {                                                                                                              \
                .cache_dirfd = -1                                                                                      \
        }

/*
 * seccomp_options_read() - take the options that annotations of config.json hold, in the meaning crun gave them:
 * run.oci.seccomp_fail_unknown_syscall, run.oci.seccomp_bpf_data, run.oci.seccomp.receiver (absolute path). Strings
 * stay with the caller and must outlive @opts.
 */
int seccomp_options_read(const struct cor_pair *annotations, size_t n_annotations, struct seccomp_options *opts,
                         struct cor_err *err) COR_MUST_CHECK;

struct seccomp_program {
        struct sock_filter *items; /* inside memory */
        size_t n_items;
        unsigned flags;                /* SECCOMP_FILTER_FLAG_… for seccomp(2) */
        bool notifies;                 /* some rule asks a listener */
        const char *listener_path;     /* where the listener goes (set if it notifies); stays with profile or options */
        const char *listener_metadata; /* text for who listens, or NULL; stays with the profile */
        void *memory;
};
#define SECCOMP_PROGRAM_INIT                                                                                           \
        {                                                                                                              \
                .items = NULL                                                                                          \
        }

/**
 * seccomp_program_make() - compile a profile, or take it from the cache
 * @profile: `linux.seccomp`, may be NULL if @opts bring a ready program; its strings for the listener must outlive the
 * program
 * @opts:    see above
 * @ret:     the program; seccomp_program_done()
 * @err:     INVALID for a profile that is wrong (names the place below linux.seccomp), UNSUPPORTED for a flag that this
 *           kernel lacks
 *
 * Runs in the parent. Spec: OCI runtime-spec, config-linux, "Seccomp".
 */
int seccomp_program_make(const struct oci_seccomp *profile, const struct seccomp_options *opts,
                         struct seccomp_program *ret, struct cor_err *err) COR_MUST_CHECK;
void seccomp_program_done(struct seccomp_program *program);
#define auto_seccomp_program COR_CLEANUP(seccomp_program_done) struct seccomp_program

/*
 * seccomp_program_install() - put the calling, single-threaded process under @program, for ever. *ret_notify_fd is the
 * listener, close-on-exec, or -1. Needs CAP_SYS_ADMIN in the user namespace, or no_new_privs set before. No allocation;
 * safe after clone().
 */
int seccomp_program_install(const struct seccomp_program *program, int *ret_notify_fd, struct cor_err *err)
        COR_MUST_CHECK;

/* seccomp_notify_take() - in the parent: a copy of descriptor @remote_fd of the process behind @pidfd */
int seccomp_notify_take(int pidfd, int remote_fd, struct cor_err *err) COR_MUST_CHECK;

/* seccomp_notify_check() - @fd, which came from the container's process, must be a listener */
int seccomp_notify_check(int fd, struct cor_err *err) COR_MUST_CHECK;

/**
 * seccomp_notify_send() - hand a listener to the agent at the program's listener path
 * @notify_fd:   the listener; stays with the caller, who closes it afterwards
 * @pid:         container process as the runtime sees it
 * @oci_version: version for the outer document
 * @state_json:  the container's state document (`state` command)
 *
 * One connection, one message with the "container process state" document and the descriptor. Gives up if the agent
 * does not take it within ten seconds. Spec: OCI runtime-spec, config-linux, "The Container Process State".
 */
int seccomp_notify_send(const struct seccomp_program *program, int notify_fd, pid_t pid, const char *oci_version,
                        const char *state_json, struct cor_err *err) COR_MUST_CHECK;

/*
 * seccomp_cache_open() - directory @name of compiled programs below @dirfd (AT_FDCWD with a path is fine), made (0700)
 * if missing; its descriptor, or -1 if there is none that we can trust: it must belong to the effective user and nobody
 * else may write there. Never an error: without a cache, programs are compiled.
 */
int seccomp_cache_open(int dirfd, const char *name);

/* What this build and kernel know, for the `features` document; NULL-terminated lists in order of the alphabet. */
struct seccomp_features {
        const char *actions[12], *operators[8], *archs[32], *known_flags[8], *supported_flags[8];
        char library[24]; /* version of libseccomp: "2.5.4" */
};
void seccomp_features(struct seccomp_features *ret);

#endif

#ifndef CORACLE_LINUX_NAMESPACE_H
#define CORACLE_LINUX_NAMESPACE_H
/* Namespaces: their names, their descriptors, and how to enter them. */
#include "spec/oci.h"
#include <sys/types.h>

struct namespace_type {
        int flag;              /* CLONE_NEW… */
        const char *name;      /* in config.json: "network" */
        const char *proc;      /* below /proc/PID/ns: "net" */
        const char *proc_kids; /* what new children get: "pid_for_children"; the same as proc for most */
};

/* All types, ending with a NULL name, in the order in which they can be joined one by one (user first, mount last). */
extern const struct namespace_type namespace_types[];
/* namespace_type_of() - the row of CLONE_NEW… @flag, or NULL */
const struct namespace_type *namespace_type_of(int flag);

/*
 * namespace_open() - a descriptor of the namespace at @path, which must be one of CLONE_NEW… @flag: INVALID with what
 * it is otherwise. Nothing but a namespace file is ever asked (an ioctl on a foreign device could do anything).
 */
int namespace_open(const char *path, int flag, struct cor_err *err) COR_MUST_CHECK;
/* namespace_open_pid() - that of process @pid, by way of @procfs (linux/procfs.h); pid 0 is the caller */
int namespace_open_pid(int procfs, pid_t pid, int flag, struct cor_err *err) COR_MUST_CHECK;
/* namespace_check() - @fd is a namespace of type @flag; @what names it in the error */
int namespace_check(int fd, int flag, const char *what, struct cor_err *err) COR_MUST_CHECK;
/* namespace_same() - 1 if both descriptors are the same namespace, 0 if not */
int namespace_same(int a, int b, struct cor_err *err) COR_MUST_CHECK;
/* namespace_is_ours() - 1 if @fd is the namespace of type @flag that the caller is in */
int namespace_is_ours(int procfs, int fd, int flag, struct cor_err *err) COR_MUST_CHECK;

/* namespace_enter() - setns(@fd, @flag); for a pid namespace it counts for children only */
int namespace_enter(int fd, int flag, struct cor_err *err) COR_MUST_CHECK;
/*
 * namespace_enter_pidfd() - enter all namespaces of CLONE_NEW… @flags of a process in one call. UNSUPPORTED (and
 * nothing changed) where the kernel is older than 5.8.
 */
int namespace_enter_pidfd(int pidfd, int flags, struct cor_err *err) COR_MUST_CHECK;
/* namespace_unshare() - unshare(@flags), the error names the types */
int namespace_unshare(int flags, struct cor_err *err) COR_MUST_CHECK;
/* namespace_words() - "pid, network" for CLONE_NEW… @flags, in @buf, which is returned */
const char *namespace_words(int flags, char *buf, size_t size);

/*
 * namespace_write_offsets() - the clocks of the time namespace that the caller's next child (or exec) will live in. To
 * be called after unshare(CLONE_NEWTIME) and before the first process enters. No allocation.
 */
int namespace_write_offsets(int procfs, const struct oci_time_offset *offsets, size_t n_offsets, struct cor_err *err)
        COR_MUST_CHECK;

#endif

#ifndef CORACLE_LINUX_PROCFS_H
#define CORACLE_LINUX_PROCFS_H
/*
 * A procfs that is what it claims to be. What is written to /proc decides about labels, id maps and kernel parameters;
 * a tmpfs or a bind mount in its place would swallow or redirect the write (CVE-2019-16884, CVE-2025-52881). So the
 * root is verified once, held as a descriptor, and every file below is opened without crossing a mount, without
 * magic links, and never upwards. The descriptor goes on showing the pid namespace it was mounted for: `self` and
 * `thread-self` name the reader also from inside a child pid namespace.
 */
#include "base/err.h"
#include <sys/types.h>

/*
 * procfs_open() - O_PATH descriptor of /proc in the caller's mount namespace; INVALID if that is not a procfs root. If
 * it shows another pid namespace than the caller's, a procfs_new() takes its place.
 */
int procfs_open(struct cor_err *err) COR_MUST_CHECK;

/*
 * procfs_new() - a procfs of the caller's pid namespace that is mounted nowhere, so that nothing can lie over its files
 * (an engine's container has /proc/sys mounted over, read-only). DENIED where the caller may not mount one.
 */
int procfs_new(struct cor_err *err) COR_MUST_CHECK;

/* procfs_check() - @fd is the root of a procfs */
int procfs_check(int fd, struct cor_err *err) COR_MUST_CHECK;

/*
 * procfs_file() - open @path below @procfs: "self/attr/exec", "sys/net/ipv4/ip_forward", "42/ns" (O_PATH|O_DIRECTORY).
 * Magic links ("self/exe", "42/ns/net") are refused; open their directory and then the link itself.
 */
int procfs_file(int procfs, const char *path, int flags, struct cor_err *err) COR_MUST_CHECK;

/* procfs_write() - write @text to @path below @procfs in one write() */
int procfs_write(int procfs, const char *path, const char *text, struct cor_err *err) COR_MUST_CHECK;

#endif

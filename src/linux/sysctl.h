#ifndef CORACLE_LINUX_SYSCTL_H
#define CORACLE_LINUX_SYSCTL_H
/* Kernel parameters of the container's namespaces (linux.sysctl). */
#include "base/err.h"
#include "linux/procfs.h"
#include <stddef.h>

enum { SYSCTL_PATH_MAX = 256 };

/*
 * sysctl_path() - "net.ipv4.ip_forward" or "net/ipv4/ip_forward" as a path below /proc/sys in @buf. As in sysctl(8) the
 * first separator decides, and the other one stands for itself: "net.ipv4.conf.eth0/100.forwarding" and
 * "net/ipv4/conf/eth0.100/forwarding" are the same. INVALID: empty parts, "..", odd characters, too long.
 */
int sysctl_path(const char *key, char *buf, size_t size, struct cor_err *err) COR_MUST_CHECK;

/*
 * sysctl_namespace() - the CLONE_NEW… flag of the namespace that @key belongs to, of the keys that the configuration's
 * check lets pass; 0 for others. For a namespace joined by path it is still to be seen whether it is the host's.
 */
int sysctl_namespace(const char *key);

/*
 * sysctl_write() - set @key in the caller's namespaces, through @procfs, or through a new one if anything is mounted
 * over the file. No allocation.
 */
int sysctl_write(int procfs, const char *key, const char *value, struct cor_err *err) COR_MUST_CHECK;

#endif

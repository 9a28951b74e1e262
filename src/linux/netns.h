#ifndef CORACLE_LINUX_NETNS_H
#define CORACLE_LINUX_NETNS_H
/*
 * Work in another network namespace. A netlink socket belongs for ever to the namespace that it was made in, so one
 * short visit gives a socket that is used from here; what has no socket (sysctls, tap devices) takes a visit each.
 * Single-threaded programs only.
 */
#include "base/err.h"

/* A visit: between netns_enter() and netns_leave() the caller is in another network namespace. */
struct netns_visit {
        int home;
};
#define NETNS_VISIT_INIT                                                                                               \
        {                                                                                                              \
                .home = -1                                                                                             \
        }
/* netns_enter() - enter the namespace of descriptor @netns */
int netns_enter(struct netns_visit *v, int netns, struct cor_err *err) COR_MUST_CHECK;
/* netns_leave() - back to where netns_enter() came from; does nothing if there is no visit. Ends the process if the way
 * back is closed: nothing that is done from there on would be done where it is meant. */
void netns_leave(struct netns_visit *v);
#define auto_netns_visit COR_CLEANUP(netns_leave) struct netns_visit

/* netns_socket() - a socket of NETLINK_… @protocol in the namespace of descriptor @netns */
int netns_socket(int netns, int protocol, struct cor_err *err) COR_MUST_CHECK;
/* netns_open_own() - a descriptor of the namespace that the caller is in */
int netns_open_own(struct cor_err *err) COR_MUST_CHECK;

/*
 * netns_sysctl() - write @value to "net/ipv4/conf/NAME/…" @path below /proc/sys of the namespace that the caller is in.
 * netns_sysctl_read() - up to @size bytes with the final newline cut
 */
int netns_sysctl(const char *path, const char *value, struct cor_err *err) COR_MUST_CHECK;
int netns_sysctl_read(const char *path, char *buf, size_t size, struct cor_err *err) COR_MUST_CHECK;

#endif

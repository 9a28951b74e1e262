#ifndef CORACLE_LINUX_CONNTRACK_H
#define CORACLE_LINUX_CONNTRACK_H
/*
 * The kernel's table of connections. Where a flow goes is decided by its first packet: a client that goes on speaking
 * from the same port, as clients of UDP do, stays with what was decided, until its entry is forgotten.
 */
#include "linux/netlink.h"

struct conntrack_entry {
        uint8_t family, protocol;
        uint8_t to[16]; /* what the first packet was sent to, before any translation: address (4 or 16 bytes), … */
        uint16_t to_port;
};
/* conntrack_read() - false if @m is something else, or damaged */
bool conntrack_read(const struct netlink_message *m, struct conntrack_entry *ret);

/*
 * conntrack_forget() - all entries of @family that @is_one finds; how many. @sock: NETLINK_NETFILTER. A kernel without
 * such a table has none
 */
typedef bool conntrack_fn(const struct conntrack_entry *e, void *data);
int conntrack_forget(int sock, uint8_t family, conntrack_fn *is_one, void *data, struct cor_err *err) COR_MUST_CHECK;

#endif

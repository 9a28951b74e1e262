#ifndef CORACLE_LINUX_TC_H
#define CORACLE_LINUX_TC_H
/* Traffic control: how fast an interface sends, and what comes in by one sent on by another. */
#include "linux/netlink.h"

/* tc_limit() - @index sends at most @rate bytes a second, after a burst of @burst bytes (token bucket); at its root */
int tc_limit(int sock, int index, uint64_t rate, uint32_t burst, struct cor_err *err) COR_MUST_CHECK;
/* tc_redirect() - what comes in by interface @index is sent by @to (ifb), from where it goes on as if nothing had been
 */
int tc_redirect(int sock, int index, int to, struct cor_err *err) COR_MUST_CHECK;

/* A queueing discipline that is there. */
struct tc_qdisc {
        int index;
        uint32_t parent; /* TC_H_ROOT, TC_H_INGRESS, … */
        char kind[16];
        uint64_t rate; /* of a token bucket, in bytes a second */
};
/* tc_read() - false if @m is something else */
bool tc_read(const struct netlink_message *m, struct tc_qdisc *ret);
/* tc_find() - that of @index with this parent and kind: 1, or 0 */
int tc_find(int sock, int index, uint32_t parent, const char *kind, struct tc_qdisc *ret, struct cor_err *err)
        COR_MUST_CHECK;

#endif

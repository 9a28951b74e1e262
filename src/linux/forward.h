#ifndef CORACLE_LINUX_FORWARD_H
#define CORACLE_LINUX_FORWARD_H
/*
 * Forwarding of ports by a process: connections and datagrams that arrive at sockets here are passed on to an address
 * elsewhere, and the answers back. For what the kernel cannot forward by itself (linux/nft_rule.h, nft_nat()). One
 * thread, one epoll descriptor, any number of ports.
 *
 * - TCP by splice(): the bytes never come to this process. Each half of a connection is ended on its own; an error at
 *   one end is an error (a reset) at the other.
 * - SCTP (one-to-one) message by message, with stream and payload protocol.
 * - UDP has an association for each sender: a socket of its own, so that answers find their way back, until none of the
 *   two has said anything for FORWARD_UDP_MS. Where there are too many, the one that was silent longest goes.
 */
#include "base/err.h"
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

enum { FORWARD_UDP_MS = 90 * 1000, FORWARD_UDP_MAX = 4096 };

struct forward;

int forward_new(struct forward **ret, struct cor_err *err) COR_MUST_CHECK;
/*
 * forward_use_from() - all its descriptors are @first or higher (before any port is added): whoever opens connections
 * has no others of the process to take
 */
void forward_use_from(struct forward *f, int first);
/* forward_free() - closes all ports, connections and associations */
void forward_free(struct forward *f);

struct forward_address {
        struct sockaddr_storage sa;
        socklen_t len;
};
/* forward_may_fn - whether what is passed on may come from the client's own address */
typedef bool forward_may_fn(void *data, const struct forward_address *client);
/*
 * forward_keep_sources() - TCP and UDP are passed on with the client's address, and its port if that is free, where
 * @may says so and both ends are of one family (IP_TRANSPARENT: CAP_NET_RAW). What such sockets send has @mark, so that
 * the caller can find a way back for the answers. Where it is not to be had, the address is this host's.
 */
void forward_keep_sources(struct forward *f, uint32_t mark, forward_may_fn *may, void *data);
/* forward_address() - @ip in digits, IPv4 or IPv6; INVALID */
int forward_address(const char *ip, uint16_t port, struct forward_address *ret, struct cor_err *err) COR_MUST_CHECK;
/*
 * forward_listen() - a socket of IPPROTO_TCP, _UDP or _SCTP bound to @at, and listening: an IPv6 one is not for IPv4.
 * BUSY if it is taken. @cloexec from birth, never blocking
 */
int forward_listen(int protocol, const struct forward_address *at, struct cor_err *err) COR_MUST_CHECK;
/* forward_add() - pass on what arrives at @fd, which is @f's from now on, also on failure */
int forward_add(struct forward *f, int protocol, int fd, const struct forward_address *to, struct cor_err *err)
        COR_MUST_CHECK;

/* forward_fd() - readable when forward_step() has something to do */
int forward_fd(const struct forward *f);
/* forward_step() - do what can be done at once; it comes back soon, however much there is */
void forward_step(struct forward *f);
/* forward_due() - when forward_step() is to be called in any case: cor_now_ms(), 0: at once, or -1: never */
int64_t forward_due(const struct forward *f);
/* forward_count() - connections and associations there are */
size_t forward_count(const struct forward *f);

#endif

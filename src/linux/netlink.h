#ifndef CORACLE_LINUX_NETLINK_H
#define CORACLE_LINUX_NETLINK_H
/*
 * Netlink messages: a builder on a fixed buffer, readers that cannot leave their bounds, and one exchange with the
 * kernel. Bytes in, bytes out; only netlink_exchange() does I/O.
 */
#include "base/err.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A request being built. A value that does not fit sets `overflow`, which netlink_exchange() refuses. */
enum { NETLINK_REQUEST_MAX = 4096 };
struct netlink_request {
        size_t len;
        bool overflow;
        uint8_t bytes[NETLINK_REQUEST_MAX] __attribute__((aligned(4)));
};

/* netlink_begin() - a message of @type with NLM_F_… @flags and a family header (struct ifinfomsg, …) of @header_len */
void netlink_begin(struct netlink_request *r, uint16_t type, uint16_t flags, const void *header, size_t header_len);
void netlink_put(struct netlink_request *r, uint16_t type, const void *data, size_t len);
void netlink_put_u8(struct netlink_request *r, uint16_t type, uint8_t value);
void netlink_put_u16(struct netlink_request *r, uint16_t type, uint16_t value);
void netlink_put_u32(struct netlink_request *r, uint16_t type, uint32_t value);
void netlink_put_u64(struct netlink_request *r, uint16_t type, uint64_t value);
void netlink_put_str(struct netlink_request *r, uint16_t type, const char *s); /* with its NUL */
/* netlink_put_header() - @len bytes that are no attribute: a family header inside of one */
void netlink_put_header(struct netlink_request *r, const void *header, size_t len);
/* netlink_nest() - attributes put until netlink_nest_end(mark) are inside attribute @type; returns the mark */
size_t netlink_nest(struct netlink_request *r, uint16_t type);
void netlink_nest_end(struct netlink_request *r, size_t mark);

/* Several requests that the kernel carries out together or not at all (nfnetlink). */
enum { NETLINK_BATCH_MAX = 16 << 20 };
struct netlink_batch {
        size_t len, room, last;
        uint32_t first_seq, ack_seq; /* of the last request that is to be acknowledged */
        bool overflow;
        uint8_t *bytes;
};
/* netlink_batch_add() - put @r behind the others; @ack: its acknowledgement tells that all is done */
void netlink_batch_add(struct netlink_batch *b, const struct netlink_request *r, bool ack);
/* netlink_batch_ack_last() - the acknowledgement of what was put last tells that all is done */
void netlink_batch_ack_last(struct netlink_batch *b);
void netlink_batch_done(struct netlink_batch *b);
#define auto_netlink_batch COR_CLEANUP(netlink_batch_done) struct netlink_batch

/* A received message: header fields and the bytes behind struct nlmsghdr. */
struct netlink_message {
        uint16_t type, flags;
        uint32_t seq, port;
        const uint8_t *body;
        size_t len;
};
struct netlink_attr {
        uint16_t type; /* without the NLA_F_… bits */
        const uint8_t *data;
        size_t len;
};
/* Bytes not read yet; every reader moves it forward. */
struct netlink_cursor {
        const uint8_t *p;
        size_t left;
};
/* netlink_next_message() / netlink_next_attr() - false at the end, and at the first thing that does not fit */
bool netlink_next_message(struct netlink_cursor *c, struct netlink_message *ret);
bool netlink_next_attr(struct netlink_cursor *c, struct netlink_attr *ret);
/* netlink_header() - copy a family header of @len from @m's body, set @c to the attributes behind it; false: too short
 */
bool netlink_header(const struct netlink_message *m, void *header, size_t len, struct netlink_cursor *c);
/* Values; the default when the attribute is too short, NULL when the text is not terminated inside it. */
uint8_t netlink_u8(const struct netlink_attr *a, uint8_t otherwise);
uint16_t netlink_u16(const struct netlink_attr *a, uint16_t otherwise);
uint32_t netlink_u32(const struct netlink_attr *a, uint32_t otherwise);
uint64_t netlink_u64(const struct netlink_attr *a, uint64_t otherwise);
const char *netlink_str(const struct netlink_attr *a);
static inline struct netlink_cursor netlink_inside(const struct netlink_attr *a)
{
        return (struct netlink_cursor){ a->data, a->len };
}

/* What an acknowledgement says: 0 or a positive errno, and the kernel's own words if it gave any ("" otherwise). */
struct netlink_ack {
        int error;
        char text[160];
};
/* netlink_read_ack() - true if @m is an acknowledgement (NLMSG_ERROR) or the end of a dump with its result */
bool netlink_read_ack(const struct netlink_message *m, struct netlink_ack *ret);

/* netlink_open() - a socket of NETLINK_… @protocol in the current network namespace, extended acks on */
int netlink_open(int protocol, struct cor_err *err) COR_MUST_CHECK;

/* Called for each message of an answer; a negative return ends the exchange with the error it made. */
typedef int netlink_fn(const struct netlink_message *m, void *data, struct cor_err *err);
/**
 * netlink_exchange() - send a request, read its whole answer
 * @r:  NLM_F_REQUEST is added, and NLM_F_ACK unless it is a dump
 * @fn: may be NULL
 *
 * Answers come at once; one that fails to come for 10 s is TIMEOUT. A dump that the kernel says was interrupted by a
 * change is BUSY. @err's `sys` is the kernel's errno.
 */
int netlink_exchange(int sock, struct netlink_request *r, netlink_fn *fn, void *data, struct cor_err *err)
        COR_MUST_CHECK;

/* netlink_exchange_batch() - send @b, wait for its acknowledgement; the first error is the answer */
int netlink_exchange_batch(int sock, const struct netlink_batch *b, struct cor_err *err) COR_MUST_CHECK;

#endif

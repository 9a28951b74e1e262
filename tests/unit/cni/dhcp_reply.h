#ifndef CORACLE_TESTS_DHCP_REPLY_H
#define CORACLE_TESTS_DHCP_REPLY_H
/* Messages of a server, byte by byte. */
#include "cni/dhcp_message.h"

#include <string.h>

struct reply {
        uint8_t bytes[DHCP_PACKET_MAX_BYTES];
        size_t n;
};

static inline void reply_option(struct reply *r, uint8_t code, const void *value, uint8_t len)
{
        r->bytes[r->n++] = code;
        r->bytes[r->n++] = len;
        memcpy(r->bytes + r->n, value, len);
        r->n += len;
}
#define REPLY_OPTION(R, CODE, ...)                                                                                     \
        reply_option((R), (CODE), (const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ }))

/* For 02:00:00:00:00:09, xid 0x01020304: 10.0.0.5, without any option but the type. */
static inline struct reply reply_of(uint8_t type)
{
        struct reply r = { .bytes = { 2, 1, 6, 0, 1, 2, 3, 4 }, .n = 240 };

        memcpy(r.bytes + 16, (const uint8_t[]){ 10, 0, 0, 5 }, 4);
        memcpy(r.bytes + 28, (const uint8_t[]){ 2, 0, 0, 0, 0, 9 }, 6);
        memcpy(r.bytes + 236, (const uint8_t[]){ 99, 130, 83, 99 }, 4);
        REPLY_OPTION(&r, DHCP_MESSAGE_TYPE, type);
        return r;
}

/* An acknowledgement with all that has to be in it. */
static inline struct reply reply_granting(void)
{
        struct reply r = reply_of(DHCP_ACK);

        REPLY_OPTION(&r, DHCP_SERVER, 10, 0, 0, 1);
        REPLY_OPTION(&r, DHCP_SUBNET_MASK, 255, 255, 255, 0);
        return r;
}

#endif

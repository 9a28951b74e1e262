#ifndef CORACLE_CNI_DHCP_MESSAGE_H
#define CORACLE_CNI_DHCP_MESSAGE_H
/*
 * DHCP messages, and the IP and UDP around them: bytes to structs and back, no I/O. What is read comes from whoever is
 * on the link: nothing of it is believed before it was checked against the number of bytes that there are.
 * Spec: RFC 2131 (messages), RFC 2132 (options), RFC 3396 (options in several pieces).
 */
#include "base/err.h"
#include "linux/ip.h"

enum {
        DHCP_PACKET_MAX_BYTES = 1500, /* with IP and UDP; longer ones are not looked at */
        DHCP_FRAME_BYTES = 28,        /* IP and UDP before a message that we write */
        DHCP_MAC_BYTES = 6,
        DHCP_VALUE_MAX_BYTES = 255, /* of one option that we write */
};
enum dhcp_type {
        DHCP_DISCOVER = 1,
        DHCP_OFFER = 2,
        DHCP_REQUEST = 3,
        DHCP_DECLINE = 4,
        DHCP_ACK = 5,
        DHCP_NAK = 6,
        DHCP_RELEASE = 7,
        DHCP_INFORM = 8,
};
enum dhcp_code {
        DHCP_PAD = 0,
        DHCP_SUBNET_MASK = 1,
        DHCP_ROUTERS = 3,
        DHCP_NAME_SERVERS = 6,
        DHCP_HOST_NAME = 12,
        DHCP_DOMAIN_NAME = 15,
        DHCP_STATIC_ROUTES = 33,
        DHCP_REQUESTED_ADDRESS = 50,
        DHCP_LEASE_TIME = 51,
        DHCP_OVERLOAD = 52,
        DHCP_MESSAGE_TYPE = 53,
        DHCP_SERVER = 54,
        DHCP_PARAMETERS = 55,
        DHCP_TEXT = 56,
        DHCP_MAX_BYTES = 57,
        DHCP_RENEWAL_TIME = 58,
        DHCP_REBINDING_TIME = 59,
        DHCP_VENDOR_CLASS = 60,
        DHCP_CLIENT = 61,
        DHCP_USER_CLASS = 77,
        DHCP_DOMAIN_SEARCH = 119,
        DHCP_CLASSLESS_ROUTES = 121,
        DHCP_END = 255,
};

/* A message of a server. The pieces of an option are one. */
struct dhcp_message {
        enum dhcp_type type;
        uint32_t xid;
        uint8_t mac[DHCP_MAC_BYTES]; /* whom it is for */
        struct ip yours;             /* none: 0.0.0.0 */
        struct {
                uint16_t at, len;
                bool there;
        } options[256];
        uint8_t values[DHCP_PACKET_MAX_BYTES];
};
/* dhcp_message_read() - INVALID if @bytes are no message of a server to a client with Ethernet addresses */
int dhcp_message_read(const uint8_t *bytes, size_t n, struct dhcp_message *ret, struct cor_err *err) COR_MUST_CHECK;
/* dhcp_option() - the value of @code, or NULL if it is not there */
const uint8_t *dhcp_option(const struct dhcp_message *m, uint8_t code, size_t *ret_len);
/* dhcp_option_address() - the value of @code as one address; false if it is not there or something else */
bool dhcp_option_address(const struct dhcp_message *m, uint8_t code, struct ip *ret);
/* dhcp_option_seconds() - the same for a time */
bool dhcp_option_seconds(const struct dhcp_message *m, uint8_t code, uint32_t *ret);

struct dhcp_value {
        uint8_t code, len;
        uint8_t bytes[DHCP_VALUE_MAX_BYTES];
};
/* A message of ours. Addresses that are none are left out. */
struct dhcp_outgoing {
        enum dhcp_type type;
        uint32_t xid;
        uint16_t secs;  /* since we began to ask */
        bool broadcast; /* the answer has to be */
        const uint8_t *mac;
        struct ip client;            /* the address that we have and use */
        struct ip requested, server; /* options */
        const struct dhcp_value *values;
        size_t n_values;
        const uint8_t *parameters; /* options that the server is asked for */
        size_t n_parameters;
};
/* dhcp_message_write() - the message; INVALID if it does not fit */
int dhcp_message_write(const struct dhcp_outgoing *o, uint8_t ret[DHCP_PACKET_MAX_BYTES - DHCP_FRAME_BYTES],
                       size_t *ret_n, struct cor_err *err) COR_MUST_CHECK;

/* dhcp_packet_write() - put IP and UDP before a message of ours; the number of bytes */
size_t dhcp_packet_write(const struct ip *from, const struct ip *to, const uint8_t *message, size_t n,
                         uint8_t ret[DHCP_PACKET_MAX_BYTES]);
/*
 * dhcp_packet_read() - the message in a whole IP packet from a server's port to a client's, or NULL
 * @unsummed: the kernel says that the checksum of UDP was left to a device that the packet has never met
 */
const uint8_t *dhcp_packet_read(const uint8_t *packet, size_t n, bool unsummed, size_t *ret_n);

enum { DHCP_ARP_BYTES = 28 };
/* dhcp_arp_write() - "@a is at @mac", for all who remember something else (RFC 2131, 4.4.1; RFC 5227, 2.3) */
void dhcp_arp_write(const struct ip *a, const uint8_t mac[DHCP_MAC_BYTES], uint8_t ret[DHCP_ARP_BYTES]);

#endif

#ifndef CORACLE_CNI_DHCP_REQUEST_H
#define CORACLE_CNI_DHCP_REQUEST_H
/*
 * What the plugin `dhcp` and its daemon say to each other: one request and one reply for each connection to the
 * daemon's socket, each a JSON document that ends where its sender stops to write. The daemon does not believe what it
 * reads more than it has to: dhcp_request_doc checks all of it.
 */
#include "cni/dhcp_message.h"
#include "spec/cni.h"
#include <sys/types.h>

#define DHCP_SOCKET "/run/cni/dhcp.sock"
enum {
        DHCP_REQUEST_MAX_BYTES = 1 << 20,
        DHCP_REPLY_MAX_BYTES = 1 << 18,
        DHCP_LONGEST_ADD_MS = 600 * 1000, /* nobody waits for an answer for longer than this */
        DHCP_ANSWER_MS = 30 * 1000,       /* nor for one that needs no server */
        DHCP_VALUES_MAX_BYTES = 1000,     /* of all options together */
};

struct dhcp_given {
        uint32_t option;
        const char *hex;
};
struct dhcp_request {
        const char *verb; /* of cni_verb_words */
        const char *container_id, *network, *ifname, *netns;
        uint32_t *parameters; /* options that the server is asked for */
        size_t n_parameters;
        struct dhcp_given *values; /* options that the server is told */
        size_t n_values;
        uint32_t priority;
        bool dns;               /* in the result, too */
        const char **addresses; /* CHECK: one of these is the lease's */
        size_t n_addresses;
        struct cni_attachment *attachments; /* GC: those of the network that are still valid */
        size_t n_attachments;
};
extern const struct cor_json_doc dhcp_request_doc;

struct dhcp_reply {
        uint32_t code;      /* 0 or one of enum cni_code */
        const char *msg;    /* why */
        const char *result; /* ADD: of CNI 1.1.0, as text */
};
extern const struct cor_json_doc dhcp_reply_doc;

/* dhcp_option_number() - by number, or by the names that the reference knows and those of dhcp-options(5); -1 */
int dhcp_option_number(const char *word);
/* dhcp_option_settable() - a client may be told to say it: it is none of those that the protocol itself needs */
bool dhcp_option_settable(uint32_t number);

/* dhcp_hex() - free(); dhcp_unhex() - at most @room bytes; -1 if it is something else */
char *dhcp_hex(const uint8_t *bytes, size_t n) __attribute__((returns_nonnull));
ssize_t dhcp_unhex(const char *hex, uint8_t *ret, size_t room);

/* dhcp_ask() - the daemon's reply; NOT_FOUND, DENIED and so on if there is no daemon. cor_json_free() */
int dhcp_ask(const char *socket, const struct dhcp_request *q, struct dhcp_reply **ret, struct cor_err *err)
        COR_MUST_CHECK;

#endif

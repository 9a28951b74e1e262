#ifndef CORACLE_NETWORK_DNS_H
#define CORACLE_NETWORK_DNS_H
/*
 * DNS messages (RFC 1035, EDNS of RFC 6891): what a resolver has to read and write of them. Bytes in, bytes out; what
 * comes in may be anything. network/resolver.h does the I/O.
 */
#include "base/err.h"
#include "linux/ip.h"

enum {
        DNS_HEADER_BYTES = 12,
        DNS_NAME_BYTES = 256,    /* of a name as text */
        DNS_UDP_BYTES = 512,     /* what everybody takes by UDP */
        DNS_UDP_MAX = 4096,      /* what we give by UDP at most */
        DNS_MESSAGE_MAX = 65535, /* by TCP */
};
enum dns_type { DNS_A = 1, DNS_PTR = 12, DNS_AAAA = 28, DNS_OPT = 41 };
enum dns_code { DNS_OK = 0, DNS_FORMAT_ERROR = 1, DNS_SERVER_FAILURE = 2, DNS_NO_NAME = 3, DNS_NOT_DONE = 4 };

struct dns_question {
        uint16_t id, type, class;
        bool recursion_desired;
        bool has_edns;
        uint16_t udp_bytes;        /* what the asker takes by UDP */
        char name[DNS_NAME_BYTES]; /* without the dot at its end; "" for the root, and for what is no text */
        size_t end;                /* of the question in the message; 0: it has none */
};
/*
 * dns_read_question() - true if it is to be answered: by a dns_code in *ret_code if that is not DNS_OK, when only id
 * and end mean something. false: it is no query, and gets no answer
 */
bool dns_read_question(const uint8_t *message, size_t n, struct dns_question *ret, enum dns_code *ret_code);

struct dns_answer {
        enum dns_code code;
        const struct ip *ips; /* A and AAAA: those of the question's type are given */
        size_t n_ips;
        const char *name; /* PTR; may be NULL */
};
/* dns_write_answer() - to the @query that @q was read from, @max bytes at most, "truncated" if that is not enough; the
 * length */
size_t dns_write_answer(const uint8_t *query, const struct dns_question *q, const struct dns_answer *a, size_t max,
                        uint8_t *out);
/* dns_answers() - @message is an answer to @query, of which @q was read, under the id @id */
bool dns_answers(const uint8_t *message, size_t n, const uint8_t *query, const struct dns_question *q, uint16_t id);
void dns_set_id(uint8_t *message, uint16_t id);
bool dns_is_truncated(const uint8_t *message);
enum dns_code dns_code_of(const uint8_t *message);
/* dns_reverse() - the address that "4.3.2.1.in-addr.arpa" or a name below ip6.arpa asks for; false: neither */
bool dns_reverse(const char *name, struct ip *ret);

#endif

#ifndef CORACLE_USERNET_REQUEST_H
#define CORACLE_USERNET_REQUEST_H
/*
 * What is asked at the API socket, and the texts of the answers: bytes in, bytes out.
 *
 *   {"execute": "add_hostfwd", "arguments": {"proto": "tcp", "host_addr": "0.0.0.0", "host_port": 8080,
 *                                            "guest_addr": "10.0.2.100", "guest_port": 80}}
 *   {"execute": "list_hostfwd"}
 *   {"execute": "remove_hostfwd", "arguments": {"id": 42}}
 *
 * proto is tcp or udp, or one of these with the family behind it (tcp4, udp6). Addresses may be of IPv6, both or none.
 */
#include "linux/ip.h"
#include "tools/usernet/stack.h"

enum { REQUEST_MAX = 4096 }; /* bytes; one that is as long is refused */

enum request_kind { REQUEST_ADD, REQUEST_LIST, REQUEST_REMOVE };

struct request {
        enum request_kind kind;
        struct stack_forward forward; /* ADD */
        int64_t id;                   /* REMOVE */
};

/* A port that was forwarded. */
struct request_entry {
        int64_t id;
        struct stack_forward forward;
};

/*
 * request_parse() - @guest, @guest6: where a port leads to that does not say it (none: it has to). @err's message is
 * what the answer says: "bad request: …"
 */
int request_parse(const char *text, size_t n, const struct ip *guest, const struct ip *guest6, struct request *ret,
                  struct cor_err *err) COR_MUST_CHECK;

/* Answers, appended to @out. */
void request_answer_error(const char *why, struct cor_text *out);
void request_answer_added(int64_t id, struct cor_text *out);
void request_answer_list(const struct request_entry *entries, size_t n_entries, struct cor_text *out);
void request_answer_done(struct cor_text *out);

#endif

#ifndef CORACLE_MONITOR_LOG_SYSLOG_WORDS_H
#define CORACLE_MONITOR_LOG_SYSLOG_WORDS_H
/* The options of the driver syslog: where the server is, and how messages look on their way to it. */
#include "base/err.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

enum syslog_transport { SYSLOG_LOCAL, SYSLOG_UNIX, SYSLOG_UNIXGRAM, SYSLOG_UDP, SYSLOG_TCP, SYSLOG_TLS };

struct syslog_address {
        enum syslog_transport transport; /* SYSLOG_LOCAL: /dev/log and its like */
        char *path;                      /* of a socket, or NULL */
        char *host;                      /* a name or a number, or NULL */
        char *port;                      /* a number, or the name of a service */
};
struct syslog_tls {
        char *ca, *certificate, *key; /* paths; NULL: those of the system, none */
        bool insecure;                /* whoever answers is believed */
};
void syslog_tls_done(struct syslog_tls *t);
void syslog_address_done(struct syslog_address *a);
/* syslog_address_parse() - udp://HOST[:PORT], tcp://…, tcp+tls://…, unix:///PATH, unixgram:///PATH; "" is this
 * machine's own */
int syslog_address_parse(const char *s, struct syslog_address *ret, struct cor_err *err) COR_MUST_CHECK;

enum { SYSLOG_DAEMON = 3 };
/* syslog_facility_parse() - a name, or a number from 0 to 23; "" is SYSLOG_DAEMON */
int syslog_facility_parse(const char *s, unsigned *ret, struct cor_err *err) COR_MUST_CHECK;

enum syslog_format { SYSLOG_UNIX_FORMAT, SYSLOG_RFC3164, SYSLOG_RFC5424, SYSLOG_RFC5424_MICRO };
int syslog_format_parse(const char *s, enum syslog_format *ret, struct cor_err *err) COR_MUST_CHECK;

/* syslog_clean_tag() - what would end a message, as a label of an image may have it, becomes an underscore */
void syslog_clean_tag(char *tag);

struct cor_text;
struct syslog_head {
        enum syslog_format format;
        unsigned facility, severity;
        const char *hostname, *tag;
        int pid;
        struct timespec time;
};
/* syslog_add_head() - what stands before the text of a message */
void syslog_add_head(const struct syslog_head *h, struct cor_text *out);

#endif

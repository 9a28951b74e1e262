#ifndef CORACLE_MONITOR_LOG_SERVER_H
#define CORACLE_MONITOR_LOG_SERVER_H
/*
 * The connection to a syslog server: made anew when it was lost, without ever waiting for it. Between two attempts
 * there is a pause that doubles, up to half a minute.
 */
#include "monitor/log_queue.h"
#include "monitor/log_syslog_words.h"

struct log_server;
/*
 * log_server_open() - and connect for the first time: names are looked up now, and a server that is not there is an
 * error, as with docker, unless it is @again: then it is tried later. @a and @tls are borrowed for
 * the call
 */
int log_server_open(const struct syslog_address *a, const struct syslog_tls *tls, bool again, struct log_server **ret,
                    struct cor_err *err) COR_MUST_CHECK;
/* log_server_send() - LATER: log_server_wait() says for what. @keep: a message may wait for a server that is away */
enum log_sent log_server_send(struct log_server *s, const char *bytes, size_t n, bool keep, struct cor_err *err);
/* log_server_step() - look whether it has gone away */
void log_server_step(struct log_server *s);
void log_server_wait(const struct log_server *s, bool has_messages, struct log_wait *ret);
/* log_server_leave() - it does not listen */
void log_server_leave(struct log_server *s);
void log_server_free(struct log_server *s);

#endif

#ifndef CORACLE_MONITOR_LOG_QUEUE_H
#define CORACLE_MONITOR_LOG_QUEUE_H
/*
 * Messages on their way to somebody who may be slow, or gone. Where the user wants no container to wait
 * (mode=non-blocking) what finds no room is lost at once. Else, once LOG_QUEUE_HOLD bytes wait, nothing more is read
 * from the container, until STUCK_MS have passed without anything being taken: then all of it is lost, and whatever
 * comes in the next DEAD_MS, too.
 */
#include "monitor/log.h"

enum { LOG_QUEUE_HOLD = 64 * 1024 };

enum log_sent { LOG_SENT, LOG_LATER, LOG_LOST };

struct log_queue {
        struct cor_text bytes; /* each message behind its length */
        size_t start;
        uint64_t n;       /* messages */
        uint64_t limit;   /* bytes; of mode=non-blocking */
        bool drops;       /* mode=non-blocking */
        int64_t stuck_ms; /* since when nothing was taken; 0: it moves */
        int64_t dead_until;
        struct log_loss loss;
        /* One message; LOST with an error. */
        enum log_sent (*send)(void *context, const char *bytes, size_t n, struct cor_err *err);
        void *context;
};

void log_queue_add(struct log_queue *q, const char *bytes, size_t n);
/* log_queue_run() - send what can be sent; false if it was stuck for too long: whoever is there should be left */
bool log_queue_run(struct log_queue *q);
bool log_queue_is_full(const struct log_queue *q);
bool log_queue_is_empty(const struct log_queue *q);
/* log_queue_due() - when it is to be run at the latest; -1: never */
int64_t log_queue_due(const struct log_queue *q);
/* log_queue_last() - a moment for what is still there; @driver's wait() and step() with @log */
void log_queue_last(struct log_queue *q, const struct log_driver *driver, void *log);
void log_queue_rest(struct log_queue *q);
void log_queue_done(struct log_queue *q);

#endif

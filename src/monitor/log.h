#ifndef CORACLE_MONITOR_LOG_H
#define CORACLE_MONITOR_LOG_H
/*
 * What a container prints, on its way to wherever its log driver keeps it. log.c cuts the streams into messages: a
 * line, or 16 KiB of a longer one. A driver is a table of functions for these, one row of log_drivers.
 *
 * A log never stops its container: what cannot be written is lost, which is said in the monitor's own log when it
 * begins, and with the number of messages when it is over; and in containers/<id>/log-lost, which `logs` shows. A
 * driver that sends to others may ask for a moment (log_is_full()), which has an end.
 */
#include "base/text.h"
#include <sys/types.h>
#include <time.h>

struct log_settings;

/* Where they are, below containers/<id>. */
#define LOG_JSON_NAME    "%s-json.log" /* the id */
#define LOG_LOCAL_FOLDER "local-logs"
#define LOG_LOCAL_NAME   "container.log"
#define LOG_CACHE_NAME   "container-cached.log"
#define LOG_LOST_NAME    "log-lost" /* a line: how many messages were lost, and why */

enum log_stream { LOG_STDOUT, LOG_STDERR };
enum { LOG_LINE_MAX = 16 * 1024, LOG_ID_DIGITS = 64 };

/* All borrowed, and there for as long as the log is open. */
struct log_options {
        const char *type;               /* "json-file" */
        const struct cor_strv *options; /* KEY=VALUE */
        const char *folder;             /* containers/<id> */
        const char *id, *name, *image, *image_id;
        int64_t created;                     /* of the container, nanoseconds since 1970 */
        const struct cor_strv *labels, *env; /* KEY=VALUE */
        bool again; /* the container was started before by this monitor: a server that is away now is no error */
};

/* A long line is several messages, which have this in common. */
struct log_part {
        char id[LOG_ID_DIGITS + 1];
        unsigned ordinal; /* from 1 */
        bool last;        /* the newline came behind it */
};

struct log_message {
        enum log_stream stream;
        const char *text; /* @n bytes of anything; the newline is not among them */
        size_t n;
        const struct log_part *part; /* NULL: a whole line */
        struct timespec time;        /* of a part: when the first was read */
};

static inline bool log_message_ends(const struct log_message *m)
{
        return !m->part || m->part->last;
}

/* Messages that were lost: said when it begins and when it is over, not for each, and not more than once a minute. */
struct log_loss {
        bool on, loud;
        uint64_t n; /* not said yet */
        int64_t said_ms;
        uint64_t total;
        char why[200]; /* of the first */
};
void log_loss_add(struct log_loss *l, uint64_t n, const struct cor_err *why);
void log_loss_over(struct log_loss *l);

/* What a driver waits for. */
struct log_wait {
        int fd; /* -1: nothing */
        short events;
        int64_t at; /* cor_now_ms(); -1: never */
};

struct log_driver {
        const char *name;
        int (*open)(const struct log_options *o, const struct log_settings *s, void **ret, struct cor_err *err);
        /* write() may keep messages until flush(), which comes after each piece of a stream; both say what is lost */
        void (*write)(void *log, const struct log_message *m);
        void (*flush)(void *log);
        void (*close)(void *log);
        /* These may be missing. */
        void (*wait)(const void *log, struct log_wait *ret); /* set up with nothing to wait for */
        void (*step)(void *log);                             /* what was waited for is there, perhaps */
        bool (*is_full)(const void *log);
        void (*rest)(void *log); /* nothing is printed at the moment: no buffers, please */
        void (*last)(void *log); /* nothing more will come: a moment for what waits to be sent */
        const struct log_loss *(*loss)(const void *log);
};
extern const struct log_driver log_json_driver, log_local_driver, log_cache_driver, log_journald_driver,
        log_syslog_driver, log_none_driver;

struct log;
/* log_open() - INVALID for a driver that there is not, or options it does not have */
int log_open(const struct log_options *o, struct log **ret, struct cor_err *err) COR_MUST_CHECK;
/* log_write() - @n bytes of @stream as they were read at @time */
void log_write(struct log *l, enum log_stream stream, const char *bytes, size_t n, const struct timespec *time);
/* log_close() - with what is left of a last line; what waits to be sent has a moment for it. NULL is fine */
void log_close(struct log *l);

/* What a log waits for, and its turn when it was waited for; all of them take NULL as well. */
enum { LOG_WAITS = 2 };
void log_wait(const struct log *l, struct log_wait ret[LOG_WAITS]);
void log_step(struct log *l);
/* log_is_full() - nothing more should be read from the container before log_step() has had its turn */
bool log_is_full(const struct log *l);
void log_rest(struct log *l);
/* log_note_loss() - write log-lost, if there is something to say */
void log_note_loss(struct log *l);

#endif

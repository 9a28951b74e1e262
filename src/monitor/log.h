#ifndef CORACLE_MONITOR_LOG_H
#define CORACLE_MONITOR_LOG_H
/*
 * What a container prints, on its way to wherever its log driver keeps it. log.c cuts the streams into messages: a
 * line, or 16 KiB of a longer one. A driver is a table of functions for these, one row of log_drivers.
 *
 * A log never stops its container: what cannot be written is lost, which is said once in the monitor's own log.
 */
#include "base/text.h"
#include <time.h>

enum log_stream { LOG_STDOUT, LOG_STDERR };
enum { LOG_LINE_MAX = 16 * 1024 };

/* All borrowed, and there for as long as the log is open. */
struct log_options {
        const char *type;               /* "json-file" */
        const struct cor_strv *options; /* KEY=VALUE */
        const char *folder;             /* containers/<id> */
        const char *id, *name, *image, *image_id;
        int64_t created;                     /* of the container, nanoseconds since 1970 */
        const struct cor_strv *labels, *env; /* KEY=VALUE */
};

struct log_message {
        enum log_stream stream;
        const char *text; /* @n bytes of anything; the newline is not among them */
        size_t n;
        bool partial; /* there was no newline, or not yet */
        struct timespec time;
};

struct log_driver {
        const char *name;
        int (*open)(const struct log_options *o, void **ret, struct cor_err *err);
        /* write() may keep messages until flush(), which comes after each piece of a stream */
        int (*write)(void *log, const struct log_message *m, struct cor_err *err);
        int (*flush)(void *log, struct cor_err *err);
        void (*close)(void *log);
};
extern const struct log_driver log_json_driver, log_none_driver;

struct log;
/* log_open() - INVALID for a driver that there is not, or options it does not have */
int log_open(const struct log_options *o, struct log **ret, struct cor_err *err) COR_MUST_CHECK;
/* log_write() - @n bytes of @stream as they were read at @time */
void log_write(struct log *l, enum log_stream stream, const char *bytes, size_t n, const struct timespec *time);
/* log_close() - with what is left of a last line; NULL is fine */
void log_close(struct log *l);

#endif

#include "monitor/log.h"

#include "base/log.h"

#include <string.h>

static const struct log_driver *const log_drivers[] = { &log_json_driver, &log_none_driver };

struct log {
        const struct log_driver *driver;
        void *state;
        struct cor_text begun[2]; /* a line without its end, by stream */
        bool failing;             /* the last message was lost */
};

int log_open(const struct log_options *o, struct log **ret, struct cor_err *err)
{
        struct log l = { 0 };

        for (size_t i = 0; i < COR_COUNT(log_drivers); i++)
                if (strcmp(log_drivers[i]->name, o->type) == 0)
                        l.driver = log_drivers[i];
        if (!l.driver)
                return cor_fail(err, COR_INVALID, "logger: no log driver named '%.60s' is registered", o->type);
        if (l.driver->open(o, &l.state, err) < 0)
                return cor_wrap(err, "log driver %s", o->type);
        *ret = cor_alloc(sizeof **ret);
        **ret = l;
        return 0;
}

/* Said when it begins and when it is over, not for each message. */
static void note(struct log *l, int r, const struct cor_err *err)
{
        if (r < 0 && !l->failing)
                cor_warn("what the container prints is lost: %s", err->msg);
        else if (r == 0 && l->failing)
                cor_warn("what the container prints is kept again");
        l->failing = r < 0;
}

static void pass_on(struct log *l, enum log_stream stream, const char *text, size_t n, bool partial,
                    const struct timespec *time)
{
        const struct log_message m = { .stream = stream, .text = text, .n = n, .partial = partial, .time = *time };
        struct cor_err err = { 0 };

        if (l->driver->write(l->state, &m, &err) < 0)
                note(l, -1, &err);
}

/* One line, or as much of it as makes a message; how many bytes that were. */
static size_t take(struct log *l, enum log_stream stream, const char *bytes, size_t n, const struct timespec *time)
{
        struct cor_text *begun = &l->begun[stream];
        const char *end = memchr(bytes, '\n', n);
        size_t len = end ? (size_t)(end - bytes) : n, room = LOG_LINE_MAX - begun->len;

        if (len > room || (len == room && !end)) {
                cor_text_add_n(begun, bytes, room);
                pass_on(l, stream, begun->s, begun->len, true, time);
                begun->len = 0;
                return room;
        }
        if (!end) {
                cor_text_add_n(begun, bytes, len);
                return len;
        }
        if (begun->len) {
                cor_text_add_n(begun, bytes, len);
                pass_on(l, stream, begun->s, begun->len, false, time);
                begun->len = 0;
        } else {
                pass_on(l, stream, bytes, len, false, time);
        }
        return len + 1;
}

static void flush(struct log *l)
{
        struct cor_err err = { 0 };

        note(l, l->driver->flush(l->state, &err), &err);
}

void log_write(struct log *l, enum log_stream stream, const char *bytes, size_t n, const struct timespec *time)
{
        while (n > 0) {
                size_t done = take(l, stream, bytes, n, time);

                bytes += done;
                n -= done;
        }
        flush(l);
        if (l->begun[stream].len == 0)
                cor_text_done(&l->begun[stream]);
}

void log_close(struct log *l)
{
        struct timespec now;

        if (!l)
                return;
        clock_gettime(CLOCK_REALTIME, &now);
        for (int i = 0; i < 2; i++) {
                if (l->begun[i].len)
                        pass_on(l, (enum log_stream)i, l->begun[i].s, l->begun[i].len, true, &now);
                cor_text_done(&l->begun[i]);
        }
        flush(l);
        l->driver->close(l->state);
        free(l);
}

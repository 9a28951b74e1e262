#include "monitor/log.h"

#include "base/fd.h"
#include "base/file.h"
#include "base/log.h"
#include "base/process.h"
#include "monitor/log_settings.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { SAY_AGAIN_MS = 60 * 1000 };

static const struct log_driver *const log_drivers[] = { &log_json_driver, &log_local_driver, &log_journald_driver,
                                                        &log_syslog_driver, &log_none_driver };

/* One of the places where messages go. */
struct sink {
        const struct log_driver *driver; /* NULL: none */
        void *state;
};

struct line {
        struct cor_text begun; /* without its end */
        struct log_part part;
        bool is_part;
        struct timespec time; /* of its first part */
};

struct log {
        int folder;                   /* containers/<id> */
        uint64_t noted;               /* messages lost that log-lost tells of */
        struct sink sinks[LOG_WAITS]; /* the driver's, and that which `logs` reads where the driver has none to read */
        struct line lines[2];         /* by stream */
};

void log_loss_add(struct log_loss *l, uint64_t n, const struct cor_err *why)
{
        int64_t now = cor_now_ms();

        l->n += n;
        if (l->total == 0)
                snprintf(l->why, sizeof l->why, "%.199s", why->msg);
        l->total += n;
        if (!l->on && (l->said_ms == 0 || now - l->said_ms >= SAY_AGAIN_MS)) {
                cor_warn("what the container prints is lost: %s", why->msg);
                l->said_ms = now;
                l->loud = true;
        }
        l->on = true;
}

void log_loss_over(struct log_loss *l)
{
        if (!l->on)
                return;
        l->on = false;
        if (!l->loud)
                return;
        cor_warn("what the container prints is kept again; messages lost: %" PRIu64, l->n);
        l->loud = false;
        l->n = 0;
}

/* --- open --------------------------------------------------------------------------------------------------------- */

static int sink_open(struct sink *s, const struct log_driver *driver, const struct log_options *o,
                     const struct log_settings *settings, struct cor_err *err)
{
        if (driver->open(o, settings, &s->state, err) < 0)
                return -1;
        s->driver = driver;
        return 0;
}

static void sink_close(struct sink *s)
{
        if (s->driver)
                s->driver->close(s->state);
        s->driver = NULL;
}

static int read_settings(const struct log_options *o, struct log_settings *ret, struct cor_err *err)
{
        auto_free struct cor_pair *pairs = cor_alloc((o->options->n_items + 1) * sizeof *pairs);
        auto_strv keys = { 0 };

        for (size_t i = 0; i < o->options->n_items; i++) {
                const char *word = o->options->items[i];
                size_t n = strcspn(word, "=");

                cor_strv_take(&keys, cor_strndup(word, n));
                pairs[i] = (struct cor_pair){ keys.items[i], word[n] ? word + n + 1 : "" };
        }
        return log_settings_read(o->type, pairs, o->options->n_items, ret, err);
}

int log_open(const struct log_options *o, struct log **ret, struct cor_err *err)
{
        const struct log_driver *driver = NULL;
        auto_log_settings s = { 0 };
        struct log l = { 0 };

        if (read_settings(o, &s, err) < 0)
                return -1;
        for (size_t i = 0; i < COR_COUNT(log_drivers); i++)
                if (strcmp(log_drivers[i]->name, o->type) == 0)
                        driver = log_drivers[i];
        if (!driver)
                return cor_fail(err, COR_INVALID, "logger: no log driver named '%.60s' is registered", o->type);
        if (sink_open(&l.sinks[0], driver, o, &s, err) < 0)
                return cor_wrap(err, "failed to initialize logging driver");
        if (s.cached && sink_open(&l.sinks[1], &log_cache_driver, o, &s, err) < 0) {
                sink_close(&l.sinks[0]);
                return cor_wrap(err, "failed to initialize logging driver");
        }
        l.folder = open(o->folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
        *ret = cor_alloc(sizeof **ret);
        **ret = l;
        return 0;
}

/* --- messages ----------------------------------------------------------------------------------------------------- */

static void deliver(struct log *l, const struct log_message *m)
{
        for (size_t i = 0; i < LOG_WAITS; i++)
                if (l->sinks[i].driver)
                        l->sinks[i].driver->write(l->sinks[i].state, m);
}

/* @ends: the newline came behind it */
static void pass_on(struct log *l, enum log_stream stream, const char *text, size_t n, bool ends,
                    const struct timespec *time)
{
        struct line *line = &l->lines[stream];
        struct log_message m = { .stream = stream, .text = text, .n = n, .time = *time };
        auto_str id = NULL;

        if (!ends && !line->is_part) {
                line->is_part = true;
                line->time = *time;
                line->part.ordinal = 0;
                id = cor_random_hex(LOG_ID_DIGITS / 2);
                snprintf(line->part.id, sizeof line->part.id, "%s", id);
        }
        if (line->is_part) {
                line->part.ordinal++;
                line->part.last = ends;
                m.part = &line->part;
                m.time = line->time;
        }
        deliver(l, &m);
        if (ends)
                line->is_part = false;
}

/* One line, or as much of it as makes a message; how many bytes that were. */
static size_t take(struct log *l, enum log_stream stream, const char *bytes, size_t n, const struct timespec *time)
{
        struct cor_text *begun = &l->lines[stream].begun;
        const char *end = memchr(bytes, '\n', n);
        size_t len = end ? (size_t)(end - bytes) : n, room = LOG_LINE_MAX - begun->len;

        if (len > room || (len == room && !end)) {
                cor_text_add_n(begun, bytes, room);
                pass_on(l, stream, begun->s, begun->len, false, time);
                begun->len = 0;
                return room;
        }
        if (!end) {
                cor_text_add_n(begun, bytes, len);
                return len;
        }
        if (begun->len) {
                cor_text_add_n(begun, bytes, len);
                pass_on(l, stream, begun->s, begun->len, true, time);
                begun->len = 0;
        } else {
                pass_on(l, stream, bytes, len, true, time);
        }
        return len + 1;
}

static void flush(struct log *l)
{
        for (size_t i = 0; i < LOG_WAITS; i++)
                if (l->sinks[i].driver)
                        l->sinks[i].driver->flush(l->sinks[i].state);
}

void log_write(struct log *l, enum log_stream stream, const char *bytes, size_t n, const struct timespec *time)
{
        while (n > 0) {
                size_t done = take(l, stream, bytes, n, time);

                bytes += done;
                n -= done;
        }
        flush(l);
        if (l->lines[stream].begun.len == 0)
                cor_text_done(&l->lines[stream].begun);
}

void log_close(struct log *l)
{
        struct timespec now;

        if (!l)
                return;
        clock_gettime(CLOCK_REALTIME, &now);
        for (int i = 0; i < 2; i++) {
                if (l->lines[i].begun.len)
                        pass_on(l, (enum log_stream)i, l->lines[i].begun.s, l->lines[i].begun.len, false, &now);
                cor_text_done(&l->lines[i].begun);
        }
        flush(l);
        for (size_t i = 0; i < LOG_WAITS; i++)
                if (l->sinks[i].driver && l->sinks[i].driver->last)
                        l->sinks[i].driver->last(l->sinks[i].state);
        log_note_loss(l);
        for (size_t i = 0; i < LOG_WAITS; i++)
                sink_close(&l->sinks[i]);
        cor_fd_close(&l->folder);
        free(l);
}

/* Where the disk is full, this may be too much, too: then the monitor's own log is all that tells. */
void log_note_loss(struct log *l)
{
        const struct log_loss *worst = NULL;
        auto_str text = NULL;
        struct cor_err ignored;

        for (size_t i = 0; i < LOG_WAITS; i++) {
                const struct sink *s = &l->sinks[i];
                const struct log_loss *loss = s->driver && s->driver->loss ? s->driver->loss(s->state) : NULL;

                if (loss && loss->total > l->noted && (!worst || loss->total > worst->total))
                        worst = loss;
        }
        if (!worst)
                return;
        text = cor_printf("%" PRIu64 " messages were lost: %s\n", worst->total, worst->why);
        if (cor_own_write(l->folder, LOG_LOST_NAME, text, strlen(text), 0640, false, &ignored) == 0)
                l->noted = worst->total;
}

/* --- waiting ------------------------------------------------------------------------------------------------------ */

void log_wait(const struct log *l, struct log_wait ret[LOG_WAITS])
{
        for (size_t i = 0; i < LOG_WAITS; i++) {
                ret[i] = (struct log_wait){ .fd = -1, .at = -1 };
                if (l && l->sinks[i].driver && l->sinks[i].driver->wait)
                        l->sinks[i].driver->wait(l->sinks[i].state, &ret[i]);
        }
}

void log_step(struct log *l)
{
        for (size_t i = 0; l && i < LOG_WAITS; i++)
                if (l->sinks[i].driver && l->sinks[i].driver->step)
                        l->sinks[i].driver->step(l->sinks[i].state);
}

bool log_is_full(const struct log *l)
{
        for (size_t i = 0; l && i < LOG_WAITS; i++)
                if (l->sinks[i].driver && l->sinks[i].driver->is_full && l->sinks[i].driver->is_full(l->sinks[i].state))
                        return true;
        return false;
}

void log_rest(struct log *l)
{
        if (l)
                log_note_loss(l);
        for (size_t i = 0; l && i < LOG_WAITS; i++)
                if (l->sinks[i].driver && l->sinks[i].driver->rest)
                        l->sinks[i].driver->rest(l->sinks[i].state);
}

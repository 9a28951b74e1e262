/*
 * json-file, docker's format on disk: containers/<id>/<id>-json.log, one object a line (monitor/log_file.h for the
 * files).
 */
#include "monitor/log.h"

#include "monitor/log_attrs.h"
#include "monitor/log_file.h"

#include <string.h>

struct log_json {
        struct log_file *file;
        struct cor_text tails[2]; /* of lines, by stream: from the end of the text to the time */
        time_t second;            /* that `stamp` says */
        char stamp[32];           /* "2024-02-29T12:00:00" */
        size_t stamp_n;
};

static void json_close(void *log)
{
        struct log_json *l = log;

        log_file_close(l->file);
        cor_text_done(&l->tails[0]);
        cor_text_done(&l->tails[1]);
        free(l);
}

static void log_json_free(struct log_json **l)
{
        if (*l)
                json_close(*l);
}

/* Sorted, as Go writes maps. */
static void add_attrs(const struct log_attrs *a, struct cor_text *t)
{
        for (size_t i = 0; i < a->n_items; i++) {
                cor_text_add(t, i ? "," : ",\"attrs\":{");
                cor_text_add_json(t, a->items[i].key);
                cor_text_add_c(t, ':');
                cor_text_add_json(t, a->items[i].value);
        }
        if (a->n_items)
                cor_text_add_c(t, '}');
}

static void make_tail(const char *stream, const struct log_attrs *a, struct cor_text *t)
{
        cor_text_printf(t, "\",\"stream\":\"%s\"", stream);
        add_attrs(a, t);
        cor_text_add(t, ",\"time\":\"");
}

static int json_open(const struct log_options *o, const struct log_settings *s, void **ret, struct cor_err *err)
{
        COR_CLEANUP(log_json_free) struct log_json *l = cor_alloc(sizeof *l);
        auto_str name = cor_printf(LOG_JSON_NAME, o->id);
        auto_log_attrs attrs = { 0 };

        l->second = -1;
        if (log_attrs_make(o, s, true, &attrs, err) < 0 || log_file_open(o->folder, name, &s->file, &l->file, err) < 0)
                return -1;
        make_tail("stdout", &attrs, &l->tails[LOG_STDOUT]);
        make_tail("stderr", &attrs, &l->tails[LOG_STDERR]);
        *ret = COR_TAKE(l);
        return 0;
}

/* --- a line ------------------------------------------------------------------------------------------------------- */

/* Of eight bytes at once: not 0 if one of them has to be looked at. */
static uint64_t odd_bytes(uint64_t word)
{
        const uint64_t ones = 0x0101010101010101, high = ones * 0x80;
        uint64_t quotes = word ^ ones * '"', backslashes = word ^ ones * '\\', deletes = word ^ ones * 0x7f;

        return ((word - ones * 0x20) | word | (quotes - ones) | (backslashes - ones) | (deletes - ones)) & high;
}

/* Nothing in it has to be escaped, as is the case for most of what is printed. */
static bool is_plain(const char *text, size_t n)
{
        uint64_t word;

        for (; n >= sizeof word; text += sizeof word, n -= sizeof word) {
                memcpy(&word, text, sizeof word);
                if (odd_bytes(word))
                        return false;
        }
        word = 0x2020202020202020;
        memcpy(&word, text, n);
        return !odd_bytes(word);
}

/* Text as a JSON string, as Go's encoder writes it; a message has no NUL that would end it. */
static void add_escaped(struct cor_text *t, const char *text, size_t n)
{
        auto_str copy = NULL;

        if (is_plain(text, n)) {
                cor_text_add_c(t, '"');
                cor_text_add_n(t, text, n);
                return;
        }
        if (!memchr(text, '\0', n)) {
                copy = cor_strndup(text, n);
                cor_text_add_json(t, copy);
                t->len--; /* the closing quote */
                return;
        }
        cor_text_add_c(t, '"');
        for (size_t at = 0; at < n;) {
                size_t len = strnlen(text + at, n - at);
                auto_text piece = COR_TEXT_INIT;
                auto_str part = cor_strndup(text + at, len);

                cor_text_add_json(&piece, part);
                cor_text_add_n(t, piece.s + 1, piece.len - 2);
                if (at + len < n)
                        cor_text_add(t, "\\u0000");
                at += len + 1;
        }
}

/* As Go writes it: without zeros at its end. */
static void add_fraction(long nanoseconds, struct cor_text *t)
{
        char digits[1 + 9] = ".";
        size_t n = sizeof digits;

        if (nanoseconds == 0)
                return;
        for (size_t i = n - 1; i > 0; i--, nanoseconds /= 10)
                digits[i] = (char)('0' + nanoseconds % 10);
        while (digits[n - 1] == '0')
                n--;
        cor_text_add_n(t, digits, n);
}

static void add_time(struct log_json *l, const struct timespec *time, struct cor_text *t)
{
        struct tm tm;

        if (time->tv_sec != l->second) {
                gmtime_r(&time->tv_sec, &tm);
                l->stamp_n = strftime(l->stamp, sizeof l->stamp, "%Y-%m-%dT%H:%M:%S", &tm);
                l->second = time->tv_sec;
        }
        cor_text_add_n(t, l->stamp, l->stamp_n);
        add_fraction(time->tv_nsec, t);
}

static void json_write(void *log, const struct log_message *m)
{
        struct log_json *l = log;
        const struct cor_text *tail = &l->tails[m->stream];
        struct cor_text *t = log_file_record(l->file);

        cor_text_add_n(t, "{\"log\":", 7);
        add_escaped(t, m->text, m->n);
        if (log_message_ends(m))
                cor_text_add_n(t, "\\n", 2);
        cor_text_add_n(t, tail->s, tail->len);
        add_time(l, &m->time, t);
        cor_text_add_n(t, "Z\"}\n", 4);
}

static void json_flush(void *log)
{
        struct log_json *l = log;

        log_file_flush(l->file);
}

static void json_wait(const void *log, struct log_wait *ret)
{
        const struct log_json *l = log;

        log_file_wait(l->file, ret);
}

static void json_step(void *log)
{
        struct log_json *l = log;

        log_file_step(l->file);
}

static void json_rest(void *log)
{
        struct log_json *l = log;

        log_file_rest(l->file);
}

static const struct log_loss *json_loss(const void *log)
{
        const struct log_json *l = log;

        return log_file_loss(l->file);
}

const struct log_driver log_json_driver = {
        .name = "json-file",
        .open = json_open,
        .write = json_write,
        .flush = json_flush,
        .close = json_close,
        .wait = json_wait,
        .step = json_step,
        .rest = json_rest,
        .loss = json_loss,
};

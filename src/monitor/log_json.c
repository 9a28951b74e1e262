/*
 * json-file, docker's format on disk: containers/<id>/<id>-json.log, one object a line (monitor/log_file.h for the
 * files).
 */
#include "monitor/log.h"

#include "monitor/log_attrs.h"
#include "monitor/log_file.h"

#include <stdio.h>
#include <string.h>

struct log_json {
        struct log_file *file;
        char *attrs;    /* what each line carries: ",\"attrs\":{…}", or "" */
        time_t second;  /* that `stamp` says */
        char stamp[32]; /* "2024-02-29T12:00:00" */
};

static void json_close(void *log)
{
        struct log_json *l = log;

        log_file_close(l->file);
        free(l->attrs);
        free(l);
}

static void log_json_free(struct log_json **l)
{
        if (*l)
                json_close(*l);
}

/* Sorted, as Go writes maps. */
static char *print_attrs(const struct log_attrs *a)
{
        struct cor_text t = COR_TEXT_INIT;

        for (size_t i = 0; i < a->n_items; i++) {
                cor_text_add(&t, i ? "," : ",\"attrs\":{");
                cor_text_add_json(&t, a->items[i].key);
                cor_text_add_c(&t, ':');
                cor_text_add_json(&t, a->items[i].value);
        }
        if (a->n_items)
                cor_text_add_c(&t, '}');
        return cor_text_take(&t);
}

static int json_open(const struct log_options *o, const struct log_settings *s, void **ret, struct cor_err *err)
{
        COR_CLEANUP(log_json_free) struct log_json *l = cor_alloc(sizeof *l);
        auto_str name = cor_printf(LOG_JSON_NAME, o->id);
        auto_log_attrs attrs = { 0 };

        l->second = -1;
        if (log_attrs_make(o, s, true, &attrs, err) < 0 || log_file_open(o->folder, name, &s->file, &l->file, err) < 0)
                return -1;
        l->attrs = print_attrs(&attrs);
        *ret = COR_TAKE(l);
        return 0;
}

/* --- a line --------------------------------------------------------------------------------------------------------
 */

/* Nothing in it has to be escaped, as is the case for most of what is printed. */
static bool is_plain(const char *text, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                uint8_t c = (uint8_t)text[i];

                if (c < 0x20 || c >= 0x7f || c == '"' || c == '\\')
                        return false;
        }
        return true;
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

static void add_time(struct log_json *l, const struct timespec *time, struct cor_text *t)
{
        char digits[16];
        struct tm tm;
        int n = 9;

        if (time->tv_sec != l->second) {
                gmtime_r(&time->tv_sec, &tm);
                strftime(l->stamp, sizeof l->stamp, "%Y-%m-%dT%H:%M:%S", &tm);
                l->second = time->tv_sec;
        }
        cor_text_add(t, l->stamp);
        if (time->tv_nsec == 0)
                return;
        snprintf(digits, sizeof digits, "%09ld", time->tv_nsec);
        while (digits[n - 1] == '0')
                n--;
        cor_text_add_c(t, '.');
        cor_text_add_n(t, digits, (size_t)n);
}

static void json_write(void *log, const struct log_message *m)
{
        struct log_json *l = log;
        struct cor_text *t = log_file_record(l->file);

        cor_text_add(t, "{\"log\":");
        add_escaped(t, m->text, m->n);
        cor_text_add(t, log_message_ends(m) ? "\\n\",\"stream\":\"" : "\",\"stream\":\"");
        cor_text_add(t, m->stream == LOG_STDOUT ? "stdout\"" : "stderr\"");
        cor_text_add(t, l->attrs);
        cor_text_add(t, ",\"time\":\"");
        add_time(l, &m->time, t);
        cor_text_add(t, "Z\"}\n");
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

const struct log_driver log_json_driver = {
        .name = "json-file",
        .open = json_open,
        .write = json_write,
        .flush = json_flush,
        .close = json_close,
        .wait = json_wait,
        .step = json_step,
        .rest = json_rest,
};

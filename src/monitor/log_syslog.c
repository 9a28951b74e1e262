/* syslog: a message a line, in the form and to the server that the user has named. */
#include "monitor/log.h"

#include "monitor/log_attrs.h"
#include "monitor/log_queue.h"
#include "monitor/log_server.h"
#include "monitor/log_settings.h"

#include <stdio.h>
#include <unistd.h>

enum { SEVERITY_ERR = 3, SEVERITY_INFO = 6 };

struct log_syslog {
        struct log_server *server;
        struct log_queue queue;
        struct cor_text message;
        enum syslog_format format;
        unsigned facility;
        bool counted; /* each message behind its length, as RFC 5425 has it */
        char *tag;
        char hostname[256];
};

static void syslog_free(struct log_syslog *l)
{
        if (l->server)
                log_server_free(l->server);
        log_queue_done(&l->queue);
        cor_text_done(&l->message);
        free(l->tag);
        free(l);
}

static void syslog_free_p(struct log_syslog **l)
{
        if (*l)
                syslog_free(*l);
}

static enum log_sent syslog_send(void *context, const char *bytes, size_t n, struct cor_err *err)
{
        struct log_syslog *l = context;

        return log_server_send(l->server, bytes, n, l->queue.drops, err);
}

static int syslog_open(const struct log_options *o, const struct log_settings *s, void **ret, struct cor_err *err)
{
        COR_CLEANUP(syslog_free_p) struct log_syslog *l = cor_alloc(sizeof *l);

        l->format = s->format;
        l->facility = s->facility;
        l->counted = s->address.transport == SYSLOG_TLS &&
                     (s->format == SYSLOG_RFC5424 || s->format == SYSLOG_RFC5424_MICRO);
        l->queue = (struct log_queue){ .limit = s->buffer, .drops = s->drops, .send = syslog_send, .context = l };
        if (gethostname(l->hostname, sizeof l->hostname - 1) < 0 || !l->hostname[0])
                snprintf(l->hostname, sizeof l->hostname, "localhost");
        if (log_attrs_tag(o, s, "{{.ID}}", &l->tag, err) < 0 ||
            log_server_open(&s->address, &s->tls, o->again, &l->server, err) < 0)
                return -1;
        syslog_clean_tag(l->tag);
        *ret = COR_TAKE(l);
        return 0;
}

static void syslog_step(void *log)
{
        struct log_syslog *l = log;

        log_server_step(l->server);
        if (!log_queue_run(&l->queue))
                log_server_leave(l->server);
}

/* As docker, an empty line is no message. */
static void syslog_write(void *log, const struct log_message *m)
{
        struct log_syslog *l = log;
        const struct syslog_head head = {
                .format = l->format,
                .facility = l->facility,
                .severity = m->stream == LOG_STDERR ? SEVERITY_ERR : SEVERITY_INFO,
                .hostname = l->hostname,
                .tag = l->tag,
                .pid = getpid(),
                .time = m->time,
        };

        if (m->n == 0)
                return;
        l->message.len = 0;
        syslog_add_head(&head, &l->message);
        cor_text_add_n(&l->message, m->text, m->n);
        cor_text_add_c(&l->message, '\n');
        if (l->counted) {
                auto_text framed = COR_TEXT_INIT;

                cor_text_printf(&framed, "%zu ", l->message.len);
                cor_text_add_n(&framed, l->message.s, l->message.len);
                log_queue_add(&l->queue, framed.s, framed.len);
        } else {
                log_queue_add(&l->queue, l->message.s, l->message.len);
        }
        if (l->queue.stuck_ms == 0 && !log_queue_run(&l->queue))
                log_server_leave(l->server);
}

static void syslog_wait(const void *log, struct log_wait *ret)
{
        const struct log_syslog *l = log;
        int64_t due = log_queue_due(&l->queue);

        log_server_wait(l->server, !log_queue_is_empty(&l->queue), ret);
        if (due >= 0 && (ret->at < 0 || due < ret->at))
                ret->at = due;
}

static void syslog_last(void *log)
{
        struct log_syslog *l = log;

        log_queue_last(&l->queue, &log_syslog_driver, l);
}

static void syslog_close(void *log)
{
        syslog_free(log);
}

static bool syslog_is_full(const void *log)
{
        const struct log_syslog *l = log;

        return log_queue_is_full(&l->queue);
}

static void syslog_rest(void *log)
{
        struct log_syslog *l = log;

        log_queue_rest(&l->queue);
        cor_text_done(&l->message);
}

static const struct log_loss *syslog_loss(const void *log)
{
        const struct log_syslog *l = log;

        return &l->queue.loss;
}

const struct log_driver log_syslog_driver = {
        .name = "syslog",
        .open = syslog_open,
        .write = syslog_write,
        .flush = syslog_step,
        .close = syslog_close,
        .wait = syslog_wait,
        .step = syslog_step,
        .is_full = syslog_is_full,
        .rest = syslog_rest,
        .last = syslog_last,
        .loss = syslog_loss,
};

/*
 * journald: one datagram a message to the journal's socket, in its native protocol: KEY=VALUE lines, or where a value
 * has newlines KEY, newline, its length as eight bytes, little end first, the value, newline. What is too large for a
 * datagram goes in a sealed file in memory, whose descriptor is the message.
 *
 * The fields are docker's, so that what reads its messages reads these.
 */
#include "monitor/log.h"

#include "base/date.h"
#include "base/fd.h"
#include "monitor/log_attrs.h"
#include "monitor/log_export.h"
#include "monitor/log_queue.h"
#include "monitor/log_settings.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#define JOURNAL_SOCKET "/run/systemd/journal/socket"

enum { PRIORITY_ERR = 3, PRIORITY_INFO = 6 };

struct log_journald {
        int fd;               /* -1: not connected */
        struct cor_text head; /* the fields that each message has */
        struct cor_text message;
        uint64_t ordinal;
        struct log_queue queue;
};

static void journald_free(struct log_journald *l)
{
        log_queue_done(&l->queue);
        cor_text_done(&l->head);
        cor_text_done(&l->message);
        cor_fd_close(&l->fd);
        free(l);
}

static void journald_free_p(struct log_journald **l)
{
        if (*l)
                journald_free(*l);
}

/* --- sending ------------------------------------------------------------------------------------------------------ */

static int connect_journal(struct log_journald *l, struct cor_err *err)
{
        cor_fd_close(&l->fd);
        l->fd = cor_unix_connect(JOURNAL_SOCKET, SOCK_DGRAM, err);
        return l->fd < 0 ? -1 : 0;
}

static ssize_t send_file(int sock, const char *bytes, size_t n)
{
        auto_fd file = memfd_create("journal-entry", MFD_CLOEXEC | MFD_ALLOW_SEALING);
        struct cor_err err = { 0 };
        union {
                struct cmsghdr head;
                char room[CMSG_SPACE(sizeof(int))];
        } control = { .room = { 0 } };
        struct msghdr message = { .msg_control = &control, .msg_controllen = sizeof control };
        struct cmsghdr *c = CMSG_FIRSTHDR(&message);

        if (file < 0 || cor_write_full(file, bytes, n, &err) < 0 ||
            fcntl(file, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) < 0)
                return -1;
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(c), &file, sizeof(int));
        return sendmsg(sock, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static ssize_t send_once(struct log_journald *l, const char *bytes, size_t n)
{
        ssize_t sent;

        do
                sent = send(l->fd, bytes, n, MSG_NOSIGNAL | MSG_DONTWAIT);
        while (sent < 0 && errno == EINTR);
        if (sent < 0 && (errno == EMSGSIZE || errno == ENOBUFS))
                sent = send_file(l->fd, bytes, n);
        return sent;
}

/* A journal that was started anew has a new socket at the same place. */
static enum log_sent journal_send(void *context, const char *bytes, size_t n, struct cor_err *err)
{
        struct log_journald *l = context;
        bool fresh = l->fd < 0;

        if (fresh && connect_journal(l, err) < 0)
                return LOG_LOST;
        if (send_once(l, bytes, n) >= 0)
                return LOG_SENT;
        if (errno == EAGAIN)
                return LOG_LATER;
        if (!fresh) {
                if (connect_journal(l, err) < 0)
                        return LOG_LOST;
                if (send_once(l, bytes, n) >= 0)
                        return LOG_SENT;
                if (errno == EAGAIN)
                        return LOG_LATER;
        }
        cor_fail_errno(err, "send to the journal");
        cor_fd_close(&l->fd);
        return LOG_LOST;
}

/* --- messages ----------------------------------------------------------------------------------------------------- */

static void add_field_n(struct cor_text *t, const char *key, const char *value, size_t n)
{
        cor_text_add(t, key);
        if (memchr(value, '\n', n)) {
                cor_text_add_c(t, '\n');
                for (unsigned i = 0; i < 8; i++)
                        cor_text_add_c(t, (char)((uint64_t)n >> (8 * i)));
        } else {
                cor_text_add_c(t, '=');
        }
        cor_text_add_n(t, value, n);
        cor_text_add_c(t, '\n');
}

static void add_field(struct cor_text *t, const char *key, const char *value)
{
        add_field_n(t, key, value, strlen(value));
}

/* Capitals, digits and underscores, none of these in front; NULL if nothing is left. free() */
static char *field_name(const char *key)
{
        struct cor_text t = COR_TEXT_INIT;

        cor_text_add(&t, "");
        for (; *key; key++) {
                char c = *key >= 'a' && *key <= 'z' ? (char)(*key - 'a' + 'A') : *key;

                if (!((c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')))
                        c = '_';
                if (t.len == 0 && c == '_')
                        continue;
                if (((uint8_t)*key & 0xc0) != 0x80) /* of a character of several bytes one stands for all */
                        cor_text_add_c(&t, c);
        }
        return cor_text_take(&t);
}

static int add_head(struct log_journald *l, const struct log_options *o, const struct log_settings *s,
                    struct cor_err *err)
{
        auto_str tag = NULL;
        auto_str id = cor_strndup(o->id, 12);
        auto_log_attrs attrs = { 0 };
        auto_str epoch = cor_random_hex(LOG_ID_DIGITS / 2);

        if (log_attrs_tag(o, s, "{{.ID}}", &tag, err) < 0 || log_attrs_make(o, s, false, &attrs, err) < 0)
                return -1;
        add_field(&l->head, "CONTAINER_ID", id);
        add_field(&l->head, "CONTAINER_ID_FULL", o->id);
        add_field(&l->head, "CONTAINER_NAME", o->name);
        add_field(&l->head, "CONTAINER_TAG", tag);
        add_field(&l->head, "IMAGE_NAME", o->image);
        add_field(&l->head, "SYSLOG_IDENTIFIER", tag);
        add_field(&l->head, "CONTAINER_LOG_EPOCH", epoch);
        for (size_t i = 0; i < attrs.n_items; i++) {
                auto_str name = field_name(attrs.items[i].key);

                if (*name && log_export_is_attr(name)) /* labels are the image's: who writes a message is not */
                        add_field(&l->head, name, attrs.items[i].value);
        }
        return 0;
}

static void add_part(struct cor_text *t, const struct log_part *p)
{
        char ordinal[16];

        snprintf(ordinal, sizeof ordinal, "%u", p->ordinal);
        add_field(t, "CONTAINER_PARTIAL_ID", p->id);
        add_field(t, "CONTAINER_PARTIAL_ORDINAL", ordinal);
        add_field(t, "CONTAINER_PARTIAL_LAST", p->last ? "true" : "false");
        if (!p->last)
                add_field(t, "CONTAINER_PARTIAL_MESSAGE", "true");
}

static void journald_write(void *log, const struct log_message *m)
{
        struct log_journald *l = log;
        struct cor_text *t = &l->message;

        t->len = 0;
        cor_text_add_n(t, l->head.s, l->head.len);
        cor_text_printf(t, "PRIORITY=%d\nCONTAINER_LOG_ORDINAL=%" PRIu64 "\nSYSLOG_TIMESTAMP=",
                        m->stream == LOG_STDERR ? PRIORITY_ERR : PRIORITY_INFO, ++l->ordinal);
        cor_text_add_time(t, cor_time_ns(&m->time));
        cor_text_add_c(t, '\n');
        if (m->part)
                add_part(t, m->part);
        add_field_n(t, "MESSAGE", m->text, m->n);
        log_queue_add(&l->queue, t->s, t->len);
        if (log_queue_is_full(&l->queue) || l->queue.stuck_ms == 0)
                (void)log_queue_run(&l->queue);
}

/* --- the driver --------------------------------------------------------------------------------------------------- */

static int journald_open(const struct log_options *o, const struct log_settings *s, void **ret, struct cor_err *err)
{
        COR_CLEANUP(journald_free_p) struct log_journald *l = cor_alloc(sizeof *l);
        struct cor_err ignored;

        l->fd = -1;
        l->queue = (struct log_queue){ .limit = s->buffer, .drops = s->drops, .send = journal_send, .context = l };
        if (add_head(l, o, s, err) < 0)
                return -1;
        if (connect_journal(l, &ignored) < 0 && !o->again)
                return cor_fail(err, COR_UNSUPPORTED, "journald is not enabled on this host");
        *ret = COR_TAKE(l);
        return 0;
}

static void journald_step(void *log)
{
        struct log_journald *l = log;

        if (!log_queue_run(&l->queue))
                cor_fd_close(&l->fd);
}

static void journald_wait(const void *log, struct log_wait *ret)
{
        const struct log_journald *l = log;

        if (log_queue_is_empty(&l->queue))
                return;
        ret->fd = l->fd;
        ret->events = POLLOUT;
        ret->at = log_queue_due(&l->queue);
}

static void journald_flush(void *log)
{
        journald_step(log);
}

static void journald_last(void *log)
{
        struct log_journald *l = log;

        log_queue_last(&l->queue, &log_journald_driver, l);
}

static void journald_close(void *log)
{
        journald_free(log);
}

static bool journald_is_full(const void *log)
{
        const struct log_journald *l = log;

        return log_queue_is_full(&l->queue);
}

static void journald_rest(void *log)
{
        struct log_journald *l = log;

        log_queue_rest(&l->queue);
        cor_text_done(&l->message);
}

static const struct log_loss *journald_loss(const void *log)
{
        const struct log_journald *l = log;

        return &l->queue.loss;
}

const struct log_driver log_journald_driver = {
        .name = "journald",
        .open = journald_open,
        .write = journald_write,
        .flush = journald_flush,
        .close = journald_close,
        .wait = journald_wait,
        .step = journald_step,
        .is_full = journald_is_full,
        .rest = journald_rest,
        .last = journald_last,
        .loss = journald_loss,
};

/*
 * The journal and syslog, each by a datagram on their socket: sd_journal_print() and syslog(3) would bring in a library
 * and a lock for the two lines that a runtime logs. Messages are lost when nobody reads the socket; the error is
 * printed to standard error as well.
 */
#include "cli/runtime/log_target.h"

#include "base/fd.h"
#include "base/text.h"
#include "cli/runtime/program.h"

#include <string.h>
#include <sys/socket.h>
#include <syslog.h>

#define JOURNAL_SOCKET "/run/systemd/journal/socket"
#define SYSLOG_SOCKET  "/dev/log"

static struct {
        int sock;
        const char *name; /* who logs */
} datagram = { .sock = -1 };

static const uint8_t priorities[] = {
        [COR_LOG_ERROR] = LOG_ERR,
        [COR_LOG_WARN] = LOG_WARNING,
        [COR_LOG_INFO] = LOG_INFO,
        [COR_LOG_DEBUG] = LOG_DEBUG,
};

/* One datagram; MSG_DONTWAIT: a journal that hangs must not hang containers */
static void send_text(const struct cor_text *t)
{
        (void)!send(datagram.sock, t->s, t->len, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void send_journal(enum cor_log_level level, const char *msg)
{
        auto_text t = COR_TEXT_INIT;
        uint64_t len = strlen(msg);
        uint8_t bytes[8];

        for (size_t i = 0; i < sizeof bytes; i++)
                bytes[i] = (uint8_t)(len >> (8 * i));
        cor_text_printf(&t, "PRIORITY=%u\nSYSLOG_IDENTIFIER=%s\nMESSAGE\n", priorities[level], datagram.name);
        cor_text_add_n(&t, bytes, sizeof bytes); /* the form for values that may hold line breaks */
        cor_text_add(&t, msg);
        cor_text_add_c(&t, '\n');
        send_text(&t);
}

static void send_syslog(enum cor_log_level level, const char *msg)
{
        auto_text t = COR_TEXT_INIT;

        cor_text_printf(&t, "<%d>%s: %s", LOG_USER | priorities[level], datagram.name, msg);
        send_text(&t);
}

/* "NAME" behind "journald:" may hold no line break: it would start a field of its own */
static int open_datagram(const char *path, const char *name, struct cor_err *err)
{
        for (const char *c = name; *c; c++)
                if ((uint8_t)*c < 0x20)
                        return cor_fail(err, COR_INVALID, "the name to log by holds a control character");
        datagram.sock = cor_unix_connect(path, SOCK_DGRAM, err);
        if (datagram.sock < 0)
                return -1;
        datagram.name = *name ? name : program_name();
        return 0;
}

int log_target_open(const char *target, enum cor_log_format format, enum cor_log_level level, struct cor_err *err)
{
        if (!target || program_kind() == PROGRAM_RUNC)
                return cor_log_open(target, format, level, err);
        if (cor_starts_with(target, "file:"))
                return cor_log_open(target + strlen("file:"), format, level, err);
        if (cor_starts_with(target, "journald:")) {
                if (open_datagram(JOURNAL_SOCKET, target + strlen("journald:"), err) < 0)
                        return -1;
                cor_log_to(send_journal, level);
                return 0;
        }
        if (cor_starts_with(target, "syslog:")) {
                if (open_datagram(SYSLOG_SOCKET, target + strlen("syslog:"), err) < 0)
                        return -1;
                cor_log_to(send_syslog, level);
                return 0;
        }
        return cor_log_open(target, format, level, err);
}

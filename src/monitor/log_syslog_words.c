#include "monitor/log_syslog_words.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char default_port[] = "514";

void syslog_address_done(struct syslog_address *a)
{
        free(a->path);
        free(a->host);
        free(a->port);
        *a = (struct syslog_address){ 0 };
}

void syslog_tls_done(struct syslog_tls *t)
{
        free(t->ca);
        free(t->certificate);
        free(t->key);
        *t = (struct syslog_tls){ 0 };
}

/* HOST, HOST:PORT, [V6] or [V6]:PORT, up to a slash */
static int parse_host(const char *s, struct syslog_address *ret, struct cor_err *err)
{
        const char *host = s, *end, *port;
        size_t n = strcspn(s, "/?#");

        if (*s == '[') {
                host = s + 1;
                end = memchr(s, ']', n);
                if (!end)
                        return cor_fail(err, COR_INVALID, "address %.200s: missing ']' in address", s);
                port = end + 1;
        } else {
                end = memchr(s, ':', n);
                end = end ? end : s + n;
                port = end;
                if (memchr(end + (end < s + n), ':', n - (size_t)(end - s) - (end < s + n)))
                        return cor_fail(err, COR_INVALID, "address %.200s: too many colons in address", s);
        }
        if (port < s + n && *port != ':')
                return cor_fail(err, COR_INVALID, "address %.200s: expected HOST:PORT", s);
        if (end == host)
                return cor_fail(err, COR_INVALID, "syslog-address: '%.200s': expected a host", s);
        if (end - host > 253)
                return cor_fail(err, COR_INVALID, "syslog-address: a host name has at most 253 characters");
        ret->host = cor_strndup(host, (size_t)(end - host));
        ret->port = port + 1 < s + n ? cor_strndup(port + 1, (size_t)(s + n - port) - 1) : cor_strdup(default_port);
        return 0;
}

static int parse_path(const char *path, struct syslog_address *ret, struct cor_err *err)
{
        struct stat st;

        if (stat(path, &st) < 0)
                return cor_fail_errno(err, "stat %.200s", path);
        ret->path = cor_strdup(path);
        return 0;
}

int syslog_address_parse(const char *s, struct syslog_address *ret, struct cor_err *err)
{
        static const struct cor_word transports[] = {
                { "unix", SYSLOG_UNIX }, { "unixgram", SYSLOG_UNIXGRAM }, { "udp", SYSLOG_UDP },
                { "tcp", SYSLOG_TCP },   { "tcp+tls", SYSLOG_TLS },       { NULL, 0 },
        };
        struct syslog_address a = { .transport = SYSLOG_LOCAL };
        const char *rest = strstr(s, "://");
        auto_str scheme = cor_strndup(s, rest ? (size_t)(rest - s) : 0);
        const struct cor_word *w = cor_word_find(transports, scheme);
        int r;

        if (!*s) {
                *ret = a;
                return 0;
        }
        if (!rest || !w)
                return cor_fail(err, COR_INVALID, "unsupported scheme: '%.60s'", scheme);
        a.transport = (enum syslog_transport)w->value;
        r = a.transport != SYSLOG_UNIX && a.transport != SYSLOG_UNIXGRAM ? parse_host(rest + 3, &a, err)
                                                                         : parse_path(rest + 3, &a, err);
        if (r < 0)
                return -1;
        *ret = a;
        return 0;
}

int syslog_facility_parse(const char *s, unsigned *ret, struct cor_err *err)
{
        static const struct cor_word names[] = {
                { "kern", 0 },         { "user", 1 },    { "mail", 2 },    { "daemon", 3 },  { "auth", 4 },
                { "syslog", 5 },       { "lpr", 6 },     { "news", 7 },    { "uucp", 8 },    { "cron", 9 },
                { "authpriv", 10 },    { "ftp", 11 },    { "local0", 16 }, { "local1", 17 }, { "local2", 18 },
                { "local3", 19 },      { "local4", 20 }, { "local5", 21 }, { "local6", 22 }, { "local7", 23 },
                { "", SYSLOG_DAEMON }, { NULL, 0 },
        };
        const struct cor_word *w = cor_word_find(names, s);
        uint32_t number;

        if (!w && (cor_parse_u32(s, &number) < 0 || number > 23))
                return cor_fail(err, COR_INVALID, "invalid syslog facility");
        *ret = w ? (unsigned)w->value : number;
        return 0;
}

int syslog_format_parse(const char *s, enum syslog_format *ret, struct cor_err *err)
{
        static const struct cor_word formats[] = {
                { "", SYSLOG_UNIX_FORMAT },
                { "rfc3164", SYSLOG_RFC3164 },
                { "rfc5424", SYSLOG_RFC5424 },
                { "rfc5424micro", SYSLOG_RFC5424_MICRO },
                { NULL, 0 },
        };
        const struct cor_word *w = cor_word_find(formats, s);

        if (!w)
                return cor_fail(err, COR_INVALID, "Invalid syslog format");
        *ret = (enum syslog_format)w->value;
        return 0;
}

/* "2024-02-29T12:00:00.123456+01:00" */
static void add_stamp(const struct timespec *time, const struct tm *tm, bool micro, struct cor_text *out)
{
        char text[64];
        long minutes = tm->tm_gmtoff / 60;

        strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", tm);
        cor_text_add(out, text);
        if (micro)
                cor_text_printf(out, ".%06ld", time->tv_nsec / 1000);
        if (minutes == 0)
                cor_text_add_c(out, 'Z');
        else
                cor_text_printf(out, "%c%02ld:%02ld", minutes < 0 ? '-' : '+', labs(minutes) / 60, labs(minutes) % 60);
}

void syslog_clean_tag(char *tag)
{
        for (; *tag; tag++)
                if ((uint8_t)*tag < ' ' || *tag == 0x7f)
                        *tag = '_';
}

void syslog_add_head(const struct syslog_head *h, struct cor_text *out)
{
        unsigned priority = h->facility * 8 + h->severity;
        bool is_5424 = h->format == SYSLOG_RFC5424 || h->format == SYSLOG_RFC5424_MICRO;
        char stamp[64];
        struct tm tm = { 0 };

        localtime_r(&h->time.tv_sec, &tm);
        cor_text_printf(out, is_5424 ? "<%u>1 " : "<%u>", priority);
        if (is_5424) {
                add_stamp(&h->time, &tm, h->format == SYSLOG_RFC5424_MICRO, out);
                cor_text_printf(out, " %s %s %d %s - ", h->hostname, h->tag, h->pid, h->tag);
                return;
        }
        strftime(stamp, sizeof stamp, "%b %e %H:%M:%S", &tm);
        cor_text_printf(out, "%s ", stamp);
        if (h->format == SYSLOG_RFC3164)
                cor_text_printf(out, "%s ", h->hostname);
        cor_text_printf(out, "%s[%d]: ", h->tag, h->pid);
}

/*
 * json-file, docker's format on disk: containers/<id>/<id>-json.log, one object a line. What came in one piece is
 * written in one piece; a file that got only a part of it (a full disk) is cut back to its last whole line.
 */
#include "monitor/log.h"

#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { KEEP_BYTES = 4096 };

struct log_json {
        int fd;
        off_t size;
        struct cor_text lines; /* not written yet */
};

static int json_open(const struct log_options *o, void **ret, struct cor_err *err)
{
        auto_str path = cor_printf("%s/%s-json.log", o->folder, o->id);
        auto_fd fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0640);
        struct log_json *l;
        struct stat st;

        if (fd < 0 || fstat(fd, &st) < 0)
                return cor_fail_errno(err, "open %s", path);
        l = cor_alloc(sizeof *l);
        l->size = st.st_size;
        l->fd = cor_fd_take(&fd);
        *ret = l;
        return 0;
}

/* Text as a JSON string, as Go's encoder writes it; a message has no NUL that would end it. */
static void add_escaped(struct cor_text *t, const char *text, size_t n)
{
        auto_str copy = NULL;

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

static void add_time(struct cor_text *t, const struct timespec *time)
{
        char text[64], *end;
        struct tm tm;
        size_t n;

        gmtime_r(&time->tv_sec, &tm);
        n = strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &tm);
        end = text + n + snprintf(text + n, sizeof text - n, ".%09ld", time->tv_nsec);
        while (end[-1] == '0')
                end--;
        if (end[-1] == '.')
                end--;
        cor_text_add_n(t, text, (size_t)(end - text));
}

static int json_write(void *log, const struct log_message *m, struct cor_err *err)
{
        struct log_json *l = log;

        cor_text_add(&l->lines, "{\"log\":");
        add_escaped(&l->lines, m->text, m->n);
        cor_text_add(&l->lines, m->partial ? "\",\"stream\":\"" : "\\n\",\"stream\":\"");
        cor_text_add(&l->lines, m->stream == LOG_STDOUT ? "stdout" : "stderr");
        cor_text_add(&l->lines, "\",\"time\":\"");
        add_time(&l->lines, &m->time);
        cor_text_add(&l->lines, "Z\"}\n");
        return 0;
}

static int json_flush(void *log, struct cor_err *err)
{
        struct log_json *l = log;
        int r = 0;

        if (l->lines.len) {
                r = cor_write_full(l->fd, l->lines.s, l->lines.len, err);
                if (r == 0)
                        l->size += (off_t)l->lines.len;
                else
                        (void)!ftruncate(l->fd, l->size);
        }
        l->lines.len = 0;
        if (l->lines.room > KEEP_BYTES)
                cor_text_done(&l->lines);
        return r;
}

static void json_close(void *log)
{
        struct log_json *l = log;

        cor_text_done(&l->lines);
        cor_fd_close(&l->fd);
        free(l);
}

const struct log_driver log_json_driver = {
        .name = "json-file", .open = json_open, .write = json_write, .flush = json_flush, .close = json_close
};

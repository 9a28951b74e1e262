/* Records of the two formats that are kept in files, forwards and from the end. */
#include "monitor/log_read.h"

#include "base/date.h"
#include "monitor/log_record.h"

#include <string.h>
#include <unistd.h>

enum { PIECE = 64 * 1024 };

/* --- json-file: lines --------------------------------------------------------------------------------------------- */

static int json_take(char *buf, size_t n, struct cor_pair *attrs, size_t *ret_used, struct log_entry *ret)
{
        char *end = memchr(buf, '\n', n);
        struct log_line line;
        struct timespec time;

        if (!end)
                return 0;
        *ret_used = (size_t)(end - buf) + 1;
        *ret = (struct log_entry){ .text = NULL };
        if (!log_line_parse(buf, *ret_used - 1, attrs, LOG_ATTRS_MAX, &line) || !line.log || !line.time ||
            cor_time_parse(line.time, &time) < 0)
                return 1;
        *ret = (struct log_entry){
                .stream = cor_streq(line.stream, "stderr") ? LOG_STDERR : LOG_STDOUT,
                .time = cor_time_ns(&time),
                .text = line.log,
                .n = line.log_n,
                .attrs = line.attrs,
                .n_attrs = line.n_attrs,
        };
        return 1;
}

static int json_seek_back(int fd, int64_t *wanted, off_t *ret, struct cor_err *err)
{
        auto_free char *buf = cor_alloc(PIECE);
        off_t end = lseek(fd, 0, SEEK_END), at = end;

        while (at > 0) {
                size_t n = at > PIECE ? PIECE : (size_t)at;

                at -= (off_t)n;
                if (pread(fd, buf, n, at) != (ssize_t)n)
                        return cor_fail_errno(err, "read the log");
                for (size_t i = n; i-- > 0;) {
                        if (buf[i] != '\n' || at + (off_t)i + 1 == end)
                                continue;
                        if (--*wanted == 0) {
                                *ret = at + (off_t)i + 1;
                                return 0;
                        }
                }
        }
        if (end > 0)
                --*wanted; /* the first line has nothing before it */
        *ret = 0;
        return 0;
}

const struct log_form log_json_form = { .take = json_take, .seek_back = json_seek_back };

/* --- local: records ----------------------------------------------------------------------------------------------- */

/* Where the newline was, which the driver has cut off, is the length behind the record. */
static int local_take(char *buf, size_t n, struct cor_pair *attrs, size_t *ret_used, struct log_entry *ret)
{
        struct log_record r;
        uint32_t len;

        *ret = (struct log_entry){ .text = NULL };
        if (n < LOG_RECORD_FRAME)
                return 0;
        len = log_record_length(buf);
        *ret_used = 1; /* it is none: the next one may begin behind the next byte */
        if (len == 0 || len > LOG_RECORD_MAX)
                return 1;
        if (n < len + 2 * LOG_RECORD_FRAME)
                return 0;
        if (log_record_length(buf + LOG_RECORD_FRAME + len) != len)
                return 1;
        *ret_used = len + 2 * LOG_RECORD_FRAME;
        if (!log_record_parse(buf + LOG_RECORD_FRAME, len, attrs, LOG_ATTRS_MAX, &r))
                return 1;
        *ret = (struct log_entry){
                .stream = r.stream,
                .time = r.time,
                .text = r.line,
                .n = r.n,
                .attrs = r.attrs,
                .n_attrs = r.n_attrs,
        };
        if (r.partial && !r.last)
                return 1;
        /* the line goes in front of itself by one byte, over the field's length, so that nothing behind it is hurt */
        if (r.n > 0) {
                char *to = buf + (r.line - buf) - 1;

                memmove(to, r.line, r.n);
                to[r.n] = '\n';
                ret->text = to;
        } else {
                ret->text = "\n";
        }
        ret->n = r.n + 1;
        return 1;
}

static int64_t length_at(int fd, off_t at)
{
        char bytes[LOG_RECORD_FRAME];
        uint32_t n;

        if (at < 0 || pread(fd, bytes, sizeof bytes, at) != (ssize_t)sizeof bytes)
                return -1;
        n = log_record_length(bytes);
        return n > 0 && n <= LOG_RECORD_MAX ? (int64_t)n : -1;
}

/* Up to what is damaged: what is before that is not counted, and not shown. */
static int local_seek_back(int fd, int64_t *wanted, off_t *ret, struct cor_err *err)
{
        off_t at = lseek(fd, 0, SEEK_END);

        if (at < 0)
                return cor_fail_errno(err, "read the log");
        while (at > 0 && *wanted > 0) {
                int64_t n = length_at(fd, at - LOG_RECORD_FRAME);
                off_t start = at - 2 * LOG_RECORD_FRAME - n;

                if (n < 0 || length_at(fd, start) != n)
                        break;
                at = start;
                --*wanted;
        }
        *ret = at;
        return 0;
}

const struct log_form log_local_form = { .take = local_take, .seek_back = local_seek_back, .resync = true };

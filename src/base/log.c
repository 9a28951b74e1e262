#include "base/log.h"
#include "base/fd.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static struct {
        int fd;
        enum cor_log_format format;
        enum cor_log_level level;
        void (*send)(enum cor_log_level level, const char *msg); /* instead of fd and format, if there is one */
} target = { .fd = STDERR_FILENO, .format = COR_LOG_TEXT, .level = COR_LOG_WARN };

static const char *const level_names[] = {
        [COR_LOG_ERROR] = "error",
        [COR_LOG_WARN] = "warning",
        [COR_LOG_INFO] = "info",
        [COR_LOG_DEBUG] = "debug",
};

static int open_target(const char *path, struct cor_err *err)
{
        uint32_t given;
        int fd;

        if (cor_starts_with(path, "fd:")) {
                if (cor_parse_u32(path + 3, &given) < 0 || given > INT32_MAX)
                        return cor_fail(err, COR_INVALID, "log \"%s\": not a descriptor number", path);
                if (given <= STDERR_FILENO)
                        return (int)given;
                return cor_fd_cloexec((int)given, true, err) < 0 ? cor_wrap(err, "log \"%s\"", path) : (int)given;
        }
        fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0644);
        /* a fifo without a reader is refused; one with a reader blocks, so that no line is lost */
        if (fd >= 0 && fcntl(fd, F_SETFL, O_APPEND) < 0)
                cor_fd_close(&fd);
        return fd >= 0 ? fd : cor_fail_errno(err, "open log %s", path);
}

int cor_log_open(const char *path, enum cor_log_format format, enum cor_log_level level, struct cor_err *err)
{
        int fd = path ? open_target(path, err) : STDERR_FILENO;

        if (fd < 0)
                return -1;
        if (target.fd > STDERR_FILENO && target.fd != fd)
                cor_fd_close(&target.fd);
        target.fd = fd;
        target.format = format;
        target.level = level;
        target.send = NULL;
        return 0;
}

void cor_log_to(void (*send)(enum cor_log_level level, const char *msg), enum cor_log_level level)
{
        target.send = send;
        target.level = level;
}

bool cor_log_enabled(enum cor_log_level level)
{
        return level <= target.level;
}

bool cor_log_to_stderr(void)
{
        return target.fd == STDERR_FILENO && !target.send;
}

int cor_log_fd(void)
{
        return target.fd;
}

/* Control characters would let a name chosen by an image drive the reader's terminal. */
static void add_visible(struct cor_text *t, const char *msg, bool quoted)
{
        for (const char *p = msg; *p; p++) {
                uint8_t c = (uint8_t)*p;

                if (quoted && (c == '"' || c == '\\'))
                        cor_text_printf(t, "\\%c", c);
                else if (quoted && (c == '\n' || c == '\t'))
                        cor_text_add(t, c == '\n' ? "\\n" : "\\t");
                else if ((c < 0x20 && c != '\n' && c != '\t') || c == 0x7f)
                        cor_text_printf(t, "\\x%02x", c);
                else
                        cor_text_add_c(t, *p);
        }
}

static void add_line(struct cor_text *line, enum cor_log_level level, const char *msg)
{
        if (target.format == COR_LOG_JSON) {
                cor_text_printf(line, "{\"level\":\"%s\",\"msg\":", level_names[level]);
                cor_text_add_json(line, msg);
                cor_text_add(line, ",\"time\":\"");
                cor_text_add_now(line, false);
                cor_text_add(line, "\"}\n");
        } else if (cor_log_to_stderr()) {
                cor_text_printf(line, "%s: ", program_invocation_short_name);
                if (level != COR_LOG_ERROR)
                        cor_text_printf(line, "%s: ", level_names[level]);
                add_visible(line, msg, false);
                cor_text_add_c(line, '\n');
        } else {
                cor_text_add(line, "time=\"");
                cor_text_add_now(line, false);
                cor_text_printf(line, "\" level=%s msg=\"", level_names[level]);
                add_visible(line, msg, true);
                cor_text_add(line, "\"\n");
        }
}

void cor_log(enum cor_log_level level, const char *fmt, ...)
{
        int saved = errno;
        auto_text line = COR_TEXT_INIT;
        auto_str msg = NULL;
        va_list ap;

        if (!cor_log_enabled(level))
                return;
        va_start(ap, fmt);
        if (vasprintf(&msg, fmt, ap) < 0)
                msg = cor_strdup(fmt);
        va_end(ap);
        if (target.send) {
                target.send(level, msg);
                errno = saved;
                return;
        }
        add_line(&line, level, msg);
        /* One write each: lines of several processes do not mix. Nobody is left to tell if it fails. */
        while (write(target.fd, line.s, line.len) < 0 && errno == EINTR)
                ;
        errno = saved;
}

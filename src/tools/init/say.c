#include "tools/init/say.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

static unsigned verbosity = SAY_WARNING;

void say_verbosity(unsigned level)
{
        verbosity = level;
}

void say(enum say_level level, const char *fmt, ...)
{
        static const char *const words[] = { "error", "warning", "info", "debug", "trace" };
        char line[1024];
        int saved = errno, head, body;
        size_t len;
        va_list ap;

        if (level > verbosity)
                return;

        head = snprintf(line, sizeof line, "coracle-init[%ld]: %s: ", (long)getpid(), words[level]);
        va_start(ap, fmt);
        body = vsnprintf(line + head, sizeof line - (size_t)head, fmt, ap);
        va_end(ap);

        len = (size_t)head + (size_t)(body > 0 ? body : 0);
        if (len > sizeof line - 1)
                len = sizeof line - 1;
        line[len++] = '\n'; /* one write(), so that lines of parent and child do not mix */
        (void)!write(STDERR_FILENO, line, len);
        errno = saved;
}

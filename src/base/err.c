#include "base/err.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* for the analyzer, err.h names the results of these beside the calls */
#undef cor_fail
#undef cor_fail_errno
#undef cor_fail_refused
#undef cor_wrap

static enum cor_kind kind_of_errno(int sys)
{
        switch (sys) {
        case ENOENT:
        case ESRCH:
                return COR_NOT_FOUND;
        case EEXIST:
                return COR_EXISTS;
        case EACCES:
        case EPERM:
                return COR_DENIED;
        case EBUSY:
        case EAGAIN:
                return COR_BUSY;
        case ENOSYS:
        case EOPNOTSUPP:
                return COR_UNSUPPORTED;
        case ETIMEDOUT:
                return COR_TIMEOUT;
        default:
                return COR_SYSTEM;
        }
}

int cor_fail(struct cor_err *err, enum cor_kind kind, const char *fmt, ...)
{
        va_list ap;

        if (!err)
                return -1;
        err->kind = kind;
        err->sys = 0;
        va_start(ap, fmt);
        vsnprintf(err->msg, sizeof err->msg, fmt, ap);
        va_end(ap);
        return -1;
}

int cor_fail_errno(struct cor_err *err, const char *fmt, ...)
{
        int sys = errno, len;
        va_list ap;

        if (!err)
                return -1;
        err->kind = kind_of_errno(sys);
        err->sys = sys;
        va_start(ap, fmt);
        len = vsnprintf(err->msg, sizeof err->msg, fmt, ap);
        va_end(ap);
        if (len >= 0 && (size_t)len < sizeof err->msg)
                snprintf(err->msg + len, sizeof err->msg - (size_t)len, ": %s", strerror(sys));
        errno = sys;
        return -1;
}

int cor_fail_refused(struct cor_err *err, const char *call, const char *since)
{
        int sys = errno;

        cor_fail(err, COR_UNSUPPORTED, "the kernel, or a seccomp profile around this program, refuses %s() (Linux %s)",
                 call, since);
        if (err)
                err->sys = sys;
        errno = sys;
        return -1;
}

int cor_wrap(struct cor_err *err, const char *fmt, ...)
{
        char inner[sizeof err->msg];
        va_list ap;
        int len;

        if (!err)
                return -1;
        memcpy(inner, err->msg, sizeof inner);
        va_start(ap, fmt);
        len = vsnprintf(err->msg, sizeof err->msg, fmt, ap);
        va_end(ap);
        if (len >= 0 && (size_t)len < sizeof err->msg)
                snprintf(err->msg + len, sizeof err->msg - (size_t)len, ": %s", inner);
        return -1;
}

void cor_err_clear(struct cor_err *err)
{
        err->kind = COR_OK;
        err->sys = 0;
        err->msg[0] = '\0';
}

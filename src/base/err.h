#ifndef CORACLE_BASE_ERR_H
#define CORACLE_BASE_ERR_H
/*
 * Errors: the return value says whether, the error says why. A function that can fail takes `struct cor_err *` last,
 * returns 0 or a useful number on success, and a negative value with a filled error otherwise. The error is plain data
 * of fixed size: nothing to free, and a child process hands it to its parent with one write().
 */
#include "base/cleanup.h"
#include <stdarg.h>

/* What a caller can do about an error; callers branch on this, never on the text. */
enum cor_kind {
        COR_OK = 0,
        COR_INVALID,      /* the input is wrong: tell the user where */
        COR_NOT_FOUND,    /* the named object is not there */
        COR_EXISTS,       /* the name is taken */
        COR_DENIED,       /* no permission */
        COR_BUSY,         /* right request, wrong moment (e.g. container not running) */
        COR_UNSUPPORTED,  /* this kernel, build or mode cannot do it */
        COR_TIMEOUT,      /* a wait reached its end */
        COR_SYSTEM,       /* the kernel refused; `sys` says why */
        COR_EXEC_MISSING, /* the program to run does not exist: exit code 127 */
        COR_EXEC_REFUSED, /* the program to run cannot be executed: exit code 126 */
};

struct cor_err {
        enum cor_kind kind;
        int sys;       /* errno where it began, or 0 */
        char msg[496]; /* for a person, outermost context first; truncated, always terminated */
};

/* cor_fail() - start a new error of @kind; returns -1. @err may be NULL. */
int cor_fail(struct cor_err *err, enum cor_kind kind, const char *fmt, ...) COR_PRINTF(3, 4);

/* cor_fail_errno() - start a new error from errno, ": strerror" appended; kind from errno (ENOENT -> NOT_FOUND, ...) */
int cor_fail_errno(struct cor_err *err, const char *fmt, ...) COR_PRINTF(2, 3);

/*
 * cor_fail_refused() - start a new error, UNSUPPORTED: @call is refused as a whole, by the kernel, which has it since
 * Linux @since, or by a seccomp profile; sys from errno
 */
int cor_fail_refused(struct cor_err *err, const char *call, const char *since);

/* cor_wrap() - put context and ": " in front of the message; kind and sys stay; returns -1 */
int cor_wrap(struct cor_err *err, const char *fmt, ...) COR_PRINTF(2, 3);

/* cor_err_clear() - back to "no error" */
void cor_err_clear(struct cor_err *err);

#ifdef __clang_analyzer__ /* it looks at one file at a time, and would not know what these return */
#define cor_fail(...)         (cor_fail(__VA_ARGS__), -1)
#define cor_fail_errno(...)   (cor_fail_errno(__VA_ARGS__), -1)
#define cor_wrap(...)         (cor_wrap(__VA_ARGS__), -1)
#define cor_fail_refused(...) (cor_fail_refused(__VA_ARGS__), -1)
#endif

#endif

#ifndef CORACLE_CLI_RUNTIME_LOG_TARGET_H
#define CORACLE_CLI_RUNTIME_LOG_TARGET_H
/* Where --log sends messages: a file, an open descriptor, the journal, or syslog. */
#include "base/log.h"

/*
 * log_target_open() - @target is NULL (stderr), a path, "fd:N", "file:PATH", "journald:NAME" or "syslog:NAME". Under
 * the name runc it is a path, whatever it looks like.
 */
int log_target_open(const char *target, enum cor_log_format format, enum cor_log_level level, struct cor_err *err)
        COR_MUST_CHECK;

#endif

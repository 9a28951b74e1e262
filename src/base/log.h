#ifndef CORACLE_BASE_LOG_H
#define CORACLE_BASE_LOG_H
/*
 * Logging. Library code returns errors and logs at debug at most; whoever handles an error logs it. Text goes to stderr
 * as `level: message` or, with a log file, as runc's text form; JSON is one object a line with the keys level, msg and
 * time (RFC 3339), the form containerd and docker read from `--log FILE --log-format json`.
 */
#include "base/err.h"
#include <stdbool.h>

enum cor_log_level { COR_LOG_ERROR, COR_LOG_WARN, COR_LOG_INFO, COR_LOG_DEBUG };
enum cor_log_format { COR_LOG_TEXT, COR_LOG_JSON };

/*
 * cor_log_open() - log to @path (appended to, made 0644), or stderr if it is NULL, from @level on. A fd "N" passed as
 * "fd:N" is taken as it is. Nothing else needs to be called before the first message: the default is text on stderr,
 * warnings and up.
 */
int cor_log_open(const char *path, enum cor_log_format format, enum cor_log_level level, struct cor_err *err)
        COR_MUST_CHECK;
/* cor_log_to() - hand each message from @level on to @send, which formats it itself (syslog, the journal) */
void cor_log_to(void (*send)(enum cor_log_level level, const char *msg), enum cor_log_level level);
bool cor_log_enabled(enum cor_log_level level);
bool cor_log_to_stderr(void);
int cor_log_fd(void);
void cor_log(enum cor_log_level level, const char *fmt, ...) COR_PRINTF(2, 3);

#define cor_error(...) cor_log(COR_LOG_ERROR, __VA_ARGS__)
#define cor_warn(...)  cor_log(COR_LOG_WARN, __VA_ARGS__)
#define cor_info(...)  cor_log(COR_LOG_INFO, __VA_ARGS__)
#define cor_debug(...)                                                                                                 \
        do {                                                                                                           \
                if (cor_log_enabled(COR_LOG_DEBUG))                                                                    \
                        cor_log(COR_LOG_DEBUG, __VA_ARGS__);                                                           \
        } while (0)

#endif

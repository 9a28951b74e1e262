#ifndef CORACLE_MONITOR_LOG_PACK_H
#define CORACLE_MONITOR_LOG_PACK_H
/*
 * Compressing a file without waiting for it: a child does it, with nothing of the monitor's but the two files, and says
 * by one byte in a pipe that it is done. It dies with the monitor.
 */
#include "base/err.h"
#include <stdbool.h>
#include <sys/types.h>

struct log_pack {
        pid_t pid; /* 0: nothing under way */
        int pipe;  /* readable: it is over */
};
#define LOG_PACK_INIT                                                                                                  \
        {                                                                                                              \
                .pipe = -1                                                                                             \
        }

/* log_pack_begin() - from @from to @to, both borrowed */
int log_pack_begin(struct log_pack *p, int from, int to, struct cor_err *err) COR_MUST_CHECK;
/* log_pack_end() - wait for it, @timeout_ms at most, then kill it; true if all of it is there */
bool log_pack_end(struct log_pack *p, int timeout_ms);

#endif

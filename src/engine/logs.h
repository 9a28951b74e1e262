#ifndef CORACLE_ENGINE_LOGS_H
#define CORACLE_ENGINE_LOGS_H
/* What a container has printed. */
#include "engine/engine.h"
#include "monitor/log_read.h"

struct engine_logs {
        struct log_query query;
        bool follow; /* until the container ends for good; it may be started again in between by its restart policy */
        /* called for each message; negative: stop, with the error it made */
        int (*each)(void *context, const struct log_entry *entry, struct cor_err *err);
        void *context;
        /* may be NULL; called at most once, behind the rest: "12 messages were lost: No space left on device" */
        void (*lost)(void *context, const char *text);
};
/*
 * engine_logs() - of one that was never started: nothing. UNSUPPORTED "configured logging driver does not support
 * reading". Each wait ends with the container, or with a signal (BUSY).
 */
int engine_logs(struct engine *e, const char *name, const struct engine_logs *l, struct cor_err *err) COR_MUST_CHECK;

#endif

#ifndef CORACLE_MONITOR_RESTART_H
#define CORACLE_MONITOR_RESTART_H
/*
 * Whether a container that has ended is started again, and when, as docker does it: after 100 ms, then twice as long
 * each time, at most a minute, and 100 ms again once it has run for ten seconds.
 */
#include "monitor/settings.h"

struct restart {
        int64_t delay_ms; /* the last one; 0: none yet */
        int64_t count;    /* how often by now */
};

struct restart_end {
        int code;
        bool stopped;   /* by a user */
        int64_t ran_ms; /* for how long it ran */
};

/* restart_decide() - the delay in ms until the next start, or -1: none */
int64_t restart_decide(struct restart *r, const struct restart_policy *p, const struct restart_end *end);

#endif

#include "monitor/restart.h"

enum { FIRST_MS = 100, LONGEST_MS = 60 * 1000, STEADY_MS = 10 * 1000 };

static bool wanted(const struct restart *r, const struct restart_policy *p, const struct restart_end *end)
{
        switch (p->when) {
        case RESTART_ALWAYS:
                return true;
        case RESTART_UNLESS_STOPPED:
                return !end->stopped;
        case RESTART_ON_FAILURE:
                return end->code != 0 && (p->max_retries <= 0 || r->count < p->max_retries);
        default:
                return false;
        }
}

int64_t restart_decide(struct restart *r, const struct restart_policy *p, const struct restart_end *end)
{
        if (!wanted(r, p, end))
                return -1;
        if (end->ran_ms >= STEADY_MS || r->delay_ms == 0)
                r->delay_ms = FIRST_MS;
        else
                r->delay_ms = r->delay_ms * 2 > LONGEST_MS ? LONGEST_MS : r->delay_ms * 2;
        r->count++;
        return r->delay_ms;
}

/* What the monitor does and sees, for `events`, in docker's words. */
#include "monitor/monitor.h"

#include "base/log.h"
#include "store/event.h"

#include <stdio.h>

void monitor_event_of(struct monitor *m, const struct container_row *row, const char *action, const char *key,
                      const char *value)
{
        const struct cor_pair more = { .key = key, .value = value };

        event_write_container(m->store, row, action, &more, key != NULL);
}

/* Whether somebody reads it or not, it is no reason to fail. */
static int with_row(struct monitor *m, struct container_row *row)
{
        struct cor_err err = { 0 };

        if (monitor_open_store(m, &err) == 0 && container_row_find(m->store, m->id, row, &err) == 0)
                return 0;
        cor_warn("note an event of container %s: %s", m->id, err.msg);
        return -1;
}

void monitor_event(struct monitor *m, const char *action, const char *key, const char *value)
{
        auto_container_row row = { 0 };

        if (with_row(m, &row) == 0)
                monitor_event_of(m, &row, action, key, value);
}

void monitor_event_signal(struct monitor *m, int sig)
{
        char text[16];

        snprintf(text, sizeof text, "%d", sig);
        monitor_event(m, "kill", "signal", text);
}

void monitor_event_die(struct monitor *m)
{
        auto_container_row row = { 0 };
        char code[16], duration[24];
        const struct cor_pair more[] = { { "execDuration", duration }, { "exitCode", code } };

        snprintf(code, sizeof code, "%d", (int)m->now.exit_code);
        snprintf(duration, sizeof duration, "%lld", (long long)((m->now.finished - m->now.started) / 1000000000));
        if (with_row(m, &row) == 0)
                event_write_container(m->store, &row, "die", more, COR_COUNT(more));
}

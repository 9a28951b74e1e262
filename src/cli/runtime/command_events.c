#include "cli/runtime/command.h"

#include "runtime/events.h"

#include <limits.h>
#include <unistd.h>

enum { INTERVAL_DEFAULT_MS = 5000 };

struct event_options {
        uint64_t interval_ms;
        bool stats;
};

static int run_events(struct invocation *in, struct cor_err *err)
{
        const struct event_options *o = in->options;
        uint64_t ms = o->interval_ms > 0 ? o->interval_ms : INTERVAL_DEFAULT_MS;

        if (o->stats)
                return events_once(&in->context, in->args[0], STDOUT_FILENO, err);
        return events_follow(&in->context, in->args[0], ms < INT_MAX ? (int)ms : INT_MAX, STDOUT_FILENO, err);
}

static const struct option event_rows[] = {
        OPTION_ROW("interval", 0, DURATION, struct event_options, interval_ms, "TIME", 0,
                   "Time between two statistics, 5s when not given"),
        OPTION_ROW("stats", 0, FLAG, struct event_options, stats, "", 0, "Show statistics once, and end"),
};

const struct command command_events = {
        .name = "events",
        .summary = "Show statistics and out-of-memory events of a container, a JSON object a line",
        .arguments = "CONTAINER",
        .min_args = 1,
        .max_args = 1,
        .options_size = sizeof(struct event_options),
        .options = event_rows,
        .n_options = COR_COUNT(event_rows),
        .run = run_events,
};

/* events: what happened in the store, and what happens. */
#include "cli/coracle/verb_container.h"

#include "base/date.h"
#include "cli/template.h"
#include "cli/value_doc.h"
#include "store/event.h"

#include <string.h>
#include <time.h>

struct events_options {
        const char *since, *until, *format;
        char **filters;
        size_t n_filters;
};

int verb_moment(const char *word, int64_t *ret_ns, struct cor_err *err)
{
        if (cor_moment_parse(word, ret_ns) < 0)
                return cor_fail(err, COR_INVALID, "failed to parse value as time or duration: \"%.100s\"", word);
        if (*ret_ns <= 0) /* to a query, 0 is no limit, and nothing happened before 1970 */
                *ret_ns = 1;
        return 0;
}

/* "2024-02-29T12:00:00.000000000+01:00" */
static void add_time(int64_t ns, struct cor_text *out)
{
        time_t seconds = (time_t)(ns / 1000000000);
        struct tm tm;
        char text[32], zone[8];

        if (!localtime_r(&seconds, &tm) || strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &tm) == 0 ||
            strftime(zone, sizeof zone, "%z", &tm) != 5)
                return;
        cor_text_printf(out, "%s.%09lld", text, (long long)(ns % 1000000000));
        if (tm.tm_gmtoff == 0)
                cor_text_add_c(out, 'Z');
        else
                cor_text_printf(out, "%.3s:%s", zone, zone + 3);
}

static int compare_pairs(const void *a, const void *b)
{
        const struct cor_pair *x = a, *y = b;

        return strcmp(x->key, y->key);
}

/* "TIME container create ID (image=x, name=y)" */
static void add_line(const struct docker_event *e, struct cor_text *out)
{
        auto_free struct cor_pair *sorted = cor_alloc((e->actor.n_attributes + 1) * sizeof *sorted);

        if (e->actor.n_attributes > 0) {
                memcpy(sorted, e->actor.attributes, e->actor.n_attributes * sizeof *sorted);
                qsort(sorted, e->actor.n_attributes, sizeof *sorted, compare_pairs);
        }
        add_time(e->time_nano, out);
        cor_text_printf(out, " %s %s %s", e->type, e->action, e->actor.id ? e->actor.id : "");
        for (size_t i = 0; i < e->actor.n_attributes; i++)
                cor_text_printf(out, "%s%s=%s", i > 0 ? ", " : " (", sorted[i].key, sorted[i].value);
        cor_text_add(out, e->actor.n_attributes > 0 ? ")\n" : "\n");
}

static int show(const struct docker_event *e, const struct template *t, bool json, struct cor_err *err)
{
        auto_value_pool p = value_pool_new(SIZE_MAX);
        auto_text out = COR_TEXT_INIT;

        if (json) {
                cor_json_print(&docker_event_doc, e, COR_JSON_COMPACT, &out);
                cor_text_add_c(&out, '\n');
        } else if (t) {
                if (template_run(t, value_from_doc(p, &docker_event_doc, e), 0, &out, err) < 0)
                        return cor_wrap(err, "template parsing error");
                cor_text_add_c(&out, '\n');
        } else {
                add_line(e, &out);
        }
        return verb_print(&out, err);
}

static const struct option events_rows[] = {
        OPTION_ROW_LIST(
                "filter", 'f', struct events_options, filters, n_filters, "filter",
                "Only events for which KEY=VALUE holds: type, event, container, image, volume, network, label, …"),
        OPTION_ROW("format", 0, TEXT, struct events_options, format, "string", 0,
                   "A Go template for each event, or 'json'"),
        OPTION_ROW("since", 0, TEXT, struct events_options, since, "string", 0,
                   "Show what happened since then, too: a time, or how long ago (10m)"),
        OPTION_ROW("until", 0, TEXT, struct events_options, until, "string", 0, "Show events up to then, and end"),
};

static int follow(struct store *s, const struct event_query *q, const struct template *t, bool json,
                  struct cor_err *err)
{
        auto_event_reader reader = NULL;
        const struct docker_event *e;
        int r = event_reader_open(s, q, &reader, err);

        while (r >= 0 && (r = event_reader_next(reader, true, &e, err)) > 0)
                r = show(e, t, json, err);
        return r;
}

static int run_events(struct invocation *in, struct cor_err *err)
{
        const struct events_options *o = in->options;
        bool json = o->format && strcmp(o->format, "json") == 0;
        auto_value_pool p = value_pool_new(SIZE_MAX);
        struct event_query q = { .n_filters = o->n_filters };
        auto_template t = NULL;
        auto_engine e = { 0 };

        if (verb_filters(&events_rows[0], o->filters, o->n_filters, err) < 0) {
                in->code = 125;
                return -1;
        }
        if (o->format && !json && template_parse(o->format, &t, err) < 0) {
                in->code = 64;
                return cor_wrap(err, "template parsing error");
        }
        if ((o->since && verb_moment(o->since, &q.since, err) < 0) ||
            (o->until && verb_moment(o->until, &q.until, err) < 0))
                return -1;
        q.filters = verb_filter_pairs(p, o->filters, o->n_filters);
        if (event_query_check(&q, err) < 0 || verb_engine(in, &e, err) < 0)
                return -1;
        return follow(e.store, &q, t, json, err);
}

const struct verb verb_events = {
        .summary = "Show what happens to containers, images, volumes and networks",
        .options_size = sizeof(struct events_options),
        .options = events_rows,
        .n_options = COR_COUNT(events_rows),
        .run = run_events,
};

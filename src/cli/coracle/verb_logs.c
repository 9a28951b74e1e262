/* logs: what a container has printed. */
#include "cli/coracle/verb_container.h"

#include "engine/logs.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

struct logs_options {
        bool details, follow, timestamps;
        const char *since, *until, *tail;
};

struct shower {
        const struct logs_options *options;
        FILE *last; /* where something may still wait to be written */
};

/* "2024-02-29T12:00:00.123456789Z " */
static void add_time(int64_t ns, struct cor_text *out)
{
        time_t seconds = (time_t)(ns / 1000000000);
        struct tm tm;
        char text[32];

        if (gmtime_r(&seconds, &tm) && strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &tm) > 0)
                cor_text_printf(out, "%s.%09lldZ ", text, (long long)(ns % 1000000000));
}

static void add_details(const struct log_entry *e, struct cor_text *out)
{
        for (size_t i = 0; i < e->n_attrs; i++)
                cor_text_printf(out, "%s%s=%s", i > 0 ? "," : "", e->attrs[i].key, e->attrs[i].value);
        cor_text_add_c(out, ' ');
}

/* Both streams keep the order in which they were written. */
static int show(void *context, const struct log_entry *e, struct cor_err *err)
{
        struct shower *s = context;
        FILE *to = e->stream == LOG_STDERR ? stderr : stdout;
        auto_text head = COR_TEXT_INIT;

        if (s->options->timestamps)
                add_time(e->time, &head);
        if (s->options->details)
                add_details(e, &head);
        if (s->last && s->last != to)
                fflush(s->last);
        s->last = to;
        if (head.len > 0)
                fwrite(head.s, 1, head.len, to);
        fwrite(e->text, 1, e->n, to);
        if (s->options->follow)
                fflush(to);
        return ferror(to) ? cor_fail_errno(err, "write what the container printed") : 0;
}

static void say_lost(void *context, const char *text)
{
        fflush(stdout);
        fprintf(stderr, "coracle: %s\n", text);
}

static int read_query(const struct logs_options *o, struct log_query *q, struct cor_err *err)
{
        q->tail = -1;
        if (o->tail && strcmp(o->tail, "all") != 0 && (cor_parse_i64(o->tail, &q->tail) < 0 || q->tail < -1))
                return cor_fail(err, COR_INVALID, "option --tail: expected a number, or all, found \"%.50s\"", o->tail);
        if (o->since && verb_moment(o->since, &q->since, err) < 0)
                return -1;
        return o->until ? verb_moment(o->until, &q->until, err) : 0;
}

static int run_logs(struct invocation *in, struct cor_err *err)
{
        const struct logs_options *o = in->options;
        struct shower s = { .options = o };
        struct engine_logs l = { .follow = o->follow, .each = show, .context = &s, .lost = say_lost };
        auto_engine e = { 0 };
        int r;

        if (read_query(o, &l.query, err) < 0 || verb_engine(in, &e, err) < 0)
                return -1;
        r = engine_logs(&e, in->args[0], &l, err);
        fflush(stderr);
        if (fflush(stdout) != 0 && r == 0)
                return cor_fail_errno(err, "write what the container printed");
        return r < 0 ? -1 : 0;
}

#define ROW(NAME, LETTER, TYPE, M, VALUE, HELP) OPTION_ROW(NAME, LETTER, TYPE, struct logs_options, M, VALUE, 0, HELP)

static const struct option logs_rows[] = {
        ROW("details", 0, FLAG, details, "", "Show what --log-opt labels, env and tag have noted, too"),
        ROW("follow", 'f', FLAG, follow, "", "Show what is printed from now on as well, until the container ends"),
        ROW("since", 0, TEXT, since, "string", "What was printed since then: a time, or how long ago (10m)"),
        ROW("tail", 'n', TEXT, tail, "string", "Only so many of the last lines (default all)"),
        ROW("timestamps", 't', FLAG, timestamps, "", "Show when it was printed"),
        ROW("until", 0, TEXT, until, "string", "What was printed until then"),
};

const struct verb verb_logs = {
        .summary = "Show what a container has printed",
        .arguments = "CONTAINER",
        .min_args = 1,
        .max_args = 1,
        .options_size = sizeof(struct logs_options),
        .options = logs_rows,
        .n_options = COR_COUNT(logs_rows),
        .run = run_logs,
};

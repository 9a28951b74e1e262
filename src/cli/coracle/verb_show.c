/* top, port, stats: a look into running containers. */
#include "cli/coracle/settings.h"
#include "cli/coracle/verb_container.h"

#include "base/fd.h"
#include "cli/rune.h"
#include "cli/units.h"
#include "engine/container_inspect.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* ---- top ---- */

enum { TOP_WIDTH_MIN = 20, TOP_PADDING = 3 };

static size_t width_of(const struct docker_top *t, size_t column)
{
        size_t width = rune_count(t->titles[column], strlen(t->titles[column])) + TOP_PADDING;

        for (size_t i = 0; i < t->n_processes; i++)
                if (column < t->processes[i].n_items) {
                        const char *cell = t->processes[i].items[column];
                        size_t n = rune_count(cell, strlen(cell)) + TOP_PADDING;

                        width = n > width ? n : width;
                }
        return width < TOP_WIDTH_MIN ? TOP_WIDTH_MIN : width;
}

static void add_cells(const char *const *cells, size_t n, const size_t *widths, struct cor_text *out)
{
        for (size_t i = 0; i < n; i++) {
                size_t used = rune_count(cells[i], strlen(cells[i]));

                cor_text_add(out, cells[i]);
                for (; i + 1 < n && used < widths[i]; used++)
                        cor_text_add_c(out, ' ');
        }
        cor_text_add_c(out, '\n');
}

static int run_top(struct invocation *in, struct cor_err *err)
{
        auto_json struct docker_top *top = NULL;
        auto_text out = COR_TEXT_INIT;
        auto_free size_t *widths = NULL;
        auto_engine e = { 0 };

        if (verb_engine(in, &e, err) < 0 || engine_top(&e, in->args[0], in->args + 1, in->n_args - 1, &top, err) < 0)
                return -1;
        widths = cor_alloc((top->n_titles + 1) * sizeof *widths);
        for (size_t i = 0; i < top->n_titles; i++)
                widths[i] = width_of(top, i);
        add_cells(top->titles, top->n_titles, widths, &out);
        for (size_t i = 0; i < top->n_processes; i++)
                add_cells(top->processes[i].items,
                          top->processes[i].n_items < top->n_titles ? top->processes[i].n_items : top->n_titles, widths,
                          &out);
        return verb_print(&out, err);
}

const struct verb verb_top = {
        .summary = "Show the processes of a container",
        .arguments = "CONTAINER [ps OPTIONS]",
        .min_args = 1,
        .max_args = VERB_ARGS_ANY,
        .in_order = true,
        .run = run_top,
};

/* ---- port ---- */

static int compare_lines(const void *a, const void *b)
{
        return strverscmp(*(const char *const *)a, *(const char *const *)b);
}

static void add_address(const struct docker_port_binding *b, struct cor_text *out)
{
        bool six = b->host_ip && strchr(b->host_ip, ':');

        cor_text_printf(out, "%s%s%s:%s", six ? "[" : "", b->host_ip ? b->host_ip : "", six ? "]" : "",
                        b->host_port ? b->host_port : "");
}

/* All of them, or those of @port ("80/tcp"), a line each */
static void add_ports(const struct docker_network_settings *s, const char *port, struct cor_strv *lines)
{
        for (size_t i = 0; i < s->n_ports; i++) {
                const struct docker_port_bindings *p = &s->ports[i];

                if (port && strcmp(port, p->port) != 0)
                        continue;
                for (size_t b = 0; b < p->n_items; b++) {
                        struct cor_text line = COR_TEXT_INIT;

                        if (!port)
                                cor_text_printf(&line, "%s -> ", p->port);
                        add_address(&p->items[b], &line);
                        cor_strv_take(lines, cor_text_take(&line));
                }
        }
}

static int run_port(struct invocation *in, struct cor_err *err)
{
        const char *asked = in->n_args > 1 ? in->args[1] : NULL;
        auto_json struct docker_container *c = NULL;
        auto_text out = COR_TEXT_INIT;
        auto_strv lines = { 0 };
        auto_str port = NULL;
        auto_engine e = { 0 };
        uint32_t number;

        if (asked) {
                auto_str digits = cor_strndup(asked, strcspn(asked, "/"));

                if (cor_parse_u32(digits, &number) < 0 || number > UINT16_MAX)
                        return cor_fail(err, COR_INVALID, "invalid port (%.50s)", digits);
                port = strchr(asked, '/') ? cor_strdup(asked) : cor_printf("%s/tcp", asked);
        }
        if (verb_engine(in, &e, err) < 0 || engine_inspect_container(&e, in->args[0], false, &c, err) < 0)
                return -1;
        if (c->network_settings)
                add_ports(c->network_settings, port, &lines);
        if (asked && lines.n_items == 0)
                return cor_fail(err, COR_NOT_FOUND, "No public port '%s' published for %s", asked, in->args[0]);
        if (lines.n_items > 1)
                qsort(lines.items, lines.n_items, sizeof *lines.items, compare_lines);
        for (size_t i = 0; i < lines.n_items; i++)
                cor_text_printf(&out, "%s\n", lines.items[i]);
        return verb_print(&out, err);
}

const struct verb verb_port = {
        .summary = "Show the published ports of a container",
        .arguments = "CONTAINER [PORT[/PROTOCOL]]",
        .min_args = 1,
        .max_args = 2,
        .run = run_port,
};

/* ---- stats ---- */

struct stats_options {
        bool all, no_stream, no_trunc;
        const char *format;
};

static const struct format_heading headings[] = {
        { "Container", "CONTAINER" },
        { "ID", "CONTAINER ID" },
        { "Name", "NAME" },
        { "CPUPerc", "CPU %" },
        { "MemUsage", "MEM USAGE / LIMIT" },
        { "MemPerc", "MEM %" },
        { "NetIO", "NET I/O" },
        { "BlockIO", "BLOCK I/O" },
        { "PIDs", "PIDS" },
};

/* One container that is watched */
struct watched {
        char *name;                 /* as it was given, or its id */
        struct docker_stats *stats; /* the last ones; NULL: it is gone */
};

struct watch {
        const struct stats_options *options;
        struct engine *engine;
        struct watched *items;
        size_t n_items;
};

static void watch_done(struct watch *w)
{
        for (size_t i = 0; i < w->n_items; i++) {
                free(w->items[i].name);
                cor_json_free(w->items[i].stats);
        }
        free(w->items);
}
#define auto_watch COR_CLEANUP(watch_done) struct watch

static double cpu_percent(const struct docker_stats *s)
{
        double used = (double)s->cpu.usage.total - (double)s->precpu.usage.total;
        double system = (double)s->cpu.system - (double)s->precpu.system;

        return used > 0 && system > 0 ? used / system * s->cpu.online * 100 : 0;
}

/* Without the page cache that could be given up at once */
static double memory_used(struct value_pool *p, const struct docker_stats *s)
{
        static const char *const keys[] = { "total_inactive_file", "inactive_file" };
        const struct value *stats = &value_nil, *v;
        struct cor_err ignored;
        uint64_t inactive;

        if (s->memory.stats && value_from_json(p, s->memory.stats, strlen(s->memory.stats), NULL, &stats, &ignored) < 0)
                stats = &value_nil;
        for (size_t i = 0; i < COR_COUNT(keys) && stats->kind == VALUE_MAP; i++) {
                v = value_find(stats, keys[i], strlen(keys[i]));
                if (v && value_is_text(v) && cor_parse_u64(v->text, &inactive) == 0 && inactive < s->memory.usage)
                        return (double)(s->memory.usage - inactive);
        }
        return (double)s->memory.usage;
}

static void add_block_io(const struct docker_stats *s, struct cor_text *out)
{
        uint64_t read = 0, written = 0;

        for (size_t i = 0; i < s->blkio.n_service_bytes; i++) {
                const struct docker_blkio_entry *b = &s->blkio.service_bytes[i];

                if (b->op && (*b->op == 'r' || *b->op == 'R'))
                        read += b->value;
                else if (b->op && (*b->op == 'w' || *b->op == 'W'))
                        written += b->value;
        }
        units_size((int64_t)read, 3, out);
        cor_text_add(out, " / ");
        units_size((int64_t)written, 3, out);
}

static void add_net_io(const struct docker_stats *s, struct cor_text *out)
{
        uint64_t in = 0, sent = 0;

        for (size_t i = 0; i < s->n_networks; i++) {
                in += s->networks[i].rx_bytes;
                sent += s->networks[i].tx_bytes;
        }
        units_size((int64_t)in, 3, out);
        cor_text_add(out, " / ");
        units_size((int64_t)sent, 3, out);
}

static void set_text(struct value_pool *p, struct value *row, const char *field, struct cor_text *t)
{
        value_field_text(p, row, field, t->s);
        t->len = 0;
}

/* One that is gone: nothing is known of it */
static struct value *empty_row(struct value_pool *p, const struct watched *w)
{
        struct value *row = value_struct(p, "*container.statsContext");

        value_field_text(p, row, "BlockIO", "--");
        value_field_text(p, row, "CPUPerc", "--");
        value_field_text(p, row, "Container", w->name);
        value_field_text(p, row, "ID", "");
        value_field_text(p, row, "MemPerc", "--");
        value_field_text(p, row, "MemUsage", "-- / --");
        value_field_text(p, row, "Name", "--");
        value_field_text(p, row, "NetIO", "--");
        value_field_text(p, row, "PIDs", "--");
        return row;
}

static struct value *make_row(struct value_pool *p, const struct stats_options *o, const struct watched *w)
{
        struct value *row = value_struct(p, "*container.statsContext");
        const struct docker_stats *s = w->stats;
        double memory = memory_used(p, s), limit = (double)s->memory.limit;
        auto_text t = COR_TEXT_INIT;

        row->html = true;
        add_block_io(s, &t);
        set_text(p, row, "BlockIO", &t);
        cor_text_printf(&t, "%.2f%%", cpu_percent(s));
        set_text(p, row, "CPUPerc", &t);
        value_field_text(p, row, "Container", w->name);
        cor_text_add_n(&t, s->id, o->no_trunc ? strlen(s->id) : 12);
        set_text(p, row, "ID", &t);
        cor_text_printf(&t, "%.2f%%", limit > 0 ? memory / limit * 100 : 0);
        set_text(p, row, "MemPerc", &t);
        units_binary(memory, &t);
        cor_text_add(&t, " / ");
        units_binary(limit, &t);
        set_text(p, row, "MemUsage", &t);
        value_field_text(p, row, "Name", s->name + (*s->name == '/'));
        add_net_io(s, &t);
        set_text(p, row, "NetIO", &t);
        cor_text_printf(&t, "%llu", (unsigned long long)s->pids.current);
        set_text(p, row, "PIDs", &t);
        return row;
}

static bool is_watched(const struct watch *w, const char *name)
{
        for (size_t i = 0; i < w->n_items; i++)
                if (strcmp(w->items[i].name, name) == 0)
                        return true;
        return false;
}

/* Without names: all that run, also those that came meanwhile */
static int find_running(struct watch *w, struct cor_err *err)
{
        auto_container_rows rows = { 0 };

        if (engine_containers(w->engine, false, &rows, err) < 0)
                return -1;
        for (size_t i = 0; i < rows.n_items; i++) {
                const struct container_row *r = &rows.items[i];
                bool runs = container_phase_alive(r->now.phase);

                if ((runs || w->options->all) && !is_watched(w, r->id))
                        COR_GROW(w->items, w->n_items)->name = cor_strdup(r->id);
        }
        return 0;
}

static int look(struct watch *w, bool named, struct cor_err *err)
{
        for (size_t i = 0; i < w->n_items; i++) {
                struct docker_stats *now = NULL;

                if (engine_stats(w->engine, w->items[i].name, w->items[i].stats, &now, err) < 0) {
                        if (err->kind != COR_NOT_FOUND || named)
                                return -1;
                        cor_err_clear(err);
                }
                cor_json_free(w->items[i].stats);
                w->items[i].stats = now;
        }
        return 0;
}

/* On a terminal each picture is drawn over the last one. */
static int draw(const struct watch *w, const struct format *f, bool over, struct cor_err *err)
{
        auto_value_pool p = value_pool_new(SIZE_MAX);
        auto_free const struct value **rows = cor_alloc((w->n_items + 1) * sizeof(const struct value *));
        auto_text lines = COR_TEXT_INIT, out = COR_TEXT_INIT;
        size_t n = 0;

        for (size_t i = 0; i < w->n_items; i++)
                rows[n++] = w->items[i].stats ? make_row(p, w->options, &w->items[i]) : empty_row(p, &w->items[i]);
        if (format_rows(f, rows, n, &lines, err) < 0)
                return -1;
        if (!over)
                return verb_print(&lines, err);
        cor_text_add(&out, "\033[H");
        for (size_t i = 0; i < lines.len; i++) {
                if (lines.s[i] == '\n')
                        cor_text_add(&out, "\033[K");
                cor_text_add_c(&out, lines.s[i]);
        }
        cor_text_add(&out, "\033[J");
        return verb_print(&out, err);
}

static int run_stats(struct invocation *in, struct cor_err *err)
{
        const struct stats_options *o = in->options;
        auto_json struct settings *settings = NULL;
        struct format f = { .standard = "{{.ID}}\t{{.Name}}\t{{.CPUPerc}}\t{{.MemUsage}}\t{{.MemPerc}}\t{{.NetIO}}\t"
                                        "{{.BlockIO}}\t{{.PIDs}}",
                            .headings = headings,
                            .n_headings = COR_COUNT(headings) };
        bool over = !o->no_stream && isatty(STDOUT_FILENO), named = in->n_args > 0;
        auto_engine e = { 0 };
        auto_watch w = { .options = o, .engine = &e };

        if (settings_load(&settings, err) < 0 || verb_engine(in, &e, err) < 0)
                return -1;
        f.given = o->format ? o->format : settings->stats_format;
        for (size_t i = 0; i < in->n_args; i++)
                COR_GROW(w.items, w.n_items)->name = cor_strdup(in->args[i]);
        if ((!named && find_running(&w, err) < 0) || look(&w, named, err) < 0)
                return -1;
        if (over && verb_print(&(struct cor_text){ .s = (char[]){ "\033[2J" }, .len = 4 }, err) < 0)
                return -1;
        do { /* what is used is used in a time: two looks, a second apart */
                sleep(1);
                if ((!named && find_running(&w, err) < 0) || look(&w, named, err) < 0 || draw(&w, &f, over, err) < 0)
                        return -1;
        } while (!o->no_stream);
        return 0;
}

static const struct option stats_rows[] = {
        OPTION_ROW("all", 'a', FLAG, struct stats_options, all, "", 0, "Show those that do not run, too"),
        OPTION_ROW("format", 0, TEXT, struct stats_options, format, "string", 0,
                   "A Go template for each row, 'table TEMPLATE' or 'json'"),
        OPTION_ROW("no-stream", 0, FLAG, struct stats_options, no_stream, "", 0, "Show them once"),
        OPTION_ROW("no-trunc", 0, FLAG, struct stats_options, no_trunc, "", 0, "Show ids in full"),
};

const struct verb verb_stats = {
        .summary = "Show what containers use, again and again",
        .arguments = "[CONTAINER...]",
        .max_args = VERB_ARGS_ANY,
        .options_size = sizeof(struct stats_options),
        .options = stats_rows,
        .n_options = COR_COUNT(stats_rows),
        .run = run_stats,
};

/* state, list */
#include "cli/runtime/command.h"

#include "cli/runtime/program.h"
#include "runtime/lifecycle.h"
#include "runtime/list.h"

#include <stdio.h>
#include <string.h>

enum { FORMAT_JSON = 2 };
enum { TABLE_COLUMNS = 6, TABLE_MIN_WIDTH = 12, TABLE_GAP = 3 };

static int run_state(struct invocation *in, struct cor_err *err)
{
        auto_text t = COR_TEXT_INIT;

        if (container_state_json(&in->context, in->args[0], &t, err) < 0)
                return -1;
        return command_print(t.s, t.len, err);
}

const struct command command_state = {
        .name = "state",
        .summary = "Show the state of a container as JSON",
        .arguments = "CONTAINER",
        .min_args = 1,
        .max_args = 1,
        .run = run_state,
};

struct list_options {
        bool quiet;
        int format;
};

struct cells {
        const char *text[TABLE_COLUMNS];
        char pid[12];
};

static void fill_cells(const struct container_info *c, struct cells *ret)
{
        snprintf(ret->pid, sizeof ret->pid, "%d", c->pid);
        ret->text[0] = c->id;
        ret->text[1] = ret->pid;
        ret->text[2] = c->status;
        ret->text[3] = c->bundle;
        ret->text[4] = c->created;
        ret->text[5] = c->owner;
}

static void add_row(const struct cells *row, const size_t *widths, struct cor_text *out)
{
        for (size_t i = 0; i < TABLE_COLUMNS; i++)
                cor_text_printf(out, "%-*s", i + 1 < TABLE_COLUMNS ? (int)widths[i] : 0, row->text[i]);
        cor_text_add_c(out, '\n');
}

static void print_table(const struct container_info *list, size_t n, struct cor_text *out)
{
        const struct cells head = { .text = { "ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER" } };
        size_t widths[TABLE_COLUMNS];
        struct cells row;

        for (size_t c = 0; c < TABLE_COLUMNS; c++)
                widths[c] = TABLE_MIN_WIDTH;
        for (size_t i = 0; i < n; i++) {
                fill_cells(&list[i], &row);
                for (size_t c = 0; c < TABLE_COLUMNS; c++)
                        if (strlen(row.text[c]) + TABLE_GAP > widths[c])
                                widths[c] = strlen(row.text[c]) + TABLE_GAP;
        }
        add_row(&head, widths, out);
        for (size_t i = 0; i < n; i++) {
                fill_cells(&list[i], &row);
                add_row(&row, widths, out);
        }
}

/* Its heading and columns are crun's. */
static void print_crun_table(const struct container_info *list, size_t n, struct cor_text *out)
{
        size_t width = strlen("NAME");

        for (size_t i = 0; i < n; i++)
                if (strlen(list[i].id) > width)
                        width = strlen(list[i].id);
        cor_text_printf(out, "%-*s %-9s %-8s %-39s %-30s %s\n", (int)width, "NAME", "PID", "STATUS", "BUNDLE PATH",
                        "CREATED", "OWNER");
        for (size_t i = 0; i < n; i++)
                cor_text_printf(out, "%-*s %-9d %-8s %-39s %-30s %s\n", (int)width, list[i].id, list[i].pid,
                                list[i].status, list[i].bundle, list[i].created, list[i].owner);
}

static void print_ids(const struct container_info *list, size_t n, struct cor_text *out)
{
        for (size_t i = 0; i < n; i++)
                cor_text_printf(out, "%s\n", list[i].id);
}

static int run_list(struct invocation *in, struct cor_err *err)
{
        const struct list_options *o = in->options;
        struct container_info *list;
        auto_text t = COR_TEXT_INIT;
        size_t n;

        if (container_list(&in->context, &list, &n, err) < 0)
                return -1;
        if (o->quiet)
                print_ids(list, n, &t);
        else if (o->format != FORMAT_JSON && program_kind() == PROGRAM_CRUN)
                print_crun_table(list, n, &t);
        else if (o->format != FORMAT_JSON)
                print_table(list, n, &t);
        else if (n == 0 && program_kind() == PROGRAM_RUNC)
                cor_text_add(&t, "null\n");
        else
                container_list_json(list, n, &t);
        container_list_free(list, n);
        return command_print(t.s, t.len, err);
}

static const struct option list_rows[] = {
        OPTION_ROW("format", 'f', WORD, struct list_options, format, "table|json", 0, "What the list looks like"),
        OPTION_ROW("quiet", 'q', FLAG, struct list_options, quiet, "", 0, "Show ids only, one a line"),
};

const struct command command_list = {
        .name = "list",
        .summary = "Show all containers",
        .options_size = sizeof(struct list_options),
        .options = list_rows,
        .n_options = COR_COUNT(list_rows),
        .run = run_list,
};

#include "cli/runtime/command.h"

#include "cli/runtime/program.h"
#include "runtime/lifecycle.h"
#include "runtime/ps.h"

enum { FORMAT_JSON = 2 };

struct ps_options {
        int format;
};

static void print_json(const pid_t *pids, size_t n, struct cor_text *out)
{
        cor_text_add_c(out, '[');
        for (size_t i = 0; i < n; i++)
                cor_text_printf(out, "%s%d", i > 0 ? "," : "", pids[i]);
        cor_text_add(out, "]\n");
}

/* crun's table has this one column */
static void print_numbers(const pid_t *pids, size_t n, struct cor_text *out)
{
        cor_text_add(out, "PID\n");
        for (size_t i = 0; i < n; i++)
                cor_text_printf(out, "%d\n", pids[i]);
}

static int run_ps(struct invocation *in, struct cor_err *err)
{
        const struct ps_options *o = in->options;
        auto_text t = COR_TEXT_INIT;
        auto_free pid_t *pids = NULL;
        size_t n;

        if (container_pids(&in->context, in->args[0], &pids, &n, err) < 0)
                return -1;
        if (o->format == FORMAT_JSON)
                print_json(pids, n, &t);
        else if (program_kind() == PROGRAM_CRUN)
                print_numbers(pids, n, &t);
        else if (ps_table(pids, n, in->args + 1, in->n_args - 1, &t, err) < 0)
                return -1;
        return command_print(t.s, t.len, err);
}

static const struct option ps_rows[] = {
        OPTION_ROW("format", 'f', WORD, struct ps_options, format, "table|json", 0,
                   "What is shown: the lines of ps(1), or an array of numbers"),
};

const struct command command_ps = {
        .name = "ps",
        .summary = "Show the processes of a container",
        .arguments = "CONTAINER [PS-OPTION...]",
        .flags = COMMAND_IN_ORDER,
        .min_args = 1,
        .max_args = 255,
        .options_size = sizeof(struct ps_options),
        .options = ps_rows,
        .n_options = COR_COUNT(ps_rows),
        .run = run_ps,
};

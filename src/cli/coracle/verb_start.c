/* start, attach, exec: what meets a container's streams other than by run. */
#include "cli/coracle/attach.h"
#include "cli/coracle/container_flags.h"
#include "cli/coracle/settings.h"
#include "cli/coracle/verb_container.h"

#include "base/fd.h"
#include "engine/logs.h"

#include <string.h>
#include <unistd.h>

enum { EXIT_CANNOT_RUN = 126, EXIT_NOT_FOUND = 127 };

/* What the container's Config says of its streams */
struct streams {
        bool tty, stdin_open;
};

static int read_streams(const struct container_row *row, struct streams *ret, struct cor_err *err)
{
        auto_json struct docker_config *c = NULL;

        if (cor_json_parse(&docker_config_doc, row->config, strlen(row->config), "container", &c, err) < 0)
                return -1;
        *ret = (struct streams){ .tty = c->tty, .stdin_open = c->open_stdin };
        return 0;
}

/* --detach-keys, or those of config.json */
static int read_keys(const char *given, struct detach *ret, struct cor_err *err)
{
        auto_json struct settings *s = NULL;

        if (settings_load(&s, err) < 0)
                return -1;
        return detach_parse(given ? given : s->detach_keys, ret, err) < 0 ? cor_wrap(err, "invalid detach keys") : 0;
}

/* ---- start ---- */

struct start_options {
        bool attach, interactive;
        const char *detach_keys, *checkpoint, *checkpoint_dir;
};

static int start_one(struct engine *e, const void *options, const char *name, struct cor_err *err)
{
        (void)options;
        return engine_start_container(e, name, NULL, NULL, NULL, err);
}

/* Those that could not be started are named once more at the end. */
static int start_all(struct invocation *in, struct cor_err *err)
{
        auto_text failed = COR_TEXT_INIT;
        auto_engine e = { 0 };

        if (verb_engine(in, &e, err) < 0)
                return -1;
        for (size_t i = 0; i < in->n_args; i++) {
                struct cor_err one = { 0 };
                auto_text line = COR_TEXT_INIT;

                if (start_one(&e, in->options, in->args[i], &one) == 0) {
                        cor_text_printf(&line, "%s\n", in->args[i]);
                        if (verb_print(&line, err) < 0)
                                return -1;
                        continue;
                }
                verb_say("Error: %s", one.msg);
                cor_text_printf(&failed, "%s%s", failed.len > 0 ? ", " : "", in->args[i]);
        }
        return failed.len > 0 ? cor_fail(err, COR_BUSY, "failed to start containers: %s", failed.s) : 0;
}

static int start_attached(struct invocation *in, struct cor_err *err)
{
        const struct start_options *o = in->options;
        const struct monitor_size size = attach_size();
        struct monitor_attach what = { .out = true, .err = true };
        auto_container_row row = { 0 };
        auto_attach a = { .signals = -1 };
        struct streams s;
        auto_engine e = { 0 };
        auto_fd sock = -1;

        if (in->n_args > 1)
                return cor_fail(err, COR_INVALID, "you cannot start and attach multiple containers at once");
        if (verb_engine(in, &e, err) < 0 || engine_container(&e, in->args[0], true, &row, err) < 0 ||
            read_streams(&row, &s, err) < 0 || read_keys(o->detach_keys, &a.detach, err) < 0)
                return -1;
        what.in = o->interactive && s.stdin_open;
        if (attach_check(s.tty, what.in, err) < 0)
                return -1;
        a.tty = s.tty;
        a.in = what.in;
        a.out = a.err = true;
        a.proxy = !s.tty;
        if (attach_begin(&a, err) < 0)
                return -1;
        if (engine_start_container(&e, row.id, &what, s.tty ? &size : NULL, &sock, err) < 0)
                return -1;
        return attach_monitor(&a, &e, row.id, sock, &in->code, err) < 0 ? -1 : 0;
}

static int run_start(struct invocation *in, struct cor_err *err)
{
        const struct start_options *o = in->options;

        if (o->checkpoint || o->checkpoint_dir)
                return cor_fail(err, COR_UNSUPPORTED,
                                "--checkpoint: containers are restored by coracle-runtime only, so far");
        return o->attach || o->interactive ? start_attached(in, err) : start_all(in, err);
}

static const struct option start_rows[] = {
        OPTION_ROW("attach", 'a', FLAG, struct start_options, attach, "", 0,
                   "Show what it prints, and hand signals on"),
        OPTION_ROW("checkpoint", 0, TEXT, struct start_options, checkpoint, "string", OPTION_HIDDEN, "Refused"),
        OPTION_ROW("checkpoint-dir", 0, TEXT, struct start_options, checkpoint_dir, "string", OPTION_HIDDEN, "Refused"),
        OPTION_ROW("detach-keys", 0, TEXT, struct start_options, detach_keys, "string", 0,
                   "Keys that detach from it (default ctrl-p,ctrl-q)"),
        OPTION_ROW("interactive", 'i', FLAG, struct start_options, interactive, "", 0, "Give it what is typed here"),
};

const struct verb verb_start = {
        .summary = "Start containers",
        .arguments = "CONTAINER [CONTAINER...]",
        .min_args = 1,
        .max_args = VERB_ARGS_ANY,
        .options_size = sizeof(struct start_options),
        .options = start_rows,
        .n_options = COR_COUNT(start_rows),
        .run = run_start,
};

/* ---- attach ---- */

struct attach_options {
        bool logs, no_stdin, no_sig_proxy;
        const char *detach_keys;
};

static int check_attachable(const struct container_row *r, struct cor_err *err)
{
        switch (r->now.phase) {
        case CONTAINER_PHASE_RUNNING:
                return 0;
        case CONTAINER_PHASE_PAUSED:
                return cor_fail(err, COR_BUSY, "You cannot attach to a paused container, unpause it first");
        case CONTAINER_PHASE_RESTARTING:
                return cor_fail(err, COR_BUSY, "You cannot attach to a restarting container, wait until it is running");
        default:
                return cor_fail(err, COR_BUSY, "You cannot attach to a stopped container, start it first");
        }
}

/* Another size for a moment: so programs draw their screen anew. */
static int redraw(int sock, struct cor_err *err)
{
        struct monitor_size size = attach_size();

        if (size.rows == 0)
                return 0;
        size.rows++;
        size.columns++;
        return monitor_send(sock, MONITOR_RESIZE, &size, sizeof size, err);
}

static int show_entry(void *context, const struct log_entry *e, struct cor_err *err)
{
        return cor_write_full(e->stream == LOG_STDERR ? STDERR_FILENO : STDOUT_FILENO, e->text, e->n, err);
}

/* What it printed before, and from there on all of it: it is held back until the ATTACH that follows. */
static int attach_with_logs(struct engine *e, const char *id, int *ret_sock, struct cor_err *err)
{
        const struct monitor_attach hold = { .logs = true };
        const struct engine_logs all = { .query = { .tail = -1 }, .each = show_entry };
        auto_fd sock = -1;

        if (engine_attach_container(e, id, &hold, &sock, err) < 0 || engine_logs(e, id, &all, err) < 0)
                return -1;
        *ret_sock = cor_fd_take(&sock);
        return 0;
}

static int run_attach(struct invocation *in, struct cor_err *err)
{
        const struct attach_options *o = in->options;
        struct monitor_attach what = { .out = true, .err = true };
        auto_container_row row = { 0 };
        auto_attach a = { .signals = -1 };
        struct streams s;
        auto_engine e = { 0 };
        auto_fd sock = -1;

        if (verb_engine(in, &e, err) < 0 || engine_container(&e, in->args[0], true, &row, err) < 0 ||
            check_attachable(&row, err) < 0 || read_streams(&row, &s, err) < 0 ||
            attach_check(s.tty, !o->no_stdin, err) < 0 || read_keys(o->detach_keys, &a.detach, err) < 0)
                return -1;
        what.in = !o->no_stdin && s.stdin_open;
        a.tty = s.tty;
        a.in = what.in;
        a.out = a.err = true;
        a.proxy = !o->no_sig_proxy && !s.tty;
        if (o->logs && attach_with_logs(&e, row.id, &sock, err) < 0)
                return -1;
        if (attach_begin(&a, err) < 0)
                return -1;
        if ((sock < 0 ? engine_attach_container(&e, row.id, &what, &sock, err)
                      : monitor_send(sock, MONITOR_ATTACH, &what, sizeof what, err)) < 0 ||
            (s.tty && redraw(sock, err) < 0))
                return -1;
        return attach_monitor(&a, &e, row.id, sock, &in->code, err) < 0 ? -1 : 0;
}

static const struct option attach_rows[] = {
        OPTION_ROW("detach-keys", 0, TEXT, struct attach_options, detach_keys, "string", 0,
                   "Keys that detach from it (default ctrl-p,ctrl-q)"),
        OPTION_ROW("logs", 0, FLAG, struct attach_options, logs, "", 0, "Show first what it printed before"),
        OPTION_ROW("no-stdin", 0, FLAG, struct attach_options, no_stdin, "", 0, "Do not give it what is typed here"),
        OPTION_ROW("sig-proxy", 0, FLAG, struct attach_options, no_sig_proxy, "", OPTION_OFF,
                   "Hand signals on to its first process; on unless it is =false"),
};

const struct verb verb_attach = {
        .summary = "Join the streams of a running container",
        .arguments = "CONTAINER",
        .min_args = 1,
        .max_args = 1,
        .options_size = sizeof(struct attach_options),
        .options = attach_rows,
        .n_options = COR_COUNT(attach_rows),
        .run = run_attach,
};

/* ---- exec ---- */

struct exec_flags {
        bool detach, interactive, privileged, tty;
        const char *detach_keys, *user, *workdir;
        struct flag_list env, env_file;
};

static int fail_exec(struct invocation *in, const struct cor_err *err)
{
        in->code = err->kind == COR_EXEC_MISSING ? EXIT_NOT_FOUND : err->kind == COR_EXEC_REFUSED ? EXIT_CANNOT_RUN : 1;
        return -1;
}

static int exec_attached(struct invocation *in, struct engine *e, const struct container_exec *x, struct cor_err *err)
{
        const struct exec_flags *f = in->options;
        auto_attach a = { .tty = x->tty, .in = x->in, .out = true, .err = true, .signals = -1 };
        auto_exec_process p = { .pidfd = -1, .terminal = -1, .in = -1, .out = -1, .err = -1 };

        if (attach_check(x->tty, x->in, err) < 0 || read_keys(f->detach_keys, &a.detach, err) < 0 ||
            attach_begin(&a, err) < 0)
                return -1;
        if (engine_exec(e, in->args[0], x, &p, err) < 0)
                return fail_exec(in, err);
        return attach_exec(&a, &p, &in->code, err) < 0 ? -1 : 0;
}

static int run_exec(struct invocation *in, struct cor_err *err)
{
        const struct exec_flags *f = in->options;
        auto_container_request memory = container_request_new();
        struct container_exec x = { .args = (const char *const *)in->args + 1,
                                    .n_args = in->n_args - 1,
                                    .user = f->user,
                                    .working_dir = f->workdir,
                                    .tty = f->tty,
                                    .privileged = f->privileged,
                                    .detach = f->detach,
                                    .in = f->interactive && !f->detach,
                                    .size = attach_size() };
        auto_exec_process none = { .pidfd = -1, .terminal = -1, .in = -1, .out = -1, .err = -1 };
        const char **env = NULL;
        auto_engine e = { 0 };

        if (container_env(memory, &f->env_file, &f->env, &env, &x.n_env, err) < 0)
                return -1;
        x.env = env;
        if (verb_engine(in, &e, err) < 0)
                return -1;
        if (!f->detach)
                return exec_attached(in, &e, &x, err);
        return engine_exec(&e, in->args[0], &x, &none, err) < 0 ? fail_exec(in, err) : 0;
}

#define EXEC_ROW(NAME, LETTER, TYPE, M, VALUE, HELP)                                                                   \
        OPTION_ROW(NAME, LETTER, TYPE, struct exec_flags, M, VALUE, 0, HELP)

static const struct option exec_rows[] = {
        EXEC_ROW("detach", 'd', FLAG, detach, "", "Leave it running in the background"),
        EXEC_ROW("detach-keys", 0, TEXT, detach_keys, "string", "Keys that detach from it (default ctrl-p,ctrl-q)"),
        OPTION_ROW_LIST("env", 'e', struct exec_flags, env.items, env.n_items, "list",
                        "A variable, KEY=VALUE, or KEY with its value here"),
        OPTION_ROW_LIST("env-file", 0, struct exec_flags, env_file.items, env_file.n_items, "list",
                        "A file of variables"),
        EXEC_ROW("interactive", 'i', FLAG, interactive, "", "Keep stdin open"),
        EXEC_ROW("privileged", 0, FLAG, privileged, "", "Give it all rights"),
        EXEC_ROW("tty", 't', FLAG, tty, "", "Give it a terminal"),
        EXEC_ROW("user", 'u', TEXT, user, "string", "Its user, NAME|UID[:GROUP|GID]"),
        EXEC_ROW("workdir", 'w', TEXT, workdir, "string", "The folder that it works in"),
};

const struct verb verb_exec = {
        .enters = true,
        .summary = "Run a command in a running container",
        .arguments = "CONTAINER COMMAND [ARG...]",
        .min_args = 2,
        .max_args = VERB_ARGS_ANY,
        .in_order = true,
        .options_size = sizeof(struct exec_flags),
        .options = exec_rows,
        .n_options = COR_COUNT(exec_rows),
        .run = run_exec,
};

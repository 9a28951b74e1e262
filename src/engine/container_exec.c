/* exec: a further process in a running container, as a child of whoever asks for it, or of the monitor. */
#include "engine/container_internal.h"

#include "base/fd.h"
#include "base/file.h"
#include "base/process.h"
#include "engine/spec_user.h"
#include "linux/caps.h"
#include "monitor/other_runtime.h"
#include "runtime/spawn.h"
#include "store/event.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <unistd.h>

/* ----------------------------------------------------------------------------------------------------------- events */

enum { ID_BYTES = 32, CODE_REFUSED = 126, CODE_MISSING = 127 };

/* What is told of a process: docker knows each by an id, and so do its events. */
struct exec_note {
        struct engine *engine;
        struct container_row row;
        char id[2 * ID_BYTES + 1];
};

static void exec_note_free(struct exec_note **n)
{
        if (*n)
                container_row_done(&(*n)->row);
        free(*n);
        *n = NULL;
}

/* Takes @row. */
static struct exec_note *exec_note_new(struct engine *e, struct container_row *row)
{
        struct exec_note *n = cor_alloc(sizeof *n);
        uint8_t bytes[ID_BYTES];

        n->engine = e;
        n->row = *row;
        *row = (struct container_row){ 0 };
        if (getrandom(bytes, sizeof bytes, 0) != sizeof bytes)
                memset(bytes, 0, sizeof bytes);
        for (size_t i = 0; i < sizeof bytes; i++)
                snprintf(n->id + 2 * i, 3, "%02x", bytes[i]);
        return n;
}

/* "exec_start: sh -c ls", with the id and one attribute more */
static void tell(const struct exec_note *n, const char *action, const struct container_exec *x,
                 const struct cor_pair *more)
{
        struct cor_pair pairs[2] = { { "execID", n->id } };
        auto_text text = COR_TEXT_INIT;

        cor_text_add(&text, action);
        for (size_t i = 0; x && i < x->n_args; i++)
                cor_text_printf(&text, "%s%s", i ? " " : ": ", x->args[i]);
        if (more)
                pairs[1] = *more;
        event_write_container(n->engine->store, &n->row, text.s, pairs, more ? 2 : 1);
}

static void tell_end(const struct exec_note *n, int code)
{
        char text[16];

        snprintf(text, sizeof text, "%d", code);
        tell(n, "exec_die", NULL, &(struct cor_pair){ "exitCode", text });
}

void engine_exec_detached(const struct exec_process *p)
{
        if (p->note)
                tell(p->note, "exec_detach", NULL, NULL);
}

/* --------------------------------------------------------------------------------------------------- its parameters */

void exec_process_done(struct exec_process *p)
{
        exec_note_free(&p->note);
        cor_fd_close(&p->pidfd);
        cor_fd_close(&p->terminal);
        cor_fd_close(&p->in);
        cor_fd_close(&p->out);
        cor_fd_close(&p->err);
}

static int check_running(const struct container_row *r, struct cor_err *err)
{
        if (r->now.phase == CONTAINER_PHASE_PAUSED)
                return cor_fail(err, COR_BUSY, "Container %s is paused, unpause the container before exec", r->id);
        if (r->now.phase == CONTAINER_PHASE_RESTARTING)
                return cor_fail(err, COR_BUSY, "Container %s is restarting, wait until the container is running",
                                r->id);
        return container_runs(r) ? 0 : container_not_running(r, err);
}

/* A pipe: the container's end in *theirs, the other one in *ours. */
static int make_pipe(int *ours, int *theirs, bool to_container, struct cor_err *err)
{
        int fds[2];

        if (pipe2(fds, O_CLOEXEC) < 0)
                return cor_fail_errno(err, "pipe");
        *ours = fds[to_container];
        *theirs = fds[!to_container];
        return 0;
}

static int make_pipes(const struct container_exec *x, struct exec_process *p, struct spawn_stdio *s,
                      struct cor_err *err)
{
        if (x->tty)
                return 0;
        if (x->in && make_pipe(&p->in, &s->fd[0], true, err) < 0)
                return -1;
        return make_pipe(&p->out, &s->fd[1], false, err) < 0 ? -1 : make_pipe(&p->err, &s->fd[2], false, err);
}

/* ------------------------------------------------------------------------------------------------------ what is run */

/* "NAME=VALUE" in the place of the one that is there; what an earlier one had is let go with the document. */
static void set_variable(const char **env, size_t *n, const char *entry)
{
        size_t name = strcspn(entry, "=");

        for (size_t i = 0; i < *n; i++)
                if (strncmp(env[i], entry, name + 1) == 0) {
                        env[i] = entry;
                        return;
                }
        env[(*n)++] = entry;
        env[*n] = NULL;
}

static void make_environment(struct oci_config *c, struct oci_process *p, const struct container_exec *x)
{
        const char **env = cor_json_alloc(c, (p->n_env + x->n_env + 2) * sizeof *env);
        size_t n = 0;

        for (size_t i = 0; i < p->n_env; i++)
                env[n++] = p->env[i];
        if (x->tty)
                set_variable(env, &n, "TERM=xterm");
        for (size_t i = 0; i < x->n_env; i++)
                set_variable(env, &n, x->env[i]);
        p->env = env;
        p->n_env = n;
}

/* The user, as the container's files have it now. */
static int make_user(const struct container_row *r, struct oci_config *c, const char *user, struct cor_err *err)
{
        auto_json struct docker_host_config *host = NULL;
        auto_str path = cor_printf("/proc/%d/root", (int)r->now.pid);
        auto_fd root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        const struct cor_procid init = { .pid = r->now.pid, .start_time = r->now.pid_start_time };
        auto_spec_user u = { 0 };

        if (root < 0 || !cor_procid_alive(&init)) /* or it would be somebody else's root */
                return container_not_running(r, err);
        if (cor_json_parse(&docker_host_config_doc, r->host_config, strlen(r->host_config), r->name, &host, err) < 0 ||
            spec_user_find(root, user, host->group_add, host->n_group_add, &u, err) < 0)
                return -1;
        c->process->user = (struct oci_user){ .uid = u.uid, .gid = u.gid, .n_additional_gids = u.n_gids };
        c->process->user.additional_gids = cor_json_alloc(c, (u.n_gids + 1) * sizeof *u.gids);
        memcpy(c->process->user.additional_gids, u.gids, u.n_gids * sizeof *u.gids);
        return 0;
}

/* --privileged: all capabilities that we have ourselves, and no filter of system calls is the runtime's matter. */
static int make_privileged(struct oci_config *c, struct cor_err *err)
{
        struct oci_caps *caps = cor_json_alloc(c, sizeof *caps);
        struct caps now;
        size_t n = 0;
        const char **names;

        if (caps_current(true, &now, err) < 0)
                return -1;
        names = cor_json_alloc(c, 65 * sizeof *names);
        for (int i = 0; caps_name(i); i++)
                if (now.bounding & 1ULL << i)
                        names[n++] = caps_name(i);
        *caps = (struct oci_caps){ .bounding = names,
                                   .effective = names,
                                   .permitted = names,
                                   .n_bounding = n,
                                   .n_effective = n,
                                   .n_permitted = n };
        c->process->capabilities = caps;
        return 0;
}

static int make_process(struct engine *e, const struct container_row *r, const struct container_exec *x, char **ret,
                        struct cor_err *err)
{
        auto_json struct oci_config *c = NULL;
        auto_text text = COR_TEXT_INIT;
        struct oci_process *p;

        if (container_config_read(e, r->id, &c, err) < 0)
                return -1;
        p = c->process;
        p->args = cor_json_alloc(c, (x->n_args + 1) * sizeof *p->args);
        memcpy(p->args, x->args, x->n_args * sizeof *p->args);
        p->n_args = x->n_args;
        p->terminal = x->tty;
        p->console_size = NULL;
        if (x->tty && x->size.rows) {
                p->console_size = cor_json_alloc(c, sizeof *p->console_size);
                *p->console_size = (struct oci_box){ .height = x->size.rows, .width = x->size.columns };
        }
        if (x->working_dir && *x->working_dir)
                p->cwd = x->working_dir;
        make_environment(c, p, x);
        if (x->user && *x->user && make_user(r, c, x->user, err) < 0)
                return -1;
        if (x->privileged && make_privileged(c, err) < 0)
                return -1;
        cor_json_print(&oci_process_doc, p, COR_JSON_COMPACT, &text);
        *ret = cor_text_take(&text);
        return 0;
}

/* ------------------------------------------------------------------------------------------------------- running it */

static const struct exec_process nothing = { .pidfd = -1, .terminal = -1, .in = -1, .out = -1, .err = -1 };

static int spawn(struct engine *e, const struct container_exec *x, const char *process, const struct spawn_stdio *stdio,
                 struct exec_process *p, struct cor_err *err)
{
        const char *id = p->note->row.id;
        const struct exec_options options = { .id = id, .process_json = process };
        auto_engine_runtime runtime = { .root = NULL };
        auto_container_other other = { 0 };

        if (engine_runtime_open(e, &runtime, err) < 0 || container_other(e, id, &other, err) < 0)
                return -1;
        if (other.program)
                return other_runtime_exec(&(struct other_exec){ .program = other.program,
                                                                .run = other.run,
                                                                .id = id,
                                                                .name = p->note->id,
                                                                .process = process,
                                                                .stdio = { stdio->fd[0], stdio->fd[1], stdio->fd[2] },
                                                                .tty = x->tty },
                                          &p->pid, &p->terminal, err);
        return exec_spawn(&runtime.context, &options, stdio, &p->pid, &p->terminal, err);
}

static int run(struct engine *e, const struct container_exec *x, const char *process, struct exec_process *p,
               struct cor_err *err)
{
        struct spawn_stdio stdio = { { -1, -1, -1 } };
        int done = -1;

        if (make_pipes(x, p, &stdio, err) == 0)
                done = spawn(e, x, process, &stdio, p, err);
        for (int i = 0; i < 3; i++)
                cor_fd_close(&stdio.fd[i]);
        return done;
}

static int run_detached(struct engine *e, const struct container_exec *x, const char *process,
                        const struct exec_process *p, struct cor_err *err)
{
        struct monitor_exec how = { .tty = x->tty };

        memcpy(how.id, p->note->id, sizeof how.id);
        return container_monitor_exec(e, &p->note->row, &how, process, err);
}

int engine_exec(struct engine *e, const char *name, const struct container_exec *x, struct exec_process *ret,
                struct cor_err *err)
{
        auto_exec_process p = nothing;
        auto_container_row row = { 0 };
        auto_str process = NULL;

        *ret = nothing;
        if (engine_container(e, name, true, &row, err) < 0 || check_running(&row, err) < 0 ||
            make_process(e, &row, x, &process, err) < 0)
                return -1;
        p.note = exec_note_new(e, &row);
        tell(p.note, "exec_create", x, NULL);
        tell(p.note, "exec_start", x, NULL);
        if ((x->detach ? run_detached(e, x, process, &p, err) : run(e, x, process, &p, err)) < 0) {
                tell_end(p.note, err->kind == COR_EXEC_MISSING ? CODE_MISSING : CODE_REFUSED);
                return -1;
        }
        if (x->detach)
                return 0;
        p.pidfd = cor_pidfd_open(p.pid, err);
        if (p.pidfd < 0)
                return -1;
        *ret = p;
        p = nothing;
        return 0;
}

int engine_exec_wait(struct exec_process *p, int *ret_code, struct cor_err *err)
{
        int status;

        while (waitpid(p->pid, &status, 0) < 0)
                if (errno != EINTR)
                        return cor_fail_errno(err, "wait for process %d", (int)p->pid);
        *ret_code = cor_status_code(status);
        if (p->note)
                tell_end(p->note, *ret_code);
        return 0;
}

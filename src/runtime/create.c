/*
 * create, start and run, in the runtime's own process: the parent of the container's init. It stays in the host's
 * namespaces with the caller's rights. What it makes, in this order, and undoes in reverse when anything fails:
 * the container's folder, its record, its cgroup, its first process.
 */
#include "runtime/create.h"

#include "base/fd.h"
#include "base/file.h"
#include "base/log.h"
#include "linux/namespace.h"
#include "linux/netdev.h"
#include "linux/resctrl.h"
#include "linux/terminal.h"
#include "runtime/creation.h"
#include "runtime/hooks.h"
#include "runtime/lifecycle.h"
#include "runtime/message.h"
#include "runtime/notify.h"
#include "runtime/plan.h"
#include "runtime/start.h"
#include "runtime/teardown.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* The socket that init will listen on, inside the container's folder: as long a path as it likes, by way of its fd. */
static int make_start_socket(struct plan *p, struct cor_err *err)
{
        struct sockaddr_un addr = { .sun_family = AF_UNIX };
        auto_fd sock = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

        snprintf(addr.sun_path, sizeof addr.sun_path, "/proc/self/fd/%d/" CONTAINER_START_SOCKET, p->container.dirfd);
        if (sock < 0 || bind(sock, (struct sockaddr *)&addr, sizeof addr) < 0 || listen(sock, 1) < 0)
                return cor_fail_errno(err, "make the start socket");
        p->listen_fd = cor_fd_take(&sock);
        return 0;
}

/* --- the first process -------------------------------------------------------------------------------------------- */

static int clone_init(struct creation *c, struct cor_err *err)
{
        const struct plan *p = c->plan;
        bool into_cgroup;
        pid_t pid = plan_clone(p, p->intermediate ? 0 : p->new_flags, false, &into_cgroup, err);

        if (pid < 0)
                return -1;
        if (pid == 0) {
                int parent = p->sync_parent;

                close(parent);
                if (p->intermediate)
                        intermediate_run(p);
                init_run(p, into_cgroup);
        }
        c->init = pid;
        c->hooks_due = p->config->hooks != NULL;
        return 0;
}

/* The intermediate process asks for maps, tells the pid of init, and ends. */
static int follow_intermediate(struct creation *c, struct cor_err *err)
{
        const struct plan *p = c->plan;
        pid_t first = c->init;
        struct message m;

        for (;;) {
                if (creation_next(c, &m, NULL, err) < 0)
                        return -1;
                if (m.type == MSG_PID)
                        break;
                if (m.type != MSG_MAP)
                        return cor_fail(err, COR_SYSTEM,
                                        m.type == MSG_EOF
                                                ? "the process that joins namespaces ended unexpectedly"
                                                : "an unexpected message from the process that joins namespaces");
                if (idmap_write(p->procfs, first, &p->idmap, err) < 0 ||
                    message_send(p->sync_parent, MSG_SETUP, 0, err) < 0)
                        return -1;
        }
        c->init = m.value;
        creation_reap(first);
        return 0;
}

static int move_netdevices(const struct plan *p, pid_t init, struct cor_err *err)
{
        const struct oci_linux *l = p->config->linux_;
        auto_fd netns = -1;

        if (l->n_net_devices == 0)
                return 0;
        netns = namespace_open_pid(p->procfs, init, CLONE_NEWNET, err);
        if (netns < 0)
                return -1;
        return netdev_move_all(p->procfs, netns, l->net_devices, l->n_net_devices, err);
}

/* What only the parent may do for the new process, before init looks at anything. */
static int setup_init(struct creation *c, struct cor_err *err)
{
        struct plan *p = c->plan;
        const struct oci_process *proc = p->config->process;

        if (p->intermediate && follow_intermediate(c, err) < 0)
                return -1;
        if (p->user_new && !p->intermediate && idmap_write(p->procfs, c->init, &p->idmap, err) < 0)
                return -1;
        if (p->cgroup_attach && cgroup_attach(p->cgroup, c->init, err) < 0)
                return -1;
        if (p->userns && p->user_new) {
                uint32_t uid = 0, gid = 0;

                if (idmap_to_host(p->idmap.uids, p->idmap.n_uids, 0, &uid) &&
                    idmap_to_host(p->idmap.gids, p->idmap.n_gids, 0, &gid) &&
                    cgroup_chown(p->cgroup, uid, gid, err) < 0)
                        return -1;
        }
        if (p->userns && p->options->given)
                process_lend_stdio(p->options->given->stdio, p->config->linux_, proc->user.uid);
        if (proc->oom_score_adj.set &&
            process_set_oom_score(p->procfs, c->init, proc->oom_score_adj.value, p->ctx->rootless, err) < 0)
                return -1;
        if (p->config->linux_->intel_rdt &&
            resctrl_setup(p->config->linux_->intel_rdt, p->options->id, c->init, &c->clos, err) < 0)
                return -1;
        if (move_netdevices(p, c->init, err) < 0)
                return -1;
        return p->wait_setup ? message_send(p->sync_parent, MSG_SETUP, 0, err) : 0;
}

static int delegate(struct creation *c, struct cor_err *err)
{
        const struct plan *p = c->plan;
        uint32_t uid = 0, gid = 0;

        if (p->user_new) {
                (void)idmap_to_host(p->idmap.uids, p->idmap.n_uids, 0, &uid);
                (void)idmap_to_host(p->idmap.gids, p->idmap.n_gids, 0, &gid);
        }
        if (cgroup_delegate(p->cgroup, c->init, uid, gid, err) < 0)
                return -1;
        return message_send(p->sync_parent, MSG_SETUP, 0, err);
}

static int follow_init(struct creation *c, struct cor_err *err)
{
        for (;;) {
                auto_fd fd = -1;
                struct message m;
                int r = 0;

                if (creation_next(c, &m, &fd, err) < 0)
                        return -1;
                switch (m.type) {
                case MSG_READY:
                        return c->plan->userns ? process_parent_limits(&c->plan->process, c->init, err) : 0;
                case MSG_MOUNTED:
                        r = creation_hooks(c, err);
                        if (r == 0)
                                r = message_send(c->plan->sync_parent, MSG_HOOKS_DONE, 0, err);
                        break;
                case MSG_CONSOLE:
                        r = creation_take_console(c, &fd, err);
                        break;
                case MSG_DELEGATE:
                        r = delegate(c, err);
                        break;
                default:
                        return cor_fail(err, COR_SYSTEM,
                                        m.type == MSG_EOF
                                                ? "container init was killed (out of memory? the limit may be too low)"
                                                : "an unexpected message from the container's init");
                }
                if (r < 0)
                        return -1;
        }
}

static int build(struct creation *c, const char *config, size_t config_len, bool listen_for_start, struct cor_err *err)
{
        struct plan *p = c->plan;
        const struct create_options *o = p->options;
        const char *pidfd_socket = o->pidfd_socket;

        if (!pidfd_socket)
                pidfd_socket = oci_annotation(p->config, "run.oci.pidfd_receiver");
        if (creation_make_folder(c, config, config_len, err) < 0)
                return -1;
        if (listen_for_start && make_start_socket(p, err) < 0)
                return -1;
        if (creation_make_cgroup(p, err) < 0 || clone_init(c, err) < 0)
                return -1;
        cor_fd_close(&p->sync_child);
        if (setup_init(c, err) < 0 || creation_record_init(c, err) < 0 || follow_init(c, err) < 0)
                return -1;
        if (creation_ready(c, err) < 0)
                return -1;
        return start_announce(o->pid_file, pidfd_socket, c->init, err);
}

int creation_build(struct creation *c, const struct runtime_context *ctx, const struct create_options *o,
                   struct plan *p, struct foreground *fg, bool listen_for_start, struct cor_err *err)
{
        auto_str config = NULL;
        size_t config_len = 0;

        *c = (struct creation){ .plan = p, .fg = fg, .master = -1 };
        if (plan_make(ctx, o, p, &config, &config_len, err) < 0)
                return -1;
        if (build(c, config, config_len, listen_for_start, err) == 0)
                return 0;
        creation_undo(c);
        if (err && err->kind != COR_EXISTS)
                cor_wrap(err, "unable to start container process");
        return -1;
}

int container_create(const struct runtime_context *ctx, const struct create_options *o, struct cor_err *err)
{
        struct create_options options = *o;
        auto_plan p;
        COR_CLEANUP(creation_done) struct creation c = { .master = -1 };

        plan_init(&p);
        options.detach = true;
        if (creation_build(&c, ctx, &options, &p, NULL, true, err) < 0)
                return -1;
        if (message_send(p.sync_parent, MSG_RECORDED, 0, err) < 0) {
                creation_undo(&c);
                return cor_wrap(err, "unable to start container process");
        }
        return 0;
}

int creation_start(struct creation *c, struct notify *notify, struct cor_err *err)
{
        struct plan *p = c->plan;
        struct hook_state state = creation_state(c, "created");
        struct watch watch = creation_watch(c);

        if (notify_listen(p->container.dirfd, notify, err) < 0 || message_send(p->sync_parent, MSG_START, 0, err) < 0 ||
            start_drive_exec(&watch, p->sync_parent, p->config, &p->seccomp, &state, err) < 0) {
                creation_undo(c);
                return cor_wrap(err, "unable to start container process");
        }
        return start_poststart(p->config, state, err);
}

/* --- run ---------------------------------------------------------------------------------------------------------- */

/*
 * Keys are the program's from its first moment. But until startContainer hooks have run there is no program, nobody
 * reads them, and Ctrl-C has to mean us.
 */
static int prepare_terminal(struct foreground *fg, const struct creation *c, struct cor_err *err)
{
        const struct oci_hooks *h = c->plan->config->hooks;

        if (foreground_terminal(fg, c->master, err) < 0)
                return -1;
        return h && h->n_start_container ? 0 : foreground_raw(fg, err);
}

int container_run(const struct runtime_context *ctx, const struct create_options *o, int *ret_code, struct cor_err *err)
{
        COR_CLEANUP(foreground_done) struct foreground fg = FOREGROUND_INIT;
        COR_CLEANUP(creation_done) struct creation c = { .master = -1 };
        auto_notify notify = NOTIFY_INIT;
        auto_plan p;

        plan_init(&p);
        if (!o->detach && foreground_init(&fg, !o->no_subreaper, err) < 0)
                return -1;
        if (creation_build(&c, ctx, o, &p, o->detach ? NULL : &fg, false, err) < 0)
                return -1;
        if (!o->detach && prepare_terminal(&fg, &c, err) < 0) {
                creation_undo(&c);
                return -1;
        }
        if (creation_start(&c, &notify, err) < 0)
                return -1;
        if (!o->detach && foreground_raw(&fg, err) < 0) {
                creation_undo(&c);
                return -1;
        }
        if (o->detach) {
                *ret_code = 0;
                return notify_wait(&notify, &p.container, &(struct cor_procid){ c.record.pid, c.record.start_time },
                                   err);
        }
        fg.notify = &notify;
        if (foreground_wait(&fg, c.init, ret_code, err) < 0)
                return -1;
        if (o->keep)
                return 0;
        c.init = 0;
        creation_undo(&c);
        return 0;
}

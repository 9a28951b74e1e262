/*
 * exec: a further process in a running container. The parent looks everything up, prepares its pid namespace for
 * children and clones once; the child enters all other namespaces of init in one call and goes the same last steps as a
 * container's init (runtime/process.h). Peers in the container may be hostile and see the child from its first moment:
 * it is non-dumpable from before the clone, and its binary is a read-only clone (CVE-2019-5736).
 */
#include "runtime/exec.h"

#include "base/fd.h"
#include "base/log.h"
#include "linux/bitlist.h"
#include "linux/keyring.h"
#include "linux/lsm.h"
#include "linux/namespace.h"
#include "linux/procfs.h"
#include "linux/resctrl.h"
#include "linux/sched.h"
#include "linux/terminal.h"
#include "runtime/exec_process.h"
#include "runtime/foreground.h"
#include "runtime/message.h"
#include "runtime/plan.h"
#include "runtime/spawn.h"
#include "runtime/start.h"
#include "runtime/watch.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { REAP_TIMEOUT_MS = 10000, OOM_SCORE_SIZE = 16 };

struct exec_plan {
        const struct exec_options *options;
        struct container container;
        struct oci_config *config;
        struct oci_process *owned; /* a process.json, or NULL */
        struct oci_process *process;
        struct process_plan plan;
        struct seccomp_program seccomp;
        struct cgroup *cgroup;
        struct cgroup_entry entry;
        bool has_cpus[2];
        struct bitlist cpus[2]; /* before and after entering the cgroup */
        int namespaces;         /* CLONE_NEW… to enter */
        bool intermediate;      /* the pid namespace is to be had only after the user namespace */
        int pidfd, procfs, sync_parent, sync_child, console_socket, master;
        pid_t pid;
        struct watch watch; /* over it */
};

static void exec_plan_init(struct exec_plan *e)
{
        *e = (struct exec_plan){
                .container = CONTAINER_INIT,
                .seccomp = SECCOMP_PROGRAM_INIT,
                .entry = CGROUP_ENTRY_INIT,
                .pidfd = -1,
                .procfs = -1,
                .sync_parent = -1,
                .sync_child = -1,
                .console_socket = -1,
                .master = -1,
        };
}

static void exec_plan_done(struct exec_plan *e)
{
        container_done(&e->container);
        seccomp_program_done(&e->seccomp);
        cgroup_entry_done(&e->entry);
        cgroup_close(e->cgroup);
        cor_json_free(e->owned);
        cor_json_free(e->config);
        cor_fd_close(&e->pidfd);
        cor_fd_close(&e->procfs);
        cor_fd_close(&e->sync_parent);
        cor_fd_close(&e->sync_child);
        cor_fd_close(&e->console_socket);
        cor_fd_close(&e->master);
}

static int check_status(const struct exec_plan *e, struct cor_err *err)
{
        switch (container_status(&e->container)) {
        case CONTAINER_CREATED:
        case CONTAINER_RUNNING:
                return 0;
        case CONTAINER_PAUSED:
                return e->options->ignore_paused
                               ? 0
                               : cor_fail(err, COR_BUSY,
                                          "cannot exec in a paused container (use --ignore-paused to override)");
        case CONTAINER_CREATING:
                return cor_fail(err, COR_BUSY, "cannot exec in a container that is being created");
        default:
                return cor_fail(err, COR_BUSY, "cannot exec in a stopped container");
        }
}

/* Which namespaces of init are not ours: those that the configuration lists, and the user namespace a user got unasked.
 */
static int plan_namespaces(struct exec_plan *e, struct cor_err *err)
{
        const struct oci_linux *l = e->config->linux_;
        pid_t init = e->container.record->pid;
        auto_fd user = namespace_open_pid(e->procfs, init, CLONE_NEWUSER, err);
        int ours = user < 0 ? -1 : namespace_is_ours(e->procfs, user, CLONE_NEWUSER, err);

        if (ours < 0)
                return -1;
        for (size_t i = 0; i < l->n_namespaces; i++)
                if (l->namespaces[i].type != CLONE_NEWUSER)
                        e->namespaces |= l->namespaces[i].type;
        if (!ours)
                e->namespaces |= CLONE_NEWUSER;
        e->plan.userns = !ours;
        e->plan.shut = !ours && geteuid() != 0;
        return 0;
}

static bool in_unit(const struct exec_plan *e)
{
        return cgroup_where(e->cgroup)->unit != NULL;
}

/*
 * Root may enter a pid namespace from outside; a user only from inside of the user namespace it belongs to. And with
 * children in there, a user could neither turn back (turn_back()) to a pid namespace that belongs to the first user
 * namespace, nor ask systemd, whose helper would be among the container's processes.
 */
static bool wants_intermediate(const struct exec_plan *e)
{
        if (!(e->namespaces & CLONE_NEWPID))
                return false;
        return e->plan.shut || ((e->options->stdio || in_unit(e)) && runtime_default_rootless());
}

static bool setgroups_denied(const struct exec_plan *e)
{
        char path[40], text[16];
        auto_fd fd = -1;
        ssize_t n;

        if (!e->plan.userns && !e->container.record->rootless)
                return false;
        snprintf(path, sizeof path, "%d/setgroups", (int)e->container.record->pid);
        fd = procfs_file(e->procfs, path, O_RDONLY, NULL);
        n = fd < 0 ? -1 : read(fd, text, sizeof text);
        return n >= 4 && memcmp(text, "deny", 4) == 0;
}

static int plan_affinity(struct exec_plan *e, struct cor_err *err)
{
        const struct oci_cpu_affinity *a = e->process->exec_cpu_affinity;
        const char *lists[2] = { a ? a->initial : NULL, a ? a->final : NULL };

        for (int i = 0; i < 2; i++) {
                if (!lists[i] || !lists[i][0])
                        continue;
                if (bitlist_parse(lists[i], i ? "process.execCPUAffinity.final" : "process.execCPUAffinity.initial",
                                  &e->cpus[i], err) < 0)
                        return -1;
                e->has_cpus[i] = true;
        }
        return 0;
}

static int plan_process(struct exec_plan *e, struct cor_err *err)
{
        if (exec_process(e->options, e->config, &e->process, &e->owned, err) < 0 ||
            process_plan_init(&e->plan, e->process, err) < 0 || plan_affinity(e, err) < 0)
                return -1;
        e->plan.procfs = e->procfs;
        e->plan.setgroups_denied = setgroups_denied(e);
        e->plan.groups_fixed = !e->plan.userns && process_groups_fixed(e->procfs);
        e->plan.keep_groups = cor_streq(oci_annotation(e->config, "run.oci.keep_original_groups"), "1");
        e->plan.memory_policy = e->config->linux_->memory_policy;
        e->plan.personality = e->config->linux_->personality;
        if (!e->config->linux_->seccomp)
                return 0;
        if (plan_seccomp(e->config, &e->seccomp, err) < 0)
                return -1;
        if (e->seccomp.n_items)
                e->plan.seccomp = &e->seccomp;
        return 0;
}

static int plan_console(struct exec_plan *e, struct cor_err *err)
{
        const struct exec_options *o = e->options;

        if (e->process->terminal && o->detach && !o->console_socket)
                return cor_fail(err, COR_INVALID,
                                "cannot allocate tty if the runtime will detach without setting console socket");
        if (!o->console_socket)
                return 0;
        if (!e->process->terminal)
                return cor_fail(err, COR_INVALID,
                                "cannot use console socket if the runtime will not detach or allocate tty");
        e->console_socket = cor_unix_connect(o->console_socket, SOCK_STREAM, err);
        return e->console_socket < 0 ? cor_wrap(err, "--console-socket") : 0;
}

static int plan(const struct runtime_context *ctx, struct exec_plan *e, struct cor_err *err)
{
        const struct exec_options *o = e->options;
        struct cor_procid init;

        if (plan_descriptors(o->preserve_fds, &e->plan, err) < 0 ||
            container_open(ctx, o->id, &e->container, err) < 0 || check_status(e, err) < 0 ||
            container_config(&e->container, &e->config, err) < 0)
                return -1;
        init = container_init_process(&e->container);
        e->procfs = procfs_open(err);
        e->pidfd = e->procfs < 0 ? -1 : cor_procid_open(&init, err);
        if (e->pidfd < 0 || plan_namespaces(e, err) < 0 || plan_process(e, err) < 0 || plan_console(e, err) < 0)
                return -1;
        if (container_cgroup(&e->container, &e->cgroup, err) < 0 ||
            cgroup_entry_open(e->cgroup, init.pid, (const char *const *)o->cgroups, o->n_cgroups, &e->entry, err) < 0)
                return -1;
        e->intermediate = wants_intermediate(e);
        return message_pair(&e->sync_parent, &e->sync_child, err);
}

/* --- the child ---------------------------------------------------------------------------------------------------- */

static int enter_namespaces(const struct exec_plan *e, int flags, struct cor_err *err)
{
        if (namespace_enter_pidfd(e->pidfd, flags, err) == 0)
                return 0;
        if (err->kind != COR_UNSUPPORTED)
                return -1;
        for (const struct namespace_type *t = namespace_types; t->name; t++) {
                auto_fd fd = -1;

                if (!(flags & t->flag))
                        continue;
                fd = namespace_open_pid(e->procfs, e->container.record->pid, t->flag, err);
                if (fd < 0 || namespace_enter(fd, t->flag, err) < 0)
                        return -1;
        }
        return 0;
}

static int set_affinity(const struct exec_plan *e, int which, struct cor_err *err)
{
        if (!e->has_cpus[which])
                return which == 1 && !e->has_cpus[0] ? sched_reset_cpus(0, err) : 0;
        if (sched_set_cpus(0, &e->cpus[which], err) < 0)
                return cor_wrap(err, "process.execCPUAffinity.%s", which ? "final" : "initial");
        return 0;
}

/* The parent asks systemd, by a helper: not where its children are in the container's pid namespace. */
static int enter_cgroup(const struct exec_plan *e, bool cloned_into_cgroup, struct cor_err *err)
{
        if (cgroup_entry_join(&e->entry, cloned_into_cgroup, err) == 0)
                return 0;
        if (err->kind != COR_DENIED || !in_unit(e) || (!e->intermediate && (e->namespaces & CLONE_NEWPID)))
                return -1;
        return message_send(e->sync_child, MSG_CGROUP, 0, err) < 0 ? -1 : message_expect(e->sync_child, MSG_SETUP, err);
}

static int join(const struct exec_plan *e, bool cloned_into_cgroup, int flags, struct cor_err *err)
{
        if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
                return cor_fail_errno(err, "set the parent-death signal");
        if (set_affinity(e, 0, err) < 0 || enter_cgroup(e, cloned_into_cgroup, err) < 0 || set_affinity(e, 1, err) < 0)
                return -1;
        return enter_namespaces(e, flags, err);
}

static int console(const struct exec_plan *e, struct cor_err *err)
{
        COR_CLEANUP(terminal_pty_done) struct terminal_pty pty = TERMINAL_PTY_INIT;
        const struct oci_process *p = e->process;
        auto_fd devpts = -1;

        if (setsid() < 0)
                return cor_fail_errno(err, "setsid");
        if (!p->terminal)
                return e->options->stdio ? process_stdio(e->options->stdio, err) : 0;
        devpts = open("/dev/pts", O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (devpts < 0)
                return cor_fail_errno(err, "process.terminal: open /dev/pts");
        if (terminal_open(devpts, &pty, err) < 0)
                return cor_wrap(err, "process.terminal");
        if (p->console_size && terminal_set_size(pty.master, p->console_size->height, p->console_size->width, err) < 0)
                return -1;
        if (p->user.uid && terminal_chown(pty.slave, p->user.uid, err) < 0)
                return -1;
        if (message_send_fd(e->sync_child, MSG_CONSOLE, pty.master, err) < 0)
                return -1;
        return terminal_make_stdio(pty.slave, err);
}

static int session_keyring(const struct exec_plan *e, struct cor_err *err)
{
        char name[64];

        snprintf(name, sizeof name, "_ses.%.50s", e->container.id);
        if (lsm_selinux_for_keys(e->procfs, e->process->selinux_label, err) < 0)
                return -1;
        return keyring_join(name, err) < 0 ? -1 : 0;
}

/* In the namespaces; only returns on failure. */
static void run_inside(const struct exec_plan *e, int *sync, struct cor_err *err)
{
        struct process_image image = { 0 };

        if (e->plan.userns && (syscall(SYS_setresgid, 0, 0, 0) < 0 || syscall(SYS_setresuid, 0, 0, 0) < 0)) {
                /* no root in there: go on as who we are */
                cor_debug("not root of the container's user namespace");
        }
        if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 || chdir("/") < 0) {
                cor_fail_errno(err, "enter the container");
                return;
        }
        umask(022); /* as the container's init; process.user.umask comes later */
        if (session_keyring(e, err) < 0 || console(e, err) < 0 || process_limits(&e->plan, err) < 0 ||
            process_close(&e->plan, (int *const[]){ sync }, 1, err) < 0 || process_become(&e->plan, &image, err) < 0)
                return;
        if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 || prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0) < 0) {
                cor_fail_errno(err, "enter the container");
                return;
        }
        if (message_send(*sync, MSG_READY, 0, err) < 0 || message_expect(*sync, MSG_START, err) < 0)
                return;
        (void)!process_exec(&e->plan, &image, *sync, err);
}

static void intermediate(const struct exec_plan *e, int *sync, struct cor_err *err)
{
        pid_t pid;

        if (join(e, false, e->namespaces, err) < 0)
                return;
        pid = (pid_t)syscall(SYS_clone, (unsigned long)(CLONE_PARENT | SIGCHLD), NULL, NULL, NULL, NULL);
        if (pid < 0) {
                cor_fail_errno(err, "make a process");
                return;
        }
        if (pid == 0) {
                if (message_expect(*sync, MSG_SETUP, err) == 0)
                        run_inside(e, sync, err);
                return;
        }
        if (message_send(e->sync_child, MSG_PID, pid, err) == 0)
                _exit(0);
}

static void __attribute__((noreturn)) child(const struct exec_plan *e, bool cloned_into_cgroup)
{
        struct cor_err err = { 0 };
        int sync = e->sync_child;

        if (e->intermediate)
                intermediate(e, &sync, &err);
        else if (join(e, cloned_into_cgroup, e->namespaces & ~CLONE_NEWPID, &err) == 0)
                run_inside(e, &sync, &err);
        message_send_error(sync, &err);
        _exit(1);
}

/* --- the parent --------------------------------------------------------------------------------------------------- */

static void reap(pid_t pid)
{
        if (cor_child_wait(pid, REAP_TIMEOUT_MS, NULL) == 0)
                cor_warn("process %d does not end", (int)pid);
}

/*
 * A user may not write to the child's files in /proc, which is not dumpable: it inherits the score that we have while
 * it is made. *ret_own takes us back.
 */
static int lend_oom_score(const struct exec_plan *e, char ret_own[OOM_SCORE_SIZE], struct cor_err *err)
{
        const struct cor_opt_i64 *oom = &e->process->oom_score_adj;
        auto_fd fd = -1;
        char text[24];
        ssize_t n;
        int len;

        if (!e->plan.shut || !oom->set)
                return -1;
        fd = procfs_file(e->procfs, "self/oom_score_adj", O_RDWR, err);
        n = fd < 0 ? -1 : read(fd, ret_own, OOM_SCORE_SIZE - 1);
        if (n <= 0)
                return -1;
        ret_own[n] = '\0';
        len = snprintf(text, sizeof text, "%lld", (long long)oom->value);
        return write(fd, text, (size_t)len) == len ? cor_fd_take(&fd) : -1; /* lower than ours: refused, and left */
}

static int start_child(struct exec_plan *e, struct cor_err *err)
{
        struct plan clone_plan = { .entry.clone_fd = e->intermediate ? -1 : e->entry.clone_fd };
        char own_score[OOM_SCORE_SIZE] = "";
        auto_fd score = lend_oom_score(e, own_score, err);
        bool into_cgroup;

        if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
                return cor_fail_errno(err, "become non-dumpable");
        if (e->plan.userns && e->options->stdio)
                process_lend_stdio(e->options->stdio, e->config->linux_, e->process->user.uid);
        if (!e->intermediate && (e->namespaces & CLONE_NEWPID) && enter_namespaces(e, CLONE_NEWPID, err) < 0)
                return -1;
        e->pid = plan_clone(&clone_plan, 0, false, &into_cgroup, err);
        if (e->pid < 0)
                return -1;
        if (e->pid == 0) {
                cor_fd_close(&e->sync_parent);
                child(e, into_cgroup);
        }
        if (score >= 0)
                (void)!write(score, own_score, strlen(own_score));
        cor_fd_close(&e->sync_child);
        return 0;
}

static int prepare_child(struct exec_plan *e, struct cor_err *err)
{
        const struct oci_intel_rdt *rdt = e->config->linux_->intel_rdt;
        const struct cor_opt_i64 *oom = &e->process->oom_score_adj;

        if (rdt && resctrl_join(rdt, e->container.id, e->pid, err) < 0)
                return -1;
        if (e->plan.userns && process_parent_limits(&e->plan, e->pid, err) < 0)
                return -1;
        if (oom->set && !e->plan.shut &&
            process_set_oom_score(e->procfs, e->pid, oom->value, e->container.record->rootless, err) < 0)
                return -1;
        return start_announce(e->options->pid_file, e->options->pidfd_socket, e->pid, err);
}

static int take_console(struct exec_plan *e, int *fd, struct cor_err *err)
{
        if (*fd < 0)
                return cor_fail(err, COR_SYSTEM, "the process sent no terminal");
        if (e->console_socket >= 0)
                return terminal_send(e->console_socket, *fd, err);
        e->master = cor_fd_take(fd);
        return 0;
}

static void watch_child(struct exec_plan *e, const struct foreground *fg)
{
        e->watch = (struct watch)WATCH_INIT;
        e->watch.who = "the new process in the container";
        e->watch.cgroup = e->cgroup;
        e->watch.fg = fg;
        e->watch.may_freeze = e->options->ignore_paused;
        e->watch.may_idle = false;
}

static int follow_child(struct exec_plan *e, struct cor_err *err)
{
        for (;;) {
                auto_fd fd = -1;
                struct message m;

                e->watch.pid = e->pid;
                if (watch_wait(&e->watch, e->sync_parent, err) < 0 || message_receive(e->sync_parent, &m, &fd, err) < 0)
                        return -1;
                if (m.type == MSG_READY)
                        return prepare_child(e, err);
                if (m.type == MSG_PID) {
                        reap(e->pid);
                        e->pid = m.value;
                        if (message_send(e->sync_parent, MSG_SETUP, 0, err) < 0)
                                return -1;
                } else if (m.type == MSG_CGROUP) {
                        if (cgroup_entry_attach(e->cgroup, &e->entry, e->pid, err) < 0 ||
                            message_send(e->sync_parent, MSG_SETUP, 0, err) < 0)
                                return -1;
                } else if (m.type != MSG_CONSOLE) {
                        return cor_fail(err, COR_SYSTEM, "the process in the container was killed");
                } else if (take_console(e, &fd, err) < 0) {
                        return -1;
                }
        }
}

static int run_child(struct exec_plan *e, struct foreground *fg, struct cor_err *err)
{
        struct hook_state state = {
                .id = e->container.id,
                .bundle = e->container.record->bundle,
                .rootfs = e->container.record->rootfs,
                .status = "running",
        };

        watch_child(e, fg);
        if (follow_child(e, err) < 0 ||
            (fg && (foreground_terminal(fg, e->master, err) < 0 || foreground_raw(fg, err) < 0)))
                return -1;
        state.pid = e->pid;
        if (message_send(e->sync_parent, MSG_START, 0, err) < 0)
                return -1;
        return start_drive_exec(&e->watch, e->sync_parent, e->config, &e->seccomp, &state, err);
}

/*
 * start_child() turned our children towards the container, whose pid namespace ends with it, and made us non-dumpable:
 * a caller that stays, and will make other containers, has to be as before.
 */
static int turn_back(const struct exec_plan *e, struct cor_err *err)
{
        auto_fd own = -1;

        if (!e->intermediate && (e->namespaces & CLONE_NEWPID)) {
                own = namespace_open_pid(e->procfs, getpid(), CLONE_NEWPID, err);
                if (own < 0 || namespace_enter(own, CLONE_NEWPID, err) < 0)
                        return -1;
        }
        return prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) < 0 ? cor_fail_errno(err, "become dumpable again") : 0;
}

int exec_spawn(const struct runtime_context *ctx, const struct exec_options *o, const struct spawn_stdio *stdio,
               pid_t *ret_pid, int *ret_master, struct cor_err *err)
{
        COR_CLEANUP(exec_plan_done) struct exec_plan e;
        struct exec_options options = *o;

        options.stdio = stdio->fd;
        exec_plan_init(&e);
        e.options = &options;
        if (plan(ctx, &e, err) < 0 || start_child(&e, err) < 0)
                return -1;
        if (turn_back(&e, err) < 0 || run_child(&e, NULL, err) < 0) {
                kill(e.pid, SIGKILL);
                reap(e.pid);
                return cor_wrap(err, "unable to start container process");
        }
        *ret_pid = e.pid;
        *ret_master = cor_fd_take(&e.master);
        return 0;
}

int container_exec(const struct runtime_context *ctx, const struct exec_options *o, int *ret_code, struct cor_err *err)
{
        COR_CLEANUP(foreground_done) struct foreground fg = FOREGROUND_INIT;
        COR_CLEANUP(exec_plan_done) struct exec_plan e;

        exec_plan_init(&e);
        e.options = o;
        if (plan(ctx, &e, err) < 0 || (!o->detach && foreground_init(&fg, !o->no_subreaper, err) < 0) ||
            start_child(&e, err) < 0)
                return -1;
        if (run_child(&e, o->detach ? NULL : &fg, err) < 0) {
                kill(e.pid, SIGKILL);
                reap(e.pid);
                return cor_wrap(err, "unable to start container process");
        }
        *ret_code = 0;
        return o->detach ? 0 : foreground_wait(&fg, e.pid, ret_code, err);
}

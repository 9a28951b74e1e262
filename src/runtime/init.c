/*
 * The container's first process, from clone() to exec. It is single-threaded, a copy of the runtime, in new namespaces
 * whose other inhabitants, if any, may be hostile: it is made non-dumpable before it enters an existing pid namespace,
 * and its binary is a read-only clone (linux/clone_self.h).
 *
 *      1  attach     parent's death signal; maps and cgroup by the parent (SETUP); joins cgroups and namespaces
 *      2  system     loopback, keyring, host name
 *      3  files      mounts, devices, console; hooks; pivot_root; sysctl, masks
 *      4  process    limits, user, capabilities: rights drop here (runtime/process.h)
 *      5  READY      waits for START, from the runtime (run) or over the start socket (create, start)
 *      6  exec       startContainer hooks, seccomp, execve
 */
#include "runtime/plan.h"

#include "base/fd.h"
#include "base/log.h"
#include "linux/keyring.h"
#include "linux/lsm.h"
#include "linux/namespace.h"
#include "linux/netdev.h"
#include "linux/sched.h"
#include "linux/sysctl.h"
#include "linux/terminal.h"
#include "runtime/hooks.h"
#include "runtime/message.h"
#include "runtime/rootfs.h"

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

static bool is_joined(const struct plan *p, int type)
{
        for (size_t i = 0; i < p->n_joins; i++)
                if (p->joins[i].type == type)
                        return true;
        return false;
}

/* Root of the new user namespace, as far as it has one: what is made from here on shall belong to it. */
static int become_root(const struct plan *p, struct cor_err *err)
{
        uint32_t host;

        if (!p->userns)
                return 0;
        if (p->user_new && (!idmap_to_host(p->idmap.uids, p->idmap.n_uids, 0, &host) ||
                            !idmap_to_host(p->idmap.gids, p->idmap.n_gids, 0, &host)))
                return 0;
        if (syscall(SYS_setresgid, 0, 0, 0) < 0 || syscall(SYS_setresuid, 0, 0, 0) < 0)
                return cor_fail_errno(err, "become root of the user namespace");
        /* a change of ids clears it */
        if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
                return cor_fail_errno(err, "set the parent-death signal");
        return 0;
}

static int attach(const struct plan *p, bool cloned_into_cgroup, struct cor_err *err)
{
        if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
                return cor_fail_errno(err, "set the parent-death signal");
        if (p->wait_setup && message_expect(p->sync_child, MSG_SETUP, err) < 0)
                return -1;
        if (!p->intermediate) { /* otherwise done by the intermediate process, and inherited */
                if (cgroup_entry_join(&p->entry, cloned_into_cgroup, err) < 0)
                        return -1;
                for (size_t i = 0; i < p->n_joins; i++)
                        if (namespace_enter(p->joins[i].fd, p->joins[i].type, err) < 0)
                                return -1;
        }
        /* an affinity of whoever started the runtime is none of the container's business */
        if (sched_reset_cpus(0, err) < 0)
                return -1;
        if (p->new_cgroup && namespace_unshare(CLONE_NEWCGROUP, err) < 0)
                return -1;
        if (oci_annotation(p->config, "run.oci.delegate-cgroup")) {
                if (message_send(p->sync_child, MSG_DELEGATE, 0, err) < 0 ||
                    message_expect(p->sync_child, MSG_SETUP, err) < 0)
                        return -1;
        }
        return 0;
}

static int system_setup(const struct plan *p, struct cor_err *err)
{
        const struct oci_config *c = p->config;

        if ((p->new_flags & CLONE_NEWNET) && netdev_lo_up(err) < 0)
                return -1;
        if (!p->options->no_new_keyring) {
                char name[64];

                snprintf(name, sizeof name, "_ses.%.50s", p->options->id);
                if (lsm_selinux_for_keys(p->procfs, c->process->selinux_label, err) < 0 || keyring_join(name, err) < 0)
                        return -1;
        }
        if (c->hostname && c->hostname[0] && sethostname(c->hostname, strlen(c->hostname)) < 0)
                return cor_fail_errno(err, "hostname: %s", c->hostname);
        if (c->domainname && c->domainname[0] && setdomainname(c->domainname, strlen(c->domainname)) < 0)
                return cor_fail_errno(err, "domainname: %s", c->domainname);
        return 0;
}

/* The pty comes from the container's own devpts; its master goes to the runtime, its slave becomes our terminal. */
static int console_setup(const struct plan *p, struct rootfs *r, struct cor_err *err)
{
        const struct oci_process *proc = p->config->process;
        COR_CLEANUP(terminal_pty_done) struct terminal_pty pty = TERMINAL_PTY_INIT;

        if (!proc->terminal)
                return p->options->given ? process_stdio(p->options->given->stdio, err) : rootfs_null(r, err);
        if (r->devpts < 0) {
                r->devpts = open("/dev/pts", O_PATH | O_DIRECTORY | O_CLOEXEC);
                if (r->devpts < 0)
                        return cor_fail_errno(err, "process.terminal: open /dev/pts");
        }
        if (terminal_open(r->devpts, &pty, err) < 0)
                return cor_wrap(err, "process.terminal");
        if (proc->console_size &&
            terminal_set_size(pty.master, proc->console_size->height, proc->console_size->width, err) < 0)
                return -1;
        if (proc->user.uid && terminal_chown(pty.slave, proc->user.uid, err) < 0)
                return -1;
        if (rootfs_console(r, pty.slave, err) < 0 || message_send_fd(p->sync_child, MSG_CONSOLE, pty.master, err) < 0)
                return -1;
        return terminal_make_stdio(pty.slave, err);
}

static int run_hooks(const struct plan *p, const char *kind, const struct oci_hook *hooks, size_t n, const char *status,
                     struct cor_err *err)
{
        struct hook_state state = {
                .id = p->options->id,
                .bundle = p->bundle,
                .rootfs = p->rootfs,
                .status = status,
                .pid = getpid(),
        };

        return hooks_run(kind, hooks, n, p->config, &state, false, err);
}

static int before_root(const struct plan *p, struct cor_err *err)
{
        const struct oci_hooks *h = p->config->hooks;

        if (p->hooks_in_runtime && (message_send(p->sync_child, MSG_MOUNTED, 0, err) < 0 ||
                                    message_expect(p->sync_child, MSG_HOOKS_DONE, err) < 0))
                return -1;
        return h ? run_hooks(p, "createContainer", h->create_container, h->n_create_container, "creating", err) : 0;
}

static int sysctls(const struct plan *p, struct cor_err *err)
{
        const struct oci_linux *l = p->config->linux_;

        for (size_t i = 0; i < l->n_sysctl; i++)
                if (sysctl_write(p->procfs, l->sysctl[i].key, l->sysctl[i].value, err) < 0)
                        return cor_wrap(err, "linux.sysctl");
        return 0;
}

static int files(const struct plan *p, struct rootfs *r, struct cor_err *err)
{
        umask(0);
        if (rootfs_prepare(p, r, err) < 0)
                return -1;
        umask(022);
        if (before_root(p, err) < 0 || rootfs_enter(p, r, err) < 0)
                return -1;
        if (setsid() < 0)
                return cor_fail_errno(err, "setsid");
        /* sysctl before anything of /proc is read-only, the console before the root is */
        if (console_setup(p, r, err) < 0 || sysctls(p, err) < 0 || rootfs_finish(p, r, err) < 0)
                return -1;
        return 0;
}

/* create: the runtime is gone; `start` connects, and what it then says counts. */
static int wait_on_socket(int listener, int *ret_sync, struct cor_err *err)
{
        auto_fd conn = -1;

        do
                conn = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        while (conn < 0 && errno == EINTR);
        if (conn < 0)
                return cor_fail_errno(err, "wait for start");
        *ret_sync = cor_fd_take(&conn);
        return message_expect(*ret_sync, MSG_START, err);
}

static int wait_for_start(int *sync, int listener, struct cor_err *err)
{
        struct message m;

        /* from here on the runtime's end shows as end of file, and in the end it may go */
        if (prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0) < 0)
                return cor_fail_errno(err, "clear the parent-death signal");
        if (message_send(*sync, MSG_READY, 0, err) < 0 || message_receive(*sync, &m, NULL, err) < 0)
                return -1;
        if (m.type == MSG_START)
                return 0;
        if (m.type != MSG_RECORDED)
                _exit(1); /* nobody there to be told */
        close(*sync);
        return wait_on_socket(listener, sync, err);
}

static int start_hooks(const struct plan *p, struct cor_err *err)
{
        const struct oci_hooks *h = p->config->hooks;

        return h ? run_hooks(p, "startContainer", h->start_container, h->n_start_container, "created", err) : 0;
}

/* Only returns on failure, with the socket to report to in *sync. */
static void run(const struct plan *p, bool cloned_into_cgroup, int *sync, struct cor_err *err)
{
        struct process_image image = { 0 };
        int listener = p->listen_fd;
        auto_rootfs r;

        rootfs_init(&r);
        if (is_joined(p, CLONE_NEWPID) && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0) {
                cor_fail_errno(err, "become non-dumpable");
                return;
        }
        if (attach(p, cloned_into_cgroup, err) < 0)
                return;
        if (p->userns && !p->setgroups_denied) /* joined, or new and below one that denies them */
                image.setgroups_denied = process_setgroups_denied(p->procfs);
        rootfs_open_place(p, &r);
        if (become_root(p, err) < 0 || system_setup(p, err) < 0)
                return;
        if (files(p, &r, err) < 0 || process_limits(&p->process, err) < 0)
                return;
        rootfs_done(&r);
        /* with the others goes the container's folder, whose lock is the runtime's and has to end with it */
        if (process_close(&p->process, (int *const[]){ sync, &listener }, 2, err) < 0)
                return;
        if (process_become(&p->process, &image, err) < 0)
                return;
        if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0) {
                cor_fail_errno(err, "become non-dumpable");
                return;
        }
        if (wait_for_start(sync, listener, err) < 0 || start_hooks(p, err) < 0)
                return;
        (void)!process_exec(&p->process, &image, *sync, err);
}

void init_run(const struct plan *p, bool cloned_into_cgroup)
{
        struct cor_err err = { 0 };
        int sync = p->sync_child;

        run(p, cloned_into_cgroup, &sync, &err);
        message_send_error(sync, &err);
        _exit(err.kind == COR_EXEC_MISSING ? 127 : err.kind == COR_EXEC_REFUSED ? 126 : 1);
}

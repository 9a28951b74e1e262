#include "monitor/life.h"

#include "base/fd.h"
#include "base/file.h"
#include "base/log.h"
#include "base/process.h"
#include "linux/terminal.h"
#include "monitor/external.h"
#include "monitor/monitor.h"
#include "monitor/root.h"
#include "runtime/context.h"
#include "runtime/start.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FREEZE_TIMEOUT_MS = 10000, KILL_TIMEOUT_MS = 2000 };

void life_init(struct life *l)
{
        *l = (struct life){ .pidfd = -1, .mount = -1 };
}

void life_done(struct life *l)
{
        life_let_go(l);
        free(l->root);
        l->root = NULL;
}

/* --- what the program gets ---------------------------------------------------------------------------------------- */

void life_ends_done(struct life_ends *e)
{
        for (int i = 0; i < 3; i++)
                cor_fd_close(&e->fd[i]);
}

static int make_pipe(int *ret_read, int *ret_write, struct cor_err *err)
{
        int ends[2];

        if (pipe2(ends, O_CLOEXEC) < 0)
                return cor_fail_errno(err, "make a pipe");
        *ret_read = ends[0];
        *ret_write = ends[1];
        return 0;
}

static int no_wait(int fd, struct cor_err *err)
{
        return fcntl(fd, F_SETFL, O_NONBLOCK) < 0 ? cor_fail_errno(err, "make a pipe") : 0;
}

int life_make_pipes(struct monitor *m, struct life_ends *e, struct cor_err *err)
{
        for (int i = 0; i < 2; i++)
                if (make_pipe(&m->out[i].fd, &e->fd[i + 1], err) < 0 || no_wait(m->out[i].fd, err) < 0)
                        return -1;
        if (m->settings.open_stdin && (make_pipe(&e->fd[0], &m->in.fd, err) < 0 || no_wait(m->in.fd, err) < 0))
                return -1;
        return 0;
}

int life_take_terminal(struct monitor *m, int master, struct cor_err *err)
{
        int flags = fcntl(master, F_GETFL);

        if (flags < 0 || fcntl(master, F_SETFL, flags | O_NONBLOCK) < 0)
                return cor_fail_errno(err, "the container's terminal");
        m->out[0].is_tty = true;
        m->out[0].fd = fcntl(master, F_DUPFD_CLOEXEC, 3);
        if (m->settings.open_stdin)
                m->in.fd = fcntl(master, F_DUPFD_CLOEXEC, 3);
        if (m->out[0].fd < 0 || (m->settings.open_stdin && m->in.fd < 0))
                return cor_fail_errno(err, "the container's terminal");
        return life_resize(m, err);
}

int life_resize(struct monitor *m, struct cor_err *err)
{
        if (m->out[0].fd < 0 || !m->out[0].is_tty)
                return 0;
        return terminal_set_size(m->out[0].fd, m->size.rows, m->size.columns, err);
}

/* --- start -------------------------------------------------------------------------------------------------------- */

/* Where the root filesystem goes in the container's own mount namespace; on the host it stays an empty folder. */
static int make_place(const struct monitor *m, struct cor_err *err)
{
        auto_str place = cor_printf("%s/rootfs", m->run);

        if (mkdir(place, 0700) < 0 && errno != EEXIST)
                return cor_fail_errno(err, "make %s", place);
        return 0;
}

int life_look(struct monitor *m, struct cor_err *err)
{
        struct life *l = &m->life;
        struct cor_procid id;

        l->pidfd = cor_pidfd_open(l->pid, err);
        if (l->pidfd < 0 || cor_procid_get(l->pid, &id, NULL, err) < 0)
                return -1;
        m->now.pid = id.pid;
        m->now.pid_start_time = id.start_time;
        if (start_announce(m->settings.pid_file, NULL, l->pid, err) < 0)
                return cor_wrap(err, "--pidfile");
        if (monitor_connect(m, err) < 0)
                return -1;
        monitor_will_run(m);
        return 0;
}

static int spawn_own(struct monitor *m, int root, struct cor_err *err)
{
        COR_CLEANUP(life_ends_done) struct life_ends e = LIFE_ENDS_INIT;
        const struct runtime_context ctx = { .root = m->life.root, .rootless = runtime_default_rootless() };
        const struct create_options o = { .id = m->id, .bundle = m->folder };
        struct life *l = &m->life;

        if (!m->settings.tty && life_make_pipes(m, &e, err) < 0)
                return -1;
        if (container_spawn(&ctx, &o, root, &(struct spawn_stdio){ { e.fd[0], e.fd[1], e.fd[2] } }, &l->own, err) < 0)
                return -1;
        l->pid = spawned_pid(l->own);
        l->cgroup = spawned_cgroup(l->own);
        if (life_look(m, err) < 0)
                return -1;
        return m->settings.tty ? life_take_terminal(m, spawned_master(l->own), err) : 0;
}

static int start_own(struct monitor *m, int root, struct cor_err *err)
{
        struct life *l = &m->life;
        struct cor_err ignored;

        if (spawn_own(m, root, err) < 0)
                return -1;
        if (cgroup_oom_open(l->cgroup, &l->oom, &ignored) < 0)
                l->oom = NULL; /* no memory controller */
        if (spawned_start(l->own, err) == 0)
                return 0;
        l->pid = 0; /* undone already */
        return -1;
}

void life_let_go(struct life *l)
{
        cor_fd_close(&l->mount);
}

int life_start(struct monitor *m, const struct container_row *row, struct cor_err *err)
{
        struct life *l = &m->life;
        int r;

        if (make_place(m, err) < 0)
                return -1;
        if (!l->fresh) {
                life_let_go(l);
                l->mount = monitor_mount_root(m->store, row, true, err);
        }
        l->fresh = false;
        if (l->mount < 0)
                return -1;
        r = m->settings.runtime ? external_start(m, l->mount, err) : start_own(m, l->mount, err);
        if (r < 0) {
                life_end(m, l->pid == 0);
                life_let_go(l);
                streams_done(m);
        }
        return r;
}

/* --- while it runs ------------------------------------------------------------------------------------------------ */

int life_freeze(struct monitor *m, bool frozen, struct cor_err *err)
{
        struct life *l = &m->life;
        int r = l->external ? external_freeze(m, frozen, err)
                            : cgroup_freeze(l->cgroup, frozen, FREEZE_TIMEOUT_MS, err);

        if (r == 0)
                l->frozen = frozen;
        return r;
}

int life_signal(struct monitor *m, int sig, struct cor_err *err)
{
        if (m->life.pid == 0)
                return cor_fail(err, COR_BUSY, "the container is not running");
        return cor_pidfd_signal(m->life.pidfd, sig, err);
}

int life_signal_all(struct monitor *m, int sig, struct cor_err *err)
{
        if (!m->life.cgroup)
                return life_signal(m, sig, err);
        return cgroup_signal_all(m->life.cgroup, sig, 0, err);
}

bool life_goes_on(struct monitor *m)
{
        struct cor_err ignored;
        auto_free pid_t *pids = NULL;
        size_t n = 0;

        return m->life.cgroup && cgroup_pids(m->life.cgroup, &pids, &n, &ignored) == 0 && n > 0;
}

void life_kill(struct monitor *m)
{
        struct life *l = &m->life;
        struct cor_err err = { 0 };

        if (l->pid)
                (void)!cor_pidfd_signal(l->pidfd, SIGKILL, &err);
        if (l->external)
                external_kill(m);
        else if (l->cgroup && cgroup_signal_all(l->cgroup, SIGKILL, KILL_TIMEOUT_MS, &err) < 0)
                cor_warn("kill the processes of the container: %s", err.msg);
        l->frozen = false;
}

/* --- end ---------------------------------------------------------------------------------------------------------- */

void life_end(struct monitor *m, bool reaped)
{
        struct life *l = &m->life;

        if (l->oom)
                cgroup_oom_close(l->oom);
        l->oom = NULL;
        if (l->own) {
                spawned_end(l->own, reaped);
                spawned_free(l->own);
        }
        if (l->external)
                external_end(m);
        l->own = NULL;
        l->external = NULL;
        l->cgroup = NULL;
        l->pid = 0;
        l->frozen = false;
        cor_fd_close(&l->pidfd);
        m->now.pid = 0;
        m->now.pid_start_time = 0;
}

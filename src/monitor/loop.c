/* One round: wait for what there is to wait for, then everything that happened, then what time has brought. */
#include "monitor/monitor.h"

#include "base/alloc.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/process.h"
#include "monitor/client.h"
#include "monitor/names.h"
#include "monitor/tidy.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * What the rest of the output may take: a client that reads nothing of it for so long is left behind, and a process of
 * another container, which was given the pipe, may not print for ever. Who reads a long log first has more time.
 */
enum { STUCK_MS = 10 * 1000, HELD_MS = 60 * 1000, REST_MAX_PIECES = 256, QUIET_MS = 500 };

enum {
        ON_SIGNALS,
        ON_LISTENER,
        ON_OUT,
        ON_OUT_2,
        ON_IN,
        ON_OOM,
        ON_HEALTH,
        ON_EXECS,
        ON_PORTS,
        ON_NAMES,
        ON_LOG,
        ON_FIXED = ON_LOG + LOG_WAITS
};

static struct pollfd wait_for(int fd, short events)
{
        return (struct pollfd){ .fd = events ? fd : -1, .events = events }; /* poll() skips what is -1 */
}

static void fill(const struct monitor *m, struct pollfd *fds, size_t n_clients)
{
        bool room = m->n_clients < CLIENTS_MAX, full = log_is_full(m->log) || clients_hold(m);
        struct log_wait log[LOG_WAITS];

        log_wait(m->log, log);
        fds[ON_SIGNALS] = wait_for(m->signals, POLLIN);
        fds[ON_LISTENER] = wait_for(m->listener, room ? POLLIN : 0);
        for (int i = 0; i < 2; i++)
                fds[ON_OUT + i] =
                        wait_for(m->out[i].fd, m->out[i].n == 0 && m->out[i].retry_at == 0 && !full ? POLLIN : 0);
        fds[ON_IN] = wait_for(m->in.fd, m->in.n > 0 ? POLLOUT : 0);
        fds[ON_OOM] = wait_for(m->life.oom ? cgroup_oom_fd(m->life.oom) : -1, POLLIN);
        fds[ON_HEALTH] = wait_for(health_fd(m), POLLIN);
        fds[ON_EXECS] = wait_for(execs_fd(m), POLLIN);
        for (int i = 0; i < LOG_WAITS; i++)
                fds[ON_LOG + i] = wait_for(log[i].fd, log[i].fd < 0 ? 0 : log[i].events);
        fds[ON_PORTS] = wait_for(ports_fd(m), POLLIN);
        fds[ON_NAMES] = wait_for(names_fd(m), POLLIN);
        for (size_t i = 0; i < n_clients; i++)
                fds[ON_FIXED + i] = wait_for(m->clients[i].fd, client_events(m, &m->clients[i]));
}

/* --- time --------------------------------------------------------------------------------------------------------- */

static void sooner(int64_t *at, int64_t other)
{
        if (other >= 0 && (*at < 0 || other < *at))
                *at = other;
}

static int timeout_of(const struct monitor *m)
{
        struct log_wait log[LOG_WAITS];
        int64_t at = -1, left;

        if (m->state == STATE_RUNNING) {
                sooner(&at, m->stop.on && !m->stop.killed ? m->stop.kill_at : -1);
                sooner(&at, m->stop.others ? m->stop.look_at : -1);
                sooner(&at, health_due(m));
                for (int i = 0; i < 2; i++)
                        sooner(&at, m->out[i].retry_at ? m->out[i].retry_at : -1);
        }
        if (m->state == STATE_WAITING)
                at = m->stop.on ? 0 : m->restart_at;
        if (m->state == STATE_ENDING || m->state == STATE_OVER)
                at = (clients_hold(m) ? cor_now_ms() : m->progress_ms) + STUCK_MS;
        log_wait(m->log, log);
        for (int i = 0; i < LOG_WAITS; i++)
                sooner(&at, log[i].at);
        sooner(&at, execs_due(m));
        sooner(&at, ports_due(m));
        sooner(&at, names_due(m));
        if (at < 0)
                return -1;
        left = at - cor_now_ms();
        return left < 0 ? 0 : left > INT32_MAX ? INT32_MAX : (int)left;
}

static void drop_stuck_clients(struct monitor *m)
{
        int64_t now = cor_now_ms();

        for (size_t i = 0; i < m->n_clients; i++)
                if (m->clients[i].holds && now - m->clients[i].held_ms >= HELD_MS)
                        client_drop(m, &m->clients[i]);
        if (now - m->progress_ms < STUCK_MS)
                return;
        for (size_t i = 0; i < m->n_clients; i++)
                if (m->clients[i].owed[0] || m->clients[i].owed[1] || m->clients[i].first)
                        client_drop(m, &m->clients[i]);
}

static void check_time(struct monitor *m)
{
        int64_t now = cor_now_ms();

        if (m->state == STATE_RUNNING && m->stop.on && !m->stop.killed && m->stop.kill_at >= 0 &&
            now >= m->stop.kill_at) {
                m->stop.killed = true;
                life_kill(m);
        }
        if (m->state == STATE_RUNNING && m->stop.others && (m->stop.killed || now >= m->stop.look_at))
                monitor_look(m);
        if (m->store && now - m->store_opened_ms > QUIET_MS)
                monitor_close_store(m);
        for (int i = 0; i < 2; i++)
                if (m->out[i].retry_at && now >= m->out[i].retry_at)
                        m->out[i].retry_at = 0;
        execs_step(m);
        if (m->state == STATE_RUNNING)
                health_step(m);
        if (m->state == STATE_ENDING || m->state == STATE_OVER)
                drop_stuck_clients(m);
        if (m->state == STATE_WAITING && (m->stop.on || now >= m->restart_at))
                monitor_wait_over(m);
}

/* --- what happened ------------------------------------------------------------------------------------------------ */

/* All children: of another runtime's container, and of pid namespaces that are the host's, orphans come to us. */
static void reap(struct monitor *m)
{
        int status;
        pid_t pid;

        while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
                if (pid == m->life.pid && m->state == STATE_RUNNING)
                        monitor_ended(m, status);
                else if (!execs_reaped(m, pid, status))
                        health_reaped(m, pid, status);
        }
}

static void take_signals(struct monitor *m)
{
        struct signalfd_siginfo info;
        struct cor_err err = { 0 };
        bool child = false;

        while (read(m->signals, &info, sizeof info) == sizeof info) {
                child = child || info.ssi_signo == SIGCHLD;
                if (info.ssi_signo == SIGTERM && monitor_shut_down(m, &err) < 0)
                        cor_warn("stop container %s: %s", m->id, err.msg);
        }
        if (child)
                reap(m);
}

static void take_oom(struct monitor *m)
{
        struct cor_err ignored;
        uint64_t events = 0;
        bool gone = false;

        if (!m->life.oom)
                return;
        if (cgroup_oom_check(m->life.oom, &events, &gone, &ignored) < 0 || gone) {
                cgroup_oom_close(m->life.oom);
                m->life.oom = NULL;
        }
        if (events == 0)
                return;
        m->now.oom_killed = true;
        monitor_event(m, "oom", NULL, NULL);
}

/* Everybody who could write is gone: what is in the pipes is all there is. */
static void drain(struct monitor *m)
{
        bool patient = cor_now_ms() - m->progress_ms < STUCK_MS; /* with a log that has no room */

        if (clients_hold(m))
                return;
        for (int i = 0; i < 2; i++) {
                struct output *o = &m->out[i];

                while (o->fd >= 0 && o->n == 0 && !(patient && log_is_full(m->log))) {
                        if (o->rest++ >= REST_MAX_PIECES || output_read(m, i) == 0)
                                cor_fd_close(&o->fd);
                }
        }
        if (m->out[0].fd < 0 && m->out[1].fd < 0 && m->out[0].n == 0 && m->out[1].n == 0)
                monitor_finish(m);
}

static void act(struct monitor *m, const struct pollfd *fds, size_t n_clients)
{
        for (size_t i = 0; i < n_clients; i++)
                if (fds[ON_FIXED + i].revents)
                        client_step(m, &m->clients[i], fds[ON_FIXED + i].revents);
        for (int i = 0; i < 2; i++)
                if (fds[ON_OUT + i].revents && m->out[i].fd >= 0 && m->out[i].n == 0)
                        (void)output_read(m, i);
        if (fds[ON_IN].revents)
                input_write(m);
        log_step(m->log);
        if (fds[ON_OOM].revents)
                take_oom(m);
        if (fds[ON_HEALTH].revents)
                health_read(m);
        if (fds[ON_EXECS].revents)
                execs_read(m);
        ports_step(m);
        names_step(m);
        if (fds[ON_SIGNALS].revents)
                take_signals(m);
        if (fds[ON_LISTENER].revents && m->listener >= 0)
                client_accept(m);
}

/* Once nothing has happened for a moment, it may be long until something does. */
static int wait_for_any(struct monitor *m, struct pollfd *fds, nfds_t n, int timeout_ms)
{
        bool is_long = timeout_ms < 0 || timeout_ms > QUIET_MS;
        int r = poll(fds, n, is_long ? QUIET_MS : timeout_ms);

        if (r != 0 || !is_long)
                return r;
        monitor_close_store(m);
        log_rest(m->log);
        return tidy_and_poll(fds, n, timeout_ms < 0 ? -1 : timeout_ms - QUIET_MS);
}

void monitor_main_loop(struct monitor *m)
{
        struct pollfd *fds = NULL;

        while (m->state != STATE_OVER || clients_are_owed(m)) {
                size_t n = m->n_clients;

                fds = cor_realloc_array(fds, ON_FIXED + n, sizeof *fds);
                fill(m, fds, n);
                if (wait_for_any(m, fds, ON_FIXED + n, timeout_of(m)) < 0 && errno != EINTR) {
                        cor_error("poll: %m");
                        break;
                }
                act(m, fds, n);
                if (m->state == STATE_ENDING)
                        drain(m);
                check_time(m);
                clients_forget(m);
        }
        free(fds);
        clients_done(m);
}

/* What clients ask for. */
#include "monitor/monitor.h"

#include "base/process.h"
#include "monitor/client.h"

#include <signal.h>
#include <string.h>

static void attach(struct monitor *m, struct client *c, const char *content)
{
        struct monitor_attach a;

        /* byte by byte: what is neither 0 nor 1 is no bool */
        a.in = content[offsetof(struct monitor_attach, in)] != 0;
        a.out = content[offsetof(struct monitor_attach, out)] != 0;
        a.err = content[offsetof(struct monitor_attach, err)] != 0;
        c->holds = content[offsetof(struct monitor_attach, logs)] != 0;
        if (c->holds) {
                c->held_ms = cor_now_ms();
                client_tell(m, c, MONITOR_DONE, NULL, 0);
                return;
        }
        c->in = a.in && m->settings.open_stdin;
        c->out[0] = a.out;
        c->out[1] = a.err;
        if (m->state == STATE_STARTING)
                m->attached = true;
        else
                monitor_event(m, "attach", NULL, NULL);
}

/* Whether it gets what is on its way does not matter any more. */
static void detach(struct monitor *m, struct client *c)
{
        monitor_event(m, "detach", NULL, NULL);
        client_drop(m, c);
}

static void end_of_input(struct monitor *m, struct client *c)
{
        if (!c->in)
                return;
        c->in = false;
        if (m->settings.stdin_once && !m->settings.tty)
                input_end(m);
}

static void stop(struct monitor *m, struct client *c, const char *content, bool again)
{
        struct cor_err err = { 0 };
        struct monitor_stop how;

        memcpy(&how, content, sizeof how);
        if (how.signal < 0 || how.signal > SIGRTMAX)
                cor_fail(&err, COR_INVALID, "there is no signal %d", how.signal);
        else if (m->state != STATE_OVER && monitor_stop(m, &how, again, &err) == 0)
                *(again ? &c->wants_started : &c->wants_stopped) = true;
        else if (m->state == STATE_OVER && !again)
                client_tell(m, c, MONITOR_STOPPED, NULL, 0);
        else if (m->state == STATE_OVER)
                cor_fail(&err, COR_BUSY, "the container is not running");
        if (err.kind != COR_OK)
                client_fail(m, c, &err);
}

static void shut_down(struct monitor *m, struct client *c)
{
        struct cor_err err = { 0 };

        if (monitor_shut_down(m, &err) < 0)
                client_fail(m, c, &err);
        else if (m->state == STATE_OVER)
                client_tell(m, c, MONITOR_STOPPED, NULL, 0);
        else
                c->wants_stopped = true;
}

static void answer(struct monitor *m, struct client *c, int r, const struct cor_err *err)
{
        if (r < 0)
                client_fail(m, c, err);
        else
                client_tell(m, c, MONITOR_DONE, NULL, 0);
}

static int check_running(const struct monitor *m, struct cor_err *err)
{
        return m->state == STATE_RUNNING ? 0 : cor_fail(err, COR_BUSY, "container %s is not running", m->id);
}

/* Which signals mean that it shall not come again is docker's rule (daemon, "kill"). */
static int send_signal(struct monitor *m, const char *content, struct cor_err *err)
{
        struct cor_err ignored;
        struct monitor_stop how;
        bool final;

        memcpy(&how, content, sizeof how);
        if (how.signal <= 0 || how.signal > SIGRTMAX)
                return cor_fail(err, COR_INVALID, "there is no signal %d", how.signal);
        if (check_running(m, err) < 0)
                return -1;
        final = how.signal == SIGKILL || m->settings.stop_signal == 0 || m->settings.stop_signal == how.signal;
        m->now.stopped = true;
        m->exit_on_next = m->exit_on_next || final;
        if (life_signal(m, how.signal, err) < 0)
                return -1;
        monitor_event_signal(m, how.signal);
        if (final && m->life.frozen && life_freeze(m, false, &ignored) == 0)
                m->now.phase = CONTAINER_PHASE_RUNNING;
        return 0;
}

static int freeze(struct monitor *m, bool frozen, struct cor_err *err)
{
        if (check_running(m, err) < 0)
                return -1;
        if (m->life.frozen == frozen)
                return cor_fail(err, COR_BUSY, "Container %s is %s paused", m->id, frozen ? "already" : "not");
        if (life_freeze(m, frozen, err) < 0)
                return -1;
        m->now.phase = frozen ? CONTAINER_PHASE_PAUSED : CONTAINER_PHASE_RUNNING;
        monitor_save(m, false);
        monitor_event(m, frozen ? "pause" : "unpause", NULL, NULL);
        return 0;
}

static int update(struct monitor *m, struct cor_err *err)
{
        auto_container_row row = { 0 };
        auto_settings s = { 0 };
        int r = -1;

        if (monitor_open_store(m, err) == 0 && container_row_find(m->store, m->id, &row, err) == 0)
                r = settings_read(&row, &s, err);
        if (r == 0)
                m->settings.restart = s.restart;
        return r;
}

static void resize(struct monitor *m, const char *content)
{
        struct cor_err ignored;

        memcpy(&m->size, content, sizeof m->size);
        if (m->out[0].fd >= 0 && m->out[0].is_tty && life_resize(m, &ignored) == 0)
                monitor_event_resize(m);
}

void monitor_request(struct monitor *m, struct client *c, int type, const char *content, size_t n, int fd)
{
        struct cor_err err = { 0 };

        switch (type) {
        case MONITOR_ATTACH:
                attach(m, c, content);
                break;
        case MONITOR_STDIN:
                if (c->in)
                        input_add(m, content, n);
                break;
        case MONITOR_STDIN_END:
                end_of_input(m, c);
                break;
        case MONITOR_RESIZE:
                resize(m, content);
                break;
        case MONITOR_STOP:
        case MONITOR_RESTART:
                stop(m, c, content, type == MONITOR_RESTART);
                break;
        case MONITOR_SHUT_DOWN:
                shut_down(m, c);
                break;
        case MONITOR_KILL:
                answer(m, c, send_signal(m, content, &err), &err);
                break;
        case MONITOR_PAUSE:
        case MONITOR_RESUME:
                answer(m, c, freeze(m, type == MONITOR_PAUSE, &err), &err);
                break;
        case MONITOR_UPDATE:
                answer(m, c, update(m, &err), &err);
                break;
        case MONITOR_NETWORKS:
                answer(m, c, monitor_reconnect(m, &err), &err);
                break;
        case MONITOR_EXEC:
                execs_begin(m, c, content, fd);
                break;
        case MONITOR_WAIT:
                c->wants_exit = true;
                break;
        case MONITOR_DETACH:
                detach(m, c);
                break;
        default: /* START, once more, and what is ours to say */
                cor_fail(&err, COR_INVALID, "packet %d is not for a monitor that runs", type);
                client_fail(m, c, &err);
        }
}

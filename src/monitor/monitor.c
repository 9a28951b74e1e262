/* The states of monitor.h, and what leads from one to the next. */
#include "monitor/monitor.h"

#include "base/date.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/process.h"
#include "monitor/client.h"
#include "monitor/external.h"
#include "monitor/remove.h"

#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LOOK_MS = 50, CODE_UNKNOWN = 128, CODE_REFUSED = 126, CODE_MISSING = 127 };

/* --- the row ------------------------------------------------------------------------------------------------------ */

int monitor_open_store(struct monitor *m, struct cor_err *err)
{
        if (m->store)
                return 0;
        m->store_opened_ms = cor_now_ms();
        return store_open(m->store_path, STORE_DATABASE, &m->store, err);
}

void monitor_close_store(struct monitor *m)
{
        store_free(m->store);
        m->store = NULL;
}

void monitor_save(struct monitor *m, bool durable)
{
        struct cor_err err = { 0 };

        if (monitor_open_store(m, &err) < 0 || container_row_save_now(m->store, m->number, &m->now, durable, &err) < 0)
                cor_warn("write down the state of container %s: %s", m->id, err.msg);
}

/* --- STARTING ----------------------------------------------------------------------------------------------------- */

static int open_log(struct monitor *m, struct cor_err *err)
{
        const struct settings *s = &m->settings;
        const struct log_options o = {
                .type = s->log_type,
                .options = &s->log_options,
                .folder = m->folder,
                .id = s->id,
                .name = s->name,
                .image = s->image,
                .image_id = s->image_id,
                .created = s->created,
                .labels = &s->labels,
                .env = &s->env,
                .again = m->was_logged,
        };

        if (!m->log && log_open(&o, &m->log, err) < 0)
                return -1;
        m->was_logged = true;
        return 0;
}

/* After a loss of power these policies ask what was last: that it ran, and was not stopped, must not be forgotten. */
static bool has_to_last(const struct monitor *m)
{
        enum restart_when when = m->settings.restart.when;

        return m->restart.count == 0 && (when == RESTART_UNLESS_STOPPED || when == RESTART_ON_FAILURE);
}

/* Who finds this in the row, and nobody who holds the lock, knows that there is something to be cleared away. */
void monitor_will_run(struct monitor *m)
{
        m->started_ms = cor_now_ms();
        m->now.phase = CONTAINER_PHASE_RUNNING;
        m->now.started = cor_wall_ns();
        m->now.exit_code = 0;
        m->now.oom_killed = false;
        m->now.stopped = false;
        m->now.restart_count = m->restart.count;
        free(m->now.error);
        m->now.error = NULL;
        health_begin(m);
        monitor_save(m, has_to_last(m));
}

/* The starter has held the WORK lock since the monitor took the container: nothing has changed until the first start.
 */
static int read_row(struct monitor *m, struct container_row *row, struct cor_err *err)
{
        if (m->row.id) {
                *row = m->row;
                m->row = (struct container_row){ 0 };
                return 0;
        }
        if (container_row_find(m->store, m->id, row, err) < 0)
                return -1;
        settings_done(&m->settings);
        return settings_read(row, &m->settings, err);
}

static int start(struct monitor *m, struct cor_err *err)
{
        auto_container_row row = { 0 };

        if (monitor_open_store(m, err) < 0 || read_row(m, &row, err) < 0 || open_log(m, err) < 0)
                return -1;
        if (life_start(m, &row, err) < 0)
                return -1;
        m->state = STATE_RUNNING;
        m->has_run = true;
        m->exit_on_next = false;
        monitor_event_start(m, &row);
        return 0;
}

int monitor_start(struct monitor *m, struct cor_err *err)
{
        m->state = STATE_STARTING;
        m->started_before = m->now.started;
        m->stop = (struct stop){ .kill_at = -1 };
        streams_init(m);
        return start(m, err);
}

void monitor_start_failed(struct monitor *m, const struct cor_err *why)
{
        bool was_created = m->started_before == 0;

        m->now.started = m->started_before;
        m->now.health = CONTAINER_HEALTH_NONE;
        m->now.phase = was_created ? CONTAINER_PHASE_CREATED : CONTAINER_PHASE_EXITED;
        m->now.exit_code = why->kind == COR_EXEC_MISSING   ? CODE_MISSING
                           : why->kind == COR_EXEC_REFUSED ? CODE_REFUSED
                                                           : CODE_UNKNOWN;
        free(m->now.error);
        m->now.error = cor_strdup(why->msg);
        m->now.finished = was_created ? 0 : cor_wall_ns();
        monitor_over(m);
}

/* --- RUNNING to its end ------------------------------------------------------------------------------------------- */

int monitor_stop(struct monitor *m, const struct monitor_stop *how, bool again, struct cor_err *err)
{
        int sig = how->signal > 0 ? how->signal : m->settings.stop_signal ? m->settings.stop_signal : SIGTERM;
        int32_t timeout = how->timeout_ms == MONITOR_STOP_OWN_TIMEOUT ? m->settings.stop_timeout_ms : how->timeout_ms;
        struct cor_err ignored;

        m->stop.on = true;
        m->stop.again = again;
        if (!m->shutting_down)
                m->now.stopped = !again;
        if (m->state != STATE_RUNNING)
                return 0;
        if ((m->settings.stop_all || m->stop.others ? life_signal_all(m, sig, err) : life_signal(m, sig, err)) < 0)
                return -1;
        monitor_event_signal(m, sig);
        if (m->life.frozen && life_freeze(m, false, &ignored) == 0)
                m->now.phase = CONTAINER_PHASE_RUNNING;
        m->stop.signal = sig;
        m->stop.killed = false;
        m->stop.kill_at = timeout < 0 ? -1 : cor_now_ms() + timeout;
        return 0;
}

int monitor_shut_down(struct monitor *m, struct cor_err *err)
{
        const struct monitor_stop how = { .timeout_ms = MONITOR_STOP_OWN_TIMEOUT };

        m->shutting_down = true;
        m->stop.again = false;
        return m->stop.on || m->state == STATE_OVER ? 0 : monitor_stop(m, &how, false, err);
}

static void ended(struct monitor *m)
{
        m->state = STATE_ENDING;
        m->progress_ms = cor_now_ms();
        health_end(m);
        if (m->life.oom) {
                struct cor_err ignored;
                uint64_t events = 0;
                bool gone;

                if (cgroup_oom_check(m->life.oom, &events, &gone, &ignored) == 0 && events > 0) {
                        m->now.oom_killed = true;
                        monitor_event(m, "oom", NULL, NULL);
                }
        }
        m->life.pid = 0;
        life_end(m, true);
        monitor_disconnect(m);
        m->in.end_wanted = false;
        cor_fd_close(&m->in.fd);
        m->in.n = 0;
}

/*
 * In a pid namespace of its own nobody outlives the first process. In that of the host or of another container they do,
 * and a stop is for them as well: the same signal, and what is left of the time.
 */
void monitor_ended(struct monitor *m, int status)
{
        struct cor_err err = { 0 };

        m->status = status;
        m->life.pid = 0;
        if (!m->stop.on || m->stop.killed || !life_goes_on(m)) {
                ended(m);
                return;
        }
        health_end(m);
        if (!m->settings.stop_all && life_signal_all(m, m->stop.signal, &err) < 0)
                cor_warn("stop the processes of container %s: %s", m->id, err.msg);
        m->stop.others = true;
        m->stop.look_at = cor_now_ms() + LOOK_MS;
}

void monitor_look(struct monitor *m)
{
        m->stop.look_at = cor_now_ms() + LOOK_MS;
        if (m->stop.killed || !life_goes_on(m))
                ended(m);
}

static void tell_exit(struct monitor *m, bool last)
{
        const struct monitor_exit e = {
                .code = m->now.exit_code, .oom_killed = m->now.oom_killed, .last = last, .removed = m->removed
        };

        for (size_t i = 0; i < m->n_clients; i++) {
                struct client *c = &m->clients[i];

                if (c->wants_exit || c->out[0] || c->out[1] || c->in)
                        client_tell(m, c, MONITOR_EXIT, &e, sizeof e);
                c->wants_exit = false;
        }
}

static void tell_stopped(struct monitor *m)
{
        for (size_t i = 0; i < m->n_clients; i++) {
                if (m->clients[i].wants_stopped)
                        client_tell(m, &m->clients[i], MONITOR_STOPPED, NULL, 0);
                m->clients[i].wants_stopped = false;
        }
}

static void tell_started(struct monitor *m, const struct cor_err *failure)
{
        for (size_t i = 0; i < m->n_clients; i++) {
                struct client *c = &m->clients[i];

                if (c->wants_started && failure)
                        client_fail(m, c, failure);
                else if (c->wants_started)
                        client_tell(m, c, MONITOR_STARTED, NULL, 0);
                c->wants_started = false;
        }
}

static void start_again(struct monitor *m)
{
        bool asked = m->stop.again;
        struct cor_err err = { 0 };

        if (monitor_start(m, &err) == 0) {
                if (asked)
                        monitor_event(m, "restart", NULL, NULL);
                tell_started(m, NULL);
                return;
        }
        monitor_start_failed(m, &err);
        tell_started(m, &err);
        tell_exit(m, true);
}

static void end(struct monitor *m)
{
        struct cor_err stopped = { 0 };

        m->now.phase = CONTAINER_PHASE_EXITED;
        monitor_over(m);
        tell_exit(m, true);
        tell_stopped(m);
        cor_fail(&stopped, COR_BUSY, "the container was stopped");
        tell_started(m, &stopped);
}

static int64_t next_start(struct monitor *m)
{
        const struct restart_end end = {
                .code = m->now.exit_code,
                .stopped = m->now.stopped,
                .ran_ms = cor_now_ms() - m->started_ms,
        };

        if (m->stop.on || m->exit_on_next || m->shutting_down)
                return -1;
        return restart_decide(&m->restart, &m->settings.restart, &end);
}

void monitor_finish(struct monitor *m)
{
        int64_t delay;

        streams_done(m);
        log_close(
                m->log); /* a last line without its end is a line now; whoever hears of the end finds all in the log */
        m->log = NULL;
        m->now.exit_code = cor_status_code(m->status);
        m->now.finished = cor_wall_ns();
        monitor_event_die(m);
        if (m->stop.on)
                monitor_event(m, "stop", NULL, NULL);
        if (m->stop.on && m->stop.again) {
                m->restart = (struct restart){ 0 };
                tell_exit(m, false);
                tell_stopped(m);
                start_again(m);
                return;
        }
        delay = next_start(m);
        if (delay < 0) {
                end(m);
                return;
        }
        m->state = STATE_WAITING;
        m->restart_at = cor_now_ms() + delay;
        m->now.phase = CONTAINER_PHASE_RESTARTING;
        monitor_save(m, false);
        tell_exit(m, false);
}

/* WAITING: what a timer, or a request meanwhile, leads to */
void monitor_wait_over(struct monitor *m)
{
        if (!m->stop.on || m->stop.again)
                start_again(m);
        else
                end(m);
}

/* --- OVER --------------------------------------------------------------------------------------------------------- */

static void remove_run_folder(struct monitor *m)
{
        static const char *const names[] = { MONITOR_SOCKET, MONITOR_LOG, "rootfs", "" };

        cor_fd_close(&m->listener);
        for (size_t i = 0; m->run && i < COR_COUNT(names); i++) {
                auto_str path = cor_printf("%s/%s", m->run, names[i]);

                if (unlink(path) < 0)
                        (void)rmdir(path);
        }
        free(m->run);
        m->run = NULL;
}

void monitor_give_up(struct monitor *m)
{
        if (!m->gone.name)
                monitor_close_store(m);
        remove_run_folder(m);
        cor_fd_close(&m->lock);
}

void monitor_clear_gone(struct monitor *m)
{
        struct cor_err err = { 0 };

        if (m->gone.name && (monitor_open_store(m, &err) < 0 || container_folder_clear(m->store, &m->gone, &err) < 0))
                cor_warn("%s", err.msg);
        container_gone_done(&m->gone);
        monitor_close_store(m);
}

static bool remove_container(struct monitor *m)
{
        auto_container_row row = { 0 };
        struct cor_err err = { 0 };

        if (monitor_open_store(m, &err) == 0 && container_row_find(m->store, m->id, &row, &err) == 0 &&
            monitor_forget(m->store, &row, true, &m->gone, &err) == 0)
                return true;
        cor_warn("remove container %s: %s", m->id, err.msg);
        return err.kind == COR_NOT_FOUND;
}

/*
 * What lies about goes before the row says that nothing does. The lock goes before anybody is told: who hears of the
 * end may start the container again at once.
 */
void monitor_over(struct monitor *m)
{
        m->state = STATE_OVER;
        m->progress_ms = cor_now_ms();
        log_close(m->log);
        m->log = NULL;
        monitor_disconnect(m);
        remove_run_folder(m);
        if (m->settings.auto_remove)
                m->removed = remove_container(m);
        if (!m->removed)
                monitor_save(m, true);
        monitor_give_up(m);
}

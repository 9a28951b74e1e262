/* Ending, pausing and waiting for containers: their monitors do it, the engine asks them. */
#include "engine/container_internal.h"

#include "base/fd.h"
#include "base/process.h"
#include "runtime/lifecycle.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/inotify.h>
#include <time.h>

/*
 * A monitor that ends has no socket any more while it writes down that it did, and a disk may take its time over that:
 * look again, so often and so long, what became of the container.
 */
enum { LOOK_AGAIN_MS = 5, ENDING_MS = 30 * 1000 };

/*
 * Ask the monitor of @name, if it runs: 1 it has answered, 0 the container does not run. A monitor that is gone before
 * it answers leaves a container that has ended.
 */
static int ask_running(struct engine *e, const char *name, enum monitor_packet packet, const void *content, size_t n,
                       enum monitor_packet answer, struct container_row *ret, struct cor_err *err)
{
        const struct timespec pause = { .tv_nsec = LOOK_AGAIN_MS * 1000000 };
        int64_t end = cor_now_ms() + ENDING_MS;

        for (;;) {
                container_row_done(ret);
                *ret = (struct container_row){ 0 };
                if (engine_container(e, name, false, ret, err) < 0)
                        return -1;
                if (!container_runs(ret))
                        return 0;
                if (container_monitor_ask(e, ret, packet, content, n, answer, err) == 0)
                        return 1;
                if (err->kind != COR_NOT_FOUND || cor_now_ms() >= end)
                        return -1;
                cor_err_clear(err);
                nanosleep(&pause, NULL);
        }
}

static struct monitor_stop stop_of(int signal, int timeout)
{
        return (struct monitor_stop){
                .signal = signal,
                .timeout_ms = timeout == INT32_MIN         ? MONITOR_STOP_OWN_TIMEOUT
                              : timeout < 0                ? -1
                              : timeout > INT32_MAX / 1000 ? INT32_MAX
                                                           : timeout * 1000,
        };
}

int engine_stop_container(struct engine *e, const char *name, int signal, int timeout, struct cor_err *err)
{
        const struct monitor_stop stop = stop_of(signal, timeout);
        auto_container_row row = { 0 };
        int r = ask_running(e, name, MONITOR_STOP, &stop, sizeof stop, MONITOR_STOPPED, &row, err);

        return r < 0 ? cor_wrap(err, "cannot stop container: %s", name) : 0;
}

int engine_restart_container(struct engine *e, const char *name, int signal, int timeout, struct cor_err *err)
{
        const struct monitor_stop stop = stop_of(signal, timeout);
        auto_container_row row = { 0 };
        int r = ask_running(e, name, MONITOR_RESTART, &stop, sizeof stop, MONITOR_STARTED, &row, err);

        if (r == 0)
                r = engine_start_container(e, name, NULL, NULL, NULL, err);
        return r < 0 ? cor_wrap(err, "Cannot restart container %s", name) : 0;
}

int engine_kill_container(struct engine *e, const char *name, int signal, struct cor_err *err)
{
        const struct monitor_stop stop = { .signal = signal ? signal : SIGKILL, .timeout_ms = -1 };
        auto_container_row row = { 0 };
        int r = ask_running(e, name, MONITOR_KILL, &stop, sizeof stop, MONITOR_DONE, &row, err);

        if (r == 0)
                r = container_not_running(&row, err);
        return r < 0 ? cor_wrap(err, "cannot kill container: %s", name) : 0;
}

int engine_pause_container(struct engine *e, const char *name, bool pause, struct cor_err *err)
{
        auto_container_row row = { 0 };
        int r;

        if (engine_container(e, name, false, &row, err) < 0)
                return -1;
        if (container_runs(&row) && (row.now.phase == CONTAINER_PHASE_PAUSED) == pause)
                return pause ? cor_fail(err, COR_BUSY, "Container %s is already paused", row.id)
                             : cor_fail(err, COR_BUSY, "Container %s is not paused", row.id);
        if (row.now.phase == CONTAINER_PHASE_RESTARTING)
                return cor_fail(err, COR_BUSY, "Container %s is restarting, wait until the container is running",
                                row.id);
        r = ask_running(e, name, pause ? MONITOR_PAUSE : MONITOR_RESUME, NULL, 0, MONITOR_DONE, &row, err);
        if (r == 0)
                return pause ? cor_fail(err, COR_BUSY, "Container %s is not running", row.id)
                             : cor_fail(err, COR_BUSY, "Container %s is not paused", row.id);
        return r < 0 ? cor_wrap(err, "Cannot %s container %s", pause ? "pause" : "unpause", name) : 0;
}

/* ------------------------------------------------------------------------------------------------------------- wait */

/* One end of the program: 1 (*ret), 0 the monitor ended without a word. */
static int await_exit(struct engine *e, const struct container_row *row, struct monitor_exit *ret, struct cor_err *err)
{
        auto_free char *buf = cor_alloc(MONITOR_PACKET_MAX);
        auto_fd sock = container_monitor_connect(e, row, err);
        size_t n;

        if (sock >= 0 && monitor_send(sock, MONITOR_WAIT, NULL, 0, err) == 0 &&
            container_await(sock, buf, MONITOR_EXIT, &n, err) == 0) {
                memcpy(ret, buf + 1, sizeof *ret);
                return 1;
        }
        return err->kind == COR_NOT_FOUND ? 0 : -1;
}

/* Until the container's folder is gone. */
static int await_removal(struct engine *e, const struct container_row *row, struct cor_err *err)
{
        auto_str path = container_folder_path(e->store, row->id);
        auto_fd watch = inotify_init1(IN_CLOEXEC);

        if (watch < 0)
                return cor_fail_errno(err, "inotify");
        if (inotify_add_watch(watch, path, IN_MOVE_SELF | IN_DELETE_SELF) < 0)
                return errno == ENOENT ? 0 : cor_fail_errno(err, "watch %s", path);
        return cor_wait_readable(watch, -1, err) < 0 ? -1 : 0;
}

int engine_wait_container(struct engine *e, const char *name, enum container_wait condition, int *ret_code,
                          struct cor_err *err)
{
        struct monitor_exit end = { .code = 0 };
        auto_container_row row = { 0 };
        bool ended = false; /* and was seen to: @end holds */

        if (engine_container(e, name, false, &row, err) < 0)
                return -1;
        while (!ended && container_runs(&row)) {
                auto_container_row next = { 0 };
                int r = await_exit(e, &row, &end, err);

                ended = r > 0 && end.last;
                if (r < 0)
                        return -1;
                if (ended)
                        break;
                if (engine_container(e, row.id, false, &next, err) < 0)
                        return -1;
                container_row_done(&row);
                row = next;
                next = (struct container_row){ 0 };
        }
        *ret_code = ended ? end.code : row.now.exit_code;
        return condition == CONTAINER_WAIT_REMOVED && !(ended && end.removed) ? await_removal(e, &row, err) : 0;
}

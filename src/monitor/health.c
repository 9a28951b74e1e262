#include "monitor/health.h"

#include "base/date.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/log.h"
#include "base/process.h"
#include "monitor/external.h"
#include "monitor/monitor.h"
#include "runtime/context.h"
#include "spec/docker.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

/* A little more than the command gets, for a helper that hangs itself. */
enum { OUTPUT_MAX = 4096, RESULTS_MAX = 5, FILE_MAX_BYTES = 1 << 20, HELPER_EXTRA_MS = 10 * 1000 };

void health_init(struct monitor *m)
{
        m->health = (struct health){ .fd = -1, .due = -1 };
}

int health_fd(const struct monitor *m)
{
        return m->health.fd;
}

int64_t health_due(const struct monitor *m)
{
        return m->health.due;
}

static bool is_wanted(const struct monitor *m)
{
        return m->settings.health.command.n_items > 0;
}

/* --- health.json -------------------------------------------------------------------------------------------------- */

static const char *status_name(const struct monitor *m)
{
        static const char *const names[] = {
                [CONTAINER_HEALTH_NONE] = "none",
                [CONTAINER_HEALTH_STARTING] = "starting",
                [CONTAINER_HEALTH_GOOD] = "healthy",
                [CONTAINER_HEALTH_BAD] = "unhealthy",
        };

        return names[m->now.health];
}

static int write_results(struct monitor *m, const struct docker_health_result *log, size_t n, struct cor_err *err)
{
        const struct docker_health h = {
                .status = status_name(m),
                .failing_streak = m->health.streak,
                .log = (struct docker_health_result *)(uintptr_t)log,
                .n_log = n,
        };
        auto_text text = COR_TEXT_INIT;
        auto_fd folder = open(m->folder, O_PATH | O_DIRECTORY | O_CLOEXEC);

        if (folder < 0)
                return cor_fail_errno(err, "open %s", m->folder);
        cor_json_print(&docker_health_doc, &h, COR_JSON_COMPACT, &text);
        return cor_own_write(folder, HEALTH_FILE, text.s, text.len, 0600, false, err);
}

/* @result may be NULL: only the status has changed */
static int add_result(struct monitor *m, const struct docker_health_result *result, struct cor_err *err)
{
        struct docker_health_result log[RESULTS_MAX];
        auto_json struct docker_health *before = NULL;
        auto_str path = cor_printf("%s/" HEALTH_FILE, m->folder);
        auto_str text = NULL;
        size_t len, first, n = 0;

        if (cor_read_file(path, FILE_MAX_BYTES, &text, &len, err) < 0 ||
            cor_json_parse(&docker_health_doc, text, len, path, &before, err) < 0)
                return -1;
        first = before->n_log + (result != NULL) > RESULTS_MAX ? before->n_log + (result != NULL) - RESULTS_MAX : 0;
        for (size_t i = first; i < before->n_log; i++)
                log[n++] = before->log[i];
        if (result)
                log[n++] = *result;
        return write_results(m, log, n, err);
}

static char *time_text(int64_t ns)
{
        time_t seconds = (time_t)(ns / 1000000000);
        char text[40];
        struct tm tm;

        gmtime_r(&seconds, &tm);
        strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &tm);
        return cor_printf("%s.%09dZ", text, (int)(ns % 1000000000));
}

/* --- the outcome -------------------------------------------------------------------------------------------------- */

static bool is_starting_up(const struct monitor *m)
{
        return m->now.health == CONTAINER_HEALTH_STARTING &&
               cor_now_ms() - m->started_ms < m->settings.health.start_period_ms;
}

static int64_t next_check(const struct monitor *m)
{
        const struct health_settings *s = &m->settings.health;

        return cor_now_ms() + (is_starting_up(m) ? s->start_interval_ms : s->interval_ms);
}

static void judge(struct monitor *m, int code)
{
        if (code == 0) {
                m->health.streak = 0;
                m->now.health = CONTAINER_HEALTH_GOOD;
        } else if (!is_starting_up(m) && ++m->health.streak >= m->settings.health.retries) {
                m->now.health = CONTAINER_HEALTH_BAD;
        }
}

static void tell_change(struct monitor *m)
{
        auto_str action = cor_printf("health_status: %s", status_name(m));

        monitor_save(m, false);
        monitor_event(m, action, NULL, NULL);
}

static char *result_output(const struct monitor *m)
{
        const struct health *h = &m->health;

        if (h->timed_out)
                return cor_printf("Health check exceeded timeout (%gs): %.*s",
                                  (double)m->settings.health.timeout_ms / 1000, (int)h->n, h->output ? h->output : "");
        return cor_printf("%.*s%s", (int)h->n, h->output ? h->output : "", h->n == OUTPUT_MAX ? "..." : "");
}

/* Who hears of a change finds the reason for it. */
static void conclude(struct monitor *m, int code)
{
        enum container_health before = m->now.health;
        auto_str output = result_output(m);
        auto_str start = time_text(m->health.started);
        auto_str end = time_text(cor_wall_ns());
        const struct docker_health_result result = { .start = start, .end = end, .exit_code = code, .output = output };
        struct cor_err err = { 0 };

        judge(m, code);
        if (add_result(m, &result, &err) < 0)
                cor_warn("health check: %s", err.msg);
        if (m->now.health != before)
                tell_change(m);
}

/* --- the helper --------------------------------------------------------------------------------------------------- */

static int helper_wait(pid_t pid, int64_t timeout_ms)
{
        int status = 0;

        if (cor_child_wait(pid, timeout_ms > INT32_MAX ? INT32_MAX : (int)timeout_ms, &status) == 0) {
                kill(pid, SIGKILL);
                cor_child_wait(pid, HELPER_EXTRA_MS / 2, NULL);
                return -1;
        }
        return cor_status_code(status);
}

/* In the helper. Of the monitor it keeps its pipe, as descriptor 3; least of all the lock. */
static void __attribute__((noreturn)) helper_run(const struct monitor *m, int pipe_end)
{
        const struct runtime_context ctx = { .root = m->life.root, .rootless = runtime_default_rootless() };
        const struct cor_strv *command = &m->settings.health.command;
        const struct exec_options o = { .id = m->id, .args = command->items, .n_args = command->n_items };
        struct cor_err err = { 0 };
        int master = -1, code = -1;
        pid_t pid;

        prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
        if (dup2(pipe_end, 3) != 3 || cor_fds_close(4, ~0U, NULL) < 0)
                _exit(1);
        fcntl(3, F_SETFD, FD_CLOEXEC);
        if (m->settings.runtime)
                external_exec(m, command, 3);
        else if (exec_spawn(&ctx, &o, &(struct spawn_stdio){ { -1, 3, 3 } }, &pid, &master, &err) == 0)
                code = helper_wait(pid, m->settings.health.timeout_ms);
        if (err.kind != COR_OK)
                (void)!write(3, err.msg, strlen(err.msg));
        if (code >= 0)
                _exit(code);
        kill(getpid(), SIGKILL);
        _exit(1);
}

static int start_helper(struct monitor *m, struct cor_err *err)
{
        struct health *h = &m->health;
        int ends[2];

        if (pipe2(ends, O_CLOEXEC) < 0)
                return cor_fail_errno(err, "make a pipe");
        h->helper = fork();
        if (h->helper == 0)
                helper_run(m, ends[1]);
        close(ends[1]);
        if (h->helper < 0) {
                h->helper = 0;
                close(ends[0]);
                return cor_fail_errno(err, "make a process for the health check");
        }
        (void)fcntl(ends[0], F_SETFL, O_NONBLOCK);
        h->fd = ends[0];
        return 0;
}

/* --- time and events ---------------------------------------------------------------------------------------------- */

static void forget_output(struct health *h)
{
        cor_fd_close(&h->fd);
        free(h->output);
        h->output = NULL;
        h->n = 0;
        h->timed_out = false;
}

void health_begin(struct monitor *m)
{
        struct cor_err err = { 0 };

        health_init(m);
        m->now.health = is_wanted(m) ? CONTAINER_HEALTH_STARTING : CONTAINER_HEALTH_NONE;
        if (!is_wanted(m))
                return;
        m->health.due = next_check(m);
        if (write_results(m, NULL, 0, &err) < 0)
                cor_warn("health check: %s", err.msg);
}

void health_end(struct monitor *m)
{
        struct health *h = &m->health;
        struct cor_err err = { 0 };

        if (h->helper > 0) { /* what it runs ends with the container */
                kill(h->helper, SIGKILL);
                h->helper = 0;
        }
        forget_output(h);
        h->due = -1;
        if (m->now.health == CONTAINER_HEALTH_NONE)
                return;
        m->now.health = CONTAINER_HEALTH_BAD; /* as docker says of what does not run */
        if (add_result(m, NULL, &err) < 0)
                cor_warn("health check: %s", err.msg);
}

static void begin_check(struct monitor *m)
{
        struct health *h = &m->health;
        struct cor_err err = { 0 };

        h->due = next_check(m);
        if (m->life.frozen || m->stop.on)
                return;
        h->started = cor_wall_ns();
        if (start_helper(m, &err) < 0) {
                cor_warn("health check: %s", err.msg);
                return;
        }
        h->begun_ms = cor_now_ms();
        h->due = h->begun_ms + m->settings.health.timeout_ms + HELPER_EXTRA_MS;
}

void health_step(struct monitor *m)
{
        struct health *h = &m->health;

        if (h->due < 0 || cor_now_ms() < h->due)
                return;
        if (h->helper == 0) {
                begin_check(m);
        } else { /* it should have killed its command, and said so */
                kill(h->helper, SIGKILL);
                h->due = -1;
        }
}

void health_read(struct monitor *m)
{
        struct health *h = &m->health;
        char rest[512];
        ssize_t n;

        if (h->fd < 0)
                return;
        if (!h->output)
                h->output = cor_alloc(OUTPUT_MAX);
        if (h->n < OUTPUT_MAX) {
                n = read(h->fd, h->output + h->n, OUTPUT_MAX - h->n);
                h->n += n > 0 ? (size_t)n : 0;
        } else {
                n = read(h->fd, rest, sizeof rest); /* so that it does not wait for us */
        }
        if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
                cor_fd_close(&h->fd);
}

void health_reaped(struct monitor *m, pid_t pid, int status)
{
        struct health *h = &m->health;

        if (h->helper <= 0 || pid != h->helper)
                return;
        h->helper = 0;
        while (h->fd >= 0 && h->n < OUTPUT_MAX) {
                size_t before = h->n;

                health_read(m);
                if (h->n == before)
                        break;
        }
        h->timed_out = WIFSIGNALED(status) && cor_now_ms() - h->begun_ms >= m->settings.health.timeout_ms;
        if (m->state == STATE_RUNNING) {
                conclude(m, WIFEXITED(status) ? WEXITSTATUS(status) : -1);
                h->due = next_check(m);
        }
        forget_output(h);
}

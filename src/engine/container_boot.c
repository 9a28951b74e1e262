/*
 * What the start and the end of the machine mean to containers: there is no daemon that would see to it, so a service
 * of the machine's init asks for it (`system start`, `system stop`).
 *
 * Each start is the work of a child: one that does not come to an end, as its files are on a server that is gone, keeps
 * nobody else waiting for long.
 */
#include "engine/container_internal.h"

#include "base/fd.h"
#include "base/process.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

enum { START_MS = 120 * 1000, KILLED_MS = 5000 };

/* ------------------------------------------------------------------------------------------------------ what is due */

/* As docker does when its daemon starts, but for "on-failure": what the user has stopped, the user starts. */
static bool is_due(const struct container_row *r, const struct docker_restart_policy *p)
{
        const struct container_now *n = &r->now;

        if (container_runs(r) || n->phase == CONTAINER_PHASE_REMOVING || n->phase == CONTAINER_PHASE_DEAD)
                return false;
        if (cor_streq(p->name, "always"))
                return true;
        if (cor_streq(p->name, "unless-stopped"))
                return !n->stopped;
        return cor_streq(p->name, "on-failure") && !n->stopped && n->exit_code != 0 &&
               (p->maximum_retry_count <= 0 || n->restart_count < p->maximum_retry_count);
}

static bool shares_with_another(const struct docker_host_config *h)
{
        const char *const modes[] = { h->network_mode, h->ipc_mode, h->pid_mode };

        for (size_t i = 0; i < COR_COUNT(modes); i++)
                if (modes[i] && cor_starts_with(modes[i], "container:"))
                        return true;
        return false;
}

struct due {
        const struct container_row *row;
        bool shares; /* namespaces of another container, which has to run */
};

static int find_due(const struct container_rows *rows, struct due *due, size_t *n, struct cor_err *err)
{
        for (size_t i = rows->n_items; i-- > 0;) { /* the oldest first: what is shared was there before */
                const struct container_row *r = &rows->items[i];
                auto_json struct docker_host_config *host = NULL;

                if (!r->host_config)
                        continue;
                if (cor_json_parse(&docker_host_config_doc, r->host_config, strlen(r->host_config), r->name, &host,
                                   err) < 0)
                        return -1;
                if (is_due(r, &host->restart_policy))
                        due[(*n)++] = (struct due){ .row = r, .shares = shares_with_another(host) };
        }
        return 0;
}

/* ------------------------------------------------------------------------------------------------------------ start */

static _Noreturn void child_run(const char *store, const char *id, int report)
{
        struct engine e = { 0 };
        struct cor_err err = { 0 };

        if (store_open(store, STORE_DATABASE, &e.store, &err) == 0 &&
            engine_start_container(&e, id, NULL, NULL, NULL, &err) == 0)
                cor_err_clear(&err);
        engine_done(&e);
        (void)!cor_write_full(report, &err, sizeof err, NULL);
        _exit(0);
}

static int hear(int report, struct cor_err *err)
{
        struct cor_err told = { 0 };
        int r = cor_wait_readable(report, START_MS, err);

        if (r < 0)
                return -1;
        if (r == 0)
                return cor_fail(err, COR_TIMEOUT, "it does not start in %d s", START_MS / 1000);
        if (cor_read_full(report, &told, sizeof told, err) != (ssize_t)sizeof told)
                return cor_fail(err, COR_SYSTEM, "the process that started it died");
        told.msg[sizeof told.msg - 1] = '\0';
        if (told.kind == COR_OK)
                return 0;
        *err = told;
        return -1;
}

static int start(const char *store, const char *id, struct cor_err *err)
{
        auto_fd ours = -1, theirs = -1;
        int ends[2], r;
        pid_t child;

        if (pipe2(ends, O_CLOEXEC) < 0)
                return cor_fail_errno(err, "make a pipe");
        ours = ends[0];
        theirs = ends[1];
        child = fork();
        if (child < 0)
                return cor_fail_errno(err, "fork");
        if (child == 0)
                child_run(store, id, theirs);
        cor_fd_close(&theirs);
        r = hear(ours, err);
        if (r < 0)
                kill(child, SIGKILL);
        (void)cor_child_wait(child, KILLED_MS, NULL);
        return r;
}

/* One whose namespaces are another's may have come before that one: it gets a second chance. */
static void start_due(const char *store, const struct due *due, size_t n, const struct boot_report *report)
{
        auto_free bool *again = cor_alloc(n * sizeof *again + 1);

        for (size_t i = 0; i < n; i++) {
                struct cor_err err = { 0 };
                int r = start(store, due[i].row->id, &err);

                again[i] = r < 0 && due[i].shares;
                if (!again[i])
                        report->each(report->context, due[i].row, r < 0 ? &err : NULL);
        }
        for (size_t i = 0; i < n; i++) {
                struct cor_err err = { 0 };

                if (again[i])
                        report->each(report->context, due[i].row, start(store, due[i].row->id, &err) < 0 ? &err : NULL);
        }
}

int engine_boot(struct engine *e, const struct boot_report *report, struct cor_err *err)
{
        auto_container_rows rows = { 0 };
        auto_free struct due *due = NULL;
        auto_str path = NULL;
        size_t n = 0;

        if (engine_containers(e, true, &rows, err) < 0)
                return -1;
        due = cor_alloc((rows.n_items + 1) * sizeof *due);
        if (find_due(&rows, due, &n, err) < 0)
                return -1;
        /* a database that is open does not outlive a fork(): each process opens its own */
        path = cor_strdup(store_path(e->store));
        engine_done(e);
        start_due(path, due, n, report);
        return store_open(path, STORE_DATABASE, &e->store, err);
}

/* ------------------------------------------------------------------------------------------------------------- stop */

static int ask(struct engine *e, const struct container_row *r, struct cor_err *err)
{
        auto_fd sock = container_monitor_connect(e, r, err);

        return sock < 0 || monitor_send(sock, MONITOR_SHUT_DOWN, NULL, 0, err) < 0 ? -1 : cor_fd_take(&sock);
}

/* A monitor that ends without an answer leaves a container that has ended. */
static int await(int sock, char *buf, struct cor_err *err)
{
        if (container_await(sock, buf, MONITOR_STOPPED, NULL, err) == 0 || err->kind == COR_NOT_FOUND)
                return 0;
        return -1;
}

int engine_shut_down(struct engine *e, const struct boot_report *report, struct cor_err *err)
{
        auto_container_rows rows = { 0 };
        auto_free char *buf = cor_alloc(MONITOR_PACKET_MAX);
        auto_free struct cor_err *errors = NULL;
        auto_free int *socks = NULL;

        if (engine_containers(e, false, &rows, err) < 0)
                return -1;
        errors = cor_alloc((rows.n_items + 1) * sizeof *errors);
        socks = cor_alloc((rows.n_items + 1) * sizeof *socks);
        for (size_t i = 0; i < rows.n_items; i++) /* the newest first; they end side by side */
                socks[i] = container_runs(&rows.items[i]) ? ask(e, &rows.items[i], &errors[i]) : -1;
        for (size_t i = 0; i < rows.n_items; i++) {
                int r = socks[i] >= 0 ? await(socks[i], buf, &errors[i]) : errors[i].kind == COR_NOT_FOUND ? 0 : -1;

                cor_fd_close(&socks[i]);
                if (container_runs(&rows.items[i]))
                        report->each(report->context, &rows.items[i], r < 0 ? &errors[i] : NULL);
        }
        return 0;
}

/*
 * Containers as they are. The database says what was last known; whether one runs is known by the lock that its monitor
 * holds. Where the two differ, the monitor has died (or the machine has), and whoever notices puts it right.
 */
#include "engine/container_internal.h"

#include "base/date.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/log.h"
#include "base/process.h"
#include "engine/network.h"
#include "monitor/clear.h"
#include "monitor/remove.h"
#include "network/connect.h"
#include "network/ports.h"
#include "runtime/lifecycle.h"

#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* The exit codes of programs whose end nobody saw: the machine went down, or their monitor did. */
enum { CODE_MACHINE_DIED = 255, CODE_MONITOR_DIED = 128 + 9 };

int container_not_running(const struct container_row *r, struct cor_err *err)
{
        return cor_fail(err, COR_BUSY, "container %s is not running", r->id);
}

/*
 * Its monitor was one of this boot: what a killed one leaves lies in a place that goes with the machine's power. Times
 * would not tell: many a board begins each time in 1970.
 */
static bool of_this_boot(struct engine *e, const struct container_row *r)
{
        struct cor_err ignored;
        auto_str place = NULL;
        const char *run;

        if (store_run_path(e->store, &run, &ignored) < 0)
                return true;
        place = cor_printf("%s/%s", run, r->id);
        return access(place, F_OK) == 0;
}

/* The caller holds the container's WORK lock, and nobody its MONITOR lock. */
static int bury(struct engine *e, struct container_row *r, struct cor_err *err)
{
        r->now.exit_code = of_this_boot(e, r) ? CODE_MONITOR_DIED : CODE_MACHINE_DIED;
        monitor_clear(e->store, r->id);
        ports_forget(e->store, r->number);
        network_release(e->store, r->number, r->id);
        r->now.phase = CONTAINER_PHASE_EXITED;
        r->now.finished = cor_wall_ns();
        r->now.pid = r->now.monitor_pid = 0;
        r->now.health = CONTAINER_HEALTH_NONE;
        return container_row_save_now(e->store, r->number, &r->now, false, err);
}

/* 1: it is as its row says; 0: its monitor is gone; -1 */
static int is_true(struct engine *e, const struct container_row *r, struct cor_err *err)
{
        return container_runs(r) ? container_row_locked(e->store, r->number, CONTAINER_LOCK_MONITOR, err) : 1;
}

/*
 * Make sure of what @r says: 1 it is true now (and *r is up to date), 0 the container was an orphan that was to be
 * removed at its end, and is gone. One that somebody else works on is left to them.
 */
static int settle(struct engine *e, struct container_row *r, bool full, struct cor_err *err)
{
        struct cor_err busy = { 0 };
        auto_container_row fresh = { 0 };
        auto_fd lock = -1;
        int r_true = is_true(e, r, err);

        if (r_true != 0)
                return r_true;
        lock = container_row_lock(e->store, r->number, CONTAINER_LOCK_WORK, 0, &busy);
        if (lock < 0 && busy.kind != COR_BUSY) {
                *err = busy;
                return -1;
        }
        if (container_row_find(e->store, r->id, &fresh, err) < 0)
                return err->kind == COR_NOT_FOUND ? 0 : -1;
        if (lock >= 0) {
                r_true = is_true(e, &fresh, err);
                if (r_true < 0 || (r_true == 0 && bury(e, &fresh, err) < 0))
                        return -1;
                if (r_true == 0 && fresh.auto_remove)
                        return monitor_remove(e->store, &fresh, true, err) < 0 ? -1 : 0;
        }
        if (full) {
                container_row_done(r);
                *r = fresh;
                fresh = (struct container_row){ 0 };
        } else {
                free(r->now.error);
                r->now = fresh.now;
                fresh.now.error = NULL;
        }
        return 1;
}

static int no_such(const char *name, struct cor_err *err)
{
        return cor_fail(err, COR_NOT_FOUND, "No such container: %s", name);
}

int engine_container(struct engine *e, const char *name, bool full, struct container_row *ret, struct cor_err *err)
{
        auto_container_row row = { 0 };
        int r;

        if (container_row_find(e->store, name, &row, err) < 0)
                return -1;
        r = settle(e, &row, full, err);
        if (r <= 0)
                return r < 0 ? -1 : no_such(name, err);
        *ret = row;
        row = (struct container_row){ 0 };
        return 0;
}

void engine_restore_firewall(struct engine *e)
{
        struct cor_err err = { 0 };

        if (ports_restore(e->store, &err) < 0)
                cor_warn("%s", err.msg);
}

int engine_containers(struct engine *e, bool full, struct container_rows *ret, struct cor_err *err)
{
        auto_container_rows rows = { 0 };
        size_t kept = 0;

        if (container_row_all(e->store, full, &rows, err) < 0)
                return -1;
        for (size_t i = 0; i < rows.n_items; i++) {
                int r = settle(e, &rows.items[i], full, err);

                if (r < 0)
                        return -1;
                if (r == 0) {
                        container_row_done(&rows.items[i]);
                        rows.items[i] = (struct container_row){ 0 };
                        continue;
                }
                if (kept != i) {
                        rows.items[kept] = rows.items[i];
                        rows.items[i] = (struct container_row){ 0 };
                }
                kept++;
        }
        rows.n_items = kept;
        *ret = rows;
        rows = (struct container_rows){ 0 };
        return 0;
}

int container_work(struct engine *e, const char *name, struct container_row *ret, struct cor_err *err)
{
        auto_container_row first = { 0 };
        auto_fd lock = -1;

        if (engine_container(e, name, false, &first, err) < 0)
                return -1;
        lock = container_row_lock(e->store, first.number, CONTAINER_LOCK_WORK, CONTAINER_WORK_MS, err);
        if (lock < 0)
                return cor_wrap(err, "container %s", name);
        if (container_row_find(e->store, first.id, ret, err) < 0)
                return -1;
        return cor_fd_take(&lock);
}

/*
 * Jobs of systemd. A call that starts or stops something answers with the path of a job at once; that the job is done
 * is told by the signal JobRemoved, which may come before the answer is read: all that come are remembered.
 */
#include "tools/systemd/unit.h"

#include "base/process.h"
#include "tools/systemd/bus.h"
#include "tools/systemd/property.h"
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LEFT_OVER_MS = 2000 };

#define SERVICE "org.freedesktop.systemd1"
#define PATH    "/org/freedesktop/systemd1"
#define MANAGER "org.freedesktop.systemd1.Manager"

struct job {
        char *path, *result;
};
struct unit_bus {
        sd_bus *bus;
        unsigned version;
        struct job *jobs;
        size_t n_jobs;
};

static int on_job_removed(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
        const char *path, *unit, *result;
        struct unit_bus *b = userdata;
        struct job *job;
        uint32_t id;

        if (sd_bus_message_read(m, "uoss", &id, &path, &unit, &result) < 0)
                return 0;
        job = COR_GROW(b->jobs, b->n_jobs);
        job->path = cor_strdup(path);
        job->result = cor_strdup(result);
        return 0;
}

static int failed(int r, const char *what, struct cor_err *err)
{
        errno = -r;
        return cor_fail_errno(err, "%s", what);
}

/* "257.4-1" -> 257; 0 if it cannot be known */
static unsigned read_version(sd_bus *bus)
{
        auto_bus_err error = SD_BUS_ERROR_NULL;
        unsigned version = 0;
        char *text = NULL;

        if (sd_bus_get_property_string(bus, SERVICE, PATH, MANAGER, "Version", &error, &text) >= 0)
                (void)!sscanf(text[0] == 'v' ? text + 1 : text, "%u", &version);
        free(text);
        return version;
}

/* The user's manager listens on the session bus; without that, on a socket of its own. */
static int open_user(sd_bus **ret)
{
        const char *dir = getenv("XDG_RUNTIME_DIR");
        auto_str base = dir && *dir ? cor_strdup(dir) : cor_printf("/run/user/%u", (unsigned)getuid());
        auto_str address = cor_printf("unix:path=%s/bus", base);
        sd_bus *bus = NULL;
        int r = sd_bus_open_user(ret);

        if (r >= 0)
                return r;
        if (sd_bus_new(&bus) < 0 || sd_bus_set_address(bus, address) < 0 || sd_bus_set_bus_client(bus, 1) < 0 ||
            sd_bus_start(bus) < 0) {
                sd_bus_unref(bus);
                return r;
        }
        *ret = bus;
        return 0;
}

int unit_bus_open(bool user, struct unit_bus **ret, struct cor_err *err)
{
        struct unit_bus *b = cor_alloc(sizeof *b);
        int r = user ? open_user(&b->bus) : sd_bus_open_system(&b->bus);

        if (r < 0) {
                unit_bus_close(b);
                return failed(r,
                              user ? "connect to the D-Bus session of the user (is DBUS_SESSION_BUS_ADDRESS or "
                                     "XDG_RUNTIME_DIR set?)"
                                   : "connect to the D-Bus of the system",
                              err);
        }
        r = sd_bus_match_signal(b->bus, NULL, SERVICE, PATH, MANAGER, "JobRemoved", on_job_removed, b);
        if (r < 0) {
                unit_bus_close(b);
                return failed(r, "watch jobs of systemd", err);
        }
        b->version = read_version(b->bus);
        *ret = b;
        return 0;
}

void unit_bus_close(struct unit_bus *b)
{
        for (size_t i = 0; i < b->n_jobs; i++) {
                free(b->jobs[i].path);
                free(b->jobs[i].result);
        }
        free(b->jobs);
        sd_bus_flush_close_unref(b->bus);
        free(b);
}

static const char *result_of(const struct unit_bus *b, const char *job)
{
        for (size_t i = 0; i < b->n_jobs; i++)
                if (strcmp(b->jobs[i].path, job) == 0)
                        return b->jobs[i].result;
        return NULL;
}

/* Wait for the job that @reply names; *ret_result lives as long as @b. */
static int wait_job(struct unit_bus *b, sd_bus_message *reply, int64_t timeout_ms, const char **ret_result,
                    struct cor_err *err)
{
        int64_t deadline = cor_now_ms() + timeout_ms;
        const char *job;
        int r = sd_bus_message_read(reply, "o", &job);

        if (r < 0)
                return failed(r, "read the name of a job", err);
        while (!(*ret_result = result_of(b, job))) {
                int64_t left = deadline - cor_now_ms();

                if (left <= 0)
                        return cor_fail(err, COR_TIMEOUT, "still not done after %lld ms", (long long)timeout_ms);
                r = sd_bus_process(b->bus, NULL);
                if (r == 0)
                        r = sd_bus_wait(b->bus, (uint64_t)left * 1000);
                if (r < 0 && r != -EINTR)
                        return failed(r, "wait for a job", err);
        }
        return 0;
}

static void reset_failed(struct unit_bus *b, const char *unit)
{
        auto_bus_err error = SD_BUS_ERROR_NULL;

        (void)sd_bus_call_method(b->bus, SERVICE, PATH, MANAGER, "ResetFailedUnit", &error, NULL, "s", unit);
}

/* --- start ------------------------------------------------------------------------------------------------------- */

static int add_own(sd_bus_message *m, const struct request *r, struct cor_err *err)
{
        static const struct {
                const char *name;
                bool value;
        } flags[] = {
                { "Delegate", true },     { "CPUAccounting", true },   { "MemoryAccounting", true },
                { "IOAccounting", true }, { "TasksAccounting", true }, { "DefaultDependencies", false },
        };

        if (property_string(m, "Description", r->description, err) < 0 ||
            property_string(m, "Slice", r->slice, err) < 0 || property_pids(m, (uint32_t)r->pid, err) < 0)
                return -1;
        for (size_t i = 0; i < COR_COUNT(flags); i++)
                if (property_bool(m, flags[i].name, flags[i].value, err) < 0)
                        return -1;
        return 0;
}

static int new_call(struct unit_bus *b, const char *method, sd_bus_message **ret, struct cor_err *err)
{
        int r = sd_bus_message_new_method_call(b->bus, ret, SERVICE, PATH, MANAGER, method);

        return r < 0 ? failed(r, "make a D-Bus message", err) : 0;
}

static int start_message(struct unit_bus *b, const struct request *r, sd_bus_message **ret, struct cor_err *err)
{
        auto_message m = NULL;

        if (new_call(b, "StartTransientUnit", &m, err) < 0)
                return -1;
        if (sd_bus_message_append(m, "ss", r->unit, "fail") < 0 || sd_bus_message_open_container(m, 'a', "(sv)") < 0)
                return cor_fail(err, COR_INVALID, "'%s' cannot be sent as a unit's name", r->unit);
        if (add_own(m, r, err) < 0 || property_add_all(m, r, b->version, err) < 0)
                return -1;
        if (sd_bus_message_close_container(m) < 0 || sd_bus_message_append(m, "a(sa(sv))", 0) < 0)
                return cor_fail(err, COR_SYSTEM, "make a D-Bus message");
        *ret = COR_TAKE(m);
        return 0;
}

/* One try; *ret_again: a unit of that name is left over. */
static int start_once(struct unit_bus *b, const struct request *r, bool *ret_again, struct cor_err *err)
{
        auto_message m = NULL, *reply = NULL;
        auto_bus_err error = SD_BUS_ERROR_NULL;
        const char *result = NULL;

        *ret_again = false;
        if (start_message(b, r, &m, err) < 0)
                return -1;
        if (sd_bus_call(b->bus, m, (uint64_t)r->timeout_ms * 1000, &error, &reply) < 0) {
                *ret_again = sd_bus_error_has_name(&error, "org.freedesktop.systemd1.UnitExists");
                return cor_fail(err, COR_SYSTEM, "start unit %s: %s", r->unit,
                                error.message ? error.message : "no answer");
        }
        if (wait_job(b, reply, r->timeout_ms, &result, err) < 0)
                return cor_wrap(err, "start unit %s", r->unit);
        if (strcmp(result, "done") != 0)
                return cor_fail(err, COR_SYSTEM, "start unit %s: the job ended as '%s'", r->unit, result);
        return 0;
}

int unit_start(struct unit_bus *b, const struct request *r, struct cor_err *err)
{
        int64_t deadline = cor_now_ms() + LEFT_OVER_MS;
        struct timespec nap = { .tv_nsec = 20000000 };
        bool again;

        while (start_once(b, r, &again, err) < 0) {
                reset_failed(b, r->unit); /* a failed unit of an earlier container, or what is left of ours */
                if (!again || cor_now_ms() >= deadline)
                        return -1;
                nanosleep(&nap, NULL); /* one that has just ended is about to be forgotten */
        }
        return 0;
}

/* --- the others -------------------------------------------------------------------------------------------------- */

int unit_attach(struct unit_bus *b, const struct request *r, struct cor_err *err)
{
        auto_message m = NULL;
        auto_bus_err error = SD_BUS_ERROR_NULL;

        if (new_call(b, "AttachProcessesToUnit", &m, err) < 0)
                return -1;
        if (sd_bus_message_append(m, "ssau", r->unit, r->below, 1, (uint32_t)r->pid) < 0)
                return cor_fail(err, COR_INVALID, "'%s' cannot be sent as a unit's name", r->unit);
        if (sd_bus_call(b->bus, m, (uint64_t)r->timeout_ms * 1000, &error, NULL) < 0)
                return cor_fail(err, COR_SYSTEM, "move process %lld into unit %s: %s", (long long)r->pid, r->unit,
                                error.message ? error.message : "no answer");
        return 0;
}

int unit_set(struct unit_bus *b, const struct request *r, struct cor_err *err)
{
        auto_message m = NULL;
        auto_bus_err error = SD_BUS_ERROR_NULL;

        if (new_call(b, "SetUnitProperties", &m, err) < 0)
                return -1;
        if (sd_bus_message_append(m, "sb", r->unit, 1) < 0 || sd_bus_message_open_container(m, 'a', "(sv)") < 0)
                return cor_fail(err, COR_INVALID, "'%s' cannot be sent as a unit's name", r->unit);
        if (property_add_all(m, r, b->version, err) < 0)
                return -1;
        if (sd_bus_message_close_container(m) < 0 ||
            sd_bus_call(b->bus, m, (uint64_t)r->timeout_ms * 1000, &error, NULL) < 0)
                return cor_fail(err, COR_SYSTEM, "set properties of unit %s: %s", r->unit,
                                error.message ? error.message : "no answer");
        return 0;
}

/* Asked to end by the stop, who is still in there might take a minute and a half; that nobody is left is no failure. */
static void kill_all(struct unit_bus *b, const struct request *r)
{
        auto_message m = NULL;
        struct cor_err ignored;

        if (new_call(b, "KillUnit", &m, &ignored) < 0 || sd_bus_message_append(m, "ssi", r->unit, "all", SIGKILL) < 0)
                return;
        (void)!sd_bus_call(b->bus, m, (uint64_t)r->timeout_ms * 1000, NULL, NULL);
}

int unit_stop(struct unit_bus *b, const struct request *r, struct cor_err *err)
{
        auto_message m = NULL, *reply = NULL;
        auto_bus_err error = SD_BUS_ERROR_NULL;
        const char *result = NULL;

        kill_all(b, r);
        if (new_call(b, "StopUnit", &m, err) < 0)
                return -1;
        if (sd_bus_message_append(m, "ss", r->unit, "replace") < 0)
                return cor_fail(err, COR_INVALID, "'%s' cannot be sent as a unit's name", r->unit);
        if (sd_bus_call(b->bus, m, (uint64_t)r->timeout_ms * 1000, &error, &reply) < 0) {
                if (sd_bus_error_has_name(&error, "org.freedesktop.systemd1.NoSuchUnit"))
                        return 0;
                return cor_fail(err, COR_SYSTEM, "stop unit %s: %s", r->unit,
                                error.message ? error.message : "no answer");
        }
        if (wait_job(b, reply, r->timeout_ms, &result, err) < 0)
                return cor_wrap(err, "stop unit %s", r->unit);
        reset_failed(b, r->unit);
        return 0;
}

#include "engine/logs.h"

#include "base/fd.h"
#include "engine/container_internal.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

/* Somebody may write in the moment between the look at the log and the wait, which no event tells of: look again. */
enum { LOOK_AGAIN_MS = 1000 };

static int check_driver(const struct container_row *r, struct cor_err *err)
{
        auto_json struct docker_host_config *host = NULL;
        const char *type;

        if (cor_json_parse(&docker_host_config_doc, r->host_config, strlen(r->host_config), r->name, &host, err) < 0)
                return -1;
        type = host->log_config.type;
        if (!type || !*type || strcmp(type, "json-file") == 0 || strcmp(type, "local") == 0)
                return 0;
        return cor_fail(err, COR_UNSUPPORTED, "configured logging driver does not support reading");
}

/* All that is there now. */
static int drain(struct log_reader *reader, const struct engine_logs *l, struct cor_err *err)
{
        struct log_entry entry;
        int r;

        while ((r = log_reader_next(reader, &entry, err)) > 0)
                if (l->each(l->context, &entry, err) < 0)
                        return -1;
        return r;
}

/* What follows a log waits for: something new in the folder, and the end of the container. */
struct waiting {
        int watch, monitor;
};

static void waiting_done(struct waiting *w)
{
        cor_fd_close(&w->watch);
        cor_fd_close(&w->monitor);
}

static int waiting_begin(struct engine *e, const struct container_row *r, struct waiting *w, struct cor_err *err)
{
        auto_str path = container_folder_path(e->store, r->id);
        struct cor_err gone = { 0 };

        w->watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
        if (w->watch < 0 || inotify_add_watch(w->watch, path, IN_MODIFY | IN_CREATE | IN_MOVED_TO) < 0)
                return cor_fail_errno(err, "watch %s", path);
        if (!container_runs(r))
                return 0;
        w->monitor = container_monitor_connect(e, r, &gone);
        if (w->monitor >= 0 && monitor_send(w->monitor, MONITOR_WAIT, NULL, 0, &gone) < 0)
                cor_fd_close(&w->monitor);
        return 0;
}

/* The program ended: true if it is not started again, or nobody knows. */
static bool has_ended(struct waiting *w)
{
        auto_free char *buf = cor_alloc(MONITOR_PACKET_MAX);
        struct monitor_exit end;
        struct cor_err err = { 0 };
        size_t n;

        if (monitor_receive(w->monitor, buf, &n, &err) != MONITOR_EXIT)
                return true;
        memcpy(&end, buf + 1, sizeof end);
        return end.last || monitor_send(w->monitor, MONITOR_WAIT, NULL, 0, &err) < 0;
}

/* 1: there may be more to read, 0: the container has ended */
static int wait_for_more(struct waiting *w, struct cor_err *err)
{
        struct pollfd fds[] = { { .fd = w->watch, .events = POLLIN }, { .fd = w->monitor, .events = POLLIN } };
        char events[4096];

        if (w->monitor < 0)
                return 0;
        if (poll(fds, COR_COUNT(fds), LOOK_AGAIN_MS) < 0)
                return errno == EINTR ? cor_fail(err, COR_BUSY, "interrupted") : cor_fail_errno(err, "poll");
        if (fds[0].revents)
                while (read(w->watch, events, sizeof events) > 0)
                        ;
        if (fds[1].revents && has_ended(w))
                cor_fd_close(&w->monitor);
        return 1;
}

static int follow(struct engine *e, const struct container_row *r, struct log_reader *reader,
                  const struct engine_logs *l, struct cor_err *err)
{
        COR_CLEANUP(waiting_done) struct waiting w = { .watch = -1, .monitor = -1 };
        int more;

        if (waiting_begin(e, r, &w, err) < 0)
                return -1;
        do {
                if (drain(reader, l, err) < 0)
                        return -1;
                more = log_reader_over(reader) ? 0 : wait_for_more(&w, err);
        } while (more > 0);
        return more;
}

int engine_logs(struct engine *e, const char *name, const struct engine_logs *l, struct cor_err *err)
{
        auto_container_row row = { 0 };
        auto_log_reader reader = NULL;
        auto_str file = NULL;
        auto_fd folder = -1;

        if (engine_container(e, name, true, &row, err) < 0 || check_driver(&row, err) < 0)
                return -1;
        folder = container_folder_open(e->store, row.id, err);
        if (folder < 0)
                return -1;
        file = cor_printf("%s-json.log", row.id);
        if (log_reader_open(folder, file, &l->query, &reader, err) < 0)
                return err->kind == COR_NOT_FOUND ? 0 : -1;
        return l->follow ? follow(e, &row, reader, l, err) : drain(reader, l, err);
}

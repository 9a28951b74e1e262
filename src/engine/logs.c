#include "engine/logs.h"

#include "base/date.h"
#include "base/fd.h"
#include "base/file.h"
#include "engine/container_internal.h"
#include "engine/logs_journal.h"
#include "monitor/log_settings.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

/* Somebody may write in the moment between the look at the log and the wait, which no event tells of: look again. */
enum { LOOK_AGAIN_MS = 1000, LOST_MAX_BYTES = 4096 };

/* Where the messages of a container are read from: files, or the journal. */
struct source {
        bool is_journal;
        struct log_reader *files;
        struct journal_reader *journal;
        int folder; /* of the files */
};

static void source_done(struct source *s)
{
        log_reader_free(s->files);
        if (s->journal)
                journal_reader_free(s->journal);
        cor_fd_close(&s->folder);
}

static int source_next(struct source *s, struct log_entry *ret, struct cor_err *err)
{
        return s->is_journal ? journal_reader_next(s->journal, ret, err) : log_reader_next(s->files, ret, err);
}

static bool source_over(const struct source *s)
{
        return s->is_journal ? journal_reader_over(s->journal) : log_reader_over(s->files);
}

static int open_files(struct engine *e, const struct container_row *r, const char *below, const char *name,
                      enum log_format format, const struct engine_logs *l, struct source *ret, struct cor_err *err)
{
        auto_fd folder = container_folder_open(e->store, r->id, err);
        auto_fd inner = -1;

        if (folder < 0)
                return -1;
        if (*below) {
                inner = cor_own_open(folder, below, O_RDONLY | O_DIRECTORY, 0, err);
                if (inner < 0)
                        return -1;
                cor_fd_close(&folder);
                folder = cor_fd_take(&inner);
        }
        if (log_reader_open(folder, name, format, &l->query, &ret->files, err) < 0)
                return -1;
        ret->folder = cor_fd_take(&folder);
        return 0;
}

/* Of a driver that sends everything away there is a copy, unless the user wants none. */
static int source_open(struct engine *e, const struct container_row *r, const struct engine_logs *l, struct source *ret,
                       struct cor_err *err)
{
        auto_json struct docker_host_config *host = NULL;
        auto_log_settings settings = { 0 };
        auto_str json = cor_printf(LOG_JSON_NAME, r->id);
        const char *type;

        if (cor_json_parse(&docker_host_config_doc, r->host_config, strlen(r->host_config), r->name, &host, err) < 0 ||
            log_settings_read(host->log_config.type, host->log_config.config, host->log_config.n_config, &settings,
                              err) < 0)
                return -1;
        type = host->log_config.type;
        if (!type || !*type || strcmp(type, "json-file") == 0)
                return open_files(e, r, "", json, LOG_FORMAT_JSON, l, ret, err);
        if (strcmp(type, "local") == 0)
                return open_files(e, r, LOG_LOCAL_FOLDER, LOG_LOCAL_NAME, LOG_FORMAT_LOCAL, l, ret, err);
        if (settings.cached)
                return open_files(e, r, "", LOG_CACHE_NAME, LOG_FORMAT_LOCAL, l, ret, err);
        if (strcmp(type, "journald") != 0)
                return cor_fail(err, COR_UNSUPPORTED, "configured logging driver does not support reading");
        ret->is_journal = true;
        return journal_reader_open(r->id, &l->query, l->follow && container_runs(r), &ret->journal, err);
}

/* All that is there now. */
static int drain(struct source *s, const struct engine_logs *l, struct cor_err *err)
{
        struct log_entry entry;
        int r;

        while ((r = source_next(s, &entry, err)) > 0)
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

static int waiting_begin(struct engine *e, const struct container_row *r, const struct source *s, struct waiting *w,
                         struct cor_err *err)
{
        auto_str path = cor_printf("/proc/self/fd/%d", s->folder);
        struct cor_err gone = { 0 };

        w->watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
        if (w->watch < 0 ||
            (!s->is_journal && inotify_add_watch(w->watch, path, IN_MODIFY | IN_CREATE | IN_MOVED_TO) < 0))
                return cor_fail_errno(err, "watch the log");
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
static int wait_for_more(struct waiting *w, const struct source *s, struct cor_err *err)
{
        struct pollfd fds[] = { { .fd = w->watch, .events = POLLIN },
                                { .fd = w->monitor, .events = POLLIN },
                                { .fd = s->is_journal ? journal_reader_fd(s->journal) : -1, .events = POLLIN } };
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

static int follow(struct engine *e, const struct container_row *r, struct source *s, const struct engine_logs *l,
                  struct cor_err *err)
{
        COR_CLEANUP(waiting_done) struct waiting w = { .watch = -1, .monitor = -1 };
        int more;

        if (waiting_begin(e, r, s, &w, err) < 0)
                return -1;
        do {
                bool past = l->query.until > 0 && cor_wall_ns() > l->query.until;

                if (drain(s, l, err) < 0)
                        return -1;
                more = past || source_over(s) ? 0 : wait_for_more(&w, s, err);
        } while (more > 0);
        if (more == 0 && s->is_journal && !source_over(s))
                return journal_reader_rest(s->journal, err) < 0 ? -1 : drain(s, l, err);
        return more;
}

static void tell_lost(struct engine *e, const struct container_row *r, const struct engine_logs *l)
{
        auto_fd folder = container_folder_open(e->store, r->id, NULL);
        auto_str text = NULL;
        size_t n = 0;

        if (!l->lost || folder < 0 || cor_own_read(folder, LOG_LOST_NAME, LOST_MAX_BYTES, &text, &n, NULL) < 0)
                return;
        text[strcspn(text, "\n")] = '\0';
        l->lost(l->context, text);
}

int engine_logs(struct engine *e, const char *name, const struct engine_logs *l, struct cor_err *err)
{
        COR_CLEANUP(source_done) struct source s = { .folder = -1 };
        auto_container_row row = { 0 };
        int r;

        if (engine_container(e, name, true, &row, err) < 0)
                return -1;
        if (source_open(e, &row, l, &s, err) < 0)
                return err->kind == COR_NOT_FOUND && !s.is_journal ? 0 : -1;
        r = l->follow && (s.folder >= 0 || container_runs(&row)) ? follow(e, &row, &s, l, err) : drain(&s, l, err);
        if (r >= 0)
                tell_lost(e, &row, l);
        return r;
}

/*
 * Reading events, and those to come. inotify tells that something was written; where we are in the file, we know
 * ourselves. When the file has been turned over, what is left of the old one comes first: whoever turned it over had it
 * locked, and nobody writes to it any more.
 */
#include "base/alloc.h"
#include "base/date.h"
#include "base/fd.h"
#include "base/text.h"
#include "store/event_internal.h"
#include "store/store_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

enum {
        LINE_MAX_BYTES = 16 << 20, /* the labels of a container have fewer */
        WAIT_MS = 60000,           /* look at the clock again now and then: it may be set */
};

struct event_reader {
        const struct event_query *query;
        int folder, notify;
        int file;              /* what is being read; -1: there was none yet */
        struct cor_text bytes; /* read, and not yet lines that were given away */
        size_t at;
        struct docker_event *event;
};

static int open_file(int folder, const char *name)
{
        return openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
}

void event_reader_free(struct event_reader *r)
{
        if (!r)
                return;
        cor_json_free(r->event);
        cor_text_done(&r->bytes);
        cor_fd_close(&r->file);
        cor_fd_close(&r->notify);
        cor_fd_close(&r->folder);
        free(r);
}

static int watch(struct event_reader *r, struct cor_err *err)
{
        auto_str path = cor_printf("/proc/self/fd/%d", r->folder);

        r->notify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
        if (r->notify < 0 || inotify_add_watch(r->notify, path, IN_MODIFY | IN_CREATE | IN_MOVED_TO) < 0)
                return cor_fail_errno(err, "watch the file of events");
        return 0;
}

/* Those of the past, or the end of what is there now. */
static int find_start(struct event_reader *r, struct cor_err *err)
{
        if (r->query->since > 0)
                r->file = open_file(r->folder, EVENT_FILE_OLD);
        if (r->file < 0)
                r->file = open_file(r->folder, EVENT_FILE);
        if (r->file < 0 && errno == ENOENT) /* just turned over? then what comes is in the one after it */
                r->file = open_file(r->folder, EVENT_FILE_OLD);
        if (r->file < 0 && errno != ENOENT)
                return cor_fail_errno(err, "open the file of events");
        if (r->query->since <= 0 && r->file >= 0 && lseek(r->file, 0, SEEK_END) < 0)
                return cor_fail_errno(err, "go to the end of the file of events");
        return 0;
}

int event_reader_open(struct store *s, const struct event_query *q, struct event_reader **ret, struct cor_err *err)
{
        auto_event_reader r = cor_alloc(sizeof *r);

        r->query = q;
        r->folder = r->notify = r->file = -1;
        if (event_query_check(q, err) < 0)
                return -1;
        r->folder = store_run_open(s, err);
        if (r->folder < 0 || watch(r, err) < 0 || find_start(r, err) < 0)
                return -1;
        *ret = COR_TAKE(r);
        return 0;
}

int event_reader_fd(const struct event_reader *r)
{
        return r->notify;
}

/* The file that comes after ours, if ours has been turned over; -1 else. */
static int open_next(const struct event_reader *r)
{
        int fd = -1;

        if (r->file >= 0 && store_same(r->folder, EVENT_FILE, r->file))
                return -1;
        /* There was none yet, or it was turned over twice meanwhile. */
        if (r->file < 0 || !store_same(r->folder, EVENT_FILE_OLD, r->file))
                fd = open_file(r->folder, EVENT_FILE_OLD);
        return fd >= 0 ? fd : open_file(r->folder, EVENT_FILE);
}

static ssize_t read_file(const struct event_reader *r, char *buf, size_t size)
{
        ssize_t n;

        do
                n = r->file < 0 ? 0 : read(r->file, buf, size);
        while (n < 0 && errno == EINTR);
        return n;
}

/* Bytes of this file, or of the next one: what was written before the turn is only seen after it for sure. */
static ssize_t read_files(struct event_reader *r, char *buf, size_t size)
{
        ssize_t n = read_file(r, buf, size);

        while (n == 0) {
                auto_fd next = open_next(r);

                if (next < 0)
                        return 0;
                n = read_file(r, buf, size);
                if (n != 0)
                        return n;
                cor_fd_close(&r->file);
                r->file = cor_fd_take(&next);
                n = read_file(r, buf, size);
        }
        return n;
}

/* More bytes: 1, or 0 if there are none now. */
static int read_more(struct event_reader *r, struct cor_err *err)
{
        char buf[16384];
        ssize_t n = read_files(r, buf, sizeof buf);

        if (n <= 0)
                return n < 0 ? cor_fail_errno(err, "read the file of events") : 0;
        if (r->at > 0) {
                memmove(r->bytes.s, r->bytes.s + r->at, r->bytes.len - r->at);
                r->bytes.len -= r->at;
                r->at = 0;
        }
        cor_text_add_n(&r->bytes, buf, (size_t)n);
        return r->bytes.len > LINE_MAX_BYTES ? cor_fail(err, COR_INVALID, "the file of events holds something else")
                                             : 1;
}

/* The next whole line, if it is an event: 1; 0 no whole line. What is none (a writer was killed) is passed over. */
static int next_line(struct event_reader *r)
{
        while (r->bytes.len > r->at) {
                const char *line = r->bytes.s + r->at, *end = memchr(line, '\n', r->bytes.len - r->at);

                if (!end)
                        return 0;
                r->at += (size_t)(end - line) + 1;
                cor_json_free(r->event);
                r->event = NULL;
                if (cor_json_parse(&docker_event_doc, line, (size_t)(end - line), "event", &r->event, NULL) == 0)
                        return 1;
        }
        return 0;
}

/* 0: its time is over */
static int wait_for_more(struct event_reader *r, struct cor_err *err)
{
        struct pollfd p = { .fd = r->notify, .events = POLLIN };
        char buf[4096] __attribute__((aligned(8)));
        int64_t left = INT64_MAX;

        if (r->query->until > 0) {
                left = r->query->until - cor_wall_ns();
                if (left <= 0)
                        return 0;
        }
        left = left / 1000000 + 1;
        if (poll(&p, 1, left < WAIT_MS ? (int)left : WAIT_MS) < 0 && errno != EINTR)
                return cor_fail_errno(err, "wait for events");
        while (read(r->notify, buf, sizeof buf) > 0)
                ;
        return 1;
}

int event_reader_next(struct event_reader *r, bool wait, const struct docker_event **ret, struct cor_err *err)
{
        for (;;) {
                int more;

                while (next_line(r))
                        if (event_matches(r->query, r->event)) {
                                *ret = r->event;
                                return 1;
                        }
                more = read_more(r, err);
                if (more == 0 && wait)
                        more = wait_for_more(r, err);
                if (more <= 0)
                        return more;
        }
}

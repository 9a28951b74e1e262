#include "engine/logs_journal.h"

#include "base/date.h"
#include "base/fd.h"
#include "base/process.h"
#include "monitor/log_export.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PIECE = 64 * 1024, SYNC_MS = 10 * 1000 };

struct journal_reader {
        char *match;
        struct log_query q;
        bool follow, ended, over;
        pid_t pid;
        int fd; /* what it prints; -1: it was read up to its end */
        char *buf;
        size_t start, len, room;
        char *cursor; /* of the last entry that was read */
        struct cor_pair attrs[LOG_ATTRS_MAX];
};

/* --- the child ---------------------------------------------------------------------------------------------------- */

static int spawn(struct journal_reader *r, char *const *argv, struct cor_err *err)
{
        posix_spawn_file_actions_t files;
        posix_spawnattr_t attr;
        sigset_t none;
        int ends[2], error;

        if (pipe2(ends, O_CLOEXEC) < 0)
                return cor_fail_errno(err, "pipe");
        sigemptyset(&none);
        posix_spawn_file_actions_init(&files);
        posix_spawnattr_init(&attr);
        posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
        posix_spawn_file_actions_adddup2(&files, ends[1], STDOUT_FILENO);
        posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK);
        posix_spawnattr_setsigmask(&attr, &none);
        error = posix_spawnp(&r->pid, argv[0], &files, &attr, argv, environ);
        posix_spawn_file_actions_destroy(&files);
        posix_spawnattr_destroy(&attr);
        close(ends[1]);
        r->fd = ends[0];
        if (error == 0)
                return 0;
        r->pid = 0;
        cor_fd_close(&r->fd);
        errno = error;
        return cor_fail_errno(err, "read the journal by %s", argv[0]);
}

static void add_moment(struct cor_strv *argv, const char *flag, int64_t ns)
{
        if (ns > 0)
                cor_strv_take(argv,
                              cor_printf("%s=@%" PRId64 ".%06" PRId64, flag, ns / 1000000000, ns / 1000 % 1000000));
}

static int start(struct journal_reader *r, bool follow, struct cor_err *err)
{
        static const char *const words[] = { "journalctl", "--no-pager", "--quiet", "--output=export", "--all" };
        auto_strv argv = { 0 };

        for (size_t i = 0; i < COR_COUNT(words); i++)
                cor_strv_add(&argv, words[i]);
        if (r->cursor)
                cor_strv_take(&argv, cor_printf("--after-cursor=%s", r->cursor));
        else
                add_moment(&argv, "--since", r->q.since);
        if (!follow)
                add_moment(&argv, "--until", r->q.until > 0 ? r->q.until + 999 : 0); /* to the next microsecond */
        if (r->cursor || r->q.tail < 0)
                cor_strv_add(&argv, follow ? "--no-tail" : "--lines=all");
        else
                cor_strv_take(&argv, cor_printf("--lines=%" PRId64, r->q.tail));
        if (follow)
                cor_strv_add(&argv, "--follow");
        cor_strv_add(&argv, r->match);
        return spawn(r, argv.items, err);
}

/* The last words of a container may not have been written yet. Who may not ask for that reads what there is. */
static void sync_journal(void)
{
        char *const argv[] = { (char *)"journalctl", (char *)"--sync", NULL };
        const struct cor_spawn s = {
                .path = "journalctl", .argv = argv, .stdout_fd = -1, .stderr_fd = -1, .timeout_ms = SYNC_MS
        };
        auto_str output = NULL;
        struct cor_err ignored;
        int status;

        if (geteuid() == 0)
                (void)!cor_spawn_run(&s, &status, &output, &ignored);
}

/* Newer ones hear of SIGTERM between two writes only, and may be in one that nobody will read. */
static void end_child(struct journal_reader *r)
{
        cor_fd_close(&r->fd);
        if (r->pid > 0) {
                kill(r->pid, SIGKILL);
                (void)cor_child_wait(r->pid, -1, NULL);
        }
        r->pid = 0;
}

/* --- entries ------------------------------------------------------------------------------------------------------ */

int journal_reader_open(const char *id, const struct log_query *q, bool follow, struct journal_reader **ret,
                        struct cor_err *err)
{
        auto_journal_reader r = cor_alloc(sizeof *r);

        r->fd = -1;
        r->q = *q;
        r->follow = follow;
        r->match = cor_printf("CONTAINER_ID_FULL=%s", id);
        if (follow && q->tail == 0) { /* what comes from now on, also where the last of it is read without following */
                r->q.tail = -1;
                r->q.since = cor_wall_ns() > q->since ? cor_wall_ns() : q->since;
        }
        sync_journal();
        if (start(r, follow, err) < 0)
                return -1;
        *ret = COR_TAKE(r);
        return 0;
}

void journal_reader_free(struct journal_reader *r)
{
        end_child(r);
        free(r->buf);
        free(r->cursor);
        free(r->match);
        free(r);
}

int journal_reader_fd(const struct journal_reader *r)
{
        return r->fd;
}

bool journal_reader_over(const struct journal_reader *r)
{
        return r->over;
}

/* 1: there are more bytes, 0: none now, or no more at all */
static int fill(struct journal_reader *r, struct cor_err *err)
{
        ssize_t n;
        int ready;

        if (r->fd < 0)
                return 0;
        ready = cor_wait_readable(r->fd, r->follow ? 0 : -1, err);
        if (ready <= 0)
                return ready;
        if (r->start > 0) {
                memmove(r->buf, r->buf + r->start, r->len - r->start);
                r->len -= r->start;
                r->start = 0;
        }
        if (r->room - r->len < PIECE) {
                if (r->len > LOG_EXPORT_MAX)
                        return cor_fail(err, COR_INVALID, "read the journal: an entry is larger than %d bytes",
                                        LOG_EXPORT_MAX);
                r->room = r->len + 2 * PIECE;
                r->buf = cor_realloc_array(r->buf, r->room, 1);
        }
        n = read(r->fd, r->buf + r->len, PIECE);
        if (n < 0)
                return cor_fail_errno(err, "read the journal");
        r->len += (size_t)n;
        if (n == 0)
                cor_fd_close(&r->fd);
        return n > 0;
}

static int next_entry(struct journal_reader *r, struct log_entry *ret, struct cor_err *err)
{
        for (;;) {
                const char *cursor = NULL;
                size_t used = 0;
                int got = r->len > r->start
                                  ? log_export_take(r->buf + r->start, r->len - r->start, r->attrs, &used, ret, &cursor)
                                  : 0;

                if (got < 0)
                        return cor_fail(err, COR_INVALID, "read the journal: what journalctl prints is not understood");
                if (got > 0) {
                        r->start += used;
                        if (cursor) {
                                free(r->cursor);
                                r->cursor = cor_strdup(cursor);
                        }
                        if (ret->text)
                                return 1;
                        continue;
                }
                got = fill(r, err);
                if (got <= 0)
                        return got;
        }
}

int journal_reader_next(struct journal_reader *r, struct log_entry *ret, struct cor_err *err)
{
        while (!r->over) {
                int got = next_entry(r, ret, err);

                if (got <= 0)
                        return got;
                if (r->q.until > 0 && ret->time > r->q.until)
                        r->over = r->follow;
                else if (r->q.since <= 0 || ret->time >= r->q.since)
                        return 1;
        }
        return 0;
}

int journal_reader_rest(struct journal_reader *r, struct cor_err *err)
{
        end_child(r);
        r->start = r->len = 0;
        r->follow = false;
        sync_journal();
        return start(r, false, err);
}

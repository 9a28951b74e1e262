/*
 * The unpacker: forked from the network process before that has threads or speaks with anybody. It owns the folders
 * that layers are unpacked into, starts the workers (as many at once as there are processors, and one more), passes on
 * what they report, and puts finished layers in their places.
 */
#include "image/unpack_internal.h"

#include "base/alloc.h"
#include "base/fd.h"
#include "base/process.h"
#include "image/confine.h"
#include "image/unpack_worker.h"
#include "image/unpack_writeback.h"
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MAX_RUNNING = 64 };

struct job {
        unsigned number;
        struct unpack_work work; /* its descriptors are owned */
        struct layer_ingest *ingest;
        int report;   /* our end of work.report_fd */
        int64_t read; /* of the blob, as reported */
        pid_t pid;    /* 0: not started yet */
        bool done;
};

struct server {
        struct store *store;
        struct image_limits limits;
        int socket;
        struct job **jobs;
        size_t n_jobs;
        size_t max_running;
        struct writeback *writeback;
};

static void job_free(struct job *j)
{
        if (j->pid > 0) {
                kill(j->pid, SIGKILL);
                while (waitpid(j->pid, NULL, 0) < 0 && errno == EINTR)
                        ;
        }
        cor_fd_close(&j->work.blob_fd);
        cor_fd_close(&j->work.wake_fd);
        cor_fd_close(&j->work.report_fd);
        cor_fd_close(&j->report);
        for (size_t i = 0; i < j->work.n_lower; i++)
                cor_fd_close(&j->work.lower_fds[i]);
        free(j->work.lower_fds);
        layer_ingest_end(j->ingest);
        free(j);
}

static void server_forget(struct server *s, struct job *j)
{
        for (size_t i = 0; i < s->n_jobs; i++)
                if (s->jobs[i] == j) {
                        s->jobs[i] = s->jobs[--s->n_jobs];
                        job_free(j);
                        return;
                }
}

static struct job *server_find(const struct server *s, unsigned number)
{
        for (size_t i = 0; i < s->n_jobs; i++)
                if (s->jobs[i]->number == number)
                        return s->jobs[i];
        return NULL;
}

static int tell(const struct server *s, const struct unpack_event *event, struct cor_err *err)
{
        ssize_t n;

        do
                n = send(s->socket, event, sizeof *event, MSG_NOSIGNAL);
        while (n < 0 && errno == EINTR);
        return n < 0 ? cor_fail_errno(err, "answer the transfer") : 0;
}

static int tell_failed(const struct server *s, unsigned job, const struct cor_err *why, struct cor_err *err)
{
        struct unpack_event event = { .job = job, .type = UNPACK_FAILED, .err = *why };

        return tell(s, &event, err);
}

static int open_lower(struct server *s, struct job *j, const struct digest *lower, size_t n, struct cor_err *err)
{
        for (size_t i = 0; i < n; i++) {
                int fd = layer_open(s->store, &lower[i], err);

                if (fd < 0)
                        return -1;
                *COR_GROW(j->work.lower_fds, j->work.n_lower) = fd;
        }
        return 0;
}

static int job_prepare(struct server *s, struct job *j, const struct request *r, const struct digest *lower,
                       struct cor_err *err)
{
        int pair[2];

        j->work.job = j->number = r->job;
        j->work.size = r->size;
        j->work.bottom = r->bottom;
        j->work.overlay_prefix = store_overlay_prefix(s->store);
        j->work.limits = s->limits;
        j->work.rootless = strcmp(j->work.overlay_prefix, "user.overlay.") == 0;
        if (open_lower(s, j, lower, r->n_lower, err) < 0 || layer_ingest_begin(s->store, &j->ingest, err) < 0)
                return -1;
        j->work.layer_fd = layer_ingest_fd(j->ingest);
        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
                return cor_fail_errno(err, "make a socket pair");
        j->report = pair[0];
        j->work.report_fd = pair[1];
        return 0;
}

static size_t running(const struct server *s)
{
        size_t n = 0;

        for (size_t i = 0; i < s->n_jobs; i++)
                n += s->jobs[i]->pid > 0;
        return n;
}

/* Start waiting jobs while there is room, in the order of their numbers. */
static int start_jobs(struct server *s, struct cor_err *err)
{
        while (running(s) < s->max_running) {
                struct job *next = NULL;

                for (size_t i = 0; i < s->n_jobs; i++)
                        if (s->jobs[i]->pid == 0 && !s->jobs[i]->done && (!next || s->jobs[i]->number < next->number))
                                next = s->jobs[i];
                if (!next)
                        return 0;
                next->pid = fork();
                if (next->pid < 0)
                        return cor_fail_errno(err, "start a process");
                if (next->pid == 0) {
                        close(s->socket);
                        unpack_work(&next->work);
                }
                cor_fd_close(&next->work.report_fd);
                cor_fd_close(&next->work.blob_fd);
                cor_fd_close(&next->work.wake_fd);
        }
        return 0;
}

static int take_add(struct server *s, const struct request *r, const struct digest *lower, int fds[2],
                    struct cor_err *err)
{
        struct job *j = cor_alloc(sizeof *j);
        struct cor_err why = { 0 };

        j->work.blob_fd = cor_fd_take(&fds[0]);
        j->work.wake_fd = cor_fd_take(&fds[1]);
        j->work.report_fd = j->report = -1;
        if (job_prepare(s, j, r, lower, &why) < 0) {
                job_free(j);
                return tell_failed(s, r->job, &why, err);
        }
        *COR_GROW(s->jobs, s->n_jobs) = j;
        return 0;
}

static int take_commit(struct server *s, const struct request *r, struct cor_err *err)
{
        struct unpack_event event = { .job = r->job, .type = UNPACK_DONE };
        struct job *j = server_find(s, r->job);

        if (!j || !j->done)
                cor_fail(&event.err, COR_INVALID, "no finished layer has the number %u", r->job);
        else if (r->type == REQUEST_COMMIT)
                (void)!layer_ingest_commit(j->ingest, &r->name, &event.err);
        if (event.err.kind != COR_OK)
                event.type = UNPACK_FAILED;
        if (j)
                server_forget(s, j);
        return tell(s, &event, err);
}

/* One request with its descriptors: 1, or 0 when the network process is gone. */
static int receive(int socket, struct request *r, struct digest *lower, int fds[2], struct cor_err *err)
{
        union {
                char bytes[CMSG_SPACE(2 * sizeof(int))];
                struct cmsghdr align;
        } control;
        struct iovec parts[] = { { r, sizeof *r }, { lower, UNPACK_MAX_LOWER * sizeof *lower } };
        struct msghdr m = {
                .msg_iov = parts, .msg_iovlen = 2, .msg_control = control.bytes, .msg_controllen = sizeof control
        };
        struct cmsghdr *c;
        ssize_t n;

        n = cor_recvmsg(socket, &m, MSG_CMSG_CLOEXEC);
        if (n < 0)
                return cor_fail_errno(err, "hear the transfer");
        if (n == 0)
                return 0;
        c = CMSG_FIRSTHDR(&m);
        if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
                memcpy(fds, CMSG_DATA(c), c->cmsg_len == CMSG_LEN(2 * sizeof(int)) ? 2 * sizeof(int) : sizeof(int));
        if ((size_t)n < sizeof *r || r->n_lower > UNPACK_MAX_LOWER ||
            (size_t)n != sizeof *r + r->n_lower * sizeof *lower)
                return cor_fail(err, COR_INVALID, "a request to the unpacker has the wrong size");
        return 1;
}

static int serve_request(struct server *s, struct digest *lower, struct cor_err *err)
{
        struct request r = { 0 };
        int fds[2] = { -1, -1 }, got = receive(s->socket, &r, lower, fds, err);

        if (got == 1 && r.type == REQUEST_ADD)
                got = take_add(s, &r, lower, fds, err) < 0 ? -1 : 1;
        else if (got == 1)
                got = take_commit(s, &r, err) < 0 ? -1 : 1;
        cor_fd_close(&fds[0]);
        cor_fd_close(&fds[1]);
        return got;
}

/* What a worker reports, or its end. */
static int serve_report(struct server *s, struct job *j, struct cor_err *err)
{
        struct unpack_event event;
        ssize_t n = cor_recv(j->report, &event, sizeof event, 0);

        if (n == (ssize_t)sizeof event && event.type == UNPACK_PROGRESS) {
                if (event.offset > j->read && event.offset <= j->work.size) { /* a stranger's word, perhaps */
                        writeback_add(s->writeback, event.offset - j->read);
                        j->read = event.offset;
                }
                return tell(s, &event, err);
        }
        if (n != (ssize_t)sizeof event) {
                event = (struct unpack_event){ .type = UNPACK_FAILED };
                cor_fail(&event.err, COR_SYSTEM, "the process that unpacks the layer was killed");
        }
        event.job = j->number;
        while (waitpid(j->pid, NULL, 0) < 0 && errno == EINTR)
                ;
        j->pid = 0;
        j->done = true;
        cor_fd_close(&j->report);
        if (event.type == UNPACK_DONE && layer_ingest_finish(j->ingest, event.applied.bytes, &event.err) < 0)
                event.type = UNPACK_FAILED;
        if (event.type == UNPACK_FAILED)
                server_forget(s, j);
        return tell(s, &event, err);
}

/* One round: 1 to go on, 0 when the network process is gone. */
static int serve(struct server *s, struct digest *lower, struct cor_err *err)
{
        struct pollfd polled[1 + MAX_RUNNING] = { { .fd = s->socket, .events = POLLIN } };
        struct job *jobs[MAX_RUNNING];
        size_t n = 0;

        if (start_jobs(s, err) < 0)
                return -1;
        for (size_t i = 0; i < s->n_jobs && n < COR_COUNT(jobs); i++)
                if (s->jobs[i]->pid > 0) {
                        jobs[n++] = s->jobs[i];
                        polled[n] = (struct pollfd){ .fd = s->jobs[i]->report, .events = POLLIN };
                }
        if (poll(polled, n + 1, -1) < 0)
                return errno == EINTR ? 1 : cor_fail_errno(err, "poll");
        for (size_t i = 0; i < n; i++)
                if (polled[i + 1].revents && serve_report(s, jobs[i], err) < 0)
                        return -1;
        return polled[0].revents ? serve_request(s, lower, err) : 1;
}

_Noreturn void unpack_serve(const char *path, const struct image_limits *limits, int socket)
{
        struct server s = { .socket = socket, .limits = *limits };
        struct cor_err err = { 0 };
        long processors = sysconf(_SC_NPROCESSORS_ONLN);
        struct digest *lower = cor_alloc(UNPACK_MAX_LOWER * sizeof *lower);
        int r = store_open(path, 0, &s.store, &err);

        if (r == 0)
                r = confine_unpacker(store_overlay_prefix(s.store), &err);
        s.writeback = s.store ? writeback_new(s.store) : NULL;
        s.max_running = processors < 1 ? 2 : processors < MAX_RUNNING ? (size_t)processors + 1 : MAX_RUNNING;
        if (r < 0)
                (void)!tell_failed(&s, 0, &err, NULL);
        for (r = r < 0 ? 0 : 1; r == 1;)
                r = serve(&s, lower, &err);
        while (s.n_jobs > 0)
                server_forget(&s, s.jobs[0]);
        writeback_free(s.writeback);
        store_free(s.store);
        free(lower);
        _exit(r < 0 ? EXIT_FAILURE : EXIT_SUCCESS);
}

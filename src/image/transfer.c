/*
 * The engine's side of a transfer. coracle-transfer gets a process group of its own, so that Ctrl-C reaches the caller
 * alone; when the caller goes, the socket ends, and with it the transfer.
 *
 *      descriptor 3    the conversation           4    input, if there is one        5    output, if there is one
 */
#include "image/transfer.h"

#include "base/fd.h"
#include "base/log.h"
#include "base/process.h"
#include "image/transfer_message.h"
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { EXIT_WAIT_MS = 30000 };

/* Copies of the three descriptors, clear of the numbers that they get in the child. */
struct child_fds {
        int socket, input, output;
};

static void child_fds_done(struct child_fds *f)
{
        cor_fd_close(&f->socket);
        cor_fd_close(&f->input);
        cor_fd_close(&f->output);
}

static int clear_copy(int fd, struct cor_err *err)
{
        int copy = fcntl(fd >= 0 ? fd : STDIN_FILENO, F_DUPFD_CLOEXEC, 6);

        return copy >= 0 ? copy : cor_fail_errno(err, "duplicate descriptor %d", fd);
}

static int spawn_with(const char *path, const struct child_fds *f, bool input, bool output, pid_t *ret,
                      struct cor_err *err)
{
        posix_spawn_file_actions_t actions;
        posix_spawnattr_t attr;
        sigset_t none, all;
        char *argv[] = { (char *)(uintptr_t)path, NULL };
        int e;

        sigemptyset(&none);
        sigfillset(&all);
        posix_spawnattr_init(&attr);
        posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
        posix_spawnattr_setsigmask(&attr, &none);
        posix_spawnattr_setsigdefault(&attr, &all);
        posix_spawn_file_actions_init(&actions);
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDWR, 0);
        posix_spawn_file_actions_adddup2(&actions, STDIN_FILENO, STDOUT_FILENO);
        posix_spawn_file_actions_adddup2(&actions, f->socket, 3);
        if (input)
                posix_spawn_file_actions_adddup2(&actions, f->input, 4);
        if (output)
                posix_spawn_file_actions_adddup2(&actions, f->output, 5);
        e = posix_spawn(ret, path, &actions, &attr, argv, environ);
        posix_spawn_file_actions_destroy(&actions);
        posix_spawnattr_destroy(&attr);
        return e ? cor_fail_start(err, path, e) : 0;
}

/* Start the program; *ret_socket is our end of the conversation. */
static int start(int input, int output, pid_t *ret, int *ret_socket, struct cor_err *err)
{
        auto_str path = cor_libexec_path("coracle-transfer");
        COR_CLEANUP(child_fds_done) struct child_fds f = { -1, -1, -1 };
        int pair[2];

        if (access(path, X_OK) < 0)
                return cor_fail(err, COR_UNSUPPORTED, "images need %s, which is not installed", path);
        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
                return cor_fail_errno(err, "make a socket pair");
        *ret_socket = pair[0];
        f.socket = clear_copy(pair[1], err);
        close(pair[1]);
        f.input = input >= 0 && f.socket >= 0 ? clear_copy(input, err) : -1;
        f.output = output >= 0 && f.socket >= 0 ? clear_copy(output, err) : -1;
        if (f.socket < 0 || (input >= 0 && f.input < 0) || (output >= 0 && f.output < 0))
                return -1;
        return spawn_with(path, &f, input >= 0, output >= 0, ret, err);
}

static int answer(struct transfer_channel *c, int result, const struct cor_err *why, struct cor_err *err)
{
        struct transfer_message m = { .type = TRANSFER_OK };

        if (result < 0)
                m = (struct transfer_message){
                        .type = TRANSFER_ERROR, .kind = why->kind, .sys = why->sys, .text = why->msg
                };
        return transfer_send(c, &m, err);
}

static int take_lease(const struct transfer_message *m, const struct transfer_events *events, struct cor_err *err)
{
        struct digest *items = NULL;
        size_t n = 0;
        int r = 0;

        for (size_t i = 0; i < m->n_digests && r == 0; i++)
                r = digest_parse(m->digests[i], COR_GROW(items, n), err);
        if (r == 0)
                r = events->lease(events->context, items, n, err);
        free(items);
        return r;
}

static int take_image(const struct transfer_message *m, const struct transfer_events *events, struct cor_err *err)
{
        auto_image_row row = { 0 };

        if (!m->image)
                return cor_fail(err, COR_INVALID, "the transfer sent no image");
        if (transfer_image_to_row(m->image, &row, err) < 0)
                return -1;
        return events->image(events->context, &row, err);
}

static void take_progress(const struct transfer_message *m, const struct transfer_events *events)
{
        struct transfer_progress p = {
                .id = m->id, .status = m->status ? m->status : "", .current = m->current, .total = m->total
        };

        if (events->progress)
                events->progress(events->context, &p);
}

/* One message: 1 to go on, 0 when the job is done. */
static int serve_one(struct transfer_channel *c, const struct transfer_message *m, const struct transfer_events *events,
                     struct cor_err *err)
{
        struct cor_err why = { 0 };

        switch (m->type) {
        case TRANSFER_PROGRESS:
                take_progress(m, events);
                return 1;
        case TRANSFER_TEXT:
                if (events->text && m->text)
                        events->text(events->context, m->text, strlen(m->text));
                return 1;
        case TRANSFER_LEASE:
                return answer(c, take_lease(m, events, &why), &why, err) < 0 ? -1 : 1;
        case TRANSFER_IMAGE:
                return answer(c, take_image(m, events, &why), &why, err) < 0 ? -1 : 1;
        case TRANSFER_DONE:
                return 0;
        case TRANSFER_ERROR:
                return transfer_error_of(m, err);
        default:
                return cor_fail(err, COR_INVALID, "the transfer sent a message that is the engine's to send");
        }
}

static int serve(struct transfer_channel *c, const struct transfer_request *request,
                 const struct transfer_events *events, struct cor_err *err)
{
        struct transfer_message first = { .type = TRANSFER_REQUEST,
                                          .request = (struct transfer_request *)(uintptr_t)request };
        int r = 1;

        if (transfer_send(c, &first, err) < 0)
                return -1;
        while (r == 1) {
                auto_json struct transfer_message *m = NULL;

                r = transfer_receive(c, -1, &m, err);
                if (r == 0)
                        return cor_fail(err, COR_SYSTEM, "coracle-transfer ended without a word");
                if (r == 1)
                        r = serve_one(c, m, events, err);
        }
        return r;
}

/* Let the transfer clear up behind itself; one that does not is killed. */
static void reap(pid_t pid)
{
        if (cor_child_wait(pid, EXIT_WAIT_MS, NULL) == 1)
                return;
        kill(-pid, SIGKILL);
        (void)cor_child_wait(pid, -1, NULL);
}

int transfer_run(const struct transfer_request *request, int input, int output, const struct transfer_events *events,
                 struct cor_err *err)
{
        struct transfer_channel c = { .fd = -1 };
        pid_t pid = 0;
        int r = start(input, output, &pid, &c.fd, err);

        if (r == 0)
                r = serve(&c, request, events, err);
        transfer_channel_done(&c);
        if (pid > 0)
                reap(pid);
        return r;
}

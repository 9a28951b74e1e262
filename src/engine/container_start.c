/*
 * Starting a container: its OCI configuration is written anew, and a monitor is started for it, which makes it and
 * stays. What is said between the two is in monitor/protocol.h.
 */
#include "engine/container_internal.h"

#include "base/fd.h"
#include "base/heap.h"
#include "base/log.h"
#include "base/process.h"
#include "engine/network.h"
#include "engine/rootless.h"
#include "engine/spec.h"
#include "linux/clone_self.h"
#include "monitor/clear.h"
#include "monitor/remove.h"
#include "monitor/root.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { FAILED_MS = 10000 }; /* until a monitor that could not start its container has ended */
/* docker's exit codes of containers that could not be started */
enum { CODE_FAILED = 128, CODE_NOT_FOUND = 127, CODE_REFUSED = 126 };

/*
 * In its own session with our descriptor @sock as its third, everything else as it was at first: errno or 0. It is our
 * child until we end; nobody waits for it. To make it nobody's child at once would take a process in between, and on a
 * busy machine a command that waits for one more process to have its turn.
 */
static int spawn_program(const char *program, char *const argv[], char *const envp[], int sock)
{
        posix_spawn_file_actions_t files;
        posix_spawnattr_t attr;
        sigset_t none, all;
        pid_t pid;
        int r;

        sigemptyset(&none);
        sigfillset(&all);
        posix_spawn_file_actions_init(&files);
        posix_spawnattr_init(&attr);
        posix_spawn_file_actions_adddup2(&files, sock, MONITOR_STARTER_FD);
        for (int fd = 0; fd <= STDERR_FILENO; fd++)
                posix_spawn_file_actions_addopen(&files, fd, "/dev/null", O_RDWR, 0);
        posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSID);
        posix_spawnattr_setsigmask(&attr, &none);
        posix_spawnattr_setsigdefault(&attr, &all);
        r = posix_spawn(&pid, program, &files, &attr, argv, envp);
        posix_spawnattr_destroy(&attr);
        posix_spawn_file_actions_destroy(&files);
        return r;
}

/* Ours, with what a monitor wants of its C library, unless the user has wishes of that kind; free() the array. */
static char **monitor_environment(void)
{
        static char heap[] = HEAP_VARIABLE "=" HEAP_VALUE;

        return cor_environment_with(environ, getenv(HEAP_VARIABLE) ? NULL : heap);
}

/* From a binary that no container can write to, if there is a way: else the monitor has to execute itself once more. */
static int spawn_monitor(const char *program, char *const argv[], int sock, struct cor_err *err)
{
        auto_free char **plain = monitor_environment();
        auto_free char **env = clone_self_environment(plain);
        auto_fd safe = clone_self_of(program), moved = -1;
        char path[32];
        int r;

        moved = safe < 0 ? -1 : fcntl(safe, F_DUPFD_CLOEXEC, MONITOR_STARTER_FD + 1);
        snprintf(path, sizeof path, "/proc/self/fd/%d", moved);
        if (moved >= 0 && spawn_program(path, argv, env, sock) == 0)
                return 0;
        r = spawn_program(program, argv, plain, sock);
        return r == 0 ? 0 : cor_fail_start(err, program, r);
}

/* A monitor for container @id, and our end of what is said with it. */
static int launch(struct engine *e, const char *id, struct cor_err *err)
{
        auto_str program = cor_libexec_path("coracle-monitor");
        char *const argv[] = { (char *)"coracle-monitor", (char *)"--store", (char *)store_path(e->store), (char *)id,
                               NULL };
        auto_fd ours = -1, theirs = -1, moved = -1;
        int sock[2];

        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sock) < 0)
                return cor_fail_errno(err, "socket pair");
        ours = sock[0];
        theirs = sock[1];
        /* dup2() onto itself would leave it close-on-exec, and 0 to 2 are reopened before */
        moved = fcntl(theirs, F_DUPFD_CLOEXEC, MONITOR_STARTER_FD + 1);
        if (moved < 0)
                return cor_fail_errno(err, "socket pair");
        if (spawn_monitor(program, argv, moved, err) < 0)
                return -1;
        return cor_fd_take(&ours);
}

void engine_start_ahead(struct engine *e)
{
        struct cor_err ignored;
        auto_str id = container_make_id();

        engine_forget_ahead(e);
        e->ahead = launch(e, id, &ignored);
        if (e->ahead >= 0)
                e->ahead_id = COR_TAKE(id);
}

void engine_forget_ahead(struct engine *e)
{
        if (e->ahead_id)
                cor_fd_close(&e->ahead); /* the monitor ends */
        free(e->ahead_id);
        e->ahead_id = NULL;
}

/* The monitor that waits for @r, or a new one. It makes ready what is its own, while we go on. */
static int get_monitor(struct engine *e, const struct container_row *r, struct cor_err *err)
{
        auto_fd sock = -1;

        if (e->ahead_id && strcmp(e->ahead_id, r->id) == 0) {
                sock = cor_fd_take(&e->ahead);
                free(e->ahead_id);
                e->ahead_id = NULL;
        } else {
                sock = launch(e, r->id, err);
        }
        return sock < 0 || monitor_send(sock, MONITOR_TAKE, NULL, 0, err) < 0 ? -1 : cor_fd_take(&sock);
}

static int greet(int sock, int root, const struct monitor_attach *attach, const struct monitor_size *size,
                 struct cor_err *err)
{
        auto_free char *buf = cor_alloc(MONITOR_PACKET_MAX);

        if (attach && monitor_send(sock, MONITOR_ATTACH, attach, sizeof *attach, err) < 0)
                return -1;
        if (size && size->rows && monitor_send(sock, MONITOR_RESIZE, size, sizeof *size, err) < 0)
                return -1;
        if (monitor_send_start(sock, root, err) < 0)
                return -1;
        return container_await(sock, buf, MONITOR_STARTED, NULL, err);
}

static int check_startable(const struct container_row *r, struct cor_err *err)
{
        switch (r->now.phase) {
        case CONTAINER_PHASE_PAUSED:
                return cor_fail(err, COR_BUSY, "cannot start a paused container, try unpause instead");
        case CONTAINER_PHASE_REMOVING:
        case CONTAINER_PHASE_DEAD:
                return cor_fail(err, COR_BUSY, "container is marked for removal and cannot be started");
        default:
                return 0;
        }
}

/* What is known of the failure is written down; the monitor, if there was one, may have done so. */
static void note_failure(struct engine *e, struct container_row *r, const struct cor_err *why)
{
        struct cor_err ignored;

        free(r->now.error);
        r->now.error = cor_strdup(why->msg);
        if (r->now.exit_code == 0)
                r->now.exit_code = why->kind == COR_EXEC_MISSING   ? CODE_NOT_FOUND
                                   : why->kind == COR_EXEC_REFUSED ? CODE_REFUSED
                                                                   : CODE_FAILED;
        (void)!container_row_save_now(e->store, r->number, &r->now, false, &ignored);
}

/* A monitor that says why has cleared everything away; one that was killed has not. */
static void clear_failure(struct engine *e, const struct container_row *r)
{
        struct cor_err err = { 0 };
        auto_fd lock = container_row_lock(e->store, r->number, CONTAINER_LOCK_MONITOR, FAILED_MS, &err);

        if (lock >= 0)
                monitor_clear(e->store, r->id);
        else
                cor_warn("container %s: %s", r->id, err.msg);
}

/* Files for the runtime, a monitor, and what is said with it. The root filesystem that was looked into becomes the
 * container's. */
static int start(struct engine *e, const struct container_row *r, const struct monitor_attach *attach,
                 const struct monitor_size *size, int *ret_sock, struct cor_err *err)
{
        auto_fd sock = get_monitor(e, r, err);
        auto_fd root = sock < 0 ? -1 : monitor_mount_root(e->store, r, true, err);
        auto_spec_documents d = { 0 };
        const struct spec_start spec = { .row = r, .documents = &d, .root = root };

        if (root < 0 || spec_documents_parse(r, &d, err) < 0 || spec_write(e->store, &spec, NULL, err) < 0 ||
            engine_prepare_networks(e, r, d.host_config->network_mode, err) < 0 ||
            greet(sock, root, attach, size, err) < 0)
                return -1;
        *ret_sock = cor_fd_take(&sock);
        return 0;
}

/* Of a user's processes the monitor stays longest: who comes later finds the user namespace by it. */
static void note_monitor(struct engine *e, int64_t number)
{
        auto_container_row now = { 0 };
        struct cor_err ignored;

        if (rootless_entered() && container_row_get(e->store, number, &now, &ignored) == 0 && now.now.monitor_pid > 0)
                (void)!rootless_add(now.now.monitor_pid, &ignored);
}

int engine_start_container(struct engine *e, const char *name, const struct monitor_attach *attach,
                           const struct monitor_size *size, int *ret_sock, struct cor_err *err)
{
        auto_container_row row = { 0 };
        auto_fd sock = -1, lock = container_work(e, name, &row, err);
        struct cor_err ignored;

        if (ret_sock)
                *ret_sock = -1;
        if (lock < 0 || check_startable(&row, err) < 0)
                return -1;
        if (container_runs(&row)) {
                cor_fd_close(&lock);
                return ret_sock ? engine_attach_container(e, row.id, attach, ret_sock, err) : 0;
        }
        if (start(e, &row, attach, size, &sock, err) < 0) {
                clear_failure(e, &row);
                note_failure(e, &row, err);
                if (row.auto_remove)
                        (void)!monitor_remove(e->store, &row, true, &ignored);
                return -1;
        }
        note_monitor(e, row.number);
        if (ret_sock)
                *ret_sock = cor_fd_take(&sock);
        return 0;
}

int engine_attach_container(struct engine *e, const char *name, const struct monitor_attach *attach, int *ret_sock,
                            struct cor_err *err)
{
        auto_container_row row = { 0 };
        auto_fd sock = -1;

        if (engine_container(e, name, false, &row, err) < 0)
                return -1;
        if (row.now.phase == CONTAINER_PHASE_PAUSED)
                return cor_fail(err, COR_BUSY, "You cannot attach to a paused container, unpause it first");
        if (!container_runs(&row))
                return cor_fail(err, COR_BUSY, "You cannot attach to a stopped container, start it first");
        sock = container_monitor_connect(e, &row, err);
        if (sock < 0 || (attach && monitor_send(sock, MONITOR_ATTACH, attach, sizeof *attach, err) < 0))
                return -1;
        if (attach && attach->logs) {
                auto_free char *buf = cor_alloc(MONITOR_PACKET_MAX);

                if (container_await(sock, buf, MONITOR_DONE, NULL, err) < 0)
                        return -1;
        }
        *ret_sock = cor_fd_take(&sock);
        return 0;
}

#include "runtime/notify.h"

#include "base/fd.h"
#include "base/log.h"
#include "base/process.h"
#include "runtime/plan_mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define FOLDER         "notify"
#define FOLDER_INSIDE  "/run/notify"
#define SOCKET         "notify.sock"
#define SOCKET_OUTSIDE FOLDER "/" SOCKET

enum { MESSAGE_MAX_BYTES = 4096, SEND_TIMEOUT_S = 5, BARRIER_TIMEOUT_MS = 30000 };

void notify_done(struct notify *n)
{
        cor_fd_close(&n->sock);
}

static const char *manager(void)
{
        const char *socket = getenv("NOTIFY_SOCKET");

        return socket && (socket[0] == '/' || socket[0] == '@') && socket[1] ? socket : NULL;
}

/* --- create ------------------------------------------------------------------------------------------------------- */

void notify_plan(struct plan *p)
{
        static const char *options[] = { "bind", "nosuid", "noexec", "nodev", "ro", NULL };
        struct oci_config *c = p->config;
        auto_str source = NULL;
        struct oci_mount *all;

        if (!manager())
                return;
        source = cor_printf("%s/%s/" FOLDER, p->ctx->root, p->options->id);
        all = cor_json_alloc(c, (c->n_mounts + 1) * sizeof *all);
        if (c->n_mounts)
                memcpy(all, c->mounts, c->n_mounts * sizeof *all);
        all[c->n_mounts++] = (struct oci_mount){
                .destination = FOLDER_INSIDE,
                .source = cor_json_strdup(c, source),
                .options = options,
                .n_options = COR_COUNT(options) - 1,
        };
        c->mounts = all;
        p->notify = true;
        p->process.notify_socket = FOLDER_INSIDE "/" SOCKET;
}

int notify_make(struct plan *p, struct cor_err *err)
{
        if (!p->notify)
                return 0;
        /* the mode of the folder is what the container sees, so no umask may take from it */
        if (mkdirat(p->container.dirfd, FOLDER, 0755) < 0 || fchmodat(p->container.dirfd, FOLDER, 0755, 0) < 0)
                return cor_fail_errno(err, "make the folder of the notification socket");
        return plan_mount_open(p, p->config->n_mounts - 1, err);
}

/* --- start -------------------------------------------------------------------------------------------------------- */

int notify_listen(int dirfd, struct notify *n, struct cor_err *err)
{
        struct sockaddr_un addr = { .sun_family = AF_UNIX };
        auto_fd sock = -1;
        mode_t mask;
        int r;

        if (!manager() || faccessat(dirfd, FOLDER, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
                return 0;
        snprintf(addr.sun_path, sizeof addr.sun_path, "/proc/self/fd/%d/" SOCKET_OUTSIDE, dirfd);
        sock = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (sock < 0)
                return cor_fail_errno(err, "make the notification socket");
        (void)unlinkat(dirfd, SOCKET_OUTSIDE, 0); /* of a `start` that was killed */
        mask = umask(0);                          /* any user in the container may write to it */
        r = bind(sock, (struct sockaddr *)&addr, sizeof addr);
        umask(mask);
        if (r < 0)
                return cor_fail_errno(err, "make the notification socket");
        n->sock = cor_fd_take(&sock);
        return 0;
}

/* --- what the container says -------------------------------------------------------------------------------------- */

static bool says_ready(const char *text, size_t n)
{
        const char *end = text + n;

        while (text < end) {
                const char *stop = memchr(text, '\n', (size_t)(end - text));

                if (!stop)
                        stop = end;
                if (stop - text == 7 && memcmp(text, "READY=1", 7) == 0)
                        return true;
                text = stop + 1;
        }
        return false;
}

/*
 * One message, and whether there was one. Descriptors that come along (the container's own BARRIER=1) are dropped by
 * the kernel as no room is given for them; that tells the sender that all before has been read.
 */
static bool take_message(struct notify *n, bool *ret_ready)
{
        char text[MESSAGE_MAX_BYTES];
        ssize_t got;

        do
                got = recv(n->sock, text, sizeof text, MSG_DONTWAIT);
        while (got < 0 && errno == EINTR);
        *ret_ready = got > 0 && says_ready(text, (size_t)got);
        return got >= 0;
}

/* --- what the manager is told ------------------------------------------------------------------------------------- */

static int connect_abstract(const char *name, struct cor_err *err)
{
        struct sockaddr_un addr = { .sun_family = AF_UNIX };
        socklen_t len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name));
        auto_fd sock = -1;

        if (strlen(name) > sizeof addr.sun_path)
                return cor_fail(err, COR_INVALID, "NOTIFY_SOCKET: too long");
        memcpy(addr.sun_path, name, strlen(name));
        addr.sun_path[0] = '\0';
        sock = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        if (sock < 0 || connect(sock, (struct sockaddr *)&addr, len) < 0)
                return cor_fail_errno(err, "connect to %s", name);
        return cor_fd_take(&sock);
}

static int connect_manager(struct cor_err *err)
{
        static const struct timeval limit = { .tv_sec = SEND_TIMEOUT_S };
        const char *name = manager();
        auto_fd sock = -1;

        if (!name)
                return cor_fail(err, COR_NOT_FOUND, "there is no NOTIFY_SOCKET");
        sock = name[0] == '@' ? connect_abstract(name, err) : cor_unix_connect(name, SOCK_DGRAM, err);
        if (sock < 0)
                return -1;
        if (setsockopt(sock, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) < 0)
                return cor_fail_errno(err, "connect to %s", name);
        return cor_fd_take(&sock);
}

static int tell_ready(int sock, pid_t main_pid, struct cor_err *err)
{
        auto_str text = cor_printf("READY=1\nMAINPID=%d\n", (int)main_pid);

        if (send(sock, text, strlen(text), MSG_NOSIGNAL) < 0)
                return cor_fail_errno(err, "notify the service manager");
        return 0;
}

/* The manager closes its copy of the descriptor when it has read all that came before. */
static int barrier(int sock, struct cor_err *err)
{
        int ends[2];
        int r;

        if (pipe2(ends, O_CLOEXEC) < 0)
                return cor_fail_errno(err, "pipe");
        r = cor_send_fd(sock, ends[1], "BARRIER=1", 9, err);
        close(ends[1]);
        if (r == 0 && cor_wait_readable(ends[0], BARRIER_TIMEOUT_MS, err) == 0)
                cor_debug("the service manager does not know BARRIER=1");
        close(ends[0]);
        return r;
}

static void pass_on(struct notify *n, pid_t main_pid, bool leaving)
{
        struct cor_err err = { 0 };
        auto_fd sock = connect_manager(&err);

        n->ready = true;
        if (sock < 0 || tell_ready(sock, main_pid, &err) < 0 || (leaving && barrier(sock, &err) < 0))
                cor_warn("%s", err.msg);
}

void notify_step(struct notify *n, pid_t main_pid)
{
        bool ready;

        if (take_message(n, &ready) && ready && !n->ready)
                pass_on(n, main_pid, false);
}

int notify_wait(struct notify *n, struct container *c, const struct cor_procid *init, struct cor_err *err)
{
        struct cor_err gone;
        auto_fd pidfd = -1;

        if (n->sock < 0)
                return 0;
        pidfd = cor_procid_open(init, &gone);
        if (pidfd < 0) /* that was quick */
                return 0;
        container_unlock(c);
        for (;;) {
                struct pollfd fds[] = { { .fd = n->sock, .events = POLLIN }, { .fd = pidfd, .events = POLLIN } };
                bool ready;

                if (poll(fds, COR_COUNT(fds), -1) < 0 && errno != EINTR)
                        return cor_fail_errno(err, "wait for the container to be ready");
                if (take_message(n, &ready) && ready) {
                        pass_on(n, init->pid, true);
                        return 0;
                }
                if (fds[1].revents && !fds[0].revents)
                        return 0;
        }
}

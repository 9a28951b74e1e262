/*
 * From READY to the user's program, seen from outside of the container: by `run` in one go, by `start` later and over
 * the container's start socket.
 */
#include "runtime/start.h"

#include "base/fd.h"
#include "base/file.h"
#include "base/text.h"
#include "runtime/create.h"
#include "runtime/message.h"
#include "runtime/notify.h"
#include "runtime/plan.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int write_pid_file(const char *path, pid_t pid, struct cor_err *err)
{
        auto_str dir = NULL;
        auto_str text = cor_printf("%d", (int)pid);
        auto_fd dirfd = -1;
        const char *name;

        if (!path)
                return 0;
        /* as the kernel would: "link/../pid" is beside what the link leads to */
        name = cor_base_name(path);
        dir = name > path ? cor_strndup(path, (size_t)(name - path)) : cor_strdup(".");
        dirfd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (dirfd < 0)
                return cor_fail_errno(err, "--pid-file %s", path);
        if (cor_own_write(dirfd, name, text, strlen(text), 0644, false, err) < 0)
                return cor_wrap(err, "--pid-file %s", path);
        return 0;
}

int start_announce(const char *pid_file, const char *pidfd_socket, pid_t pid, struct cor_err *err)
{
        auto_fd sock = -1, pidfd = -1;

        if (write_pid_file(pid_file, pid, err) < 0)
                return -1;
        if (!pidfd_socket)
                return 0;
        pidfd = cor_pidfd_open(pid, err);
        sock = pidfd < 0 ? -1 : cor_unix_connect(pidfd_socket, SOCK_STREAM, err);
        if (sock < 0 || cor_send_fd(sock, pidfd, "pidfd", 5, err) < 0)
                return cor_wrap(err, "--pidfd-socket %s", pidfd_socket);
        return 0;
}

static int take_listener(const struct oci_config *config, const struct seccomp_program *program,
                         const struct hook_state *state, int remote_fd, int *came, struct cor_err *err)
{
        auto_str json = hooks_state_json(config, state);
        auto_fd pidfd = -1, listener = cor_fd_take(came);

        if (listener < 0) {
                pidfd = cor_pidfd_open(state->pid, err);
                if (pidfd < 0)
                        return -1;
                listener = seccomp_notify_take(pidfd, remote_fd, err);
        } else if (seccomp_notify_check(listener, err) < 0) {
                return -1;
        }
        if (listener < 0)
                return -1;
        return seccomp_notify_send(program, listener, state->pid, config->oci_version, json, err);
}

/* From START to a successful exec, which shows as end of file. */
int start_drive_exec(struct watch *watch, int sock, const struct oci_config *config,
                     const struct seccomp_program *program, const struct hook_state *state, struct cor_err *err)
{
        for (;;) {
                auto_fd fd = -1;
                struct message m;

                if (watch_wait(watch, sock, err) < 0 || message_receive(sock, &m, &fd, err) < 0)
                        return -1;
                if (m.type == MSG_EOF)
                        return 0;
                if (m.type != MSG_SECCOMP)
                        return cor_fail(err, COR_SYSTEM, "message %d from the container's process", m.type);
                if (take_listener(config, program, state, m.value, &fd, err) < 0 ||
                    message_send(sock, MSG_SECCOMP_DONE, 0, err) < 0)
                        return -1;
        }
}

int start_poststart(const struct oci_config *config, struct hook_state state, struct cor_err *err)
{
        const struct oci_hooks *h = config->hooks;

        state.status = "running";
        return h ? hooks_run("poststart", h->poststart, h->n_poststart, config, &state, true, err) : 0;
}

/* Connect to init; the socket goes away before init is told, so that no second start can follow (record.h). */
static int connect_init(const struct container *c, struct cor_err *err)
{
        struct sockaddr_un addr = { .sun_family = AF_UNIX };
        auto_fd sock = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

        snprintf(addr.sun_path, sizeof addr.sun_path, "/proc/self/fd/%d/" CONTAINER_START_SOCKET, c->dirfd);
        if (sock < 0 || connect(sock, (struct sockaddr *)&addr, sizeof addr) < 0)
                return cor_fail_errno(err, "cannot start container %s: connect to its init", c->id);
        if (unlinkat(c->dirfd, CONTAINER_START_SOCKET, 0) < 0)
                return cor_fail_errno(err, "cannot start container %s", c->id);
        return cor_fd_take(&sock);
}

static int check_startable(const struct container *c, struct cor_err *err)
{
        enum container_status status = container_status(c);

        if (status == CONTAINER_CREATED)
                return 0;
        if (status == CONTAINER_PAUSED && faccessat(c->dirfd, CONTAINER_START_SOCKET, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
                return cor_fail(err, COR_BUSY, "cannot start a paused container");
        if (status == CONTAINER_RUNNING || status == CONTAINER_PAUSED)
                return cor_fail(err, COR_BUSY, "cannot start an already running container");
        return cor_fail(err, COR_BUSY, "cannot start a container that has %s", container_status_name(status));
}

int container_start(const struct runtime_context *ctx, const char *id, struct cor_err *err)
{
        auto_container c = CONTAINER_INIT;
        auto_json struct oci_config *config = NULL;
        COR_CLEANUP(seccomp_program_done) struct seccomp_program program = SECCOMP_PROGRAM_INIT;
        auto_notify notify = NOTIFY_INIT;
        struct watch watch = WATCH_INIT;
        auto_cgroup cg = NULL;
        struct cor_procid init;
        struct hook_state state;
        auto_fd sock = -1;

        if (container_open(ctx, id, &c, err) < 0 || container_lock(&c, CONTAINER_LOCK_MS, err) < 0 ||
            check_startable(&c, err) < 0)
                return -1;
        if (container_config(&c, &config, err) < 0)
                return -1;
        state = (struct hook_state){
                .id = id,
                .bundle = c.record->bundle,
                .rootfs = c.record->rootfs,
                .status = "created",
                .pid = c.record->pid,
        };
        /* where the listener goes, should there be one */
        if (config->linux_->seccomp && plan_seccomp(config, &program, err) < 0)
                return -1;
        if (container_cgroup(&c, &cg, err) < 0 || notify_listen(c.dirfd, &notify, err) < 0)
                return -1;
        sock = connect_init(&c, err);
        if (sock < 0 || message_send(sock, MSG_START, 0, err) < 0)
                return -1;
        watch.who = "the container's first process";
        watch.pid = state.pid;
        watch.cgroup = cg;
        watch.may_idle = config->hooks && config->hooks->n_start_container;
        if (start_drive_exec(&watch, sock, config, &program, &state, err) < 0)
                return -1;
        if (start_poststart(config, state, err) < 0)
                return -1;
        init = container_init_process(&c);
        return notify_wait(&notify, &c, &init, err);
}

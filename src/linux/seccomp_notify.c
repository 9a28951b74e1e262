/* The listener of a notifying program on its way to the agent. Runs in the parent. */
#include "linux/seccomp_internal.h"

#include "base/fd.h"
#include "base/process.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SYS_pidfd_getfd
#define SYS_pidfd_getfd 438
#endif

enum { GIVE_UP_MS = 10000 };

/* A listener says that it knows no notification 0; anything else does not know the question. */
static bool is_listener(int fd)
{
        uint64_t id = 0;

        return ioctl(fd, SECCOMP_IOCTL_NOTIF_ID_VALID, &id) < 0 && errno == ENOENT;
}

int seccomp_notify_check(int fd, struct cor_err *err)
{
        return is_listener(fd)
                       ? 0
                       : cor_fail(err, COR_SYSTEM, "a descriptor of the container's process is no seccomp listener");
}

int seccomp_notify_take(int pidfd, int remote_fd, struct cor_err *err)
{
        auto_fd fd = (int)syscall(SYS_pidfd_getfd, pidfd, remote_fd, 0);

        if (fd < 0 && errno == ENOSYS)
                cor_fail_refused(err, "pidfd_getfd", "5.6");
        else if (fd < 0)
                cor_fail_errno(err, "take the seccomp listener from the container's process");
        return fd < 0 || seccomp_notify_check(fd, err) < 0 ? -1 : cor_fd_take(&fd);
}

static void message_make(const struct seccomp_program *program, pid_t pid, const char *oci_version,
                         const char *state_json, struct cor_text *t)
{
        cor_text_add(t, "{\"ociVersion\":");
        cor_text_add_json(t, oci_version);
        cor_text_printf(t, ",\"fds\":[\"seccompFd\"],\"pid\":%d", (int)pid);
        if (program->listener_metadata && program->listener_metadata[0]) {
                cor_text_add(t, ",\"metadata\":");
                cor_text_add_json(t, program->listener_metadata);
        }
        cor_text_add(t, ",\"state\":");
        cor_text_add(t, state_json);
        cor_text_add_c(t, '}');
}

/* The descriptor travels with the first byte; a stream socket may take the text in several pieces. */
static ssize_t send_piece(int sock, int fd, const char *text, size_t len)
{
        union {
                struct cmsghdr head;
                char room[CMSG_SPACE(sizeof(int))];
        } control = { 0 };
        struct iovec piece = { .iov_base = (void *)(uintptr_t)text, .iov_len = len };
        struct msghdr msg = { .msg_iov = &piece, .msg_iovlen = 1 };

        if (fd >= 0) {
                control.head.cmsg_level = SOL_SOCKET;
                control.head.cmsg_type = SCM_RIGHTS;
                control.head.cmsg_len = CMSG_LEN(sizeof fd);
                memcpy(CMSG_DATA(&control.head), &fd, sizeof fd);
                msg.msg_control = &control;
                msg.msg_controllen = sizeof control.room;
        }
        return sendmsg(sock, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static int wait_writable(int sock, int64_t end_ms)
{
        struct pollfd p = { .fd = sock, .events = POLLOUT };
        int64_t left = end_ms - cor_now_ms();

        return left > 0 && poll(&p, 1, (int)left) != 0 ? 0 : -1;
}

static int send_all(int sock, int fd, const struct cor_text *text, int64_t end_ms, struct cor_err *err)
{
        for (size_t sent = 0; sent < text->len;) {
                ssize_t n = send_piece(sock, sent == 0 ? fd : -1, text->s + sent, text->len - sent);

                if (n >= 0)
                        sent += (size_t)n;
                else if (errno != EAGAIN && errno != EINTR)
                        return cor_fail_errno(err, "sendmsg");
                else if (wait_writable(sock, end_ms) < 0)
                        return cor_fail(err, COR_TIMEOUT, "who listens does not read");
        }
        return 0;
}

int seccomp_notify_send(const struct seccomp_program *program, int notify_fd, pid_t pid, const char *oci_version,
                        const char *state_json, struct cor_err *err)
{
        auto_text text = COR_TEXT_INIT;
        auto_fd sock = cor_unix_connect(program->listener_path, SOCK_STREAM, err);

        if (sock < 0)
                return cor_wrap(err, "send the seccomp listener");
        message_make(program, pid, oci_version, state_json, &text);
        if (send_all(sock, notify_fd, &text, cor_now_ms() + GIVE_UP_MS, err) < 0)
                return cor_wrap(err, "send the seccomp listener to %s", program->listener_path);
        return 0;
}

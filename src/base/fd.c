#include "base/fd.h"
#include "base/process.h"
#include "base/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/vfs.h>
#include <unistd.h>

#ifndef CLOSE_RANGE_CLOEXEC
#define CLOSE_RANGE_CLOEXEC (1U << 2)
#endif

#define CONNECT_TIMEOUT_S 10
#define FDS_PER_MESSAGE   253 /* SCM_MAX_FD: the kernel takes no more in one message */

void cor_fd_close(int *fd)
{
        int saved = errno;

        if (*fd >= 0)
                close(*fd);
        *fd = -1;
        errno = saved;
}

ssize_t cor_read_full(int fd, void *buf, size_t n, struct cor_err *err)
{
        size_t done = 0;

        while (done < n) {
                ssize_t got = read(fd, (char *)buf + done, n - done);

                if (got == 0)
                        break;
                if (got > 0)
                        done += (size_t)got;
                else if (errno != EINTR)
                        return cor_fail_errno(err, "read");
        }
        return (ssize_t)done;
}

int cor_write_full(int fd, const void *buf, size_t n, struct cor_err *err)
{
        size_t done = 0;

        while (done < n) {
                ssize_t put = write(fd, (const char *)buf + done, n - done);

                if (put > 0)
                        done += (size_t)put;
                else if (put == 0)
                        return cor_fail(err, COR_SYSTEM, "write: nothing was taken");
                else if (errno != EINTR)
                        return cor_fail_errno(err, "write");
        }
        return 0;
}

int cor_fd_cloexec(int fd, bool on, struct cor_err *err)
{
        int flags = fcntl(fd, F_GETFD);

        if (flags < 0 || fcntl(fd, F_SETFD, on ? flags | FD_CLOEXEC : flags & ~FD_CLOEXEC) < 0)
                return cor_fail_errno(err, "close-on-exec of descriptor %d", fd);
        return 0;
}

static void close_dir(DIR **dir)
{
        if (*dir)
                closedir(*dir);
}

/* Kernels before 5.11 lack the flag, and sandboxes the call. Only a real procfs is believed. */
static int each_by_proc(unsigned first, unsigned last, bool closes, struct cor_err *err)
{
        COR_CLEANUP(close_dir) DIR *dir = opendir("/proc/self/fd");
        struct dirent *entry;
        struct statfs fs;
        uint32_t fd;

        if (!dir)
                return cor_fail_errno(err, "open /proc/self/fd");
        if (fstatfs(dirfd(dir), &fs) < 0 || fs.f_type != PROC_SUPER_MAGIC)
                return cor_fail(err, COR_SYSTEM, "/proc/self/fd is not on a proc file system");
        while (errno = 0, (entry = readdir(dir))) {
                if (cor_parse_u32(entry->d_name, &fd) < 0 || fd < first || fd > last)
                        continue;
                if (closes && (int)fd != dirfd(dir))
                        close((int)fd);
                else if (!closes && cor_fd_cloexec((int)fd, true, err) < 0)
                        return -1;
        }
        return errno ? cor_fail_errno(err, "read /proc/self/fd") : 0;
}

int cor_fds_cloexec_from(unsigned first, struct cor_err *err)
{
        if (syscall(SYS_close_range, first, ~0U, CLOSE_RANGE_CLOEXEC) == 0)
                return 0;
        return each_by_proc(first, ~0U, false, err);
}

int cor_fds_close(unsigned first, unsigned last, struct cor_err *err)
{
        return syscall(SYS_close_range, first, last, 0) == 0 ? 0 : each_by_proc(first, last, true, err);
}

int cor_send_fd(int sock, int fd, const void *payload, size_t n, struct cor_err *err)
{
        union {
                struct cmsghdr header;
                char bytes[CMSG_SPACE(sizeof(int))];
        } control = { 0 };
        /* A stream carries a descriptor only along with a byte. */
        struct iovec iov = { .iov_base = n ? (void *)(uintptr_t)payload : (char[]){ 0 }, .iov_len = n ? n : 1 };
        struct msghdr msg = {
                .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control.bytes
        };
        ssize_t sent;

        control.header =
                (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof fd), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS };
        memcpy(CMSG_DATA(&control.header), &fd, sizeof fd);
        do
                sent = sendmsg(sock, &msg, MSG_NOSIGNAL);
        while (sent < 0 && errno == EINTR);
        while (sent > 0 && (size_t)sent < iov.iov_len) { /* a long payload on a stream: the descriptor is through */
                ssize_t more = send(sock, (char *)iov.iov_base + sent, iov.iov_len - (size_t)sent, MSG_NOSIGNAL);

                if (more >= 0)
                        sent += more;
                else if (errno != EINTR)
                        sent = -1;
        }
        return sent < 0 ? cor_fail_errno(err, "send descriptor") : 0;
}

/* The first descriptor in @msg, or -1; all others are closed. */
static int take_first_fd(struct msghdr *msg)
{
        int first = -1;

        for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
                if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS || c->cmsg_len < CMSG_LEN(0))
                        continue;
                for (size_t i = 0; i < (c->cmsg_len - CMSG_LEN(0)) / sizeof(int); i++) {
                        int fd;

                        memcpy(&fd, CMSG_DATA(c) + i * sizeof fd, sizeof fd);
                        if (first < 0)
                                first = fd;
                        else
                                cor_fd_close(&fd);
                }
        }
        return first;
}

ssize_t cor_recvmsg(int sock, struct msghdr *m, int flags)
{
        ssize_t n;

        do
                n = recvmsg(sock, m, flags);
        while (n < 0 && (errno == EINTR || errno == ECONNRESET));
        return n;
}

ssize_t cor_recv(int sock, void *buf, size_t n, int flags)
{
        struct iovec part = { .iov_base = buf, .iov_len = n };
        struct msghdr m = { .msg_iov = &part, .msg_iovlen = 1 };

        return cor_recvmsg(sock, &m, flags);
}

int cor_recv_fd(int sock, void *payload, size_t n, size_t *ret_n, struct cor_err *err)
{
        union {
                struct cmsghdr header;
                char bytes[CMSG_SPACE(FDS_PER_MESSAGE * sizeof(int))];
        } control;
        char byte;
        struct iovec iov = { .iov_base = n ? payload : &byte, .iov_len = n ? n : 1 };
        struct msghdr msg = {
                .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control.bytes
        };
        ssize_t got;
        int fd;

        got = cor_recvmsg(sock, &msg, MSG_CMSG_CLOEXEC);
        if (got < 0)
                return cor_fail_errno(err, "receive descriptor");
        fd = take_first_fd(&msg);
        if (fd < 0)
                return cor_fail(err, COR_SYSTEM, "receive descriptor: %s",
                                got == 0 ? "the other side closed the socket" : "the message carries none");
        if (ret_n)
                *ret_n = n ? (size_t)got : 0;
        return fd;
}

/* A full backlog makes connect() wait: that wait has an end. */
static int connect_within(int sock, const struct sockaddr_un *addr)
{
        struct timeval limit = { .tv_sec = CONNECT_TIMEOUT_S };
        int r;

        if (setsockopt(sock, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) < 0)
                return -1;
        do
                r = connect(sock, (const struct sockaddr *)addr, sizeof *addr);
        while (r < 0 && errno == EINTR);
        if (r < 0)
                return -1;
        limit.tv_sec = 0;
        return setsockopt(sock, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
}

int cor_unix_connect(const char *path, int type, struct cor_err *err)
{
        struct sockaddr_un addr = { .sun_family = AF_UNIX };
        auto_fd sock = -1, place = -1;

        if (!*path)
                return cor_fail(err, COR_INVALID, "connect to a socket: the path is empty");
        if (strlen(path) < sizeof addr.sun_path) {
                memcpy(addr.sun_path, path, strlen(path) + 1);
        } else {
                place = open(path, O_PATH | O_CLOEXEC);
                if (place < 0)
                        return cor_fail_errno(err, "connect to %s", path);
                snprintf(addr.sun_path, sizeof addr.sun_path, "/proc/self/fd/%d", place);
        }
        sock = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
        if (sock < 0)
                return cor_fail_errno(err, "socket for %s", path);
        if (connect_within(sock, &addr) < 0)
                return cor_fail_errno(err, "connect to %s", path);
        return cor_fd_take(&sock);
}

int cor_wait_readable(int fd, int timeout_ms, struct cor_err *err)
{
        struct pollfd p = { .fd = fd, .events = POLLIN };
        int64_t end = timeout_ms >= 0 ? cor_now_ms() + timeout_ms : 0;
        int n;

        while ((n = poll(&p, 1, timeout_ms)) < 0 && errno == EINTR)
                if (timeout_ms >= 0) {
                        int64_t left = end - cor_now_ms();

                        timeout_ms = left > 0 ? (int)left : 0;
                }
        if (n > 0 && (p.revents & POLLNVAL)) {
                errno = EBADF;
                n = -1;
        }
        return n < 0 ? cor_fail_errno(err, "wait for descriptor %d", fd) : n > 0;
}

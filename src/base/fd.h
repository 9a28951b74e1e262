#ifndef CORACLE_BASE_FD_H
#define CORACLE_BASE_FD_H
/* Owned file descriptors. One owner each, close-on-exec from birth; -1 is "none" and 0 is a real descriptor. */
#include "base/err.h"
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* cor_fd_close() - close *@fd unless it is negative, set it to -1, keep errno */
void cor_fd_close(int *fd);
#define auto_fd COR_CLEANUP(cor_fd_close) int

/* cor_fd_take() - the value of *@fd, which is -1 afterwards */
static inline int cor_fd_take(int *fd)
{
        int taken = *fd;

        *fd = -1;
        return taken;
}

/* cor_read_full() - read until @n bytes or end of file; the count, or -1 */
ssize_t cor_read_full(int fd, void *buf, size_t n, struct cor_err *err) COR_MUST_CHECK;
/* cor_write_full() - write all of it; 0 or -1 */
int cor_write_full(int fd, const void *buf, size_t n, struct cor_err *err) COR_MUST_CHECK;

/* cor_fd_cloexec() - set or clear close-on-exec */
int cor_fd_cloexec(int fd, bool on, struct cor_err *err) COR_MUST_CHECK;
/* cor_fds_cloexec_from() - mark every descriptor >= @first close-on-exec (close_range(2), else a walk of /proc) */
int cor_fds_cloexec_from(unsigned first, struct cor_err *err) COR_MUST_CHECK;
/* cor_fds_close() - close every descriptor from @first to @last, ~0U for all (close_range(2), else a walk of /proc) */
int cor_fds_close(unsigned first, unsigned last, struct cor_err *err) COR_MUST_CHECK;

/*
 * cor_recvmsg(), cor_recv() - recvmsg(2), recv(2) on a Unix socket without what is no end: EINTR, and the ECONNRESET
 * that a socket of packets gives once, before what the other side had sent, if that ended with something unread.
 */
struct msghdr;
ssize_t cor_recvmsg(int sock, struct msghdr *m, int flags);
ssize_t cor_recv(int sock, void *buf, size_t n, int flags);

/*
 * cor_send_fd() / cor_recv_fd() - one descriptor over a Unix socket (SCM_RIGHTS) with @n bytes of payload. Receiving
 * gives exactly one close-on-exec descriptor (further ones are closed) and up to @n bytes; the count in *ret_n if
 * given.
 */
int cor_send_fd(int sock, int fd, const void *payload, size_t n, struct cor_err *err) COR_MUST_CHECK;
int cor_recv_fd(int sock, void *payload, size_t n, size_t *ret_n, struct cor_err *err) COR_MUST_CHECK;

/*
 * cor_send_result() / cor_recv_result() - descriptor @fd over a SOCK_SEQPACKET or, if that is negative, @why there is
 * none, which is the receiver's error then. Receiving: TIMEOUT after a minute
 */
int cor_send_result(int sock, int fd, const struct cor_err *why, struct cor_err *err) COR_MUST_CHECK;
int cor_recv_result(int sock, struct cor_err *err) COR_MUST_CHECK;

/* cor_unix_connect() - a connected SOCK_STREAM to @path (longer than sun_path is reached by way of a directory fd) */
int cor_unix_connect(const char *path, int type, struct cor_err *err) COR_MUST_CHECK;

/* cor_wait_readable() - wait for input on @fd, at most @timeout_ms (-1: for ever); 1 readable, 0 timed out, -1 error */
int cor_wait_readable(int fd, int timeout_ms, struct cor_err *err) COR_MUST_CHECK;

#endif

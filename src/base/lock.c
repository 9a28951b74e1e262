#include "base/lock.h"

#include "base/fd.h"
#include "base/process.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <time.h>

enum { LOOK_MS = 10 };

static int try_flock(int fd, int64_t at, bool wait)
{
        (void)at;
        return flock(fd, LOCK_EX | (wait ? 0 : LOCK_NB));
}

static int try_byte(int fd, int64_t at, bool wait)
{
        struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = at, .l_len = 1 };

        return fcntl(fd, wait ? F_OFD_SETLKW : F_OFD_SETLK, &lock);
}

static int take(int (*try)(int, int64_t, bool), int fd, int64_t at, int wait_ms, struct cor_err *err)
{
        int64_t end = cor_now_ms() + wait_ms;

        while (try(fd, at, wait_ms < 0) < 0) {
                const struct timespec pause = { .tv_nsec = LOOK_MS * 1000000 };

                if (errno == EINTR && wait_ms < 0)
                        continue;
                if (errno != EWOULDBLOCK && errno != EACCES && errno != EINTR)
                        return cor_fail_errno(err, "lock");
                if (cor_now_ms() >= end)
                        return 0;
                nanosleep(&pause, NULL);
        }
        return 1;
}

int cor_flock(int fd, int wait_ms, struct cor_err *err)
{
        return take(try_flock, fd, 0, wait_ms, err);
}

int cor_lock_byte(int fd, int64_t at, int wait_ms, struct cor_err *err)
{
        return take(try_byte, fd, at, wait_ms, err);
}

int cor_lock_file(int dirfd, const char *name, int wait_ms, struct cor_err *err)
{
        auto_fd fd = openat(dirfd, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
        int held = fd < 0 ? cor_fail_errno(err, "open %s", name) : cor_flock(fd, wait_ms, err);

        if (held == 0)
                cor_fail(err, COR_BUSY, "another process keeps %s locked", name);
        return held > 0 ? cor_fd_take(&fd) : -1;
}

#include "linux/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/fd.h"
#include "linux/mount.h"

enum { DEVPTS_ROOT_INO = 1 };

void terminal_pty_done(struct terminal_pty *p)
{
        cor_fd_close(&p->master);
        cor_fd_close(&p->slave);
}

static int check_devpts(int fd, struct cor_err *err)
{
        struct statfs fs;
        struct stat st;

        if (fstatfs(fd, &fs) < 0 || fstat(fd, &st) < 0)
                return cor_fail_errno(err, "look at the container's devpts");
        if (fs.f_type != DEVPTS_SUPER_MAGIC || st.st_ino != DEVPTS_ROOT_INO)
                return cor_fail(err, COR_INVALID, "the container's terminal: /dev/pts is not a devpts");
        return 0;
}

static bool is_ptmx(int fd, int devpts)
{
        struct stat st;

        return fd >= 0 && mount_is_same(fd, devpts) && fstat(fd, &st) == 0 && S_ISCHR(st.st_mode) &&
               st.st_rdev == makedev(5, 2);
}

/*
 * Without openat2(2): looked at before, so that nothing else is opened, and after, since the container may have mounted
 * something over it in between; a FIFO, say, on which the open is not to wait.
 */
static int open_by_steps(int devpts)
{
        auto_fd place = openat(devpts, "ptmx", O_PATH | O_NOFOLLOW | O_CLOEXEC);
        auto_fd fd = -1;

        if (place < 0)
                return -1;
        if (is_ptmx(place, devpts))
                fd = openat(devpts, "ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
        if (!is_ptmx(fd, devpts)) {
                errno = EXDEV;
                return -1;
        }
        return fcntl(fd, F_SETFL, O_RDWR) < 0 ? -1 : cor_fd_take(&fd);
}

static int open_ptmx(int devpts, struct cor_err *err)
{
        struct open_how how = {
                .flags = O_RDWR | O_NOCTTY | O_CLOEXEC,
                .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV,
        };
        auto_fd fd = (int)syscall(SYS_openat2, devpts, "ptmx", &how, sizeof how);
        struct stat st;

        if (fd < 0 && (errno == ENOSYS || errno == EPERM))
                fd = open_by_steps(devpts);
        if (fd < 0)
                return cor_fail_errno(err, "the container's terminal: open /dev/pts/ptmx");
        if (fstat(fd, &st) < 0)
                return cor_fail_errno(err, "the container's terminal: look at /dev/pts/ptmx");
        if (!S_ISCHR(st.st_mode) || st.st_rdev != makedev(5, 2))
                return cor_fail(err, COR_INVALID, "the container's terminal: /dev/pts/ptmx is not device 5:2");
        return cor_fd_take(&fd);
}

int terminal_open(int devpts, struct terminal_pty *ret, struct cor_err *err)
{
        auto_terminal_pty p = TERMINAL_PTY_INIT;
        int unlocked = 0;

        if (check_devpts(devpts, err) < 0)
                return -1;
        p.master = open_ptmx(devpts, err);
        if (p.master < 0)
                return -1;
        if (ioctl(p.master, TIOCGPTN, &p.number) < 0 || ioctl(p.master, TIOCSPTLCK, &unlocked) < 0)
                return cor_fail_errno(err, "the container's terminal: unlock the pty");
        p.slave = ioctl(p.master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
        if (p.slave < 0)
                return cor_fail_errno(err, "the container's terminal: open /dev/pts/%u", p.number);

        *ret = p;
        p = (struct terminal_pty)TERMINAL_PTY_INIT;
        return 0;
}

int terminal_chown(int slave, uid_t uid, struct cor_err *err)
{
        if (fchown(slave, uid, (gid_t)-1) < 0)
                return cor_fail_errno(err, "the container's terminal: give it to user %u", uid);
        return 0;
}

int terminal_set_size(int fd, unsigned rows, unsigned columns, struct cor_err *err)
{
        struct winsize size = { .ws_row = (unsigned short)rows, .ws_col = (unsigned short)columns };

        if (rows == 0 && columns == 0)
                return 0;
        if (rows > UINT16_MAX || columns > UINT16_MAX)
                return cor_fail(err, COR_INVALID, "terminal size %u by %u, expected at most %d", rows, columns,
                                UINT16_MAX);
        return ioctl(fd, TIOCSWINSZ, &size) < 0 ? cor_fail_errno(err, "set the terminal's size") : 0;
}

int terminal_send(int sock, int master, struct cor_err *err)
{
        static const char name[] = "/dev/ptmx";

        if (cor_send_fd(sock, master, name, sizeof name - 1, err) < 0)
                return cor_wrap(err, "hand the terminal over to the console socket");
        return 0;
}

int terminal_make_stdio(int slave, struct cor_err *err)
{
        if (ioctl(slave, TIOCSCTTY, 0) < 0)
                return cor_fail_errno(err, "make the terminal the controlling one");
        for (int fd = 0; fd <= 2; fd++) {
                if (fd == slave ? fcntl(fd, F_SETFD, 0) < 0 : dup2(slave, fd) < 0)
                        return cor_fail_errno(err, "make the terminal descriptor %d", fd);
        }
        return 0;
}

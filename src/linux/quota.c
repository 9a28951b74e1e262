#include "linux/quota.h"
#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/quota.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SYS_quotactl_fd
#define SYS_quotactl_fd 443
#endif
enum { TRIES = 64, BLOCK = 1024 }; /* limits are in blocks of 1 KiB, usage in bytes */

static int quota_call(int fd, uint32_t command, uint32_t project, struct if_dqblk *q)
{
        return (int)syscall(SYS_quotactl_fd, fd, QCMD(command, (uint32_t)PRJQUOTA), project, q);
}

static int fail_quota(struct cor_err *err)
{
        switch (errno) {
        case ESRCH:
        case ENOSYS:
        case EOPNOTSUPP:
        case ENOTTY:
        case EINVAL:
                return cor_fail(
                        err, COR_UNSUPPORTED,
                        "a size limit needs a filesystem that counts projects, with its counting on: xfs mounted "
                        "with the option pquota, or ext4 with the feature project and the option prjquota, and "
                        "Linux 5.14");
        default:
                return cor_fail_errno(err, "set the limit of a project");
        }
}

/* A project without files: the limits of one that was removed may still be there. */
static int find_free(int fd, uint32_t wish, uint32_t *ret, struct cor_err *err)
{
        for (uint32_t i = 0; i < TRIES; i++) {
                uint32_t project = wish + i ? wish + i : 1; /* 0 is what belongs to none */
                struct if_dqblk q = { 0 };

                if (quota_call(fd, Q_GETQUOTA, project, &q) < 0 && errno != ENOENT)
                        return fail_quota(err);
                if (q.dqb_curspace == 0 && q.dqb_curinodes == 0) {
                        *ret = project;
                        return 0;
                }
        }
        return cor_fail(err, COR_BUSY, "no free project number found for a size limit");
}

static int set_project(int fd, uint32_t project, struct cor_err *err)
{
        struct fsxattr attr;

        if (ioctl(fd, FS_IOC_FSGETXATTR, &attr) < 0)
                return fail_quota(err);
        attr.fsx_projid = project;
        attr.fsx_xflags |= FS_XFLAG_PROJINHERIT;
        return ioctl(fd, FS_IOC_FSSETXATTR, &attr) < 0 ? fail_quota(err) : 0;
}

int quota_limit(const int *fds, size_t n_fds, uint32_t wish, uint64_t bytes, struct cor_err *err)
{
        struct if_dqblk q = { .dqb_bhardlimit = (bytes + BLOCK - 1) / BLOCK, .dqb_valid = QIF_BLIMITS };
        uint32_t project = 0;

        q.dqb_bsoftlimit = q.dqb_bhardlimit;
        if (find_free(fds[0], wish, &project, err) < 0)
                return -1;
        for (size_t i = 0; i < n_fds; i++)
                if (set_project(fds[i], project, err) < 0)
                        return -1;
        return quota_call(fds[0], Q_SETQUOTA, project, &q) < 0 ? fail_quota(err) : 0;
}

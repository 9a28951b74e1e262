#include "linux/netns.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/log.h"
#include "linux/namespace.h"
#include "linux/netlink.h"
#include "linux/procfs.h"

int netns_open_own(struct cor_err *err)
{
        auto_fd procfs = procfs_open(err);

        return procfs < 0 ? -1 : namespace_open_pid(procfs, 0, CLONE_NEWNET, err);
}

int netns_enter(struct netns_visit *v, int netns, struct cor_err *err)
{
        auto_fd home = netns_open_own(err);

        if (home < 0 || namespace_enter(netns, CLONE_NEWNET, err) < 0)
                return -1;
        v->home = cor_fd_take(&home);
        return 0;
}

void netns_leave(struct netns_visit *v)
{
        if (v->home < 0)
                return;
        if (namespace_enter(v->home, CLONE_NEWNET, NULL) < 0) {
                cor_error("cannot return from a network namespace");
                abort();
        }
        cor_fd_close(&v->home);
}

int netns_socket(int netns, int protocol, struct cor_err *err)
{
        auto_netns_visit visit = NETNS_VISIT_INIT;

        if (netns_enter(&visit, netns, err) < 0)
                return -1;
        return netlink_open(protocol, err);
}

int netns_sysctl(const char *path, const char *value, struct cor_err *err)
{
        auto_fd procfs = procfs_open(err);
        char below[512];

        if (procfs < 0)
                return -1;
        if (snprintf(below, sizeof below, "sys/%s", path) >= (int)sizeof below)
                return cor_fail(err, COR_INVALID, "sysctl %.64s…: too long", path);
        return procfs_write(procfs, below, value, err) < 0 ? cor_wrap(err, "set sysctl %s to %s", path, value) : 0;
}

int netns_sysctl_read(const char *path, char *buf, size_t size, struct cor_err *err)
{
        auto_fd procfs = procfs_open(err);
        auto_fd fd = -1;
        char below[512];
        ssize_t n;

        if (procfs < 0)
                return -1;
        if (snprintf(below, sizeof below, "sys/%s", path) >= (int)sizeof below)
                return cor_fail(err, COR_INVALID, "sysctl %.64s…: too long", path);
        fd = procfs_file(procfs, below, O_RDONLY, err);
        n = fd < 0 ? -1 : cor_read_full(fd, buf, size - 1, err);
        if (n < 0)
                return cor_wrap(err, "read sysctl %s", path);
        buf[n] = '\0';
        if (n > 0 && buf[n - 1] == '\n')
                buf[n - 1] = '\0';
        return 0;
}

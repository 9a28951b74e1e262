/*
 * The caller's process writes the maps of a child's user namespace; nothing here runs inside that namespace except the
 * few instructions of userns_child().
 */
#include "linux/idmap.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/process.h"
#include "linux/namespace.h"
#include "linux/procfs.h"

enum {
        MAP_TEXT_MAX = 4096, /* one write() of less than a page */
        HELPER_TIMEOUT_MS = 10000,
};

void idmap_done(struct idmap *m)
{
        free(m->uids);
        free(m->gids);
        *m = (struct idmap){ 0 };
}

static bool overlap(uint32_t a, uint32_t n_a, uint32_t b, uint32_t n_b)
{
        return a < (uint64_t)b + n_b && b < (uint64_t)a + n_a;
}

int idmap_check(const struct oci_id_map *map, size_t n, const char *what, struct cor_err *err)
{
        if (n > IDMAP_MAX_RANGES)
                return cor_fail(err, COR_INVALID, "%s: %zu ranges, the kernel takes %d", what, n, IDMAP_MAX_RANGES);
        for (size_t i = 0; i < n; i++) {
                const struct oci_id_map *m = &map[i];

                if (m->size == 0)
                        return cor_fail(err, COR_INVALID, "%s[%zu].size: 0, expected at least 1", what, i);
                if ((uint64_t)m->container_id + m->size > UINT32_MAX || (uint64_t)m->host_id + m->size > UINT32_MAX)
                        return cor_fail(err, COR_INVALID, "%s[%zu]: the range goes beyond the last id", what, i);
                for (size_t k = 0; k < i; k++)
                        if (overlap(m->container_id, m->size, map[k].container_id, map[k].size) ||
                            overlap(m->host_id, m->size, map[k].host_id, map[k].size))
                                return cor_fail(err, COR_INVALID, "%s[%zu]: overlaps with %s[%zu]", what, i, what, k);
        }
        return 0;
}

bool idmap_to_host(const struct oci_id_map *map, size_t n, uint32_t id, uint32_t *ret)
{
        for (size_t i = 0; i < n; i++)
                if (id >= map[i].container_id && id - map[i].container_id < map[i].size) {
                        *ret = map[i].host_id + (id - map[i].container_id);
                        return true;
                }
        return false;
}

bool idmap_to_container(const struct oci_id_map *map, size_t n, uint32_t id, uint32_t *ret)
{
        for (size_t i = 0; i < n; i++)
                if (id >= map[i].host_id && id - map[i].host_id < map[i].size) {
                        *ret = map[i].container_id + (id - map[i].host_id);
                        return true;
                }
        return false;
}

static int format_map(const struct oci_id_map *map, size_t n, char *text, struct cor_err *err)
{
        size_t len = 0;

        for (size_t i = 0; i < n; i++) {
                len += (size_t)snprintf(text + len, MAP_TEXT_MAX - len, "%u %u %u\n", map[i].container_id,
                                        map[i].host_id, map[i].size);
                if (len >= MAP_TEXT_MAX)
                        return cor_fail(err, COR_INVALID, "%zu ranges are more than the kernel takes", n);
        }
        return 0;
}

/* newuidmap PID CONTAINER HOST SIZE ... */
static int run_helper(const char *helper, pid_t pid, const struct oci_id_map *map, size_t n, struct cor_err *err)
{
        auto_strv argv = { 0 };
        auto_str output = NULL;
        struct cor_spawn spawn = { .path = helper, .stdout_fd = -1, .stderr_fd = -1, .timeout_ms = HELPER_TIMEOUT_MS };
        int status;

        cor_strv_add(&argv, helper);
        cor_strv_take(&argv, cor_printf("%d", pid));
        for (size_t i = 0; i < n; i++) {
                cor_strv_take(&argv, cor_printf("%u", map[i].container_id));
                cor_strv_take(&argv, cor_printf("%u", map[i].host_id));
                cor_strv_take(&argv, cor_printf("%u", map[i].size));
        }
        spawn.argv = argv.items;
        if (cor_spawn_run(&spawn, &status, &output, err) < 0)
                return cor_wrap(err, "several ids cannot be mapped without %s", helper);
        if (status == 0)
                return 0;
        if (output)
                output[strcspn(output, "\n")] = '\0';
        return cor_fail(err, COR_DENIED, "%s failed (%d): %s", helper, cor_status_code(status),
                        output && *output ? output : "no message");
}

static int write_map(int procfs, pid_t pid, const char *file, const struct oci_id_map *map, size_t n,
                     struct cor_err *err)
{
        char path[48], text[MAP_TEXT_MAX];

        snprintf(path, sizeof path, "%d/%s", pid, file);
        if (format_map(map, n, text, err) < 0)
                return cor_wrap(err, "write to /proc/%s", path);
        return procfs_write(procfs, path, text, err);
}

static bool is_one(const struct oci_id_map *map, size_t n, uint32_t own)
{
        return n == 1 && map[0].size == 1 && map[0].host_id == own;
}

/* Directly, or by the helper where the kernel says that we may not; EPERM has changed nothing. */
static int write_or_help(int procfs, pid_t pid, const char *file, const char *helper, const struct oci_id_map *map,
                         size_t n, struct cor_err *err)
{
        struct cor_err refused = { 0 };

        if (write_map(procfs, pid, file, map, n, &refused) == 0)
                return 0;
        if (refused.sys == EPERM)
                return run_helper(helper, pid, map, n, err);
        if (err)
                *err = refused;
        return -1;
}

int idmap_write(int procfs, pid_t pid, const struct idmap *m, struct cor_err *err)
{
        char path[48];

        if (write_or_help(procfs, pid, "uid_map", "newuidmap", m->uids, m->n_uids, err) < 0)
                return -1;
        if (geteuid() != 0 && is_one(m->gids, m->n_gids, getegid())) {
                /* One's own group may be mapped by anyone if no group can be dropped then (CVE-2014-8989). */
                snprintf(path, sizeof path, "%d/setgroups", pid);
                if (procfs_write(procfs, path, "deny", err) < 0)
                        return -1;
        }
        return write_or_help(procfs, pid, "gid_map", "newgidmap", m->gids, m->n_gids, err);
}

/* The namespace's first process: waits until its parent closes the pipe, by will or by dying. */
static _Noreturn void userns_child(int wait_fd, int close_fd)
{
        char byte;

        close(close_fd);
        while (read(wait_fd, &byte, 1) < 0 && errno == EINTR)
                ;
        _exit(0);
}

/* A child without an exit signal. Without clone3(2) as with it: no stack of its own, the descriptor by its address. */
static pid_t userns_clone(int *ret_pidfd)
{
        struct clone_args args = {
                .flags = CLONE_NEWUSER | CLONE_PIDFD,
                .pidfd = (uint64_t)(uintptr_t)ret_pidfd,
        };
        pid_t pid = (pid_t)syscall(SYS_clone3, &args, sizeof args);

        if (pid < 0 && (errno == ENOSYS || errno == EPERM))
                pid = (pid_t)syscall(SYS_clone, (unsigned long)args.flags, NULL, ret_pidfd, NULL, NULL);
        return pid;
}

int idmap_userns_fd(int procfs, const struct idmap *m, struct cor_err *err)
{
        int pipe_fds[2], pidfd_out = -1, fd;
        siginfo_t info;
        pid_t pid;

        if (pipe2(pipe_fds, O_CLOEXEC) < 0)
                return cor_fail_errno(err, "make a pipe");
        auto_fd wait_fd = pipe_fds[0];
        auto_fd release_fd = pipe_fds[1];

        pid = userns_clone(&pidfd_out);
        if (pid < 0)
                return cor_fail_errno(err, "make a user namespace for an id-mapped mount");
        if (pid == 0)
                userns_child(wait_fd, release_fd);
        auto_fd pidfd = pidfd_out;

        fd = idmap_write(procfs, pid, m, err);
        if (fd == 0)
                fd = namespace_open_pid(procfs, pid, CLONE_NEWUSER, err);
        cor_fd_close(&release_fd);
        while (waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED | __WALL) < 0 && errno == EINTR)
                ;
        return fd < 0 ? cor_wrap(err, "user namespace for an id-mapped mount") : fd;
}

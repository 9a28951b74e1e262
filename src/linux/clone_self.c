/*
 * Runs in the program's first process, before anything else, with the privileges of the caller. Stages:
 *
 *   1. open our own binary through a verified /proc
 *   2. ask the file itself whether anybody could write to it; no: done
 *   3. clone its mount, detached, and make the clone read-only; not allowed: a sealed copy in memory
 *   4. execute that, with a mark in the environment; main() begins again, and stage 2 says that it is done
 *
 * The mark only keeps a mistake from executing us for ever. Who sets it from outside gets an error.
 */
#include "linux/clone_self.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/process.h"
#include "base/text.h"
#include "linux/procfs.h"
#include "linux/statx.h"

#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U
#endif
#ifndef AT_EMPTY_PATH
#define AT_EMPTY_PATH 0x1000
#endif

#define MARK      "CORACLE_CLONE_SELF="
#define ALL_SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

static int open_self(struct cor_err *err)
{
        auto_fd proc = procfs_open(err);
        auto_fd dir = -1;
        int fd;

        if (proc < 0)
                return -1;
        dir = procfs_file(proc, "self", O_PATH | O_DIRECTORY, err);
        if (dir < 0)
                return -1;
        fd = openat(dir, "exe", O_RDONLY | O_CLOEXEC);
        if (fd < 0 && errno == EACCES) /* a binary that may be executed but not read */
                fd = openat(dir, "exe", O_PATH | O_CLOEXEC);
        return fd >= 0 ? fd : cor_fail_errno(err, "open our own binary, /proc/self/exe");
}

/*
 * The kernel's answer for our own ids and capabilities; a file's owner could change its mode. What the container may do
 * is at most that: its ids are ours or subordinate to ours.
 */
static bool could_write(int exe, uid_t owner)
{
        return owner == geteuid() || owner == getuid() ||
               syscall(SYS_faccessat2, exe, "", W_OK, AT_EMPTY_PATH | AT_EACCESS) == 0 || errno != EACCES;
}

int clone_self_is_safe(int exe, struct cor_err *err)
{
        struct file_look look = { 0 };
        struct statvfs fs;
        struct stat st;
        int seals;

        if (fstatvfs(exe, &fs) < 0)
                return cor_fail_errno(err, "look at the filesystem of our own binary");
        if (fs.f_flag & ST_RDONLY)
                return 1;
        if (file_look(exe, AT_EMPTY_PATH, LOOK_UID, &look) < 0) { /* a profile may not know it */
                if (fstat(exe, &st) < 0)
                        return cor_fail_errno(err, "look at our own binary");
                look.uid = st.st_uid;
        }
        if (look.attributes & LOOK_HAS_VERITY)
                return 1;
        seals = fcntl(exe, F_GET_SEALS);
        if (seals >= 0 && (seals & ALL_SEALS) == ALL_SEALS)
                return 1;
        return !could_write(exe, look.uid);
}

/* A clone of the mount on which @exe lies, with the file as its root, in no namespace. -1 with errno */
static int clone_mount(int exe)
{
        struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY };
        auto_fd tree = (int)syscall(SYS_open_tree, exe, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);

        if (tree < 0 || syscall(SYS_mount_setattr, tree, "", AT_EMPTY_PATH, &attr, sizeof attr) < 0)
                return -1;
        return cor_fd_take(&tree);
}

static int copy_to_memory(int exe, struct cor_err *err)
{
        const unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
        auto_fd fd = memfd_create("coracle", flags | MFD_EXEC);
        struct stat st;
        off_t at = 0;

        if (fd < 0 && errno == EINVAL) /* older than MFD_EXEC: executable anyway */
                fd = memfd_create("coracle", flags);
        if (fd < 0)
                return cor_fail_errno(err, "make a file in memory for a copy of our own binary");
        if (fstat(exe, &st) < 0)
                return cor_fail_errno(err, "look at our own binary");
        while (at < st.st_size) {
                ssize_t n = sendfile(fd, exe, &at, (size_t)(st.st_size - at));

                if (n < 0 && errno != EINTR)
                        return cor_fail_errno(err, "copy our own binary to memory");
                if (n == 0)
                        return cor_fail(err, COR_SYSTEM, "copy our own binary to memory: it became shorter meanwhile");
        }
        if (fcntl(fd, F_ADD_SEALS, ALL_SEALS) < 0)
                return cor_fail_errno(err, "seal the copy of our own binary");
        return cor_fd_take(&fd);
}

int clone_self_open(int exe, enum clone_self_way *ret_way, struct cor_err *err)
{
        int fd = clone_mount(exe);
        enum clone_self_way way = CLONE_SELF_MOUNT;

        if (fd < 0) {
                fd = copy_to_memory(exe, err);
                way = CLONE_SELF_MEMFD;
        }
        if (fd >= 0 && ret_way)
                *ret_way = way;
        return fd;
}

/* argv[0]'s last part: executed by descriptor, we would be called "5" in ps. */
static void name_ourselves(char **argv)
{
        const char *name = argv[0] ? cor_base_name(argv[0]) : "";

        if (*name)
                prctl(PR_SET_NAME, name, 0, 0, 0);
}

static bool marked(char **envp)
{
        for (char **e = envp; e && *e; e++)
                if (cor_starts_with(*e, MARK))
                        return true;
        return false;
}

char **clone_self_environment(char **envp)
{
        static char mark[] = MARK "1";

        return cor_environment_with(envp, mark);
}

static int execute(int fd, char **argv, char **envp, struct cor_err *err)
{
        char **env auto_free = clone_self_environment(envp);

        syscall(SYS_execveat, fd, "", argv, env, AT_EMPTY_PATH);
        return cor_fail_errno(err, "execute the protected form of our own binary");
}

int clone_self_of(const char *program)
{
        auto_fd exe = open(program, O_RDONLY | O_CLOEXEC);
        struct cor_err ignored;

        return exe < 0 || clone_self_is_safe(exe, &ignored) != 0 ? -1 : clone_mount(exe);
}

int clone_self_protect(char **argv, char **envp, struct cor_err *err)
{
        bool second = marked(envp);
        auto_fd exe = open_self(err);
        auto_fd fd = -1;
        int safe;

        if (exe < 0)
                return -1;
        safe = clone_self_is_safe(exe, err);
        if (safe < 0)
                return -1;
        if (safe && second) {
                unsetenv("CORACLE_CLONE_SELF");
                name_ourselves(argv);
        }
        if (safe)
                return 0;
        if (second)
                return cor_fail(err, COR_SYSTEM,
                                "our own binary could be overwritten by a container, although " MARK " says that it "
                                "is protected: remove that variable from the environment");
        fd = clone_self_open(exe, NULL, err);
        return fd < 0 ? -1 : execute(fd, argv, envp, err);
}

/* bench-minimal: the container's file system; runs in the child, whose working directory is the new root throughout */
#include "minimal.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

static void mount_one(const char *source, const char *target, const char *type, unsigned long flags, const char *data)
{
        if (mount(source, target, type, flags, data) < 0)
                die("mount", target);
}

static void dev_fill(void)
{
        static const struct {
                const char *path;
                unsigned major, minor;
        } nodes[] = { { "dev/null", 1, 3 },   { "dev/zero", 1, 5 },    { "dev/full", 1, 7 },
                      { "dev/random", 1, 8 }, { "dev/urandom", 1, 9 }, { "dev/tty", 5, 0 } };
        static const struct {
                const char *path, *target;
        } links[] = { { "dev/fd", "/proc/self/fd" },
                      { "dev/stdin", "/proc/self/fd/0" },
                      { "dev/stdout", "/proc/self/fd/1" },
                      { "dev/stderr", "/proc/self/fd/2" },
                      { "dev/ptmx", "pts/ptmx" } };
        size_t i;

        for (i = 0; i < COUNT(nodes); i++)
                if (mknod(nodes[i].path, S_IFCHR | 0666, makedev(nodes[i].major, nodes[i].minor)) < 0)
                        die("mknod", nodes[i].path);
        for (i = 0; i < COUNT(links); i++)
                if (symlink(links[i].target, links[i].path) < 0)
                        die("symlink", links[i].path);
}

/* Each hierarchy is bound at the container's own group; one recursive call then gives all of them the options. */
static void cgroup_mount(const struct options *opt, const struct cgroups *cg)
{
        const unsigned long flags = MS_NOSUID | MS_NODEV | MS_NOEXEC;
        struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
                                               MOUNT_ATTR_NOEXEC };
        char source[480], target[128];
        size_t i;

        if (cg->unified) {
                mount_one("cgroup", "sys/fs/cgroup", "cgroup2", flags | MS_RDONLY, NULL);
                return;
        }
        mount_one("tmpfs", "sys/fs/cgroup", "tmpfs", flags, "mode=755");
        for (i = 0; i < cg->n_names; i++) {
                snprintf(target, sizeof target, "sys/fs/cgroup/%s", cg->names[i]);
                path_format(source, sizeof source, CGROUP_ROOT, cg->names[i], opt->group);
                if (mkdir(target, 0755) < 0)
                        die("mkdir", target);
                mount_one(source, target, NULL, MS_BIND, NULL);
        }
        if (syscall(SYS_mount_setattr, AT_FDCWD, "sys/fs/cgroup", AT_RECURSIVE, &attr, sizeof attr) < 0)
                die("mount_setattr", "sys/fs/cgroup");
}

void mounts_make(const char *rootfs, const struct options *opt, const struct cgroups *cg)
{
        const unsigned long flags = MS_NOSUID | MS_NODEV | MS_NOEXEC;

        umask(0);
        mount_one(NULL, "/", NULL, MS_SLAVE | MS_REC, NULL);
        mount_one(rootfs, rootfs, NULL, MS_BIND | MS_REC, NULL);
        if (chdir(rootfs) < 0)
                die("chdir", rootfs);
        mount_one("proc", "proc", "proc", 0, NULL);
        mount_one("tmpfs", "dev", "tmpfs", MS_NOSUID | MS_STRICTATIME, "mode=755,size=65536k");
        if (mkdir("dev/pts", 0755) < 0 || mkdir("dev/shm", 0755) < 0 || mkdir("dev/mqueue", 0755) < 0)
                die("mkdir in", "dev");
        mount_one("devpts", "dev/pts", "devpts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666,mode=0620,gid=5");
        mount_one("shm", "dev/shm", "tmpfs", flags, "mode=1777,size=65536k");
        mount_one("mqueue", "dev/mqueue", "mqueue", flags, NULL);
        mount_one("sysfs", "sys", "sysfs", flags | MS_RDONLY, NULL);
        if (opt->group)
                cgroup_mount(opt, cg);
        dev_fill();
}

/* A path that this kernel does not have needs no mask. */
static bool mount_if_there(const char *source, const char *target, const char *type, unsigned long flags)
{
        if (mount(source, target, type, flags, NULL) == 0)
                return true;
        if (errno != ENOENT)
                die("mount", target);
        return false;
}

static void paths_mask(void)
{
        static const char *const files[] = { "/proc/kcore",      "/proc/keys",        "/proc/latency_stats",
                                             "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug" };
        static const char *const dirs[] = { "/proc/acpi", "/proc/asound", "/sys/firmware", "/proc/scsi" };
        static const char *const readonly[] = { "/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys",
                                                "/proc/sysrq-trigger" };
        const char *empty = NULL;
        size_t i;

        for (i = 0; i < COUNT(files); i++)
                mount_if_there("/dev/null", files[i], NULL, MS_BIND);
        for (i = 0; i < COUNT(dirs); i++) /* one empty tmpfs serves all: a bind is cheaper than a new file system */
                if (empty)
                        mount_if_there(empty, dirs[i], NULL, MS_BIND);
                else if (mount_if_there("tmpfs", dirs[i], "tmpfs", MS_RDONLY))
                        empty = dirs[i];
        for (i = 0; i < COUNT(readonly); i++)
                if (mount_if_there(readonly[i], readonly[i], NULL, MS_BIND | MS_REC))
                        mount_one(NULL, readonly[i], NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL);
}

void root_enter(void)
{
        if (syscall(SYS_pivot_root, ".", ".") < 0)
                die("pivot_root", ".");
        if (umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
                die("leave", "the old root");
        paths_mask();
        mount_one(NULL, "/", NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL);
}

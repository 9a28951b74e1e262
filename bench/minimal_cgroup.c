/* bench-minimal: one cgroup in each version 1 hierarchy, or one version 2 cgroup; made by the parent, joined by the
 * child */
#include "minimal.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

enum { REMOVE_TRIES = 2000 };

static DIR *directory_open(const char *path)
{
        DIR *dir = opendir(path);

        if (!dir)
                die("open", path);
        return dir;
}

void cgroups_find(const struct options *opt, struct cgroups *cg)
{
        struct dirent *entry;
        struct statfs fs;
        DIR *dir;

        cg->unified_fd = -1;
        if (!opt->group)
                return;
        if (statfs(CGROUP_ROOT, &fs) < 0)
                die("statfs", CGROUP_ROOT);
        cg->unified = fs.f_type == CGROUP2_SUPER_MAGIC;
        if (cg->unified)
                return;
        dir = directory_open(CGROUP_ROOT);
        /* links are second names of a hierarchy; "unified" is version 2 of a hybrid host */
        while ((entry = readdir(dir)))
                if (entry->d_type == DT_DIR && entry->d_name[0] != '.' && strcmp(entry->d_name, "unified") != 0 &&
                    cg->n_names < HIERARCHIES_MAX && strlen(entry->d_name) < sizeof cg->names[0]) {
                        memcpy(cg->names[cg->n_names], entry->d_name, strlen(entry->d_name) + 1);
                        cg->n_names++;
                }
        closedir(dir);
}

/* A fresh version 1 cpuset is empty, and nobody can join it: its parent's values are the least it needs. */
static void cpuset_fill(const char *group)
{
        static const char *const keys[] = { "cpuset.cpus", "cpuset.mems" };
        char path[512], parent[480], text[256];
        size_t i, n;

        snprintf(parent, sizeof parent, "%s", group);
        *strrchr(parent, '/') = 0;
        for (i = 0; i < COUNT(keys); i++) {
                snprintf(path, sizeof path, "%s/%s", parent, keys[i]);
                n = file_read(path, text, sizeof text);
                snprintf(path, sizeof path, "%s/%s", group, keys[i]);
                file_write(path, text, n);
        }
}

/* The bundle denies all devices; the runtime adds those of the spec's default /dev. The kernel takes a rule a write. */
static void devices_fill(const char *group)
{
        static const char *const rules[] = { "c *:* m",   "b *:* m",   "c 1:3 rwm", "c 1:5 rwm", "c 1:7 rwm",
                                             "c 1:8 rwm", "c 1:9 rwm", "c 5:0 rwm", "c 5:2 rwm", "c 136:* rwm" };
        char path[512];
        size_t i;
        int fd;

        snprintf(path, sizeof path, "%s/devices.deny", group);
        file_write(path, "a", 1);
        snprintf(path, sizeof path, "%s/devices.allow", group);
        fd = open(path, O_WRONLY | O_CLOEXEC);
        for (i = 0; i < COUNT(rules); i++)
                if (write(fd, rules[i], strlen(rules[i])) < 0)
                        die("write", path);
        close(fd);
}

void cgroups_open(const struct options *opt, struct cgroups *cg)
{
        char path[480];

        if (!cg->unified)
                return;
        path_format(path, sizeof path, CGROUP_ROOT, ".", opt->group);
        cg->unified_fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (cg->unified_fd < 0)
                die("open", path);
}

void cgroups_make(const struct options *opt, struct cgroups *cg)
{
        char path[480];
        size_t i;

        cgroups_find(opt, cg);
        if (cg->unified) {
                path_format(path, sizeof path, CGROUP_ROOT, ".", opt->group);
                if (mkdir(path, 0755) < 0)
                        die("mkdir", path);
                cgroups_open(opt, cg);
        }
        for (i = 0; i < cg->n_names; i++) {
                path_format(path, sizeof path, CGROUP_ROOT, cg->names[i], opt->group);
                if (mkdir(path, 0755) < 0)
                        die("mkdir", path);
                if (strcmp(cg->names[i], "cpuset") == 0)
                        cpuset_fill(path);
                else if (strcmp(cg->names[i], "devices") == 0)
                        devices_fill(path);
        }
}

/* In the child: as `tasks` takes one thread and that is the writer itself, the kernel needs no lock on all forks. */
void cgroups_join(const struct options *opt, const struct cgroups *cg)
{
        char path[512], group[480];
        size_t i;

        for (i = 0; i < cg->n_names; i++) {
                path_format(group, sizeof group, CGROUP_ROOT, cg->names[i], opt->group);
                path_format(path, sizeof path, group, ".", opt->by_procs ? "cgroup.procs" : "tasks");
                file_write(path, "0", 1);
        }
}

/* The kernel may still count a process that was just killed by somebody else's parent: EBUSY passes. */
static void group_remove(const char *path)
{
        struct timespec pause = { .tv_nsec = 500000 };
        int tries = REMOVE_TRIES;

        while (rmdir(path) < 0) {
                if (errno != EBUSY || --tries == 0)
                        die("rmdir", path);
                nanosleep(&pause, NULL);
        }
}

void cgroups_remove(const struct options *opt, const struct cgroups *cg)
{
        char path[480];
        size_t i;

        if (cg->unified) {
                path_format(path, sizeof path, CGROUP_ROOT, ".", opt->group);
                group_remove(path);
        }
        for (i = 0; i < cg->n_names; i++) {
                path_format(path, sizeof path, CGROUP_ROOT, cg->names[i], opt->group);
                group_remove(path);
        }
}

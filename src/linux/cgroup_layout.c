/*
 * What the host has mounted. Usual layouts cost a look at each hierarchy and one read of /proc/self/cgroup:
 * /sys/fs/cgroup is a version 2 mount, or a tmpfs with a mount for each line of that file, named after it.
 * /proc/self/mountinfo, which is long on a host with many containers, is read only if something is not where it
 * should be.
 */
#include "linux/cgroup_priv.h"

#include "base/fd.h"
#include "base/file.h"
#include "linux/mount.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

struct cgroup_host cgroup_host = {
        .root = "/sys/fs/cgroup",
        .self_cgroup = "/proc/self/cgroup",
        .mountinfo = "/proc/self/mountinfo",
};

static const char *const ctl_names[CTL_COUNT] = {
        [CTL_CPU] = "cpu",         [CTL_CPUACCT] = "cpuacct", [CTL_CPUSET] = "cpuset",     [CTL_MEMORY] = "memory",
        [CTL_DEVICES] = "devices", [CTL_FREEZER] = "freezer", [CTL_BLKIO] = "blkio",       [CTL_PIDS] = "pids",
        [CTL_HUGETLB] = "hugetlb", [CTL_NET_CLS] = "net_cls", [CTL_NET_PRIO] = "net_prio", [CTL_RDMA] = "rdma",
};

/* The length of the word at @names, which ends at @separator. */
static size_t word_len(const char *names, char separator)
{
        const char *end = strchrnul(names, separator);

        return (size_t)(end - names);
}

unsigned cgroup_ctls_of(const char *names, char separator)
{
        unsigned bits = 0;

        for (const char *s = names; *s;) {
                size_t n = word_len(s, separator);

                for (int i = 0; i < CTL_COUNT; i++)
                        if (strlen(ctl_names[i]) == n && memcmp(ctl_names[i], s, n) == 0)
                                bits |= 1U << i;
                if (n == 2 && memcmp(s, "io", 2) == 0)
                        bits |= 1U << CTL_BLKIO;
                s += n + (s[n] != '\0');
        }
        return bits;
}

/* One line of /proc/PID/cgroup, "4:cpu,cpuacct:/path", in place. */
static bool split_line(char *line, char **ret_name, char **ret_path)
{
        char *name = strchr(line, ':');
        char *path = name ? strchr(name + 1, ':') : NULL;

        if (!path || path[1] != '/')
                return false;
        *path++ = '\0';
        *ret_name = name + 1;
        *ret_path = path;
        return true;
}

char *cgroup_proc_path(const char *text, const char *name)
{
        auto_str copy = cor_strdup(text);
        char *cursor = copy, *line, *found, *path;

        while ((line = cgroup_next_line(&cursor)))
                if (split_line(line, &found, &path) && strcmp(found, name) == 0)
                        return cor_strdup(path);
        return NULL;
}

static int64_t fs_type(int fd)
{
        struct statfs st;

        return fstatfs(fd, &st) < 0 ? -1 : (int64_t)st.f_type;
}

/* The directory below the root that a hierarchy is mounted at by convention: "cpu,cpuacct", "systemd", "unified". */
static const char *usual_dir(const char *name)
{
        if (!*name)
                return "unified";
        return cor_starts_with(name, "name=") ? name + 5 : name;
}

static bool is_mounted(const struct cgroup_layout *l, const char *dir, bool v2)
{
        auto_fd fd = openat(l->root_fd, dir, O_PATH | O_DIRECTORY | O_CLOEXEC);

        if (fd < 0 || cgroup_host.made_up)
                return fd >= 0;
        return fs_type(fd) == (v2 ? CGROUP2_SUPER_MAGIC : CGROUP_SUPER_MAGIC);
}

/* --- the long way: mountinfo ------------------------------------------------------------------------------------- */

/* All of the comma-separated @names are among the comma-separated @options. */
static bool has_options(const char *options, const char *names)
{
        for (const char *s = names; *s;) {
                size_t n = word_len(s, ',');
                bool found = false;

                for (const char *o = options; *o && !found;) {
                        size_t len = word_len(o, ',');

                        found = len == n && memcmp(o, s, n) == 0;
                        o += len + (o[len] != '\0');
                }
                if (!found)
                        return false;
                s += n + (s[n] != '\0');
        }
        return *names != '\0';
}

/* Find where hierarchy @name is mounted and which of its cgroups is at the mount point. */
static bool find_mount(const char *name, char **ret_dir, char **ret_root)
{
        auto_str text = NULL;
        char *cursor, *line;

        if (cor_read_file(cgroup_host.mountinfo, (size_t)64 << 20, &text, NULL, NULL) < 0)
                return false;
        cursor = text;
        while ((line = cgroup_next_line(&cursor))) {
                char *tail = strstr(line, " - "), *type, *options, *root, *dir;

                if (!tail)
                        continue;
                *tail = '\0';
                tail += 3;
                type = cgroup_next_word(&tail);
                (void)cgroup_next_word(&tail);
                options = cgroup_next_word(&tail);
                if (!type || !options || strcmp(type, *name ? "cgroup" : "cgroup2") != 0)
                        continue;
                if (*name && !has_options(options, name))
                        continue;
                for (int i = 0; i < 3; i++)
                        (void)cgroup_next_word(&line);
                root = cgroup_next_word(&line);
                dir = cgroup_next_word(&line);
                if (!root || !dir)
                        continue;
                mount_unescape(root);
                mount_unescape(dir);
                *ret_dir = cor_strdup(dir);
                *ret_root = cor_strdup(root);
                return true;
        }
        return false;
}

int cgroup_own_path(const struct cgroup_layout *l, const struct cgroup_hierarchy *h, char **ret, struct cor_err *err)
{
        auto_str rel = NULL, *dir = NULL, *root = NULL;
        size_t len;

        if (strcmp(h->own, "/") == 0 || strstr(h->own, "/..")) { /* "/..": we are outside of our cgroup namespace */
                *ret = cor_strdup("/");
                return 0;
        }
        rel = cor_printf("%s%s", h->dir, h->own);
        if (faccessat(l->root_fd, rel, F_OK, 0) == 0) {
                *ret = cor_strdup(h->own);
                return 0;
        }
        if (!find_mount(h->name, &dir, &root))
                return cor_fail(err, COR_NOT_FOUND, "cgroup %s of this process is not below %s", h->own, h->dir);
        len = strlen(root);
        if (strncmp(h->own, root, len) != 0 || (h->own[len] != '/' && h->own[len] != '\0'))
                return cor_fail(err, COR_NOT_FOUND, "cgroup %s of this process is not below %s, which shows %s", h->own,
                                h->dir, root);
        *ret = cor_strdup(h->own[len] ? h->own + len : "/");
        return 0;
}

/* --- reading ----------------------------------------------------------------------------------------------------- */

static void add_hierarchy(struct cgroup_layout *l, const char *name, const char *dir, const char *own)
{
        struct cgroup_hierarchy *h = &l->hs[l->n_hs++];

        h->name = cor_strdup(name);
        h->dir = cor_strdup(dir);
        h->own = cor_strdup(own);
        h->v2 = !*name;
        h->ctls = cgroup_ctls_of(name, ',');
}

/* A version 2 mount beside version 1 ones has the controllers that no version 1 mount has taken. */
static void read_v2_ctls(struct cgroup_layout *l, struct cgroup_hierarchy *h)
{
        auto_str file = cor_printf("%s/cgroup.controllers", h->dir);
        char buf[512];

        if (cor_read_at(l->root_fd, file, buf, sizeof buf, NULL) < 0)
                return;
        h->available = cor_strdup(buf);
        h->ctls = cgroup_ctls_of(buf, ' ');
}

static int read_line(struct cgroup_layout *l, char *line, struct cor_err *err)
{
        auto_str dir = NULL, *root = NULL;
        char *name, *own;

        if (!split_line(line, &name, &own))
                return 0;
        if (l->n_hs == CGROUP_MAX_HIERARCHIES)
                return cor_fail(err, COR_UNSUPPORTED, "more than %d cgroup hierarchies", CGROUP_MAX_HIERARCHIES);
        if (l->mode == CGROUP_V2) { /* version 1 hierarchies that someone mounted besides are not ours */
                if (*name)
                        return 0;
                add_hierarchy(l, "", ".", own);
                l->hs[l->n_hs - 1].ctls = (1U << CTL_COUNT) - 1;
                return 0;
        }
        if (is_mounted(l, usual_dir(name), !*name))
                add_hierarchy(l, name, usual_dir(name), own);
        else if (*name && find_mount(name, &dir, &root))
                add_hierarchy(l, name, dir, own);
        else
                return 0; /* not mounted: nobody can use it */
        if (!*name) {
                l->mode = CGROUP_HYBRID;
                read_v2_ctls(l, &l->hs[l->n_hs - 1]);
        }
        return 0;
}

static int open_root(struct cgroup_layout *l, struct cor_err *err)
{
        l->root_fd = open(cgroup_host.root, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (l->root_fd < 0)
                return cor_fail_errno(err, "cgroups: open %s", cgroup_host.root);
        if (cgroup_host.made_up)
                l->mode = cgroup_host.mode;
        else
                l->mode = fs_type(l->root_fd) == CGROUP2_SUPER_MAGIC ? CGROUP_V2 : CGROUP_V1;
        return 0;
}

static int read_lines(struct cgroup_layout *l, struct cor_err *err)
{
        auto_str text = NULL;
        char *cursor, *line;

        if (cor_read_file(cgroup_host.self_cgroup, 1 << 20, &text, NULL, err) < 0)
                return -1;
        cursor = text;
        while ((line = cgroup_next_line(&cursor)))
                if (read_line(l, line, err) < 0)
                        return -1;
        if (l->n_hs == 0)
                return cor_fail(err, COR_UNSUPPORTED, "no cgroups are mounted at %s", cgroup_host.root);
        return 0;
}

/* What was read for the plan is what the cgroup is made by a moment later. */
static struct cgroup_layout kept = { .root_fd = -1 };

void cgroup_layout_keep(struct cgroup_layout *l)
{
        cgroup_layout_done(&kept);
        kept = *l;
        *l = (struct cgroup_layout){ .root_fd = -1 };
}

static bool take_kept(struct cgroup_layout *ret)
{
        bool fits = kept.n_hs > 0 && kept.root == cgroup_host.root;

        if (fits)
                *ret = kept;
        else
                cgroup_layout_done(&kept);
        kept = (struct cgroup_layout){ .root_fd = -1 };
        return fits;
}

int cgroup_layout_read(struct cgroup_layout *ret, struct cor_err *err)
{
        struct cgroup_layout l = { .root = cgroup_host.root, .root_fd = -1 };

        if (take_kept(ret))
                return 0;
        if (open_root(&l, err) < 0 || read_lines(&l, err) < 0) {
                cgroup_layout_done(&l);
                return -1;
        }
        *ret = l;
        return 0;
}

void cgroup_layout_done(struct cgroup_layout *l)
{
        for (size_t i = 0; i < l->n_hs; i++) {
                free(l->hs[i].name);
                free(l->hs[i].dir);
                free(l->hs[i].own);
                free(l->hs[i].available);
        }
        l->n_hs = 0;
        cor_fd_close(&l->root_fd);
}

const struct cgroup_hierarchy *cgroup_layout_v2(const struct cgroup_layout *l)
{
        for (size_t i = 0; i < l->n_hs; i++)
                if (l->hs[i].v2)
                        return &l->hs[i];
        return NULL;
}

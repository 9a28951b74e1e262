/*
 * /dev: default and configured devices, the usual links, the console. All names are made below the held descriptor of
 * /dev, or of the container's root, and nothing that exists is followed. Where device nodes cannot be made (user
 * namespaces) the host's are bound instead.
 */
#include "runtime/rootfs.h"

#include "base/fd.h"
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

static const struct oci_device default_devices[] = {
        { .path = "/dev/null", .type = S_IFCHR, .major = 1, .minor = 3 },
        { .path = "/dev/zero", .type = S_IFCHR, .major = 1, .minor = 5 },
        { .path = "/dev/full", .type = S_IFCHR, .major = 1, .minor = 7 },
        { .path = "/dev/random", .type = S_IFCHR, .major = 1, .minor = 8 },
        { .path = "/dev/urandom", .type = S_IFCHR, .major = 1, .minor = 9 },
        { .path = "/dev/tty", .type = S_IFCHR, .major = 5, .minor = 0 },
};

static const struct {
        const char *name, *target;
} links[] = {
        { "fd", "/proc/self/fd" },
        { "stdin", "/proc/self/fd/0" },
        { "stdout", "/proc/self/fd/1" },
        { "stderr", "/proc/self/fd/2" },
};

static bool is_in_dev(const char *clean)
{
        return cor_starts_with(clean, "/dev/") && !strchr(clean + 5, '/');
}

bool rootfs_devices_ask(const struct oci_config *c)
{
        for (size_t i = 0; i < c->linux_->n_devices; i++)
                if (!is_in_dev(c->linux_->devices[i].path))
                        return c->n_mounts > 0;
        return false;
}

/*
 * Links of the image are followed inside the root, and may lead onto a volume: a node there would be one on the host.
 * So the folder has to lie on the root's own mount, or on one that the configuration put on the way to it.
 */
static bool is_meant(const struct plan *p, const struct rootfs *r, int dir, const char *clean)
{
        uint64_t id = mount_id(dir);

        if (mount_is_same(dir, r->root))
                return true;
        for (size_t i = 0; r->mounted && id != 0 && i < p->config->n_mounts; i++) {
                auto_str place = cor_path_clean(p->config->mounts[i].destination);
                size_t n = strlen(place);

                if (r->mounted[i] == id && strncmp(clean, place, n) == 0 && clean[n] == '/')
                        return true;
        }
        return false;
}

/*
 * Directory and last component of @path below the root. /dev/x is by far the usual case and needs no walk: *ret_own
 * stays -1 then, else it is a descriptor to close.
 */
static int open_parent(const struct plan *p, struct rootfs *r, const char *path, int *ret_own, const char **ret_name,
                       struct cor_err *err)
{
        auto_str clean = cor_path_clean(path);
        const char *name = strrchr(clean, '/') + 1;

        *ret_name = path + strlen(path) - strlen(name);
        if (*name == '\0' || strcmp(*ret_name, name) != 0)
                return cor_fail(err, COR_INVALID, "%s: not the path of a device", path);
        if (is_in_dev(clean))
                return r->dev;
        clean[name - clean] = '\0';
        *ret_own = cor_root_mkdirs(r->root, clean, 0755, err);
        if (*ret_own >= 0 && !is_meant(p, r, *ret_own, clean))
                return cor_fail(err, COR_DENIED, "its folder is covered by a mount that was meant for another place");
        return *ret_own;
}

static bool same_device(int fd, const struct oci_device *d)
{
        struct stat st;

        return fstat(fd, &st) == 0 && (st.st_mode & S_IFMT) == (mode_t)d->type &&
               (d->type == S_IFIFO || st.st_rdev == makedev((unsigned)d->major, (unsigned)d->minor));
}

/* Open @name in @dir as a place to mount a file on, made if it is not there. */
static int open_place(int dir, const char *name, struct cor_err *err)
{
        struct stat st;
        auto_fd fd = -1;

        if (mknodat(dir, name, S_IFREG | 0600, 0) < 0 && errno != EEXIST)
                return cor_fail_errno(err, "make %s", name);
        fd = openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0 || fstat(fd, &st) < 0)
                return cor_fail_errno(err, "open %s", name);
        if (S_ISLNK(st.st_mode) || S_ISDIR(st.st_mode))
                return cor_fail(err, COR_INVALID, "%s exists and is a link or a directory", name);
        return cor_fd_take(&fd);
}

/* No right to make nodes: put the host's node of the same path over an empty file. */
static int bind_device(const struct oci_device *d, int parent, const char *name, struct cor_err *err)
{
        auto_fd file = -1, tree = mount_clone(AT_FDCWD, d->path, false, true, err);

        if (tree < 0)
                return -1;
        if (!same_device(tree, d))
                return cor_fail(err, COR_INVALID, "%s on the host is another device", d->path);
        file = open_place(parent, name, err);
        return file < 0 ? -1 : mount_attach(tree, file, err);
}

static int own_device(const struct oci_device *d, int parent, const char *name, mode_t mode, struct cor_err *err)
{
        auto_fd node = openat(parent, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
        uid_t uid = d->uid.set ? (uid_t)d->uid.value : 0;
        gid_t gid = d->gid.set ? (gid_t)d->gid.value : 0;

        if (node < 0 || !same_device(node, d))
                return cor_fail(err, COR_INVALID, "%s exists and is another file", d->path);
        if ((uid || gid) && fchownat(node, "", uid, gid, AT_EMPTY_PATH) < 0)
                return cor_fail_errno(err, "change the owner of %s", d->path);
        return 0;
}

static int make_device(const struct plan *p, struct rootfs *r, const struct oci_device *d, struct cor_err *err)
{
        mode_t mode = d->file_mode.set ? (mode_t)(d->file_mode.value & 07777) : 0666;
        const char *name;
        auto_fd own = -1;
        int parent = open_parent(p, r, d->path, &own, &name, err);

        if (parent < 0)
                return cor_wrap(err, "device %s", d->path);
        if (p->userns)
                return bind_device(d, parent, name, err);
        if (mknodat(parent, name, (mode_t)d->type | mode, makedev((unsigned)d->major, (unsigned)d->minor)) == 0) {
                if (!(d->uid.set && d->uid.value) && !(d->gid.set && d->gid.value))
                        return 0; /* just made, and root's */
        } else if (errno == EPERM) {
                return bind_device(d, parent, name, err);
        } else if (errno != EEXIST) {
                return cor_fail_errno(err, "make device %s", d->path);
        }
        return own_device(d, parent, name, mode, err);
}

static int make_links(struct rootfs *r, struct cor_err *err)
{
        for (size_t i = 0; i < COR_COUNT(links); i++)
                if (symlinkat(links[i].target, r->dev, links[i].name) < 0 && errno != EEXIST)
                        return cor_fail_errno(err, "make link /dev/%s", links[i].name);
        if (faccessat(AT_FDCWD, "/proc/kcore", F_OK, 0) == 0 && symlinkat("/proc/kcore", r->dev, "core") < 0 &&
            errno != EEXIST)
                return cor_fail_errno(err, "make link /dev/core");
        if (r->devpts < 0)
                return 0;
        /* an image's own ptmx would be another instance's */
        if (unlinkat(r->dev, "ptmx", 0) < 0 && errno != ENOENT)
                return cor_fail_errno(err, "remove /dev/ptmx");
        if (symlinkat("pts/ptmx", r->dev, "ptmx") < 0)
                return cor_fail_errno(err, "make link /dev/ptmx");
        return 0;
}

static bool is_configured(const struct oci_linux *l, const char *path)
{
        for (size_t i = 0; i < l->n_devices; i++)
                if (strcmp(l->devices[i].path, path) == 0)
                        return true;
        return false;
}

int rootfs_devices(const struct plan *p, struct rootfs *r, struct cor_err *err)
{
        const struct oci_linux *l = p->config->linux_;

        for (size_t i = 0; i < COR_COUNT(default_devices); i++)
                if (!is_configured(l, default_devices[i].path) && make_device(p, r, &default_devices[i], err) < 0)
                        return -1;
        for (size_t i = 0; i < l->n_devices; i++)
                if (strcmp(l->devices[i].path, "/dev/ptmx") != 0 && make_device(p, r, &l->devices[i], err) < 0)
                        return cor_wrap(err, "linux.devices[%zu]", i);
        return make_links(r, err);
}

static bool is_null(int fd)
{
        struct stat st;

        return fstat(fd, &st) == 0 && S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3);
}

int rootfs_null(const struct rootfs *r, struct cor_err *err)
{
        for (int fd = 0; fd <= 2 && r->dev >= 0; fd++) {
                auto_fd own = -1;
                int flags;

                if (!is_null(fd) || (flags = fcntl(fd, F_GETFL)) < 0)
                        continue;
                own = openat(r->dev, "null", (flags & O_ACCMODE) | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
                if (own < 0 || !is_null(own)) /* the configuration puts something else there */
                        return 0;
                if (fcntl(own, F_SETFL, flags & ~O_ACCMODE) < 0 || dup3(own, fd, 0) < 0)
                        return cor_fail_errno(err, "replace descriptor %d", fd);
        }
        return 0;
}

int rootfs_console(struct rootfs *r, int slave, struct cor_err *err)
{
        auto_fd file = -1, tree = -1;
        struct stat st;

        if (r->dev < 0)
                return 0;
        file = open_place(r->dev, "console", err);
        if (file < 0)
                return cor_wrap(err, "/dev/console");
        /* the slave came from the kernel by way of its master; no path is asked again (CVE-2025-52565) */
        tree = mount_clone(slave, "", false, false, err);
        if (tree < 0 || mount_attach(tree, file, err) < 0)
                return cor_wrap(err, "/dev/console");
        if (fstat(tree, &st) < 0 || !S_ISCHR(st.st_mode))
                return cor_fail(err, COR_INVALID, "/dev/console is not a terminal");
        return 0;
}

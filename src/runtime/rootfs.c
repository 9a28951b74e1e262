#include "runtime/rootfs.h"

#include "base/fd.h"
#include "base/file.h"
#include "linux/procfs.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

void rootfs_init(struct rootfs *r)
{
        *r = (struct rootfs){ .place = -1, .root = -1, .dev = -1, .devpts = -1, .procfs = -1 };
}

void rootfs_done(struct rootfs *r)
{
        cor_fd_close(&r->place);
        cor_fd_close(&r->root);
        cor_fd_close(&r->dev);
        cor_fd_close(&r->devpts);
        for (size_t i = 0; i < r->n_late; i++)
                cor_fd_close(&r->late[i]);
        free(r->late);
        free(r->mounted);
        r->mounted = NULL;
        r->late = NULL;
        r->n_late = 0;
}

static unsigned long root_propagation(const struct plan *p)
{
        const char *word = p->config->linux_->rootfs_propagation;
        unsigned long flags = word ? mount_propagation_of(word) : 0;

        return flags ? flags : MS_SLAVE | MS_REC;
}

/* pivot_root refuses a root whose parent mount is shared: find the mount that holds @path and make it private. */
static int make_parent_private(const char *path, struct cor_err *err)
{
        auto_str at = cor_strdup(path);

        for (;;) {
                auto_fd fd = open(at, O_PATH | O_CLOEXEC);
                char *slash;

                if (fd < 0)
                        return cor_fail_errno(err, "open %s", at);
                if (mount_is_root(fd) != 0 || strcmp(at, "/") == 0)
                        return mount_propagation(at, MS_PRIVATE, err);
                slash = strrchr(at, '/');
                slash[slash == at] = '\0';
        }
}

/*
 * Where the root mount is put. Its own path, as hooks look for it there; but the root of a user namespace may have no
 * way to that, so this is called before init becomes it, while the caller's own rights still open the path.
 */
void rootfs_open_place(const struct plan *p, struct rootfs *r)
{
        r->place = open(p->rootfs, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

static int attach_root(const struct plan *p, struct rootfs *r, struct cor_err *err)
{
        if (r->place < 0)
                rootfs_open_place(p, r);
        if (r->place < 0)
                return cor_fail_errno(err, "open %s", p->rootfs);
        if (mount_attach(r->root, r->place, err) < 0)
                return -1;
        cor_fd_close(&r->place);
        return 0;
}

static int mount_root(const struct plan *p, struct rootfs *r, struct cor_err *err)
{
        unsigned long propagation = root_propagation(p);

        if (mount_propagation("/", propagation, err) < 0)
                return -1;
        if (!(propagation & (MS_SLAVE | MS_PRIVATE)) && make_parent_private(p->rootfs, err) < 0)
                return -1;
        r->root = p->root_tree >= 0 ? fcntl(p->root_tree, F_DUPFD_CLOEXEC, 3)
                                    : mount_clone(AT_FDCWD, p->rootfs, true, false, err);
        if (r->root < 0 || attach_root(p, r, err) < 0)
                return cor_wrap(err, "root.path");
        return 0;
}

/* /dev is filled by us unless the configuration binds one of its own making there. */
static bool dev_is_ours(const struct oci_config *c)
{
        for (size_t i = 0; i < c->n_mounts; i++) {
                const struct oci_mount *m = &c->mounts[i];
                auto_str clean = cor_path_clean(m->destination);
                struct mount_options o;
                bool bind;

                if (strcmp(clean, "/dev") != 0)
                        continue;
                mount_options_parse(m->options, m->n_options, &o);
                bind = o.bind || o.rbind || cor_streq(m->type, "bind");
                mount_options_done(&o);
                if (bind)
                        return false;
        }
        return true;
}

/*
 * The image's /dev may be a link to anywhere (CVE-2026-41579): resolved inside the root it harms nobody but the image,
 * but nodes would appear where no one expects them. So it has to be a directory of the root. And it has to be the one
 * that the configuration means: by a link of the image a volume may have come to lie over it, and what we make or
 * remove there would be made and removed on the host.
 */
static int open_dev(const struct plan *p, struct rootfs *r, struct cor_err *err)
{
        auto_fd mounted = cor_fd_take(&r->dev);
        struct stat st;

        if (!dev_is_ours(p->config))
                return 0;
        r->dev = cor_root_open_nofollow(r->root, "/dev", O_PATH, NULL);
        if (r->dev < 0 && errno == ENOENT)
                r->dev = cor_root_mkdirs(r->root, "/dev", 0755, err);
        if (r->dev < 0)
                return cor_wrap(err, "/dev");
        if (fstat(r->dev, &st) < 0 || !S_ISDIR(st.st_mode))
                return cor_fail(err, COR_INVALID, "/dev in the container's root is not a directory (a link?)");
        if (mount_is_same(r->dev, mounted >= 0 ? mounted : r->root))
                return 0;
        if (mount_id(r->dev) == 0)
                return cor_fail_refused(err, "statx", "5.8");
        return cor_fail(err, COR_DENIED, "/dev is covered by a mount that was meant for another place");
}

int rootfs_prepare(const struct plan *p, struct rootfs *r, struct cor_err *err)
{
        r->procfs = p->procfs;
        mount_by_path(p->procfs);
        if (mount_root(p, r, err) < 0)
                return -1;
        if (rootfs_devices_ask(p->config)) {
                r->mounted = cor_realloc_array(NULL, p->config->n_mounts, sizeof *r->mounted);
                memset(r->mounted, 0, p->config->n_mounts * sizeof *r->mounted);
        }
        for (size_t i = 0; i < p->config->n_mounts; i++)
                if (rootfs_mount(p, r, i, err) < 0)
                        return cor_wrap(err, "error mounting \"%s\" to rootfs at \"%s\"",
                                        p->config->mounts[i].source ? p->config->mounts[i].source
                                                                    : p->config->mounts[i].type,
                                        p->config->mounts[i].destination);
        if (open_dev(p, r, err) < 0)
                return -1;
        return r->dev >= 0 ? rootfs_devices(p, r, err) : 0;
}

/* Without pivot_root: the new root is moved over the old one, which stays in memory below it (--no-pivot). */
static int move_root(struct rootfs *r, struct cor_err *err)
{
        auto_fd old = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

        if (old < 0 || fchdir(r->root) < 0)
                return cor_fail_errno(err, "enter the container's root");
        if (mount(".", "/", NULL, MS_MOVE, NULL) < 0)
                return cor_fail_errno(err, "move the container's root to /");
        if (chroot(".") < 0)
                return cor_fail_errno(err, "chroot");
        return 0;
}

static int pivot(struct rootfs *r, bool shared, struct cor_err *err)
{
        auto_fd old = shared ? open("/", O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;

        if (fchdir(r->root) < 0)
                return cor_fail_errno(err, "enter the container's root");
        /* both arguments the same: the old root ends up stacked on the new one, and needs no directory */
        if (syscall(SYS_pivot_root, ".", ".") < 0)
                return cor_fail_errno(err, "pivot_root");
        if (shared) { /* the unmount must not propagate to where it came from */
                if (fchdir(old) < 0 || mount(NULL, ".", NULL, MS_SLAVE | MS_REC, NULL) < 0)
                        return cor_fail_errno(err, "make the old root a slave");
        }
        if (umount2(".", MNT_DETACH) < 0)
                return cor_fail_errno(err, "unmount the old root");
        return 0;
}

int rootfs_enter(const struct plan *p, struct rootfs *r, struct cor_err *err)
{
        unsigned long propagation = root_propagation(p);

        if ((p->options->no_pivot ? move_root(r, err) : pivot(r, propagation & MS_SHARED, err)) < 0)
                return -1;
        if (chdir("/") < 0)
                return cor_fail_errno(err, "chdir /");
        /* what the configuration says about the root holds for the new one */
        if (propagation != (MS_SLAVE | MS_REC) && mount_propagation("/", propagation, err) < 0)
                return cor_wrap(err, "linux.rootfsPropagation");
        return 0;
}

int rootfs_finish(const struct plan *p, struct rootfs *r, struct cor_err *err)
{
        static const struct mount_attrs readonly = { .set = MOUNT_ATTR_RDONLY };
        struct cor_err ignored;
        /* engines leave a missing working directory to us; what keeps it from being made, chdir() will tell */
        auto_fd cwd = cor_root_mkdirs(r->root, p->config->process->cwd, 0755, &ignored);

        (void)cwd;
        for (size_t i = 0; i < r->n_late; i++)
                if (mount_change(r->late[i], &readonly, false, err) < 0)
                        return -1;
        if (p->config->root->readonly && mount_change(r->root, &readonly, false, err) < 0)
                return cor_wrap(err, "root.readonly");
        return rootfs_mask(p, err);
}

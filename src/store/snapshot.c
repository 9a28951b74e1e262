#include "store/snapshot.h"
#include "base/alloc.h"
#include "base/file.h"
#include "base/text.h"
#include "linux/mount.h"
#include "linux/overlay.h"
#include "linux/quota.h"
#include "store/layer.h"
#include "store/store_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#define UPPER_NEW "upper.new" /* till it is whole */
#define EMPTY     "lower"     /* of an image without layers: an overlay needs something below */

/* Everything is opened beforehand; an overlay takes its folders by descriptor. */
struct opened {
        int *lower; /* uppermost first */
        size_t n_lower;
        int upper, work;
        int layers, folder; /* idmapped copies of the mounts that these lie on, or -1 */
};

static void opened_done(struct opened *o)
{
        for (size_t i = 0; i < o->n_lower; i++)
                cor_fd_close(&o->lower[i]);
        free(o->lower);
        cor_fd_close(&o->upper);
        cor_fd_close(&o->work);
        cor_fd_close(&o->layers);
        cor_fd_close(&o->folder);
}

static int make_dir(int folder, const char *name, mode_t mode, struct cor_err *err)
{
        int fd;

        if (mkdirat(folder, name, 0700) < 0 && errno != EEXIST)
                return cor_fail_errno(err, "make folder %s", name);
        fd = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0 || fchmod(fd, mode) < 0) {
                cor_fd_close(&fd);
                return cor_fail_errno(err, "make folder %s", name);
        }
        return fd;
}

/* The root of the mount is the upper folder: it gets owner and mode of the root below. */
static int dress_root(const struct store *s, int upper, const struct digest *layers, size_t n_layers,
                      struct cor_err *err)
{
        auto_fd top = -1;
        struct stat st;

        if (n_layers == 0)
                return 0;
        top = layer_open(s, &layers[n_layers - 1], err);
        if (top < 0)
                return -1;
        if (fstat(top, &st) < 0 || fchown(upper, st.st_uid, st.st_gid) < 0 || fchmod(upper, st.st_mode & 07777) < 0)
                return cor_fail_errno(err, "give the root its owner");
        return 0;
}

/* Numbers that other projects of this disk hardly have, drawn from the random digits of the container's id. */
static uint32_t project_wish(int folder)
{
        auto_str link = cor_printf("/proc/self/fd/%d", folder);
        char path[4096];
        ssize_t n = readlink(link, path, sizeof path - 1);
        uint64_t number = 0;
        char *id;

        path[n > 0 ? n : 0] = '\0';
        id = strrchr(path, '/');
        if (!id || strlen(id) < 8)
                return 0x10000000;
        id[8] = '\0';
        return cor_parse_u64_base(id + 1, 16, &number) < 0 ? 0x10000000 : 0x10000000 + (uint32_t)number;
}

int snapshot_make(const struct store *s, int folder, const struct digest *layers, size_t n_layers, uint64_t size,
                  struct cor_err *err)
{
        auto_fd upper = -1, work = -1, empty = -1;

        if (faccessat(folder, "upper", F_OK, AT_SYMLINK_NOFOLLOW) == 0) /* it came last */
                return 0;
        work = make_dir(folder, "work", 0700, err);
        upper = work < 0 ? -1 : make_dir(folder, UPPER_NEW, 0755, err);
        if (upper < 0 || dress_root(s, upper, layers, n_layers, err) < 0)
                return -1;
        if (n_layers == 0) {
                empty = make_dir(folder, EMPTY, 0755, err);
                if (empty < 0)
                        return -1;
        }
        if (size && quota_limit((int[]){ upper, work }, 2, project_wish(folder), size, err) < 0)
                return -1;
        return renameat(folder, UPPER_NEW, folder, "upper") < 0 ? cor_fail_errno(err, "make the writable layer") : 0;
}

int snapshot_upper(int folder, struct cor_err *err)
{
        int fd = openat(folder, "upper", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

        return fd < 0 ? cor_fail_errno(err, "open the writable layer") : fd;
}

/* ---- layers ---- */

static int clone_mapped(int fd, int userns, const char *what, struct cor_err *err)
{
        auto_fd mnt = mount_clone(fd, "", false, false, err);

        if (mnt < 0)
                return -1;
        if (mount_idmap(mnt, userns, false, err) < 0)
                return cor_wrap(err, "map the ids of %s (Linux 5.19, and a filesystem that can do it)", what);
        return cor_fd_take(&mnt);
}

static int open_mapped_layer(int layers, const struct digest *name, struct cor_err *err)
{
        auto_str path = cor_printf("%s/diff", digest_hex(name));
        int fd = openat(layers, path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

        return fd < 0 ? cor_fail_errno(err, "layer %s", name->text) : fd;
}

static int open_lower(const struct store *s, const struct snapshot *x, struct opened *o, struct cor_err *err)
{
        if (x->n_layers > OVERLAY_LOWER_MAX)
                return cor_fail(err, COR_INVALID, "the image has %zu layers, more than the %d that the kernel takes",
                                x->n_layers, (int)OVERLAY_LOWER_MAX);
        if (x->n_layers && x->userns >= 0) {
                o->layers = clone_mapped(s->layers, x->userns, "layers", err);
                if (o->layers < 0)
                        return -1;
        }
        for (size_t i = x->n_layers; i-- > 0;) {
                int fd = o->layers >= 0 ? open_mapped_layer(o->layers, &x->layers[i], err)
                                        : layer_open(s, &x->layers[i], err);

                if (fd < 0)
                        return -1;
                *COR_GROW(o->lower, o->n_lower) = fd;
        }
        return 0;
}

/*
 * A mount that was lossy leaves a mark for the next one, who is to think about it. We have: what such a container has
 * written is all there as long as the machine has not stopped, and after that its monitor would not start it again.
 */
static int clear_mark(int work, struct cor_err *err)
{
        auto_fd inner = openat(work, "work", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

        if (inner < 0)
                return errno == ENOENT ? 0 : cor_fail_errno(err, "open the work folder");
        return cor_own_remove_tree(inner, "incompat", err);
}

static int open_upper(const struct snapshot *x, struct opened *o, struct cor_err *err)
{
        int from = x->folder;

        if (x->userns >= 0) {
                o->folder = clone_mapped(x->folder, x->userns, "the container's folder", err);
                if (o->folder < 0)
                        return -1;
                from = o->folder;
        }
        o->upper = openat(from, "upper", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        o->work = openat(from, "work", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (o->upper < 0 || o->work < 0)
                return cor_fail_errno(err, "open the writable layer");
        if (o->n_lower == 0) {
                int fd = openat(from, EMPTY, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

                if (fd < 0)
                        return cor_fail_errno(err, "open the folder below the writable layer");
                *COR_GROW(o->lower, o->n_lower) = fd;
        }
        return x->lossy ? clear_mark(o->work, err) : 0;
}

/* ---- mounts ---- */

/* A single layer is no overlay: its folder itself is shown. */
static int mount_single(const struct store *s, const struct snapshot *x, struct cor_err *err)
{
        auto_fd layer = layer_open(s, &x->layers[0], err);

        if (layer < 0)
                return -1;
        return x->userns >= 0 ? clone_mapped(layer, x->userns, "a layer", err)
                              : mount_clone(layer, "", false, false, err);
}

static int mount_none(struct cor_err *err)
{
        return mount_new("tmpfs", "tmpfs", "mode=755,size=4k", 0, 0, err);
}

static int make_read_only(int mnt, struct cor_err *err)
{
        const struct mount_attrs read_only = { .set = MOUNT_ATTR_RDONLY };

        return mount_change(mnt, &read_only, false, err);
}

/* What stands in the way most often, said outright. */
static int explain(const struct snapshot *x, struct cor_err *err)
{
        struct statfs fs;

        if (x->folder >= 0 && fstatfs(x->folder, &fs) == 0 && fs.f_type == OVERLAYFS_SUPER_MAGIC)
                return cor_wrap(err, "the store lies on an overlay itself (a container's root?), which cannot hold the "
                                     "writable layer of another: put the store on a volume");
        return cor_wrap(err, "the root filesystem");
}

/* A user whose kernel does not let him has a program for it. */
static int mount_by_kernel(const struct overlay *o, struct cor_err *err)
{
        struct cor_err why = { 0 }, fuse = { 0 };
        int fd = overlay_mount(o, &why);

        if (fd < 0 && o->user && (why.kind == COR_UNSUPPORTED || why.sys == EPERM || why.sys == EINVAL)) {
                fd = overlay_mount_fuse(o, &fuse);
                if (fd < 0)
                        return cor_fail(err, COR_UNSUPPORTED,
                                        "this kernel mounts no overlay here for users (%s), and %s", why.msg, fuse.msg);
        }
        if (fd < 0 && err)
                *err = why;
        return fd;
}

static int mount_overlay(const struct store *s, const struct snapshot *x, const struct opened *o, struct cor_err *err)
{
        struct overlay overlay = {
                .lower = o->lower,
                .n_lower = o->n_lower,
                .upper = o->upper,
                .work = o->work,
                .user = cor_starts_with(store_overlay_prefix(s), "user."),
                .lossy = x->lossy,
                .label = x->label,
                .map = x->map,
                .place = s->work, /* covered for the child that mounts it only */
                .mounts = { o->layers, o->folder },
                .origins = { s->layers, x->folder },
        };
        struct stat st;
        int fd;

        if (o->folder >= 0) { /* what is root's on the disk */
                if (fstat(o->folder, &st) < 0)
                        return cor_fail_errno(err, "look at the container's folder");
                overlay.uid = st.st_uid;
                overlay.gid = st.st_gid;
        }
        fd = x->fuse ? overlay_mount_fuse(&overlay, err) : mount_by_kernel(&overlay, err);
        return fd < 0 ? explain(x, err) : fd;
}

int snapshot_mount(const struct store *s, const struct snapshot *x, struct cor_err *err)
{
        COR_CLEANUP(opened_done) struct opened o = { .upper = -1, .work = -1, .layers = -1, .folder = -1 };
        auto_fd mnt = -1;

        if (x->folder < 0 && x->n_layers < 2 && !x->fuse)
                mnt = x->n_layers ? mount_single(s, x, err) : mount_none(err);
        else if (open_lower(s, x, &o, err) == 0 && (x->folder < 0 || open_upper(x, &o, err) == 0))
                mnt = mount_overlay(s, x, &o, err);
        if (mnt < 0 || (x->folder < 0 && make_read_only(mnt, err) < 0))
                return -1;
        return cor_fd_take(&mnt);
}

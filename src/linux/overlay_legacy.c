/*
 * Overlay mounts on kernels before 6.7, and with layers on detached mounts before 6.15.
 *
 * Folders are called by the numbers of their descriptors: the working directory is /proc/self/fd meanwhile, since the
 * kernel looks them up from there. The caller is single-threaded.
 *
 *      caller                child
 *      fork                  a mount namespace of its own, from which nothing comes back
 *                            puts the detached mounts over the folders that they show, and mounts the overlay
 *      receives      <-      the detached overlay, or the error
 */
#include "base/alloc.h"
#include "base/fd.h"
#include "base/process.h"
#include "base/text.h"
#include "linux/mount.h"
#include "linux/overlay.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <sys/stat.h>
#include <unistd.h>

enum { STRING_MAX = 255, PAGE_MAX = 4095 }; /* what fsconfig(2) and mount(2) take */

/* The lower folders as one text */
static void lower_text(const struct overlay *o, struct cor_text *text)
{
        for (size_t i = 0; i < o->n_lower; i++)
                cor_text_printf(text, "%s%d", i ? ":" : "", o->lower[i]);
}

static int mount_by_context(const struct overlay *o, const char *lower, struct cor_err *err)
{
        auto_fd fs = fsopen("overlay", FSOPEN_CLOEXEC);
        int fd;

        if (fs < 0)
                return cor_fail_errno(err, "mount overlay");
        if (overlay_configure(o, fs, true, err) < 0)
                return -1;
        if (fsconfig(fs, FSCONFIG_SET_STRING, "lowerdir", lower, 0) < 0)
                return mount_fail_fs(fs, "overlay", "lowerdir", err);
        if (fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
                return mount_fail_fs(fs, "overlay", "create", err);
        fd = fsmount(fs, FSMOUNT_CLOEXEC, 0);
        return fd >= 0 ? fd : mount_fail_fs(fs, "overlay", "attach", err);
}

/* Options for mount(2). In a namespace of our own, /proc is as good a place as any: we are in it already. */
static int mount_by_page(const struct overlay *o, const char *lower, struct cor_err *err)
{
        auto_text data = COR_TEXT_INIT;
        int fd;

        cor_text_printf(&data, "lowerdir=%s,index=off,metacopy=off,%s", lower,
                        o->user ? "userxattr" : "redirect_dir=nofollow");
        if (o->upper >= 0)
                cor_text_printf(&data, ",upperdir=%d,workdir=%d%s", o->upper, o->work, o->lossy ? ",volatile" : "");
        if (o->label)
                cor_text_printf(&data, ",context=\"%s\"", o->label);
        if (data.len > PAGE_MAX)
                return cor_fail(
                        err, COR_UNSUPPORTED,
                        "mount overlay: %zu layers are more than this kernel takes (Linux 6.7 has no such limit)",
                        o->n_lower);
        if (mount("overlay", "/proc", "overlay", 0, data.s) < 0)
                return cor_fail_errno(err, "mount overlay");
        fd = open_tree(AT_FDCWD, "/proc", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
        return fd >= 0 ? fd : cor_fail_errno(err, "mount overlay: detach");
}

/* @alone: in a mount namespace of our own */
static int mount_here(const struct overlay *o, bool alone, struct cor_err *err)
{
        auto_text lower = COR_TEXT_INIT;

        lower_text(o, &lower);
        if (lower.len <= STRING_MAX)
                return mount_by_context(o, lower.s, err);
        return alone ? mount_by_page(o, lower.s, err) : overlay_mount_alone(o, true, err);
}

static int mount_from_links(const struct overlay *o, bool alone, struct cor_err *err)
{
        auto_fd before = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
        int fd;

        if (before < 0)
                return cor_fail_errno(err, "mount overlay: open the working directory");
        if (chdir("/proc/self/fd") < 0)
                return cor_fail_errno(err, "mount overlay: enter /proc/self/fd");
        fd = mount_here(o, alone, err);
        if (fchdir(before) < 0) {
                cor_fd_close(&fd);
                return cor_fail_errno(err, "mount overlay: back to the working directory");
        }
        return fd;
}

int overlay_mount_legacy(const struct overlay *o, struct cor_err *err)
{
        return mount_from_links(o, false, err);
}

/*
 * Our descriptors lead to the mounts of the namespace that we have left, and the kernel takes none of another. The same
 * path leads to the same folder here, as long as it really does.
 */
static int reopen(int fd, struct cor_err *err)
{
        auto_str link = cor_printf("/proc/self/fd/%d", fd);
        struct stat before, after;
        char path[PATH_MAX];
        auto_fd again = -1;
        ssize_t n = readlink(link, path, sizeof path - 1);

        if (n < 0)
                return cor_fail_errno(err, "mount overlay: read a link");
        path[n] = '\0';
        again = open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (again < 0 || fstat(fd, &before) < 0 || fstat(again, &after) < 0)
                return cor_fail_errno(err, "mount overlay: open %s", path);
        if (before.st_dev != after.st_dev || before.st_ino != after.st_ino)
                return cor_fail(err, COR_BUSY, "mount overlay: %s was replaced meanwhile", path);
        return dup3(again, fd, O_CLOEXEC) < 0 ? cor_fail_errno(err, "mount overlay: duplicate a descriptor") : 0;
}

static int reopen_all(const struct overlay *o, struct cor_err *err)
{
        for (size_t i = 0; i < o->n_lower; i++)
                if (reopen(o->lower[i], err) < 0)
                        return -1;
        return o->upper >= 0 && (reopen(o->upper, err) < 0 || reopen(o->work, err) < 0) ? -1 : 0;
}

/* Over the folders that they show: descriptors of what lies on them lead to this namespace then. */
static int attach_mounts(const struct overlay *o, struct cor_err *err)
{
        for (size_t i = 0; i < COR_COUNT(o->mounts); i++)
                if (o->mounts[i] >= 0 &&
                    (reopen(o->origins[i], err) < 0 || mount_attach(o->mounts[i], o->origins[i], err) < 0))
                        return -1;
        return 0;
}

static int take_place(const struct overlay *o, struct cor_err *err)
{
        return o->mounts[0] >= 0 || o->mounts[1] >= 0 ? attach_mounts(o, err) : reopen_all(o, err);
}

static int mount_old_way(const struct overlay *o, struct cor_err *err)
{
        return take_place(o, err) < 0 ? -1 : mount_from_links(o, true, err);
}

static int mount_new_way(const struct overlay *o, struct cor_err *err)
{
        int fd = take_place(o, err) < 0 ? -1 : overlay_mount_new(o, err);

        return fd >= 0 || err->kind != COR_UNSUPPORTED ? fd : mount_from_links(o, true, err);
}

typedef int make_fn(const struct overlay *o, struct cor_err *err);

struct alone {
        const struct overlay *o;
        make_fn *make;
};

static int child_mount(void *context, struct cor_err *err)
{
        const struct alone *a = context;

        if (unshare(CLONE_NEWNS) < 0)
                return cor_fail_errno(err, "mount overlay: make a mount namespace");
        return mount_propagation("/", MS_REC | MS_PRIVATE, err) < 0 ? -1 : a->make(a->o, err);
}

int overlay_mount_alone(const struct overlay *o, bool legacy, struct cor_err *err)
{
        return overlay_alone(o, legacy ? mount_old_way : mount_new_way, err);
}

int overlay_alone(const struct overlay *o, make_fn *make, struct cor_err *err)
{
        return cor_child_fd(child_mount, &(struct alone){ o, make }, err);
}

#include "linux/overlay.h"
#include "base/fd.h"
#include "linux/caps.h"
#include "linux/mount.h"

#include <errno.h>
#include <stdio.h>
#include <sys/fsuid.h>
#include <sys/utsname.h>
#include <unistd.h>

enum { FD_NAME = 32 };

static void fd_name(int fd, bool here, char name[FD_NAME])
{
        snprintf(name, FD_NAME, here ? "%d" : "/proc/self/fd/%d", fd);
}

static int set(int fs, const char *key, const char *value, struct cor_err *err)
{
        return fsconfig(fs, value ? FSCONFIG_SET_STRING : FSCONFIG_SET_FLAG, key, value, 0) < 0
                       ? mount_fail_fs(fs, "overlay", key, err)
                       : 0;
}

static int set_fd(int fs, const char *key, int fd, bool here, struct cor_err *err)
{
        char name[FD_NAME];

        fd_name(fd, here, name);
        return set(fs, key, name, err);
}

int overlay_configure(const struct overlay *o, int fs, bool here, struct cor_err *err)
{
        if (set(fs, "source", "overlay", err) < 0 || set(fs, "index", "off", err) < 0 ||
            set(fs, "metacopy", "off", err) < 0)
                return -1;
        /* With "userxattr" redirects are off and not followed, and may not even be mentioned. */
        if (o->user ? set(fs, "userxattr", NULL, err) < 0 : set(fs, "redirect_dir", "nofollow", err) < 0)
                return -1;
        if (o->upper >= 0 &&
            (set_fd(fs, "upperdir", o->upper, here, err) < 0 || set_fd(fs, "workdir", o->work, here, err) < 0))
                return -1;
        if (o->upper >= 0 && o->lossy && set(fs, "volatile", NULL, err) < 0)
                return -1;
        return o->label ? set(fs, "context", o->label, err) : 0;
}

/* One by one, in the order of the look-up. -1 and UNSUPPORTED if the kernel does not know that. */
static int add_lower(const struct overlay *o, int fs, struct cor_err *err)
{
        for (size_t i = 0; i < o->n_lower; i++) {
                char name[FD_NAME];

                fd_name(o->lower[i], false, name);
                if (fsconfig(fs, FSCONFIG_SET_STRING, "lowerdir+", name, 0) < 0) {
                        mount_fail_fs(fs, "overlay", "lowerdir+", err);
                        if (err && errno == EINVAL && i == 0)
                                err->kind = COR_UNSUPPORTED;
                        return -1;
                }
        }
        return 0;
}

/* Before 6.7 the kernel's answer to "lowerdir+" would come late and say little. */
static bool kernel_has_new_way(void)
{
        struct utsname u;
        int major, minor;

        return uname(&u) < 0 || sscanf(u.release, "%d.%d", &major, &minor) != 2 || major > 6 ||
               (major == 6 && minor >= 7);
}

int overlay_mount_new(const struct overlay *o, struct cor_err *err)
{
        auto_fd fs = -1;
        int fd;

        if (!kernel_has_new_way())
                return cor_fail(err, COR_UNSUPPORTED, "mount overlay: this kernel does not take folders one by one");
        fs = fsopen("overlay", FSOPEN_CLOEXEC);
        if (fs < 0)
                return cor_fail_errno(err, "mount overlay");
        if (overlay_configure(o, fs, false, err) < 0 || add_lower(o, fs, err) < 0)
                return -1;
        if (fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
                return mount_fail_fs(fs, "overlay", "create", err);
        fd = fsmount(fs, FSMOUNT_CLOEXEC, 0);
        return fd >= 0 ? fd : mount_fail_fs(fs, "overlay", "attach", err);
}

/*
 * Layers on detached mounts of their own are taken from 6.15 on; before, they need a place in a namespace. A user
 * namespace may mount in a mount namespace of its own only (EPERM).
 */
static int mount_either_way(const struct overlay *o, struct cor_err *err)
{
        bool attach = o->mounts[0] >= 0 || o->mounts[1] >= 0;
        struct cor_err first = { 0 };
        int fd = overlay_mount_new(o, &first);

        if (fd >= 0)
                return fd;
        if (attach || first.sys == EPERM)
                return overlay_mount_alone(o, false, err);
        if (first.kind == COR_UNSUPPORTED)
                return overlay_mount_legacy(o, err);
        if (err)
                *err = first;
        return -1;
}

/* An overlay makes its own folders, now and later, as who has mounted it. */
static int mount_as_owner(const struct overlay *o, struct cor_err *err)
{
        uid_t uid;
        gid_t gid;
        int fd;

        if (o->uid == 0 && o->gid == 0)
                return mount_either_way(o, err);
        if (caps_file_owner(o->uid, o->gid, &uid, &gid, err) < 0)
                return -1;
        fd = mount_either_way(o, err);
        setfsuid(uid);
        setfsgid(gid);
        return fd;
}

int overlay_mount(const struct overlay *o, struct cor_err *err)
{
        int fd;

        if (o->n_lower > OVERLAY_LOWER_MAX)
                return cor_fail(err, COR_INVALID, "mount overlay: %zu layers, more than the %d that the kernel takes",
                                o->n_lower, (int)OVERLAY_LOWER_MAX);
        fd = mount_as_owner(o, err);
        if (fd < 0 && err && (err->sys == ENOSYS || err->sys == EPERM) && mount_api_is_refused()) {
                cor_fail_refused(err, "fsopen", "5.2");
                return cor_wrap(err, "mount overlay");
        }
        if (fd < 0 && err && (err->sys == EINVAL || err->sys == ENODEV || err->sys == ENOSYS))
                err->kind = COR_UNSUPPORTED;
        return fd;
}

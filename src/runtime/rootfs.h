#ifndef CORACLE_RUNTIME_ROOTFS_H
#define CORACLE_RUNTIME_ROOTFS_H
/*
 * The container's file system, made by init in its own mount namespace. Every path that the image can influence is
 * walked below the root by descriptor (base/file.h, cor_root_…).
 *
 *      rootfs_open_place() where the root mount goes, before init becomes root of a user namespace
 *      rootfs_prepare()   propagation, root mount, all mounts, /dev
 *      (hooks)
 *      rootfs_enter()     pivot_root; from here on the container's root is ours
 *      rootfs_finish()    read-only, masked and read-only paths
 */
#include "runtime/plan.h"

struct rootfs {
        int place;  /* O_PATH, what the root mount is put on, once found; or -1 */
        int root;   /* O_PATH, the root mount */
        int dev;    /* O_PATH, its /dev, or -1 if it is not ours to fill */
        int devpts; /* O_PATH, root of the devpts mounted at /dev/pts, or -1 */
        int *late;  /* mounts that become read-only only in the end */
        size_t n_late;
        uint64_t *mounted; /* the mount that each of config.mounts became; NULL: nobody will ask */
        int procfs;        /* the runtime's */
};

void rootfs_init(struct rootfs *r);
void rootfs_done(struct rootfs *r);
#define auto_rootfs COR_CLEANUP(rootfs_done) struct rootfs

void rootfs_open_place(const struct plan *p, struct rootfs *r);
int rootfs_prepare(const struct plan *p, struct rootfs *r, struct cor_err *err) COR_MUST_CHECK;
int rootfs_enter(const struct plan *p, struct rootfs *r, struct cor_err *err) COR_MUST_CHECK;
int rootfs_finish(const struct plan *p, struct rootfs *r, struct cor_err *err) COR_MUST_CHECK;

/* Parts, each in a file of its own. */
/* rootfs_mount() - one entry of config.mounts (mounts.c) */
int rootfs_mount(const struct plan *p, struct rootfs *r, size_t index, struct cor_err *err) COR_MUST_CHECK;
/* rootfs_mount_cgroup() - an entry of type cgroup or cgroup2 (mount_cgroup.c) */
int rootfs_mount_cgroup(const struct plan *p, struct rootfs *r, const struct oci_mount *m,
                        const struct mount_options *o, int target, struct cor_err *err) COR_MUST_CHECK;
/* rootfs_devices() - default and configured device nodes, links in /dev (devices.c) */
int rootfs_devices(const struct plan *p, struct rootfs *r, struct cor_err *err) COR_MUST_CHECK;
/* rootfs_devices_ask() - whether rootfs_devices() will want to know what was mounted where (devices.c) */
bool rootfs_devices_ask(const struct oci_config *c);
/* rootfs_console() - bind @slave over /dev/console (devices.c) */
int rootfs_console(struct rootfs *r, int slave, struct cor_err *err) COR_MUST_CHECK;
/*
 * rootfs_null() - where 0, 1 or 2 are the host's /dev/null, put the container's in place: a descriptor that leads to a
 * mount of the host is one too many, and criu cannot restore it (devices.c)
 */
int rootfs_null(const struct rootfs *r, struct cor_err *err) COR_MUST_CHECK;
/* rootfs_mask() - linux.maskedPaths and linux.readonlyPaths, inside the new root (mask.c) */
int rootfs_mask(const struct plan *p, struct cor_err *err) COR_MUST_CHECK;
/* rootfs_copy_up() - tmpcopyup: the content of directory @from into @to (copyup.c) */
int rootfs_copy_up(int from, int to, struct cor_err *err) COR_MUST_CHECK;

#endif

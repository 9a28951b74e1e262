#ifndef CORACLE_STORE_SNAPSHOT_H
#define CORACLE_STORE_SNAPSHOT_H
/*
 * The root filesystem of a container, or of an image that is only looked at: its layers with a writable one on top, as
 * a detached overlay mount. The host's mount table never sees it, and it ends with the last process that has it. What
 * the container changes is in the folders `upper` and `work` of its own folder (store/container.h).
 */
#include "store/store.h"

struct snapshot {
        const struct digest *layers; /* names, lowest first; may be none */
        size_t n_layers;
        int folder; /* of the container, after snapshot_make(); -1: read-only, without a writable layer */
        /*
         * What it changes is not wanted once the machine stops (--rm): nothing is synced, which is done for the whole
         * disk else when the last one lets go of a snapshot. Who holds the mount till all is reported pays for that
         * then.
         */
        bool lossy;
        /*
         * -1, or a user namespace: on the disk files belong to 0 and up, and seen through the mount, to those ids as
         * that namespace maps them (idmapped mounts, Linux 5.19)
         */
        int userns;
        /*
         * By fuse-overlayfs, for who may not map ids of mounts: how ids on the disk are seen, or NULL for as they are.
         * Its marks in a writable layer are its own, so one that it has written is always mounted so.
         */
        bool fuse;
        const struct idmap *map;
        const char *label; /* SELinux context of all files, or NULL */
};
#define SNAPSHOT_INIT                                                                                                  \
        {                                                                                                              \
                .folder = -1, .userns = -1                                                                             \
        }

/*
 * snapshot_make() - make the folders of the writable layer in @folder (container_folder_open()); the root looks like
 * that of the topmost layer
 * @size: limit in bytes on what it may hold, 0: none; UNSUPPORTED if the filesystem cannot
 *
 * Made once, when the container is; it is no error if they are there.
 */
int snapshot_make(const struct store *s, int folder, const struct digest *layers, size_t n_layers, uint64_t size,
                  struct cor_err *err) COR_MUST_CHECK;
/*
 * snapshot_mount() - the detached mount; UNSUPPORTED, with the reason, where overlayfs is not to be had. The caller is
 * single-threaded (on old kernels a child does it).
 */
int snapshot_mount(const struct store *s, const struct snapshot *x, struct cor_err *err) COR_MUST_CHECK;
/* snapshot_upper() - O_PATH descriptor of what a container has changed, in overlayfs form; NOT_FOUND before _make() */
int snapshot_upper(int folder, struct cor_err *err) COR_MUST_CHECK;

#endif

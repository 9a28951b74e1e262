#ifndef CORACLE_LINUX_OVERLAY_H
#define CORACLE_LINUX_OVERLAY_H
/*
 * Overlay mounts, detached. Linux takes the lower folders one by one from 6.7 on. Older kernels want all of them in one
 * text of at most 255 bytes, or of 4095 bytes by mount(2); there they are called by the numbers of their descriptors,
 * with /proc/self/fd as the working directory. What the caller's mount namespace has no place for is done by a child in
 * one of its own.
 *
 * Metadata-only copies and redirects stay off, and are not followed where a lower folder has them: overlay attributes
 * in a layer must not lead anywhere else. `index` is off as well, since layers are shared by many mounts.
 */
#include "base/err.h"
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct idmap;

enum { OVERLAY_LOWER_MAX = 500 }; /* the kernel's */

struct overlay {
        const int *lower; /* O_PATH descriptors, the uppermost first; at least one, two without `upper` */
        size_t n_lower;
        int upper, work; /* O_PATH descriptors on one mount; -1: no writable layer */
        bool user;       /* attributes are "user.overlay.", in a user namespace */
        /*
         * Nothing is written to the disk for its sake, not even when it is unmounted (which else syncs the whole
         * filesystem): for contents that are not wanted once the machine stops.
         */
        bool lossy;
        const char *label; /* SELinux context of all files, or NULL */
        /* Detached mounts that the folders lie on, and the folders that they show; -1: none */
        int mounts[2], origins[2];
        /* For overlay_mount_fuse(): how ids on the disk are seen (NULL: as they are), and a folder to mount it on */
        const struct idmap *map;
        int place;
        uid_t uid; /* whom the work folder belongs to as it is seen: on an idmapped mount, 0 may be nobody */
        gid_t gid;
};
#define OVERLAY_INIT                                                                                                   \
        {                                                                                                              \
                .upper = -1, .work = -1, .mounts = { -1, -1 }, .origins = { -1, -1 }, .place = -1                      \
        }

/*
 * overlay_mount() - a detached mount. INVALID if there are too many folders; UNSUPPORTED if this kernel cannot mount an
 * overlay here, with the kernel's reason.
 */
int overlay_mount(const struct overlay *o, struct cor_err *err) COR_MUST_CHECK;

/*
 * overlay_mount_fuse() - the same by fuse-overlayfs, which maps ids without any rights. It runs as long as the mount is
 * there. UNSUPPORTED, with its package's name, if it is not installed
 */
int overlay_mount_fuse(const struct overlay *o, struct cor_err *err) COR_MUST_CHECK;

/* The ways there are, for overlay_mount() and its test: */
/* overlay_mount_new() - folders one by one; UNSUPPORTED before Linux 6.7 */
int overlay_mount_new(const struct overlay *o, struct cor_err *err) COR_MUST_CHECK;
/* overlay_mount_legacy() - folders in one text (overlay_legacy.c) */
int overlay_mount_legacy(const struct overlay *o, struct cor_err *err) COR_MUST_CHECK;
/* overlay_mount_alone() - in a child that has a mount namespace of its own, in which o->mounts have a place */
int overlay_mount_alone(const struct overlay *o, bool legacy, struct cor_err *err) COR_MUST_CHECK;
/* overlay_alone() - the descriptor that @make returns, called by a child with a private mount namespace of its own */
int overlay_alone(const struct overlay *o, int (*make)(const struct overlay *o, struct cor_err *err),
                  struct cor_err *err) COR_MUST_CHECK;
/* overlay_configure() - options of @o but for the lower folders, to filesystem context @fs; @here: see above */
int overlay_configure(const struct overlay *o, int fs, bool here, struct cor_err *err) COR_MUST_CHECK;

#endif

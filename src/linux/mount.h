#ifndef CORACLE_LINUX_MOUNT_H
#define CORACLE_LINUX_MOUNT_H
/*
 * Mounts by file descriptor: a mount is made or cloned detached, gets its attributes, and is then attached to an O_PATH
 * descriptor of its target, so that no path is walked twice. Where a call is lacking (mount_setattr before Linux 5.12,
 * all of them under some seccomp profiles) mount(2) on the links of procfs to our descriptors does the same work.
 */
#include "base/err.h"
#include "linux/mount_api.h"
#include <stdbool.h>
#include <stdint.h>

/* What is to hold for a mount: MOUNT_ATTR_ bits, and MS_SHARED, MS_SLAVE, MS_PRIVATE, MS_UNBINDABLE or 0. */
struct mount_attrs {
        uint64_t set, clear;
        unsigned long propagation;
};

/*
 * mount_by_path() - from here on the caller is alone in a mount namespace of its own, and where open_tree() is refused
 * mount(2) may do the work, with links of @procfs (borrowed). mount_clone() then only opens the source, to be bound by
 * mount_attach(), and a mount is to be changed after it was attached.
 */
void mount_by_path(int procfs);
/* mount_links() - where mount(2) has to do it, its links of @procfs (borrowed) lead to descriptors: /proc is another's
 */
void mount_links(int procfs);
/* mount_api_is_refused() - whether open_tree() and its kin are not there, by the kernel or by a seccomp profile */
bool mount_api_is_refused(void);
/*
 * mount_clone() - a detached copy of the mount at @path below @dirfd ("" for @dirfd itself), with all mounts below it
 * if
 * @recursive. The descriptor is also an O_PATH one of the copy's root.
 */
int mount_clone(int dirfd, const char *path, bool recursive, bool nofollow, struct cor_err *err) COR_MUST_CHECK;
/* mount_unescape() - a field of /proc/PID/mountinfo as it was: octal escapes of blanks and backslashes, in place */
void mount_unescape(char *s);
/* mount_is_elsewhere() - @path is /proc/PID/root/…, and that process is in another mount namespace */
bool mount_is_elsewhere(const char *path);
/*
 * mount_clone_elsewhere() - a detached copy of such a mount, which only somebody who is there can clone. No link is
 * followed: one that is absolute would lead into our own namespace. Forks; one thread only.
 */
int mount_clone_elsewhere(const char *path, bool recursive, struct cor_err *err) COR_MUST_CHECK;
/*
 * mount_new() - a detached mount of a new @fstype filesystem
 * @data:     comma-separated options of the filesystem, or NULL
 * @sb_flags: MS_RDONLY, MS_SYNCHRONOUS, MS_DIRSYNC, MS_LAZYTIME, MS_MANDLOCK… of the superblock
 * @attrs:    MOUNT_ATTR_ bits
 *
 * UNSUPPORTED if the kernel cannot make this one detached (mount_new_at() then can).
 */
int mount_new(const char *fstype, const char *source, const char *data, unsigned long sb_flags, uint64_t attrs,
              struct cor_err *err) COR_MUST_CHECK;
/* mount_new_at() - the same by mount(2), directly on @target; a descriptor of its root */
int mount_new_at(int target, const char *fstype, const char *source, const char *data, unsigned long sb_flags,
                 uint64_t attrs, struct cor_err *err) COR_MUST_CHECK;
/* mount_new_on() - mount_new() and mount_attach() in one, or mount_new_at() */
int mount_new_on(int target, const char *fstype, const char *source, const char *data, unsigned long sb_flags,
                 uint64_t attrs, struct cor_err *err) COR_MUST_CHECK;
/* mount_fail_fs() - an error from errno with the words of filesystem context @fs about it; -1 */
int mount_fail_fs(int fs, const char *fstype, const char *what, struct cor_err *err);
/* mount_attach() - put detached @mnt on @target (an O_PATH descriptor) */
int mount_attach(int mnt, int target, struct cor_err *err) COR_MUST_CHECK;
/* mount_attach_at() - put it on @name in directory @dirfd, which nobody else can change */
int mount_attach_at(int mnt, int dirfd, const char *name, struct cor_err *err) COR_MUST_CHECK;
/* mount_change() - change a mount, detached or attached, and with @recursive all below it */
int mount_change(int mnt, const struct mount_attrs *a, bool recursive, struct cor_err *err) COR_MUST_CHECK;
/* mount_has_setattr() - whether there is mount_setattr(2), by which others change all mounts below one (Linux 5.12) */
bool mount_has_setattr(void);
/* mount_idmap() - map ids of a still detached mount by user namespace @userns (mount_setattr(2), MOUNT_ATTR_IDMAP) */
int mount_idmap(int mnt, int userns, bool recursive, struct cor_err *err) COR_MUST_CHECK;
/* mount_is_root() - whether @fd is the root of a mount (statx); 1, 0 or -1 when it cannot be told */
int mount_is_root(int fd);
/* mount_id() - the kernel's number of the mount that @fd lies on; 0 when it cannot be told */
uint64_t mount_id(int fd);
/* mount_is_same() - whether both descriptors lie on one mount; false when it cannot be told */
bool mount_is_same(int a, int b);
/* mount_propagation() - mount(2) with a propagation type on @path */
int mount_propagation(const char *path, unsigned long flags, struct cor_err *err) COR_MUST_CHECK;
/* mount_attrs_get() - the MOUNT_ATTR_ bits of the mount that @fd lies on */
int mount_attrs_get(int fd, uint64_t *ret, struct cor_err *err) COR_MUST_CHECK;
/* mount_flags_of_attrs() - the MS_ flags that stand for MOUNT_ATTR_ bits */
unsigned long mount_flags_of_attrs(uint64_t attrs);

#endif

/*
 * Attributes of mounts. mount_setattr(2) (Linux 5.12) changes what a descriptor stands for. Without it:
 *
 * - An attached mount is remounted, by the link of procfs that leads to the descriptor.
 * - All below it are found in mountinfo and remounted one by one; each is known by its number before.
 * - A detached one cannot be remounted: a child puts it into a mount namespace of its own, where it can, and a clone of
 *   it comes back and takes its descriptor.
 * - There are no idmapped ones.
 */
#include "linux/mount_internal.h"

#include "base/alloc.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/process.h"
#include "base/text.h"
#include "linux/procfs.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FD_PATH_SIZE = 32, MOUNTINFO_MAX_BYTES = 16 << 20 };

/* mount(2) of the mount whose root @mnt is. A procfs that we were given is believed rather than whatever is at /proc.
 */
static int remount(int mnt, unsigned long flags)
{
        char path[FD_PATH_SIZE];
        auto_fd here = -1;
        int r;

        if (mount_procfs() < 0) {
                snprintf(path, sizeof path, "/proc/self/fd/%d", mnt);
                return mount(NULL, path, NULL, flags, NULL);
        }
        snprintf(path, sizeof path, "self/fd/%d", mnt);
        here = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (here < 0 || fchdir(mount_procfs()) < 0)
                return -1;
        r = mount(NULL, path, NULL, flags, NULL);
        return fchdir(here) < 0 ? -1 : r;
}

/* Its other flags are kept. */
static int change_one(int mnt, const struct mount_attrs *a, struct cor_err *err)
{
        unsigned long flags;
        uint64_t attrs;

        if (mount_attrs_get(mnt, &attrs, err) < 0)
                return -1;
        attrs = (attrs & ~a->clear) | a->set;
        flags = mount_flags_of_attrs(attrs);
        if ((attrs & MOUNT_ATTR__ATIME) == MOUNT_ATTR_RELATIME) /* without a word it stays as it is */
                flags |= MS_RELATIME;
        return remount(mnt, MS_REMOUNT | MS_BIND | flags) < 0 ? cor_fail_errno(err, "change a mount") : 0;
}

/* --- and all below ------------------------------------------------------------------------------------------------ */

struct entry {
        uint64_t id, parent;
        char *path;
        bool below;
};

static int read_mountinfo(char **ret, struct cor_err *err)
{
        auto_fd proc = mount_procfs() < 0 ? procfs_open(err) : -1;
        auto_fd file = -1;
        size_t n;

        if (mount_procfs() < 0 && proc < 0)
                return -1;
        file = procfs_file(proc < 0 ? mount_procfs() : proc, "self/mountinfo", O_RDONLY, err);
        return file < 0 ? -1 : cor_read_fd(file, "mountinfo", MOUNTINFO_MAX_BYTES, ret, &n, err);
}

/* "ID PARENT MAJOR:MINOR ROOT PATH ..." */
static bool parse_line(char *line, struct entry *ret)
{
        char *field[5] = { NULL };

        for (size_t i = 0; i < COR_COUNT(field); i++)
                if (!(field[i] = cor_split_next(&line, ' ')))
                        return false;
        mount_unescape(field[4]);
        ret->path = field[4];
        ret->below = false;
        return cor_parse_u64(field[0], &ret->id) == 0 && cor_parse_u64(field[1], &ret->parent) == 0;
}

static bool is_below(const struct entry *items, size_t n, uint64_t parent, uint64_t top)
{
        if (parent == top)
                return true;
        for (size_t i = 0; i < n; i++)
                if (items[i].id == parent)
                        return items[i].below;
        return false;
}

/* Parents may come after their children: again, until nothing is found any more. */
static void mark_below(struct entry *items, size_t n, uint64_t top)
{
        bool found;

        do {
                found = false;
                for (size_t i = 0; i < n; i++)
                        if (!items[i].below && items[i].id != top && is_below(items, n, items[i].parent, top))
                                items[i].below = found = true;
        } while (found);
}

/*
 * @path, from the top on, leads to it only as long as nothing lies on top. From the top: whoever we are need not be
 * able to walk there from the root.
 */
static int change_below(int mnt, const char *path, const struct entry *e, const struct mount_attrs *a,
                        struct cor_err *err)
{
        auto_fd fd = openat(mnt, path, O_PATH | O_NOFOLLOW | O_CLOEXEC);

        if (fd < 0)
                return cor_fail_errno(err, "change the mount at %s", e->path);
        if (mount_id(fd) != e->id)
                return cor_fail(err, COR_UNSUPPORTED,
                                "%s: to change a mount that another one covers needs Linux 5.12 (mount_setattr)",
                                e->path);
        return change_one(fd, a, err);
}

/* What is left of @path behind that of the mount @top. */
static const char *beneath(const struct entry *items, size_t n, uint64_t top, const char *path)
{
        for (size_t i = 0; i < n; i++)
                if (items[i].id == top)
                        path += strlen(items[i].path);
        path += strspn(path, "/");
        return *path ? path : ".";
}

static int change_all(int mnt, const struct mount_attrs *a, struct cor_err *err)
{
        auto_free struct entry *items = NULL;
        uint64_t top = mount_id(mnt);
        auto_str text = NULL;
        char *cursor, *line;
        size_t n = 0;

        if (top == 0)
                return cor_fail_refused(err, "statx", "5.8");
        if (read_mountinfo(&text, err) < 0)
                return -1;
        for (cursor = text; (line = cor_split_next(&cursor, '\n')) != NULL;) {
                struct entry e;

                if (parse_line(line, &e))
                        *COR_GROW(items, n) = e;
        }
        mark_below(items, n, top);
        for (size_t i = 0; i < n; i++) {
                const char *path = items[i].below ? beneath(items, n, top, items[i].path) : NULL;

                if (path && change_below(mnt, path, &items[i], a, err) < 0)
                        return -1;
        }
        return change_one(mnt, a, err);
}

/* --- attached, or not --------------------------------------------------------------------------------------------- */

struct change {
        int mnt;
        const struct mount_attrs *attrs;
        bool recursive;
};

static int change_attached(const struct change *c, struct cor_err *err)
{
        const struct mount_attrs *a = c->attrs;

        if ((a->set | a->clear) && (c->recursive ? change_all : change_one)(c->mnt, a, err) < 0)
                return -1;
        if (a->propagation && remount(c->mnt, a->propagation | (c->recursive ? MS_REC : 0)) < 0)
                return cor_fail_errno(err, "change the propagation of a mount");
        return 0;
}

/* In a child. The place is one that the machine has anyway, and that nothing here needs. */
static int change_in_private(void *context, struct cor_err *err)
{
        const struct change *c = context;
        auto_fd place = -1;
        struct stat st;

        if (unshare(CLONE_NEWNS) < 0)
                return cor_fail_errno(err, "change a mount: make a mount namespace");
        if (mount_propagation("/", MS_REC | MS_PRIVATE, err) < 0)
                return -1;
        if (fstat(c->mnt, &st) < 0)
                return cor_fail_errno(err, "change a mount");
        place = open(S_ISDIR(st.st_mode) ? "/dev" : "/dev/null", O_PATH | O_CLOEXEC);
        if (place < 0)
                return cor_fail_errno(err, "change a mount: a place for it");
        if (mount_attach(c->mnt, place, err) < 0 || change_attached(c, err) < 0)
                return -1;
        return mount_clone(c->mnt, "", true, false, err);
}

static int change_by_remount(const struct change *c, struct cor_err *err)
{
        auto_fd changed = -1;

        if (change_attached(c, err) == 0)
                return 0;
        if (!err || err->sys != EINVAL) /* what lies in no namespace of ours */
                return -1;
        changed = cor_child_fd(change_in_private, (void *)(uintptr_t)c, err);
        if (changed < 0)
                return -1;
        return dup3(changed, c->mnt, O_CLOEXEC) < 0 ? cor_fail_errno(err, "duplicate a descriptor") : 0;
}

/* EPERM for asking nothing, by who may mount: it is the call that a seccomp profile refuses. */
static bool mount_setattr_is_refused(void)
{
        struct mount_attr nothing = { 0 };
        bool refused = mount_setattr(AT_FDCWD, "/", 0, &nothing, sizeof nothing) < 0 && errno == EPERM;

        errno = EPERM;
        return refused;
}

bool mount_has_setattr(void)
{
        return mount_setattr(-1, "", 0, NULL, 0) < 0 && errno == EINVAL; /* for the size */
}

int mount_change(int mnt, const struct mount_attrs *a, bool recursive, struct cor_err *err)
{
        const struct change change = { .mnt = mnt, .attrs = a, .recursive = recursive };
        struct mount_attr attr = {
                .attr_set = a->set,
                .attr_clr = a->clear,
                .propagation = a->propagation,
        };
        struct cor_err why = { 0 };

        if (!(a->set | a->clear | a->propagation))
                return 0;
        if (mount_setattr(mnt, "", AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0), &attr, sizeof attr) == 0)
                return 0;
        if (errno != ENOSYS && !(errno == EPERM && mount_setattr_is_refused()))
                return cor_fail_errno(err, "change a mount");
        if (change_by_remount(&change, &why) == 0)
                return 0;
        if (err)
                *err = why;
        return -1;
}

int mount_idmap(int mnt, int userns, bool recursive, struct cor_err *err)
{
        struct mount_attr attr = { .attr_set = MOUNT_ATTR_IDMAP, .userns_fd = (uint64_t)userns };

        if (mount_setattr(mnt, "", AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0), &attr, sizeof attr) == 0)
                return 0;
        if (errno == ENOSYS || (errno == EPERM && mount_setattr_is_refused()))
                return cor_fail(err, COR_UNSUPPORTED, "idmapped mounts need Linux 5.12 (mount_setattr)");
        if (errno == EINVAL)
                return cor_fail_errno(err, "idmap a mount (does its filesystem support id mapping?)");
        return cor_fail_errno(err, "idmap a mount");
}

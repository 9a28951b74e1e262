/*
 * Owner, mode, times and extended attributes. The order matters: a change of the owner takes set-id bits and file
 * capabilities away, so the mode comes after it and the attributes come last. As few calls as possible: what the kernel
 * has given a new file already is not set again.
 */
#include "image/layer_internal.h"

#include "base/alloc.h"
#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#define LIST_BYTES_MAX  (1U << 20)
#define VALUE_BYTES_MAX (1U << 20)
#define TRIES           5

static const char acl_access[] = "system.posix_acl_access", acl_default[] = "system.posix_acl_default";

static bool begins(const char *s, const char *prefix)
{
        return strncmp(s, prefix, strlen(prefix)) == 0;
}

bool layer_xattr_kept(const char *name)
{
        if (begins(name, "trusted.overlay.") || begins(name, "user.overlay.") || begins(name, "user.fuseoverlayfs.") ||
            strcmp(name, "security.selinux") == 0)
                return false;
        return begins(name, "user.") || begins(name, "trusted.") || begins(name, "security.") ||
               strcmp(name, acl_access) == 0 || strcmp(name, acl_default) == 0;
}

/* O_PATH descriptors and links have no calls of their own for attributes (before Linux 6.13). */
static const char *by_proc(int fd, char buf[32])
{
        snprintf(buf, 32, "/proc/self/fd/%d", fd);
        return buf;
}

/* Without these a program would have other rights than its image says. */
static bool must_be_set(const char *name)
{
        return strcmp(name, "security.capability") == 0 || strcmp(name, acl_access) == 0 ||
               strcmp(name, acl_default) == 0;
}

static int set_xattr(struct apply *a, int fd, bool is_path, const char *name, const void *value, size_t len,
                     struct cor_err *err)
{
        char path[32];
        int r;

        if (!layer_xattr_kept(name))
                return 0;
        r = is_path ? setxattr(by_proc(fd, path), name, value, len, 0) : fsetxattr(fd, name, value, len, 0);
        if (r == 0) {
                if (strcmp(name, acl_default) == 0)
                        a->acls = true;
                return 0;
        }
        /* An attribute that this file system or this kind of file cannot have, or that only the real root may set. */
        if (!must_be_set(name) && (errno == EOPNOTSUPP || (errno == EPERM && (a->options->rootless || is_path))))
                return 0;
        return cor_fail_errno(err, "set its attribute %s", name);
}

static int set_xattrs(struct apply *a, int fd, bool is_path, const struct tar_entry *e, struct cor_err *err)
{
        for (size_t i = 0; i < e->n_xattrs; i++)
                if (set_xattr(a, fd, is_path, e->xattrs[i].name, e->xattrs[i].value, e->xattrs[i].len, err) < 0)
                        return -1;
        return 0;
}

ssize_t layer_xattrs_list(int fd, char **ret, struct cor_err *err)
{
        char path[32];

        by_proc(fd, path);
        for (int i = 0; i < TRIES; i++) { /* it may grow between the two calls */
                ssize_t n = listxattr(path, NULL, 0);
                auto_str list = NULL;

                if (n == 0 || (n < 0 && errno == EOPNOTSUPP)) {
                        *ret = NULL;
                        return 0;
                }
                if (n < 0 || n > LIST_BYTES_MAX)
                        break;
                list = cor_alloc((size_t)n + 1);
                n = listxattr(path, list, (size_t)n);
                if (n >= 0) {
                        *ret = COR_TAKE(list);
                        return n;
                }
                if (errno != ERANGE)
                        break;
        }
        return cor_fail_errno(err, "list its attributes");
}

int layer_xattr_get(int fd, const char *name, char **ret, size_t *ret_len, struct cor_err *err)
{
        char path[32];

        by_proc(fd, path);
        for (int i = 0; i < TRIES; i++) {
                ssize_t n = getxattr(path, name, NULL, 0);
                auto_str value = NULL;

                if (n < 0 && (errno == ENODATA || errno == EOPNOTSUPP))
                        return 0;
                if (n < 0 || n > VALUE_BYTES_MAX)
                        break;
                value = cor_alloc((size_t)n + 1);
                n = getxattr(path, name, value, (size_t)n);
                if (n >= 0) {
                        *ret = COR_TAKE(value);
                        *ret_len = (size_t)n;
                        return 1;
                }
                if (errno != ERANGE)
                        break;
        }
        return cor_fail_errno(err, "read its attribute %s", name);
}

int layer_xattrs_copy(struct apply *a, int from, int to, struct cor_err *err)
{
        auto_str list = NULL;
        ssize_t n = layer_xattrs_list(from, &list, err);

        if (n < 0)
                return -1;
        for (char *name = list; name && name < list + n; name += strlen(name) + 1) {
                auto_str value = NULL;
                size_t len;
                int got = layer_xattr_kept(name) ? layer_xattr_get(from, name, &value, &len, err) : 0;

                if (got < 0 || (got > 0 && set_xattr(a, to, true, name, value, len, err) < 0))
                        return -1;
        }
        return 0;
}

int layer_xattrs_strip(int fd, bool acls_only, struct cor_err *err)
{
        auto_str list = NULL;
        ssize_t n = layer_xattrs_list(fd, &list, err);
        char path[32];

        if (n < 0)
                return -1;
        by_proc(fd, path);
        for (char *name = list; name && name < list + n; name += strlen(name) + 1) {
                bool acl = strcmp(name, acl_access) == 0 || strcmp(name, acl_default) == 0;

                if ((acls_only ? !acl : !layer_xattr_kept(name)) || removexattr(path, name) == 0 || errno == ENODATA)
                        continue;
                return cor_fail_errno(err, "remove the attribute %s", name);
        }
        return 0;
}

static int fail_owner(const struct tar_entry *e, struct cor_err *err)
{
        if (errno == EINVAL)
                return cor_fail(
                        err, COR_INVALID,
                        "its owner %llu:%llu has no place in this user namespace; more subordinate ids are needed "
                        "(/etc/subuid, /etc/subgid)",
                        (unsigned long long)e->uid, (unsigned long long)e->gid);
        return cor_fail_errno(err, "give it to %llu:%llu", (unsigned long long)e->uid, (unsigned long long)e->gid);
}

static void times_of(const struct tar_entry *e, struct timespec ret[2])
{
        ret[0] = e->has_atime ? e->atime : e->mtime;
        ret[1] = e->mtime;
}

int layer_attr_fd(struct apply *a, int fd, const struct tar_entry *e, bool exact, struct cor_err *err)
{
        struct timespec times[2];
        bool given = !exact && e->uid == a->uid && e->gid == a->gid;

        if (!given && fchown(fd, (uid_t)e->uid, (gid_t)e->gid) < 0)
                return fail_owner(e, err);
        if (exact && layer_xattrs_strip(fd, true, err) < 0)
                return -1;
        if ((exact || (e->mode & 07000)) && fchmod(fd, e->mode) < 0)
                return cor_fail_errno(err, "set its mode");
        if (set_xattrs(a, fd, false, e, err) < 0)
                return -1;
        times_of(e, times);
        return futimens(fd, times) < 0 ? cor_fail_errno(err, "set its times") : 0;
}

int layer_attr_at(struct apply *a, const struct place *place, const char *base, const struct tar_entry *e,
                  struct cor_err *err)
{
        bool exact = place->inherits;
        struct timespec times[2];

        if ((exact || e->uid != a->uid || e->gid != a->gid) &&
            fchownat(place->fd, base, (uid_t)e->uid, (gid_t)e->gid, AT_SYMLINK_NOFOLLOW) < 0)
                return fail_owner(e, err);
        if (exact || e->n_xattrs > 0) {
                auto_fd fd = openat(place->fd, base, O_PATH | O_NOFOLLOW | O_CLOEXEC);

                if (fd < 0)
                        return cor_fail_errno(err, "open it");
                if (exact && e->type != TAR_SYMLINK && layer_xattrs_strip(fd, true, err) < 0)
                        return -1;
                if (set_xattrs(a, fd, true, e, err) < 0)
                        return -1;
        }
        if (e->type != TAR_SYMLINK && (exact || (e->mode & 07000)) && fchmodat(place->fd, base, e->mode, 0) < 0)
                return cor_fail_errno(err, "set its mode");
        times_of(e, times);
        if (utimensat(place->fd, base, times, AT_SYMLINK_NOFOLLOW) < 0)
                return cor_fail_errno(err, "set its times");
        return 0;
}

int layer_set_opaque(const struct apply *a, int dir, struct cor_err *err)
{
        return fsetxattr(dir, a->opaque, "y", 1, 0) < 0
                       ? cor_fail_errno(err, "mark the directory opaque (%s)", a->opaque)
                       : 0;
}

bool layer_is_opaque(const struct apply *a, int dir)
{
        char value;

        return fgetxattr(dir, a->opaque, &value, 1) == 1 && value == 'y';
}
